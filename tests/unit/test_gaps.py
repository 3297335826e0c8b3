"""Gaps: strips of hazard that no release covers although land on both sides is released."""

import datetime as dt

import numpy as np
import pytest
import shapely
from make import POLICY, box, findings, hazard, judged, make_features, polygon, released, square

from geopipe.gaps import strips_between
from geopipe.policies import GapRules
from geopipe.reports.layers import published_layers
from geopipe.reports.screen import first_screen
from geopipe.reports.summary import summarise
from geopipe.stages.gaps import gaps
from geopipe.stages.remaining import remaining

SURVEY, RELEASE = dt.date(2018, 1, 1), dt.date(2020, 1, 1)
FIELD = square(side=200)
WIDEST_M = POLICY.gaps.width_m


def sought(*records, policy=POLICY):
    return gaps(make_features(*records), policy)


def found(*records, policy=POLICY):
    return sought(*records, policy=policy).gaps.table.to_pylist()


def west_and_east(strip_m, **more):
    """Two releases with a strip between them, from the south to the north of the field."""
    half = 100 - strip_m / 2
    return (
        released(box(0, 0, half, 200), id="W", when=RELEASE, **more),
        released(box(200 - half, 0, 200, 200), id="E", when=RELEASE),
    )


def test_a_strip_between_two_releases_is_a_gap_with_its_measures():
    (gap,) = found(hazard(FIELD, id="H", when=SURVEY, province="Xiengkhouang"), *west_and_east(0.5))
    assert gap["area_m2"] == pytest.approx(100, rel=1e-4)
    assert gap["width_m"] == pytest.approx(0.5, rel=0.02)
    assert gap["length_m"] == pytest.approx(200, rel=1e-4)
    assert gap["mean_width_m"] == pytest.approx(2 * 100 / 401, rel=1e-4)
    assert gap["hazard_id"] == "MAG:hazard:H"
    assert (gap["operator"], gap["kind"], gap["province"]) == ("MAG", "CHA", "Xiengkhouang")
    assert gap["neighbours"] == "MAG:land_release:E; MAG:land_release:W"
    assert (gap["neighbour_operators"], gap["neighbour_count"]) == ("MAG", 2)


@pytest.mark.parametrize("strip_m", [0.005, 0.01, 0.1, 1.0, WIDEST_M])
def test_a_strip_up_to_the_widest_is_one_gap(strip_m):
    (gap,) = found(hazard(FIELD), *west_and_east(strip_m))
    assert gap["area_m2"] == pytest.approx(200 * strip_m, rel=0.02)


@pytest.mark.parametrize("apart_m", [0.0, 1e-9, 0.0005, WIDEST_M + 0.01, 10])
def test_borders_that_touch_or_are_far_apart_are_none(apart_m):
    assert found(hazard(FIELD), *west_and_east(apart_m)) == []


def test_how_wide_and_how_narrow_is_for_the_policy_to_say():
    policy = POLICY.model_copy(update={"gaps": GapRules(width_m=6.0, narrowest_m=0.5)})
    assert len(found(hazard(FIELD), *west_and_east(5.9), policy=policy)) == 1
    assert found(hazard(FIELD), *west_and_east(0.4), policy=policy) == []


def test_a_rim_that_was_never_released_is_no_gap_but_remains():
    state = remaining(judged(hazard(FIELD, when=SURVEY), released(box(0.1, 0.1, 199.9, 199.9), when=RELEASE)))
    assert len(gaps(state, POLICY).gaps) == 0
    assert state.remaining.numpy("remaining_m2")[0] == pytest.approx(200**2 - 199.8**2)


def test_a_rim_with_released_land_beyond_the_border_is_a_gap():
    """The neighbour lies outside the hazard area, but both sides of the rim are released."""
    (gap,) = found(
        hazard(FIELD, id="H"),
        released(box(0, 0, 199, 200), id="inside"),
        released(box(200, 0, 300, 200), "NPA", "beyond"),
    )
    assert gap["area_m2"] == pytest.approx(200, rel=1e-4)
    assert gap["neighbour_operators"] == "MAG, NPA"


def test_released_land_beyond_the_border_need_not_touch_it():
    inside, beyond = found(
        hazard(FIELD), released(box(0, 0, 199, 200)), released(box(200.5, 0, 300, 200), "NPA")
    )
    assert (inside["area_m2"], beyond["area_m2"]) == pytest.approx((200, 100), rel=1e-4)
    assert inside["neighbour_operators"] == beyond["neighbour_operators"] == "MAG, NPA"
    assert beyond["hazard_id"] is None


def test_a_gap_ends_where_the_hazard_ends():
    rows = found(hazard(box(0, 50, 200, 100), id="H"), *west_and_east(1.0))
    assert [row["hazard_id"] for row in rows] == ["MAG:hazard:H"]
    assert rows[0]["area_m2"] == pytest.approx(50, rel=1e-4)


def test_each_hazard_area_that_a_strip_crosses_is_told_of_its_own_piece():
    south, north = box(0, 0, 200, 80), box(0, 80, 200, 200)
    rows = found(hazard(south, id="S"), hazard(north, id="N"), *west_and_east(1.0))
    assert [(row["hazard_id"], round(row["area_m2"], 2)) for row in rows] == [
        ("MAG:hazard:S", 80.0),
        ("MAG:hazard:N", 120.0),
    ]


def test_corners_and_wide_bays_are_no_gaps():
    corner = polygon((0, 0), (200, 0), (200, 100), (100, 100), (100, 200), (0, 200))
    bay = polygon((0, 0), (200, 0), (200, 200), (150, 200), (100, 100), (50, 200), (0, 200))
    for ground in (corner, bay):
        assert found(hazard(FIELD), released(ground)) == []


def test_a_niche_is_a_gap_only_if_it_is_long_enough_to_be_a_strip():
    for deep_m, count in ((0.5, 0), (3.0, 1)):
        niche = shapely.difference(FIELD, box(100, 200 - deep_m, 101.5, 201))
        assert len(found(hazard(FIELD), released(niche))) == count


def test_a_slit_or_a_narrow_hole_in_one_release_is_a_gap():
    slit = shapely.difference(FIELD, box(99, 50, 100, 201))
    hole = shapely.difference(FIELD, box(99, 50, 100, 150))
    for ground, area_m2 in ((slit, 150), (hole, 100)):
        (gap,) = found(hazard(FIELD), released(ground))
        assert gap["area_m2"] == pytest.approx(area_m2, rel=1e-4)
        assert gap["neighbour_count"] == 1


def test_a_wide_hole_is_not_a_gap_but_remains():
    ground = shapely.difference(FIELD, box(90, 50, 100, 150))
    assert found(hazard(FIELD), released(ground)) == []


def test_a_hazard_area_that_is_nothing_but_a_strip_is_a_gap():
    (gap,) = found(hazard(box(99, 0, 101, 200)), *west_and_east(2.0))
    assert gap["area_m2"] == pytest.approx(400, rel=1e-4)


def test_what_a_third_release_covers_is_no_gap():
    (gap,) = found(hazard(FIELD), *west_and_east(1.0), released(box(90, 50, 110, 200), "NPA"))
    assert gap["area_m2"] == pytest.approx(50, rel=1e-4)
    assert gap["neighbour_count"] == 3


def test_three_strips_that_meet_are_one_gap():
    south, west, east = box(0, 0, 200, 99), box(0, 100, 99.5, 200), box(100.5, 100, 200, 200)
    (gap,) = found(hazard(FIELD), released(south, "MAG"), released(west, "NPA"), released(east, "UXO Lao"))
    assert gap["area_m2"] == pytest.approx(300, rel=1e-4)
    assert gap["length_m"] == pytest.approx(300, rel=0.01)
    assert gap["neighbour_operators"] == "MAG, NPA, UXO Lao"


def test_many_neighbours_are_counted_but_only_the_first_are_named():
    cells = [
        released(box(x, y, x + 99 / 3, y + 200), "MAG", f"{x:03d}") for x in range(0, 200, 34) for y in (0,)
    ]
    (*_, gap) = found(hazard(FIELD), *cells, released(box(0, 200.5, 200, 300), "NPA", "N"))
    assert gap["neighbours"].endswith("; and 3 more")
    assert gap["neighbours"].count("land_release") == 4
    assert gap["neighbour_count"] == 7


@pytest.mark.parametrize(
    ("west", "east", "order"),
    [
        (RELEASE, RELEASE, "hazard_first"),
        (None, RELEASE, "unknown"),
        (SURVEY, RELEASE, "unknown"),
        (dt.date(2010, 1, 1), RELEASE, "release_first"),
    ],
)
def test_a_gap_is_told_whatever_is_known_of_the_order_in_time(west, east, order):
    (gap,) = found(
        hazard(FIELD, when=SURVEY),
        released(box(0, 0, 99, 200), when=west),
        released(box(100, 0, 200, 200), when=east),
    )
    assert gap["time_order"] == order


def test_a_strip_in_a_hazard_called_closed_is_an_alarm():
    for status, code in (
        ("closed", "GAP_IN_CLOSED_HAZARD"),
        ("open", "GAP_IN_HAZARD"),
        ("unknown", "GAP_IN_HAZARD"),
    ):
        told = findings(sought(hazard(FIELD, id="H", status=status), *west_and_east(0.5)))
        assert [row["code"] for row in told] == [code]
        assert (told[0]["record_id"], told[0]["other_id"]) == ("MAG:hazard:H", "MAG:land_release:W")
        assert "0.5 m wide and 200 m long" in told[0]["sentence"]
        assert (round(told[0]["measure"]), told[0]["unit"]) == (100, "m2")


def test_between_two_operators_a_strip_is_told_even_outside_every_hazard_area():
    west, east = west_and_east(1.0, operator="NPA")
    state = sought(west, east)
    (gap,) = state.gaps.table.to_pylist()
    assert (gap["hazard_id"], gap["neighbour_operators"]) == (None, "MAG, NPA")
    (told,) = findings(state, "GAP_BETWEEN_OPERATORS")
    assert (told["record_id"], told["other_id"]) == ("NPA:land_release:W", "MAG:land_release:E")


def test_of_one_operator_a_strip_outside_every_hazard_area_says_nothing():
    assert found(*west_and_east(1.0)) == []


def test_a_strip_partly_in_a_hazard_area_is_told_inside_and_between_operators_beyond():
    rows = found(hazard(box(0, 0, 200, 50), id="H"), *west_and_east(1.0, operator="NPA"))
    assert [(row["hazard_id"], round(row["area_m2"])) for row in rows] == [("MAG:hazard:H", 50), (None, 150)]


@pytest.mark.parametrize("kind", ["TASK", "SURVEY_BOX", "UNKNOWN"])
def test_only_released_land_makes_a_gap(kind):
    west, east = west_and_east(1.0, kind=kind)
    assert found(hazard(FIELD), west, east) == []


def test_a_tail_where_borders_nearly_coincide_does_not_hide_or_lengthen_the_gap():
    west = polygon((0, 0), (100, 0), (100, 190), (99, 200), (0, 200))
    (gap,) = found(hazard(FIELD), released(west), released(box(100.0001, 0, 200, 200)))
    assert gap["area_m2"] == pytest.approx(5, rel=0.01)
    assert gap["length_m"] < 15


def test_a_crossing_that_geos_cannot_close_is_told(monkeypatch):
    """Neither at once, nor alone, nor on a grid."""

    def fail(*_args, **_options):
        raise shapely.errors.GEOSException("no")

    monkeypatch.setattr("geopipe.gaps._closed", fail)
    state = sought(hazard(FIELD), *west_and_east(0.5))
    assert len(state.gaps) == 0
    assert {row["record_id"] for row in findings(state, "GAPS_NOT_SOUGHT")} == {
        "MAG:land_release:W",
        "MAG:land_release:E",
    }


def test_one_group_on_which_geos_fails_does_not_take_the_others_along(monkeypatch):
    closed = shapely.buffer

    def fail_in_the_east(ground, *args, **options):
        if (shapely.bounds(ground)[..., 0] > 500_900).any():
            raise shapely.errors.GEOSException("no")
        return closed(ground, *args, **options)

    monkeypatch.setattr(shapely, "buffer", fail_in_the_east)
    there = np.array([box(1000, 0, 1100, 100), box(1101, 0, 1200, 100)])
    strips = strips_between(np.array([box(0, 0, 99, 100), box(100, 0, 200, 100), *there]), 2.0, 0.001)
    assert (len(strips.geometry), strips.failed.tolist()) == (1, [2, 3])


def test_a_strip_that_geos_cannot_cut_is_told_whole(monkeypatch):
    def fail(*_args, **_options):
        raise shapely.errors.GEOSException("no")

    monkeypatch.setattr(shapely, "intersection", fail)
    (gap,) = found(hazard(box(0, 50, 200, 100)), *west_and_east(1.0))
    assert gap["area_m2"] == pytest.approx(200, rel=1e-4)


def test_the_first_screen_and_the_layers_show_gaps():
    state = remaining(
        judged(hazard(FIELD, when=SURVEY, status="closed"), *west_and_east(0.5, operator="NPA"))
    )
    state = gaps(state, POLICY)
    summary = summarise(state, POLICY)
    assert summary["gaps"] == {
        "in_hazard": 1,
        "ground_m2": pytest.approx(100, rel=1e-4),
        "hazard_areas": 1,
        "in_hazard_between_operators": 1,
        "in_closed_hazard": 1,
        "outside_hazard_between_operators": 0,
    }
    screen = first_screen(summary, [])
    assert (
        "SAFETY      1 strip of hazard up to 2 m wide between released land, 100 m2, "
        "1 of them between two operators, 1 in hazard called closed (layer gaps)" in screen.splitlines()
    )
    (layer,) = published_layers(state, ["gaps"])
    assert (layer.name, layer.table.num_rows) == ("gaps", 1)


def test_without_gaps_the_first_screen_does_not_speak_of_them():
    summary = summarise(gaps(judged(hazard(FIELD)), POLICY), POLICY)
    assert "strip" not in first_screen(summary, [])
