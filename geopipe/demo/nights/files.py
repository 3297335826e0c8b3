"""Write the registers of one night, each in its format; the same records give the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from geopipe.demo.columns import dated
from geopipe.demo.places import BOXES, EQUAL_AREA_CRS
from geopipe.demo.rings import transform_xy
from geopipe.demo.writers import fixed_gdal_settings
from geopipe.terms import HAZARD_KINDS

from .world import REGISTERS, Area, Register

# A file that was cut off keeps this share of its bytes.
_KEPT_SHARE = 0.4
_CONFIGURATION = """\
# What the operators delivered on {day}: whole registers. Run the nights one after the other.
deliveries:
  - {{path: ., mode: snapshot}}
workspace: ../work
output: ../out
today: {day}
working_crs: "{crs}"
"""


def write_configuration(folder: Path, day: str) -> None:
    """Write the configuration of a night: `geopipe run FOLDER/run.yaml`."""
    text = _CONFIGURATION.format(day=day, crs=EQUAL_AREA_CRS)
    (folder / "run.yaml").write_text(text, encoding="utf-8", newline="\n")


def write_registers(folder: Path, areas: list[Area]) -> None:
    """Write each register that has records into a file of its own."""
    with fixed_gdal_settings():
        for number, register in enumerate(REGISTERS):
            rows = [area for area in areas if area.register == number]
            if rows:
                _write(folder / register.file, register, rows)


def cut_off(path: Path) -> None:
    """Leave only the beginning of a file, as a broken connection does."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * _KEPT_SHARE)])


def _write(path: Path, register: Register, rows: list[Area]) -> None:
    geopackage = path.suffix == ".gpkg"
    options = {} if geopackage else {"RFC7946": "NO", "COORDINATE_PRECISION": "15"}
    pyogrio.write_arrow(
        pa.table({**_columns(register, rows), "geometry": _delivered(register, rows)}),
        path,
        layer=path.stem,
        driver="GPKG" if geopackage else "GeoJSON",
        geometry_name="geometry",
        geometry_type="Polygon",
        crs=register.crs,
        dataset_options={"VERSION": "1.2"} if geopackage else None,
        layer_options=options,
    )


def _delivered(register: Register, rows: list[Area]) -> Any:
    """Return the polygons in the operator's CRS as WKB; each turning point is transformed by itself."""
    polygons = np.array([area.polygon for area in rows], dtype=object)
    there = shapely.transform(polygons, lambda xy: transform_xy(xy, EQUAL_AREA_CRS, register.crs))
    return pa.array(shapely.to_wkb(there), pa.binary())


def _columns(register: Register, rows: list[Area]) -> dict[str, Any]:
    ids = [area.source_id for area in rows]
    places = [BOXES[area.box] for area in rows]
    informed = dated(np.array([area.informed for area in rows]))
    place = {
        "operator": [register.operator] * len(rows),
        "province": [box.province for box in places],
        "district": [box.district for box in places],
        "date_of_information": informed,
        "area_m2": [round(area.polygon.area, 1) for area in rows],
    }
    if register.says in HAZARD_KINDS:
        surveyed = dated(np.array([area.surveyed for area in rows]))
        return {"hazard_id": ids, "status": ["Open"] * len(rows), "survey_date": surveyed, **place}
    completed = dated(np.array([area.completed for area in rows]))
    return {
        "completion_id": ids,
        "status": ["Closed"] * len(rows),
        "release_type": ["Cleared"] * len(rows),
        "completion_date": completed,
        "clearance_depth_cm": pa.array([25] * len(rows), pa.int32()),
        **place,
    }
