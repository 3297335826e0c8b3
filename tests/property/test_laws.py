"""The laws, on whatever mixture of records hypothesis can think of."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from math import fsum

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from make import (
    CONFIG,
    HAZARD,
    POLICY,
    RELEASED,
    Area,
    area,
    box,
    claimed,
    hazard,
    ingested,
    make_features,
    pairs,
    processed,
    raw_delivery,
    raw_layer,
    released,
    square,
    union_m2,
    wkb_polygon,
)

from geopipe.schema import State
from geopipe.stages.deduplicate import deduplicate
from geopipe.stages.overlaps import overlaps
from geopipe.stages.reproject import reproject
from geopipe.stages.validate import validate

# GEOS warns of coordinates that are no numbers; test_validate has a test of its own for that.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")

KINDS = [*HAZARD, *RELEASED, "SURVEY_BOX", "TASK", "UNKNOWN"]
MIRROR = {"contains": "within", "within": "contains"}

# Delivered geometries, good and bad, in degrees.

NAN = float("nan")
corner = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda c: (104 + c[0] * 1e-3, 18 + c[1] * 1e-3))


def lonlat_square(place: tuple[float, float], size: float = 1.5e-3) -> shapely.Polygon:
    return shapely.box(*place, place[0] + size, place[1] + size)


@st.composite
def rings(draw: st.DrawFn) -> shapely.Polygon:
    """Any ring of three to seven grid points: many are bow-ties, spikes or flat."""
    points = draw(st.lists(corner, min_size=3, max_size=7))
    return shapely.Polygon(points)


good = corner.map(lonlat_square)
bad = st.one_of(
    st.none(),
    st.sampled_from([b"", b"rubbish", shapely.to_wkb(shapely.Polygon())]),
    corner.map(lambda c: shapely.box(c[1], c[0], c[1] + 1e-3, c[0] + 1e-3)),  # exchanged
    corner.map(lambda c: shapely.box(c[0] * 5e3, c[1] * 1e5, c[0] * 5e3 + 100, c[1] * 1e5 + 100)),  # metres
    corner.map(lambda c: wkb_polygon([c, (c[0] + 1e-3, c[1])])),  # two points
    corner.map(lambda c: wkb_polygon([c] * 4)),
    corner.map(lambda c: wkb_polygon([c, (c[0] + 1e-3, NAN), (c[0], c[1] + 1e-3), c])),
    corner.map(lambda c: wkb_polygon([c, (c[0] + 1e-3, c[1]), (c[0] + 1e-3, c[1] + 1e-3)])),  # not closed
    corner.map(lambda c: shapely.GeometryCollection([lonlat_square(c), shapely.Point(*c)])),
    corner.map(lambda c: shapely.Polygon(lonlat_square(c).exterior, [shapely.LinearRing()])),
    corner.map(lambda c: shapely.MultiPolygon([lonlat_square(c), lonlat_square((c[0] + 1e-3, c[1]))])),
    corner.map(lambda c: shapely.Point(*c)),
    corner.map(lambda c: shapely.LineString([c, (c[0] + 1, c[1])])),
    rings(),
)
days = st.one_of(st.none(), st.dates(dt.date(2019, 1, 1), dt.date(2019, 1, 5)))


@st.composite
def deliveries(draw: st.DrawFn):
    """One to three files of up to eight records; ids and content repeat often."""
    made = []
    for number in range(draw(st.integers(1, 3))):
        size = draw(st.integers(0, 8))
        ground = [draw(st.one_of(good, bad)) for _ in range(size)]
        ids = draw(st.lists(st.one_of(st.none(), st.sampled_from("abcd")), min_size=size, max_size=size))
        kinds = draw(st.lists(st.sampled_from(KINDS), min_size=size, max_size=size))
        informed = draw(st.lists(days, min_size=size, max_size=size))
        layer = raw_layer(
            ground,
            draw(st.sampled_from(["EPSG:4326", "EPSG:4326", "EPSG:4326", None, "EPSG:32648", "EPSG:4052"])),
            local_id=pa.array(ids, pa.string()),
            kind=pa.array(kinds, pa.string()),
            info_date=pa.array(informed, pa.date32()),
        )
        name = draw(st.sampled_from(["MAG", "HALO"])) + f"_{number}.gpkg"
        made.append(raw_delivery(name, layer))
    return made


def balance(state: State) -> Counter[tuple[str, int]]:
    """How often each delivered record stands among the outcomes."""
    ends: Counter[tuple[str, int]] = Counter()
    for frame in (state.features, state.reference, state.rejected, state.duplicates):
        ends.update(zip(frame.table["file"].to_pylist(), frame.table["row"].to_pylist(), strict=True))
    return ends


@settings(max_examples=100)
@given(deliveries())
def test_every_record_ends_as_exactly_one_outcome(made):
    state = processed(*made)
    expected = Counter(
        {(d.path.name, row): 1 for d in made for row in range(1, d.layers[0].table.num_rows + 1)}
    )
    assert balance(state) == expected
    assert sum(delivery.records_in for delivery in state.deliveries) == len(expected)


@given(deliveries())
def test_every_possible_hazard_that_is_not_used_is_drawn_if_a_coordinate_can_be_read(made):
    state = processed(*made)
    drawn = set(
        zip(
            state.unresolved.table["file"].to_pylist(), state.unresolved.table["row"].to_pylist(), strict=True
        )
    )
    for row in state.rejected.table.to_pylist():
        if row["kind"] not in (*HAZARD, "UNKNOWN") or row["reason"] in (
            "NULL_GEOMETRY",
            "EMPTY_GEOMETRY",
            "GEOMETRY_UNREADABLE",
        ):
            continue
        assert (row["file"], row["row"]) in drawn, row


def told(state: State):
    """Everything that must not depend on the order in which records came."""
    areas = sorted((r["record_id"], r["version_id"], r["area_m2"]) for r in state.features.table.to_pylist())
    found = sorted(
        (p["left_id"], p["right_id"], p["relation"], p["finding"], p["area_m2"], p["left_share"])
        for p in pairs(state)
    )
    noticed = sorted(
        (f["record_id"] or "", f["code"], f["other_id"] or "") for f in state.findings.table.to_pylist()
    )
    aside = sorted(
        (d["record_id"], d["outcome"], d["of_record_id"]) for d in state.duplicates.table.to_pylist()
    )
    returned = sorted((r["source_id"] or "", r["reason"]) for r in state.rejected.table.to_pylist())
    return areas, found, state.coverage.table.to_pylist(), noticed, aside, returned


def same(one, other):
    """Equal names; areas equal but for the last digits."""

    def parts(rows):
        names = [tuple(x for x in row if not isinstance(x, float)) for row in rows]
        return names, [x for row in rows for x in row if isinstance(x, float)]

    for mine, yours in zip(one[:2], other[:2], strict=True):
        assert parts(mine)[0] == parts(yours)[0]
        assert parts(mine)[1] == pytest.approx(parts(yours)[1], rel=1e-6, abs=1e-6)
    mine, yours = ([tuple(row.values()) for row in rows[2]] for rows in (one, other))
    assert parts(mine)[0] == parts(yours)[0]
    assert parts(mine)[1] == pytest.approx(parts(yours)[1], rel=1e-6, abs=1e-6)
    assert one[3:] == other[3:]


@given(deliveries(), st.randoms(use_true_random=False))
def test_the_order_of_deliveries_changes_nothing(made, random):
    # Files of one name would be told apart by their order, so each has its own.
    shuffled = random.sample(made, len(made))
    same(told(processed(*made)), told(processed(*shuffled)))


def from_raw(records, order):
    """Distinct areas, delivered in some order of rows."""
    picked = [records[n] for n in order]
    layer = raw_layer(
        [r[0] for r in picked],
        local_id=pa.array([f"{r[1]}" for r in picked]),
        kind=pa.array([r[2] for r in picked]),
        operator=pa.array([r[3] for r in picked]),
    )
    return processed(raw_delivery("areas.gpkg", layer, content=repr(order)))


@given(
    st.lists(
        st.tuples(good, st.integers(0, 99), st.sampled_from(KINDS), st.sampled_from(["MAG", "HALO"])),
        min_size=1, max_size=8, unique_by=(lambda r: r[1], lambda r: (r[0].wkb, r[2], r[3])),
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_the_order_of_rows_changes_nothing(records, random):
    order = list(range(len(records)))
    same(told(from_raw(records, order)), told(from_raw(records, random.sample(order, len(order)))))


# Areas in the working CRS.


@st.composite
def grounds(draw: st.DrawFn) -> shapely.Polygon:
    """Rectangles that often coincide, nearly coincide, touch or contain each other; sometimes turned."""
    x, y = draw(st.integers(0, 4)) * 30.0, draw(st.integers(0, 4)) * 30.0
    wide, high = draw(st.sampled_from([30, 60, 90])), draw(st.sampled_from([30, 60, 90]))
    nudge = draw(st.sampled_from([0, 0, 0, 0.005, 0.015, 0.5, 1.5, -0.5]))
    shape = box(x - nudge, y, x + wide + nudge, y + high)
    turn = draw(st.sampled_from([0, 0, 0, 17, 45]))
    return shapely.affinity.rotate(shape, turn) if turn else shape


@st.composite
def crowds(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(KINDS)) -> list[Area]:
    records = []
    for number in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(kinds))
        records.append(
            area(
                draw(grounds()), kind, draw(st.sampled_from(["MAG", "HALO"])),
                draw(st.sampled_from([None, "1", "2", f"n{number}", f"n{number}"])),
                when=draw(days) if kind in (*HAZARD, *RELEASED) else None,
                informed=draw(days), status=draw(st.sampled_from(["open", "closed", "unknown"])),
            )
        )  # fmt: skip
    return records


@given(crowds())
def test_deduplicating_twice_sets_nothing_more_aside(records):
    once = deduplicate(make_features(*records), POLICY)
    twice = deduplicate(once, POLICY)
    assert len(twice.duplicates) == len(once.duplicates)
    assert twice.features.table["row_id"].to_pylist() == once.features.table["row_id"].to_pylist()


@settings(max_examples=120)
@given(crowds())
def test_deduplicating_never_shrinks_the_ground_called_hazard(records):
    before = make_features(*records)
    after = deduplicate(before, POLICY)
    kept = after.features
    safe = shapely.union_all(kept.geometry[kept.flags("kind", [*HAZARD, *RELEASED])])
    hazards = before.features.geometry[before.features.flags("kind", HAZARD)]
    lost = shapely.union_all(hazards).difference(safe)
    # A smaller new version is accepted only where released land that is still there explains it.
    allowed = POLICY.cover_tolerance_m * fsum(shapely.length(hazards))
    assert lost.area <= allowed


@given(crowds(kinds=(*HAZARD, "TASK")))
def test_without_any_release_no_hazard_is_lost_at_all(records):
    before = make_features(*records)
    after = deduplicate(before, POLICY)
    hazards = before.features.geometry[before.features.flags("kind", HAZARD)]
    left = shapely.union_all(after.features.geometry[after.features.flags("kind", HAZARD)])
    assert shapely.union_all(hazards).difference(left).area <= POLICY.cover_tolerance_m * fsum(
        shapely.length(hazards)
    )


@given(crowds(kinds=tuple(RELEASED)))
def test_deduplicating_never_grows_released_land(records):
    before = make_features(*records)
    after = deduplicate(before, POLICY)
    assert union_m2(after.features, RELEASED) <= union_m2(before.features, RELEASED) * (1 + 1e-12)
    # And no record is replaced by one that reaches beyond it.
    by_row = dict(zip(before.features.table["row_id"].to_pylist(), before.features.geometry, strict=True))
    for row in after.duplicates.table.to_pylist():
        aside, kept = by_row[row["row_id"]], by_row[row["of_row_id"]]
        assert kept.difference(aside).area <= POLICY.cover_tolerance_m * kept.length


@given(crowds())
def test_no_operators_record_is_ever_set_aside_for_anothers(records):
    state = deduplicate(make_features(*records), POLICY)
    for row in state.duplicates.table.to_pylist():
        assert row["record_id"].split(":")[0] == row["of_record_id"].split(":")[0]


def swapped(record: Area) -> Area:
    from dataclasses import replace

    return replace(record, operator={"MAG": "HALO", "HALO": "MAG"}[record.operator])


@given(crowds())
def test_swapping_the_operators_gives_the_mirrored_pairs(records):
    usual = pairs(overlaps(make_features(*records), POLICY))
    mirrored = pairs(overlaps(make_features(*(swapped(r) for r in records)), POLICY))

    def key(pair, mine, yours):
        return tuple(sorted(pair[f"{side}_row_id"] for side in (mine, yours)))

    by_rows = {key(pair, "left", "right"): pair for pair in mirrored}
    assert len(by_rows) == len(mirrored) == len(usual)
    for pair in usual:
        other = by_rows[key(pair, "left", "right")]
        assert (other["finding"], other["severity"], other["counted"]) == (
            pair["finding"],
            pair["severity"],
            pair["counted"],
        )
        assert other["area_m2"] == pytest.approx(pair["area_m2"], rel=1e-9, abs=1e-9)
        turned = other["left_row_id"] != pair["left_row_id"]
        assert other["relation"] == (
            MIRROR.get(pair["relation"], pair["relation"]) if turned else pair["relation"]
        )


@given(crowds())
@example([hazard(square(), "MAG", "n1"), hazard(square(), "HALO", "n2"), released(square(), "MAG", "n3")])
def test_reported_less_counted_twice_is_the_ground_covered(records):
    state = overlaps(make_features(*records), POLICY)
    for ground, kinds in (
        ("hazard", HAZARD),
        ("released", RELEASED),
        *((kind, [kind]) for kind in (*HAZARD, *RELEASED)),
    ):
        inside = state.features.flags("kind", kinds)
        claims = claimed(state, ground)
        reported = fsum(shapely.area(state.features.geometry[inside]))
        assert fsum(k * m2 for k, m2 in claims.items()) == pytest.approx(reported, rel=1e-9)
        assert fsum(claims.values()) == pytest.approx(union_m2(state.features, kinds), rel=1e-9)


@given(crowds())
def test_pairs_are_those_that_share_ground_and_no_others(records):
    state = overlaps(make_features(*records), POLICY)
    shapes = state.features.geometry
    rows = state.features.table["row_id"].to_pylist()
    found = {frozenset((p["left_row_id"], p["right_row_id"])): p["area_m2"] for p in pairs(state)}
    for a in range(len(shapes)):
        for b in range(a + 1, len(shapes)):
            shared_m2 = shapely.intersection(shapes[a], shapes[b], grid_size=1e-6).area
            given_m2 = found.pop(frozenset((rows[a], rows[b])), 0.0)
            assert given_m2 == pytest.approx(shared_m2, abs=2e-3)
    assert not found


@given(rings(), st.sampled_from(KINDS))
def test_mended_hazard_covers_every_reading_and_mended_release_none_but_the_common(ring, kind):
    state = ingested(raw_delivery("x.gpkg", raw_layer([ring], local_id=["1"], kind=[kind])))
    state = reproject(validate(state), CONFIG, POLICY)
    if len(state.features) == 0:
        assert len(state.rejected) == 1
        return
    (mended,) = state.features.geometry
    assert mended.is_valid
    (source,) = state.features.table["source_geometry"].to_pylist()
    delivered = shapely.from_wkb(source)
    if delivered.is_valid:
        return
    for method in ("linework", "structure"):
        reading = reproject_reading(shapely.make_valid(delivered, method=method))
        slack = 0.01 + 1e-3 * mended.area  # crossings move a little between degrees and metres
        if kind in RELEASED:
            assert mended.difference(reading.buffer(0.5)).area < slack
        else:
            assert reading.difference(mended.buffer(0.5)).area < slack


def reproject_reading(shape: shapely.Geometry) -> shapely.Geometry:
    from geopipe.crs import choose_operation, transform

    transformer, _ = choose_operation("EPSG:4326", CONFIG.working_crs)
    moved = transform(np.array([shape], dtype=object), transformer)[0]
    polygons = [part for part in shapely.get_parts(moved) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(shapely.make_valid(np.array(polygons, dtype=object)))
