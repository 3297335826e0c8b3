"""What is told of a lineage: a line for each change (CHANGES), and findings about lost ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.geometry import overlaid
from geopipe.lineages.changed_ground import areas_m2
from geopipe.lineages.lineage import Lineage
from geopipe.schema import CHANGES, Frame, Geometries, Indices, Mask, concat, findings_about, make_frame
from geopipe.terms import Severity


@dataclass(frozen=True)
class LostGround:
    """What is said of ground that a previous record (`row`) lost to current ones (`heirs`), if to any."""

    row: int
    heirs: Indices
    code: str
    severity: Severity
    sentence: str
    ground: Any


def lost_findings(previous: Frame, current: Frame, told: list[LostGround]) -> Frame:
    """Return one finding for each lost ground: about the record that stands there now, else the old one."""
    with_heir = [item for item in told if len(item.heirs)]
    alone = [item for item in told if not len(item.heirs)]
    heirs = current.take(np.array([item.heirs[0] for item in with_heir], dtype=np.intp))
    before = previous.table["record_id"].take(pa.array([item.row for item in with_heir], pa.int64()))
    gone = previous.take(np.array([item.row for item in alone], dtype=np.intp))
    return concat([_about(heirs, with_heir, before), _about(of_earlier_delivery(gone), alone, None)])


def of_earlier_delivery(records: Frame) -> Frame:
    """Return records without row numbers: today's file of the same name has other rows there."""
    return records.with_columns({"row": pa.nulls(len(records), pa.int64())})


def _about(records: Frame, told: list[LostGround], other_id: Any) -> Frame:
    ground = np.empty(len(told), dtype=object)
    ground[:] = [item.ground for item in told]
    return findings_about(
        records,
        [item.code for item in told],
        [str(item.severity) for item in told],
        [item.sentence for item in told],
        geometry=ground,
        other_id=other_id,
        measure=areas_m2(ground),
        unit="m2",
    )


def lost_sentence(lost_m2: float, unexplained_m2: float, now: str) -> str:
    """Say how much hazard is gone, how much of it nothing explains, and what stands there now."""
    what = f"The new version ({now}) is smaller" if now else "The record is not in the new delivery"
    part = f", {unexplained_m2:,.1f} m2 of them" if unexplained_m2 < lost_m2 else ""
    return (
        f"{what}: {lost_m2:,.1f} m2 are given up{part} without a release. "
        "The last version stays on the map until a decision"
    )


def change_rows(lineage: Lineage, listed: Mask, returned: Mask) -> Frame:
    """Return the CHANGES rows of some events, by operator, register, change and id.

    Parameters
    ----------
    lineage : Lineage
    listed : mask of events
    returned : mask of previous records whose new version was returned: these have not vanished
    """
    change = lineage.change.copy()
    change[np.unique(lineage.previous_event[returned])] = "returned"
    events = np.flatnonzero(listed)
    before, after = (_joined(values).take(pa.array(events)) for values in lineage.columns("record_id"))
    lost_m2, gained_m2 = areas_m2(lineage.lost[events]), areas_m2(lineage.gained[events])
    attributes = lineage.attributes_changed[events]
    columns = {
        "change": change[events],
        **{
            name: lineage.first(name).take(pa.array(events))
            for name in ("operator", "register", "role", "kind")
        },
        "previous_id": before,
        "current_id": after,
        "attributes_changed": attributes,
        "lost_m2": lost_m2,
        "gained_m2": gained_m2,
        "sentence": _sentences(lineage, change, events, lost_m2, gained_m2),
    }
    rows = make_frame(CHANGES, columns, _places(lineage, events))
    return rows.sorted_by("operator", "register", "role", "change", "previous_id", "current_id")


def _joined(lists: pa.ListArray) -> pa.Array:
    """Return lists of ids as one text each, null where there is none."""
    text = pc.binary_join(lists, ", ")
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _sentences(
    lineage: Lineage, change: NDArray[np.object_], events: Indices,
    lost_m2: NDArray[np.float64], gained_m2: NDArray[np.float64],
) -> list[str]:  # fmt: skip
    """Say what happened to each event, in the operator's own ids."""
    before, after = (side.take(pa.array(events)).to_pylist() for side in lineage.columns("source_id"))
    attributes = lineage.attributes_changed[events]
    return [
        _sentence(name, old, new, lost, gained) + (f". {text}" if text else "")
        for name, old, new, lost, gained, text in zip(
            change[events], before, after, lost_m2, gained_m2, attributes, strict=True
        )
    ]


def _sentence(change: str, old: list[str], new: list[str], lost_m2: float, gained_m2: float) -> str:
    ground = f"{lost_m2:,.1f} m2 given up, {gained_m2:,.1f} m2 taken in"
    return {
        "added": f"{', '.join(new)} is new",
        "vanished": f"{', '.join(old)} is not in the new delivery",
        "returned": f"The new version of {', '.join(old)} was returned for correction",
        "attributes": f"{', '.join(old)}: same ground, other attributes",
        "edited": f"{', '.join(old)} was edited: {ground}",
        "re_issued": f"{', '.join(old)} has the new id {', '.join(new)}; same ground",
        "redrawn": f"{', '.join(old)} has the new id {', '.join(new)} and was redrawn: {ground}",
        "split": f"{', '.join(old)} was split into {', '.join(new)}: {ground}",
        "merged": f"{', '.join(old)} were merged into {', '.join(new)}: {ground}",
        "regrouped": f"{', '.join(old)} became {', '.join(new)}: {ground}",
        "id_reused": f"The id {', '.join(old)} now stands on other ground",
    }[change]


def _places(lineage: Lineage, events: Indices) -> Geometries:
    """Return the changed ground of each event, else the ground of its first record."""
    lost, gained = lineage.lost[events], lineage.gained[events]
    places = np.where(shapely.is_missing(lost), gained, lost)
    both = ~shapely.is_missing(lost) & ~shapely.is_missing(gained)
    places[both] = overlaid(shapely.union, lost[both], gained[both])
    for frame, event in (
        (lineage.current, lineage.current_event),
        (lineage.previous, lineage.previous_event),
    ):
        first = np.full(len(lineage), None, dtype=object)
        first[event[::-1]] = frame.geometry[::-1]
        empty = shapely.is_missing(places)
        places[empty] = first[events][empty]
    return places
