"""Quality management samples: what may be drawn, with which chance, and where an inspector is sent."""

import datetime as dt
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import shapely
from make import EARLY, LAOS, LATE, area, box, hazard, judged, released, square

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.errors import ConfigError
from geopipe.sampling.boxes import boxes_in, draw_boxes
from geopipe.sampling.chance import draw_equal, draw_weighted, inclusion
from geopipe.sampling.drawing import draw, sample_id
from geopipe.sampling.gpx import gpx_of
from geopipe.sampling.interval import clopper_pearson
from geopipe.sampling.named import named_ids
from geopipe.sampling.pages import pages_of
from geopipe.sampling.plan import Plan, RiskWeights
from geopipe.sampling.population import population_of
from geopipe.sampling.published import Published
from geopipe.sampling.record import record_of
from geopipe.sampling.results import summarise
from geopipe.sampling.strata import allocate, strata_of
from geopipe.settings import load_model

SUMMARY = {
    "balance": {"records_in": 9, "rejected": 0},
    "run": {"started_at": "2026-05-04T01:02:03+00:00"},
    "files": {"geopipe.gpkg": "0"},
    "deliveries": [{"file": "areas.gpkg", "problems": []}],
    "working_crs": LAOS,
}


def published(*records):
    state = judged(*records)
    return Published(state.features, state.overlaps, state.findings, None, None, LAOS, SUMMARY)


def population(*records, **asked):
    state = judged(*records)
    return population_of(state.features, state.overlaps, Plan(seed=1, count=1, **asked))


def ids(found):
    return sorted(found.areas.table["source_id"].to_pylist())


def reasons(found):
    return {item.record_id.rsplit(":", 1)[-1]: item.reason for item in found.excluded}


def apart(count, **more):
    """As many cleared hectares, 200 m apart, of two operators in turn."""
    return [
        released(square(200 * n), ("MAG", "UXO Lao")[n % 2], f"C{n:03d}", when=EARLY, **more)
        for n in range(count)
    ]


# --- ground counted once


def test_ground_that_two_records_claim_belongs_to_the_one_completed_first():
    found = population(
        released(square(0), "MAG", "late", when=LATE), released(square(50), "UXO Lao", "early", when=EARLY)
    )
    ground = dict(zip(found.areas.table["source_id"].to_pylist(), found.ground_m2, strict=True))
    assert ground == {"early": pytest.approx(10_000), "late": pytest.approx(5_000)}
    assert found.total_m2 == pytest.approx(15_000)


def test_on_the_same_day_the_first_record_id_has_the_ground():
    found = population(
        released(square(50), "UXO Lao", "u", when=EARLY), released(square(0), "MAG", "m", when=EARLY)
    )
    ground = dict(zip(found.areas.table["source_id"].to_pylist(), found.ground_m2, strict=True))
    assert ground == {"m": pytest.approx(10_000), "u": pytest.approx(5_000)}


def test_ground_of_three_records_is_counted_once():
    found = population(
        released(square(0), "MAG", "a", when=EARLY),
        released(square(40), "UXO Lao", "b", when=LATE),
        released(square(20), "HALO", "c", when=dt.date(2022, 1, 1)),
    )
    assert found.total_m2 == pytest.approx(14_000)
    grounds = found.areas.geometry
    overlapping = [shapely.intersection(a, b).area for n, a in enumerate(grounds) for b in grounds[n + 1 :]]
    assert overlapping == [0.0, 0.0, 0.0]


def test_a_record_wholly_covered_by_an_earlier_one_is_left_out_and_listed():
    found = population(
        released(box(0, 0, 100, 100), "MAG", "early", when=EARLY),
        released(box(20, 20, 60, 60), "UXO Lao", "inside", when=LATE),
    )
    assert ids(found) == ["early"]
    assert reasons(found) == {"inside": "wholly_covered"}
    assert "MAG:land_release:early" in found.excluded[0].sentence


def test_what_was_completed_before_the_period_keeps_its_ground():
    found = population(
        released(square(0), "MAG", "before", when=EARLY),
        released(square(50), "UXO Lao", "within", when=LATE),
        completed_from=dt.date(2024, 1, 1),
    )
    assert ids(found) == ["within"]
    assert found.total_m2 == pytest.approx(5_000)
    assert found.not_in_period == 1


@pytest.mark.parametrize("day", [dt.date(2024, 2, 29), dt.date(2024, 3, 2)])
def test_the_first_and_the_last_day_of_a_period_belong_to_it(day):
    late = released(square(0), id="late", when=LATE)
    assert ids(population(late, completed_from=LATE, completed_to=LATE)) == ["late"]
    with pytest.raises(ConfigError, match="1 outside the period"):
        population(late, completed_from=day, completed_to=day)


def test_a_named_record_is_not_drawn_but_keeps_its_ground():
    found = population(
        released(square(0), "MAG", "seen", when=EARLY),
        released(square(50), "UXO Lao", "new", when=LATE),
        exclude=("seen", "unheard of"),
    )
    assert ids(found) == ["new"]
    assert found.total_m2 == pytest.approx(5_000)
    assert reasons(found) == {"seen": "named"}
    assert found.notes == ("--exclude: no completed area has the id 'unheard of'.",)


def test_a_record_without_a_completion_date_is_left_out_and_listed_unless_asked_for():
    records = released(square(0), "MAG", "dated", when=LATE), released(square(50), "UXO Lao", "undated")
    found = population(*records)
    assert ids(found) == ["dated"]
    assert reasons(found) == {"undated": "no_completion_date"}
    both = population(*records, undated=True)
    ground = dict(zip(both.areas.table["source_id"].to_pylist(), both.ground_m2, strict=True))
    assert ground == {"dated": pytest.approx(10_000), "undated": pytest.approx(5_000)}


def test_only_the_kinds_asked_for_are_drawn():
    records = (
        released(square(0), id="cleared", when=EARLY),
        released(square(200), id="reduced", kind="REDUCED", when=EARLY),
        hazard(square(400), id="hazard", when=EARLY),
    )
    assert ids(population(*records)) == ["cleared"]
    assert ids(population(*records, kinds=("CLEARED", "REDUCED"))) == ["cleared", "reduced"]


def test_ground_below_the_least_is_left_out_and_listed():
    found = population(
        released(square(0), id="large", when=EARLY),
        released(square(200, side=5), id="small", when=EARLY),
        least_m2=26,
    )
    assert ids(found) == ["large"]
    assert reasons(found) == {"small": "too_small"}


def test_two_areas_that_only_touch_keep_all_their_ground():
    found = population(
        released(square(0), "MAG", "a", when=EARLY), released(square(100), "UXO Lao", "b", when=LATE)
    )
    assert found.ground_m2.tolist() == [10_000, 10_000]


def test_what_rounding_leaves_of_a_covered_record_is_no_ground():
    late = box(0, 0, 100, 100 + 1e-7)
    found = population(
        released(square(0), "MAG", "early", when=EARLY), released(late, "UXO Lao", "late", when=LATE)
    )
    assert reasons(found) == {"late": "wholly_covered"}


def test_areas_for_reference_are_not_drawn_and_own_nothing():
    state = judged(
        released(square(0), "MAG", "background", when=EARLY),
        released(square(50), "UXO Lao", "own", when=LATE),
    )
    roles = [
        "reference" if name == "background" else "operator" for name in state.features.numpy("source_id")
    ]
    areas = state.features.with_columns({"role": roles})
    found = population_of(areas, state.overlaps, Plan(seed=1, count=1))
    assert ids(found) == ["own"]
    assert found.total_m2 == pytest.approx(10_000)


# --- chance


def test_a_draw_does_not_depend_on_the_order_of_the_rows():
    records = apart(30)
    plan = Plan(seed=5, count=7, boxes=2, box_side_m=25)
    one, other = (draw(published(*rows), plan) for rows in (records, records[::-1]))
    assert [a.columns["record_id"] for a in one.areas] == [a.columns["record_id"] for a in other.areas]
    assert [s.centre for s in one.spots] == [s.centre for s in other.spots]


def test_another_seed_gives_another_sample_and_another_name():
    data = published(*apart(40))
    samples = [draw(data, Plan(seed=seed, count=8)) for seed in (1, 2)]
    assert {a.columns["record_id"] for a in samples[0].areas} != {
        a.columns["record_id"] for a in samples[1].areas
    }
    assert samples[0].id != samples[1].id


def test_who_draws_does_not_change_the_sample():
    data = population(*apart(5))
    assert sample_id(data, Plan(seed=1, count=2, by="A")) == sample_id(data, Plan(seed=1, count=2, by="B"))


def test_every_record_has_the_same_chance():
    keys = [f"k{n}" for n in range(20)]
    times = np.zeros(20)
    for seed in range(4000):
        times[draw_equal(keys, 5, seed, "areas")[0]] += 1
    # 4000 draws with a chance of 1/4: the standard deviation is 27.
    assert np.abs(times - 1000).max() < 5 * math.sqrt(4000 * 0.25 * 0.75)


def test_the_chance_is_in_proportion_to_the_weight():
    keys, weights = [f"k{n}" for n in range(12)], np.array([1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6, 40.0])
    times = np.zeros(12)
    for seed in range(4000):
        rows, probability = draw_weighted(keys, weights, 4, seed, "areas")
        assert len(rows) == 4 == len(set(rows.tolist()))
        times[rows] += 1
    assert probability[-1] == 1
    assert probability[4] == 0
    assert probability[:11] == pytest.approx(3 * weights[:11] / 31)
    assert np.abs(times - 4000 * probability).max() < 5 * math.sqrt(1000)


def test_chances_add_up_to_what_is_drawn():
    weights = np.array([1, 1, 1, 7, 90.0])
    assert inclusion(weights, 3).tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1, 1])
    assert inclusion(weights, 9).tolist() == [1, 1, 1, 1, 1]


def test_a_record_of_weight_nothing_is_listed_as_never_drawn():
    risk = RiskWeights(weights={"operator": {"MAG": 0}}, others=1, times_area=False)
    sample = draw(published(*apart(10)), Plan(seed=1, count=8, method="risk", weights=risk))
    assert {a.columns["operator"] for a in sample.areas} == {"UXO Lao"}
    assert [item.reason for item in sample.excluded] == ["weight_0"] * 5
    assert "8 areas were asked for, but only 5 can be drawn: all of them are." in sample.notes


def test_risk_weights_multiply_over_columns_and_with_ground_where_it_is_said():
    risk = RiskWeights(weights={"operator": {"MAG": 3}, "year": {"2020": 2}}, others=1, times_area=True)
    records = (
        released(square(0), "MAG", "a", when=EARLY),
        released(square(200, side=50), "UXO Lao", "b", when=LATE),
    )
    sample = draw(published(*records), Plan(seed=1, count=2, method="risk", weights=risk))
    assert {a.columns["source_id"]: a.weight for a in sample.areas} == {
        "a": pytest.approx(60_000), "b": pytest.approx(2_500),
    }  # fmt: skip


def test_a_weight_for_a_value_that_no_area_has_is_told(tmp_path):
    file = tmp_path / "weights.yaml"
    file.write_text("weights: {year: {1999: 2}}\nothers: 1\ntimes_area: false\n", encoding="utf-8")
    plan = Plan(seed=1, count=1, method="risk", weights=load_model(file, RiskWeights))
    assert "Risk weights: no area has year '1999'." in draw(published(*apart(2)), plan).notes


@pytest.mark.parametrize(
    "text",
    ["weights: {team: {a: 1}}\nothers: 1\ntimes_area: false", "weights: {}\nothers: -1\ntimes_area: true"],
)
def test_weights_that_make_no_sense_are_refused(tmp_path, text):
    file = tmp_path / "weights.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_model(file, RiskWeights)


# --- strata


def test_a_count_is_divided_in_proportion_with_one_of_each_stratum():
    sizes = {("a",): 90, ("b",): 9, ("c",): 1}
    assert allocate(sizes, Plan(seed=1, count=20)) == {("a",): 17, ("b",): 2, ("c",): 1}
    assert allocate(sizes, Plan(seed=1, count=2)) == {("a",): 2, ("b",): 0, ("c",): 0}
    assert allocate(sizes, Plan(seed=1, count=500)) == sizes


def test_a_share_is_taken_of_each_stratum_and_rounded_up():
    sizes = {("a",): 90, ("b",): 9, ("c",): 10}
    assert allocate(sizes, Plan(seed=1, share_percent=10)) == {("a",): 9, ("b",): 1, ("c",): 1}
    assert allocate({(): 1000}, Plan(seed=1, share_percent=0.7)) == {(): 7}


def test_without_limits_three_classes_of_size_hold_equally_many_areas():
    records = [released(square(200 * n, side=10 + n), id=f"C{n}", when=EARLY) for n in range(9)]
    plan = Plan(seed=1, count=3, method="stratified", stratify=("size",))
    assert [len(rows) for rows in strata_of(population(*records), plan).values()] == [3, 3, 3]


def test_a_stratum_of_which_nothing_is_drawn_is_told():
    plan = Plan(seed=1, count=1, method="stratified", stratify=("operator",))
    sample = draw(published(*apart(4)), plan)
    assert [note for note in sample.notes if "stratum" in note] == [
        "Nothing is drawn of the stratum UXO Lao."
    ]


def test_strata_are_told_with_what_was_drawn_of_them():
    plan = Plan(seed=1, count=6, method="stratified", stratify=("operator",))
    sample = draw(published(*apart(10)), plan)
    assert [(s["stratum"], s["areas"], s["drawn"]) for s in sample.strata] == [
        (["MAG"], 5, 3), (["UXO Lao"], 5, 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({}, "--count N or --share PERCENT"),
        ({"count": 3, "share_percent": 5}, "--count N or --share PERCENT"),
        ({"count": 0}, "1 or more"),
        ({"share_percent": 101}, "at most 100"),
        ({"share_percent": float("nan")}, "at most 100"),
        ({"count": 1, "stratify": ("team",), "method": "stratified"}, "no team is among the published"),
        ({"count": 1, "stratify": ("provinc",), "method": "stratified"}, "did you mean 'province'"),
        ({"count": 1, "stratify": ("operator",)}, "does not stratify"),
        ({"count": 1, "method": "stratified"}, "say by what"),
        ({"count": 1, "method": "risk"}, "belong together"),
        ({"count": 1, "boxes": 3}, "boxes need both"),
        ({"count": 1, "boxes": 3, "box_side_m": 0.0}, "between 0.1 and"),
        ({"count": 1, "kinds": ("CHA",)}, "CHA is not completed work"),
        ({"count": 1, "completed_from": LATE, "completed_to": EARLY}, "later than"),
        ({"count": 1, "size_limits_m2": (5.0, 3.0)}, "rising numbers"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(asked, sentence):
    with pytest.raises(ConfigError, match=sentence):
        Plan(seed=1, **asked)


# --- boxes


def test_boxes_lie_on_a_grid_and_end_where_the_ground_ends():
    boxes = boxes_in(shapely.box(1005, 2005, 1035, 2025), 10)
    assert boxes.ground_m2.sum() == pytest.approx(600)
    assert sorted(zip(boxes.column.tolist(), boxes.row.tolist(), strict=True)) == [
        (column, row) for column in (100, 101, 102, 103) for row in (200, 201, 202)
    ]
    assert sorted(set(boxes.ground_m2.round(6).tolist())) == [25, 50, 100]


def test_boxes_are_numbered_from_north_to_south_and_from_west_to_east():
    boxes = boxes_in(shapely.box(0, 0, 20, 20), 10)
    assert list(zip(boxes.column.tolist(), boxes.row.tolist(), strict=True)) == [
        (0, 1),
        (1, 1),
        (0, 0),
        (1, 0),
    ]


def test_an_area_smaller_than_a_box_is_one_box_of_its_own_shape():
    ground = shapely.box(1, 1, 4, 4)
    boxes = boxes_in(ground, 100)
    assert [cut.equals(ground) for cut in boxes.ground] == [True]


def test_an_area_of_two_parts_has_boxes_in_both_and_none_twice():
    ground = shapely.MultiPolygon(
        [shapely.box(1, 1, 4, 4), shapely.box(6, 6, 9, 9), shapely.box(51, 1, 59, 9)]
    )
    boxes = boxes_in(ground, 10)
    assert boxes.ground_m2.tolist() == pytest.approx([18, 64])


def test_a_hole_is_in_no_box():
    ground = shapely.box(0, 0, 30, 30).difference(shapely.box(10, 10, 20, 20))
    assert len(boxes_in(ground, 10).ground) == 8


def test_more_boxes_than_there_are_gives_all_of_them():
    boxes, probability = draw_boxes(boxes_in(shapely.box(0, 0, 20, 20), 10), 9, 1, "a")
    assert len(boxes.ground) == 4
    assert probability.tolist() == [1, 1, 1, 1]


def test_a_box_with_little_ground_is_drawn_the_more_seldom():
    every = boxes_in(shapely.box(0, 0, 41, 10), 10)
    _, probability = draw_boxes(every, 2, 1, "a")
    boxes, _ = draw_boxes(every, 5, 1, "a")
    assert boxes.ground_m2.tolist() == pytest.approx([100, 100, 100, 100, 10])
    chances = {}
    for seed in range(40):
        drawn, probability = draw_boxes(every, 2, seed, "a")
        chances |= dict(zip(drawn.ground_m2.round(6).tolist(), probability.tolist(), strict=True))
    assert chances[100] == pytest.approx(200 / 410)
    assert chances.get(10, 20 / 410) == pytest.approx(20 / 410)


def test_millions_of_boxes_are_refused():
    with pytest.raises(ConfigError, match="larger --box-size-m"):
        boxes_in(shapely.box(0, 0, 3000, 3000), 1)


# --- where an inspector is sent


def crescent():
    """Ground whose middle does not lie on it."""
    return shapely.union_all([box(0, 0, 100, 20), box(0, 0, 20, 100), box(0, 80, 100, 100)])


def test_every_point_of_the_gpx_lies_on_the_released_ground():
    data = published(released(crescent(), id="C", when=EARLY), released(square(300), id="D", when=EARLY))
    back, _ = choose_operation(WGS84, LAOS)
    for plan in (Plan(seed=1, count=2), Plan(seed=1, count=2, boxes=6, box_side_m=30)):
        sample = draw(data, plan)
        root = ET.fromstring(gpx_of(sample))
        tag = "{http://www.topografix.com/GPX/1/1}"
        points = [(float(p.get("lon")), float(p.get("lat"))) for p in root.iter() if p.get("lon")]
        assert len(root.findall(f"{tag}wpt")) == len(root.findall(f"{tag}trk")) == len(sample.spots)
        placed = transform(shapely.points(points), back)
        ground = shapely.union_all([area.own for area in sample.areas])
        # Seven decimals are a centimetre.
        assert shapely.distance(placed, ground).max() < 0.01


def test_the_middle_of_a_crescent_is_moved_onto_it():
    sample = draw(published(released(crescent(), id="C", when=EARLY)), Plan(seed=1, count=1))
    back, _ = choose_operation(WGS84, LAOS)
    middle = transform(shapely.points([sample.spots[0].centre]), back)[0]
    assert sample.areas[0].own.contains(middle)
    assert not sample.areas[0].own.contains(sample.areas[0].own.centroid)


def test_only_ground_of_its_own_is_inspected_not_that_of_an_earlier_record():
    data = published(
        released(square(0), "MAG", "early", when=EARLY), released(square(50), "UXO Lao", "late", when=LATE)
    )
    sample = draw(data, Plan(seed=1, count=2, boxes=50, box_side_m=20))
    inspected = [spot.ground for spot in sample.spots]
    assert sum(ground.area for ground in inspected) == pytest.approx(15_000)
    assert shapely.union_all(inspected).area == pytest.approx(15_000)


def test_an_area_on_which_hazard_was_recorded_later_has_a_warning():
    data = published(
        released(square(0), "MAG", "released", when=EARLY),
        hazard(square(60), "UXO Lao", "found", when=LATE),
        released(square(300), "MAG", "quiet", when=EARLY),
    )
    sample = draw(data, Plan(seed=1, count=2, boxes=99, box_side_m=20))
    warning = {area.columns["source_id"]: area.warning for area in sample.areas}
    assert warning == {"released": "ALARM: hazard on released land (UXO Lao:hazard:found)", "quiet": ""}
    on_it = [spot.ground.area for spot in sample.spots if spot.warning.startswith("THIS BOX LIES ON HAZARD")]
    assert sum(on_it) == pytest.approx(4_000)


def test_hazard_that_was_there_before_the_release_is_no_warning():
    data = published(
        hazard(square(0), "MAG", "before", when=EARLY), released(square(0), "MAG", "released", when=LATE)
    )
    assert [area.warning for area in draw(data, Plan(seed=1, count=1)).areas] == [""]


def test_hazard_is_drawn_above_released_land():
    data = published(
        released(square(0), "MAG", "released", when=EARLY), hazard(square(60), "UXO Lao", "found", when=LATE)
    )
    page = pages_of(draw(data, Plan(seed=1, count=1))).split("<section>")[-1]
    assert page.index('class="own" d') < page.index('class="cha" d')
    assert page.index('class="other" d') < page.index('class="cha" d')


def test_names_from_deliveries_cannot_break_the_papers():
    record = released(square(0), 'A <b> & "c"', "x'\x01<y>&amp;", when=EARLY)
    sample = draw(published(record), Plan(seed=1, count=1))
    root = ET.fromstring(gpx_of(sample))
    assert any('A <b> & "c"' in (node.text or "") for node in root.iter())
    assert "<b>" not in pages_of(sample)


def test_the_record_says_what_anybody_needs_to_draw_again():
    data = published(*apart(6), released(square(5000), id="undated"))
    sample = draw(data, Plan(seed=11, count=2, boxes=2, box_side_m=30, by="Bounmy"))
    record = record_of(sample, {})
    assert record["plan"]["seed"] == 11
    assert record["plan"]["by"] == "Bounmy"
    assert record["population"]["areas"] == 6
    assert [item["reason"] for item in record["excluded"]] == ["no_completion_date"]
    assert [area["probability"] for area in record["areas"]] == pytest.approx([1 / 3] * 2)
    # A hectare is 10,000 m2, and two boxes are drawn in it.
    assert [spot["probability"] for spot in record["spots"]] == pytest.approx(
        [2 * spot["fixed"]["ground_m2"] / 10_000 / 3 for spot in record["spots"]], rel=1e-4
    )
    assert all(len(spot["corners"][0]) == 4 for spot in record["spots"] if spot["fixed"]["ground_m2"] == 900)


def test_another_population_has_another_name():
    asked = Plan(seed=1, count=1)
    names = {sample_id(population(*apart(count)), asked) for count in (3, 4)}
    assert len(names) == 2


def test_an_area_that_is_not_completed_work_is_not_drawn():
    with pytest.raises(ConfigError, match="nothing to draw from"):
        population(area(square(0), "TASK", id="t"))


# --- the interval


@pytest.mark.parametrize(
    ("found", "looked_at", "low", "high"),
    [
        (0, 10, 0.0, 0.3084971),
        (1, 10, 0.0025286, 0.4450161),
        (5, 10, 0.1870860, 0.8129140),
        (10, 10, 0.6915029, 1.0),
        (4, 20, 0.0573340, 0.4366140),
        (0, 59, 0.0, 1 - 0.025 ** (1 / 59)),
    ],
)
def test_the_interval_is_that_of_clopper_and_pearson(found, looked_at, low, high):
    assert clopper_pearson(found, looked_at) == pytest.approx((low, high), abs=1e-6)


def test_where_nothing_was_looked_at_anything_is_possible():
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_a_larger_confidence_is_a_wider_interval():
    narrow, wide = clopper_pearson(3, 40, 0.9), clopper_pearson(3, 40, 0.99)
    assert wide[0] < narrow[0] < 3 / 40 < narrow[1] < wide[1]


def test_where_chances_differ_the_share_is_weighed_by_them():
    spots = [
        {"fixed": {"id": name, "box_side_m": None}, "area_id": name, "stratum": [], "probability": chance}
        for name, chance in (("seldom", 0.1), ("often", 0.5), ("not reached", 0.2))
    ]
    words = {"seldom": "non-conformity", "often": "pass", "not reached": "not accessible"}
    answers = {name: {"result": word, "devices_found": None} for name, word in words.items()}
    summary = summarise({"spots": spots, "strata": [{"stratum": []}]}, answers)
    assert summary["share"] == 0.5
    assert summary["weighted_share"] == pytest.approx(10 / 12)


# --- who is left out


def test_ids_are_named_one_by_one_in_a_file_or_by_an_earlier_sample(tmp_path):
    listed = tmp_path / "seen.txt"
    listed.write_text("A-1\n\n A-2 \n", encoding="utf-8")
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "sample.json").write_text('{"areas": [{"record_id": "MAG:land_release:7"}]}', encoding="utf-8")
    assert named_ids(["A-3", str(listed), str(earlier)]) == ("A-1", "A-2", "A-3", "MAG:land_release:7")
    (earlier / "sample.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        named_ids([str(earlier)])
