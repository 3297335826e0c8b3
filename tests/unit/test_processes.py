"""A process of geopipe's own starts without the libraries that nothing in it needs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from geopipe.io import readerprocess
from geopipe.io.environment import gdal_environment
from geopipe.io.memory import own_bytes
from geopipe.io.readerprocess import Reader, ReaderDiedError, kept_waiting

READ = """
import sys
from geopipe.processes import leave_out_data_frames
leave_out_data_frames()
import pyarrow as pa
import pyogrio
assert pa.array([1, None]).null_count == 1
print(sorted({"pandas", "geopandas"} & set(sys.modules)), pyogrio.raw.read_arrow is not None)
"""


def test_a_reader_process_loads_no_data_frames():
    done = subprocess.run(
        [sys.executable, "-c", READ],
        env=gdal_environment(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["[]", "True"], done.stderr


def test_a_reader_process_has_no_threads_for_equations():
    assert gdal_environment({"OPENBLAS_NUM_THREADS": "8"})["OPENBLAS_NUM_THREADS"] == "1"


def test_libraries_share_one_store_of_memory():
    reader = Reader()
    backend = "__import__('pyarrow').default_memory_pool().backend_name"
    assert reader.ask("builtins:eval", (backend,), 60) == "system"
    reader.close()


# Many arrays come and go, and the last one, behind them all, stays.
MANY_ARRAYS = """
setattr(__import__('sys'), 'stays', [__import__('pyarrow').nulls(4096, 'int64') for _ in range(5000)].pop())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process holds of its own")
def test_a_process_gives_back_the_memory_that_an_answer_needed():
    reader = Reader()
    reader.ask(WHO, (), 60)
    before_bytes = own_bytes(reader.process)
    reader.ask("builtins:eval", (MANY_ARRAYS.strip(),), 60)
    more_bytes = own_bytes(reader.process) - before_bytes
    reader.close()
    assert more_bytes < 80e6  # the arrays took 164 MB


KILLED_AT_WORK = """
import os, signal
from geopipe.io.readerprocess import Reader
reader = Reader()
print(reader.ask("os:getpid", (), 60), flush=True)
reader.begin("time:sleep", (600,), 60)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says of another's child if it is at work")
def test_a_process_ends_with_the_one_that_asked_it():
    done = subprocess.run([sys.executable, "-c", KILLED_AT_WORK], capture_output=True, text=True, check=False)
    status = Path(f"/proc/{int(done.stdout)}/stat")
    late = time.monotonic() + 60  # it would sleep for ten minutes
    while is_at_work(status) and time.monotonic() < late:
        time.sleep(0.05)
    assert done.returncode == -signal.SIGKILL
    assert not is_at_work(status)


def is_at_work(status):
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


WHO = "os:getpid"


def test_a_process_that_has_read_files_waits_for_who_takes_it_over():
    with kept_waiting():
        reader, other, worker = Reader(), Reader(), Reader(takes_over=True)
        process = reader.ask(WHO, (), 60)
        reader.retire()
        assert other.ask(WHO, (), 60) != process
        assert worker.ask(WHO, (), 60) == process
        with pytest.raises(ReaderDiedError):
            worker.ask("os:_exit", (1,), 60)
        other.retire()  # waits as well, but after a death only a new process proves anything
        assert worker.ask(WHO, (), 60) not in (process, readerprocess._WAITING[0][1].pid)
        ((_, waiting),) = readerprocess._WAITING
        worker.retire()
    assert waiting.poll() is not None
    assert readerprocess._WAITING == []


def retired():
    """A process that has answered, and whose reader needs it no longer."""
    reader = Reader()
    reader.ask(WHO, (), 60)
    process = reader.process
    reader.retire()
    return process


def test_a_process_that_nobody_keeps_is_ended():
    assert retired().poll() is not None


def test_a_process_that_has_grown_is_ended(monkeypatch):
    monkeypatch.setattr(readerprocess, "_MOST_WAITING_BYTES", 0)
    with kept_waiting():
        assert retired().poll() is not None


def test_the_smallest_process_waits_for_what_comes_later(monkeypatch):
    sizes = {}
    monkeypatch.setattr(readerprocess, "own_bytes", lambda process: sizes.get(process.pid, 0))
    with kept_waiting(for_later=1):
        with kept_waiting():
            readers = [Reader() for _ in range(3)]
            sizes.update(zip([reader.ask(WHO, (), 60) for reader in readers], (2, 1, 3), strict=True))
            processes = [reader.process for reader in readers]
            for reader in readers:
                reader.retire()
        assert [process.poll() is None for process in processes] == [False, True, False]
        later = Reader(takes_over=True)
        assert sizes[later.ask(WHO, (), 60)] == 1
        later.retire()
    assert processes[1].poll() is not None


def test_a_process_answers_later_what_was_begun():
    reader = Reader()
    with pytest.raises(ReaderDiedError):
        reader.answer(60)  # nothing was begun
    reader.begin(WHO, (), 60)
    assert reader.answer(60) == reader.process.pid
    reader.begin("time:sleep", (600,), 60)
    process = reader.process
    with kept_waiting():
        reader.retire()
        assert process.poll() is not None  # what is at work does not wait for others
