"""Which types of scenes are planted, and how often."""

from __future__ import annotations

import numpy as np

from geopipe.terms import Kind

from . import repeats, scenes, shapes
from .scenes import Fault, SceneType

CHA, CLEARED = Kind.CHA, Kind.CLEARED

TWICE = "double_registration"
COUNTED = "hectares_counted_twice"

# No more survey boxes than this: each takes a square kilometre.
MOST_BOXES = 4000

PLANTED: tuple[SceneType, ...] = (
    SceneType("cross_partial", 0.025, scenes.cross(CHA, shapes.biting), TWICE),
    SceneType("cross_partial", 0.018, scenes.cross(CLEARED, shapes.biting), COUNTED),
    SceneType("cross_very_thin_under_5m2", 0.008, scenes.strip(CHA, scenes.under_5m2), TWICE),
    SceneType("cross_very_thin_under_5m2", 0.004, scenes.strip(CLEARED, scenes.under_5m2), COUNTED),
    SceneType("cross_very_thin_over_5m2", 0.006, scenes.strip(CHA, scenes.over_5m2), TWICE),
    SceneType("cross_very_thin_over_5m2", 0.004, scenes.strip(CLEARED, scenes.over_5m2), COUNTED),
    SceneType("containment", 0.006, scenes.cross(CHA, shapes.inside), TWICE),
    SceneType("containment", 0.004, scenes.cross(CLEARED, shapes.inside), COUNTED),
    SceneType("exact_duplicate_cross", 0.004, scenes.cross(CHA, shapes.renumbered), TWICE),
    SceneType("exact_duplicate_cross", 0.003, scenes.cross(CLEARED, shapes.renumbered), COUNTED),
    SceneType("near_duplicate_cross", 0.004, repeats.near_equal_cross(CHA), TWICE),
    SceneType("near_duplicate_cross", 0.003, repeats.near_equal_cross(CLEARED), COUNTED),
    SceneType("three_way", 0.004, scenes.three_way, TWICE),
    SceneType("exact_duplicate_same", 0.004, repeats.equal_ground(CHA)),
    SceneType("exact_duplicate_same", 0.003, repeats.equal_ground(CLEARED)),
    SceneType("duplicate_row", 0.004, repeats.repeated_row(CHA)),
    SceneType("duplicate_row", 0.003, repeats.repeated_row(CLEARED)),
    SceneType("near_duplicate_same", 0.003, repeats.near_equal_covered(CHA)),
    SceneType("near_duplicate_same", 0.002, repeats.near_equal_covered(CLEARED)),
    SceneType("near_duplicate_same_uncovered", 0.002, repeats.near_equal_uncovered(CHA), TWICE),
    SceneType("near_duplicate_same_uncovered", 0.002, repeats.near_equal_uncovered(CLEARED), "recleared"),
    SceneType("newer_version", 0.006, repeats.newer_version(grown=True)),
    SceneType("newer_version", 0.003, repeats.newer_version(grown=False)),
    SceneType("newer_version_shrunk", 0.003, repeats.newer_version_shrunk, "hazard_made_smaller"),
    SceneType("expected_release", 0.025, scenes.expected_release(cross_operator=False), "expected_release"),
    SceneType("expected_release", 0.008, scenes.expected_release(cross_operator=True), "expected_release"),
    SceneType(
        "hazard_on_released", 0.005, scenes.hazard_on_released(cross_operator=True), "hazard_on_released"
    ),
    SceneType(
        "hazard_on_released", 0.003, scenes.hazard_on_released(cross_operator=False), "hazard_on_released"
    ),
    SceneType("wholly_released_still_open", 0.004, scenes.wholly_released(larger=True), "status_not_updated"),
    SceneType(
        "wholly_released_still_open", 0.002, scenes.wholly_released(larger=False), "status_not_updated"
    ),
    SceneType("touching", 0.006, scenes.strip(CHA, scenes.no_width)),
    SceneType("touching", 0.004, scenes.strip(CLEARED, scenes.no_width)),
    SceneType("invalid_ring_bowtie", 0.002, repeats.faulty(CHA, Fault.BOWTIE)),
    SceneType("invalid_ring_bowtie", 0.001, repeats.faulty(CLEARED, Fault.BOWTIE)),
    SceneType("invalid_ring_self_touch", 0.002, repeats.faulty(CHA, Fault.SELF_TOUCH)),
    SceneType("invalid_ring_spike", 0.002, repeats.faulty(CLEARED, Fault.SPIKE)),
    SceneType("null_geometry", 0.002, repeats.faulty(CHA, Fault.NULL_GEOMETRY)),
    SceneType("null_geometry", 0.001, repeats.faulty(CLEARED, Fault.NULL_GEOMETRY)),
    SceneType("swapped_coordinates", 0.002, repeats.faulty(CHA, Fault.SWAPPED_COORDINATES)),
    SceneType("swapped_coordinates", 0.001, repeats.faulty(CLEARED, Fault.SWAPPED_COORDINATES)),
    SceneType("too_few_points", 0.001, repeats.faulty(CHA, Fault.TOO_FEW_POINTS)),
    SceneType("too_few_points", 0.001, repeats.faulty(CLEARED, Fault.TOO_FEW_POINTS)),
    SceneType("uxo_found_on_cleared", 0.006, scenes.found_on_cleared),
    SceneType("evidence_outside_hazard", 0.004, scenes.bare_ground),
)

TWO_BOXES = SceneType("survey_box_twice", 0.008, scenes.survey_box(2), "surveyed_twice", on_grid=True)
LONE_BOX = SceneType("survey_box", 0.040, scenes.survey_box(1), on_grid=True)
LONE_HAZARD = SceneType("lone_hazard", 0.52, scenes.lone(CHA))
LONE_RELEASED = SceneType("lone_released", 0.48, scenes.lone(CLEARED))


def how_many(size: int) -> list[tuple[SceneType, int]]:
    """Return the number of scenes of each type for a demonstration of about `size` polygons."""
    least = 3 if size >= 400 else 1
    counts = [(scene, max(least, round(scene.share * size))) for scene in PLANTED]
    for scene, most in ((TWO_BOXES, MOST_BOXES // 8), (LONE_BOX, MOST_BOXES)):
        counts.append((scene, max(least, min(most, round(scene.share * size)))))
    polygons = sum(n * records_per_scene(scene) for scene, n in counts)
    rest = max(2, size - polygons)
    lone_hazards = round(rest * LONE_HAZARD.share)
    return [*counts, (LONE_HAZARD, lone_hazards), (LONE_RELEASED, rest - lone_hazards)]


def records_per_scene(scene: SceneType) -> int:
    """Return how many polygons one scene of this type has."""
    return len(scene.build(np.random.default_rng(0), 1, 1.0))
