"""The meeting pack: what its pages say, that everything fits, that an operator's edition keeps secrets."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest
import shapely
from casework_fixtures import case_about
from conftest import call, write_geojson
from pack_fixtures import (
    DAY,
    HOSTILE,
    LONG_ID,
    agree,
    decide,
    ground,
    letters_of,
    run_over,
    say_something,
    text_of,
    with_cases,
)

from geopipe.errors import ConfigError, OutputError
from geopipe.languages.texts import load_texts
from geopipe.outputs.pack.casemap import FILLS, CaseMap, MapRecord, as_svg
from geopipe.outputs.pack.lists import consent_pages
from geopipe.outputs.pack.make import content, make_pack
from geopipe.outputs.pack.mapframe import HEIGHT, WIDTH, frame_of, magnified
from geopipe.outputs.pack.material import Meeting, gather
from geopipe.outputs.pack.onmap import case_map
from geopipe.outputs.pack.typesetting import typeset
from geopipe.register.register import Register

CRS = "+proj=aea +lat_1=15 +lat_2=21 +lat_0=18 +lon_0=104 +x_0=500000 +y_0=2000000 +datum=WGS84 +units=m"
A4_PT = (595.276, 841.89)
MARGIN_PT = 15 / 25.4 * 72
# A letter's box is its room in the line, which is a little more than its ink.
SLACK_PT = 1.0


@pytest.fixture(scope="module")
def meeting(tmp_path_factory):
    """Return workspace and output of three operators who have something to say."""
    workspace, output = with_cases(tmp_path_factory.mktemp("meeting"))
    say_something(workspace)
    return workspace, output


def material(meeting, operator=None, minutes=120, **more):
    workspace, output = meeting
    return gather(Meeting("TWG 2/2026", minutes, DAY, operator), workspace, output, **more)


@pytest.fixture(scope="module")
def national(meeting):
    return material(meeting)


@pytest.fixture(scope="module", params=["en", "lo", "both"])
def pack(national, request):
    return make_pack(national, load_texts(request.param))


def page_of(material, finding):
    said = content(material, load_texts())
    case = next(case for case in material.cases if case.sighting.columns["finding"] == finding)
    return next(page for page in said["cases"] if page["name"] == case.name)


# Everything fits.


def test_every_case_page_fits_on_one_page(pack):
    assert pack.fits
    assert all(item["fits"] for item in pack.fits.values())
    pages = list(pack.pages.values())
    assert all(later == earlier + 1 for earlier, later in pairwise(pages))


def test_nothing_is_printed_outside_the_margins(pack):
    boxes = np.array([box for _, _, box in letters_of(pack.pdf)])
    assert len(boxes) > 5_000
    assert boxes[:, 0].min() > MARGIN_PT - SLACK_PT
    assert boxes[:, 2].max() < A4_PT[0] - MARGIN_PT + SLACK_PT
    assert boxes[:, 1].min() > 18  # what many printers cannot reach
    assert boxes[:, 3].max() < A4_PT[1] - 18


def test_no_letter_is_printed_over_another(pack):
    letters = [(page, box) for page, sign, box in letters_of(pack.pdf) if sign.isascii() and sign.isalnum()]
    for page in {number for number, _ in letters}:
        boxes = shapely.box(*np.array([box for number, box in letters if number == page]).T)
        left, right = shapely.STRtree(boxes).query(boxes, predicate="intersects")
        left, right = left[left < right], right[left < right]
        shared = shapely.area(shapely.intersection(boxes[left], boxes[right]))
        assert (shared < 0.4 * np.minimum(shapely.area(boxes[left]), shapely.area(boxes[right]))).all()


def test_a_long_note_ends_with_where_the_rest_is(pack):
    assert "see register" in " ".join(text_of(pack.pdf)) or "ເບິ່ງ" in " ".join(text_of(pack.pdf))
    assert "note " * 60 not in " ".join(text_of(pack.pdf))


def test_what_somebody_wrote_stays_text(national):
    said = " ".join(text_of(make_pack(national, load_texts()).pdf))
    assert HOSTILE[0].split()[0] in said
    assert '#eval("1") $x^2$ *bold* _i_ `code` @ref =cmd()|A1' in said
    assert "\u202e" not in said
    assert "\x07" not in said


def test_many_pages_of_one_case_each_is_what_all_pages_means(meeting):
    short = material(meeting, minutes=20)
    assert len(make_pack(short, load_texts()).pages) == 1
    assert len(make_pack(short, load_texts(), all_pages=True).pages) == len(short.cases)


def test_the_figures_are_drawn_before_the_agenda_and_an_operator_sees_its_own(meeting, national):
    for made in (national, material(meeting, "MAG")):
        pages = text_of(make_pack(made, load_texts()).pdf)
        at = next(number for number, page in enumerate(pages) if "Overlaps by area and width" in page)
        drawn = " ".join(pages[at : at + 2])
        assert all(
            title in drawn for title in ("Hectares by province", "Cases over time", "Errors by quarter")
        )
        assert at < min(number for number, page in enumerate(pages) if "Agenda" in page)
    assert "HALO" not in drawn


# The same run, the same bytes.


def test_the_same_run_gives_the_same_bytes(meeting):
    first, second = (make_pack(material(meeting), load_texts("both")).pdf for _ in range(2))
    assert first == second


def test_the_page_map_leads_to_the_pages_of_the_cases(pack):
    pages = text_of(pack.pdf)
    for name, page in pack.pages.items():
        assert name in pages[page - 1]


# What the pages say.


def test_every_page_says_how_old_the_data_are_and_what_it_does_not_say(pack):
    texts = load_texts()
    for page in text_of(pack.pdf):
        assert "1 May 2026" in page or "1 ພ.ພ. 2026" in page
        assert texts("Areas not shown are not thereby safe.") in page or "ບໍ່ໄດ້ໝາຍ" in page


def test_a_translation_that_nobody_has_approved_says_so_on_every_page(national):
    pages = text_of(make_pack(national, load_texts("both")).pdf)
    assert all("Draft translation: not yet approved" in page for page in pages)
    assert "Draft translation" not in " ".join(text_of(make_pack(national, load_texts()).pdf))


def test_lao_pages_have_no_message_that_is_only_english(national):
    texts = load_texts("lo")
    content(national, texts)
    assert texts.missing == set()


def test_missing_deliveries_stand_on_the_cover_and_on_every_page(meeting):
    asked = material(meeting, expected=("Norwegian",))
    pages = text_of(make_pack(asked, load_texts()).pdf)
    assert all("Delivery missing: Norwegian" in page for page in pages)


def test_records_are_only_counted_among_those_that_were_read(national):
    assert "4 open cases, among 9 of 9 records" in text_of(make_pack(national, load_texts()).pdf)[0]


def test_an_alarm_asks_whether_the_ground_is_hazard(national):
    page = page_of(national, "hazard_on_released_land")
    assert page["question"].startswith("Is this ground hazard or released land?")
    assert any("people may use this ground" in line for line in page["sections"][0][1])


def test_the_records_stand_beside_each_other_with_their_own_words(national):
    page = page_of(national, "hectares_counted_twice")
    rows = {row[0]: row[1:] for row in page["records"]["rows"]}
    assert page["records"]["head"][1:] == ["A: HALO", "B: UXO Lao"]
    assert rows["Own id"] == ["HALO-2", "UXL-C"]
    assert rows["Completed"] == ["3 Feb 2020", "3 Feb 2022"]
    assert rows["Clearance depth"] == ["25 cm", "25 cm"]
    assert "EPSG:4326" in rows["Coordinates from"][0] or "WGS 84" in rows["Coordinates from"][0]
    assert "no datum change" in rows["Coordinates from"][0]


def test_each_choice_says_who_gains_and_loses_and_what_is_not_safe(national):
    rows = {row[0]: row[1:] for row in page_of(national, "hazard_on_released_land")["choices"]["rows"]}
    assert rows["accept within tolerance"][-1] == "NO: the alarm stays"
    assert rows["operator B corrects boundary"][-1] == "NO: less hazard shown"
    assert rows["operator A corrects boundary"][-1] == "no hazard is lost"
    assert float(rows["operator A corrects boundary"][0]) == pytest.approx(1.28, abs=0.2)
    assert rows["field survey"][:4] == ["?"] * 4


def test_an_operator_that_was_asked_and_is_late_has_not_answered(national):
    lines = dict(page_of(national, "hectares_counted_twice")["sections"])["Positions"]
    assert "UXO Lao: no answer by 20 May 2026" in lines
    assert any(line.startswith("HALO: disagree; 10 May 2026") for line in lines)


def test_the_pack_opens_with_what_earlier_meetings_left(tmp_path):
    workspace, output = with_cases(tmp_path)
    with Register.existing(workspace) as register:
        name = case_about(register, "double_registration").name
    decide(workspace, name)
    pages = text_of(make_pack(material((workspace, output)), load_texts()).pdf)
    assert "Decided, but minutes missing 1" in pages[0]
    assert "Overdue 1" in pages[0]
    assert name in pages[1]
    assert any("provisional (minutes pending) TWG 1/2026 of 1 May 2026, item 4" in page for page in pages)


def test_what_all_operators_agree_to_is_decided_by_one_signature_rule_by_rule(tmp_path):
    workspace, output = with_cases(tmp_path)
    agree(workspace)
    names = {}
    with Register.existing(workspace) as register:
        for finding in ("double_registration", "hectares_counted_twice"):
            names[finding] = case_about(register, finding).name
    run = material((workspace, output), minutes=60)
    assert {case.name for case in run.agenda.consent} == set(names.values())
    assert not run.agenda.discussion
    blocks = list(consent_pages(run, load_texts()))
    heads = [block["text"] for block in blocks if block["kind"] == "heading"]
    assert heads == [
        "Consent list",
        "The same ground is registered as hazard by two operators: operator B corrects boundary (1)",
        "The same ground is reported as released by two operators: operator B corrects boundary (1)",
    ]
    tables = [[line["cells"][0] for line in block["rows"]] for block in blocks if block["kind"] == "table"]
    assert tables == [[names["double_registration"]], [names["hectares_counted_twice"]]]
    assert blocks[-1]["names"] == ["HALO", "MAG", "UXO Lao", "Province", "NRA"]
    said = " ".join(text_of(make_pack(run, load_texts("both")).pdf))
    assert "One signature decides them all" in said
    own = list(consent_pages(material((workspace, output), "HALO", 60), load_texts()))
    assert [line["cells"][0] for block in own if block["kind"] == "table" for line in block["rows"]] == [
        names["hectares_counted_twice"]
    ]
    assert own[-1]["names"] == ["HALO", "Province", "NRA"]
    told = call("cases", "agenda", "-w", workspace, "--minutes-of-meeting", "60").out
    assert "CONSENT LIST, one signature: all operators agree: 2" in told
    assert all(name in told.split("CONSENT LIST")[1] for name in names.values())


def test_an_overlap_that_went_away_before_anyone_decided_asks_who_changed_it(tmp_path):
    with_cases(tmp_path)
    cha = {"hazard_id": "MAG-1", "survey_date": "2019-01-05", "type": "CHA", "status": "Open"}
    write_geojson(tmp_path / "in" / "MAG_CHA.geojson", [(cha, ground(side_m=60))])
    run = material(run_over(tmp_path))
    page = page_of(run, "double_registration")
    assert page["question"].startswith("Who changed this overlap before anyone decided")
    assert "not in the data now" in dict(page["facts"])["Overlap"]
    assert make_pack(run, load_texts()).fits[page["name"]]["fits"]


def test_a_result_of_another_run_is_refused(meeting, tmp_path):
    _, other = with_cases(tmp_path)
    other_run = next((other / "runs").iterdir())
    other_run.rename(other / "runs" / "run-of-somebody")
    with pytest.raises(ConfigError, match="another result"):
        gather(Meeting("TWG", 60, DAY), meeting[0], other / "runs" / "run-of-somebody")


# Editions.


@pytest.fixture(scope="module")
def edition(meeting):
    return material(meeting, operator="HALO")


def test_an_edition_holds_no_foreign_id_and_nothing_that_others_said(edition):
    made = make_pack(edition, load_texts(), all_pages=True)
    said = " ".join(text_of(made.pdf)).replace("\x02", "-") + json.dumps(content(edition, load_texts(), True))
    assert "HALO-FAR" in said
    assert "MAG-2" in said  # the partner of a case
    assert "HALO secret position" in said
    for secret in ("MAG-1", LONG_ID[:20], "UXL-NEAR", "MAG secret", "Staff", "MAG_CHA", "UXO_Lao_CHA"):
        assert secret not in said


def test_an_edition_shows_of_a_partner_only_what_the_allow_list_has(edition):
    page = page_of(edition, "hectares_counted_twice")
    rows = {row[0]: row[1:] for row in page["records"]["rows"]}
    assert rows["Kind"] == ["cleared", "cleared"]
    assert rows["Completed"][1] == "3 Feb 2022"
    hidden = ("IMSMA id", "Clearance depth", "Area measured", "Area stated", "Coordinates from")
    assert all(rows[name][1] == "not in this edition" for name in hidden)
    assert "Share of B" not in dict(page["facts"])
    choices = {row[0]: row[1:] for row in page["choices"]["rows"]}
    assert choices["withdraw record B"][2:4] == ["", ""]
    assert choices["merge into record A"][:4] == [""] * 4


def test_an_edition_draws_of_a_partner_only_the_outline_near_the_overlap(edition):
    case = next(c for c in edition.cases if c.sighting.columns["finding"] == "hectares_counted_twice")
    drawn, ground = case_map(case, edition), edition.grounds[case.case_id]
    assert shapely.length(drawn.b.line) < 0.9 * shapely.length(shapely.boundary(ground.b))
    assert shapely.distance(drawn.b.line, ground.overlap) <= 100
    assert shapely.equals(drawn.b.ground, ground.overlap)
    assert drawn.neighbours == ()


def test_an_edition_draws_no_neighbours_of_others(meeting, national):
    drawn = {}
    for name, run in (("all", national), ("MAG", material(meeting, "MAG"))):
        case = next(c for c in run.cases if c.sighting.columns["finding"] == "double_registration")
        drawn[name] = case_map(case, run).neighbours
    assert len(drawn["all"]) == 1
    assert drawn["MAG"] == ()


def test_an_edition_has_pages_for_its_cases_on_the_agenda_of_the_whole_meeting(meeting):
    minutes = 20  # time for one alarm only
    (discussed,) = material(meeting, minutes=minutes).agenda.alarms
    editions = {name: material(meeting, name, minutes) for name in ("HALO", "MAG", "UXO Lao")}
    pages = {
        name: [page["name"] for page in content(part, load_texts())["cases"]]
        for name, part in editions.items()
    }
    assert pages == {name: [discussed.name] if name in discussed.operators else [] for name in editions}


def test_an_edition_for_somebody_without_a_case_is_refused(meeting):
    with pytest.raises(ConfigError, match="no case is about 'HALLO'; did you mean 'HALO'"):
        material(meeting, operator="HALLO")


# The map.


def a_map(overlap_m=40.0, **more):
    a, b = shapely.box(0, 0, 300, 200), shapely.box(300 - overlap_m, 0, 600, 200)
    overlap = shapely.intersection(a, b)
    frame = frame_of(a, b, overlap, CRS)
    kinds = more.pop("kinds", ("CHA", "CLEARED"))
    return CaseMap(frame, MapRecord(kinds[0], a), MapRecord(kinds[1], b), overlap, **more)


@pytest.mark.parametrize("kinds", [("CHA", "CLEARED"), ("CLEARED", "CHA")])
def test_hazard_is_drawn_above_released_land(kinds):
    drawn = as_svg(a_map(kinds=kinds, neighbours=[MapRecord("REDUCED", shapely.box(0, 0, 600, 50))]))
    fills = re.findall(r'fill="(#[0-9A-F]{6})" fill-opacity="0.5"', drawn)
    assert fills == [FILLS["REDUCED"], FILLS["CLEARED"], "#FF0000"]


def test_suspected_hazard_has_the_colour_that_people_know():
    assert 'fill="#F4A718" fill-opacity="0.5"' in as_svg(a_map(kinds=("SHA", "CLEARED")))


def test_hazard_that_is_only_drawn_lies_on_top_in_dashed_red():
    drawn = as_svg(a_map(unresolved=[shapely.box(10, 10, 60, 60), shapely.Point(100, 100)]))
    assert drawn.count('stroke="#D00000"') == 2
    assert drawn.index("#FF0000") < drawn.index("#D00000")


def test_an_overlap_too_small_to_be_seen_gets_a_circle():
    assert '<circle' in as_svg(a_map(overlap_m=0.01).__class__(**vars(a_map(0.01)) | {
        "overlap": shapely.box(299.99, 0, 300, 1)}))  # fmt: skip
    assert "<circle" not in as_svg(a_map())


def a_small_one(overlap):
    records = (MapRecord("CHA", shapely.box(0, 0, 300, 200)), MapRecord("CHA", shapely.box(290, 0, 600, 200)))
    frame = frame_of(*(item.ground for item in records), shapely.box(290, 0, 300, 200), CRS)
    return CaseMap(frame, *records, overlap)


@pytest.mark.parametrize(
    ("overlap", "seen_m"),
    [(shapely.box(299, 0, 300, 1), 2.0), (shapely.box(299.9, 0, 300, 200), 1.2)],
    ids=["a spot is shown whole", "a strip in its middle"],
)  # fmt: skip
def test_an_overlap_too_small_to_be_seen_is_magnified_with_a_scale_of_its_own(overlap, seen_m):
    drawn = a_small_one(overlap)
    inset = magnified(drawn.frame, overlap, 1 / 0.36)
    assert inset.metres_per_unit * HEIGHT == pytest.approx(seen_m, rel=0.05)
    assert shapely.intersects(inset.window, overlap)
    assert shapely.area(shapely.intersection(inset.window, overlap)) > 0.05 * shapely.area(inset.window)
    svg = as_svg(drawn)
    assert svg.count("<svg") == svg.count("</svg>") == 2
    assert re.findall(r">(\d+ c?m)<", svg)[0] == f"{100 * inset.bar_m:g} cm"
    assert f"{drawn.frame.bar_m:g} m<" in svg


def test_an_overlap_that_can_be_seen_is_not_magnified():
    assert magnified(a_map().frame, a_map().overlap, 1 / 0.36) is None
    assert as_svg(a_map()).count("<svg") == 1


def test_the_inset_of_an_edition_shows_no_more_of_the_partner():
    """Its frame lies within the map, and draws the same outline near the overlap."""
    drawn = a_small_one(shapely.box(299, 0, 300, 1))
    inset = magnified(drawn.frame, drawn.overlap, 1 / 0.36)
    assert shapely.covers(drawn.frame.window, inset.window)


def test_both_records_are_whole_on_the_map_unless_the_overlap_would_be_a_dot():
    whole = a_map().frame
    assert shapely.contains(whole.window, shapely.box(0, 0, 600, 200))
    assert not whole.is_cut
    huge = shapely.box(-50_000, -50_000, 50_000, 50_000)
    small = shapely.box(0, 0, 100, 100)
    cut = frame_of(huge, small, small, CRS)
    assert cut.is_cut
    assert shapely.bounds(cut.window)[2] - shapely.bounds(cut.window)[0] < 12 * 100 * 1.5


def test_the_scale_bar_is_as_long_as_it_says():
    frame = a_map().frame
    assert frame.bar_m == 200
    assert frame.metres_per_unit * WIDTH == pytest.approx(600 * 1.24)
    assert shapely.area(frame.window) == pytest.approx(WIDTH * HEIGHT * frame.metres_per_unit**2)


def test_the_arrow_points_to_true_north():
    lon_east = frame_of(*[shapely.box(900_000, 2_000_000, 900_100, 2_000_100)] * 3, CRS)
    middle = frame_of(*[shapely.box(500_000, 2_000_000, 500_100, 2_000_100)] * 3, CRS)
    assert abs(middle.north_deg) < 0.01
    assert lon_east.north_deg < -0.5  # east of the middle meridian, north lies left of the top
    (west, south), (east, north) = middle.corners_deg
    assert (west, south) < (east, north)
    assert west < 104 < east


def test_an_error_of_the_typesetter_is_one_sentence():
    with pytest.raises(OutputError, match="the pages cannot be set"):
        typeset({"title": "no more"}, DAY)
