"""What the two records of a case look like when its decision has been carried out, and what is unsafe.

All geometry is in the equal-area working CRS (m).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.errors import ConfigError
from geopipe.geometry import GRID_M
from geopipe.register.corners import NOTHING, SAME_CORNER_M, combined, on_grid, polygonal, tidy
from geopipe.terms import (
    HAZARD_KINDS,
    KEEPING_CHOICES,
    OPEN_CHOICES,
    POSSIBLE_HAZARD_KINDS,
    RELEASED_KINDS,
    Choice,
)

# Borders of pieces are told apart by strips of this width along the ground beside them.
_BESIDE_M = 1e-4


@dataclass(frozen=True)
class Expected:
    """The ground of both records when the decision has been carried out (working CRS); None: withdrawn."""

    a: shapely.Geometry | None
    b: shapely.Geometry | None


@dataclass(frozen=True)
class GroundChanges:
    """What each record gives up and takes on (polygons in the working CRS, empty where nothing)."""

    a_lost: shapely.Geometry
    a_gained: shapely.Geometry
    b_lost: shapely.Geometry
    b_gained: shapely.Geometry


@dataclass(frozen=True)
class Danger:
    """One way in which a decision takes ground to the unsafe side, and the flag that must allow it.

    The sentence is without its full stop, as those of errors are.
    """

    flag: Literal["shrinks_hazard", "grows_released"]
    area_m2: float
    sentence: str


def expected(
    choice: Choice, a: shapely.Geometry, b: shapely.Geometry, line: shapely.Geometry | None = None
) -> Expected | None:
    """Return what a decision makes of two records; None where that is known only after somebody's work.

    Parameters
    ----------
    choice : Choice
    a, b : valid polygons in the working CRS (m)
    line : line in the working CRS (m), optional
        The agreed line, where the choice is to split on one.

    Returns
    -------
    Expected or None
        A record that would keep no ground at all counts as withdrawn.

    Raises
    ------
    ConfigError
        When there is no line to split on, or it does not divide the overlap between the two.
    """
    if choice in OPEN_CHOICES:
        return None
    if choice in KEEPING_CHOICES:
        return Expected(a, b)
    if choice is Choice.SPLIT_ON_LINE:
        return _split(a, b, line)
    outcomes: dict[Choice, Callable[[], tuple[Any, Any]]] = {
        Choice.A_CORRECTS: lambda: (combined(shapely.difference, a, b), b),
        Choice.B_CORRECTS: lambda: (a, combined(shapely.difference, b, a)),
        Choice.MERGE_INTO_A: lambda: (combined(shapely.union, a, b), None),
        Choice.MERGE_INTO_B: lambda: (None, combined(shapely.union, a, b)),
        Choice.WITHDRAW_A: lambda: (None, b),
        Choice.WITHDRAW_B: lambda: (a, None),
    }
    return Expected(*outcomes[choice]())


def ground_changes(outcome: Expected, a: shapely.Geometry, b: shapely.Geometry) -> GroundChanges:
    """Return the ground that each record loses and gains by an outcome; strips of micrometres are nothing."""
    return GroundChanges(
        _without(a, outcome.a), _without(outcome.a, a), _without(b, outcome.b), _without(outcome.b, b)
    )


def dangers(
    choice: Choice,
    a_kind: str,
    b_kind: str,
    a: shapely.Geometry,
    b: shapely.Geometry,
    line: shapely.Geometry | None = None,
    closed: Collection[str] = (),
) -> tuple[Danger, ...]:
    """Return how a decision would take hazard off the map, or show more land as released.

    Hazard that the other record of the case covers as hazard stays on the map, and ground that the other
    record has released in the same way (cleared, reduced, cancelled) was released before. `closed` names
    the sides ("A", "B") whose status is closed: as hazard they cover nothing.
    """
    outcome = expected(choice, a, b, line)
    if outcome is None or choice in KEEPING_CHOICES:
        return ()
    change = ground_changes(outcome, a, b)
    sides = (
        ("A", a_kind, change.a_lost, change.a_gained, "B", b_kind, b, outcome.b),
        ("B", b_kind, change.b_lost, change.b_gained, "A", a_kind, a, outcome.a),
    )
    found = []
    for name, kind, lost, gained, other, other_kind, other_before, other_after in sides:
        covers = other_kind in _covering(kind) and other not in closed
        bare_m2 = shapely.area(_without(lost, other_after if covers else None))
        if kind in POSSIBLE_HAZARD_KINDS and bare_m2 > 0:
            said = f"{bare_m2:,.1f} m2 of {name} ({kind}) would no longer be shown as hazard"
            why = f": record {other} does not cover them as open hazard"
            found.append(Danger("shrinks_hazard", float(bare_m2), said + why))
        fresh_m2 = shapely.area(_without(gained, other_before if other_kind == kind else None))
        if kind in RELEASED_KINDS and fresh_m2 > 0:
            said = f"{fresh_m2:,.1f} m2 more would be shown as {kind} in record {name}"
            found.append(Danger("grows_released", float(fresh_m2), f"{said}: nobody has reported them so"))
    return tuple(found)


def _covering(kind: str) -> frozenset[str]:
    """Return the kinds that keep ground of this kind shown as hazard: what is not known covers no hazard."""
    return HAZARD_KINDS if kind in HAZARD_KINDS else POSSIBLE_HAZARD_KINDS


def _split(a: shapely.Geometry, b: shapely.Geometry, line: shapely.Geometry | None) -> Expected:
    """Give each piece of the shared ground to the record to whose own ground it is attached the longer."""
    if line is None or shapely.is_empty(line):
        raise ConfigError("there is no line to split on", remedy="Give the agreed line with the decision.")
    faces = _faces(a, b, line)
    inside = shapely.point_on_surface(faces)
    in_a, in_b = shapely.intersects(a, inside), shapely.intersects(b, inside)
    own_a, own_b, pieces = faces[in_a & ~in_b], faces[in_b & ~in_a], faces[in_a & in_b]
    to_a = _border_m(pieces, own_a) >= _border_m(pieces, own_b)
    if not _is_divided(a, b, pieces) or to_a.all() or not to_a.any():
        raise ConfigError(
            "the line does not divide the overlap between the two records",
            remedy="It must cross the overlap from border to border, with ground of its own on either side.",
        )
    corners = shapely.get_coordinates([a, b, line])
    return Expected(
        tidy(shapely.union_all([*own_a, *pieces[to_a]], grid_size=GRID_M), corners),
        tidy(shapely.union_all([*own_b, *pieces[~to_a]], grid_size=GRID_M), corners),
    )


def _faces(*shapes: shapely.Geometry) -> NDArray[np.object_]:
    """Return the faces into which the borders of shapes (and lines) cut the plane."""
    lines = [shape if shapely.get_dimensions(shape) == 1 else shapely.boundary(shape) for shape in shapes]
    noded = shapely.union_all(lines, grid_size=GRID_M)
    return np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(noded))), dtype=object)


def _is_divided(a: shapely.Geometry, b: shapely.Geometry, pieces: NDArray[np.object_]) -> bool:
    whole = shapely.get_parts(polygonal(on_grid(shapely.intersection, a, b)))
    return len(pieces) > len(whole)


def _border_m(pieces: NDArray[np.object_], own: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return how long the border of each piece runs along some ground."""
    beside = shapely.buffer(shapely.union_all(own), _BESIDE_M)
    shared = shapely.length(shapely.intersection(shapely.boundary(pieces), beside))
    # Where only corners meet, a strip of 0.1 mm is all that they share.
    return np.where(shared > 10 * _BESIDE_M, shared, 0.0)


def _without(one: shapely.Geometry | None, other: shapely.Geometry | None) -> shapely.Geometry:
    """Return the ground of one that another does not have; of strips of micrometres nothing."""
    if one is None or shapely.is_empty(one):
        return NOTHING
    if other is None:
        return one
    left = polygonal(on_grid(shapely.difference, one, other))
    wide = [
        part
        for part in shapely.get_parts(left)
        if 2 * shapely.area(part) > SAME_CORNER_M * shapely.length(part)
    ]
    return shapely.union_all(wide) if wide else NOTHING
