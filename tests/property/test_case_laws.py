"""Whatever operators deliver night after night: cases stay on their ground, and decisions with them."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import shapely
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from make import EARLY, HAZARD, LAOS, POLICY, Area, box, hazard, make_features
from shapely.affinity import translate

from geopipe.errors import ConfigError
from geopipe.history import hold_against, with_history
from geopipe.io.ledgers.received import received
from geopipe.register import matching, observe
from geopipe.register.case import Case
from geopipe.register.casefiles import sighting_of
from geopipe.register.desk import Desk
from geopipe.register.given_up import given_up
from geopipe.register.moved import is_moved
from geopipe.register.outcome import expected
from geopipe.register.papers import keep_paper
from geopipe.register.quiet import Quiet
from geopipe.register.register import Register
from geopipe.schema import State
from geopipe.stages.deduplicate import deduplicate
from geopipe.stages.overlaps import overlaps
from geopipe.terms import SETTLED_STATUSES, CaseStatus, Choice, Severity

START = dt.datetime(2026, 1, 1, 20, tzinfo=dt.UTC)
OPERATORS = ("MAG", "UXO Lao", "HALO")
# Each operator has one that nobody touches: its register is read whole although all else is withdrawn.
ANCHORS = tuple(
    hazard(box(9000 * at, 90_000, 9000 * at + 50, 90_050), who, "anchor", surveyed=EARLY, status="open")
    for at, who in enumerate(OPERATORS)
)
# What one night may take of a hazard without anybody being asked, on each side of a ring.
UNSEEN_M = POLICY.cover_tolerance_m
CHOICES = [
    Choice.A_CORRECTS, Choice.B_CORRECTS, Choice.WITHDRAW_A, Choice.WITHDRAW_B, Choice.MERGE_INTO_A,
    Choice.BOTH_VALID, Choice.ACCEPT, Choice.FIELD_SURVEY, Choice.RETURN_TO_OPERATOR,
]  # fmt: skip
# The tables of the register whose rows say what happened; never by which file or row it came.
TABLES = ("cases", "case_numbers", "versions", "sightings", "events", "decisions", "papers")


class Books:
    """A register that follows nights; rows come in an order by `random`, files have `word` in their names."""

    def __init__(self, folder: Path, random: Random, word: str = "file") -> None:
        self.folder, self.random, self.word = folder, random, word
        self.register = Register.open(folder)

    def run(self, night: int, records: list[Area], again: bool = False, crs: str = LAOS) -> State:
        """Run a night on whole registers of the operators that have records among these."""
        at = START + dt.timedelta(days=night, minutes=int(again))
        named = [replace(item, file=f"{self.word}-{item.operator}-{night}") for item in records]
        self.random.shuffle(named)
        named = [replace(item, row=row) for row, item in enumerate(named, 1)]
        made = make_features(*named, crs=crs)
        deliveries = tuple(
            replace(item, content_hash=item.file, mode="snapshot", operator=item.file.split("-")[1])
            for item in made.deliveries
        )
        made = replace(made, deliveries=deliveries, features=made.features.with_columns({"role": "operator"}))
        came = received(made)
        with self.register.transaction():
            before = self.register.ledger.before(came, crs)
            made = replace(made, given_up=given_up(self.register, crs), today=at.date())
            settled = deduplicate(made, POLICY)
            found = hold_against(settled, before.previous, before.carried, POLICY)
            state = overlaps(with_history(settled, found), POLICY)
            number = self.register.begin_run(at, at.date(), state, POLICY, {})
            self.register.publish_run(number, f"run-{number}", {}, {})
            self.register.ledger.record(f"run-{number}", at, came, state, state.carried)
        return state

    def decide(self, night: int, case_id: str, choice: Choice, signed: bool) -> bool:
        """Decide a case; say whether the desk has taken the decision."""
        at = START + dt.timedelta(days=night, hours=1)
        minutes = self.folder / "minutes.pdf"
        minutes.write_bytes(b"signed")
        paper = keep_paper(self.register, "TWG", at.date(), "3", minutes if signed else None, "Bounmy", START)
        try:
            Desk(self.register, "Bounmy", at).decide(
                self.register.case(case_id), choice, "TWG", POLICY, paper
            )
        except ConfigError:
            return False
        return True

    def content(self) -> dict[str, list[tuple[object, ...]]]:
        """Return all rows of the tables that say what happened."""
        return {name: sorted(self.register.ask(f"SELECT * FROM {name}"), key=repr) for name in TABLES}

    def counts(self) -> dict[str, int]:
        return {name: self.register.ask(f"SELECT count(*) FROM {name}")[0][0] for name in TABLES}


@contextmanager
def books(random: Random, word: str = "file") -> Iterator[Books]:
    with tempfile.TemporaryDirectory() as folder:
        opened = Books(Path(folder), random, word)
        try:
            yield opened
        finally:
            opened.register.close()


# The world of the operators.


@dataclass
class World:
    """What operators hold: records, those they withdrew, and how many ids were given out."""

    records: list[Area]
    withdrawn: list[Area] = field(default_factory=list)
    ids: int = 0

    def new_id(self) -> str:
        self.ids += 1
        return f"n{self.ids}"

    def mine(self, operator: str) -> list[int]:
        return [at for at, item in enumerate(self.records) if item.operator == operator]


def reissue(world: World, random: Random) -> None:
    who = random.choice([*OPERATORS, None])
    world.records = [
        replace(item, id=world.new_id()) if who in (None, item.operator) else item for item in world.records
    ]


def permute(world: World, random: Random) -> None:
    mine = world.mine(random.choice(OPERATORS))
    ids = [world.records[at].id for at in mine]
    random.shuffle(ids)
    for at, name in zip(mine, ids, strict=True):
        world.records[at] = replace(world.records[at], id=name)


def redraw(world: World, random: Random) -> None:
    at = random.randrange(len(world.records))
    reach_m = 10 ** random.uniform(-3, 0)
    world.records[at] = replace(world.records[at], ground=_shaken(world.records[at].ground, reach_m, random))


def redraw_under_a_new_id(world: World, random: Random) -> None:
    at = random.randrange(len(world.records))
    ground = _shaken(world.records[at].ground, 10 ** random.uniform(-3, 0), random)
    world.records[at] = replace(world.records[at], ground=ground, id=world.new_id())


def move_far(world: World, random: Random) -> None:
    at = random.randrange(len(world.records))
    by_m = random.choice([40.0, 5000.0])
    world.records[at] = replace(world.records[at], ground=translate(world.records[at].ground, by_m, 0))


def split(world: World, random: Random) -> None:
    at = random.randrange(len(world.records))
    whole = world.records[at]
    west, south, east, north = whole.ground.bounds
    middle = (west + east) / 2
    halves = (
        shapely.box(west, south, middle, north).intersection(whole.ground),
        shapely.box(middle, south, east, north).intersection(whole.ground),
    )
    if all(half.geom_type == "Polygon" and half.area > 1 for half in halves):
        names = random.choice([(whole.id, world.new_id()), (world.new_id(), world.new_id())])
        world.records[at : at + 1] = [
            replace(whole, ground=half, id=name) for half, name in zip(halves, names, strict=True)
        ]


def merge(world: World, random: Random) -> None:
    mine = world.mine(random.choice(OPERATORS))
    if len(mine) < 2:
        return
    one, other = random.sample(mine, 2)
    whole = world.records[one].ground.union(world.records[other].ground)
    if whole.geom_type == "Polygon":
        name = random.choice([world.records[one].id, world.new_id()])
        world.records[one] = replace(world.records[one], ground=whole, id=name)
        del world.records[other]


def withdraw(world: World, random: Random) -> None:
    if len(world.records) > 1:
        world.withdrawn.append(world.records.pop(random.randrange(len(world.records))))


def add_again(world: World, random: Random) -> None:
    if world.withdrawn:
        back = world.withdrawn.pop(random.randrange(len(world.withdrawn)))
        taken = {(item.operator, item.id) for item in world.records}
        new = (back.operator, back.id) in taken
        world.records.append(replace(back, id=world.new_id()) if new else back)


def twin(world: World, random: Random) -> None:
    item = random.choice(world.records)
    world.records.append(replace(item, status="worked_on" if item.status == "open" else "open"))


def nothing(world: World, random: Random) -> None:
    pass


OPERATIONS = [
    reissue, permute, redraw, redraw_under_a_new_id, move_far, split, merge, withdraw, add_again, nothing,
]  # fmt: skip


def _shaken(ground: shapely.Polygon, reach_m: float, random: Random) -> shapely.Polygon:
    points = shapely.get_coordinates(ground)[:-1]
    moved = shapely.Polygon(points + [[random.uniform(-reach_m, reach_m) for _ in "xy"] for _ in points])
    return moved if moved.is_valid else ground


def carry_out(world: World, case: Case) -> None:
    """Do in the operators' data what was decided, if both records still are as they were decided on."""
    decision = case.decision
    assert decision is not None
    outcome = expected(decision.choice, case.sighting.a.geometry, case.sighting.b.geometry)
    if outcome is None:
        return
    for side, wanted in ((case.sighting.a, outcome.a), (case.sighting.b, outcome.b)):
        for at, item in enumerate(world.records):
            if item.operator == side.operator and shapely.equals_exact(item.ground, side.geometry, 0):
                if wanted is None:
                    del world.records[at]
                elif wanted.geom_type == "Polygon":
                    world.records[at] = replace(item, ground=wanted)
                break
    if not world.records:
        world.records.append(ANCHORS[0])


places = st.tuples(
    st.sampled_from(OPERATORS), st.integers(0, 4), st.integers(0, 2), st.integers(2, 4), st.integers(2, 3)
)


@st.composite
def starts(draw: st.DrawFn) -> World:
    """Two to six hazard records of two or three operators on a small grid: most of them overlap."""
    found = draw(st.lists(places, min_size=2, max_size=6))
    return World(
        [
            hazard(
                box(x * 25, y * 25, (x + width) * 25, (y + height) * 25), who, f"r{at}", surveyed=EARLY,
                status="open",
            )
            for at, (who, x, y, width, height) in enumerate(found)
        ]
    )  # fmt: skip


@dataclass(frozen=True)
class Night:
    """What happens before a night's run, and whether somebody decides after it."""

    operations: list[object]
    missing: str | None
    decides: bool
    carries_out: bool
    runs_again: bool


nights = st.builds(
    Night,
    operations=st.lists(st.sampled_from(OPERATIONS), max_size=3),
    missing=st.sampled_from([None, None, None, *OPERATORS]),
    decides=st.booleans(),
    carries_out=st.booleans(),
    runs_again=st.integers(0, 3).map(lambda number: number == 0),
)


# The laws.


@dataclass
class Watch:
    """Holds every night against the laws."""

    before: dict[str, Case] = field(default_factory=dict)
    map_before: shapely.Geometry = field(default_factory=shapely.Polygon)

    def look(self, register: Register, state: State, was_reissue_only: bool) -> None:
        cases = register.cases()
        now = {case.case_id: case for case in cases}
        assert self.before.keys() <= now.keys(), "a case is lost"
        for case_id, earlier in self.before.items():
            _follows(earlier, now[case_id])
        for case in cases:
            _decision_fits(register, case, cases)
        _each_overlap_has_one_case(state, cases)
        self._no_hazard_goes(state, cases)
        if was_reissue_only:
            assert now.keys() == self.before.keys(), "new ids made new cases"
            assert {name: case.present for name, case in now.items()} == {
                name: case.present for name, case in self.before.items()
            }
        self.before = now

    def _no_hazard_goes(self, state: State, cases: list[Case]) -> None:
        """Hazard leaves the map only where a signed decision says which ground of a record may go."""
        areas = state.features
        on_map = shapely.union_all(areas.geometry[areas.flags("kind", HAZARD)])
        allowed = shapely.union_all(state.given_up.geometry) if len(state.given_up) else shapely.Polygon()
        if not any(case.decision and case.decision.confirmed for case in cases):
            assert allowed.is_empty
        lost = self.map_before - on_map.buffer(UNSEEN_M * 1.5, join_style="mitre") - allowed.buffer(0.05)
        assert lost.area < 1e-6, f"{lost.area} m2 of hazard left the map"
        self.map_before = on_map


def _follows(earlier: Case, case: Case) -> None:
    """A case stays on its ground and keeps its sides; only events change its status."""
    assert case.events[: len(earlier.events)] == earlier.events
    assert case.status == case.events[-1].status
    assert case.operators == earlier.operators
    assert case.number == earlier.number
    for name in "ab":
        old, new = getattr(earlier.sighting, name), getattr(case.sighting, name)
        assert (old.register, old.role) == (new.register, new.role)
        shared_m2 = old.geometry.intersection(new.geometry).area
        assert shared_m2 > 0, f"{case.case_id} went to other ground"


def _decision_fits(register: Register, case: Case, cases: list[Case]) -> None:
    """Only where the data are as they were decided on, or as decided, does a case say so."""
    if case.decision is None:
        assert case.status not in (CaseStatus.DECIDED, CaseStatus.EXCEPTION, CaseStatus.FINISHED)
        return
    if case.status not in (CaseStatus.DECIDED, CaseStatus.EXCEPTION, CaseStatus.FINISHED) or not case.present:
        return
    looked_at = sighting_of(register, case.decision.sighting)
    a, b = looked_at.a.geometry, looked_at.b.geometry
    outcome = expected(case.decision.choice, a, b)
    keeps = outcome is None or case.status == CaseStatus.EXCEPTION
    wanted = (a, b) if keeps else (outcome.a, outcome.b)
    apart = shapely.union_all([_changed(register, other) for other in cases if other is not case])
    beside = apart - _changed(register, case)
    for old, want, side in zip((a, b), wanted, (case.sighting.a, case.sighting.b), strict=True):
        fits = want is not None and not is_moved(want - beside, side.geometry - beside, POLICY.moved)
        if case.status != CaseStatus.FINISHED:
            fits |= not is_moved(old - apart, side.geometry - apart, POLICY.moved)
        assert fits, f"{case.case_id} is {case.status.value}, but its records are not"


def _changed(register: Register, case: Case) -> shapely.Geometry:
    """Return the ground that the decision of a case changes."""
    nothing = shapely.Polygon()
    if case.decision is None:
        return nothing
    seen = sighting_of(register, case.decision.sighting)
    a, b = seen.a.geometry, seen.b.geometry
    outcome = expected(case.decision.choice, a, b)
    if outcome is None:
        return nothing
    return (a ^ (outcome.a or nothing)) | (b ^ (outcome.b or nothing))


def _each_overlap_has_one_case(state: State, cases: list[Case]) -> None:
    """Every conflict of what is delivered is one case that is not over, and no case sees anything else."""
    table = state.overlaps.table.to_pylist()
    carried = set(state.carried.values("row_id"))
    areas = {row["row_id"]: row for row in state.features.table.to_pylist()}
    there: Counter[frozenset[tuple[str, str]]] = Counter()
    for pair in table:
        rows = pair["left_row_id"], pair["right_row_id"]
        if not carried & set(rows) and pair["severity"] != Severity.NOTE:
            there[_names(*(areas[row] for row in rows))] += 1
    seen = Counter(_names(case.sighting.a.columns, case.sighting.b.columns) for case in cases if case.present)
    assert seen == there
    for case in cases:
        if case.present:
            assert case.status not in (CaseStatus.SPLIT, CaseStatus.MERGED), case.case_id


def _names(one: dict[str, object], other: dict[str, object]) -> frozenset[tuple[str, str]]:
    return frozenset((str(side["record_id"]), str(side["version_id"])) for side in (one, other))


def live(story: World, told: list[Night], seed: int) -> None:
    """Follow one story in two registers; in the second, rows have another order, and files other names."""
    random = Random(seed)
    watch = Watch()
    with books(Random(1)) as mine, books(Random(seed + 1), "zz") as other:
        for number, night in enumerate(told, 1):
            operations = [] if number == 1 else night.operations
            for operation in operations:
                operation(story, random)
            carried_out = number > 1 and night.carries_out and _carry_out_one(story, mine, random)
            here = _each_ground_once(
                item for item in (*story.records, *ANCHORS) if item.operator != night.missing
            )
            pure = number > 1 and not carried_out and set(operations) <= {reissue, nothing}
            is_pure = pure and night.missing is None and told[number - 2].missing is None
            state = mine.run(number, list(here))
            other.run(number, list(here))
            assert mine.content() == other.content()
            watch.look(mine.register, state, is_pure)
            if night.runs_again:
                _run_again(mine, other, number, here)
            if night.decides:
                _decide(mine, other, number, random)


def _each_ground_once(records: Iterable[Area]) -> list[Area]:
    """Leave out repeats of one operator: which of them stands for the others depends on the order of rows."""
    return list(
        {(item.operator, item.status, item.ground.normalize().wkb): item for item in records}.values()
    )


def _run_again(mine: Books, other: Books, number: int, here: list[Area]) -> None:
    before = mine.counts()
    mine.run(number, list(here), again=True)
    assert mine.counts() == before, "a night that brings nothing new adds something"
    other.run(number, list(here), again=True)


def _decide(mine: Books, other: Books, number: int, random: Random) -> None:
    cases = [case for case in mine.register.cases() if case.status not in SETTLED_STATUSES]
    if cases:
        case_id, choice = random.choice(cases).case_id, random.choice(CHOICES)
        signed = random.random() < 0.7
        assert mine.decide(number, case_id, choice, signed) == other.decide(number, case_id, choice, signed)


def _carry_out_one(story: World, mine: Books, random: Random) -> bool:
    waiting = [case for case in mine.register.cases() if case.status == CaseStatus.DECIDED and case.present]
    if waiting:
        carry_out(story, random.choice(waiting))
    return bool(waiting)


NONE = np.array([], dtype=np.intp)
# To make a story shorter that breaks a law takes minutes, and its nights are short enough to be read.
NO_SHRINKING = (Phase.explicit, Phase.generate)
stories = given(starts(), st.lists(nights, min_size=3, max_size=6), st.integers(0, 2**32))


@settings(max_examples=30, phases=NO_SHRINKING)
@stories
def test_cases_stay_on_their_ground_and_decisions_with_them(story, told, seed):
    live(story, told, seed)


@settings(max_examples=15, phases=NO_SHRINKING)
@stories
def test_a_night_that_looks_at_every_case_and_every_record_writes_the_same(story, told, seed):
    random = Random(seed)
    with books(Random(seed)) as mine, books(Random(seed)) as other:
        for number, night in enumerate(told, 1):
            for operation in [] if number == 1 else night.operations:
                operation(story, random)
            here = [item for item in (*story.records, *ANCHORS) if item.operator != night.missing]
            mine.run(number, list(here))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(observe, "quiet_cases", lambda *given: Quiet(NONE, NONE, given[2], NONE))
                patch.setattr(matching, "_within_reach", lambda _, now: np.arange(len(now)))
                other.run(number, list(here))
            assert mine.content() == other.content()
            if night.decides:
                _decide(mine, other, number, random)


@pytest.mark.slow
@settings(max_examples=1000, phases=NO_SHRINKING)
@stories
def test_cases_stay_on_their_ground_in_many_stories(story, told, seed):
    live(story, told, seed)
