"""Records settled in parts around what was in force before end as if they had been settled at once."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import shapely
import shapely.affinity
import shapely.geometry
from conftest import UTM_48N
from settling_fixtures import assert_same, settled_here

from geopipe.config import Config, DeliverySpec
from geopipe.demo import make_demo
from geopipe.policies import load_policy
from geopipe.preparation.kept import Kept
from geopipe.preparation.together import prepare_deliveries
from geopipe.schema import GIVEN_UP, concat, make_frame
from geopipe.settling.executors import Here, executor
from geopipe.settling.whole import settle_in_parts
from geopipe.steps import STEPS_ACROSS, advance

SNAPSHOT, NATIONAL = "MAG_deliveries.gpkg", "imsma.geojson"


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A demo of which one file is a whole register, with an export of the national database, and a past."""
    folder = tmp_path_factory.mktemp("office")
    make_demo(folder / "in", size=500, seed=11)
    export(folder / "in" / "NPA_CHA.geojson", folder / NATIONAL)
    deliveries = (
        DeliverySpec(path=folder / "in" / SNAPSHOT, mode="snapshot"),
        DeliverySpec(path=folder / NATIONAL, role="national_database", mode="snapshot", kind="CHA"),
        DeliverySpec(path=folder / "in", assume_crs=UTM_48N),
    )
    config = Config(deliveries=deliveries, output=folder / "out", confirmations=None)
    prepared = prepare_deliveries(config, Kept(folder / "prepared"))
    state, policy = prepared.state, load_policy(None)
    for stage in ("locate", "check"):
        state = advance(state, stage, config, policy, STEPS_ACROSS)
    return SimpleNamespace(
        config=config, policy=policy, folders=prepared.folders, without_past=state, state=with_past(state)
    )


def export(delivered, path):
    """Write what the national database holds of a delivery: not every record, and some of them redrawn."""
    known = json.loads(delivered.read_text(encoding="utf-8"))
    known["features"] = [item for row, item in enumerate(known["features"]) if row % 5]
    for item in known["features"][::4]:
        ground = shapely.transform(
            shapely.geometry.shape(item["geometry"]), lambda xy: xy + np.array([0.0002, 0.0])
        )
        item["geometry"] = shapely.geometry.mapping(ground)
    path.write_text(json.dumps(known), encoding="utf-8")


def with_past(state):
    """Return a state of which earlier deliveries said otherwise: moved, under other ids, and more of it."""
    own = state.features.take(state.features.flags("role", ["operator"]))
    rows = np.arange(len(own))
    as_now = own.take(rows % 3 == 0)
    moved = earlier(own.take(rows % 3 == 1), "moved", 25.0, same_id=True)
    gone = earlier(own.take(rows % 6 == 2), "gone", 60.0)
    pending = earlier(own.take(rows % 6 == 5), "pending", -60.0)
    export = earlier(as_now.take(as_now.flags("operator", ["MAG"])), "export", 0.0, same_id=True)
    export = export.with_columns({"role": "national_database"})
    decided = gone.take(np.arange(len(gone)) % 2 == 0)
    columns = {"version_id": decided.table["version_id"], "reason": "meeting 3", "stays_hazard": False}
    return replace(
        state,
        previous=concat([as_now, moved, gone, export]),
        carried_before=pending,
        given_up=make_frame(GIVEN_UP, columns, decided.geometry),
    )


def earlier(records, word, east_m, same_id=False):
    """Return records of an earlier delivery: other rows, some way to the east."""
    names = ("row_id", "version_id", "geometry_hash") + (() if same_id else ("record_id", "source_id"))
    own = {
        name: pa.array([value and f"{value}-{word}" for value in records.table[name].to_pylist()])
        for name in names
    }
    moved = shapely.transform(records.geometry, lambda xy: xy + np.array([east_m, 0.0]))
    boxes = zip(("west", "south", "east", "north"), shapely.bounds(moved).T, strict=True)
    own |= {f"box_{side}_m": pa.array(values) for side, values in boxes}
    return records.with_columns(own).with_geometry(moved)


@pytest.fixture(scope="module")
def workers():
    with closing(Here(2)) as processes:
        yield processes


def settled(office, state, workers, folder, most=25_000):
    config = office.config.model_copy(update={"areas_in_a_part": most})
    return settle_in_parts(
        state, office.folders, config, office.policy, workers, Path(folder), lambda _stage: None
    )


@pytest.fixture(scope="module")
def at_once(office):
    return settled_here(office.state, office.folders, office.config, office.policy)


def test_there_is_a_past_of_every_sort(at_once):
    for name in ("earlier", "carried", "changes", "copies", "overlaps", "gaps", "duplicates", "findings"):
        assert len(getattr(at_once, name)) > 0, name
    assert len(at_once.earlier) > len(at_once.carried)
    assert {"same", "differs", "not_in_imsma"} <= set(at_once.copies.values("outcome"))
    told = at_once.findings.values("code")
    assert {"HAZARD_VANISHED", "HAZARD_GIVEN_UP_BY_DECISION", "HAZARD_SHRANK"} <= set(told)
    copied = at_once.earlier.flags("role", ["national_database"])
    assert (
        0
        < at_once.features.flags("row_id", at_once.earlier.take(copied).values("row_id")).sum()
        < copied.sum()
    )
    on_earlier = at_once.overlaps.flags("left_row_id", at_once.earlier.values("row_id"))
    assert on_earlier.any()


@pytest.mark.parametrize("most", [30, 25_000])
def test_parts_of_any_size_give_what_all_records_at_once_give(office, at_once, workers, tmp_path, most):
    assert_same(settled(office, office.state, workers, tmp_path, most), at_once)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("processes", [1, 3])
def test_any_number_of_processes_gives_the_same(office, at_once, tmp_path, processes):
    with closing(Here(processes)) as others:
        assert_same(settled(office, office.state, others, tmp_path, 60), at_once)


def test_copies_alone_give_the_same(office, workers, tmp_path):
    here = settled_here(office.without_past, office.folders, office.config, office.policy)
    assert_same(settled(office, office.without_past, workers, tmp_path, 60), here)


def test_dask_workers_give_the_same(office, at_once, tmp_path):
    with executor("dask-local:2", 2) as cluster:
        assert_same(settled(office, office.state, cluster, tmp_path, 60), at_once)
