"""What hostile inputs try to reach: files outside, and an address; and the list in which they stand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import shapely
from pyogrio.raw import write_arrow

SECRET = "CANARY-5d41402abc4b"
WKT = "POLYGON((105 17.5,105.002 17.5,105.002 17.502,105 17.502,105 17.5))"
RING = [[105, 17.5], [105.002, 17.5], [105.002, 17.502], [105, 17.502], [105, 17.5]]

GEOGCS = (
    'GEOGCS["x",DATUM["x",SPHEROID["x",6378137,298.25],EXTENSION["PROJ4_GRIDS","{grid}"]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]'
)


@dataclass(frozen=True)
class Trap:
    """Files that nobody delivered, each holding the secret, and an address that counts who calls.

    Parameters
    ----------
    folder : Path
        Holds ``canary.geojson``, ``.csv``, ``.txt``, ``.gpkg``, ``.kml`` and the parts of a shapefile.
    url : str
        Address of a server on this machine.
    """

    folder: Path
    url: str

    def __getitem__(self, name: str) -> Path:
        return self.folder / name


@dataclass(frozen=True)
class Input:
    """One hostile input: `make` puts it into an empty folder."""

    name: str
    group: str
    make: Callable[[Path, Trap], object]
    is_slow: bool = False


INPUTS: dict[str, Input] = {}
Maker = Callable[[Path, Trap], object]


def add(group: str, name: str, make: Maker, is_slow: bool = False) -> None:
    """Put an input on the list; no two have one name."""
    assert name not in INPUTS, name
    INPUTS[name] = Input(name, group, make, is_slow)


def hostile(group: str, is_slow: bool = False) -> Callable[[Maker], Maker]:
    """Put a maker on the list under the name of its function."""

    def listed(make: Maker) -> Maker:
        add(group, make.__name__, make, is_slow)
        return make

    return listed


def geojson(*features: object, **more: object) -> str:
    """Return a collection of features as text."""
    return json.dumps({"type": "FeatureCollection", **more, "features": list(features)}, ensure_ascii=False)


def feature(geometry: object = None, **properties: object) -> dict[str, object]:
    """Return a feature: a square, where no geometry is given."""
    shape = {"type": "Polygon", "coordinates": [RING]} if geometry is None else geometry
    return {"type": "Feature", "properties": {"cha_id": "X-1", **properties}, "geometry": shape}


def table(count: int = 2, **columns: list[str]) -> pa.Table:
    """Return squares with an id and a remark."""
    squares = [shapely.box(105 + n / 100, 17.5, 105.002 + n / 100, 17.502) for n in range(count)]
    values = {"cha_id": [f"X-{n}" for n in range(count)], "remark": ["plain"] * count} | columns
    own = {name: pa.array(items, pa.string()) for name, items in values.items()}
    return pa.table(own | {"geometry": pa.array(shapely.to_wkb(squares), pa.binary())})


def write(path: Path, driver: str, data: pa.Table | None = None, **more: object) -> Path:
    """Write squares with GDAL."""
    told = {"geometry_type": "Polygon", "crs": "EPSG:4326", "geometry_name": "geometry"} | more
    if driver == "GPKG":
        told["layer_options"] = {"GEOMETRY_NAME": "geometry"}
    write_arrow(table() if data is None else data, path, driver=driver, **told)
    return path


def set_trap(folder: Path, url: str) -> Trap:
    """Write the files that nobody must read."""
    folder.mkdir(parents=True)
    secret = table(2, remark=[SECRET, SECRET])
    write(folder / "canary.gpkg", "GPKG", secret)
    write(folder / "canary.shp", "ESRI Shapefile", secret)
    (folder / "canary.geojson").write_text(geojson(feature(remark=SECRET)))
    (folder / "canary.csv").write_text(f'cha_id,remark,wkt\nX-1,{SECRET},"{WKT}"\n')
    (folder / "canary.txt").write_text(SECRET)
    (folder / "canary.kml").write_text(kml(f"<Placemark><name>{SECRET}</name></Placemark>"))
    (folder / "canary.gdb").mkdir()
    shutil.copy(folder / "canary.gpkg", folder / "canary.gdb" / "a00000001.gdbtable")
    return Trap(folder, url)


def kml(inside: str, before: str = "", document: str = "") -> str:
    """Return a KML text."""
    start = f'<?xml version="1.0" encoding="UTF-8"?>{before}<kml xmlns="http://www.opengis.net/kml/2.2">'
    return f"{start}<Document>{document}{inside}</Document></kml>"


def placemark(name: str = "X-1", ring: str = "105,17.5 105.002,17.5 105.002,17.502 105,17.5") -> str:
    """Return a Placemark with a polygon."""
    boundary = (
        f"<outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs>"
    )
    return f"<Placemark><name>{name}</name><Polygon>{boundary}</Polygon></Placemark>"
