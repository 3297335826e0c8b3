"""The parts of a page that need no script: what must be known first, figures, deliveries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import fsum

from geopipe.casework.facts import is_open
from geopipe.languages.texts import Texts, message
from geopipe.outputs.html.markup import Html, tag
from geopipe.outputs.html.material import Material
from geopipe.outputs.html.wording import NOT_SAFE
from geopipe.outputs.pack import overview as pack
from geopipe.outputs.pack.blocks import Block
from geopipe.register.case import Case
from geopipe.reports.cutoff import cut_off
from geopipe.terms import Severity

_M2_PER_HA = 10_000.0
CONFIDENTIAL = message("Confidential: for the authority and {operator} only.")
CONFIDENTIAL_WHOLE = message("For the authority only: this page shows the records of all operators.")
_ALARMS = message("{number} open cases are safety alarms")
_ALARM_OVERLAPS = message("{number} overlaps are safety alarms")
_OVERLAPS = message("{overlaps} overlaps, among {kept} of {all} records")
_NO_OVERLAPS = message("No overlaps among {kept} of {all} records")


def warnings(material: Material, texts: Texts) -> Iterator[Html]:
    """Yield what stands above everything else, each in a box of its own."""
    told, balance = material.told, material.told.summary["balance"]
    if material.operator is None:
        yield from blocks(pack.warnings(told, texts))
    elif balance["rejected"]:
        some, every = texts.number(balance["rejected"]), texts.number(balance["records_in"])
        yield _warning(texts(pack.NOT_ALL, number=some, all=every))
    partly = [item["file"] for item in told.summary["deliveries"] if item["problems"]]
    if partly:
        yield _warning(texts("Not or only partly used: {files}.", files=", ".join(partly)))
    if material.operator is not None:
        yield from _own_warnings(material, texts)
    if told.missing:
        yield _warning(texts("Delivery missing: {operators}", operators=", ".join(told.missing)))
    yield _warning(texts(NOT_SAFE))


def _own_warnings(material: Material, texts: Texts) -> Iterator[Html]:
    """Yield the alarms among an operator's own cases, and what of its hazard is not measured."""
    if alarms := len(_alarms(material)):
        said = _ALARMS if material.has_register else _ALARM_OVERLAPS
        yield _warning(f"{texts('SAFETY')}: {texts(said, number=texts.number(alarms))}")
    if drawn := len(material.told.unresolved):
        said = "{number} records that may be hazard are only drawn, not measured."
        yield _warning(texts(said, number=texts.number(drawn)))


def _warning(text: str) -> Html:
    return tag("p", text, class_="warning")


def _alarms(material: Material) -> list[Case]:
    return [case for case in _open(material) if case.sighting.columns["severity"] == Severity.ALARM]


def _open(material: Material) -> list[Case]:
    return [case for case in material.told.cases if is_open(case)]


def facts(material: Material, texts: Texts) -> Html:
    """Return what the figures are of, as a list of names and values."""
    told = material.told
    counted = fsum(
        case.sighting.columns["area_m2"] for case in _open(material) if case.sighting.columns["counted"]
    )
    rows = [
        (texts("Data cut-off"), cut_off(material.cut_off, material.told.run_day, texts)),
        (texts("Result of"), f"{texts.date(told.run_day)} ({told.run.resolve().name})"),
        (texts("Cases") if material.has_register else texts("Overlaps"), _among(material, texts)),
        (texts("Overlap that counts (ha)"), texts.number(counted / _M2_PER_HA, 2)),
        (texts("Missing deliveries"), _missing(material, texts)),
        (texts("Rules"), _rules(material, texts)),
    ]
    if material.operator is not None:
        rows.insert(0, (texts("Edition for"), material.operator))
    return tag("dl", ((tag("dt", name), tag("dd", value)) for name, value in rows), class_="facts")


def _among(material: Material, texts: Texts) -> str:
    balance, number = material.told.summary["balance"], len(_open(material))
    said = {"kept": texts.number(balance["kept"]), "all": texts.number(balance["records_in"])}
    if material.has_register:
        return texts(pack.AMONG, cases=texts.number(number), **said) if number else texts(
            pack.NO_CASES, **said
        )  # fmt: skip
    return texts(_OVERLAPS, overlaps=texts.number(number), **said) if number else texts(_NO_OVERLAPS, **said)


def _missing(material: Material, texts: Texts) -> str:
    missing = material.told.missing
    if missing is None:
        return texts("nobody said who should have delivered (option --expect)")
    return ", ".join(missing) or texts("none of those who should have delivered")


def _rules(material: Material, texts: Texts) -> str:
    policy = material.told.summary["policy"]
    state = (
        texts("No tolerance is in force.")
        if policy["why_no_tolerance"]
        else texts("A tolerance is in force.")
    )
    return f"{policy['name']}, {policy['version']}. {state}"


def figures(material: Material, texts: Texts) -> Iterator[Html]:
    """Yield the tables of the run; an operator reads with whom its own records overlap."""
    told = material.told
    yield tag("h3", texts("Overlaps by operator"))
    yield from blocks(pack.matrix(told, texts))
    if material.operator is not None:
        return
    yield tag("h3", texts("Hectares reported and ground covered"))
    yield from blocks([pack.hectares(told, texts)])
    if material.has_register:
        yield tag("h3", texts("Open cases by province, district and operator"))
        yield from blocks(pack.places(told, texts))
    if material.has_tolerance:
        yield tag("h3", texts("What a tolerance would accept"))
        yield from blocks(pack.tolerance(told, texts))


def deliveries(material: Material, texts: Texts) -> Iterator[Html]:
    """Yield what was received, and what waits for a person where there is a register."""
    if material.has_register:
        yield from blocks(pack.left_by_earlier_meetings(material.told, texts))
    yield from blocks(pack.deliveries(material.told, texts))


def blocks(said: Iterable[Block]) -> Iterator[Html]:
    """Yield blocks of the pack as HTML."""
    for block in said:
        if block["kind"] == "table":
            yield _table(block)
        elif block["kind"] == "heading":
            yield tag("h3", block["text"])
        else:
            yield tag("p", block["text"], class_="warning" if block["kind"] == "warning" else None)


def _table(block: Block) -> Html:
    """Return a table; a name in the first column is a heading of its row."""
    kinds = ["number" if letter == "n" else None for letter in block["columns"]]
    head = None
    if any(block["head"]):
        cells = (
            tag("th", name, scope="col", class_=kind) for name, kind in zip(block["head"], kinds, strict=True)
        )
        head = tag("thead", tag("tr", cells))
    rows = (tag("tr", _cells(row["cells"], kinds)) for row in block["rows"])
    return tag("div", tag("table", head, tag("tbody", rows)), class_="scroll", tabindex="0")


def _cells(cells: list[str], kinds: list[str | None]) -> Iterator[Html]:
    for at, (cell, kind) in enumerate(zip(cells, kinds, strict=True)):
        if at == 0:
            yield tag("th", cell, scope="row")
        else:
            yield tag("td", cell, class_=kind)
