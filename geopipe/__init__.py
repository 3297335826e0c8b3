"""geopipe: many mine-action deliveries, one map that can be trusted.

The library face, loaded when it is first used:

- `read(path, ...)` and `from_geodataframe(frame, operator=, kind=)` give records,
- `compare(records, ...)` gives areas, overlaps and findings as GeoDataFrames, `find_overlaps` overlaps alone,
- `run(config)` does what `geopipe run` does, `open_result(folder)` opens what was written,
- `Register.open(workspace)` has the cases, `resolve(register)` what confirmed decisions change.
"""

from __future__ import annotations

from typing import Any

from geopipe._version import __version__

__all__ = [
    "CasePage",
    "Comparison",
    "Corrections",
    "GeopipeError",
    "Published",
    "Records",
    "Register",
    "Sensitivity",
    "__version__",
    "compare",
    "find_overlaps",
    "from_geodataframe",
    "open_result",
    "read",
    "resolve",
    "run",
]


def __getattr__(name: str) -> Any:
    """Import the library face only when something of it is used."""
    if name in __all__:
        from geopipe import face

        return getattr(face, name)
    raise AttributeError(f"module 'geopipe' has no attribute {name!r}")
