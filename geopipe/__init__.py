"""geopipe: many mine-action deliveries, one map that can be trusted.

The library face, loaded when it is first used:

- `read(path, ...)` and `from_geodataframe(frame, operator=, kind=)` give records,
- `compare(records, ...)` gives the areas, overlaps and findings as GeoDataFrames.
"""

from __future__ import annotations

from typing import Any

from geopipe._version import __version__

__all__ = ["Comparison", "Records", "__version__", "compare", "from_geodataframe", "read"]


def __getattr__(name: str) -> Any:
    """Import the library face only when something of it is used."""
    if name in __all__:
        from geopipe import face

        return getattr(face, name)
    raise AttributeError(f"module 'geopipe' has no attribute {name!r}")
