"""Make what a benchmark works on: `python prepare.py FOLDER --size N`.

In the folder stand afterwards:

- `demo/`: deliveries of about N records, as `geopipe demo` makes them: mixed formats and CRSs, invalid rings;
- `changed/`: the one of these files of which one per cent of all records has moved by about a metre;
- `clean.gpkg`: the records that geopipe keeps of the demo, in its working CRS, layer `areas` with `id` (the
  row, from 0), `operator`, `kind`: valid polygons in one equal-area CRS, nothing to mend or to reproject;
- `pairs.arrow`: `left`, `right`: the rows of the pairs of different operators and one kind that share ground.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec
from geopipe.demo import make_demo
from geopipe.reports.layers import working_crs_wkt
from geopipe.schema import State

ASSUMED_CRS = "EPSG:32648"
CHANGED_FILE = "NPA_CHA.geojson"
MOVED_DEGREES = 1e-5


def clean_areas(state: State) -> pa.Table:
    """Return the kept records as the peers get them: id, operator, kind and WKB."""
    areas = state.features
    return pa.table(
        {
            "id": pa.array(np.arange(len(areas))),
            "operator": areas.table["operator"].cast(pa.string()),
            "kind": areas.table["kind"].cast(pa.string()),
            "geometry": pa.array(shapely.to_wkb(areas.geometry, flavor="iso"), pa.binary()),
        }
    )


def true_pairs(state: State) -> pa.Table:
    """Return the rows of the pairs of different operators and one kind, as geopipe found them."""
    rows = {row: number for number, row in enumerate(state.features.table["row_id"].to_pylist())}
    pairs = state.overlaps.table
    wanted = [
        (rows[left], rows[right])
        for left, right, same, *kinds in zip(
            *(
                pairs[name].to_pylist()
                for name in ("left_row_id", "right_row_id", "same_operator", "left_kind", "right_kind")
            ),
            strict=True,
        )
        if not same and kinds[0] == kinds[1]
    ]
    left, right = np.array(wanted, dtype=np.int64).reshape(-1, 2).T
    return pa.table({"left": left, "right": right})


def move_some(source: Path, target: Path, count: int) -> int:
    """Write a GeoJSON in which `count` records, spread over the file, have moved; return how many did."""
    collection = json.loads(source.read_text(encoding="utf-8"))
    movable = [f for f in collection["features"] if (f["geometry"] or {}).get("type") == "Polygon"]
    chosen = movable[:: max(1, len(movable) // count)][:count]
    for feature in chosen:
        rings = feature["geometry"]["coordinates"]
        feature["geometry"]["coordinates"] = [[[x + MOVED_DEGREES, *rest] for x, *rest in r] for r in rings]
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(collection, ensure_ascii=False), encoding="utf-8")
    return len(chosen)


def prepare(folder: Path, size: int) -> dict[str, int]:
    """Make everything and return the counts that a report needs."""
    make_demo(folder / "demo", size=size, seed=42)
    config = Config(deliveries=(DeliverySpec(path=folder / "demo", assume_crs=ASSUMED_CRS),))
    state = pipeline.run(config)
    pyogrio.write_arrow(
        clean_areas(state),
        folder / "clean.gpkg",
        layer="areas",
        driver="GPKG",
        geometry_name="geometry",
        geometry_type="Unknown",
        crs=working_crs_wkt(state.working_crs),
    )
    pairs = true_pairs(state)
    with pa.OSFile(str(folder / "pairs.arrow"), "wb") as sink, pa.ipc.new_file(sink, pairs.schema) as out:
        out.write_table(pairs)
    moved = move_some(folder / "demo" / CHANGED_FILE, folder / "changed" / CHANGED_FILE, size // 100)
    return {
        "records": sum(delivery.records_in for delivery in state.deliveries),
        "polygons": len(state.features),
        "all_pairs": len(state.overlaps),
        "pairs": pairs.num_rows,
        "moved": moved,
    }


def main() -> None:
    """Prepare a folder and leave its counts in it, last: a folder without them is not complete."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=100_000)
    told = parser.parse_args()
    counts = prepare(told.folder, told.size)
    (told.folder / "counts.json").write_text(json.dumps(counts))


if __name__ == "__main__":
    main()
