"""Workbooks: every sheet with geometry is a layer, values keep their types, and no row is lost."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import shapely
import xlsxwriter
from reading_fixtures import LAO, cut, read, zipped
from workbook_fixtures import changed, compound, ods, xls

from geopipe.io.delivery import Problem, RawLayer, ReadLimits
from geopipe.io.tabular import sheetxml

SQUARE = "POLYGON((102 18,103 18,103 19,102 19,102 18))"
SHEET_1 = "xl/worksheets/sheet1.xml"
DAY, MOMENT = dt.date(2024, 1, 18), dt.datetime(2024, 1, 18, 13, 30)
HEADER = ["id", "lon", "lat"]


def workbook(path: Path, hidden: tuple[str, ...] = (), **sheets: list[list[Any]]) -> Path:
    book = xlsxwriter.Workbook(str(path))
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    moment = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        if name in hidden:
            sheet.hide()
        for line, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, dt.datetime):
                    sheet.write_datetime(line, column, value, moment)
                elif isinstance(value, dt.date):
                    sheet.write_datetime(line, column, value, day)
                elif isinstance(value, tuple):
                    sheet.write_formula(line, column, value[0], None, value[1])
                elif isinstance(value, str):
                    sheet.write_string(line, column, value)
                else:
                    sheet.write(line, column, value)
    book.close()
    return path


def layers(path: Path) -> tuple[RawLayer, ...]:
    delivery = read(path)
    assert delivery.problem is None, delivery.problem
    for layer in delivery.layers:
        assert layer.problem is None, layer.problem
        assert layer.records_counted in (None, layer.table.num_rows)
    return delivery.layers


def problem(path: Path, limits: ReadLimits | None = None) -> Problem:
    found = read(path, limits).problem
    assert found is not None
    return found


def codes(layer: RawLayer) -> list[str]:
    return [note.code for note in layer.notes]


def test_a_sheet_of_points(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx", Points=[[*HEADER, "village"], ["001", 102.5, 18.25, LAO], ["2", 103, 19, ""]]
    )
    (layer,) = layers(path)
    assert (layer.name, layer.geometry_type, layer.notes) == ("Points", "Point", ())
    assert (layer.records_counted, layer.count_method) == (2, "exact")
    assert layer.table["id"].to_pylist() == ["001", "2"]
    assert layer.table["village"].to_pylist() == [LAO, None]
    assert shapely.from_wkb(layer.table["geometry"][0].as_py()).coords[0] == (102.5, 18.25)


def test_values_keep_their_types_where_a_whole_column_agrees(tmp_path: Path) -> None:
    header = [*HEADER, "day", "moment", "whole", "number", "yes", "mixed", "formula", "all_empty"]
    rows = [
        ["a", 102, 18, DAY, MOMENT, 5, 1.5, True, 7, ("=1+1", 2)],
        ["b", 102, 18, DAY, MOMENT, None, 2, False, DAY],
        ["c", 102, 18, None, DAY, 6, None, None, "x"],
        ["d", 102, 18, None, None, None, None, None, 1.5],
    ]
    (layer,) = layers(workbook(tmp_path / "a.xlsx", A=[header, *rows]))
    types = {name: layer.table.schema.field(name).type for name in header}
    assert types["day"] == pa.date32()
    assert types["moment"] == pa.timestamp("us")
    assert (types["whole"], types["number"], types["yes"]) == (pa.int64(), pa.float64(), pa.bool_())
    assert layer.table["day"].to_pylist() == [DAY, DAY, None, None]
    assert layer.table["moment"].to_pylist()[1:3] == [MOMENT, dt.datetime(2024, 1, 18)]
    assert layer.table["mixed"].to_pylist() == ["7", "2024-01-18", "x", "1.5"]
    assert layer.table["formula"].to_pylist() == [2, None, None, None]


def test_every_sheet_with_geometry_is_a_layer_and_the_others_are_told(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        hidden=("Old",),
        Cover=[["Report of clearance"], ["MAG"]],
        Areas=[["id", "WKT"], ["a", SQUARE]],
        Old=[HEADER, ["b", 102, 18]],
        Nothing=[],
        Codes=[["code", "meaning"], [1, "open"], [2, "closed"]],
    )
    first, second = layers(path)
    assert [first.name, second.name] == ["Areas", "Old"]
    assert first.notes == (
        Problem(
            "SHEET_WITHOUT_GEOMETRY",
            'a.xlsx: no geometry in sheet "Cover", "Codes": its rows are not used.',
        ),
    )
    assert codes(second) == ["SHEET_HIDDEN"]


def test_turning_points_in_a_sheet_below_titles(tmp_path: Path) -> None:
    corners = [(234500, 2145600), (234600, 2145600), (234600, 2145700.5)]
    rows = [["UTM 48N", 1, at, x, y, DAY] for at, (x, y) in enumerate(corners, start=1)]
    head = ["ProjName", "PolyID", "PointNo", "Xcoord", "Ycoord", "survey_date"]
    path = workbook(tmp_path / "a.xlsx", Points=[["Turning points 2024"], [], head, *rows, [], *rows[:0]])
    (layer,) = layers(path)
    assert (layer.crs_name, layer.table["row"].to_pylist()) == ("EPSG:32648", [1])
    assert list(shapely.from_wkb(layer.table["geometry"][0].as_py()).exterior.coords)[:3] == corners
    assert layer.table["survey_date"].to_pylist() == [DAY]
    assert layer.table["PolyID"].to_pylist() == [1]
    assert "line 3 of the sheet" in layer.notes[0].sentence


def test_row_numbers_are_lines_below_the_header(tmp_path: Path) -> None:
    rows = [["a", 102, 18], [], ["b", 103, 19], [], []]
    (layer,) = layers(workbook(tmp_path / "a.xlsx", A=[["Title"], HEADER, *rows]))
    assert layer.table["row"].to_pylist() == [1, 3]


def test_a_table_that_begins_away_from_the_corner(tmp_path: Path) -> None:
    rows = [[None] * 3, [None, None, *HEADER], [None, None, "a", 102, 18]]
    (layer,) = layers(workbook(tmp_path / "a.xlsx", A=rows))
    assert layer.table.column_names == ["row", "geometry", *HEADER]


def test_blank_and_repeated_headers_get_names(tmp_path: Path) -> None:
    rows = [[*HEADER, "id", None, 2024], ["a", 102, 18, "b", "c", 5]]
    (layer,) = layers(workbook(tmp_path / "a.xlsx", A=rows))
    assert layer.table.column_names[2:] == ["id", "lon", "lat", "id_2", "column_5", "2024"]


def test_merged_cells_say_the_same_for_all_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("A")
    sheet.merge_range(0, 0, 1, 0, "PolyID")  # a header of two lines
    sheet.merge_range(0, 1, 0, 3, "Coordinates")
    sheet.write_row(1, 1, ["PointNo", "x", "y"])
    sheet.merge_range(2, 0, 5, 0, "H-1")
    for line, corner in enumerate([(1, 102, 18), (2, 103, 18), (3, 103, 19), (4, 102, 19)], start=2):
        sheet.write_row(line, 1, corner)
    book.close()
    (layer,) = layers(path)
    assert layer.table["PolyID"].to_pylist() == ["H-1"]
    assert shapely.from_wkb(layer.table["geometry"][0].as_py()).area == 1
    assert "CELLS_MERGED" in codes(layer)


def test_errors_of_excel_are_told_not_lost(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, ["a", ("=NA()", "#N/A"), 18], ["b", 102, 18]])
    (layer,) = layers(path)
    assert "CELLS_WITH_ERRORS" in codes(layer)
    assert "one of them is missing" in layer.table["geometry_problem"][0].as_py()


def test_a_line_of_errors_alone_is_no_record_for_the_reader_nor_for_the_count(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, ["a", 102, 18], [("=NA()", "#N/A")], ["b", 102, 18]])
    (layer,) = layers(path)
    assert layer.table["row"].to_pylist() == [1, 3]
    assert "CELLS_WITH_ERRORS" in codes(layer)


def test_a_line_of_empty_texts_is_no_record_for_the_reader_nor_for_the_count(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, ["a", 102, 18], ["EMPTY"], ["b", 102, 18]])
    changed(path, "xl/sharedStrings.xml", lambda data: data.replace(b"EMPTY", b""))
    assert layers(path)[0].table["row"].to_pylist() == [1, 3]


def test_wkt_that_excel_has_cut_is_told(tmp_path: Path) -> None:
    whole = "POLYGON((" + ",".join(f"102.{i:06d} 18.{i:06d}" for i in range(3000)) + "))"
    path = workbook(tmp_path / "a.xlsx", A=[["id", "wkt"], ["a", whole[:32767]], ["b", SQUARE]])
    (layer,) = layers(path)
    assert "Excel cuts cells at 32,767 characters" in layer.table["geometry_problem"][0].as_py()
    assert layer.table["geometry"].is_null().to_pylist() == [True, False]


def test_a_workbook_without_any_geometry_is_refused_with_its_count(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[["operator", "ha"], ["MAG", 5], ["NPA", 6]], B=[["x"]])
    delivery = read(path)
    assert delivery.problem is not None
    assert delivery.problem.code == "NO_GEOMETRY"
    assert delivery.records_counted == 2
    assert problem(workbook(tmp_path / "b.xlsx", A=[])).code == "FILE_EMPTY"


def test_a_row_that_the_reader_does_not_return_is_found_by_the_count(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, *([f"{at}", 102, 18] for at in range(5))])
    # Two rows that claim to be the same line: the second replaces the first.
    changed(path, SHEET_1, lambda data: data.replace(b'r="4"', b'r="3"').replace(b'4"', b'3"'))
    (layer,) = read(path).layers
    assert layer.problem is not None
    assert (layer.problem.code, layer.records_counted) == ("COUNT_MISMATCH", 5)


def test_the_stated_size_of_a_sheet_is_not_believed(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, ["a", 102, 18], ["b", 102, 18]])
    changed(path, SHEET_1, lambda data: data.replace(b'ref="A1:C3"', b'ref="A1:A1"'))
    assert layers(path)[0].table.num_rows == 2


def test_another_namespace_prefix_is_counted_too(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, ["a", 102, 18], ["b", 102, 18]])

    def prefixed(data: bytes) -> bytes:
        for word in (b"worksheet", b"sheetData", b"row", b"c", b"v"):
            for before, after in ((b"<", b" "), (b"<", b">"), (b"</", b">")):
                data = data.replace(before + word + after, before + b"x:" + word + after)
        return data.replace(b"xmlns=", b"xmlns:x=")

    changed(path, SHEET_1, prefixed)
    assert sheetxml.facts_of_sheets(path, "a")["A"].rows == 3


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95, 0.999])
def test_a_cut_workbook_is_refused(tmp_path: Path, share: float) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, *([f"{at}", 102, 18] for at in range(500))])
    assert problem(cut(path, share)).code in ("FILE_TRUNCATED", "FILE_UNREADABLE")


def test_a_changed_bit_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, *([f"{at}", 102 + at / 7, 18] for at in range(500))])
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo(SHEET_1).header_offset
    data = bytearray(path.read_bytes())
    data[start + 400] ^= 16
    path.write_bytes(data)
    assert problem(path).code == "FILE_UNREADABLE"


@pytest.mark.parametrize("part", [SHEET_1, "xl/sharedStrings.xml", "xl/workbook.xml"])
def test_a_part_that_ends_too_early_is_refused(tmp_path: Path, part: str) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, *([f"{at}", 102, 18] for at in range(50))])
    changed(path, part, lambda data: data[: len(data) * 2 // 3])
    found = read(path)
    refused = found.problem or next(layer.problem for layer in found.layers)
    assert refused is not None
    assert refused.code in ("FILE_UNREADABLE", "COUNT_MISMATCH", "FILE_EMPTY")


def test_entities_are_never_expanded(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, ["SECRET", 102, 18]])
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read")
    declared = f'<!DOCTYPE sst [<!ENTITY out SYSTEM "{secret.as_uri()}"><!ENTITY in "inside">]><sst'
    changed(
        path,
        "xl/sharedStrings.xml",
        lambda data: data.replace(b"<sst", declared.encode(), 1).replace(b"SECRET", b"&out;&in;"),
    )
    assert problem(path).code == "FILE_DANGEROUS"
    other = ods(tmp_path / "b.ods", [HEADER, ["&in;", 102, 18]], '<!DOCTYPE a [<!ENTITY in "inside">]>')
    assert problem(other).code == "FILE_DANGEROUS"


def test_a_bomb_is_not_opened(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, ["a", 102, 18]])
    changed(path, "xl/theme/theme1.xml", lambda data: data + b" " * 20_000_000)
    assert problem(path, ReadLimits(ratio_from_bytes=1 << 20)).code == "ARCHIVE_DANGEROUS"
    assert problem(path, ReadLimits(unpacked_bytes=1 << 20)).code == "ARCHIVE_DANGEROUS"
    assert problem(path, ReadLimits(members=3)).code == "ARCHIVE_DANGEROUS"


def test_cells_that_lie_far_apart_do_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("A")
    sheet.write_row(0, 0, HEADER)
    sheet.write(1_048_575, 16_383, "far")
    book.close()
    assert problem(path).code == "FILE_TOO_LARGE"
    many = ods(tmp_path / "b.ods", [HEADER, ["a", 102, 18]], repeat=500_000_000)
    assert problem(many).code == "ARCHIVE_DANGEROUS"


def test_cells_that_only_have_a_colour_do_not_make_a_sheet_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("A")
    sheet.write_row(0, 0, HEADER)
    sheet.write_row(7000, 0, ["a", 102, 18])
    sheet.write_blank(7000, 16_383, None, book.add_format({"bg_color": "red"}))
    book.close()
    assert layers(path)[0].table["row"].to_pylist() == [7000]


def test_passwords_are_asked_for(tmp_path: Path) -> None:
    path = compound(tmp_path / "a.xlsx", "EncryptedPackage", b"\x01" * 5000)
    assert problem(path).code == "ARCHIVE_ENCRYPTED"
    assert "password" in problem(path).sentence


def test_an_open_document_sheet(tmp_path: Path) -> None:
    path = ods(
        tmp_path / "a.ods", [[*HEADER, "place"], ["a", 102.5, 18.25, LAO], ["b", 103, 19, "x"]], repeat=3
    )
    (layer,) = layers(path)
    assert layer.table["id"].to_pylist() == ["a", "b", "b", "b"]
    assert layer.table["place"][0].as_py() == LAO
    assert (layer.records_counted, layer.count_method) == (None, "none")


def test_the_old_binary_format(tmp_path: Path) -> None:
    path = xls(tmp_path / "a.xls", [[*HEADER, "place"], ["001", 102.5, 18.25, LAO], ["b", 103, 19, "x"]])
    (layer,) = layers(path)
    assert layer.name == "Areas"
    assert layer.table["id"].to_pylist() == ["001", "b"]
    assert layer.table["place"][0].as_py() == LAO
    assert shapely.from_wkb(layer.table["geometry"][0].as_py()).coords[0] == (102.5, 18.25)


def test_a_new_workbook_under_an_old_name_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", A=[HEADER, ["a", 102, 18]])
    assert layers(path.rename(tmp_path / "a.xls"))[0].table.num_rows == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html><table></table></html>", "FORMAT_UNKNOWN"),
        (b"", "FILE_EMPTY"),
        (b"PK\x03\x04 and nothing more", "FILE_TRUNCATED"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and nothing more", "FILE_UNREADABLE"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(content)
    assert problem(path).code == code


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    assert problem(zipped(tmp_path / "a.xlsx", {"a.csv": b"x,y\n1,2\n"})).code == "FILE_UNREADABLE"


def test_a_workbook_inside_an_archive(tmp_path: Path) -> None:
    inside = workbook(tmp_path / "a.xlsx", Areas=[HEADER, ["a", 102, 18]], More=[HEADER, ["b", 102, 18]])
    found = read(zipped(tmp_path / "all.zip", {"north/a.xlsx": inside}))
    assert [layer.name for layer in found.layers] == ["north/a/Areas", "north/a/More"]
