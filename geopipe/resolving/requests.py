"""What goes to each operator: its own changed records, and of others only what it must know of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from geopipe.resolving.apply import Applied, Resolution
from geopipe.resolving.ownpoints import OwnPoints
from geopipe.resolving.rings import Mark, Redrawn, Ring, parts_of
from geopipe.schema import Frame
from geopipe.terms import HAZARD_KINDS, Choice

# The columns of IMSMA's Excel template for points, in its order.
TEMPLATE = (
    "ProjName", "PolyID", "PointNo", "PointID", "PointType", "Xcoord", "Ycoord", "Distance", "Bearing",
    "FrPointID", "PointDesc",
)  # fmt: skip
PROJECTION = "WGS84"
_YOU = "The operator"
# A part below this is asked about: less than a garden bed.
_SMALL_M2 = 5.0
# Of near duplicates only strips along the border are left: less than this is asked about.
_LITTLE_SHARE = 0.05
_COLUMNS = (
    "operator", "record_id", "source_id", "kind", "status", "date_surveyed", "date_completed",
    "date_of_information", "area_stated_m2", "crs", "correction",
)  # fmt: skip


class Exact(float):
    """A coordinate that is written with all its digits: 16 of them do not bring every number back."""

    def __format__(self, spec: str) -> str:
        """Return all digits whatever is asked for."""
        return repr(float(self))


@dataclass(frozen=True)
class Task:
    """One decision about a record, as its operator reads it. Of the partner no more than is named here."""

    case: str
    what: str
    partner: str
    partner_kind: str
    partner_status: str
    partner_date: dt.date | None
    reference: str
    responsible: str
    due: dt.date | None


@dataclass(frozen=True)
class Changed:
    """A record of the operator that changes; without rings it is withdrawn. Areas in m2, working CRS."""

    row: int
    columns: Mapping[str, Any]
    poly_id: str
    rings: tuple[Ring, ...]
    redrawn: Redrawn | None
    before: shapely.Geometry
    after: shapely.Geometry | None
    tasks: tuple[Task, ...]

    @property
    def own_id(self) -> str:
        """The record's id as its operator knows it."""
        return str(self.columns["source_id"] or self.columns["record_id"])

    @property
    def left_share(self) -> float:
        """How much of the record's area is left."""
        return 0.0 if self.after is None else float(shapely.area(self.after) / shapely.area(self.before))

    @property
    def question(self) -> str:
        """What its operator should ask the meeting before it changes the record; '' for nothing."""
        if self.after is None or self.left_share >= _LITTLE_SHARE:
            return ""
        parts = len(parts_of(self.after))
        where = f", in {parts} parts" if parts > 1 else ""
        return f"Only {self.left_share:.1%} of the record is left{where}: was a withdrawal meant?"

    def ring_id(self, ring: Ring) -> str:
        """Return the PolyID of a ring: parts and holes are told apart at its end."""
        parts = max(other.part for other in self.rings)
        part = f"-P{ring.part}" if parts > 1 else ""
        return f"{self.poly_id}{part}{f'-H{ring.hole}' if ring.hole else ''}"


@dataclass(frozen=True)
class Request:
    """The change request of one operator. `waiting` are (case, why) of decisions that were not applied."""

    operator: str
    records: list[Changed] = field(default_factory=list)
    waiting: list[tuple[str, str]] = field(default_factory=list)

    @property
    def has_holes(self) -> bool:
        """Say whether any new ring is a hole."""
        return any(ring.hole for record in self.records for ring in record.rings)


def requests_of(
    resolution: Resolution, features: Frame, redrawn: Mapping[int, Redrawn]
) -> dict[str, Request]:
    """Return the change requests by operator, operators and records in order."""
    rows = np.array(sorted(resolution.before), dtype=np.intp)
    table = features.take(rows).table.select(list(_COLUMNS)).to_pylist()
    made: dict[str, Request] = {}
    taken: set[tuple[str, str]] = set()
    for row, columns in zip(rows.tolist(), table, strict=True):
        request = made.setdefault(columns["operator"], Request(columns["operator"]))
        poly_id = _unused(columns, taken)
        own = redrawn.get(row)
        tasks = tuple(_task(resolution, item, row) for item in resolution.decisions_on[row])
        rings, before, after = own.rings if own else (), resolution.before[row], resolution.after[row]
        request.records.append(Changed(row, columns, poly_id, rings, own, before, after, tasks))
    for item in resolution.not_applied:
        for operator in dict.fromkeys(item.case.operators):
            request = made.setdefault(operator, Request(operator))
            sides = f"A is {item.case.sighting.a.name}, B is {item.case.sighting.b.name}."
            request.waiting.append((item.case.name, " ".join([sides, *item.reasons])))
    return dict(sorted(made.items()))


def template_lines(
    record: Changed, known: OwnPoints, names: Mapping[int, str]
) -> list[tuple[Ring, tuple[Any, ...]]]:
    """Return the lines of IMSMA's template for a record, each with its ring. `names` are of other records."""
    lines = []
    for ring in record.rings:
        poly_id = record.ring_id(ring)
        for number, ((x, y), mark, at) in enumerate(
            zip(ring.lonlat, ring.marks, ring.at, strict=True), start=1
        ):
            kind = "Start Point" if number == 1 else "Turning Point"
            of = description(mark, names.get(int(known.row[at])) if at >= 0 else None)
            place = Exact(x), Exact(y)
            name = f"{poly_id}-{number}"
            point = (PROJECTION, poly_id, number, name, kind, *place, None, None, None, of)
            lines.append((ring, point))
    return lines


def description(mark: Mark, partner: str | None) -> str:
    """Say in words where a point comes from."""
    if mark is Mark.NEW:
        return f"new: turning point of {partner}" if partner else "new: computed"
    return mark.value


def dependent_fields(record: Changed) -> list[tuple[str, Any, Any, str]]:
    """Return the fields that follow from the change: name, old value, new value, who must decide."""
    columns, partners = record.columns, ", ".join(dict.fromkeys(task.partner for task in record.tasks))
    cases = ", ".join(dict.fromkeys(task.case for task in record.tasks))
    new_m2 = None if record.after is None else round(float(shapely.area(record.after)), 1)
    kept = "withdrawn" if record.after is None else "as before"
    lines: list[tuple[str, Any, Any, str]] = [
        (
            "Area of the ring, m2",
            round(float(shapely.area(record.before)), 1),
            new_m2,
            record.question or "Nobody: computed",
        ),
        ("Area as stated, m2", columns["area_stated_m2"], new_m2, f"{_YOU}: write the new area"),
    ]
    parts = [] if record.after is None else parts_of(record.after)
    for number, part in enumerate(parts if len(parts) > 1 else (), start=1):
        part_m2 = round(float(shapely.area(part)), 2)
        who = "Nobody: computed" if part_m2 > _SMALL_M2 else f"{_YOU}: is so small a part meant?"
        lines.append((f"Area of part P{number}, m2", None, part_m2, who))
    if columns["kind"] in HAZARD_KINDS:
        lines.append(("Remaining area, m2", None, None, f"{_YOU}: new area less what was released"))
    return [
        *lines,
        ("Status", columns["status"], kept, f"{_YOU}; another status needs a decision"),
        ("Date of information", columns["date_of_information"], None, f"{_YOU}: the day of the change"),
        ("Links", None, f"{partners}; case {cases}", f"{_YOU}: link the records named here"),
    ]


def _task(resolution: Resolution, item: Applied, row: int) -> Task:
    sighting = item.case.sighting
    partner = sighting.b if row == item.a else sighting.a
    day = next(
        (partner.columns.get(name) for name in _dates(partner.kind) if partner.columns.get(name)), None
    )
    reference = item.decision.reference.text if item.decision.reference else ""
    what = _what(resolution, item, row, partner.name)
    return Task(
        case=item.case.name, what=what, partner=partner.name, partner_kind=partner.kind,
        partner_status=partner.status, partner_date=dt.date.fromisoformat(day) if day else None,
        reference=reference, responsible=item.decision.responsible, due=item.decision.due,
    )  # fmt: skip


def _dates(kind: str) -> tuple[str, ...]:
    order = (
        ("date_surveyed", "date_completed") if kind in HAZARD_KINDS else ("date_completed", "date_surveyed")
    )
    return (*order, "date_of_information")


def _what(resolution: Resolution, item: Applied, row: int, partner: str) -> str:
    """Say what the operator of a record has to do."""
    if resolution.ground(row) is None:
        return _why_withdrawn(resolution, item, row, partner)
    choice = item.decision.choice
    if item.withdrawn is not None:
        is_merged = choice in (Choice.MERGE_INTO_A, Choice.MERGE_INTO_B)
        return (
            f"Replace the ring: the ground of {partner} is added" if is_merged else f"{partner} is withdrawn"
        )
    if choice is Choice.SPLIT_ON_LINE:
        return f"Replace the ring: the ground shared with {partner} is divided on the agreed line"
    corrects = item.a if choice is Choice.A_CORRECTS else item.b
    given_up = f"Replace the ring: the ground shared with {partner} is given up"
    return given_up if row == corrects else f"{partner} corrects its boundary"


def _why_withdrawn(resolution: Resolution, item: Applied, row: int, partner: str) -> str:
    if item.withdrawn != row:
        return "Withdraw this record: see its other case"
    if resolution.merged_into.get(row) in (item.a, item.b):
        return f"Withdraw this record: its ground goes into {partner}"
    is_decided = item.decision.choice in (Choice.WITHDRAW_A, Choice.WITHDRAW_B)
    return "Withdraw this record" if is_decided else f"Withdraw this record: all of it lies in {partner}"


def _unused(columns: Mapping[str, Any], taken: set[tuple[str, str]]) -> str:
    """Return a PolyID that no other record of the operator has."""
    operator, wanted = columns["operator"], str(columns["source_id"] or columns["record_id"])
    name, number = wanted, 1
    while (operator, name) in taken:
        number += 1
        name = f"{wanted}~{number}"
    taken.add((operator, name))
    return name
