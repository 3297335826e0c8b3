"""Dates, figures and units are read where they can only mean one thing, else left unknown."""

import datetime as dt

import pyarrow as pa
import pytest

from geopipe.config import load_vocabulary
from geopipe.profiles import DateRules, NumberRules
from geopipe.values import as_area_m2, as_date, as_depth_cm, as_number, as_text, missing

YEARS = load_vocabulary().plausible_years
DAY = dt.date(2024, 1, 18)


def dates(*texts, **rules):
    """The dates that a column of these texts holds."""
    return as_date(pa.array(texts, pa.string()), YEARS, DateRules(**rules)).values.to_pylist()


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


@pytest.mark.parametrize(
    ("column", "count"),
    [
        (pa.array([7.0, float("nan"), float("inf"), None]), 3),
        (pa.array(["a", "", "  ", None]), 3),
        (pa.array(["a", "", None]).dictionary_encode(), 2),
        (pa.array([7, None]), 1),
        (pa.array([dt.date(2024, 1, 2), None]), 1),
    ],
)
def test_blanks_and_what_is_no_number_are_missing(column, count):
    assert missing(column) == count == as_text(column).null_count


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
        ("18 January 2024", dt.date(2024, 1, 18)),
        ("18-Jan-2024", dt.date(2024, 1, 18)),
        ("18 Foo 2024", None),
        ("18/01/24", None),
    ],
)
def test_dates_are_read_day_first_or_not_at_all(text, day):
    assert dates(text) == [day]


def test_dates_that_are_dates_stay_so():
    day = dt.date(2024, 1, 18)
    years = YEARS
    assert as_date(pa.chunked_array([[day, None]]), years).values.to_pylist() == [day, None]
    moment = pa.array([dt.datetime(2024, 1, 18, 23, 59, 59)], pa.timestamp("us"))
    assert as_date(moment, years).values.to_pylist() == [day]


def test_dates_of_any_type_outside_the_plausible_years_are_not_believed():
    column = pa.array([dt.date(1899, 12, 30), dt.date(2024, 1, 18), dt.date(2566, 1, 18), None])
    assert as_date(column, YEARS).values.to_pylist() == [None, dt.date(2024, 1, 18), None, None]


def test_in_a_column_written_month_first_nothing_ambiguous_is_read():
    # 01/18/2024 can only be January; then 03/04/2024 may be March or April.
    assert dates("01/18/2024", "03/04/2024", "2024-05-06") == [None, None, dt.date(2024, 5, 6)]
    assert dates("18/01/2024", "03/04/2024") == [dt.date(2024, 1, 18), dt.date(2024, 4, 3)]


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (pa.array(["12.5", " 7 ", "", None]), [12.5, 7.0, None, None]),
        (pa.array(["5,815", "20.436 ha", "about 7"]), [None, None, None]),
        (pa.array(["1,234.5", "1.234,5", "1,234,567"]), [1234.5, 1234.5, 1234567]),
        (pa.array(["12,5", "2 145 678", "20.436"]), [12.5, 2145678, 20.436]),
        (pa.array(["12,34,5", "1,23.4", "1.2.3", "1,2,3"]), [None, None, None, None]),
        (pa.array(["໒໕"]), [25.0]),
        (pa.array([3, None]), [3.0, None]),
        (pa.chunked_array([[3.5], [None]]), [3.5, None]),
    ],
)
def test_a_figure_is_one_plain_number_or_nothing(column, numbers):
    assert as_number(column).to_pylist() == numbers


def test_a_column_of_buddhist_years_is_read_and_told():
    column = as_date(pa.array(["18/01/2567", "29/02/2567", "2567-03-01"]), YEARS)
    assert column.values.to_pylist() == [DAY, dt.date(2024, 2, 29), dt.date(2024, 3, 1)]
    assert any("Buddhist" in note for note in column.notes)


def test_a_few_buddhist_years_among_others_are_not_read_but_told():
    column = as_date(pa.array(["18/01/2567", *[f"{day:02d}/01/2024" for day in range(1, 20)]]), YEARS)
    assert column.values.to_pylist()[0] is None
    assert column.values.null_count == 1
    assert any("not read" in note for note in column.notes)


def test_a_profile_says_which_calendar_and_order_are_meant():
    assert dates("18/01/2567", "18/01/2024", calendar="buddhist") == [DAY, DAY]
    assert dates("18/01/2567", calendar="gregorian") == [None]
    assert dates("03/04/2024", order="mdy") == [dt.date(2024, 3, 4)]
    assert dates("03/04/2024", order="dmy") == [dt.date(2024, 4, 3)]


@pytest.mark.parametrize(
    "column", [pa.array([45309, None]), pa.array([45309.75, None]), pa.array(["45309", None])]
)
def test_day_numbers_of_excel_are_dates(column):
    read = as_date(column, YEARS)
    assert read.values.to_pylist() == [DAY, None]
    assert any("Excel" in note for note in read.notes)


def test_milliseconds_of_esri_are_days_of_laos():
    # 2024-01-17T20:00:00Z is three in the morning of the 18th in Vientiane.
    milliseconds = int(dt.datetime(2024, 1, 17, 20, tzinfo=dt.UTC).timestamp() * 1000)
    assert as_date(pa.array([milliseconds]), YEARS).values.to_pylist() == [DAY]
    stamp = pa.array([milliseconds], pa.timestamp("ms", "UTC"))
    assert as_date(stamp, YEARS).values.to_pylist() == [DAY]
    assert as_date(stamp, YEARS, DateRules(utc_offset_hours=0)).values.to_pylist() == [dt.date(2024, 1, 17)]


def test_a_date_of_eight_digits_is_read_and_another_number_is_not():
    assert as_date(pa.array([20240118, 2024, 7]), YEARS).values.to_pylist() == [DAY, None, None]


def test_a_profile_says_what_the_decimal_sign_is():
    column = pa.array(["5,815", "20.436", "1.234,5"])
    assert as_number(column, NumberRules(decimal=".")).to_pylist() == [5815, 20.436, 1234.5]
    assert as_number(column, NumberRules(decimal=",")).to_pylist() == [5.815, 20436, 1234.5]


def test_a_unit_behind_an_area_counts_and_an_unknown_one_is_not_guessed():
    rules = NumberRules(decimal=".")
    column = pa.array(["2.5 ha", "20,436 m²", "0.02 km2", "300", "7 rods", "1.5ເຮັກຕາ"])
    assert as_area_m2(1.0, rules)(column).to_pylist() == [25000, 20436, 20000, 300, None, 15000]
    assert as_area_m2(10_000.0, rules)(pa.array([2.5, None])).to_pylist() == [25000, None]


def test_a_depth_below_zero_is_no_depth():
    column = pa.array(["25 cm", "0.25 m", "25", "-9999"])
    assert as_depth_cm(NumberRules())(column).to_pylist() == [25, 25, 25, None]
