"""What the manual of geopandas suggests: `overlay` of each operator with the others, then a filter."""

import geopandas as gpd
import pandas as pd
from job import told


def main() -> None:
    source, target = told()
    areas = gpd.read_file(source, columns=["id", "operator", "kind"], use_arrow=True)
    parts = []
    operators = sorted(areas["operator"].unique())
    for number, operator in enumerate(operators[:-1]):
        one = areas[areas["operator"] == operator]
        others = areas[areas["operator"].isin(operators[number + 1 :])]
        ground = gpd.overlay(one, others, how="intersection", keep_geom_type=True)
        parts.append(ground[ground["kind_1"] == ground["kind_2"]])
    found = pd.concat(parts, ignore_index=True).rename(columns={"id_1": "left", "id_2": "right"})
    found["area_m2"] = found.area
    found = found[["left", "right", "area_m2", "geometry"]]
    found[found["area_m2"] > 0].to_file(target, driver="GPKG", use_arrow=True)


if __name__ == "__main__":
    main()
