"""The registers of the first night: overlapping areas in places of their own, lone areas between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely

from geopipe.demo import layout, scenes, shapes
from geopipe.demo.days import Days
from geopipe.demo.rings import Floats, Padded
from geopipe.demo.scenes import Role, SceneType
from geopipe.terms import Kind

from .world import OPERATORS, REGISTERS, Area, Rng, Spare, World, shifted

CHA, CLEARED = Kind.CHA, Kind.CLEARED
_WEIGHTS = np.array([0.34, 0.28, 0.14, 0.14, 0.10])
_SPARE = ("spare_hazard", "spare_released")


def _of_one_operator(kind: Kind) -> Callable[[Rng, int, float], list[Role]]:
    """Return the maker of two overlapping records of one operator."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        ring, when = scenes.ground(rng, n, scale, kind)
        return [Role(ring, kind, when), Role(shapes.biting(rng, ring), kind, scenes.dates(rng, n, kind))]

    return build


def _over_a_border(kind: Kind) -> Callable[[Rng, int, float], list[Role]]:
    """Return the maker of two neighbours of one operator, and another operator's area over their border."""

    def build(rng: Rng, n: int, scale: float) -> list[Role]:
        length_m = rng.uniform(90, 300, n) * scale
        left, right = shapes.neighbours(rng, length_m, np.zeros(n))
        across = shapes.star(rng, (0.45 * length_m) ** 2)
        return [
            Role(left, kind, scenes.dates(rng, n, kind)),
            Role(right, kind, scenes.dates(rng, n, kind)),
            Role(across, kind, scenes.dates(rng, n, kind), who=1),
        ]

    return build


# The share is that of all records at the default size: scenes per record.
_SCENES = (
    SceneType("hazard_partial", 0.050, scenes.cross(CHA, shapes.biting)),
    SceneType("released_partial", 0.040, scenes.cross(CLEARED, shapes.biting)),
    SceneType("hazard_strip_over_5m2", 0.012, scenes.strip(CHA, scenes.over_5m2)),
    SceneType("released_strip_over_5m2", 0.008, scenes.strip(CLEARED, scenes.over_5m2)),
    SceneType("hazard_strip_under_5m2", 0.012, scenes.strip(CHA, scenes.under_5m2)),
    SceneType("released_strip_under_5m2", 0.008, scenes.strip(CLEARED, scenes.under_5m2)),
    SceneType("hazard_inside", 0.010, scenes.cross(CHA, shapes.inside)),
    SceneType("released_inside", 0.008, scenes.cross(CLEARED, shapes.inside)),
    SceneType("hazard_equal", 0.005, scenes.cross(CHA, shapes.renumbered)),
    SceneType("three_operators", 0.008, scenes.three_way),
    SceneType("hazard_on_released", 0.015, scenes.hazard_on_released(cross_operator=True)),
    SceneType("hazard_on_released_same", 0.008, scenes.hazard_on_released(cross_operator=False)),
    SceneType("expected_release", 0.010, scenes.expected_release(cross_operator=True)),
    SceneType("expected_release_same", 0.010, scenes.expected_release(cross_operator=False)),
    SceneType("hazard_same_operator", 0.020, _of_one_operator(CHA)),
    SceneType("released_same_operator", 0.010, _of_one_operator(CLEARED)),
    SceneType("hazard_over_a_border", 0.015, _over_a_border(CHA)),
    SceneType("released_over_a_border", 0.010, _over_a_border(CLEARED)),
    SceneType("touching", 0.010, scenes.strip(CHA, scenes.no_width)),
    SceneType("lone_hazard", 0.190, scenes.lone(CHA, largest_ha=15.0)),
    SceneType("lone_released", 0.150, scenes.lone(CLEARED)),
    SceneType(_SPARE[0], 0.080, scenes.cross(CHA, shapes.biting)),
    SceneType(_SPARE[1], 0.060, scenes.cross(CLEARED, shapes.biting)),
)


@dataclass(frozen=True)
class _Scene:
    """Areas that have something to do with each other: polygons about the middle of their box, m."""

    type: SceneType
    roles: list[Role]
    polygons: list[shapely.Polygon]
    days: list[Days]
    half_m: float


def first_world(rng: Rng, size: int) -> World:
    """Make registers of about `size` records in all, with ids in the order of their rows."""
    made = _scenes(rng, size)
    half_m = np.array([scene.half_m for scene in made])
    places = layout.place(rng, half_m, np.zeros(len(made), dtype=bool), layout.find_blocks())
    world = World(rng, {}, [0] * len(REGISTERS), [], {})
    for number in rng.permutation(len(made)):
        scene, box = made[number], int(places.box[number])
        polygons = [shifted(polygon, places.centre[number]) for polygon in scene.polygons]
        if scene.type.name in _SPARE:
            first, second = polygons
            kind = scene.roles[0].kind
            world.spare.append(Spare(kind, (first, second), (scene.days[0], scene.days[1]), box))
            continue
        registers = draw_registers(rng, [(role.who, role.kind) for role in scene.roles])
        for register, polygon, when in zip(registers, polygons, scene.days, strict=True):
            add(world, register, polygon, when, box)
    return world


def add(world: World, register: int, polygon: shapely.Polygon, when: Days, box: int) -> Area:
    """Add a record on new ground, under a new id."""
    area = Area(
        ground_id=world.new_ground(),
        register=register,
        polygon=polygon,
        source_id=world.new_id(register),
        surveyed=int(when.surveyed),
        completed=int(when.completed),
        informed=int(when.informed),
        box=box,
    )
    world.put(area)
    return area


def draw_registers(rng: Rng, roles: list[tuple[int, Kind]]) -> list[int]:
    """Choose an operator for each number in `roles` who has registers of its kinds; return the registers."""
    chosen: dict[int, int] = {}
    for who in sorted({who for who, _ in roles}):
        kinds = {kind for number, kind in roles if number == who}
        able = np.array([kinds <= set(_registers_of(name)) for name in OPERATORS])
        able[list(chosen.values())] = False
        weights = np.where(able, _WEIGHTS, 0.0)
        chosen[who] = int(rng.choice(len(OPERATORS), p=weights / weights.sum()))
    return [_registers_of(OPERATORS[chosen[who]])[kind] for who, kind in roles]


def _registers_of(operator: str) -> dict[Kind, int]:
    return {register.says: row for row, register in enumerate(REGISTERS) if register.operator == operator}


def _scenes(rng: Rng, size: int) -> list[_Scene]:
    """Build the shapes of all scenes."""
    made = []
    for kind_of_scene in _SCENES:
        n = max(1, round(kind_of_scene.share * size))
        roles = kind_of_scene.build(rng, n, 1.0)
        angle: Floats = rng.uniform(0, 2 * np.pi, n)
        rings = [shapes.turned(role.ring, angle) for role in roles]
        made += [_scene(kind_of_scene, roles, rings, row) for row in range(n)]
    return made


def _scene(kind_of_scene: SceneType, roles: list[Role], rings: list[Padded], row: int) -> _Scene:
    """Return one scene about the middle of its box, shrunk where it is too large for its place."""
    polygons = [shapely.Polygon(ring.xy[row, : ring.count[row]]) for ring in rings]
    west, south, east, north = shapely.total_bounds(np.array(polygons, dtype=object))
    middle = np.array([(west + east) / 2, (south + north) / 2])
    half_m = max(east - west, north - south) / 2
    shrink = min(1.0, 0.999 * layout.LARGEST_HALF_M / half_m)
    placed = [shapely.transform(polygon, lambda xy: (xy - middle) * shrink) for polygon in polygons]
    days = [
        Days(role.days.surveyed[row], role.days.completed[row], role.days.informed[row]) for role in roles
    ]
    return _Scene(kind_of_scene, roles, placed, days, half_m * shrink)
