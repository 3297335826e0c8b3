"""The job as every peer is told it; this module imports nothing that a peer may not need.

Of the areas in INPUT (valid polygons, one equal-area CRS in metres) find the pairs of different operators
and one kind that share ground, and write `left`, `right`, `area_m2` and that ground to OUTPUT, a GeoPackage.
"""

import sys
from pathlib import Path

# One expression that no optimiser takes apart: comparisons between a and b on their own make DuckDB leave
# its spatial join (`a.id < b.id`: a merge join, minutes), `a.kind = b.kind` also SedonaDB (a hash join).
WANTED_SQL = "CASE WHEN a.id < b.id AND a.operator <> b.operator AND a.kind = b.kind THEN true ELSE false END"


def told() -> tuple[Path, Path]:
    """Return INPUT and OUTPUT of the command line."""
    return Path(sys.argv[1]), Path(sys.argv[2])
