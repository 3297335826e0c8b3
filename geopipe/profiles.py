"""Operator profiles: what is known of an operator's deliveries before a file is opened.

A profile says which columns mean what, how dates and numbers are written, which coordinate
system is used, and whether a delivery is a whole register or only what is new. The ready ones under
`configs/operators/` are sensible assumptions: copy one, correct it, name it in your configuration.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from geopipe.config import DeliveryOptions, Mode, Role, Vocabulary
from geopipe.errors import ConfigError
from geopipe.settings import Strict, did_you_mean, load_model, shipped, shipped_names
from geopipe.terms import Kind

GENERIC = "generic"


class DateRules(Strict):
    """How an operator writes dates."""

    order: Literal["auto", "dmy", "mdy", "ymd"] = "auto"
    calendar: Literal["auto", "gregorian", "buddhist"] = "auto"
    utc_offset_hours: float = Field(default=7.0, ge=-12, le=14)
    """Zone of the days that time stamps in UTC are brought to; Laos is seven hours ahead."""


class NumberRules(Strict):
    """How an operator writes figures."""

    decimal: Literal["auto", ".", ","] = "auto"


class IdRules(Strict):
    """How an operator's own numbers become ids; spaces around them never belong to an id."""

    width: int | None = Field(default=None, ge=1, le=30)
    """Whole numbers that lost their leading zeros get them back up to this many digits."""
    upper: bool = False

    def apply(self, text: str) -> str:
        """Return the id that a delivered text stands for."""
        if self.width and text.isdecimal():
            text = text.zfill(self.width)
        return text.upper() if self.upper else text


class OperatorProfile(Strict):
    """What is known of one operator's deliveries; see `configs/operators/generic.yaml`."""

    name: str
    assumption: str = ""
    operator: str | None = None
    aliases: tuple[str, ...] = ()
    role: Role = "operator"
    mode: Mode = "increment"
    register_name: str | None = Field(default=None, alias="register")
    assume_crs: str | None = None
    kind: Kind | None = None
    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    id_columns: tuple[str, ...] = ()
    kinds: dict[Kind, tuple[str, ...]] = Field(default_factory=dict)
    statuses: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    dates: DateRules = DateRules()
    numbers: NumberRules = NumberRules()
    ids: IdRules = IdRules()
    lines_are_areas: bool = False
    """Closed lines (tracks walked around an area) are read as areas; never so unless it is said."""

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        from geopipe.config import load_vocabulary

        known = tuple(load_vocabulary().columns)
        for name in value:
            if name not in known:
                raise ValueError(f"unknown column {name!r}{did_you_mean(name, known)}")
        return value

    def words(self, vocabulary: Vocabulary) -> Vocabulary:
        """Return the vocabulary with the words of this profile before its own."""
        operators = dict(vocabulary.operators)
        if self.operator:
            operators[self.operator] = (*self.aliases, *operators.get(self.operator, ()))
        return vocabulary.model_copy(
            update={
                "columns": _before(self.columns, vocabulary.columns),
                "ids": _before({"always": self.id_columns}, vocabulary.ids),
                "kinds": _before(self.kinds, vocabulary.kinds),
                "statuses": _before(self.statuses, vocabulary.statuses),
                "operators": operators,
            }
        )

    def known(self, options: DeliveryOptions) -> DeliveryOptions:
        """Return what the user said, and where he said nothing, what this profile says."""
        return options.model_copy(
            update={
                "operator": options.operator or (None if options.operator_field else self.operator),
                "kind": options.kind or (None if options.kind_field else self.kind),
                "assume_crs": options.assume_crs or self.assume_crs,
                "role": options.role or self.role,
                "mode": options.mode or self.mode,
                "lines_are_areas": options.lines_are_areas or self.lines_are_areas,
            }
        )


def _before(
    own: dict[Any, tuple[str, ...]], common: dict[Any, tuple[str, ...]]
) -> dict[Any, tuple[str, ...]]:
    """Return the words of both, the profile's own first."""
    return {key: (*own.get(key, ()), *common.get(key, ())) for key in {**common, **own}}


def profile_names() -> tuple[str, ...]:
    """Return the names of the ready profiles, sorted."""
    return shipped_names("operators")


@lru_cache(maxsize=32)
def load_profile(name: str | None = None) -> OperatorProfile:
    """Read a ready profile by its name, or one's own by its path; None is the generic one.

    Raises
    ------
    ConfigError
        When there is no such profile, or its file holds something that is not understood.
    """
    if name is None:
        return load_model(shipped(f"operators/{GENERIC}.yaml"), OperatorProfile)
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return load_model(path, OperatorProfile)
    if name not in profile_names():
        raise ConfigError(
            f"there is no operator profile {name!r}{did_you_mean(name, profile_names())}",
            remedy="Name a ready one, or the path of a .yaml file.",
        )
    return load_model(shipped(f"operators/{name}.yaml"), OperatorProfile)
