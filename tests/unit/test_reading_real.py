"""Every real and every malformed file: no crash, every record accounted for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from reading_fixtures import read_all, rows_of

from geopipe.io.delivery import RawDelivery

pytestmark = pytest.mark.real

DATA = Path(
    os.environ.get("GEOPIPE_REAL_DATA", Path(__file__).parents[2] / ".." / "shared" / "data")
).resolve()


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> list[RawDelivery]:
    if not DATA.is_dir():
        pytest.skip(f"the real polygons are not here: {DATA}")
    return read_all([DATA], tmp_path_factory.mktemp("work"))


def test_every_record_is_accounted_for(deliveries: list[RawDelivery]) -> None:
    for delivery in deliveries:
        assert delivery.problem or delivery.layers, delivery.path
        assert (delivery.problem is None) or not delivery.layers
        for layer in delivery.layers:
            if layer.problem is None:
                assert layer.records_counted in (None, layer.table.num_rows), (delivery.path, layer.name)
                assert layer.table["row"].to_pylist() == sorted(set(layer.table["row"].to_pylist()))
            else:
                assert layer.table.num_rows == 0


def test_no_reader_fails_or_dies(deliveries: list[RawDelivery]) -> None:
    codes = {"READER_FAILED", "READER_CRASHED", "TIME_LIMIT"}
    bad = [delivery.problem for delivery in deliveries if delivery.problem and delivery.problem.code in codes]
    bad += [
        layer.problem
        for d in deliveries
        for layer in d.layers
        if layer.problem and layer.problem.code in codes
    ]
    assert bad == []


def test_real_files_come_in_whole(deliveries: list[RawDelivery]) -> None:
    expected = {
        "cleared_areas_simplyfied.geojson": 7350,
        "suspect_areas_simplyfied.geojson": 8780,
        "ph2011_barangays_lowres.geojson.gz": 61611,
        "ph2019_barangays_lowres.geojson.gz": 42058,
    }
    found = {delivery.path.name: rows_of(delivery) for delivery in deliveries}
    assert {name: found.get(name) for name in expected} == expected
    kml = next(delivery for delivery in deliveries if delivery.path.name == "kh_provinces.kml")
    assert rows_of(kml) > 20


def test_good_geojson_of_others_is_read(deliveries: list[RawDelivery]) -> None:
    good = [d for d in deliveries if "geojsonhint/good" in d.path.as_posix()]
    assert good
    assert [d.path.name for d in good if d.problem] == []
