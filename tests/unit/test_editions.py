"""What one operator gets: everything of its own, and of others nothing but what the allow-list has."""

import json
import sqlite3
import stat
from contextlib import closing

import numpy as np
import pyogrio
import pytest
import shapely
from conftest import REPOSITORY, call, layer_names, read_layer, write_geojson
from edition_fixtures import SECRETS, as_array, far_corners, workspace_in
from osgeo_utils.samples import validate_gpkg
from unpacking import found_in

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.editions import LAYERS, NEAR_M, OF_PARTNER, Pairs
from geopipe.outputs.edition.makers import MAKERS
from geopipe.outputs.formats.convert import FORMATS
from geopipe.reports.publish import current_run, read_summary

TO_MEETING = ("--meeting", "TWG 1/2026", "--held-on", "2026-06-01", "--lang", "both")
# What a mutation of this file must be found by: these stand in the files of those who decide.
FOREIGN_IDS = ("U-FAR", "U-NEIGHBOUR", "H-NEIGHBOUR", "H-SECOND")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return workspace_in(tmp_path_factory.mktemp("editions"))


@pytest.fixture(scope="module")
def edition(place, tmp_path_factory):
    """Return the folder with all files for MAG."""
    work, out = place
    folder = tmp_path_factory.mktemp("for-mag")
    ran = call("edition", out, "-w", work, "--operator", "MAG", "-o", folder, *TO_MEETING, "--format",
               ",".join(FORMATS), "--json")  # fmt: skip
    assert ran.code == 0, ran.err
    made = json.loads(ran.out)
    assert made["left_out"] == {}
    assert set(made["files"]) == set(MAKERS)
    return folder


@pytest.fixture(scope="module")
def files(edition):
    return sorted(path for path in edition.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def geopackage(edition):
    return edition / "geopipe.gpkg"


@pytest.fixture(scope="module")
def working(place):
    return read_summary(current_run(place[1]))["working_crs"]


@pytest.fixture(scope="module")
def corners(working):
    transformer, _ = choose_operation(WGS84, working)
    return far_corners(lambda shapes: transform(as_array(shapes), transformer))


@pytest.fixture(scope="module")
def for_all(place, tmp_path_factory):
    """Return the same kinds of files as those who decide get them."""
    work, out = place
    folder = tmp_path_factory.mktemp("for-all")
    call("convert", out, "-o", folder, "--format", ",".join(FORMATS))
    call("workbook", out, "-w", work, "-o", folder / "workbook.xlsx")
    call("pack", out, "-w", work, "-o", folder / "pack.pdf", "--minutes-of-meeting", "120", "--all-pages",
         *TO_MEETING)  # fmt: skip
    (folder / "geopipe.gpkg").write_bytes((current_run(out) / "geopipe.gpkg").read_bytes())
    return folder


def test_no_foreign_id_and_no_person_is_in_the_bytes_of_any_file(files):
    found = {path.name: found_in(path, SECRETS) for path in files}
    assert len(files) >= 20
    assert {name: told for name, told in found.items() if told} == {}


def test_no_corner_of_a_partner_beyond_100_m_is_in_the_bytes_of_any_file(files, corners):
    assert len(corners) > 40
    assert {path.name for path in files if found_in(path, corners)} == set()


def test_the_search_finds_them_where_they_may_stand(for_all, corners):
    names = ("geopipe.gpkg", "workbook.xlsx", "pack.pdf", "kml/geopipe.kml", "geojson/areas.geojson",
             "flatgeobuf/areas.fgb", "geoparquet/areas.parquet", "shapefile/areas.zip")  # fmt: skip
    for name in names:
        assert found_in(for_all / name, FOREIGN_IDS), name
        if not name.endswith(("xlsx", "pdf")):
            assert found_in(for_all / name, corners), name


def test_people_and_free_texts_are_not_even_in_what_all_get(for_all):
    people = ("Somchai-Surveyor", "Donor-of-Oslo", "020-5551234", "jsmith")
    assert {path.name for path in for_all.rglob("*.*") if found_in(path, people)} == set()


def test_no_path_of_this_machine_is_in_any_file(files, place, edition):
    folders = (str(place[0].parent), str(edition), str(edition.parent))
    assert {path.name for path in files if found_in(path, folders)} == set()


def test_hectares_that_wait_for_a_decision_are_not_final_though_they_are_shared(edition):
    """M-3 of MAG and H-1 of HALO both count the same cleared land; nobody has decided about it."""
    exports = edition / "exports"
    assert "Hectares are provisional" in (exports / "READ_FIRST.txt").read_text("utf-8")
    totals = json.loads((exports / "totals.json").read_text("utf-8"))["rows"]
    assert {row["kind"]: row["is_provisional"] for row in totals}["CLEARED"]


def test_only_their_owner_may_read_the_files(files):
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


class TestMap:
    """The GeoPackage of one operator."""

    def test_it_has_all_own_records(self, geopackage, place):
        def own(path):
            return {row["record_id"] for row in read_layer(path, "areas") if row["operator"] == "MAG"}

        assert len(own(geopackage)) == 6
        assert own(geopackage) == own(current_run(place[1]) / "geopipe.gpkg")
        assert {row["operator"] for row in read_layer(geopackage, "areas")} == {"MAG"}

    def test_of_a_partner_it_has_the_outline_within_100_m_and_the_allowed_columns(self, geopackage):
        overlaps = {row["left_id"] + row["right_id"]: row for row in read_layer(geopackage, "overlaps")}
        assert len(overlaps) == 3
        rows = read_layer(geopackage, "partner_outlines")
        far = [row for row in rows if row["geometry"] is None]
        assert {row["record_id"] for row in far} == {"UXO Lao:hazard:U-BIG"}
        near = [row for row in rows if row["geometry"] is not None]
        assert {row["record_id"] for row in near} == {"UXO Lao:hazard:U-1", "HALO:land_release:H-1"}
        assert all(set(row) == {*OF_PARTNER, "own_id", "geometry"} for row in rows)
        for row in near:
            shared = next(pair["geometry"] for names, pair in overlaps.items() if row["record_id"] in names)
            corners = shapely.points(shapely.get_coordinates(row["geometry"]))
            assert shapely.distance(corners, shared).max() <= NEAR_M
            assert shapely.distance(corners, shared).max() > NEAR_M - 1
            assert row["geometry"].geom_type == "MultiLineString"

    def test_every_geometry_lies_on_own_ground_or_within_100_m_of_an_overlap(self, geopackage):
        own = [row["geometry"] for row in read_layer(geopackage, "areas")]
        near = [shapely.buffer(row["geometry"], NEAR_M) for row in read_layer(geopackage, "overlaps")]
        allowed = shapely.buffer(shapely.union_all([*own, *near]), 0.01)
        for name in layer_names(geopackage):
            for row in read_layer(geopackage, name) if pyogrio.read_info(
                geopackage, layer=name)["geometry_type"] else []:  # fmt: skip
                assert row["geometry"] is None or shapely.covers(allowed, row["geometry"]), name

    def test_how_much_of_a_partners_record_overlaps_is_not_told(self, geopackage):
        for layer, sides in (("overlaps", ("left", "right")), ("cases", ("a", "b"))):
            for row in read_layer(geopackage, layer):
                for side in sides:
                    assert (row[f"{side}_share"] is not None) == (row[f"{side}_operator"] == "MAG")

    def test_layers_hold_only_columns_of_the_allow_list(self, geopackage):
        for name in set(layer_names(geopackage)) - {"partner_outlines"}:
            rule = LAYERS[name]
            allowed = set(rule.columns) if not isinstance(rule, Pairs) else {
                *(f"{side}_{column}" for side in rule.sides for column in rule.of_side), *rule.together,
                *(column for columns in rule.only_own.values() for column in columns), "province", "district",
            }  # fmt: skip
            with closing(sqlite3.connect(geopackage)) as connection:
                columns = {row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')}
            assert columns - {"fid", "geom"} <= allowed, name

    def test_it_keeps_to_the_standard(self, geopackage):
        told = validate_gpkg.check(str(geopackage), abort_at_first_error=False, extra_checks=True,
                                   warning_as_error=True, myprint=lambda _: None)  # fmt: skip
        assert told == []

    def test_its_layers_say_for_whom_it_is_and_count_own_records_only(self, geopackage):
        with closing(sqlite3.connect(geopackage)) as connection:
            said = connection.execute(
                "SELECT description FROM gpkg_contents WHERE table_name = 'areas'"
            ).fetchone()[0]
        assert "Edition for MAG: its own records and cases only." in said
        assert "6 of 7 records were compared" in said
        assert "HALO" not in said

    def test_the_same_result_gives_the_same_bytes(self, geopackage, place, tmp_path):
        work, out = place
        call("edition", out, "-w", work, "--operator", "MAG", "-o", tmp_path)
        assert (tmp_path / "geopipe.gpkg").read_bytes() == geopackage.read_bytes()

    def test_a_finding_for_the_authority_is_not_in_it(self, geopackage, place):
        def codes(path):
            return {row["code"] for row in read_layer(path, "findings")}

        assert "SHAPE_REUSED" in codes(current_run(place[1]) / "geopipe.gpkg")
        assert codes(geopackage)
        assert "SHAPE_REUSED" not in codes(geopackage)


def test_a_find_of_somebody_else_is_told_neither_by_its_place_nor_by_its_id(place, tmp_path):
    """The find of UXO Lao lies on land that MAG has cleared: it is a finding about the find."""
    call("convert", place[1], "-o", tmp_path, "--operator", "UXO Lao", "--format", "geojson")
    findings = json.loads((tmp_path / "geojson" / "findings.geojson").read_text("utf-8"))["features"]
    find = next(f for f in findings if f["properties"]["code"] == "FIND_ON_RELEASED_LAND")
    assert find["properties"]["source_id"] == "U-FIND"
    assert find["properties"]["other_id"] is None  # M-3 overlaps with nothing of UXO Lao's
    assert find["geometry"] is None
    assert found_in(tmp_path / "geojson" / "findings.geojson", ("M-3",)) == set()


def test_a_gap_beside_a_neighbours_release_is_not_in_an_edition(tmp_path):
    golden = REPOSITORY / "tests" / "golden" / "strips-between-releases" / "in"
    call("compare", golden, "-o", tmp_path / "out", "-q")
    whole = read_layer(tmp_path / "out" / "geopipe.gpkg", "gaps")
    owners = {row["operator"] for row in whole if row["operator"]}
    seen = 0
    for owner in owners:
        call("convert", tmp_path / "out", "-o", tmp_path / owner, "--operator", owner, "--format", "geojson")
        path = tmp_path / owner / "geojson" / "gaps.geojson"
        gaps = json.loads(path.read_text("utf-8"))["features"] if path.is_file() else []
        seen += len(gaps)
        expected = [row for row in whole if row["operator"] == owner == row["neighbour_operators"]]
        assert len(gaps) == len(expected)
        assert all(owner in gap["properties"]["neighbours"] for gap in gaps)
    assert 0 < seen < len(whole)


def test_a_file_that_several_operators_stand_in_is_not_named(tmp_path):
    def row(name, operator, east):
        return {"id": name, "operator": operator, "type": "CHA"}, shapely.box(
            105 + east, 17, 105.002 + east, 17.002
        )

    write_geojson(
        tmp_path / "export_of_the_authority.geojson", [row("M-1", "MAG", 0), row("H-1", "HALO", 0.01)]
    )
    call("compare", tmp_path / "export_of_the_authority.geojson", "-o", tmp_path / "out", "-q")
    call("convert", tmp_path / "out", "-o", tmp_path / "to", "--operator", "MAG", "--format", "geojson")
    path = tmp_path / "to" / "geojson" / "areas.geojson"
    assert "M-1" in path.read_text("utf-8")
    assert found_in(path, ("export_of_the_authority",)) == set()


def test_an_operator_who_is_not_in_the_result_is_refused_with_the_nearest_name(place, tmp_path):
    ran = call("edition", place[1], "-w", place[0], "--operator", "MAGG", "-o", tmp_path / "to")
    assert ran.code == 2
    assert "holds nothing of 'MAGG'; did you mean 'MAG'?" in ran.err
    assert not (tmp_path / "to").exists() or not list((tmp_path / "to").iterdir())


def test_without_a_meeting_it_says_which_files_are_left_out(place, tmp_path):
    ran = call("edition", place[1], "-w", place[0], "--operator", "MAG", "-o", tmp_path)
    assert ran.code == 0
    assert [line.split()[0] for line in ran.lines] == ["map", "workbook", "plots", "page", "feeds", "returns"]
    assert "pack      not written: no meeting was named" in ran.err


def test_what_a_later_edition_replaces_leaves_nothing_of_the_earlier_one(place, tmp_path):
    """A file for another operator in the same place is a new file: no byte of the old one is in it."""
    for operator in ("UXO Lao", "MAG"):
        call("edition", place[1], "-w", place[0], "--operator", operator, "-o", tmp_path)
    assert found_in(tmp_path / "geopipe.gpkg", ("U-FAR", "U-SECOND")) == set()


def test_numbers_of_the_allow_list_are_those_of_the_domain():
    assert OF_PARTNER == ("operator", "record_id", "kind", "status", "date")
    assert np.isclose(NEAR_M, 100.0)


def test_without_the_typesetter_it_says_so_and_writes_the_rest(place, tmp_path, monkeypatch):
    monkeypatch.setattr("geopipe.outputs.edition.makers.find_spec", lambda _name: None)
    ran = call("edition", place[1], "-w", place[0], "--operator", "MAG", "-o", tmp_path)
    assert ran.code == 0
    assert "plots     not written: typst draws it" in ran.err
    assert (tmp_path / "workbook.xlsx").is_file()
