"""`geopipe changes` and `geopipe ledger`, as a technician types them."""

import datetime as dt
import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from conftest import call, read_layer, square, write_geojson
from make import hazard, make_features
from make import square as metres

from geopipe.io.ledgers.ledger import Ledger
from geopipe.io.ledgers.received import received
from geopipe.schema import FEATURES, empty_frame

AT = dt.datetime(2026, 4, 10, tzinfo=dt.UTC)


@pytest.fixture
def two_years(tmp_path):
    """Two deliveries of one operator: 1 stays, 2 shrinks, 3 vanishes, 4 is new, 5 is called 6 now."""
    places = {name: square(east_by=0.01 * name) for name in range(1, 7)}
    smaller = square(east_by=0.02, side=0.001)
    old = write_geojson(
        tmp_path / "MAG_CHA_2025.geojson",
        [({"hazard_id": f"M-{name}"}, places[name]) for name in (1, 2, 3, 5)],
    )
    new = [("M-1", places[1]), ("M-2", smaller), ("M-4", places[4]), ("M-6", places[5])]
    new_file = write_geojson(
        tmp_path / "MAG_CHA_2026.geojson", [({"hazard_id": name}, ground) for name, ground in new]
    )
    return old, new_file


def test_alarms_come_first_and_every_change_is_counted(two_years):
    ran = call("changes", *two_years, "--snapshot")
    assert ran.code == 0
    assert [line.split()[:3] for line in ran.lines if line.startswith("ALARM")] == [
        ["ALARM", "HAZARD_SHRANK", "MAG:hazard:M-2"],
        ["ALARM", "HAZARD_VANISHED", "MAG:hazard:M-3"],
    ]
    assert ran.first_line.startswith("ALARM")
    counted = dict(reversed(line.split(maxsplit=1)) for line in ran.lines if line.split()[0].isdecimal())
    assert counted == {"vanished": "1", "edited": "1", "added": "1", "re issued": "1"}
    assert len(ran.lines) < 25


def test_without_snapshot_nothing_vanishes_and_it_says_so(two_years):
    ran = call("changes", *two_years)
    assert "HAZARD_VANISHED" not in ran.out
    assert "only in OLD, still in force" in ran.out
    assert "--snapshot" in ran.out


def test_alarms_can_end_a_command(two_years):
    assert call("changes", *two_years, "--snapshot", "--fail-on", "alarm").code == 5
    assert call("changes", two_years[0], two_years[0], "--snapshot", "--fail-on", "note").code == 0


def test_nothing_changed_is_said(two_years):
    assert call("changes", two_years[0], two_years[0], "--snapshot").out == "Nothing has changed.\n"


def test_results_are_written_where_asked(two_years, tmp_path):
    ran = call("changes", *two_years, "--snapshot", "-o", tmp_path / "out", "--json")
    told = json.loads(ran.out)
    assert told == json.loads((tmp_path / "out" / "changes.json").read_text(encoding="utf-8"))
    assert told["changes"] == {"added": 1, "edited": 1, "re_issued": 1, "vanished": 1}
    assert told["severities"] == {"alarm": 2}
    rows = read_layer(tmp_path / "out" / "changes.gpkg", "changes")
    assert sorted(row["change"] for row in rows) == ["added", "edited", "re_issued", "vanished"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"changes.gpkg", "changes.json"}


def test_deliveries_of_two_operators_are_not_compared(two_years, tmp_path):
    other = write_geojson(tmp_path / "HALO_CHA.geojson", [({"hazard_id": "H-1"}, square())])
    ran = call("changes", two_years[0], other)
    assert ran.code == 2
    assert "different operators (MAG; HALO)" in ran.err
    assert "--operator NAME" in ran.err
    assert call("changes", two_years[0], other, "--operator", "MAG").code == 0


def test_a_file_that_is_not_there_is_named(two_years, tmp_path):
    ran = call("changes", two_years[0], tmp_path / "nothing.gpkg")
    assert (ran.code, "nothing.gpkg" in ran.err) == (3, True)


@pytest.fixture
def workspace(tmp_path):
    """A workspace whose ledger knows one delivery of MAG for the first quarter."""
    state = make_features(replace(hazard(metres(), id="1"), file="MAG_CHA.gpkg"))
    (known,) = state.deliveries
    known = replace(known, content_hash="0123456789abcdef", mode="snapshot", operator="MAG", period="2026-Q1")
    state = replace(state, deliveries=(known,), features=state.features.with_columns({"role": "operator"}))
    folder = tmp_path / "work"
    with Ledger.open(folder) as ledger:
        ledger.record("run-1", AT, received(state), state, empty_frame(FEATURES))
    return folder


def test_deliveries_are_listed(workspace):
    ran = call("ledger", workspace)
    assert ran.code == 0
    assert ran.lines[1].split() == [
        "01234567", "2026-04-10", "2026-Q1", "MAG", "operator", "snapshot", "1", "1", "0", "MAG_CHA.gpkg",
    ]  # fmt: skip
    assert call("ledger", workspace / "register.sqlite").out == ran.out
    (row,) = json.loads(call("ledger", workspace, "--json").out)["deliveries"]
    assert (row["content_hash"], row["records"]) == ("0123456789abcdef", 1)


def test_who_has_not_delivered_is_named_under_any_of_its_names(workspace):
    asked = ("ledger", workspace, "--period", "2026-Q1", "--expect", "UXOL, MAG ,HALO")
    assert call(*asked).lines[-1].endswith("nor sent a nil report: UXO Lao, HALO")
    ran = call("ledger", "nil", workspace, "--operator", "uxol", "--period", "2026-Q1", "--by", "Bounmy")
    assert (ran.code, ran.out) == (0, "UXO Lao has nothing to report for 2026-Q1: written down.\n")
    assert json.loads(call(*asked, "--json").out)["missing"] == ["HALO"]
    assert "nil report: UXO Lao for 2026-Q1, by Bounmy" in call(*asked).out


def test_a_nil_report_is_written_down_once(workspace):
    words = ("ledger", "nil", workspace, "--operator", "HALO", "--period", "2026-Q1", "--by", "Bounmy")
    call(*words)
    assert "known already" in call(*words).out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--period", "2026-Q1"], "belong together"),
        (["--period", "first", "--expect", "MAG"], "is not a period"),
    ],
)
def test_questions_that_are_not_understood_are_refused(workspace, words, says):
    ran = call("ledger", workspace, *words)
    assert (ran.code, says in ran.err) == (2, True)


@pytest.mark.parametrize("left_out", ["--operator", "--period", "--by"])
def test_a_nil_report_needs_who_when_and_from_whom(workspace, left_out):
    given = {"--operator": "HALO", "--period": "2026-Q1", "--by": "Bounmy"}
    given.pop(left_out)
    ran = call("ledger", "nil", workspace, *(word for pair in given.items() for word in pair))
    assert ran.code == 2
    assert left_out in ran.err


def test_a_ledger_that_is_not_there_or_damaged_ends_with_its_own_code(workspace, tmp_path):
    assert call("ledger", tmp_path / "nowhere").code == 6
    assert (
        call("ledger", "nil", tmp_path / "nowhere", "--operator", "A", "--period", "2026", "--by", "B").code
        == 6
    )
    with closing(sqlite3.connect(workspace / "register.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 99")
    ran = call("ledger", workspace)
    assert ran.code == 6
    assert "newer geopipe" in ran.err
