"""Hazard ground that may leave the map because people have decided so, record by record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import shapely

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.errors import ConfigError
from geopipe.io.ledgers.ledger import Ledger
from geopipe.io.ledgers.opened import Opened
from geopipe.lineages.still_drawn import key_of_drawn, vanished
from geopipe.register.case import Case, Decision, Reference
from geopipe.register.casefiles import cases_of, decisions_in_force
from geopipe.register.known import moved_to, versions
from geopipe.register.outcome import expected, ground_changes
from geopipe.schema import GIVEN_UP, Frame, Geometries, make_frame, to_wkb
from geopipe.terms import POSSIBLE_HAZARD_KINDS

_SINCE = (
    "SELECT a.columns ->> 'version_id', b.columns ->> 'version_id' FROM sightings s "
    "JOIN versions a ON a.version = s.a_version JOIN versions b ON b.version = s.b_version "
    "WHERE s.case_id = ? AND s.number >= ?"
)


def given_up(register: Opened, working_crs: str) -> Frame:
    """Return GIVEN_UP (m, in a working CRS): what confirmed decisions of cases, and of records, let go."""
    found = [*_by_cases(register, working_crs), *_by_records(register, working_crs)]
    geometry = np.empty(len(found), dtype=object)
    geometry[:] = [ground for *_, ground in found]
    columns = {
        name: [item[place] for item in found]
        for place, name in enumerate(("version_id", "reason", "stays_hazard"))
    }
    return make_frame(GIVEN_UP, columns, geometry)


@dataclass(frozen=True)
class KeptHazard:
    """Hazard that is on the map though a whole register was read without it, or with less of it.

    `carried` are FEATURES, in the working CRS; `drawn` are UNRESOLVED, in WGS 84 lon/lat: what is known of
    records that could not be used.
    """

    carried: Frame
    drawn: Frame
    working_crs: str

    @classmethod
    def of(cls, ledger: Ledger, working_crs: str) -> KeptHazard:
        """Return what the last run has kept, and nobody has let go since."""
        gone = {name for (name,) in ledger.ask("SELECT version_id FROM given_up")}
        carried, drawn = ledger.carried(working_crs), ledger.unresolved()
        drawn = drawn.take(vanished(drawn))
        carried_names, drawn_names = (frame.table["version_id"].to_pylist() for frame in (carried, drawn))
        return cls(
            carried.take(np.array([name not in gone for name in carried_names], dtype=bool)),
            drawn.take(np.array([key_of_drawn(name) not in gone for name in drawn_names], dtype=bool)),
            working_crs,
        )


def give_up(
    register: Opened, kept: KeptHazard, record_id: str, reference: Reference, by: str, cause: str,
    at: dt.datetime,
) -> int:  # fmt: skip
    """Write down that the last versions of a hazard record may leave the map; return how many there are.

    Parameters
    ----------
    register : Opened
    kept : KeptHazard
    record_id : str
        Id of the record, or the operator's own id.
    reference : Reference
        The signed minutes.
    by, cause : str
    at : datetime

    Raises
    ------
    ConfigError
        When no such record is carried, several operators have that id, the minutes are not signed, or
        nobody says why.
    """
    rows = [
        frame.take(frame.flags("record_id", [record_id]) | frame.flags("source_id", [record_id]))
        for frame in (kept.carried, kept.drawn)
    ]
    ids = sorted({name for frame in rows for name in frame.values("record_id")})
    if not ids:
        raise ConfigError("no hazard of this id is kept on the map", record_id, "See geopipe hazard list.")
    if len(ids) > 1:
        raise ConfigError(
            f"several records have this id ({', '.join(ids)})", record_id, "Write one of these."
        )
    if not reference.file_sha256:
        raise ConfigError("hazard leaves the map only by signed minutes", record_id, "Give --minutes FILE.")
    if not cause.strip():
        raise ConfigError("nobody says why this ground is hazard no longer", record_id, "Give --cause TEXT.")
    carried, drawn = ([*_with_ground(frame)] for frame in rows)
    versions_let_go = [(name, kept.working_crs, wkb) for name, wkb in carried]
    versions_let_go += [(key_of_drawn(name), WGS84, wkb) for name, wkb in drawn]
    with register.transaction():
        for version_id, crs, wkb in versions_let_go:
            register.insert(
                "given_up", None, version_id, ids[0], crs, wkb, cause.strip(),
                reference.reference_id, by, at.isoformat(),
            )  # fmt: skip
    return len({name for name, _ in (*carried, *drawn)})


def _with_ground(rows: Frame) -> Iterator[tuple[str, bytes]]:
    return zip(rows.table["version_id"].to_pylist(), to_wkb(rows.geometry).to_pylist(), strict=True)


_GivenUp: TypeAlias = tuple[str, str, bool, shapely.Geometry]


def _by_cases(register: Opened, working_crs: str) -> Iterator[_GivenUp]:
    decisions = decisions_in_force(register)
    confirmed = {case: decision for case, decision in decisions.items() if decision.confirmed}
    for case in cases_of(register, confirmed) if confirmed else []:
        decision = confirmed[case.case_id]
        yield from _of_case(register, case, decision, working_crs)


def _of_case(register: Opened, case: Case, decision: Decision, working_crs: str) -> Iterator[_GivenUp]:
    """Yield the ground that each hazard record of a case gives up, for each version since the decision."""
    names = register.ask("SELECT a_version, b_version FROM sightings WHERE number = ?", decision.sighting)[0]
    # Each in its own CRS: of a record that was gone, only a version of an earlier run may be known.
    looked_at = versions(register, names, working_crs)
    sides, kinds = looked_at.geometry, looked_at.table["kind"].to_pylist()
    line = decision.line_wgs84
    if line is not None:
        (line,) = transform(_array(line), choose_operation(WGS84, working_crs)[0])
    try:
        outcome = expected(decision.choice, sides[0], sides[1], line)
    except ConfigError:
        return  # the line divides these records no longer: hazard stays
    if outcome is None or decision.reference is None:
        return
    change, why = ground_changes(outcome, sides[0], sides[1]), f"{case.name}, {decision.reference.text}"
    seen = register.ask(_SINCE, case.case_id, decision.sighting)
    for place, lost in enumerate((change.a_lost, change.b_lost)):
        if kinds[place] in POSSIBLE_HAZARD_KINDS and not shapely.is_empty(lost):
            stays = not decision.shrinks_hazard
            yield from ((str(name), why, stays, lost) for name in sorted({row[place] for row in seen}))


def _by_records(register: Opened, working_crs: str) -> Iterator[_GivenUp]:
    rows = register.ask(
        "SELECT version_id, geometry, g.working_crs, p.reference_id, meeting, held_on, item FROM given_up g "
        "JOIN papers p USING (reference_id) ORDER BY g.number"
    )
    for version_id, wkb, stored, name, meeting, held_on, item in rows:
        (ground,) = moved_to(_array(shapely.from_wkb(wkb)), [stored], working_crs)
        day = held_on and dt.date.fromisoformat(held_on)
        yield str(version_id), Reference(name, meeting, day, item).text, False, ground


def _array(*geometry: shapely.Geometry) -> Geometries:
    result = np.empty(len(geometry), dtype=object)
    result[:] = geometry
    return result
