"""The real job as a plain geopandas script: `geopandas_script.py FOLDER OUTPUT`.

Reads every delivery, assumes a CRS where none is stated, mends, moves all to one CRS, joins and writes each
pair that shares ground. It has no ids, no duplicates, no versions, no kinds, no findings, no return files and
no summary, and believes whatever GEOS says.
"""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
from job import told

EQUAL_AREA = (
    "+proj=aea +lat_1=15 +lat_2=21 +lat_0=18 +lon_0=104 +x_0=500000 +y_0=2000000 +datum=WGS84 +units=m"
)
ASSUMED = "EPSG:32648"


def read_folder(folder: Path) -> gpd.GeoDataFrame:
    """Read all layers of polygons in a folder."""
    frames = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".csv":
            table = pd.read_csv(path, dtype=str)
            for srid, rows in table.groupby("srid"):
                shapes = gpd.GeoSeries.from_wkt(rows["wkt"], crs=f"EPSG:{srid}", on_invalid="ignore")
                frames.append(gpd.GeoDataFrame(geometry=shapes).assign(file=path.name))
        elif path.suffix in (".shp", ".gpkg", ".geojson", ".kml", ".zip"):
            for layer, _ in pyogrio.list_layers(path):
                frame = gpd.read_file(path, layer=layer, use_arrow=True, on_invalid="ignore")
                frame = frame[["geometry"]].assign(file=f"{path.name}/{layer}")
                frames.append(frame if frame.crs else frame.set_crs(ASSUMED))
    moved = [frame.to_crs(EQUAL_AREA) for frame in frames]
    return pd.concat(moved, ignore_index=True)


def main() -> None:
    folder, target = told()
    areas = read_folder(folder)
    areas["geometry"] = areas.geometry.force_2d()
    invalid = ~areas.geometry.is_valid
    areas.loc[invalid, "geometry"] = areas.geometry[invalid].make_valid()
    areas = areas[areas.geometry.area > 0].reset_index(drop=True)
    pairs = gpd.sjoin(areas, areas, predicate="intersects").reset_index(names="index_left")
    pairs = pairs[pairs["index_left"] < pairs["index_right"]]
    left, right = (areas.loc[pairs[f"index_{side}"]].reset_index(drop=True) for side in ("left", "right"))
    ground = left.geometry.intersection(right.geometry)
    found = gpd.GeoDataFrame(
        {"left_file": left["file"], "right_file": right["file"], "area_m2": ground.area},
        geometry=ground,
        crs=EQUAL_AREA,
    )
    found[found["area_m2"] > 0].to_file(target, driver="GPKG", use_arrow=True)


if __name__ == "__main__":
    main()
