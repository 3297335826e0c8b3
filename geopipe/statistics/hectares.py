"""The hectares of one result: cut once, listed by whatever is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from geopipe.errors import GeopipeError
from geopipe.schema import Frame
from geopipe.statistics.ground import Ground, ground_of_classes
from geopipe.statistics.quarters import quarter_rows
from geopipe.statistics.reading import Counted
from geopipe.statistics.rows import Row, rows_by
from geopipe.statistics.treatments import Treatments

_AGREES_SHARE = 1e-9


@dataclass(frozen=True)
class Hectares:
    """The ground of each class of a result, and what is needed to list it."""

    counted: Counted
    grounds: tuple[Ground, ...]
    full_depth_cm: float

    @classmethod
    def of(cls, counted: Counted, treatments: Treatments, full_depth_cm: float) -> Hectares:
        """Cut the ground of a result; pairs that `treatments` does not name are undecided.

        Raises
        ------
        GeopipeError
            When the ground is not what the run itself has measured: a bug.
        """
        grounds = tuple(ground_of_classes(counted.areas, counted.overlaps, treatments))
        _require_as_measured(grounds, counted.summary["areas"])
        return cls(counted, grounds, full_depth_cm)

    @property
    def areas(self) -> Frame:
        """The areas that were counted."""
        return self.counted.areas

    def rows(self, by: Sequence[str]) -> list[Row]:
        """Return totals with classes that say so together, or rows by label with kinds apart."""
        grounds = [ground for ground in self.grounds if not by or ground.is_one_kind]
        return rows_by(self.areas, grounds, by, self.full_depth_cm)

    def quarter(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a quarter, as they are published."""
        return quarter_rows(self.areas, self.grounds, name, self.full_depth_cm)


def _require_as_measured(grounds: Sequence[Ground], measured: dict[str, dict[str, float]]) -> None:
    """Hold the double-counted ground of each class against the figures of the run's summary."""
    for ground in grounds:
        figures = measured[ground.name]
        rest_m2 = ground.double_counted_m2 - figures["counted_twice_m2"]
        if abs(rest_m2) > _AGREES_SHARE * figures["reported_m2"]:
            raise GeopipeError(
                f"double-counted ground of {ground.name} differs by {rest_m2:,.3f} m2 from what was measured",
                remedy="Run compare again; if that does not help, please report this fault of geopipe.",
            )
