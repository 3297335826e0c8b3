"""Deliveries filed by the hash of their bytes: copied whole, then removed from the inbox.

Killed at any point nothing is lost, and nothing is taken twice: a delivery is filed from the moment at which
its folder has its name; what the inbox still holds of it is recognised by its hash and removed then.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from geopipe.config import DeliverySpec, InboxSpec
from geopipe.errors import DISK_FULL, OutputError
from geopipe.io.beside import DOCUMENTS
from geopipe.io.contents import content_hash
from geopipe.io.formats import format_of
from geopipe.io.geopackage import sync
from geopipe.io.sources import Source, find_sources
from geopipe.io.store import write_text
from geopipe.nightly.comings import NAME as COMINGS
from geopipe.nightly.comings import Again, last_number, read_comings, write_comings
from geopipe.nightly.inbox import Seen, Unit

RECEIVED = "received"
_RECEIPT = ".receipt.json"
_TAKING = ".taking-"
# Files without content: only their names are looked at.
_BESIDE = "beside"


@dataclass(frozen=True)
class Receipt:
    """A filed delivery: whose folder it came in, under which name, when, and how large it is (bytes)."""

    sha256: str
    folder: str
    name: str
    came_in: str
    received_at: str
    day: str
    number: int
    size: int
    is_delivery: bool
    last_at: str = ""
    """When the same bytes came last in its folder."""
    again: tuple[Again, ...] = ()
    """Where and when the same bytes came after that, in whatever folder."""

    @property
    def last_number(self) -> int:
        """The number of the last coming in its folder: says what came later, whatever the clock says."""
        own = (item.number for item in self.again if item.folder == self.folder)
        return max(own, default=self.number)

    @property
    def copies(self) -> tuple[Again, ...]:
        """Comings of the same bytes in other folders."""
        return tuple(item for item in self.again if item.folder != self.folder)

    def place(self, root: Path) -> Path:
        """Return the file that is read."""
        return place_of(root, self.sha256) / self.name


@dataclass(frozen=True)
class Coming:
    """What became of one unit tonight.

    `what` is new, again (the same bytes came before), stays (it was filed before, and cannot be removed from
    the inbox) or failed; `why` says more.
    """

    what: str
    unit: Unit
    receipt: Receipt | None
    why: str = ""


def place_of(root: Path, sha256: str) -> Path:
    """Return the folder of a hash."""
    return root / sha256[:2] / sha256


def step(name: str) -> None:
    """Pass one step of filing: a place at which tests stop the process."""


class Files:
    """The filed deliveries of a workspace."""

    def __init__(self, workspace: Path, inbox: Path) -> None:
        self.root, self.inbox = workspace / RECEIVED, inbox

    def all(self) -> list[Receipt]:
        """Return all filed deliveries in the order in which they came."""
        found = []
        for path in self.root.glob(f"??/*/{_RECEIPT}"):
            with contextlib.suppress(OSError, ValueError, TypeError):
                told = json.loads(path.read_text(encoding="utf-8"))
                found.append(with_comings(Receipt(**told), read_comings(path.parent).again))
        return sorted(found, key=lambda item: (item.number, item.sha256))

    def take(self, units: Sequence[Unit], now: dt.datetime, day: dt.date) -> list[Coming]:
        """File what has come; each unit by itself, so that one that fails costs only itself."""
        for left in self.root.glob(f"{_TAKING}*"):
            shutil.rmtree(left, ignore_errors=True)  # of a run that was killed; the inbox has it still
        known = {item.sha256: item for item in self.all()}
        number = last_number_of(list(known.values()))
        comings = []
        # Documents last: the deliveries beside them keep their names.
        for unit in sorted(units, key=lambda unit: not unit.is_delivery):
            number += 1
            coming = self._take(unit, known, Receipt("", unit.folder, unit.main.name, "", _at(now), str(day),
                                                     number, unit.size, unit.is_delivery))  # fmt: skip
            if coming.receipt:
                known[coming.receipt.sha256] = coming.receipt
            comings.append(coming)
        return comings

    def _take(self, unit: Unit, known: dict[str, Receipt], about: Receipt) -> Coming:
        try:
            step("hash")
            sha256 = hash_of(unit.main)
            if sha256 in known:
                return self._came_again(unit, known[sha256], about)
            receipt = replace(about, sha256=sha256, came_in=unit.state)
            if why := self._file(unit, receipt):
                return Coming("failed", unit, None, why)
            return Coming("new", unit, receipt, self._clear(receipt, unit.state))
        except OSError as error:
            if error.errno in DISK_FULL:
                raise OutputError(
                    f"a delivery cannot be filed ({error.strerror})", str(self.root),
                    "Free some space there; the inbox still holds the delivery.",
                ) from error  # fmt: skip
            return Coming("failed", unit, None, f"it cannot be filed ({error.strerror or error})")

    def _file(self, unit: Unit, receipt: Receipt) -> str:
        """Copy a unit to its place, whole; return why not, '' where it is there."""
        building = self.root / f"{_TAKING}{os.getpid()}-{receipt.sha256[:12]}"
        place = place_of(self.root, receipt.sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        building.mkdir(mode=0o700)
        try:
            for path in unit.parts:
                copy = building / path.relative_to(unit.main.parent)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
                sync(copy)
            _name_documents(unit, building / _BESIDE)
            step("copied")
            if hash_of(building / unit.main.name) != receipt.sha256:
                return "it changed while it was copied"
            told = {name: value for name, value in asdict(receipt).items() if name != "again"}
            write_text(building / _RECEIPT, json.dumps(told, ensure_ascii=False, indent=1) + "\n")
            step("receipt")
            sync(building)
            shutil.rmtree(place, ignore_errors=True)  # damaged: it has no receipt
            building.rename(place)
            step("renamed")
            sync(place.parent)
            return ""
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def finish_removals(self) -> None:
        """Remove what a run has filed and died before it could remove it from the inbox."""
        for receipt in self.all():
            if not (place_of(self.root, receipt.sha256) / COMINGS).exists():
                self._clear(receipt, receipt.came_in)

    def _clear(self, receipt: Receipt, state: str) -> str:
        """Remove what is filed from the inbox, unless it changed since; return why not, '' if it is gone."""
        paths = [(Path(path), Seen(*seen)) for path, *seen in json.loads(state)]
        why = ""
        if any(_has_changed(path, seen) for path, seen in paths):
            # Somebody is replacing it: what belongs to the new one must not go with the old one.
            why, paths = "it changed after it was filed, and comes again", []
        for path, _ in paths:
            try:
                path.unlink()
                step("removed a part")
            except FileNotFoundError:
                continue  # removed before, or taken back by its sender: it is filed
            except OSError as error:
                why = f"it stays in the inbox ({error.strerror or error})"
        step("removed")
        self._remember(receipt, state if why.startswith("it stays") else "")
        for path, _ in paths:
            self._remove_empty(path.parent)
        return why

    def _remove_empty(self, folder: Path) -> None:
        """Remove folders inside an operator's folder that are empty now; the operator's own stays."""
        while folder.is_relative_to(self.inbox) and len(folder.relative_to(self.inbox).parts) > 1:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _came_again(self, unit: Unit, known: Receipt, about: Receipt) -> Coming:
        """Say what it means that bytes lie in the inbox that are filed already."""
        folder = place_of(self.root, known.sha256)
        comings = read_comings(folder)
        if comings.stays == unit.state:
            return Coming("stays", unit, known, self._clear(known, unit.state))
        coming = Again(unit.folder, unit.main.name, about.received_at, about.day, about.number)
        write_comings(folder, comings.with_coming(coming))
        return Coming("again", unit, known, self._clear(known, unit.state))

    def _remember(self, receipt: Receipt, stays: str) -> None:
        """Write down that a coming was dealt with; what stays in the inbox is not taken for another one."""
        folder = place_of(self.root, receipt.sha256)
        write_comings(folder, replace(read_comings(folder), stays=stays))

    def remove(self, receipt: Receipt) -> None:
        """Remove a filed delivery that nothing needs any more; half-removed, it is filed no longer."""
        place = place_of(self.root, receipt.sha256)
        (place / _RECEIPT).unlink(missing_ok=True)
        shutil.rmtree(place, ignore_errors=True)


def _name_documents(unit: Unit, folder: Path) -> None:
    """Keep the names of the documents that came beside a delivery: records speak of them."""
    for path in sorted(unit.main.parent.iterdir()):
        if (
            path.suffix.lower() in DOCUMENTS
            and path not in unit.parts
            and not path.name.startswith(("~$", "."))
        ):
            folder.mkdir(exist_ok=True)
            (folder / path.name).touch()


def hash_of(path: Path) -> str:
    """Return the hash by which a run knows a delivery: over all bytes that belong to it."""
    found = find_sources([path])[0]
    kind = found.format if found.path == path else format_of(path.name)
    return content_hash(Source(path, kind))


def spec_of(receipt: Receipt, root: Path, known: InboxSpec) -> DeliverySpec:
    """Return a filed delivery as a run reads it."""
    options = known.model_dump(exclude={"every_days"})
    return DeliverySpec(path=receipt.place(root), **options)


def with_comings(receipt: Receipt, again: Sequence[Again]) -> Receipt:
    """Return a receipt that knows where and when the same bytes came again."""
    own = [item for item in again if item.folder == receipt.folder]
    last = max(own, key=lambda item: item.number).at if own else receipt.received_at
    return replace(receipt, last_at=last, again=tuple(again))


def last_number_of(receipts: Sequence[Receipt]) -> int:
    """Return the number of the last coming of all, the first ones and those of the same bytes."""
    return max((max(item.number, last_number(item.again)) for item in receipts), default=0)


def _has_changed(path: Path, seen: Seen) -> bool:
    """Say whether a file is there and does not look as it did."""
    try:
        found = path.stat()
    except OSError:
        return False
    return Seen(found.st_size, found.st_mtime_ns) != seen


def _at(now: dt.datetime) -> str:
    return now.isoformat(timespec="seconds")
