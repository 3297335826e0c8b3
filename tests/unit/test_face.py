"""The library face: what scripts and notebooks get is what the commands write."""

from __future__ import annotations

import datetime as dt
import shutil
import xml.etree.ElementTree as ET

import geopandas
import pytest
import shapely

import geopipe
from geopipe.demo import make_demo
from geopipe.errors import ConfigError, OutputError, RegisterError
from geopipe.periods import day_here
from geopipe.policies import load_policy, policy_path
from geopipe.reports.sensitivity.table import of_result
from geopipe.reports.sensitivity.text import text_of

FIELD = shapely.box(300_000, 2_000_000, 300_100, 2_000_100)
BESIDE = shapely.box(300_099, 2_000_000, 300_200, 2_000_100)


def frame(*shapes, **columns):
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:32648")


def records(shape, operator, kind="CHA", name=None):
    return geopipe.from_geodataframe(frame(shape), operator=operator, kind=kind, name=name or operator)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("face")
    make_demo(folder / "demo", size=400)
    return [folder / "demo" / name for name in ("UXO_Lao_CHA_2026.shp", "MAG_deliveries.gpkg")]


@pytest.fixture(scope="module")
def compared(inbox):
    return geopipe.compare(geopipe.read(*inbox))


@pytest.fixture(scope="module")
def published(inbox):
    folder = inbox[0].parents[1]
    paths = "".join(f"  - path: demo/{path.name}\n" for path in inbox)
    (folder / "run.yaml").write_text(f"deliveries:\n{paths}workspace: work\noutput: out\n")
    made = geopipe.run(folder / "run.yaml")
    shutil.copytree(folder / "work", folder / "work-as-published")
    return made


@pytest.fixture
def register(published, tmp_path):
    """A copy of the register, on which a test may decide what it likes."""
    shutil.copytree(published.workspace.with_name("work-as-published"), tmp_path / "work")
    return geopipe.Register.open(tmp_path / "work")


def first_conflict(register):
    cases = register.cases
    return register.case(cases.loc[cases.severity == "conflict", "number"].iloc[0])


# Records.


def test_a_frame_of_nothing_but_polygons_is_read():
    assert len(records(FIELD, "MAG")) == 1


def test_a_column_named_row_does_not_hide_which_row_a_record_is():
    given = geopipe.from_geodataframe(frame(FIELD, BESIDE, row=[70, 80]), operator="MAG", kind="CHA")
    assert given.state.features.table["row"].to_pylist() == [1, 2]


def test_a_frame_without_crs_is_refused():
    with pytest.raises(ConfigError, match="no CRS"):
        geopipe.from_geodataframe(geopandas.GeoDataFrame(geometry=[FIELD]), operator="MAG", kind="CHA")


def test_what_was_read_and_what_was_not_stands_in_one_row_for_each_file(inbox):
    no_crs = inbox[0].with_name("Unit58_CHA_no_prj.shp")
    records = geopipe.read(inbox[0], no_crs)
    read = records.overview.set_index("file")
    assert list(read["read"]) == list(read["records"])
    assert "all CHA" in read.loc[no_crs.name, "assumed"]
    overview = geopipe.compare(records).overview.set_index("file")
    assert overview.loc[inbox[0].name, "not_compared"] == ""
    assert overview.loc[inbox[0].name, "kept"] > 0
    assert overview.loc[no_crs.name, "rejected"] == overview.loc[no_crs.name, "records_in"] > 0
    assert "no coordinate system" in overview.loc[no_crs.name, "not_compared"]


# Comparing.


def test_find_overlaps_gives_the_ground_that_two_operators_claim():
    overlaps = geopipe.find_overlaps(records(FIELD, "UXO Lao"), records(BESIDE, "MAG"))
    (area_m2,) = overlaps.area_m2
    assert area_m2 == pytest.approx(100, rel=0.01)  # the grid of UTM is not quite true to area
    assert overlaps.geometry.area.iloc[0] == pytest.approx(area_m2)


def test_a_layer_without_geometry_is_a_plain_table(compared):
    assert not isinstance(compared.layer("rejected"), geopandas.GeoDataFrame)
    assert isinstance(compared.layer("areas"), geopandas.GeoDataFrame)


def test_what_is_saved_is_what_was_compared(compared, tmp_path):
    saved = compared.save(tmp_path / "out")
    again = geopipe.open_result(tmp_path / "out")
    assert saved.geopackage.is_file()
    assert list(again.layer("overlaps").area_m2) == list(compared.overlaps.area_m2)
    assert len(again.layer("rejected")) == len(compared.layer("rejected"))
    assert str(again).splitlines()[0] == str(compared).splitlines()[0]


def test_a_folder_without_result_is_refused(tmp_path):
    with pytest.raises(OutputError):
        geopipe.open_result(tmp_path)


def test_a_map_names_both_records_and_the_ground_that_they_share(compared):
    largest = compared.overlaps.nlargest(2, "area_m2")
    maps = compared.maps(largest).maps
    assert len(maps) == 2
    for row, drawn in zip(largest.itertuples(), maps, strict=True):
        ET.fromstring(drawn.svg)
        assert 'd="M"' not in drawn.svg
        assert f"{row.area_m2:,.1f} m2" in drawn.caption
        assert row.left_operator in drawn.caption
        assert row.right_operator in drawn.caption


def test_what_an_operator_wrote_is_text_in_the_caption_of_a_map():
    hostile = geopipe.compare(records(FIELD, "<script>x</script>"), records(BESIDE, "MAG"))
    shown = hostile.maps(hostile.overlaps)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


# Tolerances and plots.


def test_sensitivity_is_that_of_the_command(compared, tmp_path):
    compared.save(tmp_path / "out")
    today = day_here(dt.datetime.now(dt.UTC))
    told = of_result(tmp_path / "out", load_policy(), today)
    found = compared.sensitivity()
    assert str(found) == text_of(told)
    assert found.counts.loc["any", "any"] == told.cases
    assert found.counts.loc["5 m2", "any"] == told.row("all", "all", "pair", 5.0, None).count
    assert found.counts.loc["any", "0.5 m"] == told.row("all", "all", "pair", None, 0.5).count
    assert (
        found.never.loc["any", "for one of the reasons"] == told.row("all", "all", "pair", None, None).never
    )
    assert len(found.rows) == len(told.rows)


def test_a_draft_is_not_in_force(compared):
    found = compared.sensitivity("twg-5m2-draft")
    assert found.found.policy.name == "twg-5m2-draft"
    assert not found.in_force


def test_a_comparison_by_other_rules_is_held_against_those():
    one, other = records(FIELD, "UXO Lao"), records(BESIDE, "MAG")
    compared = geopipe.compare(one, other, policy=policy_path("twg-5m2-draft"))
    assert compared.sensitivity().found.policy.name == "twg-5m2-draft"
    assert compared.sensitivity("default").found.policy.name == "default"


def test_plots_show_themselves_in_a_notebook_and_are_the_same_each_time(compared):
    names = [plot.name for plot in compared.plots()]
    assert names == ["overlaps", "hectares"]
    assert [plot._repr_svg_() for plot in compared.plots()] == [plot.svg for plot in compared.plots()]


def test_with_a_register_there_are_plots_over_time(published):
    assert [plot.name for plot in published.plots()] == ["overlaps", "hectares", "cases", "findings"]


# The register.


def test_a_register_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RegisterError):
        geopipe.Register.open(tmp_path)
    assert not list(tmp_path.iterdir())


def test_cases_are_those_of_the_map_alarms_first(published, register):
    cases = register.cases
    assert set(cases.case_id) == set(published.layer("cases").case_id)
    assert list(cases.severity) == sorted(cases.severity, key=["alarm", "conflict", "check", "note"].index)
    assert cases.crs == published.layer("cases").crs


def test_a_case_explains_itself_and_says_what_each_choice_does(register):
    page = first_conflict(register)
    assert page.case.number in page.explain()
    assert str(page).startswith(f"CASE        {page.case.number}")
    choice = page.choices.loc[page.proposal.choice]
    assert choice.not_safe == ""
    assert choice.a_lost_ha + choice.b_lost_ha == pytest.approx(page.case.sighting.area_m2 / 10_000)
    assert page.choices.loc["withdraw_a", "not_safe"] == "shrinks_hazard"
    shared = page.ground.geometry["A"].intersection(page.ground.geometry["B"]).area
    assert page.ground.geometry["shared"].area == pytest.approx(shared)
    assert page.case.number in page.map.caption


def test_a_provisional_decision_changes_no_record(published, register):
    page = first_conflict(register)
    decided = register.decide(
        page.case.number, page.proposal.choice, level="TWG", meeting="TWG 3", by="Bounmy"
    )
    assert decided.case.status == "decided"
    assert not decided.case.decision.confirmed


def test_a_decision_with_its_signed_minutes_is_confirmed_at_once(register, tmp_path):
    (tmp_path / "minutes.pdf").write_bytes(b"signed")
    page = first_conflict(register)
    minutes = {"meeting": "TWG 3/2026", "minutes": tmp_path / "minutes.pdf"}
    decided = register.decide(page.case.number, page.proposal.choice, level="TWG", by="Bounmy", **minutes)
    assert decided.case.decision.confirmed
    assert decided.case.decision.reference.file_name == "minutes.pdf"


def test_a_decision_that_takes_hazard_off_the_map_is_refused(register):
    page = first_conflict(register)
    with pytest.raises(geopipe.GeopipeError, match="no longer be shown as hazard"):
        register.decide(page.case.number, "withdraw_a", level="TWG", by="Bounmy")
    assert register.case(page.case.number).case.decision is None


def test_only_confirmed_decisions_are_carried_out_and_only_on_a_copy(published, tmp_path):
    register = geopipe.Register.open(published.workspace)
    page = first_conflict(register)
    number, choice = page.case.number, page.proposal.choice
    register.decide(number, choice, level="TWG", meeting="TWG 3/2026", by="Bounmy")
    assert geopipe.resolve(register).changes.empty
    (tmp_path / "minutes.pdf").write_bytes(b"signed")
    confirmed = register.confirm(number, minutes=tmp_path / "minutes.pdf", by="Bounmy")
    assert confirmed.case.decision.reference.meeting == "TWG 3/2026"
    corrections = geopipe.resolve(register)
    (changed,) = corrections.changes.itertuples()
    assert changed.cases == number
    assert changed.lost_m2 == pytest.approx(page.case.sighting.area_m2, abs=0.1)
    assert changed.gained_m2 < 0.1
    assert changed.geometry.area - changed.after.area == pytest.approx(changed.lost_m2, abs=0.1)
    assert corrections.not_applied.empty
    assert str(corrections).startswith("Confirmed decisions carried out on a copy: 1;")
    assert register.case(number).ground.geometry["B"].equals(page.ground.geometry["B"])
