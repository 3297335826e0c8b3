"""The index on disk answers like the areas themselves, and knows when it is old."""

import numpy as np
import pytest
import shapely
from make import box, square

from geopipe.errors import OutputError
from geopipe.index import boxes_meeting, build_index, is_current, stamp


def areas(*shapes):
    geometry = np.array(shapes, dtype=object)
    return shapely.bounds(geometry), np.array([f"row {n}" for n in range(len(shapes))], dtype=object)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "ດັດຊະນີ with spaces" / "index"


def test_the_index_names_the_areas_whose_boxes_meet(folder):
    boxes, ids = areas(square(0), square(50), square(500), square(900))
    build_index(folder, boxes, ids)
    assert boxes_meeting(folder, box(60, 60, 70, 70).bounds).tolist() == [0, 1]
    assert boxes_meeting(folder, box(300, 0, 310, 10).bounds).tolist() == []
    assert boxes_meeting(folder, box(0, 0, 1000, 1000).bounds).tolist() == [0, 1, 2, 3]


def test_a_box_that_only_touches_is_named_so_that_nothing_is_missed(folder):
    boxes, ids = areas(square(0), square(100))
    build_index(folder, boxes, ids)
    assert boxes_meeting(folder, box(100, 0, 100, 0).bounds).tolist() == [0, 1]


def test_the_index_agrees_with_a_search_through_all_areas(folder):
    random = np.random.default_rng(7)
    corners = random.uniform(0, 5000, (500, 2))
    shapes = [square(x, y, side) for (x, y), side in zip(corners, random.uniform(1, 200, 500), strict=True)]
    boxes, ids = areas(*shapes)
    build_index(folder, boxes, ids)
    for x, y in random.uniform(0, 5000, (30, 2)):
        asked = box(x, y, x + 100, y + 100)
        expected = np.flatnonzero(shapely.intersects(shapely.envelope(shapes), asked))
        assert boxes_meeting(folder, asked.bounds).tolist() == expected.tolist()


def test_areas_without_a_box_are_left_out_and_keep_the_numbers_of_the_others(folder):
    boxes, ids = areas(square(0), None, shapely.Polygon(), square(10))
    build_index(folder, boxes, ids)
    assert boxes_meeting(folder, square(0).bounds).tolist() == [0, 3]
    assert is_current(folder, boxes, ids)


def test_an_index_of_nothing_finds_nothing(folder):
    boxes, ids = areas()
    build_index(folder, boxes, ids)
    assert boxes_meeting(folder, (0, 0, 1e9, 1e9)).tolist() == []
    assert is_current(folder, boxes, ids)


def test_an_index_is_current_for_exactly_its_own_areas(folder):
    boxes, ids = areas(square(0), square(50))
    assert not is_current(folder, boxes, ids)
    build_index(folder, boxes, ids)
    assert is_current(folder, boxes, ids)
    assert not is_current(folder, *areas(square(0), square(51)))
    assert not is_current(folder, boxes, np.array(["row 0", "row 9"], dtype=object))
    assert not is_current(folder, boxes[::-1], ids)
    assert not is_current(folder, *areas(square(0)))


def test_the_stamp_tells_apart_ids_that_look_alike_when_joined():
    boxes, _ = areas(square(0), square(50))
    assert stamp(boxes, np.array(["a", "b"])) != stamp(boxes, np.array(["ab", ""]))


def test_an_index_is_built_again_over_the_old_one(folder):
    build_index(folder, *areas(square(0)))
    boxes, ids = areas(square(700), square(800))
    build_index(folder, boxes, ids)
    assert is_current(folder, boxes, ids)
    assert boxes_meeting(folder, square(0).bounds).tolist() == []
    assert boxes_meeting(folder, square(750).bounds).tolist() == [0, 1]


@pytest.mark.parametrize("harm", ["stamp.json", "areas.idx"])
def test_an_index_that_lost_a_file_is_not_current(folder, harm):
    boxes, ids = areas(square(0))
    build_index(folder, boxes, ids)
    (folder / harm).unlink()
    assert not is_current(folder, boxes, ids)


def test_a_damaged_stamp_is_not_current(folder):
    boxes, ids = areas(square(0))
    build_index(folder, boxes, ids)
    (folder / "stamp.json").write_text("{half", encoding="utf-8")
    assert not is_current(folder, boxes, ids)


def test_a_build_that_fails_leaves_the_old_index_and_no_litter(folder, monkeypatch):
    from geopipe import index

    boxes, ids = areas(square(0))
    build_index(folder, boxes, ids)
    monkeypatch.setattr(index, "_write", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OutputError, match="disk full"):
        build_index(folder, *areas(square(5)))
    assert is_current(folder, boxes, ids)
    assert [path.name for path in folder.parent.iterdir()] == ["index"]
