"""Checking a bundle without any network: complete for Windows, every hash as it is listed."""

from __future__ import annotations

import re
import tempfile
import zipfile
from hashlib import sha256
from pathlib import Path

from packaging.requirements import Requirement

from geopipe.bundling.archive import ASKED_BY, REQUIREMENTS, SUMS, WHEELS
from geopipe.bundling.demand import problems
from geopipe.bundling.libraries import missing_libraries
from geopipe.bundling.wheels import read_wheels

# What a laptop gets: geopipe, and what makes the meeting pack.
ROOTS = (Requirement("geopipe[pdf]"),)
PYTHONS = ("3.11", "3.12", "3.13")


def check_bundle(bundle: Path) -> list[str]:
    """Say what is wrong with a ZIP; one sentence each, none where it can be handed out."""
    with tempfile.TemporaryDirectory(prefix="geopipe-") as unpacked:
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(unpacked)
        return check_folder(Path(unpacked) / bundle.stem)


def check_folder(folder: Path) -> list[str]:
    """Say what is wrong with an unpacked bundle, for each Python that it says it takes."""
    said = (folder / ASKED_BY).read_text(encoding="utf-8")
    pythons = re.findall(r"3\.\d+", said.partition("GOOD = ")[2].partition("\n")[0])
    wheels = read_wheels((folder / WHEELS).glob("*.whl"))
    return [
        *_wrong_sums(folder),
        *_wrong_hashes(folder),
        *problems(wheels, ROOTS, pythons),
        *missing_libraries(wheels),
    ]


def _wrong_sums(folder: Path) -> list[str]:
    """Compare the files with the list of their hashes."""
    listed = {}
    for line in (folder / SUMS).read_text(encoding="ascii").splitlines():
        digest, _, name = line.partition(" *")
        listed[name] = digest
    there = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and path.name != SUMS
    }
    told = [f"{name}: not in the bundle." for name in sorted(listed.keys() - there.keys())]
    told += [f"{name}: not in {SUMS}." for name in sorted(there.keys() - listed.keys())]
    for name in sorted(there.keys() & listed.keys()):
        if sha256(there[name].read_bytes()).hexdigest() != listed[name]:
            told.append(f"{name}: not the file that {SUMS} was written for.")
    return told


def _wrong_hashes(folder: Path) -> list[str]:
    """Compare the wheels with the hashes that pip will ask for."""
    words = (folder / REQUIREMENTS).read_text(encoding="ascii").split()
    asked = {word.removeprefix("--hash=sha256:") for word in words if word.startswith("--hash=")}
    there = {sha256(path.read_bytes()).hexdigest(): path.name for path in (folder / WHEELS).glob("*.whl")}
    told = [f"{there[digest]}: {REQUIREMENTS} does not name its hash." for digest in there.keys() - asked]
    told += [f"{REQUIREMENTS}: no wheel has the hash {digest}." for digest in asked - there.keys()]
    return sorted(told)
