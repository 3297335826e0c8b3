"""A language of which every message stands between brackets: outside of them is only what was delivered."""

import datetime as dt
import re

import pytest
from conftest import call
from edition_fixtures import SECRETS, deliveries, workspace_in
from pseudo import CLOSE, OPEN, outside, write_catalogue
from test_hostile_values import cells
from workbook_register import rows_of, sheet_names

from geopipe.languages.texts import load_texts
from geopipe.outputs.pack.make import content
from geopipe.outputs.pack.material import Meeting, gather

MEETING = "TWG 1/2026"
# Names and ids that were delivered or typed in, units, systems, and months of the language.
GIVEN = (
    *(str(value) for records in deliveries().values() for about, _ in records for value in about.values()),
    *deliveries(), *SECRETS, MEETING, "geojson", "UXO Lao", "HALO", "Xiengkhouang", "Pek", "XKH", "WGS",
    "EPSG", "ha", "cm", "m²", "run", "default", "January Januar Jan Februar Feb Mai Juni Juli",
    "aea proj lat lon datum units no defs type crs",
)  # fmt: skip
# Not for readers: how the typesetter is told what to draw.
NOT_SHOWN = ("kind", "columns", "sign", "colour", "map", "lang", "severity", "fill")
# Read back by geopipe, so its words stay as they are; the sheet Words says them in both languages.
READ_BACK = ("Cases", "Read me", "Words", "Lists")
# Named so, because they are in English for whoever runs geopipe.
ENGLISH = "(in English)"
# Colours, and the hashes by which runs, cases and policies are named.
NO_WORDS = re.compile(r"#[0-9A-F]{6}|\b(?:run-|c)?(?=[a-f]*\d)[0-9a-f]{7,}\b")


def words(text):
    return set(re.findall(r"[^\W\d_]{2,}", text.replace("_", " ")))


def columns_of(path, sheet):
    rows = rows_of(path, sheet)
    widest = max(map(len, rows), default=0)
    return zip(*([*row, *[""] * (widest - len(row))] for row in rows), strict=True)


def untranslated(texts):
    said = (NO_WORDS.sub("", outside(text)) for text in texts)
    return {word for text in said for word in words(text)} - words(" ".join(GIVEN))


def shown_in(value):
    """Yield all texts of a page that a reader sees."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and "marks" in value:  # a plot: its marks are told how they look, too
        yield from (str(mark["text"]) for mark in value["marks"] if "text" in mark)
        yield from shown_in({name: item for name, item in value.items() if name != "marks"})
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in NOT_SHOWN:
                yield from shown_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from shown_in(item)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return workspace_in(tmp_path_factory.mktemp("pseudo"))


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    return write_catalogue(tmp_path_factory.mktemp("language"))


@pytest.mark.parametrize("operator", [None, "MAG"])
def test_every_word_of_the_pack_is_a_message(place, language, operator):
    texts = load_texts(str(language))
    meeting = Meeting(MEETING, 120, dt.date(2026, 6, 1), operator)
    since = "" if operator else "2026-05-02"
    pages = content(gather(meeting, *place, since=since), texts, all_pages=True)
    assert len(pages["cases"]) > 1
    assert (
        untranslated(shown_in(pages)) - {"NO", "POLYGONS", "März"} == set()
    )  # a code, a month of the language
    assert texts.missing == set()


def test_reasons_of_proposals_are_messages_with_figures_and_dates_of_the_language(place, language):
    texts = load_texts(str(language))
    pages = content(gather(Meeting(MEETING, 120, dt.date(2026, 6, 1)), *place), texts, all_pages=True)
    reasons = [reason for page in pages["cases"] for reason in page["reasons"]]
    assert reasons
    assert all(reason.startswith(OPEN) and reason.endswith(CLOSE) for reason in reasons)
    assert any("Jan. 2019" in reason for reason in reasons)


@pytest.mark.parametrize("operator", [(), ("--operator", "MAG")])
def test_every_word_of_the_workbook_is_a_message(place, language, tmp_path, operator):
    work, out = place
    ran = call("workbook", out, "-w", work, "-o", tmp_path / "b.xlsx", "--lang", language, *operator)
    assert ran.code == 0, ran.err
    names = sheet_names(tmp_path / "b.xlsx")
    said = [
        str(cell)
        for name in names
        if name not in READ_BACK
        for column in columns_of(tmp_path / "b.xlsx", name)
        if not any(ENGLISH in str(cell) for cell in column)
        for cell in column
    ]
    codes = " ".join(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", " ".join(said)))
    kept = words(" ".join([*names, codes, "hazard land release"]))  # names of sheets, codes, registers in ids
    assert untranslated(said) - kept == set()


def test_every_word_of_minutes_and_letters_is_a_message(place, language, tmp_path):
    ran = call("minutes", "-w", place[0], "-o", tmp_path, "--meeting", MEETING, "--lang", language)
    assert ran.code == 0, ran.err
    files = sorted(tmp_path.glob("*.xlsx"))
    assert len(files) == 3
    for path in files:
        assert untranslated(cells(path)) == set(), path.name


def test_the_search_finds_a_word_that_is_no_message():
    assert untranslated([f"{OPEN}one {OPEN}inner{CLOSE} more{CLOSE} forgotten U-1"]) == {"forgotten"}
