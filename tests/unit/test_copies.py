"""The operator's delivery and the national database hold copies of one truth: matched, never overlaps."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from make import EARLY, LATE, POLICY, box, findings, hazard, make_features, released, square

from geopipe.lineages.pairing import fold_id
from geopipe.schema import DUPLICATES, REJECTED, check, concat, make_frame, no_geometry
from geopipe.stages.copies import COPIES, copies

ROLES = {"operator": "mine.gpkg", "national_database": "imsma.gpkg"}


def both(delivered, national, modes=("snapshot", "snapshot")):
    """What an operator delivered, and what the national database holds of it."""
    frames, deliveries = [], []
    for records, (role, file), mode in zip((delivered, national), ROLES.items(), modes, strict=True):
        state = make_features(*(replace(record, file=file) for record in records))
        frames.append(state.features.with_columns({"role": role}))
        deliveries += [replace(item, role=role, mode=mode) for item in state.deliveries]
    features = concat(frames)
    order = np.argsort(features.numpy("row_id").astype(str))
    return replace(state, features=features.take(order), deliveries=tuple(deliveries))


def compared(delivered, national, **more):
    result = copies(both(delivered, national, **more), POLICY)
    check(result.copies, COPIES, "copies")
    check(result.state.duplicates, DUPLICATES, "duplicates")
    return result


def outcomes(result):
    """(outcome, what matched, id in the delivery, id in the database) of each line."""
    last = lambda text: None if text is None else text.rsplit(":", 1)[-1]  # noqa: E731
    return sorted(
        (
            row["outcome"],
            row["matched_by"] or "",
            last(row["operator_id"]) or "",
            last(row["national_id"]) or "",
        )
        for row in result.copies.table.to_pylist()
    )


def codes(result):
    return sorted(result.state.findings.table["code"].to_pylist())


# The same record in both.


def test_a_national_copy_that_says_the_same_is_set_aside():
    result = compared([hazard(square(), id="1")], [hazard(square(), id="1")])
    assert outcomes(result) == [("same", "id", "1", "1")]
    assert result.state.features.table["file"].to_pylist() == ["mine.gpkg"]
    (row,) = result.state.duplicates.table.to_pylist()
    assert (row["how"], row["outcome"], row["file"]) == ("national_copy", "duplicate", "imsma.gpkg")
    assert row["of_row_id"] == "mine.gpkg::00000001"
    assert codes(result) == []
    assert result.both_kept.num_rows == 0


def test_rounding_to_seven_decimals_is_no_difference():
    result = compared([hazard(square(), id="1")], [hazard(square(0.01), id="1")])
    assert outcomes(result) == [("same", "id", "1", "1")]
    assert len(result.state.features) == 1


@pytest.mark.parametrize(
    ("operators", "national"),
    [("XK-0042", "xk 42"), ("XK_42", "XK0042"), (" 0042", "42"), ("ທ-໐໐໔", "ທ-004")],
)
def test_ids_are_matched_as_people_mean_them(operators, national):
    assert outcomes(compared([hazard(square(), id=operators)], [hazard(square(), id=national)]))[0][:2] == (
        "same",
        "id",
    )


def test_ids_that_only_look_alike_are_two():
    assert fold_id("1-23") != fold_id("12-3")
    assert fold_id("XK-1") != fold_id("XK-10")
    assert fold_id("XK-1A") != fold_id("XK-1B")


def test_an_exact_id_wins_over_one_that_is_only_like_it():
    result = compared(
        [hazard(square(), id="XK-1"), hazard(square(500), id="XK-01")],
        [hazard(square(500), id="XK-01"), hazard(square(), id="XK-1")],
    )
    assert outcomes(result) == [("same", "id", "XK-01", "XK-01"), ("same", "id", "XK-1", "XK-1")]


def test_a_guid_finds_a_record_that_has_another_id_and_place():
    state = both([hazard(square(), id="1")], [hazard(square(60), id="hazard_poly_7")])
    state = replace(state, features=state.features.with_columns({"guid": ["g", "g"]}))
    result = copies(state, POLICY)
    assert outcomes(result) == [("differs", "guid", "1", "hazard_poly_7")]


def test_ground_finds_a_record_whose_ids_have_nothing_in_common():
    result = compared(
        [hazard(square(), id="1"), hazard(square(500), id="2")],
        [hazard(square(), id="hazard_poly_7"), hazard(square(502), id="hazard_poly_8")],
    )
    assert outcomes(result) == [
        ("differs", "near_equal", "2", "hazard_poly_8"),
        ("same", "ground", "1", "hazard_poly_7"),
    ]


def test_ground_wins_over_ids_that_are_counted_separately():
    """Both number their records 1, 2, 3, but mean different ones."""
    result = compared(
        [hazard(square(), id="1"), hazard(square(500), id="2")],
        [hazard(square(500), id="1"), hazard(square(), id="2")],
    )
    assert outcomes(result) == [("same", "ground", "1", "2"), ("same", "ground", "2", "1")]


def test_an_id_that_stands_elsewhere_in_the_database_differs():
    result = compared([hazard(square(), id="1")], [hazard(square(500), id="1")])
    assert outcomes(result) == [("differs", "id", "1", "1")]


@pytest.mark.parametrize("other", [{"operator": "HALO"}, {"register": "other"}])
def test_records_of_another_operator_or_register_are_no_copies(other):
    result = compared([hazard(square(), id="1")], [hazard(square(), **{"id": "1", **other})])
    assert outcomes(result) == []
    assert codes(result) == ["COPIES_NOT_COMPARED"]


# Copies that differ.


def test_copies_that_differ_are_told_with_what_and_with_the_ground():
    result = compared(
        [hazard(square(), id="1", status="closed", surveyed=LATE)],
        [hazard(box(0, 0, 100, 80), id="1", status="open", surveyed=LATE)],
    )
    (told,) = findings(result.state, "COPIES_DIFFER")
    assert told["measure"] == pytest.approx(2000)
    assert told["file"] == "mine.gpkg"
    assert "2,000.0 m2 of ground differ; status: closed, national database open" in told["sentence"]
    assert result.copies.geometry[0].equals(box(0, 80, 100, 100))
    assert len(result.state.features) == 2
    assert result.both_kept.to_pylist() == [
        {"operator_row_id": "mine.gpkg::00000001", "national_row_id": "imsma.gpkg::00000001"}
    ]


def test_what_only_one_copy_states_is_no_difference():
    result = compared([hazard(square(), id="1", status="open", surveyed=LATE)], [hazard(square(), id="1")])
    assert outcomes(result) == [("same", "id", "1", "1")]


@pytest.mark.parametrize(
    ("operators", "national"),
    [
        ({"surveyed": EARLY}, {"surveyed": LATE}),
        ({"status": "closed"}, {"status": "open"}),
        ({}, {"surveyed": LATE}),
    ],
    ids=["older survey", "closed", "no date"],
)
def test_a_national_copy_that_would_raise_an_alarm_stays(operators, national):
    result = compared([hazard(square(), id="1", **operators)], [hazard(square(), id="1", **national)])
    assert len(result.state.features) == 2
    assert result.both_kept.num_rows == 1


def test_a_copy_of_another_kind_stays():
    result = compared([hazard(square(), id="1", kind="SHA")], [hazard(square(), id="1", kind="CHA")])
    assert len(result.state.features) == 2
    assert codes(result) == ["COPIES_DIFFER"]


def test_a_national_record_that_stands_for_another_one_stays():
    state = both([hazard(square(), id="1")], [hazard(square(), id="1")])
    row = {"row_id": "imsma.gpkg::00000009", "of_row_id": "imsma.gpkg::00000001", "how": "equal"}
    state = replace(state, duplicates=make_frame(DUPLICATES, row, no_geometry(1)))
    assert len(copies(state, POLICY).state.features) == 2


# Records that only one side has.


def test_a_delivered_record_that_the_database_does_not_hold_is_told():
    result = compared([hazard(square(), id="1"), hazard(square(500), id="2")], [hazard(square(), id="1")])
    (told,) = findings(result.state)
    assert (told["code"], told["severity"], told["record_id"]) == ("NOT_IN_IMSMA", "check", "MAG:hazard:2")
    assert outcomes(result)[0] == ("not_in_imsma", "", "2", "")


def test_a_national_record_that_its_operator_did_not_deliver_is_told():
    result = compared([hazard(square(), id="1")], [hazard(square(), id="1"), hazard(square(500), id="2")])
    (told,) = findings(result.state)
    assert (told["code"], told["file"]) == ("NOT_DELIVERED", "imsma.gpkg")
    assert outcomes(result)[0] == ("not_delivered", "", "", "2")
    assert len(result.state.features) == 2


@pytest.mark.parametrize(
    "modes", [("increment", "increment"), ("increment", "snapshot"), ("snapshot", "increment")]
)
def test_absence_is_only_inferred_from_a_whole_register(modes):
    result = compared(
        [hazard(square(), id="1"), hazard(square(500), id="2")],
        [hazard(square(), id="1"), hazard(square(900), id="3")],
        modes=modes,
    )
    expected = {"snapshot": ["NOT_DELIVERED"], "increment": []}[modes[0]]
    expected += {"snapshot": ["NOT_IN_IMSMA"], "increment": []}[modes[1]]
    assert codes(result) == expected


def test_a_record_that_went_back_to_its_operator_was_delivered():
    state = both([hazard(square(), id="1")], [hazard(square(), id="1"), hazard(square(500), id="2")])
    row = {"file": "mine.gpkg", "operator": "MAG", "kind": "CHA", "source_id": "2", "reason": "NULL_GEOMETRY"}
    state = replace(state, rejected=make_frame(REJECTED, row, no_geometry(1)))
    assert codes(copies(state, POLICY)) == []


def test_a_second_version_of_a_record_is_known_to_the_database():
    result = compared(
        [hazard(square(), id="1", informed=EARLY), hazard(box(0, 0, 80, 100), id="1", informed=LATE)],
        [hazard(square(), id="1")],
    )
    assert "NOT_IN_IMSMA" not in codes(result)


def test_without_a_national_export_nothing_is_said():
    state = make_features(
        hazard(square(), id="1"), released(square(500), id="2", completed=dt.date(2020, 1, 1))
    )
    assert copies(state, POLICY).state is state
