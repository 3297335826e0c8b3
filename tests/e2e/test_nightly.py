"""The nightly run from the inbox to the digest: what the technician reads, and what a killed run leaves."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from conftest import REPOSITORY, call, square, write_geojson
from nightly_fixtures import Desk, copied

from geopipe.config import load_config
from geopipe.errors import BusyError, ConfigError
from geopipe.io.geopackage import read_table
from geopipe.io.store import hold
from geopipe.nightly.filing import hash_of
from geopipe.nightly.hazards import hazard_left
from geopipe.nightly.standing import status
from geopipe.register.register import Register


@pytest.fixture(scope="module")
def after_one_night(tmp_path_factory):
    """Return a desk after its first night: two hazard areas of MAG, one of UXO Lao that overlaps."""
    desk = Desk(tmp_path_factory.mktemp("nightly") / "desk")
    desk.put("mag", "MAG_CHA.geojson", 0.0, 0.01)
    desk.put("uxo", "UXO.geojson", 0.001)
    assert desk.night().exit_code == 0
    return desk


@pytest.fixture
def desk(after_one_night, tmp_path):
    return copied(after_one_night, tmp_path / "desk")


def manifest_of(told):
    return json.loads((told.folder / "run.json").read_text(encoding="utf-8"))


def filed(desk, name, newest=False):
    """Return a filed delivery by its name: the first that came, or the last."""
    found = (desk.root / "work" / "received").glob(f"??/*/{name}")
    told = [
        (json.loads((path.parent / ".receipt.json").read_text("utf-8"))["number"], path) for path in found
    ]
    return (max if newest else min)(told)[1]


def sha256_of(desk, name, newest=False):
    return filed(desk, name, newest).parent.name


def say(desk, more):
    """Add lines to the configuration."""
    path = desk.root / "nightly.yaml"
    path.write_text(path.read_text("utf-8") + more, "utf-8")


def on_one_line(text):
    return " ".join(text.split())


def test_what_lay_in_the_inbox_is_filed_run_and_told(after_one_night):
    desk = after_one_night
    assert desk.lying() == []
    assert desk.received() == ["MAG_CHA.geojson", "UXO.geojson"]
    assert len(desk.runs()) == 1
    text = desk.digest()
    assert "2 new deliveries came; 2 of 2 files of the map were read." in text
    assert "received: MAG_CHA.geojson (mag): 2 records" in text
    assert "1 open: the first run, all that overlaps is backlog" in text
    assert len(text.splitlines()) <= 60


def test_the_manifest_holds_all_that_is_needed_to_make_the_run_again(after_one_night):
    (path,) = (after_one_night.root / "out" / "nights").glob("*/run.json")
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["run"]["folder"] == after_one_night.runs()[0]
    assert {item["name"]: len(item["sha256"]) for item in told["inputs"]} == {
        "MAG_CHA.geojson": 64, "UXO.geojson": 64,
    }  # fmt: skip
    assert all(Path(item["path"]).exists() for item in told["inputs"])
    assert [spec["path"] for spec in told["config"]["deliveries"]] == [
        item["path"] for item in told["inputs"]
    ]
    assert (told["config"]["today"], told["outcome"], told["exit_code"]) == ("2026-01-01", "done", 0)
    assert {"geopipe", "code", "python", "GEOS", "PROJ", "GDAL"} <= set(told["versions"])
    assert told["balance"]["kept"] == 3
    assert all("accuracy_m" in item for item in told["operations"])
    assert {"inbox", "ingest", "overlaps", "publish"} <= set(told["timings_s"])


def test_a_night_with_nothing_new_makes_no_run_and_says_so(desk):
    runs = desk.runs()
    told = desk.night()
    assert told.exit_code == 0
    assert desk.runs() == runs
    assert told.digest.headline.startswith("Nothing new came; 2 of 2 files of the map were read.")
    assert "The map of" in told.digest.headline
    assert "nothing new came" in desk.digest()


def test_a_new_register_replaces_the_one_before_and_lost_hazard_is_an_alarm(desk):
    desk.put("mag", "MAG_CHA_new.geojson", 0.0)
    told = desk.night()
    assert told.digest.counts["new_alarms"] == 1
    assert "1 NEW ALARM; 1 new delivery came" in told.digest.headline
    assert "is not in this one. It stays on the map: 1: MAG mag-1" in " ".join(desk.digest().split())
    assert len(manifest_of(told)["inputs"]) == 2
    assert told.result.summary["earlier"] == 1  # it stays on the map


def test_each_hazard_area_that_vanished_counts(desk):
    desk.put("mag", "MAG_CHA_new.geojson", 0.05, start=7)
    told = desk.night()
    alarms = {item["code"]: item["count"] for item in told.result.summary["alarms"]}
    assert alarms["HAZARD_VANISHED"] == 2
    assert (
        "stands: A hazard area of the last delivery is not in this one. It stays on the map: 2"
        in " ".join(desk.digest().split())
    )


def test_an_operator_that_sends_nothing_keeps_its_records_and_is_told_as_overdue(desk):
    desk.put("uxo", "UXO.geojson", 0.001, 0.02)
    told = desk.night(days=3)
    assert told.result.summary["balance"]["records_in"] == 4
    assert "MAG: overdue, last on 2026-01-01 (expected every 2 days)" in desk.digest()
    assert "missing: MAG (last 2026-01-01)" in desk.digest()


def test_a_broken_file_is_told_every_morning_until_a_better_one_comes(desk):
    broken = desk.root / "inbox" / "mag" / "MAG_CHA.geojson"
    broken.write_text('{"type": "FeatureCollection", "features": [', encoding="utf-8")
    told = desk.night()
    assert told.exit_code == 4
    assert told.digest.headline.startswith("NOT EVERYTHING WAS READ: 1 file could not be used")
    assert "Until then that of 2026-01-01 stays in force." in " ".join(desk.digest().split())
    assert told.result.summary["balance"]["kept"] == 3  # what was there before still is
    told = desk.night()
    assert "It came on 2026-01-02, and nothing better since." in " ".join(desk.digest().split())
    desk.put("mag", "MAG_CHA.geojson", 0.0, 0.01, 0.03)
    told = desk.night()
    assert told.exit_code == 0
    assert told.digest.counts["files_not_read"] == 0


def test_what_cannot_be_taken_is_told_and_the_exit_code_says_it(desk):
    (desk.root / "inbox" / "halo").mkdir()
    shutil.copy(desk.root / "nightly.yaml", desk.root / "inbox" / "halo" / "x.gpkg")
    told = desk.night()
    assert told.exit_code == 4
    assert "NOT EVERYTHING WAS READ: 1 thing in the inbox could not be taken" in told.digest.headline
    assert "folder halo (1 file) is not in the configuration" in desk.digest()
    assert desk.lying() == ["halo/x.gpkg"]


def test_deliveries_of_a_folder_that_is_named_no_longer_are_not_left_out_silently(desk):
    text = (desk.root / "nightly.yaml").read_text(encoding="utf-8").replace("    uxo:", "    uxo-lao:")
    (desk.root / "nightly.yaml").write_text(text, encoding="utf-8")
    told = desk.night()
    assert told.exit_code == 4
    assert "1 filed deliveries of folder uxo are not read" in desk.digest()


def test_a_filed_hazard_delivery_that_somebody_removed_is_told_every_morning(tmp_path):
    """The other file of the same operator is a whole register, too, but not the one that is gone."""
    desk = Desk(tmp_path)
    text = (desk.root / "nightly.yaml").read_text("utf-8").replace("MAG, kind: cha,", "MAG,")
    (desk.root / "nightly.yaml").write_text(text, "utf-8")
    hazard = ({"hazard_id": "a", "type": "CHA"}, square())
    write_geojson(desk.root / "inbox" / "mag" / "cha.geojson", [hazard])
    release = ({"clearance_id": "c", "type": "Cleared"}, square(east_by=4))
    write_geojson(desk.root / "inbox" / "mag" / "cleared.geojson", [release])
    assert desk.night().exit_code == 0
    (filed,) = (desk.root / "work" / "received").glob("??/*/cha.geojson")
    shutil.rmtree(filed.parent)
    for _ in range(2):
        told = desk.night()
        assert (told.exit_code, told.digest.level) == (4, "not_all_read")
        assert "1 earlier file of the map could not be read any more" in told.digest.headline
        assert "cha.geojson (MAG) is in force, but was not read now" in desk.digest()
        assert told.result.summary["earlier"] == 1


@pytest.mark.parametrize("text", ["", "[]", '{"sequence": "x"}', '{"last_receipt": null}'])
def test_a_manifest_that_is_damaged_stops_no_night_and_hides_nothing(desk, text):
    (manifest,) = (desk.root / "out" / "nights").glob("*/run.json")
    manifest.write_text(text, "utf-8")
    told = desk.night()
    assert told.digest.level != "failed"
    assert "received: MAG_CHA.geojson" in desk.digest()


def test_an_inbox_that_is_not_there_is_not_an_empty_one(desk):
    (desk.root / "inbox").rename(desk.root / "away")
    told = desk.night()
    assert told.exit_code == 4
    assert "the inbox could not be looked at. Nobody knows what came" in told.digest.headline
    assert "nothing new came" not in desk.digest()
    assert told.result.summary["balance"]["kept"] == 3


def test_an_old_delivery_that_comes_again_does_not_replace_the_newer_one(desk):
    old = (desk.root / "work" / "received").glob("*/*/MAG_CHA.geojson")
    content = next(old).read_bytes()
    desk.put("mag", "MAG_CHA.geojson", 0.0, 0.01, 0.03)
    desk.night()
    (desk.root / "inbox" / "mag" / "old.geojson").write_bytes(content)
    for times in (1, 0):  # told every morning, until somebody has said which one counts
        told = desk.night()
        assert told.result.summary["balance"]["kept"] == 4
        assert told.digest.counts["again"] == times
        text = on_one_line(desk.digest())
        assert "is the delivery of 2026-01-01 again; MAG_CHA.geojson of 2026-01-02 came after it" in text
        assert "All its hazard (2 areas) is in deliveries that are read." in text
    newer = sha256_of(desk, "MAG_CHA.geojson", newest=True)
    assert f"write '{newer[:8]}' into set_aside" in text
    say(desk, f"  set_aside:\n    '{newer[:8]}': the older one counts, says MAG\n")
    told = desk.night()
    assert {item["sha256"] for item in manifest_of(told)["inputs"]} == {
        sha256_of(desk, "MAG_CHA.geojson"), sha256_of(desk, "UXO.geojson"),
    }  # fmt: skip
    assert "Ask which one counts" not in on_one_line(desk.digest())


def test_older_bytes_are_asked_about_no_longer_when_a_newer_file_has_come(desk):
    content = filed(desk, "MAG_CHA.geojson").read_bytes()
    desk.put("mag", "MAG_CHA.geojson", 0.0, 0.01, 0.03)
    desk.night()
    (desk.root / "inbox" / "mag" / "old.geojson").write_bytes(content)
    desk.night()
    assert "Ask which one counts" in on_one_line(desk.digest())
    desk.put("mag", "MAG_CHA_newest.geojson", 0.0, 0.01, 0.03, 0.04)
    desk.night()
    assert "Ask which one counts" not in on_one_line(desk.digest())


def test_an_old_delivery_that_comes_again_while_the_run_fails_is_told_the_next_morning(desk, monkeypatch):
    content = filed(desk, "MAG_CHA.geojson").read_bytes()
    desk.put("mag", "MAG_CHA.geojson", 0.0, 0.01, 0.03)
    desk.night()
    (desk.root / "inbox" / "mag" / "old.geojson").write_bytes(content)
    monkeypatch.setattr("geopipe.nightly.night.choose", lambda *_: 1 / 0)
    desk.night()
    assert "the run failed before it was known if it is in force" in on_one_line(desk.digest())
    monkeypatch.undo()
    told = desk.night()
    assert told.digest.counts["again"] == 1
    assert "MAG_CHA.geojson of 2026-01-02 came after it" in on_one_line(desk.digest())


def test_a_file_in_the_folders_of_two_operators_is_asked_about_until_somebody_says_whose_it_is(desk):
    shutil.copy(filed(desk, "MAG_CHA.geojson"), desk.root / "inbox" / "uxo" / "copy.geojson")
    start = sha256_of(desk, "MAG_CHA.geojson")[:8]
    for times in (1, 0):
        told = desk.night()
        text = on_one_line(desk.digest())
        assert "copy.geojson in folder uxo (2026-01-02) is the file MAG_CHA.geojson that came in mag" in text
        assert "on 2026-01-01: it is read once, as mag's." in text
        assert f"belongs_to '{start}': uxo; if not, '{start}': mag" in text
        assert (told.digest.level, told.digest.counts["again"]) == ("attention", times)
    say(desk, f"  belongs_to:\n    '{start}': mag\n")
    told = desk.night()
    assert "in folder uxo" not in desk.digest()
    assert told.result.summary["balance"]["kept"] == 3


def test_a_file_that_came_in_the_wrong_folder_is_read_as_that_of_its_operator(desk):
    """It replaces the register of the operator whose it is, and what it replaced by mistake is back."""
    desk.put("mag", "wrong.geojson", 0.5, 0.6)
    desk.night()
    wrong = sha256_of(desk, "wrong.geojson")
    shutil.copy(filed(desk, "wrong.geojson"), desk.root / "inbox" / "uxo" / "right.geojson")
    desk.night()
    say(desk, f"  belongs_to:\n    '{wrong[:12]}': uxo\n")
    told = desk.night()
    read = {item["sha256"]: item["folder"] for item in manifest_of(told)["inputs"]}
    assert read == {sha256_of(desk, "MAG_CHA.geojson"): "mag", wrong: "uxo"}
    areas = read_table(told.result.outputs[0], "areas").to_pylist()
    everything = [
        ("MAG", "mag-0"), ("MAG", "mag-1"), ("UXO Lao", "mag-0"), ("UXO Lao", "mag-1"), ("UXO Lao", "uxo-0"),
    ]  # fmt: skip
    assert sorted((row["operator"], row["source_id"]) for row in areas) == everything
    assert "It stays on the map: 1: UXO Lao uxo-0" in on_one_line(desk.digest())
    assert "in folder uxo" not in desk.digest()
    told = desk.night()
    assert (told.exit_code, told.digest.counts["new_alarms"]) == (0, 0)
    areas = read_table(told.result.outputs[0], "areas").to_pylist()
    assert sorted((row["operator"], row["source_id"]) for row in areas) == everything


def test_a_folder_that_is_not_known_cannot_be_named_as_whose_a_file_is(desk):
    say(desk, "  belongs_to:\n    '3f9a12c4': ux0\n")
    with pytest.raises(ConfigError, match=r"'ux0' is no folder of `operators`; did you mean 'uxo'\?"):
        desk.night()


def test_a_hash_that_no_file_has_sets_nothing_aside_and_is_told(desk):
    say(desk, f"  set_aside:\n    '{'0' * 8}': sent by mistake\n")
    told = desk.night()
    assert told.result.summary["balance"]["kept"] == 3
    assert "set_aside names '00000000': no filed delivery begins so" in on_one_line(desk.digest())


@pytest.mark.parametrize("start", ["", "3f9", "3F9A12C4"])
def test_what_cannot_be_the_beginning_of_a_hash_is_refused(desk, start):
    """An empty one would set everything aside."""
    say(desk, f"  set_aside:\n    '{start}': sent by mistake\n")
    with pytest.raises(ConfigError, match="set_aside"):
        desk.night()


def test_a_fault_leaves_the_old_map_and_says_what_to_do(desk, monkeypatch):
    def broken(*_):
        raise RuntimeError("boom")

    before = (desk.root / "out" / "CURRENT").read_text(encoding="utf-8")
    desk.put("mag", "MAG_CHA.geojson", 0.0, 0.01, 0.03)
    monkeypatch.setattr("geopipe.nightly.night.run_held", broken)
    told = desk.night()
    assert told.exit_code == 1
    assert told.digest.headline.startswith("THE RUN FAILED. The map of ")
    assert "a fault of geopipe (RuntimeError)" in desk.digest()
    assert "not looked for: the run failed" in desk.digest()
    assert "kept; the run failed before it was read" in desk.digest()
    assert (desk.root / "out" / "CURRENT").read_text(encoding="utf-8") == before
    assert "boom" in (desk.root / "work" / "logs" / "geopipe.jsonl").read_text(encoding="utf-8")
    monkeypatch.undo()
    told = desk.night()  # what came that night is read in the next one, and told again
    assert told.digest.headline.startswith("1 new delivery came")
    assert told.result.summary["balance"]["kept"] == 4


def test_a_damaged_register_is_told_with_exit_code_6(desk):
    register = desk.root / "work" / "register.sqlite"
    register.write_bytes(b"SQLite format 3\0" + b"\0" * 5000)
    told = desk.night()
    assert told.exit_code == 6
    assert "OPERATION.md" in desk.digest() or "Restore it from your backup" in desk.digest()
    assert told.digest.level == "failed"


def test_nothing_was_ever_received(tmp_path):
    desk = Desk(tmp_path)
    told = desk.night()
    assert told.exit_code == 3
    assert told.digest.headline == "THE RUN FAILED. There is no map yet."
    assert "nothing was ever received" in " ".join(desk.digest().split())  # lines break where a path is long


def test_a_run_that_is_at_work_is_left_alone(desk):
    before = desk.digest()
    with hold(desk.root / "work"), pytest.raises(BusyError):
        desk.night()
    assert desk.digest() == before


def test_a_night_that_was_killed_is_told_the_next_morning(desk):
    night = desk.root / "out" / "nights" / "2026-01-01-01"
    told = json.loads((night / "run.json").read_text(encoding="utf-8"))
    (night / "run.json").write_text(json.dumps({**told, "outcome": "running"}), encoding="utf-8")
    desk.night()
    assert "The night 2026-01-01-01 (began 2026-01-01T01:00:00+00:00) did not end by itself" in desk.digest()


def test_old_runs_go_and_those_that_people_decided_on_stay(desk):
    decided = desk.runs()[0]
    with Register.existing(desk.root / "work") as register:
        at = desk.clock.now.replace(hour=9)
        register.insert("papers", "p", "TWG 1", "2026-01-01", "", "", "", None, "Bounmy", at.isoformat())
    text = (desk.root / "nightly.yaml").read_text(encoding="utf-8")
    (desk.root / "nightly.yaml").write_text(
        text + "  keep_days: 2\n  keep_received_days: 4\n", encoding="utf-8"
    )
    seen = []
    for by in (0.03, 0.04, 0.05, 0.06, 0.07):
        desk.put("mag", f"MAG_{by}.geojson", 0.0, 0.01, by)
        desk.night(days=2)
        seen += [name for name in desk.runs() if name not in (*seen, decided)]
    assert decided in desk.runs()
    assert seen[-1] in desk.runs()
    assert seen[0] not in desk.runs()
    assert "MAG_0.03.geojson" not in desk.received()
    assert {"MAG_CHA.geojson", "MAG_0.07.geojson", "UXO.geojson"} <= set(desk.received())


def configs(desk):
    return sorted(path.stem for path in (desk.root / "work" / "configs").iterdir())


def test_the_configuration_of_a_run_goes_when_its_folder_and_its_deliveries_are_gone(desk):
    """As long as the deliveries are there, the run can be made again though its folder is gone."""
    first = desk.runs()
    say(desk, "  keep_days: 2\n  keep_received_days: 7\n")
    seen = []
    for by in (0.03, 0.04, 0.05, 0.06):
        desk.put("mag", f"MAG_{by}.geojson", 0.0, 0.01, by)
        told = desk.night(days=2)
        seen += [name for name in desk.runs() if name not in (*first, *seen)]
    assert desk.runs() == sorted(seen[-2:])
    assert configs(desk) == sorted([*first, *seen])
    desk.put("mag", "MAG_0.07.geojson", 0.0, 0.01, 0.07)
    told = desk.night(days=2)
    assert set(first) & set(configs(desk)) == set()
    assert set(seen) < set(configs(desk))
    assert manifest_of(told)["removed"]["configs"] == first


def test_a_clock_that_jumps_ahead_removes_nothing(desk):
    say(desk, "  keep_days: 1\n  keep_received_days: 1\n")
    desk.put("mag", "MAG_CHA_new.geojson", 0.0, 0.01, 0.03)
    desk.night()
    told = desk.night(days=900)
    assert desk.received() == ["MAG_CHA.geojson", "MAG_CHA_new.geojson", "UXO.geojson"]
    assert len(desk.runs()) == 2
    assert "nothing old was removed: the night before was 900 days ago" in on_one_line(desk.digest())
    told = desk.night()
    assert told.exit_code == 0
    assert desk.received() == ["MAG_CHA_new.geojson", "UXO.geojson"]
    assert len(desk.runs()) == 1


def test_what_comes_after_everything_old_has_gone_is_told(desk):
    """Deliveries are numbered: the last number must not be given away again."""
    (desk.root / "inbox" / "mag" / "letter.pdf").write_bytes(b"dear colleagues")
    say(desk, "  keep_received_days: 1\n")
    for _ in range(2):
        desk.night(days=2)
    desk.put("uxo", "UXO.geojson", 0.001, 0.002)
    assert desk.night().digest.counts["received"] == 1


def test_a_delivery_that_came_again_is_as_young_as_its_last_coming(desk):
    content = filed(desk, "MAG_CHA.geojson").read_bytes()
    desk.put("mag", "MAG_CHA_new.geojson", 0.0, 0.01, 0.03)
    say(desk, "  keep_received_days: 3\n")
    desk.night(days=2)
    (desk.root / "inbox" / "mag" / "MAG_CHA.geojson").write_bytes(content)
    desk.put("uxo", "UXO_new.geojson", 0.001, 0.002)
    for _ in range(2):
        desk.night(days=2)
    assert "MAG_CHA.geojson" in desk.received()
    for _ in range(2):
        desk.night(days=2)
    assert "MAG_CHA.geojson" not in desk.received()


def test_a_person_can_set_a_delivery_aside(desk):
    desk.put("mag", "wrong.geojson", 0.5)
    told = desk.night()
    sha256 = next(item["sha256"] for item in manifest_of(told)["inputs"] if item["name"] == "wrong.geojson")
    text = (desk.root / "nightly.yaml").read_text(encoding="utf-8")
    aside = f"  set_aside:\n    {sha256[:12]}: sent by mistake, says MAG\n"
    (desk.root / "nightly.yaml").write_text(text + aside, encoding="utf-8")
    told = desk.night()
    assert [item["name"] for item in manifest_of(told)["inputs"]] == ["UXO.geojson", "MAG_CHA.geojson"]
    assert "wrong.geojson (mag, 2026-01-02) is set aside: sent by mistake, says MAG" in desk.digest()
    assert "1 of 1 hazard area in it: in no delivery that is read, on the map until" in on_one_line(
        desk.digest()
    )
    assert "is in force, but was not read" not in desk.digest()


def test_records_that_cannot_be_looked_at_any_more_leave_open_if_their_hazard_is_on_the_map(desk):
    names = [sha256_of(desk, "MAG_CHA.geojson"), sha256_of(desk, "UXO.geojson")]
    run = desk.root / "out" / "runs" / desk.runs()[0]
    with Register.existing(desk.root / "work") as register:
        assert list(hazard_left(register.ledger, names, run, 0.001)) == names
        ((key,),) = register.ask("SELECT key FROM readings WHERE content_hash = ?", names[0])
        register.ledger.frame_path(key).unlink()
        assert list(hazard_left(register.ledger, names, run, 0.001)) == names[1:]
        assert hazard_left(register.ledger, names, run.parent, 0.001) == {}


def test_what_is_set_aside_is_not_even_looked_into(desk, monkeypatch):
    """It may be what stops every run."""
    asked = []

    def looked_into(_ledger, receipts, *_):
        asked.extend(item.name for item in receipts)
        return {}

    monkeypatch.setattr("geopipe.nightly.night.contents_of", looked_into)
    start = sha256_of(desk, "MAG_CHA.geojson")[:8]
    say(desk, f"  set_aside:\n    '{start}': no good\n")
    desk.night()
    assert asked == ["UXO.geojson"]


def test_hazard_that_was_set_aside_before_it_was_read_is_not_silently_off_the_map(desk):
    path = desk.put("mag", "MAG_CHA_new.geojson", 0.0, 0.01, 0.5)
    say(desk, f"  set_aside:\n    '{hash_of(path)[:8]}': not yet, says MAG\n")
    for _ in range(2):
        told = desk.night()
        assert told.digest.level == "attention"
        assert (
            told.digest.sections[0]
            .lines[0]
            .startswith("NOT ON THE MAP: MAG_CHA_new.geojson (mag, 2026-01-02)")
        )
    assert "MAG_CHA_new.geojson (mag): kept; not read: it is set aside" in (
        desk.root / "out" / "nights" / "2026-01-02-01" / "digest.txt"
    ).read_text("utf-8")


def test_a_delivery_set_aside_of_which_all_hazard_is_read_elsewhere_asks_nothing(desk):
    old = sha256_of(desk, "MAG_CHA.geojson")
    desk.put("mag", "MAG_CHA_new.geojson", 0.0, 0.01, 0.5)
    say(desk, f"  set_aside:\n    '{old[:8]}': older, says MAG\n")
    told = desk.night()
    assert told.digest.sections[1].lines == ("nothing new",)
    assert "is set aside: older, says MAG. All its hazard (2 areas) is in deliveries" in on_one_line(
        desk.digest()
    )


def test_a_delivery_that_is_set_aside_is_kept_however_old_it_is(desk):
    """Its reason may fall away; and as long as the configuration names it, it must be there."""
    desk.put("mag", "MAG_CHA_new.geojson", 0.0, 0.01, 0.02)
    old = sha256_of(desk, "MAG_CHA.geojson")
    say(desk, f"  keep_received_days: 1\n  set_aside:\n    '{old[:8]}': older, says MAG\n")
    for _ in range(4):
        desk.night(days=2)
    assert "MAG_CHA.geojson" in desk.received()


def test_a_message_that_cannot_be_sent_is_a_warning_and_no_secret_is_written_anywhere(desk, monkeypatch):
    secret = "correct-horse-battery"
    monkeypatch.setenv("GEOPIPE_TEST_PASSWORD", secret)
    (desk.root / "url.txt").write_text(f"http://127.0.0.1:9/{secret}", encoding="utf-8")
    text = (desk.root / "nightly.yaml").read_text(encoding="utf-8")
    more = """
  notify:
    mail:
      {host: 127.0.0.1, port: 9, security: none, user: me, password_env: GEOPIPE_TEST_PASSWORD,
       sender: g@example.org, to: [t@example.org]}
    webhook: {url_file: url.txt}
"""
    (desk.root / "nightly.yaml").write_text(text + more, encoding="utf-8")
    told = desk.night()
    assert told.exit_code == 0
    assert len(manifest_of(told)["warnings"]) == 2
    assert desk.digest().count("warning: ") == 2
    everything = [
        path for name in ("out", "work") for path in (desk.root / name).rglob("*") if path.is_file()
    ]
    assert any(path.name == "geopipe.jsonl" for path in everything)
    assert not [path for path in everything if secret.encode() in path.read_bytes()]


# Killed while it files.

STEPS = ("hash", "copied", "receipt", "renamed", "removed a part", "removed")
KILL = """
import os, sys
from geopipe.nightly import filing
from nightly_fixtures import Clock
from geopipe.config import load_config
from geopipe.nightly.night import run_night
filing.step = lambda name: os._exit(9) if name == sys.argv[2] else None
clock = Clock()
run_night(load_config(__import__("pathlib").Path(sys.argv[1])), clock=clock, pause=clock.pause)
"""


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_of_filing_nothing_is_lost_and_nothing_taken_twice(tmp_path, step):
    desk = Desk(tmp_path)
    for suffix in (".shp", ".shx", ".dbf"):
        (desk.root / "inbox" / "mag" / f"areas{suffix}").write_bytes(b"x" * 200)
    desk.put("uxo", "UXO.geojson", 0.001)
    paths = os.pathsep.join([str(REPOSITORY / "tests"), *sys.path])
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILL), str(desk.root / "nightly.yaml"), step],
        env={**os.environ, "PYTHONPATH": paths}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert killed.returncode == 9, killed.stderr
    told = desk.night()
    assert desk.lying() == []
    assert desk.received() == ["UXO.geojson", "areas.dbf", "areas.shp", "areas.shx"]
    assert not list((desk.root / "work" / "received").glob(".taking-*"))
    assert told.result.summary["balance"]["kept"] == 1
    text = desk.digest()
    assert "received: UXO.geojson (uxo): 1 record" in text
    assert "received: areas.shp (mag)" in text
    assert "came again" not in text
    assert "did not end by itself" in text
    again = desk.night()
    assert again.digest.counts["received"] == 0
    assert again.digest.counts["again"] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_is_told_and_goes_on(desk, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("geopipe.nightly.night.run_held", interrupted)
    with pytest.raises(KeyboardInterrupt):
        desk.night()
    assert "it was interrupted" in desk.digest()


# The commands.


def test_the_commands_run_a_night_and_tell_how_it_stands(desk):
    config = desk.root / "nightly.yaml"
    text = config.read_text(encoding="utf-8").replace("settle_seconds: 60", "settle_seconds: 0")
    config.write_text(text, encoding="utf-8")
    (desk.root / "inbox" / "uxo" / "x.tmp").write_bytes(b"x")
    ran = call("run", config, "--nightly")
    assert ran.code == 0
    assert ran.first_line.startswith("geopipe, night ")
    told = json.loads(call("status", config, "--json").out)
    assert told["last"]["outcome"] == "done"
    assert told["lock"] is None
    assert [item["file"] for item in told["inbox"]["files"]] == ["x.tmp"]
    shown = call("status", config).out
    assert "x.tmp (uxo): its name is that of an unfinished copy" in shown
    assert "AT WORK   nobody" in shown
    nights = json.loads(call("nights", desk.root / "work", "--json").out)["rows"]
    assert [item["exit_code"] for item in nights] == [0, 0]
    assert nights[-1]["counts"]["received"] == 2
    assert call("nights", config).out.count("exit  0") == 2
    with hold(desk.root / "work"):
        busy = call("run", config, "--nightly")
        assert busy.code == 75
        assert f"process {os.getpid()} of " in busy.err
        assert f"process {os.getpid()} of " in call("status", config).out


def test_after_a_clock_that_ran_ahead_the_last_night_is_the_last_one(desk):
    right = desk.clock.now
    desk.clock.now = right.replace(year=2031)
    desk.night()
    in_between = status(desk.config, right)
    assert "The last run is dated in the future: check the date of this computer." in in_between["next"]
    desk.clock.now = right
    desk.night()
    told = status(desk.config, right + dt.timedelta(days=4))
    assert told["last"]["night"] == "2026-01-02-01"
    assert "The last run was 72 hours ago. Is the timer on?" in told["next"]


def test_a_configuration_without_a_nightly_part_is_refused(tmp_path, two_files):
    (tmp_path / "run.yaml").write_text("deliveries: [{path: in}]\n", encoding="utf-8")
    ran = call("run", tmp_path / "run.yaml", "--nightly")
    assert ran.code == 2
    assert "no part `nightly`. Copy it from configs/nightly.yaml." in ran.err


def test_the_shipped_example_can_be_read():
    config = load_config(REPOSITORY / "configs" / "nightly.yaml")
    assert config.nightly.notify is None
    assert "mag" in config.nightly.operators
