"""Repeats, texts, attached files and tables that were cut."""

import datetime as dt
import json

import pytest
import shapely
from checks_fixtures import (
    checked,
    codes_of,
    good,
    having,
    make_places,
    only,
    point,
    told,
    with_layer,
    with_points,
)
from make import ORIGIN, findings, make_features, square

from geopipe.io.beside import Neighbours

DAY = dt.date(2024, 5, 1)


def finds(*points):
    return checked(with_points(make_features(good()), *points))


def item(id="P-1", **more):
    return point(id=id, **{"found_depth_cm": 5.0, "date_found": DAY, **more})


def test_ids_that_differ_in_spaces_or_capitals_only_are_told():
    state = checked(
        make_features(good(id="CHA-1"), good(square(500), id="cha- 1"), good(square(900), id="CHA-2"))
    )
    found = only(state, "ID_SPELLED_DIFFERENTLY")
    assert found["sentence"] == "Id 'cha- 1' differs from id 'CHA-1' only in spaces or capitals"
    assert found["other_id"] == "MAG:hazard:CHA-1"


@pytest.mark.parametrize("other", [{"operator": "NPA"}, {"kind": "CANCELLED"}])
def test_another_operator_or_register_may_use_the_spelling(other):
    assert told(good(id="A1"), good(square(500), id="a1", **other)) == []


def test_the_same_point_delivered_twice_is_told_once():
    assert codes_of(finds(item(), item())) == ["DUPLICATE_RECORD"]


def test_devices_of_one_type_place_and_date_are_duplicates_whatever_their_id():
    found = only(finds(item("P-1"), item("P-2", found_depth_cm=9.0)), "DUPLICATE_DEVICE")
    assert found["source_id"] == "P-2"
    assert found["sentence"].endswith("delivered before: P-1, points.geojson, row 1")


@pytest.mark.parametrize("other", [{"type": "bombie"}, {"date_found": DAY + dt.timedelta(days=1)}])
def test_two_items_at_one_place_are_a_note(other):
    state = finds(item("P-1"), item("P-2", **other))
    assert codes_of(state) == ["DUPLICATE_POINT"]
    assert only(state, "DUPLICATE_POINT")["severity"] == "note"


def test_only_found_items_are_devices():
    assert codes_of(finds(item("P-1", type="Evidence"), item("P-2", type="Evidence"))) == ["DUPLICATE_POINT"]


def test_places_are_compared_at_a_millionth_of_a_degree():
    assert codes_of(finds(item("P-1"), item("P-2", east=50.00001))) == ["DUPLICATE_DEVICE"]
    assert codes_of(finds(item("P-1"), item("P-2", east=50.5))) == []


def test_one_id_for_two_points_is_told():
    assert codes_of(finds(item("P-1"), item("P-1", east=60))) == ["DUPLICATE_ID"]


def test_lines_have_no_single_place():
    line = {"source_id": "L", "geometry": shapely.LineString([ORIGIN, (ORIGIN[0] + 9, ORIGIN[1])])}
    other = {"source_id": "M", "geometry": shapely.LineString([ORIGIN, (ORIGIN[0] + 8, ORIGIN[1])])}
    assert codes_of(finds(line, other)) == []


def test_a_tiny_polygon_that_rounding_makes_equal_is_told():
    """At 0.000001 degrees, 0.1 m, what is 0.2 m wide has little ground in common with its copy."""
    tiny = [square(side=0.2), square(west=0.04, south=0.03, side=0.2)]
    state = checked(make_features(*(good(ground, "TASK", id) for ground, id in zip(tiny, "12", strict=True))))
    assert [row["code"] for row in findings(state)] == ["DUPLICATE_POLYGON"]


def test_equal_polygons_are_left_to_deduplicate():
    assert told(good(id="1"), good(id="2")) == []


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("????? ???", "question marks"),
        ("Ban Na\ufffdong", "characters that could not be read"),
        ("ບ້ານ".encode().decode("latin-1"), "read as Latin"),
        ("ຫນອງ".encode().decode("cp1252", "replace"), "read"),
        ("ນາດີ".encode().decode("cp874", "ignore"), "read as Thai"),
    ],
)
def test_text_that_was_lost_is_told_with_its_column_and_rows(text, sign):
    lost = json.dumps({"village": text, "team": "1"}, ensure_ascii=False)
    state = checked(make_features(good(attributes=lost), good(square(500), id="2")))
    found = only(state, "TEXT_GARBLED")
    assert found["sentence"].startswith("Column village: ")
    assert sign in found["sentence"]
    assert found["sentence"].endswith("1 values: row 1")
    assert text not in found["sentence"]


@pytest.mark.parametrize(
    "text",
    [
        "ບ້ານໜອງຄຳ ໒໓",
        "Which one??",
        "à la carte",
        "ไปเปิดเบิกเป็น",
        "Xiengkhouang",
        "Đường số 9",
        '"quoted" \\ back',
    ],
)
def test_good_text_is_not_questioned(text):
    assert told(good(attributes=json.dumps({"village": text}, ensure_ascii=False))) == []


@pytest.mark.parametrize(
    ("records", "driver", "is_told"),
    [
        (2000, "GPKG", True),
        (1000, "GPKG", False),
        (1000, "ESRIJSON", True),
        (2000, "EsriJSON", True),
        (1999, "GPKG", False),
    ],
)
def test_a_table_of_exactly_a_servers_limit_is_told(records, driver, is_told):
    state = checked(with_layer(make_features(good()), records, driver))
    assert codes_of(state) == ["ROW_LIMIT"] * is_told


def attached(*names, beside):
    state = make_features(*(good(square(i * 500), id=str(i)) for i in range(len(names))))
    return checked(with_layer(having(state, attachments=names), len(names), files_beside=beside))


def test_an_attached_file_that_did_not_come_is_told():
    state = attached("scan 1.pdf", "Scan2.PDF; map.jpg", None, beside=("SCAN 1.pdf", "scan2.pdf"))
    found = only(state, "ATTACHMENT_MISSING")
    assert (found["source_id"], found["sentence"]) == ("1", "Not delivered: map.jpg")


@pytest.mark.parametrize("beside", [(), None, ("other.pdf",)])
def test_where_no_attached_file_came_one_note_asks_for_them(beside):
    state = attached("a.pdf", "C:\\reports\\b.pdf,c.jpg", beside=beside)
    found = only(state, "ATTACHMENTS_LISTED")
    assert found["sentence"] == "3 attached files are named, none came with the delivery; please send them"
    assert codes_of(state) == ["ATTACHMENTS_LISTED"]


def test_links_and_words_are_no_attached_files():
    assert codes_of(attached("see folder", "yes", beside=())) == []


def test_documents_are_looked_for_beside_the_file_below_it_and_in_its_archive(tmp_path):
    import zipfile

    (tmp_path / "pdf").mkdir()
    (tmp_path / "pdf" / "deep").mkdir()
    for name in ("a.pdf", "areas.shp", "pdf/b.PDF", "pdf/deep/not_ours.pdf"):
        (tmp_path / name).write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "areas.zip", "w") as archive:
        archive.writestr("scans/c.jpg", b"")
    neighbours = Neighbours()
    assert neighbours.of(tmp_path / "areas.shp") == ("a.pdf", "b.PDF")
    assert neighbours.of(tmp_path / "areas.zip") == ("a.pdf", "b.PDF", "c.jpg")


def test_a_damaged_archive_has_no_documents(tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 cut")
    assert Neighbours().of(tmp_path / "broken.zip") == ()


def test_nothing_to_check_is_nothing_to_tell():
    assert codes_of(checked(make_features())) == []
    assert make_places([]).size == 0
