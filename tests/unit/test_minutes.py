"""After a meeting: the decisions, who does what, and letters that say nothing about others."""

import io
import zipfile

import pytest
import python_calamine as calamine
from casework_fixtures import case_about
from pack_fixtures import decide, with_cases

from geopipe.errors import ConfigError
from geopipe.languages.texts import load_texts
from geopipe.outputs.pack.decided import decided_by
from geopipe.outputs.pack.minutes import letters, minutes_workbook
from geopipe.register.register import Register
from geopipe.terms import Choice


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    workspace, _ = with_cases(tmp_path_factory.mktemp("meeting"))
    with Register.existing(workspace) as register:
        names = {kind: case_about(register, kind).name
                 for kind in ("double_registration", "hectares_counted_twice")}  # fmt: skip
    decide(workspace, names["double_registration"])
    decide(workspace, names["hectares_counted_twice"], Choice.A_CORRECTS)
    with Register.existing(workspace) as register:
        return decided_by(register, register.cases(), "twg 1/2026")


def sheets(content):
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def table(rows, head):
    """The rows below a heading, as dicts."""
    top = next(at for at, row in enumerate(rows) if head in row)
    return [dict(zip(rows[top], row, strict=True)) for row in rows[top + 1 :]]


def parts_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def test_decisions_stand_with_their_reference_and_state(decided):
    rows = table(sheets(minutes_workbook(decided, load_texts()))["Decisions"], "Reference")
    assert len(rows) == 2
    assert {row["State"] for row in rows} == {"provisional (minutes pending)"}
    assert {row["Reference"] for row in rows} == {"TWG 1/2026 of 1 May 2026, item 4"}
    assert {str(row["By (date)"]) for row in rows} == {"2026-05-25"}


def test_the_operator_whose_record_changes_acts_and_somebody_gets_the_minutes_signed(decided):
    rows = table(sheets(minutes_workbook(decided, load_texts()))["Actions"], "What")
    told = {(row["Who"], row["What"]) for row in rows}
    assert ("HALO", "correct the boundary of HALO-2") in told
    assert ("Secretary", "have the minutes signed and confirm the decision") in told
    assert not [who for who, what in told if who == "MAG"]  # it keeps its record as it is


def test_each_operator_gets_a_letter_about_its_own_records_only(decided):
    written = letters(decided, load_texts())
    assert list(written) == ["HALO", "MAG", "UXO Lao"]
    (row,) = table(sheets(written["HALO"])["Decisions"], "Your record")
    assert row["Your record"] == "A: HALO-2"
    assert row["Other record"] == "B: UXO Lao UXL-C"
    assert row["What you do"] == "correct the boundary of HALO-2"


def test_a_letter_holds_nothing_of_others_and_no_names_of_people(decided):
    inside = parts_of(letters(decided, load_texts())["HALO"])
    for secret in (b"MAG", b"Kham", b"Bounmy", b"internal note"):
        assert secret not in inside
    assert b"internal note" in parts_of(minutes_workbook(decided, load_texts()))


def test_a_letter_warns_before_the_minutes_are_signed(decided):
    text = " ".join(
        str(cell) for row in sheets(letters(decided, load_texts())["MAG"])["Decisions"] for cell in row
    )
    assert "do not correct anything before" in text
    assert "Areas not shown are not thereby safe." in text
    assert "no correction of your record" in text


def test_texts_stay_texts_and_the_bytes_stay_the_same(decided):
    first, second = (minutes_workbook(decided, load_texts("both")) for _ in range(2))
    assert first == second
    assert b"<f>" not in parts_of(first)


def test_a_draft_translation_says_so_in_the_letters(decided):
    text = " ".join(str(row) for row in sheets(letters(decided, load_texts("both"))["MAG"]).values())
    assert "Draft translation" in text


def test_lao_has_every_message(decided):
    texts = load_texts("lo")
    minutes_workbook(decided, texts)
    letters(decided, texts)
    assert texts.missing == set()


def test_a_meeting_that_nobody_named_is_refused_with_those_that_are_known(tmp_path):
    workspace, _ = with_cases(tmp_path)
    with Register.existing(workspace) as register, pytest.raises(ConfigError, match="Meetings: none yet"):
        decided_by(register, register.cases(), "TWG 7/2026")
