"""What people have confirmed about coordinates: an append-only file, one JSON object per line.

A correction is applied to a delivery only if somebody has confirmed it for exactly these bytes, or,
until a day, for every delivery that is read with a profile.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from geopipe.errors import ConfigError, OutputError
from geopipe.io.geopackage import sync
from geopipe.settings import Strict

FILE = "confirmations.jsonl"


class Confirmation(Strict):
    """One event: who confirmed which correction of which records, and on what evidence.

    `correction` is written as `geopipe.coordinates.corrections.Correction` writes itself. Rows are record
    numbers of one layer; None means all. Exactly one of `content_hash` and `profile` is given; an event for
    a profile ends after `until`. `revoked` takes an earlier event with the same key back.
    """

    content_hash: str | None = None
    profile: str | None = None
    until: dt.date | None = None
    file: str = ""
    layer: str | None = None
    rows: tuple[int, ...] | None = None
    correction: str
    by: str
    on: dt.date
    reference: str | None = None
    evidence: str = ""
    revoked: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """What a later event must share to take this one's place."""
        return self.content_hash, self.profile, self.layer, self.rows, self.correction

    def fits(self, content_hash: str, profile: str, today: dt.date) -> bool:
        """Say whether this event is about a delivery with these bytes, or with this profile."""
        if self.content_hash is not None:
            return self.content_hash == content_hash
        return self.profile == profile and self.until is not None and today <= self.until


def load_confirmations(path: Path) -> tuple[Confirmation, ...]:
    """Return the events that are in force, in order; none where there is no file.

    Raises
    ------
    ConfigError
        When a line is damaged: a confirmation must not be lost in silence.
    """
    if not path.exists():
        return ()
    events: dict[tuple[object, ...], Confirmation] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the confirmations cannot be read ({error})", str(path)) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = Confirmation.model_validate_json(line)
        except ValidationError as error:
            raise ConfigError(
                f"this line is not a confirmation ({error.errors()[0]['msg']})",
                f"{path}, line {number}",
                "Restore the file from a copy; do not edit it by hand.",
            ) from error
        events.pop(event.key, None)
        if not event.revoked:
            events[event.key] = event
    return tuple(events.values())


def append_confirmation(path: Path, event: Confirmation) -> None:
    """Add one event at the end of the file.

    Raises
    ------
    OutputError
        When it cannot be written; what stood there before is untouched.
    """
    line = json.dumps(event.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = not path.exists() or path.stat().st_size == 0 or path.read_bytes().endswith(b"\n")
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(("" if whole else "\n") + line + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync(path.parent)
    except OSError as error:
        raise OutputError(f"the confirmation cannot be written ({error})", str(path)) from error


def confirmed_for(
    events: Sequence[Confirmation], content_hash: str, profile: str, today: dt.date
) -> tuple[Confirmation, ...]:
    """Return the events about one delivery."""
    return tuple(event for event in events if event.fits(content_hash, profile, today))
