"""What a copy of the register has that the master has not, case by case, and what may be added.

People's events are told apart by their ids, which come from what was said, by whom and when. Those of runs
are not merged: the master's own runs say what the data mean. A case that went on in both is a conflict.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from geopipe.errors import RegisterError
from geopipe.io.ledgers.opened import Opened

_EVENTS = (
    "SELECT e.event_id, e.case_id, e.at, e.author, e.kind, e.status, e.cause, e.data, e.run, "
    "s.a_version, s.b_version, s.present FROM events e LEFT JOIN sightings s ON s.number = e.sighting "
    "ORDER BY e.number"
)
_DECIDED_ON = (
    "SELECT d.event_id, d.case_id, s.a_version, s.b_version, s.present FROM decisions d "
    "JOIN sightings s ON s.number = d.sighting"
)
_SEEN = "SELECT case_id, a_version, b_version, present, max(number) FROM sightings GROUP BY 1, 2, 3, 4"
# An overlap as it was looked at: versions of both records, if they shared ground; all None: none was.
Look = tuple[str | None, str | None, int | None]


@dataclass(frozen=True)
class Told:
    """An event in one of two registers; `run` is None where a person made it."""

    event_id: str
    case_id: str
    at: str
    author: str
    kind: str
    status: str
    cause: str
    data: str
    run: int | None
    look: Look

    @property
    def said(self) -> tuple[str, ...]:
        """What a person said, with when."""
        return (self.case_id, self.at, self.author, self.kind, self.status, self.cause, self.data)

    @property
    def what_a_run_saw(self) -> tuple[str, str, Look]:
        """What makes an event of a run the same as one of another run."""
        return (self.kind, self.status, self.look)


@dataclass(frozen=True)
class Apart:
    """A case that cannot be merged: what happened here since, and what people did in the copy."""

    case_id: str
    here: tuple[Told, ...]
    there: tuple[Told, ...]


@dataclass
class Plan:
    """What a merge would do.

    `conflicts` went on in both registers; `unseen` rest on something that the copy's runs saw and this
    register's did not; `unknown` are cases that only the copy has. `numbers` are provisional ones of the
    copy's: (case id, number, given at); `taken` those that another case has here.
    """

    merged: list[Told] = field(default_factory=list)
    conflicts: list[Apart] = field(default_factory=list)
    unseen: list[Apart] = field(default_factory=list)
    unknown: list[Apart] = field(default_factory=list)
    known_already: int = 0
    numbers: list[tuple[str, str, str]] = field(default_factory=list)
    taken: list[tuple[str, str]] = field(default_factory=list)

    @property
    def left_out(self) -> int:
        """How many cases stay as they are, though the copy has something about them."""
        return len(self.conflicts) + len(self.unseen) + len(self.unknown)


def compare(master: Opened, copy: Opened) -> Plan:
    """Return what a copy has that the master has not.

    Raises
    ------
    RegisterError
        When an event that both have is not the same in both.
    """
    plan = Plan()
    here, there = _by_case(master), _by_case(copy)
    known = {case_id for (case_id,) in master.ask("SELECT case_id FROM cases")}
    ids = {event.event_id: event for events in here.values() for event in events if event.run is None}
    places = sighting_numbers(master)
    decided_on = {row[0]: row[1:] for row in copy.ask(_DECIDED_ON)}
    merged: set[str] = set()
    for case_id in sorted(there):
        people = [event for event in there[case_id] if event.run is None]
        _require_same(people, ids)
        new = tuple(event for event in people if event.event_id not in ids)
        plan.known_already += len(people) - len(new)
        if not new:
            continue
        only_here = _only_here(here[case_id], there[case_id])
        apart = Apart(case_id, only_here, new)
        looked_at = [(case_id, *event.look) for event in new if event.look[0]]
        looked_at += [decided_on[event.event_id] for event in new if event.event_id in decided_on]
        if case_id not in known:
            plan.unknown.append(apart)
        elif only_here:
            plan.conflicts.append(apart)
        elif _runs_beyond(there[case_id], here[case_id]) or any(look not in places for look in looked_at):
            plan.unseen.append(apart)
        else:
            merged |= {event.event_id for event in new}
    # In the order in which they were said, as everything in a register is.
    plan.merged = [event for event in _events(copy) if event.event_id in merged and event.run is None]
    _numbers(plan, master, copy, known)
    return plan


def sighting_numbers(register: Opened) -> dict[tuple[str, str | None, str | None, int | None], int]:
    """Return the last sighting of each overlap as it is looked at: (case, version A, version B, present)."""
    return {(row[0], row[1], row[2], row[3]): row[4] for row in register.ask(_SEEN)}


def _events(register: Opened) -> Iterator[Told]:
    for name, case_id, at, author, kind, status, cause, data, run, *look in register.ask(_EVENTS):
        a, b, present = look
        yield Told(name, case_id, at, author, kind, status, cause, data, run, (a, b, present))


def _by_case(register: Opened) -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = defaultdict(list)
    for event in _events(register):
        found[event.case_id].append(event)
    return found


def _require_same(people: Sequence[Told], known: dict[str, Told]) -> None:
    for event in people:
        if event.event_id in known and known[event.event_id].said != event.said:
            raise RegisterError(
                f"event {event.event_id} of case {event.case_id} is another one in the copy than here",
                remedy="Somebody has changed the copy by hand. Nothing was merged; ask the office.",
            )


def _only_here(here: Sequence[Told], there: Sequence[Told]) -> tuple[Told, ...]:
    """Return the events of a case that the copy does not know, the first one first."""
    ids = {event.event_id for event in there if event.run is None}
    people = [event for event in here if event.run is None and event.event_id not in ids]
    return tuple(sorted(people + _runs_beyond(here, there), key=here.index))


def _runs_beyond(these: Sequence[Told], those: Sequence[Told]) -> list[Told]:
    """Return what runs saw in these events and not in those."""
    other = Counter(event.what_a_run_saw for event in those if event.run is not None)
    found = []
    for event in (event for event in these if event.run is not None):
        if other[event.what_a_run_saw]:
            other[event.what_a_run_saw] -= 1
        else:
            found.append(event)
    return found


def _numbers(plan: Plan, master: Opened, copy: Opened, known: set[str]) -> None:
    """Note the provisional numbers of cases that this register has, too."""
    question = "SELECT case_id, number, given_at, provisional FROM case_numbers ORDER BY case_id, number"
    rows = master.ask(question)
    holders = {number: case_id for case_id, number, _, _ in rows}
    numbered = {case_id for case_id, _, _, provisional in rows if provisional}
    for case_id, number, given_at, provisional in copy.ask(question):
        if not provisional or case_id not in known or holders.get(number) == case_id:
            continue
        if number in holders:
            plan.taken.append((case_id, number))
        elif case_id not in numbered:
            plan.numbers.append((case_id, number, given_at))
