"""A tolerance accepts only what somebody has signed for, and never what may be dangerous."""

import datetime as dt

import numpy as np
import pytest
import shapely
from make import EARLY, LATE, ORIGIN, POLICY, box, hazard, judged, released, square

from geopipe.config import load_vocabulary
from geopipe.errors import SchemaError
from geopipe.policies import Tolerance
from geopipe.schema import FEATURES, GAPS, empty_frame, make_frame
from geopipe.stages.gaps import gaps
from geopipe.tolerance import Never, acceptance, points_that_may_be_finds

TODAY = dt.date(2026, 6, 1)
SIGNED = {"effective_from": TODAY, "reference": "TWG 12, item 3", "signed_by": "NRA"}
NO_POINTS = np.empty(0, dtype=object)


def tolerance(**more):
    rule = {"a": "any", "b": "any", "area_m2": 5.0, "width_m": 0.5, "compare": "<", "basis": "pair"}
    return Tolerance(**{**rule, **more})


def policy(*rules, **more):
    return POLICY.model_copy(update={**SIGNED, "tolerances": rules or (tolerance(),), **more})


def held(*records, rules=(), points=NO_POINTS, today=TODAY, **more):
    return acceptance(judged(*records).overlaps, points, policy(*rules, **more), today)


def accepted(*records, **more):
    """Whether each overlap of the records is accepted."""
    return held(*records, **more).accepted.tolist()


def two(wide_m=0.04, long_m=100.0, kind=hazard, **of_both):
    """Two records of two operators that share a strip."""
    return (
        kind(box(0, 0, 100, long_m), "MAG", "M-1", **of_both),
        kind(box(100 - wide_m, 0, 200, long_m), "NPA", "N-1", **of_both),
    )


def comb(teeth, side=2.0):
    """A record that reaches into the ground of another with so many squares of 4 m2."""
    reaching = [box(20 * i, -20, 20 * i + side, side) for i in range(teeth)]
    return (
        hazard(box(-10, 0, 1000, 50), "MAG", "M-1"),
        hazard(shapely.union_all([box(0, -30, 1000, -10), *reaching]), "NPA", "N-1"),
    )


def point(x, y):
    return shapely.Point(ORIGIN[0] + x, ORIGIN[1] + y)


# In force or not.


def test_a_strip_under_the_limits_is_accepted_once_the_policy_is_signed():
    assert accepted(*two()) == [True]


@pytest.mark.parametrize("missing", ["effective_from", "reference", "signed_by"])
def test_without_day_reference_or_signature_nothing_is_accepted(missing):
    found = held(*two(), **{missing: None})
    assert found.would_be.tolist() == [True]
    assert found.accepted.tolist() == [False]
    assert len(found.why_not_in_force) == 1


@pytest.mark.parametrize("blank", ["reference", "signed_by"])
def test_a_blank_is_no_signature(blank):
    assert accepted(*two(), **{blank: "  "}) == [False]


def test_a_tolerance_counts_from_its_day_on():
    assert accepted(*two(), today=TODAY - dt.timedelta(days=1)) == [False]
    assert accepted(*two(), today=TODAY + dt.timedelta(days=1)) == [True]


def test_where_the_day_of_the_run_is_not_known_nothing_is_accepted():
    assert accepted(*two(), today=None) == [False]


def test_the_default_policy_accepts_nothing():
    signed = POLICY.model_copy(update=SIGNED)
    found = acceptance(judged(*two()).overlaps, NO_POINTS, signed, TODAY)
    assert found.accepted.tolist() == [False]
    assert found.why_not_in_force == ("the policy holds none",)


# Area and width.


def test_area_and_width_must_both_hold():
    assert accepted(*two(wide_m=0.06)) == [False]  # 6 m2, 0.06 m wide
    assert accepted(*two(wide_m=0.8, long_m=5)) == [False]  # 4 m2, 0.8 m wide
    assert accepted(*two(wide_m=0.4, long_m=5)) == [True]


def test_smaller_than_and_at_most_differ_at_the_limit_itself():
    records = two(wide_m=0.0625, long_m=80)  # 5 m2 exactly
    assert accepted(*records) == [False]
    assert accepted(*records, rules=[tolerance(compare="<=")]) == [True]
    assert accepted(*two(), rules=[tolerance(compare="<=")]) == [True]


def test_what_may_be_wider_than_the_limit_is_not_within_it():
    """Widths are measured to 1 %."""
    assert accepted(*two(wide_m=0.499, long_m=8)) == [False]
    assert accepted(*two(wide_m=0.48, long_m=8)) == [True]


def test_thirty_parts_of_4_m2_are_120_m2_of_a_pair():
    wide = {"width_m": 3.0}
    assert accepted(*comb(30), rules=[tolerance(basis="pair", **wide)]) == [False]
    assert accepted(*comb(30), rules=[tolerance(basis="part", **wide)]) == [True]
    assert accepted(*comb(1), rules=[tolerance(basis="pair", **wide)]) == [True]


def test_one_part_above_the_limit_is_enough():
    one, other = comb(3)
    large = hazard(shapely.union_all([other.ground, box(500, -20, 503, 3)]), "NPA", "N-1")
    assert accepted(one, large, rules=[tolerance(basis="part", width_m=4.0)]) == [False]
    assert accepted(one, other, rules=[tolerance(basis="part", width_m=4.0)]) == [True]


def test_a_pair_is_as_wide_as_its_widest_part():
    one, other = comb(2)
    narrow = hazard(shapely.union_all([other.ground, box(500, -20, 500.1, 1)]), "NPA", "N-1")
    wide = tolerance(area_m2=50, width_m=1.0)
    assert accepted(one, narrow, rules=[wide]) == [False]
    assert accepted(one, narrow, rules=[tolerance(area_m2=50, width_m=3.0)]) == [True]


def test_a_site_is_held_against_all_its_overlaps_together():
    """4 m2 to the east and 4 m2 to the west are 8 m2 of the site in the middle."""
    middle = hazard(square(), "MAG", "M-1")
    east = hazard(box(99.96, 0, 200, 100), "NPA", "N-1")
    west = hazard(box(-100, 0, 0.04, 100), "HALO", "H-1")
    per_site = [tolerance(basis="site")]
    assert accepted(middle, east, west) == [True, True]
    assert accepted(middle, east, west, rules=per_site) == [False, False]
    assert accepted(middle, east, rules=per_site) == [True]


def test_an_expected_release_is_not_among_the_overlaps_of_a_site():
    """The hazard was released later: that is no question to anybody."""
    middle = hazard(square(), "MAG", "M-1", when=EARLY)
    release = released(square(), "MAG", "R-1", when=LATE)
    east = hazard(box(99.96, 0, 200, 100), "NPA", "N-1", when=EARLY)
    found = held(middle, release, east, rules=[tolerance(basis="site")])
    assert found.accepted.sum() == 1


# For which pairs.


def test_an_expected_release_needs_no_acceptance():
    assert accepted(two(when=EARLY)[0], two(kind=released, when=LATE)[1]) == [False]


def test_a_rule_is_about_its_kinds_either_way_round():
    rule = tolerance(a="hazard", b="released")
    shallow = {"when": EARLY, "depth": 0.0}
    left = (hazard(square(), "MAG", when=LATE), released(box(99.96, 0, 200, 100), "NPA", **shallow))
    right = (released(square(), "MAG", **shallow), hazard(box(99.96, 0, 200, 100), "NPA", when=LATE))
    assert accepted(*left, rules=[rule]) == [True]
    assert accepted(*right, rules=[rule]) == [True]
    assert accepted(*two(kind=hazard), rules=[rule]) == [False]


def test_the_first_rule_of_which_the_kinds_fit_is_the_one_that_counts():
    strict, loose = tolerance(a="CHA", b="CHA", area_m2=1.0), tolerance()
    assert accepted(*two(), rules=[strict, loose]) == [False]
    assert accepted(*two(), rules=[loose, strict]) == [True]
    assert accepted(*two(kind=released), rules=[strict, loose]) == [True]


def test_a_rule_may_be_for_two_operators_only():
    own = (hazard(square(), "MAG", "M-1"), hazard(box(99.96, 0, 200, 100), "MAG", "M-2"))
    assert accepted(*own, rules=[tolerance(operators="other")]) == [False]
    assert accepted(*two(), rules=[tolerance(operators="other")]) == [True]
    assert accepted(*own, rules=[tolerance(operators="same")]) == [True]


# Never, whoever signs.


def test_an_alarm_is_never_accepted():
    """Hazard surveyed on land after its release, on a strip of 4 m2."""
    release, survey = two(kind=released, when=EARLY)[0], two(kind=hazard, when=LATE)[1]
    found = held(release, survey)
    assert found.within.tolist() == [True]
    assert found.accepted.tolist() == [False]
    assert found.reasons(0) == (Never.ALARM,)


def test_a_severity_that_is_not_known_is_taken_for_an_alarm():
    overlaps = judged(*two()).overlaps.with_columns({"severity": [None]})
    assert acceptance(overlaps, NO_POINTS, policy(), TODAY).reasons(0) == (Never.ALARM,)


@pytest.mark.parametrize(("x", "inside"), [(99.98, True), (99.9, True), (50.0, False), (102.0, False)])
def test_a_pair_with_a_find_inside_or_as_near_as_surveys_tell_is_never_accepted(x, inside):
    points = np.array([point(x, 50)], dtype=object)
    found = held(*two(), points=points)
    assert found.accepted.tolist() == [not inside]
    assert found.reasons(0) == ((Never.POINT_INSIDE,) if inside else ())


@pytest.mark.parametrize(
    ("point_type", "counts"),
    [("UXO", True), ("Accident", True), ("Evidence point", True), (None, True), ("Landmark", False)],
)
def test_every_point_counts_that_is_not_known_to_be_harmless(point_type, counts):
    ground = np.array([point(99.98, 50)], dtype=object)
    reference = make_frame(FEATURES, {"point_type": [point_type]}, ground)
    points = points_that_may_be_finds(reference, load_vocabulary())
    assert accepted(*two(), points=points) == [not counts]


def test_lines_are_no_finds():
    line = np.array([shapely.LineString([point(0, 0), point(200, 50)])], dtype=object)
    assert len(points_that_may_be_finds(make_frame(FEATURES, {}, line), load_vocabulary())) == 0


def test_where_no_points_were_looked_at_nothing_is_accepted():
    found = held(*two(), points=None)
    assert found.accepted.tolist() == [False]
    assert found.reasons(0) == (Never.POINTS_NOT_READ,)


@pytest.mark.parametrize(("surveyed", "completed"), [(None, LATE), (EARLY, None), (None, None), (LATE, LATE)])
def test_hazard_and_released_land_of_unknown_order_are_never_accepted(surveyed, completed):
    records = two(surveyed=surveyed)[0], two(kind=released, completed=completed)[1]
    found = held(*records)
    assert found.accepted.tolist() == [False]
    assert found.reasons(0) == (Never.ORDER_UNKNOWN,)


def test_two_hazards_need_no_order():
    assert accepted(*two(when=None)) == [True]


def test_a_record_of_unknown_kind_may_be_anything():
    records = (hazard(square(), "MAG"), hazard(box(99.96, 0, 200, 100), "NPA", kind="UNKNOWN"))
    found = held(*records)
    assert found.accepted.tolist() == [False]
    assert Never.KIND_UNKNOWN in found.reasons(0)


def test_an_overlap_that_engines_measure_differently_is_never_accepted():
    overlaps = judged(*two()).overlaps
    for confidence, reasons in (
        ("checked", ()),
        ("uncertain", (Never.UNCERTAIN,)),
        (None, (Never.UNCERTAIN,)),
    ):
        told = overlaps.with_columns({"confidence": [confidence]})
        assert acceptance(told, NO_POINTS, policy(), TODAY).reasons(0) == reasons


def test_a_gap_is_never_accepted():
    """A strip of 4 m2 that two releases leave between them."""
    releases = [released(ground, when=LATE) for ground in (square(), box(100.04, 0, 200, 100))]
    state = judged(hazard(box(0, 0, 200, 100), when=EARLY), *releases)
    strips = gaps(state, POLICY).gaps
    assert len(strips) == 1
    for frame in (strips, empty_frame(GAPS)):
        with pytest.raises(SchemaError, match="a gap is never accepted"):
            acceptance(frame, NO_POINTS, policy(), TODAY)


def test_an_accepted_overlap_is_still_counted_once():
    state = judged(*two())
    before = state.coverage.table.to_pylist()
    assert acceptance(state.overlaps, NO_POINTS, policy(), TODAY).accepted.all()
    assert state.coverage.table.to_pylist() == before
    assert {row["claims"]: round(row["ground_m2"], 6) for row in before if row["ground"] == "CHA"}[2] == 4.0


def test_without_any_overlap_nothing_is_accepted():
    assert accepted(hazard(square())) == []
