"""The sample as a GeoPackage: the areas drawn and the boxes in them, in the working CRS of the result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from geopipe.io.geopackage import Layer, write_geopackage
from geopipe.picked import Picked
from geopipe.sampling.drawing import DrawnArea, Sample
from geopipe.sampling.texts import CONFIDENTIAL

# What is shown of a record: nothing that could name a person.
_RECORD = (
    "operator", "source_id", "record_id", "kind", "date_completed", "clearance_depth_cm",
    "province_located", "district_located",
)  # fmt: skip


def write_layers(path: Path, sample: Sample) -> None:
    """Write the areas, and the boxes where there are any, into a new GeoPackage."""
    layers = [_layer("areas_drawn", [area.own for area in sample.areas], _areas(sample))]
    if sample.plan.boxes is not None:
        layers.append(_layer("boxes", [spot.ground for spot in sample.spots], _boxes(sample)))
    write_geopackage(path, layers, sample.published.crs)


def _layer(name: str, grounds: list[object], columns: dict[str, pa.Array]) -> Layer:
    geometry = np.empty(len(grounds), dtype=object)
    geometry[:] = grounds
    return Layer(name, Picked(pa.table(columns)), geometry, "MultiPolygon")


def _areas(sample: Sample) -> dict[str, pa.Array]:
    areas = sample.areas
    return {
        "id": pa.array([area.id for area in areas], pa.string()),
        **_of_records(areas),
        "stratum": pa.array([" / ".join(area.stratum) for area in areas], pa.string()),
        "ground_m2": pa.array([area.ground_m2 for area in areas], pa.float64()),
        "probability": pa.array([area.probability for area in areas], pa.float64()),
        "warning": pa.array([area.warning for area in areas], pa.string()),
        "note": pa.array([CONFIDENTIAL] * len(areas), pa.string()),
    }


def _boxes(sample: Sample) -> dict[str, pa.Array]:
    spots = sample.spots
    return {
        "id": pa.array([spot.id for spot in spots], pa.string()),
        "area_id": pa.array([spot.area.id for spot in spots], pa.string()),
        **_of_records([spot.area for spot in spots]),
        "box_side_m": pa.array([spot.box_side_m for spot in spots], pa.float64()),
        "ground_m2": pa.array([spot.ground_m2 for spot in spots], pa.float64()),
        "longitude": pa.array([spot.centre[0] for spot in spots], pa.float64()),
        "latitude": pa.array([spot.centre[1] for spot in spots], pa.float64()),
        "probability": pa.array([spot.probability for spot in spots], pa.float64()),
        "warning": pa.array([spot.warning for spot in spots], pa.string()),
        "note": pa.array([CONFIDENTIAL] * len(spots), pa.string()),
    }


def _of_records(areas: tuple[DrawnArea, ...] | list[DrawnArea]) -> dict[str, pa.Array]:
    kinds = {"date_completed": pa.date32(), "clearance_depth_cm": pa.float64()}
    return {
        name: pa.array([area.columns[name] for area in areas], kinds.get(name, pa.string()))
        for name in _RECORD
    }
