"""KML: a number that cannot be read is told, and never read as another one."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from reading_fixtures import read, zipped

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec
from geopipe.io.delivery import RawLayer

HEAD = '<?xml version="1.0" encoding="{}"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>d</name>'
FINE = "102.1,18.1 102.2,18.1 102.2,18.2 102.1,18.1"
BAD = "102.1,18.1 1o2.2,18.1 102.2,18.2 102.1,18.1"
NOT_A_PLACE = 'the geometry could not be read: "{}" is not a longitude and a latitude'


def ring(text: str) -> str:
    return f"<LinearRing><coordinates>{text}</coordinates></LinearRing>"


def area(text: str, hole: str = "") -> str:
    inner = f"<innerBoundaryIs>{ring(hole)}</innerBoundaryIs>" if hole else ""
    return f"<Polygon><outerBoundaryIs>{ring(text)}</outerBoundaryIs>{inner}</Polygon>"


def mark(shape: str, name: str = "") -> str:
    return f"<Placemark><name>{name}</name>{shape}</Placemark>"


def folder(name: str, *marks: str) -> str:
    return f"<Folder><name>{name}</name>{''.join(marks)}</Folder>"


def layers(path: Path, body: str, encoding: str = "utf-8") -> list[RawLayer]:
    path.write_bytes(f"{HEAD.format(encoding)}{body}</Document></kml>".encode(encoding))
    delivery = read(path)
    assert delivery.problem is None, delivery.problem
    return list(delivery.layers)


def problems(layer: RawLayer) -> list[str | None]:
    if "geometry_problem" not in layer.table.column_names:
        return [None] * layer.table.num_rows
    reasons = layer.table["geometry_problem"].to_pylist()
    placed = layer.table["geometry"].is_valid().to_pylist()
    assert [reason is None for reason in reasons] == placed
    return reasons


def the_problem(path: Path, shape: str) -> str | None:
    (layer,) = layers(path, mark(area(FINE)) + mark(shape) + mark(area(FINE)))
    first, found, last = problems(layer)
    assert first is None
    assert last is None
    return found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1o2.1,18.1 102.2,18.1 102.2,18.2", "1o2.1,18.1"),
        ("102.1,18.1 102.2,18.1O 102.2,18.2", "102.2,18.1O"),
        ("102.1,18.1 102.2 102.2,18.2", "102.2"),
        ("102.1,18.1 102.2, 102.2,18.2", "102.2,"),
        ("102.1,18.1 102.2,,18.1 102.2,18.2", "102.2,,18.1"),
        ("102,1,18,1 102,2,18,1 102,2,18,2", "102,1,18,1"),
        ("102.1,18.1;102.2,18.1;102.2,18.2", "102.1,18.1;102.2,18.1;102.2,18.2"),
        ("102.1,18.1 102.2.5,18.1 102.2,18.2", "102.2.5,18.1"),
        ("102.1,18.1 102.2,nan 102.2,18.2", "102.2,nan"),
        ("102.1,18.1 102.2, 18.1 102.2,18.2", "102.2,"),
        ("102.1, 18.1 102.2, 102.2, 18.2", "102.1,"),
        ("102.1 18.1 102.2 18.1", "102.1"),
        ("102.1,18.1\N{NO-BREAK SPACE}102.2,18.1", "102.1,18.1\N{NO-BREAK SPACE}102.2,18.1"),
        ("102.1,18.1 \N{MINUS SIGN}102.2,18.1", "\N{MINUS SIGN}102.2,18.1"),
        (f"102.1,18.1 1o2.{'2' * 50},18.1", f"1o2.{'2' * 33}..."),
    ],
)
def test_coordinates_that_are_no_numbers_are_told(tmp_path: Path, text: str, shown: str) -> None:
    assert the_problem(tmp_path / "a.kml", area(text)) == NOT_A_PLACE.format(shown)


@pytest.mark.parametrize(
    "text",
    [
        "\n\t102.1,18.1,0\r\n102.2,18.1,0\n102.2,18.2,0 102.1,18.1,0\n",
        "102.1,18.1 102.2,18.1,5 102.2,18.2 102.1,18.1",
        "+1.021e2,18.1 102.2,18.1 102.2,1.82E+1 102.1,18.1",
        "102.1, 18.1 102.2, 18.1 102.2, 18.2 102.1, 18.1",
        "102.1, 18.1, 0 102.2, 18.1, 0 102.2, 18.2, 0 102.1, 18.1, 0",
        "102.1 ,18.1 102.2 ,18.1 102.2 ,18.2 102.1 ,18.1",
        "102.1 , 18.1 102.2 , 18.1 102.2 , 18.2 102.1 , 18.1",
        "<![CDATA[102.1,18.1 102.2,18.1 102.2,18.2 102.1,18.1]]>",
        "<!-- 1o2 -->102.1,18.1 102.2,18.1 102.2,18.2 102.1,18.1",
        "1&#48;2.1,18.1 102.2,18.1 102.2,18.2 102.1,18.1",
    ],
)
def test_unusual_spellings_of_the_same_place_are_read(tmp_path: Path, text: str) -> None:
    (layer,) = layers(tmp_path / "a.kml", mark(area(text)))
    assert problems(layer) == [None]
    (shape,) = shapely.force_2d(shapely.from_wkb(layer.table["geometry"].to_pylist()))
    assert shape.equals(shapely.Polygon([(102.1, 18.1), (102.2, 18.1), (102.2, 18.2)]))
    assert layer.table.column_names.count("readable_points") == 0


@pytest.mark.parametrize(
    "shape",
    [
        area(FINE, hole=BAD),
        f"<MultiGeometry>{area(FINE)}{area(BAD)}</MultiGeometry>",
        f"<MultiGeometry>{area(BAD)}{area(FINE)}</MultiGeometry>",
        f"<LineString><coordinates>{BAD}</coordinates></LineString>",
        "<Point><coordinates>1o2.2,18.1</coordinates></Point>",
        area(f"<![CDATA[{BAD}]]>"),
        area(BAD.replace("102.2", "102<coord/>.2")),
        f"<MultiGeometry><Point><coordinates/></Point>{area(BAD)}</MultiGeometry>",
        f"<Point><coordinates a='>'>1o2.2,18.1</coordinates></Point>{area(FINE)}",
    ],
)
def test_one_bad_number_questions_the_whole_record(tmp_path: Path, shape: str) -> None:
    assert the_problem(tmp_path / "a.kml", shape) == NOT_A_PLACE.format("1o2.2,18.1")


@pytest.mark.parametrize("point", ["1o2.2 18.1 0", "102.2,18.1,0", " 102.2 18.1", "102.2"])
def test_a_point_of_a_track_that_is_no_place_is_told(tmp_path: Path, point: str) -> None:
    # LIBKML reads " 102.2 18.1" as 0, 102.2, 18.1.
    gx = 'xmlns:gx="http://www.google.com/kml/ext/2.2"'
    track = f"<gx:Track {gx}><gx:coord>102.1 18.1 0</gx:coord><gx:coord>{point}</gx:coord></gx:Track>"
    assert the_problem(tmp_path / "a.kml", track) == NOT_A_PLACE.format(point)
    good = track.replace(point, "102.2 18.1 0")
    assert the_problem(tmp_path / "b.kml", good) is None


@pytest.mark.parametrize("folders", [3, 12])
def test_the_right_record_is_told_in_folders_of_one_name_and_inside_each_other(
    tmp_path: Path, folders: int
) -> None:
    body = mark(area(FINE), "fine") + "".join(
        folder(
            "F",
            mark(area(FINE), "fine"),
            folder("F", mark(area(BAD), "bad"), mark("", "fine")),
            mark(area(BAD), "bad"),
        )
        for _ in range(folders)
    )
    body += mark(area(BAD), "bad")
    found = layers(tmp_path / "a.kml", body)
    told = [
        (name, reason is not None)
        for layer in found
        for name, reason in zip(
            layer.table["Name"].to_pylist(),
            layer.table["geometry_problem"].to_pylist(),
            strict=True,
        )
    ]
    assert len(told) == 2 + 4 * folders
    assert all((name == "bad") is is_told for name, is_told in told)
    assert len({layer.name for layer in found}) == len(found)


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_the_encoding_hides_no_bad_number(tmp_path: Path, encoding: str) -> None:
    (layer,) = layers(tmp_path / "a.kml", mark(area(FINE), "é") + mark(area(BAD)), encoding)
    assert problems(layer) == [None, NOT_A_PLACE.format("1o2.2,18.1")]
    assert layer.table["Name"][0].as_py() == "é"


def test_a_namespace_prefix_hides_no_bad_number(tmp_path: Path) -> None:
    point = "<k:Placemark><k:Point><k:coordinates>1o2,18</k:coordinates></k:Point></k:Placemark>"
    path = tmp_path / "a.kml"
    path.write_text(
        f'<k:kml xmlns:k="http://www.opengis.net/kml/2.2"><k:Document>{point}</k:Document></k:kml>'
    )
    (layer,) = read(path).layers
    assert layer.name == "a"
    assert problems(layer) == [NOT_A_PLACE.format("1o2,18")]


def test_a_kmz_is_looked_at_too(tmp_path: Path) -> None:
    body = f"{HEAD.format('utf-8')}{mark(area(BAD))}</Document></kml>"
    (layer,) = read(zipped(tmp_path / "a.kmz", {"doc.kml": body.encode()})).layers
    assert problems(layer) == [NOT_A_PLACE.format("1o2.2,18.1")]


def test_each_record_is_told_its_own_reason(tmp_path: Path) -> None:
    beside = f"<GroundOverlay><LatLonQuad><coordinates>{BAD}</coordinates></LatLonQuad></GroundOverlay>"
    body = mark(area("1o2,18")) + beside + mark(area(FINE)) + mark(area("102,x"))
    (layer,) = layers(tmp_path / "a.kml", body)
    assert problems(layer) == [NOT_A_PLACE.format("1o2,18"), None, NOT_A_PLACE.format("102,x")]


def test_the_points_that_can_be_read_stay_with_the_record(tmp_path: Path) -> None:
    (layer,) = layers(tmp_path / "a.kml", mark(area(FINE)) + mark(area(FINE, hole=BAD)))
    nothing, points = layer.table["readable_points"].to_pylist()
    assert nothing is None
    assert shapely.from_wkt(points).equals(
        shapely.MultiPoint([(102.1, 18.1), (102.2, 18.1), (102.2, 18.2), (102.1, 18.1)])
    )


def test_a_placemark_without_coordinates_is_no_bad_number(tmp_path: Path) -> None:
    body = mark("") + mark("<Point><coordinates/></Point>") + mark(area(BAD))
    (layer,) = layers(tmp_path / "a.kml", body)
    reasons = layer.table["geometry_problem"].to_pylist()
    assert [reason is None for reason in reasons] == [True, True, False]


def test_a_hazard_with_a_bad_number_is_drawn_from_its_other_points(tmp_path: Path) -> None:
    layers(tmp_path / "MAG_CHA.kml", mark(area(FINE), "1") + mark(area(BAD), "2"))
    config = Config(deliveries=(DeliverySpec(path=tmp_path / "MAG_CHA.kml"),), confirmations=None)
    state = pipeline.run(config)
    assert len(state.features) == 1
    (refused,) = state.rejected.table.to_pylist()
    assert (refused["row"], refused["reason"]) == (2, "GEOMETRY_UNREADABLE")
    assert refused["sentence"] == f"{NOT_A_PLACE.format('1o2.2,18.1')}. Please correct it."
    (drawn,) = state.unresolved.geometry
    assert drawn.covers(shapely.MultiPoint([(102.1, 18.1), (102.2, 18.2)]))
    assert drawn.bounds == pytest.approx((102.1, 18.1, 102.2, 18.2), abs=0.01)


def test_records_beside_a_bad_number_are_the_same_when_it_is_mended(tmp_path: Path) -> None:
    versions = []
    for text in (BAD, FINE):
        layers(tmp_path / "MAG_CHA.kml", mark(area(FINE), "1") + mark(area(text), "2"))
        config = Config(deliveries=(DeliverySpec(path=tmp_path / "MAG_CHA.kml"),), confirmations=None)
        versions.append(pipeline.read(config).features.table["version_id"].to_pylist())
    bad, mended = versions
    assert bad[0] == mended[0]
    assert bad[1] != mended[1]
