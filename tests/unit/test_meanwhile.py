"""Files for senders are the same whoever writes them, and whatever happens to the process that does."""

import misbehaving_writers
import pytest
from conftest import UTM_48N, hashes
from return_fixtures import CATALOGUE, asked, refused, two_operators

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec
from geopipe.errors import OutputError
from geopipe.io import readerprocess
from geopipe.io.readerprocess import Reader, kept_waiting
from geopipe.reports.returned import files, meanwhile
from geopipe.reports.returned.files import write_returns
from geopipe.reports.returned.kept import KeptReturns
from geopipe.reports.returned.meanwhile import written_meanwhile
from geopipe.reports.returned.returns import collect_returns
from geopipe.running import run_and_keep
from geopipe.settling import executors

RETURNS = collect_returns(refused(asked(two_operators(), 0), 3), CATALOGUE)
NAMES = ["MAG.gpkg", "MAG.xlsx", "NPA.gpkg", "NPA.xlsx"]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The files as they are when this process writes them, and what is kept of them, by name and hash."""
    folder = tmp_path_factory.mktemp("here")
    write_returns(folder / "return", RETURNS, CATALOGUE, kept=KeptReturns(folder / "kept"))
    return hashes(folder / "return"), hashes(folder / "kept")


@pytest.fixture
def waiting():
    """A process that has answered before, and waits."""
    with kept_waiting():
        reader = Reader()
        reader.ask("os:getpid", (), 60)
        process = reader.process
        reader.retire()
        yield process


def refuse(*_arguments, **_more):
    raise AssertionError("this process was to write nothing")


@pytest.fixture
def not_here(monkeypatch):
    """Let this process write no file for a sender."""
    monkeypatch.setattr(meanwhile, "write_returns", refuse)


def written(folder, returns=RETURNS, kept=None, workers=2):
    with written_meanwhile(folder, returns, kept, workers) as files_for_senders:
        return files_for_senders()


@pytest.mark.usefixtures("waiting", "not_here")
def test_another_process_writes_the_same_bytes(here, tmp_path):
    made = written(tmp_path / "return")
    assert [path.relative_to(tmp_path / "return").as_posix() for path in made] == [
        "MAG.xlsx", "MAG.gpkg", "NPA.xlsx", "NPA.gpkg",
    ]  # fmt: skip
    assert hashes(tmp_path / "return") == here[0]


def test_who_has_written_is_ended(waiting, tmp_path):
    written(tmp_path / "return")
    assert waiting.poll() is not None  # what comes after publishing needs the memory


@pytest.mark.usefixtures("waiting", "not_here")
def test_what_another_process_keeps_this_one_copies(here, tmp_path, monkeypatch):
    night = KeptReturns(tmp_path / "kept")
    written(tmp_path / "1", kept=night)
    night.forget_others()
    assert hashes(tmp_path / "kept") == here[1]
    monkeypatch.setattr(files, "write_layers", refuse)
    write_returns(tmp_path / "2", RETURNS, CATALOGUE, kept=KeptReturns(tmp_path / "kept"))
    assert hashes(tmp_path / "2") == here[0]


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("misbehaving", ["dies_half_way", "has_a_fault"])
def test_what_another_process_cannot_do_this_one_does(here, tmp_path, monkeypatch, misbehaving):
    monkeypatch.setattr(meanwhile, "write_for_another", getattr(misbehaving_writers, misbehaving))
    assert sorted(path.name for path in written(tmp_path / "return")) == NAMES
    assert hashes(tmp_path / "return") == here[0]


def test_a_process_that_died_while_it_waited_is_not_missed(here, waiting, tmp_path):
    waiting.kill()
    waiting.wait()
    written(tmp_path / "return")
    assert hashes(tmp_path / "return") == here[0]


@pytest.mark.usefixtures("waiting")
def test_a_disk_that_refuses_is_told_in_the_same_sentence(tmp_path):
    (tmp_path / "return").write_bytes(b"")  # a file where the folder should be
    with pytest.raises(OutputError) as there:
        written(tmp_path / "return")
    with pytest.raises(OutputError) as alone:
        written(tmp_path / "return", workers=1)
    assert str(there.value) == str(alone.value)


def test_a_process_that_is_still_at_work_is_ended_when_the_rest_fails(waiting, tmp_path, monkeypatch):
    monkeypatch.setattr(meanwhile, "write_for_another", misbehaving_writers.never_ends)

    def interrupted():
        with written_meanwhile(tmp_path / "return", RETURNS, None, 2):
            assert waiting.poll() is None
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert waiting.poll() is not None


@pytest.fixture
def no_other(monkeypatch):
    """Let nobody ask another process."""

    def refuse(*_arguments, **_more):
        raise AssertionError("another process is asked")

    monkeypatch.setattr(meanwhile, "Reader", refuse)


@pytest.mark.usefixtures("waiting", "no_other")
def test_with_one_worker_this_process_writes(here, tmp_path):
    written(tmp_path / "return", workers=1)
    assert hashes(tmp_path / "return") == here[0]


@pytest.mark.usefixtures("no_other")
def test_a_process_is_started_for_many_lines_only(here, tmp_path, monkeypatch):
    written(tmp_path / "return")
    assert hashes(tmp_path / "return") == here[0]
    lines = sum(len(back.rows) for back in RETURNS)
    monkeypatch.setattr(meanwhile, "_LINES_WORTH_A_START", lines)
    with pytest.raises(AssertionError, match="another process is asked"):
        written(tmp_path / "again")


@pytest.mark.usefixtures("waiting", "no_other")
def test_where_nothing_goes_back_there_is_no_folder(tmp_path):
    assert written(tmp_path / "return", returns=[]) == []
    assert not (tmp_path / "return").exists()


@pytest.mark.parametrize("make", [pipeline.compare, run_and_keep])
@pytest.mark.usefixtures("not_here")
def test_one_who_settled_records_writes_for_senders(small_demo, tmp_path, monkeypatch, make):
    monkeypatch.setattr(executors, "Reader", Reader)  # none that rests until the next test
    deliveries = (DeliverySpec(path=small_demo / "HALO_areas.kml", assume_crs=UTM_48N),)
    folders = {"output": tmp_path / "out", "workspace": tmp_path / "work"}
    made = make(Config(deliveries=deliveries, workers=2, layers=("findings",), **folders))
    assert [path.name for path in made.outputs[0].parent.glob("return/*.xlsx")] == ["HALO.xlsx"]
    assert readerprocess._WAITING == []
