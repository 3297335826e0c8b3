"""What is said of each column: its name for people, its values in words, and the tip under the pointer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from geopipe.casework.words import CHOICES
from geopipe.casework.words import STATUSES as CASE_STATUSES
from geopipe.catalogue import load_catalogue
from geopipe.languages.texts import Texts
from geopipe.languages.words import CONFIDENCES, KINDS, RELATIONS, SEVERITIES, STATUSES, TIME_ORDERS
from geopipe.outputs.qgis.captions import COLUMNS
from geopipe.outputs.qgis.contents import Contents, Table
from geopipe.outputs.qgis.xml import Element, element, option, plain, quoted

# What a tip shows of a layer; others show the first columns that there are.
_TIPS = {
    "areas": ("record_id", "operator", "kind", "status", "date_surveyed", "date_completed", "area_m2"),
    "cases": (
        "number", "status", "finding", "a_id", "a_operator", "b_id", "b_operator", "area_m2", "width_m",
        "decision", "responsible", "due",
    ),
    "overlaps": (
        "finding", "left_id", "left_operator", "right_id", "right_operator", "area_m2", "width_m", "relation",
    ),
    "hazard_unresolved": (
        "source_id", "operator", "kind", "sentence", "position", "vanished", "file", "row",
    ),
    "points": ("record_id", "operator", "point_type", "date_found", "found_depth_cm"),
    "gaps": ("hazard_id", "kind", "width_m", "length_m", "neighbours"),
    "remaining": ("hazard_id", "kind", "status", "released_share", "remaining_m2"),
    "findings": ("code", "severity", "record_id", "sentence"),
    "changes": ("change", "operator", "kind", "sentence"),
    "copies": ("outcome", "operator_id", "national_id", "differences"),
    "duplicates": ("record_id", "of_record_id", "sentence"),
    "lines": ("record_id", "operator", "kind"),
    "partner_outlines": ("record_id", "operator", "kind", "status", "date", "own_id"),
}  # fmt: skip
_LONGEST_TIP = 300
_ESCAPES = "map('&','&amp;','<','&lt;','>','&gt;')"


def caption(column: str, texts: Texts) -> str:
    """Return what a column is called; one that has no name for people keeps its own."""
    return texts(COLUMNS[column]) if column in COLUMNS else column


def form(table: Table, contents: Contents, texts: Texts, references: Mapping[str, str]) -> list[Element]:
    """Return aliases, widgets and the tip of a table.

    Parameters
    ----------
    table : Table
    contents : Contents
    texts : Texts
    references : mapping of column to relation
        Columns that name a record of another layer; only a project has relations.
    """
    aliases = [
        element("alias", {"field": column, "index": str(number), "name": caption(column, texts)})
        for number, column in enumerate(table.columns, 1)  # column 0 is fid
    ]
    widgets = [
        element("field", {"name": column}, _widget(values, references.get(column)))
        for column, values in _values(table, contents, texts).items()
    ]
    return [
        element("aliases", {}, *aliases),
        element("fieldConfiguration", {}, *widgets),
        element("mapTip", {}, text=_tip(table, texts)),
        element("previewExpression", {}, text=f'"{_title_of(table)}"'),
    ]


def _values(table: Table, contents: Contents, texts: Texts) -> dict[str, Mapping[str, str]]:
    """Return for each column the words of its codes; nothing for a column of plain values."""
    worded: dict[str, Mapping[str, str]] = {
        **dict.fromkeys(("kind", "a_kind", "b_kind", "left_kind", "right_kind"), KINDS),
        **dict.fromkeys(("a_status", "b_status", "status"), STATUSES),
        "decision": {choice.value: word for choice, word in CHOICES.items()},
        "severity": SEVERITIES,
        "relation": RELATIONS,
        "confidence": CONFIDENCES,
        "time_order": TIME_ORDERS,
    }
    if table.name == "cases":
        worded["status"] = {status.value: word for status, word in CASE_STATUSES.items()}
    said: dict[str, Mapping[str, str]] = {
        column: {str(code): texts(word) for code, word in worded.get(column, {}).items()}
        for column in table.columns
    }
    for column in {"finding", "code"} & set(table.columns):
        said[column] = _meanings(found for (found,) in contents.distinct(table.name, column))
    return said


def _meanings(codes: Iterable[str]) -> dict[str, str]:
    """Return what codes of findings mean, in both languages; a code of one's own policy is its own name."""
    known = load_catalogue().codes
    return {
        code: " / ".join(known[code].meaning.model_dump().values()) if code in known else words_of(code)
        for code in codes
    }


def words_of(code: str) -> str:
    """Return a code that has no words of its own as words."""
    return plain(code.replace("_", " "))


def _widget(values: Mapping[str, str], relation: str | None) -> Element:
    kind, settings = "TextEdit", dict[str, object]()
    if relation:
        kind = "RelationReference"
        settings = {"Relation": relation, "ReadOnly": True, "AllowNULL": True, "ShowOpenFormButton": True}
    elif values:
        kind, settings = "ValueMap", {"map": [{label: code} for code, label in values.items()]}
    return element("editWidget", {"type": kind}, element("config", {}, option("", settings)))


def _title_of(table: Table) -> str:
    names = ("number", "record_id", "source_id", "hazard_id", "left_id", "sentence")
    return next((name for name in names if name in table.columns), next(iter(table.columns)))


def _tip(table: Table, texts: Texts) -> str:
    """Return the tip as HTML; values come out as text, whatever they hold."""
    shown = [column for column in _TIPS.get(table.name, tuple(table.columns)[:6]) if column in table.columns]
    said = [(caption(column, texts), _shown(column, table.columns[column])) for column in shown]
    rows = "".join(f"<tr><td>{name}</td><td><b>[% {value} %]</b></td></tr>" for name, value in said)
    return f"<table>{rows}</table>"


def _shown(column: str, kind: str) -> str:
    """Return the expression for a value as text that HTML may hold."""
    if kind == "REAL":
        return f'coalesce(format_number("{column}", 2), {quoted("–")})'
    if kind == "DATE":
        return f"coalesce(format_date(\"{column}\", 'yyyy-MM-dd'), {quoted('–')})"
    value = f'left(coalesce(represent_value("{column}"), {quoted("–")}), {_LONGEST_TIP})'
    return f"replace({value}, {_ESCAPES})"
