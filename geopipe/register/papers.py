"""Papers that decisions rest on: meeting, date, item, and a copy of the signed minutes with its hash."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from pathlib import Path

from geopipe.errors import ConfigError
from geopipe.identity import hash_text
from geopipe.io.ledgers.opened import Opened
from geopipe.register.case import Reference

# The register is copied every day: a film of the meeting does not belong into it.
_MOST_BYTES = 30_000_000


def keep_paper(
    register: Opened,
    meeting: str,
    held_on: dt.date | None,
    item: str,
    minutes: Path | None,
    by: str,
    at: dt.datetime,
) -> Reference:
    """Keep a reference, and a copy of its file, once; return it. Call this within a transaction.

    Raises
    ------
    ConfigError
        When nothing names the paper, or its file cannot be read or is too large.
    """
    if not meeting.strip():
        raise ConfigError("a reference needs the name of its meeting or letter", remedy="Give --meeting.")
    content = None if minutes is None else _content(minutes)
    digest = sha256(content).hexdigest() if content is not None else ""
    name = minutes.name if minutes else ""
    day = held_on.isoformat() if held_on else None
    reference_id = hash_text(repr((meeting.strip(), day, item.strip(), digest)))
    if not register.ask("SELECT 1 FROM papers WHERE reference_id = ?", reference_id):
        register.insert(
            "papers", reference_id, meeting.strip(), day, item.strip(), name, digest, content, by,
            at.isoformat(),
        )  # fmt: skip
    return Reference(reference_id, meeting.strip(), held_on, item.strip(), name, digest)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the minutes cannot be read ({error.strerror})", str(path)) from error
    if not content:
        raise ConfigError("the file of the minutes is empty", str(path), "Scan the signed minutes again.")
    if len(content) > _MOST_BYTES:
        remedy = "Scan the pages with fewer dots, or give only the page with the decision."
        raise ConfigError(f"the file is too large ({len(content) / 1e6:.0f} MB)", str(path), remedy)
    return content


def minutes_of(register: Opened, reference_id: str) -> tuple[str, bytes] | None:
    """Return name and content of the file of a reference, None where there is none."""
    rows = register.ask("SELECT file_name, minutes FROM papers WHERE reference_id = ?", reference_id)
    return (rows[0][0], rows[0][1]) if rows and rows[0][1] is not None else None
