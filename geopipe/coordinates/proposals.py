"""Proposals: what the diagnosis of coordinates says of each delivery, as findings, commands and outlines.

Nothing is corrected here. A hazard record whose place is in doubt is also drawn where it would
lie if the proposal were confirmed: a blank there must not read as safe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.catalogue import severity_of
from geopipe.coordinates.diagnosis import Diagnosis, diagnose
from geopipe.coordinates.hypotheses import Hypothesis
from geopipe.coordinates.readings import DiagnosisRules
from geopipe.crs import to_lonlat, transform
from geopipe.geometry import outline
from geopipe.location.places import Places
from geopipe.schema import (
    FINDINGS,
    UNRESOLVED,
    Delivery,
    Frame,
    Geometries,
    Indices,
    Mask,
    Proposal,
    findings_about,
    identity,
    make_frame,
    no_geometry,
    origin,
)
from geopipe.terms import POSSIBLE_HAZARD_KINDS

# Codes of another reading of the coordinates; CRS_MISSING is told of the file.
PLACE_CODES = frozenset(
    {
        "AXES_SWAPPED", "ZONE_WRONG", "SIGN_MISSING", "DMS_AS_DECIMAL", "METRES_IN_LONLAT",
        "DEGREES_IN_METRES", "COORDINATES_IMPLAUSIBLE",
    }
)  # fmt: skip
# A hypothesis about so much of a layer is told once of the layer, not of each record.
_MOST = 0.5


@dataclass(frozen=True)
class Proposed:
    """The diagnosis of one layer of one file; `rows` are its rows in the frame."""

    file: str
    layer: str
    rows: Indices
    hypotheses: tuple[Hypothesis, ...]

    def picked(self, hypothesis: Hypothesis) -> Indices:
        """Return the rows of the frame that a hypothesis is about."""
        return self.rows[hypothesis.rows]

    def is_general(self, hypothesis: Hypothesis) -> bool:
        """Say whether a hypothesis is about most of the layer."""
        return len(hypothesis.rows) > _MOST * len(self.rows)


Proposer: TypeAlias = Callable[[Frame], tuple[Proposed, ...]]


def nothing_proposed(_frame: Frame) -> tuple[Proposed, ...]:
    """Propose nothing: no places are known."""
    return ()


def proposer(places: Places, near_border_m: float) -> Proposer:
    """Return what diagnoses every layer of a frame against these places."""
    rules = DiagnosisRules(near_border_m=near_border_m)
    return lambda frame: tuple(_of_layers(frame, places, rules))


def _of_layers(frame: Frame, places: Places, rules: DiagnosisRules) -> list[Proposed]:
    """Diagnose each layer of each file; layers in which nothing is found are left out."""
    stated = places.stated(frame.table["province_stated"])
    bounds = shapely.bounds(frame.geometry)
    found = []
    for file, layer, crs, rows in _layers(frame):
        points, owner = shapely.get_coordinates(frame.geometry[rows], return_index=True)
        told: Diagnosis = diagnose(bounds[rows], points, owner, crs, places, stated.take(rows), rules)
        if told.hypotheses:
            found.append(Proposed(file, layer, rows, told.hypotheses))
    return found


def _layers(frame: Frame) -> list[tuple[str, str, str, Indices]]:
    """Return file, layer, CRS and rows of everything that states one coordinate system."""
    columns = [frame.table[name].combine_chunks() for name in ("file", "layer", "crs")]
    encoded = [column if hasattr(column, "dictionary") else column.dictionary_encode() for column in columns]
    codes = np.column_stack([item.indices.to_numpy(zero_copy_only=False) for item in encoded])
    if len(codes) == 0:
        return []
    keys, inverse = np.unique(codes, axis=0, return_inverse=True)
    order = np.argsort(inverse.ravel(), kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(inverse.ravel()))[:-1])
    texts = [item.dictionary.to_pylist() for item in encoded]
    return [
        (texts[0][key[0]], texts[1][key[1]], texts[2][key[2]], rows)
        for key, rows in zip(keys.tolist(), groups, strict=True)
    ]


def _correction(hypothesis: Hypothesis) -> str:
    return ";".join(map(str, hypothesis.corrections))


def with_proposals(
    deliveries: tuple[Delivery, ...], frame: Frame, proposed: Sequence[Proposed]
) -> tuple[Delivery, ...]:
    """Return the deliveries with what is proposed for their layers.

    For a file that states no CRS the best reading, if it is the only one, becomes the suggestion.
    """
    number = frame.table["row"].to_numpy()
    result = []
    for delivery in deliveries:
        own = [item for item in proposed if item.file == delivery.file]
        proposals = tuple(
            _proposal(item, hypothesis, number) for item in own for hypothesis in item.hypotheses
        )
        without = [p for p in proposals if p.code == "CRS_MISSING" and p.correction.startswith("crs=")]
        suggestion = delivery.suggestion
        if suggestion and len({p.correction for p in without}) == 1 and ";" not in without[0].correction:
            suggestion = f"--assume-crs {without[0].correction.removeprefix('crs=')}"
        kept = tuple(p for p in proposals if p not in without)
        result.append(replace(delivery, proposals=kept, suggestion=suggestion))
    return tuple(result)


def _proposal(item: Proposed, hypothesis: Hypothesis, number: NDArray[np.int64]) -> Proposal:
    everything = len(hypothesis.rows) == len(item.rows)
    return Proposal(
        layer=item.layer,
        code=hypothesis.code,
        correction=_correction(hypothesis),
        records=len(hypothesis.rows),
        sentence=hypothesis.sentence,
        rows=None if everything else tuple(number[item.picked(hypothesis)].tolist()),
    )


def told_of_proposals(frame: Frame, proposed: Sequence[Proposed]) -> list[Frame]:
    """Tell of a layer where most of it is in doubt, else of each record; each operator of its own ones."""
    told = []
    for item in proposed:
        for hypothesis in item.hypotheses:
            if hypothesis.code == "CRS_MISSING":
                continue  # the file is told to state none, with the places where it could lie
            rows = frame.take(item.picked(hypothesis))
            for operator in rows.values("operator"):
                own = rows.take(rows.flags("operator", [operator]))
                # Figures of a layer of several operators are nobody's alone.
                sentence = hypothesis.sentence if len(own) == len(rows) else _of_own(hypothesis, len(own))
                told.append(_findings(own, item, hypothesis, sentence))
    return told


def _of_own(hypothesis: Hypothesis, records: int) -> str:
    read = " and ".join(correction.meaning for correction in hypothesis.corrections)
    would = f"; they would if {read}" if read else ""
    return f"{records:,} of your records do not lie where they say{would}."


def _findings(rows: Frame, item: Proposed, hypothesis: Hypothesis, sentence: str) -> Frame:
    """Return the findings about the records of one operator."""
    code, severity = hypothesis.code, severity_of(hypothesis.code)
    if not item.is_general(hypothesis):
        return findings_about(rows, code, severity, sentence, geometry=no_geometry(len(rows)))
    columns = {
        "code": code,
        "severity": severity,
        "file": item.file,
        "layer": item.layer,
        "operator": rows.table["operator"][0].as_py(),
        "sentence": sentence,
        "measure": float(len(rows)),
        "unit": "records",
    }
    return make_frame(FINDINGS, columns, no_geometry(1))


def displaced_hazard(frame: Frame, kept: Mask, proposed: Sequence[Proposed]) -> list[Frame]:
    """Draw hazard that is kept where it is stated also where each proposal would put it (WGS 84 lon/lat)."""
    told = []
    for item in proposed:
        for hypothesis in item.hypotheses:
            if not hypothesis.corrections or hypothesis.code == "CRS_MISSING":
                continue
            rows = item.picked(hypothesis)
            records = frame.take(rows[kept[rows]])
            records = records.take(records.flags("kind", sorted(POSSIBLE_HAZARD_KINDS)))
            columns = {
                **origin(records), **identity(records), "reason": hypothesis.code,
                "sentence": hypothesis.sentence, "position": f"as if {_correction(hypothesis)}",
                "vanished": False,
            }  # fmt: skip
            told.append(make_frame(UNRESOLVED, columns, _outlines(records, hypothesis)))
    return told


def _outlines(records: Frame, hypothesis: Hypothesis) -> Geometries:
    """Return the borders of polygons, or the points and lines, in lon/lat as they would be if confirmed."""
    geometry = records.geometry
    crs = records.table["crs"].to_pylist()[0] if len(records) else ""
    for correction in hypothesis.corrections:
        geometry, crs = correction.apply(geometry), correction.crs_after(crs)
    if len(records) == 0:
        return no_geometry(0)
    lonlat = transform(geometry, to_lonlat(crs))
    drawn = no_geometry(len(lonlat))
    for row, shape in enumerate(lonlat):
        rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(shape)] if shape.area else []
        drawn[row] = outline(rings) if rings else shape
    return drawn
