"""What is true about the demonstration: every pair, every repeat, every record that must come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from geopipe.terms import Outcome, Relation

from .attributes import Attributes, source_id
from .delivery_plan import DELIVERIES, NO_PRJ, POINTS_FILE, POINTS_OPERATOR
from .places import EQUAL_AREA_CRS, LON_LAT_CRS, OPERATORS, UTM_48N
from .points import NUMBER_PREFIX, POINT_TYPES, Points
from .records import KINDS, OUTCOMES, Records
from .rings import Floats, Ints
from .scenes import Fault

# Pairs that share less ground than this only touch (m²).
LEAST_AREA_M2 = 1e-4
_NEAR_EQUAL_SHARE = 0.9
_INVALID = (Fault.BOWTIE, Fault.SELF_TOUCH, Fault.SPIKE)


def make_truth(
    records: Records, attributes: Attributes, points: Points, *, size: int, seed: int
) -> dict[str, Any]:
    """Return the truth as plain lists and numbers, ready for JSON."""
    teller = _Teller(records, attributes)
    pairs = teller.pairs()
    return {
        "size": size,
        "seed": seed,
        "crs": EQUAL_AREA_CRS,
        "shape_scale": records.scale,
        "scenes": _count_scenes(records),
        "files": _files(records, points),
        "records": {
            "as_delivered": _totals(records, points, assumed=False),
            "with_assumed_crs": _totals(records, points, assumed=True),
        },
        "pairs": pairs,
        "if_assumed": {
            "crs": UTM_48N,
            "file": DELIVERIES[NO_PRJ].file,
            "records": len(records.rows_of(NO_PRJ)),
            "pairs": sum(pair["needs_assumed_crs"] for pair in pairs),
        },
        "touching": teller.touching(),
        "duplicates": teller.set_aside(Outcome.DUPLICATE),
        "superseded": teller.set_aside(Outcome.SUPERSEDED),
        "rejected": teller.rejected(),
        "invalid_rings": teller.invalid_rings(),
        "points_on_released": _points_on_released(teller, points),
        "points_outside_hazard": [_point_id(int(row)) for row in np.flatnonzero(points.outside)],
    }


def find_pairs(records: Records) -> tuple[Ints, Ints]:
    """Return the candidate pairs: two kept records of one scene, in the order of their rows.

    Only records of one scene can share ground, because each scene has a cell of its own.
    """
    kept = np.flatnonzero(records.outcome == OUTCOMES.index(Outcome.KEPT))
    scene = records.scene[kept]
    left, right = [], []
    for step in (1, 2):
        same = np.flatnonzero(scene[:-step] == scene[step:])
        left.append(kept[same])
        right.append(kept[same + step])
    return np.concatenate(left), np.concatenate(right)


def measure(records: Records, left: Ints, right: Ints) -> tuple[Floats, list[Relation]]:
    """Return the shared ground of each pair in m² and the relation as seen from its left record."""
    mine = records.ring.take(left).polygons()
    other = records.ring.take(right).polygons()
    shared_m2: Floats = shapely.area(shapely.intersection(mine, other))
    area, other_area = shapely.area(mine), shapely.area(other)
    tolerance = 1e-6 * np.maximum(area, other_area)
    covered, covers = area - shared_m2 <= tolerance, other_area - shared_m2 <= tolerance
    likeness = shared_m2 / (area + other_area - shared_m2)
    choices = (covered & covers, likeness >= _NEAR_EQUAL_SHARE, covers, covered)
    names = (Relation.EQUAL, Relation.NEAR_EQUAL, Relation.CONTAINS, Relation.WITHIN, Relation.PARTIAL)
    return shared_m2, [names[number] for number in np.select(choices, range(4), 4)]


class _Teller:
    """Names records in the truth."""

    def __init__(self, records: Records, attributes: Attributes) -> None:
        self.records = records
        self.attributes = attributes

    def name(self, record: int) -> dict[str, Any]:
        """Return what identifies a record to a reader."""
        records = self.records
        return {
            "operator": OPERATORS[int(records.operator[record])],
            "source_id": source_id(records, self.attributes, record),
            "kind": str(KINDS[int(records.kind[record])]),
        }

    def location(self, record: int) -> dict[str, Any]:
        """Return the record with its file, layer and row (from 0)."""
        delivery = DELIVERIES[int(self.records.delivery[record])]
        layer = {"layer": delivery.layer} if delivery.layer else {}
        row = int(self.attributes.row[record])
        return {**self.name(record), "file": delivery.file, **layer, "row": row}

    def pairs(self) -> list[dict[str, Any]]:
        """Return every pair of kept records that share ground."""
        records = self.records
        left, right = find_pairs(records)
        shared_m2, relations = measure(records, left, right)
        found = []
        for index in np.flatnonzero(shared_m2 > LEAST_AREA_M2):
            one, other = int(left[index]), int(right[index])
            scene = records.batches[int(records.batch[one])].scene
            pair: dict[str, Any] = {
                "scene": int(records.scene[one]),
                "type": scene.name,
                "left": self.name(one),
                "right": self.name(other),
                "area_m2": float(shared_m2[index]),
                "relation": str(relations[index]),
                "finding_hint": scene.finding,
                "needs_assumed_crs": NO_PRJ in (records.delivery[one], records.delivery[other]),
                "same_operator": bool(records.operator[one] == records.operator[other]),
            }
            if records.id_of[other] >= 0:
                for side, record in (("left", one), ("right", other)):
                    day = np.datetime64(int(records.days.informed[record]), "D")
                    pair[side]["date_of_information"] = str(day)
            found.append(pair)
        return found

    def touching(self) -> list[dict[str, Any]]:
        """Return the neighbours that share a border but no ground: nothing may be said about them."""
        records = self.records
        names = np.array([batch.scene.name for batch in records.batches])[records.batch]
        first = np.flatnonzero((names == "touching") & (records.role == 0))
        return [{"left": self.name(int(row)), "right": self.name(int(row) + 1)} for row in first]

    def set_aside(self, outcome: Outcome) -> list[dict[str, Any]]:
        """Return the records that repeat another one, or that a newer version replaces."""
        records = self.records
        told = []
        for record in np.flatnonzero(records.outcome == OUTCOMES.index(outcome)):
            role, of = int(records.role[record]), int(records.of[record])
            batch = records.batches[int(records.batch[record])]
            told.append({**self.location(int(record)), "of": self.location(of), "how": batch.how[role]})
        return told

    def rejected(self) -> list[dict[str, Any]]:
        """Return the records that must go back to their senders, and why."""
        rows = np.flatnonzero(self.records.outcome == OUTCOMES.index(Outcome.REJECTED))
        return [self._with_fault(int(record), "reason") for record in rows]

    def invalid_rings(self) -> list[dict[str, Any]]:
        """Return the kept records whose rings are invalid."""
        rows = np.flatnonzero(np.isin(self.records.fault, _INVALID))
        return [self._with_fault(int(record), "fault") for record in rows]

    def _with_fault(self, record: int, word: str) -> dict[str, Any]:
        return {**self.location(record), word: Fault(int(self.records.fault[record])).name.lower()}


def _count_scenes(records: Records) -> dict[str, int]:
    """Return the number of scenes of each type."""
    counts: dict[str, int] = {}
    for batch in records.batches:
        counts[batch.scene.name] = counts.get(batch.scene.name, 0) + batch.n
    return counts


def _files(records: Records, points: Points) -> dict[str, Any]:
    """Return records, driver and CRS of each file; layers where it has several."""
    files: dict[str, Any] = {}
    for number, delivery in enumerate(DELIVERIES):
        rows = len(records.rows_of(number))
        entry = files.setdefault(
            delivery.file,
            {"records": 0, "driver": delivery.driver, "crs": delivery.crs if delivery.states_crs else None},
        )
        entry["records"] += rows
        if delivery.layer:
            entry.setdefault("layers", {})[delivery.layer] = rows
    files[POINTS_FILE] = {"records": len(points.day), "driver": "GeoJSON", "crs": LON_LAT_CRS}
    return files


def _totals(records: Records, points: Points, *, assumed: bool) -> dict[str, int]:
    """Return how many records end in each outcome."""
    outcome = records.outcome
    if not assumed:
        outcome = np.where(records.delivery == NO_PRJ, OUTCOMES.index(Outcome.REJECTED), outcome)
    totals = {str(name): int((outcome == row).sum()) for row, name in enumerate(OUTCOMES)}
    totals[str(Outcome.KEPT_AS_REFERENCE)] += len(points.day)
    return totals


def _point_id(row: int) -> str:
    """Return the number of a point."""
    return f"{NUMBER_PREFIX}{row + 1:06d}"


def _points_on_released(teller: _Teller, points: Points) -> list[dict[str, Any]]:
    """Return the points found on cleared land after its completion."""
    return [
        {
            "operator": POINTS_OPERATOR,
            "source_id": _point_id(int(row)),
            "point_type": POINT_TYPES[int(points.type[row])],
            "date_found": str(np.datetime64(int(points.day[row]), "D")),
            "on": teller.name(int(points.record[row])),
        }
        for row in np.flatnonzero(points.alarm)
    ]
