"""Logs for machines: one JSON object a line, with the id of the run, in files that take turns."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

FOLDER, NAME = "logs", "geopipe.jsonl"
_LARGEST_BYTES, _FILES = 2_000_000, 9


class AsJson(logging.Formatter):
    """Writes a message as one line of JSON."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; what went wrong inside stands in `trace`."""
        told = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "run": self._run_id,
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage().removeprefix("WARNING "),
            **getattr(record, "told", {}),
        }
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


class Collected(logging.Handler):
    """Remembers warnings, for the manifest."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a message once."""
        text = record.getMessage().removeprefix("WARNING ")
        if text not in self.messages:
            self.messages.append(text)


@contextmanager
def logging_into(workspace: Path, run_id: str) -> Iterator[list[str]]:
    """Log into the workspace while the block runs; give the list of the warnings so far.

    A log that cannot be written (a full disk) is told once, and never stops a run.
    """
    logger = logging.getLogger("geopipe")
    before, collected = logger.level, Collected()
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.WARNING)
    handlers: list[logging.Handler] = [collected, screen]
    try:
        folder = workspace / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        written = _Quiet(folder / NAME, maxBytes=_LARGEST_BYTES, backupCount=_FILES, encoding="utf-8")
        written.setFormatter(AsJson(run_id))
        handlers.append(written)
    except OSError as error:
        collected.messages.append(f"the log cannot be written ({error.strerror})")
    for handler in handlers:
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield collected.messages
    finally:
        logger.setLevel(before)
        for handler in handlers:
            logger.removeHandler(handler)
            with suppress(OSError):
                handler.close()


class _Quiet(RotatingFileHandler):
    """A log file that never stops a run."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say nothing: the disk is full, and the digest says so."""
