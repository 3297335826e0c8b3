"""Is what is installed what was agreed on? Run by `make check`; it needs no network.

Every distribution must be pinned in `constraints.txt` with exactly its version, have come as a wheel, and be
under a licence that the list below knows. What nobody pinned is not expected. Known holes are another matter
that needs a service: `make audit`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"
# Part of every environment, or this project itself.
EXPECTED = frozenset({"geopipe", "pip", "setuptools", "wheel"})
# Words of licences that may be used, alone or together.
ALLOWED = re.compile(
    r"\b(?:Apache|0?BSD|BSL-1\.0|CC0-1\.0|ISC|MIT|Mozilla Public License 2\.0|MPL-2\.0|PSF-2\.0|Zlib)\b",
    re.IGNORECASE,
)
# Used beside the program and never shipped with it: only `make bench` has it.
ALLOWED_FOR = {"psycopg": "LGPL-3.0-only", "psycopg-binary": "LGPL-3.0-only"}
# Distributions that do not say it themselves; looked up by a person.
LOOKED_UP = {"sedonadb": "Apache-2.0"}


@dataclass(frozen=True)
class Installed:
    """One distribution as it says itself."""

    name: str
    version: str
    licence: str
    is_wheel: bool


def plain_name(name: str) -> str:
    """Return a name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def described(distribution: Distribution) -> Installed:
    """Return what a distribution says of itself."""
    told = distribution.metadata
    name = plain_name(told["Name"])
    classifiers = [
        text.rpartition("::")[2].strip()
        for text in told.get_all("Classifier") or ()
        if text.startswith("License ::")
    ]
    first = (told.get("License") or "").strip().split("\n")[0][:80]
    licence = LOOKED_UP.get(name) or told.get("License-Expression") or "; ".join(classifiers) or first
    return Installed(name, distribution.version, licence, distribution.read_text("WHEEL") is not None)


def pinned(text: str) -> dict[str, str]:
    """Return the versions that a constraints file pins, by plain name."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    pairs = (line.split("==") for line in lines if line)
    return {plain_name(name): version for name, version in pairs}


def is_allowed(name: str, licence: str) -> bool:
    """Say whether everything in a licence's text is on the list."""
    if ALLOWED_FOR.get(name) == licence:
        return True
    parts = re.split(r"\s+(?:AND|OR)\s+|[;,]\s*", licence)
    known = [ALLOWED.search(part) is not None for part in parts]
    # "dependency licenses" beside known ones: what a wheel has inside stands in its own files.
    return bool(licence) and all(
        good or part == "dependency licenses" for good, part in zip(known, parts, strict=True)
    )


def faults(found: Iterable[Installed], pins: Mapping[str, str]) -> list[str]:
    """Return one sentence for each distribution that is not as agreed."""
    said = []
    for item in sorted(found, key=lambda item: item.name):
        if item.name in EXPECTED:
            continue
        if item.name not in pins:
            said.append(f"{item.name} {item.version} is installed, but nobody pinned it")
        elif item.version != pins[item.name]:
            said.append(f"{item.name} is {item.version}, but {pins[item.name]} is pinned")
        if not item.is_wheel:
            said.append(f"{item.name} did not come as a wheel")
        if not is_allowed(item.name, item.licence):
            said.append(f"{item.name}: the licence {item.licence!r} is not on the list")
    return said


def main() -> int:
    """Look at this environment; return 1 when something is not as agreed."""
    found = {item.name: item for item in map(described, distributions())}
    said = faults(found.values(), pinned(CONSTRAINTS.read_text(encoding="utf-8")))
    print("\n".join([*said, f"{len(found)} distributions looked at, {len(said)} faults"]))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
