"""The workbook: real figures, texts that stay texts, a sheet that is read back, nothing of anybody else."""

import datetime as dt
import json
import re
import shutil

import pytest
from conftest import call
from workbook_register import (
    FORMULA,
    LAO,
    LONG_NOTE,
    MAG_IDS,
    SCRIPT,
    SECRET,
    rows_of,
    sheet_names,
    table_of,
    unpacked,
    workspace_in,
)

from geopipe.errors import ConfigError
from geopipe.languages.texts import DRAFT, load_texts
from geopipe.outputs.workbook.book import workbook_of
from geopipe.outputs.workbook.cover import SHEETS
from geopipe.outputs.workbook.material import gather
from geopipe.outputs.workbook.tables import ROWS_PER_SHEET
from geopipe.outputs.workbook.writing import links_to_pack, write_workbook
from geopipe.register.desk import Desk
from geopipe.register.register import Register
from geopipe.terms import Answer
from geopipe.translating import all_messages

NOT_SAFE = "Areas not shown are not thereby safe."


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return workspace_in(tmp_path_factory.mktemp("workbook"))


@pytest.fixture(scope="module")
def made(place):
    """Return a function (language, operator) -> path of the workbook; each is made once."""
    known = {}

    def make(language="both", operator=None, **more):
        key = (language, operator, *more.items())
        if key not in known:
            material = gather(place / "out", place / "work", operator, more.get("expected", ()))
            path = place / f"{len(known)}.xlsx"
            data = workbook_of(material, load_texts(language))
            known[key] = write_workbook(path, data, is_confidential=operator is not None)
        return known[key]

    return make


@pytest.fixture(scope="module")
def national(made):
    return made()


@pytest.fixture(scope="module")
def of_mag(made):
    return made(operator="MAG")


def cover(path):
    return "\n".join(str(cell) for row in rows_of(path, "Cover") for cell in row if cell != "")


class TestCover:
    def test_what_is_missing_and_what_is_not_safe_stands_on_top_in_both_languages(self, national):
        lines = [row[0] for row in rows_of(national, "Cover")]
        assert lines[2].startswith("NOT ALL DATA COMPARED: 2 of 21 records were returned for correction")
        assert NOT_SAFE in lines[:6]
        assert load_texts("lo")(NOT_SAFE) in lines[:7]

    def test_cases_are_told_among_how_many_records(self, national):
        assert "8 open cases among 19 areas of 21 records" in cover(national)

    def test_the_cut_off_is_the_latest_date_in_the_records(self, national):
        assert "17 May 2020, the latest date in the records" in cover(national)

    def test_nobody_knows_who_is_missing_unless_somebody_said_who_should_deliver(self, national, made):
        assert "nobody said who should have delivered" in cover(national)
        told = cover(made(expected=("MAG", "NPA", "WVL")))
        assert "NPA, WVL" in told
        assert "none of those" in cover(made(expected=("MAG",)))

    def test_lao_is_called_a_draft_translation_and_english_is_not(self, national, made):
        assert DRAFT in cover(national)
        assert "Draft" not in cover(made("en"))

    def test_every_sheet_is_named_and_linked(self, national):
        shown = [name for name in sheet_names(national) if name not in ("Cover", "Lists")]
        assert shown == list(SHEETS)
        assert all(f"location=\"'{name}'!A1\"" in unpacked(national) for name in shown)


class TestCases:
    def test_every_case_stands_there_with_what_people_fill_in(self, national):
        rows = table_of(national, "Cases")
        assert len(rows) == 8
        assert {"Decision", "Level", "case id", "seal"} <= set(rows[0])

    def test_headings_are_in_both_languages_and_the_sheet_is_read_back_all_the_same(self, place, national):
        heading = rows_of(national, "Cases")[0]
        assert heading[0] == f"Case\n{load_texts('lo')('Case')}"
        read = call("cases", "import", national, "-w", place / "work")
        assert read.code == 0
        assert read.lines[-1].startswith("0 rows would be taken, 0 not taken, 8 without")

    def test_an_answer_in_an_operators_workbook_becomes_its_position(self, place, of_mag):
        read = call("cases", "import", of_mag, "-w", place / "work")
        assert (read.code, read.lines[-1]) == (
            0,
            "0 rows would be taken, 0 not taken, 7 without anything new",
        )

    def test_ids_stay_as_they_were_written(self, national):
        shown = {row[f"Record {side}"] for row in table_of(national, "Cases") for side in "AB"}
        assert {FORMULA, SCRIPT, LAO, "+1+1", "@SUM(A1)"} <= shown

    def test_dates_are_dates_and_areas_are_numbers(self, national):
        row = table_of(national, "Cases")[0]
        assert row["Date A"] == dt.date(2020, 5, 17)
        assert isinstance(row["Overlap m2"], float)

    def test_a_case_number_leads_to_the_page_of_the_pack(self, place, tmp_path):
        number = table_of_cases(place)[0]
        told = tmp_path / "pack.json"
        told.write_text(json.dumps({"file": str(tmp_path / "pack.pdf"), "pages": {number: 12}}), "utf-8")
        links = links_to_pack(told, tmp_path / "book.xlsx")
        assert links == {number: "external:pack.pdf#page=12"}
        data = workbook_of(gather(place / "out", place / "work"), load_texts("en"), links)
        path = write_workbook(tmp_path / "book.xlsx", data, is_confidential=False)
        assert 'Target="pack.pdf"' in unpacked(path)
        assert 'location="page=12"' in unpacked(path)
        assert number in {row["Case"] for row in table_of(path, "Cases")}

    def test_what_is_no_pack_is_refused(self, tmp_path):
        told = tmp_path / "pack.json"
        told.write_text("[]", "utf-8")
        with pytest.raises(ConfigError, match="pages of a pack"):
            links_to_pack(told, tmp_path / "book.xlsx")


def table_of_cases(place):
    material = gather(place / "out", place / "work")
    return [row["number"] for row in material.edition.rows]


class TestFigures:
    def test_the_matrix_says_who_overlaps_with_whom(self, national):
        rows = rows_of(national, "Matrix")
        head = next(row for row in rows if str(row[0]).startswith("Operator"))
        counts = {row[0]: row for row in rows[rows.index(head) : rows.index(head) + 4]}
        assert counts["MAG"][head.index("UXO Lao")] == counts["UXO Lao"][head.index("MAG")] == 7
        assert counts["HALO"][head.index("UXO Lao")] == 1
        assert counts["HALO"][head.index("MAG")] == ""

    def test_hectares_reconcile(self, national):
        rows = table_of(national, "By operator")
        names = ("Reported ha", "With others ha", "In undecided overlap ha", "Agreed deduction ha")
        for row in rows:
            reported, others, undecided, agreed = (row[name] for name in names)
            assert reported + others - undecided - agreed == pytest.approx(row["Reconciled ha"])
        *parts, total = rows
        assert total["Operator"].startswith("total")
        assert sum(row["Reconciled ha"] for row in parts) == pytest.approx(total["Reconciled ha"])

    def test_the_tolerance_table_counts_all_overlaps(self, national):
        rows = [row for row in rows_of(national, "Tolerance") if str(row[0]).startswith("all kinds")]
        assert rows[0][3] == 8

    def test_deliveries_add_up_to_the_records_received(self, national):
        *files, total = table_of(national, "Deliveries")
        assert [row["Records received"] for row in files] == [3, 10, 8]
        assert total["Records received"] == 21
        assert total["Returned for correction"] == 2

    def test_who_did_not_deliver_is_in_the_list_of_deliveries(self, made):
        names = [row["Operator"] for row in table_of(made(expected=("MAG", "NPA")), "Deliveries")]
        assert "NPA" in names

    def test_findings_and_returned_records_say_what_to_do_in_both_languages(self, national):
        (row,) = [row for row in table_of(national, "Returned") if row["Own id"] == "=BROKEN()"]
        assert row["Record number"] == 10
        assert row["What to do"].count("\n") == 1
        assert {"INVALID_POLYGON", "NULL_GEOMETRY"} <= {row["Code"] for row in table_of(national, "Findings")}


class TestTexts:
    def test_nothing_is_a_formula(self, national):
        assert "<f>" not in unpacked(national)
        assert "<f " not in unpacked(national)

    def test_a_script_is_text(self, national):
        assert "<script>" not in unpacked(national)

    def test_signs_that_turn_letters_round_are_gone(self, national):
        assert "\u202e" not in unpacked(national)
        assert "\x07" not in unpacked(national)

    def test_people_and_free_texts_are_nowhere(self, national, of_mag):
        for path in (national, of_mag):
            assert SECRET not in unpacked(path)
            assert LONG_NOTE[:20] not in unpacked(path)

    def test_every_text_is_written_in_a_font_with_lao_letters(self, national):
        assert "Noto Sans Lao" in unpacked(national)

    def test_the_same_run_gives_the_same_bytes(self, place):
        def again():
            return workbook_of(gather(place / "out", place / "work"), load_texts("both"))

        assert again() == again()

    def test_another_language_is_another_catalogue(self, made, tmp_path):
        lines = "".join(
            f"msgid {json.dumps(text)}\nmsgstr {json.dumps(f'[{text}]')}\n\n"
            for text in sorted(all_messages())
        )
        (tmp_path / "xx.po").write_text(f'msgid ""\nmsgstr "Language: xx\\n"\n\n{lines}', encoding="utf-8")
        path = made(str(tmp_path / "xx.po"))
        for name in ("Matrix", "By operator", "Deliveries", "Findings", "Returned"):
            headings = next(row for row in rows_of(path, name) if row[1] != "")
            words = [cell for cell in headings if cell not in ("HALO", "MAG", "UXO Lao")]
            assert all(re.fullmatch(r"\[.+\]", cell) for cell in words), name
        assert f"[{NOT_SAFE}]" in cover(path)
        assert f"[{DRAFT}]" in cover(path)

    def test_a_list_that_is_too_long_for_a_sheet_goes_on_on_another(self, monkeypatch, made):
        assert ROWS_PER_SHEET < 1_048_576
        monkeypatch.setattr("geopipe.outputs.workbook.tables.ROWS_PER_SHEET", 5)
        path = made("en", expected=("SOMEBODY",))
        first, second = table_of(path, "Findings"), table_of(path, "Findings 2")
        assert (len(first), len(second)) == (5, 4)


class TestEditionOfOneOperator:
    def test_it_has_all_of_its_own(self, of_mag):
        cases = table_of(of_mag, "Cases")
        assert len(cases) == len(MAG_IDS)
        assert [row["Own id"] for row in table_of(of_mag, "Returned")] == ["=BROKEN()"]
        assert {row["Operator"] for row in table_of(of_mag, "Findings")} == {"MAG"}
        assert [row["File"] for row in table_of(of_mag, "Deliveries")][:-1] == ["MAG_CHA.geojson"]

    def test_of_its_own_records_it_is_told_how_many_were_compared(self, of_mag):
        assert "7 open cases among 9 areas of 10 records" in cover(of_mag)

    def test_nothing_of_others_is_in_its_bytes(self, of_mag):
        for word in ("HALO", "FOREIGN", "H-BROKEN", "H-TIE", "UXO_Lao_CHA", "decisions"):
            assert word not in unpacked(of_mag), word

    def test_what_is_for_the_authority_only_is_not_in_it(self, of_mag, national):
        assert "SHAPE_REUSED" in {row["Code"] for row in table_of(national, "Findings")}
        assert "SHAPE_REUSED" not in unpacked(of_mag)

    def test_what_a_partner_says_about_a_case_is_not_in_it(self, place, tmp_path):
        shutil.copytree(place / "work", tmp_path / "work")
        at = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)
        with Register.existing(tmp_path / "work") as register:
            case = next(case for case in register.cases() if set(case.operators) == {"MAG", "UXO Lao"})
            desk = Desk(register, "Bounmy", at)
            desk.position(case, "UXO Lao", Answer.DISAGREE, "Khamla", comment="our border is right")
        told = {}
        for operator in (None, "MAG"):
            data = workbook_of(gather(place / "out", tmp_path / "work", operator), load_texts("en"))
            told[operator] = unpacked(write_workbook(tmp_path / "book.xlsx", data, is_confidential=False))
        assert "UXO Lao: disagree" in told[None]
        for word in ("UXO Lao: disagree", "our border is right", "Khamla"):
            assert word not in told["MAG"]

    def test_it_has_no_tolerance_table_and_no_details_of_findings(self, of_mag):
        assert "Tolerance" not in sheet_names(of_mag)
        assert "Details (in English)" not in table_of(of_mag, "Findings")[0]

    def test_its_matrix_has_only_its_own_line(self, of_mag):
        rows = rows_of(of_mag, "Matrix")
        heads = [at for at, row in enumerate(rows) if str(row[0]).startswith("Operator")]
        assert [rows[at + 1][0] for at in heads] == ["MAG", "MAG"]
        assert all(at + 2 >= len(rows) or rows[at + 2][0] == "" for at in heads)

    def test_its_hectares_are_those_of_its_name_only(self, of_mag):
        assert [row["Operator"] for row in table_of(of_mag, "By operator")] == ["MAG"]

    def test_only_its_owner_may_read_the_file(self, of_mag, national):
        import os

        if os.name != "nt":
            assert of_mag.stat().st_mode & 0o077 == 0
            assert national.stat().st_mode & 0o044

    def test_it_says_that_it_is_confidential(self, of_mag):
        assert "confidential between the authority and the operator" in cover(of_mag)

    def test_an_unknown_operator_is_refused(self, place):
        with pytest.raises(ConfigError, match="no case is about 'MAGG'; did you mean 'MAG'"):
            gather(place / "out", place / "work", "MAGG")


class TestWriting:
    def test_a_file_that_is_open_in_excel_gets_a_neighbour(self, tmp_path, monkeypatch):
        from pathlib import Path

        real = Path.replace

        def refuse(self, target):
            if Path(target).name == "book.xlsx":
                raise PermissionError
            return real(self, target)

        monkeypatch.setattr(Path, "replace", refuse)
        written = write_workbook(tmp_path / "book.xlsx", b"new", is_confidential=False)
        assert re.fullmatch(r"book-\d{8}-\d{6}\.xlsx", written.name)
        assert list(tmp_path.iterdir()) == [written]

    def test_another_ending_is_refused(self, tmp_path):
        with pytest.raises(ConfigError, match=r"must end in \.xlsx"):
            write_workbook(tmp_path / "book.csv", b"", is_confidential=False)
