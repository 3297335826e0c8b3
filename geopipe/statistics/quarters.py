"""Published quarters: frozen rows, and what has changed since as *restated*."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from geopipe.errors import ConfigError, RegisterError
from geopipe.periods import parse_period
from geopipe.schema import Frame
from geopipe.statistics.ground import Ground
from geopipe.statistics.labels import SHARED, labels_of
from geopipe.statistics.rows import as_dict, rows_by

# The rows of a quarter; the first column is the quarter itself.
BY = ("quarter", "province", "operator")
_FIGURES = ("reported_m2", "undecided_m2", "agreed_m2", "reconciled_m2")
# Less than this is what another order of cutting may leave.
_RESTATED_FROM_M2 = 0.01


class PublishedQuarters(Protocol):
    """Where published quarters are kept; once there, they never change."""

    def published_quarter(self, quarter: str) -> list[dict[str, Any]]:
        """Return the rows as they were published; none where the quarter was not."""

    def publish_quarter(
        self, quarter: str, rows: Sequence[dict[str, Any]], by: str, reference: str, at: dt.datetime
    ) -> None:
        """Keep the rows of a quarter, with who published them and on what paper it rests."""


def quarter_name(text: str) -> str:
    """Return the name of a quarter, as 2026-Q1.

    Raises
    ------
    ConfigError
        When it is another period, or none.
    """
    name = parse_period(text).name
    if "Q" not in name:
        raise ConfigError(f"{text!r} is not a quarter", remedy="Write for example 2026-Q1.")
    return name


def quarter_rows(
    areas: Frame, grounds: Iterable[Ground], quarter: str, full_depth_cm: float
) -> list[dict[str, Any]]:
    """Return the rows of a quarter by kind, province and operator (m2), with the records in each."""
    alone = [ground for ground in grounds if ground.is_one_kind]
    records = _records(areas, alone)
    return [
        {**as_dict(row, BY), "record_versions": records.get((row.ground, row.labels), {})}
        for row in rows_by(areas, alone, BY, full_depth_cm)
        if row.labels[0] == quarter
    ]


def _records(areas: Frame, grounds: Iterable[Ground]) -> dict[tuple[str, tuple[str, ...]], dict[str, str]]:
    """Return for each row the records in it, as record id -> version; shared rows hold all who share."""
    labels = labels_of(areas, BY)
    ids, versions = areas.numpy("record_id").tolist(), areas.numpy("version_id").tolist()
    found: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}
    for ground in grounds:
        places = [(labels[row], row) for row in ground.records.tolist()]
        shared = ground.many_operators[ground.faces.face]
        claims = zip(ground.faces.face[shared].tolist(), ground.faces.row[shared].tolist(), strict=True)
        places += [((*labels[ground.owner[face]][:-1], SHARED), row) for face, row in claims]
        for label, row in places:
            versions_of = found.setdefault((ground.name, label), {})
            # Two versions of one record may both have been kept.
            held = versions_of.get(ids[row], "").split()
            versions_of[ids[row]] = " ".join(sorted({*held, versions[row]}))
    return found


def freeze(
    kept: PublishedQuarters,
    quarter: str,
    rows: Sequence[dict[str, Any]],
    by: str,
    reference: str,
    at: dt.datetime,
) -> None:
    """Publish the rows of a quarter; what changes later is shown as restated.

    Raises
    ------
    RegisterError
        When it was published already.
    ConfigError
        When the quarter is not over yet, has no ground, or nobody stands for it.
    """
    if not by.strip() or not reference.strip():
        raise ConfigError("a published quarter needs a name and a reference")
    if kept.published_quarter(quarter):
        raise RegisterError(
            "this quarter was published already",
            quarter,
            "Its figures stay; `geopipe stats restated` shows what has changed since.",
        )
    if parse_period(quarter).last >= at.date():
        raise ConfigError("this quarter is not over yet", quarter)
    if not rows:
        raise ConfigError("no ground of this result belongs to this quarter", quarter)
    kept.publish_quarter(quarter, rows, by, reference, at)


def restate(published: Sequence[dict[str, Any]], now: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hold the rows of a published quarter against those computed now.

    Parameters
    ----------
    published, now : sequences of dict
        Rows as `quarter_rows` makes them; m2.

    Returns
    -------
    list of dict
        One per row of either side, sorted: its labels; `published`, `now` and `restated` (their difference),
        each with all figures in m2; `is_restated`; ids of records `added`, `removed` and `changed`; `why`.
    """
    before, after = ({_key(row): row for row in rows} for rows in (published, now))
    return [_restated(key, before.get(key, {}), after.get(key, {})) for key in sorted({*before, *after})]


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return (str(row["ground"]), *(str(row[name]) for name in BY))


def _restated(key: tuple[str, ...], before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    was = {name: float(before.get(name, 0.0)) for name in _FIGURES}
    is_now = {name: float(after.get(name, 0.0)) for name in _FIGURES}
    difference = {name: is_now[name] - was[name] for name in _FIGURES}
    old, new = (row.get("record_versions", {}) for row in (before, after))
    records = {
        "added": sorted(set(new) - set(old)),
        "removed": sorted(set(old) - set(new)),
        "changed": sorted(name for name in set(old) & set(new) if old[name] != new[name]),
    }
    moved = {name for name, m2 in difference.items() if abs(m2) > _RESTATED_FROM_M2}
    return {
        **dict(zip(("ground", *BY), key, strict=True)),
        "published": was,
        "now": is_now,
        "restated": difference,
        "is_restated": bool(moved),
        **records,
        "why": _why(moved, records),
    }


def _why(moved: set[str], records: dict[str, list[str]]) -> str:
    """Say in a few words what a difference comes from."""
    if not moved:
        return "unchanged"
    words = [f"{len(ids)} {_plural(len(ids))} {what}" for what, ids in records.items() if ids]
    if words:
        return ", ".join(words)
    if moved & {"undecided_m2", "agreed_m2"}:
        return "same records; decisions or overlaps changed"
    return "same records; their ground is now credited to another row"


def _plural(count: int) -> str:
    return "record" if count == 1 else "records"
