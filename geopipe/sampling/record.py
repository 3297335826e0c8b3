"""`sample.json`: all that makes a draw repeatable, and what the filled sheet is held against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import shapely

from geopipe._version import __version__
from geopipe.contracts import newest_schema
from geopipe.errors import ConfigError, OutputError
from geopipe.sampling.drawing import DrawnArea, Sample, Spot
from geopipe.sampling.population import as_plain
from geopipe.sampling.texts import CONFIDENTIAL, NOT_SAFE, RULE

RECORD = "sample.json"


def fixed_columns(spot: Spot) -> dict[str, Any]:
    """Return what the sheet says about a spot, as plain values."""
    own = spot.area.columns
    return {
        "id": spot.id,
        "operator": own["operator"],
        "own_id": own["source_id"],
        "record_id": own["record_id"],
        "kind": own["kind"],
        "completed_on": own["date_completed"].isoformat() if own["date_completed"] else None,
        "depth_cm": own["clearance_depth_cm"],
        "province": own["province_located"],
        "district": own["district_located"],
        "longitude": spot.centre[0],
        "latitude": spot.centre[1],
        "box_side_m": spot.box_side_m,
        "ground_m2": round(spot.ground_m2, 2),
        "warning": spot.warning or None,
    }


def record_of(sample: Sample, files: dict[str, str]) -> dict[str, Any]:
    """Return a sample as plain values; `files` are its other files with their sha256."""
    return {
        "schema": newest_schema("sample-draw"),
        "sample": sample.id,
        "confidential": CONFIDENTIAL,
        "geopipe": __version__,
        "result": sample.published.facts,
        "plan": sample.plan.as_dict(),
        "population": {
            "areas": len(sample.population.areas),
            "ground_m2": sample.population.total_m2,
            "sha256_of_rows_and_ground": sample.population.digest,
            "not_in_period": sample.population.not_in_period,
            "rule": RULE,
        },
        "excluded": as_plain(sample.excluded),
        "size_limits_m2": list(sample.size_limits_m2),
        "strata": list(sample.strata),
        "notes": list(sample.notes),
        "remember": NOT_SAFE,
        "areas": [_area(area) for area in sample.areas],
        "spots": [_spot(spot) for spot in sample.spots],
        "files": files,
    }


def _area(area: DrawnArea) -> dict[str, Any]:
    return {
        "id": area.id,
        "record_id": area.columns["record_id"],
        "row_id": area.columns["row_id"],
        "stratum": list(area.stratum),
        "record_m2": float(shapely.area(area.whole)),
        "ground_m2": area.ground_m2,
        "weight": area.weight,
        "probability": area.probability,
        "boxes_in_it": area.boxes,
    }


def _spot(spot: Spot) -> dict[str, Any]:
    return {
        "fixed": fixed_columns(spot),
        "area_id": spot.area.id,
        "stratum": list(spot.area.stratum),
        "probability": spot.probability,
        "corners": corners_of(spot),
    }


def corners_of(spot: Spot) -> list[list[list[float]]]:
    """Return the corner points (lon, lat) of a spot, ring by ring, without the point that closes each."""
    rings = shapely.get_rings(shapely.get_parts(spot.lonlat))
    return [shapely.get_coordinates(ring)[:-1].tolist() for ring in rings]


def read_record(folder: Path) -> dict[str, Any]:
    """Read `sample.json` of a sample.

    Raises
    ------
    ConfigError
        When the folder holds no sample.
    OutputError
        When the file is damaged.
    """
    path = folder / RECORD
    if not path.is_file():
        raise ConfigError(
            "this folder holds no sample", str(folder), "Name the DIR of `geopipe sample draw`."
        )
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        record["sample"], record["strata"]
        for spot in record["spots"]:
            spot["fixed"]["id"], spot["area_id"], spot["stratum"], spot["probability"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "Draw it again into another folder: same result, same plan, same seed."
        raise OutputError("the record of the sample is damaged", str(path), remedy) from error
    return record
