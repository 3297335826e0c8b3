"""The state that the stages hand on: all frames, the deliveries, the working CRS."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pyarrow as pa

from geopipe.errors import SchemaError
from geopipe.schema.columns import (
    CHANGES,
    COPIES,
    COVERAGE,
    DUPLICATES,
    FEATURES,
    FINDINGS,
    GAPS,
    GIVEN_UP,
    OVERLAPS,
    REJECTED,
    REMAINING,
    UNRESOLVED,
)
from geopipe.schema.frame import Frame, Geometries, concat, empty_frame, make_frame, no_geometry, origin
from geopipe.terms import CountMethod


@dataclass(frozen=True)
class LayerCount:
    """How many records one layer of a delivery holds, and how well that was checked."""

    layer: str
    crs: str
    records: int
    counted: int | None
    count_method: CountMethod


@dataclass(frozen=True)
class Proposal:
    """Another way to read the coordinates of a layer, with its evidence; applied only when confirmed.

    `rows` are record numbers; None means the whole layer. `correction` is empty where nothing can be
    proposed because several readings fit equally well.
    """

    layer: str
    code: str
    correction: str
    records: int
    sentence: str
    rows: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Delivery:
    """One delivered file as it was read.

    `problems` holds (code, sentence) for everything for which the file, or a
    layer of it, was not compared; `suggestion` is the option that would help,
    if geopipe knows one; `operations` are the coordinate operations used;
    `is_reference` says that points or lines are meant, so that no polygon is missed;
    `operator` is empty where a file holds records of several; a `mode` of snapshot says that
    the file is a whole register. `files_beside` are the names of documents and pictures that
    came with it, None where nobody looked.
    """

    file: str
    content_hash: str
    driver: str
    layers: tuple[LayerCount, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    assumptions: tuple[str, ...] = ()
    operations: tuple[dict[str, Any], ...] = ()
    suggestion: str = ""
    proposals: tuple[Proposal, ...] = ()
    is_reference: bool = False
    operator: str = ""
    role: str = "operator"
    mode: str = "increment"
    period: str = ""
    files_beside: tuple[str, ...] | None = None

    @property
    def records_in(self) -> int:
        """Records that this delivery holds: those read, or counted where none could be read."""
        return sum(layer.records for layer in self.layers)


@dataclass(frozen=True)
class State:
    """Everything that the stages have made so far.

    `previous` and `carried_before` are what earlier deliveries left in force, until the stage `changes` has
    held the run against them; `earlier` are the records of earlier deliveries that stay on the map: they
    are among `features`, but are no input records of this run. Those that vanished, shrank or were returned
    are `carried`: their alarms go on in the next run, unless it was decided that their ground is given up
    (`given_up`). `unresolved_before` is what earlier runs could only draw; what of it this run still draws
    (`unresolved_kept`, as it was delivered) is among `unresolved` as well.
    """

    deliveries: tuple[Delivery, ...] = ()
    features: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    reference: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    rejected: Frame = field(default_factory=lambda: empty_frame(REJECTED))
    unresolved: Frame = field(default_factory=lambda: empty_frame(UNRESOLVED))
    unresolved_before: Frame = field(default_factory=lambda: empty_frame(UNRESOLVED))
    unresolved_kept: Frame = field(default_factory=lambda: empty_frame(UNRESOLVED))
    findings: Frame = field(default_factory=lambda: empty_frame(FINDINGS))
    duplicates: Frame = field(default_factory=lambda: empty_frame(DUPLICATES))
    overlaps: Frame = field(default_factory=lambda: empty_frame(OVERLAPS))
    coverage: Frame = field(default_factory=lambda: empty_frame(COVERAGE))
    gaps: Frame = field(default_factory=lambda: empty_frame(GAPS))
    remaining: Frame = field(default_factory=lambda: empty_frame(REMAINING))
    previous: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    carried_before: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    earlier: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    carried: Frame = field(default_factory=lambda: empty_frame(FEATURES))
    changes: Frame = field(default_factory=lambda: empty_frame(CHANGES))
    copies: Frame = field(default_factory=lambda: empty_frame(COPIES))
    given_up: Frame = field(default_factory=lambda: empty_frame(GIVEN_UP))
    today: dt.date | None = None
    """The day of the run; None where nobody said it."""
    working_crs: str = ""

    @property
    def own_features(self) -> Frame:
        """The areas that are input records of this run."""
        if len(self.earlier) == 0:
            return self.features
        return self.features.take(~self.features.is_among("row_id", self.earlier))

    def forget(self) -> None:
        """Give back the memory of what the last stage has looked at and the next one may not need."""
        for frame in (self.features, self.reference, self.findings, self.overlaps):
            frame.table.forget()
        pa.default_memory_pool().release_unused()

    def adding(self, **frames: Sequence[Frame]) -> State:
        """Return a state with more rows appended to the named frames."""
        changes: dict[str, Any] = {
            name: concat([frame for frame in (getattr(self, name), *more) if len(frame)] or more[:1])
            for name, more in frames.items()
            if more
        }
        return replace(self, **changes)


def joined(parts: Sequence[State]) -> State:
    """Return one state with the deliveries and the rows of several, in order, all in one working CRS.

    Raises
    ------
    SchemaError
        When the parts are in different working CRSs.
    """
    systems = {part.working_crs for part in parts}
    if len(systems) > 1:
        raise SchemaError(f"states in {len(systems)} working CRSs cannot be joined")
    whole = State(deliveries=tuple(item for part in parts for item in part.deliveries))
    frames = {
        item.name: [getattr(part, item.name) for part in parts]
        for item in fields(State)
        if isinstance(getattr(whole, item.name), Frame)
    }
    filled = {name: [frame for frame in rows if len(frame)] for name, rows in frames.items()}
    return replace(whole.adding(**filled), working_crs=next(iter(systems), ""))


def findings_about(
    records: Frame,
    code: Any,
    severity: Any,
    sentence: Any,
    *,
    geometry: Geometries | None = None,
    **more: Any,
) -> Frame:
    """Return one finding per record; `sentence` and `more` are columns or one value for all."""
    columns = {**origin(records), "record_id": records.table["record_id"], "code": code}
    shown = records.geometry if geometry is None else geometry
    return make_frame(FINDINGS, {**columns, "severity": severity, "sentence": sentence, **more}, shown)


def rejected_of(records: Frame, reason: Any, sentence: Any) -> Frame:
    """Return the REJECTED rows of records; `reason` and `sentence` are columns or one value for all."""
    columns = {**origin(records), "reason": reason, "sentence": sentence}
    return make_frame(REJECTED, columns, no_geometry(len(records)))
