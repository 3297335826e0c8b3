"""Microsoft's C++ runtime, which Python for Windows does not bring: loaded before a library asks for it.

fiona and rtree need it and do not carry it; without it Windows refuses to load them. It comes as a wheel,
whose files lie where Windows does not look for them. Importing this module is enough.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

# concrt140 needs msvcp140.
_LIBRARIES = ("msvcp140.dll", "concrt140.dll")


def load_runtime(folder: Path) -> list[str]:
    """Load what a folder holds of the C++ runtime; return the names.

    A library of this name that is loaded is the one that others get, wherever they lie.
    """
    loaded = []
    for name in _LIBRARIES:
        if (folder / name).is_file():
            ctypes.CDLL(str(folder / name))
            loaded.append(name)
    return loaded


if sys.platform == "win32":
    load_runtime(Path(sys.prefix))
