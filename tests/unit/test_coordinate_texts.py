"""Coordinates as people write them: what is clear is read, what can mean two places is refused."""

from __future__ import annotations

import mgrs
import numpy as np
import pyarrow as pa
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geopipe.io.tabular.coordinates import angle_of, has_decimal_comma, number_of, position_of
from geopipe.io.tabular.places import (
    ANGLE,
    COMMA,
    GRID,
    PLAIN,
    SWAPPED,
    Places,
    places_of_pair,
    places_of_text,
)

DEGREES = 19 + 27 / 60 + 35.5 / 3600


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("234567", 234567),
        (" -19.459861 ", -19.459861),
        ("1.5e5", 150000),
        ("19,459861", 19.459861),
        ("102,567", 102.567),
        ("20.436", 20.436),
        ("234 567", 234567),
        ("234\u00a0567,25", 234567.25),
        ("2,145,678", 2145678),
        ("2,145,678.5", 2145678.5),
        ("2.145.678,5", 2145678.5),
        ("໒໓໔໕໖໗.໕", 234567.5),
        ("\u221219.5", -19.5),
    ],
)
def test_numbers_in_every_clear_spelling(text: str, value: float) -> None:
    assert number_of(text) == value


@pytest.mark.parametrize(
    "text", ["", "abc", "nan", "inf", "1e999", "234'567", "12,34,56", "1.2.3", "0x10", "1_000"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        number_of(text)


def test_a_comma_that_may_separate_thousands_is_refused_with_both_readings() -> None:
    with pytest.raises(ValueError, match=r"can be 234\.567 or 234567"):
        number_of("234,567")


def test_the_comma_is_proved_to_be_the_decimal_sign_only_where_nothing_else_is_possible() -> None:
    assert all(has_decimal_comma(text) for text in ("19,45", "2.145.678,5"))
    assert not any(has_decimal_comma(text) for text in ("102,567", "19.45", "2,145,678"))


@pytest.mark.parametrize(
    "text",
    [
        "19°27'35.5\"N",
        "19º 27’ 35,5” N",
        "19°27′35.5″ n",
        "19 27 35.5 N",
        "N19-27-35.5",
        "N 19° 27' 35.5''",
        "19:27:35.5 N",
        "19d27m35.5sN",
        "19 deg 27 min 35.5 sec N",
        "໑໙°໒໗'໓໕.໕\"N",
        "19°27.591666666666667'N",
        f"{DEGREES!r}N",
        f"N {DEGREES!r}°",
    ],
)
def test_one_latitude_in_many_spellings(text: str) -> None:
    angle = angle_of(text)
    assert angle.degrees == pytest.approx(DEGREES, abs=1e-12)
    assert angle.letter == "n"


def test_south_and_west_are_negative_and_seconds_are_not_south() -> None:
    assert angle_of("19 27 35.5 S").degrees == pytest.approx(-DEGREES)
    assert angle_of("W 103 30").degrees == -103.5
    assert angle_of("19d27m35.5s").degrees == pytest.approx(DEGREES)
    assert angle_of("19d27m35.5s S").degrees == pytest.approx(-DEGREES)
    assert angle_of("-19 27 35.5").degrees == pytest.approx(-DEGREES)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("19°60'00\"N", "minutes are 60"),
        ("19°27'75\"N", "seconds are 75"),
        ("19.5 27 N", "decimals before its last part"),
        ("-19 N", "minus sign and a letter"),
        ("N 19 S", "two hemisphere letters"),
        ("95 N", "more degrees"),
        ("190 E", "more degrees"),
        ("1927N", "neither a number nor an angle"),
        ("19.27.35", "neither a number nor an angle"),
        ("north", "neither a number nor an angle"),
    ],
)
def test_impossible_angles_are_refused_never_wrapped(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        angle_of(text)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_degrees_minutes_seconds_come_back_as_they_were(latitude: float, longitude: float) -> None:
    def written(value: float, letters: str) -> str:
        degrees, rest = divmod(abs(value) * 3600, 3600)
        minutes, seconds = divmod(rest, 60)
        return f"{degrees:.0f}°{minutes:.0f}'{seconds:.9f}\"{letters[value < 0]}"

    texts = written(latitude, "NS"), written(longitude, "EW")
    if '60.000000000"' in texts[0] + texts[1]:
        return  # rounded up to the next minute by the writer: refused, as a person's 60 seconds are
    position = position_of(" ".join(texts))
    assert position.latitude == pytest.approx(latitude, abs=1e-12)
    assert position.longitude == pytest.approx(longitude, abs=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "48Q 234567 2145678",
        "48q 234567.0mE 2145678.0mN",
        "UTM zone 48Q 234,567 2,145,678",
        "234567 2145678 48Q",
        "48N 234567 2145678",
    ],
)
def test_utm_text_is_read_with_its_zone(text: str) -> None:
    expected = pyproj.Transformer.from_crs(32648, 4326, always_xy=True).transform(234567, 2145678)
    position = position_of(text)
    assert (position.longitude, position.latitude) == pytest.approx(expected, abs=1e-11)
    assert ("the N of 48N is read as north, not as the band" in position.notes) == ("48N" in text)


def test_the_letter_s_is_the_band_only_where_the_northing_fits_it() -> None:
    assert position_of("38S 450000 3690000").latitude == pytest.approx(33.35, abs=0.01)
    assert position_of("37S 450000 8200000").latitude == pytest.approx(-16.28, abs=0.01)


def test_a_band_letter_that_does_not_fit_is_told() -> None:
    assert any(
        "does not fit the northing (that is band Q)" in note
        for note in position_of("48P 234567 2145678").notes
    )


@pytest.mark.parametrize("text", ["61Q 234567 2145678", "48Q 23456 2145678", "48Q 234567 21456780"])
def test_utm_outside_its_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        position_of(text)


@pytest.mark.parametrize("text", ["48QUE1234567890", "48Q UE 12345 67890", "48que 1234567890"])
def test_mgrs_is_the_south_west_corner_of_its_square(text: str) -> None:
    expected = pyproj.Transformer.from_crs(32648, 4326, always_xy=True).transform(312345, 1967890)
    position = position_of(text)
    assert (position.longitude, position.latitude) == pytest.approx(expected, abs=1e-11)
    assert "1 m square" in position.notes[0]


@given(st.floats(100.1, 107.6), st.floats(13.95, 22.4))
def test_mgrs_of_any_place_in_laos_comes_back_within_its_metre(longitude: float, latitude: float) -> None:
    position = position_of(mgrs.MGRS().toMGRS(latitude, longitude))
    _, _, apart_m = pyproj.Geod(ellps="WGS84").inv(longitude, latitude, position.longitude, position.latitude)
    assert apart_m < 1.5


def test_coarse_mgrs_says_how_coarse_it_is() -> None:
    assert "100 m square" in position_of("48QUE123678").notes[0]


@pytest.mark.parametrize(
    "text", ["48QUE123", "48QUE 123 4567", "48QUE", "48IUE1234567890", "99QUE1234567890"]
)
def test_mgrs_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="MGRS"):
        position_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "19°30'00\"N 103°12'00\"E",
        "103 12 00 E, 19 30 00 N",
        "N19.5 E103.2",
        "E103.2; N19.5",
        "19.5N/103.2E",
    ],
)
def test_a_pair_in_one_cell_in_either_order(text: str) -> None:
    position = position_of(text)
    assert (position.longitude, position.latitude) == pytest.approx((103.2, 19.5))


def test_a_pair_without_letters_needs_the_order_from_its_column() -> None:
    assert position_of("19.5, 103.2", "latlon").longitude == 103.2
    assert position_of("103.2, 19.5", "lonlat").longitude == 103.2
    with pytest.raises(ValueError, match="is not MGRS"):
        position_of("19.5, 103.2")
    with pytest.raises(ValueError, match="latitude of more than 90"):
        position_of("103.2, 19.5", "latlon")


def pair(x: str | None, y: str | None) -> Places:
    return places_of_pair(pa.array([x], pa.large_string()), pa.array([y], pa.large_string()))


@pytest.mark.parametrize(
    ("x", "y", "place", "kind"),
    [
        ("102.5", "18.25", (102.5, 18.25), PLAIN),
        ("102,5", "18.25", (102.5, 18.25), PLAIN),
        ("234 567", "2.145.678,5", (234567, 2145678.5), PLAIN),
        ("103°30'E", "19°30'N", (103.5, 19.5), ANGLE),
        ("103.5 E", "19.5", (103.5, 19.5), ANGLE),
        ("103 30", "19 30", (103.5, 19.5), ANGLE),
        ("19°30'N", "103°30'E", (103.5, 19.5), ANGLE),
        ("48QUE0000000000", "", position_of("48QUE0000000000"), GRID),
        ("48Q 234567", "2145678", position_of("48Q 234567 2145678"), GRID),
    ],
)
def test_two_cells(x: str, y: str, place: object, kind: int) -> None:
    expected = place if isinstance(place, tuple) else (place.longitude, place.latitude)
    places = pair(x, y)
    assert places.trouble[0] is None
    assert (places.x[0], places.y[0]) == expected
    assert places.kind[0] == kind
    assert (SWAPPED in places.notes) == x.endswith("N")


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ("abc", "18", '"abc" is neither'),
        ("102.5", "", "one of them is missing"),
        ("234,567", "2,145,678", "can be 234.567 or 234567"),
        ("102,567", "2,145,678", "can be 102.567 or 102567"),
        ("19°27'N", "19°28'N", "two latitudes"),
        ("103 30", "95 30", "too much for a latitude"),
        ("234567", "19°27'N", "more degrees than there are"),
    ],
)
def test_two_cells_that_cannot_be_read_say_why(x: str, y: str, reason: str) -> None:
    places = pair(x, y)
    assert reason in places.trouble[0]
    assert x in places.trouble[0]
    assert np.isnan([places.x[0], places.y[0]]).all()


def test_empty_cells_are_no_trouble() -> None:
    places = places_of_pair(pa.array(["", None]), pa.array([" ", None]))
    assert places.is_empty.all()
    assert list(places.trouble) == [None, None]


def test_each_cell_has_its_own_decimal_sign_and_commas_are_told() -> None:
    places = places_of_pair(pa.array(["102,5", "102.5", "102,567"]), pa.array(["18.5", "18,5", "18,567"]))
    assert places.x.tolist() == [102.5, 102.5, 102.567]
    assert places.y.tolist() == [18.5, 18.5, 18.567]
    assert places.notes == {COMMA: 2}


def test_a_comma_beside_an_unusual_number_is_told_too() -> None:
    assert pair("102,5", "1.825e1").notes == {COMMA: 1}


def test_plain_numbers_are_read_to_the_last_bit() -> None:
    texts = ["102.12345678901234", "0.1", "-179.99999999999997", "234567.123456789"]
    places = places_of_pair(pa.array(texts), pa.array(texts))
    assert places.x.tolist() == [float(text) for text in texts]


def test_a_column_of_coordinate_text() -> None:
    places = places_of_text(pa.array(["48QUE1234567890", "N19.5 E103.2", "", "somewhere"]), "")
    assert places.kind.tolist()[:2] == [GRID, ANGLE]
    assert places.is_empty.tolist() == [False, False, True, False]
    assert "is not MGRS" in places.trouble[3]
