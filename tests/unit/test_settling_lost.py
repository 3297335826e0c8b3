"""A record that kills whoever measures it costs itself: the run goes on, and hazard stays on the map."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from dying_parts import CURSED, die_over_cursed
from make import POLICY, config, hazard, make_features, released, square

from geopipe.io.store import write_state
from geopipe.reports.summary import balance
from geopipe.schema import State
from geopipe.settling import divided, executors
from geopipe.settling.executors import Here
from geopipe.settling.whole import settle_in_parts

STAGES = ("deduplicate", "history", "overlaps")
BAD, GOOD = hazard(square(), id="bad"), hazard(square(50), "UXO", "good")
OTHERS = (GOOD, hazard(square(1000), id="keeps"), released(square(1000), "UXO", "released"))


def file(name, *records, mode="snapshot"):
    """A delivery; its row ids tell it from others."""
    state = make_features(*(replace(record, file=name) for record in records))
    (known,) = state.deliveries
    return replace(state, deliveries=(replace(known, mode=mode),))


@pytest.fixture
def office(tmp_path, monkeypatch):
    """Return a function that settles a delivery against a past; some rows kill their worker in a stage."""
    monkeypatch.setattr(divided, "settle", die_over_cursed)
    monkeypatch.setattr(executors, "_TRIES", 1)  # a second try would only take time

    def settled(delivery, stage, *cursed, previous=None, carried=None):
        folder = Path(tmp_path) / "delivery"
        write_state(folder, delivery)
        monkeypatch.setenv(CURSED, " ".join([stage, *cursed]))
        state = replace(
            delivery,
            previous=(previous or State()).features,
            carried_before=(carried or State()).features,
        )
        with closing(Here(1)) as workers:
            return settle_in_parts(state, [folder], config(), POLICY, workers, tmp_path, lambda _stage: None)

    return settled


def row(name, number=1):
    """The row id of a record of a file."""
    return f"{name}::{number:08d}"


def told(state, code="NOT_SETTLED"):
    about = state.findings.take(state.findings.flags("code", [code]))
    return about.table["record_id"].to_pylist()


def on_map(state):
    return sorted(state.features.table["row_id"].to_pylist())


def drawn(state):
    return state.unresolved.table["row_id"].to_pylist()


def returned(state):
    return state.rejected.table["source_id"].to_pylist()


@pytest.mark.parametrize("stage", ["deduplicate", "overlaps"])
def test_without_a_past_it_goes_back_and_is_drawn(office, stage):
    state = office(file("new", BAD, *OTHERS), stage, row("new"))
    assert (returned(state), drawn(state)) == (["bad"], [row("new")])
    assert on_map(state) == [row("new", n) for n in (2, 3, 4)]
    assert told(state) == ["MAG:hazard:bad"]
    assert "NOT_SETTLED" in dict(state.deliveries[0].problems)
    assert len(state.overlaps) == 1


def test_several_that_kill_go_back_and_of_two_that_kill_together_one(office):
    state = office(file("new", BAD, *OTHERS), "overlaps", row("new"), f"{row('new', 3)}+{row('new', 4)}")
    assert len(returned(state)) == 2
    assert returned(state)[0] == "bad"
    assert on_map(state) in ([row("new", 2), row("new", 3)], [row("new", 2), row("new", 4)])


@pytest.mark.parametrize("stage", STAGES)
def test_its_last_good_version_stays_and_nothing_of_its_register_is_called_vanished(office, stage):
    before = file("old", replace(BAD, status="open"), *OTHERS, hazard(square(5000), id="absent"))
    state = office(file("new", BAD, *OTHERS), stage, row("new"), previous=before)
    assert (returned(state), drawn(state)) == (["bad"], [row("new")])
    assert told(state, "LAST_VERSION_KEPT") == told(state) == ["MAG:hazard:bad"]
    assert on_map(state) == [*(row("new", n) for n in (2, 3, 4)), row("old"), row("old", 5)]
    assert state.carried.values("row_id") == [row("old")]
    assert told(state, "HAZARD_VANISHED") == []
    assert balance(state)["kept"] == 3
    sides = (state.overlaps.table[f"{side}_row_id"].to_pylist() for side in ("left", "right"))
    assert {row("old"), row("new", 2)} in [set(pair) for pair in zip(*sides, strict=True)]


@pytest.mark.parametrize("stage", ["history", "overlaps"])
def test_of_an_earlier_and_a_new_record_that_kill_together_the_new_one_goes_back(office, stage):
    before = file("old", BAD, *OTHERS, hazard(square(20), id="gone"))
    state = office(file("new", BAD, *OTHERS), stage, f"{row('old', 5)}+{row('new', 2)}", previous=before)
    assert returned(state) == ["good"]
    assert row("old", 5) in on_map(state)


@pytest.mark.parametrize("stage", ["deduplicate", "history"])
def test_the_same_rows_that_were_in_force_are_not_held_against_themselves(office, stage):
    """The register keeps what a delivery held, also what could not be measured: the next night reads it."""
    again = file("new", BAD, *OTHERS)
    older = file("old", replace(BAD, status="open"))
    state = office(again, stage, row("new"), previous=again, carried=older)
    assert (returned(state), drawn(state)) == (["bad"], [row("new")])
    assert state.carried.values("row_id") == [row("old")]
    assert told(state, "LAST_VERSION_KEPT") == ["MAG:hazard:bad"]


@pytest.mark.parametrize("stage", ["history", "overlaps"])
def test_an_earlier_record_that_kills_is_drawn_and_carried_on(office, stage):
    before = file("old", BAD, *OTHERS)
    state = office(file("new", *OTHERS), stage, row("old"), previous=before)
    assert drawn(state) == [row("old")]
    assert told(state) == ["MAG:hazard:bad"]
    assert returned(state) == []
    assert state.carried.values("row_id") == [row("old")]
    assert on_map(state) == [row("new", n) for n in (1, 2, 3)]
    assert len(state.overlaps) == 1


def test_released_land_of_an_earlier_delivery_that_kills_is_told_only(office):
    before = file("old", *OTHERS, released(square(9000), id="bad"))
    state = office(file("new", *OTHERS), "history", row("old", 4), previous=before)
    assert told(state) == ["MAG:land_release:bad"]
    assert (len(state.carried), drawn(state)) == (0, [])
