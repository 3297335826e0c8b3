"""Put a meeting pack together: its content in some language, then its PDF."""

from __future__ import annotations

import datetime as dt
from typing import Any

from geopipe.casework.choosing import by_urgency
from geopipe.casework.facts import is_open
from geopipe.languages.texts import Texts
from geopipe.outputs.pack.annex import annex
from geopipe.outputs.pack.casepage import case_page
from geopipe.outputs.pack.lists import (
    agenda_pages,
    case_names,
    changes,
    consent_pages,
    decisions_register,
    needs_a_person,
)
from geopipe.outputs.pack.material import Material
from geopipe.outputs.pack.overview import NOT_THEREBY_SAFE, cover, figures, plots
from geopipe.outputs.pack.typesetting import Typeset, typeset
from geopipe.outputs.pack.wording import shown
from geopipe.register.case import Case
from geopipe.reports.cutoff import cut_off


def make_pack(material: Material, texts: Texts, all_pages: bool = False) -> Typeset:
    """Return the pack of a meeting.

    Parameters
    ----------
    material : Material
    texts : Texts
    all_pages : bool
        A page for every open case, not only for those that the meeting discusses.
    """
    return typeset(content(material, texts, all_pages), material.run_day)


def content(material: Material, texts: Texts, all_pages: bool = False) -> dict[str, Any]:
    """Return what the pack says, as plain values."""
    cases = paged(material, all_pages)
    known = {case.name for case in cases}
    operator = material.meeting.operator
    front = [*cover(material, texts), *needs_a_person(material, texts)]
    if operator is None:
        front += [*figures(material, texts), *changes(material, texts)]
    front += [*plots(material, texts), *agenda_pages(material, texts)]
    back = [*consent_pages(material, texts), *decisions_register(material, texts), *annex(material, texts)]
    run_day: dt.date = material.run_day
    return {
        "title": f"{texts('Meeting pack')}: {shown(material.meeting.name, 80)}",
        "edition": texts("Edition for {operator}", operator=shown(operator)) if operator else "",
        "lang": texts.codes[0], "day": [run_day.year, run_day.month, run_day.day],
        "page_word": texts("Page"), "proposal_word": texts("Proposal"), "draft": texts.draft_note,
        "footer": _footer(material, texts),
        "front": [case_names(block, known) for block in front],
        "cases": [case_page(case, material, texts) for case in cases],
        "back": [case_names(block, known) for block in back],
    }  # fmt: skip


def paged(material: Material, all_pages: bool) -> list[Case]:
    """Return the cases that have a page, in the order of the agenda."""
    agenda = material.agenda
    if not all_pages:
        return [*agenda.alarms, *agenda.discussion]
    return [case for case in by_urgency(material.cases) if is_open(case)]


def _footer(material: Material, texts: Texts) -> str:
    """Return what stands at the foot of every page."""
    until = cut_off(material.plots.cut_off, material.run_day, texts)
    return f"{texts('Data cut-off')}: {until}. {_left_out(material, texts)}{texts(NOT_THEREBY_SAFE)}"


def _left_out(material: Material, texts: Texts) -> str:
    """Return the sentence about missing deliveries that stands on every page."""
    if material.missing:
        names = ", ".join(shown(name, 30) for name in material.missing
                          if material.meeting.operator in (None, name))  # fmt: skip
        return f"{texts('Delivery missing: {operators}', operators=names)}. " if names else ""
    return "" if material.missing is not None else f"{texts('Missing deliveries are not known.')} "
