"""What a decision makes of two records, and when that is unsafe."""

import pytest
import shapely
from make import box, square

from geopipe.errors import ConfigError
from geopipe.register.outcome import dangers, expected, ground_changes
from geopipe.terms import Choice

A = box(0, 0, 100, 100)
B = box(60, 20, 160, 80)
SHARED = box(60, 20, 100, 80)
ACROSS = shapely.LineString([(500_080, 1_999_990), (500_080, 2_000_110)])


def is_ground(one, other):
    """Equal ground, to less than a square millimetre."""
    return shapely.area(shapely.symmetric_difference(one, other)) < 1e-3


def is_unsafe(*decided):
    """The sentences of all dangers."""
    return [danger.sentence for danger in dangers(*decided)]


def test_the_one_who_corrects_gives_up_the_shared_ground():
    of_a, of_b = expected(Choice.A_CORRECTS, A, B), expected(Choice.B_CORRECTS, A, B)
    assert is_ground(of_a.a, A - SHARED)
    assert of_a.b is B
    assert of_b.a is A
    assert is_ground(of_b.b, B - SHARED)


def test_a_merger_leaves_one_record_with_the_ground_of_both():
    into_a, into_b = expected(Choice.MERGE_INTO_A, A, B), expected(Choice.MERGE_INTO_B, A, B)
    assert is_ground(into_a.a, A | B)
    assert into_a.b is None
    assert into_b.a is None
    assert is_ground(into_b.b, A | B)


def test_a_withdrawn_record_has_no_ground_and_the_other_is_as_it_was():
    assert (expected(Choice.WITHDRAW_A, A, B).a, expected(Choice.WITHDRAW_A, A, B).b) == (None, B)
    assert (expected(Choice.WITHDRAW_B, A, B).a, expected(Choice.WITHDRAW_B, A, B).b) == (A, None)


@pytest.mark.parametrize("choice", [Choice.ACCEPT, Choice.BOTH_VALID])
def test_what_is_accepted_stays(choice):
    outcome = expected(choice, A, B)
    assert outcome.a is A
    assert outcome.b is B


@pytest.mark.parametrize("choice", [Choice.FIELD_SURVEY, Choice.RETURN_TO_OPERATOR])
def test_nobody_knows_what_a_survey_will_bring(choice):
    assert expected(choice, A, B) is None
    assert is_unsafe(choice, "CHA", "CLEARED", A, B) == []


def test_an_agreed_line_gives_each_piece_to_the_record_it_is_attached_to():
    outcome = expected(Choice.SPLIT_ON_LINE, A, B, ACROSS)
    assert is_ground(outcome.a, A - box(80, 20, 100, 80))
    assert is_ground(outcome.b, B - box(60, 20, 80, 80))
    assert shapely.area(outcome.a & outcome.b) == 0


def test_a_line_adds_no_points_where_a_border_does_not_turn():
    outcome = expected(Choice.SPLIT_ON_LINE, A, B, ACROSS)
    assert len(outcome.b.exterior.coords) == 5
    assert len(outcome.a.exterior.coords) == 9


@pytest.mark.parametrize(
    "line",
    [
        None,
        shapely.LineString([(500_080, 2_000_030), (500_080, 2_000_110)]),  # ends inside
        shapely.LineString([(500_300, 2_000_000), (500_300, 2_000_110)]),  # passes by
    ],
)
def test_a_line_that_does_not_divide_the_overlap_is_refused(line):
    with pytest.raises(ConfigError):
        expected(Choice.SPLIT_ON_LINE, A, B, line)


def test_a_line_cannot_divide_what_lies_wholly_inside_the_other():
    with pytest.raises(ConfigError, match="does not divide"):
        expected(Choice.SPLIT_ON_LINE, A, box(70, 20, 90, 80), ACROSS)


def test_a_record_that_would_keep_no_ground_counts_as_withdrawn():
    inside = square(10, 10, 20)
    assert expected(Choice.A_CORRECTS, inside, A).a is None


def test_corners_that_stay_have_the_very_coordinates_they_had():
    a = shapely.transform(A, lambda points: points + 0.123456789)
    corners = {tuple(point) for point in shapely.get_coordinates([a, B]).tolist()}
    result = shapely.get_coordinates(expected(Choice.A_CORRECTS, a, B).a).tolist()
    computed = {tuple(point) for point in result} - corners
    assert len(computed) == 2  # where the two borders cross


def test_neighbours_that_differ_by_nanometres_leave_no_needle():
    shaken = shapely.transform(box(100, 0, 200, 100), lambda points: points + 3e-9)
    merged = expected(Choice.MERGE_INTO_A, A, shaken).a
    assert merged.geom_type == "Polygon"
    assert not merged.interiors
    cut = expected(Choice.A_CORRECTS, A, shaken).a
    assert is_ground(cut, A)
    assert len(cut.exterior.coords) == 5


def test_ground_changes_say_who_loses_and_who_gains():
    change = ground_changes(expected(Choice.MERGE_INTO_A, A, B), A, B)
    assert is_ground(change.a_gained, B - SHARED)
    assert shapely.is_empty(change.a_lost)
    assert is_ground(change.b_lost, B)


def test_hazard_that_the_other_hazard_covers_may_be_given_up():
    assert is_unsafe(Choice.A_CORRECTS, "CHA", "CHA", A, B) == []
    assert is_unsafe(Choice.MERGE_INTO_A, "CHA", "CHA", A, B) == []


def test_hazard_given_up_for_released_land_is_unsafe():
    (sentence,) = is_unsafe(Choice.A_CORRECTS, "CHA", "CLEARED", A, B)
    assert "2,400.0 m2 of A (CHA) would no longer be shown as hazard" in sentence


def test_withdrawn_hazard_is_unsafe_where_nothing_else_covers_it():
    (danger,) = dangers(Choice.WITHDRAW_B, "CHA", "SHA", A, B)
    assert danger.flag == "shrinks_hazard"
    assert danger.area_m2 == pytest.approx(3_600)


def test_a_closed_hazard_covers_nothing():
    assert dangers(Choice.A_CORRECTS, "CHA", "CHA", A, B, closed=["A"]) == ()
    assert [d.flag for d in dangers(Choice.A_CORRECTS, "CHA", "CHA", A, B, closed=["B"])] == [
        "shrinks_hazard"
    ]


def test_an_unknown_record_may_be_hazard_and_covers_none():
    assert [d.flag for d in dangers(Choice.A_CORRECTS, "UNKNOWN", "CLEARED", A, B)] == ["shrinks_hazard"]
    assert [d.flag for d in dangers(Choice.A_CORRECTS, "CHA", "UNKNOWN", A, B)] == ["shrinks_hazard"]


def test_released_land_may_shrink_but_not_grow():
    assert is_unsafe(Choice.B_CORRECTS, "CHA", "CLEARED", A, B) == []
    flags = [d.flag for d in dangers(Choice.MERGE_INTO_B, "CHA", "CLEARED", A, B)]
    assert flags == ["shrinks_hazard", "grows_released"]


def test_cancelled_land_does_not_become_cleared_by_a_merger():
    assert is_unsafe(Choice.MERGE_INTO_A, "CLEARED", "CLEARED", A, B) == []
    (danger,) = dangers(Choice.MERGE_INTO_A, "CLEARED", "CANCELLED", A, B)
    assert danger.flag == "grows_released"
    assert danger.area_m2 == pytest.approx(3_600)
