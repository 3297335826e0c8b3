"""A reported figure: hectares of one kind, that an operator completed in a month in a province."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS

# Kinds of which hectares are reported.
KINDS = tuple(sorted(kind.value for kind in HAZARD_KINDS | RELEASED_KINDS))
# A nil report may be about all provinces, or all kinds.
ALL = ""


class Key(NamedTuple):
    """What a figure is about; `province` is a code. A later figure of the same key revises the earlier."""

    operator: str
    month: str
    province: str
    kind: str


@dataclass(frozen=True)
class Figure:
    """A figure in ha; None is a nil report. `line` is its line in the file."""

    key: Key
    area_ha: float | None
    line: int = 0

    @property
    def is_nil(self) -> bool:
        """Whether the operator says that there is nothing to report."""
        return self.area_ha is None

    @property
    def text(self) -> str:
        """The figure as people read it."""
        return "nil" if self.area_ha is None else f"{self.area_ha:,.2f} ha"


@dataclass(frozen=True)
class Kept:
    """A figure that the register holds, with who brought it."""

    figure: Figure
    source: str
    by: str
    at: dt.datetime
