"""The ways through the house lead to the same result: compare, stage by stage, run; again and again."""

import hashlib
import json
import shutil

import pytest
from conftest import (
    UTM_48N,
    call,
    call_in_process,
    hashes,
    layer_names,
    read_layer,
    square,
    without_time,
    write_geojson,
)

from geopipe.config import LAYERS

TABLES = ("handover", "rejected")  # without geometry, and therefore listed last
STAGES = ("validate", "reproject", "locate", "check", "deduplicate", "history", "overlaps")


def summary_of(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def times(folder):
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def write_config(folder, deliveries, **more):
    path = folder / "nightly.yaml"
    lines = ["deliveries:", f"  - path: {json.dumps(str(deliveries))}", f"    assume_crs: {UTM_48N}"]
    lines += [f"{name}: {json.dumps(value)}" for name, value in more.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# --- compare without any configuration ------------------------------------------------------------


def operators_in(folder):
    return {row["source_id"]: row["operator"] for row in read_layer(folder / "geopipe.gpkg", "areas")}


def test_operators_are_known_by_column_else_file_name_else_stem_and_it_is_said(tmp_path):
    deliveries = tmp_path / "in"
    records = [
        ({"id": "a", "OPERATOR": "UXOL"}, square(105.0)),
        ({"id": "b", "OPERATOR": "Army 58"}, square(105.1)),
    ]
    write_geojson(deliveries / "areas.geojson", records)
    write_geojson(deliveries / "export MAG 2026.geojson", [({"id": "c"}, square(105.2))])
    write_geojson(deliveries / "nobody.geojson", [({"id": "d"}, square(105.3))])
    ran = call("compare", deliveries, "-o", tmp_path / "out")
    assert ran.code == 0
    expected = {"a": "UXO Lao", "b": "Unit 58", "c": "MAG", "d": "nobody"}
    assert operators_in(tmp_path / "out") == expected
    told = [s for d in summary_of(tmp_path / "out")["deliveries"] for s in d["assumptions"]]
    assert any(s.startswith("export MAG 2026.geojson: operator MAG") for s in told)
    assert any(s.startswith("nobody.geojson: operator nobody") for s in told)


def test_kinds_are_known_by_column_else_name_else_unknown_and_never_assumed(tmp_path):
    deliveries = tmp_path / "in"
    words = ["Confirmed Hazardous Area", "SHA", "cleared", "Cancelled", "reduced", "rice field"]
    records = [({"id": w, "area_type": w}, square(105 + n / 10)) for n, w in enumerate(words)]
    write_geojson(deliveries / "MAG.geojson", records)
    write_geojson(deliveries / "NPA clearance.geojson", [({"id": "n"}, square(106.0))])
    write_geojson(deliveries / "HALO areas.geojson", [({"id": "h"}, square(106.1))])
    ran = call("compare", deliveries, "-o", tmp_path / "out")
    kinds = {row["source_id"]: row["kind"] for row in read_layer(tmp_path / "out" / "geopipe.gpkg", "areas")}
    assert list(map(kinds.get, words)) == ["CHA", "SHA", "CLEARED", "CANCELLED", "REDUCED", "UNKNOWN"]
    assert (kinds["n"], kinds["h"]) == ("CLEARED", "UNKNOWN")
    told = [s for d in summary_of(tmp_path / "out")["deliveries"] for s in d["assumptions"]]
    assert any("HALO areas" in s and "kind UNKNOWN" in s for s in told)
    assert ran.code == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["cha"], ["CHA", "CHA"]),
        (["cha", "cleared"], ["CHA", "CLEARED"]),
        (["CLEARED", "Cha"], ["CLEARED", "CHA"]),
    ],
)
def test_kind_is_said_once_or_once_per_file_in_order(tmp_path, given, expected):
    one = write_geojson(tmp_path / "one.geojson", [({"id": "1"}, square())])
    two = write_geojson(tmp_path / "two.geojson", [({"id": "2"}, square())])
    said = [word for kind in given for word in ("--kind", kind)]
    assert call("compare", one, two, "-o", tmp_path / "out", *said).code == 0
    kinds = {row["source_id"]: row["kind"] for row in read_layer(tmp_path / "out" / "geopipe.gpkg", "areas")}
    assert [kinds["1"], kinds["2"]] == expected


@pytest.mark.parametrize("option", ["--kind", "--operator"])
def test_a_wrong_number_of_kinds_or_operators_is_refused(two_files, tmp_path, option):
    value = {"--kind": "cha", "--operator": "MAG"}[option]
    ran = call("compare", *two_files, "-o", tmp_path / "out", *[option, value] * 3)
    assert ran.code == 2
    assert f"{option} is given 3 times for 2 files" in ran.err
    assert not (tmp_path / "out").exists()


def test_operator_is_said_once_or_once_per_file(two_files, tmp_path):
    call("compare", *two_files, "-o", tmp_path / "one", "--operator", "NPA")
    assert set(operators_in(tmp_path / "one").values()) == {"NPA"}
    call("compare", *two_files, "-o", tmp_path / "two", "--operator", "NPA", "--operator", "HALO")
    assert operators_in(tmp_path / "two") == {"U-1": "NPA", "M-1": "HALO"}


def test_columns_can_be_named(tmp_path):
    properties = {
        "AGENCY": "Mines Advisory Group",
        "TYPE": "cleared",
        "NUMBER": "N-7",
        "id": "no",
        "operator": "no",
    }
    path = write_geojson(tmp_path / "export.geojson", [(properties, square())])
    fields = ["--operator-field", "AGENCY", "--kind-field", "TYPE", "--id-field", "NUMBER"]
    assert call("compare", path, "-o", tmp_path / "out", *fields).code == 0
    (row,) = read_layer(tmp_path / "out" / "geopipe.gpkg", "areas")
    assert (row["record_id"], row["kind"]) == ("MAG:land_release:N-7", "CLEARED")


def test_only_the_layers_asked_for_are_published(two_files, tmp_path):
    call("compare", *two_files, "-o", tmp_path / "few", "--layers", "overlaps, areas")
    assert layer_names(tmp_path / "few" / "geopipe.gpkg") == ["overlaps", "areas"]
    call("compare", *two_files, "-o", tmp_path / "all")
    layers = [name for name in LAYERS if name != "cases"]  # these belong to a register
    assert layer_names(tmp_path / "all" / "geopipe.gpkg") == sorted(layers, key=TABLES.__contains__)
    few, everything = (without_time(summary_of(tmp_path / name)) for name in ("few", "all"))
    same = ("balance", "areas", "overlaps", "alarms", "deliveries")
    assert [few[name] for name in same] == [everything[name] for name in same]


def test_what_the_layers_asked_for_do_not_need_is_not_looked_for_and_that_is_said(two_files, tmp_path):
    ran = call("compare", *two_files, "-o", tmp_path / "few", "--layers", "overlaps,gaps")
    summary = summary_of(tmp_path / "few")
    left_out = ["checks of records", "displaced deliveries", "remaining hazard", "finds on released land"]
    assert summary["not_looked_for"] == left_out
    assert summary["remaining"] is None
    assert summary["gaps"] is not None
    assert f"SAFETY      not looked for with these layers: {', '.join(left_out)}" in ran.out
    call("compare", *two_files, "-o", tmp_path / "all")
    assert summary_of(tmp_path / "all")["not_looked_for"] == []


def test_json_stands_alone_on_stdout_and_messages_on_stderr(two_files, tmp_path):
    ran = call("compare", *two_files, tmp_path / "missing.shp", "-o", tmp_path / "out", "--json")
    told = json.loads(ran.out)
    assert without_time(told) == without_time(summary_of(tmp_path / "out"))
    assert "missing.shp" in ran.err
    assert ran.code == 4


def test_json_of_every_command_that_reports(two_files, tmp_path):
    out = tmp_path / "out"
    config = tmp_path / "c.yaml"
    config.write_text("deliveries:\n  - path: in\noutput: nightly\n", encoding="utf-8")
    call("compare", *two_files, "-o", out)
    for words in (
        ["report", out],
        ["query", out, "--id", "U-1"],
        ["run", config],
        ["demo", tmp_path / "d", "--size", "300"],
    ):
        ran = call(*words, "--json")
        assert ran.code == 0
        assert json.loads(ran.out)
    assert json.loads(call("report", out, "--json").out) == json.loads(
        (out / "summary.json").read_text("utf-8")
    )


def test_quiet_says_nothing_but_what_went_wrong(two_files, tmp_path):
    ran = call("compare", *two_files, "-o", tmp_path / "out", "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    ran = call("compare", *two_files, tmp_path / "missing.shp", "-o", tmp_path / "out", "-q")
    assert (ran.code, ran.out) == (4, "")
    assert "missing.shp" in ran.err


def test_a_pair_of_one_operator_is_published_somewhere(tmp_path):
    """SHA confirmed as CHA, a task over a hazard: expected, listed and not counted, but not gone."""
    deliveries = tmp_path / "in"
    for number, (one, two) in enumerate(
        [("SHA", "CHA"), ("CHA", "TASK"), ("CHA", "SURVEY_BOX"), ("CHA", "UNKNOWN")]
    ):
        records = [
            ({"id": f"{number}-1", "kind": one}, square(105 + number)),
            ({"id": f"{number}-2", "kind": two}, square(105 + number, east_by=0.001)),
        ]
        write_geojson(deliveries / f"MAG {number}.geojson", records)
    assert call("compare", deliveries, "-o", tmp_path / "out").code == 0
    pairs = read_layer(tmp_path / "out" / "geopipe.gpkg", "overlaps")
    handed = read_layer(tmp_path / "out" / "geopipe.gpkg", "handover")
    assert len(pairs) + len(handed) == 4


# --- stage by stage -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workspace(small_demo, tmp_path_factory):
    """Return a workspace through which all stages went."""
    work = tmp_path_factory.mktemp("stages") / "work"
    assert call("ingest", small_demo, "-w", work, "--assume-crs", UTM_48N, "--quiet").code in (0, 4)
    for stage in STAGES:
        ran = call(stage, "-w", work)
        assert ran.code == 0
        assert ran.out.startswith(f"{stage}: ")
    return work


def test_stages_give_what_compare_gives(workspace, small_result, tmp_path):
    ran = call("publish", "-w", workspace, "-o", tmp_path / "out")
    assert ran.code == 4
    assert without_time(summary_of(tmp_path / "out")) == without_time(summary_of(small_result))
    assert (tmp_path / "out" / "geopipe.gpkg").read_bytes() == (small_result / "geopipe.gpkg").read_bytes()
    assert ran.out.splitlines()[:-1] == call("report", small_result).lines[:-1]


def test_what_was_said_to_ingest_holds_for_the_later_stages(two_files, tmp_path):
    work, albers = tmp_path / "work", "ESRI:102028"
    call("ingest", *two_files, "-w", work, "--kind", "cleared", "--working-crs", albers, "--layers", "areas")
    for stage in STAGES:
        assert call(stage, "-w", work).code == 0
    assert call("publish", "-w", work, "-o", tmp_path / "out").code == 0
    assert layer_names(tmp_path / "out" / "geopipe.gpkg") == ["areas"]
    assert {row["kind"] for row in read_layer(tmp_path / "out" / "geopipe.gpkg", "areas")} == {"CLEARED"}
    assert summary_of(tmp_path / "out")["working_crs"] == albers


@pytest.mark.parametrize("stage", [*STAGES, "publish", "index"])
def test_a_stage_in_an_empty_workspace_says_what_to_do(tmp_path, stage):
    ran = call(stage, "-w", tmp_path / "work")
    assert ran.code == 2
    assert "Run `geopipe " in ran.err
    assert str(tmp_path / "work") in ran.err
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("stage", "before"),
    [("reproject", "validate"), ("deduplicate", "check"), ("overlaps", "history"),
     ("publish", "overlaps"), ("index", "history")],
)  # fmt: skip
def test_stages_out_of_order_say_which_comes_first(two_files, tmp_path, stage, before):
    work = tmp_path / "work"
    call("ingest", *two_files, "-w", work, "--quiet")
    ran = call(stage, "-w", work)
    assert ran.code == 2
    assert f"the stage '{before}' has not been run here" in ran.err
    assert f"Run `geopipe {before}` first." in ran.err


def test_a_later_stage_does_not_use_what_an_older_ingest_left(two_files, tmp_path):
    """After a new ingest, publishing without the stages between would publish the old deliveries."""
    work = tmp_path / "work"
    call("ingest", *two_files, "-w", work, "--quiet")
    for stage in STAGES:
        call(stage, "-w", work, "--quiet")
    call("ingest", two_files[0], "-w", work, "--quiet")
    ran = call("publish", "-w", work, "-o", tmp_path / "out")
    assert ran.code == 2
    assert "Run `geopipe " in ran.err


def test_a_workspace_that_was_damaged_is_said(workspace, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(workspace, work)
    frame = work / "history" / "features.arrow"
    frame.write_bytes(frame.read_bytes()[:5000])
    ran = call("overlaps", "-w", work)
    assert ran.code == 2
    assert str(work) in ran.err


# --- run and report -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nightly(small_demo, tmp_path_factory):
    """Return the folder of a configuration that has run once."""
    folder = tmp_path_factory.mktemp("nightly")
    config = write_config(folder, small_demo)
    assert call("run", config, "--quiet").code == 4
    return folder


def test_a_second_run_changes_nothing(nightly):
    before = hashes(nightly / "out"), times(nightly / "out")
    workspace = hashes(nightly / "work")
    first = (nightly / "out" / "CURRENT").read_text(encoding="utf-8")
    assert call("run", nightly / "nightly.yaml").code == 4
    assert (hashes(nightly / "out"), times(nightly / "out")) == before
    assert hashes(nightly / "work") == workspace
    assert (nightly / "out" / "CURRENT").read_text(encoding="utf-8") == first
    assert len(list((nightly / "out" / "runs").iterdir())) == 1


def assert_same_map_but_for_the_cases(run, result):
    """`geopipe run` has a register, and with it one more layer."""
    names = layer_names(result / "geopipe.gpkg")
    assert sorted(layer_names(run / "geopipe.gpkg")) == sorted([*names, "cases"])
    for name in names:
        assert repr(read_layer(run / "geopipe.gpkg", name)) == repr(read_layer(result / "geopipe.gpkg", name))


def test_run_gives_what_compare_gives(nightly, small_result):
    run = nightly / "out" / (nightly / "out" / "CURRENT").read_text(encoding="utf-8").strip()
    summary = without_time(summary_of(run))
    assert summary.pop("cases")["open"] > 0
    assert summary == without_time(summary_of(small_result))
    assert_same_map_but_for_the_cases(run, small_result)


def test_report_and_query_find_the_current_run(nightly):
    ran = call("report", nightly / "out")
    assert ran.code == 0
    assert "READ        10 files" in ran.out
    assert call("query", nightly / "out", "--id", "UXL-CLR-000001").out.startswith("UXO Lao:")


def test_a_lost_pointer_is_written_again(nightly, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(nightly, folder)
    (folder / "out" / "CURRENT").unlink()
    assert call("run", folder / "nightly.yaml", "--quiet").code == 4
    assert call("report", folder / "out").code == 0


def test_changed_input_makes_a_new_run_and_keeps_the_old_one(two_files, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("deliveries:\n  - path: in\n", encoding="utf-8")
    assert call("run", config, "-q").code == 0
    old = hashes(tmp_path / "out" / "runs")
    write_geojson(two_files[1], [({"hazard_id": "M-1"}, square(east_by=0.0015))])
    assert call("run", config, "-q").code == 0
    new = hashes(tmp_path / "out" / "runs")
    assert old.items() < new.items()
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 2
    current = (tmp_path / "out" / "CURRENT").read_text(encoding="utf-8").strip()
    assert not any(name.startswith(current.removeprefix("runs/")) for name in old)


def test_report_shows_the_newest_result_of_a_folder_used_by_run_and_compare(two_files, tmp_path):
    """Both write to `out` if nobody says otherwise."""
    config = tmp_path / "c.yaml"
    config.write_text("deliveries:\n  - path: in\n", encoding="utf-8")
    assert call("run", config, "-q").code == 0
    third = write_geojson(tmp_path / "NPA_CHA.geojson", [({"id": "N-1"}, square(106.0))])
    ran = call("compare", *two_files, third, "-o", tmp_path / "out")
    if ran.code == 0:
        assert "READ        3 files" in call("report", tmp_path / "out").out
        assert json.loads(call("query", tmp_path / "out", "--id", "N-1", "--json").out)["rows"]
    else:
        assert ran.code == 2
        assert str(tmp_path / "out") in ran.err


def test_a_run_folder_that_was_damaged_is_made_anew(two_files, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("deliveries:\n  - path: in\n", encoding="utf-8")
    assert call("run", config, "-q").code == 0
    (geopackage,) = (tmp_path / "out").rglob("geopipe.gpkg")
    whole = geopackage.read_bytes()
    geopackage.write_bytes(whole[:5000])
    assert call("report", tmp_path / "out").code == 2
    assert call("run", config, "-q").code == 0
    assert geopackage.read_bytes() == whole
    assert call("report", tmp_path / "out").code == 0


def test_the_shipped_demo_configuration_runs(demo_of, tmp_path):
    from conftest import REPOSITORY

    shutil.copytree(demo_of(300, 5)[0], tmp_path / "demo")
    (tmp_path / "configs").mkdir()
    shutil.copy(REPOSITORY / "configs" / "demo.yaml", tmp_path / "configs")
    assert call("run", tmp_path / "configs" / "demo.yaml", "-q").code == 4
    assert call("report", tmp_path / "out").code == 0


# --- the same input, the same output --------------------------------------------------------------


def test_inputs_are_left_as_they_were(demo_of, tmp_path):
    deliveries = tmp_path / "in"
    shutil.copytree(demo_of(300, 5)[0], deliveries)
    before = hashes(deliveries), times(deliveries)
    call("compare", deliveries, "-o", tmp_path / "out", "-q")
    call("run", write_config(tmp_path, deliveries, output="nightly"), "-q")
    call("ingest", deliveries, "-w", tmp_path / "work", "-q")
    assert (hashes(deliveries), times(deliveries)) == before


def test_twice_the_same_input_gives_the_same_bytes_in_any_process(small_demo, small_result, tmp_path):
    for seed in ("1", "2"):
        words = ["compare", small_demo, "-o", tmp_path / seed, "--assume-crs", UTM_48N, "-q"]
        assert call_in_process(*words, env={"PYTHONHASHSEED": seed}, cwd=tmp_path).code == 4
        assert (tmp_path / seed / "geopipe.gpkg").read_bytes() == (small_result / "geopipe.gpkg").read_bytes()
        assert without_time(summary_of(tmp_path / seed)) == without_time(summary_of(small_result))


@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_changes_nothing(small_demo, small_result, tmp_path, workers):
    config = write_config(tmp_path, small_demo, workers=workers)
    assert call("run", config, "-q").code == 4
    (geopackage,) = (tmp_path / "out").rglob("geopipe.gpkg")
    assert_same_map_but_for_the_cases(geopackage.parent, small_result)


def pairs_in(folder):
    """Return everything about the pairs but where their records stood."""
    rows = read_layer(folder / "geopipe.gpkg", "overlaps")
    keep = [name for name in rows[0] if not name.endswith(("row_id", "geometry", "group_id"))]
    return sorted([tuple(repr(row[name]) for name in keep) for row in rows])


def test_the_order_of_records_changes_no_pair_and_no_area(demo_of, tmp_path):
    deliveries = tmp_path / "in"
    shutil.copytree(demo_of(300, 5)[0], deliveries)
    call("compare", deliveries, "-o", tmp_path / "one", "-q")
    for path in deliveries.glob("NPA_*.geojson"):
        document = json.loads(path.read_text(encoding="utf-8"))
        # A fixed order that has nothing to do with the delivered one.
        document["features"].sort(
            key=lambda f: hashlib.sha256(json.dumps(f, sort_keys=True).encode()).digest()
        )
        path.write_text(json.dumps(document), encoding="utf-8")
    call("compare", deliveries, "-o", tmp_path / "two", "-q")
    assert pairs_in(tmp_path / "one") == pairs_in(tmp_path / "two")
    one, two = (summary_of(tmp_path / name) for name in ("one", "two"))
    for name in ("balance", "areas", "alarms", "findings", "severities", "returned"):
        assert one[name] == two[name], name


def test_the_order_of_files_changes_nothing(two_files, tmp_path):
    call("compare", *two_files, "-o", tmp_path / "one")
    call("compare", *reversed(two_files), "-o", tmp_path / "two")
    assert pairs_in(tmp_path / "one") == pairs_in(tmp_path / "two")


def test_a_file_named_twice_is_read_once(two_files, tmp_path):
    ran = call("compare", *two_files, two_files[0], two_files[0].parent, "-o", tmp_path / "out")
    assert "READ        2 files, 2 records" in ran.out


def test_paths_with_spaces_and_lao_letters(small_demo, small_result, tmp_path):
    deliveries = tmp_path / "ເຂດ ອັນຕະລາຍ" / "ປີ 2026"
    shutil.copytree(small_demo, deliveries)
    out = tmp_path / "ຜົນ ອອກ"
    assert call_in_process("compare", deliveries, "-o", out, "--assume-crs", UTM_48N, "-q").code == 4
    assert (out / "geopipe.gpkg").read_bytes() == (small_result / "geopipe.gpkg").read_bytes()
    ran = call_in_process("report", out)
    assert ran.code == 0
    assert str(out / "geopipe.gpkg") in ran.out
    assert call_in_process("run", write_config(tmp_path / "ຜົນ ອອກ", deliveries), "-q").code == 4
    assert call_in_process("query", out, "--at", "105.0,17.5", "--json").code == 0


def test_a_console_without_unicode_does_no_harm(small_demo, tmp_path):
    """The console of an old Windows shows question marks at worst, and never an error."""
    deliveries = tmp_path / "ເຂດ"
    write_geojson(deliveries / "ເຂດຢັ້ງຢືນ.geojson", [({"id": "ກ-1", "ແຂວງ": "ຊຽງຂວາງ"}, square())])
    write_geojson(deliveries / "MAG_CHA.geojson", [({"id": "M-1"}, square(east_by=0.001))])
    env = {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    ran = call_in_process("compare", deliveries, "-o", tmp_path / "out", env=env, encoding="cp1252")
    assert ran.code == 0, ran.err
    assert "READ" in ran.out


@pytest.mark.parametrize("name", ["PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH"])
def test_foreign_variables_do_no_harm(small_demo, small_result, tmp_path, name):
    """QGIS and PostGIS leave such variables behind, and point them at other versions."""
    foreign = tmp_path / "OSGeo4W share"
    foreign.mkdir()
    (foreign / "proj.db").write_bytes(b"another version")
    (foreign / "gdalvrt.xsd").write_bytes(b"")
    words = ["compare", small_demo, "-o", tmp_path / "out", "--assume-crs", UTM_48N, "-q"]
    ran = call_in_process(*words, env={name: str(foreign)})
    assert ran.code == 4, ran.err
    assert (tmp_path / "out" / "geopipe.gpkg").read_bytes() == (small_result / "geopipe.gpkg").read_bytes()


def test_deliveries_may_be_read_only(small_demo, tmp_path):
    deliveries = tmp_path / "in"
    shutil.copytree(small_demo, deliveries)
    for path in deliveries.iterdir():
        path.chmod(0o444)
    deliveries.chmod(0o555)
    try:
        assert call("compare", deliveries, "-o", tmp_path / "out", "-q").code == 4
    finally:
        deliveries.chmod(0o755)
