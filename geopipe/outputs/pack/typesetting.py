"""Turn the content of a pack into a PDF with typst, with the fonts of this package only."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe.errors import ConfigError, OutputError

ASSETS = Path(__file__).parent / "assets"
_OUTPUTS = ASSETS.parents[1]
_TEMPLATE = ASSETS / "pack.typ"


@dataclass(frozen=True)
class Typeset:
    """A PDF with the page of each case, and how each case page was made to fit."""

    pdf: bytes
    pages: dict[str, int]
    fits: dict[str, dict[str, Any]]


def typeset(content: dict[str, Any], day: dt.date) -> Typeset:
    """Return the PDF of a pack; the same content gives the same bytes.

    Parameters
    ----------
    content : dict
        What `assets/pack.typ` shows.
    day : date
        The date that the file bears.

    Raises
    ------
    ConfigError
        When typst is not installed.
    OutputError
        When it cannot set the pages.
    """
    try:
        import typst
    except ImportError as error:
        raise ConfigError("PDF files need typst", remedy="Install it: pip install geopipe[pdf]") from error
    noon = dt.datetime.combine(day, dt.time(12), dt.UTC)
    try:
        compiler = typst.Compiler(
            str(_TEMPLATE), root=str(_OUTPUTS), font_paths=[str(ASSETS)], ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(content, ensure_ascii=False)},
            package_path=str(ASSETS), package_cache_path=str(ASSETS),
        )  # fmt: skip
        pdf = compiler.compile(format="pdf", pdf_tags=False, timestamp=int(noon.timestamp()))
        told = json.loads(compiler.query("<case-page>", field="value"))
    except (typst.TypstError, RuntimeError) as error:
        raise OutputError(
            f"the pages cannot be set ({error})", remedy="This is a fault of geopipe."
        ) from error
    if not isinstance(pdf, bytes):
        raise OutputError("the pages cannot be set", remedy="This is a fault of geopipe.")
    return Typeset(
        pdf,
        {item["case"]: item["page"] for item in told},
        {item["case"]: item for item in told},
    )
