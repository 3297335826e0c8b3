"""Targets and stated figures stand beside what the data say; nothing is computed from them."""

import datetime as dt

import pytest
from make import released, square
from statistics_fixtures import Counted

from geopipe.errors import ConfigError
from geopipe.statistics.rounding import rounding_rests_ha, shown_ha
from geopipe.statistics.table import as_csv, rounding_line
from geopipe.statistics.targets import BY, Target, Targets, beside_stated, beside_targets, load_targets

IN_2023 = dt.date(2023, 6, 1)


def year_rows():
    return Counted(
        released(square(), "A", "1", when=IN_2023), released(square(50), "B", "2", when=dt.date(2023, 7, 1)),
        released(square(500), "A", "3", when=dt.date(2022, 7, 1)),
        land_use=["ກະສິກຳ", "Agriculture ", "School"],
    ).rows(*BY)  # fmt: skip


def stated(what, unit="ha"):
    items = beside_stated(year_rows(), load_targets(None))
    found = [i for i in items if i.ground == "CLEARED" and what in i.what and i.unit == unit]
    assert len(found) == 1
    return found[0]


def test_the_figures_of_2023_stand_beside_the_computed_ones():
    assert (stated("all land").stated, stated("all land").computed) == (5_815, pytest.approx(1.5))
    assert stated("all land").difference == pytest.approx(1.5 - 5_815)
    assert stated("all land").provisional


def test_the_stated_parts_add_up_to_the_stated_whole():
    parts = stated("agriculture").stated + stated("development").stated
    assert parts == stated("all land").stated


def test_land_uses_are_recognised_in_both_languages():
    assert stated("agriculture").computed == pytest.approx(1.5)
    assert stated("development").computed == 0


def test_the_stated_share_is_not_what_its_own_figures_give():
    share = stated("by the stated", "%")
    assert (share.stated, share.computed) == (54, pytest.approx(58.15))


def test_a_target_is_held_against_each_of_its_years_that_has_ground():
    items = beside_targets(year_rows(), load_targets(None))
    found = {(i.year, i.ground, i.what): i.stated for i in items}
    assert found == {
        (2022, "CLEARED", "SPF III"): 10_000, (2022, "CLEARED", "9th NSEDP"): 10_000,
        (2023, "CLEARED", "SPF III"): 10_000, (2023, "CLEARED", "9th NSEDP"): 10_000,
        (2022, "CHA", "SPF III"): 25_000, (2022, "CHA", "9th NSEDP"): 50_000,
        (2023, "CHA", "SPF III"): 25_000, (2023, "CHA", "9th NSEDP"): 50_000,
    }  # fmt: skip
    assert all("unverified" in i.note for i in items)


def test_a_plan_has_no_target_outside_its_years():
    goal = Target(
        plan="P", ground="CLEARED", ha_a_year=1, from_year=2023, to_year=2023, verified=True, reference="r"
    )
    assert [i.year for i in beside_targets(year_rows(), Targets(targets=(goal,)))] == [2023]


@pytest.mark.parametrize(
    "text",
    [
        "stated: [{year: 2023, ground: CHA, land_use: lake, ha: 1, reference: r}]",
        "stated_shares: [{year: 2023, ground: CHA, plan: P, percent: 1, reference: r}]",
        "target: []",
    ],
)
def test_a_file_of_targets_that_does_not_hang_together_is_refused(tmp_path, text):
    path = tmp_path / "targets.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_targets(path)


# --- rounding and CSV -----------------------------------------------------------------------------


def thirds():
    """Three hectares and a third each: rounded to 0.01 ha, the rows miss the total."""
    side = (10_000 / 3) ** 0.5
    records = [released(square(500 * n, side=side), name, name) for n, name in enumerate("ABC")]
    return Counted(*records)


def test_rounded_rows_miss_the_rounded_total_and_it_is_said():
    counted = thirds()
    rests = rounding_rests_ha(counted.rows("operator"), counted.rows(), 2)
    assert {key: str(rest) for key, rest in rests.items()} == {
        ("CLEARED", "reported_m2"): "-0.01", ("CLEARED", "reconciled_m2"): "-0.01",
    }  # fmt: skip
    assert rounding_line(rests, 2) == (
        "ROUNDING    rounded to 0.01 ha, the rows miss the totals by up to 0.01 ha (CLEARED, reported)."
    )


def test_whole_hectares_leave_more_than_hundredths():
    counted = thirds()
    rests = rounding_rests_ha(counted.rows("operator"), counted.rows(), 0)
    assert str(rests["CLEARED", "reported_m2"]) == "-1"
    assert "rounded to 1 ha" in rounding_line(rests, 0)


def test_rows_that_add_up_leave_nothing():
    counted = Counted(released(square(), "A", "1"), released(square(500), "B", "2"))
    assert rounding_rests_ha(counted.rows("operator"), counted.rows(), 2) == {}


def test_nothing_is_shown_as_less_than_nothing():
    assert str(shown_ha(-0.001, 2)) == "0.00"


def test_a_spreadsheet_gets_figures_and_never_a_formula():
    counted = Counted(released(square(), "=cmd()", "1"), released(square(60), "B", "2"))
    text = as_csv(counted.rows("operator"), counted.rows(), ["operator"])
    lines = text.removeprefix("\ufeff").split("\r\n")
    assert text.startswith("\ufeff")
    assert lines[1].startswith("CLEARED,'=cmd(),1,1.000000,-0.400000,")
    assert lines[-2].startswith("CLEARED,total,2,2.000000,0.000000,0.400000,0.000000,1.600000,")
