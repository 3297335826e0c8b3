"""Measured pairs as Arrow tables, for files."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely

from geopipe.engine.measure import Measured
from geopipe.schema import Indices

COLUMNS = (
    ("area_m2", pa.float64()),
    ("perimeter_m", pa.float64()),
    ("width_m", pa.float64()),
    ("confidence", pa.dictionary(pa.int8(), pa.string())),
    ("geometry", pa.large_binary()),
)
FIGURES = ("area_m2", "perimeter_m", "width_m")


def table_of(measured: Measured) -> pa.Table:
    """Return the figures and polygons of pairs, without their row numbers."""
    confidence = pa.array(measured.confidence, pa.string()).dictionary_encode()
    columns = {name: pa.array(getattr(measured, name)) for name in FIGURES}
    columns["confidence"] = confidence.cast(pa.dictionary(pa.int8(), pa.string()))
    columns["geometry"] = pa.array(shapely.to_wkb(measured.geometry), pa.large_binary())
    return pa.table(columns, schema=pa.schema(COLUMNS))


def measured_of(table: pa.Table, left: Indices, right: Indices) -> Measured:
    """Return pairs from their figures and polygons."""
    area_m2, perimeter_m, width_m = (np.array(table[name].to_numpy()) for name in FIGURES)
    confidence = np.asarray(table["confidence"].cast(pa.string()).to_numpy(), dtype=object)
    geometry = np.asarray(shapely.from_wkb(table["geometry"].to_numpy()), dtype=object)
    return Measured(left, right, geometry, area_m2, perimeter_m, width_m, confidence)
