"""Put the scenes on the ground and make one table of all records out of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geopipe.terms import Kind, Outcome

from . import layout
from .catalogue import how_many
from .days import Days
from .delivery_plan import DELIVERIES, ROUTE, allowed_operators, route_class
from .layout import Layout
from .places import EQUAL_AREA_CRS, OPERATORS, PROVINCE_OF_BOX, PROVINCES, UTM_48N
from .rings import Floats, Ints, Padded, Rings, transform_xy
from .scenes import Role, SceneType
from .shapes import turned

Rng = np.random.Generator

KINDS = tuple(Kind)
OUTCOMES = tuple(Outcome)
BOX_M = 1000.0


@dataclass
class Batch:
    """All scenes of one type: their records, and where the origin lies in their bounding boxes.

    `how` says for each role in which way it repeats another one; it outlives the shapes.
    """

    scene: SceneType
    n: int
    roles: list[Role]
    half_m: Floats
    anchor: Floats
    how: list[str]


@dataclass
class Records:
    """All polygon records in the order of their rows; one row of every array is one record.

    Attributes
    ----------
    ring : Rings
        Turning points in the equal-area CRS, m, as meant by the scene (not yet swapped).
    scene, role, batch : ndarray
        Number of the scene, role in it, and row in `batches`.
    operator, kind, delivery, outcome, fault : ndarray
        Rows of `OPERATORS`, `KINDS`, `DELIVERIES`, `OUTCOMES`, and a `Fault`.
    of, id_of : ndarray
        Row of the record that it repeats or that replaces it, and whose number it carries; -1 for none.
    box : ndarray
        Row of `places.BOXES`.
    anchor : ndarray, shape (scenes, 2)
        A point inside the first polygon of each scene, equal-area CRS, m.
    scale : float
        Factor by which all sides were shrunk so that the scenes fit into the districts.
    """

    ring: Rings
    scene: Ints
    role: Ints
    batch: Ints
    operator: Ints
    kind: Ints
    delivery: Ints
    outcome: Ints
    fault: Ints
    of: Ints
    id_of: Ints
    box: Ints
    days: Days
    anchor: Floats
    scene_batch: Ints
    scene_box: Ints
    batches: list[Batch]
    scale: float

    def __len__(self) -> int:
        return len(self.scene)

    def rows_of(self, delivery: int) -> Ints:
        """Return the records of one delivery in the order of its rows."""
        return np.flatnonzero(self.delivery == delivery)


def make_records(rng: Rng, size: int) -> Records:
    """Make about `size` polygon records that fit into the districts."""
    blocks = layout.find_blocks()
    seeds = rng.integers(0, 2**62, 2)
    scale = 1.0
    while True:
        batches = _make_batches(np.random.default_rng(seeds[0]), size, scale)
        half_m = np.concatenate([batch.half_m for batch in batches])
        on_grid = np.concatenate([np.full(batch.n, batch.scene.on_grid) for batch in batches])
        factor = layout.shrinking(half_m, on_grid, len(blocks.box))
        if factor == 1.0:
            break
        scale *= factor
    rng = np.random.default_rng(seeds[1])
    places = layout.place(rng, half_m, on_grid, blocks)
    return _ordered(rng, _tables(rng, batches, places), batches, places, scale)


def _make_batches(rng: Rng, size: int, scale: float) -> list[Batch]:
    """Build the shapes of all scenes, each about the middle of its bounding box."""
    batches = []
    for scene, n in how_many(size):
        roles = scene.build(rng, n, scale)
        angle = rng.uniform(0, 2 * np.pi, n)
        how = [role.how for role in roles]
        if scene.on_grid:
            batches.append(Batch(scene, n, roles, np.full(n, BOX_M / 2), np.zeros((n, 2)), how))
        elif not roles:
            batches.append(Batch(scene, n, roles, np.full(n, 30.0), np.zeros((n, 2)), how))
        else:
            batches.append(_centred(scene, n, roles, angle))
    return batches


def _centred(scene: SceneType, n: int, roles: list[Role], angle: Floats) -> Batch:
    """Turn the scenes, move them to the middle of their boxes, shrink those too large for a block."""
    rings = [turned(role.ring, angle) for role in roles]
    low = np.min([_extreme(ring, np.inf).min(axis=1) for ring in rings], axis=0)
    high = np.max([_extreme(ring, -np.inf).max(axis=1) for ring in rings], axis=0)
    middle, half_m = (low + high) / 2, (high - low).max(axis=1) / 2
    shrink = np.minimum(1.0, 0.999 * layout.LARGEST_HALF_M / half_m)
    moved = [
        replace(role, ring=ring.mapped((ring.xy - middle[:, None, :]) * shrink[:, None, None]))
        for role, ring in zip(roles, rings, strict=True)
    ]
    return Batch(scene, n, moved, half_m * shrink, -middle * shrink[:, None], [role.how for role in roles])


def _extreme(ring: Padded, beyond: float) -> Floats:
    """Return the coordinates with the unused ones set to `beyond`."""
    return np.where(ring.mask[:, :, None], ring.xy, beyond)


def _draw_operators(rng: Rng, batch: Batch, box: Ints) -> Ints:
    """Choose the operators of each scene by who works in its province, shape (scenes, operators in it)."""
    weights = np.array([province.weights for province in PROVINCES])[np.array(PROVINCE_OF_BOX)[box]]
    taken = np.zeros((batch.n, len(OPERATORS)), dtype=bool)
    drawn = []
    for who in range(1 + max((role.who for role in batch.roles), default=-1)):
        possible = allowed_operators(batch.roles, who) & ~taken
        with np.errstate(divide="ignore"):
            key = np.log(np.where(possible, weights, 0.0)) + rng.gumbel(size=weights.shape)
        chosen = np.argmax(key, axis=1)
        taken[np.arange(batch.n), chosen] = True
        drawn.append(chosen)
    return np.stack(drawn, axis=1) if drawn else np.empty((batch.n, 0), dtype=np.int64)


def _tables(rng: Rng, batches: list[Batch], places: Layout) -> list[dict[str, Any]]:
    """Make one table per role of each batch."""
    tables: list[dict[str, Any]] = []
    first_scene = first_row = 0
    for number, batch in enumerate(batches):
        scene = np.arange(first_scene, first_scene + batch.n)
        operators = _draw_operators(rng, batch, places.box[scene])
        for place, role in enumerate(batch.roles):
            operator = operators[:, role.who]
            row = np.arange(batch.n) + first_row
            tables.append(
                {
                    "points": _on_ground(batch, role, places, scene),
                    "count": role.ring.count,
                    "scene": scene,
                    "role": np.full(batch.n, place),
                    "batch": np.full(batch.n, number),
                    "operator": operator,
                    "kind": np.full(batch.n, KINDS.index(role.kind)),
                    "delivery": ROUTE[operator, route_class(role.kind)],
                    "outcome": np.full(batch.n, OUTCOMES.index(role.outcome)),
                    "fault": np.full(batch.n, int(role.fault)),
                    "of": _other(row, place, role.of, batch.n),
                    "id_of": _other(row, place, role.same_id, batch.n),
                    "box": places.box[scene],
                    "surveyed": role.days.surveyed,
                    "completed": role.days.completed,
                    "informed": role.days.informed,
                }
            )
            first_row += batch.n
        first_scene += batch.n
    return tables


def _other(row: Ints, place: int, target: int, n: int) -> Ints:
    """Return the row of another role of the same scene, -1 where none is meant."""
    return row + (target - place) * n if target >= 0 else np.full(n, -1, dtype=np.int64)


def _on_ground(batch: Batch, role: Role, places: Layout, scene: Ints) -> Floats:
    """Return the turning points of all rings, one after the other, in the equal-area CRS (m)."""
    mask = role.ring.mask
    if batch.scene.on_grid:
        utm = places.square[scene][:, None, :] + role.ring.xy * BOX_M
        return transform_xy(utm[mask], UTM_48N, EQUAL_AREA_CRS)
    xy = role.ring.xy + places.centre[scene][:, None, :]
    return np.asarray(xy[mask], dtype=np.float64)


def _ordered(
    rng: Rng, tables: list[dict[str, Any]], batches: list[Batch], places: Layout, scale: float
) -> Records:
    """Join the tables and mix the scenes, so that a file is not sorted by what is wrong in it."""
    names = [name for name in tables[0] if name not in ("points", "count")]
    column = {name: np.concatenate([table[name] for table in tables]).astype(np.int64) for name in names}
    counts = np.concatenate([table["count"] for table in tables])
    ring = Rings.from_counts(np.concatenate([table["points"] for table in tables]), counts)
    tables.clear()
    n_scenes = len(places.box)
    order = np.lexsort((column["role"], rng.permutation(n_scenes)[column["scene"]]))
    new_row = np.empty(len(order), dtype=np.int64)
    new_row[order] = np.arange(len(order))
    column = {name: values[order] for name, values in column.items()}
    for name in ("of", "id_of"):
        column[name] = np.where(column[name] >= 0, new_row[column[name]], -1)
    dates = Days(column.pop("surveyed"), column.pop("completed"), column.pop("informed"))
    anchor = places.centre + np.concatenate([batch.anchor for batch in batches])
    for batch in batches:
        batch.roles = []
    return Records(
        ring=ring.take(order),
        days=_unambiguous(dates, column["delivery"]),
        anchor=anchor,
        scene_batch=np.repeat(np.arange(len(batches)), [batch.n for batch in batches]),
        scene_box=places.box,
        batches=batches,
        scale=scale,
        **column,
    )


def _unambiguous(dates: Days, delivery: Ints) -> Days:
    """Move the dates of deliveries that write the day first to the second half of the month."""
    day_first = np.isin(delivery, [row for row, plan in enumerate(DELIVERIES) if plan.driver == "CSV"])
    other = dates.mid_month()
    return Days(
        np.where(day_first, other.surveyed, dates.surveyed),
        np.where(day_first, other.completed, dates.completed),
        np.where(day_first, other.informed, dates.informed),
    )
