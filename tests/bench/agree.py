"""Do the engines agree with geopipe? `python agree.py WORK NAME=FILE ...`; prints JSON, one entry per engine.

FILE is a GeoPackage of pairs in WORK; geopipe's own is named first. A pair that only one side has is
explained where it can be: interiors that do not meet by `relate`, or shared ground of a mean width under a
micrometre (a border that touches).
"""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyogrio
import shapely

TOUCH_M = 1e-6
LISTED = 5

Pairs = dict[tuple[int, int], float]


def pairs_of_geopipe(path: Path) -> Pairs:
    """Return area (m2) by pair of rows, of different operators and one kind."""
    names = ["left_id", "right_id", "left_kind", "right_kind", "same_operator", "area_m2"]
    _, table = pyogrio.read_arrow(path, layer="overlaps", columns=names, read_geometry=False)
    found = {}
    for row in table.to_pylist():
        if not row["same_operator"] and row["left_kind"] == row["right_kind"]:
            left, right = sorted(int(row[name].rsplit(":", 1)[-1]) for name in ("left_id", "right_id"))
            found[left, right] = row["area_m2"]
    return found


def pairs_of_peer(path: Path) -> Pairs:
    """Return area (m2) by pair of rows."""
    _, table = pyogrio.read_arrow(path, columns=["left", "right", "area_m2"], read_geometry=False)
    ids = np.sort(np.stack([table["left"].to_numpy(), table["right"].to_numpy()], axis=1), axis=1)
    return dict(zip(map(tuple, ids.tolist()), table["area_m2"].to_pylist(), strict=True))


def why(pair: tuple[int, int], geometry: np.ndarray) -> str:
    """Say why one side alone may have a pair."""
    one, other = geometry[list(pair)]
    if not shapely.relate_pattern(one, other, "T********"):
        return "touching: the interiors do not meet"
    ground = shapely.intersection(one, other)
    if 2 * ground.area < TOUCH_M * ground.length:
        return "touching: less than a micrometre wide"
    return "not explained"


def compare(ours: Pairs, theirs: Pairs, geometry: np.ndarray) -> dict[str, object]:
    """Hold an engine's pairs against geopipe's."""
    both = ours.keys() & theirs.keys()
    apart = {pair: abs(ours[pair] - theirs[pair]) for pair in both}
    reasons = {
        side: {pair: why(pair, geometry) for pair in sorted(pairs)}
        for side, pairs in (
            ("engine_only", theirs.keys() - ours.keys()),
            ("geopipe_only", ours.keys() - theirs.keys()),
        )
    }
    return {
        "pairs": len(theirs),
        "in_both": len(both),
        "max_difference_m2": max(apart.values(), default=0.0),
        **{side: dict(Counter(told.values())) for side, told in reasons.items()},
        "not_explained": [
            {"pair": pair, "area_m2": {**ours, **theirs}[pair]}
            for told in reasons.values() for pair, reason in told.items() if reason == "not explained"
        ][:LISTED],
    }  # fmt: skip


def main() -> None:
    work = Path(sys.argv[1])
    (_, own), *peers = (argument.split("=", 1) for argument in sys.argv[2:])
    ours = pairs_of_geopipe(work / own)
    meta, table = pyogrio.read_arrow(work / "clean.gpkg", columns=["id"])
    geometry = shapely.from_wkb(table[meta["geometry_name"] or "wkb_geometry"].to_numpy(zero_copy_only=False))
    told = {name: compare(ours, pairs_of_peer(work / file), geometry) for name, file in peers}
    print(json.dumps({"geopipe": {"pairs": len(ours), "area_m2": sum(ours.values())}, "peers": told}))


if __name__ == "__main__":
    main()
