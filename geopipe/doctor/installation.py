"""Is geopipe installed as it was tested: Python, libraries, coordinate systems, readers, fonts."""

from __future__ import annotations

import math
import platform
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from geopipe._version import __version__
from geopipe.doctor.check import Check, fail, good, warn
from geopipe.io.environment import FOREIGN_PREFIXES

# All that geopipe needs to run; the tests hold this against pyproject.toml.
LIBRARIES = (
    "babel", "click", "clipper2-py", "filelock", "fiona", "geopandas", "mgrs", "numpy", "pyarrow", "pydantic",
    "pyogrio", "pyproj", "python-calamine", "rich", "rtree", "ruamel.yaml", "ruamel.yaml.clib", "shapely",
    "xlsxwriter",
)  # fmt: skip
_AGAIN = "Install geopipe again as README.md says."
_OLDEST_PYTHON = (3, 11)

# A point in Laos (degrees east, north) and where it lies in UTM zone 48 N (m), computed without PROJ: by
# Krüger's series, and for Lao 1997 by its three parameters to WGS 84 between the two ellipsoids.
_POINT = (102.6, 17.97)
KNOWN_RESULTS = {
    "EPSG:4326": (245826.1909, 1988509.5192),
    "EPSG:4678": (245811.3817, 1988516.1888),
}
_UTM_48N = "EPSG:32648"
_NEAR_M = 0.001

_TRIED = '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"1"},"geometry":{' \
    '"type":"Polygon","coordinates":[[[105,17],[105.01,17],[105.01,17.01],[105,17]]]}}]}'  # fmt: skip


def installation(environment: Mapping[str, str]) -> Iterator[Check]:
    """Yield what was found about this installation.

    Parameters
    ----------
    environment : mapping
        Variables of the process.
    """
    yield _python()
    yield libraries(_pinned(), _installed())
    yield projection()
    yield _engines()
    yield foreign(environment)
    yield reader()
    yield _pages()


def _python() -> Check:
    told = f"Python {platform.python_version()}, {platform.architecture()[0]}, geopipe {__version__}"
    if sys.version_info[:2] < _OLDEST_PYTHON or sys.maxsize < 2**32:
        return fail("python", told, "Install Python 3.11 or newer, 64 bit.")
    return good("python", told)


def libraries(pinned: Mapping[str, str], installed: Mapping[str, str]) -> Check:
    """Compare the libraries that are installed with those that geopipe was tested with."""
    missing = [name for name in LIBRARIES if name not in installed]
    if missing:
        return fail("libraries", f"not installed: {', '.join(missing)}", _AGAIN)
    if not pinned:
        return warn("libraries", "constraints.txt is not here: versions were not compared", _AGAIN)
    other = [
        f"{name} {installed[name]} (tested with {pinned[name]})"
        for name in LIBRARIES
        if pinned.get(name, installed[name]) != installed[name]
    ]
    if other:
        remedy = "Figures may differ in the last digits. pip install --constraint constraints.txt geopipe"
        return warn("libraries", f"other versions than tested: {', '.join(other)}", remedy)
    return good("libraries", f"{len(LIBRARIES)} libraries in the versions that were tested")


def _pinned() -> dict[str, str]:
    """Return the versions that geopipe was tested with; none where the list is not installed."""
    package = Path(__file__).resolve().parents[1]
    for path in (package / "constraints.txt", package.parent / "constraints.txt"):
        if path.is_file():
            lines = re.findall(r"(?m)^([\w.-]+)==(\S+)", path.read_text(encoding="utf-8"))
            return {name.lower().replace("_", "-"): pinned for name, pinned in lines}
    return {}


def _installed() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def projection(known: Mapping[str, tuple[float, float]] | None = None) -> Check:
    """Transform a point with PROJ, and hold the result against the known one (to 1 mm)."""
    from pyproj.datadir import get_data_dir
    from pyproj.exceptions import ProjError

    from geopipe.crs import choose_operation
    from geopipe.errors import GeopipeError

    try:
        place = get_data_dir()
        for source, expected in (known or KNOWN_RESULTS).items():
            found = choose_operation(source, _UTM_48N)[0].transform(*_POINT)
            away_m = math.dist(found, expected)
            if not away_m <= _NEAR_M:
                said = f"a known point of {source} comes out {away_m:,.3f} m away (PROJ's data: {place})"
                return fail("projection", said, _AGAIN)
    except (ProjError, GeopipeError) as error:
        return fail("projection", f"PROJ cannot transform a known point ({error})", _AGAIN)
    return good("projection", f"known points come out right to 1 mm (PROJ's data: {place})")


def _engines() -> Check:
    """Name the engines in the wheels; a wheel that does not fit the machine cannot be loaded."""
    try:
        import fiona
        import pyogrio
        import pyproj
        import shapely
    except ImportError as error:
        return fail("engines", f"a library cannot be loaded ({error})", _AGAIN)
    gdal = f"GDAL {pyogrio.__gdal_version_string__} (pyogrio) and {fiona.__gdal_version__} (fiona)"
    return good("engines", f"GEOS {shapely.geos_version_string}, PROJ {pyproj.proj_version_str}, {gdal}")


def foreign(environment: Mapping[str, str]) -> Check:
    """Name settings for other copies of GDAL and PROJ: geopipe does not look at them."""
    found = sorted(name for name in environment if name.upper().startswith(FOREIGN_PREFIXES))
    if not found:
        return good("environment", "no settings for other copies of GDAL or PROJ")
    return good("environment", f"set for other programs, harmless to geopipe: {', '.join(found)}")


def reader() -> Check:
    """Start a reader process and let it read a file of one polygon."""
    from geopipe.errors import GeopipeError
    from geopipe.io.sources import find_sources
    from geopipe.io.vector import read_sources

    try:
        with tempfile.TemporaryDirectory(prefix="geopipe-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "doctor.geojson"
            path.write_text(_TRIED, encoding="utf-8")
            (raw,) = read_sources(find_sources([path]), Path(folder) / "read", workers=1)
            count = sum(layer.table.num_rows for layer in raw.layers)
    except (OSError, GeopipeError) as error:
        return fail("reader", f"no file can be read in a process of its own ({error})", _AGAIN)
    if count != 1:
        why = raw.problem.sentence if raw.problem else f"{count} records instead of 1"
        return fail("reader", f"the reader process does not work: {why}", _AGAIN)
    return good("reader", "a reader process starts and reads")


def _pages() -> Check:
    """Say if PDF files can be made: typst is an extra, its fonts lie in the package."""
    if find_spec("typst") is None:
        return warn("pages", "typst is not installed: no PDF files", "pip install geopipe[pdf]")
    fonts = Path(__file__).resolve().parents[1] / "outputs" / "pack" / "assets"
    count = sum(1 for path in fonts.rglob("*") if path.suffix.lower() in (".ttf", ".otf"))
    if not count:
        return fail("pages", f"the fonts are missing ({fonts})", _AGAIN)
    return good("pages", f"typst {version('typst')} and {count} fonts, Lao among them: PDF files can be made")
