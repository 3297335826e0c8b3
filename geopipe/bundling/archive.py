"""The ZIP itself: the same content gives the same bytes, and every file stands in a list with its hash."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from geopipe.bundling.wheels import Wheel

SUMS = "SHA256SUMS"
REQUIREMENTS = "requirements.txt"
WHEELS = "wheels"
# Holds the versions of Python that the bundle is for.
ASKED_BY = "check_python.py"
PARTS = (ASKED_BY, "compare.cmd", "install.cmd", "nightly.cmd", "README.txt")
# Any time would do, as long as it is always the same.
_TIME = (2020, 2, 2, 0, 0, 0)


def contents(wheels: Sequence[Wheel], pythons: Sequence[str], version: str) -> dict[str, bytes]:
    """Return everything that the bundle holds, by name."""
    inside = {f"{WHEELS}/{wheel.path.name}": wheel.path.read_bytes() for wheel in wheels}
    inside[REQUIREMENTS] = requirements(wheels, pythons).encode("ascii")
    told = {"@VERSION@": version, "@PYTHONS@": " ".join(reversed(pythons))}
    for name in PARTS:
        inside[name] = part(name, told)
    inside[SUMS] = "".join(f"{sha256(inside[name]).hexdigest()} *{name}\n" for name in sorted(inside)).encode(
        "ascii"
    )
    return inside


def part(name: str, told: Mapping[str, str]) -> bytes:
    """Return a file that lies beside the wheels, with the line ends of Windows."""
    text = (files("geopipe.bundling") / "parts" / name).read_text(encoding="utf-8")
    for word, value in told.items():
        text = text.replace(word, value)
    # Notepad of older Windows takes a text for UTF-8 only by its first bytes; cmd would stumble over them.
    start = "\ufeff" if name.endswith(".txt") else ""
    return (start + text).replace("\n", "\r\n").encode("utf-8")


def requirements(wheels: Sequence[Wheel], pythons: Sequence[str]) -> str:
    """Return what pip installs: each package once, with the hashes of all its wheels."""
    lines = []
    for name in sorted({wheel.name for wheel in wheels}):
        own = [wheel for wheel in wheels if wheel.name == name]
        versions = {str(wheel.version) for wheel in own}
        for version in sorted(versions):
            these = [wheel for wheel in own if str(wheel.version) == version]
            fit = [python for python in pythons if any(wheel.fits(python) for wheel in these)]
            only = "" if fit == list(pythons) else f"; {_only(fit)}"
            sums = sorted(sha256(wheel.path.read_bytes()).hexdigest() for wheel in these)
            lines.append(f"{name}=={version}{only} " + " ".join(f"--hash=sha256:{each}" for each in sums))
    return "\n".join(lines) + "\n"


def _only(pythons: Sequence[str]) -> str:
    return " or ".join(f'python_version == "{python}"' for python in pythons)


def write_zip(path: Path, inside: Mapping[str, bytes]) -> None:
    """Write a ZIP with one folder in it, named like the ZIP."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(inside):
            # Not compressed: wheels are already, and another zlib would give other bytes.
            entry = zipfile.ZipInfo(f"{path.stem}/{name}", _TIME)
            entry.create_system = 0
            archive.writestr(entry, inside[name])
