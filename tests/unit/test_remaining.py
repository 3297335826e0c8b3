"""Remaining area: what all releases of a hazard area together have left of it."""

import datetime as dt

import pytest
import shapely
from make import POLICY, area, box, findings, hazard, judged, released, square

from geopipe.reports.layers import published_layers
from geopipe.reports.summary import summarise
from geopipe.stages.remaining import remaining

BEFORE, SURVEY, RELEASE = dt.date(2010, 1, 1), dt.date(2018, 1, 1), dt.date(2020, 1, 1)
FIELD = square(side=100)
WEST, EAST = box(0, 0, 50, 100), box(50, 0, 100, 100)


def left(*records):
    return remaining(judged(*records)).remaining


def only(*records):
    (row,) = left(*records).table.to_pylist()
    return row


def surveyed(ground=FIELD, **more):
    return hazard(ground, id="H", when=SURVEY, **more)


def test_what_a_release_does_not_cover_remains_as_number_and_as_ground():
    frame = left(surveyed(status="open"), released(WEST, when=RELEASE))
    (row,) = frame.table.to_pylist()
    assert (row["hazard_id"], row["status"], row["releases"], row["parts"]) == ("MAG:hazard:H", "open", 1, 1)
    assert (row["area_m2"], row["released_m2"], row["remaining_m2"]) == (10_000, 5_000, 5_000)
    assert row["released_share"] == 0.5
    assert shapely.equals(frame.geometry[0], EAST)


def test_releases_that_overlap_are_counted_once():
    row = only(surveyed(), released(WEST, when=RELEASE), released(box(25, 0, 75, 100), "NPA", when=RELEASE))
    assert (row["releases"], row["remaining_m2"]) == (2, 2_500)


def test_a_hazard_in_the_middle_of_which_was_released_has_a_ring_left():
    frame = left(surveyed(), released(box(10, 10, 90, 90), when=RELEASE))
    assert frame.numpy("remaining_m2")[0] == 10_000 - 6_400
    assert shapely.get_num_interior_rings(shapely.get_parts(frame.geometry[0]))[0] == 1


def test_of_a_hazard_that_was_wholly_released_nothing_remains():
    frame = left(surveyed(), released(box(-1, -1, 50, 101), when=RELEASE), released(EAST, when=RELEASE))
    (row,) = frame.table.to_pylist()
    assert (row["remaining_m2"], row["released_share"], row["parts"]) == (0, 1, 0)
    assert shapely.is_empty(frame.geometry[0])


@pytest.mark.parametrize("completed", [None, SURVEY, BEFORE])
def test_a_release_that_does_not_certainly_follow_the_survey_releases_nothing(completed):
    row = only(surveyed(), released(WEST, when=completed))
    assert (row["remaining_m2"], row["releases"], row["releases_in_doubt"]) == (10_000, 0, 1)


def test_ground_that_another_operator_cancelled_while_it_is_open_remains():
    """The pair is an alarm; until it is decided all of it is hazard."""
    cancelled = area(WEST, "CANCELLED", "NPA", when=RELEASE)
    assert only(surveyed(status="open"), cancelled)["remaining_m2"] == 10_000
    assert only(surveyed(status="closed"), cancelled)["remaining_m2"] == 5_000


@pytest.mark.parametrize("kind", ["TASK", "SURVEY_BOX", "UNKNOWN", "CHA"])
def test_only_released_land_releases(kind):
    assert len(left(surveyed(), area(WEST, kind, "NPA", when=RELEASE))) == 0


def test_a_hazard_without_a_release_has_no_row_but_counts_in_the_summary():
    state = remaining(
        judged(surveyed(), released(WEST, when=RELEASE), hazard(square(500), kind="SHA"), hazard(square(900)))
    )
    assert len(state.remaining) == 1
    told = summarise(state, POLICY)["remaining"]
    assert told["SHA"]["remaining_m2"] == told["SHA"]["reported_m2"] == 10_000
    assert (told["CHA"]["records"], told["CHA"]["with_release"]) == (2, 1)
    assert (told["CHA"]["released_m2"], told["CHA"]["remaining_m2"]) == (5_000, 15_000)


def test_what_remains_of_closed_hazard_is_told_apart():
    state = remaining(judged(surveyed(status="closed"), released(WEST, when=RELEASE)))
    assert summarise(state, POLICY)["remaining"]["CHA"]["closed_remaining_m2"] == 5_000


def test_the_handover_table_says_what_all_releases_together_have_left():
    state = remaining(
        judged(
            surveyed(status="open"), released(WEST, when=RELEASE), released(box(50, 0, 60, 100), when=RELEASE)
        )
    )
    (layer,) = published_layers(state, ["handover"])
    for row in layer.table.to_pylist():
        assert (row["hazard_status"], row["hazard_remaining_m2"]) == ("open", 4_000)
        assert row["released_share_together"] == pytest.approx(0.6)


def test_where_geos_fails_all_of_the_hazard_remains_and_is_told(monkeypatch):
    def fail(*_args, **_options):
        raise shapely.errors.GEOSException("no")

    state = judged(surveyed(), released(WEST, when=RELEASE))
    monkeypatch.setattr(shapely, "difference", fail)
    done = remaining(state)
    (row,) = done.remaining.table.to_pylist()
    assert (row["remaining_m2"], row["confidence"]) == (10_000, "uncertain")
    assert shapely.equals(done.remaining.geometry[0], FIELD)
    assert [told["record_id"] for told in findings(done, "REMAINING_UNCERTAIN")] == ["MAG:hazard:H"]


def test_ground_that_contradicts_the_measured_overlap_is_not_believed(monkeypatch):
    """GEOS can take a whole polygon for the overlap of two that hardly meet."""
    state = judged(surveyed(), released(WEST, when=RELEASE))
    monkeypatch.setattr(shapely, "difference", lambda a, _b, **_options: shapely.buffer(a, -40))
    assert remaining(state).remaining.numpy("remaining_m2")[0] == 10_000
