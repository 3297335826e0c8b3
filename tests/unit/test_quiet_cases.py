"""A night looks only at cases of which something has changed, and whatever has changed is noticed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import shapely
import test_cases
from hypothesis import given
from hypothesis import strategies as st
from make import EARLY, LAOS, LATE, POLICY, Area, box, hazard, make_features, released, square
from test_case_traps import NORTH
from test_cases import MAG, UXO, Office

from geopipe.crs import choose_operation, transform
from geopipe.register.known import known_cases
from geopipe.register.matching import Pairs, match, unchanged
from geopipe.register.rows import (
    RECORD_COLUMNS,
    as_json,
    many_as_json,
    pair_columns,
    pairs_as_json,
    records_as_rows,
)
from geopipe.register.table import case_table
from geopipe.schema import BOX, Frame, State, to_wkb
from geopipe.stages.overlaps import overlaps
from geopipe.terms import Choice

HALO = hazard(square(5000), "HALO", "H1", status="open", surveyed=EARLY)
NPA = hazard(square(5060), "NPA", "N1", status="open", surveyed=EARLY)
TABLES = ("sightings", "events", "versions")


class Told(Office):
    """An office in whose nights something may be told in another way after all stages."""

    def run(
        self,
        *records: Area,
        missing: tuple[str, ...] = (),
        change: Callable[[State], State] = lambda state: state,
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(test_cases, "overlaps", lambda state, policy: change(overlaps(state, policy)))
            return super().run(*records, missing=missing)

    def rows(self) -> list[int]:
        return [self.register.ask(f"SELECT count(*) FROM {name}")[0][0] for name in TABLES]


@pytest.fixture
def office(tmp_path: Path):
    opened = Told(tmp_path)
    yield opened
    opened.register.close()


def with_value(frame: Frame, operator_column: str, operator: str, name: str, value: object) -> Frame:
    """Return a frame in which one column holds another value for one operator."""
    values = frame.table[name].to_pylist()
    at = frame.table[operator_column].to_pylist().index(operator)
    return frame.with_columns({name: [*values[:at], value, *values[at + 1 :]]})


def seen_tonight(office: Told) -> set[frozenset[str]]:
    """Return the operators of the cases that the last run has seen in another way."""
    return {
        frozenset(case.operators)
        for case in office.register.cases()
        if case.sighting.run == office.register.last_run
    }


# One point, in metres: less than any rule calls a move.
HAIR = shapely.Polygon(
    [
        (x + (1e-6 if at == 2 else 0), y)
        for at, (x, y) in enumerate(shapely.get_coordinates(MAG.ground).tolist())
    ][:-1]
)


@pytest.mark.parametrize(
    "later",
    [
        replace(MAG, status="worked_on"),
        replace(MAG, surveyed=LATE),
        replace(MAG, depth=50.0),
        replace(MAG, attributes='{"note": "other"}'),
        replace(MAG, ground=HAIR),
        replace(MAG, ground=shapely.reverse(MAG.ground)),
        replace(MAG, id="M2"),
        replace(MAG, kind="SHA"),
    ],
    ids=["status", "date", "depth", "free text", "a point by a micrometre", "direction", "id", "kind"],
)
def test_a_record_that_changes_in_anything_is_a_new_sighting_of_its_cases_and_of_no_others(office, later):
    office.run(MAG, UXO, HALO, NPA)
    office.run(later, UXO, HALO, NPA)
    assert seen_tonight(office) == {frozenset({"MAG", "UXO Lao"})}
    assert office.register.ask("SELECT count(*) FROM versions") == [(5,)]


DERIVED = {
    "province_code": "LA99", "province_located": "Elsewhere", "district_located": "Elsewhere",
    "province_stated": "Elsewhere", "guid": "g", "land_use": "rice", "area_stated_m2": 7.0, "area_m2": 7.0,
    "edge_uncertainty_m2": 7.0, "clearance_depth_cm": 7.0, "date_started": dt.date(2001, 1, 1),
    "date_of_information": dt.date(2001, 1, 1), "id_is_delivered": False, "village_stated": "x",
}  # fmt: skip


@pytest.mark.parametrize("name", DERIVED)
def test_a_column_that_is_read_in_another_way_is_a_new_sighting_though_the_version_is_the_same(office, name):
    office.run(MAG, UXO, HALO, NPA)

    def change(state: State) -> State:
        return replace(state, features=with_value(state.features, "operator", "HALO", name, DERIVED[name]))

    office.run(MAG, UXO, HALO, NPA, change=change)
    assert seen_tonight(office) == {frozenset({"HALO", "NPA"})}
    office.run(MAG, UXO, HALO, NPA, change=change)
    assert seen_tonight(office) == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [("width_m", 3.0), ("severity", "check"), ("time_order", "left_first"), ("left_share", 0.5)],
)
def test_what_is_said_of_an_overlap_is_a_new_sighting_though_both_records_are_as_before(office, name, value):
    office.run(MAG, UXO, HALO, NPA)

    def change(state: State) -> State:
        return replace(state, overlaps=with_value(state.overlaps, "left_operator", "HALO", name, value))

    office.run(MAG, UXO, HALO, NPA, change=change)
    assert seen_tonight(office) == {frozenset({"HALO", "NPA"})}


def test_an_overlap_that_is_a_conflict_no_longer_is_noticed_though_both_records_are_as_before(office):
    office.run(MAG, UXO)

    def change(state: State) -> State:
        return replace(state, overlaps=state.overlaps.with_columns({"severity": "note"}))

    (case,) = office.run(MAG, UXO, change=change)
    assert case.events[-1].kind == "settled_by_data"


def test_nothing_changed_is_nothing_new_also_where_the_sides_are_exchanged(office):
    office.run(MAG, UXO, HALO, NPA)
    before = office.rows()

    def exchange(state: State) -> State:
        columns = state.overlaps.table.column_names
        other = {"left": "right", "right": "left"}
        swapped = {
            name: state.overlaps.table[name.replace(side, other[side], 1)]
            for name in columns
            if (side := name.split("_")[0]) in other
        }
        order = {"left_first": "right_first", "right_first": "left_first"}
        told = state.overlaps.table["time_order"].to_pylist()
        swapped["time_order"] = [order.get(word, word) for word in told]
        return replace(state, overlaps=state.overlaps.with_columns(swapped))

    office.run(NPA, HALO, UXO, MAG, change=exchange)
    assert office.rows() == before


def test_a_quiet_neighbour_is_no_heir_of_what_was_redrawn_beside_it(office):
    """M1 is as it was; what was H1 comes back as another record that also lies on M1's ground."""
    beside = hazard(box(0, 50, 100, 150), "HALO", "H1", status="open", surveyed=EARLY)
    office.run(MAG, UXO, beside)
    cases = office.run(MAG, UXO, replace(beside, ground=box(0, 45, 100, 150), id="H9"))
    assert {frozenset(case.operators) for case in cases if case.present} == {
        frozenset({"MAG", "UXO Lao"}), frozenset({"MAG", "HALO"}), frozenset({"UXO Lao", "HALO"}),
    }  # fmt: skip
    assert len(cases) == 3


def test_a_record_that_is_gone_does_not_go_on_in_one_beside_it_that_is_as_it_was(office):
    """M1 lies on most of what M2 was, but M1 goes on in itself, and so in nothing else."""
    survey = replace(MAG, kind="SHA")
    inside = hazard(square(20), "MAG", "M2", status="open", surveyed=LATE)
    west, east = replace(UXO, ground=box(-40, 0, 15, 100)), replace(NPA, ground=box(105, 0, 200, 100))
    office.run(survey, inside, west, east)
    cases = office.run(survey, west, east)
    assert {case.operators: case.events[-1].cause for case in cases} == {
        ("MAG", "NPA"): "Record A is gone; nobody has decided this",
        ("MAG", "UXO Lao"): "evolution_unclear",
    }


def test_a_record_whose_box_is_out_of_date_goes_on_by_its_id(office):
    office.run(MAG, UXO)

    def change(state: State) -> State:
        far = {name: [9e9] * len(state.features) for name in BOX}
        return replace(state, features=state.features.with_columns(far))

    (case,) = office.run(replace(MAG, status="worked_on"), UXO, change=change)
    assert case.present


def test_ground_that_a_released_record_gives_up_is_no_hazard_that_was_lost(office):
    land = released(square(60), "UXO Lao", "R1", when=EARLY)
    office.run(replace(MAG, surveyed=LATE), land)
    (case,) = office.run(replace(MAG, surveyed=LATE), replace(land, ground=box(90, 0, 160, 100)))
    assert case.events[-1].kind == "moved"
    assert case.events[-1].data == {"a_hazard_lost_m2": 0.0}


def test_the_id_of_a_case_is_what_it_has_always_been(office):
    (case,) = office.run(MAG, UXO)
    assert case.case_id == "cce9b395429ff208f"


def test_what_people_decide_between_two_nights_is_held_against_data_that_have_not_changed(office):
    gone = replace(UXO, ground=square(100))
    office.run(MAG, UXO)
    office.run(MAG, gone)
    office.run(MAG, UXO)
    office.decide(Choice.WITHDRAW_B, shrinks_hazard=True)
    (case,) = office.run(MAG, UXO)
    assert case.status == "decided"
    (case,) = office.run(MAG, KEEPS)
    assert case.status == "finished"


KEEPS = hazard(square(9000), "UXO Lao", "keeps", status="open", surveyed=EARLY)


def test_of_what_is_gone_it_is_known_when_it_was_there_last(office):
    office.run(MAG, UXO, HALO, NPA)
    office.run(replace(MAG, status="worked_on"), UXO, HALO, NPA)
    office.run(MAG, HALO, NPA, KEEPS)
    known = known_cases(office.register, LAOS)
    numbers = dict(zip(known.sighting, known.last_present.tolist(), strict=True))
    assert sorted(numbers) == [min(numbers), 4]
    assert numbers[4] == 3
    assert numbers[min(numbers)] == min(numbers)


def test_a_case_of_which_one_record_was_read_in_another_working_crs_stands_in_one(office):
    office.run(MAG, UXO)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_cases, "LAOS", NORTH)
        patch.setattr(test_cases, "make_features", partial(make_features, crs=NORTH))
        (case,) = office.run(*(replace(item, ground=in_north(item.ground)) for item in (MAG, KEEPS)))
    seen = case.sighting
    assert (case.present, seen.working_crs) == (False, NORTH)
    assert seen.a.geometry.intersection(seen.b.geometry).area == pytest.approx(4000, abs=1)
    assert seen.geometry.intersection(seen.b.geometry).area == pytest.approx(4000, abs=1)
    table = office.register.case_table(LAOS)
    assert table.geometry[0].intersection(MAG.ground).area == pytest.approx(4000, abs=1)


def in_north(ground: shapely.Geometry) -> shapely.Geometry:
    return transform(np.array([ground]), choose_operation(LAOS, NORTH)[0])[0]


# The table of all cases.


def test_the_table_of_the_register_is_that_of_its_cases(office):
    office.run(MAG, UXO, HALO, replace(NPA, province="P", district="D"))
    first, other = office.register.cases()
    office.decide(Choice.B_CORRECTS, first, due=dt.date(2026, 5, 1), responsible="MAG", shrinks_hazard=True)
    with office.register.transaction():
        office.desk().assign(other, "Somchai", dt.date(2026, 6, 1))
    beside = hazard(square(0, 90), "HALO", "H2", status="open", surveyed=EARLY)
    office.run(MAG, UXO, HALO, beside, missing=("NPA",))

    def change(state: State) -> State:
        return replace(
            state, features=with_value(state.features, "operator", "HALO", "province_located", "Q")
        )

    office.run(MAG, HALO, KEEPS, change=change)
    cases = office.register.cases()
    table = office.register.case_table(LAOS)
    assert table.table.whole().equals(case_table(cases, LAOS).table.whole())
    assert to_wkb(table.geometry).equals(to_wkb(case_table(cases, LAOS).geometry))
    assert {case.operators: (case.first_seen.day, case.last_seen.day, case.present) for case in cases} == {
        ("HALO", "NPA"): (2, 4, True), ("MAG", "UXO Lao"): (2, 3, False), ("HALO", "MAG"): (3, 3, False),
        ("HALO", "UXO Lao"): (3, 3, False),
    }  # fmt: skip
    rows = {row["case_id"]: row for row in table.table.to_pylist()}
    told = rows[first.case_id], rows[other.case_id]
    assert [row["responsible"] for row in told] == ["MAG", "Somchai"]
    assert [row["due"] for row in told] == [dt.date(2026, 5, 1), dt.date(2026, 6, 1)]
    assert {row["a_date"] for row in rows.values()} == {EARLY}
    assert {(row["a_operator"], row["province"]) for row in rows.values()} == {
        ("HALO", "P"),
        ("MAG", None),
        ("HALO", None),
    }


def test_some_cases_are_read_as_they_are_among_all(office):
    office.run(MAG, UXO, HALO, NPA)
    office.decide(Choice.BOTH_VALID, office.register.cases()[0])
    office.run(MAG, HALO, NPA, KEEPS)
    for case in office.register.cases():
        assert office.register.cases([case.case_id]) == [case]
    assert office.register.cases([]) == []


# Which records are as they were, and which may go on in which.


def frame(*records: Area) -> Frame:
    return make_features(*records).features


def test_only_a_version_that_stands_once_on_either_side_goes_on_without_being_matched():
    now = frame(MAG, UXO, HALO, NPA, replace(NPA, file="again.gpkg"))
    current = Pairs(now, np.array([0, 2, 2]), np.array([1, 3, 4]))
    known, pair, flipped = unchanged(np.array([1, 2]), np.array([0, 3]), current, [])
    assert (known.tolist(), pair.tolist(), flipped.tolist()) == ([0], [0], [True])
    versions = now.table["version_id"].to_pylist()
    assert not len(unchanged(np.array([1]), np.array([0]), current, [versions[0]])[0])
    assert not len(unchanged(np.array([1]), np.array([-1]), current, [])[0])


@pytest.mark.parametrize(
    "later",
    [
        replace(MAG, id="new"),
        replace(MAG, ground=box(40, 0, 140, 100), id="new"),
        replace(MAG, ground=square(3000)),
    ],
    ids=["the same ground", "shared ground", "its id elsewhere"],
)
def test_what_may_be_a_continuation_is_within_reach_though_all_else_is_left_aside(later):
    far = [hazard(square(1000 * at, 50_000), "MAG", f"far{at}") for at in range(20)]
    known = Pairs(frame(MAG, UXO), np.array([0]), np.array([1]))
    now = frame(*far, later, UXO)
    found = match(known, Pairs(now, np.array([20]), np.array([21])), POLICY.lineage_share)
    if later.ground.equals(square(3000)):
        assert (found.successor.tolist(), found.after(0).tolist()) == ([-1], [])
    else:
        assert (found.successor.tolist(), found.after(0).tolist()) == ([0], [20])
    assert found.after(1).tolist() == [21]


# How it is written.

plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.dates(),
    st.text(st.characters(exclude_categories=["Cs"])),
)  # fmt: skip


@given(st.lists(plain, max_size=6))
def test_many_values_are_written_as_each_one_is(values):
    assert many_as_json(values) == [as_json(value) for value in values]


def test_a_figure_of_an_overlap_that_is_no_number_is_written_as_not_known(office):
    office.run(MAG, UXO)
    overlap = office.state.overlaps.with_columns({"mean_width_m": [float("nan")]})
    (text,) = pairs_as_json(overlap, [False])
    assert json.loads(text)["mean_width_m"] is None
    assert json.loads(text) == pair_columns(overlap.table.to_pylist()[0], flipped=False)


texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
numbers = st.none() | st.sampled_from([0.0, -0.0, 1e-7, 1e22, 0.1 + 0.2, 5e-324]) | st.floats(allow_nan=False)


@given(st.lists(st.tuples(texts, numbers, numbers, st.none() | st.dates()), min_size=1, max_size=5))
def test_records_are_written_column_by_column_as_row_by_row(rows):
    made = frame(*(replace(HALO, row=at) for at, _ in enumerate(rows, 1)))
    names = ("village_stated", "area_m2", "area_stated_m2", "date_surveyed")
    made = made.with_columns({name: [row[at] for row in rows] for at, name in enumerate(names)})
    _, written, wkb = records_as_rows(made)
    assert written == [as_json(row) for row in made.table.select(list(RECORD_COLUMNS)).to_pylist()]
    assert [json.loads(text)["village_stated"] for text in written] == [row[0] for row in rows]
    assert wkb == to_wkb(made.geometry).to_pylist()
