"""Write the deliveries, each in its format; the same records give the same bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyogrio
import shapely

from .attributes import Attributes
from .columns import Columns, Sheet, point_columns
from .delivery_plan import DELIVERIES, POINTS_FILE, Delivery
from .geometries import as_wkb, as_wkt, delivered_rings, missing
from .kml import write_kml
from .places import EQUAL_AREA_CRS, LON_LAT_CRS
from .points import Points
from .records import Records
from .rings import transform_xy

# The files say that they were written on this day, whenever that was.
WRITTEN_ON = "2026-04-01"
_GDAL_SETTINGS = {"OGR_CURRENT_DATE": f"{WRITTEN_ON}T00:00:00.000Z", "OGR_SQLITE_SYNCHRONOUS": "OFF"}
_LAYER_OPTIONS: dict[str, dict[str, str]] = {
    "ESRI Shapefile": {"ENCODING": "UTF-8", "DBF_DATE_LAST_UPDATE": WRITTEN_ON},
    "GeoJSON": {"RFC7946": "NO", "COORDINATE_PRECISION": "15"},
    "GPKG": {},
}


@contextmanager
def fixed_gdal_settings() -> Iterator[None]:
    """Let GDAL write a fixed date into GeoPackages while the block runs."""
    before = {name: pyogrio.get_gdal_config_option(name) for name in _GDAL_SETTINGS}
    pyogrio.set_gdal_config_options(_GDAL_SETTINGS)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


def write_all(folder: Path, records: Records, attributes: Attributes, points: Points) -> None:
    """Write all deliveries into an empty folder."""
    with fixed_gdal_settings():
        for number, delivery in enumerate(DELIVERIES):
            write_delivery(folder, records, attributes, number, delivery)
        _write_points(folder / POINTS_FILE, points)


def write_delivery(
    folder: Path, records: Records, attributes: Attributes, number: int, delivery: Delivery
) -> None:
    """Write one layer of one delivery."""
    path = folder / delivery.file
    columns = Sheet(records, attributes, number).columns(number)
    if delivery.driver == "CSV":
        _write_csv(path, {**columns, "wkt": as_wkt(records, number)})
    elif delivery.driver == "KML":
        rings = delivered_rings(records, number)
        write_kml(path, "HALO areas", columns, rings, set(missing(records, number).tolist()))
    elif path.suffix == ".zip":
        _write_zipped(path, {**columns, "geometry": as_wkb(records, number)}, delivery)
    else:
        _write_vector(path, {**columns, "geometry": as_wkb(records, number)}, delivery, "Polygon")
        if not delivery.states_crs:
            path.with_suffix(".prj").unlink()


def _write_vector(path: Path, columns: Columns, delivery: Delivery, geometry_type: str) -> None:
    """Write a table with a WKB column through GDAL."""
    pyogrio.write_arrow(
        pa.table(columns),
        path,
        layer=delivery.layer or path.stem,
        driver=delivery.driver,
        geometry_name="geometry",
        geometry_type=geometry_type,
        crs=delivery.crs,
        dataset_options={"VERSION": "1.2"} if delivery.driver == "GPKG" else None,
        layer_options=_LAYER_OPTIONS[delivery.driver],
    )


def _write_zipped(path: Path, columns: Columns, delivery: Delivery) -> None:
    """Write a shapefile and pack its parts into one zip."""
    inner = path.with_suffix(".shp")
    _write_vector(inner, columns, delivery, "Polygon")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part in sorted(path.parent.glob(f"{path.stem}.*")):
            if part == path:
                continue
            entry = zipfile.ZipInfo(part.name, (2026, 4, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as target, part.open("rb") as source:
                while block := source.read(1 << 20):
                    target.write(block)
            part.unlink()


def _write_csv(path: Path, columns: Columns) -> None:
    """Write a CSV table in UTF-8, quoted where needed."""
    options = pyarrow.csv.WriteOptions(quoting_style="needed")
    pyarrow.csv.write_csv(pa.table(columns), path, options)


def _write_points(path: Path, points: Points) -> None:
    """Write the points as GeoJSON in lon/lat."""
    lonlat = transform_xy(points.xy, EQUAL_AREA_CRS, LON_LAT_CRS)
    wkb: Any = shapely.to_wkb(shapely.points(np.ascontiguousarray(lonlat)))
    columns = {**point_columns(points), "geometry": pa.array(wkb, pa.binary())}
    _write_vector(path, columns, Delivery(POINTS_FILE, "", "GeoJSON", LON_LAT_CRS, ""), "Point")
