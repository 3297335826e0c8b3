"""Nothing is corrected unless a person has confirmed it for exactly these records; then it is recorded."""

import datetime as dt

import pytest
import shapely
from make import CONFIG, POLICY, raw_delivery, raw_layer

from geopipe.config import DeliveryOptions, load_vocabulary
from geopipe.errors import ConfigError
from geopipe.io.confirmations import Confirmation, append_confirmation, load_confirmations
from geopipe.stages.deduplicate import deduplicate
from geopipe.stages.ingest import ingest
from geopipe.stages.reproject import reproject
from geopipe.stages.validate import validate

DAY = dt.date(2026, 4, 1)
GOOD = shapely.box(103.30, 19.57, 103.31, 19.58)
SWAPPED = shapely.transform(shapely.box(103.40, 19.57, 103.41, 19.58), lambda points: points[:, ::-1])


def event(**more):
    return Confirmation(**{"correction": "swap_axes", "by": "Bounmy", "on": DAY, **more})


def read(*ground, events=(), crs="EPSG:4326", options=None):
    delivery = raw_delivery("MAG_CHA.gpkg", raw_layer(list(ground), crs))
    told = [(delivery, DeliveryOptions(**(options or {})))]
    state = ingest(told, load_vocabulary(), events(delivery) if callable(events) else events, DAY)
    return reproject(validate(state), CONFIG, POLICY)


def for_row(row, **more):
    return lambda delivery: [event(content_hash=delivery.content_hash, rows=(row,), **more)]


def test_a_confirmed_exchange_of_axes_is_applied_to_the_named_rows_only():
    before, after = read(GOOD, SWAPPED), read(GOOD, SWAPPED, events=for_row(2))
    assert before.features.table["row"].to_pylist() == [1]
    assert after.features.table["row"].to_pylist() == [1, 2]
    assert after.features.table["correction"].to_pylist() == [None, "swap_axes"]
    east, west = after.features.geometry[1].centroid.x, after.features.geometry[0].centroid.x
    assert east - west == pytest.approx(10_470, rel=0.01)


def test_what_was_delivered_stays_beside_the_correction():
    state = read(GOOD, SWAPPED, events=for_row(2))
    delivered = shapely.from_wkb(state.features.table["source_geometry"][1].as_py())
    assert delivered.equals_exact(SWAPPED, 0)
    assert read(GOOD).features.table["version_id"][0] == read(
        GOOD, events=for_row(1, correction="dms")
    ).features.table["version_id"][0]  # fmt: skip


def test_who_confirmed_what_and_when_is_told():
    (delivery,) = read(GOOD, SWAPPED, events=for_row(2, reference="Minutes 3/2026")).deliveries
    (sentence,) = [s for s in delivery.assumptions if "confirmed" in s]
    for part in ("swap_axes for 1 records", "Bounmy", "2026-04-01", "Minutes 3/2026"):
        assert part in sentence


def test_other_bytes_are_another_delivery():
    state = read(GOOD, SWAPPED, events=[event(content_hash="f" * 64)])
    assert state.features.table["row"].to_pylist() == [1]


def test_a_confirmed_zone_is_used_and_the_stated_one_kept():
    utm48 = shapely.box(300_000, 2_164_000, 300_100, 2_164_100)
    state = read(
        utm48, crs="EPSG:32647",
        events=lambda d: [event(content_hash=d.content_hash, correction="crs=EPSG:32648")],
    )  # fmt: skip
    (row,) = state.features.table.to_pylist()
    assert (row["source_crs"], row["crs"]) == ("EPSG:32647", "EPSG:32648")
    expected = read(utm48, crs="EPSG:32648").features.geometry[0]
    assert state.features.geometry[0].equals_exact(expected, 1e-6)


def test_a_confirmation_for_a_profile_ends():
    def for_profile(until):
        return [event(profile="mag", until=until, correction="swap_axes")]

    options = {"profile": "mag"}
    assert len(read(SWAPPED, events=for_profile(DAY), options=options).features) == 1
    assert len(read(SWAPPED, events=for_profile(DAY - dt.timedelta(1)), options=options).features) == 0
    assert len(read(SWAPPED, events=for_profile(DAY), options={"profile": "npa"}).features) == 0


def test_a_corrected_hazard_that_is_refused_is_drawn_where_it_was_confirmed_to_lie():
    line = shapely.Polygon([(19.57, 103.40), (19.58, 103.41), (19.57, 103.40)])
    state = read(line, events=for_row(1))
    assert state.unresolved.table["position"].to_pylist() == ["as stated"]
    assert state.unresolved.geometry[0].bounds == pytest.approx((103.40, 19.57, 103.41, 19.58))


def test_lines_become_areas_only_where_it_is_said():
    line = shapely.LineString([(103.3, 19.5), (103.31, 19.5), (103.31, 19.51), (103.3, 19.51)])
    assert len(read(GOOD, line).features) == 1
    state = read(GOOD, line, options={"lines_are_areas": True})
    assert state.features.table["correction"].to_pylist() == ["line_as_area", "line_as_area"]
    assert len(state.features) == 2
    short = shapely.LineString([(103.3, 19.5), (103.31, 19.5)])
    assert len(read(GOOD, short, options={"lines_are_areas": True}).reference) == 1


def test_events_are_kept_in_order_and_the_last_word_counts(tmp_path):
    path = tmp_path / "confirmations.jsonl"
    assert load_confirmations(path) == ()
    first, second = event(content_hash="a" * 64), event(content_hash="b" * 64, rows=(1, 2))
    for one in (first, second):
        append_confirmation(path, one)
    assert load_confirmations(path) == (first, second)
    append_confirmation(path, first.model_copy(update={"revoked": True, "by": "Somsy"}))
    assert load_confirmations(path) == (second,)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3


def test_a_line_that_was_cut_is_refused_and_does_not_swallow_the_next(tmp_path):
    path = tmp_path / "confirmations.jsonl"
    append_confirmation(path, event(content_hash="a" * 64))
    path.write_text(path.read_text()[:-10], encoding="utf-8")
    append_confirmation(path, event(content_hash="b" * 64))
    assert len(path.read_text().splitlines()) == 2
    with pytest.raises(ConfigError, match="line 1: this line is not a confirmation"):
        load_confirmations(path)


def test_a_correction_that_is_confirmed_twice_is_applied_once():
    def both(delivery):
        return [
            event(content_hash=delivery.content_hash, rows=(1, 2)),
            event(content_hash=delivery.content_hash, rows=(2,)),
            event(profile="generic", until=DAY),
        ]

    state = read(SWAPPED, SWAPPED, events=both)
    assert state.features.table["correction"].to_pylist() == ["swap_axes", "swap_axes"]
    assert len(state.features) == 2


def test_a_record_that_cannot_be_corrected_is_told_and_not_called_corrected():
    box = shapely.box(103.4530, 19.4530, 103.4540, 19.4540)
    sixty = shapely.box(103.4580, 19.4530, 103.4590, 19.4540)
    state = read(box, sixty, events=lambda d: [event(content_hash=d.content_hash, correction="dms")])
    assert state.features.table["correction"].to_pylist() == ["dms", None]
    told = [f for f in state.findings.table.to_pylist() if f["code"] == "CORRECTION_REFUSED"]
    assert [f["row"] for f in told] == [2]


def test_a_confirmation_that_has_ended_is_told():
    ended = [event(profile="mag", until=DAY - dt.timedelta(1))]
    state = read(SWAPPED, events=ended, options={"profile": "mag"})
    (told,) = [f for f in state.findings.table.to_pylist() if f["code"] == "CONFIRMATION_ENDED"]
    assert "until 2026-03-31" in told["sentence"]


def test_the_same_bytes_at_two_places_are_two_statements():
    first, second = (raw_delivery(f"MAG_{n}.gpkg", raw_layer([SWAPPED], hazard_id=["H-1"])) for n in (1, 2))
    events = [event(content_hash=second.content_hash)]
    told = [(one, DeliveryOptions(kind="CHA")) for one in (first, second)]
    state = reproject(validate(ingest(told, load_vocabulary(), events, DAY)), CONFIG, POLICY)
    assert len(deduplicate(state, POLICY).duplicates) == 0
