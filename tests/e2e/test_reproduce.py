"""geopipe reproduce: a run made again is the same to the last bit, or it is said where not."""

import datetime as dt
import json
import shutil
import sqlite3
from contextlib import closing

import pytest
import shapely
from conftest import call, hashes, square, write_geojson
from nightly_fixtures import Desk

from geopipe.register.register import Register
from geopipe.reproducing import wanted
from geopipe.reproducing.before import register_before
from geopipe.reproducing.comparing import compare_figures, is_same

BY = ("--by", "Bounmy")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Three nights; people decide a case after the second one, and again after the last."""
    desk = Desk(tmp_path_factory.mktemp("reproduce") / "desk")
    work = desk.root / "work"
    now = dt.datetime.now(dt.UTC)
    desk.clock.now = now - dt.timedelta(days=3)
    desk.put("mag", "MAG_CHA.geojson", 0.0, 0.01, 0.02)
    desk.put("uxo", "UXO.geojson", 0.001, 0.0195)
    desk.night()
    desk.put("mag", "MAG_CHA.geojson", 0.0005, 0.01)
    desk.night()
    _decide(work, 0)
    desk.clock.now = now  # what people do bears the time of now, and the next night comes after it
    desk.put("uxo", "UXO.geojson", 0.001, 0.011)
    desk.night()
    _decide(work, 1)
    return desk


def _decide(work, number):
    case = json.loads(call("cases", "list", "-w", work, "--json").out)["rows"][number]["number"]
    ran = call("cases", "decide", case, "--choice", "both_valid", "--level", "TWG", "--meeting", "TWG 1", *BY,
               "-w", work)  # fmt: skip
    assert ran.code == 0, ran.err


@pytest.fixture(scope="module")
def work(desk):
    return desk.root / "work"


def again(name, work, *more, code=0):
    ran = call("reproduce", name, "-w", work, "--json", *more)
    assert ran.code == code, ran.err
    return json.loads(ran.out)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_run_comes_out_the_same_though_people_decided_and_runs_came_since(work, number):
    before = hashes(work)
    told = again(str(number), work)
    assert (told["result"], told["versions"], told["not_compared"]) == ("identical", [], [])
    assert hashes(work) == before


def test_a_run_has_many_names(desk, work):
    nights = sorted((desk.root / "out" / "nights").iterdir())
    folder = again("2", work)["folder"]
    for name in (nights[1].name, nights[1], nights[1] / "run.json", folder, folder[:9]):
        assert again(str(name), work)["folder"] == folder


def test_what_was_made_is_left_where_it_is_asked_for_and_nowhere_else(work, tmp_path):
    told = again("2", work, "-o", tmp_path / "again")
    assert told["made"].endswith(told["folder"])
    assert (tmp_path / "again" / "out" / "runs" / told["folder"] / "geopipe.gpkg").is_file()
    ran = call("reproduce", "2", "-w", work, "-o", tmp_path / "again")
    assert (ran.code, "there is something already" in ran.err) == (2, True)


def test_a_delivery_that_is_gone_is_named_and_nothing_is_made(work, tmp_path):
    path = next(path.parent for path in (work / "received").glob("??/*/UXO.geojson"))
    shutil.move(path, tmp_path / "away")
    try:
        told = [call("reproduce", str(number), "-w", work) for number in (1, 2, 3)]
    finally:
        shutil.move(tmp_path / "away", path)
    failed = [ran for ran in told if ran.code == 2]
    assert failed
    assert all("not there: UXO.geojson (" in ran.err for ran in failed)


def test_a_run_folder_that_is_gone_is_still_compared_by_its_hashes(desk, work, tmp_path):
    folder = desk.root / "out" / "runs" / again("1", work)["folder"]
    shutil.move(folder, tmp_path / "away")
    try:
        assert again("1", work)["result"] == "identical"
    finally:
        shutil.move(tmp_path / "away", folder)


@pytest.fixture
def otherwise(desk):
    """Change what a night was told, as if it had been told so then."""
    path = sorted((desk.root / "out" / "nights").glob("*/run.json"))[1]
    before = path.read_text(encoding="utf-8")

    def change(do):
        told = json.loads(before)
        do(told)
        path.write_text(json.dumps(told), encoding="utf-8")

    yield change
    path.write_text(before, encoding="utf-8")


def test_where_it_differs_is_said_by_layer_column_and_figure(work, otherwise):
    otherwise(lambda told: told["config"]["deliveries"][0].update(kind="SHA"))
    told = again("2", work, code=4)
    assert told["result"] == "differs"
    layers = {item["layer"]: item for item in told["layers"]}
    assert layers["areas"]["columns"] == {"kind": 2}
    assert (layers["rejected"]["same"], layers["areas"]["same"]) == (True, False)
    assert "areas.SHA.records" in {item["figure"] for item in told["figures"]}
    text = call("reproduce", "2", "-w", work, "-q").out
    assert "RESULT      DIFFERS" in text
    assert "other values: kind in 2" in text


def test_rows_of_one_side_only_are_counted(work, otherwise):
    otherwise(lambda told: told["config"].update(deliveries=told["config"]["deliveries"][:1]))
    ran = call("reproduce", "2", "-w", work, "--json")
    # The delivery that is not named is found by its hash, so the run is whole, though read otherwise.
    assert ran.code in (0, 4)
    assert {item["file"] for item in json.loads(ran.out)["deliveries"]} == {"MAG_CHA.geojson", "UXO.geojson"}


def test_a_folder_that_is_gone_and_another_result_are_only_partly_compared(desk, work, otherwise, tmp_path):
    otherwise(lambda told: told["config"].update(qgis=False))
    folder = desk.root / "out" / "runs" / again("2", work)["folder"]
    shutil.move(folder, tmp_path / "away")
    try:
        told = again("2", work, code=4)
        assert told["result"] == "partly"
        assert "not kept" in told["not_compared"][0]
    finally:
        shutil.move(tmp_path / "away", folder)


def test_other_versions_are_said(work, monkeypatch):
    monkeypatch.setattr(wanted, "versions", lambda: {"GEOS": "0.1"})
    assert {"name": "GEOS", "now": "0.1"}.items() <= {
        key: value
        for item in again("2", work)["versions"]
        if item["name"] == "GEOS"
        for key, value in item.items()
    }.items()


def test_a_run_that_is_not_known_is_an_error(work):
    assert call("reproduce", "99", "-w", work).code == 2


def test_the_register_of_then_is_the_one_that_was_backed_up_then(desk, work, tmp_path):
    backup = min((work / "backups").iterdir())
    with Register.existing(work) as register:
        register_before(register, 2, tmp_path / "then")
    assert _rows(tmp_path / "then" / "register.sqlite") == _rows(backup)
    with Register.existing(tmp_path / "then") as then, pytest.raises(sqlite3.Error, match="append-only"):
        then._connection.execute("DELETE FROM runs")


def _rows(path):
    with closing(sqlite3.connect(path)) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=str) for name in names
        }


def test_what_people_decided_between_runs_is_in_the_register_of_then(work, tmp_path):
    with Register.existing(work) as register:
        for number in (2, 3):
            register_before(register, number, tmp_path / str(number))
    counts = [len(_rows(tmp_path / str(number) / "register.sqlite")["decisions"]) for number in (2, 3)]
    assert counts == [0, 1]


def test_a_run_by_hand_can_be_made_again_with_the_confirmations_of_then(tmp_path):
    write_geojson(tmp_path / "in" / "MAG_CHA.geojson", [
        ({"hazard_id": f"m-{n}", "province": "Khammouan"}, square(east_by=n / 100)) for n in range(4)
    ] + [({"hazard_id": "m-9", "province": "Khammouan"}, _swapped(square(east_by=0.05)))])  # fmt: skip
    (tmp_path / "run.yaml").write_text(
        "deliveries: [{path: in}]\nworkspace: work\noutput: out\n", encoding="utf-8"
    )
    assert call("run", tmp_path / "run.yaml", "-q").code in (0, 4)
    file = tmp_path / "in" / "MAG_CHA.geojson"
    ran = call(
        "confirm", file, "--correction", "swap_axes", "--confirmations", tmp_path / "confirmations.jsonl", *BY
    )
    assert ran.code == 0, ran.err
    assert call("run", tmp_path / "run.yaml", "-q").code in (0, 4)
    work = tmp_path / "work"
    assert [again(number, work)["result"] for number in ("1", "2")] == ["identical", "identical"]
    assert again("1", work)["folder"] != again("2", work)["folder"]
    # What is added to a folder later is no part of the run.
    write_geojson(tmp_path / "in" / "NPA_CHA.geojson", [({"hazard_id": "n-1"}, square())])
    assert again("2", work)["result"] == "identical"
    file.unlink()
    assert "MAG_CHA.geojson" in call("reproduce", "2", "-w", work).err


def _swapped(shape):
    return shapely.transform(shape, lambda points: points[:, ::-1])


def test_numbers_agree_up_to_the_tolerance_and_no_further():
    assert is_same(1.0, 1.0 + 1e-7, 1e-6)
    assert not is_same(1.0, 1.0 + 1e-7, 0.0)
    assert not is_same(1.0, 1.0 + 1e-5, 1e-6)
    assert not is_same("a", "b", 1e-6)
    then, now = {"a": {"b": [1.0, 2.0]}, "run": 1}, {"a": {"b": [1.0, 3.0]}, "run": 2}
    assert compare_figures(then, now, 0.0) == [{"figure": "a.b[1]", "then": 2.0, "now": 3.0}]
