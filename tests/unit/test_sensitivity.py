"""How many overlaps lie under a limit: counted by hand, part by part, pair by pair, site by site."""

import datetime as dt

import numpy as np
import pytest
from make import EARLY, LATE, POLICY, box, hazard, judged, released, square
from test_tolerance import NO_POINTS, comb, point, policy, two

from geopipe.crs import WGS84
from geopipe.policies import SensitivityLimits
from geopipe.reports.sensitivity.accuracy import latitude_deg, rounding
from geopipe.reports.sensitivity.table import ALL, sensitivity
from geopipe.reports.sensitivity.text import text_of

TODAY = dt.date(2026, 6, 1)
LIMITS = (None, 1.0, 5.0, 10.0, 50.0, 100.0)


def table(*records, points=NO_POINTS, of=POLICY, today=TODAY):
    return sensitivity(judged(*records).overlaps, points, of, today)


def counts(found, basis, kinds=ALL, operators=ALL):
    """Number of things: all, and below 1, 5, 10, 50 and 100 m2."""
    return [found.row(kinds, operators, basis, limit, None).count for limit in LIMITS]


def test_thirty_parts_of_4_m2_are_one_pair_of_120_m2_and_two_sites():
    found = table(*comb(30))
    assert counts(found, "part") == [30, 0, 30, 30, 30, 30]
    assert counts(found, "pair") == [1, 0, 0, 0, 0, 0]
    assert counts(found, "site") == [2, 0, 0, 0, 0, 0]
    assert found.row(ALL, ALL, "pair", None, None).area_m2 == pytest.approx(120)


def test_a_site_has_all_its_overlaps_together():
    """4 m2 in the east and 4 m2 in the west: only the neighbours are under 5 m2."""
    middle = hazard(square(), "MAG", "M-1")
    east = hazard(box(99.96, 0, 200, 100), "NPA", "N-1")
    west = hazard(box(-100, 0, 0.04, 100), "HALO", "H-1")
    found = table(middle, east, west)
    assert counts(found, "pair") == [2, 0, 2, 2, 2, 2]
    assert counts(found, "site") == [3, 0, 2, 3, 3, 3]


def test_a_site_may_be_small_itself_while_its_overlaps_are_not_and_the_other_way_round():
    """The minutes can be read both ways: here a site of 4 m2 that lies in another, and a strip of 4 m2."""
    small = table(hazard(square(), "MAG"), hazard(square(10, 10, 2), "NPA"))
    assert counts(small, "site_own_area") == [2, 0, 1, 1, 1, 1]
    assert counts(small, "site") == [2, 0, 2, 2, 2, 2]
    strip = table(*two())
    assert counts(strip, "site_own_area") == [2, 0, 0, 0, 0, 0]
    assert counts(strip, "site") == [2, 0, 2, 2, 2, 2]


def test_the_limit_itself_is_not_below_it():
    found = table(*two(wide_m=0.0625, long_m=80))  # 5 m2 exactly
    assert counts(found, "pair") == [1, 0, 0, 1, 1, 1]


def test_widths_are_those_of_the_largest_circle():
    """Thirty squares of 2 m are not narrow, though all of them are small; 0.3 m are above 0.2 m."""
    squares, strip = table(*comb(30, side=1.5)), table(*two(wide_m=0.3))

    def narrow(found, basis):
        widths = (0.1, 0.2, 0.5, 1.0, 2.0)
        return [found.row(ALL, ALL, basis, None, width).count for width in widths]

    assert narrow(squares, "part") == [0, 0, 0, 0, 30]
    assert narrow(squares, "pair") == [0, 0, 0, 0, 1]
    assert narrow(strip, "pair") == [0, 0, 1, 1, 1]
    assert narrow(table(hazard(square(), "MAG"), hazard(square(50), "NPA")), "pair") == [0, 0, 0, 0, 0]


def test_both_limits_together():
    found = table(*two(wide_m=0.3, long_m=100), *[
        hazard(record.ground, f"{record.operator} north", "X")
        for record in (hazard(box(0, 500, 100, 508), "A"), hazard(box(99.7, 500, 200, 508), "B"))
    ])  # fmt: skip
    assert found.row(ALL, ALL, "pair", 5.0, 0.5).count == 1  # 2.4 m2
    assert found.row(ALL, ALL, "pair", 50.0, 0.5).count == 2  # and 30 m2
    assert found.row(ALL, ALL, "pair", 50.0, 0.2).count == 0


def test_kinds_and_operators_have_rows_of_their_own():
    own = hazard(box(0, 99.96, 90, 200), "MAG", "M-2")
    away = [released(box(west, 900, west + 100, 1000), name) for west, name in ((0, "MAG"), (99.85, "NPA"))]
    found = table(*two(), own, *away)
    assert found.groups == [
        (ALL, ALL), (ALL, "other"), (ALL, "same"),
        ("CHA x CHA", "other"), ("CHA x CHA", "same"), ("CLEARED x CLEARED", "other"),
    ]  # fmt: skip
    assert counts(found, "pair", "CLEARED x CLEARED", "other") == [1, 0, 0, 0, 1, 1]
    assert counts(found, "pair", "CHA x CHA", "same") == [1, 0, 1, 1, 1, 1]
    assert counts(found, "pair", ALL, "other") == [2, 0, 1, 1, 2, 2]


def test_an_expected_release_is_no_overlap_to_decide():
    found = table(hazard(square(), when=EARLY), released(square(), when=LATE))
    assert (found.cases, found.notes) == (0, 1)
    assert counts(found, "pair") == counts(found, "site") == counts(found, "part") == [0] * 6


def test_what_no_tolerance_may_accept_is_counted_with_its_reasons():
    alarm = (released(square(), "MAG", when=EARLY), hazard(box(99.96, 0, 200, 100), "NPA", when=LATE))
    with_find = [
        hazard(box(west, 900, west + 100, 1000), name) for west, name in ((0, "MAG"), (99.96, "NPA"))
    ]
    found = table(*alarm, *with_find, points=np.array([point(99.98, 950)], dtype=object))
    below_5 = found.row(ALL, ALL, "pair", 5.0, None)
    assert (below_5.count, below_5.never) == (2, 2)
    assert below_5.never_because == {"alarm": 1, "point_inside": 1}
    assert found.row("CHA x CHA", "other", "site", 5.0, None).never_because == {"point_inside": 2}


def test_smaller_than_survey_accuracy_is_a_question_of_the_border_not_of_the_area():
    """4 m2 along 100 m are 0.04 m; 4 m2 along 5 m are not."""
    along_100_m, along_5_m = table(*two()), table(*two(wide_m=0.8, long_m=5))
    assert along_100_m.row(ALL, ALL, "pair", 5.0, None).below_accuracy == 1
    assert along_5_m.row(ALL, ALL, "pair", 5.0, None).below_accuracy == 0
    assert table(*two(wide_m=0.15)).row(ALL, ALL, "pair", 50.0, None).below_accuracy == 0
    assert table(*two(wide_m=0.09)).row(ALL, ALL, "pair", 50.0, None).below_accuracy == 1
    coarse = POLICY.model_copy(update={"survey_accuracy_m": 1.0})
    assert table(*two(wide_m=0.8, long_m=5), of=coarse).row(ALL, ALL, "pair", 5.0, None).below_accuracy == 1


# What rounding alone makes.


def test_rounding_makes_what_domain_experts_know():
    """6 decimals make up to 7.7 m2 along 50 m at 18 degrees, 5 decimals 77 m2."""
    six, five = rounding(POLICY.sensitivity, 18.0)
    assert six.area_m2 == pytest.approx(7.7, abs=0.05)
    assert five.area_m2 == pytest.approx(77, abs=0.5)
    assert six.apart_m * six.edge_m == pytest.approx(six.area_m2)


def test_two_copies_of_a_border_that_were_rounded_lie_no_farther_apart_than_told():
    from pyproj import Geod

    random = np.random.default_rng(5)
    limits = SensitivityLimits(areas_m2=(1,), widths_m=(1,), decimals=(6,), edge_m=50)
    (six,) = rounding(limits, 18.0)
    true = np.array([103.0, 18.0]) + random.uniform(0, 1e-3, (20_000, 2))
    rounded = np.round(true, 6)
    distance_m = Geod(ellps="WGS84").inv(*true.T, *rounded.T)[2]
    assert 0.95 < 2 * distance_m.max() / six.apart_m <= 1.0001


def test_the_latitude_is_that_of_the_data():
    here = np.array([box(0, 0, 1, 1)], dtype=object)
    assert latitude_deg(here, "EPSG:32648") == pytest.approx(18.09, abs=0.01)
    assert latitude_deg(np.empty(0, dtype=object), WGS84) == 18.0


# What a person reads.


def test_the_text_ends_with_the_state_of_the_tolerance():
    assert text_of(table(*two())).endswith("No tolerance is in force: the policy holds none.")
    signed = " ".join(text_of(table(*two(), of=policy())).split())
    assert signed.endswith("is in force since 2026-06-01: TWG 12, item 3, signed by NRA.")
    assert "accepts 1 overlaps (0.0004 ha)" in signed


def test_a_draft_says_what_it_would_accept_and_why_it_does_not():
    draft = policy(signed_by=None)
    told = " ".join(text_of(table(*two(), *comb(0), of=draft)).split())
    assert "would accept 1 overlaps" in told
    assert told.endswith("No tolerance is in force: nobody has signed it.")


@pytest.mark.parametrize("points", [None, NO_POINTS])
def test_the_text_is_narrower_than_100_columns(points):
    found = table(*two(), *[hazard(square(300), name) for name in ("A", "B", "C")], points=points)
    assert max(len(line) for line in text_of(found).splitlines()) < 100
    assert ("finds inside are not known" in text_of(found)) == (points is None)


def test_a_pair_of_kinds_without_anything_small_takes_one_line():
    large = text_of(table(hazard(square(), "MAG"), hazard(square(50), "NPA")))
    assert "CHA x CHA, two operators: 1 overlaps, none smaller than 100 m2" in large


def test_without_overlaps_there_is_a_table_all_the_same():
    assert "OVERLAPS     0, 0.0000 ha" in text_of(table(hazard(square())))
