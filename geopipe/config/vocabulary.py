"""The words that are recognised without being told."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from geopipe.settings import Strict, load_model, shipped
from geopipe.terms import Kind


class Vocabulary(Strict):
    """Words by which columns, kinds, statuses and operators are recognised."""

    columns: dict[str, tuple[str, ...]]
    ids: dict[str, tuple[str, ...]]
    volatile_columns: tuple[str, ...]
    plausible_years: tuple[int, int]
    kinds: dict[Kind, tuple[str, ...]]
    kinds_not_in_names: tuple[str, ...] = ()
    kinds_in_doubt: tuple[str, ...] = ()
    statuses: dict[str, tuple[str, ...]]
    operators: dict[str, tuple[str, ...]]
    danger_points: tuple[str, ...]
    harmless_points: tuple[str, ...]


@lru_cache(maxsize=8)
def load_vocabulary(path: Path | None = None) -> Vocabulary:
    """Read the words that are recognised without being told."""
    return load_model(path or shipped("vocabulary.yaml"), Vocabulary)
