"""The register's file: lost or damaged it is never taken for empty; checks, backups, exports, copies."""

import csv
import datetime as dt
import json
import shutil
import sqlite3
from contextlib import closing

import pytest
import shapely
from make import hazard, square
from test_cases import MAG, UXO, Office

from geopipe.errors import ConfigError, ExitCode, OutputError, RegisterError
from geopipe.io.ledgers import backups, registerfile
from geopipe.io.ledgers.backups import daily_backup, write_backup
from geopipe.io.ledgers.registerfile import how_to_restore, newest_backup
from geopipe.io.ledgers.tables import SCRIPTS
from geopipe.register.care.check import check
from geopipe.register.care.copies import Office as Taker
from geopipe.register.care.copies import checkout, extract
from geopipe.register.care.export import export
from geopipe.register.care.facts import BASE, IDENTITY, OFFICE, ROLE, fact
from geopipe.register.register import Register
from geopipe.terms import Choice

NOON = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
TAKER = Taker("PSV", "Bounmy", NOON)
HALO = hazard(square(0, 90), "HALO", "H1", status="open")


@pytest.fixture
def office(tmp_path):
    opened = Office(tmp_path / "work")
    opened.run(MAG, UXO)
    yield opened
    opened.register.close()


@pytest.fixture
def decided(office):
    """A register with a decision by signed minutes."""
    office.decide(Choice.FIELD_SURVEY)
    return office.register


def changed(register, *statements):
    """The register after somebody got at its file with another program."""
    with closing(sqlite3.connect(register.path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return check(register)


def without_trigger(table, verb="UPDATE"):
    return f"DROP TRIGGER {table}_keeps_{verb}"


def an_event(columns):
    """SQL for an event x whose kind, status, cause and data are not as they should be."""
    found = f"SELECT 99, 'x', case_id, at, author, {columns}, run, sighting FROM events LIMIT 1"
    return f"INSERT INTO events {found}"


# A register that is lost.


def test_a_lost_register_with_backups_is_refused_and_the_newest_is_named(office):
    folder = office.folder / "backups"
    for day in (1, 3, 2):
        write_backup(office.register, folder / f"register-2026-04-0{day}.sqlite")
    shutil.rmtree(office.folder / "deliveries")
    office.register.close()
    path = office.folder / "register.sqlite"
    path.unlink()
    for way in (Register.open, Register.existing):
        with pytest.raises(
            RegisterError, match="the register is missing, but backups of it are there"
        ) as why:
            way(office.folder)
        newest = folder / "register-2026-04-03.sqlite"
        assert f"cp '{newest}' '{path}'" in why.value.remedy
        assert why.value.exit_code == ExitCode.REGISTER
    shutil.copy(newest, path)
    with Register.existing(office.folder) as restored:
        assert len(restored.cases()) == 1


def test_a_lost_register_whose_deliveries_are_there_is_refused(office):
    office.register.close()
    (office.folder / "register.sqlite").unlink()
    with pytest.raises(RegisterError, match="the deliveries that it knew are there"):
        Register.open(office.folder)


def test_a_journal_without_its_register_is_no_new_register(tmp_path):
    (tmp_path / "register.sqlite-journal").write_bytes(b"what was being written")
    with pytest.raises(RegisterError, match="a journal of it is there"):
        Register.open(tmp_path)


def test_a_new_workspace_gets_a_register(tmp_path):
    with Register.open(tmp_path / "new") as register:
        assert register.cases() == []


# A register that is damaged.


@pytest.mark.parametrize(
    "damage",
    [
        lambda _data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[: len(data) // 2] + bytes(4096) + data[len(data) // 2 + 4096 :],
    ],
    ids=["zero bytes", "cut", "bytes in the middle"],
)
def test_a_damaged_register_is_refused_left_alone_and_the_backup_is_named(office, damage):
    write_backup(office.register, office.folder / "backups" / "register-2026-04-01.sqlite")
    office.register.close()
    path = office.folder / "register.sqlite"
    path.write_bytes(damage(path.read_bytes()))
    left = path.read_bytes()
    with pytest.raises(RegisterError) as refused:
        Register.open(office.folder)
    if left:
        assert "damaged" in refused.value.what
    assert f"mv '{path}' '{path}.damaged' && cp " in refused.value.remedy
    assert "register-2026-04-01.sqlite" in refused.value.remedy
    assert path.read_bytes() == left


def test_a_foreign_database_and_a_newer_register_are_refused(office, tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as other:
        other.execute("CREATE TABLE t (a)")
    with pytest.raises(RegisterError, match="not a register of geopipe"):
        Register.existing(tmp_path / "other.sqlite")
    office.register.close()
    with closing(sqlite3.connect(office.folder / "register.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(RegisterError, match="newer geopipe"):
        Register.existing(office.folder)


# Upgrades.


@pytest.fixture
def first_version(tmp_path):
    """A register from before there were cases, under the name that it had then."""
    path = tmp_path / "old" / "ledger.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPTS[0])
        connection.execute(f"PRAGMA application_id = {registerfile._APPLICATION}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO receipts VALUES (1, 'run-1', '2026-01-01T00:00:00+00:00', NULL)")
        connection.execute("INSERT INTO deliveries VALUES ('abc', 1, 'mag.gpkg')")
        connection.execute("INSERT INTO nil_reports VALUES ('HALO', '2026-Q1', 'Noy', '', '2026-01-01')")
        connection.commit()
    return path


def test_a_register_of_deliveries_becomes_one_of_cases_and_keeps_every_row(first_version):
    with Register.existing(first_version.parent) as register:
        assert register.ask("SELECT content_hash, file FROM deliveries") == [("abc", "mag.gpkg")]
        assert [row["operator"] for row in register.ledger.nil_reports()] == ["HALO"]
        assert register.cases() == []
        assert check(register).faults == []
        assert fact(register, IDENTITY)


def test_an_upgrade_that_is_interrupted_leaves_the_old_version(first_version, monkeypatch):
    monkeypatch.setattr(registerfile, "SCRIPTS", (SCRIPTS[0], SCRIPTS[1] + "NOT SQL;"))
    with pytest.raises(RegisterError):
        Register.existing(first_version.parent)
    path = first_version.with_name("register.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'cases'").fetchone() == (
            0,
        )
    monkeypatch.undo()
    with Register.existing(path) as register:
        assert len(register.ask("SELECT * FROM receipts")) == 1


# Check.


def test_a_whole_register_is_said_to_be_whole(decided):
    found = check(decided)
    assert found.faults == []
    assert found.sentence.startswith(
        "The register is whole: 1 cases, 2 events, 1 decisions, 0 positions, 1 papers"
    )


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        ([without_trigger("events")], "The trigger events_keeps_UPDATE is missing"),
        (
            [
                without_trigger("cases"),
                "CREATE TRIGGER cases_keeps_UPDATE BEFORE UPDATE ON cases BEGIN SELECT 1; END",
            ],
            "The trigger cases_keeps_UPDATE is not as geopipe made it",
        ),
        (["CREATE TRIGGER t AFTER INSERT ON runs BEGIN SELECT 1; END"], "The trigger t is not geopipe's"),
        (["CREATE VIEW more AS SELECT 1"], "The view more is not geopipe's"),
        (["DROP INDEX events_of_case"], "The index events_of_case is missing"),
        (
            [an_event("kind, 'rejected', cause, data")],
            "status 'rejected' is no word of the register",
        ),
        (
            [an_event("kind, status, cause, '{'")],
            "events, x: data cannot be read",
        ),
        (
            [an_event("'decided', status, cause, data")],
            "Event x says that something was decided, but not what",
        ),
        (["INSERT INTO cases VALUES ('c-alone', 1)"], "Case c-alone was never seen in the data"),
        (["INSERT INTO cases VALUES ('c-alone', 1)"], "Case c-alone has no history"),
        (["INSERT INTO sightings SELECT 99, 'nobody', run, present, a_version, b_version, columns, geometry, "
          "working_crs FROM sightings LIMIT 1"],
         "Row 99 of sightings refers to a row of cases that is not there"),
        (["INSERT INTO sightings SELECT 99, case_id, run, present, a_version, b_version, columns, x'00', "
          "working_crs FROM sightings LIMIT 1"], "sightings, 99: the geometry cannot be read"),
        (["INSERT INTO versions SELECT 'v', working_crs, columns, geometry FROM versions LIMIT 1"],
         "Record version v is not as it was written"),
        (["INSERT INTO papers SELECT 'p', meeting, held_on, item, file_name, file_sha256, x'31', "
          "recorded_by, recorded_at FROM papers"], "The minutes of TWG (p) are not the file that was given"),
        (["INSERT INTO facts VALUES (99, x'31', 'v', 't')"], "1 values of facts.name are not TEXT"),
    ],
)  # fmt: skip
def test_each_fault_is_told_in_a_sentence(decided, statements, said):
    faults = changed(decided, *statements).faults
    assert any(said in fault for fault in faults), faults


def test_a_decision_on_the_overlap_of_another_case_is_a_fault(office):
    cases = office.run(MAG, UXO, HALO)
    old, other = sorted(cases, key=lambda case: case.sighting.number)[:2]
    office.decide(Choice.FIELD_SURVEY, case=old)
    other_sighting = other.sighting.number
    faults = changed(
        office.register,
        "INSERT INTO decisions SELECT 'd', event_id, case_id, choice, confirmed, level, "
        f"{other_sighting}, reference_id, line_wgs84, shrinks_hazard, grows_released, responsible, due, "
        "note, made_by, at FROM decisions",
    ).faults
    assert faults == ["Decision d looks at an overlap of another case."]


@pytest.mark.parametrize(
    ("harm", "said"), [("unlink", "are missing"), ("write", "are not as they were kept")]
)
def test_records_of_deliveries_beside_the_register_are_checked(office, harm, said):
    kept = sorted((office.folder / "deliveries").iterdir())[0]
    kept.unlink() if harm == "unlink" else kept.write_bytes(b"other")
    (fault,) = check(office.register).faults
    assert said in fault
    assert str(kept) in fault


# Backups.


def day(number):
    return dt.date(2026, 4, number)


def test_one_backup_a_day_and_only_if_something_was_added(office):
    folder = office.folder / "backups"
    first = daily_backup(office.register, folder, day(1), keep=30)
    assert first == folder / "register-2026-04-01.sqlite"
    assert daily_backup(office.register, folder, day(1), keep=30) is None
    assert daily_backup(office.register, folder, day(2), keep=30) is None
    office.desk().assign(office.case(), "Noy")
    assert daily_backup(office.register, folder, day(1), keep=30) is None
    assert daily_backup(office.register, folder, day(3), keep=30) is not None
    with Register.existing(first) as copy:
        assert len(copy.case(office.case().case_id).events) == 1
    assert [path.name for path in sorted(folder.iterdir())] == [
        "register-2026-04-01.sqlite", "register-2026-04-03.sqlite",
    ]  # fmt: skip


def test_the_oldest_backups_go_and_the_newest_stays(office):
    folder = office.folder / "backups"
    for number in (1, 2, 3, 4):
        office.desk().assign(office.case(), f"person {number}")
        daily_backup(office.register, folder, day(number), keep=2)
    assert [path.name[-9:-7] for path in sorted(folder.iterdir())] == ["03", "04"]
    office.desk().assign(office.case(), "somebody")
    daily_backup(office.register, folder, day(5), keep=0)
    assert [path.name[-9:-7] for path in sorted(folder.iterdir())] == ["05"]


def test_a_backup_of_a_clock_that_was_ahead_is_not_the_newest_and_is_told(office, caplog):
    folder, path = office.folder / "backups", office.folder / "register.sqlite"
    ahead = f"register-{dt.datetime.now(dt.UTC).year + 5}-01-01.sqlite"
    write_backup(office.register, folder / ahead)
    assert newest_backup(path) == folder / ahead  # there is no other
    for number in (1, 2, 3):
        office.desk().assign(office.case(), f"person {number}")
        assert daily_backup(office.register, folder, day(number), keep=2) is not None
    assert f"{ahead} is dated in the future" in caplog.text
    assert sorted(item.name for item in folder.iterdir()) == [
        "register-2026-04-02.sqlite", "register-2026-04-03.sqlite", ahead,
    ]  # fmt: skip
    assert daily_backup(office.register, folder, day(4), keep=2) is None  # nothing was added since the 3rd
    assert newest_backup(path, day(4)) == folder / "register-2026-04-03.sqlite"


def test_on_the_day_of_a_backup_of_a_clock_that_was_ahead_there_is_a_backup(office):
    folder = office.folder / "backups"
    write_backup(office.register, folder / "register-2026-04-03.sqlite")
    office.desk().assign(office.case(), "Noy")
    daily_backup(office.register, folder, day(2), keep=30)
    office.desk().assign(office.case(), "Bounmy")
    (events,) = office.register.ask("SELECT count(*) FROM events")[0]
    made = daily_backup(office.register, folder, day(3), keep=30)
    with Register.existing(made) as copy:
        assert copy.ask("SELECT count(*) FROM events") == [(events,)]


def test_how_to_restore_names_the_newest_backup_that_is_not_of_the_future(office):
    folder, path = office.folder / "backups", office.folder / "register.sqlite"
    ahead = f"register-{dt.datetime.now(dt.UTC).year + 5}-01-01.sqlite"
    for name in ("register-2020-04-01.sqlite", ahead):
        write_backup(office.register, folder / name)
    said = how_to_restore(path)
    assert f"the newest here is register-2020-04-01.sqlite ({ahead}: dated in the future" in said
    assert f"cp '{folder / 'register-2020-04-01.sqlite'}' '{path}'" in said


def test_a_register_without_a_row_needs_no_backup(tmp_path):
    with Register.open(tmp_path) as register:
        assert daily_backup(register, tmp_path / "backups", day(1), keep=2) is None


def test_a_damaged_backup_is_not_taken_for_the_last_one(office):
    folder = office.folder / "backups"
    folder.mkdir()
    (folder / "register-2026-04-01.sqlite").write_bytes(b"damaged")
    assert daily_backup(office.register, folder, day(2), keep=2) is not None


def test_a_backup_that_cannot_be_written_says_so_and_leaves_the_old_one(office, monkeypatch):
    target = office.folder / "backups" / "register-2026-04-01.sqlite"
    write_backup(office.register, target)
    before = target.read_bytes()

    def full(_path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "sync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_backup(office.register, target)
    assert target.read_bytes() == before
    assert list(target.parent.iterdir()) == [target]


# Export.


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_an_export_can_be_read_without_geopipe(decided, tmp_path):
    rows = export(decided, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "dictionary.json").read_text(encoding="utf-8"))
    for table, count in rows.items():
        read = rows_of(tmp_path / "out" / f"{table}.csv")
        assert len(read) == count == told["tables"][table]["rows"]
        assert decided.ask(f"SELECT count(*) FROM {table}") == [(count,)]
        described = [column["name"] for column in told["tables"][table]["columns"]]
        assert all(column["meaning"] for column in told["tables"][table]["columns"])
        if read:
            assert list(read[0]) == described
    (paper,) = rows_of(tmp_path / "out" / "papers.csv")
    assert (tmp_path / "out" / "minutes" / f"{paper['file_sha256']}.pdf").read_bytes() == b"signed"
    (sighting,) = rows_of(tmp_path / "out" / "sightings.csv")
    assert shapely.from_wkt(sighting["geometry"]).area == pytest.approx(4000)


def test_the_same_register_gives_the_same_export(decided, tmp_path):
    for name in ("a", "b"):
        export(decided, tmp_path / name)
    files = [{path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
             for name in ("a", "b")]  # fmt: skip
    assert files[0] == files[1]


def test_an_export_overwrites_nothing(decided, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="something of this name already"):
        export(decided, tmp_path / "out")


# Copies for offices.


def test_a_checkout_says_whose_it_is_and_can_be_run(office, tmp_path):
    assert checkout(office.register, tmp_path / "copy", TAKER) == 1
    copy = Office(tmp_path / "copy")
    assert (fact(copy.register, ROLE), fact(copy.register, OFFICE), fact(copy.register, BASE)) == (
        "copy", "PSV", "1",
    )  # fmt: skip
    assert fact(copy.register, IDENTITY) == fact(office.register, IDENTITY)
    copy.night = office.night
    numbers = {case.number for case in copy.run(MAG, UXO, HALO)}
    assert numbers == {"XXX-2026-0001", "XXX-PSV-2026-0001", "XXX-PSV-2026-0002"}
    assert check(copy.register).faults == []
    assert len(office.register.cases()) == 1
    copy.register.close()


def test_an_extract_of_a_province_without_cases_is_refused(office, tmp_path):
    with pytest.raises(ConfigError, match="no case of the register lies in this province"):
        extract(office.register, tmp_path / "none.sqlite", TAKER, "LA09")
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize("code", ["", "psv", "A", "PS V", "TOOLONGCODE"])
def test_the_code_of_an_office_is_short_and_plain(code):
    with pytest.raises(ConfigError, match="no code of an office"):
        Taker(code, "Bounmy", NOON)


def test_a_copy_of_a_copy_is_refused(office, tmp_path):
    checkout(office.register, tmp_path / "copy.sqlite", TAKER)
    with (
        Register.existing(tmp_path / "copy.sqlite") as copy,
        pytest.raises(RegisterError, match="itself the copy of an office"),
    ):
        checkout(copy, tmp_path / "again.sqlite", TAKER)
    with pytest.raises(OutputError, match="a file of this name"):
        checkout(office.register, tmp_path / "copy.sqlite", TAKER)
