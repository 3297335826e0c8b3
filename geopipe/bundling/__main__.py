"""`python -m geopipe.bundling`: build the ZIP for Windows laptops, and check it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from geopipe._version import __version__
from geopipe.bundling.archive import contents, write_zip
from geopipe.bundling.check import PYTHONS, ROOTS, check_bundle
from geopipe.bundling.fetch import build_own, fetch, read_pins
from geopipe.errors import ExitCode, GeopipeError
from geopipe.io.whole import write_whole


def main() -> int:
    """Build, or check with --check; return the exit code."""
    asked = argparse.ArgumentParser(prog="python -m geopipe.bundling", description=__doc__)
    asked.add_argument("--source", type=Path, default=Path(), help="folder with pyproject.toml")
    asked.add_argument("--output", type=Path, default=Path("dist"))
    asked.add_argument("--python", nargs="+", default=PYTHONS, help="minor versions, oldest first")
    asked.add_argument("--check", type=Path, metavar="ZIP", help="only check this one")
    given = asked.parse_args()
    try:
        bundle = given.check or build(given.source.resolve(), given.output, tuple(given.python))
        wrong = check_bundle(bundle)
    except GeopipeError as error:
        print(f"geopipe: {error}", file=sys.stderr)
        return error.exit_code
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    megabytes = bundle.stat().st_size / 1e6
    print(f"{bundle}: {megabytes:,.0f} MB")
    print(f"sha256 {sha256(bundle.read_bytes()).hexdigest()}")
    return ExitCode.BUG if wrong else ExitCode.DONE


def build(source: Path, output: Path, pythons: tuple[str, ...]) -> Path:
    """Fetch all wheels, build geopipe's own, and write the ZIP; return where it is."""
    with tempfile.TemporaryDirectory(prefix="geopipe-") as folder:
        build_own(source, Path(folder))
        wheels = fetch(Path(folder), ROOTS, pythons, read_pins(source / "constraints.txt"))
        inside = contents(wheels, pythons, __version__)
        bundle = output / f"geopipe-{__version__}-windows.zip"
        return write_whole(bundle, lambda place: write_zip(place, inside), is_confidential=False)


if __name__ == "__main__":
    sys.exit(main())
