"""One delivery after another: what vanished stays on the map, and copies are no overlaps."""

import json

import pytest
from conftest import call, layer_names, read_layer, square, write_geojson

FIRST = {
    "H-1": square(103.30, 19.57),
    "H-2": square(103.32, 19.57),
    "H-3": square(103.34, 19.57, side=0.004),
    "H-4": square(103.36, 19.57),
}


def write(path, records, **more):
    told = [
        (
            {"hazard_id": name, "status": "open", "survey_date": "2024-01-18", **more},
            shape,
        )
        for name, shape in records.items()
    ]  # fmt: skip
    return write_geojson(path, told)


@pytest.fixture
def place(tmp_path):
    """Return a folder with a configuration: MAG delivers its whole register into `inbox`."""
    (tmp_path / "run.yaml").write_text(
        "deliveries:\n  - {path: inbox, mode: snapshot}\nworkspace: work\noutput: out\ntoday: 2026-04-01\n",
        encoding="utf-8",
    )
    return tmp_path


def run(place):
    done = call("run", place / "run.yaml", "--json")
    summary = json.loads(done.out)
    balance = summary["balance"]
    assert balance["records_in"] == sum(balance[n] for n in balance if n != "records_in")
    current = place / "out" / (place / "out" / "CURRENT").read_text().strip()
    return done, summary, current


def areas(current):
    return {row["source_id"]: row["geometry"].area for row in read_layer(current / "geopipe.gpkg", "areas")}


def test_a_hazard_that_vanishes_stays_on_the_map_with_an_alarm_until_it_comes_back(place):
    write(place / "inbox" / "MAG_CHA.geojson", FIRST)
    _, summary, first = run(place)
    assert summary["findings"].get("HAZARD_VANISHED") is None
    write(place / "inbox" / "MAG_CHA.geojson", {n: FIRST[n] for n in ("H-1", "H-2", "H-3")})
    for _ in range(2):  # the second run reads the same files again and must say the same
        _, summary, current = run(place)
        assert summary["findings"]["HAZARD_VANISHED"] == 1
        assert summary["balance"]["kept"] == 3
        assert summary["earlier"] == 1
        assert set(areas(current)) == set(FIRST)
        assert any(alarm["code"] == "HAZARD_VANISHED" for alarm in summary["alarms"])
    assert current != first
    write(place / "inbox" / "MAG_CHA.geojson", {**FIRST, "H-5": square(103.38, 19.57)})
    _, summary, current = run(place)
    assert "HAZARD_VANISHED" not in summary["findings"]
    assert summary["earlier"] == 0
    assert summary["changes"]["added"] == 1


def test_a_hazard_that_shrinks_keeps_its_old_outline_beside_the_new_one(place):
    write(place / "inbox" / "MAG_CHA.geojson", FIRST)
    run(place)
    write(place / "inbox" / "MAG_CHA.geojson", {**FIRST, "H-3": square(103.34, 19.57, side=0.003)})
    _, summary, current = run(place)
    assert summary["findings"]["HAZARD_SHRANK"] == 1
    assert summary["earlier"] == 1
    outlines = [r for r in read_layer(current / "geopipe.gpkg", "areas") if r["source_id"] == "H-3"]
    assert len(outlines) == 2
    (told,) = [c for c in read_layer(current / "geopipe.gpkg", "changes") if c["change"] == "edited"]
    assert told["lost_m2"] == pytest.approx(7 / 16 * max(r["area_m2"] for r in outlines), rel=1e-3)


def test_an_increment_does_not_let_anything_vanish(place):
    config = place / "run.yaml"
    config.write_text(config.read_text().replace("snapshot", "increment"), encoding="utf-8")
    write(place / "inbox" / "MAG_CHA.geojson", FIRST)
    run(place)
    write(place / "inbox" / "MAG_CHA.geojson", {"H-9": square(103.40, 19.57)})
    _, summary, current = run(place)
    assert "HAZARD_VANISHED" not in summary["findings"]
    assert set(areas(current)) == {*FIRST, "H-9"}
    assert summary["balance"]["kept"] == 1
    assert summary["earlier"] == 4


def test_the_first_screen_says_what_stays_of_earlier_deliveries(place):
    write(place / "inbox" / "MAG_CHA.geojson", FIRST)
    run(place)
    write(place / "inbox" / "MAG_CHA.geojson", {n: FIRST[n] for n in ("H-1", "H-2", "H-3")})
    done = call("run", place / "run.yaml")
    assert "1 area of earlier deliveries stay" in done.out
    assert any(line.startswith("SAFETY") and "not in this one" in line for line in done.lines)


def test_a_run_over_unchanged_input_adds_nothing_to_the_ledger(place):
    write(place / "inbox" / "MAG_CHA.geojson", FIRST)
    _, _, first = run(place)
    listed = call("ledger", place / "work").out
    _, _, second = run(place)
    assert first == second
    assert call("ledger", place / "work").out == listed
    assert "MAG_CHA.geojson" in listed


def test_the_return_file_shows_the_trend(place):
    bad = {"H-7": None, "H-8": None}
    write(place / "inbox" / "MAG_CHA.geojson", {**FIRST, **bad})
    run(place)
    write(place / "inbox" / "MAG_CHA.geojson", {**FIRST, "H-7": None})
    _, summary, current = run(place)
    assert summary["returns"]["MAG"]["returned"] == 1
    from python_calamine import CalamineWorkbook

    cover = CalamineWorkbook.from_path(current / "return" / "MAG.xlsx").get_sheet_by_index(0).to_python()
    (heading,) = [n for n, row in enumerate(cover) if any("Earlier deliveries" in str(cell) for cell in row)]
    counts = [row[1] for row in cover[heading + 3 : heading + 5]]
    assert counts == [2.0, 1.0]


@pytest.fixture
def two_roles(tmp_path):
    """Return a folder with MAG's own delivery and an export of the national database, both whole."""
    write(tmp_path / "inbox" / "MAG_CHA.geojson", FIRST)
    national = {"H-1 ": FIRST["H-1"], "h2": FIRST["H-2"], "H-3": square(103.34, 19.57, side=0.003)}
    lost = {"H-77": square(103.44, 19.57)}
    write(tmp_path / "imsma" / "export.geojson", {**national, **lost}, organisation="MAG", kind="CHA")
    (tmp_path / "run.yaml").write_text(
        "deliveries:\n  - {path: inbox, mode: snapshot}\n  - {path: imsma, profile: imsma}\n"
        "workspace: work\noutput: out\ntoday: 2026-04-01\n",
        encoding="utf-8",
    )
    return tmp_path


def test_copies_in_the_national_database_are_matched_and_never_overlaps(two_roles):
    _, summary, current = run(two_roles)
    outcomes = {
        c["operator_id"] or c["national_id"]: c["outcome"]
        for c in read_layer(current / "geopipe.gpkg", "copies")
    }
    assert outcomes == {
        "MAG:hazard:H-1": "same", "MAG:hazard:H-2": "same", "MAG:hazard:H-3": "differs",
        "MAG:hazard:H-4": "not_in_imsma", "MAG:hazard:H-77": "not_delivered",
    }  # fmt: skip
    assert summary["balance"]["duplicate"] == 2
    assert {f: summary["findings"][f] for f in ("NOT_IN_IMSMA", "NOT_DELIVERED", "COPIES_DIFFER")} == {
        "NOT_IN_IMSMA": 1, "NOT_DELIVERED": 1, "COPIES_DIFFER": 1,
    }  # fmt: skip
    assert summary["overlaps"]["by_finding"].keys() == {"two_copies"}
    assert "H-77" in areas(current)


def test_changes_and_copies_are_layers_of_the_result(two_roles):
    _, _, current = run(two_roles)
    assert {"changes", "copies"} <= set(layer_names(current / "geopipe.gpkg"))


def test_a_run_that_dies_before_it_is_shown_forgets_nothing(place, monkeypatch):
    from geopipe import running

    write(place / "inbox" / "MAG_CHA.geojson", {"H-1": FIRST["H-1"]})
    run(place)
    write(place / "inbox" / "MAG_CHA.geojson", FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(running, "point_to", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert call("run", place / "run.yaml", "-q").code == 1
    write(place / "inbox" / "MAG_CHA.geojson", {"H-1": FIRST["H-1"]})
    _, summary, current = run(place)
    assert summary["findings"]["HAZARD_VANISHED"] == 3
    assert set(areas(current)) == set(FIRST)


def test_bytes_that_are_read_in_another_way_later_do_not_stop_the_run(place):
    config = place / "run.yaml"
    config.write_text(config.read_text().replace("snapshot", "increment"), encoding="utf-8")
    write(place / "inbox" / "MAG_1.geojson", {"H-1": FIRST["H-1"]})
    run(place)
    write(place / "inbox" / "MAG_2.geojson", {"H-2": FIRST["H-2"]})
    run(place)
    config.write_text(config.read_text().replace("increment", "increment, kind: CHA"), encoding="utf-8")
    _, summary, current = run(place)
    assert summary["balance"]["kept"] == 2
    assert set(areas(current)) == {"H-1", "H-2"}


def test_the_same_bytes_of_two_operators_are_remembered_for_both(place):
    for name in ("MAG", "HALO"):
        write(place / "inbox" / f"{name}_CHA.geojson", {"H-1": FIRST["H-1"]})
    run(place)
    for name, other in (("MAG", "H-2"), ("HALO", "H-3")):
        write(place / "inbox" / f"{name}_CHA.geojson", {other: FIRST[other]})
    _, summary, _ = run(place)
    assert summary["findings"]["HAZARD_VANISHED"] == 2


def test_what_was_not_read_is_the_same_before_and_after_the_run_is_remembered(place):
    write(place / "inbox" / "MAG_A.geojson", {"H-1": FIRST["H-1"]})
    run(place)
    (place / "inbox" / "MAG_A.geojson").unlink()
    write(place / "inbox" / "MAG_B.geojson", {"H-1": FIRST["H-1"], "H-2": FIRST["H-2"]})
    _, _, first = run(place)
    assert run(place)[2] == first


def test_single_stages_do_not_work_on_the_workspace_of_run(place):
    write(place / "inbox" / "MAG_CHA.geojson", FIRST)
    run(place)
    for command in (("check",), ("ingest", place / "inbox")):
        done = call(*command, "-w", place / "work")
        assert done.code == 2
        assert "belongs to geopipe run and its register" in done.err


def test_a_release_of_the_future_does_not_explain_that_hazard_vanished(place):
    write(place / "inbox" / "MAG_CHA.geojson", FIRST)
    run(place)
    write(place / "inbox" / "MAG_CHA.geojson", {n: FIRST[n] for n in ("H-1", "H-2", "H-3")})
    cleared = {"clearance_id": "C-1", "completion_date": "2058-01-01"}
    write_geojson(place / "inbox" / "MAG_clearance.geojson", [(cleared, FIRST["H-4"])])
    assert run(place)[1]["findings"]["HAZARD_VANISHED"] == 1
    cleared["completion_date"] = "2026-01-01"
    write_geojson(place / "inbox" / "MAG_clearance.geojson", [(cleared, FIRST["H-4"])])
    assert "HAZARD_VANISHED" not in run(place)[1]["findings"]


def test_a_file_that_nobody_can_name_lets_nothing_vanish(place):
    write(place / "inbox" / "MAG_CHA.geojson", FIRST)
    run(place)
    write(place / "inbox" / "MAG_CHA.geojson", {"H-1": FIRST["H-1"]})
    (place / "inbox" / "areas.geojson").write_text(
        '{"type": "FeatureCollection", "features": [', encoding="utf-8"
    )
    _, summary, current = run(place)
    assert "HAZARD_VANISHED" not in summary["findings"]
    assert set(areas(current)) == set(FIRST)
