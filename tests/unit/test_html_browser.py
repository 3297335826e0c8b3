"""The page in a browser: nothing is asked from outside; list, map and keyboard do what they say."""

import io

import pypdfium2
import pytest
from browser import browser
from pack_fixtures import say_something, with_cases
from workbook_register import FORMULA, LAO, MAG_IDS, SCRIPT, workspace_in

from geopipe.casework.words import tidy
from geopipe.languages.texts import load_texts
from geopipe.outputs.html.charts import charts_of
from geopipe.outputs.html.material import gather
from geopipe.outputs.html.page import page_of

ROWS = "document.querySelectorAll('#list tbody tr[data-row]').length"
IS_OPEN = "document.getElementById('detail').open"
FOCUSED = "document.activeElement.closest('tr')?.dataset.row"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    place = workspace_in(tmp_path_factory.mktemp("html-browser"))
    material, texts = gather(place / "out", place / "work"), load_texts("both")
    path = place / "report.html"
    path.write_bytes(page_of(material, texts, charts_of(material, texts)))
    return path


@pytest.fixture(scope="module")
def alarmed(tmp_path_factory):
    """A page with hazard on released land, and with what operators have written to their cases."""
    place = tmp_path_factory.mktemp("html-alarms")
    workspace, _ = with_cases(place)
    say_something(workspace)
    path = place / "report.html"
    path.write_bytes(page_of(gathered(path), load_texts("en")))
    return path


def gathered(page):
    """What the page of the alarms is made from."""
    return gather(page.parent / "out", page.parent / "work")


@pytest.fixture(scope="module")
def opened():
    with browser() as one:
        yield one


@pytest.fixture
def page(opened, report):
    opened.complaints.clear()
    opened.requests.clear()
    opened.open(report)
    return opened


def choose(page, selector, value, event):
    page.ask(f"(() => {{const e = document.querySelector('{selector}'); e.value = {value!r};"
             f"e.dispatchEvent(new Event('{event}'))}})()")  # fmt: skip


class TestAsAWhole:
    def test_the_console_stays_silent_and_nothing_is_asked_from_outside(self, page, report):
        page.click("#list tbody tr")
        page.press("Escape")
        page.click("#theme")
        assert page.complaints == []
        assert [url for url in page.requests if not url.startswith("data:")] == [report.resolve().as_uri()]

    def test_all_cases_stand_in_the_list(self, page):
        assert page.ask(ROWS) == 8

    def test_what_others_wrote_is_text(self, page):
        shown = page.ask("document.getElementById('list').textContent")
        assert all(name in shown for name in (FORMULA, SCRIPT, LAO))
        assert page.ask("document.querySelectorAll('script').length") == 3

    def test_charts_and_the_font_are_really_there(self, page):
        loaded = "[...document.images].every((image) => image.complete && image.naturalWidth > 0)"
        assert page.ask(f"document.images.length > 0 && {loaded}")
        lao = page.ask("document.fonts.load('16px \"Noto Sans Lao\"', 'ກໍລະນີ').then((all) => all.length)")
        assert lao == 1

    def test_what_operators_wrote_to_their_cases_is_text(self, page, opened, alarmed):
        opened.open(alarmed)
        said, rows = "", page.ask(ROWS)
        for row in range(rows):
            page.ask(f"document.querySelectorAll('#list tbody tr')[{row}].click()")
            said += page.ask("document.getElementById('detail').textContent")
            page.press("Escape")
        said = " ".join(said.replace("\u200b", "").split())
        comments = [tidy(item.comment) for case in gathered(alarmed).told.cases for item in case.positions]
        assert len(comments) > 3
        for comment in comments:
            assert " ".join(comment.split())[:60] in said
        assert page.complaints == []


class TestList:
    def test_words_are_looked_for_in_any_order_and_case(self, page):
        choose(page, "#search", "uxo m-1", "input")
        assert page.ask(ROWS) == 1
        assert page.ask("document.getElementById('count').textContent").startswith("1 of 8 shown")

    def test_what_fits_nothing_is_said(self, page):
        choose(page, "#search", "nowhere", "input")
        assert page.ask(ROWS) == 0
        assert "No case fits" in page.ask("document.querySelector('#list tbody').textContent")

    def test_an_operator_is_chosen(self, page):
        choose(page, "#by-operator", "=HALO", "change")
        assert page.ask(ROWS) == 1

    def test_columns_are_sorted_both_ways(self, page):
        names = "[...document.querySelectorAll('#list tbody th')].map((cell) => cell.textContent)"
        page.click("#list th.of-name button")
        upwards = page.ask(names)
        page.click("#list th.of-name button")
        assert upwards == sorted(upwards) == page.ask(names)[::-1]
        assert page.ask("document.querySelector('#list th.of-name').ariaSort") == "descending"


class TestPageOfACase:
    def test_a_click_opens_it_and_esc_closes_it(self, page):
        page.click("#list tbody tr:nth-child(3)")
        assert page.ask(IS_OPEN)
        page.press("Escape")
        assert not page.ask(IS_OPEN)
        assert page.ask(FOCUSED) == "2"

    def test_it_opens_by_keyboard_alone(self, page):
        page.ask("document.querySelector('#list tbody tr').focus()")
        page.press("ArrowDown")
        page.press("Enter")
        name = page.ask("document.querySelector('#list tbody tr:nth-child(2) th').textContent")
        assert page.ask("document.getElementById('detail-title').textContent").startswith(name)

    def test_next_leads_through_what_was_chosen(self, page):
        choose(page, "#search", "mag", "input")
        page.click("#list tbody tr")
        seen = []
        for _ in MAG_IDS:
            seen.append(page.ask("document.querySelector('#detail table tbody td').textContent"))
            if not page.ask("document.querySelector('#detail .bar button:nth-child(4)').disabled"):
                page.click("#detail .bar button:nth-child(4)")
        assert len(set(seen)) == len(MAG_IDS)

    def test_it_says_what_was_measured_and_what_a_blank_means(self, page):
        page.click("#list tbody tr")
        said = page.ask("document.getElementById('detail').textContent")
        assert "Middle of the overlap" in said
        assert "Areas not shown are not thereby safe." in said

    def test_a_link_leads_to_it(self, page):
        name = page.ask("document.querySelector('#list tbody tr th').textContent")
        page.ask(f"location.hash = '#case={name}'")
        page.ask("new Promise((done) => setTimeout(done, 50))")
        assert page.ask(IS_OPEN)


class TestMap:
    PIXEL = (
        "(() => {{const c = document.querySelector('#canvas canvas'), r = c.width / c.clientWidth;"
        "const b = c.getBoundingClientRect();"
        "return [...c.getContext('2d').getImageData(({x} - b.x) * r, ({y} - b.y) * r, 1, 1).data]}})()"
    )
    MIDDLE = (
        "(() => {const b = document.getElementById('canvas').getBoundingClientRect();"
        "return [b.x + b.width / 2, b.y + b.height / 2]})()"
    )

    def shown(self, page):
        """Show the first case on the map; return where the middle of its overlap is in the window."""
        page.click("#list tbody tr")
        page.click("#detail .bar button:nth-child(2)")
        page.ask("document.getElementById('canvas').scrollIntoView({behavior: 'instant', block: 'center'})")
        return page.ask(self.MIDDLE)

    def test_a_click_on_an_overlap_opens_its_case(self, page):
        name = page.ask("document.querySelector('#list tbody tr th').textContent")
        page.click_at(*self.shown(page))
        assert page.ask("document.getElementById('detail-title').textContent").startswith(name)

    def test_hazard_lies_above_released_land(self, page, opened, alarmed):
        opened.open(alarmed)
        self.shown(page)
        page.click("#layers input[data-layer=finding-hazard_on_released_land]")
        x, y = page.ask(self.MIDDLE)
        red, green, blue, _ = page.ask(self.PIXEL.format(x=x, y=y))
        assert red > green + 60
        assert green > blue + 20  # the green below shows through

    def test_hazard_cannot_be_switched_off(self, page):
        fixed = page.ask("[...document.querySelectorAll('#layers input')].map((box) => box.disabled)")
        names = page.ask("[...document.querySelectorAll('#layers label')].map((label) => label.textContent)")
        off = dict(zip(names, fixed, strict=True))
        assert all(is_fixed for name, is_fixed in off.items() if "hazardous area" in name)
        assert not all(fixed)


class TestLook:
    def test_dark_and_light_follow_the_system_and_the_button(self, page, opened, report):
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.ask(ground)
        opened.open(report, dark=True)
        dark = page.ask(ground)
        page.click("#theme")
        assert light != dark
        assert page.ask(ground) == light

    def test_the_first_key_leads_past_the_headings(self, page):
        page.press("Tab")
        assert page.ask("document.activeElement.className") == "skip"
        assert page.ask("document.activeElement.getBoundingClientRect().left") >= 0

    def test_nothing_is_wider_than_a_narrow_window(self, page):
        page("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=False)
        try:
            assert page.ask("document.documentElement.scrollWidth") <= 390
        finally:
            page("Emulation.clearDeviceMetricsOverride")

    def test_every_printed_page_says_what_a_blank_means(self, page):
        with pypdfium2.PdfDocument(io.BytesIO(page.pdf())) as document:
            texts = [one.get_textpage().get_text_bounded() for one in document]
        assert len(texts) > 2
        assert all("Areas not shown are not thereby safe" in " ".join(text.split()) for text in texts)
