"""KML: one file of all layers, released land first, so that hazard is drawn above it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import iterparse
from xml.sax.saxutils import escape, quoteattr

import shapely

from geopipe.languages.texts import Texts
from geopipe.outputs.formats.pieces import Piece
from geopipe.outputs.qgis.captions import LAYERS
from geopipe.outputs.qgis.colours import HAZARD_RED, KIND_FILLS, OTHER_KIND
from geopipe.outputs.qgis.xml import plain
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Kind

_DECIMALS = 9
_LONGEST_VALUE = 10_000
# From the first drawn to the last: what comes later lies above.
_ORDER = (
    "areas", "remaining", "lines", "duplicates", "copies", "changes", "findings", "gaps", "partner_outlines",
    "overlaps", "cases", "points", "hazard_unresolved",
)  # fmt: skip
_NAMES = ("number", "source_id", "record_id", "hazard_id", "left_id", "code")
_NO_FILL = "00ffffff"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n'


def write_kml(path: Path, pieces: Sequence[Piece], notice: Sequence[str], texts: Texts) -> None:
    """Write all layers into one KML file (WGS 84).

    Parameters
    ----------
    path : Path
    pieces : sequence of Piece
    notice : sequence of str
        Sentences that must be read with the map.
    texts : Texts
    """
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(_HEAD)
        stream.write(f"<name>geopipe</name><description>{escape(' '.join(notice))}</description>\n")
        stream.writelines(_styles())
        for piece in sorted(pieces, key=lambda piece: _ORDER.index(piece.layer)):
            _write_folder(stream, piece, texts)
        stream.write("</Document></kml>\n")


def count(path: Path) -> int:
    """Return how many places a KML file holds."""
    found = 0
    for _, item in iterparse(path):  # noqa: S314 (a file of our own)
        if item.tag.endswith("}Placemark"):
            found += 1
            item.clear()
    return found


def drawn_at(kind: object) -> int:
    """Return when a kind is drawn: other ground, then released land, then what may be hazard, then hazard."""
    if kind in RELEASED_KINDS:
        return 1
    if kind in HAZARD_KINDS:
        return 4 if kind == Kind.CHA else 3
    return 0 if kind in (Kind.SURVEY_BOX, Kind.TASK) else 2


def _styles() -> Iterator[str]:
    for kind, fill in [*KIND_FILLS.items(), ("other", OTHER_KIND)]:
        yield _style(str(kind), _colour(fill.outline), 1.5, _colour(fill.colour, fill.opacity))
    yield _style("overlaps", _colour("#0B3C8C"), 2.0, _NO_FILL)
    yield _style("hazard_unresolved", _colour(HAZARD_RED), 3.0, _NO_FILL)
    yield _style("outline", _colour("#4D4D4D"), 1.0, _NO_FILL)


def _style(name: str, line: str, width: float, fill: str) -> str:
    return (
        f"<Style id={quoteattr(name)}><LineStyle><color>{line}</color><width>{width}</width></LineStyle>"
        f"<PolyStyle><color>{fill}</color></PolyStyle></Style>\n"
    )


def _colour(colour: str, opacity: int = 255) -> str:
    """Return a colour as KML writes it: opacity, blue, green, red."""
    return f"{opacity:02x}{colour[5:7]}{colour[3:5]}{colour[1:3]}".lower()


def _write_folder(stream: IO[str], piece: Piece, texts: Texts) -> None:
    rows = piece.table.to_pylist()
    order = range(len(rows))
    if piece.layer == "areas":
        order = sorted(order, key=lambda row: (drawn_at(rows[row]["kind"]), row))  # type: ignore[assignment]
    stream.write(f"<Folder><name>{escape(texts(LAYERS[piece.layer]))}</name>\n")
    for row in order:
        stream.write(_place(piece, rows[row], piece.lonlat[row]))
    stream.write("</Folder>\n")


def _place(piece: Piece, values: dict[str, object], geometry: shapely.Geometry | None) -> str:
    name = next((values[column] for column in _NAMES if values.get(column)), "")
    data = "".join(
        f"<Data name={quoteattr(column)}><value>{escape(plain(value, _LONGEST_VALUE))}</value></Data>"
        for column, value in values.items()
        if value is not None
    )
    return (
        f"<Placemark><name>{escape(plain(name))}</name><styleUrl>#{_style_of(piece, values)}</styleUrl>"
        f"<ExtendedData>{data}</ExtendedData>{'' if geometry is None else _shape(geometry)}</Placemark>\n"
    )


def _style_of(piece: Piece, values: dict[str, object]) -> str:
    if piece.layer in ("areas", "remaining"):
        return str(values["kind"]) if values["kind"] in KIND_FILLS else "other"
    if piece.layer in ("overlaps", "cases"):
        return "overlaps"
    return piece.layer if piece.layer == "hazard_unresolved" else "outline"


def _shape(geometry: shapely.Geometry) -> str:
    parts = "".join(_part(part) for part in shapely.get_parts(geometry))
    return f"<MultiGeometry>{parts}</MultiGeometry>"


def _part(part: Any) -> str:
    if part.geom_type == "Point":
        return f"<Point><coordinates>{_points(part)}</coordinates></Point>"
    if part.geom_type != "Polygon":
        return f"<LineString><coordinates>{_points(part)}</coordinates></LineString>"
    holes = "".join(f"<innerBoundaryIs>{_ring(ring)}</innerBoundaryIs>" for ring in part.interiors)
    return f"<Polygon><outerBoundaryIs>{_ring(part.exterior)}</outerBoundaryIs>{holes}</Polygon>"


def _ring(ring: shapely.Geometry) -> str:
    return f"<LinearRing><coordinates>{_points(ring)}</coordinates></LinearRing>"


def _points(line: shapely.Geometry) -> str:
    return " ".join(f"{x:.{_DECIMALS}f},{y:.{_DECIMALS}f}" for x, y in shapely.get_coordinates(line))
