"""Locating and checking deliveries one by one, and then across, tells what looking at all at once tells."""

import datetime as dt
from collections import Counter
from dataclasses import replace

import shapely
from checks_fixtures import TODAY, good
from make import POLICY, area, codes, findings, make_features, placed, polygon, square

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec, load_vocabulary
from geopipe.location.places import load_places
from geopipe.policies import load_policy
from geopipe.preparation.kept import Kept
from geopipe.preparation.together import prepare_deliveries
from geopipe.schema import joined
from geopipe.stages import check, locate
from geopipe.steps import STEPS_ACROSS, advance

VOCABULARY = load_vocabulary()
IN_LAOS, ABROAD = (103.30, 19.57), (17.50, 44.50)


def test_reader_processes_and_the_steps_across_tell_what_the_single_stages_tell(demo_of, tmp_path):
    """Both ways through the house, up to `check`, on a demo with every sort of delivery."""
    folder, _ = demo_of(600, 7)
    config = Config(deliveries=(DeliverySpec(path=folder),), today=TODAY)
    at_once, one_by_one = pipeline.read(config), prepare_deliveries(config, Kept(tmp_path)).state
    for stage in ("validate", "reproject", "locate", "check"):
        at_once = advance(at_once, stage, config, POLICY)
    for stage in ("locate", "check"):
        one_by_one = advance(one_by_one, stage, config, POLICY, STEPS_ACROSS)
    assert told(one_by_one) == told(at_once)
    assert one_by_one.features.table.to_pylist() == at_once.features.table.to_pylist()


def told(state):
    return Counter(map(repr, state.findings.table.to_pylist()))


def checked(*states):
    """Each delivery by itself, then all of them together."""
    done = joined([check.of_delivery(state, POLICY, VOCABULARY) for state in states])
    return check.across(done, POLICY, VOCABULARY, TODAY)


def delivery(name, *records, **more):
    return make_features(*(replace(record, file=name) for record in records), **more)


def seen(state, code):
    return [(row["file"], row["source_id"]) for row in findings(state, code)]


BENT = ((0, 0), (170, 20), (150, 90), (60, 70), (40, 130), (0, 110))


def bent(east):
    return polygon(*((x + east, y) for x, y in BENT))


def test_a_shape_is_reused_in_another_delivery():
    first, second = (delivery(f"{n}.gpkg", good(bent(n * 5_000), id=f"H-{n}")) for n in (1, 2))
    assert seen(checked(first), "SHAPE_REUSED") == seen(checked(second), "SHAPE_REUSED") == []
    assert seen(checked(first, second), "SHAPE_REUSED") == [("2.gpkg", "H-2")]


def test_an_id_is_spelled_otherwise_in_another_delivery():
    first = delivery("1.gpkg", good(square(), id="H-1"))
    second = delivery("2.gpkg", good(square(500), id="h -1"))
    assert seen(checked(first, second), "ID_SPELLED_DIFFERENTLY") == [("2.gpkg", "h -1")]


def test_a_small_polygon_is_repeated_in_another_delivery():
    first = delivery("1.gpkg", good(square(side=0.5), id="H-1"))
    second = delivery("2.gpkg", good(square(0.04, side=0.5), id="H-2"))
    assert seen(checked(first, second), "DUPLICATE_POLYGON") == [("2.gpkg", "H-2")]


def test_what_is_usual_is_what_all_deliveries_of_an_operator_say():
    usual = [good(square(n * 200), id=f"H-{n}") for n in range(200)]
    large = delivery("2.gpkg", good(square(0, 5_000, side=3_000), id="H-large"))
    assert seen(checked(large), "AREA_IMPLAUSIBLE") == []
    assert seen(checked(delivery("1.gpkg", *usual), large), "AREA_IMPLAUSIBLE") == [("2.gpkg", "H-large")]


def test_the_day_of_the_run_counts_for_a_delivery_that_was_checked_before():
    day = dt.date(2024, 5, 1)
    done = check.of_delivery(delivery("1.gpkg", good(surveyed=day)), POLICY, VOCABULARY)
    before, after = (check.across(done, POLICY, VOCABULARY, day + dt.timedelta(days)) for days in (-30, 30))
    assert ("DATE_IN_FUTURE" in codes(before), "DATE_IN_FUTURE" in codes(after)) == (True, False)


def located(place, records, **more):
    """One delivery, located by itself."""
    lon, lat = place
    ground = [shapely.box(lon, lat + n / 100, lon + 0.001, lat + n / 100 + 0.001) for n in range(records)]
    state = placed(*(area(one, **more) for one in ground))
    return locate.of_delivery(state, load_places(), load_policy())


def test_a_delivery_from_abroad_is_told_of_among_many_from_the_country():
    state = locate.across(joined([located(IN_LAOS, 3), located(ABROAD, 2)]))
    assert codes(state) == ["OUTSIDE_COUNTRY"] * 2
    assert state.features.table["province_code"].null_count == 2


def test_a_delivery_from_the_country_is_not_judged_among_many_from_abroad():
    state = locate.across(joined([located(IN_LAOS, 2, province="Attapeu"), located(ABROAD, 3)]))
    assert codes(state) == []
    for name in ("province_code", "province_located", "district_located"):
        assert state.features.table[name].null_count == 5
