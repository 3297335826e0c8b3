"""Which filed deliveries a night reads, what is old enough to go, and who holds the workspace."""

import datetime as dt
import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
from shapely import box

from geopipe.config import NightlySpec
from geopipe.errors import BusyError
from geopipe.io import lock
from geopipe.io.ledgers.inforce import Group
from geopipe.io.store import hold
from geopipe.nightly.choosing import Content, as_belongs, choose, same_name
from geopipe.nightly.comings import Again
from geopipe.nightly.facts import overdue
from geopipe.nightly.filing import Receipt, with_comings
from geopipe.nightly.hazards import HazardLeft, ground_left
from geopipe.nightly.retention import Published, old_runs, orphans

HAZARD, RELEASE = Group("MAG", "hazard", "operator"), Group("MAG", "land_release", "operator")
WHOLE = Content(frozenset({HAZARD}), is_snapshot=True)
PART = Content(frozenset({HAZARD}))
NOTHING = Content()


def receipt(name, day, folder="mag", file="a.gpkg", is_delivery=True):
    at = f"2026-01-{day:02d}T01:00:00+00:00"
    return Receipt(name, folder, file, "[]", at, at[:10], day, 1, is_delivery, at)


def came_again(item, day, at=""):
    """A delivery whose bytes came a second time, as the so manieth of all comings."""
    at = at or f"2026-01-{day:02d}T01:00:00+00:00"
    return with_comings(item, [Again(item.folder, item.name, at, at[:10], day)])


def read(*told, aside=()):
    """What a night reads of (receipt, content) pairs, by hash."""
    receipts = [item for item, _ in told]
    tonight = choose(receipts, {item.sha256: content for item, content in told}, aside)
    return [item.sha256 for item in tonight.reads], [item.sha256 for item in tonight.unread]


def test_a_whole_register_replaces_the_one_before_it():
    assert read((receipt("a", 1), WHOLE), (receipt("b", 2), WHOLE)) == (["b"], [])


def test_an_increment_replaces_nothing_and_the_newest_has_its_own_name():
    assert read((receipt("a", 1), WHOLE), (receipt("b", 2), PART)) == (["b", "a"], [])


def test_a_register_of_another_operator_replaces_nothing():
    assert read((receipt("a", 1), WHOLE), (receipt("b", 2, folder="npa"), WHOLE))[0] == ["b", "a"]


def test_a_file_that_holds_more_than_the_new_one_stays():
    both = Content(frozenset({HAZARD, RELEASE}), is_snapshot=True)
    assert read((receipt("a", 1), both), (receipt("b", 2), WHOLE))[0] == ["b", "a"]
    assert read((receipt("a", 1), WHOLE), (receipt("b", 2), both))[0] == ["b"]


def test_files_of_one_night_are_one_coming():
    told = [(replace(receipt(name, 1), number=at), WHOLE) for at, name in enumerate("ab")]
    assert read(*told)[0] == ["b", "a"]


def test_a_file_that_cannot_be_used_leaves_the_one_before_in_force_and_its_name_to_it():
    assert read((receipt("a", 1), WHOLE), (receipt("b", 2), NOTHING)) == (["a", "b"], ["b"])


def test_a_file_that_cannot_be_used_is_told_until_one_of_its_name_comes():
    bad = receipt("a", 1, file="MAG_2026-01.zip")
    assert read((bad, NOTHING), (receipt("b", 2, file="other.gpkg"), WHOLE)) == (["b", "a"], ["a"])
    assert read((bad, NOTHING), (receipt("b", 2, file="MAG 2026-02 (2).gpkg"), WHOLE)) == (["b"], [])


def test_a_clock_that_ran_ahead_keeps_no_old_register_in_force():
    ahead = replace(
        receipt("a", 1), received_at="2031-01-01T01:00:00+00:00", last_at="2031-01-01T01:00:00+00:00"
    )
    assert read((ahead, WHOLE), (receipt("b", 2), WHOLE))[0] == ["b"]
    assert read((ahead, WHOLE), (receipt("b", 2), NOTHING)) == (["a", "b"], ["b"])


def test_an_older_file_that_comes_again_replaces_the_broken_one_after_it():
    good = came_again(receipt("a", 1), 3)
    assert read((good, WHOLE), (receipt("b", 2), NOTHING)) == (["a"], [])


def test_of_broken_files_that_come_in_turn_the_last_one_is_told():
    first = came_again(receipt("a", 1), 3)
    assert read((first, NOTHING), (receipt("b", 2), NOTHING)) == (["a"], ["a"])


def test_a_broken_file_is_told_though_an_older_one_came_again_under_a_clock_that_ran_ahead():
    good = came_again(receipt("a", 1), 2, at="2031-01-01T01:00:00+00:00")
    assert read((good, WHOLE), (receipt("b", 3), NOTHING)) == (["a", "b"], ["b"])


def test_what_is_left_out_names_the_delivery_that_is_read_instead():
    receipts = [receipt("a", 1), receipt("b", 2), receipt("c", 3)]
    tonight = choose(receipts, dict.fromkeys("abc", WHOLE), ())
    assert {left: read.sha256 for left, read in tonight.replaced.items()} == {"a": "c", "b": "c"}
    broken = receipt("a", 1, file="MAG_1.gpkg")  # mended by b, and b is replaced by a file of another name
    receipts = [broken, receipt("b", 2, file="MAG_2.gpkg"), receipt("c", 3, file="other.gpkg")]
    tonight = choose(receipts, {"b": WHOLE, "c": WHOLE}, ())
    assert {left: read.sha256 for left, read in tonight.replaced.items()} == {"a": "c", "b": "c"}


def test_a_delivery_belongs_to_the_folder_that_a_person_names():
    """It counts there from the day on which it came there."""
    item = with_comings(receipt("a1b2", 1), [Again("npa", "copy.gpkg", "2026-01-05T01:00", "2026-01-05", 5)])
    assert as_belongs(item, {}) == as_belongs(item, {"a1": "mag"}) == as_belongs(item, {"ff": "npa"}) == item
    moved = as_belongs(item, {"a1": "npa"})
    assert (moved.folder, moved.day, moved.number, moved.name) == ("npa", "2026-01-05", 5, "a.gpkg")
    never_there = as_belongs(item, {"a1": "uxo"})
    assert (never_there.folder, never_there.day, never_there.number) == ("uxo", "2026-01-01", 1)


def test_documents_are_not_read_and_what_is_set_aside_is_not_either():
    told = [(receipt("a", 1), WHOLE), (receipt("b", 2), WHOLE), (receipt("c", 3, is_delivery=False), NOTHING)]
    assert read(*told)[0] == ["b"]
    assert read(*told, aside=("b",))[0] == ["a"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("MAG_CHA_2026-01-05.gpkg", "MAG_CHA_2026-02-05.gpkg", True),
        ("mag cha.geojson.gz", "MAG_CHA (1).geojson", True),
        ("MAG_CHA - Copy.zip", "MAG_CHA.shp", True),
        ("MAG_CHA.gpkg", "MAG_clearance.gpkg", False),
    ],
)
def test_dates_numbers_and_copies_make_no_other_name(one, other, same):
    assert same_name(one, other) is same


# Who is missed.


def missed(day, *receipts):
    """What is told of an operator from whom something is expected every two days."""
    spec = NightlySpec(inbox="inbox", operators={"mag": {"operator": "MAG", "every_days": 2}})
    return [item["last_day"] for item in overdue(receipts, {}, spec, dt.date.fromisoformat(day))]


def test_who_sends_the_same_bytes_again_is_not_overdue():
    item = receipt("a", 1)
    assert missed("2026-01-05", item) == ["2026-01-01"]
    assert missed("2026-01-05", came_again(item, 4)) == []
    elsewhere = with_comings(item, [Again("npa", "a.gpkg", "2026-01-04T01:00", "2026-01-04", 4)])
    assert missed("2026-01-05", elsewhere) == ["2026-01-01"]


def test_a_clock_that_ran_ahead_once_excuses_nobody_for_years():
    ahead = replace(receipt("b", 2), day="2031-01-01")
    assert missed("2026-01-05", receipt("a", 1), ahead) == ["2026-01-01"]
    assert missed("2026-01-05", ahead) == ["2031-01-01"]
    assert missed("2026-01-05", receipt("a", 4), ahead) == []


# Hazard of what is not read.


def test_hazard_of_a_delivery_that_is_not_read_is_elsewhere_drawn_or_missing():
    ground, read, drawn = (np.array(boxes, dtype=object) for boxes in (
        [box(0, 0, 10, 10), box(20, 0, 30, 10), box(40, 0, 50, 10), box(90, 0, 100, 10)],
        [box(0, 0, 5, 10), box(5, 0, 10, 10), box(20, 0, 25, 10), box(40, 0, 46, 10)],
        [box(25, 0, 30, 10)],
    ))  # fmt: skip
    left = ground_left(ground, read, np.concatenate([read, drawn]), tolerance_m=0.001)
    assert left == HazardLeft(areas=4, elsewhere=1, drawn=1, missing=2, missing_m2=40 + 100)
    none = ground_left(ground[:0], read, read, tolerance_m=0.001)
    assert none == HazardLeft(0, 0, 0, 0, 0.0)


# What goes.

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def published(*days):
    return [Published(f"run-{day}", NOW - dt.timedelta(days=day)) for day in days]


def test_a_run_goes_when_it_was_replaced_long_ago_not_when_it_was_made_long_ago():
    runs = published(90, 50, 20)
    there = {"run-90", "run-50", "run-20"}
    assert old_runs(there, runs, set(), NOW, 30) == ["run-90"]  # run-50 was on the map until 20 days ago
    assert old_runs(there, runs, set(), NOW, 10) == ["run-50", "run-90"]


def test_the_current_run_and_one_that_somebody_refers_to_never_go():
    runs = published(90, 80, 70)
    there = {"run-90", "run-80", "run-70"}
    assert old_runs(there, runs, {"run-90"}, NOW, 1) == ["run-80"]
    assert old_runs(there, [*runs, Published("run-90", NOW)], set(), NOW, 1) == ["run-80"]


def test_a_clock_that_was_set_back_removes_nothing():
    assert old_runs({"run-90", "run-80"}, published(90, 80), set(), NOW - dt.timedelta(days=400), 1) == []


def test_a_run_that_never_counted_goes_when_it_is_old(tmp_path):
    for name, day in (("run-old", 40), ("run-new", 1), ("run-known", 40)):
        (tmp_path / name).mkdir()
        at = (NOW - dt.timedelta(days=day)).isoformat()
        (tmp_path / name / "summary.json").write_text(json.dumps({"run": {"started_at": at}}))
    assert orphans(tmp_path, {"run-known"}, NOW, 30) == ["run-old"]


# The lock.


def leave(workspace, **changes):
    """Leave the note of an owner who did not take it away."""
    me = asdict(lock.this_process(dt.datetime.now(dt.UTC) - dt.timedelta(hours=5)))
    (workspace / lock.OWNER).write_text(json.dumps({**me, **changes}), encoding="utf-8")


def dead_process():
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    return int(done.stdout)


def test_a_workspace_that_is_held_names_its_owner_and_for_how_long(tmp_path):
    with hold(tmp_path), pytest.raises(BusyError) as busy, hold(tmp_path):
        pass
    told = str(busy.value)
    assert f"process {os.getpid()} of " in told
    assert f"on {socket.gethostname()}, for " in told
    assert busy.value.exit_code == 75


def test_the_lock_of_a_dead_owner_is_taken_over_and_said(tmp_path, caplog):
    leave(tmp_path, pid=dead_process())
    with hold(tmp_path) as died:
        assert died.age(dt.datetime.now(dt.UTC)) == "5 hours"
        assert "Its lock is taken over." in caplog.text
    assert not (tmp_path / lock.OWNER).exists()
    with hold(tmp_path) as died:
        assert died is None


@pytest.mark.skipif(not lock.started_at(os.getpid()), reason="this system does not say when a process began")
def test_a_number_that_another_process_has_now_is_not_its_owner(tmp_path):
    leave(tmp_path, started="another-boot 1")
    with hold(tmp_path) as died:
        assert died is not None


def test_a_living_owner_is_believed_though_the_lock_was_free(tmp_path):
    leave(tmp_path)
    with pytest.raises(BusyError, match="for 5 hours"), hold(tmp_path):
        pass


def test_the_lock_of_another_machine_is_never_taken_over(tmp_path):
    leave(tmp_path, host="server-2", pid=dead_process())
    with (
        pytest.raises(BusyError, match=r"on server-2.*Nobody here can see if it still lives.*remove .*owner"),
        hold(tmp_path),
    ):
        pass
    assert lock.holder_of(tmp_path).host == "server-2"


def test_a_note_that_was_cut_off_stops_nobody(tmp_path):
    (tmp_path / lock.OWNER).write_text('{"pid": 1', encoding="utf-8")
    with hold(tmp_path) as died:
        assert died is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 seconds"), (119, "119 seconds"), (120, "2 minutes"), (7200, "2 hours"), (172800, "2 days")],
)
def test_a_length_of_time_in_words(seconds, words):
    assert lock.in_words(seconds) == words
