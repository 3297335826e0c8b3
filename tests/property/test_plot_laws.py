"""What is drawn is what was counted, whatever the figures are."""

import datetime as dt
from math import fsum, inf

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geopipe.outputs.plots.drawing import one_two_five, ticks
from geopipe.outputs.plots.findings import CORRECTED, FOUND, OUTSTANDING, cells
from geopipe.outputs.plots.hectares import places
from geopipe.outputs.plots.overlaps import bins
from geopipe.register.errorstats import error_rows, quarters
from geopipe.register.finding import Finding, FindingEvent, FindingStatus
from geopipe.statistics.rows import Row
from geopipe.terms import Severity

SIZES = st.floats(1e-9, 1e9)
SHOWN = st.sampled_from([Severity.ALARM, Severity.CONFLICT, Severity.CHECK])


@given(st.lists(st.tuples(SIZES, SHOWN)), st.floats(1e-6, 1e6), st.floats(1, 1e6))
def test_every_overlap_is_in_exactly_one_bin(overlaps, low, times):
    values = np.array([value for value, _ in overlaps], dtype=float)
    severities = [severity for _, severity in overlaps]
    found = bins(values, severities, one_two_five(low, low * times))
    assert (found[0].low, found[-1].high) == (0, inf)
    for item in found:
        within = (item.low <= values) & (values < item.high)
        assert item.total == within.sum()
    for severity in {*severities}:
        assert sum(item.counts[severity] for item in found) == severities.count(severity)


@given(st.floats(1e-6, 1e6), st.floats(1, 1e6))
def test_edges_are_round_and_lie_around_all_values(low, times):
    edges = one_two_five(low, low * times)
    assert edges[0] <= low
    assert edges[-1] >= low * times
    assert all(f"{edge:.0e}"[0] in "125" for edge in edges)


@given(st.integers(1, 10**9))
def test_a_scale_begins_at_nothing_and_has_room_for_the_largest(most):
    scale = ticks(most)
    assert scale[0] == 0
    assert scale[-2] < most <= scale[-1]
    assert len(scale) <= 6


@st.composite
def hectares(draw):
    """Rows by province as statistics give them; names recur for each kind."""
    names = draw(st.lists(st.text(min_size=1, max_size=3), unique=True, max_size=12))
    rows = []
    for kind in ("CHA", "CLEARED"):
        for name in names:
            covered, undecided, agreed, moved = (draw(st.integers(0, 10**6)) for _ in range(4))
            reported = covered + undecided + agreed + moved
            rows.append(Row(kind, (name,), 1, float(reported), -float(moved), float(undecided), float(agreed),
                            float(covered), float(covered), {}))  # fmt: skip
    return rows


@given(hectares(), st.integers(1, 8))
def test_no_hectare_is_lost_where_small_places_stand_together(rows, most):
    found = places(rows, most)
    for kind in ("CHA", "CLEARED"):
        for drawn, told in (("reported_m2", "reported_m2"), ("covered_m2", "covered_m2"),
                            ("undecided_m2", "undecided_m2")):  # fmt: skip
            assert fsum(getattr(item, drawn) for item in found if item.kind == kind) == fsum(
                getattr(row, told) for row in rows if row.ground == kind
            )
        assert len({item.place for item in found if item.kind == kind}) <= most
    assert all(item.reported_m2 == item.covered_m2 + item.shared_m2 + item.twice_m2 for item in found)


@st.composite
def findings(draw):
    """Findings of several operators, some corrected, over two years."""
    made = []
    for number in range(draw(st.integers(0, 20))):
        day = dt.date(2025, 1, 1) + dt.timedelta(days=draw(st.integers(0, 500)))
        steps = [(day, draw(st.sampled_from([FindingStatus.BACKLOG, FindingStatus.NEW])))]
        if draw(st.booleans()):
            steps.append((day + dt.timedelta(days=draw(st.integers(0, 200))), FindingStatus.CORRECTED))
        events = tuple(
            FindingEvent(n, when, "", status, "", None, n) for n, (when, status) in enumerate(steps)
        )
        made.append(Finding(str(number), "CODE", draw(st.sampled_from("ABCDEF")), {}, events))
    return made


@settings(max_examples=50)
@given(findings(), st.integers(1, 6))
def test_errors_that_are_drawn_are_those_of_the_statistics(made, most):
    last = dt.date(2027, 1, 1)
    when, drawn = cells(made, last, most)
    periods = quarters(made, last)
    assert when == [period.name for period in periods]
    for row in error_rows(made, periods, ("quarter",), last):
        own = [item.counts for item in drawn if item.quarter == row.labels[0]]
        found = row.counts["backlog"] + row.counts["opened"] + row.counts["reopened"]
        assert sum(counts[FOUND] for counts in own) == found
        assert sum(counts[CORRECTED] for counts in own) == row.counts["corrected"]
        assert sum(counts[OUTSTANDING] for counts in own) == row.counts["outstanding"]
    assert len({item.operator for item in drawn}) <= most
