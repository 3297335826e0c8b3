"""What was asked of a draw, and the risk weights that people have written down."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import field_validator, model_validator

from geopipe.errors import ConfigError
from geopipe.settings import Strict, did_you_mean
from geopipe.terms import RELEASED_KINDS, Kind

METHODS = ("random", "stratified", "risk")
# What areas can be told apart by.
FEATURES_OF_AREAS = ("operator", "province", "district", "size", "kind", "year", "land_use", "status")


class RiskWeights(Strict):
    """Weights by column and value; a record's weight is the product over the columns.

    Attributes
    ----------
    weights : dict
        Column -> value -> weight, as in `province: {Xiengkhouang: 3}`. Weight 0: never drawn, and listed.
    others : float
        Weight of each value of these columns that is not listed.
    times_area : bool
        Whether the chance grows with the area's ground, too.
    """

    weights: dict[str, dict[str, float]]
    others: float
    times_area: bool

    @field_validator("weights", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """Take years and other numbers as the texts that they are compared with."""
        if not isinstance(value, dict):
            return value
        return {
            column: {str(key): weight for key, weight in table.items()} if isinstance(table, dict) else table
            for column, table in value.items()
        }

    @model_validator(mode="after")
    def _usable(self) -> RiskWeights:
        for column in self.weights:
            if column not in FEATURES_OF_AREAS:
                raise ValueError(f"unknown column {column!r}{did_you_mean(column, FEATURES_OF_AREAS)}")
        every = [self.others, *(w for table in self.weights.values() for w in table.values())]
        if not all(math.isfinite(weight) and weight >= 0 for weight in every):
            raise ValueError("a weight must be a number of 0 or more")
        return self


@dataclass(frozen=True)
class Plan:
    """What was asked of a draw; the same plan over the same result gives the same sample.

    `share_percent` is of the number of areas, in each stratum, rounded up. `size_limits_m2` divide areas by
    their ground; without them, three classes of equally many areas. `least_m2` leaves out smaller ground.
    """

    seed: int
    count: int | None = None
    share_percent: float | None = None
    method: str = "random"
    stratify: tuple[str, ...] = ()
    weights: RiskWeights | None = None
    kinds: tuple[Kind, ...] = (Kind.CLEARED,)
    completed_from: dt.date | None = None
    completed_to: dt.date | None = None
    undated: bool = False
    least_m2: float = 0.0
    size_limits_m2: tuple[float, ...] = ()
    boxes: int | None = None
    box_side_m: float | None = None
    exclude: tuple[str, ...] = ()
    by: str = ""

    def __post_init__(self) -> None:
        self._check_size()
        self._check_method()
        for name in self.stratify:
            if name == "team":
                raise ConfigError(
                    "--stratify team: no team is among the published columns of a result",
                    remedy=f"Use {', '.join(FEATURES_OF_AREAS)}.",
                )
            if name not in FEATURES_OF_AREAS:
                raise ConfigError(f"--stratify: unknown {name!r}{did_you_mean(name, FEATURES_OF_AREAS)}")
        for kind in self.kinds:
            if kind not in RELEASED_KINDS:
                raise ConfigError(
                    f"--kind: {kind} is not completed work",
                    remedy=f"Use {', '.join(sorted(RELEASED_KINDS))}.",
                )
        if self.completed_from and self.completed_to and self.completed_from > self.completed_to:
            raise ConfigError("--completed-from is later than --completed-to")

    def _check_size(self) -> None:
        if (self.count is None) == (self.share_percent is None):
            raise ConfigError("say how much to draw: --count N or --share PERCENT, one of them")
        if self.count is not None and self.count < 1:
            raise ConfigError("--count must be 1 or more")
        if self.share_percent is not None and not 0 < self.share_percent <= 100:
            raise ConfigError("--share must be more than 0 and at most 100 percent")
        if (self.boxes is None) != (self.box_side_m is None):
            raise ConfigError("boxes need both: --boxes N and --box-size-m M")
        if self.boxes is not None and self.boxes < 1:
            raise ConfigError("--boxes must be 1 or more")
        if self.box_side_m is not None and not 0.1 <= self.box_side_m <= 10_000:
            raise ConfigError("--box-size-m must be between 0.1 and 10,000 m")
        if not 0 <= self.least_m2 < math.inf:
            raise ConfigError("--least-m2 must be 0 or more")
        if list(self.size_limits_m2) != sorted({limit for limit in self.size_limits_m2 if limit > 0}):
            raise ConfigError("--size-limits-m2: write rising numbers above 0, like 5000,20000")

    def _check_method(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"--method: unknown {self.method!r}{did_you_mean(self.method, METHODS)}")
        if (self.method == "risk") != (self.weights is not None):
            raise ConfigError("--method risk and --weights FILE belong together")
        if self.method == "stratified" and not self.stratify:
            raise ConfigError("--method stratified: say by what, with --stratify")
        if self.method == "random" and self.stratify:
            raise ConfigError("--method random does not stratify: leave out --stratify, or --method")

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        plain = asdict(self) | {"weights": self.weights.model_dump() if self.weights else None}
        plain |= {"kinds": [str(kind) for kind in self.kinds], "exclude": sorted(self.exclude)}
        for name in ("completed_from", "completed_to"):
            plain[name] = plain[name].isoformat() if plain[name] else None
        return plain
