"""Plain Arrow reading and writing, and GEOS in threads, for the peers that are written by hand."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Areas:
    """Operator and kind as strings, geometry in metres, the CRS as WKT; the row is the id."""

    operator: np.ndarray
    kind: np.ndarray
    geometry: np.ndarray
    crs: str


def read_areas(path: Path) -> Areas:
    """Read the areas with Arrow and decode their WKB."""
    meta, table = pyogrio.read_arrow(path, columns=["operator", "kind"])
    operator, kind = (table[name].to_numpy(zero_copy_only=False).astype(str) for name in ("operator", "kind"))
    wkb = table[meta["geometry_name"] or "wkb_geometry"].to_numpy(zero_copy_only=False)
    return Areas(operator, kind, shapely.from_wkb(wkb), meta["crs"])


def write_pairs(
    path: Path, left: np.ndarray, right: np.ndarray, area_m2: np.ndarray, ground: np.ndarray, crs: str
) -> None:
    """Write pairs with Arrow."""
    table = pa.table(
        {
            "left": left.astype(np.int64),
            "right": right.astype(np.int64),
            "area_m2": area_m2,
            "geometry": pa.array(shapely.to_wkb(ground, flavor="iso"), pa.binary()),
        }
    )
    pyogrio.write_arrow(
        table, path, driver="GPKG", layer="pairs", geometry_name="geometry", geometry_type="Unknown", crs=crs
    )


def in_threads(function: Callable[..., np.ndarray], *arrays: np.ndarray) -> np.ndarray:
    """Call a shapely function, which lets go of the interpreter, on pieces of arrays, one thread per core."""
    pieces = [np.array_split(array, 8 * CORES) for array in arrays]
    with ThreadPoolExecutor(CORES) as pool:
        return np.concatenate(list(pool.map(function, *pieces)))
