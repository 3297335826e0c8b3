"""The folders of nights: each holds its `run.json` and its digest; the newest digest lies in the output."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geopipe.contracts import newest_schema
from geopipe.errors import OutputError
from geopipe.io.store import write_text

FOLDER, MANIFEST = "nights", "run.json"
DIGESTS = ("digest.txt", "digest.html", "digest.json")
RUNNING, DONE, PARTIAL, FAILED = "running", "done", "not_all_read", "failed"
Manifest = dict[str, Any]


class Night:
    """The folder of one night; where the output cannot be written, it lies in the workspace."""

    def __init__(self, output: Path, workspace: Path, day: dt.date) -> None:
        self.output = output
        known = nights(output, workspace)
        self.sequence = max((int(item.get("sequence", 0)) for item in known), default=0) + 1
        self.previous: Manifest | None = known[-1] if known else None
        for root in (output, workspace):
            try:
                (root / FOLDER).mkdir(parents=True, exist_ok=True)
                self.folder = _new_folder(root / FOLDER, day)
                return
            except OSError as error:
                last = error
        raise OutputError(f"neither output nor workspace can be written ({last})", str(output)) from last

    @property
    def name(self) -> str:
        """The day, and which of its nights this is."""
        return self.folder.name

    def write(self, manifest: Manifest) -> None:
        """Write `run.json`."""
        told = {"schema": newest_schema("night"), "sequence": self.sequence, "night": self.name, **manifest}
        write_text(self.folder / MANIFEST, json.dumps(told, ensure_ascii=False, indent=1) + "\n")

    def tell(self, digests: Mapping[str, str]) -> list[str]:
        """Write the digest here, and as the newest one into the output; return what could not be written."""
        problems = []
        for name, text in digests.items():
            for folder in (self.folder, self.output):
                try:
                    write_text(folder / name, text)
                except OutputError as error:
                    problems.append(str(error))
        return problems


def _new_folder(root: Path, day: dt.date) -> Path:
    for number in range(1, 1000):
        with contextlib.suppress(FileExistsError):
            folder = root / f"{day.isoformat()}-{number:02d}"
            folder.mkdir()
            return folder
    raise OSError(f"{root} holds a thousand nights of {day}")


def nights(output: Path, workspace: Path) -> list[Manifest]:
    """Return the manifests of all nights that are kept, in their order; `folder` says where each lies.

    What cannot be read is left out: what a later night would have told is told from the night before it.
    """
    found = []
    for path in sorted(path for root in (output, workspace) for path in root.glob(f"{FOLDER}/*/{MANIFEST}")):
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            found.append(_manifest(path))
    return sorted(found, key=lambda item: (item["sequence"], str(item.get("night", ""))))


def _manifest(path: Path) -> Manifest:
    """Return a `run.json`, with the numbers that the next night counts on."""
    told = json.loads(path.read_text(encoding="utf-8"))
    numbers = {name: int(told.get(name, 0)) for name in ("sequence", "last_receipt")}
    return {**told, **numbers, "folder": str(path.parent)}


def remove(manifest: Manifest) -> None:
    """Remove the folder of a night."""
    folder = Path(manifest["folder"])
    with contextlib.suppress(OSError):
        (folder / MANIFEST).unlink()
    shutil.rmtree(folder, ignore_errors=True)
