"""Put a page together: one file with its own style, script, font, map library and data, and a strict policy.

The policy (CSP) allows exactly the scripts and styles whose hashes it names, and pictures and fonts that are
inside the page. Data stand in an element that no browser runs.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from geopipe.casework.words import sentence_of, tidy
from geopipe.languages.texts import Texts
from geopipe.outputs.html import overview, palette
from geopipe.outputs.html.casedata import case_details, case_rows, in_order, severities
from geopipe.outputs.html.charts import figure
from geopipe.outputs.html.interned import Interned, as_script
from geopipe.outputs.html.maplayers import (
    AREA_TOLERANCE_M,
    OVERLAP_TOLERANCE_M,
    case_shapes,
    hatch_angles,
    map_layers,
)
from geopipe.outputs.html.markup import Child, Html, tag
from geopipe.outputs.html.material import Material
from geopipe.outputs.html.shapes import LETTERS, STEPS_PER_DEGREE
from geopipe.outputs.html.wording import BORDERS, COLUMNS, NO_SCRIPT, NOT_SAFE, SAID, SIMPLIFIED
from geopipe.outputs.plots.make import Chart
from geopipe.reports.cutoff import cut_off

_ASSETS = Path(__file__).resolve().parent / "assets"
# Parts of one script, in the order in which they need each other.
_PARTS = ("basics.js", "drawing.js", "map.js", "list.js", "case.js", "start.js")
_FONTS = ((400, "noto-sans-lao-lao-400-normal.woff2"), (700, "noto-sans-lao-lao-700-normal.woff2"))
# Pictures of the library's own style sheet, which the page does not use, and what only a debugger asks for.
_OUTSIDE = re.compile(r"url\((?!data:)[^)]*\)|/[/*]# sourceMappingURL=\S+")


def page_of(material: Material, texts: Texts, charts: Sequence[Chart] | None = ()) -> bytes:
    """Return the page as UTF-8. The same material, texts and charts give the same bytes.

    Parameters
    ----------
    material : Material
    texts : Texts
        The languages of the page.
    charts : sequence of Chart or None
        None: they could not be drawn, and the page says so.
    """
    material = in_order(material)
    data = _data(material, texts)
    style = _style(_below(material, texts))
    scripts = [_asset("leaflet.js"), _script()]
    title = texts("Hazard, released land and overlaps")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, scripts)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Html(style)),
    )
    body = tag(
        "body",
        *_body(material, texts, charts, title, data),
        tag("script", Html(as_script(data)), id="data", type="application/json"),
        *(tag("script", Html(script)) for script in scripts),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang=texts.codes[0])}\n".encode()


def _policy(style: str, scripts: Sequence[str]) -> str:
    hashes = " ".join(_hashed(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src {_hashed(style)}; img-src data:; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode('ascii')}'"


def _asset(name: str) -> str:
    """Return a file of the page's own as text, without what it would ask from outside."""
    text = (_ASSETS / name).read_text(encoding="utf-8").replace("\r\n", "\n")
    return _OUTSIDE.sub(lambda found: "none" if found[0].startswith("url") else "", text)


def _script() -> str:
    """Return the page's own script: its parts, with names that only they know."""
    parts = "\n".join(_asset(f"page/{name}") for name in _PARTS)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def _style(below: str) -> str:
    """Return the style sheet; a browser that can puts `below` under each printed page."""
    fonts = "".join(
        f"@font-face{{font-family:'Noto Sans Lao';font-weight:{weight};unicode-range:U+0E80-0EFF,U+25CC;"
        f"src:url(data:font/woff2;base64,{base64.b64encode((_ASSETS / name).read_bytes()).decode('ascii')})"
        "format('woff2')}\n"
        for weight, name in _FONTS
    )
    said = "".join(sign if sign.isalnum() and sign.isascii() else f"\\{ord(sign):x} " for sign in tidy(below))
    under = f'@media print{{@page{{@bottom-left{{font-size:7pt;content:"{said}"}}}}}}\n'
    return fonts + palette.variables() + _asset("leaflet.css") + _asset("page.css") + under


def _data(material: Material, texts: Texts) -> dict[str, Any]:
    """Return everything that the script shows."""
    interned = Interned()
    angles = hatch_angles(material.told.cases)
    sentences = material.told.policy.sentences
    data = {
        "letters": LETTERS,
        "steps": STEPS_PER_DEGREE,
        "said": {name: texts(english) for name, english in SAID.items()},
        "columns": [[name, texts(english)] for name, english in _columns(material)],
        "severities": severities(texts),
        "findings": [[name, texts(sentence_of(name, sentences)), angle] for name, angle in angles.items()],
        "decimal": texts.number(0.5, 1)[1],
        "group": texts.number(1_000_000)[1],
        "register": material.has_register,
        "below": _below(material, texts),
        "layers": map_layers(material, texts, interned),
        "cases": case_rows(material, texts, interned),
        "details": case_details(material, texts, interned),
        "shapes": case_shapes(material, angles),
    }
    return {**data, "texts": interned.texts}


def _columns(material: Material) -> Iterator[tuple[str, str]]:
    """Yield the columns of the table; without a register nobody knows since when, or how it stands."""
    for name, english in COLUMNS:
        if material.has_register or name not in ("status", "first"):
            yield name, english


def _body(
    material: Material, texts: Texts, charts: Sequence[Chart] | None, title: str, data: dict[str, Any]
) -> Iterator[Child]:
    """Yield the sections, safety first."""
    sections = [
        ("map", texts("Map"), _map(texts, data)),
        ("cases", texts("Cases") if material.has_register else texts("Overlaps"), _cases(texts)),
        ("charts", texts("Charts"), _charts(charts, texts)),
        ("figures", texts("Figures"), list(overview.figures(material, texts))),
        ("deliveries", texts("Deliveries received"), list(overview.deliveries(material, texts))),
        ("about", texts("About this page"), list(_about(texts))),
    ]
    shown = [section for section in sections if section[2]]
    yield tag("a", texts("Skip to the list of cases"), class_="skip", href="#cases")
    links = (tag("a", name, href=f"#{key}") for key, name, _ in shown)
    button = tag("button", texts("Light or dark"), id="theme", type="button")
    yield tag("header", tag("h1", title), tag("nav", links, button, aria_label=texts("Sections")))
    summary = [
        *overview.warnings(material, texts),
        tag("p", _confidential(material, texts), class_="quiet"),
        tag("p", texts.draft_note, class_="draft") if texts.draft_note else None,
        overview.facts(material, texts),
        tag("noscript", tag("p", texts(NO_SCRIPT), class_="warning")),
    ]
    yield tag(
        "main",
        tag("section", tag("h2", texts("Summary")), summary, id="summary"),
        (tag("section", tag("h2", name), content, id=key, tabindex="-1") for key, name, content in shown),
    )
    yield tag("footer", tag("p", _below(material, texts)))
    yield tag("dialog", id="detail", aria_labelledby="detail-title")


def _confidential(material: Material, texts: Texts) -> str:
    if material.operator is None:
        return texts(overview.CONFIDENTIAL_WHOLE)
    return texts(overview.CONFIDENTIAL, operator=material.operator)


def _below(material: Material, texts: Texts) -> str:
    """Return what stands below every printed page."""
    until = cut_off(material.cut_off, material.told.run_day, texts)
    draft = f" {texts.draft_note}" if texts.draft_note else ""
    missing = material.told.missing
    late = f" {texts('Delivery missing: {operators}', operators=', '.join(missing))}." if missing else ""
    return f"{texts(NOT_SAFE)} {texts('Data cut-off')}: {until}.{late}{draft}"


def _map(texts: Texts, data: dict[str, Any]) -> list[Html]:
    note = texts(SIMPLIFIED, area=texts.number(AREA_TOLERANCE_M, 1),
                 overlap=texts.number(OVERLAP_TOLERANCE_M, 2))  # fmt: skip
    source = data["layers"]["attribution"]
    borders = texts(BORDERS, source=source) if source else ""
    return [
        tag("div", tag("div", id="canvas"), tag("fieldset", tag("legend", texts("Layers")), id="layers"),
            class_="map"),
        tag("p", id="hit", role="status"),
        tag("p", f"{texts(NOT_SAFE)} {note} {borders}", class_="quiet"),
    ]  # fmt: skip


def _charts(charts: Sequence[Chart] | None, texts: Texts) -> list[Html]:
    if charts is None:
        return [tag("p", texts("Left out: charts need typst, which was not installed."))]
    return [figure(chart) for chart in charts]


def _cases(texts: Texts) -> list[Html]:
    """Return the empty table and its filters; the script fills both."""
    search = tag("label", texts("Search"), tag("input", id="search", type="search", autocomplete="off"))
    names = (
        ("severity", texts("Severity")), ("status", texts("Status")), ("operator", texts("Operator")),
        ("province", texts("Province")),
    )  # fmt: skip
    selects = (tag("label", name, tag("select", id=f"by-{key}")) for key, name in names)
    return [
        tag("div", search, selects, class_="filters", role="search"),
        tag("p", id="count", role="status"),
        tag("div", tag("table", tag("thead"), tag("tbody"), id="list"), class_="scroll"),
        tag("button", texts("Show more"), id="more", type="button", hidden=True),
    ]


def _about(texts: Texts) -> Iterator[Html]:
    yield tag("p", texts("Everything on this page is in this one file: it asks no network for anything."))
    yield tag("p", texts("A case is opened with a click, or with Enter; Esc closes it."))
    yield tag(
        "details",
        tag("summary", texts("Licences of the map library and the font")),
        tag("pre", _asset("LEAFLET-LICENSE.txt")),
        tag("pre", _asset("OFL.txt")),
    )
