"""A delivery is prepared once, in a process of its own; it is found again while nothing about it changes."""

import datetime as dt
import errno
import shutil
from dataclasses import replace

import misbehaving_readers
import pytest
import shapely
from conftest import hashes, square, write_geojson
from reading_fixtures import SHARED

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec, PlacesSpec
from geopipe.errors import ConfigError, OutputError, SourceError
from geopipe.io import readerprocess, vector
from geopipe.io.confirmations import Confirmation, append_confirmation
from geopipe.io.contents import content_hash
from geopipe.io.store import read_state
from geopipe.preparation import kept as keeping
from geopipe.preparation import together
from geopipe.preparation.kept import Kept, key_of
from geopipe.preparation.together import jobs_of, prepare_deliveries
from geopipe.settings import shipped

TODAY = dt.date(2026, 5, 4)
FIXTURES = misbehaving_readers.__name__


@pytest.fixture
def inbox(tmp_path):
    """Two deliveries of two operators."""
    write_geojson(tmp_path / "in" / "MAG_CHA.geojson", [({"id": "M-1"}, square())])
    write_geojson(tmp_path / "in" / "NPA_CHA.geojson", [({"id": "N-1"}, square(east_by=0.001))])
    return tmp_path / "in"


@pytest.fixture
def asked(monkeypatch):
    """The names of the files that readers were asked for; one reader process answers in all tests."""
    names = []

    def ask(function, requests, workdir, _workers, limits):
        for request in requests:
            names.append(request.source.path.name)
            yield vector._ask_one(function, request, workdir, SHARED, limits)

    monkeypatch.setattr(together, "ask_readers", ask)
    return names


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path / "kept")


def config_of(inbox, *, known=None, **more):
    told = {"today": TODAY, "confirmations": inbox.with_name("confirmations.jsonl"), **more}
    return Config(deliveries=(DeliverySpec(path=inbox, **(known or {})),), **told)


def prepared(config, kept):
    return prepare_deliveries(config, kept).state


def shown(state):
    """Everything that is known of the records, in their order."""
    frames = (state.features, state.reference, state.findings, state.rejected, state.unresolved)
    return [(frame.table.to_pylist(), shapely.to_wkb(frame.geometry).tolist()) for frame in frames]


def problems(state):
    return {item.file: [code for code, _ in item.problems] for item in state.deliveries}


# --- found again ----------------------------------------------------------------------------------


def test_a_delivery_is_prepared_once_and_found_again_by_its_bytes(inbox, asked, kept):
    first = prepared(config_of(inbox), kept)
    assert sorted(asked) == ["MAG_CHA.geojson", "NPA_CHA.geojson"]
    again = prepared(config_of(inbox), Kept(kept.folder))
    assert len(asked) == 2
    assert shown(again) == shown(first)
    assert (again.deliveries, again.working_crs) == (first.deliveries, first.working_crs)


def test_a_copy_of_an_inbox_elsewhere_is_not_read_again(inbox, asked, kept, tmp_path):
    first = prepared(config_of(inbox), kept)
    shutil.copytree(inbox, tmp_path / "elsewhere" / "in")
    (inbox / "MAG_CHA.geojson").touch()
    again = prepared(config_of(tmp_path / "elsewhere" / "in"), kept)
    assert len(asked) == 2
    assert shown(again) == shown(first)


def test_only_the_changed_file_is_read(inbox, asked, kept):
    prepared(config_of(inbox), kept)
    write_geojson(inbox / "NPA_CHA.geojson", [({"id": "N-1"}, square(east_by=0.0015))])
    state = prepared(config_of(inbox), kept)
    assert asked[2:] == ["NPA_CHA.geojson"]
    assert shown(state) == shown(prepared(config_of(inbox), Kept(inbox.with_name("fresh"))))


def renamed(inbox):
    (inbox / "MAG_CHA.geojson").rename(inbox / "MAG_SHA.geojson")
    return {}


def edited_policy(inbox):
    text = shipped("policies/default.yaml").read_text(encoding="utf-8")
    path = inbox.with_name("own.yaml")
    path.write_text(text.replace("near_border_m: 2000", "near_border_m: 2001"), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text
    return {"policy": path}


def own_places(inbox):
    path = write_geojson(
        inbox.with_name("provinces.json"), [({"code": "1", "name": "Khammouan"}, square(104, 17, 2))]
    )
    return {"places": PlacesSpec(file=path)}


def confirmed(inbox):
    event = {
        "content_hash": content_hash(next(iter(jobs_of(config_of(inbox)))).source),
        "correction": "swap_axes",
        "by": "Bounmy",
        "on": TODAY,
    }
    append_confirmation(inbox.with_name("confirmations.jsonl"), Confirmation(**event))
    return {}


CHANGES = {
    "name": renamed,
    "options": lambda _: {"known": {"kind": "sha"}},
    "profile": lambda _: {"known": {"profile": "mag"}},
    "policy": edited_policy,
    "places": own_places,
    "confirmation": confirmed,
    "working CRS": lambda _: {"working_crs": "EPSG:6933"},
    "area of interest": lambda _: {"area_of_interest": (100, 13, 108, 23)},
    "what is looked for": lambda _: {"layers": ("overlaps",)},
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_told_otherwise_is_read_again(inbox, asked, kept, what):
    (inbox / "NPA_CHA.geojson").unlink()
    prepared(config_of(inbox), kept)
    prepared(config_of(inbox, **CHANGES[what](inbox)), kept)
    assert len(asked) == 2


@pytest.mark.parametrize("name", ["content_hash", "file", "delivery_key"])
def test_content_and_both_names_of_a_delivery_count_each_by_itself(inbox, name):
    (job, _) = jobs_of(config_of(inbox))
    assert key_of(replace(job.task, **{name: "another"})) != key_of(job.task)


def test_other_code_reads_again(inbox, asked, kept, monkeypatch):
    prepared(config_of(inbox), kept)
    monkeypatch.setattr(keeping, "code_stamp", lambda: "another version")
    prepared(config_of(inbox), kept)
    assert len(asked) == 4


def test_places_that_were_redrawn_in_their_file_count(inbox):
    config = config_of(inbox, **own_places(inbox))
    before = key_of(jobs_of(config)[0].task)
    write_geojson(config.places.file, [({"code": "1", "name": "Khammouan"}, square(104, 17, 3))])
    assert key_of(jobs_of(config)[0].task) != before


def test_places_that_are_not_there_are_an_error_of_configuration(inbox, asked, kept):
    config = config_of(inbox, places=PlacesSpec(file=inbox.with_name("nowhere.json")))
    with pytest.raises(ConfigError, match="nowhere"):
        prepared(config, kept)


def test_how_many_files_are_read_side_by_side_changes_nothing(inbox, asked, kept):
    prepared(config_of(inbox), kept)
    prepared(config_of(inbox, workers=5, output=inbox.with_name("out")), kept)
    assert len(asked) == 2


# --- the day --------------------------------------------------------------------------------------


def task_with(inbox, *events):
    (job, _) = jobs_of(config_of(inbox))
    return replace(job.task, confirmations=events)


EVENT = Confirmation(profile="mag", until=TODAY, correction="swap_axes", by="Bounmy", on=TODAY)


def test_the_day_matters_where_a_confirmation_may_end(inbox):
    task = task_with(inbox, EVENT)
    assert key_of(task) != key_of(replace(task, today=TODAY + dt.timedelta(1)))


def test_the_day_does_not_matter_else(inbox):
    (job, _) = jobs_of(config_of(inbox))
    for_good = Confirmation(content_hash=job.task.content_hash, correction="swap_axes", by="B", on=TODAY)
    other = EVENT.model_copy(update={"content_hash": "of another file", "profile": None})
    for task in (job.task, task_with(inbox, for_good), task_with(inbox, other)):
        assert key_of(task) == key_of(replace(task, today=TODAY + dt.timedelta(1)))


def test_a_confirmation_that_has_ended_is_applied_no_longer(inbox, asked, kept):
    append_confirmation(inbox.with_name("confirmations.jsonl"), EVENT)
    known = {"profile": "mag"}
    days = [TODAY, TODAY + dt.timedelta(1)]
    states = [prepared(config_of(inbox, known=known, today=day), kept) for day in days]
    corrected = [{row["correction"] for row in state.features.table.to_pylist()} for state in states]
    assert corrected[0] != corrected[1]
    assert len(asked) == 4


# --- damaged --------------------------------------------------------------------------------------


def truncate(folder):
    path = folder / "features.arrow"
    path.write_bytes(path.read_bytes()[:-200])


def flip_one_bit(folder):
    """Change one coordinate by some kilometres, as a failing disk does."""
    path = folder / "features.arrow"
    content = bytearray(path.read_bytes())
    inside = content.find(shapely.to_wkb(read_state(folder).features.geometry[0])) + 30
    content[inside] ^= 0x10
    path.write_bytes(content)


DAMAGE = {
    "without its last file": lambda folder: (folder / "extent.json").unlink(),
    "without its state": lambda folder: (folder / "state.json").unlink(),
    "without its records": lambda folder: (folder / "features.arrow").unlink(),
    "truncated records": truncate,
    "empty records": lambda folder: (folder / "features.arrow").write_bytes(b""),
    "truncated state": lambda folder: (folder / "state.json").write_text("{", encoding="utf-8"),
    "zeros after a power cut": lambda folder: (folder / "extent.json").write_bytes(bytes(60)),
}


ONE_BIT = pytest.param(flip_one_bit, id="one bit")


@pytest.mark.parametrize("damage", [*(pytest.param(how, id=name) for name, how in DAMAGE.items()), ONE_BIT])
def test_a_prepared_delivery_that_is_not_whole_counts_as_none(inbox, asked, kept, damage):
    (inbox / "NPA_CHA.geojson").unlink()
    first = shown(prepared(config_of(inbox), kept))
    (folder,) = kept.folder.iterdir()
    damage(folder)
    assert shown(prepared(config_of(inbox), kept)) == first
    assert len(asked) == 2
    assert shown(prepared(config_of(inbox), kept)) == first
    assert len(asked) == 2


def test_a_full_disk_is_an_error_that_names_it(inbox, asked, kept, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keeping.shutil, "move", full)
    with pytest.raises(OutputError, match="No space left on device"):
        prepared(config_of(inbox), kept)


def test_what_a_run_has_not_used_is_forgotten(inbox, asked, kept):
    prepared(config_of(inbox), kept)
    old = {path.name for path in kept.folder.iterdir()}
    write_geojson(inbox / "NPA_CHA.geojson", [({"id": "N-2"}, square(east_by=0.001))])
    now = Kept(kept.folder)
    prepared(config_of(inbox), now)
    now.forget_others()
    left = {path.name for path in kept.folder.iterdir()}
    assert (len(left), len(left & old)) == (2, 1)
    prepared(config_of(inbox), kept)
    assert len(asked) == 3


# --- one working CRS ------------------------------------------------------------------------------


@pytest.fixture
def two_cells(tmp_path):
    """Five records at 19 N and one at 21 N: the cells of two working CRSs."""
    south = [({"id": f"S-{n}"}, square(103.0 + n / 100, 19.0)) for n in range(5)]
    write_geojson(tmp_path / "in" / "MAG_CHA.geojson", south)
    write_geojson(tmp_path / "in" / "NPA_CHA.geojson", [({"id": "N-1"}, square(103.0, 21.0))])
    return tmp_path / "in"


def test_deliveries_of_two_cells_come_into_the_working_crs_of_most_records(two_cells, asked, kept):
    state = prepared(config_of(two_cells), kept)
    assert sorted(asked) == ["MAG_CHA.geojson", "NPA_CHA.geojson", "NPA_CHA.geojson"]
    given = config_of(two_cells, working_crs=state.working_crs)
    assert shown(state) == shown(prepared(given, Kept(kept.folder.with_name("fresh"))))


def test_both_ways_of_preparing_a_delivery_are_kept(two_cells, asked, kept):
    prepared(config_of(two_cells), kept)
    kept.forget_others()
    prepared(config_of(two_cells), Kept(kept.folder))
    assert len(asked) == 3


def test_a_chosen_working_crs_gives_what_it_gives_when_it_is_named(two_cells, asked, tmp_path):
    chosen = config_of(two_cells, output=tmp_path / "chosen")
    crs = pipeline.compare(chosen).summary["working_crs"]
    pipeline.compare(config_of(two_cells, output=tmp_path / "named", working_crs=crs))
    one, other = (hashes(tmp_path / name)["geopipe.gpkg"] for name in ("chosen", "named"))
    assert one == other


# --- names ----------------------------------------------------------------------------------------


def test_the_same_content_under_two_names_keeps_its_rows_apart(inbox, asked, kept):
    shutil.copy(inbox / "MAG_CHA.geojson", inbox / "MAG_CHA_again.geojson")
    for _ in range(2):
        features = prepared(config_of(inbox), kept).features
        assert len(set(features.values("row_id"))) == 3
        assert sorted(features.values("file")) == sorted(path.name for path in inbox.iterdir())
    assert len(asked) == 3


# --- files that misbehave -------------------------------------------------------------------------


@pytest.fixture
def rewritten(monkeypatch, inbox, asked):
    """Somebody writes the file of MAG again between its hash and its reading."""
    ask = together.ask_readers

    def ask_late(*arguments):
        write_geojson(inbox / "MAG_CHA.geojson", [({"id": "M-2"}, square(106))])
        yield from ask(*arguments)

    monkeypatch.setattr(together, "ask_readers", ask_late)


def test_a_file_that_changes_while_it_is_read_is_refused(inbox, rewritten, kept):
    state = prepared(config_of(inbox), kept)
    assert state.features.values("source_id") == ["N-1"]
    (problem,) = (problem for item in state.deliveries for problem in item.problems)
    assert problem == (
        "FILE_UNREADABLE",
        "MAG_CHA.geojson: the file was changed while it was read. Run again when it is complete.",
    )


def test_a_file_that_was_refused_while_it_changed_is_read_when_it_is_as_before(
    inbox, rewritten, asked, kept, monkeypatch
):
    before = (inbox / "MAG_CHA.geojson").read_bytes()
    prepared(config_of(inbox), kept)
    monkeypatch.undo()
    (inbox / "MAG_CHA.geojson").write_bytes(before)
    assert sorted(prepared(config_of(inbox), kept).features.values("source_id")) == ["M-1", "N-1"]


def test_a_file_that_could_not_be_opened_just_now_is_tried_again(inbox, kept, monkeypatch):
    monkeypatch.setattr(together, "_FUNCTION", f"{FIXTURES}:cannot_open")
    with pytest.raises(SourceError, match="Check the drive and your rights"):
        prepared(config_of(inbox), kept)
    monkeypatch.undo()
    assert problems(prepared(config_of(inbox), kept)) == {
        "MAG_CHA.geojson": [],
        "NPA_CHA.geojson": [],
    }


def test_a_reader_that_dies_costs_one_file(inbox, kept, monkeypatch):
    write_geojson(inbox / "bad.geojson", [({"id": "B-1"}, square(106))])
    monkeypatch.setattr(together, "_FUNCTION", f"{FIXTURES}:dies_of_bad_files")
    state = prepared(config_of(inbox, workers=1), kept)
    assert problems(state) == {
        "MAG_CHA.geojson": [],
        "NPA_CHA.geojson": [],
        "bad.geojson": ["READER_CRASHED"],
    }
    assert sorted(state.features.values("source_id")) == ["M-1", "N-1"]
    assert len(list(kept.folder.iterdir())) == 2  # what a death says is not kept


def test_a_fault_of_geopipe_costs_one_file_and_is_told_with_its_trace(inbox, kept, monkeypatch, caplog):
    monkeypatch.setattr(together, "_FUNCTION", f"{FIXTURES}:has_a_fault_over_bad_files")
    write_geojson(inbox / "bad_CHA.geojson", [({"hazard_id": "B-1"}, square())])
    state = prepared(config_of(inbox, workers=1), kept)
    problems = {item.file: [code for code, _ in item.problems] for item in state.deliveries}
    assert problems.pop("bad_CHA.geojson") == ["READER_FAILED"]
    assert set(map(tuple, problems.values())) == {()}
    assert "areas per hectare" in caplog.text
    assert f"{FIXTURES}.py" in caplog.text


# --- warm readers ---------------------------------------------------------------------------------


@pytest.fixture
def warm(monkeypatch):
    """Two reader processes that nobody has asked anything."""
    monkeypatch.setattr(vector, "Reader", readerprocess.Reader)  # not the one that tests share
    monkeypatch.setattr(readerprocess, "_WARM", [])
    readerprocess.warm_up(2, "geopipe.preparation.one:get_ready")
    yield readerprocess._WARM
    readerprocess._end_warm()


def test_warm_readers_are_used_and_ended(inbox, kept, warm, monkeypatch):
    (_, idle), (_, used) = warm
    monkeypatch.setattr(readerprocess, "_start_process", None)  # nobody needs another one
    assert len(prepared(config_of(inbox, workers=1), kept).features) == 2
    assert used.poll() is not None
    assert [process for _, process in warm] == [idle]
    assert idle.poll() is None
    readerprocess._end_warm()
    assert idle.poll() is not None


# --- files that are named more than once ----------------------------------------------------------


def test_what_is_said_of_a_file_itself_counts_whatever_is_said_of_its_folder(inbox, kept):
    told = DeliverySpec(path=inbox / "NPA_CHA.geojson", operator="HALO")
    for deliveries in ((told, DeliverySpec(path=inbox)), (DeliverySpec(path=inbox), told)):
        state = prepared(config_of(inbox).model_copy(update={"deliveries": deliveries}), kept)
        assert state.features.values("operator") == ["HALO", "MAG"]
        assert len(state.features) == 2


def test_one_file_as_that_of_two_operators_is_refused(inbox, kept):
    deliveries = tuple(
        DeliverySpec(path=inbox / "NPA_CHA.geojson", operator=name) for name in ("NPA", "HALO")
    )
    with pytest.raises(ConfigError, match="names this twice, with different settings"):
        prepared(config_of(inbox).model_copy(update={"deliveries": deliveries}), kept)
