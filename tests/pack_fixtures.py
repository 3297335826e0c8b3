"""A small meeting: three operators, two alarms, two conflicts, and what the operators say."""

import datetime as dt

import pypdfium2
import shapely
from conftest import call, write_geojson

from geopipe.casework.proposal import propose
from geopipe.casework.rules import policy_in_force
from geopipe.register.desk import Desk
from geopipe.register.papers import keep_paper
from geopipe.register.register import Register
from geopipe.terms import Answer, Choice

AT = dt.datetime(2026, 5, 2, 9, tzinfo=dt.UTC)
DAY = dt.date(2026, 6, 1)
WEST, SOUTH = 103.2, 19.4
FAR_AWAY = 103.3
HOSTILE = (
    '<script>alert(1)</script> #eval("1") $x^2$ *bold* _i_ `code` @ref =cmd()|A1 \\ "',
    "note " * 2_000, "x" * 10_000, "ກ" * 3_000, "ຂໍ້ຄວາມພາສາລາວ" * 700, "مرحبا بالعالم " * 700,
    "be\x07ll\u202e",
)  # fmt: skip
LONG_ID = "U-" + "9" * 200


def ground(east_m=0.0, north_m=0.0, side_m=200.0, west=WEST):
    """A square in lon/lat, about so many metres east and north of a corner."""
    per_degree = 111_000.0
    x, y = west + east_m / per_degree, SOUTH + north_m / per_degree
    return shapely.box(x, y, x + side_m / per_degree, y + side_m / per_degree)


def write_deliveries(folder):
    cha, cleared = {"type": "CHA", "status": "Open"}, {"type": "Cleared", "clearance_depth_cm": "25"}
    deliveries = {
        "MAG_CHA": [
            ({"hazard_id": "MAG-1", "survey_date": "2019-01-05", **cha}, ground()),
            ({"hazard_id": "MAG-2", "survey_date": "2023-02-03", **cha}, ground(0, 1000)),
            ({"hazard_id": "MAG-FAR", "survey_date": "2023-02-03", **cha}, ground(west=FAR_AWAY)),
        ],
        "UXO_Lao_CHA": [
            ({"hazard_id": LONG_ID, "survey_date": "2021-01-05", **cha}, ground(120, 30)),
            ({"hazard_id": "UXL-NEAR", "survey_date": "2021-01-05", **cha}, ground(210, -70, 60)),
        ],
        "HALO_clearance": [
            ({"clearance_id": "HALO-1", "completion_date": "2020-02-03", **cleared}, ground(120, 1050)),
            ({"clearance_id": "HALO-FAR", "completion_date": "2020-02-03", **cleared},
             ground(120, 30, west=FAR_AWAY)),
            ({"clearance_id": "HALO-2", "completion_date": "2020-02-03", **cleared}, ground(0, 2000)),
        ],
        "UXO_Lao_clearance": [
            ({"clearance_id": "UXL-C", "completion_date": "2022-02-03", **cleared}, ground(190, 2000)),
        ],
    }  # fmt: skip
    for name, records in deliveries.items():
        write_geojson(folder / "in" / f"{name}.geojson", records)


def run_over(folder):
    """Deliveries of a folder through `geopipe run`; return workspace and output."""
    config = folder / "run.yaml"
    config.write_text("deliveries: [{path: in}]\nworkspace: work\noutput: out\ntoday: 2026-05-01\n", "utf-8")
    ran = call("run", config, "--quiet")
    assert ran.code == 0, ran.err
    return folder / "work", folder / "out"


def with_cases(folder):
    write_deliveries(folder)
    return run_over(folder)


def say_something(workspace):
    """Operators answer, one does not; one case is decided without minutes; what they write is hostile."""
    with Register.existing(workspace) as register:
        policy, desk = policy_in_force(register), Desk(register, "Bounmy", AT)
        for number, case in enumerate(register.cases()):
            for operator in dict.fromkeys(case.operators):
                desk.send(case, operator, dt.date(2026, 5, 20))
                if operator == "UXO Lao":
                    continue
                said = f"{operator} secret position {HOSTILE[number % len(HOSTILE)]}"
                desk.position(case, operator, Answer.DISAGREE, f"Ms {operator} Staff", comment=said,
                              evidence=HOSTILE[(number + 1) % len(HOSTILE)], said_on=dt.date(2026, 5, 10),
                              proposal=propose(case, policy).choice)  # fmt: skip


def agree(workspace):
    """All operators agree with what is proposed for each of their cases."""
    with Register.existing(workspace) as register:
        policy, desk = policy_in_force(register), Desk(register, "Bounmy", AT)
        for case in register.cases():
            for operator in dict.fromkeys(case.operators):
                desk.position(case, operator, Answer.AGREE, "Ms Staff", proposal=propose(case, policy).choice)


def decide(workspace, name, choice=Choice.B_CORRECTS):
    with Register.existing(workspace) as register:
        policy = policy_in_force(register)
        reference = keep_paper(register, "TWG 1/2026", dt.date(2026, 5, 1), "4", None, "Bounmy", AT)
        Desk(register, "Bounmy", AT + dt.timedelta(days=1)).decide(
            register.case(name), choice, "TWG", policy, reference, responsible="Mr Kham of UXO Lao",
            due=dt.date(2026, 5, 25), note="internal note",
        )  # fmt: skip


def text_of(pdf):
    """All text of a PDF, a page each; spaces and breaks as one space."""
    with pypdfium2.PdfDocument(pdf) as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    return [" ".join(page.replace("\u200b", "").replace("\ufffe", "").split()) for page in pages]


def letters_of(pdf):
    """Yield page, sign and box (points from the lower left corner) of everything that is printed."""
    with pypdfium2.PdfDocument(pdf) as document:
        for number, page in enumerate(document):
            text = page.get_textpage()
            signs = text.get_text_range()
            for at, sign in enumerate(signs[: text.count_chars()]):
                if not sign.isspace():
                    yield number, sign, text.get_charbox(at)
