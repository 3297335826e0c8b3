"""The colours of a page, by day and by night. Those of the map's areas are the same in both: IMSMA's.

A test computes the contrast of every text on its ground.
"""

from __future__ import annotations

from collections.abc import Mapping

from geopipe.outputs.qgis.colours import SEVERITY_COLOURS
from geopipe.terms import Severity

LIGHT: Mapping[str, str] = {
    "ground": "#FFFFFF", "raised": "#F3F5F7", "text": "#16191D", "quiet": "#4A5560", "line": "#B9C2CB",
    "link": "#0B4FA8", "focus": "#0B4FA8", "strong": "#0B3C5D", "on-strong": "#FFFFFF",
    "danger": "#A40000", "danger-ground": "#FDECEC", "map": "#FBFBF8", "border": "#7F8993",
    "record-a": "#000000", "record-b": "#0047AB", "unresolved": "#D00000", "gap": "#8A1C8A",
    **{str(level): SEVERITY_COLOURS[level] for level in Severity},
}  # fmt: skip
DARK: Mapping[str, str] = {
    "ground": "#14181C", "raised": "#1F252B", "text": "#EDF0F3", "quiet": "#B4BEC8", "line": "#56616C",
    "link": "#8CC2FF", "focus": "#FFD75E", "strong": "#9CCBEB", "on-strong": "#10202C",
    "danger": "#FFB3B3", "danger-ground": "#3D1517", "map": "#20262C", "border": "#75818C",
    "record-a": "#FFFFFF", "record-b": "#8CC2FF", "unresolved": "#FF6B6B", "gap": "#E59BE5",
    "alarm": "#FF9CE3", "conflict": "#9DBEFF", "check": "#6FD6DE", "note": "#C2C2C2",
}  # fmt: skip
# Text on ground: every pair that the style sheet uses.
TEXTS = (
    ("text", "ground"), ("text", "raised"), ("text", "map"), ("quiet", "ground"), ("quiet", "raised"),
    ("link", "ground"), ("link", "raised"), ("on-strong", "strong"), ("danger", "danger-ground"),
    ("danger", "ground"), ("text", "danger-ground"), ("strong", "ground"),
    *((str(level), ground) for level in Severity for ground in ("ground", "raised")),
)  # fmt: skip
# What is no text and must be seen all the same: a contrast of 3 is enough.
SIGNS = (
    ("focus", "ground"), ("focus", "raised"), ("record-a", "map"), ("record-b", "map"),
    ("unresolved", "map"), ("gap", "map"), ("border", "map"), *((str(level), "map") for level in Severity),
)  # fmt: skip


def variables() -> str:
    """Return the colours as custom properties: by the system's wish, unless the reader chose otherwise."""
    light, dark = (_declared(colours) for colours in (LIGHT, DARK))
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
        # Paper is white whatever the screen is.
        f"@media print{{:root,:root[data-theme],:root:not([data-theme=light])"
        f"{{color-scheme:light;{light}}}}}\n"
    )


def _declared(colours: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())
