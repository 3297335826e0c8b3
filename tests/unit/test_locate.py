"""Each record is located; what it states is held against that, with room for inexact borders."""

import pytest
import shapely
from make import LAOS, area, codes, delivered, findings, placed

from geopipe.location.places import load_places
from geopipe.policies import load_policy
from geopipe.stages.locate import locate

# Pek district of Xieng Khouang, some kilometres from any border.
PEK = (103.30, 19.57)
POLICY = load_policy()


def at(place, east=0.0, north=0.0, **more):
    lon, lat = place[0] + east, place[1] + north
    return area(shapely.box(lon, lat, lon + 0.001, lat + 0.001), **more)


def located(*records):
    return locate(placed(*records), load_places(), POLICY)


def test_every_record_gets_its_province_and_district():
    (row,) = located(at(PEK)).features.table.to_pylist()
    assert (row["province_code"], row["province_located"], row["district_located"]) == (
        "LA09", "Xiengkhouang", "Pek",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["Xieng Khouang", "XIANGKHOANG", "ຊຽງຂວາງ", "ແຂວງ ຊຽງຂວາງ", "LA09", None])
def test_a_province_that_is_right_in_whatever_spelling_is_no_finding(name):
    assert codes(located(at(PEK, province=name, district="Pek"))) == []


def test_a_record_in_another_province_is_told_with_the_distance():
    (told,) = findings(located(at(PEK, province="Attapeu")))
    assert told["code"] == "PROVINCE_DIFFERS"
    assert "states Attapeu, but lies in Xiengkhouang" in told["sentence"]
    assert told["measure"] > 300_000
    assert told["unit"] == "m"


def test_near_a_border_the_other_province_is_a_note_only():
    places = load_places()
    border = shapely.intersection(*(
        places.provinces[list(places.province_code).index(code)].boundary for code in ("LA09", "LA07")
    ))  # fmt: skip
    point = shapely.line_interpolate_point(shapely.line_merge(border), 0.5, normalized=True)
    states = [located(at((point.x, point.y), province=name)) for name in ("LA09", "LA07")]
    assert sorted(codes(state) for state in states) == [[], ["NEAR_BORDER"]]


def test_a_record_of_the_older_division_is_right():
    anouvong = (103.08, 18.90)
    (row,) = located(at(anouvong)).features.table.to_pylist()
    assert row["province_code"] == "LA18"
    assert codes(located(at(anouvong, province="Vientiane Province"))) == []


def test_vientiane_alone_is_either_of_two():
    assert codes(located(at((102.6, 18.0), province="Vientiane"))) == []


def test_another_district_of_the_right_province_is_told_where_its_name_is_known():
    (told,) = findings(located(at(PEK, province="Xiengkhouang", district="Nonghed")))
    assert told["code"] == "DISTRICT_DIFFERS"
    assert told["measure"] > 20_000
    assert codes(located(at(PEK, province="Xiengkhouang", district="Ban Nowhere"))) == []


def test_an_unknown_name_is_told_once_per_file():
    told = findings(
        located(at(PEK, province="Shangri-La"), at(PEK, 0.01, province="Shangri-La"), at(PEK, 0.02))
    )
    assert [(t["code"], t["measure"]) for t in told] == [("PROVINCE_UNKNOWN", 2.0)]


def test_one_record_outside_the_country_is_told_among_others_inside():
    state = located(at(PEK), at(PEK, 0.01), at((98.0, 17.0)))
    assert codes(state) == ["OUTSIDE_COUNTRY"]
    assert state.features.table["province_code"].to_pylist().count(None) == 1


def test_data_of_another_country_is_not_judged():
    state = located(at((17.5, 44.5), province="Kanton"), at((17.6, 44.5)))
    assert codes(state) == []
    assert state.features.table["province_code"].null_count == 2


def test_nothing_to_locate_is_no_trouble():
    assert codes(locate(placed(working_crs=LAOS), load_places(), POLICY)) == []
    assert len(delivered().features) == 0
