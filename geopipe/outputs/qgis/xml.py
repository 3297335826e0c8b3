"""Small pieces of XML as QGIS reads it; every text from data passes through here."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Mapping

Element = ET.Element


def plain(text: object, most: int = 200) -> str:
    """Return a value as text that XML may hold: no control characters, nothing that turns letters round."""
    shown = "".join(
        " " if unicodedata.category(sign) in ("Cc", "Cs", "Cn") else sign
        for sign in str(text)
        if unicodedata.category(sign) != "Cf" and sign not in "\ufffe\uffff"
    )
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def not_computed(text: str) -> str:
    """Return a text that QGIS shows as it is: it would compute what stands between these signs."""
    return text.replace("[%", "[ %")


def element(tag: str, attributes: Mapping[str, str], *children: Element, text: str = "") -> Element:
    """Return an element with attributes, children and text."""
    made = ET.Element(tag, dict(attributes))
    made.extend(children)
    if text:
        made.text = text
    return made


def properties(values: Mapping[str, object]) -> list[Element]:
    """Return the properties of a symbol layer in the form that all versions of QGIS 3 read."""
    return [element("prop", {"k": name, "v": str(value)}) for name, value in values.items()]


def option(name: str, value: object) -> Element:
    """Return an option: a mapping, a list, a truth value or a text."""
    named = {"name": name} if name else {}
    if isinstance(value, Mapping):
        return element("Option", named | {"type": "Map"}, *(option(key, item) for key, item in value.items()))
    if isinstance(value, list):
        return element("Option", named | {"type": "List"}, *(option("", item) for item in value))
    if isinstance(value, bool):
        return element("Option", named | {"type": "bool", "value": str(value).lower()})
    return element("Option", named | {"type": "QString", "value": str(value)})


def as_text(root: Element) -> str:
    """Return an element and all in it as text."""
    return ET.tostring(root, encoding="unicode")


def quoted(text: str) -> str:
    """Return a text as an expression of QGIS quotes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
