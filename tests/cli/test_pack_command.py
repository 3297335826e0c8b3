"""`geopipe pack`, as the secretary of the working group types it."""

import json

import pytest
from casework_fixtures import case_about
from conftest import call
from pack_fixtures import decide, text_of, with_cases

from geopipe.register.register import Register


@pytest.fixture(scope="module")
def meeting(tmp_path_factory):
    return with_cases(tmp_path_factory.mktemp("meeting"))


def pack(meeting, to, *words):
    workspace, output = meeting
    return call("pack", output, "-w", workspace, "-o", to, "--minutes-of-meeting", "120",
                "--meeting", "TWG 2/2026", "--held-on", "2026-06-01", *words)  # fmt: skip


def test_a_pack_is_written_and_told_in_one_line(meeting, tmp_path):
    ran = pack(meeting, tmp_path / "pack.pdf")
    assert ran.code == 0
    assert ran.out.strip().endswith("pack.pdf: 4 cases with a page of their own")
    assert (tmp_path / "pack.pdf").read_bytes().startswith(b"%PDF-")
    assert [path.name for path in tmp_path.iterdir()] == ["pack.pdf"]


def test_the_page_of_each_case_is_told_as_json(meeting, tmp_path):
    told = json.loads(pack(meeting, tmp_path / "pack.pdf", "--json").out)
    pages = text_of(tmp_path / "pack.pdf")
    assert len(told["pages"]) == 4
    assert all(name in pages[page - 1] for name, page in told["pages"].items())


def test_a_draft_translation_is_told(meeting, tmp_path):
    ran = pack(meeting, tmp_path / "pack.pdf", "--lang", "both")
    assert ran.code == 0
    assert "Draft translation" in ran.err


def test_what_has_changed_since_a_day_is_in_the_pack(meeting, tmp_path):
    assert pack(meeting, tmp_path / "pack.pdf", "--since", "2026-05-01").code == 0
    assert "What has changed since 2026-05-01" in " ".join(text_of(tmp_path / "pack.pdf"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--lang", "xx"), "xx"),
        (("--operator", "MAGG"), "no case is about 'MAGG'; did you mean 'MAG'"),
        (("--since", "yesterday"), "this is neither a day nor a meeting"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(meeting, tmp_path, words, sentence):
    ran = pack(meeting, tmp_path / "pack.pdf", *words)
    assert ran.code == 2
    assert sentence in ran.err
    assert not (tmp_path / "pack.pdf").exists()


def test_a_folder_that_is_not_there_is_told(meeting, tmp_path):
    ran = pack(meeting, tmp_path / "nowhere" / "pack.pdf")
    assert ran.code == 2
    assert "the file cannot be written" in ran.err


def test_minutes_are_written_after_a_meeting_has_decided(tmp_path):
    workspace, _ = with_cases(tmp_path)
    with Register.existing(workspace) as register:
        name = case_about(register, "double_registration").name
    decide(workspace, name)
    ran = call("minutes", "--meeting", "TWG 1/2026", "-w", workspace, "-o", tmp_path / "minutes")
    assert ran.code == 0
    assert ran.out.strip().endswith("minutes: 1 decision, 2 letters")
    written = sorted(path.name for path in (tmp_path / "minutes").iterdir())
    assert written == ["letter-MAG.xlsx", "letter-UXO_Lao.xlsx", "minutes.xlsx"]


def test_minutes_of_a_meeting_that_decided_nothing_are_refused(meeting, tmp_path):
    ran = call("minutes", "--meeting", "TWG 9", "-w", meeting[0], "-o", tmp_path / "minutes")
    assert ran.code == 2
    assert "no decision has a reference to this meeting" in ran.err
    assert not (tmp_path / "minutes").exists()
