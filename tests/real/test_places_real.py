"""Places and diagnosis held against real polygons of Laos and of other countries."""

import gzip
import json

import numpy as np
import pyogrio
import pytest
import shapely
from make import areas_of

from geopipe.coordinates.diagnosis import diagnose
from geopipe.coordinates.offsets import suspected_offsets
from geopipe.crs import Cells, choose_operation, choose_working_crs, transform
from geopipe.location.places import load_places

pytestmark = pytest.mark.real
LAOS = load_places()


def features(path):
    data = path.read_bytes()
    document = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    texts = [json.dumps(f["geometry"]) for f in document["features"]]
    shapes = shapely.from_geojson(texts, on_invalid="ignore")
    return np.asarray(shapes, dtype=object), [f["properties"] for f in document["features"]]


def layer(path):
    """Return the polygons of a file as delivered, and its CRS."""
    if path.suffix == ".gz":
        shapes, crs = features(path)[0], "EPSG:4326"
    else:
        meta, _, wkb, _ = pyogrio.raw.read(path)
        shapes, crs = shapely.force_2d(shapely.from_wkb(wkb, on_invalid="ignore")), meta["crs"]
    return shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)], crs


def judged(shapes, crs, province=None):
    vertices, owner = shapely.get_coordinates(shapes, return_index=True)
    stated = None if province is None else LAOS.stated(province)
    return diagnose(shapely.bounds(shapes), vertices, owner, crs, LAOS, stated)


def test_every_locality_inside_laos_has_a_district(real_data):
    shapes, _ = features(real_data / "lao-admin" / "lao_whosonfirst_localities_points.geojson")
    places = shapely.get_coordinates(shapes)
    country, _ = features(real_data / "lao-admin" / "lao_adm0_derived.geojson")
    well_inside = shapely.contains(shapely.buffer(country[0], -0.0001), shapes)
    located = LAOS.locate(*places.T)
    assert well_inside.sum() > 10_000
    assert (located[well_inside] >= 0).all()
    assert (located >= 0).mean() > 0.97
    assert LAOS.covers(*places.T, 5_000).mean() > 0.99


def test_the_districts_with_codes_lie_in_the_province_of_their_code(real_data):
    shapes, told = features(real_data / "lao-admin" / "lao_adm2_ocha_pcode_9provinces.geojson")
    middle = shapely.get_coordinates(shapely.point_on_surface(shapes))
    located = LAOS.locate(*middle.T)
    assert LAOS.province_codes(located).tolist() == [row["ADM1_PCODE"] for row in told]
    for row, district in zip(told, located, strict=True):
        assert LAOS.resolve_province(row["ADM1_EN"]) == row["ADM1_PCODE"]
        assert LAOS.resolve_province(row["ADM1_LO"]) == row["ADM1_PCODE"]
        assert LAOS.resolve_district(row["ADM2_EN"], row["ADM1_PCODE"]) == [district]


def test_names_of_provinces_in_another_source_are_known(real_data):
    shapes, told = features(real_data / "lao-admin" / "lao_adm1_geoboundaries_osm_simplified.geojson")
    middle = shapely.get_coordinates(shapely.point_on_surface(shapes))
    codes = LAOS.province_codes(LAOS.locate(*middle.T))
    for row, code in zip(told, codes, strict=True):
        named = LAOS.resolve_province(row["shapeName"])
        assert code == named or (isinstance(named, tuple) and code in named)
        # This source has the code of Xaisomboun that came before the one of ISO.
        assert LAOS.resolve_province(row["shapeISO"]) == code


def test_the_plan_of_vientiane_lies_in_vientiane_capital(real_data):
    for name in ("glup2030_cdudcp_v1", "reservearea_v0"):
        shapes, _ = layer(real_data / "lao-vientiane" / f"{name}.shp")
        found = judged(shapes, "EPSG:32648", ["ນະຄອນຫຼວງວຽງຈັນ"] * len(shapes))
        assert found.hypotheses == ()
        assert not found.implausible.any()
        codes = LAOS.province_codes(found.position.located)
        assert (codes == "LA01").mean() > 0.95


def test_the_plan_of_vientiane_called_zone_47_is_found(real_data):
    shapes, _ = layer(real_data / "lao-vientiane" / "glup2030_cdudcp_v1.shp")
    for province in (None, ["Vientiane Capital"] * len(shapes)):
        (told,) = judged(shapes, "EPSG:32647", province).hypotheses
        assert [str(correction) for correction in told.corrections] == ["crs=EPSG:32648"]
        assert len(told.rows) == len(shapes)


FOREIGN = (
    "bih-mines/suspect_areas_simplyfied.geojson",
    "bih-mines/cleared_areas_simplyfied.geojson",
    "kh-concessions/kh_mining_concessions.geojson",
    "kh-concessions/community_forests.geojson",
    "kh-concessions/community_fisheries_map.geojson",
    "kh-concessions/protected_areas_and_forests.geojson",
    "kh-concessions/key_biodiversity_areas.geojson",
    "kh-concessions/kh_oil_gas_blocks.geojson",
    "kh-concessions/kh_provinces.kml",
)


def foreign_files(folder):
    return [folder / name for name in FOREIGN] + sorted((folder / "ph-barangays").glob("*.geojson.gz"))


def test_nothing_is_questioned_in_the_data_of_other_countries(real_data):
    files = foreign_files(real_data)
    assert len(files) > len(FOREIGN)
    for path in files:
        shapes, crs = layer(path)
        for stated in (crs or "EPSG:4326", ""):
            found = judged(shapes, stated)
            assert found.hypotheses == (), path.name
            assert not found.implausible.any(), path.name


def test_the_districts_of_laos_themselves_are_not_questioned(real_data):
    shapes, _ = features(real_data / "lao-admin" / "lao_adm2_geoboundaries.geojson")
    found = judged(shapes, "EPSG:4326")
    assert found.hypotheses == ()
    assert not found.implausible.any()


def test_real_polygons_of_two_files_show_no_offset_until_one_is_displaced(real_data):
    working = choose_working_crs(Cells.of(np.array([17.5]), np.array([44.0])))
    forward, _ = choose_operation("EPSG:4326", working)
    suspect, cleared = (
        transform(layer(real_data / "bih-mines" / f"{name}_areas_simplyfied.geojson")[0], forward)
        for name in ("suspect", "cleared")
    )
    labels = np.repeat(["suspect", "cleared"], [len(suspect), len(cleared)])
    assert suspected_offsets(areas_of(np.concatenate([suspect, cleared]), labels), working) == []
    displaced = shapely.transform(suspect, lambda points: points + np.array([80.0, 0.0]))
    labels = np.repeat(["suspect", "displaced"], len(suspect))
    (told,) = suspected_offsets(areas_of(np.concatenate([displaced, suspect]), labels), working)
    assert told.pairs > 3_000
    assert told.distance_m == pytest.approx(80, abs=0.5)
