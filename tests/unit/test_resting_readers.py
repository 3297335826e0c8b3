"""What tests share must not change what they say: a reader that rests answers as one that was started."""

import os
import signal
import sys
from pathlib import Path

import pytest
from resting_readers import RestingReader

from geopipe.io.readerprocess import ReaderDiedError

OURS, OF_A_TEST = "geopipe.processes:processes", "os:getpid"


@pytest.fixture(autouse=True)
def none_rests(monkeypatch):
    monkeypatch.setattr(RestingReader, "resting", [])
    yield
    RestingReader.end_all()


def pid_after(name):
    """Ask a new reader for something; return its process when it has retired."""
    reader = RestingReader()
    reader.ask(name, (), 60)
    process = reader.process
    reader.retire()
    return process.pid


def test_a_process_that_is_asked_again_works_in_the_folder_of_now(tmp_path, monkeypatch):
    first = pid_after(OURS)
    monkeypatch.chdir(tmp_path)
    reader = RestingReader()
    assert reader.ask("os:getcwd", (), 60) == str(Path.cwd())
    assert reader.process.pid == first
    reader.retire()


def test_a_process_in_which_a_test_was_at_work_is_not_asked_again():
    pid_after(OF_A_TEST)
    assert RestingReader.resting == []


def test_other_variables_ask_for_another_process(monkeypatch):
    first = pid_after(OURS)
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    assert pid_after(OURS) != first


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX are used")
def test_after_a_death_a_process_is_new():
    waiting = pid_after(OURS)
    reader = RestingReader()
    reader.ask(OURS, (), 60)
    assert reader.process.pid == waiting
    os.kill(waiting, signal.SIGKILL)
    with pytest.raises(ReaderDiedError):
        reader.ask(OURS, (), 60)
    other = pid_after(OURS)
    reader.ask(OURS, (), 60)
    assert reader.process.pid not in (waiting, other)
    reader.retire()
