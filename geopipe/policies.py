"""Policies: the figures and rules that people decide on, and which tolerance is in force."""

from __future__ import annotations

import datetime as dt
import json
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from geopipe.errors import ConfigError
from geopipe.settings import Keys, Strict, did_you_mean, load_model, shipped, shipped_names
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Kind, Severity

Condition = Literal[
    "a_open", "a_stated_open", "a_within_b", "b_shallow", "same_record", "near_equal", "copies"
]  # fmt: skip


DEFAULT = "default"
# Who signed what is said anew in each policy: a signature is never inherited by rules that it did not see.
_NOT_INHERITED = {"name", "version", "based_on", "effective_from", "reference", "signed_by"}


class _OfKinds(Strict):
    """A rule about pairs of kinds, either way round."""

    a: tuple[Kind, ...]
    b: tuple[Kind, ...]
    operators: Literal["same", "other", "any"] = "any"

    @field_validator("a", "b", mode="before")
    @classmethod
    def _expand(cls, value: Any) -> Any:
        """Let the table say `hazard`, `released` and `any` for the kinds they stand for."""
        groups = {"hazard": HAZARD_KINDS, "released": RELEASED_KINDS, "any": frozenset(Kind)}
        words = value if isinstance(value, list | tuple) else [value]
        return tuple(sorted({kind for word in words for kind in groups.get(str(word), {word})}))


class FindingRule(_OfKinds):
    """One line of the table of findings (DOMAIN section 3); the first that fits wins."""

    order: Literal["a_first", "b_first", "known", "unknown", "any"] = "any"
    when: tuple[Condition, ...] = ()
    code: str
    severity: Severity
    counted: bool = True
    sentence: str


class Tolerance(_OfKinds):
    """Which overlaps of some kinds may stand: area and width must both hold; see `geopipe.tolerance`.

    `basis` says what the two figures are of: every part of the overlap by itself (thirty parts of 4 m2 all
    pass 5 m2), the pair (they are 120 m2), or the site: all overlaps of a record together.
    """

    area_m2: float = Field(gt=0)
    width_m: float = Field(gt=0)
    compare: Literal["<", "<="]
    basis: Literal["part", "pair", "site"]


class VeryThin(Strict):
    """What screens and pages group as very thin; a name, never a tolerance."""

    area_m2: float = Field(gt=0)
    width_m: float = Field(gt=0)


class SensitivityLimits(Strict):
    """The columns of the table `geopipe policy sensitivity`."""

    areas_m2: tuple[float, ...] = Field(min_length=1)
    widths_m: tuple[float, ...] = Field(min_length=1)
    decimals: tuple[int, ...]
    """How many decimals of a degree: what rounding to them makes stands beside the table."""
    edge_m: float = Field(gt=0)
    """Length of the shared border for which that is said."""

    @field_validator("areas_m2", "widths_m")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if value[0] <= 0 or any(one >= other for one, other in pairwise(value)):
            raise ValueError("write limits above zero, the smallest first")
        return value


class GapRules(Strict):
    """How wide a strip between released land is called a gap, and from which width on."""

    width_m: float = Field(gt=0)
    narrowest_m: float = Field(ge=1e-4)


class MovedRules(Strict):
    """How much a polygon may differ before it counts as moved; see `geopipe.register.moved`."""

    area_m2: float = Field(ge=0)
    width_m: float = Field(gt=0)
    rounding_m: float = Field(ge=0)


class FieldRules(Strict):
    """Which columns the records of some kinds must have, and which are asked for besides."""

    required: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()


class AreaLimits(Strict):
    """Between which areas (m2) the records of a kind are believed."""

    least_m2: float = Field(ge=0)
    most_m2: float = Field(gt=0)


class CheckRules(Strict):
    """Figures of the checks of single records, layers and files; see `configs/policies/default.yaml`."""

    fields: dict[Kind, FieldRules]
    long_edge_m: float = Field(gt=0)
    spike_angle_deg: float = Field(gt=0, lt=90)
    spike_leg_m: float = Field(ge=0)
    closure_error_m: float = Field(ge=0)
    stated_area_tolerance_share: float = Field(gt=0)
    unit_factors: dict[str, float]
    unit_margin_share: float = Field(gt=0, lt=1)
    area_limits: dict[Kind, AreaLimits]
    area_outlier_factor: float = Field(gt=1)
    area_outlier_from_records: int = Field(ge=2)
    days_ahead: int = Field(ge=0)
    deepest_cm: float = Field(gt=0)
    depth_not_expected: tuple[str, ...]
    reused_shape_points: int = Field(ge=3)
    reused_shape_round_m: float = Field(gt=0)
    row_limits: tuple[int, ...]
    row_limits_esri: tuple[int, ...]
    attachment_suffixes: tuple[str, ...]


class Policy(Strict):
    """Figures and rules that people decide on; see `configs/policies/default.yaml`."""

    name: str
    version: int
    based_on: str | None = None
    """Another policy, whose keys count where this one does not have them."""
    effective_from: dt.date | None = None
    reference: str | None = None
    signed_by: str | None = None
    tolerances: tuple[Tolerance, ...] = ()
    near_equal_iou: float = Field(gt=0.5, lt=1)
    lineage_share: float = Field(ge=0.5, le=1)
    cover_tolerance_m: float = Field(ge=0, le=1)
    repair_tolerance_m2: float = Field(ge=0)
    repair_tolerance_share: float = Field(ge=0, lt=1)
    uncertain_edge_m: float = Field(gt=0)
    survey_accuracy_m: float = Field(gt=0)
    near_border_m: float = Field(ge=0)
    very_thin: VeryThin
    sensitivity: SensitivityLimits
    gaps: GapRules
    moved: MovedRules
    levels: dict[str, tuple[Severity, ...]]
    """Who may decide: for each level the severities of its cases."""
    full_depth_cm: float = Field(ge=0)
    checks: CheckRules
    findings: tuple[FindingRule, ...] = Field(min_length=1)

    @property
    def sentences(self) -> dict[str, str]:
        """Sentence for people of each code of the table."""
        return {rule.code: rule.sentence for rule in self.findings}

    def why_no_tolerance(self, today: dt.date | None) -> tuple[str, ...]:
        """Say what is missing for the tolerances to be in force on a day; nothing: they are in force.

        Parameters
        ----------
        today : date or None
            The day of the run; where nobody said it, no tolerance is in force.
        """
        if not self.tolerances:
            return ("the policy holds none",)
        reasons = []
        if not (self.reference or "").strip():
            reasons.append("no reference is given (minutes or letter)")
        if not (self.signed_by or "").strip():
            reasons.append("nobody has signed it")
        if self.effective_from is None:
            reasons.append("no day is given from which it counts")
        elif today is None:
            reasons.append("the day of the run is not known")
        elif self.effective_from > today:
            reasons.append(f"it counts only from {self.effective_from}")
        return tuple(reasons)


def policy_hash(policy: Policy) -> str:
    """Return the sha256 of what a policy says: the same for the same rules, wherever they are written."""
    said = policy.model_dump(mode="json", exclude={"based_on"})
    return sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@lru_cache(maxsize=8)
def load_policy(path: Path | None = None) -> Policy:
    """Read a policy; None reads the default one, which has no tolerance.

    Raises
    ------
    ConfigError
        When the file, or one on which it is based, holds something that is not understood.
    """
    return _load(path or shipped(f"policies/{DEFAULT}.yaml"), ())


def _load(path: Path, above: tuple[Path, ...]) -> Policy:
    if path.resolve() in above:
        raise ConfigError("policies are based on each other in a circle", str(path), "Change `based_on`.")

    def with_base(own: Keys) -> Keys:
        if not isinstance(own.get("based_on"), str):
            return own
        base = _load(policy_path(own["based_on"], path.parent), (*above, path.resolve()))
        return {**base.model_dump(exclude=_NOT_INHERITED), **own}

    return load_model(path, Policy, with_base)


def policy_path(name: str, folder: Path = Path()) -> Path:
    """Return the path of a policy: a ready one by its name, one's own by its path from a folder.

    Raises
    ------
    ConfigError
        When there is no ready policy of this name.
    """
    if name.endswith((".yaml", ".yml")):
        return folder / name
    ready = shipped_names("policies")
    if name not in ready:
        raise ConfigError(
            f"there is no ready policy {name!r}{did_you_mean(name, ready)}",
            remedy="Name a ready one, or the path of a .yaml file.",
        )
    return shipped(f"policies/{name}.yaml")
