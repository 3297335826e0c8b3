"""GPX and maXML: tracks and places as they are; nothing is read into an XML that it does not say."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from reading_fixtures import LAO, cut, read

from geopipe.io.delivery import RawDelivery, RawLayer
from geopipe.io.sources import find_sources
from geopipe.terms import CountMethod

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
GPX = f'{HEAD}<gpx version="1.1" creator="GPS" xmlns="http://www.topografix.com/GPX/1/1">'


def point(tag: str, x: float, y: float, inner: str = "") -> str:
    return f'<{tag} lat="{y}" lon="{x}">{inner}</{tag}>'


def gpx(path: Path, body: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(f"{GPX}{body}</gpx>".replace("UTF-8", encoding).encode(encoding))
    return path


def layers(delivery: RawDelivery) -> dict[str, RawLayer]:
    assert delivery.problem is None, delivery.problem
    for layer in delivery.layers:
        assert layer.problem is None
        assert layer.records_counted in (None, layer.table.num_rows)
    return {layer.name: layer for layer in delivery.layers}


def shapes(layer: RawLayer) -> list[str | None]:
    return [shape and shape.wkt for shape in shapely.from_wkb(layer.table["geometry"].to_pylist())]


TRACK = (
    f"<trk><name>{LAO}</name><trkseg>"
    + point("trkpt", 102, 18, "<time>2024-01-18T02:00:00Z</time>")
    + point("trkpt", 103, 19, "<time>2024-01-18T03:00:00Z</time>")
    + "</trkseg><trkseg>"
    + point("trkpt", 104, 19)
    + "</trkseg></trk>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_tracks_routes_and_waypoints_are_layers(tmp_path: Path, encoding: str) -> None:
    body = (
        point("wpt", 102.5, 18.5, f"<ele>350.5</ele><time>2024-01-18T02:00:00Z</time><name>{LAO}</name>")
        + point(
            "wpt", 102.6, 18.5, "<name>&lt;trk&gt;</name><!-- <trk> --><desc><![CDATA[<wpt lat='1'>]]></desc>"
        )
        + f"<rte><name>R</name>{point('rtept', 1, 2)}{point('rtept', 3, 4)}</rte>"
        + TRACK
        + "<trk><name>empty</name></trk>"
    )
    found = layers(read(gpx(tmp_path / "a.gpx", body, encoding)))
    assert {name: layer.table.num_rows for name, layer in found.items()} == {
        "waypoints": 2,
        "routes": 1,
        "tracks": 2,
    }
    assert {layer.count_method for layer in found.values()} == {CountMethod.EXACT}
    assert {layer.crs_name for layer in found.values()} == {"EPSG:4326"}
    assert shapes(found["waypoints"]) == ["POINT Z (102.5 18.5 350.5)", "POINT (102.6 18.5)"]
    assert shapes(found["routes"]) == ["LINESTRING (1 2, 3 4)"]
    assert shapes(found["tracks"]) == ["MULTILINESTRING ((102 18, 103 19), (104 19, 104 19))", None]
    assert found["tracks"].table["name"].to_pylist() == [LAO, "empty"]
    assert found["tracks"].table["time_last"].to_pylist() == ["2024-01-18T03:00:00Z", None]
    assert found["waypoints"].table["ele"].to_pylist() == ["350.5", None]
    assert found["waypoints"].table["desc"].to_pylist() == [None, "<wpt lat='1'>"]


def test_a_point_without_place_is_told(tmp_path: Path) -> None:
    body = point("wpt", 102, 18) + '<wpt lon="102"><name>x</name></wpt>' + point("wpt", 102, 181)
    layer = layers(read(gpx(tmp_path / "a.gpx", body)))["waypoints"]
    assert [reason is None for reason in layer.table["geometry_problem"].to_pylist()] == [True, False, False]


def test_an_empty_a_cut_and_a_hostile_gpx_are_refused(tmp_path: Path) -> None:
    empty = read(gpx(tmp_path / "a.gpx", "<metadata/>"))
    assert empty.problem is not None
    assert empty.problem.code == "NO_GEOMETRY"
    short = read(cut(gpx(tmp_path / "b.gpx", TRACK * 5), 0.6))
    assert short.problem is not None
    assert short.problem.code == "FILE_TRUNCATED"
    assert 2 <= (short.records_counted or 0) <= 4
    path = tmp_path / "c.gpx"
    path.write_text(f'<!DOCTYPE gpx [<!ENTITY a "b">]>{GPX.removeprefix(HEAD)}<wpt lat="1" lon="2"/></gpx>')
    hostile = read(path)
    assert hostile.problem is not None
    assert hostile.problem.code == "FILE_DANGEROUS"


REPORT = (
    f'{HEAD}<MineActionFieldReport reportGUID="{{A-1}}" fieldReportGUID="F-1" reportID="CHA-0001">'
    f"<ReportDate>2024-01-18</ReportDate><Village>{LAO}</Village>%s</MineActionFieldReport>"
)


def maxml(path: Path, body: str = "") -> Path:
    path.write_text(REPORT % body, "utf-8")
    return path


@pytest.mark.parametrize("name", ["report.maxml", "report.xml"])
def test_a_report_is_one_record_with_its_ids_and_no_place(tmp_path: Path, name: str) -> None:
    (layer,) = layers(read(maxml(tmp_path / name))).values()
    row = layer.table.to_pylist()[0]
    assert (row["reportGUID"], row["fieldReportGUID"], row["reportID"]) == ("{A-1}", "F-1", "CHA-0001")
    assert (row["ReportDate"], row["Village"]) == ("2024-01-18", LAO)
    assert row["geometry"] is None
    assert "shapes of a report are not read" in row["geometry_problem"]
    assert (layer.count_method, layer.records_counted) == (CountMethod.EXACT, 1)


def test_only_a_place_beyond_doubt_is_read_and_stays_a_point(tmp_path: Path) -> None:
    ring = "".join(
        f"<GeoPoint><PointNo>{n}</PointNo><Latitude>{18 + n}</Latitude>"
        f"<Longitude>{102 + n}</Longitude></GeoPoint>"
        for n in (1, 2, 3)
    )
    body = (
        f"<Hazard><Polygon>{ring}</Polygon></Hazard>"
        '<Mark LAT="18.5" lon="102.5" name="tree"/>'
        "<Odd><Latitude>18°27</Latitude><Longitude>102</Longitude></Odd>"
        '<Far lat="102" lon="18"/><Half><Latitude>18</Latitude></Half>'
        "<Twice><Lat>1</Lat><Latitude>2</Latitude><Lon>3</Lon></Twice>"
        "<Utm><Easting>234567</Easting><Northing>2145678</Northing></Utm>"
    )
    found = layers(read(maxml(tmp_path / "r.xml", body)))
    points = found["points"]
    assert shapes(points) == ["POINT (103 19)", "POINT (104 20)", "POINT (105 21)", "POINT (102.5 18.5)"]
    assert points.table["point_number"].to_pylist() == ["1", "2", "3", ""]
    assert points.table["element"][0].as_py() == "MineActionFieldReport/Hazard/Polygon/GeoPoint"
    assert (points.count_method, points.geometry_type) == (CountMethod.NONE, "Point")
    (note,) = found["reports"].notes
    assert note.code == "MAXML_IN_PART"
    for word in ("4 single points", "Far/lat (1)", "Half/Latitude (1)", "Odd/Latitude (1)", "other elements"):
        assert word in note.sentence
    assert "GeoPoint" not in note.sentence


def test_other_xml_is_named_by_its_root_and_ignored_in_folders(tmp_path: Path) -> None:
    other = tmp_path / "a.shp.xml"
    other.write_text('<?xml version="1.0"?><!-- made by --><metadata xml:lang="en"><lat>1</lat></metadata>')
    delivery = read(other)
    assert delivery.problem is not None
    assert delivery.problem.code == "FORMAT_UNKNOWN"
    assert '"metadata"' in delivery.problem.sentence
    maxml(tmp_path / "report.xml")
    gpx(tmp_path / "track.gpx", TRACK)
    assert [source.path.name for source in find_sources([tmp_path])] == ["report.xml", "track.gpx"]


def test_a_cut_and_a_hostile_report_are_refused(tmp_path: Path) -> None:
    short = read(cut(maxml(tmp_path / "a.xml", "<x>y</x>" * 50), 0.8))
    assert short.problem is not None
    assert (short.problem.code, short.records_counted) == ("FILE_TRUNCATED", 1)
    path = tmp_path / "b.xml"
    path.write_text(
        '<!DOCTYPE MineActionFieldReport [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
        '<MineActionFieldReport reportID="1">&a;</MineActionFieldReport>'
    )
    hostile = read(path)
    assert hostile.problem is not None
    assert hostile.problem.code == "FILE_DANGEROUS"
