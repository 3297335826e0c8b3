"""Reported figures: what could mean two things is refused; revisions stay; polygons are held against them."""

import datetime as dt

import pytest
from make import EARLY, hazard, make_features, released, square

from geopipe.config import load_vocabulary
from geopipe.errors import ConfigError, SourceError
from geopipe.figures.comparing import NOT_LOCATED, Outcome, compare, months_of, polygons_of
from geopipe.figures.figure import ALL, Figure, Key
from geopipe.figures.kept import last_figures, plan_import, write_figures
from geopipe.figures.reading import Known, read_figures
from geopipe.location.places import load_places
from geopipe.periods import parse_period
from geopipe.register.register import Register

TODAY = dt.date(2026, 4, 10)
AT = dt.datetime(2026, 4, 10, tzinfo=dt.UTC)
HEAD = "operator,month,province,kind,ha"
XIENG_KHOUANG = "LA09"
MARCH = Key("MAG", "2026-03", XIENG_KHOUANG, "CLEARED")


@pytest.fixture
def read(tmp_path):
    def read_lines(*lines, head=HEAD, decimal="auto", encoding="utf-8"):
        path = tmp_path / "figures.csv"
        path.write_bytes("\n".join((head, *lines)).encode(encoding))
        return read_figures(
            path, Known(["MAG", "Clear Ltd"], load_places(), load_vocabulary(), decimal, TODAY)
        )

    return read_lines


@pytest.fixture
def register(tmp_path):
    with Register.open(tmp_path / "work") as opened:
        yield opened


def only_figure(found):
    (figure,), refused = found
    assert refused == []
    return figure


def sentence(found):
    figures, (refused,) = found
    assert figures == []
    return refused.sentence


# Reading.


@pytest.mark.parametrize(
    ("cell", "area_ha"),
    [
        ("12.5", 12.5), ("20436", 20_436), ("12.5 ha", 12.5), ("125000 m2", 12.5), ("1,234,567.8", 1234567.8),
        ("0", 0.0), ("0.436", 0.436), ("5815.00", 5_815.0), ("12.4367", 12.4367),
    ],
)  # fmt: skip
def test_a_plain_figure_is_hectares(read, cell, area_ha):
    assert only_figure(read(f'MAG,2026-03,LA09,CLEARED,"{cell}"')).area_ha == pytest.approx(area_ha)


@pytest.mark.parametrize("cell", ["20.436", "20.436 ha", "5,815", "5,815 ha"])
def test_a_figure_that_could_be_thousands_or_decimals_is_refused(read, cell):
    said = sentence(read(f'MAG,2026-03,LA09,CLEARED,"{cell}"'))
    assert "could be" in said
    assert "--decimal" in said


def test_who_says_the_decimal_sign_is_believed(read):
    line = 'MAG,2026-03,LA09,CLEARED,"20.436 ha"'
    assert only_figure(read(line, decimal=".")).area_ha == pytest.approx(20.436)
    assert only_figure(read(line, decimal=",")).area_ha == 20_436


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("MGA,2026-03,LA09,CLEARED,1", "did you mean 'MAG'"),
        (",2026-03,LA09,CLEARED,1", "operator is missing"),
        ("MAG,March 2026,LA09,CLEARED,1", "write it as 2026-03"),
        ("MAG,2026-13,LA09,CLEARED,1", "is not a month"),
        ("MAG,2026-Q1,LA09,CLEARED,1", "is not a month"),
        ("MAG,2569-03,LA09,CLEARED,1", "write 2026-03"),
        ("MAG,2026-05,LA09,CLEARED,1", "has not begun"),
        ("MAG,2026-03,Xiengkhouong,CLEARED,1", "did you mean 'Xiengkhouang'"),
        ("MAG,2026-03,Vientiane,CLEARED,1", "could be Vientiane Capital (LA01) or Vientiane (LA10)"),
        ("MAG,2026-03,,CLEARED,1", "province is missing"),
        ("MAG,2026-03,LA09,CLEARD,1", "did you mean 'CLEARED'"),
        ("MAG,2026-03,LA09,TASK,1", "not one of which hectares are reported"),
        ("MAG,2026-03,LA09,,1", "kind is missing"),
        ("MAG,2026-03,LA09,CLEARED,", "figure is missing"),
        ("MAG,2026-03,LA09,CLEARED,some", "not a figure"),
        ("MAG,2026-03,LA09,CLEARED,-1", "less than nothing"),
        ("MAG,2026-03,LA09,CLEARED", "figure is missing"),
    ],
)
def test_a_line_that_cannot_be_understood_says_why(read, line, said):
    assert said in sentence(read(line))


def test_a_bad_line_does_not_stop_the_others_and_is_named_by_its_number(read):
    figures, refused = read(
        "MAG,2026-03,LA09,CLEARED,1", "MAG,2026-03,nowhere,CLEARED,1", "", "MAG,2026-03,LA09,CHA,2"
    )
    assert [(figure.key.kind, figure.line) for figure in figures] == [("CLEARED", 2), ("CHA", 5)]
    assert [item.line for item in refused] == [3]


def test_the_same_key_twice_in_one_file_is_refused(read):
    figures, refused = read("MAG,2026-03,LA09,CLEARED,1", "mag,2026-03,Xieng Khouang,cleared,2")
    assert [figure.area_ha for figure in figures] == [1.0]
    assert refused[0].sentence.startswith("line 2 is about the same")


@pytest.mark.parametrize("cell", ["nil", "NIL", "0 nil", "0 (nil)"])
def test_a_nil_report_may_leave_out_province_and_kind(read, cell):
    figure = only_figure(read(f"MAG,2026-03,,,{cell}"))
    assert figure.is_nil
    assert figure.key == Key("MAG", "2026-03", ALL, ALL)


def test_zero_hectares_is_a_figure_and_no_nil_report(read):
    assert not only_figure(read("MAG,2026-03,LA09,CLEARED,0")).is_nil


def test_columns_are_found_by_their_usual_names_and_separators(read):
    found = read(
        "UXOL;2026-03;ຊຽງຂວາງ;CHA;1,5",
        head="Organisation;Month;Province;Type area;Hectares".replace("Type area", "Area type"),
    )
    assert only_figure(found) == Figure(Key("UXO Lao", "2026-03", XIENG_KHOUANG, "CHA"), 1.5, 2)


def test_an_operator_that_has_delivered_is_known(read):
    assert only_figure(read("clear ltd,2026-03,LA09,CHA,1")).key.operator == "Clear Ltd"


def test_a_file_that_is_no_such_table_is_refused_whole(read):
    with pytest.raises(SourceError, match="no column month and no ha"):
        read("MAG,LA09,CHA", head="operator,province,kind")
    with pytest.raises(SourceError, match="UTF-8"):
        read("MAG,2026-03,Sékong,CHA,1", encoding="latin-1")


# Keeping.


def keep(register, *figures):
    write_figures(register, figures, "figures.csv", "Bounmy", AT)


def test_a_later_figure_is_a_revision_and_both_are_kept(register):
    keep(register, Figure(MARCH, 5.0))
    last = last_figures(register)
    plan = plan_import([Figure(MARCH, 6.0, 2)], [], last)
    assert (plan.new, [before.figure.area_ha for _, before in plan.revisions]) == ((), [5.0])
    keep(register, *plan.to_write)
    assert last_figures(register)[MARCH].figure.area_ha == 6.0
    assert register.ask("SELECT area_ha FROM reported_figures ORDER BY number") == [(5.0,), (6.0,)]


def test_the_same_figure_again_is_known_and_adds_nothing(register):
    keep(register, Figure(MARCH, 5.0))
    plan = plan_import([Figure(MARCH, 5.0, 2)], [], last_figures(register))
    assert (plan.to_write, len(plan.known)) == ([], 1)


def test_a_nil_report_is_kept_as_such(register):
    nil = Figure(Key("MAG", "2026-03", ALL, ALL), None)
    keep(register, nil)
    assert last_figures(register)[nil.key].figure.is_nil


def test_a_nil_report_against_a_figure_of_its_month_is_refused(register):
    keep(register, Figure(MARCH, 5.0))
    nil = Figure(Key("MAG", "2026-03", ALL, ALL), None, 2)
    plan = plan_import([nil], [], last_figures(register))
    assert plan.to_write == []
    assert "reports nil, but" in plan.refused[0].sentence
    assert plan_import([nil], [], {}).to_write == [nil]
    taken_back = plan_import([nil, Figure(MARCH, 0.0, 3)], [], last_figures(register))
    assert taken_back.refused == ()


def test_figures_need_a_name(register):
    with pytest.raises(ConfigError, match="name"):
        write_figures(register, [Figure(MARCH, 5.0)], "figures.csv", " ", AT)


# Comparing.

CLEARED = released(square(), "MAG", "1", completed=dt.date(2026, 3, 31))
ALSO = released(square(500), "MAG", "2", completed=dt.date(2026, 3, 1))


def polygons(*records, province=XIENG_KHOUANG, **more):
    made = make_features(*records).features
    return polygons_of(made.with_columns({"province_code": province, "role": "operator", **more}))


def compared(drawn, *figures, nils=(), months=("2026-03",), share=0.01, expected=()):
    lines = compare({figure.key: figure for figure in figures}, nils, drawn, months, share, expected)
    return {line.key: line for line in lines}


def test_polygons_are_summed_by_the_month_of_completion_or_survey():
    later = released(square(900), "MAG", "3", completed=dt.date(2026, 4, 1))
    surveyed = hazard(square(1500), "MAG", "4", surveyed=dt.date(2026, 3, 5))
    found = polygons(CLEARED, ALSO, later, surveyed).areas_ha
    assert {(key.month, key.kind): sum(areas) for key, areas in found.items()} == pytest.approx(
        {("2026-03", "CLEARED"): 2.0, ("2026-04", "CLEARED"): 1.0, ("2026-03", "CHA"): 1.0}
    )


def test_what_has_no_date_is_in_no_month_but_counted():
    drawn = polygons(released(square(), "MAG", "1"))
    assert (dict(drawn.areas_ha), drawn.undated["MAG"]) == ({}, [pytest.approx(1.0)])


def test_known_records_of_others_and_tasks_are_not_reported_by_anybody():
    assert polygons(CLEARED, role="reference").areas_ha == {}
    task = hazard(square(), "MAG", "1", kind="TASK", surveyed=EARLY)
    assert polygons(task) == polygons_of(make_features().features)


def test_a_figure_agrees_within_the_share_that_is_allowed():
    line = compared(polygons(CLEARED, ALSO), Figure(MARCH, 2.019))[MARCH]
    assert (line.outcome, line.polygons) == (Outcome.AGREES, 2)
    line = compared(polygons(CLEARED, ALSO), Figure(MARCH, 2.03))[MARCH]
    assert line.outcome == Outcome.DIFFERS
    assert line.difference_ha == pytest.approx(0.03)
    assert line.difference_share == pytest.approx(0.015)


def test_a_figure_without_polygons():
    line = compared(polygons(), Figure(MARCH, 2.0))[MARCH]
    assert (line.outcome, line.difference_ha, line.difference_share) == (Outcome.NO_POLYGONS, 2.0, None)


def test_nothing_reported_of_what_was_drawn():
    other = Key("MAG", "2026-03", "LA01", "CHA")
    lines = compared(polygons(CLEARED), Figure(other, 1.0))
    assert lines[MARCH].outcome == Outcome.NOT_REPORTED
    assert lines[MARCH].difference_ha is None
    assert compared(polygons(CLEARED))[MARCH].outcome == Outcome.NOT_DELIVERED


def test_a_nil_report_differs_from_one_that_was_not_delivered():
    nil = Figure(Key("MAG", "2026-02", ALL, ALL), None)
    lines = compared(polygons(), nil, months=("2026-02", "2026-03"), expected=["HALO"])
    assert {(key.operator, key.month): line.outcome for key, line in lines.items()} == {
        ("MAG", "2026-02"): Outcome.NIL,
        ("MAG", "2026-03"): Outcome.NOT_DELIVERED,
        ("HALO", "2026-02"): Outcome.NOT_DELIVERED,
        ("HALO", "2026-03"): Outcome.NOT_DELIVERED,
    }


def test_a_nil_report_of_the_ledger_covers_the_months_of_its_quarter():
    lines = compared(polygons(CLEARED), nils=[("MAG", "2026-Q1")], months=("2026-02", "2026-03"))
    assert {key.month: line.outcome for key, line in lines.items()} == {
        "2026-02": Outcome.NIL,
        "2026-03": Outcome.NIL_BUT_POLYGONS,
    }


def test_a_figure_after_a_nil_report_counts():
    nil = Figure(Key("MAG", "2026-03", ALL, ALL), None)
    lines = compared(polygons(CLEARED), nil, Figure(MARCH, 1.0))
    assert {key: line.outcome for key, line in lines.items()} == {MARCH: Outcome.AGREES}


def test_a_polygon_in_no_province_has_a_line_of_its_own():
    lines = compared(polygons(CLEARED, province=None), Figure(MARCH, 1.0))
    assert {key.province: line.outcome for key, line in lines.items()} == {
        XIENG_KHOUANG: Outcome.NO_POLYGONS,
        NOT_LOCATED: Outcome.NOT_REPORTED,
    }


def test_the_months_of_a_quarter():
    assert months_of(parse_period("2026-Q1")) == ["2026-01", "2026-02", "2026-03"]
