"""Polygons that are drawn again: by millimetres, split, merged, moved and moved back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from shapely.ops import split as cut_by_line

from .world import Area, Due, Rng, World, shifted

_TRIES = 6
# An area that has moved must still lie on most of its own ground, else it is not that area any more.
_LEAST_OWN_GROUND = 0.65
_SAME_SHARE = 1e-9


def redraw(world: World) -> None:
    """Move the turning points of some records by up to 1 mm to 1 m, each its own way."""
    reach_m = float(10 ** world.rng.uniform(-3, 0))
    chosen = [area for area in _some(world, 6) if _redraw(world, area, reach_m)]
    if chosen:
        world.tell("redrawn", *(area.ground_id for area in chosen), reach_m=reach_m)


def redraw_and_reissue(world: World) -> None:
    """Move the turning points of some records and give them new ids the same night."""
    reach_m = float(10 ** world.rng.uniform(-3, 0))
    chosen = [area for area in _some(world, 4) if _redraw(world, area, reach_m)]
    if chosen:
        world.give_ids([a.ground_id for a in chosen], [world.new_id(a.register) for a in chosen])
        world.tell("redrawn_and_reissued", *(area.ground_id for area in chosen), reach_m=reach_m)


def redraw_and_exchange(world: World) -> None:
    """Move the turning points of two overlapping records of one register, and exchange their ids."""
    pairs = [pair for pair in world.overlaps() if pair.first.register == pair.second.register]
    pairs = [pair for pair in pairs if world.is_free(*pair.grounds)]
    if not pairs:
        return
    pair = world.choose(pairs)
    reach_m = float(10 ** world.rng.uniform(-3, 0))
    if _redraw(world, pair.first, reach_m) and _redraw(world, pair.second, reach_m):
        world.give_ids([*pair.grounds], [pair.second.source_id, pair.first.source_id])
        world.tell("redrawn_and_exchanged_ids", *pair.grounds, reach_m=reach_m)
    else:
        world.put(pair.first)


def move(world: World) -> None:
    """Move an overlapping record by a part of its size for one or two nights, then back to where it was."""
    for area in _some(world, _TRIES):
        angle = world.rng.uniform(0, 2 * np.pi)
        step_m = np.sqrt(area.polygon.area) * world.rng.uniform(0.05, 0.25)
        by = np.array([np.cos(angle), np.sin(angle)]) * step_m
        moved = shifted(area.polygon, by)
        if moved.intersection(area.polygon).area >= _LEAST_OWN_GROUND * area.polygon.area:
            world.put(replace(area, polygon=moved))
            world.tell("moved", area.ground_id, by_m=float(step_m))
            world.due.append(Due(world.night + int(world.rng.integers(1, 3)), "moved_back", (area,)))
            return


def move_back(world: World, due: Due) -> bool:
    """Put a record back to where it was, unless it is gone."""
    (before,) = due.areas
    if before.ground_id not in world.areas:
        return True
    if not world.is_free(before.ground_id):
        return False
    world.put(replace(world.areas[before.ground_id], polygon=before.polygon))
    world.tell("moved_back", before.ground_id)
    return True


def split(world: World) -> None:
    """Split a record in two along a line; one piece may keep the id."""
    for area in _some(world, _TRIES):
        pieces = _halves(world.rng, area.polygon)
        if pieces is None:
            continue
        world.take(area.ground_id)
        world.whole[area.ground_id] = area.polygon
        keeps = world.rng.random() < 0.5
        names = []
        for number, piece in enumerate(pieces):
            own_id = area.source_id if keeps and number == 0 else world.new_id(area.register)
            names.append(world.new_ground(area.ground_id))
            world.put(replace(area, ground_id=names[-1], polygon=piece, source_id=own_id, informed=world.day))
        world.tell("split", area.ground_id, *names, parents=[area.ground_id], children=names, keeps_id=keeps)
        return


def merge(world: World) -> None:
    """Make one record of two neighbours of one register, under the id of one of them or a new one."""
    free = world.free()
    polygons = np.array([area.polygon for area in free], dtype=object)
    left, right = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    options = [
        (free[i], free[j])
        for i, j in zip(left, right, strict=True)
        if i < j and free[i].register == free[j].register
    ]
    for number in world.rng.permutation(len(options))[:_TRIES]:
        first, second = options[number]
        union = shapely.union(first.polygon, second.polygon)
        if not _is_plain(union):
            continue
        world.take(first.ground_id)
        world.take(second.ground_id)
        new_id = world.rng.random() < 0.4
        parents = [first.ground_id, second.ground_id]
        undone = _undone_split(world, parents, union)
        name = undone or world.new_ground(*parents)
        own_id = world.new_id(first.register) if new_id else first.source_id
        made = replace(first, ground_id=name, polygon=union, source_id=own_id, informed=world.day)
        world.put(_later(made, second))
        what = "split_undone" if undone else "merged"
        world.tell(what, *parents, name, parents=parents, children=[name])
        return


def _undone_split(world: World, pieces: list[str], union: shapely.Polygon) -> str | None:
    """Return the ground that was split into these two pieces, if they make it whole again."""
    first, second = (world.parents[piece] for piece in pieces)
    if first != second or len(first) != 1:
        return None
    whole = world.whole[first[0]]
    # Pieces that were redrawn meanwhile make other ground.
    return first[0] if shapely.symmetric_difference(whole, union).area <= _SAME_SHARE * whole.area else None


def _later(area: Area, other: Area) -> Area:
    """A merged record states the later dates of the two."""
    return replace(
        area,
        surveyed=max(area.surveyed, other.surveyed),
        completed=max(area.completed, other.completed),
    )


def _some(world: World, most: int) -> list[Area]:
    """Draw records to which something can happen, most of them with an overlap."""
    grounds = {ground for pair in world.overlaps() for ground in pair.grounds}
    free = world.free()
    weights = np.array([5.0 if area.ground_id in grounds else 1.0 for area in free])
    n = min(most, len(free))
    if n == 0:
        return []
    chances = weights / weights.sum()
    return [free[int(row)] for row in world.rng.choice(len(free), n, replace=False, p=chances)]


def _redraw(world: World, area: Area, reach_m: float) -> bool:
    """Move each turning point of a record by less than `reach_m`; say whether that makes a polygon."""
    xy = shapely.get_coordinates(area.polygon.exterior)[:-1]
    angle = world.rng.uniform(0, 2 * np.pi, len(xy))
    step = world.rng.uniform(0.2, 1.0, len(xy)) * reach_m
    polygon = shapely.Polygon(xy + np.column_stack((np.cos(angle), np.sin(angle))) * step[:, None])
    if not _is_plain(polygon):
        return False
    world.put(replace(area, polygon=polygon, informed=world.day))
    return True


def _halves(rng: Rng, polygon: shapely.Polygon) -> list[shapely.Polygon] | None:
    """Cut a polygon along a line through its middle; None where that makes no two fair pieces."""
    angle = rng.uniform(0, np.pi)
    middle = np.array(polygon.centroid.coords[0])
    reach = np.array([np.cos(angle), np.sin(angle)]) * polygon.length
    cut = cut_by_line(polygon, shapely.LineString([middle - reach, middle + reach])).geoms
    pieces = [piece for piece in cut if isinstance(piece, shapely.Polygon)]
    fair = len(pieces) == 2 and min(piece.area for piece in pieces) > 0.25 * polygon.area
    return sorted(pieces, key=lambda piece: piece.bounds) if fair else None


def _is_plain(shape: shapely.Geometry) -> bool:
    """Say whether a shape is one valid polygon without holes."""
    return isinstance(shape, shapely.Polygon) and shape.is_valid and len(shape.interiors) == 0
