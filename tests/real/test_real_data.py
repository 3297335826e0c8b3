"""Real polygons, counted and measured a second time with shapely alone: no expectation comes from geopipe.

The polygons are not part of the repository; their folder is named by GEOPIPE_REAL_DATA.
"""

import json
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyogrio
import pytest
import shapely
from conftest import COMMAND, call, read_layer
from pyproj import Transformer

pytestmark = pytest.mark.real


def summary_of(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def closes(summary):
    """Assert that every record in is accounted for, in all and per delivery."""
    for balance in (summary["balance"], *(d["balance"] for d in summary["deliveries"])):
        parts = dict(balance)
        assert parts.pop("records_in") == sum(parts.values())
    return summary["balance"]


@dataclass(frozen=True)
class Plain:
    """Polygons as shapely reads them, without those that have no ground; in the CRS of the comparison."""

    rows: np.ndarray  # row in the file, from 1
    delivered: np.ndarray  # as they came, perhaps invalid
    valid: np.ndarray  # which of them are valid
    mended: np.ndarray  # after make_valid
    records: int
    missing: int
    empty: int

    def ground(self):
        """Return a label per record that is equal for equal polygons, whatever their first point."""
        return np.array(shapely.to_wkb(shapely.normalize(self.delivered)), dtype=object)


def plainly(path, crs):
    _, _, wkb, _ = pyogrio.raw.read(path)
    shapes = shapely.force_2d(shapely.from_wkb(wkb, on_invalid="ignore"))
    missing, empty = shapely.is_missing(shapes), shapely.is_empty(shapes)
    rows = np.flatnonzero(~missing & ~empty)
    change = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    moved = shapely.transform(shapes[rows], lambda xy: np.column_stack(change.transform(*xy.T)))
    return Plain(
        rows + 1, moved, shapely.is_valid(moved), shapely.make_valid(moved),
        len(wkb), int(missing.sum()), int((empty & ~missing).sum()),
    )  # fmt: skip


def pairs_of(one, other):
    """Return positions and common area of all pairs that share ground."""
    left, right = shapely.STRtree(other.mended).query(one.mended, predicate="intersects")
    area_m2 = shapely.area(shapely.intersection(one.mended[left], other.mended[right]))
    shared = area_m2 > 0
    return left[shared], right[shared], area_m2[shared]


# --- suspected minefields and cleared areas of Bosnia and Herzegovina ------------------------------


@pytest.fixture(scope="module")
def bosnia(real_data, tmp_path_factory):
    folder, out = real_data / "bih-mines", tmp_path_factory.mktemp("bosnia")
    files = [folder / f"{name}_areas_simplyfied.geojson" for name in ("suspect", "cleared")]
    ran = call("compare", *files, "--kind", "cha", "--kind", "cleared", "-o", out)
    assert ran.code == 0
    crs = summary_of(out)["working_crs"]
    return ran, out, *(plainly(file, crs) for file in files)


def test_bosnia_every_record_is_accounted_for(bosnia):
    ran, out, suspect, cleared = bosnia
    balance = closes(summary_of(out))
    assert balance["records_in"] == suspect.records + cleared.records == 16_130
    reasons = Counter(row["reason"] for row in read_layer(out / "geopipe.gpkg", "rejected"))
    assert reasons["NULL_GEOMETRY"] == suspect.missing + cleared.missing
    assert reasons["EMPTY_GEOMETRY"] == suspect.empty + cleared.empty
    assert reasons["NULL_GEOMETRY"] + reasons["EMPTY_GEOMETRY"] == 2_462
    assert reasons["ZERO_AREA"] == int((shapely.area(cleared.mended) == 0).sum()) == 1
    assert balance["rejected"] == reasons.total() == 2_463
    assert balance["duplicate"] == 97
    assert balance["kept"] == 13_570
    assert ran.first_line == "NOT ALL DATA COMPARED: 2,463 of 16,130 records not compared"
    assert len(ran.lines) < 25


def test_bosnia_the_plain_computation_has_the_figures_that_are_documented(bosnia):
    """In an equal-area CRS; in UTM the same pairs have 1.0209 (33N) or 1.0203 km2 (34N)."""
    _, _, suspect, cleared = bosnia
    _, _, area_m2 = pairs_of(suspect, cleared)
    assert (len(area_m2), int((area_m2 > 1).sum()), int((area_m2 < 5).sum())) == (928, 900, 73)
    assert area_m2.sum() / 1e6 == pytest.approx(1.0200, abs=5e-5)


def by_rows(out):
    """Return the published pairs between the two files by (row in suspect, row in cleared)."""
    pairs = {}
    for row in read_layer(out / "geopipe.gpkg", "overlaps"):
        if not row["same_operator"]:
            sides = {
                row[f"{side}_operator"]: int(row[f"{side}_row_id"].rsplit(":", 1)[-1])
                for side in ("left", "right")
            }
            pairs[sides["suspect_areas_simplyfied"], sides["cleared_areas_simplyfied"]] = row
    return pairs


def test_bosnia_pairs_are_the_distinct_pairs_of_the_plain_computation(bosnia):
    _, out, suspect, cleared = bosnia
    left, right, _ = pairs_of(suspect, cleared)
    one, other = suspect.ground(), cleared.ground()
    expected = {(one[a], other[b]) for a, b in zip(left, right, strict=True)}
    ground = [
        dict(zip(p.rows.tolist(), label, strict=True)) for p, label in ((suspect, one), (cleared, other))
    ]
    found = [(ground[0][a], ground[1][b]) for a, b in by_rows(out)]
    assert len(set(found)) == len(found) == 916
    assert set(found) == expected
    assert summary_of(out)["overlaps"]["between_operators"]["pairs"] == 916


def test_bosnia_areas_of_valid_polygons_agree_to_a_hundredth_of_a_square_metre(bosnia):
    _, out, suspect, cleared = bosnia
    found = by_rows(out)
    left, right, area_m2 = pairs_of(suspect, cleared)
    checked = repaired = smaller = 0
    for a, b, m2 in zip(left, right, area_m2, strict=True):
        row = found.get((int(suspect.rows[a]), int(cleared.rows[b])))
        if row is None:
            continue  # a duplicate that was set aside; its survivor was compared above
        if suspect.valid[a] and cleared.valid[b]:
            assert row["area_m2"] == pytest.approx(m2, abs=0.01)
            checked += 1
        else:
            repaired += 1
            # Hazard takes the union of its readings: never less of it.
            if cleared.valid[b]:
                assert row["area_m2"] >= m2 - 0.01
            smaller += row["area_m2"] < m2 - 0.01
    print(f"\n{checked} valid pairs agree; {repaired} with a repaired one, {smaller} of them smaller")
    assert checked + repaired == len(found) == 916
    assert checked > 580


def test_bosnia_every_repair_is_told(bosnia):
    _, out, suspect, cleared = bosnia
    findings = read_layer(out / "geopipe.gpkg", "findings")
    told = {(r["file"], r["row"]) for r in findings if r["code"].startswith("REPAIR")}
    invalid = {
        (f"{name}_areas_simplyfied.geojson", int(row))
        for name, plain in (("suspect", suspect), ("cleared", cleared))
        for row in plain.rows[~plain.valid & (shapely.area(plain.mended) > 0)]
    }
    assert told == invalid
    assert all("m2 before" in r["sentence"] for r in findings if r["code"].startswith("REPAIR"))


# --- concessions, forests and protected areas of Cambodia ------------------------------------------


def test_cambodia_eleven_files_of_many_kinds(real_data, tmp_path):
    ran = call("compare", real_data / "kh-concessions", "-o", tmp_path)
    summary = summary_of(tmp_path)
    assert ran.code in (0, 4)
    balance = closes(summary)
    assert len(summary["deliveries"]) == 11
    expected = 0
    for path in sorted((real_data / "kh-concessions").iterdir()):
        if path.suffix != ".txt":
            expected += sum(
                pyogrio.read_info(path, layer=name, force_feature_count=True)["features"]
                for name, _ in pyogrio.list_layers(path)
            )
    assert balance["records_in"] == expected == 1_230
    assert balance["kept"] + balance["duplicate"] + balance["rejected"] == expected
    assert summary["overlaps"]["between_operators"]["pairs"] > 3_000
    assert summary["overlaps"]["uncertain"] == 0
    assert len(ran.lines) < 25
    for row in read_layer(tmp_path / "geopipe.gpkg", "overlaps"):
        assert row["geometry"].area == pytest.approx(row["area_m2"], rel=1e-9)


def test_cambodia_the_same_forests_as_geojson_and_as_shapefile(real_data, tmp_path):
    """Two deliveries of one data set in two formats: every record meets its copy."""
    folder = real_data / "kh-concessions"
    files = [folder / "community_forests.geojson", folder / "community_forests_shp.zip"]
    assert call("compare", *files, "-o", tmp_path, "--operator", "A", "--operator", "B").code == 0
    balance = closes(summary_of(tmp_path))
    rows = [r for r in read_layer(tmp_path / "geopipe.gpkg", "overlaps") if not r["same_operator"]]
    alike = {r["left_row_id"] for r in rows if min(r["left_share"], r["right_share"]) > 0.999}
    a = sum(r["operator"] == "A" for r in read_layer(tmp_path / "geopipe.gpkg", "areas"))
    print(f"\n{balance}; {len(alike)} of {a} records of the first file meet a copy in the second")
    assert len(alike) >= 0.95 * a


# --- barangays of the Philippines, 2011 against 2019 -----------------------------------------------


@pytest.fixture(scope="module")
def philippines(real_data, tmp_path_factory):
    folder, out = real_data / "ph-barangays", tmp_path_factory.mktemp("philippines")
    files = [folder / f"ph{year}_barangays_lowres.geojson.gz" for year in (2011, 2019)]
    start = time.monotonic()
    ran = call("compare", *files, "-o", out)
    seconds = time.monotonic() - start
    crs = summary_of(out)["working_crs"]
    return ran, out, seconds, *(plainly(f"/vsigzip/{file}", crs) for file in files)


def test_philippines_every_record_is_accounted_for(philippines):
    ran, out, seconds, old, new = philippines
    print(f"\n{old.records + new.records:,} polygons in {seconds:.1f} s")
    balance = closes(summary_of(out))
    assert ran.code == 0
    assert (old.records, new.records) == (61_611, 42_058)
    assert balance["records_in"] == old.records + new.records
    assert balance["rejected"] == old.missing + new.missing + old.empty + new.empty == 2_736
    # Set aside: same ground, same operator (here: same file) under another number.
    distinct = len(set(old.ground())), len(set(new.ground()))
    assert balance["kept"] == sum(distinct) == 81_850
    assert balance["duplicate"] == balance["records_in"] - balance["rejected"] - sum(distinct) == 19_083


def test_philippines_all_pairs_that_share_ground(philippines):
    """246,252 pairs as delivered; 167,511 of different ground once 19,083 repetitions are set aside.

    Three of those share less than a millionth of a square metre: borders that touch.
    """
    _, out, _, old, new = philippines
    left, right, area_m2 = pairs_of(old, new)
    assert len(area_m2) == 246_252
    names = [np.unique(label, return_inverse=True)[1] for label in (old.ground(), new.ground())]
    plain = {}
    for key, m2 in zip(
        zip(names[0][left].tolist(), names[1][right].tolist(), strict=True), area_m2.tolist(), strict=True
    ):
        plain[key] = m2
    assert len(plain) == 167_511
    where = [
        dict(zip(p.rows.tolist(), label.tolist(), strict=True))
        for p, label in ((old, names[0]), (new, names[1]))
    ]
    _, table = pyogrio.raw.read_arrow(
        out / "geopipe.gpkg", layer="overlaps", read_geometry=False,
        columns=["left_row_id", "right_row_id", "left_operator", "same_operator", "area_m2"],
    )  # fmt: skip
    found = {}
    for row in table.to_pylist():
        if row["same_operator"]:
            continue
        rows = [int(row[f"{side}_row_id"].rsplit(":", 1)[-1]) for side in ("left", "right")]
        first, second = rows if "2011" in row["left_operator"] else rows[::-1]
        found[where[0][first], where[1][second]] = row["area_m2"]
    assert found.keys() <= plain.keys()
    lost = {key: plain[key] for key in plain.keys() - found.keys()}
    print(f"\n{len(plain):,} plain, {len(found):,} found, {len(lost)} left out: {sorted(lost.values())} m2")
    assert len(lost) <= 10
    assert all(m2 < 1e-3 for m2 in lost.values())
    difference = max(abs(found[key] - plain[key]) - 1e-9 * plain[key] for key in found)
    assert difference < 0.01
    assert sum(found.values()) == pytest.approx(sum(plain.values()), rel=1e-9)


# --- land-use plan of Vientiane --------------------------------------------------------------------


def test_vientiane_three_layers(real_data, tmp_path):
    ran = call("compare", real_data / "lao-vientiane", "-o", tmp_path)
    summary = summary_of(tmp_path)
    assert ran.code == 0
    balance = closes(summary)
    assert len(summary["deliveries"]) == 3
    assert (balance["records_in"], balance["kept"]) == (101, 101)
    assert {layer["records"] for d in summary["deliveries"] for layer in d["layers"]} == {63, 37, 1}
    change = Transformer.from_crs("EPSG:32648", summary["working_crs"], always_xy=True)
    ground, owner = [], []
    for path in sorted((real_data / "lao-vientiane").glob("*.shp")):
        _, _, wkb, _ = pyogrio.raw.read(path)
        shapes = shapely.transform(
            shapely.force_2d(shapely.from_wkb(wkb)), lambda xy: np.column_stack(change.transform(*xy.T))
        )
        ground += list(shapely.make_valid(shapes))
        owner += [path.stem] * len(wkb)
    ground, owner = np.array(ground), np.array(owner)
    left, right = shapely.STRtree(ground).query(ground, predicate="intersects")
    cross = (left < right) & (owner[left] != owner[right])
    area_m2 = shapely.area(shapely.intersection(ground[left[cross]], ground[right[cross]]))
    shared = area_m2[area_m2 > 1e-6]
    between = summary["overlaps"]["between_operators"]
    assert between["pairs"] == len(shared)
    assert between["area_m2"] == pytest.approx(shared.sum(), rel=1e-6)


# --- files that break other programs ---------------------------------------------------------------


def malformed_files(folder):
    return [
        p for p in sorted(folder.rglob("*")) if p.is_file() and p.name not in ("SOURCE.txt", "LICENSE.txt")
    ]


def judge(ran, out):
    """Assert what holds for any file: a known exit code, no traceback, and a balance that closes."""
    assert ran.code in (0, 2, 3, 4), ran.err
    assert "Traceback" not in ran.err
    if out.exists():  # also when no area is left (3): what was refused must be seen
        assert ran.code in (0, 3, 4)
        closes(summary_of(out))
        assert len(ran.lines) < 25
        assert ran.err or ran.code == 0
    else:
        assert ran.code in (2, 3)
        assert ran.err.startswith("geopipe: ")


def test_all_malformed_files_at_once(real_data, tmp_path):
    folder, out = real_data / "malformed", tmp_path / "out"
    ran = call("compare", folder, "-o", out)
    judge(ran, out)
    assert ran.code == 4
    summary = summary_of(out)
    print(f"\n{len(summary['deliveries'])} deliveries, {summary['balance']}")
    assert ran.first_line.startswith("NOT ALL DATA COMPARED")


@pytest.mark.slow
def test_every_malformed_file_alone(real_data, tmp_path):
    """Each file by itself, as somebody would try it; a file of a shapefile's other parts among them."""
    codes = Counter()
    for number, path in enumerate(malformed_files(real_data / "malformed")):
        out = tmp_path / str(number)
        try:
            ran = call("compare", path, "-o", out)
            judge(ran, out)
        except Exception as error:
            raise AssertionError(f"{path.relative_to(real_data)}: {error}") from error
        codes[ran.code] += 1
    print(f"\n{dict(codes)}")
    assert codes.total() > 200


# --- the everyday size -----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_hundred_thousand_polygons(demo_of, tmp_path):
    """No limit is asserted: machines differ. The figures are printed."""
    deliveries, truth = demo_of(100_000, 42)
    start = time.monotonic()
    script = [COMMAND[0], "-c", f"import resource\n{_MEASURED}"]
    done = subprocess.run(
        [*script, "compare", str(deliveries), "-o", str(tmp_path), "--assume-crs", "EPSG:32648", "-q"],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    seconds = time.monotonic() - start
    assert done.returncode == 4, done.stderr
    peak_mib = float(done.stdout.split()[-1]) / (1024 if sys.platform != "darwin" else 1024**2)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\n{truth['size']:,} polygons: {seconds:.1f} s, peak {peak_mib:.0f} MiB, children {children:.0f}")
    balance = closes(summary_of(tmp_path))
    assert {k: v for k, v in balance.items() if k != "records_in"} == truth["records"]["with_assumed_crs"]
    handed = read_layer(tmp_path / "geopipe.gpkg", "handover")
    pairs = {(r["left_row_id"], r["right_row_id"]) for r in read_layer(tmp_path / "geopipe.gpkg", "overlaps")}
    only_handed = sum(
        row["hazard_operator"] == row["release_operator"] and row["finding"] == "expected_release"
        for row in handed
    )
    assert len(pairs) + only_handed == len(truth["pairs"])


_MEASURED = """
import sys
from geopipe.cli.main import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
