"""How the digest writes names, numbers of things and areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]
_SHOWN = 5
_SMALL_M2 = 1_000.0


def named(names: Sequence[str]) -> str:
    """Return how many there are and the first of them; of a record operator and own id."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    shown = [" ".join(name.split(":", 2)[::2]) if name.count(":") >= 2 else name for name in names[:_SHOWN]]
    return f"{len(names)}: {', '.join(shown)}{more}"


def count_of(number: int, one: str, many: str = "") -> str:
    """Return a number of things."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def hectares(m2: float | None) -> str:
    """Return an area (m2) in brackets, in hectares or, where it is small, in m2; nothing for none."""
    if not m2:
        return ""
    return f" ({m2 / 10_000:,.2f} ha)" if m2 >= _SMALL_M2 else f" ({m2:,.1f} m2)"
