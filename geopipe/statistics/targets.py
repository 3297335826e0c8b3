"""Targets of hectares a year, and stated figures beside computed ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from pathlib import Path

from pydantic import Field, model_validator

from geopipe.recognition import fold
from geopipe.settings import Strict, load_model, shipped
from geopipe.statistics.rows import M2_PER_HA, Row
from geopipe.terms import Kind

# The columns that rows must be listed by to be held against targets.
BY = ("year", "land_use")


class Target(Strict):
    """Hectares a year that a plan aims at, in the years for which it does."""

    plan: str
    ground: Kind
    ha_a_year: float = Field(gt=0)
    from_year: int
    to_year: int
    verified: bool
    reference: str


class StatedFigure(Strict):
    """Hectares that a text states for a year, for all land or for one group of land uses."""

    year: int
    ground: Kind
    land_use: str | None = None
    ha: float = Field(ge=0)
    reference: str


class StatedShare(Strict):
    """How much of a target a text says was reached."""

    year: int
    ground: Kind
    plan: str
    percent: float = Field(ge=0)
    reference: str


class Targets(Strict):
    """All targets and stated figures; see `configs/targets.yaml`."""

    targets: tuple[Target, ...] = ()
    stated: tuple[StatedFigure, ...] = ()
    stated_shares: tuple[StatedShare, ...] = ()
    land_uses: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_exist(self) -> Targets:
        for figure in self.stated:
            if figure.land_use is not None and figure.land_use not in self.land_uses:
                raise ValueError(f"the land use {figure.land_use!r} is not explained below land_uses")
        plans = {(target.plan, target.ground) for target in self.targets}
        for share in self.stated_shares:
            if (share.plan, share.ground) not in plans:
                raise ValueError(f"{share.plan!r} has no target for {share.ground}")
        return self


@dataclass(frozen=True)
class Beside:
    """A target or stated figure beside what was computed for its year; ha, percent of the target."""

    year: int
    ground: str
    what: str
    stated: float
    computed: float
    unit: str
    provisional: bool
    note: str

    @property
    def difference(self) -> float:
        """Computed less stated."""
        return self.computed - self.stated


def load_targets(path: Path | None) -> Targets:
    """Read a file of targets; None reads the shipped one."""
    return load_model(path or shipped("targets.yaml"), Targets)


def beside_targets(rows: Sequence[Row], targets: Targets) -> list[Beside]:
    """Return each target beside the reconciled hectares of each of its years that has any ground."""
    years = sorted({int(row.labels[0]) for row in rows if row.labels[0].isdecimal()})
    found = []
    for target in targets.targets:
        note = target.reference if target.verified else f"{target.reference} (unverified)"
        for year in years:
            if target.from_year <= year <= target.to_year:
                ha, provisional = _computed(rows, target.ground, year, None)
                found.append(
                    Beside(year, target.ground, target.plan, target.ha_a_year, ha, "ha", provisional, note)
                )
    return sorted(found, key=lambda item: (item.year, item.ground, item.what))


def beside_stated(rows: Sequence[Row], targets: Targets) -> list[Beside]:
    """Return each stated figure beside the reconciled hectares, each stated share beside what figures say.

    A share is computed twice: from the figure that the same text states, and from the data.
    """
    found = []
    for figure in targets.stated:
        words = None if figure.land_use is None else targets.land_uses[figure.land_use]
        ha, provisional = _computed(rows, figure.ground, figure.year, words)
        what = figure.land_use or "all land"
        found.append(
            Beside(figure.year, figure.ground, what, figure.ha, ha, "ha", provisional, figure.reference)
        )
    for share in targets.stated_shares:
        goal = next(t for t in targets.targets if (t.plan, t.ground) == (share.plan, share.ground))
        ha, provisional = _computed(rows, share.ground, share.year, None)
        said = [
            f for f in targets.stated if (f.year, f.ground, f.land_use) == (share.year, share.ground, None)
        ]
        for figure in said:
            what = f"share of {share.plan}, by the stated {figure.ha:,g} ha"
            percent = 100 * figure.ha / goal.ha_a_year
            found.append(
                Beside(share.year, share.ground, what, share.percent, percent, "%", False, share.reference)
            )
        percent = 100 * ha / goal.ha_a_year
        what = f"share of {share.plan}, by these data"
        found.append(
            Beside(share.year, share.ground, what, share.percent, percent, "%", provisional, share.reference)
        )
    return found


def _computed(rows: Sequence[Row], ground: str, year: int, words: Sequence[str] | None) -> tuple[float, bool]:
    """Return the reconciled hectares of a year, of all land or of some land uses, and if they may change."""
    wanted = None if words is None else {fold(word) for word in words}
    own = [
        row
        for row in rows
        if row.ground == ground
        and row.labels[0] == str(year)
        and (wanted is None or fold(row.labels[1]) in wanted)
    ]
    return fsum(row.reconciled_m2 for row in own) / M2_PER_HA, any(row.is_provisional for row in own)


def target_lines(items: Sequence[Beside]) -> list[str]:
    """Return targets, and how much of each was reached, as lines for people."""
    width = max((len(item.what) for item in items), default=0)
    return [
        f"{item.year}  {item.ground:<9}  {item.what:<{width}}  target {item.stated:>10,.2f} ha"
        f"  computed {item.computed:>10,.2f} ha{'*' if item.provisional else ' '}"
        f"  {100 * item.computed / item.stated:>6.1f} % of it"
        for item in items
    ]


def beside_lines(items: Sequence[Beside]) -> list[str]:
    """Return figures side by side as lines for people."""
    width = max((len(item.what) for item in items), default=0)
    return [
        f"{item.year}  {item.ground:<9}  {item.what:<{width}}  stated {item.stated:>9,.2f} {item.unit:<2}"
        f"  computed {item.computed:>9,.2f} {item.unit:<2}{'*' if item.provisional else ' '}"
        f"  difference {item.difference:>+10,.2f}"
        for item in items
    ]
