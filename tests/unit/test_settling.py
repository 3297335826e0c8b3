"""Records settled in parts, by any number of workers, end as if they had been settled at once."""

import os
import signal
import sys
import tracemalloc
from contextlib import closing, nullcontext
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pytest
import shapely
from conftest import UTM_48N
from make import POLICY, config, hazard, make_features, square
from settling_fixtures import assert_same, ran, ran_at_once

from geopipe import pipeline
from geopipe.arrowfile import read_arrow_file
from geopipe.config import Config, DeliverySpec
from geopipe.demo import make_demo
from geopipe.engine.divide import divide
from geopipe.engine.known import renew
from geopipe.errors import ConfigError, MemoryShortError
from geopipe.io.memory import limit_own_time
from geopipe.io.store import write_state
from geopipe.settling import divided, executors
from geopipe.settling.executors import Here, executor
from geopipe.settling.part import settle
from geopipe.settling.whole import settle_in_parts

# --- how records are divided ------------------------------------------------------------------------


def boxes(*corners, side=10.0):
    return np.array([[x, y, x + side, y + side] for x, y in corners], dtype=float)


def alone(size):
    return [np.arange(size)]


def parts(found):
    return sorted(part.tolist() for part in found)


def test_records_that_come_near_stay_in_one_part():
    found = divide(boxes((0, 0), (11, 0), (5000, 0)), 2.0, alone(3), most=1)
    assert parts(found) == [[0, 1], [2]]


def test_records_farther_apart_than_near_need_not():
    assert parts(divide(boxes((0, 0), (12.5, 0)), 2.0, alone(2), most=1)) == [[0], [1]]


def test_a_chain_of_neighbours_is_one_part_however_long():
    row = boxes(*((9.0 * n, 9.0 * n) for n in range(50)))
    assert parts(divide(row, 2.0, alone(50), most=5)) == [list(range(50))]


def test_versions_of_one_record_stay_together_wherever_they_lie():
    numbers = np.array([7, 3, 7, -1, -1])
    found = divide(boxes((0, 0), (500, 0), (90_000, 0), (200, 0), (300, 0)), 2.0, [numbers], most=1)
    assert parts(found) == [[0, 2], [1], [3], [4]]


def test_small_parts_are_put_together_up_to_the_most():
    scattered = boxes(*((1000.0 * n, 0) for n in range(10)))
    assert [len(part) for part in divide(scattered, 2.0, alone(10), most=4)] == [4, 4, 2]


def test_every_record_is_in_exactly_one_part():
    random = np.random.default_rng(3)
    some = boxes(*random.uniform(-40_000, 40_000, (3000, 2)), side=150.0)
    numbers = random.integers(-1, 2000, 3000)
    found = divide(some, 2.0, [numbers], most=100)
    assert sorted(np.concatenate(found).tolist()) == list(range(3000))
    part_of = np.empty(3000, dtype=int)
    for number, rows in enumerate(found):
        part_of[rows] = number
        assert (np.diff(rows) > 0).all()
    grown = shapely.box(*(some + np.array([-1, -1, 1, 1])).T)
    left, right = shapely.STRtree(grown).query(grown, predicate="intersects")
    assert (part_of[left] == part_of[right]).all()
    for number in range(2000):
        assert len(set(part_of[numbers == number])) <= 1
    assert len(found) > 10


def test_nothing_is_divided_into_nothing():
    assert divide(np.empty((0, 4)), 2.0, [np.empty(0, dtype=int)], most=5) == []


def test_very_many_records_on_one_place_are_one_part_and_need_little_memory():
    stack = np.concatenate([np.repeat(boxes((0, 0)), 5000, axis=0), boxes((11, 0), (5000, 0))])
    tracemalloc.start()
    found = divide(stack, 2.0, alone(5002), most=1)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [len(part) for part in found] == [5001, 1]
    assert peak_bytes < 20e6  # their pairs would take 200 MB


# --- the same result --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    make_demo(folder, size=900, seed=11)
    return folder


@pytest.fixture(scope="module")
def at_once(demo, tmp_path_factory):
    return ran_at_once(demo, tmp_path_factory.mktemp("out"))


def test_there_is_something_of_everything(at_once):
    for name in ("features", "reference", "duplicates", "overlaps", "remaining", "findings", "coverage"):
        assert len(getattr(at_once, name)) > 0, name


@pytest.mark.parametrize("most", [20, 100_000])
def test_parts_of_any_size_give_what_all_records_at_once_give(demo, at_once, tmp_path, most):
    assert_same(ran(demo, tmp_path, areas_in_a_part=most), at_once)


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_processes_gives_the_same(demo, at_once, tmp_path, workers):
    assert_same(ran(demo, tmp_path, areas_in_a_part=100, workers=workers), at_once)


def test_places_that_were_taken_back_since_preparing_are_not_in_the_parts(demo, tmp_path, monkeypatch):
    # Where most records lie in another country, places are dropped again after the deliveries are prepared.
    monkeypatch.setattr("geopipe.stages.locate._LEAST_INSIDE", 2.0)
    parts = ran(demo, tmp_path, areas_in_a_part=100)
    assert_same(parts, ran_at_once(demo, tmp_path))


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A small demo, and what its records become in one go."""
    folder = tmp_path_factory.mktemp("few")
    make_demo(folder, size=150, seed=11)
    return folder, ran_at_once(folder, tmp_path_factory.mktemp("out"))


def poison(folder):
    """Write into all pairs that a run has kept what none of them measures: that they are 77 m wide."""
    renew(folder)
    for path in list(folder.glob("*.arrow")):
        table = read_arrow_file(path)
        at = table.schema.get_field_index("width_m")
        table = table.set_column(at, table.schema.field(at), pa.array(np.full(len(table), 77.0)))
        path.unlink()
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        path.rename(folder / f"{crc32(path.read_bytes()):08x}-{path.stem.partition('-')[2]}.arrow")


def test_workers_know_the_pairs_of_earlier_runs_and_keep_them(few, tmp_path):
    demo, at_once = few
    told = {"known_pairs": tmp_path / "pairs", "areas_in_a_part": 40}
    assert_same(ran(demo, tmp_path, **told), at_once)
    poison(tmp_path / "pairs")
    for _ in range(2):
        again = ran(demo, tmp_path, **told)
        renew(tmp_path / "pairs")
        assert len(again.overlaps) == len(at_once.overlaps)
        assert again.overlaps.values("confidence") == at_once.overlaps.values("confidence")
        assert set(again.overlaps.table["width_m"].to_pylist()) == {77.0}


# --- workers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dask-local", "dask-local:0", "dask://", "dask://host", "ssh:4", ""])
def test_an_executor_that_does_not_exist_is_refused(name):
    with pytest.raises(ConfigError, match="executor"), executor(name, 2):
        pass


def test_a_cluster_that_does_not_answer_is_refused(monkeypatch):
    monkeypatch.setattr(executors, "_ANSWERS_WITHIN_S", 1)
    with pytest.raises(ConfigError, match="no scheduler answers"), executor("dask://127.0.0.1:9", 2):
        pass


def die_once(part):
    """Settle a part; the worker that gets the third one first is killed over it."""
    mark = Path(part.result).parent.parent / "died"
    if part.result.endswith("2") and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return settle(part)


@pytest.fixture(scope="module")
def two_workers():
    with executor("dask-local:2", 2) as workers:
        yield workers


def test_dask_workers_give_the_same(demo, at_once, tmp_path, two_workers, monkeypatch):
    monkeypatch.setattr(pipeline, "executor", lambda *_: nullcontext(two_workers))
    assert_same(ran(demo, tmp_path, areas_in_a_part=100, executor="dask-local:2"), at_once)
    assert list(tmp_path.iterdir()) == []


def test_a_dask_worker_that_is_lost_midway_costs_nothing_but_time(
    demo, at_once, tmp_path, two_workers, monkeypatch
):
    monkeypatch.setattr(pipeline, "executor", lambda *_: nullcontext(two_workers))
    monkeypatch.setattr(divided, "settle", die_once)
    kept = pipeline.Kept(tmp_path / "prepared")
    spec = DeliverySpec(path=demo, assume_crs=UTM_48N)
    config = Config(deliveries=(spec,), output=tmp_path, confirmations=None, areas_in_a_part=100,
                    executor="dask-local:2")  # fmt: skip
    assert_same(pipeline.run(config, kept=kept), at_once)


def test_what_was_limited_for_a_file_is_lifted_for_settling(tmp_path):
    resource = pytest.importorskip("resource")
    own = resource.getrlimit(resource.RLIMIT_CPU)
    state = make_features(hazard(square()))
    write_state(tmp_path / "in", state)
    with closing(Here(1)) as workers:
        list(workers.map(limit_own_time, [3600.0]))
        assert list(workers.map(resource.getrlimit, [resource.RLIMIT_CPU])) != [own]
        settle_in_parts(state, [tmp_path / "in"], config(), POLICY, workers, tmp_path, lambda _stage: None)
        assert list(workers.map(resource.getrlimit, [resource.RLIMIT_CPU])) == [own]


def double(number):
    return 2 * number


def die_over_one(number):
    if number == 1:
        os._exit(9)
    return number


def test_processes_of_this_machine_give_results_in_order():
    with closing(Here(3)) as workers:
        assert list(workers.map(double, range(20))) == [2 * number for number in range(20)]
        assert list(workers.map(double, [])) == []


def test_an_item_that_kills_every_process_costs_only_itself():
    with closing(Here(2)) as workers:
        assert list(workers.map(die_over_one, range(5))) == [0, executors.LOST, 2, 3, 4]


def is_killed(number):
    os.kill(os.getpid(), signal.SIGKILL)


def finds_no_memory(number):
    raise MemoryError


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("function", [is_killed, finds_no_memory])
def test_too_little_memory_is_no_fault_of_a_record(function):
    with closing(Here(1)) as workers, pytest.raises(MemoryShortError, match="for want of memory") as told:
        workers.map(function, [1])
    assert told.value.exit_code == 2
    assert "workers: 1" in told.value.remedy
