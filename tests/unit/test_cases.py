"""A case is a pair of lineages: it survives new ids, and its decision never passes to other ground."""

import datetime as dt
from dataclasses import replace

import pytest
from make import EARLY, LAOS, LATE, POLICY, box, hazard, make_features, released, square

from geopipe.errors import ConfigError
from geopipe.history import hold_against, with_history
from geopipe.io.ledgers.received import received
from geopipe.policies import Tolerance
from geopipe.register.desk import Desk
from geopipe.register.given_up import KeptHazard, give_up, given_up
from geopipe.register.papers import keep_paper
from geopipe.register.register import Register
from geopipe.stages.deduplicate import deduplicate
from geopipe.stages.overlaps import overlaps
from geopipe.terms import Answer, CaseStatus, Choice

START = dt.datetime(2026, 1, 1, 20, tzinfo=dt.UTC)


class Office:
    """One night after the other: whole registers of some operators, as `geopipe run` follows them."""

    def __init__(self, folder):
        self.folder, self.night, self.policy = folder, 0, POLICY
        self.register = Register.open(folder)

    def run(self, *records, missing=()):
        """Run a night on the records of all operators; the files of those `missing` did not come."""
        self.night += 1
        at = START + dt.timedelta(days=self.night)
        here = [record for record in records if record.operator not in missing]
        named = [replace(record, file=f"{record.operator}-{self.night}") for record in here]
        made = make_features(*named)
        deliveries = tuple(
            replace(item, content_hash=item.file, mode="snapshot", operator=item.file.split("-")[0])
            for item in made.deliveries
        )
        features = made.features.with_columns({"role": "operator"})
        state = replace(made, deliveries=deliveries, features=features)
        came = received(state)
        with self.register.transaction():
            before = self.register.ledger.before(came, LAOS)
            state = replace(state, given_up=given_up(self.register, LAOS), today=at.date())
            settled = deduplicate(state, POLICY)
            found = hold_against(settled, before.previous, before.carried, POLICY)
            state = overlaps(with_history(settled, found), POLICY)
            number = self.register.begin_run(at, at.date(), state, self.policy, {})
            self.register.publish_run(number, f"run-{number}", {}, {})
            self.register.ledger.record(f"run-{number}", at, came, state, state.carried)
        self.state = state
        return self.register.cases()

    def case(self):
        (case,) = self.register.cases()
        return case

    def desk(self):
        return Desk(self.register, "Bounmy", START + dt.timedelta(days=self.night, hours=1))

    def paper(self, signed=True):
        minutes = self.folder / "minutes.pdf"
        minutes.write_bytes(b"signed")
        with self.register.transaction():
            return keep_paper(
                self.register, "TWG", dt.date(2026, 2, 1), "3", minutes if signed else None, "Bounmy", START
            )

    def decide(self, choice, case=None, signed=True, **more):
        return self.desk().decide(case or self.case(), choice, "TWG", POLICY, self.paper(signed), **more)


@pytest.fixture
def office(tmp_path):
    opened = Office(tmp_path)
    yield opened
    opened.register.close()


MAG = hazard(square(), "MAG", "M1", status="open", surveyed=EARLY)
UXO = hazard(square(60), "UXO Lao", "U1", status="open", surveyed=EARLY)


def kinds(case):
    return [event.kind for event in case.events]


def statuses(cases):
    return [case.status for case in cases]


# Birth.


def test_the_first_run_is_the_baseline_and_later_cases_are_new(office):
    (case,) = office.run(MAG, UXO)
    assert (case.status, case.number, case.operators) == ("backlog", "XXX-2026-0001", ("MAG", "UXO Lao"))
    assert case.sighting.area_m2 == pytest.approx(4000)
    more = hazard(square(0, 90), "HALO", "H1")
    cases = office.run(MAG, UXO, more)
    assert sorted(statuses(cases)) == ["backlog", "new", "new"]
    assert len({case.number for case in cases}) == 3


def test_the_expected_course_of_things_is_no_case(office):
    assert office.run(MAG, released(square(20), "MAG", "R1", when=LATE)) == []


def test_the_same_input_gives_the_same_ids_in_another_register(office, tmp_path):
    cases = office.run(MAG, UXO)
    other = Office(tmp_path / "other")
    assert [case.case_id for case in other.run(UXO, MAG)] == [case.case_id for case in cases]


def test_a_night_without_news_adds_nothing_but_itself(office):
    office.run(MAG, UXO)
    tables = ("cases", "sightings", "events", "versions", "case_numbers")
    count = {name: office.register.ask(f"SELECT count(*) FROM {name}") for name in tables}
    office.run(UXO, MAG)
    assert count == {name: office.register.ask(f"SELECT count(*) FROM {name}") for name in tables}


# Lineage.


@pytest.mark.parametrize(
    "later",
    [
        [replace(MAG, id="A9"), replace(UXO, id="B9")],
        [replace(MAG, id="Z9"), replace(UXO, id="A0")],
        [replace(MAG, ground=square(0.5)), UXO],
        [replace(MAG, ground=square(0.5), id="A9"), replace(UXO, ground=square(60.5), id="Z")],
    ],
    ids=["new ids", "new ids in another order", "redrawn", "redrawn under new ids"],
)
def test_a_case_goes_on_when_its_records_get_new_ids_or_are_redrawn(office, later):
    (before,) = office.run(MAG, UXO)
    (now,) = office.run(*later)
    assert (now.case_id, now.number, now.operators) == (before.case_id, before.number, before.operators)


def test_ids_that_change_places_do_not_take_their_cases_with_them(office):
    far = [replace(MAG, ground=square(2000), id="M2"), replace(UXO, ground=square(2060), id="U2")]
    before = {case.sighting.geometry.bounds: case.case_id for case in office.run(MAG, UXO, *far)}
    swapped = [replace(MAG, id="M2"), UXO, replace(far[0], id="M1"), far[1]]
    after = {case.sighting.geometry.bounds: case.case_id for case in office.run(*swapped)}
    assert after == before


def test_an_id_that_is_used_again_elsewhere_does_not_take_its_case_there(office):
    (before,) = office.run(MAG, UXO)
    moved = [replace(MAG, ground=square(5000)), replace(UXO, ground=square(5060))]
    cases = {case.case_id: case for case in office.run(*moved)}
    assert cases.pop(before.case_id).status == CaseStatus.CHANGED_WITHOUT_DECISION
    (fresh,) = cases.values()
    assert (fresh.status, kinds(fresh)) == ("new", ["opened"])


def test_an_overlap_that_becomes_several_ends_and_its_decision_does_not_pass_to_the_children(office):
    (parent,) = office.run(MAG, UXO)
    office.decide(Choice.BOTH_VALID)
    halves = [
        replace(MAG, ground=box(0, 0, 100, 49), id="a"),
        replace(MAG, ground=box(0, 51, 100, 100), id="b"),
    ]
    cases = {case.case_id: case for case in office.run(*halves, UXO)}
    ended = cases.pop(parent.case_id)
    assert (ended.status, sorted(ended.events[-1].data["children"])) == ("split", sorted(cases))
    assert {(case.status, case.decision) for case in cases.values()} == {("needs_review", None)}
    assert all(case.events[0].data["parents"] == [parent.case_id] for case in cases.values())


def test_an_overlap_that_returns_opens_its_case_again(office):
    (before,) = office.run(MAG, UXO)
    (gone,) = office.run(MAG, replace(UXO, ground=square(100)))
    assert (gone.status, gone.present) == ("changed_without_decision", False)
    (again,) = office.run(MAG, UXO)
    assert (again.case_id, again.status, again.present) == (before.case_id, "new", True)


# What the data mean.


def test_hazard_that_gave_up_ground_before_anybody_decided_is_shown_with_that_ground(office):
    office.run(MAG, UXO)
    (case,) = office.run(replace(MAG, ground=box(0, 0, 60, 100)), UXO)
    assert case.status == CaseStatus.CHANGED_WITHOUT_DECISION
    assert case.events[-1].data["a_hazard_lost_m2"] == pytest.approx(4000)


def test_a_millimetre_is_no_move_but_many_of_them_are_measured_from_the_first(office):
    office.run(MAG, UXO)
    for step in range(1, 200):
        (case,) = office.run(replace(MAG, ground=square(-0.002 * step)), UXO)
        if case.status != CaseStatus.BACKLOG:
            break
    assert 5 < step < 60
    assert case.status == CaseStatus.CHANGED_WITHOUT_DECISION


def test_an_operator_that_does_not_deliver_changes_nothing(office):
    (before,) = office.run(MAG, UXO)
    (case,) = office.run(MAG, UXO, missing=["UXO Lao"])
    assert (case.status, case.present, kinds(case)) == (before.status, True, ["opened"])


def test_what_was_decided_and_is_in_the_data_is_finished(office):
    office.run(MAG, UXO)
    office.decide(Choice.A_CORRECTS)
    (waiting,) = office.run(MAG, UXO)
    assert waiting.status == CaseStatus.DECIDED
    (case,) = office.run(replace(MAG, ground=box(0, 0, 60, 100)), UXO)
    assert (case.status, case.present) == ("finished", False)


def test_a_provisional_decision_is_not_finished_before_its_minutes_are_there(office):
    office.run(MAG, UXO)
    office.decide(Choice.A_CORRECTS, signed=False)
    (case,) = office.run(replace(MAG, ground=box(0, 0, 60, 100)), UXO)
    assert case.status == CaseStatus.CORRECTED
    office.desk().confirm(case, office.paper())
    assert office.case().status == CaseStatus.FINISHED


@pytest.mark.parametrize(
    "later",
    [
        [MAG, replace(UXO, ground=box(100, 0, 160, 100))],
        [replace(MAG, ground=box(0, 0, 80, 100)), UXO],
        [replace(MAG, ground=box(0, 0, 40, 100)), UXO],
    ],
    ids=["the other record", "half of it", "too much"],
)
def test_data_that_are_not_as_decided_are_corrected_differently(office, later):
    office.run(MAG, UXO)
    office.decide(Choice.A_CORRECTS)
    (case,) = office.run(*later)
    assert case.status == CaseStatus.CORRECTED_DIFFERENTLY


def test_where_both_stay_a_move_asks_for_review_measured_from_the_decision(office):
    office.run(MAG, UXO)
    office.decide(Choice.BOTH_VALID)
    assert office.case().status == CaseStatus.EXCEPTION
    (case,) = office.run(replace(MAG, ground=square(0.01)), UXO)
    assert case.status == CaseStatus.EXCEPTION
    (case,) = office.run(replace(MAG, ground=square(3)), UXO)
    assert (case.status, case.decision.choice) == ("needs_review", "both_valid")


def test_a_field_survey_that_has_come_asks_for_a_decision(office):
    office.run(MAG, UXO)
    office.decide(Choice.FIELD_SURVEY)
    assert office.run(MAG, UXO)[0].status == CaseStatus.DECIDED
    assert office.run(replace(MAG, ground=square(10)), UXO)[0].status == CaseStatus.NEEDS_REVIEW


# What may leave the map.


def test_hazard_that_was_withdrawn_by_decision_leaves_the_map_without_an_alarm(office):
    same = replace(UXO, ground=square())
    office.run(MAG, same, hazard(square(9000), "UXO Lao", "keeps"))
    (case,) = office.register.cases()
    office.decide(Choice.WITHDRAW_B)
    (case,) = office.run(MAG, hazard(square(9000), "UXO Lao", "keeps"))
    assert case.status == CaseStatus.FINISHED
    assert office.state.findings.table["code"].to_pylist() == ["HAZARD_GIVEN_UP_BY_DECISION"]
    assert len(office.state.carried) == 0


def test_hazard_that_was_withdrawn_without_a_decision_stays_with_its_alarm(office):
    keeps = hazard(square(9000), "UXO Lao", "keeps")
    office.run(MAG, replace(UXO, ground=square()), keeps)
    office.decide(Choice.WITHDRAW_B, signed=False)  # not confirmed
    (case,) = office.run(MAG, keeps)
    assert office.state.findings.table["code"].to_pylist() == ["HAZARD_VANISHED"]
    assert case.status == CaseStatus.CORRECTED


def test_more_hazard_than_was_decided_stays_on_the_map(office):
    office.run(MAG, UXO)
    office.decide(Choice.A_CORRECTS)
    office.run(replace(MAG, ground=box(0, 0, 40, 100)), UXO)
    (told,) = office.state.findings.table.to_pylist()
    assert told["code"] == "HAZARD_SHRANK"
    assert told["measure"] == pytest.approx(2000, abs=5)


# What people may do.


def test_a_decision_that_shrinks_hazard_needs_to_be_meant_and_to_have_a_reference(office):
    office.run(MAG, released(square(60), "UXO Lao", "R", when=dt.date(2019, 1, 1)))
    with pytest.raises(ConfigError, match="--shrinks-hazard"):
        office.decide(Choice.A_CORRECTS)
    with pytest.raises(ConfigError, match="reference"):
        office.desk().decide(office.case(), Choice.A_CORRECTS, "TWG", POLICY, shrinks_hazard=True)
    office.decide(Choice.A_CORRECTS, shrinks_hazard=True)
    assert office.case().status == CaseStatus.DECIDED


def test_a_province_may_not_decide_an_alarm(office):
    office.run(MAG, released(square(60), "UXO Lao", "R", when=dt.date(2019, 1, 1)))
    with pytest.raises(ConfigError, match="province may not decide"):
        office.desk().decide(office.case(), Choice.FIELD_SURVEY, "province", POLICY)


def test_a_position_is_no_decision(office):
    (before,) = office.run(MAG, UXO)
    office.desk().position(before, "MAG", Answer.AGREE, "Somchai", comment="our border is old")
    case = office.case()
    assert (case.status, case.decision, case.positions[0].answer) == ("backlog", None, "agree")
    with pytest.raises(ConfigError, match="no record in this case"):
        office.desk().position(before, "HALO", Answer.AGREE, "Somchai")


def test_what_is_over_is_opened_again_only_with_a_cause(office):
    office.run(MAG, UXO)
    office.decide(Choice.BOTH_VALID)
    with pytest.raises(ConfigError, match="this case is over"):
        office.decide(Choice.FIELD_SURVEY)
    with pytest.raises(ConfigError, match="why"):
        office.desk().reopen(office.case(), " ")
    office.desk().reopen(office.case(), "new survey")
    assert (office.case().status, office.case().decision) == ("new", None)


def test_nothing_in_the_register_is_changed_or_removed(office):
    office.run(MAG, UXO)
    for table in ("cases", "events", "sightings", "versions", "runs"):
        with pytest.raises(Exception, match="append-only"):
            office.register._connection.execute(f"DELETE FROM {table}")


def test_vanished_hazard_leaves_the_map_by_signed_minutes_and_by_nothing_less(office):
    keeps = hazard(square(9000), "MAG", "keeps")
    office.run(MAG, keeps)
    office.run(keeps)
    assert office.state.findings.table["code"].to_pylist() == ["HAZARD_VANISHED"]

    def release(signed, cause="cancelled by survey", record="M1"):
        kept = KeptHazard.of(office.register.ledger, LAOS)
        return give_up(office.register, kept, record, office.paper(signed), "Bounmy", cause, START)

    for wrong in ({"signed": False}, {"signed": True, "cause": " "}, {"signed": True, "record": "keeps"}):
        with pytest.raises(ConfigError):
            release(**wrong)
    office.run(keeps)
    assert len(office.state.carried) == 1
    assert release(signed=True) == 1
    with pytest.raises(ConfigError, match="no hazard of this id is kept"):  # it is let go already
        release(signed=True)
    office.run(keeps)
    assert (len(office.state.carried), len(office.state.features)) == (0, 1)
    assert office.state.findings.table["code"].to_pylist() == ["HAZARD_GIVEN_UP_BY_DECISION"]
    office.run(keeps)
    assert (len(office.state.carried), len(office.state.features)) == (0, 1)


# Numbers.


def test_a_tolerance_in_force_leaves_a_case_without_a_number_until_it_outgrows_it_or_is_on_an_agenda(office):
    rule = Tolerance(a=("hazard",), b=("hazard",), area_m2=5, width_m=0.5, compare="<", basis="pair")
    signed = POLICY.model_copy(
        update={
            "tolerances": (rule,), "reference": "TWG 3", "signed_by": "NRA", "effective_from": START.date(),
        }
    )  # fmt: skip
    thin = replace(UXO, ground=box(99.99, 0, 160, 100))
    far = [
        replace(MAG, ground=square(2000), id="M2"),
        replace(thin, ground=box(2099.99, 0, 2160, 100), id="U2"),
    ]
    office.policy = signed
    cases = office.run(MAG, thin, *far)
    assert [case.number for case in cases] == [None, None]
    office.desk().put_on_agenda(cases[0], "TWG 4")
    assert [case.number for case in office.register.cases()] == ["XXX-2026-0001", None]
    grown = {
        "M": [MAG, replace(thin, ground=square(60))],
        "M2": [far[0], replace(far[1], ground=square(2060))],
    }
    first = cases[0].sighting.a.source_id
    later = [*grown["M2" if first == "M1" else "M"], *([MAG, thin] if first == "M1" else far)]
    assert [case.number for case in office.run(*later)] == ["XXX-2026-0001", "XXX-2026-0002"]
