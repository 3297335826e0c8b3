"""What could silently go wrong with cases: each test is a way in which one was, or could be, misled."""

from dataclasses import replace

import pytest
import shapely
import test_cases
from make import EARLY, LAOS, box, hazard, make_features, square
from test_cases import MAG, UXO, Office, kinds

from geopipe.crs import choose_operation, transform
from geopipe.register.given_up import given_up
from geopipe.register.judge import Decided, Seen, judge
from geopipe.register.outcome import Expected
from geopipe.schema import REJECTED, make_frame
from geopipe.terms import Answer, CaseStatus, Choice

NORTH = "+proj=aea +lat_1=21 +lat_2=29 +lat_0=25 +lon_0=104 +x_0=700000 +y_0=3000000 +datum=WGS84 +units=m"
KEEPS = hazard(square(9000), "UXO Lao", "keeps", status="open", surveyed=EARLY)
HALO = hazard(square(0, 60), "HALO", "H1", status="open", surveyed=EARLY)
AS_DECIDED = replace(MAG, ground=box(0, 0, 60, 100))


class Returning(Office):
    """An office whose checks send some records back to their operators."""

    returned: tuple[str, ...] = ()

    def run(self, *records, missing=()):
        make = make_features
        back = [replace(r, file=f"{r.operator}-{self.night + 1}") for r in records if r.id in self.returned]

        def made(*named):
            rows = make(*back).features
            columns = {name: rows.table[name] for name in REJECTED.names if name in rows.table.column_names}
            rejected = make_frame(REJECTED, {**columns, "reason": "BOW_TIE"}, rows.geometry)
            return replace(make(*named), rejected=rejected)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(test_cases, "make_features", made)
            return super().run(*(r for r in records if r.id not in self.returned), missing=missing)


@pytest.fixture
def office(tmp_path):
    opened = Returning(tmp_path)
    yield opened
    opened.register.close()


# Records that nobody could read.


@pytest.mark.parametrize("act", ["position", "assign", "acknowledge", "send", "confirm"])
def test_people_may_work_on_a_case_that_is_not_observed(office, act):
    office.run(MAG, UXO, KEEPS)
    if act == "confirm":
        office.decide(Choice.A_CORRECTS, signed=False)
    before = office.case().status
    office.returned = ("U1",)
    office.run(MAG, UXO, KEEPS)
    assert office.case().status == CaseStatus.NOT_OBSERVED
    acts = {
        "position": lambda: office.desk().position(office.case(), "MAG", Answer.AGREE, "Somchai"),
        "assign": lambda: office.desk().assign(office.case(), "Somchai"),
        "acknowledge": lambda: office.desk().acknowledge(office.case(), "MAG"),
        "send": lambda: office.desk().send(office.case(), "MAG"),
        "confirm": lambda: office.desk().confirm(office.case(), office.paper()),
    }
    acts[act]()
    office.run(MAG, UXO, KEEPS)
    assert office.case().status == CaseStatus.NOT_OBSERVED
    office.returned = ()
    office.run(MAG, UXO, KEEPS)
    assert (office.case().status, office.case().present) == (before, True)


def test_a_record_that_changes_while_the_other_one_cannot_be_read_keeps_its_case(office):
    before = {case.case_id: case.operators for case in office.run(MAG, UXO, KEEPS, HALO)}
    edited = replace(MAG, status="worked_on")
    office.returned = ("U1",)
    office.run(edited, UXO, KEEPS, HALO)
    office.returned = ()
    cases = office.run(edited, UXO, KEEPS, HALO)
    assert {case.case_id: case.operators for case in cases} == before
    assert {case.status for case in cases} == {CaseStatus.BACKLOG}


# What was decided.


def test_a_thin_strip_that_was_left_over_does_not_hide_that_the_overlap_returns(office):
    office.run(MAG, UXO)
    office.decide(Choice.A_CORRECTS)
    (case,) = office.run(replace(MAG, ground=box(0, 0, 60.005, 100)), UXO)
    assert (case.status, case.present) == ("finished", True)
    (case,) = office.run(MAG, UXO)
    assert (case.status, kinds(case)[-1]) == ("needs_review", "returned")


def test_a_decision_stays_in_force_while_its_case_is_on_an_agenda_again(office):
    office.run(MAG, UXO)
    office.decide(Choice.A_CORRECTS)
    office.desk().put_on_agenda(office.case(), "TWG 4")
    (case,) = office.run(MAG, UXO)
    assert case.status == CaseStatus.ON_AGENDA
    (case,) = office.run(AS_DECIDED, UXO)
    assert (case.status, kinds(case)[-1]) == ("finished", "finished")


def test_both_stay_decided_on_what_somebody_saw_a_night_ago_is_held_against_the_data(office):
    (seen,) = office.run(MAG, UXO)
    office.run(replace(MAG, ground=square(5)), UXO)
    office.decide(Choice.BOTH_VALID, case=seen)
    (case,) = office.run(replace(MAG, ground=square(5)), UXO)
    assert case.status == CaseStatus.NEEDS_REVIEW


@pytest.mark.parametrize(
    ("choice", "status"), [(Choice.ACCEPT, "accepted_exception"), (Choice.FIELD_SURVEY, "decided")]
)
def test_what_was_decided_after_the_overlap_had_gone_stands_until_it_returns(office, choice, status):
    away = [MAG, replace(UXO, ground=square(100.5))]
    office.run(MAG, UXO)
    (gone,) = office.run(*away)
    assert (gone.status, gone.present) == ("changed_without_decision", False)
    office.decide(choice)
    assert office.run(*away)[0].status == status
    assert office.run(MAG, UXO)[0].status == CaseStatus.NEEDS_REVIEW


def test_withdrawing_a_record_that_is_gone_already_finishes_its_case_and_takes_it_off_the_map(office):
    same = replace(UXO, ground=square())
    office.run(MAG, same, KEEPS)
    (gone,) = office.run(MAG, KEEPS)
    assert (gone.status, len(office.state.carried)) == ("changed_without_decision", 1)
    office.decide(Choice.WITHDRAW_B if gone.sighting.b.operator == "UXO Lao" else Choice.WITHDRAW_A)
    (case,) = office.run(MAG, KEEPS)
    assert (case.status, len(office.state.carried)) == ("finished", 0)


def mag_corrects(office):
    """Decide of each case of MAG's record that it gives up what it shares."""
    for case in office.register.cases():
        if "MAG" in case.operators:
            office.decide(Choice.A_CORRECTS if case.operators[0] == "MAG" else Choice.B_CORRECTS, case)


def of_mag(office):
    return [case.status for case in office.register.cases() if "MAG" in case.operators]


def test_two_decisions_about_one_record_that_were_both_carried_out_are_finished(office):
    office.run(MAG, UXO, HALO)
    mag_corrects(office)
    office.run(AS_DECIDED, UXO, HALO)
    assert sorted(of_mag(office)) == ["decided", "finished"]
    office.run(replace(MAG, ground=box(0, 0, 60, 60)), UXO, HALO)
    assert of_mag(office) == ["finished", "finished"]


def test_what_another_decision_asks_for_does_not_stand_for_what_this_one_asks_for(office):
    within = replace(UXO, ground=box(40, 70, 90, 90))
    office.run(MAG, within, HALO)  # all that MAG shares with UXO Lao, it shares with HALO, too
    mag_corrects(office)
    office.run(MAG, within, HALO)
    assert of_mag(office) == ["decided", "decided"]
    office.run(replace(MAG, ground=box(0, 0, 100, 60)), within, HALO)
    assert of_mag(office) == ["finished", "finished"]


def test_a_record_that_changes_where_nobody_decided_is_not_as_decided(office):
    office.run(MAG, UXO, HALO)
    mag_corrects(office)
    office.run(replace(MAG, ground=box(10, 0, 60, 60)), UXO, HALO)
    assert of_mag(office) == ["corrected_differently", "corrected_differently"]


# What may leave the map.


def test_a_decision_lets_a_record_go_and_no_other_one_on_the_same_ground(office):
    third = replace(HALO, ground=square())
    office.run(MAG, replace(UXO, ground=square()), third, KEEPS, replace(KEEPS, operator="HALO"))
    case = next(c for c in office.register.cases() if set(c.operators) == {"MAG", "UXO Lao"})
    office.decide(Choice.WITHDRAW_B if case.operators[1] == "UXO Lao" else Choice.WITHDRAW_A, case=case)
    office.run(MAG, KEEPS, replace(KEEPS, operator="HALO"))
    told = {row["code"]: row["operator"] for row in office.state.findings.table.to_pylist()}
    assert told == {"HAZARD_GIVEN_UP_BY_DECISION": "UXO Lao", "HAZARD_VANISHED": "HALO"}


def test_a_decision_that_was_undone_or_replaced_by_a_provisional_one_lets_nothing_go(office):
    office.run(MAG, UXO)
    office.decide(Choice.A_CORRECTS)
    assert len(given_up(office.register, LAOS)) == 1
    office.decide(Choice.A_CORRECTS, signed=False)
    assert len(given_up(office.register, LAOS)) == 0
    office.decide(Choice.A_CORRECTS, note="minutes found")
    assert len(given_up(office.register, LAOS)) == 1
    office.desk().reopen(office.case(), "new survey")
    assert len(given_up(office.register, LAOS)) == 0
    office.run(AS_DECIDED, UXO)
    assert office.state.findings.table["code"].to_pylist() == ["HAZARD_SHRANK"]


def test_what_was_decided_is_the_same_ground_in_another_working_crs(office):
    office.run(MAG, UXO)
    office.decide(Choice.A_CORRECTS)
    here, there = (given_up(office.register, crs).geometry[0] for crs in (LAOS, NORTH))
    (back,) = transform(given_up(office.register, NORTH).geometry, choose_operation(NORTH, LAOS)[0])
    assert shapely.distance(here, there) > 100_000
    assert back.symmetric_difference(here).area < 0.01


# The judge alone.

RULES = test_cases.POLICY.moved


def test_two_records_that_became_one_are_called_so():
    whole = square()
    before, now = Seen(box(0, 0, 60, 100), box(40, 0, 100, 100), True), Seen(whole, whole, False)
    found = judge(CaseStatus.BACKLOG, True, before, now, None, RULES)
    assert found is not None
    assert (found.status, found.cause) == (
        "changed_without_decision",
        "The two records became one; nobody has decided this",
    )


def test_rounding_at_the_border_of_what_is_finished_is_no_return():
    a, b = box(0, 0, 60, 100), square(60)
    decided = Decided(Choice.A_CORRECTS, True, Expected(a, b))
    before = Seen(square(), b, True)
    for width_m, status in ((60.004, None), (61, CaseStatus.NEEDS_REVIEW)):
        now = Seen(box(0, 0, width_m, 100), b, True)
        found = judge(CaseStatus.FINISHED, False, before, now, decided, RULES)
        assert (found and found.status) == status


# Hazard of which everybody thought that somebody else shows it.


def on_map_m2(office):
    areas = office.state.features
    return shapely.union_all(areas.geometry[areas.flags("kind", ["CHA", "SHA"])]).area


def test_ground_that_three_give_up_to_one_another_stays_hazard(office):
    three = {
        "MAG": hazard(square(), "MAG", "A", status="open", surveyed=EARLY),
        "UXO Lao": hazard(square(50), "UXO Lao", "B", status="open", surveyed=EARLY),
        "HALO": hazard(square(20, 40), "HALO", "C", status="open", surveyed=EARLY),
    }
    gives_to = {"MAG": "UXO Lao", "UXO Lao": "HALO", "HALO": "MAG"}
    for case in office.run(*three.values()):
        a, b = case.operators
        office.decide(Choice.A_CORRECTS if gives_to[a] == b else Choice.B_CORRECTS, case)
    before_m2 = on_map_m2(office)
    office.run(
        *(
            replace(item, ground=item.ground.difference(three[gives_to[who]].ground))
            for who, item in three.items()
        )
    )
    assert on_map_m2(office) == pytest.approx(before_m2, abs=1)
    assert "HAZARD_SHRANK" in office.state.findings.table["code"].to_pylist()


def test_ground_is_not_given_up_to_a_record_that_has_left_it(office):
    other = replace(UXO, operator="MAG", id="M2")
    office.run(MAG, other)
    office.decide(Choice.A_CORRECTS)
    smaller = replace(other, ground=box(100, 0, 160, 100))
    office.run(MAG, smaller)  # MAG's first record covers what the second has left
    office.run(AS_DECIDED, smaller)
    assert on_map_m2(office) == pytest.approx(16_000, abs=1)
    assert office.state.findings.table["code"].to_pylist() == ["HAZARD_SHRANK"]
