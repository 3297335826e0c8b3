"""Sheets that are handed out: the same for the same register, and to an operator only what it may know."""

import json
import zipfile
from dataclasses import replace

import pyogrio
import pytest
import shapely
from casework_fixtures import ALARM, AT, DOUBLE, HAZARDS, RELEASES, case_about, export, register_of, rows_of
from make import EARLY, LATE, POLICY, box, hazard, square

from geopipe.casework.layers import outline_near
from geopipe.casework.papers import paper
from geopipe.casework.sheetcolumns import ANSWER, DECISION
from geopipe.errors import ConfigError, OutputError
from geopipe.register.desk import Desk
from geopipe.register.register import Register
from geopipe.terms import Answer, Choice


@pytest.fixture
def register(tmp_path):
    with Register.existing(register_of(tmp_path / "work", *HAZARDS, *RELEASES, *ALARM)) as opened:
        yield opened


@pytest.mark.parametrize("ending", ["xlsx", "gpkg"])
def test_the_same_register_gives_the_same_bytes(register, tmp_path, ending):
    one, two = (export(register, tmp_path / f"{name}.{ending}") for name in "ab")
    assert one.read_bytes() == two.read_bytes()


def test_both_kinds_of_sheet_say_the_same(register, tmp_path):
    def said(path):
        return [{name: str(value or "") for name, value in row.items()} for row in rows_of(path)]

    sheet, layer = said(export(register, tmp_path / "a.xlsx")), said(export(register, tmp_path / "a.gpkg"))
    for row in (*sheet, *layer):
        for name in DECISION:
            row.pop(name, None)
        row["revision"] = row["revision"].removesuffix(".0")
    assert [r["seal"] for r in sheet] == [r["seal"] for r in layer]
    assert [r["number"] for r in sheet] == [r["number"] for r in layer]


def test_figures_are_numbers_and_days_are_days(register, tmp_path):
    row = rows_of(export(register, tmp_path / "a.xlsx"))[1]
    assert row["area_m2"] == 4000.0
    assert row["width_m"] == pytest.approx(40, rel=0.02)
    assert EARLY in (row["a_date"], row["b_date"])


def test_an_operator_gets_only_its_own_cases(register, tmp_path):
    rows = rows_of(export(register, tmp_path / "halo.xlsx", "HALO"))
    assert len(rows) == 1
    assert "HALO" in (rows[0]["a_operator"], rows[0]["b_operator"])


@pytest.mark.parametrize("ending", ["xlsx", "gpkg"])
def test_an_operator_reads_nothing_of_the_other_but_what_is_allowed(tmp_path, ending):
    secret = hazard(square(60, side=200), "UXO Lao", "U1", when=LATE, stated_m2=123_456.0, district="Hidden")
    with Register.existing(register_of(tmp_path / "work", HAZARDS[0], secret)) as register:
        case = case_about(register, DOUBLE)
        Desk(register, "Clerk Secret", AT).position(
            case, "UXO Lao", Answer.DISAGREE, "Somchai", comment="never", evidence="photo"
        )
        path = export(register, tmp_path / f"mag.{ending}", "MAG")
    text = _everything_in(path)
    for word in ("123456", "Somchai", "never", "photo", "Clerk", "disagree:", "Hidden"):
        assert word not in text
    row = rows_of(path)[0]
    own = "a" if row["a_operator"] == "MAG" else "b"
    other = "b" if own == "a" else "a"
    assert row[f"{own}_percent"] == 40.0
    assert row[f"{other}_percent"] is None
    assert row[f"{other}_record"] == "U1"


def test_an_operator_does_not_read_how_deep_the_other_has_cleared(tmp_path):
    deeper = replace(RELEASES[1], depth=57.0)
    with Register.existing(register_of(tmp_path / "work", RELEASES[0], deeper)) as register:
        (ours,) = rows_of(export(register, tmp_path / "cases.xlsx"))
        (theirs,) = rows_of(export(register, tmp_path / "mag.xlsx", "MAG"))
    assert "57 cm" in ours["reasons"]
    assert theirs["proposal"] == ours["proposal"] == "both valid"
    assert "57" not in theirs["reasons"]


def _everything_in(path):
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if "sheet2" not in name]
            return " ".join(archive.read(name).decode() for name in names)
    layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    return json.dumps([pyogrio.raw.read_arrow(path, layer=n)[1].to_pylist() for n in layers], default=str)


def test_of_the_other_record_only_the_outline_near_the_overlap_is_drawn(tmp_path):
    far = hazard(box(60, 0, 3000, 100), "UXO Lao", "U1", when=LATE)
    with Register.existing(register_of(tmp_path / "work", HAZARDS[0], far)) as register:
        path = export(register, tmp_path / "mag.gpkg", "MAG")
    (line,) = shapely.from_wkb(pyogrio.raw.read(path, layer="other_outlines")[2])
    (overlap,) = shapely.from_wkb(pyogrio.raw.read(path, layer="cases")[2])
    (own,) = shapely.from_wkb(pyogrio.raw.read(path, layer="own_records")[2])
    assert 0 < shapely.hausdorff_distance(line, overlap) <= 101
    assert own.area == pytest.approx(10_000)


def test_an_outline_that_is_all_near_is_whole():
    assert outline_near(square(), square()).length == pytest.approx(400)


def test_an_operator_s_sheet_has_no_columns_for_decisions_nor_what_others_say(register, tmp_path):
    names = set(rows_of(export(register, tmp_path / "mag.xlsx", "MAG"))[0])
    assert set(ANSWER) <= names
    assert not (set(DECISION) | {"positions"}) & names


def test_nothing_that_is_written_becomes_a_formula_or_an_address(tmp_path):
    bad = '=HYPERLINK("http://x")'
    records = (HAZARDS[0], hazard(square(60), bad, "+1", when=LATE, district="@SUM(1)"))
    with Register.existing(register_of(tmp_path / "work", *records)) as register:
        path = export(register, tmp_path / "a.xlsx")
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert not any("rels" in name and "sheet" in name for name in archive.namelist())
    assert "<f>" not in sheet
    row = rows_of(path)[0]
    assert bad in (row["a_operator"], row["b_operator"])


def test_people_choose_from_lists_and_cannot_change_what_is_fixed(register, tmp_path):
    with zipfile.ZipFile(export(register, tmp_path / "a.xlsx")) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<sheetProtection" in sheet
    assert sheet.count('type="list"') == 4
    assert 'state="frozen"' in sheet
    assert "<autoFilter" in sheet
    assert 'hidden="1"' in sheet


def test_cases_that_are_over_are_not_handed_out(register, tmp_path):
    case = case_about(register, DOUBLE)
    minutes = tmp_path / "minutes.pdf"
    minutes.write_bytes(b"signed")
    with register.transaction():
        desk = Desk(register, "Bounmy", AT)
        desk.decide(case, Choice.BOTH_VALID, "TWG", POLICY, paper(desk, "TWG", None, "", minutes))
    assert case.case_id not in [row["case_id"] for row in rows_of(export(register, tmp_path / "a.xlsx"))]


def test_a_file_of_another_kind_or_for_nobody_is_refused(register, tmp_path):
    with pytest.raises(ConfigError, match="must end in"):
        export(register, tmp_path / "a.csv")
    with pytest.raises(ConfigError, match="did you mean 'MAG'"):
        export(register, tmp_path / "a.xlsx", "MAGG")
    (tmp_path / "folder.xlsx").mkdir()
    with pytest.raises(OutputError):
        export(register, tmp_path / "folder.xlsx")
