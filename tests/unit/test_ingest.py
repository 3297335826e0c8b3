"""Raw deliveries become records with ids; what is recognised is said, what is not stays unknown."""

import datetime as dt
import json

import pyarrow as pa
import pytest
import shapely
from make import findings, ingested, raw_delivery, raw_layer

from geopipe.io.delivery import Problem, RawLayer
from geopipe.schema import FEATURES, check
from geopipe.terms import CountMethod

ONE = shapely.box(104, 18, 104.001, 18.001)
TWO = shapely.box(105, 18, 105.001, 18.001)


def features(*layers, name="MAG_CHA.gpkg", **options):
    return ingested(raw_delivery(name, *layers), **options).features.table.to_pylist()


def first(name="MAG_CHA.gpkg", crs="EPSG:4326", ground=ONE, options=None, **columns):
    layer = raw_layer([ground], crs, **{key: [value] for key, value in columns.items()})
    return features(layer, name=name, **(options or {}))[0]


def assumptions(name="MAG_CHA.gpkg", options=None, **columns):
    size = len(next(iter(columns.values()))) if columns else 1
    state = ingested(raw_delivery(name, raw_layer([ONE] * size, **columns)), **(options or {}))
    return list(state.deliveries[0].assumptions)


def test_a_record_gets_its_ids_from_what_was_delivered():
    row = first(cha_id="XKH-007")
    assert row["record_id"] == "MAG:hazard:XKH-007"
    assert row["row_id"].endswith(":00000001")
    assert row["id_is_delivered"] is True
    assert (row["operator"], row["kind"], row["register"]) == ("MAG", "CHA", "hazard")
    assert row["source_geometry"] == shapely.to_wkb(ONE)
    assert row["source_crs"] == "EPSG:4326"


def test_a_record_without_an_id_is_known_by_its_geometry():
    one, other = features(raw_layer([ONE, TWO], remark=["a", "b"]))
    assert one["record_id"] != other["record_id"]
    assert one["source_id"] == f"geometry-{one['geometry_hash']}"
    assert one["id_is_delivered"] is False


def test_the_frame_has_every_column_of_its_schema_and_no_geometry_yet():
    state = ingested(raw_delivery("MAG_CHA.gpkg", raw_layer([ONE, None], id=["1", "2"])))
    check(state.features, FEATURES, "features")
    assert state.features.geometry.tolist() == [None, None]


@pytest.mark.parametrize(
    ("kind", "register"),
    [
        ("sha", "hazard"), ("cha", "hazard"), ("cleared", "land_release"), ("Reduced", "land_release"),
        ("CANCELLED", "land_release"), ("survey_box", "survey"), ("task", "task"), ("what?", "unknown"),
    ],
)  # fmt: skip
def test_each_kind_has_its_register(kind, register):
    # A second row whose kind is known shows that the column is about kinds.
    layer = raw_layer([ONE, TWO], id=["1", "2"], kind=[kind, "cha"])
    assert features(layer)[0]["register"] == register


# Identity: what changes a version, and what does not.

BASE = {"cha_id": "7", "status": "open", "remark": "x"}


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ({"status": "closed"}, {}),
        ({"remark": "y"}, {}),
        ({"ground": TWO}, {}),
        ({"crs": "EPSG:32648"}, {}),
        ({"cha_id": "8"}, {}),
        ({"extra": "z"}, {}),
        ({"name": "HALO_CHA.gpkg"}, {}),
        ({"ground": ONE.reverse()}, {}),
    ],
)
def test_any_change_of_what_was_delivered_is_another_version(change, options):
    assert first(**{**BASE, **change})["version_id"] != first(**BASE)["version_id"]


@pytest.mark.parametrize(
    "volatile", ["OBJECTID", "fid", "Shape_Area", "shape_leng", "created_date", "LAST_EDITED_USER", "ST_Area"]
)
def test_what_software_writes_for_itself_is_no_new_version(volatile):
    one, other = first(**BASE, **{volatile: "1"}), first(**BASE, **{volatile: "2"})
    assert one["version_id"] == other["version_id"] == first(**BASE)["version_id"]
    assert volatile in json.loads(one["attributes"])


def test_the_same_record_in_another_row_or_file_is_the_same_version():
    alone = first(**BASE)
    second = features(
        raw_layer([TWO, ONE], cha_id=["1", "7"], status=["x", "open"], remark=["", "x"]),
        name="MAG_CHA_2.gpkg",
    )[1]
    assert second["version_id"] == alone["version_id"]
    assert second["row_id"] != alone["row_id"]


def test_a_file_renamed_keeps_its_ids():
    layer = raw_layer([ONE, TWO], id=["1", "2"])
    one = ingested(raw_delivery("MAG_CHA.gpkg", layer, content="same bytes")).features
    other = ingested(raw_delivery("MAG_CHA_final.gpkg", layer, content="same bytes")).features
    for name in ("row_id", "record_id", "version_id"):
        assert one.table[name].to_pylist() == other.table[name].to_pylist()


def test_the_same_bytes_twice_are_different_rows_of_the_same_versions():
    layer = raw_layer([ONE], id=["1"])
    state = ingested(
        raw_delivery("MAG_CHA.gpkg", layer, content="x"),
        raw_delivery("MAG_CHA_copy.gpkg", layer, content="x"),
    )
    assert len(set(state.features.table["row_id"].to_pylist())) == 2
    assert len(set(state.features.table["version_id"].to_pylist())) == 1


def test_two_files_of_one_name_stay_apart():
    from dataclasses import replace
    from pathlib import Path

    one = raw_delivery("areas.gpkg", raw_layer([ONE], id=["1"]), content="1")
    other = replace(
        raw_delivery("areas.gpkg", raw_layer([TWO], id=["2"]), content="2"), path=Path("second/areas.gpkg")
    )
    state = ingested(one, other)
    assert [delivery.file for delivery in state.deliveries] == ["areas.gpkg", "second/areas.gpkg"]


# Operators.


@pytest.mark.parametrize(
    ("name", "columns", "options", "operator"),
    [
        ("UXOLao_CHA.shp", {}, {}, "UXO Lao"),
        ("x.shp", {"operator": "uxol"}, {}, "UXO Lao"),
        ("MAG.shp", {"operator": "Handicap International"}, {}, "HI"),
        ("x.shp", {"operator": "Somebody New"}, {}, "Somebody New"),
        ("MAG.shp", {"operator": None}, {}, "MAG"),
        ("MAG.shp", {"operator": "  "}, {}, "MAG"),
        ("x.shp", {}, {}, "x"),
        ("MAG.shp", {"operator": "NPA"}, {"operator": "halo trust"}, "HALO"),
        ("MAG.shp", {"Agency Name": "NPA"}, {"operator_field": "agency name"}, "NPA"),
    ],
)
def test_the_operator_is_as_told_else_in_its_column_else_in_the_name(name, columns, options, operator):
    columns = {key: pa.array([value], pa.string()) for key, value in columns.items()}
    (row,) = features(raw_layer([ONE], id=["1"], **columns), name=name, **options)
    assert row["operator"] == operator


def test_an_operator_taken_from_the_name_is_printed():
    assert any("operator x (the file's name)" in told for told in assumptions("x.shp", id=["1"]))
    assert any("operator MAG" in told for told in assumptions("MAG.shp", id=["1"]))


def test_records_without_an_operator_are_printed():
    told = assumptions("MAG.shp", id=["1", "2"], operator=["NPA", None])
    assert any("1 records without operator are MAG's" in sentence for sentence in told)


# Kinds.


@pytest.mark.parametrize(
    ("name", "columns", "options", "kind"),
    [
        ("CHA.shp", {}, {}, "CHA"),
        ("clearance.shp", {}, {}, "CLEARED"),
        ("areas.shp", {}, {}, "UNKNOWN"),
        ("CHA.shp", {"type": "x"}, {}, "CHA"),
        ("CHA.shp", {"kind": "cancelled"}, {}, "CANCELLED"),
        ("CHA.shp", {"kind": None}, {}, "CHA"),
        ("areas.shp", {"kind": "Suspected Hazardous Area"}, {}, "SHA"),
        ("areas.shp", {"hazard_type": "CHA"}, {}, "CHA"),
        ("CHA.shp", {"kind": "cancelled"}, {"kind": "sha"}, "SHA"),
        ("x.shp", {"Sort": "reduced"}, {"kind_field": "sort"}, "REDUCED"),
    ],
)
def test_the_kind_is_as_told_else_in_its_column_else_in_the_name_else_unknown(name, columns, options, kind):
    columns = {key: pa.array([value], pa.string()) for key, value in columns.items()}
    (row,) = features(raw_layer([ONE], id=["1"], **columns), name=name, **options)
    assert row["kind"] == kind


def test_an_odd_value_in_a_kind_column_is_unknown_and_printed():
    layer = raw_layer([ONE, TWO], id=["1", "2"], kind=["CHA", "danger zone"])
    state = ingested(raw_delivery("clearance.shp", layer))
    assert state.features.table["kind"].to_pylist() == ["CHA", "UNKNOWN"]
    assert any("kind UNKNOWN for 1 records" in told for told in state.deliveries[0].assumptions)


def test_a_kind_column_about_something_else_is_not_used():
    layer = raw_layer([ONE, TWO], id=["1", "2"], hazard_type=["cluster munition", "mortar"])
    assert {row["kind"] for row in features(layer, name="CHA.shp")} == {"CHA"}


def test_the_name_of_a_layer_goes_before_the_name_of_the_file():
    layers = raw_layer([ONE], name="cha", id=["1"]), raw_layer([TWO], name="clearance", id=["1"])
    assert [row["kind"] for row in features(*layers, name="MAG_tasks.gpkg")] == ["CHA", "CLEARED"]


# Ids.


@pytest.mark.parametrize(
    ("kind", "own"), [("cleared", "r1"), ("cha", "h1"), ("task", "x1"), ("nothing known", "h1")]
)
def test_the_id_column_is_that_of_the_records_own_register(kind, own):
    layer = raw_layer(
        [ONE, TWO], hazard_id=["h1", "h2"], release_id=["r1", "r2"], id=["x1", "x2"], kind=[kind] * 2
    )
    assert features(layer, name="areas.gpkg")[0]["source_id"] == own


def test_the_id_column_does_not_depend_on_the_order_of_rows():
    columns = {"hazard_id": ["h1", "h2"], "release_id": ["r1", "r2"], "kind": ["cha", "cleared"]}
    turned = {name: values[::-1] for name, values in columns.items()}
    one = {row["source_id"] for row in features(raw_layer([ONE, TWO], **columns))}
    assert one == {row["source_id"] for row in features(raw_layer([TWO, ONE], **turned))}


def test_the_best_id_column_is_used_and_leading_zeros_stay():
    assert first(OBJECTID="9", cha_id=" 007 ", id="x")["source_id"] == "007"


@pytest.mark.parametrize("values", [pa.array([7, 8]), pa.array([7.0, 8.0]), pa.array(["7", "8"])])
def test_a_number_is_the_same_id_whatever_its_type(values):
    layer = raw_layer([ONE, TWO], id=values)
    assert [row["record_id"] for row in features(layer)] == ["MAG:hazard:7", "MAG:hazard:8"]


def test_an_id_column_of_numbers_with_gaps_stops_nothing():
    layer = raw_layer([ONE, TWO], id=pa.array([7.0, float("nan")]))
    rows = features(layer)
    assert rows[0]["source_id"] == "7"
    assert rows[1]["id_is_delivered"] is False


def test_a_stated_area_that_is_not_a_number_stops_nothing():
    layer = raw_layer([ONE, TWO], id=["1", "2"], area_m2=pa.array([10.0, float("nan")]))
    assert len(features(layer)) == 2


def test_a_column_that_repeats_too_much_is_no_id_unless_it_is_asked_for():
    layer = raw_layer([ONE] * 5, id=["a"] * 5)
    assert not any(row["id_is_delivered"] for row in features(layer))
    assert all(row["id_is_delivered"] for row in features(layer, id_field="ID"))


def test_records_without_an_id_among_others_are_known_by_their_geometry():
    layer = raw_layer([ONE, TWO], id=pa.array(["1", None]))
    assert [row["id_is_delivered"] for row in features(layer)] == [True, False]


# Dates and figures.


def test_dates_texts_and_figures_are_read_into_their_columns():
    row = first(
        id="1", survey_date="18/01/2024", completion_date="2024-02-01", info_date="2024/03/01",
        province=" ຊຽງຂວາງ ", depth_cm="25", area_ha="1.5", status="Active", land_use="rice",
    )  # fmt: skip
    assert row["date_surveyed"] == dt.date(2024, 1, 18)
    assert row["date_completed"] == dt.date(2024, 2, 1)
    assert row["date_of_information"] == dt.date(2024, 3, 1)
    assert row["province_stated"] == "ຊຽງຂວາງ"
    assert row["clearance_depth_cm"] == 25
    assert row["area_stated_m2"] == 15_000
    assert row["status"] == "open"
    assert row["land_use"] == "rice"
    assert row["area_m2"] is None


@pytest.mark.parametrize(
    ("label", "status"),
    [
        ("Open", "open"),
        ("active", "open"),
        ("Worked on", "worked_on"),
        ("ປິດ", "closed"),
        ("?", "unknown"),
        (None, "unknown"),
    ],
)
def test_labels_become_base_terms_of_status(label, status):
    layer = raw_layer([ONE], id=["1"], status=pa.array([label], pa.string()))
    assert features(layer)[0]["status"] == status


def test_a_missing_status_is_unknown_and_not_nothing():
    layer = raw_layer([ONE, TWO], id=["1", "2"], status=pa.array(["open", None]))
    assert [row["status"] for row in features(layer)] == ["open", "unknown"]


def test_square_metres_go_before_hectares():
    assert first(id="1", area_m2="77", area_ha="9")["area_stated_m2"] == 77


def test_values_that_cannot_be_read_are_told_once_per_column():
    layer = raw_layer(
        [ONE, TWO, ONE],
        id=["1", "2", "3"],
        survey_date=["soon", "later", "2024-01-01"],
        area_m2=["5,815", "", "3"],
    )
    state = ingested(raw_delivery("MAG_CHA.gpkg", layer))
    told = findings(state, "VALUE_UNREADABLE")
    assert {row["file"] for row in told} == {"MAG_CHA.gpkg"}
    assert {row["sentence"].removeprefix("MAG_CHA.gpkg: "): row["measure"] for row in told} == {
        "2 values of column survey_date could not be read as date_surveyed": 2,
        "1 values of column area_m2 could not be read as area_stated_m2": 1,
    }
    assert state.features.table["date_surveyed"].null_count == 2


# Options, CRS, and what cannot be used.


def test_a_crs_is_assumed_only_where_none_is_stated_and_it_is_printed():
    bare, stated = raw_layer([ONE], None, id=["1"]), raw_layer([ONE], "EPSG:4326", id=["1"])
    assert features(bare, assume_crs="EPSG:32648")[0]["source_crs"] == "EPSG:32648"
    assert features(stated, assume_crs="EPSG:32648")[0]["source_crs"] == "EPSG:4326"
    assert features(bare)[0]["source_crs"] == ""
    state = ingested(raw_delivery("MAG_CHA.shp", bare), assume_crs="EPSG:32648")
    assert any(
        "coordinate system EPSG:32648, as you said" in told for told in state.deliveries[0].assumptions
    )


@pytest.mark.parametrize("option", ["operator_field", "kind_field", "id_field"])
def test_a_column_asked_for_that_is_not_there_sends_the_layer_back_and_names_the_columns(option):
    state = ingested(
        raw_delivery("MAG_CHA.gpkg", raw_layer([ONE, TWO], id=["1", "2"])), **{option: "nowhere"}
    )
    ((code, sentence),) = state.deliveries[0].problems
    assert code == "FIELD_UNKNOWN"
    assert f"--{option.replace('_', '-')} one of: id." in sentence
    assert len(state.features) == 0
    assert state.rejected.table["reason"].to_pylist() == ["FIELD_UNKNOWN"] * 2


def test_the_counted_records_of_a_file_that_cannot_be_read_are_accounted_for():
    broken = raw_delivery(
        "broken.gpkg", problem=Problem("FILE_TRUNCATED", "broken.gpkg: cut off."), records_counted=3,
        count_method=CountMethod.EXACT,
    )  # fmt: skip
    state = ingested(broken, raw_delivery("MAG_CHA.gpkg", raw_layer([ONE], id=["1"])))
    assert len(state.features) == 1
    assert state.rejected.table["row"].to_pylist() == [1, 2, 3]
    assert [delivery.records_in for delivery in state.deliveries] == [3, 1]
    assert state.deliveries[0].problems == (("FILE_TRUNCATED", "broken.gpkg: cut off."),)


def test_a_quarantined_layer_does_not_take_its_neighbours_along():
    bad = RawLayer(
        "bad", records_counted=2, count_method=CountMethod.EXACT, problem=Problem("COUNT_MISMATCH", "x")
    )
    state = ingested(raw_delivery("MAG_CHA.gpkg", bad, raw_layer([ONE], name="good", id=["1"])))
    assert len(state.features) == 1
    assert len(state.rejected) == 2
    assert state.deliveries[0].records_in == 3


def test_nothing_delivered_is_an_empty_state():
    state = ingested()
    assert len(state.features) == len(state.rejected) == len(state.deliveries) == 0


def test_a_layer_without_records_is_fine():
    state = ingested(raw_delivery("MAG_CHA.gpkg", raw_layer([], id=pa.array([], pa.string()))))
    assert len(state.features) == 0
    assert state.deliveries[0].records_in == 0


def test_source_columns_are_carried_along_whole():
    row = first(id="1", remark='says "hello"\n', village="ບ້ານ")
    assert json.loads(row["attributes"]) == {"id": "1", "remark": 'says "hello"\n', "village": "ບ້ານ"}
