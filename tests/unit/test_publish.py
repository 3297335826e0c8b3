"""Publishing: a folder holds a finished result or says that it does not; the old stays until then."""

import datetime as dt
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pyproj
import pytest
import shapely
from conftest import UTM_48N, call, hashes, read_layer

from geopipe import pipeline
from geopipe.config import LAYERS as EVERY_LAYER
from geopipe.config import Config, DeliverySpec
from geopipe.errors import GeopipeError, OutputError
from geopipe.io.store import write_text
from geopipe.reports import publish as publishing
from geopipe.reports.publish import current_run, point_to, publish, read_summary
from geopipe.reports.summary import balance
from geopipe.schema import State

# Without a register there are no cases.
LAYERS = tuple(name for name in EVERY_LAYER if name != "cases")
WHEN = dt.datetime(2026, 3, 1, 8, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def made(small_demo):
    """Return a state and its summary."""
    config = Config(deliveries=(DeliverySpec(path=small_demo, assume_crs=UTM_48N),))
    state = pipeline.run(config)
    return state, pipeline.summarise(state, pipeline.load_policy())


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_gets_two_files_and_the_summary_vouches_for_the_other(made, tmp_path):
    written = publish(*made, tmp_path / "new" / "out", LAYERS, WHEN)
    assert [path.name for path in written] == ["geopipe.gpkg", "summary.json"]
    assert names(tmp_path / "new" / "out") == ["geopipe.gpkg", "summary.json"]
    summary = read_summary(tmp_path / "new" / "out")
    assert list(summary["files"]) == ["geopipe.gpkg"]
    assert summary["run"]["started_at"] == "2026-03-01T08:30:00+00:00"
    plain = json.loads(json.dumps(made[1]))
    assert {k: v for k, v in summary.items() if k not in ("files", "run")} == plain


def test_foreign_files_in_the_folder_are_left_alone(made, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "my.gpkg").write_bytes(b"mine")
    publish(*made, tmp_path, LAYERS, WHEN)
    publish(*made, tmp_path, LAYERS, WHEN)
    assert names(tmp_path) == ["geopipe.gpkg", "my.gpkg", "notes.txt", "summary.json"]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_is_published_can_be_read_by_those_who_may_see_the_folder(made, tmp_path):
    before = os.umask(0o022)
    try:
        written = publish(*made, tmp_path, LAYERS, WHEN)
    finally:
        os.umask(before)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in written} == {
        "geopipe.gpkg": "0o644", "summary.json": "0o644",
    }  # fmt: skip


def test_the_geopackage_opens_in_older_programs_and_on_network_drives(made, tmp_path):
    publish(*made, tmp_path, LAYERS, WHEN)
    with closing(sqlite3.connect(tmp_path / "geopipe.gpkg")) as db:
        one = lambda query: db.execute(query).fetchone()[0]  # noqa: E731
        assert one("PRAGMA application_id") == 0x47504B47
        assert one("PRAGMA user_version") == 10200
        assert one("PRAGMA journal_mode") == "delete"
        assert one("PRAGMA integrity_check") == "ok"
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        tables = {
            row[0]: row[1:] for row in db.execute("SELECT table_name, data_type, srs_id FROM gpkg_contents")
        }
        types = dict(db.execute("SELECT table_name, geometry_type_name FROM gpkg_geometry_columns"))
    assert set(tables) == set(LAYERS)
    assert {name for name, (kind, _) in tables.items() if kind == "attributes"} == {"handover", "rejected"}
    assert types["areas"] == types["overlaps"] == "MULTIPOLYGON"
    assert len({srs for kind, srs in tables.values() if kind == "features"}) == 1


def test_the_crs_in_the_file_is_equal_area_and_has_a_name(made, tmp_path):
    publish(*made, tmp_path, ["areas"], WHEN)
    with closing(sqlite3.connect(tmp_path / "geopipe.gpkg")) as db:
        (wkt,) = db.execute(
            "SELECT definition FROM gpkg_spatial_ref_sys JOIN gpkg_geometry_columns USING (srs_id)"
        ).fetchone()
    crs = pyproj.CRS(wkt)
    assert "equal-area" in crs.name
    assert crs.coordinate_operation.method_name == "Albers Equal Area"
    lonlat = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    for row in read_layer(tmp_path / "geopipe.gpkg", "areas")[::20]:
        x, y = shapely.get_coordinates(row["geometry"].geoms[0].exterior).T
        geodesic_m2, _ = pyproj.Geod(ellps="WGS84").polygon_area_perimeter(*lonlat.transform(x, y))
        if len(row["geometry"].geoms) == 1 and not row["geometry"].geoms[0].interiors:
            assert row["area_m2"] == pytest.approx(abs(geodesic_m2), rel=2e-6)


def test_personal_columns_are_not_published(made, tmp_path):
    publish(*made, tmp_path, LAYERS, WHEN)
    for name in LAYERS:
        rows = read_layer(tmp_path / "geopipe.gpkg", name)
        if rows:
            assert not {"attributes", "source_geometry"} & set(rows[0])


def test_twice_the_same_gives_the_same_bytes(made, tmp_path):
    publish(*made, tmp_path / "one", LAYERS, WHEN)
    publish(*made, tmp_path / "two", LAYERS, WHEN + dt.timedelta(days=1))
    one, two = hashes(tmp_path / "one"), hashes(tmp_path / "two")
    assert one["geopipe.gpkg"] == two["geopipe.gpkg"]
    assert one["summary.json"] != two["summary.json"]


def test_layers_without_any_row_are_there_all_the_same(tmp_path):
    state = State(working_crs="+proj=aea +lat_1=15 +lat_2=21 +lat_0=18 +lon_0=104 +datum=WGS84 +units=m")
    summary = pipeline.summarise(state, pipeline.load_policy())
    publish(state, summary, tmp_path, LAYERS, WHEN)
    for name in LAYERS:
        assert read_layer(tmp_path / "geopipe.gpkg", name) == []


# --- when something is wrong with the folder ------------------------------------------------------


@pytest.fixture
def published(made, tmp_path):
    publish(*made, tmp_path / "out", LAYERS, WHEN)
    return tmp_path / "out"


def damage_nothing_there(folder):
    (folder / "summary.json").unlink()


def damage_geopackage_gone(folder):
    (folder / "geopipe.gpkg").unlink()


def damage_geopackage_changed(folder):
    with (folder / "geopipe.gpkg").open("ab") as file:
        file.write(b"\0")


def damage_summary_cut(folder):
    path = folder / "summary.json"
    path.write_text(path.read_text(encoding="utf-8")[:200], encoding="utf-8")


def damage_summary_empty(folder):
    (folder / "summary.json").write_bytes(b"")


def damage_summary_of_something_else(folder):
    (folder / "summary.json").write_text('{"name": "another program"}', encoding="utf-8")


def damage_summary_is_a_list(folder):
    (folder / "summary.json").write_text("[1, 2]", encoding="utf-8")


def damage_summary_not_utf8(folder):
    (folder / "summary.json").write_bytes(b"\xff\xfe{}")


def damage_pointer_to_nowhere(folder):
    (folder / "summary.json").unlink()
    (folder / "CURRENT").write_text("runs/run-0000\n", encoding="utf-8")


DAMAGES = [value for name, value in list(globals().items()) if name.startswith("damage_")]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__.removeprefix("damage_"))
def test_a_folder_that_holds_no_whole_result_says_so(published, damage):
    damage(published)
    with pytest.raises(OutputError):
        read_summary(current_run(published))
    ran = call("report", published)
    assert ran.code == 2
    assert ran.out == ""
    assert "Run" in ran.err
    assert "Traceback" not in ran.err


def test_query_does_not_answer_from_a_result_that_is_not_whole(published):
    """An interrupted folder may hold the new map beside the old summary, or only a part."""
    damage_summary_of_something_else(published)
    ran = call("query", published, "--at", "105,17.5")
    assert ran.code == 2


def test_the_pointer_is_only_written_when_it_changes(tmp_path):
    run = tmp_path / "runs" / "run-1"
    run.mkdir(parents=True)
    point_to(tmp_path, run)
    assert (tmp_path / "CURRENT").read_text(encoding="utf-8") == "runs/run-1\n"
    before = (tmp_path / "CURRENT").stat().st_mtime_ns
    point_to(tmp_path, run)
    assert (tmp_path / "CURRENT").stat().st_mtime_ns == before
    assert current_run(tmp_path) == run


def test_a_map_that_is_open_elsewhere_gets_a_dated_name_beside_it(made, published, monkeypatch):
    """Windows refuses to replace a file that QGIS holds open."""
    old = (published / "geopipe.gpkg").read_bytes()
    original = publishing.Path.replace

    def refuse(self, target):
        if target.name == "geopipe.gpkg":
            raise PermissionError(13, "The process cannot access the file", str(target))
        return original(self, target)

    monkeypatch.setattr(publishing.Path, "replace", refuse)
    written = publish(*made, published, LAYERS, WHEN)
    assert written[0].name == "geopipe-20260301-083000.gpkg"
    assert (published / "geopipe.gpkg").read_bytes() == old
    assert list(read_summary(published)["files"]) == ["geopipe-20260301-083000.gpkg"]
    assert names(published) == ["geopipe-20260301-083000.gpkg", "geopipe.gpkg", "summary.json"]


def test_query_asks_the_dated_map_when_that_is_the_newest(two_files, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert call("compare", two_files[0], "-o", out, "-q").code == 0
    original = publishing.Path.replace

    def refuse(self, target):
        if target.name == "geopipe.gpkg":
            raise PermissionError(13, "The process cannot access the file", str(target))
        return original(self, target)

    monkeypatch.setattr(publishing.Path, "replace", refuse)
    ran = call("compare", *two_files, "-o", out)
    assert ran.code == 0
    assert "geopipe-20" in ran.out
    found = json.loads(call("query", out, "--at", "105.0015,17.501", "--json").out)["rows"]
    assert {row["operator"] for row in found} == {"UXO Lao", "MAG"}


@pytest.mark.parametrize("where", ["write_geopackage", "file_hash", "write_text"])
def test_an_error_while_writing_leaves_no_rubbish(made, published, monkeypatch, where):
    old = hashes(published)

    def fail(*_, **__):
        raise OutputError("No space left on device", str(published))

    monkeypatch.setattr(publishing, where, fail)
    with pytest.raises(OutputError):
        publish(*made, published, LAYERS, WHEN)
    assert names(published) == ["geopipe.gpkg", "summary.json"]
    assert hashes(published)["summary.json"] == old["summary.json"]


def test_a_file_that_reads_back_differently_is_not_published(made, published, monkeypatch):
    from geopipe.io import geopackage

    old = hashes(published)
    original = geopackage._check

    def check_more(path, written):
        fewer = written[0].table.take(np.arange(1, written[0].table.num_rows))
        original(path, [replace(written[0], table=fewer), *written[1:]])

    monkeypatch.setattr(geopackage, "_check", check_more)
    with pytest.raises(OutputError, match="layer areas holds"):
        publish(*made, published, LAYERS, WHEN)
    assert hashes(published) == old


def test_an_imbalance_is_a_fault_of_geopipe(made):
    state = made[0]
    with pytest.raises(GeopipeError, match="does not close"):
        balance(replace(state, rejected=state.rejected.take(np.arange(len(state.rejected) - 1))))


def test_small_files_are_replaced_whole(tmp_path):
    path = tmp_path / "folder" / "note.txt"
    write_text(path, "old ເກົ່າ\n")
    write_text(path, "new ໃໝ່\n")
    assert path.read_bytes() == "new ໃໝ່\n".encode()
    assert names(path.parent) == ["note.txt"]


def test_a_small_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "note.txt"
    write_text(path, "old\n")

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match="No space left"):
        write_text(path, "new\n")
    assert path.read_text(encoding="utf-8") == "old\n"
    assert names(tmp_path) == ["note.txt"]
