"""The ledger: which deliveries were received, what of them is in force, who has not delivered.

Tables of the register, and beside it the records of each delivery as Arrow files. In force, for
each operator and register, are the latest snapshot and the increments after it; what vanished from it and
was carried on stays with it until a decision.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from geopipe.crs import WGS84
from geopipe.io.ledgers import registerfile
from geopipe.io.ledgers.frames_kept import KeptFrames, keep_frame, kept_frame
from geopipe.io.ledgers.inforce import SNAPSHOT, Group, InForce
from geopipe.io.ledgers.opened import Opened
from geopipe.io.ledgers.received import Before, Received, counts_by_operator, of_group
from geopipe.lineages.still_drawn import to_keep
from geopipe.periods import parse_period
from geopipe.schema import FEATURES, UNRESOLVED, Frame, State, concat, empty_frame

_DESCRIBED = (
    "SELECT r.content_hash, d.file, t.received_at, r.operator, r.role, r.mode, r.period, r.records_in, "
    "r.records_kept, r.records_returned, t.run FROM readings r JOIN deliveries d USING (content_hash) "
    "JOIN receipts t ON t.number = r.receipt ORDER BY r.number"
)
Row: TypeAlias = dict[str, Any]


class Ledger(Opened):
    """What the register knows of deliveries."""

    # Deliveries.

    def record(
        self, run: str, at: dt.datetime, deliveries: Sequence[Received], state: State, carried: Frame
    ) -> bool:
        """Write down what a run has received; say whether there was anything new.

        Parameters
        ----------
        run : str
            Names the run for people.
        at : datetime
            When the deliveries were received, with its time zone.
        deliveries : sequence of Received
            All that the run has read.
        state : State
            As the run ended: what became of each delivery's records.
        carried : Frame
            Last versions of records that the run has carried on.
        """
        known = self.in_force().key_of
        new = [item for item in deliveries if known.get(item.delivery.content_hash) != item.key]
        if not new:
            return False
        rows = [self._reading(item, state) for item in new]
        # The frames first: until the ledger names them, nobody looks at them.
        frames = [self._keep(item, state.working_crs) for item in new]
        (number,) = self.ask("SELECT coalesce(max(number), 0) + 1 FROM receipts")[0]
        kept = keep_frame(self.carried_path(number), carried, state.working_crs) if len(carried) else None
        drawn = to_keep(state)
        drawn_sha256 = keep_frame(self.unresolved_path(number), drawn, WGS84) if len(drawn) else None
        with self.transaction():
            self.insert("receipts", number, run, at.isoformat(timespec="seconds"), kept)
            if drawn_sha256:
                self.insert("drawn", number, len(drawn), drawn_sha256)
            for item, row, sha256 in zip(new, rows, frames, strict=True):
                self._insert_reading(item, number, row, sha256, state)
            for item in deliveries:
                self.insert("members", number, item.delivery.content_hash)
        return True

    def _keep(self, item: Received, working_crs: str) -> str:
        """Keep the records of a reading, unless the ledger has them from earlier; return their hash."""
        for (sha256,) in self.ask("SELECT frame_sha256 FROM readings WHERE key = ?", item.key):
            return str(sha256)
        return keep_frame(self.frame_path(item.key), item.records, working_crs)

    def _reading(self, item: Received, state: State) -> list[Any]:
        """Return operator, role, mode, period and counts of a delivery."""
        delivery = item.delivery
        period = parse_period(delivery.period) if delivery.period else None
        days = (period.first.isoformat(), period.last.isoformat()) if period else (None, None)
        kept = sum(int(f.flags("file", [delivery.file]).sum()) for f in (state.own_features, state.reference))
        returned = int(state.rejected.flags("file", [delivery.file]).sum())
        said = [delivery.operator, delivery.role, item.mode, period.name if period else "", *days]
        return [*said, delivery.records_in, kept, returned]

    def _insert_reading(
        self, item: Received, receipt: int, row: list[Any], sha256: str, state: State
    ) -> None:
        delivery = item.delivery
        if not self.ask("SELECT 1 FROM deliveries WHERE content_hash = ?", delivery.content_hash):
            self.insert("deliveries", delivery.content_hash, receipt, delivery.file)
        self.insert("readings", None, item.key, delivery.content_hash, receipt, *row, sha256)
        if self.ask("SELECT 1 FROM counts WHERE key = ?", item.key):
            return  # read in this way before: what it holds is known
        for group, records in sorted(item.groups.items()):
            self.insert("holdings", item.key, *group, records)
        returned = counts_by_operator(state.rejected, delivery)
        areas, points = state.own_features, state.reference
        kept = counts_by_operator(areas, delivery) + counts_by_operator(points, delivery)
        for operator in sorted({*returned, *kept}):
            self.insert("counts", item.key, operator, kept[operator], returned[operator])

    def frame_path(self, key: str) -> Path:
        """Return the file that keeps the records of a reading."""
        return self.path.parent / registerfile.FRAMES / f"{key}.arrow"

    def carried_path(self, receipt: int) -> Path:
        """Return the file that keeps what the run of a receipt has carried on."""
        return self.path.parent / registerfile.FRAMES / f"carried-{receipt}.arrow"

    def unresolved_path(self, receipt: int) -> Path:
        """Return the file that keeps what the run of a receipt could only draw."""
        return self.path.parent / registerfile.FRAMES / f"unresolved-{receipt}.arrow"

    def named_frames(self) -> dict[Path, str]:
        """Return the files of all frames that the ledger names, with their sha256."""
        readings = self.ask("SELECT key, frame_sha256 FROM readings")
        carried = self.ask("SELECT number, carried_sha256 FROM receipts WHERE carried_sha256 IS NOT NULL")
        drawn = self.ask("SELECT receipt, unresolved_sha256 FROM drawn")
        return {
            **{self.frame_path(key): sha256 for key, sha256 in readings},
            **{self.carried_path(number): sha256 for number, sha256 in carried},
            **{self.unresolved_path(number): sha256 for number, sha256 in drawn},
        }

    def deliveries(self) -> list[Row]:
        """Return every reading of every delivery, in the order in which they were received."""
        names = (
            "content_hash", "file", "received_at", "operator", "role", "mode", "period", "records",
            "kept", "returned", "run",
        )  # fmt: skip
        return [dict(zip(names, row, strict=True)) for row in self.ask(_DESCRIBED)]

    # What is in force.

    def in_force(self) -> InForce:
        """Return which deliveries were in force after each receipt."""
        return InForce(
            readings=self.ask("SELECT key, content_hash, mode, receipt FROM readings ORDER BY number"),
            deliveries=self.ask("SELECT content_hash, receipt FROM deliveries"),
            holdings=self.ask("SELECT key, operator, register, role FROM holdings"),
            members=self.ask("SELECT receipt, content_hash FROM members"),
        )

    def previous(
        self, operator: str, register: str, working_crs: str, role: str = "operator"
    ) -> Frame | None:
        """Return the records of an operator's register that are in force now; None if it never delivered."""
        now, group = self.in_force(), Group(operator, register, role)
        return _Kept(self, working_crs).records(now, group, now.last) if group in now.groups else None

    def before(self, deliveries: Sequence[Received], working_crs: str) -> Before:
        """Return what was in force before the newest of a run's deliveries, over all operators and registers.

        A run over the same deliveries again gets the same answer, though the ledger knows them by then.
        """
        now = self.in_force()
        reading = {item.delivery.content_hash: frozenset(item.groups) for item in deliveries}
        kept = _Kept(self, working_crs)
        previous, carried = [empty_frame(FEATURES)], [empty_frame(FEATURES)]
        for group in sorted(now.groups):
            receipt = now.receipt_before(group, reading)
            previous.append(kept.records(now, group, receipt))
            carried.append(of_group(kept.carried_at(receipt), group))
        keys = {item.delivery.content_hash: item.key for item in deliveries}
        unresolved = self.unresolved(now.receipt_before_all(keys))
        return Before(concat(previous), concat(carried), unresolved)

    def unresolved(self, receipt: int | None = None) -> Frame:
        """Return UNRESOLVED (WGS 84 lon/lat): what the run of a receipt, or the last, could only draw."""
        number = self.in_force().last if receipt is None else receipt
        for (sha256,) in self.ask("SELECT unresolved_sha256 FROM drawn WHERE receipt = ?", number):
            return kept_frame(self.unresolved_path(number), sha256, WGS84, UNRESOLVED)
        return empty_frame(UNRESOLVED)

    def carried(self, working_crs: str) -> Frame:
        """Return the last versions of hazard that the last run has carried on."""
        return _Kept(self, working_crs).carried_at(self.in_force().last)

    def not_read(self, deliveries: Sequence[Received]) -> list[Row]:
        """Return the deliveries in force of which this run has not read the file.

        What a new whole register replaces is in force no longer once the run is recorded: of the registers
        that it holds, not of others of the same operator.
        """
        now = self.in_force()
        read = {item.delivery.content_hash for item in deliveries}
        current = {row["content_hash"]: row for row in self.deliveries()}
        new = [item for item in deliveries if item.delivery.content_hash not in current]
        replaced = {group for item in new if item.mode == SNAPSHOT for group in item.groups}
        needed = {
            content
            for group in set(now.groups) - replaced
            for step in now.contents(group, now.last)
            for content in step
        }
        return [row for content, row in current.items() if content in needed - read]

    # Who has delivered.

    def nil(self, operator: str, period: str, by: str, reference: str, at: dt.datetime) -> bool:
        """Write down that an operator has nothing to report; say whether that was new.

        Raises
        ------
        ConfigError
            When the period is written in a way that is not understood.
        """
        name = parse_period(period).name
        if self.ask("SELECT 1 FROM nil_reports WHERE operator = ? AND period = ?", operator, name):
            return False
        with self.transaction():
            self.insert("nil_reports", operator, name, by, reference, at.isoformat(timespec="seconds"))
        return True

    def nil_reports(self) -> list[Row]:
        """Return all nil reports."""
        names = ("operator", "period", "by", "reference", "recorded_at")
        rows = self.ask("SELECT * FROM nil_reports ORDER BY recorded_at, operator, period")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def missing(self, expected: Collection[str], period: str) -> list[str]:
        """Return the operators that neither delivered for a period nor sent a nil report.

        A delivery that states no period counts for the period in which it was received.
        """
        wanted = parse_period(period)
        reported = {
            row["operator"]
            for row in self.nil_reports()
            if wanted.meets(*(getattr(parse_period(row["period"]), day) for day in ("first", "last")))
        }
        rows = self.ask(
            "SELECT r.key, r.operator, coalesce(r.period_from, substr(t.received_at, 1, 10)), "
            "coalesce(r.period_to, substr(t.received_at, 1, 10)) "
            "FROM readings r JOIN receipts t ON t.number = r.receipt WHERE r.role = 'operator'"
        )
        holders: dict[str, set[str]] = {}
        for key, operator in self.ask("SELECT key, operator FROM counts"):
            holders.setdefault(key, set()).add(operator)
        for key, operator, first, last in rows:
            if wanted.meets(dt.date.fromisoformat(first), dt.date.fromisoformat(last)):
                reported |= {operator} | holders.get(key, set())
        return [operator for operator in expected if operator not in reported]

    def trend(self, operator: str) -> list[Row]:
        """Return what an operator delivered over time: how many records were kept and returned each time."""
        names = ("received_at", "file", "content_hash", "kept", "returned", "run")
        rows = self.ask(
            "SELECT t.received_at, d.file, r.content_hash, c.records_kept, c.records_returned, t.run "
            "FROM counts c JOIN readings r USING (key) JOIN deliveries d USING (content_hash) "
            "JOIN receipts t ON t.number = r.receipt WHERE c.operator = ? AND r.role = 'operator' "
            "ORDER BY r.number",
            operator,
        )
        return [dict(zip(names, row, strict=True)) for row in rows]


class _Kept:
    """The frames beside a ledger, in one working CRS, each read once."""

    def __init__(self, ledger: Ledger, working_crs: str) -> None:
        self._ledger = ledger
        self._frames = KeptFrames(working_crs)

    def records(self, now: InForce, group: Group, receipt: int) -> Frame:
        """Return a group's records in force after a receipt: an increment replaces the ids that it holds."""
        frames: list[Frame] = [empty_frame(FEATURES)]
        for contents in now.contents(group, receipt):
            read = concat([of_group(self._reading(now.key_of[content]), group) for content in contents])
            replaced = read.table["record_id"].filter(read.table["id_is_delivered"]).to_pylist()
            frames = [frame.take(~frame.flags("record_id", replaced)) for frame in frames] + [read]
        return concat(frames)

    def carried_at(self, receipt: int) -> Frame:
        """Return what the run of a receipt has carried on."""
        for (sha256,) in self._ledger.ask("SELECT carried_sha256 FROM receipts WHERE number = ?", receipt):
            if sha256:
                return self._frames.read(self._ledger.carried_path(receipt), sha256)
        return empty_frame(FEATURES)

    def _reading(self, key: str) -> Frame:
        sha256 = self._ledger.ask("SELECT frame_sha256 FROM readings WHERE key = ?", key)[0][0]
        return self._frames.read(self._ledger.frame_path(key), sha256)
