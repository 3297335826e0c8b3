"""`geopipe register`, as the keeper of the register types it."""

import datetime as dt
import json
import sqlite3
from contextlib import closing

import pytest
from conftest import call, square, write_geojson

from geopipe.io.ledgers import backups
from geopipe.register.desk import Desk
from geopipe.register.register import Register

# Places in two provinces: Xieng Khouang and Savannakhet.
XIENG_KHOUANG, SAVANNAKHET = (103.2, 19.4), (105.6, 16.5)


def write_deliveries(folder, more=()):
    """Two operators whose areas overlap in two provinces."""
    for name, shift in (("MAG", 0), ("HALO", 0.001)):
        records = [
            ({"hazard_id": f"{name}-{number}"}, square(west, south, east_by=shift))
            for number, (west, south) in enumerate((XIENG_KHOUANG, SAVANNAKHET, *more))
        ]
        write_geojson(folder / "in" / f"{name}_CHA.geojson", records)


def run(folder, workspace="work", today="2026-05-01"):
    config = folder / f"{workspace}.yaml"
    config.write_text(
        f"deliveries: [{{path: in}}]\nworkspace: {workspace}\noutput: out-{workspace}\ntoday: {today}\n",
        encoding="utf-8",
    )
    return call("run", config, "--quiet")


@pytest.fixture
def folder(tmp_path):
    write_deliveries(tmp_path)
    assert run(tmp_path).code == 0
    return tmp_path


def decide(workspace):
    """An office writes down who sees to each case."""
    with Register.existing(workspace) as register:
        for case in register.cases():
            Desk(register, "Khamla", dt.datetime(2026, 5, 2, 9, tzinfo=dt.UTC)).assign(case, "Dr Lee")


def names(workspace):
    with Register.existing(workspace) as register:
        return sorted(case.name for case in register.cases())


# Check.


def test_a_whole_register_is_told_with_what_it_holds(folder):
    ran = call("register", "check", folder / "work")
    assert ran.code == 0
    assert ran.first_line.startswith("The register is whole: 2 cases, 2 events")
    assert json.loads(call("register", "check", folder / "work", "--json").out)["is_whole"] is True


def test_a_damaged_register_ends_with_6_and_says_how_to_restore(folder):
    assert call("register", "backup", folder / "work").code == 0
    with closing(sqlite3.connect(folder / "work" / "register.sqlite")) as connection:
        connection.execute("DROP TRIGGER decisions_keeps_DELETE")
    ran = call("register", "check", folder / "work")
    assert ran.code == 6
    assert ran.first_line == "THE REGISTER IS DAMAGED: 1 faults."
    assert "decisions_keeps_DELETE is missing" in ran.out
    assert f"cp '{folder / 'work' / 'backups'}" in ran.out


def test_a_published_file_that_was_changed_is_a_fault_and_old_folders_may_go(folder):
    write_deliveries(folder, more=[(105.8, 16.6)])
    run(folder)
    first, second = (folder / "out-work" / "runs" / row["folder"] for row in runs(folder / "work"))
    for path in sorted(first.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    first.rmdir()
    ran = call("register", "check", folder / "work")
    assert ran.code == 0
    assert "Note: 1 older publications are not in" in ran.out
    with (second / "geopipe.gpkg").open("ab") as stream:
        stream.write(b"more")
    ran = call("register", "check", folder / "work")
    assert ran.code == 6
    assert "A published file is not as it was published" in ran.out


def runs(workspace):
    with Register.existing(workspace) as register:
        return register.runs()


# Backup.


def test_each_run_on_a_new_register_state_backs_it_up_first(folder):
    assert not (folder / "work" / "backups").exists()
    write_deliveries(folder, more=[(105.8, 16.6)])
    assert run(folder).code == 0
    (backup,) = (folder / "work" / "backups").iterdir()
    assert (len(runs(backup)), len(runs(folder / "work"))) == (1, 2)


def test_a_run_goes_on_when_the_backup_cannot_be_written_and_says_so(folder, monkeypatch, caplog):
    def full(_path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "sync", full)
    write_deliveries(folder, more=[(105.8, 16.6)])
    assert run(folder).code == 0
    assert "the backup of the register could not be written" in caplog.text
    assert "No space left" in caplog.text
    assert len(runs(folder / "work")) == 2


def test_a_backup_is_a_whole_register_and_overwrites_nothing(folder):
    target = folder / "usb" / "register.sqlite"
    assert call("register", "backup", folder / "work", "-o", target).code == 0
    assert names(target) == names(folder / "work")
    again = call("register", "backup", folder / "work", "-o", target)
    assert again.code == 2
    assert "a file of this name already" in again.err


# Export.


def test_an_export_tells_where_it_is(folder):
    ran = call("register", "export", folder / "work", "-o", folder / "plain", "--json")
    assert json.loads(ran.out)["rows"]["cases"] == 2
    assert (folder / "plain" / "cases.gpkg").is_file()


# Copies, and what comes back.


def extract(folder, province="Xieng Khouang", output="psv.sqlite", code="PSV"):
    given = ("--province", province, "--office", code, "--by", "Bounmy", "-o", folder / output)
    return call("register", "extract", folder / "work", *given)


@pytest.mark.parametrize("province", ["Xieng Khouang", "XKH", "LA09"])
def test_an_extract_holds_the_cases_of_one_province_only(folder, province):
    assert extract(folder, province).code == 0
    assert names(folder / "psv.sqlite") == ["XKH-2026-0001"]
    with Register.existing(folder / "psv.sqlite") as part:
        assert part.ask("SELECT count(*) FROM deliveries") == [(0,)]
        assert part.ask("SELECT count(*) FROM versions") == [(2,)]


def test_a_province_that_is_not_known_or_not_clear_is_refused(folder):
    assert "there is no province of this name" in extract(folder, "Atlantis").err
    assert "means several provinces" in extract(folder, "Vientiane").err


def test_geopipe_runs_in_a_checkout_and_gives_provisional_numbers(folder):
    given = ("--office", "PSV", "--by", "Bounmy", "-o", folder / "copy")
    assert call("register", "checkout", folder / "work", *given).code == 0
    write_deliveries(folder, more=[(105.8, 16.6)])
    assert run(folder, "copy").code == 0
    assert names(folder / "copy") == ["SVK-2026-0001", "SVK-PSV-2026-0001", "XKH-2026-0001"]
    assert call("register", "check", folder / "copy").code == 0


def test_geopipe_runs_in_an_extract(folder):
    assert extract(folder, output="part").code == 0
    assert run(folder, "part").code == 0
    assert "XKH-2026-0001" in names(folder / "part")
    assert call("register", "check", folder / "part").code == 0


def test_a_merge_is_shown_first_and_done_when_asked(folder):
    extract(folder)
    decide(folder / "psv.sqlite")
    shown = call("register", "merge", folder / "psv.sqlite", folder / "work")
    assert shown.code == 0
    assert shown.first_line == "Office PSV: 1 events would be merged, 0 known already."
    assert "XKH-2026-0001    2026-05-02 09:00  Khamla             assigned" in shown.out
    assert "Nothing was written. To merge: add --apply --by NAME." in shown.out
    assert call("register", "merge", folder / "psv.sqlite", folder / "work", "--apply").code == 2
    done = call(
        "register", "merge", folder / "psv.sqlite", folder / "work", "--apply", "--by", "Noy", "--json"
    )
    assert [event["author"] for event in json.loads(done.out)["merged"]] == ["Khamla"]
    again = call("register", "merge", folder / "psv.sqlite", folder / "work", "--apply", "--by", "Noy")
    assert again.first_line == "Office PSV: 0 events merged, 1 known already."


def test_a_conflict_shows_both_sides_and_ends_with_4(folder):
    extract(folder)
    decide(folder / "psv.sqlite")
    with Register.existing(folder / "work") as register:
        case = register.case("XKH-2026-0001")
        Desk(register, "Noy", dt.datetime(2026, 5, 3, tzinfo=dt.UTC)).put_on_agenda(case, "TWG 2026-06")
    ran = call("register", "merge", folder / "psv.sqlite", folder / "work", "--apply", "--by", "Noy")
    assert ran.code == 4
    assert ran.lines[1].startswith("1 cases CONFLICT")
    assert ran.lines[2].split()[:2] == ["here", "XKH-2026-0001"]
    assert ran.lines[3].split()[:2] == ["copy", "XKH-2026-0001"]
    assert all(len(line) < 100 for line in ran.lines)


def test_a_register_that_is_not_there_ends_with_6(tmp_path):
    ran = call("register", "check", tmp_path)
    assert (ran.code, ran.out) == (6, "")
    assert "there is no register" in ran.err
