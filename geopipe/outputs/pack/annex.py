"""The annex of a pack: how it was measured, which coordinate operations were used, and what it cannot say."""

from __future__ import annotations

from collections.abc import Iterator

from geopipe.languages.texts import Texts, message
from geopipe.outputs.pack.blocks import Block, heading, paragraph, row, table
from geopipe.outputs.pack.material import Material
from geopipe.outputs.pack.overview import NOT_THEREBY_SAFE
from geopipe.outputs.pack.wording import CELL, shown

_METHOD = (
    message("Areas are measured in an equal-area coordinate system, between straight lines from one turning "
            "point to the next. Nothing was moved, smoothed or repaired without being listed."),
    message("Every pair of areas of which the boxes meet was measured with two independent engines."),
    message("A is the record that stood on the left when the case was opened. It stays A."),
    message("geopipe proposes. The working group decides, with a reference to its signed minutes."),
)  # fmt: skip
_LIMITS = (
    message(
        "Only what was delivered was compared. Records without usable coordinates are not in the figures."
    ),
    message(
        "An overlap that is narrower than surveys are accurate may be one border that was measured twice."
    ),
    message("The accuracy of a coordinate operation says nothing of the accuracy of the survey."),
    NOT_THEREBY_SAFE,
)


def annex(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield the annex."""
    yield heading(texts("Annex: method and limits"))
    yield heading(texts("Method"), 2)
    for sentence in _METHOD:
        yield paragraph(texts(sentence))
    yield paragraph(f"{texts('Coordinate system of all measures')}: {shown(material.working_crs, 200)}")
    if material.meeting.operator is None:
        yield heading(texts("Coordinate operations"), 2)
        yield _operations(material, texts)
    yield heading(texts("Limits"), 2)
    for sentence in _LIMITS:
        yield paragraph(texts(sentence))


def _operations(material: Material, texts: Texts) -> Block:
    """Return the operation of each file and CRS, with its accuracy."""
    rows = []
    for item in material.summary["deliveries"]:
        for step in item["operations"]:
            accuracy_m = step["accuracy_m"]
            known = texts("not known") if accuracy_m is None else f"{texts.number(accuracy_m, 1)} m"
            name = texts("no datum change") if step["name"] == "unknown" else shown(step["name"], CELL * 2)
            rows.append(row(shown(item["file"]), shown(step["source"]), name, known))
    head = [texts("File"), texts("Coordinate system"), texts("Operation"), texts("Accuracy")]
    return table(head, rows, "tstn")
