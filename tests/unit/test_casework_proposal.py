"""What is proposed is safe: it never takes ground off the map of hazard, nor shows more as released."""

from dataclasses import replace

import pytest
from casework_fixtures import register_of
from make import EARLY, LATE, POLICY, box, hazard, released, square

from geopipe.casework.facts import closed_sides
from geopipe.casework.proposal import propose
from geopipe.register.outcome import dangers
from geopipe.register.register import Register
from geopipe.terms import Choice


@pytest.fixture
def only(tmp_path):
    """Return a function: the only case of two records."""

    def case(*records):
        with Register.existing(register_of(tmp_path, *records)) as register:
            (found,) = register.cases()
        return found

    return case


def proposal(case):
    return propose(case, POLICY)


def side(case, id):
    """A or B: where the record with this id stands."""
    return "a" if case.sighting.a.columns["source_id"] == id else "b"


def test_of_two_hazards_the_later_one_gives_up_the_ground_that_the_first_covers(only):
    case = only(hazard(square(), "MAG", "M1", when=EARLY), hazard(square(60), "NPA", "N1", when=LATE))
    assert proposal(case).choice == f"{side(case, 'N1')}_corrects"


def test_a_hazard_wholly_on_an_earlier_one_is_withdrawn(only):
    case = only(hazard(square(), "MAG", "M1", when=EARLY), hazard(square(20, 20, 30), "NPA", "N1", when=LATE))
    assert proposal(case).choice == f"withdraw_{side(case, 'N1')}"


def test_suspicion_gives_way_to_evidence_whatever_came_first(only):
    case = only(
        hazard(square(), "MAG", "M1", kind="SHA", when=None),
        hazard(square(60), "NPA", "N1", kind="CHA", when=LATE),
    )
    assert proposal(case).choice == f"{side(case, 'M1')}_corrects"


def test_a_closed_hazard_covers_nothing_so_the_open_one_keeps_its_ground(only):
    first = hazard(square(), "MAG", "M1", when=EARLY, status="closed")
    case = only(first, hazard(square(60), "NPA", "N1", when=LATE, status="open"))
    assert proposal(case).choice == f"{side(case, 'M1')}_corrects"


def test_hazard_on_released_land_must_be_looked_at(only):
    case = only(released(square(), "MAG", "M1", when=EARLY), hazard(square(60), "NPA", "N1", when=LATE))
    assert proposal(case).choice == Choice.FIELD_SURVEY


def test_hazard_and_release_of_unknown_order_go_back_for_their_dates(only):
    case = only(released(square(), "MAG", "M1", when=EARLY), hazard(square(60), "NPA", "N1"))
    asked = proposal(case)
    assert asked.choice == Choice.RETURN_TO_OPERATOR
    assert f"{side(case, 'N1').upper()} has no date" in str(asked.reasons[0])


def test_ground_belongs_to_its_earliest_completion(only):
    case = only(released(square(), "MAG", "M1", when=LATE), released(square(60), "NPA", "N1", when=EARLY))
    assert proposal(case).choice == f"{side(case, 'M1')}_corrects"


def test_deeper_clearance_of_the_same_ground_is_no_mistake(only):
    case = only(
        released(square(), "MAG", "M1", when=EARLY, depth=10.0),
        released(square(60), "NPA", "N1", when=LATE, depth=50.0),
    )
    deeper = proposal(case)
    assert deeper.choice == Choice.BOTH_VALID
    assert any("50 cm" in str(reason) for reason in deeper.reasons)
    assert not any("50 cm" in str(reason) for reason in deeper.shareable)


def test_land_that_was_cleared_stays_cleared_where_another_only_cancelled_it(only):
    case = only(
        released(square(), "MAG", "M1", kind="CANCELLED", when=EARLY),
        released(square(60), "NPA", "N1", when=LATE),
    )
    assert proposal(case).choice == f"{side(case, 'M1')}_corrects"


def test_two_records_of_one_operator_go_back_to_it(only):
    case = only(hazard(square(), "MAG", "M1", when=EARLY), hazard(square(60), "MAG", "M2", when=LATE))
    assert proposal(case).choice == Choice.RETURN_TO_OPERATOR


def test_an_overlap_narrower_than_surveys_are_accurate_says_so(only):
    case = only(
        hazard(square(), "MAG", "M1", when=EARLY), hazard(box(99.95, 0, 200, 100), "NPA", "N1", when=LATE)
    )
    assert any("narrower than surveys" in str(reason) for reason in proposal(case).reasons)


def test_an_overlap_that_is_gone_is_asked_about(only):
    case = only(hazard(square(), "MAG", "M1", when=EARLY), hazard(square(60), "NPA", "N1", when=LATE))
    assert proposal(replace(case, present=False)).choice == Choice.RETURN_TO_OPERATOR


@pytest.mark.parametrize("status", ["open", "closed", "unknown"])
@pytest.mark.parametrize("one", ["SHA", "CHA", "CLEARED", "REDUCED", "CANCELLED"])
@pytest.mark.parametrize("other", ["SHA", "CHA", "CLEARED", "CANCELLED"])
def test_no_proposal_is_unsafe(tmp_path, one, other, status):
    makes = {"SHA": hazard, "CHA": hazard}
    grounds = [(square(), square(60)), (square(), square(20, 20, 30)), (square(), square())]
    for number, (a, b) in enumerate(grounds):
        records = (
            makes.get(one, released)(a, "MAG", "M1", kind=one, when=EARLY, status=status),
            makes.get(other, released)(b, "NPA", "N1", kind=other, when=LATE),
        )
        with Register.existing(register_of(tmp_path / str(number), *records)) as register:
            for case in register.cases():
                sides = case.sighting.a, case.sighting.b
                kinds = [side.columns["kind"] for side in sides]
                shapes = [side.geometry for side in sides]
                chosen = propose(case, POLICY).choice
                assert not dangers(chosen, *kinds, *shapes, closed=closed_sides(case))
