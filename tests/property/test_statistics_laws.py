"""Laws of hectares: whatever overlaps with whatever, rows close and ground is counted once."""

import datetime as dt

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from make import area, box
from statistics_fixtures import Counted, add_up, all_decided, closes

KINDS = ("SHA", "CHA", "CLEARED", "REDUCED", "CANCELLED", "TASK", "UNKNOWN")
corners = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 6), st.integers(1, 6))
days = st.one_of(st.none(), st.dates(dt.date(2019, 11, 1), dt.date(2020, 5, 1)))


@st.composite
def records(draw):
    """Up to nine rectangles on a small grid: shared edges, equal ground and many-fold ground are common."""
    made = []
    for number in range(draw(st.integers(1, 9))):
        x, y, width, height = draw(corners)
        made.append(
            area(
                box(10 * x, 10 * y, 10 * (x + width), 10 * (y + height)),
                draw(st.sampled_from(KINDS)),
                draw(st.sampled_from("ABC")),
                f"{number}",
                when=draw(days),
                depth=draw(st.sampled_from([None, 0.0, 25.0])),
                status=draw(st.sampled_from(["open", "closed", "unknown"])),
                province=draw(st.sampled_from(["North", "South", None])),
            )
        )
    return made


columns = st.lists(
    st.sampled_from(["province", "district", "operator", "year", "quarter", "land_use"]), unique=True
)


@given(records(), columns)
def test_rows_close_and_add_up_to_totals(made, by):
    counted = Counted(*made)
    rows, totals = counted.rows(*by), counted.rows()
    assert all(closes(row) for row in [*rows, *totals])
    assert all(add_up(rows, total) for total in totals)
    assert all(row.moved_m2 == pytest.approx(0, abs=1e-6) for row in totals)
    assert min((row.covered_m2 for row in rows), default=0) >= -1e-6


@given(records())
def test_double_counted_ground_is_reported_less_the_union(made):
    counted = Counted(*made)
    for ground in counted.grounds:
        covered_m2 = shapely.union_all(counted.areas.geometry[ground.records]).area
        reported_m2 = float(shapely.area(counted.areas.geometry[ground.records]).sum())
        assert ground.double_counted_m2 == pytest.approx(reported_m2 - covered_m2, rel=1e-9, abs=1e-6)


@given(records())
def test_decisions_move_hectares_from_undecided_to_agreed_and_change_nothing_else(made):
    before, after = Counted(*made).rows("operator"), Counted(*made, treatments=all_decided).rows("operator")
    for was, is_now in zip(before, after, strict=True):
        assert is_now.undecided_m2 == 0
        assert is_now.agreed_m2 == pytest.approx(was.undecided_m2 + was.agreed_m2)
        assert is_now.reconciled_m2 == pytest.approx(was.reconciled_m2)
        assert is_now.reported_m2 == was.reported_m2


@given(records())
def test_an_operators_own_ground_is_what_nobody_else_covers(made):
    counted = Counted(*made)
    operators = counted.areas.numpy("operator")
    for ground in counted.grounds:
        shapes, names = counted.areas.geometry[ground.records], operators[ground.records]
        for row in counted.rows("operator"):
            if row.ground != ground.name or row.labels[0] not in "ABC":
                continue
            own = shapely.union_all(shapes[names == row.labels[0]])
            others = shapely.union_all(shapes[names != row.labels[0]])
            assert row.covered_m2 == pytest.approx(own.difference(others).area, abs=1e-6)


@given(records())
def test_the_depths_of_cleared_land_add_up_to_the_ground_covered(made):
    for row in Counted(*made).rows("operator", "year"):
        if row.clearance:
            depths = [row.clearance[f"{name}_m2"] for name in ("full_depth", "surface_only", "depth_unknown")]
            assert sum(depths) == pytest.approx(row.covered_m2, abs=1e-6)
        else:
            assert row.ground != "CLEARED"


@given(records(), st.randoms(use_true_random=False))
def test_the_order_of_records_changes_no_figure_by_more_than_rounding(made, random):
    shuffled = list(made)
    random.shuffle(shuffled)
    # Who comes first by row is told by the date, except where dates are equal or unknown.
    one, other = Counted(*made).rows("operator"), Counted(*shuffled).rows("operator")
    assert [row.labels for row in one] == [row.labels for row in other]
    for was, is_now in zip(one, other, strict=True):
        assert is_now.covered_m2 == pytest.approx(was.covered_m2, abs=1e-6)
        assert is_now.undecided_m2 == pytest.approx(was.undecided_m2, abs=1e-6)
