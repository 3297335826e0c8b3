"""Values for a page as JSON: each text stands once and is called by its number."""

from __future__ import annotations

import json
from typing import Any

from geopipe.casework.words import tidy

# What would end the script element, or a line of a script.
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class Interned:
    """Texts by number, in the order in which they were first asked for."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {"": 0}
        self._known: dict[str, int] = {}

    def __call__(self, text: object) -> int:
        """Return the number of a text; nothing is the empty text."""
        raw = "" if text is None else str(text)
        if raw not in self._known:
            self._known[raw] = self._numbers.setdefault(tidy(raw), len(self._numbers))
        return self._known[raw]

    def deep(self, value: Any) -> Any:
        """Return lists of texts, however deep, as lists of numbers."""
        return [self.deep(item) for item in value] if isinstance(value, list | tuple) else self(value)

    @property
    def texts(self) -> list[str]:
        """All texts, each at the place of its number."""
        return list(self._numbers)


def as_script(value: Any) -> str:
    """Return a value as JSON that may stand in a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign, escaped in _ESCAPED.items():
        text = text.replace(sign, escaped)
    return text
