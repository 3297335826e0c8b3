"""The ledger knows each delivery once, what of them is in force, and who has not delivered."""

import datetime as dt
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from make import LAOS, area, box, hazard, make_features, released, square

from geopipe.errors import BusyError, ConfigError, ExitCode, RegisterError
from geopipe.io.ledgers import registerfile
from geopipe.io.ledgers.ledger import Ledger
from geopipe.io.ledgers.received import received
from geopipe.periods import parse_period
from geopipe.schema import (
    BOX,
    FEATURES,
    REJECTED,
    State,
    boxes_of,
    check,
    concat,
    empty_frame,
    make_frame,
    no_geometry,
)  # fmt: skip

APRIL, JULY = dt.datetime(2026, 4, 10, tzinfo=dt.UTC), dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
NOBODY = empty_frame(FEATURES)


def delivery(content, *records, mode="snapshot", operator="MAG", role="operator", **more):
    """One delivered file after `reproject`; its content hash is the file's name."""
    state = make_features(*(replace(record, file=content) for record in records))
    (known,) = state.deliveries
    known = replace(known, content_hash=content, mode=mode, operator=operator, role=role, **more)
    return replace(state, deliveries=(known,), features=state.features.with_columns({"role": role}))


def together(*deliveries):
    """What one run has read."""
    return (
        State(working_crs=LAOS)
        .adding(features=[d.features for d in deliveries])
        .__class__(
            deliveries=tuple(item for d in deliveries for item in d.deliveries),
            features=concat([d.features for d in deliveries]),
            working_crs=LAOS,
        )
    )


def read(ledger, *deliveries, carried=NOBODY, at=APRIL, run="run"):
    """Let the ledger know what a run has read; return what was in force before, and if there was news."""
    state = together(*deliveries)
    items = received(state)
    before = ledger.before(items, LAOS)
    return before, ledger.record(run, at, items, state, carried)


def ids(frame):
    return sorted(frame.table["source_id"].to_pylist())


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path / "work" / "register.sqlite") as opened:
        yield opened


# What was received.


def test_a_delivery_is_written_down_with_its_counts(ledger):
    state = delivery("a.gpkg", hazard(square(), id="1"), hazard(square(500), id="2"), period="2026-Q1")
    refused = {"file": "a.gpkg", "operator": "MAG", "source_id": "2", "reason": "ZERO_AREA"}
    ended = replace(
        state,
        features=state.features.take(np.array([0])),
        rejected=make_frame(REJECTED, refused, no_geometry(1)),
    )
    assert ledger.record("run-1", APRIL, received(state), ended, NOBODY)
    assert ledger.deliveries() == [
        {
            "content_hash": "a.gpkg", "file": "a.gpkg", "received_at": "2026-04-10T00:00:00+00:00",
            "operator": "MAG", "role": "operator", "mode": "snapshot", "period": "2026-Q1", "records": 2,
            "kept": 1, "returned": 1, "run": "run-1",
        }
    ]  # fmt: skip
    (row,) = ledger.trend("MAG")
    assert (row["kept"], row["returned"]) == (1, 1)
    assert ledger.trend("HALO") == []


def test_the_same_file_again_is_nothing_new(ledger):
    first = delivery("a", hazard(square(), id="1"))
    assert read(ledger, first)[1] is True
    assert read(ledger, first, at=JULY, run="again")[1] is False
    assert len(ledger.deliveries()) == 1


def test_a_file_that_is_read_in_another_way_now_is_news_but_no_new_delivery(ledger):
    read(ledger, delivery("a", hazard(square(), "Mag", id="1"), operator="Mag"))
    before, news = read(ledger, delivery("a", hazard(square(), "MAG", id="1")))
    assert news is True
    assert ids(before.previous) == []
    assert ledger.previous("Mag", "hazard", LAOS) is None
    assert ids(ledger.previous("MAG", "hazard", LAOS)) == ["1"]


def test_what_was_received_cannot_be_changed_or_removed(ledger):
    read(ledger, delivery("a", hazard(square(), id="1")))
    with closing(sqlite3.connect(ledger.path)) as connection:
        for verb in ("DELETE FROM deliveries", "UPDATE readings SET records_in = 0", "DELETE FROM receipts"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(verb)


# What is in force.


def test_records_come_back_as_they_were(ledger):
    state = delivery("a", hazard(square(), id="1", status="open", surveyed=dt.date(2020, 1, 1)))
    read(ledger, state)
    kept = ledger.previous("MAG", "hazard", LAOS)
    check(kept, FEATURES, "kept")
    assert kept.table.whole().equals(state.features.table.whole())
    assert kept.geometry[0].equals_exact(square(), 0)


def test_in_another_working_crs_the_turning_points_and_their_box_are_brought_there(ledger):
    state = delivery("a", hazard(square(), id="1"))
    sides = dict(zip(BOX, square().bounds, strict=True))
    read(ledger, replace(state, features=state.features.with_columns(sides)))
    other = LAOS.replace("+x_0=500000", "+x_0=600000")
    kept = ledger.previous("MAG", "hazard", other)
    assert kept.geometry[0].equals_exact(square(100_000), 1e-6)
    assert boxes_of(kept).tolist() == [list(kept.geometry[0].bounds)]
    assert kept.table["area_m2"].to_pylist() == pytest.approx([10_000])
    assert kept.table["perimeter_m"].to_pylist() == pytest.approx([400])
    assert kept.table["point_count"].to_pylist() == [5]


def test_the_first_delivery_has_nothing_before_it(ledger):
    before, _ = read(ledger, delivery("a", hazard(square(), id="1")))
    assert len(before.previous) == 0
    assert ledger.previous("HALO", "hazard", LAOS) is None


def test_a_snapshot_replaces_the_snapshot_before(ledger):
    read(ledger, delivery("a", hazard(square(), id="1"), hazard(square(500), id="2")))
    before, _ = read(ledger, delivery("b", hazard(square(), id="1")))
    assert ids(before.previous) == ["1", "2"]
    assert ids(ledger.previous("MAG", "hazard", LAOS)) == ["1"]


def test_an_increment_adds_and_replaces_the_ids_that_it_holds(ledger):
    read(ledger, delivery("a", hazard(square(), id="1"), hazard(square(500), id="2")))
    read(
        ledger,
        delivery("b", hazard(square(900), id="3"), hazard(box(0, 0, 120, 100), id="1"), mode="increment"),
    )
    kept = ledger.previous("MAG", "hazard", LAOS)
    assert ids(kept) == ["1", "2", "3"]
    assert kept.geometry[kept.flags("source_id", ["1"])][0].equals(box(0, 0, 120, 100))


def test_without_a_snapshot_all_increments_are_in_force(ledger):
    read(ledger, delivery("a", hazard(square(), id="1"), mode="increment"))
    read(ledger, delivery("b", hazard(square(500), id="2"), mode="increment"))
    assert ids(ledger.previous("MAG", "hazard", LAOS)) == ["1", "2"]


def test_each_register_and_operator_has_its_own_snapshot(ledger):
    read(ledger, delivery("a", hazard(square(), id="1"), released(square(500), id="R")))
    read(ledger, delivery("b", hazard(square(), id="9")))
    read(ledger, delivery("c", hazard(square(), "HALO", id="H"), operator="HALO"))
    assert ids(ledger.previous("MAG", "hazard", LAOS)) == ["9"]
    assert ids(ledger.previous("MAG", "land_release", LAOS)) == ["R"]
    assert ids(ledger.previous("HALO", "hazard", LAOS)) == ["H"]


def test_the_national_database_is_kept_apart(ledger):
    read(
        ledger,
        delivery("a", hazard(square(), id="1")),
        delivery("n", hazard(square(), id="1"), role="national_database"),
    )
    read(ledger, delivery("b", hazard(square(500), id="2")))
    assert ids(ledger.previous("MAG", "hazard", LAOS)) == ["2"]
    assert ids(ledger.previous("MAG", "hazard", LAOS, role="national_database")) == ["1"]


def test_a_snapshot_in_several_files_counts_as_one_also_when_one_of_them_is_unchanged(ledger):
    north, south = delivery("n", hazard(square(), id="N")), delivery("s1", hazard(square(500), id="S"))
    read(ledger, north, south)
    read(ledger, north, delivery("s2", hazard(square(500), id="S2")))
    assert ids(ledger.previous("MAG", "hazard", LAOS)) == ["N", "S2"]


def test_a_snapshot_of_which_a_part_could_not_be_read_replaces_nothing(ledger):
    read(ledger, delivery("a", hazard(square(), id="1")))
    read(ledger, delivery("b", hazard(square(500), id="2"), problems=(("FILE_TRUNCATED", "cut"),)))
    assert ids(ledger.previous("MAG", "hazard", LAOS)) == ["1", "2"]


def test_a_run_over_the_same_deliveries_stands_where_its_first_run_stood(ledger):
    read(ledger, delivery("a", hazard(square(), id="1")))
    second = delivery("b", hazard(square(500), id="2"))
    first, _ = read(ledger, second)
    again, _ = read(ledger, second)
    assert ids(first.previous) == ids(again.previous) == ["1"]


def test_a_run_that_lacks_part_of_the_newest_delivery_is_held_against_all_of_it(ledger):
    north, south = delivery("n", hazard(square(), id="N")), delivery("s", hazard(square(500), id="S"))
    read(ledger, north, south)
    before, _ = read(ledger, north)
    assert ids(before.previous) == ["N", "S"]
    assert [row["file"] for row in ledger.not_read(received(north))] == ["s"]


def test_an_operator_who_does_not_deliver_stays_in_force(ledger):
    read(ledger, delivery("a", hazard(square(), id="1")))
    other = delivery("h", hazard(square(), "HALO", id="H"), operator="HALO")
    before, _ = read(ledger, other)
    assert ids(before.previous) == ["1"]
    assert [row["file"] for row in ledger.not_read(received(other))] == ["a"]


def test_a_new_whole_register_replaces_no_other_register_of_the_same_operator(ledger):
    read(ledger, delivery("a", hazard(square(), id="1")), delivery("r", released(square(500), id="2")))
    newer = delivery("r2", released(square(500), id="2"), released(square(900), id="3"))
    assert [row["file"] for row in ledger.not_read(received(newer))] == ["a"]


def test_what_was_carried_on_is_handed_to_the_next_run(ledger):
    first = delivery("a", hazard(square(), id="1"), hazard(square(500), id="2"))
    read(ledger, first)
    second = delivery("b", hazard(square(500), id="2"))
    before, _ = read(ledger, second, carried=first.features.take(np.array([0])))
    assert ids(before.carried) == []
    third = delivery("c", hazard(square(500), id="2", status="open"))
    for _first_time_or_again in range(2):
        before, _ = read(ledger, third)
        assert (ids(before.previous), ids(before.carried)) == (["2"], ["1"])


# Who has delivered.


def test_who_has_not_delivered_is_named(ledger):
    read(ledger, delivery("a", hazard(square(), id="1"), period="2026-Q1"))
    assert ledger.missing(["MAG", "HALO", "NPA"], "2026-Q1") == ["HALO", "NPA"]
    assert ledger.missing(["MAG"], "2026-Q2") == ["MAG"]
    assert ledger.missing(["MAG"], "2026") == []


def test_a_delivery_without_a_period_counts_for_when_it_was_received(ledger):
    read(ledger, delivery("a", hazard(square(), id="1")), at=APRIL)
    assert ledger.missing(["MAG"], "2026-Q1") == ["MAG"]
    assert ledger.missing(["MAG"], "2026-04") == []


def test_operators_inside_a_file_of_several_have_delivered(ledger):
    read(ledger, delivery("a", hazard(square(), id="1"), hazard(square(500), "HALO", id="2"), operator=""))
    assert ledger.missing(["MAG", "HALO", "NPA"], "2026-Q2") == ["NPA"]


def test_the_national_database_delivers_for_nobody(ledger):
    read(ledger, delivery("a", hazard(square(), id="1"), role="national_database"))
    assert ledger.missing(["MAG"], "2026-Q2") == ["MAG"]


def test_a_nil_report_is_not_a_missing_one(ledger):
    assert ledger.nil("HALO", "2026-q1", "Somsak", "letter 12", APRIL) is True
    assert ledger.missing(["HALO", "NPA"], "2026-Q1") == ["NPA"]
    assert ledger.nil("HALO", "2026-Q1", "another", "", JULY) is False
    assert ledger.nil_reports() == [
        {
            "operator": "HALO", "period": "2026-Q1", "by": "Somsak", "reference": "letter 12",
            "recorded_at": "2026-04-10T00:00:00+00:00",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", dt.date(2026, 1, 1), dt.date(2026, 12, 31)),
        ("2026-Q2", dt.date(2026, 4, 1), dt.date(2026, 6, 30)),
        ("2024-02", dt.date(2024, 2, 1), dt.date(2024, 2, 29)),
    ],
)
def test_periods_are_whole_months(text, first, last):
    assert (parse_period(text).first, parse_period(text).last) == (first, last)


@pytest.mark.parametrize("text", ["", "Q1", "2026-Q5", "2026-13", "26-Q1", "0000", "2026-Q1 "[:-1] + "x"])
def test_a_period_that_is_not_understood_is_refused(text):
    with pytest.raises(ConfigError, match="is not a period"):
        parse_period(text)


# The file itself.


def test_a_ledger_that_is_missing_is_not_taken_for_a_new_one(ledger):
    read(ledger, delivery("a", hazard(square(), id="1")))
    ledger.close()
    ledger.path.unlink()
    with pytest.raises(RegisterError, match="the register is missing") as refused:
        Ledger.open(ledger.path)
    assert refused.value.exit_code == ExitCode.REGISTER
    assert "Restore it from your backup" in str(refused.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda _data: b"",
        lambda data: data[: len(data) // 2],
        lambda _data: b"no database at all " * 400,
        lambda data: data[:4096] + bytes(4096) + data[8192:],
    ],
    ids=["empty", "cut", "other bytes", "a page of zeros"],
)
def test_a_damaged_ledger_is_refused_and_left_alone(ledger, damage):
    read(ledger, delivery("a", hazard(square(), id="1")))
    ledger.close()
    ledger.path.write_bytes(damage(ledger.path.read_bytes()))
    left = ledger.path.read_bytes()
    with pytest.raises(RegisterError) as refused:
        Ledger.open(ledger.path)
    assert refused.value.remedy
    assert ledger.path.read_bytes() == left


def test_another_database_is_no_ledger(tmp_path):
    with closing(sqlite3.connect(tmp_path / "x.sqlite")) as connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(RegisterError, match="not a register of geopipe"):
        Ledger.open(tmp_path / "x.sqlite")


def test_a_ledger_of_a_newer_geopipe_is_refused(ledger):
    ledger.close()
    with closing(sqlite3.connect(ledger.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(RegisterError, match="newer geopipe"):
        Ledger.open(ledger.path)


def test_an_older_ledger_is_brought_up_to_date_and_keeps_what_it_knows(ledger, monkeypatch):
    read(ledger, delivery("a", hazard(square(), id="1")))
    ledger.close()
    newer = (*registerfile.SCRIPTS, "CREATE TABLE more (a TEXT);")
    monkeypatch.setattr(registerfile, "SCRIPTS", newer)
    with Ledger.open(ledger.path) as opened:
        assert len(opened.deliveries()) == 1
        assert opened.ask("SELECT count(*) FROM more") == [(0,)]
    monkeypatch.setattr(registerfile, "SCRIPTS", newer[:1])
    with pytest.raises(RegisterError, match="newer geopipe"):
        Ledger.open(ledger.path)


def test_an_upgrade_that_fails_changes_nothing(ledger, monkeypatch):
    ledger.close()
    before = ledger.path.read_bytes()
    monkeypatch.setattr(registerfile, "SCRIPTS", (*registerfile.SCRIPTS, "CREATE TABLE more (a); NOT SQL;"))
    with pytest.raises(RegisterError):
        Ledger.open(ledger.path)
    monkeypatch.undo()
    with Ledger.open(ledger.path) as opened:
        assert opened.deliveries() == []
    assert ledger.path.read_bytes() == before


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_kept_delivery_that_was_harmed_is_named(ledger, harm):
    read(ledger, delivery("a", hazard(square(), id="1")))
    (kept,) = (ledger.path.parent / "deliveries").iterdir()
    if harm == "missing":
        kept.unlink()
    else:
        data = bytearray(kept.read_bytes())
        data[len(data) // 2] ^= 1
        kept.write_bytes(data)
    with pytest.raises(RegisterError, match=f"is {harm}"):
        ledger.previous("MAG", "hazard", LAOS)


def test_two_writers_do_not_meet(ledger):
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ledger._connection.execute("PRAGMA busy_timeout = 1")
        with pytest.raises(BusyError, match="another run"):
            read(ledger, delivery("a", hazard(square(), id="1")))
        other.execute("ROLLBACK")
    assert ledger.deliveries() == []
    assert read(ledger, delivery("a", hazard(square(), id="1")))[1] is True


def test_a_ledger_is_one_file_without_a_journal_beside_it(ledger):
    read(ledger, delivery("a", hazard(square(), id="1")))
    assert ledger.ask("PRAGMA journal_mode") == [("delete",)]
    assert sorted(path.name for path in ledger.path.parent.iterdir()) == ["deliveries", "register.sqlite"]


def test_a_copy_of_the_folder_is_a_whole_ledger(ledger, tmp_path):
    read(ledger, delivery("a", hazard(square(), id="1"), area(square(500), "UNKNOWN", id="u")))
    ledger.close()
    shutil.copytree(ledger.path.parent, tmp_path / "copy")
    with Ledger.existing(tmp_path / "copy") as copy:
        assert ids(copy.previous("MAG", "hazard", LAOS)) == ["1"]


def test_a_ledger_that_must_be_there_is_not_made(tmp_path):
    with pytest.raises(RegisterError, match="there is no register"):
        Ledger.existing(tmp_path)
    assert list(tmp_path.iterdir()) == []
