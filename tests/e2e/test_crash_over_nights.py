"""A record that crashes the program whenever it is measured, night after night: the runs go on without it."""

import pytest
from conftest import call, read_layer, square, write_geojson
from dying_parts import die_over_deadly
from nightly_fixtures import Desk

from geopipe.settling import divided, executors

GOOD = {"hazard_id": "keeps"}
DEADLY = {"hazard_id": "bad", "note": "deadly"}


def put(desk, name, *records):
    write_geojson(desk.root / "inbox" / "mag" / f"{name}_CHA.geojson", list(records))


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A desk after a night in which all was well."""
    monkeypatch.setattr(divided, "settle", die_over_deadly)
    monkeypatch.setattr(executors, "_TRIES", 1)  # a second try would only take time
    desk = Desk(tmp_path / "desk")
    put(desk, "MAG_1", ({"hazard_id": "bad"}, square()), (GOOD, square(east_by=0.002)))
    assert desk.night().exit_code in (0, 4)
    return desk


def on_map(desk, layer="areas"):
    current = desk.root / "out" / (desk.root / "out" / "CURRENT").read_text().strip()
    return sorted((row["source_id"], row["file"]) for row in read_layer(current / "geopipe.gpkg", layer))


def told(night):
    return night.result.summary["findings"]


def test_it_goes_back_and_its_last_good_version_stays_until_minutes_say_otherwise(desk):
    put(desk, "MAG_2", (DEADLY, square(east_by=0.0001)), (GOOD, square(east_by=0.002)))
    for _ in range(2):
        night = desk.night()
        assert night.exit_code == 4
        assert (told(night)["NOT_SETTLED"], told(night)["LAST_VERSION_KEPT"]) == (1, 1)
        assert "HAZARD_VANISHED" not in told(night)
        assert on_map(desk) == [("bad", "MAG_1_CHA.geojson"), ("keeps", "MAG_2_CHA.geojson")]
        assert on_map(desk, "hazard_unresolved") == [("bad", "MAG_2_CHA.geojson")]
        assert on_map(desk, "rejected") == [("bad", "MAG_2_CHA.geojson")]

    put(desk, "MAG_3", (GOOD, square(east_by=0.002)))
    for _ in range(2):
        night = desk.night()
        assert told(night)["NOT_SETTLED"] == 1
        assert told(night)["HAZARD_VANISHED"] == 1
        assert on_map(desk) == [("bad", "MAG_1_CHA.geojson"), ("keeps", "MAG_3_CHA.geojson")]
        assert on_map(desk, "hazard_unresolved") == [("bad", "MAG_2_CHA.geojson")]

    (desk.root / "twg.pdf").write_bytes(b"signed")
    minutes = ("--meeting", "TWG 2026-02", "--minutes", desk.root / "twg.pdf", "--by", "Bounmy")
    words = ("hazard", "release", "bad", "-w", desk.root / "work", "--cause", "a slip of the pen", *minutes)
    assert call(*words).code == 0
    night = desk.night()
    assert "NOT_SETTLED" not in told(night)
    assert on_map(desk) == [("keeps", "MAG_3_CHA.geojson")]
    assert on_map(desk, "hazard_unresolved") == []
    assert call("register", "check", desk.root / "work").code == 0
