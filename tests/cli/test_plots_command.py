"""`geopipe plots`, as somebody types it who needs pictures for a letter."""

import json

import pytest
from conftest import call
from pack_fixtures import with_cases

NAMES = ("overlaps", "hectares", "cases", "findings")


@pytest.fixture(scope="module")
def meeting(tmp_path_factory):
    return with_cases(tmp_path_factory.mktemp("meeting"))


def plots(meeting, to, *words):
    workspace, output = meeting
    return call("plots", output, "-w", workspace, "-o", to, *words)


def test_all_plots_are_written_in_each_format_and_named(meeting, tmp_path):
    ran = plots(meeting, tmp_path / "p", "--format", "svg,png")
    assert ran.code == 0
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == sorted(
        f"{name}-en.{kind}" for name in NAMES for kind in ("svg", "png")
    )
    assert len(ran.out.splitlines()) == 8


def test_json_tells_what_is_seen_and_where_it_is(meeting, tmp_path):
    told = json.loads(plots(meeting, tmp_path / "p", "--json", "--lang", "both").out)
    assert [item["name"] for item in told["plots"]] == list(NAMES)
    assert told["plots"][0]["files"] == [str(tmp_path / "p" / "overlaps-en-lo.svg")]
    assert all(item["title"] in item["alt"] for item in told["plots"])
    assert told["left_out"] == []


def test_without_a_register_two_plots_are_left_out_and_that_is_said(meeting, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = call("plots", meeting[1], "-o", "p")
    assert ran.code == 0
    assert "these plots are left out: cases, findings" in ran.err
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == ["hectares-en.svg", "overlaps-en.svg"]


def test_an_operators_files_are_for_their_owner_only(meeting, tmp_path):
    assert plots(meeting, tmp_path / "p", "--operator", "MAG").code == 0
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "p").iterdir())
    assert not any(b"UXO" in path.read_bytes() for path in (tmp_path / "p").iterdir())


def test_a_draft_translation_is_told(meeting, tmp_path):
    assert "Draft translation" in plots(meeting, tmp_path / "p", "--lang", "lo").err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--format", "gif"), "--format: 'gif' is not understood"),
        (("--operator", "MAGG"), "did you mean 'MAG'"),
        (("--lang", "xx"), "xx"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(meeting, tmp_path, words, sentence):
    ran = plots(meeting, tmp_path / "p", *words)
    assert ran.code == 2
    assert sentence in ran.err
    assert not (tmp_path / "p").exists()


def test_a_workspace_without_a_register_is_refused(meeting, tmp_path):
    ran = call("plots", meeting[1], "-w", tmp_path / "nowhere", "-o", tmp_path / "p")
    assert ran.code != 0
    assert "there is no register" in ran.err
