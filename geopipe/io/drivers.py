"""Open files with GDAL, in a reader process, with nothing more than geopipe needs switched on.

Only this module imports pyogrio and fiona for reading, and only after `gdal_environment` has been
applied to the process: driver lists are made once, when the library is loaded.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from geopipe import runtime  # noqa: F401  fiona needs what it loads

ALLOWED_DRIVERS = frozenset(
    {"ESRI Shapefile", "GPKG", "OpenFileGDB", "GeoJSON", "GeoJSONSeq", "LIBKML", "FlatGeobuf"}
)


def _pyogrio() -> ModuleType:
    """Import pyogrio, which must not happen before the environment of the process is set."""
    import pyogrio

    # Its warnings (several layers, M values) are said by geopipe in its own words where they matter.
    warnings.filterwarnings("ignore", module="pyogrio")
    warnings.filterwarnings("ignore", message="Measured")
    module: ModuleType = pyogrio
    return module


def driver_names() -> set[str]:
    """Return the vector drivers that are switched on in this process."""
    return set(_pyogrio().list_drivers())


def layer_names(path: Path) -> list[tuple[str, bool]]:
    """Return the name of each layer and whether it has a geometry."""
    return [(str(name), kind is not None) for name, kind in _pyogrio().list_layers(str(path))]


def geodatabase_numbers(path: Path) -> dict[str, int]:
    """Return the number of the file of each table of a File Geodatabase, from its own catalogue."""
    try:
        _, table = read_arrow(path, "GDB_SystemCatalog", LIST_ALL_TABLES="YES")
        return dict(zip(table["Name"].to_pylist(), table.column(0).to_pylist(), strict=True))
    except Exception:  # without its catalogue the rows are counted another way
        return {}


def read_arrow(
    path: Path, layer: str | None = None, encoding: str | None = None, **options: str
) -> tuple[dict[str, Any], pa.Table]:
    """Return the metadata and the Arrow table of a layer, record numbers of the file included.

    Parameters
    ----------
    path : Path
        The file; its name must be free of the signs that `unsafe_name` tells of.
    layer : str, optional
        Layer to read; the first one by default.
    encoding : str, optional
        Encoding of a shapefile's text.
    **options : str
        Open options of the driver.
    """
    raw = _pyogrio().raw
    # `meta["fid_column"]` is empty where the driver has none: the column is then called OGC_FID.
    return raw.read_arrow(str(path), layer=layer, encoding=encoding, return_fids=True, **options)  # type: ignore[no-any-return]


def linear_geometry(path: Path, layer: str | None, **options: str) -> list[bytes | None]:
    """Return the WKB of a layer with its curves turned into short straight lines."""
    return list(_pyogrio().raw.read(str(path), layer=layer, columns=[], **options)[2])


def unsafe_name(path: Path) -> bool:
    """Tell whether a file name would be taken for an address, an archive or a list by pyogrio."""
    from pyogrio.util import vsi_path  # exactly the function that would misread it

    _pyogrio()
    return str(vsi_path(str(path))) != str(path)


def count_with_fiona(path: Path, layer: str, driver: str) -> int | None:
    """Return the number of records that the older, second GDAL sees; None when it cannot say."""
    import fiona

    try:
        with fiona.open(str(path), layer=layer, enabled_drivers=[driver]) as collection:
            return len(collection)
    except Exception:
        return None


def read_with_fiona(
    path: Path, layer: str | None, driver: str, encoding: str | None = None
) -> tuple[dict[str, Any], pa.Table]:
    """Return metadata and table of a layer read record by record with the second GDAL."""
    import fiona

    from geopipe.io.frames import table_of_records
    from geopipe.io.textgeometry import wkb_from_geojson

    geometries: list[bytes | None] = []
    records: list[dict[str, Any]] = []
    trouble: list[str | None] = []
    with fiona.open(str(path), layer=layer, enabled_drivers=[driver], encoding=encoding) as collection:
        wkt = collection.crs_wkt or None
        meta = {"crs": wkt, "geometry_type": collection.schema.get("geometry", "Unknown")}
        for feature in collection:
            reason = None
            geometry = None
            if feature.geometry is not None:
                try:
                    geometry = wkb_from_geojson(_plain(feature.geometry.__geo_interface__))
                except ValueError as error:
                    reason = f"the geometry could not be read: {error}"
            geometries.append(geometry)
            trouble.append(reason)
            records.append(dict(feature.properties))
    return meta, table_of_records(records, geometries, trouble)


def _plain(value: Any) -> Any:
    """Return the tuples of a geometry as lists."""
    if isinstance(value, (list, tuple)):
        if value and isinstance(value[0], (int, float)):
            return list(value)
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
