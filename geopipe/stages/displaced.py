"""Displaced: deliveries whose areas all lie the same distance beside equal areas of another delivery."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from geopipe.catalogue import severity_of
from geopipe.coordinates.datums import KnownShift, projected_code
from geopipe.coordinates.offsets import Offset, OffsetRules, suspected_offsets
from geopipe.crs import parse_crs
from geopipe.location.distances import compass_word
from geopipe.schema import FINDINGS, Frame, Indices, Proposal, State, make_frame, no_geometry

CODE = "DATUM_SUSPECTED"
_Side: TypeAlias = tuple[str, Indices]


def displaced(state: State, rules: OffsetRules = OffsetRules()) -> State:  # noqa: B008
    """Tell once of each pair of deliveries that are displaced as a whole, and propose what explains it.

    Parameters
    ----------
    state : State
        `features` in the working CRS (m).

    Returns
    -------
    State
        With findings DATUM_SUSPECTED, and a proposal for the delivery that a known datum explains.
    """
    offsets = suspected_offsets(state.features, state.working_crs, rules)
    if not offsets:
        return state
    proposals = [item for offset in offsets for item in _proposals(state.features, offset)]
    deliveries = tuple(
        replace(
            delivery,
            proposals=(*delivery.proposals, *(one for file, one in proposals if file == delivery.file)),
        )
        for delivery in state.deliveries
    )
    told = [_told(state.features, offset) for offset in offsets]
    return replace(state, deliveries=deliveries).adding(findings=told)


def _told(features: Frame, offset: Offset) -> Frame:
    """Return the finding about the delivery that is off; it names the other one by its operator only."""
    off, in_place, east_m, north_m = _who_is_off(offset)
    records = features.take(off[1][:1]).table
    other = features.table["operator"][int(in_place[1][0])].as_py()
    # Named, so that a return file shows nothing of the other operator but this one id.
    beside = features.table["record_id"][int(in_place[1][0])].as_py()
    columns = {
        "code": CODE,
        "severity": severity_of(CODE),
        "file": off[0],
        "operator": records["operator"][0].as_py(),
        "other_id": beside,
        "sentence": _sentence(offset, compass_word(east_m, north_m), f"equal areas of {other}"),
        "measure": offset.distance_m,
        "unit": "m",
    }
    return make_frame(FINDINGS, columns, no_geometry(1))


def _who_is_off(offset: Offset) -> tuple[_Side, _Side, float, float]:
    """Return the delivery that is off, the other one, and where the first lies seen from the second (m).

    The best known datum tells which; without one it is the second, which means no more than its name.
    """
    a, b = (offset.delivery_a, offset.rows_a), (offset.delivery_b, offset.rows_b)
    shifts = offset.known_datum[:1]
    if shifts and _apart_m(shifts[0], offset, -1.0) < _apart_m(shifts[0], offset, 1.0):
        return a, b, -offset.east_m, -offset.north_m
    return b, a, offset.east_m, offset.north_m


def _sentence(offset: Offset, direction: str, beside: str) -> str:
    named = " or ".join(str(shift) for shift in offset.known_datum[:2])
    known = f" This is what happens when coordinates in {named} are called WGS 84." if named else ""
    away = f"{offset.distance_m:,.0f} m towards the {direction}"
    return f"{offset.pairs:,} areas all lie {away} of {beside}: suspected datum error of about {away}.{known}"


def _proposals(features: Frame, offset: Offset) -> Iterator[tuple[str, Proposal]]:
    """Yield, per layer of the delivery that the best known datum explains, how it would then be read."""
    (file, rows), _, east_m, north_m = _who_is_off(offset)
    for shift in offset.known_datum[:1]:
        for layer, crs in _read_as(features, rows):
            meant = _meant(shift, crs)
            if meant:
                direction = compass_word(east_m, north_m)
                sentence = _sentence(offset, direction, "equal areas of another delivery")
                yield file, Proposal(layer, CODE, f"crs={meant}", len(rows), sentence)


def _apart_m(shift: KnownShift, offset: Offset, sign: float) -> float:
    return float(np.hypot(shift.east_m - sign * offset.east_m, shift.north_m - sign * offset.north_m))


def _read_as(features: Frame, rows: Indices) -> list[tuple[str, str]]:
    """Return the different layers of some rows with the CRS that each is read in."""
    table = features.take(rows).table
    return sorted(set(zip(table["layer"].to_pylist(), table["crs"].to_pylist(), strict=True)))


def _meant(shift: KnownShift, crs: str) -> str:
    """Return the system on the known datum that has the same kind of numbers; '' where none has a code."""
    if parse_crs(crs).is_geographic:
        return "" if shift.zone else shift.crs
    return projected_code(shift) if shift.zone else ""
