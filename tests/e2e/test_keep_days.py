"""Which runs by hand stay: all of them, or those that `keep_days` lets stay."""

import datetime as dt
import shutil

import pytest
from conftest import call, square, write_geojson

from geopipe.config import load_config
from geopipe.io.store import hold
from geopipe.nightly.retention import prune_after_run
from geopipe.pipeline import silent
from geopipe.register.register import Register
from geopipe.running import run_held

NOW = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
LATER = NOW + dt.timedelta(days=30)


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory):
    """Return a folder in which three runs were made by hand, and their names."""
    root = tmp_path_factory.mktemp("by_hand")
    (root / "run.yaml").write_text("deliveries: [{path: a.geojson, kind: cha}]\nkeep_days: 20\n", "utf-8")
    names = []
    for count in (1, 2, 3):
        records = [({"hazard_id": f"h{n}"}, square(east_by=n / 100)) for n in range(count)]
        write_geojson(root / "a.geojson", records)
        config = load_config(root / "run.yaml")
        with hold(config.workspace):  # what came first is known by the second
            made = run_held(config, silent, NOW + dt.timedelta(minutes=count))
        names.append(made.outputs[0].parent.name)
    return root, names


@pytest.fixture
def by_hand(three_runs, tmp_path):
    shutil.copytree(three_runs[0], tmp_path / "copy")
    return tmp_path / "copy", three_runs[1]


def left(root):
    runs = {path.name for path in (root / "out" / "runs").iterdir()}
    return runs, {path.stem for path in (root / "work" / "configs").iterdir()}


def test_a_run_that_was_replaced_longer_ago_goes_with_its_configuration(by_hand):
    root, names = by_hand
    removed = prune_after_run(load_config(root / "run.yaml"), LATER)
    assert sorted(removed.runs) == sorted(removed.configs) == sorted(names[:2])
    assert left(root) == ({names[2]}, {names[2]})


def test_what_people_had_before_them_when_they_decided_stays(by_hand):
    root, names = by_hand
    with Register.existing(root / "work") as register:
        (at,) = register.ask("SELECT started_at FROM runs ORDER BY number")[0]
        register.insert("papers", "p", "TWG 1", None, "", "", "", None, "Bounmy", at)
    prune_after_run(load_config(root / "run.yaml"), LATER)
    runs, configs = left(root)
    assert runs == configs
    assert {names[0], names[2]} <= runs


def test_nothing_goes_before_its_time_nor_where_nobody_asked_for_it(by_hand):
    root, names = by_hand
    assert call("run", root / "run.yaml", "--quiet").code == 0
    assert left(root) == (set(names), set(names))
    asked = load_config(root / "run.yaml")
    assert prune_after_run(asked.model_copy(update={"keep_days": None}), LATER).runs == ()
    assert left(root) == (set(names), set(names))


def test_a_run_by_hand_removes_what_is_old(by_hand, monkeypatch):
    root, names = by_hand
    monkeypatch.setattr(
        "geopipe.nightly.retention.old_runs", lambda there, *_: sorted({names[0]} & set(there))
    )
    done = call("run", root / "run.yaml")
    assert "old runs removed (keep_days): 1" in done.err
    assert left(root) == (set(names[1:]), set(names[1:]))
