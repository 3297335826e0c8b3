"""Where a place lies, how far from its province, and what the name of a province or district means."""

import json

import numpy as np
import pytest
import shapely

from geopipe.errors import ConfigError
from geopipe.location.distances import between_m, compass_word
from geopipe.location.placenames import fold_lao, fold_name
from geopipe.location.places import load_places
from geopipe.settings import shipped

LAOS = load_places()
VIENTIANE, PEK, ANOUVONG, BANGKOK = (102.6, 18.0), (103.30, 19.57), (103.08, 18.90), (100.5, 13.75)


def located(*places):
    longitude, latitude = np.array(places, dtype=float).T
    return LAOS.locate(longitude, latitude)


def distance(place, codes):
    return LAOS.distance_to_province_m(np.array([place[0]]), np.array([place[1]]), [codes])[0]


# Where places lie


def test_a_place_has_a_district_and_a_province():
    index = located(PEK, VIENTIANE, BANGKOK)
    assert LAOS.district_names(index).tolist()[0] == "Pek"
    assert LAOS.province_codes(index).tolist() == ["LA09", "LA01", None]
    assert LAOS.province_names(index).tolist() == ["Xiengkhouang", "Vientiane Capital", None]
    assert LAOS.district_names(index)[2] is None


def test_what_is_no_place_on_earth_lies_nowhere():
    assert (
        located((np.nan, 18.0), (103.3, np.inf), (18.0, 103.0), (400_000.0, 2_000_000.0)).tolist() == [-1] * 4
    )


def test_on_a_common_border_the_lowest_district_counts():
    index = next(
        (a, b)
        for a in range(148)
        for b in range(a + 1, 148)
        if LAOS.districts[a].boundary.intersection(LAOS.districts[b].boundary).length > 0.1
    )
    border = LAOS.districts[index[0]].boundary.intersection(LAOS.districts[index[1]].boundary)
    corners = shapely.get_coordinates(border)[2:20]
    assert set(located(*corners)) == {index[0]}


def test_every_district_lies_in_itself():
    inside = shapely.get_coordinates(shapely.point_on_surface(LAOS.districts))
    assert located(*inside).tolist() == list(range(148))


def test_locating_does_not_depend_on_the_order_of_places():
    rng = np.random.default_rng(1)
    places = np.column_stack([rng.uniform(100, 107.7, 500), rng.uniform(13.9, 22.5, 500)])
    shuffled = rng.permutation(500)
    assert np.array_equal(located(*places)[shuffled], located(*places[shuffled]))


def test_the_country_and_its_surroundings():
    longitude, latitude = np.array([102.6, 102.6, 102.6]), np.array([18.0, 17.75, 17.0])
    assert LAOS.covers(longitude, latitude).tolist() == [True, False, False]
    assert LAOS.covers(longitude, latitude, 30_000).tolist() == [True, True, False]


# Distances


def test_inside_the_province_the_distance_is_zero():
    assert distance(PEK, "LA09") == 0


def test_the_distance_is_that_to_the_nearest_point_of_the_border():
    border = shapely.get_coordinates(LAOS.provinces[list(LAOS.province_code).index("LA09")])
    nearest = between_m(np.full(len(border), 102.6), np.full(len(border), 18.0), *border.T).min()
    assert distance(VIENTIANE, "LA09") == pytest.approx(nearest, rel=0.01)


def test_of_two_possible_provinces_the_nearer_one_counts():
    assert distance(VIENTIANE, ("LA01", "LA17")) == 0
    assert distance(VIENTIANE, ("LA17", "LA09")) == distance(VIENTIANE, "LA09")


def test_without_a_known_province_there_is_no_distance():
    assert np.isnan(distance(PEK, None))
    assert np.isnan(distance(PEK, "LA99"))


def test_beyond_the_limit_a_distance_need_not_be_measured_but_within_it_is():
    stated = LAOS.stated(["Xieng Khouang"])
    far = LAOS.distance_to_stated_m(np.array([102.6]), np.array([18.0]), stated, 2_000.0)
    near = LAOS.distance_to_stated_m(np.array([102.6]), np.array([18.0]), stated, 900_000.0)
    assert far[0] == np.inf
    assert near[0] == distance(VIENTIANE, "LA09")


@pytest.mark.parametrize(
    ("east", "north", "word"),
    [(0, 1, "north"), (1, 1, "north-east"), (-1, 0.1, "west"), (-1, -1, "south-west")],
)
def test_directions_have_words(east, north, word):
    assert compass_word(east, north) == word


# Stated against located


def test_a_place_in_the_province_it_states_agrees():
    agrees, older = LAOS.agree(located(PEK, PEK, PEK, BANGKOK), LAOS.stated(["LA09", "LA17", None, "LA09"]))
    assert agrees.tolist() == [True, False, False, False]
    assert not older.any()


@pytest.mark.parametrize("former", ["Vientiane Province", "Xieng Khouang", "Vientiane"])
def test_xaisomboun_states_its_former_province_by_the_older_division(former):
    agrees, older = LAOS.agree(located(ANOUVONG), LAOS.stated([former]))
    assert not agrees[0]
    assert older[0]


def test_who_names_the_new_province_and_the_former_one_is_right_today():
    agrees, older = LAOS.agree(located(ANOUVONG), LAOS.stated(["Xaisomboun / Vientiane Province"]))
    assert agrees[0]
    assert not older[0]


def test_a_place_in_a_former_province_that_states_xaisomboun_is_no_older_division():
    _, older = LAOS.agree(located(PEK), LAOS.stated(["Xaisomboun"]))
    assert not older[0]


# Names of provinces

SPELLINGS = {
    "LA01": "Vientiane Capital|Vientiane Prefecture|VIENTIANE MUNICIPALITY|Nakhonluang|"
    "Vientiane (Capital)|ນະຄອນຫຼວງ|ນະຄອນຫລວງວຽງຈັນ|ນະຄອນຫຼວງວຽງຈັນ|LA-VT",
    "LA02": "Phongsaly|Phongsali|ຜົ້ງສາລີ|Phôngsali",
    "LA03": "Luang Namtha|Louangnamtha|LuangNamtha|ຫຼວງນ້ຳທາ|ຫລວງນໍ້າທາ|ຫລວງນ້ຳທາ|ຫຼວງນ້ໍາທາ",
    "LA04": "Oudomxay|Udomxai|Oudômxai|ອຸດົມໄຊ",
    "LA05": "Bokeo|Bokèo|ບໍ່ແກ້ວ|ບໍ່ເເກ້ວ",
    "LA06": "Luang Prabang|Louangphabang|Luangprabang|ຫຼວງພະບາງ|ຫລວງພະບາງ",
    "LA07": "Houaphanh|Huaphanh|Houaphan|Hua Phan|ຫົວພັນ|ແຂວງຫົວພັນ",
    "LA08": "Xayabouly|Sayaboury|Xaignabouli|Xayaboury|Sainyabuli|ໄຊຍະບູລີ|Xaignabouly Province",
    "LA09": "Xiengkhouang|Xiangkhouang|XiengKhuang|Xieng Khuang|Xiangkhoang|xieng-khouang|Xieng_Khouang|"
    "XKH|LA09|la-09|LA-XI|ຊຽງຂວາງ|ແຂວງ ຊຽງຂວາງ|ແຂວງຊຽງຂວາງ|ຂ.ຊຽງຂວາງ|Xieng Khouang / ຊຽງຂວາງ|"
    "09 - Xieng Khouang|Khoueng Xieng Khouang|Province de Xieng Khouang",
    "LA10": "Vientiane Province|ແຂວງວຽງຈັນ|Khoueng Vientiane|LA10",
    "LA11": "Bolikhamxay|Borikhamxay|Bolikhamsai|ບໍລິຄຳໄຊ|ບໍລິຄໍາໄຊ",
    "LA12": "Khammouane|Khammouan|ຄຳມ່ວນ|ຄໍາມ່ວນ|KHAMMOUANE PROV.",
    "LA13": "Savannakhet|Savannakhét|ສະຫວັນນະເຂດ",
    "LA14": "Salavan|Saravane|Saravan|ສາລະວັນ",
    "LA15": "Sekong|Xekong|Xékong|ເຊກອງ",
    "LA16": "Champasak|Champassak|Champasack|ຈຳປາສັກ|ຈໍາປາສັກ",
    "LA17": "Attapeu|Attapu|ອັດຕະປື",
    "LA18": "Xaisomboun|Saysomboun|Xaysomboun|Xaisômboun|ໄຊສົມບູນ|LA-XS",
}


@pytest.mark.parametrize(
    ("code", "name"), [(code, name) for code, names in SPELLINGS.items() for name in names.split("|")]
)
def test_a_province_is_known_by_its_many_spellings(code, name):
    assert LAOS.resolve_province(name) == code


@pytest.mark.parametrize("name", ["Vientiane", "VIENTIANE", "ວຽງຈັນ", "Viangchan"])
def test_vientiane_alone_means_the_capital_or_the_province(name):
    assert LAOS.resolve_province(name) == ("LA01", "LA10")


@pytest.mark.parametrize(
    "name",
    ["", None, "Province", "Laos", "9", "09", "Xieng", "Savanna", "Salavann", "Luang", "Quang Tri", "LA19",
     "LA-99", "not Xieng Khouang", "Xieng Khouang, Shangri-La"],
)  # fmt: skip
def test_what_is_not_exactly_known_stays_unknown(name):
    assert LAOS.resolve_province(name) is None


def test_two_names_in_one_cell_must_agree_or_mean_either():
    assert LAOS.resolve_province("Salavan / Sekong") == ("LA14", "LA15")
    assert LAOS.resolve_province("Vientiane / Vientiane Capital") == "LA01"


def test_every_official_name_and_code_is_known():
    for code, english, lao in zip(
        LAOS.province_code, LAOS.province_name, LAOS.province_name_lao, strict=True
    ):
        found = {LAOS.resolve_province(name) for name in (code, english, lao)}
        assert found <= {code, ("LA01", "LA10")}


def test_a_column_is_read_with_each_different_value_once():
    codes = LAOS.province_codes_stated(["Sekong", None, "Vientiane", "Sekong", "?"])
    assert codes.tolist() == ["LA15", None, ("LA01", "LA10"), "LA15", None]


def test_one_spelling_for_two_provinces_is_an_error(tmp_path):
    path = boundaries(tmp_path, [("A1", "North", 0), ("A2", "NORTH", 1)])
    with pytest.raises(ConfigError, match="stands for A1 and for A2"):
        load_places(path)


# Folding


@pytest.mark.parametrize(
    ("one", "other"),
    [("ຄຳ", "ຄໍາ"), ("ໜອງ", "ຫນອງ"), ("ໝາກ", "ຫມາກ"), ("ຫຼວງ", "ຫລວງ"), ("ນ້ຳ", "ນໍ້າ"), ("ນ້ຳ", "ນ້ໍາ"),
     ("ຫຼົ້າ", "ຫລົ້າ"), ("ຫົຼ້າ", "ຫລົ້າ"), ("ແກ້ວ", "ເເກ້ວ"), ("ແກ້ວ", "ແກ້້ວ"), ("ນ\u200bາ", "ນາ")],
)  # fmt: skip
def test_the_same_lao_letters_typed_otherwise_are_equal(one, other):
    assert one != other
    assert fold_lao(one) == fold_lao(other)


@pytest.mark.parametrize(
    ("one", "other"), [("ນາ", "ນ້າ"), ("ຂ່າ", "ຂ້າ"), ("ໄຊ", "ໃຊ"), ("ລາ", "ຫລາ"), ("ປູ", "ປຸ")]
)
def test_different_lao_words_stay_different(one, other):
    assert fold_lao(one) != fold_lao(other)


def test_names_compare_without_case_accents_and_punctuation():
    assert fold_name("Xiêng-Khouâng") == fold_name("XIENG  KHOUANG.") == "xiengkhouang"


# Districts


def test_a_district_name_is_sought_within_the_province_only():
    (first,), (second,) = (
        LAOS.resolve_district("Viengkham", "LA06"),
        LAOS.resolve_district("viengkham", "LA10"),
    )
    assert first != second
    assert LAOS.resolve_district("Viengkham", "LA09") == []
    assert LAOS.province_codes(np.array([first, second])).tolist() == ["LA06", "LA10"]


@pytest.mark.parametrize("name", ["Muang Khoune", "KHOUNE DISTRICT", "M. Khoune"])
def test_the_word_district_says_nothing(name):
    assert LAOS.district_names(np.array(LAOS.resolve_district(name, "LA09"))).tolist() == ["Khoune"]


@pytest.mark.parametrize("name", ["Khoun", "Khun", "", None, "District"])
def test_a_district_that_is_not_exactly_known_stays_unknown(name):
    assert LAOS.resolve_district(name, "LA09") == []


# The shipped files


def features(name):
    document = json.loads(shipped(f"places/{name}").read_text(encoding="utf-8"))
    assert "CC BY 3.0 IGO" in document["licence"]
    assert "National Geographic Department" in document["attribution"]
    shapes = np.array([shapely.geometry.shape(f["geometry"]) for f in document["features"]], dtype=object)
    return shapes, [f["properties"] for f in document["features"]]


def test_the_province_of_each_district_is_the_one_it_overlaps_most():
    provinces, names = features("laos_provinces.geojson")
    districts, told = features("laos_districts.geojson")
    for district, said in zip(districts, told, strict=True):
        shared = shapely.area(shapely.intersection(district, provinces))
        assert names[int(shared.argmax())]["code"] == said["province_code"], said
        assert shared.max() > 0.95 * district.area


def test_districts_fit_without_gaps_and_overlaps_and_provinces_are_their_union():
    assert len(LAOS.districts) == 148
    assert len(LAOS.provinces) == 18
    assert shapely.coverage_is_valid(LAOS.districts)
    assert shapely.area(LAOS.provinces).sum() == pytest.approx(shapely.area(LAOS.districts).sum(), rel=1e-12)


def test_the_sources_are_named_beside_the_files():
    text = shipped("places/ATTRIBUTION.md").read_text(encoding="utf-8")
    assert "CC BY 3.0 IGO" in text
    assert "geoBoundaries" in text
    assert "National Geographic Department" in LAOS.attribution


def test_the_places_are_read_once():
    assert load_places() is load_places()


# The user's own file


def boundaries(folder, rows, **more):
    made = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": name, "in": "P" + code[0]},
            "geometry": json.loads(shapely.to_geojson(shapely.box(20 + west, 40, 21 + west, 41))),
        }
        for code, name, west in rows
    ]
    path = folder / "own.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": made, **more}), encoding="utf-8")
    return path


def test_another_country_comes_from_a_file_of_the_user(tmp_path):
    path = boundaries(tmp_path, [("A1", "North", 0), ("A2", "South", 1), ("B1", "West", 2)])
    own = load_places(path, country="Ruritania")
    index = own.locate(np.array([20.5, 21.5, 30.0]), np.array([40.5, 40.5, 40.5]))
    assert own.country == "Ruritania"
    assert own.province_codes(index).tolist() == ["A1", "A2", None]
    assert own.resolve_province("south") == own.resolve_province("SOUTH PROVINCE") == "A2"


def test_districts_of_the_user_are_joined_to_provinces(tmp_path):
    path = boundaries(tmp_path, [("A1", "North", 0), ("A2", "South", 1), ("B1", "West", 2)])
    own = load_places(path, parent_field="in")
    assert own.province_code.tolist() == ["PA", "PB"]
    assert own.district_names(own.locate(np.array([21.5]), np.array([40.5]))).tolist() == ["South"]
    assert own.resolve_district("north", "PA") == [0]
    assert shapely.area(own.provinces).tolist() == pytest.approx([2, 1])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nonsense", "cannot be read as GeoJSON"),
        ("[]", "no GeoJSON object"),
        ('{"type": "FeatureCollection", "features": []}', "no GeoJSON FeatureCollection with features"),
        ('{"type": "FeatureCollection", "features": [{"type": "Feature"}]}', "feature 1 has no properties"),
        ('{"type": "FeatureCollection", "features": [{"properties": {}}]}', "is no polygon in degrees"),
        ('{"type": "FeatureCollection", "features": [{"properties": {"code": "1", "name": "a"}, "geometry": '
         '{"type": "Point", "coordinates": [1, 2]}}]}', "feature 1 is no polygon in degrees"),
        ('{"type": "FeatureCollection", "features": [{"properties": {"code": "1", "name": "a"}, "geometry": '
         '{"type": "Polygon", "coordinates": [[[500000, 1], [500001, 1], [500001, 2], [500000, 1]]]}}]}',
         "no polygon in degrees"),
        ('{"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "EPSG:32648"}}, '
         '"features": [{"properties": {}, "geometry": null}]}', "not in longitude and latitude"),
    ],
)  # fmt: skip
def test_a_boundary_file_that_cannot_be_used_is_one_clear_sentence(tmp_path, text, problem):
    path = tmp_path / "own.geojson"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=problem) as told:
        load_places(path)
    assert "own.geojson" in str(told.value)
    assert "Give a GeoJSON file" in str(told.value)


def test_a_property_that_is_not_there_is_named_with_a_guess(tmp_path):
    with pytest.raises(ConfigError, match="feature 1 has no 'nam'; did you mean 'name'"):
        load_places(boundaries(tmp_path, [("A1", "North", 0)]), name_field="nam")


def test_a_missing_file_is_an_error_of_configuration(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_places(tmp_path / "nothing.geojson")


def test_a_boundary_that_crosses_itself_is_mended_for_location(tmp_path):
    path = boundaries(tmp_path, [("A1", "North", 0)])
    bow_tie = [[20, 40], [21, 41], [21, 40], [20, 41], [20, 40]]
    document = json.loads(path.read_text(encoding="utf-8"))
    document["features"][0]["geometry"]["coordinates"] = [bow_tie]
    path.write_text(json.dumps(document), encoding="utf-8")
    own = load_places(path)
    assert shapely.area(own.provinces).tolist() == [0.5]
    assert own.locate(np.array([20.1, 20.9, 20.5]), np.array([40.5, 40.5, 40.9])).tolist() == [0, 0, -1]
