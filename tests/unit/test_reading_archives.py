"""An archive of many files: each member is read as if it lay in a folder, and none takes another down."""

from __future__ import annotations

import gzip
from pathlib import Path

from reading_fixtures import LAO, read, shapefile, shapefile_parts, write, zipped
from test_reading_esrijson import feature_set, record, saved
from test_reading_gpx_maxml import TRACK, gpx, maxml
from test_reading_imsma import Export


def outcome(path: Path) -> dict[str, tuple[int, str | None]]:
    delivery = read(path)
    assert delivery.problem is None, delivery.problem
    return {
        layer.name: (layer.table.num_rows, layer.problem and layer.problem.code) for layer in delivery.layers
    }


def test_every_text_format_is_read_inside_an_archive(tmp_path: Path) -> None:
    export = Export()
    export.add_shape("g-1")
    export.add_hazard("CHA-1", "g-1")
    export.hazreduc = []
    export.hazreduc_has_geospatialinfo = []
    export.write(tmp_path / "ng")
    members: dict[str, Path | bytes] = {
        "core/survey.json": saved(tmp_path / "s.json", feature_set([record(i) for i in range(3)])),
        "gps/track.gpx": gpx(tmp_path / "t.gpx", TRACK),
        "reports/one.xml": maxml(tmp_path / "o.xml"),
        "reports/two.maxml": maxml(tmp_path / "w.maxml"),
        "tables/areas.csv": f'id,wkt\n1,"POLYGON((1 1,2 1,2 2,1 1))"\n2,{LAO}\n'.encode(),
        "tables/points.csv": b"id,lon,lat\n1,102,18\n",
        "map/areas.shp.xml": b"<metadata/>",
        "map/style.qml": b"<qgis/>",
        "broken/track.gpx": b"<gpx><trk>",
        "broken/other.gpx": b"<kml/>",
    }
    members |= {f"ng/{path.name}": path for path in sorted((tmp_path / "ng").iterdir())}
    members |= shapefile_parts(shapefile(tmp_path / "shp", count=2), "map/areas")
    assert outcome(zipped(tmp_path / "all.zip", members)) == {
        "broken/other": (0, "FORMAT_UNKNOWN"),
        "broken/track": (0, "FILE_TRUNCATED"),
        "core/survey": (3, None),
        "gps/track/tracks": (1, None),
        "map/areas": (2, None),
        "ng/geospatialinfo/hazard": (1, None),
        "reports/one/reports": (1, None),
        "reports/two/reports": (1, None),
        "tables/areas": (2, None),
        "tables/points": (1, None),
    }


def test_one_archive_inside_another_is_told_with_its_remedy(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"a.gpkg": write(tmp_path / "a.gpkg", "GPKG")})
    path = zipped(tmp_path / "outer.zip", {"b.gpkg": write(tmp_path / "b.gpkg", "GPKG"), "inner.zip": inner})
    assert outcome(path) == {"b": (5, None), "inner": (0, "ARCHIVE_NESTED")}
    (problem,) = [layer.problem for layer in read(path).layers if layer.problem]
    assert problem.sentence.endswith("Unpack it first.")


def test_packed_text_formats(tmp_path: Path) -> None:
    for name, path in {
        "s.json.gz": saved(tmp_path / "s.json", feature_set([record(0)])),
        "t.gpx.gz": gpx(tmp_path / "t.gpx", TRACK),
        "r.maxml.gz": maxml(tmp_path / "r.maxml"),
    }.items():
        packed = tmp_path / name
        packed.write_bytes(gzip.compress(path.read_bytes()))
        assert [rows for rows, problem in outcome(packed).values() if problem is None] == [1]


def test_an_export_without_points_does_not_stop_the_others(tmp_path: Path) -> None:
    members = {"ng/geospatialinfo.csv": b"geospatialinfo_guid,shape\n1,Polygon\n", "a.csv": b"lon,lat\n1,2\n"}
    assert outcome(zipped(tmp_path / "a.zip", members)) == {
        "a": (1, None),
        "ng/geospatialinfo": (0, "FILE_INCOMPLETE"),
    }
