"""`geopipe page`: what a person types and is told."""

import json
import os

import pytest
from conftest import call
from workbook_register import workspace_in


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return workspace_in(tmp_path_factory.mktemp("page-command"))


@pytest.fixture
def page(place, tmp_path):
    """Return a function: `geopipe page ...` on this run, into a folder of its own."""

    def run(*words, output="report.html"):
        return call("page", place / "out", "-w", place / "work", "-o", tmp_path / output, *words)

    return run


def test_it_says_what_it_has_written(page, tmp_path):
    ran = page()
    assert (ran.code, ran.err) == (0, "")
    assert ran.first_line.startswith(f"{tmp_path / 'report.html'}: 8 cases, ")


def test_json_is_for_scripts(page, tmp_path):
    told = json.loads(page("--json", "--operator", "MAG").out)
    size = (tmp_path / "report.html").stat().st_size
    assert told == {
        "schema": "page.v1", "file": str(tmp_path / "report.html"), "lang": "en", "operator": "MAG",
        "listed": "cases", "count": 7, "areas": 9, "bytes": size,
    }  # fmt: skip


def test_only_its_owner_may_read_it(page, tmp_path):
    for words in ((), ("--operator", "MAG")):
        page(*words)
        if os.name != "nt":
            assert (tmp_path / "report.html").stat().st_mode & 0o077 == 0


def test_a_draft_translation_is_told(page):
    assert "Draft translation" in page("--lang", "lo").err


def test_charts_that_are_left_out_are_told(page, monkeypatch):
    monkeypatch.setattr("geopipe.outputs.html.charts.find_spec", lambda _: None)
    assert "Charts are left out" in page().err


@pytest.mark.parametrize(
    ("words", "output", "said"),
    [
        (("--lang", "fr"), "report.html", "there is no language 'fr'"),
        (("--operator", "MAGG"), "report.html", "did you mean 'MAG'"),
        ((), "report.pdf", "must end in .html"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(page, tmp_path, words, output, said):
    ran = page(*words, output=output)
    assert ran.code == 2
    assert said in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_comparison_needs_no_register(place, tmp_path):
    assert call("compare", place / "in", "-o", tmp_path / "out", "--quiet").code in (0, 4)
    ran = call("page", tmp_path / "out", "-w", tmp_path / "none", "-o", tmp_path / "report.html", "--json")
    told = json.loads(ran.out)
    assert (told["listed"], told["count"]) == ("overlaps", 8)


def test_a_run_needs_its_register(place, tmp_path):
    ran = call("page", place / "out", "-w", tmp_path / "none", "-o", tmp_path / "report.html")
    assert ran.code == 6
    assert "geopipe run" in ran.err
