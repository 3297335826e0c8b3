"""`geopipe workbook`: what a person types and is told."""

import json

import pytest
from conftest import call
from workbook_register import sheet_names, table_of, workspace_in


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return workspace_in(tmp_path_factory.mktemp("workbook-command"))


@pytest.fixture
def workbook(place, tmp_path):
    """Return a function: `geopipe workbook ...` on this run, into a folder of its own."""

    def run(*words, output="book.xlsx"):
        return call("workbook", place / "out", "-w", place / "work", "-o", tmp_path / output, *words)

    return run


def test_it_says_what_it_has_written(workbook, tmp_path):
    ran = workbook()
    assert (ran.code, ran.err) == (0, "")
    assert ran.first_line == f"{tmp_path / 'book.xlsx'}: 8 open cases, 9 findings, 2 records returned"
    assert sheet_names(tmp_path / "book.xlsx")[:2] == ["Cover", "Cases"]


def test_json_is_for_scripts(workbook, tmp_path):
    told = json.loads(workbook("--json").out)
    assert told == {
        "schema": "workbook.v1", "file": str(tmp_path / "book.xlsx"), "lang": "en", "operator": None,
        "cases": 8, "findings": 9, "returned": 2,
    }  # fmt: skip


def test_an_operator_gets_its_own_edition(workbook, tmp_path):
    assert workbook("--operator", "MAG").code == 0
    assert len(table_of(tmp_path / "book.xlsx", "Cases")) == 7


def test_a_draft_translation_is_told(workbook):
    assert "Draft translation" in workbook("--lang", "lo").err


def test_an_unknown_language_is_refused_and_nothing_is_written(workbook, tmp_path):
    ran = workbook("--lang", "fr")
    assert ran.code == 2
    assert "there is no language 'fr'" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_case_numbers_link_to_the_pages_of_the_pack(workbook, place, tmp_path):
    workbook()
    number = table_of(tmp_path / "book.xlsx", "Cases")[0]["Case"]
    (tmp_path / "pack.json").write_text(
        json.dumps({"file": str(tmp_path / "pack.pdf"), "pages": {number: 3}}), encoding="utf-8"
    )
    assert workbook("--pack", tmp_path / "pack.json").code == 0


def test_a_result_of_another_run_is_refused(workbook, place, tmp_path):
    compared = tmp_path / "other"
    assert call("compare", place / "in", "-o", compared, "--quiet").code in (0, 4)
    ran = call("workbook", compared, "-w", place / "work", "-o", tmp_path / "book.xlsx")
    assert ran.code == 2
    assert "the last run of the register is run-" in ran.err


def test_without_a_register_it_says_what_to_do(place, tmp_path):
    ran = call("workbook", place / "out", "-w", tmp_path / "none", "-o", tmp_path / "book.xlsx")
    assert ran.code == 6
    assert "geopipe run" in ran.err
