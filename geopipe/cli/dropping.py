"""What `compare.cmd` calls: files that were dragged onto it are compared, the result lies beside them."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from geopipe.errors import ExitCode

RESULT = "geopipe-result"
_SHOWN = (ExitCode.DONE, ExitCode.PARTIAL, ExitCode.FINDINGS)


def dropped_paths(line: str, script: str) -> list[str]:
    r"""Return the names that Explorer has put behind a script on the line of cmd.exe.

    Parameters
    ----------
    line : str
        Such as `cmd.exe /c ""C:\x\compare.cmd" "C:\two words.shp" C:\a&b.shp "`: a name stands in quotes
        only where it holds a space.
    script : str
        The file name of the script.
    """
    _, found, rest = _partition(line, script)
    if not found:
        return []
    rest = rest.removeprefix('"')
    if rest.count('"') % 2:  # the one that ends what cmd.exe was given
        rest = rest[: rest.rindex('"')]
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]+)"|([^\s"]+)', rest)]


def _partition(line: str, script: str) -> tuple[str, str, str]:
    """Part a line at a file name in whatever case."""
    found = re.search(rf"(?<![^\\/\"\s]){re.escape(script)}(?=[\"\s]|$)", line, re.IGNORECASE)
    return (line[: found.start()], found[0], line[found.end() :]) if found else (line, "", "")


def result_folder(first: Path) -> Path:
    """Return where the result goes: beside the first file, or, where nobody may write there, at home."""
    place = first.absolute()
    beside = (place if place.parent == place else place.parent) / RESULT
    try:
        beside.mkdir(exist_ok=True)
    except OSError:
        return Path.home() / RESULT
    return beside


def main() -> int:
    """Compare what was dragged; show the folder of the result."""
    line, script = os.environ.get("GEOPIPE_COMMAND_LINE", ""), os.environ.get("GEOPIPE_SCRIPT", "")
    given = sys.argv[1:] or (dropped_paths(line, script) if script else [])
    if not given:
        print("Drag files or a folder onto compare.cmd: shapefile, GeoPackage, KML, Excel, CSV and others.")
        return ExitCode.USAGE
    folder = result_folder(Path(given[0]))
    code = _compare(given, folder)
    if code in _SHOWN:
        print(f"\nThe result is in {folder}. Open geopipe.gpkg in QGIS.")
        if sys.platform == "win32":
            os.startfile(folder)  # noqa: S606
    return code


def _compare(given: list[str], folder: Path) -> int:
    """Call `geopipe compare` as its entry point does; return its exit code."""
    from geopipe.cli.main import main as geopipe

    sys.argv = ["geopipe", "compare", *given, "-o", str(folder)]
    try:
        geopipe()
    except SystemExit as stop:
        return int(stop.code or 0)
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
