"""Hectares of real polygons against a plain union of shapely's: no expectation comes from geopipe."""

import json

import pytest
import shapely
from conftest import call, read_layer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def bosnia(real_data, tmp_path_factory):
    folder, out = real_data / "bih-mines", tmp_path_factory.mktemp("bosnia")
    files = [folder / f"{name}_areas_simplyfied.geojson" for name in ("suspect", "cleared")]
    told = ("--kind", "cha", "--kind", "cleared", "--layers", "areas,overlaps")
    assert call("compare", *files, *told, "-o", out, "--quiet").code == 0
    return out


@pytest.mark.parametrize(("kind", "records"), [("CHA", 6_424), ("CLEARED", 7_146)])
def test_bosnia_the_hectares_are_those_of_an_independent_dissolve(bosnia, kind, records):
    ran = call("stats", bosnia, "--json")
    assert ran.code == 0, ran.err
    total = next(row for row in json.loads(ran.out)["totals"] if row["ground"] == kind)
    shapes = [r["geometry"] for r in read_layer(bosnia / "geopipe.gpkg", "areas") if r["kind"] == kind]
    reported_m2 = sum(shape.area for shape in shapes)
    covered_m2 = shapely.union_all(shapes).area
    assert total["records"] == len(shapes) == records
    assert total["reported_m2"] == pytest.approx(reported_m2, rel=1e-9)
    assert total["covered_m2"] == pytest.approx(covered_m2, rel=1e-6)
    assert total["reconciled_m2"] == pytest.approx(covered_m2, rel=1e-6)
    # The deduction is a hundredth of the area: held against its own size, it is a harder test.
    assert total["undecided_m2"] == pytest.approx(reported_m2 - covered_m2, rel=1e-6)


def test_bosnia_rows_of_each_place_add_up_to_the_country(bosnia):
    told = json.loads(call("stats", bosnia, "--by", "operator,year", "--json").out)
    for total in told["totals"]:
        for name in ("records", "reported_m2", "undecided_m2", "reconciled_m2"):
            parts = sum(row[name] for row in told["rows"] if row["ground"] == total["ground"])
            assert parts == pytest.approx(total[name], rel=1e-9)
