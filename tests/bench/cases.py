"""How long it takes to follow known cases: ``python tests/bench/cases.py [CASES]``.

Every case stands beside the others in a grid; of the records a third is as before, a third was redrawn, and a
third was redrawn under a new id.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np
import shapely

from geopipe.register.matching import Pairs, match
from geopipe.schema import FEATURES, Frame, make_frame


def records(cases: int, moved_m: float, change_ids: bool) -> Frame:
    """Two overlapping squares of 100 m for each case."""
    column, row = np.arange(cases) % 200, np.arange(cases) // 200
    third = np.arange(cases) % 3
    shift = np.where(third > 0, moved_m, 0.0)
    west, south = 400.0 * column, 400.0 * row
    squares = [shapely.box(west + at, south + shift, west + at + 100, south + shift + 100) for at in (0, 60)]
    names = [
        [f"{operator}-{n}{'-new' if change_ids and third[n] == 2 else ''}" for n in range(cases)]
        for operator in ("MAG", "UXO Lao")
    ]
    ids = [f"{side}:hazard:{name}" for side in ("a", "b") for name in names["ab".index(side)]]
    columns = {
        "row_id": ids, "record_id": ids, "version_id": [f"{name}{moved_m}" for name in ids],
        "geometry_hash": [f"{name}{moved_m}" for name in ids],
        "operator": ["MAG"] * cases + ["UXO Lao"] * cases, "register": "hazard", "role": "operator",
        "kind": "CHA", "status": "open", "id_is_delivered": True,
    }  # fmt: skip
    return make_frame(FEATURES, columns, np.concatenate(squares))


def main() -> None:
    """Print how long one matching takes, and how many cases went on."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    side = np.arange(cases)
    known = Pairs(records(cases, 0.0, False), side, side + cases)
    now = records(cases, 0.3, True)
    order = np.random.default_rng(1).permutation(cases)
    current = Pairs(now, (side + cases)[order], side[order])
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        found = match(known, current, 0.5)
        seconds.append(time.perf_counter() - start)
    kept = int((order[found.successor] == side).sum())
    median = statistics.median(seconds)
    print(f"{cases} known cases against {cases} overlaps: {kept} go on, median {median:.2f} s")


if __name__ == "__main__":
    main()
