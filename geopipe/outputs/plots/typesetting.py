"""Turn drawings into SVG and PNG with typst; letters become outlines, so that no machine needs a font."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

from geopipe.errors import ConfigError, OutputError
from geopipe.outputs.pack.typesetting import ASSETS as FONTS
from geopipe.outputs.plots.drawing import WIDTH_MM, Drawing, as_plain

_ASSETS = Path(__file__).parent / "assets"
_MARGIN_MM = 3.0
PNG_DPI = 200.0
_DEFAULTS = (' fill-rule="nonzero"', ' x="0"', ' y="0"', ' stroke-linecap="butt"', ' stroke-linejoin="miter"',
             ' stroke-miterlimit="4"')  # fmt: skip
_LETTER = re.compile(r"\bg[0-9A-F]{20,32}\b")
PAGE_MM = WIDTH_MM + 2 * _MARGIN_MM


def as_svgs(drawings: Sequence[Drawing], lang: str) -> list[str]:
    """Return each drawing as SVG; the same drawing gives the same text.

    Raises
    ------
    ConfigError
        When typst is not installed.
    OutputError
        When it cannot draw.
    """
    pages = _pages(drawings, lang, "svg")
    return [_named(page.decode(), drawing) for page, drawing in zip(pages, drawings, strict=True)]


def as_pngs(drawings: Sequence[Drawing], lang: str, dpi: float = PNG_DPI) -> list[bytes]:
    """Return each drawing as PNG, `PAGE_MM` wide."""
    return _pages(drawings, lang, "png", dpi)


def as_pdf(drawings: Sequence[Drawing], lang: str) -> bytes:
    """Return all drawings as PDF, a page each."""
    return _pages(drawings, lang, "pdf")[0]


def labels(drawings: Sequence[Drawing], lang: str) -> list[dict[str, Any]]:
    """Return every label with whether it had to be cut."""
    told: list[dict[str, Any]] = json.loads(_compiler(drawings, lang).query("<label>", field="value"))
    return told


def _pages(
    drawings: Sequence[Drawing], lang: str, kind: Literal["svg", "png", "pdf"], dpi: float | None = None
) -> list[bytes]:
    if not drawings:
        return []
    compiler = _compiler(drawings, lang)
    typst = _typst()
    more: dict[str, Any] = {"pdf_tags": False, "timestamp": 0} if kind == "pdf" else {"ppi": dpi}
    try:
        made = compiler.compile(format=kind, **more)
    except (typst.TypstError, RuntimeError) as error:
        raise OutputError(
            f"the plots cannot be drawn ({error})", remedy="This is a fault of geopipe."
        ) from error
    return list(made) if isinstance(made, list) else [made]


def _compiler(drawings: Sequence[Drawing], lang: str) -> Any:
    data = {"lang": lang, "width": PAGE_MM, "drawings": [as_plain(item) for item in drawings]}
    return _typst().Compiler(
        str(_ASSETS / "plots.typ"), root=str(_ASSETS), font_paths=[str(FONTS)], ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        package_path=str(_ASSETS), package_cache_path=str(_ASSETS),
    )  # fmt: skip


def _typst() -> Any:
    try:
        import typst
    except ImportError as error:
        raise ConfigError("plots need typst", remedy="Install it: pip install geopipe[pdf]") from error
    return typst


def _named(svg: str, drawing: Drawing) -> str:
    """Say in an SVG what it shows, for its letters are outlines, which nobody can read aloud.

    It is to be shown as an image: beside another one in one page, the short names of its letters would clash.
    """
    start, rest = _short(svg).split(">", 1)
    told = f"<title>{escape(drawing.title)}</title><desc>{escape(drawing.alt)}</desc>"
    return f'{start} role="img">{told}{rest}'


def _short(svg: str) -> str:
    """Leave out what is the default, and name the letters g0, g1, ...: half of an SVG are their names."""
    for default in _DEFAULTS:
        svg = svg.replace(default, "")
    names = dict.fromkeys(_LETTER.findall(svg))
    short = {name: f"g{number}" for number, name in enumerate(names)}
    return _LETTER.sub(lambda found: short[found[0]], svg)
