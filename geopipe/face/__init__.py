"""The library face: what notebooks and scripts use. GeoDataFrames in and out, nothing changed in place.

`records.py` reads, `comparison.py` compares in memory, `published.py` is a result in a folder with its plots,
`sensitivity.py` holds it against tolerances, `register.py` is about cases, `resolving.py` about what
confirmed decisions change, `maps.py` draws pairs.
"""

from __future__ import annotations

from geopipe.errors import GeopipeError
from geopipe.face.comparison import Comparison, compare, find_overlaps
from geopipe.face.published import Published, open_result, run
from geopipe.face.records import Records, from_geodataframe, read
from geopipe.face.register import CasePage, Register
from geopipe.face.resolving import Corrections, resolve
from geopipe.face.sensitivity import Sensitivity

__all__ = [
    "CasePage",
    "Comparison",
    "Corrections",
    "GeopipeError",
    "Published",
    "Records",
    "Register",
    "Sensitivity",
    "compare",
    "find_overlaps",
    "from_geodataframe",
    "open_result",
    "read",
    "resolve",
    "run",
]
