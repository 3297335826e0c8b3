"""What must be read beside the map: how new the data are, what is missing, and what a blank does not mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geopipe.languages.texts import Texts
from geopipe.outputs.qgis.captions import COMPARED, EDITION, NEWEST, NO_DATE, NOT_READ, SAFETY, UNUSED
from geopipe.outputs.qgis.contents import Contents
from geopipe.outputs.qgis.xml import plain

_MOST_NAMES = 10


def notice(contents: Contents, summary: Mapping[str, Any], texts: Texts) -> list[str]:
    """Return the sentences that belong beside every view of the data."""
    balance = summary["balance"]
    compared, received = texts.number(balance["kept"]), texts.number(balance["records_in"])
    edition = [texts(EDITION, operator=plain(summary["edition"]))] if "edition" in summary else []
    sentences = [*edition, texts(SAFETY), texts(COMPARED, compared=compared, all=received)]
    newest = [f"{plain(operator)} {date or texts(NO_DATE)}" for operator, date in contents.newest_dates()]
    unused = [plain(delivery["file"]) for delivery in summary["deliveries"] if delivery["problems"]]
    missing = [plain(delivery["file"]) for delivery in summary["not_read"]]
    sentences += [texts(NEWEST, operators=_listed(newest))] if newest else []
    sentences += [texts(UNUSED, files=_listed(unused))] if unused else []
    sentences += [texts(NOT_READ, deliveries=_listed(missing))] if missing else []
    return [*sentences, *([texts.draft_note] if texts.draft_note else [])]


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" +{more}" if more > 0 else "")
