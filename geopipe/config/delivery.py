"""What the user knows of a delivery; where paths in a configuration start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from geopipe.settings import Strict
from geopipe.terms import Kind

Role = Literal["operator", "national_database", "reference"]
Mode = Literal["increment", "snapshot"]


class DeliveryOptions(Strict):
    """What the user knows of one delivery, instead of what geopipe would recognise."""

    operator: str | None = None
    operator_field: str | None = None
    kind: Kind | None = None
    kind_field: str | None = None
    id_field: str | None = None
    assume_crs: str | None = None
    profile: str | None = None
    """Name of a ready operator profile, or the path of one's own."""
    role: Role | None = None
    mode: Mode | None = None
    """A snapshot is a whole register: what is not in it has vanished. Default: increment."""
    period: str | None = None
    """What time the delivery is about, for example 2026-Q1."""
    lines_are_areas: bool = False
    reference: bool = False
    """Points or lines are meant: no polygons are missed in this delivery."""

    @field_validator("kind", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value


class DeliverySpec(DeliveryOptions):
    """A file or folder of deliveries, and what is known of it."""

    path: Path


def path_from(base: Path, path: Path) -> Path:
    """Return a path from a folder, without the `..` that nobody wants to read."""
    return Path(os.path.normpath(base / path))


def profile_from(base: Path, name: str | None) -> str | None:
    """Return a profile's name as it is, its path from the folder of the configuration."""
    return str(path_from(base, Path(name))) if name and name.endswith((".yaml", ".yml")) else name
