"""Feeds for dashboards: what they say, what they never say, and that every format says the same."""

import json
import shutil
from math import fsum
from pathlib import Path

import conftest
import numpy as np
import pyarrow.parquet as pq
import pyproj
import pytest
import shapely
from conftest import call, hashes, require_as_promised
from feeds_fixtures import TABLES, csv_rows, json_rows, workspace_in, write
from make import hazard, make_features, square
from workbook_register import FORMULA, LAO, LONG_NOTE, SCRIPT, SECRET

from geopipe.errors import ConfigError, OutputError
from geopipe.io.ledgers.ledger import Ledger
from geopipe.location.places import load_places
from geopipe.outputs.feeds.columns import tables
from geopipe.outputs.feeds.placing import district_codes, placed
from geopipe.outputs.feeds.tables import _hectares
from geopipe.statistics.rows import Row

MAPS = ("areas", "hazard_unresolved", "overlaps", "cases")
HECTARES = ("reported", "undecided", "agreed", "covered")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return workspace_in(tmp_path_factory.mktemp("feeds"))


@pytest.fixture(scope="module")
def feeds(place):
    return write(place, place / "exports", expected=("MAG", "NPA"))


@pytest.fixture(scope="module")
def of_mag(place):
    return write(place, place / "for-mag", operator="MAG")


@pytest.fixture(scope="module")
def demo(small_demo, tmp_path_factory):
    """The feeds of a demo with its register."""
    folder = tmp_path_factory.mktemp("feeds-demo")
    config = f"deliveries: [{{path: {json.dumps(str(small_demo))}, assume_crs: 'EPSG:32648'}}]\n"
    config += "workspace: work\noutput: out\ntoday: 2026-04-01\n"
    (folder / "run.yaml").write_text(config, encoding="utf-8")
    assert call("run", folder / "run.yaml", "-q").code in (0, 4)
    write(folder, folder / "exports")
    return folder


def number(text):
    return float(text) if text else None


# What the tables say.


def test_rows_add_up_to_the_statistics(demo):
    told = json.loads(call("stats", demo / "out", "--register", demo / "work", "--json").out)["totals"]
    totals = {row["ground"]: row for row in told}
    for name in ("who_what_where_when", "totals"):
        rows = json_rows(demo / "exports" / f"{name}.json")
        assert {row["kind"] for row in rows} == {*totals} - {"hazard", "released"} >= {"CHA", "CLEARED"}
        for kind in {row["kind"] for row in rows}:
            own = [row for row in rows if row["kind"] == kind]
            assert sum(row["records"] for row in own) == totals[kind]["records"]
            for figure in HECTARES:
                stated_m2 = totals[kind][f"{figure}_m2"]
                for unit, factor in (("m2", 1), ("ha", 10_000)):
                    sum_m2 = factor * fsum(row[f"{figure}_{unit}"] for row in own)
                    assert sum_m2 == pytest.approx(stated_m2, rel=1e-9, abs=1e-6), (name, kind, figure, unit)


def test_ground_that_two_operators_report_is_counted_once_and_said_to_be_shared(feeds):
    rows = json_rows(feeds / "who_what_where_when.json")
    assert {row["operator"] for row in rows if row["is_shared"]} == {"shared between operators"}
    for row in rows:
        assert row["counted_twice_m2"] == pytest.approx(row["undecided_m2"] + row["agreed_m2"], abs=1e-5)
        assert row["covered_m2"] == pytest.approx(
            row["reported_m2"] + row["with_others_m2"] - row["counted_twice_m2"], abs=1e-4
        )
    (total,) = json_rows(feeds / "totals.json")
    assert total["covered_m2"] < total["reported_m2"]
    assert total["is_provisional"]


def test_counted_twice_is_what_is_agreed_and_what_nobody_has_decided():
    row = Row("CLEARED", (), 2, 100_000.0, 0.0, 20_000.0, 10_000.0, 70_000.0, 70_000.0, {})
    told = _hectares(row)
    assert (told["undecided_ha"], told["agreed_ha"], told["counted_twice_ha"], told["covered_ha"]) == (
        2,
        1,
        3,
        7,
    )
    assert told["is_provisional"]


def test_cleared_reduced_and_cancelled_land_are_never_mixed(demo):
    for name in ("who_what_where_when", "totals"):
        kinds = {row["kind"] for row in json_rows(demo / "exports" / f"{name}.json")}
        assert {"CLEARED", "CANCELLED"} <= kinds <= {"CHA", "SHA", "CLEARED", "REDUCED", "CANCELLED"}


def test_what_was_cleared_is_listed_by_depth_and_closes(demo):
    rows = json_rows(demo / "exports" / "clearance.json")
    assert rows
    for row in rows:
        depths = row["full_depth_m2"] + row["surface_only_m2"] + row["depth_unknown_m2"]
        assert depths == pytest.approx(row["covered_m2"], abs=1e-4)


def test_a_quarter_is_a_name_a_year_and_two_days(demo):
    row = next(row for row in json_rows(demo / "exports" / "who_what_where_when.json") if row["quarter"])
    year, quarter = row["quarter"].split("-Q")
    assert row["year"] == int(year)
    assert row["quarter_start"] == f"{year}-{3 * int(quarter) - 2:02}-01"
    assert row["quarter_end"].startswith(f"{year}-{3 * int(quarter):02}-")


def test_deliveries_close_with_the_balance_and_say_who_is_missing(feeds, demo):
    rows = json_rows(demo / "exports" / "deliveries.json")
    balance = json.loads(call("report", demo / "out", "--json").out)["balance"]
    columns = {
        "records_in": "records_in", "kept": "kept", "reference": "kept_as_reference",
        "duplicates": "duplicate", "older_versions": "superseded", "returned": "rejected",
    }  # fmt: skip
    assert {name: sum(row[name] for row in rows) for name in columns} == {
        name: balance[of_run] for name, of_run in columns.items()
    }
    states = {row["operator"]: row["state"] for row in json_rows(feeds / "deliveries.json")}
    assert states == {"HALO": "received", "MAG": "received", "UXO Lao": "received", "NPA": "missing"}


def test_a_decision_is_shown_when_its_minutes_are_signed_and_not_before(demo, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(demo, copy)
    number = next(r["number"] for r in json_rows(demo / "exports" / "cases.json") if r["is_open"])
    held = ("--meeting", "TWG 1", "--held-on", "2026-04-02", "--by", "Bounmy", "-w", copy / "work")
    given = ("--choice", "field_survey", "--level", "NRA", "--responsible", SECRET, "--note", SECRET)
    assert call("cases", "decide", number, *given, *held).code == 0
    decided = next(r for r in json_rows(write(copy, copy / "again") / "cases.json") if r["number"] == number)
    assert (decided["status"], decided["decision"]) == ("decided", None)
    (copy / "minutes.pdf").write_bytes(b"signed")
    assert call("cases", "confirm", number, "--minutes", copy / "minutes.pdf", *held).code == 0
    told = write(copy, copy / "again")
    decided = next(row for row in json_rows(told / "cases.json") if row["number"] == number)
    assert decided["decision"] == "field_survey"
    assert SECRET not in bytes_of(told)


# Places.


def test_each_p_code_exists_and_belongs_to_its_province(demo):
    exports = demo / "exports"
    places = json_rows(exports / "places.json")
    provinces = {row["pcode"] for row in places if row["level"] == "province"}
    districts = {
        (row["parent_pcode"], row["name_en"]): row["pcode"] for row in places if row["level"] == "district"
    }
    for name in ("who_what_where_when", "clearance", *MAPS):
        rows = json_rows(exports / f"{name}.json")
        for row in rows:
            if row["province_pcode"] is not None:
                assert row["province_pcode"] in provinces
                if row["district"]:
                    assert districts[row["province_pcode"], row["district"]] == row["district_pcode"]
        assert any(row["district_pcode"] for row in rows), name


def test_the_list_of_codes_has_every_district_and_no_code_twice():
    places = load_places()
    parents = places.province_code[places.district_province]
    assert set(district_codes()) == set(zip(parents, places.district_name, strict=True))
    codes = [code.pcode for code in district_codes().values() if code.pcode]
    assert len(codes) == len(set(codes)) == 71
    assert all(
        code.pcode.startswith(province) for (province, _), code in district_codes().items() if code.pcode
    )


def test_a_place_that_somebody_wrote_is_known_by_its_official_name_or_not_at_all():
    areas = make_features(hazard(square(), "MAG", "1"), hazard(square(), "MAG", "2")).features
    stated = {"province_stated": ["Xieng Khuang", SECRET], "district_stated": ["Muang Kham", SECRET]}
    nothing = {name: [None, None] for name in ("province_code", "province_located", "district_located")}
    rows = placed(areas.with_columns({**stated, **nothing})).table.to_pylist()
    assert [(row["province_code"], row["district_located"]) for row in rows] == [
        ("LA09", "Kham"),
        (None, None),
    ]
    assert {row["province_stated"] for row in rows} == {None}


# Formats.


@pytest.mark.parametrize("name", TABLES)
def test_csv_and_json_hold_the_same_rows(feeds, name):
    columns = tables()[name].columns
    told = json_rows(feeds / f"{name}.json")
    read = csv_rows(feeds / f"{name}.csv")
    assert len(read) == len(told)
    for text, row in zip(read, told, strict=True):
        assert list(text) == list(row) == [column.name for column in columns]
        for name_of, value in row.items():
            if isinstance(value, bool):
                assert text[name_of] == str(value).lower()
            elif isinstance(value, int | float):
                assert float(text[name_of]) == value
            else:
                assert text[name_of].removeprefix("'") == (value or "").removeprefix("'")


@pytest.mark.parametrize("name", [*TABLES, "dictionary"])
def test_a_json_file_is_as_its_schema_says(feeds, name):
    told = json.loads((feeds / f"{name}.json").read_text(encoding="utf-8"))
    assert told["schema"] == f"feed-{name.replace('_', '-')}.v1"
    require_as_promised(told)
    assert (feeds / "schemas" / f"{told['schema']}.schema.json").is_file()


def test_the_dictionary_lists_exactly_the_columns_of_each_file(feeds):
    words = csv_rows(feeds / "dictionary.csv")
    for name in TABLES:
        head = (feeds / f"{name}.csv").read_text(encoding="utf-8-sig").splitlines()[0].split(",")
        own = [row for row in words if row["table"] == name]
        assert [row["column"] for row in own if "csv" in row["files"]] == head
        in_parquet = [row["column"] for row in own if "parquet" in row["files"]]
        assert in_parquet == (pq.read_schema(feeds / f"{name}.parquet").names if name in MAPS else [])
    assert {row["table"] for row in words} == set(TABLES)
    assert all(row["meaning_en"] and row["meaning_lo"] != row["meaning_en"] for row in words)
    assert all(row["unit"] == "m2" for row in words if row["column"].endswith("_m2"))
    assert {row["crs"] for row in words if row["column"] in ("longitude", "latitude")} == {
        "WGS 84 (EPSG:4326), degrees"
    }


@pytest.mark.parametrize("name", MAPS)
def test_geoparquet_holds_the_same_rows_in_the_working_crs(feeds, name):
    table = pq.read_table(feeds / f"{name}.parquet")
    geo = json.loads(table.schema.metadata[b"geo"])
    crs = pyproj.CRS.from_json_dict(geo["columns"]["geometry"]["crs"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    assert "Equal Area" in str(crs.coordinate_operation.method_name)
    rows = table.drop_columns(["geometry"]).to_pylist()
    plain = [{key: str(v) if key.endswith(("date", "_off", "_seen")) or key.startswith("date_") else v
              for key, v in row.items()} for row in rows]  # fmt: skip
    told = json_rows(feeds / f"{name}.json")
    assert [{key: None if v == "None" else v for key, v in row.items()} for row in plain] == told
    carried = json.loads(table.schema.metadata[b"geopipe"])["about"]
    assert "Areas not shown are not thereby safe." in carried["notice"]["en"]
    to_lonlat = pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    for row, shape in zip(told, shapely.from_wkb(table["geometry"].to_numpy()), strict=True):
        inside = shapely.transform(shape, lambda points: np.column_stack(to_lonlat.transform(*points.T)))
        assert inside.distance(shapely.Point(row["longitude"], row["latitude"])) < 2e-6
        if name != "hazard_unresolved":
            assert shape.area == pytest.approx(row["area_m2"], rel=1e-6)


def test_excel_sees_lao_and_no_formula(feeds):
    data = (feeds / "areas.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    ids = {row["own_id"] for row in csv_rows(feeds / "areas.csv")}
    assert {LAO, SCRIPT, f"'{FORMULA}", "'+1+1", "'@SUM(A1)"} <= ids
    assert not any(
        cell.startswith(("=", "+", "@", "\t", "\r"))
        for row in csv_rows(feeds / "areas.csv")
        for cell in row.values()
    )
    assert FORMULA in {row["own_id"] for row in json_rows(feeds / "areas.json")}
    assert "\u202e" not in data.decode()
    assert "\x07" not in data.decode()


def test_figures_below_zero_stay_figures(feeds):
    cells = [row["with_others_m2"] for row in csv_rows(feeds / "who_what_where_when.csv")]
    assert any(number(cell) < 0 for cell in cells)


def test_the_same_run_gives_the_same_bytes(place, feeds, tmp_path):
    again = write(place, tmp_path / "again", expected=("MAG", "NPA"))
    assert hashes(again) == hashes(feeds)


def test_the_index_comes_last_and_tells_of_every_file(place, tmp_path, monkeypatch):
    folder = write(place, tmp_path / "exports")
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    assert index["files"] == {name: digest for name, digest in hashes(folder).items() if name != "index.json"}

    def broken(_folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("geopipe.outputs.feeds.make.sync_all", broken)
    before = hashes(folder)
    with pytest.raises(OutputError, match="No space"):
        write(place, folder)
    assert hashes(folder) == before


def test_while_files_are_replaced_no_index_says_that_they_belong_together(place, tmp_path, monkeypatch):
    folder, move = write(place, tmp_path / "exports"), Path.replace

    def stops(self, target):
        if target.name == "cases.json":
            raise OSError(5, "Input/output error")
        return move(self, target)

    monkeypatch.setattr(Path, "replace", stops)
    with pytest.raises(OutputError):
        write(place, folder)
    assert not (folder / "index.json").exists()


# What must be shown, and what must not.


def test_every_export_says_how_new_it_is_and_what_is_missing(feeds):
    for name in (*TABLES, "dictionary"):
        about = json.loads((feeds / f"{name}.json").read_text(encoding="utf-8"))["about"]
        assert about["data_cut_off"] == "2020-05-17"
        assert about["records"] == {"received": 21, "shown": 19, "returned": 2}
        assert about["deliveries"]["missing"] == ["NPA"]
        assert about["deliveries"]["returned"] == ["HALO", "MAG"]
        assert about["hectares"] == "provisional"
    for name in TABLES:
        for row in csv_rows(feeds / f"{name}.csv"):
            assert row["notice"].startswith("Areas not shown are not thereby safe. 19 of 21 records")
    said = (feeds / "READ_FIRST.txt").read_text(encoding="utf-8-sig")
    assert "Areas not shown are not thereby safe." in said
    assert "ພື້ນທີ່ທີ່ບໍ່ໄດ້ສະແດງ ບໍ່ໄດ້ໝາຍຄວາມວ່າປອດໄພ." in said
    assert "Missing deliveries: NPA." in said
    assert "Draft translation" in said


def test_hazard_that_could_not_be_used_is_in_the_feeds(feeds):
    rows = json_rows(feeds / "hazard_unresolved.json")
    assert [(row["own_id"], row["vanished"]) for row in rows] == [("H-TIE", False)]


def test_no_overlaps_is_only_said_among_so_many_records(tmp_path):
    conftest.write_geojson(tmp_path / "MAG_CHA.geojson", [({"hazard_id": "M-1"}, conftest.square())])
    text = "deliveries: [{path: MAG_CHA.geojson}]\nworkspace: work\noutput: out\n"
    (tmp_path / "run.yaml").write_text(text, encoding="utf-8")
    assert call("run", tmp_path / "run.yaml", "-q").code == 0
    folder = write(tmp_path, tmp_path / "exports")
    said = (folder / "READ_FIRST.txt").read_text(encoding="utf-8-sig")
    assert "No overlaps among 1 of 1 records." in said
    assert "Hectares are final" in said
    assert json_rows(folder / "overlaps.json") == []


def bytes_of(folder):
    """All that stands in a folder, GeoParquet unpacked."""
    parts = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            parts += [repr(table.drop_columns(["geometry"]).to_pylist()), repr(table.schema.metadata)]
        elif path.is_file():
            parts.append(path.read_text(encoding="utf-8"))
    return "\n".join(parts)


def test_no_person_no_free_text_and_no_file_is_named(feeds, place):
    told = bytes_of(feeds)
    assert SECRET not in told
    assert LONG_NOTE[:20] not in told
    assert str(place) not in told
    assert "MAG_CHA.geojson" not in told


def test_an_operators_edition_holds_nothing_of_others(of_mag, feeds):
    told = bytes_of(of_mag)
    for foreign in ("U-FOREIGN", "H-FOREIGN", "H-TIE", "HALO"):
        assert foreign in bytes_of(feeds)
        assert foreign not in told
    assert {row["operator"] for row in json_rows(of_mag / "areas.json")} == {"MAG"}
    assert {row["operator"] for row in json_rows(of_mag / "who_what_where_when.json")} == {"MAG"}
    assert "Confidential between the authority and the operator MAG." in told
    assert (of_mag / "areas.csv").stat().st_mode & 0o077 == 0


def test_an_edition_does_not_say_how_large_the_other_record_is(of_mag):
    for name in ("overlaps", "cases"):
        rows = json_rows(of_mag / f"{name}.json")
        assert rows
        for row in rows:
            own, other = ("a", "b") if row["a_operator"] == "MAG" else ("b", "a")
            assert row[f"{own}_share"] is not None
            assert row[f"{other}_operator"] == "MAG" or row[f"{other}_share"] is None
            assert row["relation"] is None or row["a_operator"] == row["b_operator"]


def test_an_operator_without_records_is_refused(place, tmp_path):
    with pytest.raises(ConfigError, match=r"no record is of 'MAC'.*MAG"):
        write(place, tmp_path, operator="MAC")


def test_another_result_than_the_last_is_refused(place, tmp_path):
    compared = tmp_path / "other"
    assert call("compare", place / "in", "-o", compared, "--quiet").code in (0, 4)
    ran = call("feeds", compared, "-w", place / "work", "-o", tmp_path / "exports")
    assert ran.code == 2
    assert "the last run of the register is run-" in ran.err


def test_the_command_says_what_it_has_written(place, tmp_path):
    ran = call("feeds", place / "out", "-w", place / "work", "-o", tmp_path / "exports")
    assert ran.code == 0
    assert "areas                       19 rows" in ran.lines
    assert "READ_FIRST.txt" in ran.err
    with Ledger.existing(place / "work") as ledger:
        assert ledger.deliveries()
