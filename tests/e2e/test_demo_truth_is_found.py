"""What was planted in demo deliveries is found, and nothing else: pairs, repeats, alarms, balance."""

from collections import Counter

import pytest
import shapely
from conftest import read_layer

LEAST_M2 = 1e-3  # below this, coordinates of neighbours that only touch differ by rounding
SEEDS = [(42, 1000), (7, 600), (2026, 1500)]
FINDING = {
    "hazard_on_released": "hazard_on_released_land",
    "recleared": "released_twice_same_operator",
    "hazard_made_smaller": "version_conflict",
}
EXPECTED_COLUMNS = {
    "left_id", "right_id", "left_operator", "right_operator", "left_kind", "right_kind", "relation",
    "finding",
    "area_m2", "left_share", "right_share", "width_m", "mean_width_m", "confidence", "group_id",
}  # fmt: skip


@pytest.fixture(scope="module", params=SEEDS, ids=[f"seed{seed}" for seed, _ in SEEDS])
def seed_and_size(request):
    return request.param


@pytest.fixture(scope="module", params=[True, False], ids=["assumed", "as_delivered"])
def compared(request, seed_and_size, compared_of):
    seed, size = seed_and_size
    return compared_of(size, seed, request.param)


def planted_pairs(compared):
    """Return the planted pairs by who they are; two versions of one record make several under one key."""
    pairs = {}
    for pair in compared.truth["pairs"]:
        if compared.assumed or not pair["needs_assumed_crs"]:
            sides = [(pair[s]["operator"], pair[s]["source_id"], pair[s]["kind"]) for s in ("left", "right")]
            pairs.setdefault(tuple(sorted(sides)), []).append((pair, sides[0]))
    return pairs


def side_of(row, side):
    operator, _, own_id = row[f"{side}_id"].split(":", 2)
    assert operator == row[f"{side}_operator"]
    return operator, own_id, row[f"{side}_kind"]


def found_pairs(compared):
    pairs = {}
    for row in compared.state.overlaps.table.to_pylist():
        if row["area_m2"] > LEAST_M2:
            key = tuple(sorted([side_of(row, "left"), side_of(row, "right")]))
            pairs.setdefault(key, []).append((row, side_of(row, "left")))
    return pairs


def expected_finding(pair):
    hint = pair["finding_hint"]
    if hint == "double_registration" and pair["same_operator"]:
        return "double_registration_same_operator"
    return FINDING.get(hint, hint)


def test_recall_and_precision_are_one(compared):
    planted, found = planted_pairs(compared), found_pairs(compared)
    counts = {name: Counter({k: len(v) for k, v in d.items()}) for name, d in (("p", planted), ("f", found))}
    hits = (counts["p"] & counts["f"]).total()
    recall, precision = hits / counts["p"].total(), hits / counts["f"].total()
    print(f"\n{counts['p'].total()} planted, {hits} found: recall {recall:.4f}, precision {precision:.4f}")
    assert counts["p"] == counts["f"]
    assert recall == precision == 1.0
    assert not [row for rows in found.values() for row, _ in rows if row["confidence"] == "uncertain"]


def test_areas_relations_and_findings_are_true(compared):
    planted, found = planted_pairs(compared), found_pairs(compared)
    turned = {"contains": "within", "within": "contains"}
    worst = 0.0
    for key, pairs in planted.items():
        in_order = sorted(pairs, key=lambda item: item[0]["area_m2"])
        for (pair, left), (row, row_left) in zip(
            in_order, sorted(found[key], key=lambda item: item[0]["area_m2"]), strict=True
        ):
            worst = max(worst, abs(row["area_m2"] - pair["area_m2"]))
            assert row["area_m2"] == pytest.approx(pair["area_m2"], abs=0.01, rel=1e-9)
            relation = (
                pair["relation"] if left == row_left else turned.get(pair["relation"], pair["relation"])
            )
            assert row["relation"] == relation, pair
            assert row["finding"] == expected_finding(pair), pair
    print(f"\nlargest difference of area {worst:.5f} m2")


def test_very_thin_pairs_are_measured_in_width(compared):
    thin = 0
    for key, pairs in planted_pairs(compared).items():
        if pairs[0][0]["type"].startswith("cross_very_thin"):
            row = found_pairs(compared)[key][0][0]
            assert 0 < row["width_m"] < 5
            assert 0 < row["mean_width_m"] < 5
            thin += 1
    assert thin >= 6


def test_the_balance_is_that_of_the_truth_and_closes_per_delivery(compared):
    balance = dict(compared.summary["balance"])
    records_in = balance.pop("records_in")
    assert balance == compared.truth["records"]["with_assumed_crs" if compared.assumed else "as_delivered"]
    assert records_in == sum(balance.values())
    files = compared.truth["files"]
    assert {d["file"] for d in compared.summary["deliveries"]} == set(files)
    for delivery in compared.summary["deliveries"]:
        parts = dict(delivery["balance"])
        assert parts.pop("records_in") == sum(parts.values()) == files[delivery["file"]]["records"]


def places(entries):
    return {(entry["file"], entry["row"] + 1): entry for entry in entries}


def test_duplicates_and_older_versions_are_told_row_by_row(compared):
    rows = read_layer(compared.geopackage, "duplicates")
    areas = read_layer(compared.geopackage, "areas")
    by_row_id = {area["row_id"]: (area["file"], area["layer"], area["row"]) for area in areas}
    layers = {(row["file"], row["row"]): row["layer"] for row in rows}
    assert len(rows) == len(compared.truth["duplicates"]) + len(compared.truth["superseded"])
    hows = {"repeated_row": "same_content", "equal_ground": "equal", "near_equal_ground": "near_equal",
            "newer_version": "older_version"}  # fmt: skip
    for outcome, name in (("duplicate", "duplicates"), ("superseded", "superseded")):
        for entry in compared.truth[name]:
            place, kept = (entry["file"], entry["row"] + 1), (entry["file"], entry["of"]["row"] + 1)
            # Of two records on equal ground the one is as good as the other.
            swapped = entry["how"] == "equal_ground" and (entry.get("layer"), *kept) in {
                (row["layer"] if entry.get("layer") else None, row["file"], row["row"]) for row in rows
            }
            aside, survivor = (kept, place) if swapped else (place, kept)
            row = next(
                row
                for row in rows
                if (row["file"], row["row"]) == aside and entry.get("layer") in (None, row["layer"])
            )
            assert (row["outcome"], row["how"]) == (outcome, hows[entry["how"]])
            assert row["sentence"]
            assert by_row_id[row["of_row_id"]] == (survivor[0], row["layer"], survivor[1])
            assert row["of_record_id"].endswith((":" + entry["of"]["source_id"], ":" + entry["source_id"]))
    assert layers


def test_records_to_return_are_told_row_by_row_with_a_reason(compared):
    rows = read_layer(compared.geopackage, "rejected")
    no_crs = compared.truth["if_assumed"]["file"]
    if not compared.assumed:
        without = [row for row in rows if row["file"] == no_crs]
        assert len(without) == compared.truth["if_assumed"]["records"]
        assert {row["reason"] for row in without} <= {"CRS_MISSING", "NULL_GEOMETRY", "TOO_FEW_POINTS"}
        rows = [row for row in rows if row["file"] != no_crs]
    expected = [e for e in compared.truth["rejected"] if compared.assumed or e["file"] != no_crs]
    reason = {
        "null_geometry": {"NULL_GEOMETRY"},
        "swapped_coordinates": {"COORDINATES_OUT_OF_RANGE", "COORDINATES_OUTSIDE_CRS"},
        "too_few_points": {"TOO_FEW_POINTS"},
    }
    assert len(rows) == len(expected)
    for entry in expected:
        row = next(
            row
            for row in rows
            if (row["file"], row["row"]) == (entry["file"], entry["row"] + 1)
            and entry.get("layer") in (None, row["layer"])
        )
        assert row["reason"] in reason[entry["reason"]]
        assert row["source_id"] == entry["source_id"]
        assert row["operator"] == entry["operator"]
        assert row["sentence"].endswith(".")
    assert sum(compared.summary["returned"].values()) == len(read_layer(compared.geopackage, "rejected"))


def test_hazard_that_cannot_be_used_stays_on_the_map(compared):
    drawn = {
        (row["file"], row["layer"], row["row"])
        for row in read_layer(compared.geopackage, "hazard_unresolved")
    }
    places_drawn = {(file, row) for file, _, row in drawn}
    must = [
        e
        for e in compared.truth["rejected"]
        if e["kind"] in ("CHA", "SHA") and e["reason"] != "null_geometry"
    ]
    for entry in must:
        assert (entry["file"], entry["row"] + 1) in places_drawn, entry
    no_crs = compared.truth["if_assumed"]
    if not compared.assumed:
        null = sum(
            e["file"] == no_crs["file"] and e["reason"] == "null_geometry" for e in compared.truth["rejected"]
        )
        assert sum(file == no_crs["file"] for file, _ in places_drawn) == no_crs["records"] - null
    counted = compared.summary["unresolved_hazard"] + compared.summary["mended_hazard"]
    assert counted == len(drawn)


def test_points_found_on_released_land_are_alarmed(compared):
    rows = [r for r in read_layer(compared.geopackage, "findings") if r["code"] == "FIND_ON_RELEASED_LAND"]
    expected = {e["source_id"]: e["on"] for e in compared.truth["points_on_released"]}
    assert Counter(row["source_id"] for row in rows) == Counter(list(expected))
    for row in rows:
        on = expected[row["source_id"]]
        assert row["other_id"].startswith(on["operator"] + ":")
        assert row["other_id"].endswith(":" + on["source_id"])
        assert row["severity"] == "alarm"
    outside = {
        r["source_id"]
        for r in read_layer(compared.geopackage, "findings")
        if r["code"] == "FIND_OUTSIDE_HAZARD"
    }
    assert set(compared.truth["points_outside_hazard"]) <= outside


def test_hazard_on_released_land_is_always_an_alarm(compared):
    planted = [
        pair
        for pair in compared.truth["pairs"]
        if pair["finding_hint"] == "hazard_on_released"
        and (compared.assumed or not pair["needs_assumed_crs"])
    ]
    rows = [
        r for r in read_layer(compared.geopackage, "overlaps") if r["finding"] == "hazard_on_released_land"
    ]
    name = lambda row: frozenset((side_of(row, "left")[:2], side_of(row, "right")[:2]))  # noqa: E731
    assert {name(row) for row in rows} == {
        frozenset((pair[s]["operator"], pair[s]["source_id"]) for s in ("left", "right")) for pair in planted
    }
    assert len(rows) == len(planted)
    assert {row["severity"] for row in rows} == {"alarm"}
    assert {pair["same_operator"] for pair in planted} == {True, False}
    alarm = next(a for a in compared.summary["alarms"] if a["code"] == "hazard_on_released_land")
    assert alarm["count"] == len(planted)
    assert alarm["area_m2"] == pytest.approx(sum(pair["area_m2"] for pair in planted), abs=0.1)


def test_a_version_that_makes_hazard_smaller_is_alarmed(compared):
    shrunk = [p for p in compared.truth["pairs"] if p["type"] == "newer_version_shrunk"]
    if not compared.assumed:
        shrunk = [p for p in shrunk if not p["needs_assumed_crs"]]
    rows = [r for r in read_layer(compared.geopackage, "findings") if r["code"] == "HAZARD_SMALLER"]
    assert Counter(r["source_id"] for r in rows) == Counter(p["left"]["source_id"] for p in shrunk)
    assert {r["severity"] for r in rows} == {"alarm"}


def test_neighbours_that_touch_are_not_mentioned(compared):
    told = {frozenset((row["left_id"], row["right_id"])) for row in compared.state.overlaps.table.to_pylist()}
    own = {frozenset(i.rsplit(":", 1)[-1] for i in pair) for pair in told}
    for pair in compared.truth["touching"]:
        assert frozenset((pair["left"]["source_id"], pair["right"]["source_id"])) not in own


def test_published_overlaps_have_the_columns_and_the_ground_that_they_state(compared):
    rows = read_layer(compared.geopackage, "overlaps")
    assert set(rows[0]) >= EXPECTED_COLUMNS
    for row in rows:
        assert isinstance(row["geometry"], shapely.MultiPolygon)
        assert row["geometry"].is_valid
        assert row["geometry"].area == pytest.approx(row["area_m2"], rel=1e-9, abs=1e-6)
        assert 0 < row["left_share"] <= 1
        assert 0 < row["right_share"] <= 1
        assert row["left_id"] <= row["right_id"]
    areas = {row["row_id"]: row["geometry"].area for row in read_layer(compared.geopackage, "areas")}
    for row in rows:
        assert row["left_share"] * areas[row["left_row_id"]] == pytest.approx(row["area_m2"], rel=1e-6)
        assert row["right_share"] * areas[row["right_row_id"]] == pytest.approx(row["area_m2"], rel=1e-6)


def test_every_found_pair_is_published_in_overlaps_or_in_handover(compared):
    overlaps = read_layer(compared.geopackage, "overlaps")
    handover = read_layer(compared.geopackage, "handover")
    told = {frozenset((row["left_id"], row["right_id"])) for row in overlaps}
    handed = {frozenset((row["hazard_id"], row["release_id"])) for row in handover}
    everything = {frozenset((r["left_id"], r["right_id"])) for r in compared.state.overlaps.table.to_pylist()}
    assert told | handed == everything
    for row in handover:
        assert row["hazard_kind"] in ("SHA", "CHA")
        assert row["release_kind"] in ("CLEARED", "REDUCED", "CANCELLED")
        assert 0 < row["hazard_released_share"] <= 1
        assert row["finding"] in ("expected_release", "status_not_updated")
    planted = [pair for pairs in planted_pairs(compared).values() for pair, _ in pairs]
    assert len(handover) == sum(
        p["finding_hint"] in ("expected_release", "status_not_updated") for p in planted
    )


def test_ground_adds_up(compared):
    """Reported less counted twice is the ground covered, and nothing is counted that is not there."""
    areas = read_layer(compared.geopackage, "areas")
    for name, item in compared.summary["areas"].items():
        assert item["reported_m2"] - item["counted_twice_m2"] == pytest.approx(item["covered_m2"], rel=1e-9)
        if name.isupper():
            ground = [row["geometry"] for row in areas if row["kind"] == name]
            assert len(ground) == item["records"]
            assert item["reported_m2"] == pytest.approx(shapely.area(ground).sum(), rel=1e-9)
            assert item["covered_m2"] == pytest.approx(shapely.union_all(ground).area, rel=1e-7)


def test_a_working_crs_chosen_from_the_data_finds_the_same(compared, tmp_path):
    from geopipe import pipeline
    from geopipe.config import Config, DeliverySpec

    assume = compared.truth["if_assumed"]["crs"] if compared.assumed else None
    config = Config(deliveries=(DeliverySpec(path=compared.deliveries, assume_crs=assume),), output=tmp_path)
    other = pipeline.run(config).overlaps.table.to_pylist()
    mine = compared.state.overlaps.table.to_pylist()
    name = lambda row: (row["left_row_id"], row["right_row_id"], row["relation"], row["finding"])  # noqa: E731
    assert [name(row) for row in other] == [name(row) for row in mine]
    # A straight line in one system bends by some millimetres in another.
    for one, two in zip(other, mine, strict=True):
        assert one["area_m2"] == pytest.approx(two["area_m2"], abs=0.01, rel=1e-6)
