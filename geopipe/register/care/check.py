"""Check a register: the file, its tables, what it says, and the files that belong to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from geopipe.errors import GeopipeError
from geopipe.io.geopackage import file_hash
from geopipe.io.store import load_saved_config
from geopipe.register.care.contents import content_faults
from geopipe.register.care.facts import COPY, ROLE, fact
from geopipe.register.care.structure import structure_faults, value_faults
from geopipe.register.register import Register

_COUNTED = ("cases", "events", "decisions", "positions", "papers", "runs", "deliveries")


@dataclass
class Checkup:
    """What was found: faults (the register is damaged), notes (it is whole, but look), rows by table."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        if self.faults:
            return f"THE REGISTER IS DAMAGED: {len(self.faults)} faults."
        told = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        return f"The register is whole: {told}."


def check(register: Register) -> Checkup:
    """Look at everything in a register and beside it; nothing is changed."""
    result = Checkup()
    for (said,) in register.ask("PRAGMA integrity_check"):
        if said != "ok":
            result.faults.append(f"The file is damaged: {said}.")
    result.faults += structure_faults(register)
    if result.faults:
        return result  # what a broken file says is not worth reading
    result.faults += [*value_faults(register)]
    if not result.faults:
        result.faults += content_faults(register)
        result.faults += _frame_faults(register)
        _publications(register, result)
    result.counts = {
        name: register.ask(f"SELECT count(*) FROM {name}")[0][0]  # noqa: S608
        for name in _COUNTED
    }
    return result


def _frame_faults(register: Register) -> Iterator[str]:
    """Tell which records of deliveries, kept beside the register, are missing or not those that were kept."""
    for path, sha in register.ledger.named_frames().items():
        if not path.is_file():
            yield f"The records of a delivery are missing: {path}."
        elif file_hash(path) != sha:
            yield f"The records of a delivery are not as they were kept: {path}."


def _publications(register: Register, result: Checkup) -> None:
    """Look at the run folders: old ones may be deleted; what is there must be what was published."""
    try:
        runs = load_saved_config(register.path.parent).output / "runs"
    except GeopipeError:
        result.notes.append("No configuration lies beside the register: published files were not looked at.")
        return
    published = register.ask("SELECT folder, files FROM publications ORDER BY run")
    last = published[-1][0] if published else ""
    is_copy = fact(register, ROLE) == COPY
    missing = []
    for folder, files in dict(published).items():
        if not (runs / folder).is_dir():
            if folder == last and not is_copy:
                result.faults.append(f"The newest publication is missing: {runs / folder}.")
            missing.append(folder)
            continue
        for name, sha in json.loads(files).items():
            result.faults += _file_faults(runs / folder / name, sha)
    if missing:
        result.notes.append(f"{len(missing)} older publications are not in {runs} any longer.")


def _file_faults(path: Path, sha: str) -> Iterator[str]:
    if not path.is_file():
        yield f"A published file is missing: {path}."
    elif file_hash(path) != sha:
        yield f"A published file is not as it was published: {path}."
