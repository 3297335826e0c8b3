"""A record is followed through re-deliveries by what stays the same: its id, its ground, or both."""

import numpy as np
import pytest
import shapely
from make import box, hazard, make_features, released, square

from geopipe.lineages.lineage import LINEAGE, trace


def traced(before, after, share=0.5):
    return trace(make_features(*before).features, make_features(*after).features, share)


def told(before, after, share=0.5):
    """(change, ids before, ids after) of each event."""
    lineage = traced(before, after, share)
    ids = lineage.columns("source_id")
    return sorted(
        (change, tuple(old), tuple(new))
        for change, old, new in zip(lineage.change, ids[0].to_pylist(), ids[1].to_pylist(), strict=True)
    )


def only(before, after):
    """The one event of two deliveries."""
    lineage = traced(before, after)
    assert len(lineage) == 1, lineage.table().to_pylist()
    return lineage.table().to_pylist()[0]


# Rule 1: the same id on the same ground.


def test_a_record_that_is_delivered_again_is_unchanged():
    event = only([hazard(square(), id="1")], [hazard(square(), id="1", file="next.gpkg")])
    assert event["change"] == "unchanged"
    assert (event["lost_m2"], event["gained_m2"], event["attributes_changed"]) == (0, 0, "")
    assert event["previous_row_ids"] == ["areas.gpkg::00000001"]
    assert event["current_row_ids"] == ["next.gpkg::00000001"]


def test_the_start_and_direction_of_a_ring_are_no_change():
    turned = shapely.Polygon(np.roll(np.array(square().exterior.coords)[:-1], 1, axis=0)[::-1])
    assert only([hazard(square(), id="1")], [hazard(turned, id="1")])["change"] == "unchanged"


def test_the_same_points_delivered_in_another_crs_are_no_change():
    moved = shapely.transform(square(), lambda points: points + 1e-5 * np.sin(points))
    event = only([hazard(square(), id="1", crs="EPSG:4326")], [hazard(moved, id="1", crs="EPSG:32648")])
    assert event["change"] == "unchanged"
    assert event["lost_m2"] == 0


def test_a_turning_point_on_a_straight_edge_is_no_change():
    corners = [(0, 0), (50, 0), (100, 0), (100, 100), (0, 100)]
    more = shapely.Polygon(np.array(corners, dtype=float) + np.array(square().bounds[:2]))
    assert only([hazard(square(), id="1")], [hazard(more, id="1")])["change"] == "unchanged"


def test_a_centimetre_is_a_change():
    assert only([hazard(square(), id="1")], [hazard(square(0.01), id="1")])["change"] == "edited"


def test_bytes_that_are_read_in_another_way_now_have_moved():
    """The delivered bytes are the same: a person has confirmed another coordinate system."""
    before = make_features(hazard(square(), id="1")).features
    after = before.with_geometry(np.array([square(5000)], dtype=object))
    assert trace(before, after).change.tolist() == ["id_reused"]


def test_other_attributes_are_named_with_both_values():
    event = only(
        [
            hazard(
                square(), id="1", status="open", attributes='{"TEAM": "a", "HA": 2.0, "NOTE": null, "OLD": 5}'
            )
        ],
        [
            hazard(
                square(), id="1", status="closed", attributes='{"TEAM": "b", "HA": 2, "NOTE": "", "NEW": 5}'
            )
        ],
    )
    assert event["change"] == "attributes"
    assert event["attributes_changed"] == "status: open -> closed; columns TEAM"


# Rule 2: the same ground under another id.


def test_the_same_ground_under_another_id_is_re_issued():
    event = only([hazard(square(), id="1")], [hazard(square(), id="2")])
    assert (event["change"], event["previous_ids"], event["current_ids"]) == (
        "re_issued",
        ["MAG:hazard:1"],
        ["MAG:hazard:2"],
    )


def test_ground_wins_over_an_id_that_now_stands_elsewhere():
    assert told(
        [hazard(square(), id="1"), hazard(square(500), id="2")],
        [hazard(square(), id="2"), hazard(square(500), id="1")],
    ) == [("re_issued", ("1",), ("2",)), ("re_issued", ("2",), ("1",))]


def test_without_delivered_ids_the_ground_is_the_identity():
    before = [hazard(square()), hazard(square(500))]
    moved = shapely.transform(square(500), lambda points: points + 1e-6)
    assert [change for change, *_ in told(before, [hazard(square()), hazard(moved)])] == [
        "re_issued",
        "unchanged",
    ]


def test_of_two_records_on_one_ground_one_vanishes_when_one_is_left():
    assert told([hazard(square(), id="1"), hazard(square(), id="2")], [hazard(square(), id="2")]) == [
        ("unchanged", ("2",), ("2",)),
        ("vanished", ("1",), ()),
    ]


def test_a_new_id_is_no_change_of_the_column_that_holds_it():
    event = only(
        [hazard(square(), id="1", attributes='{"ID": "1", "TEAM": "a"}')],
        [hazard(square(), id="2", attributes='{"ID": "2", "TEAM": "a"}')],
    )
    assert (event["change"], event["attributes_changed"]) == ("re_issued", "")


# Rule 3: the same id on much of the same ground.


def test_an_area_that_was_redrawn_under_its_id_is_edited():
    lineage = traced([hazard(square(), id="1")], [hazard(box(20, 0, 130, 100), id="1")])
    assert lineage.change.tolist() == ["edited"]
    assert lineage.lost[0].equals(box(0, 0, 20, 100))
    assert lineage.gained[0].equals(box(100, 0, 130, 100))
    assert lineage.table()["lost_m2"].to_pylist() == pytest.approx([2000])
    assert lineage.table()["gained_m2"].to_pylist() == pytest.approx([3000])


@pytest.mark.parametrize(("east", "change"), [(50, ["edited"]), (51, ["added", "vanished"])])
def test_half_of_the_smaller_area_is_needed(east, change):
    found = told([hazard(square(), id="1")], [hazard(square(east), id="1")])
    assert [name for name, *_ in found] == change


def test_the_share_is_a_matter_of_policy():
    assert told([hazard(square(), id="1")], [hazard(square(70), id="1")], share=0.3)[0][0] == "edited"


# Rule 4: shared ground alone.


def test_another_id_on_much_of_the_same_ground_is_redrawn():
    event = only([hazard(square(), id="1")], [hazard(box(0, 0, 90, 100), id="2")])
    assert (event["change"], event["lost_m2"]) == ("redrawn", pytest.approx(1000))


def test_one_area_that_became_two_was_split():
    halves = [hazard(box(0, 0, 50, 100), id="1a"), hazard(box(50, 0, 90, 100), id="1b")]
    event = only([hazard(square(), id="1")], halves)
    assert (event["change"], event["current_ids"]) == ("split", ["MAG:hazard:1a", "MAG:hazard:1b"])
    assert event["lost_m2"] == pytest.approx(1000)


def test_two_areas_that_became_one_were_merged():
    halves = [hazard(box(0, 0, 50, 100), id="1a"), hazard(box(50, 0, 100, 100), id="1b")]
    event = only(halves, [hazard(square(), id="1")])
    assert (event["change"], event["lost_m2"], event["gained_m2"]) == ("merged", 0, 0)


def test_two_areas_cut_another_way_are_regrouped():
    before = [hazard(box(0, 0, 50, 100), id="a"), hazard(box(50, 0, 100, 100), id="b")]
    after = [hazard(box(0, 0, 100, 50), id="c"), hazard(box(0, 50, 100, 100), id="d")]
    assert only(before, after)["change"] == "regrouped"


# Rule 5, and what is left.


def test_an_id_on_other_ground_continues_nothing():
    event = only([hazard(square(), id="1")], [hazard(square(500), id="1")])
    assert event["change"] == "id_reused"
    assert (event["lost_m2"], event["gained_m2"]) == (pytest.approx(10_000), pytest.approx(10_000))


def test_what_is_left_was_added_or_has_vanished():
    assert told([hazard(square(), id="1")], [hazard(square(500), id="2")]) == [
        ("added", (), ("2",)),
        ("vanished", ("1",), ()),
    ]


def test_neighbours_that_touch_are_strangers():
    assert [name for name, *_ in told([hazard(square(), id="1")], [hazard(square(100), id="2")])] == [
        "added",
        "vanished",
    ]


# Each operator and register on its own.


@pytest.mark.parametrize(
    "other",
    [hazard(square(), "HALO", "1"), released(square(), id="1"), hazard(square(), id="1", register="x")],
)
def test_records_of_another_operator_or_register_continue_nothing(other):
    assert [name for name, *_ in told([hazard(square(), id="1")], [other])] == ["added", "vanished"]


def test_copies_in_another_role_continue_nothing():
    copy = make_features(hazard(square(), id="1")).features
    lineage = trace(copy.with_columns({"role": "operator"}), copy.with_columns({"role": "national_database"}))
    assert sorted(lineage.change) == ["added", "vanished"]


def test_nothing_against_nothing_is_no_event():
    assert traced([], []).table().num_rows == 0
    assert traced([], []).table().schema == LINEAGE


def test_an_event_names_its_own_rows():
    lineage = traced(
        [hazard(square(), id="1"), hazard(square(500), id="2")],
        [
            hazard(box(500, 0, 550, 100), id="2a"),
            hazard(box(550, 0, 600, 100), id="2b"),
            hazard(square(), id="1"),
        ],
    )
    event = lineage.change.tolist().index("split")
    assert lineage.previous_rows(event).tolist() == [1]
    assert lineage.current_rows(event).tolist() == [0, 1]


# Ids that change places while the borders are redrawn.


def test_overlapping_records_that_exchange_their_ids_and_are_redrawn_are_followed_by_ground():
    before = [hazard(square(), id="1"), hazard(square(30), id="2")]
    after = [hazard(square(0.5), id="2"), hazard(square(30.5), id="1")]
    assert told(before, after) == [("redrawn", ("1",), ("2",)), ("redrawn", ("2",), ("1",))]


def test_near_duplicates_that_keep_their_ids_are_followed_by_id():
    before = [hazard(square(), id="1"), hazard(square(2), id="2")]
    after = [hazard(square(1.1), id="1"), hazard(square(3.1), id="2")]
    assert told(before, after) == [("edited", ("1",), ("1",)), ("edited", ("2",), ("2",))]
