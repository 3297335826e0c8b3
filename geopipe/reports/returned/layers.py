"""Write a return as a GeoPackage: the points to look at, and the records around them, in WGS 84."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from geopipe.catalogue import Language
from geopipe.crs import parse_crs
from geopipe.geometry import LINES, POINTS, POLYGONS
from geopipe.io.geopackage import Layer, write_geopackage
from geopipe.picked import Picked
from geopipe.reports.returned.returns import LANGUAGES, Return
from geopipe.reports.returned.texts import ANSWER_COLUMNS, COLUMNS

# Layer, types of geometry, declared type: programs want one type in a layer. A ring that is no polygon
# is a line; what could be read of a record may be a single point.
_OUTLINES: tuple[tuple[str, Sequence[int], str], ...] = (
    ("records", POLYGONS, "MultiPolygon"),
    ("record_lines", LINES, "MultiLineString"),
    ("record_points", POINTS, "MultiPoint"),
)


def write_layers(path: Path, back: Return, languages: Sequence[Language] = LANGUAGES) -> None:
    """Write the GeoPackage of one sender into a new file.

    Layer `returned` holds a point for each line of the workbook (no geometry where no place is known),
    `records` the outlines; `record_lines` and `record_points` are there only where they are needed.

    Raises
    ------
    OutputError
        When the disk refuses, or the file read back does not hold what was written.
    """
    layers = [_points(back, languages)]
    types = shapely.get_type_id(back.outlines.geometry)
    for name, wanted, declared in _OUTLINES:
        shown = back.outlines.take(np.isin(types, list(wanted)))
        if len(shown) or name == "records":
            layers.append(Layer(name, shown.table, shown.geometry, declared))
    write_geopackage(path, layers, str(parse_crs("EPSG:4326").to_wkt()))


def _points(back: Return, languages: Sequence[Language]) -> Layer:
    """Return the lines with the same columns as the workbook."""
    size = len(back.rows)
    made = {"number": pa.array(np.arange(1, size + 1))}
    made |= {name: pa.nulls(size, pa.string()) for name in ANSWER_COLUMNS}
    left_out = tuple(f"_{language}" for language in LANGUAGES if language not in languages)
    names = [name for name in COLUMNS if not left_out or not name.endswith(left_out)]
    table = pa.table({name: made[name] if name in made else back.rows.table[name] for name in names})
    return Layer("returned", Picked(table), back.rows.geometry, "Point")
