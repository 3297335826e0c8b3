"""Words are recognised or left unknown, never guessed."""

import pyarrow as pa
import pytest

from geopipe.config import load_vocabulary
from geopipe.recognition import find_column, fold, fold_tight, lookup, map_values, word_in_name

WORDS = load_vocabulary()
KINDS = lookup(WORDS.kinds)
OPERATORS = lookup(WORDS.operators)


@pytest.mark.parametrize("text", ["UXO Lao", "uxo-lao", "UXO_LAO", " uxo.lao ", "ＵＸＯ　Ｌａｏ"])
def test_case_width_and_separators_make_no_difference(text):
    assert fold(text) == "uxo lao"
    assert fold_tight(text) == "uxolao"


def test_two_spellings_of_one_lao_word_are_one_word():
    # Composed and decomposed AM, and the ligatures HO NO and HO MO.
    assert fold("ຄຳ") == fold("ຄໍາ")
    assert fold("ໜ") == fold("ຫນ")
    assert fold("ໝ") == fold("ຫມ")


def test_the_best_alias_wins_and_not_the_first_column():
    assert find_column(["Type", "Area Type"], WORDS.columns["kind"]) == "Area Type"
    assert find_column(["Survey Date"], WORDS.columns["date_surveyed"]) == "Survey Date"
    assert find_column(["colour"], WORDS.columns["status"]) is None


def test_no_alias_stands_for_two_columns():
    seen = {}
    own = {alias for aliases in WORDS.ids.values() for alias in aliases}
    for canonical, aliases in {**WORDS.columns, "source_id": sorted(own)}.items():
        for alias in aliases:
            assert seen.setdefault(fold_tight(alias), canonical) == canonical, alias


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Confirmed Hazardous Area", "CHA"),
        ("suspected", "SHA"),
        ("BAC", "CLEARED"),
        ("Canceled", "CANCELLED"),
        ("survey_box", "SURVEY_BOX"),
        ("ຍົກເລີກ", "CANCELLED"),
        ("minefield of sorts", None),
    ],
)
def test_a_kind_is_recognised_by_the_whole_value(value, kind):
    assert KINDS.get(fold_tight(value)) == kind


@pytest.mark.parametrize(
    ("name", "operator"),
    [
        ("UXOLao_CHA_2026.shp", "UXO Lao"),
        ("uxo lao clearance.zip", "UXO Lao"),
        ("MAG_deliveries.gpkg", "MAG"),
        ("Unit58_clearance.csv", "Unit 58"),
        ("HaloTrust2024.kml", "HALO"),
        ("magnetometer.shp", None),
        ("this.shp", None),
        ("MAG_and_NPA.shp", None),
        ("MAG_and_HALO.shp", None),
        ("areas.gpkg", None),
    ],
)
def test_an_operator_is_recognised_by_whole_words_of_a_file_name(name, operator):
    assert word_in_name(name, OPERATORS) == operator


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("UXOLao_CHA2026.shp", "CHA"),
        ("clearance.shp", "CLEARED"),
        ("confirmed.shp", None),  # too common a word in names: confirmed what?
        ("survey_box.gpkg", "SURVEY_BOX"),
        ("charcoal.shp", None),
        ("CHA_and_cleared.shp", None),
        ("CHA_not_cleared.shp", None),
        ("uncleared.shp", None),
        ("confirmed_hazardous_area.shp", "CHA"),
    ],
)
def test_a_kind_is_recognised_by_whole_words_of_a_file_name(name, kind):
    assert word_in_name(name, KINDS, WORDS.kinds_not_in_names, WORDS.kinds_in_doubt) == kind


def test_values_are_converted_once_each_and_nulls_stay_nulls():
    calls = []
    column = pa.chunked_array([["a", "b", None], ["a", "a"]])
    found = map_values(column, lambda text: calls.append(text) or text.upper(), pa.string())
    assert found.to_pylist() == ["A", "B", None, "A", "A"]
    assert sorted(calls) == ["a", "b"]
    assert map_values(column.dictionary_encode(), str.upper, pa.string()).to_pylist() == found.to_pylist()
