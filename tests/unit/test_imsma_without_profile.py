"""Tables of IMSMA NG that nobody has described: their own ids, kinds that are stated, and whose they are."""

from dataclasses import replace
from pathlib import Path

import pytest
import shapely
from make import ingested, raw_delivery, raw_layer

ONE, TWO = (shapely.box(x, 18, x + 0.001, 18.001) for x in (104, 105))


def delivered(*layers, folder="Export 2026.01", file="geospatialinfo.csv", driver="IMSMA NG", **options):
    raw = replace(raw_delivery(file, *layers), driver=driver, path=Path("inbox") / folder / file)
    return ingested(raw, **options)


def records(name, **columns):
    layer = raw_layer([ONE, TWO], name=name, **columns)
    return delivered(layer).features.table.to_pylist()


@pytest.mark.parametrize(
    ("layer", "column"),
    [
        ("hazard", "hazard_localid"),
        ("hazreduc", "hazreduc_localid"),
        ("hazreduc", "HazReduc LocalID"),
        ("hazard", "imsma localid"),
    ],
)
def test_the_local_id_is_the_records_own(layer, column):
    assert [row["source_id"] for row in records(layer, **{column: ["A-1", "A-2"]})] == ["A-1", "A-2"]


@pytest.mark.parametrize("types", [None, ["Clearance", "Clearance"], ["Technical survey", "Clearance"]])
@pytest.mark.parametrize("first", ["hazard_localid", "hazreduc_localid"])
def test_a_reduction_that_names_its_hazard_keeps_its_own_id(first, types):
    ids = {"hazard_localid": ["H-1", "H-2"], "hazreduc_localid": ["R-1", "R-2"]}
    columns = {first: ids[first], **ids} | ({"hazreduc_type": types} if types else {})
    assert [row["source_id"] for row in records("hazreduc", **columns)] == ["R-1", "R-2"]


def test_a_hazard_that_names_its_reduction_keeps_its_own_id():
    found = records("hazard", hazreduc_localid=["R-1", "R-2"], hazard_localid=["H-1", "H-2"])
    assert [row["source_id"] for row in found] == ["H-1", "H-2"]


def test_a_reduction_is_released_land_only_where_its_type_says_so():
    ids = {"hazreduc_localid": ["R-1", "R-2"]}
    assert [row["kind"] for row in records("hazreduc", **ids)] == ["UNKNOWN", "UNKNOWN"]
    typed = records("hazreduc", hazreductype=["Clearance", "Technical survey"], **ids)
    assert [row["kind"] for row in typed] == ["CLEARED", "UNKNOWN"]


def test_the_type_of_a_reduction_goes_before_the_type_of_its_hazard():
    (row, _) = records("hazreduc", hazardtype=["SHA", "SHA"], hazreductype=["Clearance", "Clearance"])
    assert row["kind"] == "CLEARED"


def test_the_status_of_a_reduction_is_read():
    assert [row["status"] for row in records("hazreduc", hazreduc_status=["Closed", "Ongoing"])] == [
        "closed",
        "worked_on",
    ]


@pytest.mark.parametrize(
    ("folder", "file", "operator", "source"),
    [
        ("Export 2026.01", "geospatialinfo.csv", "Export 2026.01", "the folder's name"),
        ("MAG export", "geospatialinfo.csv", "MAG", "a word in the folder's name"),
        ("MAG", "npa_geospatialinfo.csv", "NPA", "a word in the file's name"),
    ],
)
def test_tables_without_operator_are_called_after_their_folder(folder, file, operator, source):
    state = delivered(raw_layer([ONE], name="hazard", hazard_localid=["1"]), folder=folder, file=file)
    assert state.features.values("operator") == [operator]
    assert any(f"operator {operator} ({source})" in told for told in state.deliveries[0].assumptions)


def test_other_files_are_not_called_after_their_folder():
    state = delivered(raw_layer([ONE], id=["1"]), folder="MAG", file="areas.gpkg", driver="GPKG")
    assert state.features.values("operator") == ["areas"]


def test_an_operator_that_is_told_goes_before_the_folder():
    layer = raw_layer([ONE], name="hazard", organisation=["HALO"])
    assert delivered(layer, folder="MAG").features.values("operator") == ["HALO"]
    assert delivered(layer, folder="MAG", operator="NPA").features.values("operator") == ["NPA"]
