"""What vanished stays on the map with its alarm, delivery after delivery; the same input says the same."""

import datetime as dt
from dataclasses import replace

import pytest
from make import LAOS, POLICY, box, hazard, make_features, released, square

from geopipe.history import hold_against, summary_of, with_copies, with_history, write_changes
from geopipe.io.ledgers.ledger import Ledger
from geopipe.io.ledgers.received import received
from geopipe.schema import State, concat
from geopipe.stages.deduplicate import deduplicate
from geopipe.stages.overlaps import overlaps

AT = dt.datetime(2026, 4, 10, tzinfo=dt.UTC)
EARLY, LATE = dt.date(2020, 3, 1), dt.date(2024, 3, 1)
KEEPS = hazard(square(5000), id="keeps")


def file(name, *records, mode="snapshot", operator="MAG", role="operator"):
    state = make_features(*(replace(record, file=name) for record in records))
    (known,) = state.deliveries
    known = replace(known, content_hash=name, mode=mode, operator=operator, role=role)
    return replace(state, deliveries=(known,), features=state.features.with_columns({"role": role}))


class Office:
    """Runs one after the other over a ledger, as a pipeline makes them."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *files):
        placed = State(
            deliveries=tuple(item for one in files for item in one.deliveries),
            features=concat([one.features for one in files]),
            working_crs=LAOS,
        )
        with Ledger.open(self.folder) as ledger:
            items = received(placed)
            before = ledger.before(items, LAOS)
            kept = deduplicate(placed, POLICY)
            found = hold_against(kept, before.previous, before.carried, POLICY)
            state = with_history(kept, found)
            ledger.record("run", AT, items, state, state.carried)
        return found, state


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


def codes(found):
    return sorted(found.findings.table["code"].to_pylist())


def on_map(state):
    return sorted(state.features.table["source_id"].to_pylist())


def test_the_first_delivery_is_the_baseline(office):
    found, state = office.run(file("a", hazard(square(), id="1")))
    assert (codes(found), len(found.changes), on_map(state)) == ([], 0, ["1"])


def test_a_vanished_hazard_stays_on_the_map_with_its_alarm_run_after_run(office):
    office.run(file("a", hazard(square(), id="1"), KEEPS))
    second = file("b", KEEPS)
    for delivered in (second, second, file("c", replace(KEEPS, status="open"))):
        found, state = office.run(delivered)
        assert codes(found) == ["HAZARD_VANISHED"]
        assert state.findings.table["code"].to_pylist() == ["HAZARD_VANISHED"]
        assert on_map(state) == ["1", "keeps"]


def test_the_alarm_stays_when_another_operator_delivers(office):
    office.run(file("a", hazard(square(), id="1"), KEEPS))
    office.run(file("b", KEEPS))
    found, state = office.run(file("h", hazard(square(9000), "HALO", "H"), operator="HALO"))
    assert codes(found) == ["HAZARD_VANISHED"]
    assert on_map(state) == ["1", "H", "keeps"]
    found, _ = office.run(file("b", KEEPS))
    assert codes(found) == ["HAZARD_VANISHED"]


def test_a_vanished_hazard_goes_when_its_release_is_delivered(office):
    office.run(file("a", hazard(square(), id="1", surveyed=EARLY), KEEPS))
    office.run(file("b", KEEPS))
    found, state = office.run(file("c", KEEPS, released(square(), id="R", completed=LATE)))
    assert codes(found) == ["HAZARD_RELEASED_SINCE"]
    assert on_map(state) == ["R", "keeps"]


def test_a_shrunk_hazard_keeps_its_old_outline_beside_the_new_one(office):
    office.run(file("a", hazard(square(), id="1")))
    for name in ("b", "c"):
        found, state = office.run(file(name, hazard(box(0, 0, 70, 100), id="1", status="open")))
        assert codes(found) == ["HAZARD_SHRANK"]
        assert sorted(state.features.table["area_m2"].to_pylist()) == pytest.approx([7000, 10_000])


def test_increments_pile_up_on_the_snapshot(office):
    office.run(file("a", hazard(square(), id="1"), hazard(square(500), id="2")))
    office.run(file("b", hazard(square(900), id="3"), mode="increment"))
    found, state = office.run(file("c", hazard(square(500, side=120), id="2"), mode="increment"))
    assert codes(found) == []
    assert on_map(state) == ["1", "2", "3"]
    assert found.changes.table["change"].to_pylist() == ["edited"]


def test_an_increment_that_moves_an_id_leaves_the_old_ground_on_the_map(office):
    office.run(file("a", hazard(square(), id="1")))
    office.run(file("b", hazard(square(900), id="1"), mode="increment"))
    found, state = office.run(file("c", hazard(square(2000), id="3"), mode="increment"))
    assert codes(found) == ["HAZARD_VANISHED"]
    assert sorted(area.bounds[0] - 500_000 for area in state.features.geometry) == [0, 900, 2000]


def test_who_does_not_deliver_stays_on_the_map_without_an_alarm(office):
    office.run(file("a", hazard(square(), id="1")))
    found, state = office.run(file("h", hazard(square(9000), "HALO", "H"), operator="HALO"))
    assert (codes(found), on_map(state)) == ([], ["1", "H"])
    assert (len(state.earlier), len(state.carried)) == (1, 0)


def test_a_file_of_the_same_name_is_another_delivery(office, tmp_path):
    """What stays of the first file is neither counted as delivered now, nor makes its register complete."""
    office.run(file("a", hazard(square(), id="1"), released(square(500), id="R")))
    second = file("b", released(square(500), id="R"))
    second = replace(
        second,
        deliveries=(replace(second.deliveries[0], file="a"),),
        features=second.features.with_columns({"file": "a"}),
    )
    found, state = office.run(second)
    assert codes(found) == ["REGISTER_NOT_DELIVERED"]
    assert on_map(state) == ["1", "R"]
    with Ledger.open(tmp_path) as ledger:
        assert [row["kept"] for row in ledger.deliveries()] == [2, 1]


def test_a_second_run_over_the_same_deliveries_says_the_same(office):
    office.run(file("a", hazard(square(), id="1"), hazard(square(500), id="2"), KEEPS))
    second = file("b", hazard(box(0, 0, 70, 100), id="1"), hazard(square(900), id="3"), KEEPS)
    runs = [office.run(second) for _ in range(3)]
    for found, state in runs[1:]:
        assert found.changes.table.whole().equals(runs[0][0].changes.table.whole())
        assert found.findings.table.whole().equals(runs[0][0].findings.table.whole())
        assert state.features.table.whole().equals(runs[0][1].features.table.whole())


def test_what_stays_is_compared_with_other_operators(office):
    office.run(file("a", hazard(square(), id="1"), KEEPS))
    release = released(box(0, 0, 50, 100), "HALO", "R", completed=EARLY)
    _, state = office.run(file("b", KEEPS), file("h", release, operator="HALO"))
    pairs = overlaps(state, POLICY).overlaps.table.to_pylist()
    assert [(pair["left_id"], pair["right_id"]) for pair in pairs] == [
        ("HALO:land_release:R", "MAG:hazard:1")
    ]


def test_a_national_copy_of_an_earlier_export_is_set_aside_but_not_counted_as_delivered(office):
    """Deduplication knows nothing of roles here, so the two copies are delivered one after the other."""
    office.run(file("n", hazard(square(), id="1"), role="national_database"))
    found, state = office.run(file("a", hazard(square(), id="1"), KEEPS))
    assert len(found.remaining) == 1
    assert len(state.features) == 3
    settled = with_copies(state, POLICY)
    assert settled.state.features.table["role"].to_pylist() == ["operator", "operator"]
    assert len(settled.state.duplicates) == 0
    assert settled.copies.table["set_aside"].to_pylist() == [True]


def test_changes_are_written_with_their_ground_and_read_back(office, tmp_path):
    from conftest import read_layer

    office.run(file("a", hazard(square(), id="1"), KEEPS))
    found, state = office.run(file("b", hazard(box(0, 0, 70, 100), id="1"), KEEPS))
    geopackage, summary = write_changes(found, state.working_crs, tmp_path / "out")
    (row,) = read_layer(geopackage, "changes")
    assert (row["change"], row["lost_m2"]) == ("edited", pytest.approx(3000))
    assert row["geometry"].area == pytest.approx(3000)
    assert read_layer(geopackage, "findings")[0]["code"] == "HAZARD_SHRANK"
    assert summary.read_text(encoding="utf-8").startswith("{")
    assert summary_of(found)["changes"] == {"edited": 1}
