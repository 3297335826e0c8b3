"""Words, dates and figures are recognised or left unknown, never guessed."""

import datetime as dt

import pyarrow as pa
import pytest

from geopipe.config import load_vocabulary
from geopipe.recognition import (
    as_date,
    as_number,
    as_text,
    find_column,
    fold,
    fold_tight,
    lookup,
    map_values,
    word_in_name,
)

WORDS = load_vocabulary()
KINDS = lookup(WORDS.kinds)
OPERATORS = lookup(WORDS.operators)


def dates(*texts):
    """The dates that a column of these texts holds."""
    return as_date(pa.array(texts, pa.string()), WORDS.plausible_years).to_pylist()


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


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pa.array([" 007 ", "", "  ", None]), ["007", None, None, None]),
        (pa.array([7, None]), ["7", None]),
        (pa.array([7.0, 7.5, None]), ["7", "7.5", None]),
        (pa.array([1e20]), ["1e+20"]),
        (pa.array([dt.date(2024, 1, 2)]), ["2024-01-02"]),
    ],
)
def test_text_keeps_leading_zeros_and_loses_blanks(column, text):
    assert as_text(column).to_pylist() == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_id_that_is_no_number_is_no_id(value):
    assert as_text(pa.array([value, 7.0])).to_pylist() == [None, "7"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_is_no_number_is_no_figure(value):
    assert as_number(pa.array([value, 7.0])).to_pylist() == [None, 7.0]


@pytest.mark.parametrize("text", ["nan", "inf", "1_000", "0x10"])
def test_words_that_only_a_programmer_calls_numbers_are_no_figures(text):
    assert as_number(pa.array([text])).to_pylist() == [None]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-01-18", dt.date(2024, 1, 18)),
        ("2024/1/8", dt.date(2024, 1, 8)),
        ("2024-01-18T07:30:00Z", dt.date(2024, 1, 18)),
        ("2024-01-18 00:00:00", dt.date(2024, 1, 18)),
        ("18/01/2024", dt.date(2024, 1, 18)),
        ("03/04/2024", dt.date(2024, 4, 3)),  # day before month
        ("18.1.2024", dt.date(2024, 1, 18)),
        ("໑໘/໐໑/໒໐໒໔", dt.date(2024, 1, 18)),
        ("01/18/2024", None),
        ("31/02/2024", None),
        ("2024", None),
        ("soon", None),
        ("45309", None),
    ],
)
def test_dates_are_read_day_first_or_not_at_all(text, day):
    assert dates(text) == [day]


def test_dates_that_are_dates_stay_so():
    day = dt.date(2024, 1, 18)
    years = WORDS.plausible_years
    assert as_date(pa.chunked_array([[day, None]]), years).to_pylist() == [day, None]
    moment = pa.array([dt.datetime(2024, 1, 18, 23, 59, 59)], pa.timestamp("us"))
    assert as_date(moment, years).to_pylist() == [day]


@pytest.mark.parametrize("text", ["18/01/2566", "2566-01-18"])
def test_a_buddhist_year_is_not_read_as_five_centuries_from_now(text):
    assert dates(text)[0] in (None, dt.date(2023, 1, 18))


def test_dates_of_any_type_outside_the_plausible_years_are_not_believed():
    column = pa.array([dt.date(1899, 12, 30), dt.date(2024, 1, 18), dt.date(2566, 1, 18), None])
    assert as_date(column, WORDS.plausible_years).to_pylist() == [None, dt.date(2024, 1, 18), None, None]


def test_in_a_column_written_month_first_nothing_ambiguous_is_read():
    # 01/18/2024 can only be January; then 03/04/2024 may be March or April.
    assert dates("01/18/2024", "03/04/2024", "2024-05-06") == [None, None, dt.date(2024, 5, 6)]
    assert dates("18/01/2024", "03/04/2024") == [dt.date(2024, 1, 18), dt.date(2024, 4, 3)]


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (pa.array(["12.5", " 7 ", "", None]), [12.5, 7.0, None, None]),
        (pa.array(["5,815", "20.436 ha", "about 7"]), [None, None, None]),
        (pa.array(["໒໕"]), [25.0]),
        (pa.array([3, None]), [3.0, None]),
        (pa.chunked_array([[3.5], [None]]), [3.5, None]),
    ],
)
def test_a_figure_is_one_plain_number_or_nothing(column, numbers):
    assert as_number(column).to_pylist() == numbers
