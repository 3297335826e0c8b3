"""The table of findings: what two records that share ground mean, by what they say of it."""

import itertools

import pytest
from make import EARLY, HAZARD, LATE, RELEASED, area, box, hazard, judged, only_pair, pairs, released, square

OPERATORS = {"same": ("MAG", "MAG"), "other": ("MAG", "HALO")}


def named(first, second):
    """The finding of two records, told the same whichever of them is named or delivered first."""
    swapped = only_pair(second, first)
    pair = only_pair(first, second)
    assert (pair["finding"], pair["severity"], pair["counted"]) == (
        swapped["finding"], swapped["severity"], swapped["counted"],
    )  # fmt: skip
    return pair["finding"], pair["severity"], pair["counted"]


def two(kind, other_kind, operators, first_when=None, second_when=None, **more):
    """Two half-overlapping records; ids are chosen so that each comes left and right once."""
    found = set()
    for ids in (("a", "b"), ("b", "a")):
        one, other = OPERATORS[operators]
        first = area(square(), kind, one, ids[0], when=first_when, **more.get("first", {}))
        second = area(square(50, 20), other_kind, other, ids[1], when=second_when, **more.get("second", {}))
        found.add(named(first, second))
        first = area(square(), kind, other, ids[0], when=first_when, **more.get("first", {}))
        second = area(square(50, 20), other_kind, one, ids[1], when=second_when, **more.get("second", {}))
        found.add(named(first, second))
    assert len(found) == 1, found
    return found.pop()


ORDERS = {
    "first_before": (EARLY, LATE),
    "first_after": (LATE, EARLY),
    "same_day": (LATE, LATE),
    "first_undated": (None, LATE),
    "second_undated": (LATE, None),
    "undated": (None, None),
}
UNKNOWN_ORDERS = ("same_day", "first_undated", "second_undated", "undated")


@pytest.mark.parametrize("order", ORDERS)
def test_two_confirmed_hazards_of_two_operators_are_a_conflict(order):
    assert two("CHA", "CHA", "other", *ORDERS[order]) == ("double_registration", "conflict", True)


@pytest.mark.parametrize("kind", HAZARD)
def test_two_equal_kinds_of_hazard_of_one_operator_are_checked(kind):
    assert two(kind, kind, "same") == ("double_registration_same_operator", "check", True)


def test_two_suspected_hazards_of_two_operators_are_a_conflict():
    assert two("SHA", "SHA", "other") == ("double_registration", "conflict", True)


@pytest.mark.parametrize("order", ORDERS)
def test_a_suspected_area_that_its_operator_confirmed_is_evolution(order):
    assert two("SHA", "CHA", "same", *ORDERS[order]) == ("evolution", "note", False)


def test_a_suspected_area_that_another_operator_confirmed_later_is_evolution():
    assert two("SHA", "CHA", "other", EARLY, LATE) == ("evolution", "note", False)


@pytest.mark.parametrize("order", ["first_after", *UNKNOWN_ORDERS])
def test_a_suspected_area_not_clearly_older_than_anothers_confirmed_area_is_checked(order):
    assert two("SHA", "CHA", "other", *ORDERS[order]) == ("evolution_unclear", "check", True)


@pytest.mark.parametrize(("kind", "other"), [*itertools.combinations_with_replacement(RELEASED, 2)])
def test_ground_that_two_operators_report_as_released_is_counted_twice(kind, other):
    for order in ORDERS.values():
        assert two(kind, other, "other", *order) == ("hectares_counted_twice", "conflict", True)


@pytest.mark.parametrize(("kind", "other"), [*itertools.combinations_with_replacement(RELEASED, 2)])
def test_ground_that_one_operator_reports_as_released_twice_is_checked(kind, other):
    assert two(kind, other, "same", EARLY, LATE) == ("released_twice_same_operator", "check", True)


@pytest.mark.parametrize("operators", OPERATORS)
@pytest.mark.parametrize(("kind", "release"), [*itertools.product(HAZARD, RELEASED)])
def test_a_hazard_surveyed_after_release_is_an_alarm_whoever_reported_it(kind, release, operators):
    assert two(kind, release, operators, LATE, EARLY) == ("hazard_on_released_land", "alarm", True)


@pytest.mark.parametrize("status", ["open", "worked_on", "closed", "unknown"])
def test_no_status_silences_the_alarm_of_a_hazard_surveyed_after_release(status):
    more = {"first": {"status": status}}
    assert two("CHA", "CLEARED", "other", LATE, EARLY, **more)[1] == "alarm"


@pytest.mark.parametrize("operators", OPERATORS)
@pytest.mark.parametrize(("kind", "release"), [*itertools.product(HAZARD, ["CLEARED", "REDUCED"])])
def test_a_hazard_that_was_released_later_is_expected_and_not_counted(kind, release, operators):
    assert two(kind, release, operators, EARLY, LATE) == ("expected_release", "note", False)


@pytest.mark.parametrize("operators", OPERATORS)
@pytest.mark.parametrize("order", UNKNOWN_ORDERS)
@pytest.mark.parametrize(("kind", "release"), [*itertools.product(HAZARD, ["CLEARED", "REDUCED"])])
def test_hazard_and_release_of_unknown_order_are_checked(kind, release, order, operators):
    assert two(kind, release, operators, *ORDERS[order]) == ("order_unknown", "check", True)


def test_the_date_of_information_never_orders_two_records():
    dated = {"first": {"informed": LATE}, "second": {"informed": EARLY}}
    assert two("CHA", "CLEARED", "other", **dated)[0] == "order_unknown"


def test_a_release_is_ordered_by_completion_and_a_hazard_by_survey_only():
    # The other date of each record says the opposite and must not be asked.
    dated = {"first": {"completed": LATE}, "second": {"surveyed": EARLY}}
    assert two("CHA", "CLEARED", "other", EARLY, LATE, **dated)[0] == "expected_release"


@pytest.mark.parametrize("status", ["open", "worked_on", "unknown"])
@pytest.mark.parametrize("order", ["first_before", *UNKNOWN_ORDERS])
def test_a_confirmed_hazard_not_closed_that_another_operator_cancelled_is_an_alarm(order, status):
    more = {"first": {"status": status}}
    found = two("CHA", "CANCELLED", "other", *ORDERS[order], **more)
    assert found == ("open_and_cancelled", "alarm", True)


@pytest.mark.parametrize("status", ["open", "worked_on", "unknown"])
def test_a_confirmed_hazard_not_closed_that_its_own_operator_cancelled_is_checked(status):
    more = {"first": {"status": status}}
    found = two("CHA", "CANCELLED", "same", EARLY, LATE, **more)
    assert found == ("open_and_cancelled_same_operator", "check", True)


@pytest.mark.parametrize("operators", OPERATORS)
def test_a_closed_confirmed_hazard_that_was_cancelled_is_an_expected_release(operators):
    more = {"first": {"status": "closed"}}
    assert two("CHA", "CANCELLED", operators, EARLY, LATE, **more)[0] == "expected_release"
    assert two("CHA", "CANCELLED", operators, **more)[0] == "order_unknown"


@pytest.mark.parametrize("operators", OPERATORS)
@pytest.mark.parametrize("status", ["open", "worked_on"])
def test_a_hazard_wholly_released_but_still_open_has_an_outdated_status(status, operators):
    one, other = OPERATORS[operators]
    inside = hazard(square(20, 20, 40), one, "a", when=EARLY, status=status)
    around = released(square(), other, "b", when=LATE)
    assert named(inside, around) == ("status_not_updated", "check", True)
    around = released(square(20, 20, 40), other, "b", when=LATE)
    assert named(inside, around)[0] == "status_not_updated"


@pytest.mark.parametrize("status", ["closed", "unknown"])
def test_a_hazard_wholly_released_and_not_said_to_be_open_is_expected(status):
    inside = hazard(square(20, 20, 40), "MAG", "a", when=EARLY, status=status)
    assert named(inside, released(square(), "HALO", "b", when=LATE))[0] == "expected_release"


def test_a_hazard_only_partly_released_may_stay_open():
    assert two("CHA", "CLEARED", "other", EARLY, LATE, first={"status": "open"})[0] == "expected_release"
    around = hazard(square(), "MAG", "a", when=EARLY, status="open")
    assert named(around, released(square(20, 20, 40), "HALO", "b", when=LATE))[0] == "expected_release"


def test_a_hazard_wholly_released_with_a_fringe_around_it_has_an_outdated_status():
    inside = hazard(square(), "MAG", "a", when=EARLY, status="open")
    around = released(box(-1, -1, 101, 101), "HALO", "b", when=LATE)  # 96 % alike, and yet within
    assert named(inside, around)[0] == "status_not_updated"


@pytest.mark.parametrize("operators", OPERATORS)
def test_hazard_on_land_cleared_on_the_surface_only_is_not_the_alarm(operators):
    found = two("CHA", "CLEARED", operators, LATE, EARLY, second={"depth": 0.0})
    assert found == ("hazard_below_clearance_depth", "check", True)


@pytest.mark.parametrize("depth", [None, 1.0, 25.0])
def test_hazard_on_land_cleared_to_full_or_unknown_depth_is_the_alarm(depth):
    assert two("CHA", "CLEARED", "other", LATE, EARLY, second={"depth": depth})[1] == "alarm"


def test_the_depth_written_beside_a_hazard_does_not_silence_the_alarm():
    assert two("CHA", "CLEARED", "other", LATE, EARLY, first={"depth": 0.0})[1] == "alarm"


@pytest.mark.parametrize("release", ["CANCELLED", "REDUCED"])
def test_a_zero_depth_beside_cancelled_or_reduced_land_does_not_silence_the_alarm(release):
    assert two("CHA", release, "other", LATE, EARLY, second={"depth": 0.0})[1] == "alarm"


def test_a_depth_below_zero_is_no_depth_and_does_not_silence_the_alarm():
    assert two("CHA", "CLEARED", "other", LATE, EARLY, second={"depth": -9999.0})[1] == "alarm"


@pytest.mark.parametrize("operators", OPERATORS)
@pytest.mark.parametrize("other", [*HAZARD, *RELEASED, "SURVEY_BOX", "TASK", "UNKNOWN"])
@pytest.mark.parametrize("kind", ["TASK", "UNKNOWN"])
def test_tasks_and_unknown_kinds_are_listed_and_never_counted(kind, other, operators):
    for order in ((LATE, EARLY), (EARLY, LATE), (None, None)):
        assert two(kind, other, operators, *order) == ("listed", "note", False)


def test_the_same_survey_box_of_two_operators_was_surveyed_twice():
    one, other = area(square(), "SURVEY_BOX", "MAG", "a"), area(square(), "SURVEY_BOX", "NPA", "b")
    assert named(one, other) == ("surveyed_twice", "check", False)
    nearly = area(box(0, 0, 100, 101), "SURVEY_BOX", "NPA", "b")
    assert named(one, nearly) == ("surveyed_twice", "check", False)


def test_survey_boxes_that_meet_in_part_are_only_listed():
    assert two("SURVEY_BOX", "SURVEY_BOX", "other") == ("listed", "note", False)


@pytest.mark.parametrize("operators", OPERATORS)
@pytest.mark.parametrize("other", [*HAZARD, *RELEASED])
def test_survey_boxes_are_listed_against_areas_and_never_counted(other, operators):
    assert two("SURVEY_BOX", other, operators) == ("listed", "note", False)


def test_two_versions_of_one_record_are_told_as_such():
    first = hazard(square(), "MAG", "a", informed=EARLY)
    second = hazard(square(50), "MAG", "a", informed=EARLY)
    assert named(first, second) == ("version_conflict", "check", True)


def test_two_versions_of_one_task_are_not_counted():
    first = area(square(), "TASK", "MAG", "a", informed=EARLY)
    second = area(square(50), "TASK", "MAG", "a", informed=EARLY)
    assert named(first, second)[2] is False


def test_one_number_in_two_registers_is_two_records():
    pair = only_pair(hazard(square(), "MAG", "7", when=EARLY), released(square(50), "MAG", "7", when=LATE))
    assert pair["finding"] == "expected_release"


def test_every_pair_of_kinds_has_a_rule():
    kinds = [*HAZARD, *RELEASED, "SURVEY_BOX", "TASK", "UNKNOWN"]
    records = [
        area(box(0, 0, 100 + n, 50 + 13 * n), kind, operator, f"{kind}-{n}", when=when)
        for n, (kind, operator, when) in enumerate(
            itertools.product(kinds, ["MAG", "HALO"], [None, EARLY, LATE])
        )
    ]
    found = pairs(judged(*records))
    assert len(found) > 500
    assert "unnamed" not in {pair["finding"] for pair in found}
