"""HTML as text, put together from elements: every text and every value of an attribute is escaped here.

Texts of others lose what a page cannot hold or what turns letters round; the rest stands as it was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from geopipe.casework.words import tidy

_VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "col"})


class Html(str):
    """Text that is HTML already; every other text is not."""

    __slots__ = ()


Child = str | None | Iterable["Child"]


def tag(name: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """Return an element.

    Parameters
    ----------
    name : str
    *children : Html, str, None or several of them
        Text that is not `Html` is escaped; None is left out.
    **attributes : str, bool or None
        True stands without a value, False and None not at all; `_` in a name is `-`, and one at the end
        is left away (`class_`, `for_`).
    """
    said = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    if name in _VOID:
        return Html(f"<{name}{said}>")
    return Html(f"<{name}{said}>{joined(children)}</{name}>")


def joined(children: Child) -> Html:
    """Return children one after the other."""
    if children is None:
        return Html("")
    if isinstance(children, Html):
        return children
    if isinstance(children, str):
        return Html(escape(tidy(children)))
    return Html("".join(joined(child) for child in children))


def _attribute(key: str, value: str | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(tidy(value))}"'
