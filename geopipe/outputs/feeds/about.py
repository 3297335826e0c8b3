"""What every export carries: until when the data speak, what is missing, what a blank does not mean."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from geopipe.languages.texts import Texts, load_texts, message
from geopipe.outputs.feeds.columns import WGS84_NAME
from geopipe.outputs.feeds.material import Material

_NOT_SAFE = message("Areas not shown are not thereby safe.")
_NO_OVERLAPS = message("No overlaps among {kept} of {all} records.")
_OVERLAPS = message("{pairs} overlaps that count, among {kept} of {all} records.")
_RETURNED = message("{returned} of {all} records were returned for correction and are not in these data.")
_NOBODY_SAID = message("Nobody said who should have delivered: missing deliveries are not known.")
_MISSING = message("Missing deliveries: {operators}.")
_NONE_MISSING = message("Nobody's delivery is missing.")
_PARTLY = message("Files not or only partly used: {files}.")
_PROVISIONAL = message("Hectares are provisional: overlaps are not decided yet.")
_FINAL = message("Hectares are final: all overlaps in them are decided.")
_DRAWN = message("Possible hazard that could not be measured stands in hazard_unresolved: {number} rows.")
_CONFIDENTIAL = message("Confidential between the authority and the operator {operator}.")


def ended_as(material: Material) -> Counter[str]:
    """Count the records by what became of them."""
    return Counter(outcome for _, outcome in material.ended)


def received(material: Material) -> int:
    """Count the records that were received for this run."""
    return sum(count for outcome, count in ended_as(material).items() if outcome != "earlier")


def is_provisional(material: Material) -> bool:
    """Say whether somebody must still decide about hectares that these tables show."""
    rows = material.hectares.rows(()) if material.operator is None else _own_rows(material)
    return any(row.is_provisional for row in rows)


def _own_rows(material: Material) -> list[Any]:
    return [row for row in material.hectares.rows(("operator",)) if row.labels == (material.operator,)]


def about(material: Material) -> dict[str, Any]:
    """Return what belongs beside every table, as plain values."""
    ended, provisional = ended_as(material), is_provisional(material)
    return {
        "run": material.run,
        "run_day": material.run_day.isoformat(),
        "data_cut_off": material.cut_off and material.cut_off.isoformat(),
        "edition": material.operator,
        "records": {"received": received(material), "shown": ended["kept"], "returned": ended["returned"]},
        "deliveries": {
            "received": sorted({name for name, outcome in material.ended if name and outcome != "earlier"}),
            "missing": None if material.missing is None else list(material.missing),
            "returned": sorted({name for name, outcome in material.ended if name and outcome == "returned"}),
        },
        "hectares": "provisional" if provisional else "final",
        "coordinates": WGS84_NAME,
        "notice": {texts.codes[0]: sentences(material, texts) for texts in load_texts("both").each},
        "translation": load_texts("both").draft_note or None,
    }


def sentences(material: Material, texts: Texts) -> list[str]:
    """Return the sentences that must be shown with the data, in a language."""
    ended, number = ended_as(material), texts.number
    every, kept = number(received(material)), number(ended["kept"])
    pairs = int(np.count_nonzero(material.overlaps.numpy("counted").astype(bool)))
    told = texts(_OVERLAPS if pairs else _NO_OVERLAPS, pairs=number(pairs), kept=kept, all=every)
    said = [texts(_CONFIDENTIAL, operator=material.operator)] if material.operator else []
    said += [texts(_NOT_SAFE), told, texts(_PROVISIONAL if is_provisional(material) else _FINAL)]
    if ended["returned"]:
        said.append(texts(_RETURNED, returned=number(ended["returned"]), all=every))
    said += _deliveries(material, texts)
    if len(material.unresolved):
        said.append(texts(_DRAWN, number=number(len(material.unresolved))))
    return said


def _deliveries(material: Material, texts: Texts) -> list[str]:
    """Return what is to be said of deliveries; nothing to one operator, who knows its own."""
    if material.operator is not None:
        return []
    files = sum(1 for delivery in material.summary["deliveries"] if delivery["problems"])
    said = [texts(_PARTLY, files=texts.number(files))] if files else []
    if material.missing is None:
        return [*said, texts(_NOBODY_SAID)]
    if not material.missing:
        return [*said, texts(_NONE_MISSING)]
    return [*said, texts(_MISSING, operators=", ".join(material.missing))]


def short_notice(material: Material) -> str:
    """Return what stands in every row, for a table that has lost the file beside it."""
    texts = load_texts("en")
    count = {"compared": texts.number(ended_as(material)["kept"]), "all": texts.number(received(material))}
    return " ".join([texts(_NOT_SAFE), texts("{compared} of {all} records were compared.", **count)])
