"""IMSMA NG tables: one delivery of several files, one record per hazard, and never a join by guess."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest
import shapely
from reading_fixtures import LAO, read, zipped

from geopipe.io.delivery import RawDelivery, RawLayer
from geopipe.io.formats import Format
from geopipe.io.imsmatables import groups_of
from geopipe.io.sources import find_sources
from geopipe.terms import CountMethod

SQUARE = [(0.0, 0.0), (0.0, 0.01), (0.01, 0.01), (0.01, 0.0)]


class Export:
    """The tables of a small export; `write` saves them."""

    def __init__(self) -> None:
        self.hazard = [["hazard_guid", "hazard_localid", "village"]]
        self.hazreduc = [["hazreduc_guid", "hazreduc_localid"]]
        self.geospatialinfo = [["geospatialinfo_guid", "shape"]]
        self.geopoint = [["geopoint_guid", "geospatialinfo_guid", "pointno", "latitude", "longitude"]]
        self.hazard_has_geospatialinfo = [["hazard_guid", "geospatialinfo_guid"]]
        self.hazreduc_has_geospatialinfo = [["hazreduc_guid", "geospatialinfo_guid"]]

    def add_hazard(self, name: str, *shapes: str) -> None:
        self.hazard.append([f"{{H-{name}}}", name, LAO])
        self.hazard_has_geospatialinfo += [[f"h-{name}", shape] for shape in shapes]

    def add_release(self, name: str, *shapes: str) -> None:
        self.hazreduc.append([f"R-{name}", name])
        self.hazreduc_has_geospatialinfo += [[f"R-{name}", shape] for shape in shapes]

    def add_shape(self, guid: str, east: float = 0, points: list = SQUARE, kind: str = "Polygon") -> None:
        self.geospatialinfo.append([guid.upper(), kind])
        for number, (x, y) in enumerate(points, start=1):
            self.geopoint.append(
                [f"P-{guid}-{number}", guid, str(number), repr(18 + y), repr(102 + east + x)]
            )

    def tables(self) -> dict[str, list[list[str]]]:
        return {name: rows for name, rows in vars(self).items() if rows}

    def write(self, folder: Path, before: str = "", after: str = "", encoding: str = "utf-8") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.tables().items():
            with (folder / f"{before}{name}{after}.csv").open("w", encoding=encoding, newline="") as file:
                csv.writer(file).writerows(rows)
        return folder / f"{before}geospatialinfo{after}.csv"


@pytest.fixture
def export() -> Export:
    made = Export()
    for position, guid in enumerate(("g-1", "g-2", "g-3", "g-4")):
        made.add_shape(guid, position / 10)
    made.add_shape("g-5", 0.5, [(0.0, 0.0)], "Point")
    made.add_hazard("CHA-1", "g-1")
    made.add_hazard("CHA-2", "g-2", "g-3", "g-5")
    made.add_hazard("CHA-3")
    made.add_release("CL-1", "g-1")
    return made


def layers(delivery: RawDelivery) -> dict[str, RawLayer]:
    assert delivery.problem is None, delivery.problem
    assert [layer.problem for layer in delivery.layers] == [None] * len(delivery.layers)
    return {layer.name: layer for layer in delivery.layers}


def shapes(layer: RawLayer) -> list[shapely.Geometry | None]:
    return list(shapely.from_wkb(layer.table["geometry"].to_pylist()))


def trouble(layer: RawLayer) -> list[str | None]:
    names = layer.table.column_names
    return layer.table["geometry_problem"].to_pylist() if "geometry_problem" in names else []


def notes(delivery: RawDelivery) -> list[str]:
    return [note.code for layer in delivery.layers for note in layer.notes]


@pytest.mark.parametrize(("before", "after"), [("", ""), ("public_", ""), ("", "_2026-01"), ("ims.", "-2")])
def test_an_export_is_one_delivery(tmp_path: Path, export: Export, before: str, after: str) -> None:
    main = export.write(tmp_path / "in", before, after)
    (source,) = find_sources([tmp_path / "in"])
    assert (source.path, source.format) == (main, Format.IMSMA)
    found = layers(read(main))
    assert {name: layer.table.num_rows for name, layer in found.items()} == {
        "hazard": 3,
        "hazreduc": 1,
        "geospatialinfo": 1,
        "points": 1,
    }
    assert {layer.crs_name for layer in found.values()} == {"EPSG:4326"}
    assert {layer.count_method for layer in found.values()} == {CountMethod.WEAK}


def test_a_record_is_a_hazard_with_all_its_polygons(tmp_path: Path, export: Export) -> None:
    found = layers(read(export.write(tmp_path / "in")))
    one, two, three = shapes(found["hazard"])
    assert one.equals(shapely.box(102, 18, 102.01, 18.01))
    assert [part.bounds[0] for part in two.geoms] == [102.1, 102.2]
    assert three is None
    assert found["hazard"].table["hazard_localid"].to_pylist() == ["CHA-1", "CHA-2", "CHA-3"]
    assert set(found["hazard"].table["village"].to_pylist()) == {LAO}
    assert shapes(found["hazreduc"])[0].equals(one)
    assert shapes(found["geospatialinfo"])[0].bounds[0] == 102.3
    assert found["points"].table["of_record"].to_pylist() == ["hazard h-cha-2"]
    assert shapes(found["points"])[0].coords[0] == (102.5, 18)


def test_the_number_of_a_point_gives_its_place_in_the_ring(tmp_path: Path, export: Export) -> None:
    export.add_shape("g-9", 0.9, [(i / 100, (i % 2) / 100) for i in range(12)])
    export.add_hazard("CHA-9", "g-9")
    before = shapes(layers(read(export.write(tmp_path / "in")))["hazard"])
    head, *points = export.geopoint
    random.Random(3).shuffle(points)
    export.geopoint = [head, *points]
    after = shapes(layers(read(export.write(tmp_path / "other")))["hazard"])
    assert [a and a.wkb for a in after] == [b and b.wkb for b in before]
    assert [x for x, _ in after[3].exterior.coords][:12] == pytest.approx(
        [102.9 + i / 100 for i in range(12)]
    )


@pytest.mark.parametrize("by", ["link table", "column of the shape", "column of the hazard"])
def test_every_way_to_link_is_followed(tmp_path: Path, export: Export, by: str) -> None:
    owner = {"g-1": "H-CHA-1", "g-2": "H-CHA-2", "g-3": "H-CHA-2"}
    if by != "link table":
        export.hazard_has_geospatialinfo = []
    if by == "column of the shape":
        export.geospatialinfo = [
            [*row, "hazard_guid" if not at else owner.get(row[0].lower(), "")]
            for at, row in enumerate(export.geospatialinfo)
        ]
    if by == "column of the hazard":
        export.hazard = [
            [*row, f"g-{at}" if at else "geospatialinfo_guid"] for at, row in enumerate(export.hazard)
        ]
    found = layers(read(export.write(tmp_path / "in")))
    assert shapes(found["hazard"])[0].bounds[0] == 102
    assert shapes(found["hazard"])[1] is not None


def test_without_a_link_nothing_is_joined(tmp_path: Path, export: Export) -> None:
    export.hazard_has_geospatialinfo = []
    delivery = read(export.write(tmp_path / "in"))
    assert delivery.problem is not None
    assert delivery.problem.code == "TABLE_INCOMPLETE"
    for word in ("table hazard", "hazard_has_geospatialinfo", "hazard_guid"):
        assert word in delivery.problem.sentence


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("geopoint", "latitude"),
        ("geopoint", "pointno"),
        ("geospatialinfo", "shape"),
        ("hazard", "hazard_guid"),
    ],
)
def test_a_missing_column_is_named(tmp_path: Path, export: Export, table: str, column: str) -> None:
    getattr(export, table)[0] = [
        f"{name}_old" if name == column else name for name in getattr(export, table)[0]
    ]
    delivery = read(export.write(tmp_path / "in"))
    assert delivery.problem is not None
    assert delivery.problem.code == "TABLE_INCOMPLETE"
    assert f"table {table}" in delivery.problem.sentence


def test_codes_of_shapes_are_looked_up_and_never_guessed(tmp_path: Path, export: Export) -> None:
    codes = {"Polygon": "E-1", "Point": "E-2"}
    export.geospatialinfo = [[guid, codes.get(kind, kind)] for guid, kind in export.geospatialinfo]
    refused = read(export.write(tmp_path / "in"))
    assert refused.problem is not None
    assert "add the table imsmaenum" in refused.problem.sentence
    export.imsmaenum = [["imsmaenum_guid", "enumvalue"], ["e-1", "Polygon"], ["e-2", "Point"]]
    found = layers(read(export.write(tmp_path / "with enum")))
    assert shapes(found["hazard"])[0].area == pytest.approx(1e-4)
    assert found["points"].table.num_rows == 1


def test_landmarks_among_the_points_are_no_corners(tmp_path: Path, export: Export) -> None:
    export.geopoint = [
        [*row, "pointtype" if not at else "Turning Point"] for at, row in enumerate(export.geopoint)
    ]
    export.geopoint.append(["P-x", "g-1", "5", "19.0", "103.0", "Reference Point"])
    delivery = read(export.write(tmp_path / "in"))
    found = layers(delivery)
    assert shapes(found["hazard"])[0].bounds[2] < 102.02
    assert (103.0, 19.0) in [shape.coords[0] for shape in shapes(found["points"])]
    assert "POINTS_APART" in notes(delivery)


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        (2, "2", "point number 2 of the shape stands there twice"),
        (2, "", "no number"),
        (2, "TP3", "no number"),
        (3, "north", "point number 3"),
        (4, "", "point number 3"),
    ],
)
def test_a_ring_with_a_doubtful_point_is_not_drawn_without_it(
    tmp_path: Path, export: Export, column: int, value: str, word: str
) -> None:
    export.geopoint[3][column] = value
    layer = layers(read(export.write(tmp_path / "in")))["hazard"]
    assert word in trouble(layer)[0]
    assert trouble(layer)[1] is None
    data = layer.table["geometry"][0].as_py()
    assert data is None or b"\xf8\x7f" in data  # not a number, so it is refused by whoever looks at it


def test_a_record_whose_polygon_is_not_there_is_not_half_drawn(tmp_path: Path, export: Export) -> None:
    export.geopoint = [row for row in export.geopoint if row[1] != "g-3"]
    export.hazard_has_geospatialinfo.append(["h-CHA-1", "g-lost"])
    layer = layers(read(export.write(tmp_path / "in")))["hazard"]
    assert layer.table["geometry"].to_pylist() == [None, None, None]
    assert "not in the table geospatialinfo" in trouble(layer)[0]
    assert "no points in the table geopoint" in trouble(layer)[1]


def test_points_of_no_shape_and_links_to_no_record_are_told(tmp_path: Path, export: Export) -> None:
    export.geopoint.append(["P-x", "g-77", "1", "18.5", "102.5"])
    export.hazard_has_geospatialinfo.append(["h-unknown", "g-4"])
    delivery = read(export.write(tmp_path / "in"))
    assert {"POINTS_WITHOUT_SHAPE", "LINKS_BROKEN"} <= set(notes(delivery))
    assert layers(delivery)["points"].table.num_rows == 2


def test_lines_and_shapes_without_points_are_not_lost(tmp_path: Path, export: Export) -> None:
    export.add_shape("g-6", 0.6, SQUARE[:2], "Polyline")
    export.add_shape("g-7", 0.7, [], "Point")
    export.add_shape("g-8", 0.8, SQUARE, "Circle?")
    found = layers(read(export.write(tmp_path / "in")))
    assert shapes(found["lines"])[0].length == pytest.approx(0.01)
    unowned = found["geospatialinfo"]
    assert unowned.table["geospatialinfo_guid"].to_pylist() == ["G-4", "G-7", "G-8"]
    assert unowned.table["row"].to_pylist() == [4, 7, 8]
    assert [reason is None for reason in trouble(unowned)] == [True, False, False]


def test_a_row_appended_twice_is_two_records(tmp_path: Path, export: Export) -> None:
    export.hazard.append(export.hazard[1])
    layer = layers(read(export.write(tmp_path / "in")))["hazard"]
    assert layer.table.num_rows == layer.records_counted == 4
    assert shapes(layer)[0].equals(shapes(layer)[3])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_any_unicode_export_is_read(tmp_path: Path, export: Export, encoding: str) -> None:
    layer = layers(read(export.write(tmp_path / "in", encoding=encoding)))["hazard"]
    assert layer.table.column_names[2:] == ["hazard_guid", "hazard_localid", "village"]
    assert set(layer.table["village"].to_pylist()) == {LAO}


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_table_cut_inside_a_row_is_refused(tmp_path: Path, export: Export, share: float) -> None:
    main = export.write(tmp_path / "in")
    path = main.with_name("geopoint.csv")
    text = path.read_text().splitlines()
    path.write_text("\n".join([*text[:8], text[8][: int(len(text[8]) * share) - 20]]))
    delivery = read(main)
    assert delivery.problem is not None
    assert "geopoint" in delivery.problem.sentence


def test_missing_tables_are_asked_for(tmp_path: Path, export: Export) -> None:
    main = export.write(tmp_path / "in")
    main.with_name("geopoint.csv").rename(tmp_path / "geopoint.csv")
    delivery = read(main)
    assert delivery.problem is not None
    assert (delivery.problem.code, delivery.records_counted) == ("FILE_INCOMPLETE", 4)
    (lone,) = find_sources([tmp_path / "geopoint.csv"])
    assert lone.problem is not None
    assert lone.problem.code == "FILE_INCOMPLETE"
    assert "geospatialinfo.csv" in lone.problem.sentence


def test_each_named_part_stands_for_the_whole_export(tmp_path: Path, export: Export) -> None:
    main = export.write(tmp_path)
    found = find_sources(sorted(tmp_path.glob("*.csv")))
    assert [source.path for source in found] == [main]


def test_other_tables_in_the_folder_stay_tables(tmp_path: Path, export: Export) -> None:
    export.write(tmp_path)
    (tmp_path / "hazard_polygons.csv").write_text("id,wkt\n")
    (tmp_path / "roads.csv").write_text("id,wkt\n")
    names = {source.path.name: source.format for source in find_sources([tmp_path])}
    assert names == {
        "geospatialinfo.csv": Format.IMSMA,
        "hazard_polygons.csv": Format.TABLE,
        "roads.csv": Format.TABLE,
    }


def test_two_exports_in_one_folder_stay_apart() -> None:
    tables = ("hazard", "geospatialinfo", "geopoint")
    names = [f"{table}_{month}.csv" for table in tables for month in ("2026-01", "2026-02")]
    assert [sorted(group.values()) for group in groups_of(names)] == [sorted(names[::2]), sorted(names[1::2])]
    late = ["hazard_0900.csv", "geospatialinfo_0901.csv", "geopoint_0902.csv"]
    assert [sorted(group) for group in groups_of(late)] == [["geopoint", "geospatialinfo", "hazard"]]
    assert groups_of(["hazard.csv", "geopoint.csv"]) == []


def test_an_export_in_an_archive(tmp_path: Path, export: Export) -> None:
    export.write(tmp_path / "in", "public_")
    members = {f"ສົ່ງອອກ/{path.name}": path for path in sorted((tmp_path / "in").iterdir())}
    delivery = read(zipped(tmp_path / "all.zip", members))
    found = {name.rpartition("/")[2]: layer.table.num_rows for name, layer in layers(delivery).items()}
    assert found == {"hazard": 3, "hazreduc": 1, "geospatialinfo": 1, "points": 1}


def test_the_hash_covers_every_table(tmp_path: Path, export: Export) -> None:
    main = export.write(tmp_path / "in")
    before = read(main).content_hash
    path = main.with_name("geopoint.csv")
    path.write_text(path.read_text().replace("102.01", "102.02"))
    assert read(main).content_hash != before
