"""What one run is told: its deliveries, where results go, what it looks for."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from geopipe.config.delivery import DeliverySpec, path_from, profile_from
from geopipe.config.nightly import NightlySpec, nightly_from
from geopipe.limits import Limits
from geopipe.processes import processes
from geopipe.settings import Strict, did_you_mean, load_model

LAYERS = (
    "areas",
    "overlaps",
    "cases",
    "gaps",
    "remaining",
    "handover",
    "duplicates",
    "findings",
    "rejected",
    "hazard_unresolved",
    "points",
    "lines",
    "changes",
    "copies",
)


class PlacesSpec(Strict):
    """The user's own boundary file, for another country than Laos."""

    file: Path
    code_field: str = "code"
    name_field: str = "name"
    parent_field: str | None = None
    """Property with the code of the province that a district belongs to."""


class Config(Strict):
    """All that a run is told."""

    deliveries: tuple[DeliverySpec, ...]
    """May be missing where a nightly run takes all that it reads from its inbox."""
    workspace: Path = Path("work")
    output: Path = Path("out")
    policy: Path | None = None
    working_crs: str | None = None
    area_of_interest: tuple[float, float, float, float] | None = None
    places: PlacesSpec | None = None
    confirmations: Path | None = Path("confirmations.jsonl")
    today: dt.date | None = None
    """The day that counts as today (confirmations that end, dates in the future); None: the clock's."""
    layers: tuple[str, ...] = LAYERS
    qgis: bool = True
    """Styles and a project for QGIS inside the GeoPackage; False leaves both tables out."""
    workers: int = Field(default_factory=processes, ge=1, le=64)
    """How many processes read files, and settle parts, side by side; by default one a core, up to eight."""
    executor: str | None = None
    """Who settles duplicates and overlaps: dask-local:N, dask://HOST:PORT, or None: this machine."""
    areas_in_a_part: int = Field(default=25_000, ge=1)
    """How many areas a worker settles at a time; what hangs together is never divided."""
    keep_backups: int = Field(default=30, ge=1)
    """How many daily backups of the register stay in the workspace."""
    keep_days: int | None = Field(default=None, ge=1)
    """How long a run's folder stays after a newer one replaced it; None: for ever. Nights have their own."""
    limits: Limits = Limits()
    """What one file may cost before it is refused."""
    known_pairs: Path | None = None
    """Folder of pairs that were measured before; `geopipe run` has one in its workspace."""
    nightly: NightlySpec | None = None
    """How `geopipe run --nightly` works; other runs do not look at it."""

    @model_validator(mode="before")
    @classmethod
    def _perhaps_from_inbox(cls, keys: Any) -> Any:
        return {"deliveries": (), **keys} if isinstance(keys, dict) and keys.get("nightly") else keys

    @model_validator(mode="after")
    def _something_to_read(self) -> Config:
        if not self.deliveries and not self.nightly:
            raise ValueError("deliveries: name at least one, or an inbox (nightly)")
        return self

    @field_validator("area_of_interest")
    @classmethod
    def _box(
        cls, value: tuple[float, float, float, float] | None
    ) -> tuple[float, float, float, float] | None:
        if value and not (value[0] < value[2] and value[1] < value[3]):
            raise ValueError("write west, south, east, north: west below east and south below north")
        return value

    @field_validator("layers")
    @classmethod
    def _known_layers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in LAYERS:
                raise ValueError(f"unknown layer {name!r}{did_you_mean(name, LAYERS)}")
        return value


def load_config(path: Path) -> Config:
    """Read a run's configuration; relative paths in it start at its own folder.

    Raises
    ------
    ConfigError
        When the file is missing, is not YAML, or holds a key or value that is not understood.
    """
    config = load_model(path, Config)
    base = path.resolve().parent
    return config.model_copy(
        update={
            "deliveries": tuple(
                spec.model_copy(
                    update={"path": path_from(base, spec.path), "profile": profile_from(base, spec.profile)}
                )
                for spec in config.deliveries
            ),
            "workspace": path_from(base, config.workspace),
            "known_pairs": path_from(base, config.known_pairs or config.workspace / "pairs"),
            "output": path_from(base, config.output),
            "policy": path_from(base, config.policy) if config.policy else None,
            "confirmations": path_from(base, config.confirmations) if config.confirmations else None,
            "places": _places_from(base, config.places),
            "nightly": nightly_from(base, config.nightly),
        }
    )


def _places_from(base: Path, places: PlacesSpec | None) -> PlacesSpec | None:
    return places.model_copy(update={"file": path_from(base, places.file)}) if places else None
