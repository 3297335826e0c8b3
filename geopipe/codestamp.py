"""What results depend on beside their input: the code itself, its configuration files, and its libraries."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from geopipe.settings import shipped

# Libraries that read, transform or measure: another version may give other numbers.
_LIBRARIES = (
    "clipper2-py", "fiona", "mgrs", "numpy", "pyarrow", "pyogrio", "pyproj", "python-calamine", "shapely",
)  # fmt: skip


@lru_cache(maxsize=1)
def code_stamp() -> str:
    """Return a hash of geopipe's code and configuration files, and of the versions of its libraries."""
    digest = sha256()
    for root, pattern in ((Path(__file__).parent, "*.py"), (shipped("vocabulary.yaml").parent, "*")):
        for path in sorted(path for path in root.rglob(pattern) if path.is_file()):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
            digest.update(content)
    digest.update(repr([(name, _version(name)) for name in _LIBRARIES]).encode())
    return digest.hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
