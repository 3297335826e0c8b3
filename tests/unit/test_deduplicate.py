"""Nothing is set aside that would shrink hazard or grow released land; never across operators."""

import datetime as dt
import itertools

import numpy as np
import pytest
import shapely
from make import (
    EARLY,
    HAZARD,
    LATE,
    POLICY,
    RELEASED,
    area,
    box,
    codes,
    findings,
    hazard,
    judged,
    kept_ids,
    make_features,
    pairs,
    polygon,
    released,
    set_aside,
    square,
    union_m2,
)

from geopipe.stages.deduplicate import deduplicate

MIDDLE = dt.date(2022, 3, 1)


def done(*records, policy=POLICY):
    return deduplicate(make_features(*records), policy)


# The same record twice.


def test_a_record_delivered_twice_is_kept_once():
    twice = hazard(square(), id="1")
    state = done(twice, twice)
    assert kept_ids(state) == ["1"]
    (row,) = state.duplicates.table.to_pylist()
    assert (row["outcome"], row["how"]) == ("duplicate", "same_content")
    assert (row["row_id"], row["of_row_id"]) == ("areas.gpkg::00000002", "areas.gpkg::00000001")


def test_a_record_in_two_files_is_kept_once():
    state = done(hazard(square(), id="1", file="b.gpkg"), hazard(square(), id="1", file="a.gpkg"))
    assert state.features.table["file"].to_pylist() == ["a.gpkg"]
    assert len(state.duplicates) == 1


def test_the_same_content_without_an_id_is_kept_once():
    assert len(done(hazard(square()), hazard(square())).features) == 1


def test_two_operators_keep_their_own_copy_of_the_same_ground():
    state = done(hazard(square(), "MAG", "1"), hazard(square(), "HALO", "1"))
    assert len(state.features) == 2
    assert len(state.duplicates) == 0


def test_one_number_in_two_registers_is_two_records():
    state = done(hazard(square(), id="1", informed=EARLY), released(square(), id="1", informed=LATE))
    assert len(state.features) == 2


# Versions of one record.


def test_an_older_hazard_version_goes_when_the_newer_one_covers_it():
    state = done(hazard(square(), id="1", informed=EARLY), hazard(box(0, 0, 120, 100), id="1", informed=LATE))
    assert set_aside(state) == [("1", "superseded", "1")]
    assert state.features.table["date_of_information"].to_pylist() == [LATE]
    (row,) = state.duplicates.table.to_pylist()
    assert row["how"] == "older_version"
    assert row["uncovered_m2"] == 0
    assert row["iou"] == pytest.approx(10 / 12)
    assert str(EARLY) in row["sentence"]
    assert str(LATE) in row["sentence"]


def test_an_older_hazard_version_stays_when_the_newer_one_is_smaller():
    state = done(hazard(square(), id="1", informed=EARLY), hazard(box(0, 0, 70, 100), id="1", informed=LATE))
    assert len(state.features) == 2
    (told,) = findings(state)
    assert (told["code"], told["severity"]) == ("HAZARD_SMALLER", "alarm")
    assert told["measure"] == pytest.approx(3000)
    assert "gives up 3,000.0 m2 of hazard; both are kept" in told["sentence"]
    assert state.findings.geometry[0].equals(box(70, 0, 100, 100))


def test_an_older_hazard_version_stays_when_the_newer_one_lies_a_little_beside_it():
    state = done(hazard(square(), id="1", informed=EARLY), hazard(square(1), id="1", informed=LATE))
    assert len(state.features) == 2
    assert codes(state) == ["HAZARD_SMALLER"]


def test_a_smaller_hazard_version_is_explained_by_land_released_since():
    state = done(
        hazard(square(), id="1", informed=EARLY),
        hazard(box(0, 0, 70, 100), id="1", informed=LATE),
        released(box(70, 0, 100, 100), "HALO", "r", when=MIDDLE),
    )
    assert set_aside(state) == [("1", "superseded", "1")]
    assert "released" in state.duplicates.table["sentence"][0].as_py()
    assert codes(state) == []


@pytest.mark.parametrize(
    "release",
    [
        released(box(71, 0, 100, 100), "HALO", "r", when=MIDDLE),  # not all of it
        released(box(70, 0, 100, 100), "HALO", "r", when=dt.date(2019, 1, 1)),  # released before
        released(box(70, 0, 100, 100), "HALO", "r"),  # nobody knows when
        area(box(70, 0, 100, 100), "TASK", "HALO", "r"),
        hazard(box(70, 0, 100, 100), "HALO", "r", completed=MIDDLE),
    ],
)
def test_a_smaller_hazard_version_is_not_explained_by_anything_less(release):
    state = done(
        hazard(square(), id="1", informed=EARLY), hazard(box(0, 0, 70, 100), id="1", informed=LATE), release
    )
    assert "HAZARD_SMALLER" in codes(state)
    assert len(state.features) == 3


def test_several_releases_together_explain_what_a_hazard_gave_up():
    state = done(
        hazard(square(), id="1", informed=EARLY),
        hazard(box(0, 0, 70, 100), id="1", informed=LATE),
        released(box(70, 0, 100, 60), "HALO", "r", when=MIDDLE),
        released(box(60, 50, 110, 120), "NPA", "s", when=LATE, kind="CANCELLED"),
    )
    assert codes(state) == []


@pytest.mark.parametrize(
    "first",
    ["release", "hazard"],
)
def test_a_release_that_was_itself_set_aside_explains_nothing(first):
    hazards = [
        hazard(square(), id="1", informed=EARLY, row=10 if first == "release" else 1),
        hazard(box(0, 0, 70, 100), id="1", informed=LATE, row=11 if first == "release" else 2),
    ]
    releases = [
        released(box(70, 0, 100, 100), id="r", when=MIDDLE, informed=EARLY, row=5),
        released(box(70, 0, 75, 100), id="r", when=MIDDLE, informed=LATE, row=6),
    ]
    state = done(*hazards, *releases)
    # The release was corrected to a small strip: what the hazard gave up beside it is open.
    assert ("r", "superseded", "r") in set_aside(state)
    assert "HAZARD_SMALLER" in codes(state)


def test_a_nearly_equal_release_that_is_set_aside_explains_nothing_beyond_the_one_kept():
    before = make_features(
        hazard(square(), id="1", informed=EARLY),
        hazard(box(0, 0, 70, 100), id="1", informed=LATE),
        released(box(70, 0, 100, 100), "HALO", "r", when=MIDDLE),
        released(box(72, 0, 100, 100), "HALO", "s", when=MIDDLE),
    )
    after = deduplicate(before, POLICY)
    covered = shapely.union_all(after.features.geometry)
    assert shapely.union_all(before.features.geometry).difference(covered).area < 1


def test_an_older_released_version_goes_when_it_covers_the_newer_one():
    state = done(
        released(square(), id="1", informed=EARLY), released(box(0, 0, 70, 100), id="1", informed=LATE)
    )
    assert set_aside(state) == [("1", "superseded", "1")]
    assert state.features.geometry[0].area == 7000


def test_an_older_released_version_stays_when_the_newer_one_is_larger():
    state = done(
        released(square(), id="1", informed=EARLY), released(box(0, 0, 120, 100), id="1", informed=LATE)
    )
    assert len(state.features) == 2
    (told,) = findings(state)
    assert (told["code"], told["severity"]) == ("RELEASED_LARGER", "alarm")
    assert told["measure"] == pytest.approx(2000)
    assert state.findings.geometry[0].equals(box(100, 0, 120, 100))


@pytest.mark.parametrize("kind", HAZARD)
def test_rounding_does_not_make_a_newer_hazard_smaller(kind):
    state = done(
        area(square(), kind, id="1", informed=EARLY),
        area(box(0.012, 0.012, 99.988, 99.988), kind, id="1", informed=LATE),
    )
    assert len(state.features) == 1
    assert codes(state) == []


@pytest.mark.parametrize("kind", RELEASED)
def test_rounding_does_not_make_a_newer_release_larger(kind):
    state = done(
        area(square(), kind, id="1", informed=EARLY),
        area(box(-0.012, -0.012, 100.012, 100.012), kind, id="1", informed=LATE),
    )
    assert len(state.features) == 1


@pytest.mark.parametrize("kind", ["CHA", "CLEARED"])
def test_more_than_the_cover_tolerance_is_no_rounding(kind):
    # A newer hazard 5 cm smaller all around, a newer release 5 cm larger.
    grown = -0.05 if kind == "CHA" else 0.05
    state = done(
        area(square(), kind, id="1", informed=EARLY),
        area(box(-grown, -grown, 100 + grown, 100 + grown), kind, id="1", informed=LATE),
    )
    assert len(state.features) == 2


def test_versions_of_the_same_day_are_both_kept_and_told():
    state = done(
        hazard(square(), id="1", informed=LATE, status="open"),
        hazard(square(), id="1", informed=LATE, status="closed"),
    )
    assert len(state.features) == 2
    assert codes(state) == ["VERSION_CONFLICT"] * 2


def test_versions_without_dates_are_both_kept_and_told():
    state = done(hazard(square(), id="1"), hazard(square(5), id="1"))
    assert len(state.features) == 2
    assert codes(state) == ["VERSION_CONFLICT"] * 2


def test_one_version_without_a_date_is_kept_beside_the_newest():
    state = done(
        hazard(square(), id="1", informed=EARLY),
        hazard(square(), id="1", informed=LATE, status="open"),
        hazard(square(), id="1", status="closed"),
    )
    assert len(state.features) == 2
    assert codes(state) == ["VERSION_CONFLICT"] * 2
    assert state.features.table["date_of_information"].to_pylist() == [LATE, None]


def test_of_three_versions_the_newest_is_kept():
    versions = [
        hazard(box(0, 0, 100 + 10 * n, 100), id="1", informed=dt.date(2020 + n, 1, 1)) for n in range(3)
    ]
    for order in itertools.permutations(versions):
        state = done(*order)
        assert state.features.geometry[0].area == 12_000
        assert len(state.features) == 1
        assert len(state.duplicates) == 2


def test_an_id_used_again_on_other_ground_is_told():
    state = done(hazard(square(), id="1", informed=EARLY), hazard(square(500), id="1", informed=LATE))
    assert len(state.features) == 2
    assert codes(state) == ["ID_REUSED"]


def test_a_suspected_area_becomes_a_confirmed_one_under_its_own_number_only_if_nothing_is_lost():
    smaller = done(
        area(square(), "SHA", id="1", informed=EARLY), area(box(0, 0, 50, 100), id="1", informed=LATE)
    )
    assert codes(smaller) == ["HAZARD_SMALLER"]
    covered = done(area(square(), "SHA", id="1", informed=EARLY), area(square(), id="1", informed=LATE))
    assert covered.features.table["kind"].to_pylist() == ["CHA"]


@pytest.mark.parametrize("kind", ["TASK", "UNKNOWN", "SURVEY_BOX"])
def test_versions_of_other_kinds_must_lie_alike(kind):
    moved = done(area(square(), kind, id="1", informed=EARLY), area(square(5), kind, id="1", informed=LATE))
    assert len(moved.features) == 2
    assert codes(moved) == ["VERSION_CONFLICT"]
    alike = done(
        area(square(), kind, id="1", informed=EARLY), area(square(0.01), kind, id="1", informed=LATE)
    )
    assert len(alike.features) == 1


# Equal ground under other ids.


def spellings(*points):
    for start, backwards in itertools.product(range(len(points)), (False, True)):
        ring = [*points[start:], *points[:start]]
        yield polygon(*(ring[::-1] if backwards else ring))


def test_equal_ground_is_equal_from_any_start_in_any_direction():
    shapes = list(spellings((0, 0), (100, 7), (90, 95), (-4, 88)))
    state = done(*(hazard(shape, id=f"{n:02d}") for n, shape in enumerate(shapes)))
    assert kept_ids(state) == ["00"]
    assert set(state.duplicates.table["how"].to_pylist()) == {"equal"}
    assert max(state.duplicates.table["uncovered_m2"].to_pylist()) == 0


def test_equal_ground_is_equal_in_any_order_of_parts():
    one, other = square(), square(300)
    both, turned = shapely.MultiPolygon([one, other]), shapely.MultiPolygon([other, one])
    assert kept_ids(done(hazard(both, id="1"), hazard(turned, id="2"))) == ["1"]


def test_equal_boxes_are_not_equal_ground():
    up = polygon((0, 0), (100, 0), (100, 100))
    down = polygon((0, 0), (100, 100), (0, 100), (0, 0))
    wide = polygon((0, 0), (100, 0), (100, 100), (0, 100))
    state = done(hazard(up, id="1"), hazard(down, id="2"), hazard(wide, id="3"))
    assert len(state.features) == 3


def test_equal_ground_of_another_kind_or_operator_stays():
    records = [area(square(), kind, who, f"{kind}{who}") for kind in HAZARD for who in ("MAG", "HALO")]
    assert len(done(*records).features) == 4


def test_the_survivor_of_equal_hazards_is_the_one_surveyed_last():
    # Surveyed in 2024 it is an alarm on land released in 2022; surveyed in 2020 it would be expected.
    for order in itertools.permutations([EARLY, MIDDLE, LATE]):
        records = [hazard(square(), id=str(when), when=when) for when in order]
        state = judged(*records, released(square(50), "HALO", "r", when=dt.date(2023, 1, 1)))
        assert kept_ids(state) == [str(LATE), "r"]
        assert [pair["finding"] for pair in pairs(state)] == ["hazard_on_released_land"]


def test_the_survivor_of_equal_releases_is_the_one_completed_first():
    for order in itertools.permutations([EARLY, MIDDLE, LATE]):
        records = [released(square(), id=str(when), when=when) for when in order]
        state = judged(*records, hazard(square(50), "HALO", "h", when=dt.date(2021, 1, 1)))
        assert kept_ids(state) == [str(EARLY), "h"]
        assert [pair["finding"] for pair in pairs(state)] == ["hazard_on_released_land"]


@pytest.mark.parametrize("order", [(EARLY, None), (None, EARLY)])
def test_an_undated_twin_does_not_silence_what_is_not_known_of_its_order(order):
    # The dated one is expected on land released in 2022; whether the undated one is, nobody knows.
    records = [hazard(square(), id=str(when), when=when) for when in order]
    state = judged(*records, released(square(50), "HALO", "r", when=MIDDLE))
    assert {"expected_release", "order_unknown"} <= {pair["finding"] for pair in pairs(state)}
    assert codes(state) == ["SAME_GROUND"]


def test_among_equals_of_equal_date_the_first_row_survives():
    assert kept_ids(done(hazard(square(), id="b"), hazard(square(), id="a"))) == ["b"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_closed_twin_does_not_hide_the_alarm_of_an_open_hazard(order):
    twins = [hazard(square(), id="open", status="open"), hazard(square(), id="closed", status="closed")]
    cancelled = released(square(50), "HALO", "c", kind="CANCELLED")
    state = judged(*(twins[n] for n in order), cancelled)
    assert "open_and_cancelled" in {pair["finding"] for pair in pairs(state)}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_surface_cleared_twin_does_not_hide_the_alarm_on_deeply_cleared_land(order):
    twins = [released(square(), id=str(depth), when=EARLY, depth=depth) for depth in (0.0, 25.0)]
    state = judged(*(twins[n] for n in order), hazard(square(50), "HALO", "h", when=LATE))
    assert "hazard_on_released_land" in {pair["finding"] for pair in pairs(state)}


# Nearly equal ground.


def test_a_nearly_equal_hazard_goes_when_the_one_kept_covers_it():
    state = done(hazard(box(1, 1, 99, 99), id="in"), hazard(square(), id="around"))
    assert kept_ids(state) == ["around"]
    (row,) = state.duplicates.table.to_pylist()
    assert (row["outcome"], row["how"]) == ("duplicate", "near_equal")
    assert row["iou"] == pytest.approx(0.9604)
    assert row["uncovered_m2"] == 0


def test_a_nearly_equal_release_goes_when_it_covers_the_one_kept():
    state = done(released(square(), id="around"), released(box(1, 1, 99, 99), id="in"))
    assert kept_ids(state) == ["in"]
    assert set_aside(state) == [("around", "duplicate", "in")]


@pytest.mark.parametrize("kind", [*HAZARD, *RELEASED, "TASK", "UNKNOWN", "SURVEY_BOX"])
def test_near_copies_that_stick_out_of_each_other_both_stay_and_are_told(kind):
    state = done(area(square(), kind, id="1"), area(square(2), kind, id="2"))
    assert kept_ids(state) == ["1", "2"]
    (told,) = findings(state, "NEAR_DUPLICATE")
    assert told["severity"] == "check"
    assert told["other_id"].endswith(":2")


@pytest.mark.parametrize("kind", ["TASK", "UNKNOWN", "SURVEY_BOX"])
def test_near_copies_of_other_kinds_go_only_when_each_covers_the_other(kind):
    assert len(done(area(square(), kind, id="1"), area(box(1, 1, 99, 99), kind, id="2")).features) == 2
    assert len(done(area(square(), kind, id="1"), area(square(0.01), kind, id="2")).features) == 1


def test_likeness_below_the_policy_is_no_near_copy():
    state = done(hazard(square(), id="1"), hazard(box(0, 0, 100, 89), id="2"))
    assert len(state.features) == 2
    assert codes(state) == []


@pytest.mark.parametrize(("kind", "sign"), [("CHA", 1), ("CLEARED", -1)])
def test_a_chain_of_small_shifts_is_never_one_record(kind, sign):
    # Six squares, each 5 % beside the last: neighbours are 0.905 alike, the ends 0.60.
    chain = [area(square(5 * n), kind, id=str(n)) for n in range(6)][::sign]
    state = done(*chain)
    assert len(state.features) == 6
    assert len(findings(state, "NEAR_DUPLICATE")) == 5


def test_a_chain_of_growing_hazards_is_measured_against_the_survivor_itself():
    # Each covers the one before; only those 0.9 alike to the largest go.
    chain = [hazard(box(0, 0, 100 + 5 * n, 100), id=str(n)) for n in range(6)]
    state = done(*chain)
    assert union_m2(state.features, HAZARD) == pytest.approx(12_500)
    for row in state.duplicates.table.to_pylist():
        assert row["iou"] >= POLICY.near_equal_iou
        assert row["of_row_id"] in state.features.table["row_id"].to_pylist()


def test_a_near_copy_that_would_silence_an_alarm_stays():
    larger_early = hazard(square(), id="large", when=EARLY)
    smaller_late = hazard(box(1, 1, 99, 99), id="small", when=LATE)
    state = judged(larger_early, smaller_late, released(square(50), "HALO", "r", when=MIDDLE))
    assert "hazard_on_released_land" in {pair["finding"] for pair in pairs(state)}
    assert codes(state) == ["NEAR_DUPLICATE"]


def test_a_near_copy_of_a_release_that_would_silence_an_alarm_stays():
    smaller_late = released(box(1, 1, 99, 99), id="small", when=LATE)
    larger_early = released(square(), id="large", when=EARLY)
    state = judged(smaller_late, larger_early, hazard(square(50), "HALO", "h", when=MIDDLE))
    assert "hazard_on_released_land" in {pair["finding"] for pair in pairs(state)}


def test_a_larger_closed_near_copy_does_not_hide_the_alarm_of_an_open_hazard():
    twins = [
        hazard(square(), id="closed", status="closed"),
        hazard(box(1, 1, 99, 99), id="open", status="open"),
    ]
    state = judged(*twins, released(square(50), "HALO", "c", kind="CANCELLED"))
    assert "open_and_cancelled" in {pair["finding"] for pair in pairs(state)}
    assert codes(state) == ["NEAR_DUPLICATE"]


def test_a_smaller_surface_cleared_near_copy_does_not_hide_the_alarm_on_deeply_cleared_land():
    deep = released(square(), id="deep", when=EARLY, depth=25.0)
    shallow = released(box(1, 1, 99, 99), id="shallow", when=EARLY, depth=0.0)
    state = judged(deep, shallow, hazard(square(50), "HALO", "h", when=LATE))
    assert "hazard_on_released_land" in {pair["finding"] for pair in pairs(state)}


def test_whoever_is_named_as_survivor_did_survive():
    records = [
        hazard(square(), id="b"),
        hazard(box(0.01, 0, 100, 100), id="c", when=LATE),
        hazard(box(-0.005, 0, 99.99, 100), id="a"),
    ]
    state = done(*records)
    kept = set(state.features.table["row_id"].to_pylist())
    assert {row["of_row_id"] for row in state.duplicates.table.to_pylist()} <= kept


def test_near_copies_of_two_operators_both_stay():
    state = done(hazard(square(), "MAG", "1"), hazard(box(1, 1, 99, 99), "HALO", "2"))
    assert len(state.features) == 2
    assert codes(state) == []


def test_the_same_turning_points_in_two_crs_are_one_record():
    # PROJ's round trips leave some nanometres.
    jitter = np.random.default_rng(1).normal(0, 1e-8, (5, 2))
    moved = shapely.Polygon(np.array(square().exterior.coords)[:-1] + jitter[:4])
    state = done(hazard(square(), id="1"), hazard(moved, id="2"))
    assert kept_ids(state) in (["1"], ["2"])


# The whole.


def test_features_come_out_sorted_by_row_and_nothing_is_lost():
    records = [hazard(square(300 * n), id=str(n), row=9 - n) for n in range(5)]
    state = done(*records, hazard(square(), id="x", row=99))
    rows = state.features.table["row_id"].to_pylist()
    assert rows == sorted(rows)
    assert len(state.features) + len(state.duplicates) == 6


def test_nothing_at_all_has_no_duplicates():
    state = done()
    assert len(state.features) == len(state.duplicates) == len(state.findings) == 0


def test_a_second_time_changes_nothing():
    records = [
        hazard(square(), id="1", informed=EARLY), hazard(box(0, 0, 90, 100), id="1", informed=LATE),
        hazard(square(), id="2"), hazard(square(2), id="3"), released(square(), id="4"),
        released(box(1, 1, 99, 99), id="5"), released(square(), id="5", informed=LATE),
    ]  # fmt: skip
    once = done(*records)
    twice = deduplicate(once, POLICY)
    assert twice.features.table["row_id"].to_pylist() == once.features.table["row_id"].to_pylist()
    assert len(twice.duplicates) == len(once.duplicates)
