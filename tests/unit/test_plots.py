"""Plots: that they show the figures of the statistics, stay in their room, and keep an operator's secrets."""

import datetime as dt
import json
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from math import fsum

import numpy as np
import pytest
from conftest import write_geojson
from pack_fixtures import decide, ground, letters_of, run_over, say_something, text_of, with_cases

from geopipe.catalogue import load_catalogue
from geopipe.errors import ConfigError
from geopipe.languages.texts import load_texts
from geopipe.outputs.plots import cases, findings, hectares, overlaps, wording
from geopipe.outputs.plots import material as plot_material
from geopipe.outputs.plots.drawing import WIDTH_MM, Drawing, as_plain, label
from geopipe.outputs.plots.make import charts, drawings
from geopipe.outputs.plots.material import Tolerated, gather, known_of, material_of
from geopipe.outputs.plots.typesetting import PAGE_MM, PNG_DPI, as_pdf, as_pngs, as_svgs, labels
from geopipe.outputs.plots.wording import SEVERITY_FILLS
from geopipe.policies import load_policy, policy_path
from geopipe.register.case import Case, Event
from geopipe.register.finding import Finding, FindingEvent, FindingStatus
from geopipe.register.register import Register
from geopipe.statistics.hectares import Hectares
from geopipe.statistics.reading import read_result
from geopipe.statistics.rows import Row
from geopipe.terms import CaseStatus, Severity

ENGLISH = load_texts()
DAY = dt.date(2026, 5, 1)
MM = 72 / 25.4
HOSTILE = (
    '<script>alert("1")</script>', "$x^2$ #eval(1) *bold* _i_ @ref \\", "x" * 200, "ອົງກອນ" * 40,
    "مرحبا بالعالم", "be\u202ell",
)  # fmt: skip


@pytest.fixture(scope="module")
def meeting(tmp_path_factory):
    """Return workspace and output of three operators, after one provisional decision."""
    workspace, output = with_cases(tmp_path_factory.mktemp("meeting"))
    say_something(workspace)
    with Register.existing(workspace) as register:
        name = next(
            c.name for c in register.cases() if c.sighting.columns["finding"] == "double_registration"
        )
    decide(workspace, name)
    return workspace, output


@pytest.fixture(scope="module")
def material(meeting):
    workspace, output = meeting
    return gather(output, workspace)


def of_operator(meeting, operator):
    workspace, output = meeting
    return gather(output, workspace, operator)


def marks(drawing, kind):
    return [mark for mark in drawing.marks if mark["kind"] == kind]


def words(drawing):
    return [mark["text"] for mark in marks(drawing, "label")]


def empty(material):
    nothing, none = np.zeros(0), np.zeros(0, dtype=bool)
    no_overlaps = replace(material.overlaps, area_m2=nothing, width_m=nothing, severity=(), never=none,
                          below_accuracy=none, between=0, only_listed=0)  # fmt: skip
    return replace(material, overlaps=no_overlaps, hectares=(), cases=(), findings=())


def finding(operator, number=0, day=DAY, until=None):
    events = [FindingEvent(0, day, "", FindingStatus.NEW, "", None, 1)]
    if until:
        events.append(FindingEvent(1, until, "", FindingStatus.CORRECTED, "", None, 2))
    return Finding(f"f{number}", "CODE", operator, {}, tuple(events))


def hostile(material):
    """Operators and provinces that would break a page, more of them than there is room for."""
    rows = [Row(kind, (name,), 1, 2e6 - at, 0.0, 1e6, 0.0, 1e6 - at, 1e6 - at, {})
            for kind in ("CHA", "SHA", "CLEARED", "REDUCED", "CANCELLED")
            for at, name in enumerate((*HOSTILE, *(f"{n} place" * 9 for n in range(30))))]  # fmt: skip
    operators = [*HOSTILE, *HOSTILE, *(f"{n} people" * 9 for n in range(30))]
    made = [finding(name, at) for at, name in enumerate(operators)]
    policy = load_policy(policy_path("twg-5m2-draft")).model_copy(update={"name": HOSTILE[2] + HOSTILE[0]})
    shown = replace(material.overlaps, tolerated=(Tolerated(policy, True),))
    return replace(material, hectares=tuple(rows), findings=tuple(made), overlaps=shown)


# What is drawn are the figures.


def test_the_bars_of_the_overlaps_are_the_overlaps_of_the_run(material, meeting):
    counted = read_result(meeting[1])
    shown = material.overlaps
    assert len(shown.area_m2) == len(counted.overlaps) == 4
    assert fsum(shown.area_m2) == pytest.approx(fsum(counted.overlaps.numpy("area_m2").astype(float)))
    for found in (overlaps.area_bins(shown), overlaps.width_bins(shown)):
        assert sum(item.total for item in found) == 4
        assert sum(item.counts[Severity.ALARM] for item in found) == shown.severity.count(Severity.ALARM) == 2
    drawn = overlaps.draw(material, ENGLISH)
    assert {key.text for key in drawn.key} >= {"alarm: 2"}
    assert "4 overlaps, 4 of them between operators, among 9 of 9 records" in drawn.alt


def test_bars_are_as_long_as_the_hectares_that_statistics_give(material, meeting):
    counted = read_result(meeting[1])
    rows = {row.ground: row for row in Hectares.of(counted, {}, 20.0).rows(("province",))}
    drawn = hectares.draw(material, ENGLISH)
    bars = [mark for mark in marks(drawn, "bar") if mark["fill"] not in ("#F5F5F5",)]
    for kind, colour in (("CHA", "#FF0000"), ("CLEARED", "#38A800")):
        row = rows[kind]
        solid = next(mark for mark in bars if mark["fill"] == colour)
        twice = next(mark for mark in bars if mark["hatched"] and mark["x"] == solid["x"] + solid["w"])
        twice_m2 = row.undecided_m2 + row.agreed_m2
        assert twice["w"] / solid["w"] == pytest.approx(twice_m2 / row.covered_m2)
        said = f"{row.covered_m2 / 1e4:.1f} +{twice_m2 / 1e4:.2f}"
        assert said in words(drawn)


def test_what_an_operator_shares_with_others_waits_for_a_decision_too():
    row = Row("CLEARED", ("XK", "MAG"), 1, 100.0, -40.0, 0.0, 0.0, 60.0, 60.0, {}, 40.0)
    (place,) = hectares.places([row])
    assert (place.twice_m2, place.shared_m2, place.undecided_m2) == (0.0, 40.0, 40.0)
    assert row.is_provisional


def test_hazard_has_the_colours_of_the_map_and_kinds_of_release_are_never_mixed(material):
    rows = [Row(kind, ("XK",), 1, 100.0, 0.0, 0.0, 0.0, 100.0, 100.0, {})
            for kind in ("CHA", "SHA", "CLEARED", "REDUCED", "CANCELLED")]  # fmt: skip
    drawn = hectares.draw(replace(material, hectares=tuple(rows)), ENGLISH)
    fills = [mark["fill"] for mark in marks(drawn, "bar") if mark["fill"] != "#F5F5F5"]
    assert fills[:2] == ["#FF0000", "#F4A718"]
    assert len(set(fills)) == 5


def test_an_alarm_among_many_overlaps_is_seen_and_counted(material):
    many = 100_000
    severity, none = (Severity.ALARM, *[Severity.CHECK] * (many - 1)), np.zeros(many, dtype=bool)
    shown = replace(material.overlaps, area_m2=np.full(many, 3.0), width_m=np.full(many, 0.2),
                    severity=severity, never=np.arange(many) == 0, below_accuracy=none)  # fmt: skip
    drawn = overlaps.draw(replace(material, overlaps=shown), ENGLISH)
    alarms = [mark for mark in marks(drawn, "bar") if mark["fill"] == SEVERITY_FILLS[Severity.ALARM]]
    assert len(alarms) == 2
    assert all(mark["h"] >= 0.6 for mark in alarms)
    figures = [
        mark["text"] for mark in marks(drawn, "label") if mark["colour"] == SEVERITY_FILLS[Severity.ALARM]
    ]
    assert figures == ["1", "1"]
    assert any(
        "area < 5 m²: 100,000 overlaps, 1 of these may never be accepted" in s for s in drawn.sentences
    )


def test_a_draft_is_a_dashed_line_and_says_so(material):
    drawn = overlaps.draw(material, ENGLISH)
    assert [mark["dashed"] for mark in marks(drawn, "line") if mark["thickness"] == 0.5] == [
        True,
        False,
        True,
    ]
    assert "< 5 m²: draft, not in force" in words(drawn)
    assert "survey accuracy 0.1 m" in words(drawn)
    assert "No tolerance is in force: nothing is left out." in drawn.sentences


def test_a_signed_tolerance_is_a_whole_line_with_its_reference(material):
    signed = load_policy(policy_path("twg-5m2-draft")).model_copy(
        update={"reference": "Minutes 4/2026", "signed_by": "Chair", "effective_from": DAY}
    )
    shown = replace(material.overlaps, tolerated=(Tolerated(signed, False),))
    drawn = overlaps.draw(replace(material, overlaps=shown), ENGLISH)
    assert not any(mark["dashed"] for mark in marks(drawn, "line"))
    assert "< 5 m²: tolerance in force" in words(drawn)
    assert "In force: twg-5m2-draft, Minutes 4/2026." in drawn.sentences
    assert not any("nothing is left out" in sentence for sentence in drawn.sentences)


@pytest.mark.parametrize(("compare", "count"), [("<", 0), ("<=", 1)])
def test_an_overlap_that_is_as_large_as_the_limit_is_under_it_only_where_the_policy_says_so(
    material, compare, count
):
    draft = load_policy(policy_path("twg-5m2-draft"))
    rules = tuple(rule.model_copy(update={"compare": compare}) for rule in draft.tolerances)
    policy = draft.model_copy(update={"tolerances": rules})
    shown = replace(material.overlaps, area_m2=np.array([5.0]), width_m=np.array([0.5]),
                    severity=(Severity.CHECK,), never=np.array([False]), below_accuracy=np.array([False]),
                    tolerated=(Tolerated(policy, True),))  # fmt: skip
    said = " ".join(overlaps.draw(replace(material, overlaps=shown), ENGLISH).sentences)
    assert f"5 m²: {count} overlaps" in said
    assert f"0.5 m: {count} overlaps" in said


@pytest.mark.parametrize(
    ("area_ha", "said"),
    [(0, "0"), (0.004, "0.00"), (9.9949, "9.99"), (9.996, "10.0"), (99.96, "100"), (1234, "1,234")],
)
def test_hectares_have_as_many_decimals_as_say_something(area_ha, said):
    assert wording.hectares(area_ha * 10_000, ENGLISH) == said


# Time.


def case(*steps):
    """A case to which things happened: (number, run or None, status)."""
    at = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    events = tuple(
        Event(number, str(number), "c", at + dt.timedelta(days=number), "", "", status, "", run=run)
        for number, run, status in steps
    )
    days = {"first_seen": DAY, "last_seen": DAY}
    status = events[-1].status
    return Case(case_id="c", number=None, status=status, present=True, sighting=None, events=events, **days)


def test_cases_are_counted_as_they_stood_after_each_run_and_as_they_are_now():
    runs = [(1, dt.date(2026, 1, 1)), (2, dt.date(2026, 2, 1)), (3, dt.date(2026, 2, 2))]
    every = [
        case((1, 1, CaseStatus.BACKLOG), (3, None, CaseStatus.DECIDED), (5, 2, CaseStatus.FINISHED)),
        case((2, 1, CaseStatus.BACKLOG), (9, None, CaseStatus.DECIDED)),
        case((4, 2, CaseStatus.NEW)),
        case((6, 2, CaseStatus.NOT_OBSERVED)),
        case((7, 2, CaseStatus.SPLIT)),
    ]
    found = cases.moments(every, runs)
    assert [(item.day, *item.counts.values()) for item in found] == [
        (dt.date(2026, 1, 1), 2, 0, 0, 0),
        (dt.date(2026, 2, 1), 2, 1, 0, 1),
        (dt.date(2026, 2, 2), 2, 1, 0, 1),
        (dt.date(2026, 3, 10), 1, 1, 1, 1),
    ]


def test_a_year_of_nights_is_shown_by_month():
    first = dt.date(2026, 1, 1)
    runs = [(number, first + dt.timedelta(days=number - 1)) for number in range(1, 366)]
    every = [case((number, number, CaseStatus.NEW)) for number, _ in runs]
    found = cases.moments(every, runs)
    assert len(found) == 12
    assert found[0].day == dt.date(2026, 1, 31)
    assert found[0].counts[cases.OPEN] == 31
    assert found[-1].counts[cases.OPEN] == 365


def test_a_decided_case_is_drawn_as_decided(material):
    drawn = cases.draw(material, ENGLISH)
    assert "3 cases without decision, 1 decided and not yet finished, 0 finished" in drawn.alt
    assert "2 cases that are not finished are safety alarms" in drawn.alt


def test_errors_of_a_quarter_are_drawn_by_operator(material):
    made = [finding("MAG", 0), finding("MAG", 1, until=dt.date(2026, 8, 1)), finding("HALO", 2)]
    runs = ((1, DAY), (2, dt.date(2026, 8, 1)))
    drawn = findings.draw(replace(material, findings=tuple(made), runs=runs), ENGLISH)
    assert "2026-Q3: 0 errors found, 1 corrected, 0 accepted with a reason, 2 outstanding" in drawn.alt
    when, found = findings.cells(made, dt.date(2026, 8, 1))
    assert when == ["2026-Q2", "2026-Q3"]
    mag = {item.quarter: item.counts for item in found if item.operator == "MAG"}
    assert (mag["2026-Q2"]["found"], mag["2026-Q2"]["outstanding"]) == (2, 2)
    assert (mag["2026-Q3"]["corrected"], mag["2026-Q3"]["outstanding"]) == (1, 1)


def test_of_many_operators_those_with_the_fewest_errors_left_stand_together():
    made = [
        finding(name, f"{name}{number}")
        for name, count in (("A", 1), ("B", 3), ("C", 2))
        for number in range(count)
    ]
    _, found = findings.cells(made, DAY, most=2)
    assert {item.operator: item.counts["outstanding"] for item in found} == {"B": 3, None: 3}


# Nothing.


def test_nothing_to_draw_is_said_with_how_many_records_were_read(material):
    said = [drawing.sentences[0] for drawing in drawings(empty(material), ENGLISH)]
    assert said == [
        "No overlaps that count among 9 of 9 records.",
        "No hazard or released land among 9 of 9 records.",
        "No cases among 9 of 9 records.",
        "No errors found among 9 of 9 records.",
    ]
    assert all(chart.svg.startswith("<svg") for chart in charts(empty(material), ENGLISH))


def test_without_a_register_there_is_nothing_about_time(meeting):
    found = charts(gather(meeting[1]), ENGLISH)
    assert [chart.name for chart in found] == ["overlaps", "hectares"]


def test_a_result_that_is_not_of_the_registers_last_run_is_refused(meeting, tmp_path):
    write_geojson(tmp_path / "in" / "MAG_CHA.geojson", [({"hazard_id": "M"}, ground())])
    workspace, _ = run_over(tmp_path)
    with pytest.raises(ConfigError, match="this is another result"):
        gather(meeting[1], workspace)


def test_each_plot_says_until_when_its_data_are_and_that_its_translation_is_a_draft(material):
    for language, is_draft in (("en", False), ("both", True)):
        for drawing in drawings(material, load_texts(language)):
            said = " ".join(drawing.foot)
            assert "1 May 2026" in said
            assert material.run in said
            assert ("Draft translation" in said) is is_draft


def test_what_plots_need_is_told_where_it_is_missing(material, monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(ConfigError, match=r"plots need typst.*pip install geopipe\[pdf\]"):
        charts(material, ENGLISH)


# Everything stays in its place.


@pytest.mark.parametrize("language", ["en", "lo", "both"])
def test_no_label_has_to_be_cut(material, language):
    texts = load_texts(language)
    assert [
        item["text"] for item in labels(drawings(material, texts), texts.codes[0]) if item["is_cut"]
    ] == []
    assert texts.missing == set()


@pytest.mark.parametrize("kind", [lambda material: material, hostile, empty])
def test_every_mark_is_on_its_plot(material, kind):
    for drawing in drawings(kind(material), ENGLISH):
        for mark in drawing.marks:
            right, low = (mark["x2"], mark["y2"]) if mark["kind"] == "line" else (
                mark["x"] + mark["w"], mark["y"] + mark["h"])  # fmt: skip
            assert -0.01 <= mark["x"] <= right <= WIDTH_MM + 0.5, mark
            assert min(mark["y"], low) >= -0.01, mark
            assert max(mark["y"], low) <= drawing.height_mm + 0.01, mark


def test_no_plot_is_higher_than_a_page_of_the_pack(material):
    pages = as_pngs(drawings(hostile(material), load_texts("both")), "en", dpi=25.4)
    assert max(int.from_bytes(page[20:24], "big") for page in pages) <= 245


def test_hostile_names_are_text_and_stay_on_the_page(material):
    drawn = drawings(hostile(material), ENGLISH)
    pdf = as_pdf(drawn, "en")
    said = " ".join(text_of(pdf))
    assert "<script>" in said
    assert "$x^2$ #eval(1) *bold*" in said
    for _, sign, (left, _, right, _) in letters_of(pdf):
        assert left >= 3 * MM - 1, sign
        assert right <= (3 + WIDTH_MM) * MM + 1, sign
    for svg in as_svgs(drawn, "en"):
        assert "script" not in {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}


def test_a_label_that_is_too_long_is_cut_with_a_sign(material):
    drawing = Drawing("x", "x", "x", 10.0, marks=(label("y" * 300, 0, 0, 20, 4),))
    assert labels([drawing], "en")[0]["is_cut"]
    said = text_of(as_pdf([drawing], "en"))[0]
    assert said.endswith("y…")
    assert max(right for *_, (_, _, right, _) in letters_of(as_pdf([drawing], "en"))) <= 23 * MM + 1


# Files.


def test_the_same_run_gives_the_same_bytes(meeting):
    workspace, output = meeting
    texts = load_texts("both")
    first, second = (gather(output, workspace) for _ in range(2))
    assert charts(first, texts) == charts(second, texts)
    assert as_pngs(drawings(first, texts), "en") == as_pngs(drawings(second, texts), "en")


def test_an_svg_is_a_white_page_of_outlines_that_says_what_it_shows(material):
    for chart in charts(material, ENGLISH):
        root = ET.fromstring(chart.svg)
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert "text" not in tags
        assert root[0].text == chart.title
        assert root[1].text == chart.alt
        assert root.get("role") == "img"
        assert float(root.get("width").removesuffix("pt")) == pytest.approx(PAGE_MM * MM, abs=0.01)
        assert 'href="http' not in chart.svg
        names = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(names) == len(set(names))
        used = [
            value[1:] for element in root.iter() for name, value in element.items() if name.endswith("href")
        ]
        assert set(used) <= set(names)


def test_a_png_is_as_wide_as_the_page_at_its_resolution(material):
    for picture in as_pngs(drawings(material, ENGLISH), "en"):
        assert picture.startswith(b"\x89PNG")
        assert int.from_bytes(picture[16:20], "big") == pytest.approx(PAGE_MM / 25.4 * PNG_DPI, abs=1)


# Who may see what.


@pytest.mark.parametrize(("operator", "others"), [("MAG", ("HALO", "UXO")), ("HALO", ("MAG", "UXO"))])
def test_an_operators_plots_do_not_name_others(meeting, operator, others):
    told = json.dumps([as_plain(item) for item in drawings(of_operator(meeting, operator), ENGLISH)])
    assert operator in told
    assert not any(name in told for name in others)


def test_an_operators_plots_show_its_own_records_only(meeting, material):
    own = of_operator(meeting, "MAG")
    assert (own.kept, own.records) == (3, 3)
    assert all(row.labels[1] == "MAG" for row in own.hectares)
    assert len(own.overlaps.area_m2) < len(material.overlaps.area_m2)
    assert all("MAG" in item.operators for item in own.cases)
    assert {item.operator for item in own.findings} <= {"MAG"}
    # Its hectares close to what it reported, whatever it shares with others.
    assert fsum(row.reported_m2 for row in own.hectares) == pytest.approx(
        fsum(item.covered_m2 + item.shared_m2 + item.twice_m2 for item in hectares.places(own.hectares))
    )


def test_an_operator_does_not_read_where_finds_of_others_lie(meeting, monkeypatch):
    monkeypatch.setattr(plot_material, "read_points", lambda *_: None)
    workspace, output = meeting
    assert gather(output, workspace).overlaps.never.all()
    own = of_operator(meeting, "MAG")
    assert own.overlaps.never is None
    said = " ".join(overlaps.draw(own, ENGLISH).sentences)
    assert "overlaps, 0 of these are alarms;" in said
    assert "never" not in said


def test_an_operator_reads_of_its_own_errors_and_of_none_that_are_for_the_authority(meeting):
    workspace, output = meeting
    secret = next(code for code, item in load_catalogue().codes.items() if item.audience == "authority")
    with Register.existing(workspace) as register:
        known = known_of(register, register.cases())
    made = (finding("MAG", 0), finding("HALO", 1), replace(finding("MAG", 2), code=secret))
    own = material_of(read_result(output), replace(known, findings=made), "MAG")
    assert own.findings == made[:1]
    assert material_of(read_result(output), replace(known, findings=made), None).findings == made


def test_an_operator_that_nobody_knows_is_refused(meeting):
    with pytest.raises(ConfigError, match="nothing is known of 'MAGG'; did you mean 'MAG'"):
        of_operator(meeting, "MAGG")
