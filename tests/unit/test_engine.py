"""The overlap engine: tiles, and what is known from earlier runs, change nothing of what is found."""

import numpy as np
import pytest
import shapely

from geopipe.engine import known
from geopipe.engine.candidates import all_pairs, pairs_in, tiles
from geopipe.engine.find import Engine
from geopipe.engine.known import KnownPairs, renew

ORIGIN = np.array([5_000_000.0, 5_000_000.0])
NARROW_M = 5.0


def scattered(size: int, seed: int = 7, across_m: float = 3_000.0) -> np.ndarray:
    """Rotated rectangles, some of them narrow, thrown on a square: many of them overlap."""
    random = np.random.default_rng(seed)
    width, height = random.uniform(1, 120, size), random.uniform(20, 120, size)
    at = random.uniform(0, across_m, (size, 2)) + ORIGIN
    shapes = []
    for number in range(size):
        box = shapely.box(0, 0, width[number], height[number])
        turned = shapely.affinity.rotate(box, random.uniform(0, 90))
        shapes.append(shapely.affinity.translate(turned, *at[number]))
    return np.array(shapes, dtype=object)


def found(areas: np.ndarray, engine: Engine) -> list[tuple]:
    measured = engine.pairs(areas, np.arange(len(areas)), NARROW_M)
    columns = (
        measured.left, measured.right, measured.area_m2, measured.perimeter_m,
        np.nan_to_num(measured.width_m, nan=-1), measured.confidence, shapely.to_wkb(measured.geometry),
    )  # fmt: skip
    return [tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


AREAS = scattered(800)
PLAIN = found(AREAS, Engine())


def owned_by(boxes: np.ndarray, most: int) -> list[tuple[int, int]]:
    """The pairs of every tile, one after the other."""
    each = [pairs_in(tile, boxes) for tile in tiles(boxes, most)]
    return [pair for left, right in each for pair in zip(left.tolist(), right.tolist(), strict=True)]


def test_there_is_something_to_find():
    assert len(PLAIN) > 300
    assert any(row[4] >= 0 for row in PLAIN)
    assert any(row[4] < 0 for row in PLAIN)


# --- tiles ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 7, 50, 10_000])
def test_every_pair_belongs_to_exactly_one_tile(most):
    boxes = shapely.bounds(AREAS)
    owned = owned_by(boxes, most)
    assert len(owned) == len(set(owned))
    assert set(owned) == set(zip(*(side.tolist() for side in all_pairs(AREAS)), strict=True))


def test_tiles_hold_no_more_areas_than_asked_unless_they_lie_on_one_place():
    boxes = shapely.bounds(AREAS)
    assert max(len(tile.rows) for tile in tiles(boxes, 60)) <= 60
    stacked = np.repeat(boxes[:1], 100, axis=0)
    assert {len(tile.rows) for tile in tiles(stacked, 60)} == {100}


def test_tiles_do_not_depend_on_the_order_of_areas():
    boxes = shapely.bounds(AREAS)
    squares = [
        {(tile.west, tile.south, tile.size_m) for tile in tiles(some, 60)} for some in (boxes, boxes[::-1])
    ]
    assert squares[0] == squares[1]


def test_tiles_lie_on_both_sides_of_the_origin():
    boxes = np.array([[-10.0, -10, 10, 10], [-500, 300, -400, 400], [5, 5, 8, 8]])
    assert owned_by(boxes, 1) == [(0, 2)]


def test_no_areas_give_no_tiles():
    assert list(tiles(np.empty((0, 4)), 10)) == []


# --- known pairs ------------------------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch):
    """How many candidates were measured each time."""
    sizes = []

    def measure(geometry, left, right, narrow_m):
        sizes.append(len(left))
        return known_measure(geometry, left, right, narrow_m)

    from geopipe.engine.measure import measure as known_measure

    monkeypatch.setattr("geopipe.engine.find.measure", measure)
    return sizes


def kept(folder, rules="a"):
    """The engine of the next run: what the last one has kept is known."""
    renew(folder)
    return Engine(known=KnownPairs(folder, rules))


def test_pairs_that_are_known_are_not_measured_again(tmp_path, counted):
    assert found(AREAS, kept(tmp_path)) == PLAIN
    assert found(AREAS, kept(tmp_path)) == PLAIN
    assert counted[0] > len(PLAIN)
    assert counted[1:] == [0]


def test_only_pairs_of_changed_areas_are_measured(tmp_path, counted):
    found(AREAS, kept(tmp_path))
    changed = AREAS.copy()
    changed[5] = shapely.affinity.translate(changed[5], 0.001, 0)
    again = found(changed, kept(tmp_path))
    assert 0 < counted[1] < 20
    assert again == found(changed, Engine())
    assert again != PLAIN


def test_known_pairs_are_found_under_other_rows(tmp_path, counted):
    found(AREAS, kept(tmp_path))
    without_first = AREAS[1:]
    assert found(without_first, kept(tmp_path)) == found(without_first, Engine())
    assert counted[1] == 0


def test_parts_of_a_run_know_what_other_parts_have_kept(tmp_path, counted):
    halves = AREAS[:400], AREAS[400:]
    for half in halves:
        found(half, Engine(known=KnownPairs(tmp_path, "a")))
    renew(tmp_path)
    for half in halves[::-1]:
        assert found(half, Engine(known=KnownPairs(tmp_path, "a"))) == found(half, Engine())
    assert counted[2] == counted[4] == 0


def test_what_no_run_needs_any_more_is_forgotten(tmp_path, counted):
    found(AREAS, kept(tmp_path))
    found(AREAS[:10], kept(tmp_path))
    renew(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    found(AREAS, Engine(known=KnownPairs(tmp_path, "a")))
    assert counted[2] > 0


def test_what_other_rules_or_other_code_have_measured_is_not_known(tmp_path, counted, monkeypatch):
    found(AREAS, kept(tmp_path))
    found(AREAS, kept(tmp_path, "b"))
    monkeypatch.setattr(known, "code_stamp", lambda: "other code")
    found(AREAS, kept(tmp_path, "b"))
    assert counted[0] == counted[1] == counted[2]


@pytest.mark.parametrize("damage", [b"", b"ARROW1", b"no arrow at all" * 100])
def test_a_damaged_file_of_known_pairs_counts_as_none(tmp_path, counted, damage):
    (tmp_path / "damaged.arrow").write_bytes(damage)
    assert found(AREAS, kept(tmp_path)) == PLAIN
    assert found(AREAS, kept(tmp_path)) == PLAIN
    assert counted[1] == 0


def test_a_truncated_file_of_known_pairs_counts_as_none(tmp_path, counted):
    found(AREAS, kept(tmp_path))
    renew(tmp_path)
    (path,) = tmp_path.glob("*.arrow")
    path.write_bytes(path.read_bytes()[:-300])
    assert found(AREAS, kept(tmp_path)) == PLAIN
    assert counted[1] == counted[0]


def test_one_bit_that_flips_in_the_known_pairs_changes_nothing(tmp_path, counted):
    found(AREAS, kept(tmp_path))
    renew(tmp_path)
    (path,) = tmp_path.glob("*.arrow")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert found(AREAS, kept(tmp_path)) == PLAIN
    assert counted[1] == counted[0]


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path, counted):
    (tmp_path / "pairs").write_text("a file stands in the way")
    assert found(AREAS, kept(tmp_path / "pairs")) == PLAIN
    assert found(AREAS, kept(tmp_path / "pairs")) == PLAIN
    assert counted[0] == counted[1]


def test_the_order_of_the_two_decides_what_is_known(tmp_path):
    # The shared ground of a and b need not be that of b and a to the last bit.
    found(AREAS, kept(tmp_path))
    turned = kept(tmp_path).pairs(AREAS, np.arange(len(AREAS))[::-1], NARROW_M)
    plain = Engine().pairs(AREAS, np.arange(len(AREAS))[::-1], NARROW_M)
    assert shapely.to_wkb(turned.geometry).tolist() == shapely.to_wkb(plain.geometry).tolist()
