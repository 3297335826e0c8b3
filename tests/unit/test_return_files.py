"""The files for senders: a workbook with room for the answer, a GeoPackage, names safe everywhere."""

import datetime as dt
import re
import sqlite3
import zipfile
from contextlib import closing

import numpy as np
import pytest
import shapely
from conftest import read_layer
from make import hazard, make_features, placed, square
from python_calamine import CalamineWorkbook
from return_fixtures import CATALOGUE, CROSSED, asked, lines, refused, returns_of, two_operators

from geopipe.errors import OutputError
from geopipe.reports.returned import workbook as return_workbook
from geopipe.reports.returned.files import file_stems, write_returns
from geopipe.reports.returned.returns import ROWS, Earlier, collect_returns
from geopipe.reports.returned.texts import ANSWER_COLUMNS, COLUMNS


@pytest.fixture
def written(tmp_path):
    """Return a function that writes the files of a state's returns; it returns the folder."""

    def write(state, name="return", **more):
        write_returns(tmp_path / name, collect_returns(state, CATALOGUE, **more), CATALOGUE)
        return tmp_path / name

    return write


def sheet(path, name="Records"):
    return CalamineWorkbook.from_path(path).get_sheet_by_name(name).to_python()


def records_sheet(path):
    """The lines of a workbook as dicts by column name."""
    head, *rows = sheet(path)
    assert [text.split("\n")[0] for text in head] == [words.en if not name.endswith("_lo") else words.lo
                                                      for name, words in COLUMNS.items()]  # fmt: skip
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def bytes_of(path):
    """Everything that a file holds, unpacked."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            return b"".join(archive.read(name) for name in archive.namelist())
    return path.read_bytes()


# --- nothing of others ----------------------------------------------------------------------------


def test_the_files_of_one_sender_hold_nothing_of_others_and_nothing_personal(written):
    personal = '{"surveyor": "Somchai-Personal", "phone": "020-555-0199", "remark": "owner-is-Bounmy"}'
    state = make_features(
        hazard(square(), "MAG", "MAG-OWN-1", file="mag.gpkg", attributes=personal),
        hazard(square(50), "NPA", "NPA-FOREIGN-1", file="npa-secret.gpkg", attributes=personal),
        hazard(square(300), "NPA", "NPA-FOREIGN-2", file="npa-secret.gpkg"),
    )
    state = refused(asked(asked(state, 0), 1), 2)
    folder = written(state)
    assert sorted(path.name for path in folder.iterdir()) == ["MAG.gpkg", "MAG.xlsx", "NPA.gpkg", "NPA.xlsx"]
    for path in folder.iterdir():
        data = bytes_of(path)
        own, foreign = ((b"MAG-OWN-1",), (b"NPA-FOREIGN", b"npa-secret")) if path.stem == "MAG" else (
            (b"NPA-FOREIGN-1", b"NPA-FOREIGN-2", b"npa-secret.gpkg"), (b"MAG",)
        )  # fmt: skip
        assert all(text in data for text in own), path
        for text in (*foreign, b"Somchai", b"555-0199", b"Bounmy"):
            assert text not in data, (path.name, text)


# --- the workbook ---------------------------------------------------------------------------------


def test_the_workbook_lists_every_line_with_real_numbers_and_room_for_the_answer(written):
    state = asked(refused(two_operators(), 1), 0, measure=np.array([1234.5]), unit="m")
    folder = written(state)
    rows = records_sheet(folder / "MAG.xlsx")
    back = returns_of(state)["MAG"]
    assert len(rows) == len(back.rows) == 2
    for number, (row, line) in enumerate(zip(rows, lines(back), strict=True), start=1):
        assert row["number"] == number
        shared = [name for name in ROWS.names if name in COLUMNS]
        assert [row[name] for name in shared] == [
            line[name] if line[name] is not None else "" for name in shared
        ]
        assert all(row[name] == "" for name in ANSWER_COLUMNS)
    assert isinstance(rows[0]["figure"], float)
    assert isinstance(rows[0]["longitude"], float)


def test_an_answer_is_chosen_from_a_list_and_the_header_stays_in_sight(written):
    path = written(asked(two_operators(), 0)) / "MAG.xlsx"
    with zipfile.ZipFile(path) as archive:
        xml = archive.read("xl/worksheets/sheet2.xml").decode()
        book = archive.read("xl/workbook.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    assert '<dataValidation type="list"' in xml
    assert "yes,no,question" in xml
    assert 'state="frozen"' in xml
    assert "<autoFilter" in xml
    assert 'orientation="landscape"' in xml
    assert 'paperSize="9"' in xml
    assert 'fitToHeight="0"' in xml
    assert "Records!$1:$1" in book  # repeated on each printed page
    assert "Noto Sans Lao" in styles


@pytest.mark.parametrize("evil", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", '=HYPERLINK("http://x")'])
def test_an_id_cannot_become_a_formula(written, evil):
    state = make_features(hazard(square(), "MAG", evil, file="mag.gpkg"))
    path = written(asked(state, 0, sentence=evil)) / "MAG.xlsx"
    (row,) = records_sheet(path)
    assert (row["own_id"], row["details"]) == (evil, evil)
    data = bytes_of(path)
    assert b"<f>" not in data
    assert b"quotePrefix" in data  # text stays text when somebody edits it
    assert b"externalLink" not in data
    assert b"hyperlink" not in data


@pytest.mark.parametrize(
    ("delivered", "shown"),
    [("a\x00b\x1b[2J", "a␀b␛[2J"), ("x\ufffe", "x\ufffd"), ("x\x7f", "x\ufffd"), ("_x0041_", "_x0041_"),
     ("  007 ", "  007 "), ("<&>\"'", "<&>\"'"), ("ຄຊ-໐໑", "ຄຊ-໐໑"), ("y" * 40_000, "y" * 1997 + "...")],
)  # fmt: skip
def test_an_odd_id_does_not_break_the_workbook(written, delivered, shown):
    state = make_features(hazard(square(), "MAG", delivered, file="mag.gpkg"))
    (row,) = records_sheet(written(asked(state, 0)) / "MAG.xlsx")
    assert row["own_id"] == shown


def test_a_figure_that_is_no_number_is_left_empty(written):
    state = asked(two_operators(), 0, measure=np.array([np.inf]))
    (row,) = records_sheet(written(state) / "MAG.xlsx")
    assert row["figure"] == ""


def test_the_cover_says_whose_it_is_what_became_of_the_records_and_what_is_not_safe(written):
    state = make_features(
        hazard(square(), "MAG", "M-1", file="mag.gpkg", informed=dt.date(2025, 2, 6)),
        hazard(square(300), "MAG", "M-2", file="mag.gpkg"),
    )
    state = asked(refused(state, 1), 0)
    rows = sheet(written(state) / "MAG.xlsx", "Cover")
    text = "\n".join(str(cell) for row in rows for cell in row)
    assert rows[0][0] == "Records returned for correction"
    assert "MAG" in rows[2]
    assert dt.date(2025, 2, 6) in rows[3]
    assert "Areas not shown are not thereby safe." in text
    assert "Originals are never modified." in text
    assert "This is the first delivery seen." in text
    assert "draft translation" in text
    assert ["mag.gpkg", "mag.gpkg", 2, 1, 0, 0, 0, 1, 1] in rows  # the fixture's hash is its name
    assert any("TOO_FEW_POINTS" in row and 1.0 in row and "check" in row for row in rows)
    assert len(re.findall("[ກ-ໝ]", text)) > 500


def test_a_line_is_as_high_as_its_longest_text_needs(written):
    few, many = "Something is odd", "Something is odd in so many words " * 20
    state = make_features(hazard(square(), "MAG", "M-1"), hazard(square(300), "MAG", "M-2"))
    one, two = (written(asked(state, 0, sentence=words), words[:30]) / "MAG.xlsx" for words in (few, many))
    heights = [
        float(re.search('<row r="2".*? ht="([0-9.]+)"', archive.read("xl/worksheets/sheet2.xml").decode())[1])
        for archive in (zipfile.ZipFile(one), zipfile.ZipFile(two))
    ]
    assert heights[1] > 250 > heights[0]


def test_the_trend_shows_earlier_deliveries_and_this_one(written):
    trend = {"MAG": [Earlier(dt.date(2025, 1, 31), 12, 7), Earlier(dt.date(2025, 4, 30), 5, 3)]}
    rows = sheet(written(asked(two_operators(), 0), trend=trend) / "MAG.xlsx", "Cover")
    shown = [row[:3] for row in rows]
    assert [dt.date(2025, 1, 31), 12, 7] in shown
    assert [dt.date(2025, 4, 30), 5, 3] in shown
    assert any(str(row[0]).startswith("this delivery") and row[1:] == [0, 1] for row in shown)
    assert "first delivery" not in str(rows)


def test_only_the_languages_asked_for_are_written(tmp_path):
    back = collect_returns(asked(two_operators(), 0), CATALOGUE)
    write_returns(tmp_path / "en", back, CATALOGUE, ["en"])
    for name in ("Cover", "Records"):
        assert not re.search("[ກ-ໝ]", str(sheet(tmp_path / "en" / "MAG.xlsx", name)))
    assert "wrong_lo" not in read_layer(tmp_path / "en" / "MAG.gpkg", "returned")[0]
    write_returns(tmp_path / "lo", back, CATALOGUE, ["lo"])
    assert CATALOGUE.meaning("LONG_EDGE", "en") not in str(sheet(tmp_path / "lo" / "MAG.xlsx"))


def test_more_lines_than_a_sheet_holds_stand_on_a_further_one(written, monkeypatch):
    monkeypatch.setattr(return_workbook, "LINES_PER_SHEET", 2)
    state = make_features(*(hazard(square(300 * i), "MAG", f"M-{i}") for i in range(5)))
    state = state.adding(findings=[asked(state, n).findings for n in range(5)])
    path = written(state) / "MAG.xlsx"
    assert CalamineWorkbook.from_path(path).sheet_names == ["Cover", "Records", "Records 2", "Records 3"]
    numbers = [row[0] for name in ("Records", "Records 2", "Records 3") for row in sheet(path, name)[1:]]
    assert numbers == [1, 2, 3, 4, 5]


def test_a_workbook_that_reads_back_with_fewer_rows_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(return_workbook, "_write_lines", lambda *_: None)
    with pytest.raises(OutputError, match="it holds 0 of 2 rows"):
        write_returns(tmp_path / "x", collect_returns(asked(two_operators(), 0), CATALOGUE), CATALOGUE)


# --- the GeoPackage -------------------------------------------------------------------------------


def test_the_geopackage_shows_points_and_outlines_with_the_same_columns(written):
    flat = shapely.Polygon([(105, 17.5), (105.001, 17.5), (105.002, 17.5)])
    state = placed(
        hazard(shapely.Polygon(CROSSED), "MAG", "M-1"), hazard(flat, "MAG", "M-2"), hazard(None, "MAG", "M-3")
    )
    path = written(state) / "MAG.gpkg"
    points, back = read_layer(path, "returned"), returns_of(state)["MAG"]
    assert [row["own_id"] for row in points] == [own for (own,) in lines(back, "own_id")]
    assert set(points[0]) == {*COLUMNS, "geometry"}
    for row in points:
        assert (row["geometry"] is None) == (row["own_id"] == "M-3")
        if row["geometry"] is not None:
            assert (row["geometry"].x, row["geometry"].y) == pytest.approx(
                (row["longitude"], row["latitude"]), abs=1e-7
            )
    assert [row["own_id"] for row in read_layer(path, "records")] == ["M-1"]
    assert [row["own_id"] for row in read_layer(path, "record_lines")] == ["M-2"]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (10200,)
        types = dict(db.execute("SELECT table_name, geometry_type_name FROM gpkg_geometry_columns"))
        assert types == {"returned": "POINT", "records": "MULTIPOLYGON", "record_lines": "MULTILINESTRING"}
        assert set(db.execute("SELECT srs_id FROM gpkg_geometry_columns")) == {(4326,)}
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_outlines_keep_their_delivered_coordinates_in_the_file(written):
    shape = shapely.Polygon(CROSSED)
    (row,) = read_layer(written(placed(hazard(shape, "MAG", "M-1"))) / "MAG.gpkg", "records")
    assert shapely.to_wkb(row["geometry"]) == shapely.to_wkb(shapely.MultiPolygon([shape]))


def test_twice_the_same_gives_the_same_bytes(written):
    state = asked(refused(two_operators(), 2), 0)
    one, two = written(state, "one"), written(state, "two")
    names = sorted(path.name for path in one.iterdir())
    assert names == ["MAG.gpkg", "MAG.xlsx", "NPA.gpkg", "NPA.xlsx"]
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    assert b"2000-01-01T00:00:00Z" in bytes_of(one / "MAG.xlsx")  # not when it was made


# --- names of files -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "stem"),
    [("UXO Lao", "UXO_Lao"), ("a/b\\c:d", "a_b_c_d"), ("CON", "CON_"), ("lpt1", "lpt1_"), ("...", "sender"),
     ("MAG.", "MAG"), ("areas.shp", "areas_shp"), ("ຄພສ ລາວ", "ຄພສ_ລາວ"), ("x\x00\u202ey", "xy"),
     ("../../etc/passwd", "etc_passwd"), ("=cmd", "cmd"), ("ກ" * 200, "ກ" * 40)],
)  # fmt: skip
def test_file_names_are_safe_on_windows(sender, stem):
    assert file_stems([sender]) == {sender: stem}


def test_names_that_windows_takes_for_one_are_kept_apart():
    stems = file_stems(["MAG", "mag", "MAG/", "NPA"])
    assert stems["NPA"] == "NPA"
    assert len({stem.casefold() for stem in stems.values()}) == 4
    assert stems == file_stems(["NPA", "MAG/", "mag", "MAG"])
