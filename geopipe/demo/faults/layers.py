"""Write deliveries as files of GIS programs: shapefile, GeoPackage, FlatGeobuf, GeoParquet."""

from __future__ import annotations

import datetime as dt
import json
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio
from pyproj import CRS

from geopipe.demo.writers import WRITTEN_ON

from .geometry import wkb
from .sheet import Shape, Sheet

_TYPES = {Shape.AREA: "Polygon", Shape.LINE: "LineString", Shape.POINT: "Point"}


def arrow_columns(sheet: Sheet) -> dict[str, Any]:
    """Return the attribute columns in the type that all their values share, else as text."""
    return {name: _array(values) for name, values in sheet.columns().items()}


def _array(values: list[Any]) -> Any:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1 and kinds <= {int, float}:
        return pa.array(values, pa.float64())
    if len(kinds) == 1 and kinds <= {int, float, dt.date}:
        return pa.array(values, {int: pa.int64(), float: pa.float64(), dt.date: pa.date32()}[kinds.pop()])
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def write_shapefile(sheet: Sheet, path: Path) -> list[int]:
    """Write a shapefile; return the number of each record as readers count them."""
    options = {"ENCODING": "UTF-8", "DBF_DATE_LAST_UPDATE": WRITTEN_ON}
    _write(sheet, path, "ESRI Shapefile", options)
    if not sheet.stated_crs:
        path.with_suffix(".prj").unlink(missing_ok=True)
    return _in_order(sheet)


def write_zipped_shapefile(sheet: Sheet, path: Path) -> list[int]:
    """Write a shapefile and pack its parts into one zip."""
    inner = path.with_suffix(".shp")
    rows = write_shapefile(sheet, inner)
    parts = sorted(path.parent.glob(f"{path.stem}.*"))
    pack(path, [(part.name, part.read_bytes()) for part in parts])
    for part in parts:
        part.unlink()
    return rows


def write_geopackage(sheet: Sheet, path: Path) -> list[int]:
    """Write a GeoPackage of one layer."""
    _write(sheet, path, "GPKG", {}, {"VERSION": "1.2"})
    return _in_order(sheet)


def write_flatgeobuf(sheet: Sheet, path: Path) -> list[int]:
    """Write a FlatGeobuf file, without the index that would sort its records."""
    _write(sheet, path, "FlatGeobuf", {"SPATIAL_INDEX": "NO"})
    return _in_order(sheet)


def _write(
    sheet: Sheet, path: Path, driver: str, options: dict[str, str], dataset: dict[str, str] | None = None
) -> None:
    """Write a table with a WKB column through GDAL."""
    made = [wkb(record, sheet.shape) for record in sheet.records]
    parted = any(len(record.parts) > 1 for record in sheet.records)
    width = max((ring.shape[1] for r in sheet.records for part in r.parts for ring in part), default=2)
    kind = ("Multi" if parted else "") + _TYPES[sheet.shape] + (" Z" if width > 2 else "")
    # The library has no word for measures, and FlatGeobuf takes single and multiple polygons only so.
    if width > 3 or (driver == "FlatGeobuf" and (parted or not all(made))):
        kind = "Unknown"
        options = {**options, **({"SHPT": "POLYGONZM"} if driver == "ESRI Shapefile" else {})}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a file states no CRS is meant
        pyogrio.write_arrow(
            pa.table({**arrow_columns(sheet), "geometry": pa.array(made, pa.binary())}),
            path,
            layer=path.stem,
            driver=driver,
            geometry_name="geometry",
            geometry_type=kind,
            crs=sheet.stated_crs or None,
            dataset_options=dataset,
            layer_options=options,
        )


def write_geoparquet(sheet: Sheet, path: Path) -> list[int]:
    """Write a GeoParquet file with Arrow."""
    import pyarrow.parquet as pq

    made = [wkb(record, sheet.shape) for record in sheet.records]
    table = pa.table({**arrow_columns(sheet), "geometry": pa.array(made, pa.binary())})
    crs = json.loads(CRS.from_user_input(sheet.stated_crs).to_json()) if sheet.stated_crs else None
    about: dict[str, Any] = {"encoding": "WKB", "geometry_types": [], "crs": crs}
    geo = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": about}}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return _in_order(sheet)


def pack(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write a zip whose members bear a fixed date."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, (2026, 4, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)


def _in_order(sheet: Sheet) -> list[int]:
    return list(range(1, len(sheet.records) + 1))
