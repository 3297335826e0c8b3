"""Names and sentences as one line that shows what it is: no line ends, no orders to a terminal."""

from __future__ import annotations

import re

# Controls of terminals, line ends of any kind, signs that turn the direction of a text, halves of letters.
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """Return a text in which signs that people cannot see, or that move others, show as one of their own."""
    return _NOT_SHOWN.sub("\N{REPLACEMENT CHARACTER}", text)
