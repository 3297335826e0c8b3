"""Prepared deliveries that a workspace keeps: what was read before, in the same way, is not read again."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from zlib import crc32

from geopipe.codestamp import code_stamp
from geopipe.crs import Cells
from geopipe.errors import OutputError
from geopipe.io.store import DAMAGED, read_state
from geopipe.policies import load_policy
from geopipe.preparation.one import Extent, Task
from geopipe.profiles import load_profile
from geopipe.schema import State
from geopipe.scope import not_looked_for

# Too little memory, too little time, a file that is locked or still being written: tried again.
PERHAPS_NOT_THE_FILE = frozenset(
    {"READER_CRASHED", "TIME_LIMIT", "MEMORY_LIMIT", "FILE_TOO_LARGE", "FILE_UNREADABLE"}
)
_EXTENT, _BANDS = "extent.json", ("west", "south")


def key_of(task: Task) -> str:
    """Return the name of everything that a prepared delivery depends on.

    A day counts only where a confirmation for a profile may end.
    """
    config, profile = task.config, load_profile(task.options.profile)
    events = [item for item in task.confirmations if item.content_hash in (None, task.content_hash)]
    places = config.places
    depends_on = {
        "code": code_stamp(),
        "content": task.content_hash,
        "file": task.file,
        "delivery_key": task.delivery_key,
        "options": task.options.model_dump_json(),
        "profile": profile.model_dump_json(),
        "policy": load_policy(config.policy).model_dump_json(),
        "places": places and [places.model_dump_json(), sha256(places.file.read_bytes()).hexdigest()],
        "not_looked_for": not_looked_for(config.layers),
        "area_of_interest": config.area_of_interest,
        "confirmations": [item.model_dump_json() for item in events],
        "today": str(task.today) if any(item.until for item in events) else "",
        "working_crs": task.working_crs,
        "limits": config.limits.model_dump_json(),
    }
    return sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Made:
    """A prepared delivery, and the folder that holds its frames; none where nothing could be read."""

    state: State
    extent: Extent
    folder: Path | None = None


class Kept:
    """A folder of prepared deliveries, one folder each, named by :func:`key_of`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.used: set[str] = set()

    def find(self, key: str) -> Made | None:
        """Return a prepared delivery, None where it is not there, or not whole."""
        folder = self.folder / key
        try:
            told = json.loads((folder / _EXTENT).read_text(encoding="utf-8"))
            if told["checksums"] != checksums(folder):
                return None
            state = read_state(folder)
        except DAMAGED:
            return None
        if any(code in PERHAPS_NOT_THE_FILE for item in state.deliveries for code, _ in item.problems):
            return None
        self.used.add(key)
        cells = Cells(*(Counter(dict(told[name])) for name in _BANDS))
        return Made(state, Extent(told["records"], cells), folder)

    def keep(self, key: str, prepared: Path, extent: Extent) -> Made:
        """Move a prepared state to its place and return it from there; its extent, written last, ends it."""
        folder = self.folder / key
        bands = {name: sorted(getattr(extent.cells, name).items()) for name in _BANDS}
        try:
            shutil.rmtree(folder, ignore_errors=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.move(prepared, folder)
            told = {"records": extent.records, "checksums": checksums(folder), **bands}
            (folder / _EXTENT).write_text(json.dumps(told), encoding="utf-8")
        except OSError as error:
            remedy = "Free some space there, or set another workspace."
            raise OutputError(f"a delivery cannot be kept ({error})", str(self.folder), remedy) from error
        self.used.add(key)
        return Made(read_state(folder), extent, folder)

    def forget_others(self) -> None:
        """Remove what this run has not used: a delivery that is read otherwise now, or is gone."""
        for folder in _folders(self.folder):
            if folder.name not in self.used:
                shutil.rmtree(folder, ignore_errors=True)


def checksums(folder: Path) -> dict[str, int]:
    """Return a checksum of each Arrow file: one bit that flips on the disk would move a border."""
    found = {}
    for path in sorted(folder.glob("*.arrow")):
        found[path.name] = 0
        with path.open("rb") as file:
            while block := file.read(1 << 22):
                found[path.name] = crc32(block, found[path.name])
    return found


def _folders(root: Path) -> Iterable[Path]:
    return [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
