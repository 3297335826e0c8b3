"""Deliveries in which everything that people write is written to do harm, or in another script."""

import datetime as dt

import shapely
from conftest import write_geojson

from geopipe.casework.proposal import propose
from geopipe.casework.rules import policy_in_force
from geopipe.register.desk import Desk
from geopipe.register.papers import keep_paper
from geopipe.register.register import Register
from geopipe.terms import Answer, Choice

AT = dt.datetime(2026, 5, 2, 9, tzinfo=dt.UTC)
MEETING = "TWG <b>1</b> #4 $x$ [% 1 %] =1+1"
# Each with what must be seen of it: the part that every output has to show as text.
VALUES = {
    "script": ("<script>alert(1)</script>", "<script>alert(1)"),
    "formula": ("=cmd|' /C calc'!A0", "=cmd|"),
    "plus": ("+1+1", "+1+1"),
    "at": ("@SUM(A1)", "@SUM(A1)"),
    "minus": ("-2+3", "-2+3"),
    "control": ("be\x07ll\x1b[31m", "ll"),
    "long": ("Z" * 10_000, "Z" * 20),
    "arabic": ("\u202eمرحبا\u202c بالعالم", "مرحبا"),
    "hebrew": ("שלום\u200f עולם\u2067", "שלום"),
    "lao": ("ເຂດ ໑ ກຳ", "ເຂດ"),
    "quotes": ("O'Neil \"x\" `y` ;--", "O'Neil"),
    "percent": ("100% %s %(x)s {y} {0}", "100%"),
    "typst": ('#import "x" *b* _i_ $x^2$ @ref <lab> \\ //', "#import"),
    "qgis": ("[% @project_path %]", "@project_path"),
    "entities": ("&lt;&amp;&#65;]]><!-- -->", "&lt;&amp;&#65;"),
    "lines": ("one\r\ntwo\tthree", "two"),
    "emoji": ("😀 U+1F600", "U+1F600"),
    "path": ("../../etc\\pass:wd", "wd"),
}  # fmt: skip
KEYS = tuple(VALUES)


def value(key):
    return VALUES[key][0]


def write_deliveries(folder):
    """One file for each value: operator, ids and places are that value; each overlaps with the next."""
    for number, key in enumerate(KEYS):
        text = value(key)
        about = {
            "operator": text, "KIND": "CHA", "status": "Open", "survey_date": f"2020-01-{number + 1:02}",
            "village": text, "district": text, "province": text, "land_use": text, "remarks": text,
        }  # fmt: skip
        west = 105.0 + 0.0015 * number
        records = [
            ({"hazard_id": text, **about}, shapely.box(west, 17.5, west + 0.002, 17.502)),
            ({"hazard_id": f"{text} broken", **about}, None),
        ]
        write_geojson(folder / f"{number:02} #{key} $1 & [% 1 %] '=x'.geojson", records)
        point = {"point_id": text, "operator": text, "point_type": text, "date_found": "2021-01-01"}
        records = [(point, shapely.Point(west + 0.0007, 17.501))]
        write_geojson(folder / f"{number:02}_points.geojson", records)


def people_speak(workspace):
    """Every operator answers, one case after the other is decided; what they write is hostile, too."""
    with Register.existing(workspace) as register:
        policy, desk = policy_in_force(register), Desk(register, value("script"), AT)
        for number, case in enumerate(register.cases()):
            text, other = value(KEYS[number % len(KEYS)]), value(KEYS[(number + 5) % len(KEYS)])
            proposal = propose(case, policy).choice
            for operator in dict.fromkeys(case.operators):
                desk.send(case, operator, dt.date(2026, 5, 20))
                desk.position(case, operator, Answer.DISAGREE, text, comment=other, evidence=text,
                              said_on=dt.date(2026, 5, 10), proposal=proposal)  # fmt: skip
        reference = keep_paper(register, MEETING, dt.date(2026, 5, 1), value("typst"), None, "B", AT)
        later = Desk(register, "B", AT + dt.timedelta(days=1))
        for number, case in enumerate(register.cases()):
            text = value(KEYS[number % len(KEYS)])
            later.decide(case, Choice.FIELD_SURVEY, "TWG", policy, reference, responsible=text, note=text,
                         due=dt.date(2026, 7, 1))  # fmt: skip
