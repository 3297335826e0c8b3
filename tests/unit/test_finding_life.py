"""A fault in the data has an id that stays, and is corrected only when the data were read without it."""

import datetime as dt
from dataclasses import replace

import pyarrow as pa
import pytest
from make import EARLY, POLICY, area, hazard, make_features, released, square

from geopipe.errors import ConfigError
from geopipe.periods import parse_period
from geopipe.register.errorstats import error_rows, quarters
from geopipe.register.finding import FindingStatus
from geopipe.register.findingfiles import accept, find_finding, findings_of, record_findings, send
from geopipe.register.findings import found_by
from geopipe.register.register import Register
from geopipe.schema import FINDINGS, REJECTED, Delivery, make_frame, no_geometry

START = dt.datetime(2026, 1, 1, 20, tzinfo=dt.UTC)
A = hazard(square(), "MAG", "A", surveyed=EARLY)
B = hazard(square(500), "MAG", "B", surveyed=EARLY)
GREEN = released(square(1500), "MAG", "G")
OF_UXO = hazard(square(1000), "UXO Lao", "U", surveyed=EARLY)


def fault(record="A", code="SPIKE", operator="MAG", **more):
    """A finding about a record; `record` None is a finding about the layer."""
    named = {} if record is None else {"source_id": record, "record_id": f"{operator}:hazard:{record}"}
    told = {"code": code, "severity": "check", "operator": operator, "kind": "CHA", "sentence": code, **named}
    if other := more.pop("other", None):
        told["other_id"] = f"{operator}:hazard:{other}"
    return {**told, **more}


def returned(record="A", reason="NULL_GEOMETRY", operator="MAG", **more):
    """A row that went back to its sender."""
    return {
        "source_id": record,
        "reason": reason,
        "operator": operator,
        "kind": "CHA",
        "sentence": "",
        **more,
    }


def frame(schema, rows):
    columns = {item.name: pa.array([row.get(item.name) for row in rows], item.type) for item in schema}
    return make_frame(schema, columns, no_geometry(len(rows)))


def run_of(records, *faults, back=(), problems=(), mode="increment", file="{}.gpkg"):
    """What a run ends with: records of some operators, its findings, the rows that went back."""
    name = file.format
    made = make_features(*(replace(record, file=name(record.operator)) for record in records))
    by_file = {name(record.operator): record.operator for record in records}
    by_file |= {name(row["operator"]): row["operator"] for row in back}
    deliveries = tuple(
        Delivery(path, path, "GPKG", mode=mode, operator=operator)
        for path, operator in sorted(by_file.items())
    )
    deliveries += tuple(
        Delivery(path, path, "GPKG", problems=((code, code),), mode=mode, operator=operator)
        for path, code, operator in problems
    )
    found = [{"file": name(row["operator"]), **row} for row in faults]
    refused = [{"file": name(row["operator"]), **row} for row in back]
    features = made.features.with_columns({"role": "operator"})
    return replace(
        made,
        deliveries=deliveries,
        features=features,
        findings=frame(FINDINGS, found),
        rejected=frame(REJECTED, refused),
    )


class Office:
    """One night after the other, each in the register."""

    def __init__(self, folder):
        self.register = Register.open(folder)
        self.night = 0

    def run(self, state, days=1):
        self.night += days
        at = START + dt.timedelta(days=self.night)
        number = self.register.last_run + 1
        with self.register.transaction():
            policy = self.register.keep_policy(POLICY, at.isoformat())
            self.register.insert("runs", number, at.isoformat(), at.date().isoformat(), policy, "", "")
            record_findings(self.register, number, at.isoformat(), at.date(), state)
        return {item.columns["source_id"]: item.status.value for item in self.findings()}

    def findings(self):
        return findings_of(self.register)

    def only(self):
        (found,) = self.findings()
        return found

    def events(self):
        return self.register.ask("SELECT count(*) FROM finding_events")[0][0]

    @property
    def now(self):
        return START + dt.timedelta(days=self.night, hours=1)


@pytest.fixture
def office(tmp_path):
    opened = Office(tmp_path)
    yield opened
    opened.register.close()


def ids(state):
    return set(found_by(state).ids)


# Who a fault is.


def test_a_fault_keeps_its_id_when_rows_are_in_another_order_and_files_have_another_name():
    faults = [fault("A", row=1), fault("B", row=2), fault("A", "LONG_EDGE", row=1), fault(None, "ROW_LIMIT")]
    back = [returned("C", row=3), returned(None, row=4), returned(None, row=5)]
    before = run_of([A, B], *faults, back=back)
    turned = [{**item, "row": 9 - (item.get("row") or 0)} for item in reversed(faults)]
    after = run_of([B, A], *turned, back=back[::-1], file="{}-2026-03.shp")
    assert len(ids(before)) == 7
    assert ids(before) == ids(after)


def test_a_pair_is_the_same_either_way_round():
    one, other = fault("A", "NEAR_DUPLICATE", other="B"), fault("B", "NEAR_DUPLICATE", other="A")
    assert ids(run_of([A, B], one)) == ids(run_of([A, B], other))


def test_the_same_fault_twice_in_one_record_is_two_faults():
    two = run_of([A], fault(sentence="spike in the north"), fault(sentence="spike in the south"))
    assert len(ids(two)) == 2
    assert ids(run_of([A], fault(sentence="spike in the south"))) < ids(two)


def test_codes_operators_and_ids_make_different_faults():
    state = run_of(
        [A, OF_UXO],
        fault(),
        fault(code="LONG_EDGE"),
        fault("B"),
        fault(operator="UXO Lao"),
        back=[returned()],
    )
    assert len(ids(state)) == 5


def test_notes_are_not_error_data():
    assert ids(run_of([A], fault(severity="note"), back=[returned(reason="ROWS_EMPTY")])) == set()


def test_a_file_that_cannot_be_used_counts_once_beside_its_rows(office):
    broken = ("late.gpkg", "FILE_TRUNCATED", "MAG")
    office.run(run_of([A], problems=[broken]))
    assert (office.only().code, office.only().operator) == ("FILE_TRUNCATED", "MAG")
    rows = [{**returned(None, "FILE_TRUNCATED"), "file": "late.gpkg"}] * 3
    assert len(ids(run_of([A], back=rows, problems=[broken]))) == 3


# How it lives.


def test_the_first_run_finds_the_backlog_and_later_ones_what_is_new(office):
    office.run(run_of([A, B], fault("A")))
    assert office.run(run_of([A, B], fault("A"), fault("B"))) == {"A": "backlog", "B": "new"}


def test_an_unchanged_night_writes_nothing(office):
    state = run_of([A, B], fault("A"), fault("B"), back=[returned("C")])
    office.run(state)
    before = office.events()
    office.run(state)
    assert office.events() == before == 3


def test_a_record_that_is_read_again_without_its_fault_is_corrected(office):
    office.run(run_of([A], fault()))
    assert office.run(run_of([A])) == {"A": "corrected"}
    assert "read again" in office.only().events[-1].cause


def test_what_was_corrected_and_is_back_is_reopened(office):
    office.run(run_of([A], fault()))
    office.run(run_of([A]))
    assert office.run(run_of([A], fault())) == {"A": "reopened"}
    assert office.run(run_of([A])) == {"A": "corrected"}


def test_nothing_is_corrected_while_its_operator_does_not_deliver(office):
    office.run(run_of([A, OF_UXO], fault(), back=[returned("C")]))
    assert office.run(run_of([OF_UXO])) == {"A": "backlog", "C": "backlog"}


def test_an_increment_without_the_record_corrects_nothing_but_a_whole_register_does(office):
    office.run(run_of([A, B, GREEN], fault(), back=[returned("C", kind="CLEARED")]))
    assert office.run(run_of([B, GREEN])) == {"A": "backlog", "C": "backlog"}
    assert office.run(run_of([B, GREEN], mode="snapshot")) == {"A": "corrected", "C": "corrected"}


@pytest.mark.parametrize("kind", ["CHA", "SHA", "UNKNOWN"])
def test_to_leave_out_hazard_that_could_not_be_used_corrects_nothing(office, kind):
    may_be_hazard = area(square(2000), kind, "MAG", "D")
    office.run(run_of([A, may_be_hazard], back=[returned("C", kind=kind)]))
    assert office.run(run_of([A, may_be_hazard], mode="snapshot")) == {"C": "backlog"}
    assert office.run(run_of([A, area(square(9000), kind, "MAG", "C")], mode="snapshot")) == {
        "C": "corrected"
    }


def test_a_whole_register_of_which_a_file_was_not_read_corrects_nothing(office):
    office.run(run_of([A, B], fault()))
    unread = run_of([B], mode="snapshot", problems=[("more.gpkg", "FILE_UNREADABLE", "MAG")])
    assert office.run(unread)["A"] == "backlog"


def test_a_record_that_went_back_was_not_judged(office):
    office.run(run_of([A, B], fault()))
    office.run(run_of([B], back=[returned("A")], mode="snapshot"))
    statuses = {item.code: item.status for item in office.findings()}
    assert statuses == {"SPIKE": FindingStatus.BACKLOG, "NULL_GEOMETRY": FindingStatus.NEW}


def test_a_pair_is_gone_only_when_both_records_were_read(office):
    office.run(run_of([A, B], fault("A", "NEAR_DUPLICATE", other="B")))
    assert office.run(run_of([A])) == {"A": "backlog"}
    assert office.run(run_of([A, B])) == {"A": "corrected"}


def test_a_row_that_was_mended_and_one_that_goes_back_for_another_reason(office):
    office.run(run_of([B], back=[returned("A"), returned("C")]))
    office.run(run_of([A, B], back=[returned("C", "TOO_FEW_POINTS")]))
    told = {(item.columns["source_id"], item.code): item for item in office.findings()}
    assert told["A", "NULL_GEOMETRY"].status == "corrected"
    assert "another reason" in told["C", "NULL_GEOMETRY"].events[-1].cause
    assert told["C", "TOO_FEW_POINTS"].status == "new"


def test_a_file_is_corrected_when_it_is_read_again(office):
    office.run(run_of([A], problems=[("late.gpkg", "FILE_TRUNCATED", "MAG")]))
    office.run(run_of([A]))
    assert office.only().is_outstanding
    office.run(run_of([A, B], file="late.gpkg"))
    assert office.only().status == "corrected"


def test_a_layer_of_a_file_that_was_not_read_wholly_is_not_corrected(office):
    office.run(run_of([A], fault(None, "ROW_LIMIT")))
    assert office.only().is_outstanding
    partly = run_of([A])
    (delivery,) = partly.deliveries
    broken = replace(delivery, problems=(("CRS_MISSING", "a layer has no coordinate system"),))
    office.run(replace(partly, deliveries=(broken,)))
    assert {item.code: item.status.value for item in office.findings()} == {
        "ROW_LIMIT": "backlog",
        "CRS_MISSING": "new",
    }
    office.run(run_of([A]))
    assert not any(item.is_outstanding for item in office.findings())


def test_the_same_record_in_the_national_database_has_its_own_fault(office):
    state = run_of([A], fault(), {**fault(), "file": "imsma.gpkg"})
    national = Delivery("imsma.gpkg", "x", "GPKG", operator="MAG", role="national_database")
    office.run(replace(state, deliveries=(*state.deliveries, national)))
    assert {item.columns["role"] for item in office.findings()} == {"operator", "national_database"}
    assert {item.status for item in office.findings()} == {FindingStatus.BACKLOG}
    office.run(run_of([A]))
    assert {item.columns["role"]: item.is_outstanding for item in office.findings()} == {
        "operator": False,
        "national_database": True,
    }


def test_released_land_that_grew_is_not_corrected_by_being_delivered_again(office):
    office.run(run_of([A], fault(code="RELEASED_GREW", severity="alarm")))
    office.run(run_of([A], mode="snapshot"))
    assert office.only().is_outstanding
    accept(office.register, [office.only()], "completion report seen", "Bounmy", office.now)
    assert not office.only().is_outstanding


def test_released_land_that_vanished_is_corrected_only_when_it_is_back(office):
    office.run(run_of([B], fault(code="RELEASED_VANISHED"), mode="snapshot"))
    office.run(run_of([B], mode="snapshot"))
    assert office.only().is_outstanding
    office.run(run_of([A, B], mode="snapshot"))
    assert office.only().status == "corrected"


# What people do.


def test_who_accepts_a_finding_says_why(office):
    office.run(run_of([A], fault()))
    with pytest.raises(ConfigError, match="reason"):
        accept(office.register, [office.only()], " ", "Bounmy", office.now)
    with pytest.raises(ConfigError, match="name"):
        accept(office.register, [office.only()], "measured again", " ", office.now)
    accept(office.register, [office.only()], "measured again", "Bounmy", office.now)
    event = office.only().events[-1]
    assert (event.status, event.cause, event.author) == ("accepted", "measured again", "Bounmy")
    with pytest.raises(ConfigError, match="accepted"):
        accept(office.register, [office.only()], "again", "Bounmy", office.now)


def test_what_was_accepted_stays_so_until_its_figure_grows(office):
    office.run(run_of([A], fault(measure=100.0)))
    accept(office.register, [office.only()], "known", "Bounmy", office.now)
    assert office.run(run_of([A], fault(measure=100.5))) == {"A": "accepted"}
    assert office.run(run_of([A], fault(measure=200.0))) == {"A": "reopened"}
    accept(office.register, [office.only()], "known", "Bounmy", office.now)
    assert office.run(run_of([A], fault(measure=200.0))) == {"A": "accepted"}


def test_of_two_faults_in_one_record_the_accepted_one_stays_accepted_in_any_order(office):
    two = [fault(sentence=f"{side} m out", measure=side) for side in (100.0, 200.0)]
    office.run(run_of([A], *two))
    smaller = next(item for item in office.findings() if item.measure == 100.0)
    accept(office.register, [smaller], "known", "Bounmy", office.now)
    office.run(run_of([A], *two[::-1]))
    assert {item.measure: item.status.value for item in office.findings()} == {
        100.0: "accepted",
        200.0: "backlog",
    }


def test_sent_findings_are_sent_once_and_those_for_the_authority_never(office):
    office.run(run_of([A, B], fault("A"), fault("B", "SHAPE_REUSED")))
    assert [item.code for item in send(office.register, office.findings(), "Bounmy", office.now)] == ["SPIKE"]
    assert send(office.register, office.findings(), "Bounmy", office.now) == []
    assert {item.code: item.status.value for item in office.findings()} == {
        "SPIKE": "sent",
        "SHAPE_REUSED": "backlog",
    }


def test_a_finding_is_named_by_the_beginning_of_its_id(office):
    office.run(run_of([A, B], fault("A"), fault("B")))
    known = office.findings()
    assert find_finding(known, known[1].finding_id[:8].upper()) == known[1]
    for wrong in (known[1].finding_id[:4], "nothing"):
        with pytest.raises(ConfigError, match="no finding"):
            find_finding(known, wrong)


# What is told of a quarter.


@pytest.fixture
def two_quarters(office):
    """Backlog of two; then one corrected and one new; in the next quarter one reopened and one accepted."""
    office.run(run_of([A, B], fault("A"), fault("B")))
    office.run(run_of([A, B], fault("B"), fault("B", "LONG_EDGE")), days=30)
    office.run(run_of([A, B], fault("A"), fault("B"), fault("B", "LONG_EDGE")), days=90)
    (found,) = (item for item in office.findings() if item.code == "LONG_EDGE")
    accept(office.register, [found], "a river", "Bounmy", office.now)
    return office


def test_error_data_of_a_quarter_close_with_the_quarter_before(two_quarters):
    office = two_quarters
    found, last = office.findings(), office.now.date()
    when = quarters(found, last)
    assert [period.name for period in when] == ["2026-Q1", "2026-Q2"]
    first, second = error_rows(found, when, ("quarter",), last)
    assert first.counts == {
        "before": 0, "backlog": 2, "opened": 1, "reopened": 0, "corrected": 1, "accepted": 0,
        "outstanding": 2,
    }  # fmt: skip
    assert second.counts == {
        "before": 2, "backlog": 0, "opened": 0, "reopened": 1, "corrected": 0, "accepted": 1,
        "outstanding": 2,
    }  # fmt: skip
    assert second.oldest == dt.date(2026, 1, 2)
    assert (first.oldest_days, second.oldest_days) == (88, 120)


def test_rows_by_operator_and_code_add_up_to_the_whole(two_quarters):
    office = two_quarters
    found, last = office.findings(), office.now.date()
    quarter = [parse_period("2026-Q1")]
    (whole,) = error_rows(found, quarter, (), last)
    parts = error_rows(found, quarter, ("operator", "code"), last)
    assert [row.labels for row in parts] == [("MAG", "LONG_EDGE"), ("MAG", "SPIKE")]
    assert whole.counts == {name: sum(row.counts[name] for row in parts) for name in whole.counts}


def test_what_was_accepted_and_then_corrected_is_not_subtracted_twice(office):
    office.run(run_of([A], fault()))
    accept(office.register, [office.only()], "known", "Bounmy", office.now)
    office.run(run_of([A]))
    (row,) = error_rows(office.findings(), [parse_period("2026-Q1")], (), office.now.date())
    assert (row.counts["accepted"], row.counts["corrected"], row.counts["outstanding"]) == (1, 0, 0)


def test_quarters_without_their_name_cannot_be_added_up(two_quarters):
    found, last = two_quarters.findings(), two_quarters.now.date()
    with pytest.raises(ConfigError, match="quarter"):
        error_rows(found, quarters(found, last), ("operator",), last)
