"""The report as one file: nothing from outside, everything in it, what others wrote is text."""

import base64
import datetime as dt
import json
import re
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest
from conftest import call, square, write_geojson
from pack_fixtures import DAY, decide, say_something, with_cases
from workbook_register import BACKWARDS, FORMULA, LAO, LONG_NOTE, MAG_IDS, SCRIPT, SECRET, workspace_in

from geopipe.casework.reasons import Reason
from geopipe.casework.words import tidy
from geopipe.errors import ConfigError
from geopipe.languages.texts import DRAFT, load_texts
from geopipe.outputs.html import casedata
from geopipe.outputs.html.charts import charts_of
from geopipe.outputs.html.material import _own_gaps, gather
from geopipe.outputs.html.page import page_of
from geopipe.schema import Frame
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS
from geopipe.translating import all_messages

NOT_SAFE = "Areas not shown are not thereby safe."
EVENTS = re.compile(r"^on[a-z]+$")


class Page(HTMLParser):
    """A page as a browser reads it: elements with attributes, texts, the content of scripts and styles."""

    def __init__(self, data):
        super().__init__()
        self.elements, self.scripts, self.styles, self.texts, self._within = [], [], [], [], []
        self.feed(data.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._within.append(tag)

    def handle_endtag(self, tag):
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data):
        kind = self._within[-1] if self._within else ""
        {"script": self.scripts, "style": self.styles}.get(kind, self.texts).append(data)

    @property
    def data(self):
        return json.loads(self.scripts[0])

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    @property
    def policy(self):
        (said,) = [item["content"] for tag, item in self.elements if tag == "meta" and "http-equiv" in item]
        return {part.split()[0]: part.split()[1:] for part in said.split(";")}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return workspace_in(tmp_path_factory.mktemp("html"))


@pytest.fixture(scope="module")
def made(place):
    """Return a function (language, operator) -> bytes of the page; each is made once."""
    known = {}

    def make(language="en", operator=None, **more):
        key = (language, operator, *more.items())
        if key not in known:
            material = gather(place / "out", place / "work", operator, **more)
            known[key] = page_of(material, load_texts(language))
        return known[key]

    return make


@pytest.fixture(scope="module")
def national(made):
    return Page(made())


@pytest.fixture(scope="module")
def of_mag(made):
    return Page(made(operator="MAG"))


@pytest.fixture(scope="module")
def meeting(tmp_path_factory):
    workspace, result = with_cases(tmp_path_factory.mktemp("html-said"))
    say_something(workspace)
    decided = gather(result, workspace).told.cases[0].number
    decide(workspace, decided)
    return workspace, result, decided


@pytest.fixture(scope="module")
def compared(place):
    assert call("compare", place / "in", "-o", place / "compared", "--quiet").code in (0, 4)
    return place / "compared"


def shown(page, column):
    """Return a column of the list of cases as texts."""
    return [page.data["texts"][number] for number in page.data["cases"][column]]


class TestNothingFromOutside:
    def test_the_policy_allows_only_what_is_in_the_page(self, national):
        assert national.policy["default-src"] == ["'none'"]
        assert national.policy["img-src"] == national.policy["font-src"] == ["data:"]
        assert {*national.policy["base-uri"], *national.policy["form-action"]} == {"'none'"}
        allowed = {*national.policy["script-src"], *national.policy["style-src"]}
        assert all(source.startswith("'sha256-") for source in allowed)

    def test_each_script_and_style_is_the_one_that_the_policy_names(self, national):
        def hashed(text):
            return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"

        assert [hashed(script) for script in national.scripts[1:]] == national.policy["script-src"]
        assert [hashed(style) for style in national.styles] == national.policy["style-src"]

    def test_the_policy_stands_before_everything_that_it_is_about(self, national):
        names = [tag for tag, _ in national.elements]
        policy = next(at for at, (_, item) in enumerate(national.elements) if "http-equiv" in item)
        assert policy < min(names.index("style"), names.index("script"))

    def test_no_element_asks_for_anything(self, national):
        for tag, item in national.elements:
            assert not {"style", "srcset", "action", "formaction"} & set(item), tag
            assert not any(EVENTS.match(name) for name in item), tag
            assert item.get("src", "data:").startswith("data:")
            assert item.get("href", "#").startswith("#")
        assert not {"link", "iframe", "object", "embed", "base", "form"} & {t for t, _ in national.elements}

    def test_the_style_asks_for_nothing_either(self, national):
        (style,) = national.styles
        assert "@import" not in style
        assert all(url.startswith("data:") for url in re.findall(r"url\(([^)]*)\)", style))

    def test_the_scripts_ask_a_debugger_for_nothing(self, national):
        assert all("sourceMappingURL" not in script for script in national.scripts)

    def test_the_scripts_own_words_never_become_markup(self, national):
        ours = national.scripts[-1]
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(",
                     "XMLHttpRequest", "Function("):  # fmt: skip
            assert word not in ours


class TestWhatIsInIt:
    def test_all_cases_are(self, national, place):
        numbers = [case.number for case in gather(place / "out", place / "work").told.cases]
        assert sorted(shown(national, "name")) == sorted(numbers)
        assert len(national.data["details"]["of"]) == len(national.data["shapes"]["shape"]) == 8

    def test_the_first_words_are_about_safety(self, national):
        first = national.text.index("NOT ALL DATA COMPARED: 2 of 21 records not compared")
        assert first < national.text.index(NOT_SAFE) < national.text.index("Data cut-off")

    def test_it_says_until_when_the_data_are_and_what_is_missing(self, made):
        assert "17 May 2020, the latest date in the records" in Page(made()).text
        assert "nobody said who should have delivered" in Page(made()).text
        told = Page(made(expected=("MAG", "WVL"))).text
        assert "Delivery missing: WVL" in told
        until = "17 May 2020, the latest date in the records; compared on 2 Mar 2026."
        assert told.endswith(f"{NOT_SAFE} Data cut-off: {until} Delivery missing: WVL.")

    def test_cases_are_told_among_how_many_records(self, national):
        assert "8 open cases, among 19 of 21 records" in national.text

    def test_simplified_outlines_are_told(self, national):
        assert "Outlines are simplified for show by up to 0.5 m (overlaps 0.05 m)" in national.text
        assert "measured from the full outlines" in national.text

    def test_hazard_lies_above_released_land_and_is_coloured_as_in_imsma(self, national):
        kinds = {kind["code"]: kind for kind in national.data["layers"]["kinds"]}
        assert min(kinds[kind]["level"] for kind in HAZARD_KINDS) > max(
            kinds[kind]["level"] for kind in RELEASED_KINDS
        )
        assert (kinds["CHA"]["fill"], kinds["SHA"]["fill"]) == ("#FF0000", "#F4A718")

    def test_hazard_that_is_only_drawn_is_on_the_map(self, national):
        assert len(national.data["layers"]["unresolved"]["shape"]) == 1

    def test_borders_of_provinces_stand_for_a_map_of_the_ground(self, national):
        assert len(national.data["layers"]["provinces"]) == 18
        assert "National Geographic Department of Laos" in national.text

    def test_licences_go_with_what_they_are_about(self, national):
        assert "Volodymyr Agafonkin" in national.text
        assert "SIL Open Font License" in national.text

    def test_charts_are_pictures_of_their_own(self, place):
        material, texts = gather(place / "out", place / "work"), load_texts("en")
        charts = charts_of(material, texts)
        page = Page(page_of(material, texts, charts))
        images = [item for tag, item in page.elements if tag == "img"]
        assert [item["alt"] for item in images] == [chart.alt for chart in charts]
        assert base64.b64decode(images[0]["src"].split(",")[1]).decode() == charts[0].svg

    def test_charts_that_cannot_be_drawn_are_told(self, place, monkeypatch):
        monkeypatch.setattr("geopipe.outputs.html.charts.find_spec", lambda _: None)
        material, texts = gather(place / "out", place / "work"), load_texts("en")
        assert charts_of(material, texts) is None
        assert "Left out: charts need typst" in Page(page_of(material, texts, None)).text

    def test_what_each_choice_would_do_is_worked_out_for_the_gravest(self, place, monkeypatch):
        monkeypatch.setattr(casedata, "MOST_WITH_CHOICES", 3)
        page = Page(page_of(gather(place / "out", place / "work"), load_texts("en")))
        assert [bool(detail[-1]) for detail in page.data["details"]["of"]] == [True] * 3 + [False] * 5

    def test_the_same_run_gives_the_same_bytes(self, place, made):
        assert page_of(gather(place / "out", place / "work"), load_texts("en")) == made()

    def test_a_case_takes_less_than_five_kilobytes(self, national):
        data = national.data
        named = {name: data[name] for name in ("cases", "details", "shapes", "texts")}
        named["areas"] = data["layers"]["areas"]
        assert len(json.dumps(named, ensure_ascii=False).encode()) / 8 < 5_000


class TestTexts:
    def test_what_others_wrote_is_text(self, national):
        assert {FORMULA, SCRIPT, LAO, "+1+1", "@SUM(A1)"} <= {
            *shown(national, "a_id"),
            *shown(national, "b_id"),
        }
        assert [tag for tag, _ in national.elements].count("script") == 3

    def test_no_word_of_data_ends_a_script(self, made):
        data = made()
        assert data.count(b"</script") == 3
        assert b"alert(1)<" not in data

    def test_signs_that_turn_letters_round_and_control_characters_are_gone(self, made):
        text = made().decode()
        assert tidy(BACKWARDS) in text
        assert not set("\u202e\u0007\u2028") & set(text)

    def test_people_and_free_texts_are_nowhere(self, made):
        for operator in (None, "MAG"):
            text = made(operator=operator).decode()
            assert SECRET not in text
            assert LONG_NOTE[:20] not in text

    def test_hostile_file_names_are_text(self, tmp_path):
        name = "<img src=x onerror=alert(1)> & 'quoted'.geojson"
        records = [({"hazard_id": f"M-{n}", "type": "CHA"}, square(105 + n, 16.5)) for n in range(2)]
        write_geojson(tmp_path / "in" / name, records)
        assert call("compare", tmp_path / "in", "-o", tmp_path / "out", "--quiet").code == 0
        page = Page(page_of(gather(tmp_path / "out", tmp_path / "none"), load_texts("en")))
        assert [item for tag, item in page.elements if tag == "img"] == []
        assert name in page.text


class TestLanguages:
    def test_a_draft_translation_says_so_and_english_does_not(self, made):
        assert DRAFT in Page(made("both")).text
        assert DRAFT not in Page(made()).text
        assert load_texts("lo").draft_note in Page(made("lo")).text

    def test_lao_letters_have_a_font(self, made):
        assert made("lo").count(b"url(data:font/woff2;base64,") == 2

    def test_both_languages_stand_beside_each_other(self, made):
        page = Page(made("both"))
        assert f"{NOT_SAFE} / {load_texts('lo')(NOT_SAFE)}" in page.text
        assert page.data["decimal"] == "."
        assert Page(made("lo")).data["decimal"] == ","

    def test_another_language_is_another_catalogue(self, made, tmp_path):
        lines = "".join(
            f"msgid {json.dumps(text)}\nmsgstr {json.dumps(f'[{text}]')}\n\n"
            for text in sorted(all_messages())
        )
        (tmp_path / "xx.po").write_text(f'msgid ""\nmsgstr "Language: xx\\n"\n\n{lines}', encoding="utf-8")
        page = Page(made(str(tmp_path / "xx.po")))
        said = [*page.data["said"].values(), *(name for _, name in page.data["columns"])]
        assert all(re.fullmatch(r"\[.+\]", text) for text in said)
        assert f"[{NOT_SAFE}]" in page.text


class TestEditionOfOneOperator:
    def test_it_has_all_of_its_own(self, of_mag):
        assert len(of_mag.data["cases"]["name"]) == len(MAG_IDS)
        names = {of_mag.data["texts"][number] for number in of_mag.data["layers"]["areas"]["operator"]}
        assert names == {"MAG"}
        assert "7 open cases, among 9 of 10 records" in of_mag.text

    def test_nothing_of_others_is_in_its_bytes(self, made):
        text = made(operator="MAG").decode()
        for word in ("HALO", "FOREIGN", "H-BROKEN", "H-TIE", "UXO_Lao_CHA", SECRET):
            assert word not in text, word

    def test_only_its_own_files_are_known_to_it(self, place):
        summary = gather(place / "out", place / "work", "MAG").told.summary
        assert [item["file"] for item in summary["deliveries"]] == ["MAG_CHA.geojson"]
        assert set(summary) == {"working_crs", "policy", "balance", "deliveries", "not_read"}

    def test_hazard_of_others_that_is_only_drawn_is_not_in_it(self, of_mag):
        assert of_mag.data["layers"]["unresolved"]["shape"] == []

    def test_a_strip_beside_a_partners_release_is_not_in_it(self):
        beside = ["MAG", "HALO, MAG", "HALO", "MAG"]
        table = pa.table({"operator": ["MAG", "MAG", "MAG", "HALO"], "neighbour_operators": beside})
        gaps = Frame.of(table, np.array([square(105 + n) for n in range(4)], dtype=object))
        assert _own_gaps(gaps, "MAG").table["neighbour_operators"].to_pylist() == ["MAG"]
        assert len(_own_gaps(gaps, "HALO")) == 0

    def test_of_a_partners_record_only_the_outline_near_the_overlap_is_drawn(self, of_mag):
        sides = of_mag.data["shapes"]
        assert all(min(pair) < 0 <= max(pair) for pair in sides["sides"])
        assert sides["extra"]["filled"] == [0] * len(MAG_IDS)

    def test_what_is_told_of_a_partners_record_is_what_the_pack_tells(self, of_mag):
        data = of_mag.data
        _, _, _, records, *_ = data["details"]["of"][0]
        names = [data["texts"][number] for number in data["details"]["records"]]
        of_partner = dict(zip(names, (data["texts"][number] for number in records[1]), strict=True))
        assert of_partner["Area measured"] == of_partner["IMSMA id"] == "not in this edition"

    def test_only_reasons_that_may_be_shared_are_told(self, place):
        secret = Reason("smaller_share", {"record": "Somebody's area"}, is_shareable=False)
        for operator in (None, "MAG"):
            material = gather(place / "out", place / "work", operator)
            proposals = {
                name: replace(item, reasons=(*item.reasons, secret))
                for name, item in material.told.proposals.items()
            }
            told = replace(material, told=replace(material.told, proposals=proposals))
            is_told = b"Somebody's area gives up" in page_of(told, load_texts("en"))
            assert is_told == (operator is None)

    def test_where_a_partners_record_lies_is_not_told(self, place):
        material = gather(place / "out", place / "work", "MAG")
        for case in material.told.cases:
            for side in (case.sighting.a, case.sighting.b):
                located = None if side.operator == "MAG" else "Elsewhere"
                side.columns.update(province_located=located, district_located=located)
                side.columns.update(province_stated=located, district_stated=located)
        assert b"Elsewhere" not in page_of(material, load_texts("en"))

    def test_it_says_for_whom_it_is(self, of_mag, national):
        assert "Confidential: for the authority and MAG only." in of_mag.text
        assert "For the authority only" in national.text

    def test_figures_of_others_are_not_in_it(self, of_mag):
        assert "What a tolerance would accept" not in of_mag.text
        assert "Hectares reported and ground covered" not in of_mag.text

    def test_an_unknown_operator_is_refused(self, place):
        with pytest.raises(ConfigError, match="no case is about 'MAGG'; did you mean 'MAG'"):
            gather(place / "out", place / "work", "MAGG")


class TestWhatIsSaidAndDecided:
    def test_a_decision_stands_behind_its_case(self, meeting):
        workspace, result, decided = meeting
        page = Page(page_of(gather(result, workspace), load_texts("en")))
        row = shown(page, "name").index(decided)
        assert shown(page, "status")[row] == "decided"
        said = json.dumps(self.deep(page, page.data["details"]["of"][row]))
        assert "operator B corrects boundary; provisional (minutes pending); TWG 1/2026" in said

    def test_what_a_partner_said_is_not_in_an_operators_edition(self, meeting):
        workspace, result, _ = meeting
        whole, own = (
            page_of(gather(result, workspace, name), load_texts("en")).decode() for name in (None, "MAG")
        )
        assert "HALO secret position" in whole
        assert "MAG secret position" in own
        for word in ("HALO secret", "HALO Staff", "MAG-1 neighbour", "UXL-NEAR", "internal note"):
            assert word not in own, word

    def test_late_answers_are_told_as_of_the_day_of_the_run(self, meeting):
        workspace, result, _ = meeting
        assert gather(result, workspace).told.meeting.day == dt.date(2026, 5, 1) < DAY

    def deep(self, page, numbers):
        if isinstance(numbers, list):
            return [self.deep(page, number) for number in numbers]
        return page.data["texts"][numbers]


class TestWithoutARegister:
    def test_overlaps_stand_where_cases_would(self, compared, tmp_path):
        page = Page(page_of(gather(compared, tmp_path), load_texts("en")))
        assert shown(page, "name") == [f"#{number}" for number in range(1, 9)]
        assert "8 overlaps, among 19 of 21 records" in page.text
        assert "status" not in dict(page.data["columns"])

    def test_an_operator_gets_its_own(self, compared, tmp_path):
        text = page_of(gather(compared, tmp_path, "MAG"), load_texts("en")).decode()
        assert "FOREIGN" not in text
        assert MAG_IDS[0] in text
        with pytest.raises(ConfigError, match="no overlap is of 'MAGG'; did you mean 'MAG'"):
            gather(compared, tmp_path, "MAGG")

    def test_no_overlaps_is_only_said_among_how_many_records(self, tmp_path):
        write_geojson(tmp_path / "MAG_CHA.geojson", [({"hazard_id": "M-1"}, square())])
        assert call("compare", tmp_path / "MAG_CHA.geojson", "-o", tmp_path / "out", "--quiet").code == 0
        page = Page(page_of(gather(tmp_path / "out", tmp_path), load_texts("en")))
        assert "No overlaps among 1 of 1 records" in page.text
        assert page.data["cases"] == {}
