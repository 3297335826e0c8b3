"""The JSON schemas (2020-12) of all machine-readable outputs, a file for each version: NAME.vN.schema.json.

A version never changes once it is here: `versions.lock` holds the hash of each, which a test compares.
Those of the feeds (feed-NAME) are made from their columns, all others are written.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent
_ENDING = ".schema.json"


def newest_schema(name: str) -> str:
    """Return a name with its newest version, such as `summary.v1`; version 1 where there is none yet."""
    return f"{name}.v{max(_versions().get(name, ()), default=1)}"


def schema_names() -> tuple[str, ...]:
    """Return all names with their versions, sorted."""
    return tuple(sorted(path.name.removesuffix(_ENDING) for path in _FOLDER.glob(f"*{_ENDING}")))


def schema_text(name: str) -> str:
    """Return the text of a schema by its name with version."""
    return (_FOLDER / f"{name}{_ENDING}").read_text(encoding="utf-8")


def load_schema(name: str) -> dict[str, Any]:
    """Return a schema by its name with version."""
    schema: dict[str, Any] = json.loads(schema_text(name))
    return schema


@lru_cache(maxsize=1)
def _versions() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for full in schema_names():
        name, _, version = full.rpartition(".v")
        found.setdefault(name, []).append(int(version))
    return found
