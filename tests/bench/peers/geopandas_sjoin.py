"""What somebody who knows geopandas writes: `sjoin`, a filter, `intersection` of the matched rows."""

import geopandas as gpd
from job import told


def main() -> None:
    source, target = told()
    areas = gpd.read_file(source, columns=["id", "operator", "kind"], use_arrow=True)
    pairs = gpd.sjoin(areas, areas, predicate="intersects").reset_index(drop=True)
    pairs = pairs[
        (pairs["id_left"] < pairs["id_right"])
        & (pairs["operator_left"] != pairs["operator_right"])
        & (pairs["kind_left"] == pairs["kind_right"])
    ]
    left, right = (areas.geometry.iloc[pairs[side].to_numpy()] for side in ("id_left", "id_right"))
    ground = left.reset_index(drop=True).intersection(right.reset_index(drop=True))
    found = gpd.GeoDataFrame(
        {"left": pairs["id_left"].to_numpy(), "right": pairs["id_right"].to_numpy(), "area_m2": ground.area},
        geometry=ground,
        crs=areas.crs,
    )
    found[found["area_m2"] > 0].to_file(target, driver="GPKG", use_arrow=True)


if __name__ == "__main__":
    main()
