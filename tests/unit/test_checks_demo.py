"""No clean record is questioned: on demos with known truth the checks fire only where a fault was planted."""

import datetime as dt

import pytest
from checks_fixtures import TODAY
from make import POLICY

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec, load_vocabulary
from geopipe.stages.check import check
from geopipe.steps import STEPS

# About layers, not records: columns that the demo's senders do not have.
ABOUT_LAYERS = {"FIELD_WANTED"}


def faulty(truth):
    """(file, layer, row) of every record with a planted fault; rows count from 1."""
    planted = [*truth["invalid_rings"], *truth["rejected"], *truth["duplicates"], *truth["superseded"]]
    return {(item["file"], item["row"] + 1) for item in planted}


@pytest.mark.parametrize(("size", "seed"), [(600, 7), (1200, 42), (2000, 2026)])
def test_only_planted_faults_are_questioned(demo_of, size, seed):
    folder, truth = demo_of(size, seed)
    config = Config(deliveries=(DeliverySpec(path=folder, assume_crs="EPSG:32648"),), today=TODAY)
    state = pipeline.read(config)
    for stage in ("validate", "reproject"):
        state = pipeline.advance(state, stage, config, POLICY)
    before = len(state.findings)
    rows = check(state, POLICY, load_vocabulary(), TODAY).findings.table.to_pylist()[before:]
    about_records = [row for row in rows if row["code"] not in ABOUT_LAYERS]
    assert {(row["file"], row["row"]) for row in about_records} <= faulty(truth)
    spikes = {(e["file"], e["row"] + 1) for e in truth["invalid_rings"] if e["fault"] == "spike"}
    assert {(row["file"], row["row"]) for row in rows if row["code"] == "SPIKE"} == spikes
    assert all(row["severity"] == "note" for row in rows if row["code"] in ABOUT_LAYERS)


def test_the_day_of_the_run_is_said_and_not_taken_from_the_clock(demo_of):
    """The same input on the same day gives the same findings; an earlier day finds the future."""
    folder, _ = demo_of(600, 7)
    early = Config(deliveries=(DeliverySpec(path=folder),), today=dt.date(2020, 1, 1))
    state = pipeline.read(early)
    for stage in ("validate", "reproject"):
        state = pipeline.advance(state, stage, early, POLICY)
    once, twice = (STEPS["check"](state, early, POLICY).findings for _ in range(2))
    assert once.table.whole().equals(twice.table.whole())
    assert "DATE_IN_FUTURE" in once.values("code")
