"""Records that somebody names to be left out of a draw: ids, lists of ids, earlier samples."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from geopipe.errors import ConfigError
from geopipe.sampling.record import RECORD


def named_ids(values: Iterable[str]) -> tuple[str, ...]:
    """Return the ids that are named, each once, sorted.

    A value is an id (record id, own id or row id), a text file with one id per line, or the folder or
    `sample.json` of an earlier sample, whose areas are left out.

    Raises
    ------
    ConfigError
        When a file cannot be read.
    """
    found: set[str] = set()
    for value in values:
        path = Path(value)
        if path.is_dir():
            path = path / RECORD
            if not path.is_file():
                raise ConfigError("--exclude: this folder holds no sample", value)
        found |= _of_file(path) if path.is_file() else {value}
    return tuple(sorted(found))


def _of_file(path: Path) -> set[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            return {area["record_id"] for area in json.loads(text)["areas"]}
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"--exclude: the file cannot be read ({type(error).__name__})", str(path),
            "Write one id on each line, or name the sample.json of an earlier sample.",
        ) from error  # fmt: skip
    return {line.strip() for line in text.splitlines() if line.strip()}
