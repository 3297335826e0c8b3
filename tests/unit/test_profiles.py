"""Operator profiles say what is known of a delivery; the user comes first, the common words last."""

import pyarrow as pa
import pytest
import shapely
from conftest import call, write_geojson
from make import ingested, raw_delivery, raw_layer

from geopipe.config import load_vocabulary
from geopipe.errors import ConfigError
from geopipe.profiles import IdRules, OperatorProfile, load_profile, profile_names

GROUND = [shapely.box(105, 17, 105.01, 17.01), shapely.box(105.1, 17, 105.11, 17.01)]


def rows(name="delivery.gpkg", profile=None, crs="EPSG:4326", options=None, **columns):
    state = ingested(
        raw_delivery(name, raw_layer(GROUND, crs, **columns)), profile=profile, **(options or {})
    )
    return state.features.table.to_pylist()


@pytest.fixture
def profile(tmp_path):
    def write(text):
        path = tmp_path / "mine.yaml"
        path.write_text(f"name: mine\n{text}\n", encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize("name", profile_names())
def test_every_ready_profile_is_read_and_says_that_it_is_an_assumption(name):
    ready = load_profile(name)
    assert ready.name == name
    assert ready.assumption


def test_the_ready_profiles_are_those_that_people_ask_for():
    assert set(profile_names()) == {
        "generic", "halo", "hi", "imsma", "mag", "npa", "unit58", "uxo-lao",
    }  # fmt: skip


@pytest.mark.parametrize("name", [n for n in profile_names() if n not in ("generic", "imsma")])
def test_the_operator_of_a_ready_profile_is_one_that_the_vocabulary_knows(name):
    assert load_profile(name).operator in load_vocabulary().operators


def test_an_unknown_profile_is_told_with_the_nearest_name():
    with pytest.raises(ConfigError, match="did you mean 'uxo-lao'"):
        load_profile("uxo-loa")


def test_an_unknown_column_of_a_profile_is_told(profile):
    with pytest.raises(ConfigError, match="did you mean 'status'"):
        load_profile(profile("columns: {statuss: [x]}"))


def test_columns_kinds_and_statuses_of_a_profile_are_read(profile):
    path = profile("columns: {kind: [t], status: [s]}\nkinds: {CHA: [red]}\nstatuses: {open: [yes]}")
    first, second = rows(profile=path, t=["red", "cleared"], s=["yes", "closed"])
    assert (first["kind"], first["status"]) == ("CHA", "open")
    assert (second["kind"], second["status"]) == ("CLEARED", "closed")


def test_the_profiles_column_comes_before_the_common_one_and_the_users_before_both(profile):
    path = profile("columns: {kind: [mine]}")
    columns = {"mine": ["CHA", "CHA"], "kind": ["SHA", "SHA"], "said": ["CLEARED", "CLEARED"]}
    assert rows(profile=path, **columns)[0]["kind"] == "CHA"
    assert rows(profile=path, options={"kind_field": "said"}, **columns)[0]["kind"] == "CLEARED"


def test_the_operator_of_a_profile_holds_unless_the_user_says_another():
    assert rows(profile="mag")[0]["operator"] == "MAG"
    assert rows(profile="mag", options={"operator": "NPA"})[0]["operator"] == "NPA"


def test_the_coordinate_system_of_a_profile_fills_only_what_the_file_leaves_open(profile):
    path = profile("assume_crs: EPSG:32648")
    assert rows(profile=path, crs=None)[0]["source_crs"] == "EPSG:32648"
    assert rows(profile=path, crs="EPSG:4326")[0]["source_crs"] == "EPSG:4326"


def test_lost_leading_zeros_come_back_where_the_profile_says_how_many_digits(profile):
    path = profile("ids: {width: 6, upper: true}")
    ids = [row["source_id"] for row in rows(profile=path, hazard_id=pa.array([42, 1234567]))]
    assert ids == ["000042", "1234567"]
    assert IdRules(width=6, upper=True).apply("cha-7") == "CHA-7"


def test_dates_and_figures_are_read_as_the_profile_says(profile):
    path = profile("dates: {order: mdy}\nnumbers: {decimal: ','}")
    (first, _) = rows(profile=path, survey_date=["03/04/2024", ""], area_ha=["5,815", "20.436"])
    assert str(first["date_surveyed"]) == "2024-03-04"
    assert first["area_stated_m2"] == pytest.approx(58_150)


def test_a_delivery_carries_role_mode_and_its_only_operator():
    layer = raw_layer(GROUND, organisation=["MAG", "MAG"])
    (delivery,) = ingested(raw_delivery("x.gpkg", layer), profile="imsma").deliveries
    assert (delivery.role, delivery.mode, delivery.operator) == ("national_database", "snapshot", "MAG")
    two = raw_layer(GROUND, organisation=["MAG", "NPA"])
    (delivery,) = ingested(raw_delivery("x.gpkg", two)).deliveries
    assert (delivery.role, delivery.mode, delivery.operator) == ("operator", "increment", "")


def test_which_profile_was_used_is_told():
    state = ingested(raw_delivery("x.gpkg", raw_layer(GROUND)), profile="mag")
    assert any("operator profile mag" in sentence for sentence in state.deliveries[0].assumptions)


def test_guids_are_brought_into_one_form():
    guid = "{0F8FAD5B-D9CB-469F-A165-70867728950E}"
    assert rows(globalid=[guid, None])[0]["guid"] == "0f8fad5b-d9cb-469f-a165-70867728950e"


def test_an_id_with_spaces_is_trimmed_and_told():
    state = ingested(raw_delivery("x.gpkg", raw_layer(GROUND, hazard_id=["A-1 ", "A-2"])))
    assert state.features.table["source_id"].to_pylist() == ["A-1", "A-2"]
    assert [(f["code"], f["source_id"]) for f in state.findings.table.to_pylist()] == [("ID_TRIMMED", "A-1")]


def test_a_profile_changes_nothing_of_what_was_not_said():
    words = load_vocabulary()
    assert OperatorProfile(name="x").words(words) == words


def test_a_drafted_profile_is_a_profile_and_reads_the_file_as_before(tmp_path):
    path = write_geojson(
        tmp_path / "MAG_areas.geojson",
        [({"HAZ_NO": f"A-{n}", "hazard_id": n, "typ": "Confirmed", "kind": "CHA" if n else "red",
           "surv_date": f"{n + 10}/01/2024", "surveyor": "somebody"}, GROUND[n]) for n in (0, 1)],
    )  # fmt: skip
    draft = tmp_path / "draft.yaml"
    done = call("profile", path, "-o", draft)
    assert done.code == 0, done.err
    profile = load_profile(str(draft))
    assert profile.operator == "MAG"
    assert profile.columns["kind"] == ("kind",)
    assert profile.columns["date_surveyed"] == ("surv_date",)
    assert profile.id_columns == ("hazard_id",)
    text = draft.read_text(encoding="utf-8")
    assert "red: 1 records = UNKNOWN" in text
    assert "CHA: 1 records = CHA" in text
    assert "somebody" not in text
    assert call("profile", path, "-o", draft).code == 2


def test_a_draft_names_where_a_file_without_coordinate_system_could_lie(tmp_path):
    table = tmp_path / "areas.csv"
    table.write_text('id,wkt\n1,"POLYGON((300000 2100000,300100 2100000,300100 2100100,300000 2100000))"\n')
    done = call("profile", table)
    assert "assume_crs: EPSG:32648" in done.out
    assert "EPSG:32647 puts it near" in done.out


def test_without_a_file_the_ready_profiles_are_listed():
    assert [line.split()[0] for line in call("profile").lines] == list(profile_names())
