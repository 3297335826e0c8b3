"""GeoPackages: every row in its place however many are written at once, in the type that is declared."""

import sqlite3
from contextlib import closing

import numpy as np
import pyarrow as pa
import pytest
import shapely
from conftest import read_layer
from make import LAOS, box, square

from geopipe.crs import parse_crs
from geopipe.io import geopackage
from geopipe.io.geopackage import Layer, write_geopackage
from geopipe.picked import Picked

HOLED = square(0, 0, 90).difference(square(30, 30, 30))
TWO = shapely.MultiPolygon([square(0), square(200)])


@pytest.fixture
def written(tmp_path):
    """Return a function that writes one layer and reads it back."""

    def write(geometry, declared, **columns):
        columns = columns or {"name": [str(at) for at in range(len(geometry))]}
        layer = Layer("shown", Picked(pa.table(columns)), np.array(geometry, dtype=object), declared)
        write_geopackage(tmp_path / "new.gpkg", [layer], parse_crs(LAOS).to_wkt())
        return read_layer(tmp_path / "new.gpkg", "shown")

    return write


@pytest.mark.parametrize("at_once", [1, 2, 7, 100])
def test_all_rows_are_there_in_order_however_many_are_written_at_once(written, monkeypatch, at_once):
    monkeypatch.setattr(geopackage, "_ROWS_AT_ONCE", at_once)
    rows = written([square(200 * at) for at in range(7)], "MultiPolygon")
    assert [row["name"] for row in rows] == list("0123456")
    assert [row["geometry"].bounds[0] for row in rows] == [square(200 * at).bounds[0] for at in range(7)]


@pytest.mark.parametrize(
    ("declared", "single", "several"),
    [
        ("MultiPolygon", HOLED, TWO),
        (
            "MultiLineString",
            shapely.LineString([(0, 0), (5, 5)]),
            shapely.MultiLineString([[(0, 0), (1, 1)]]),
        ),
        ("MultiPoint", shapely.Point(1, 2), shapely.MultiPoint([(1, 2), (3, 4)])),
    ],
)
def test_in_a_layer_of_one_type_what_is_single_becomes_multi(written, declared, single, several):
    one, two, none = (row["geometry"] for row in written([single, several, None], declared))
    assert one.geom_type == two.geom_type == declared
    assert list(one.geoms) == [single]
    assert two == several
    assert none is None


def test_a_ring_among_lines_is_written_as_a_line(written):
    (row,) = written([shapely.LinearRing([(0, 0), (1, 0), (1, 1)])], "MultiLineString")
    assert list(row["geometry"].geoms) == [shapely.LineString([(0, 0), (1, 0), (1, 1), (0, 0)])]


def test_a_layer_of_mixed_types_stays_as_it_is(written):
    shapes = [shapely.Point(1, 2), HOLED, TWO]
    assert [row["geometry"] for row in written(shapes, "Unknown")] == shapes


def test_a_column_that_keeps_each_text_once_is_written_as_texts(written, tmp_path, monkeypatch):
    monkeypatch.setattr(geopackage, "_ROWS_AT_ONCE", 2)
    crs = pa.array(["UTM 48N", "WGS 84", None, "UTM 48N"]).dictionary_encode()
    rows = written([box(0, 0, 1, 1)] * 4, "MultiPolygon", crs=crs)
    assert [row["crs"] for row in rows] == ["UTM 48N", "WGS 84", None, "UTM 48N"]
    with closing(sqlite3.connect(tmp_path / "new.gpkg")) as db:
        kinds = {name: kind for _, name, kind, *_ in db.execute("PRAGMA table_info(shown)")}
    assert kinds["crs"] == "TEXT"


@pytest.mark.parametrize("fault", [KeyboardInterrupt, MemoryError, ZeroDivisionError])
def test_what_goes_wrong_with_a_row_is_raised_as_it_was(written, monkeypatch, fault):
    def fail(*_arguments):
        raise fault

    monkeypatch.setattr(geopackage, "_declared_wkb", fail)
    with pytest.raises(fault):
        written([square()], "MultiPolygon")


def test_an_interruption_before_the_first_row_is_seen_too(monkeypatch):
    made, begin = [], geopackage._batches

    def begun(*arguments):
        made.append(begin(*arguments))
        return made[0]

    monkeypatch.setattr(geopackage, "_batches", begun)
    faults = []
    reader = geopackage._stream(Layer("shown", Picked(pa.table({"name": ["1"]}))), faults)
    with pytest.raises(KeyboardInterrupt):
        made[0].throw(KeyboardInterrupt)  # where a signal that waited comes in
    assert [type(fault) for fault in faults] == [KeyboardInterrupt]
    assert reader.schema.names == ["name"]
