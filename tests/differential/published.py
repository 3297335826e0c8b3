"""Comparisons whose pairs another engine finds a second time, from the published layer `areas` alone.

Invented and real deliveries; each is compared once, whatever number of engines look at it.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
import shapely

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec
from geopipe.schema import State
from geopipe.terms import Confidence

TODAY = dt.date(2026, 6, 1)
TOUCH_M = 1e-6
ABRA = (120.4, 17.2, 121.2, 18.0)  # west, south, east, north: a province of the Philippines


@dataclass(frozen=True)
class Published:
    """What geopipe made of deliveries: its state, and the GeoPackage that another engine reads."""

    state: State
    geopackage: Path


@dataclass(frozen=True)
class Pair:
    """Shared ground as another engine measured it."""

    area_m2: float
    perimeter_m: float

    @property
    def mean_width_m(self) -> float:
        return 2 * self.area_m2 / self.perimeter_m


Pairs = dict[tuple[str, str], Pair]


def compare(folder: Path, *deliveries: DeliverySpec) -> Published:
    """Compare deliveries and publish the areas."""
    config = Config(deliveries=deliveries, output=folder, layers=("areas",), today=TODAY)
    state = pipeline.run(config)
    pipeline.finish(state, config, folder, dt.datetime.now(dt.UTC))
    return Published(state, folder / "geopipe.gpkg")


_made: dict[str, Published] = {}


REAL = [
    pytest.param(name, marks=pytest.mark.real) for name in ("bih-mines", "kh-concessions", "ph-barangays")
]


@pytest.fixture(params=["demo", *REAL])
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Return one comparison after the other; of real polygons only where they are."""
    name = request.param
    if name not in _made:
        folder = request.getfixturevalue("demo_of")(3_000, 11)[0] if name == "demo" else None
        folder = folder or request.getfixturevalue("real_data") / name
        out = tmp_path_factory.mktemp(f"differential-{name}")
        _made[name] = compare(out / "compared", *deliveries_of(name, folder, out))
    return _made[name]


def deliveries_of(name: str, folder: Path, out: Path) -> list[DeliverySpec]:
    """Return what is compared; a slice is written into `out`."""
    if name == "demo":
        return [DeliverySpec(path=folder, assume_crs="EPSG:32648")]
    if name == "bih-mines":
        return [
            DeliverySpec(path=folder / "suspect_areas_simplyfied.geojson", kind="CHA"),
            DeliverySpec(path=folder / "cleared_areas_simplyfied.geojson", kind="CLEARED"),
        ]
    if name == "ph-barangays":
        files = [folder / f"ph{year}_barangays_lowres.geojson.gz" for year in (2011, 2019)]
        return [DeliverySpec(path=part_of(file, ABRA, out / file.stem)) for file in files]
    return [DeliverySpec(path=folder)]


def part_of(source: Path, box: tuple[float, float, float, float], target: Path) -> Path:
    """Write the records of a GeoJSON (lon/lat) that lie inside a box."""
    collection = json.loads(gzip.decompress(source.read_bytes()))
    wanted = shapely.box(*box)
    collection["features"] = [
        feature
        for feature in collection["features"]
        if feature["geometry"] and shapely.geometry.shape(feature["geometry"]).within(wanted)
    ]
    target.write_text(json.dumps(collection), encoding="utf-8")
    return target


def pairs_of(table: pa.Table) -> Pairs:
    """Return the answer of an engine: `one`, `other`, `area_m2`, `perimeter_m`."""
    rows = zip(*(table[name].to_pylist() for name in ("one", "other", "area_m2", "perimeter_m")), strict=True)
    return {(one, other): Pair(area_m2, perimeter_m) for one, other, area_m2, perimeter_m in rows}


def assert_agrees(published: Published, theirs: Pairs) -> None:
    """Assert that an engine finds geopipe's pairs and areas, and beside them only borders that touch."""
    pairs, areas = published.state.overlaps.table, published.state.features
    rows = zip(
        *(pairs[name].to_pylist() for name in ("left_row_id", "right_row_id", "area_m2", "confidence")),
        strict=True,
    )
    ours = {tuple(sorted(ids)): (area_m2, confidence) for *ids, area_m2, confidence in rows}
    assert len(ours) == pairs.num_rows > 100
    exact = {pair for pair, (_, confidence) in ours.items() if confidence == Confidence.EXACT}
    assert not ours.keys() - theirs.keys()
    apart = {
        pair: (ours[pair][0], theirs[pair].area_m2)
        for pair in exact
        if abs(ours[pair][0] - theirs[pair].area_m2) > max(0.01, 1e-6 * ours[pair][0])
    }
    assert not apart
    ground = dict(zip(areas.table["row_id"].to_pylist(), areas.geometry, strict=True))
    more = {
        (one, other): pair
        for (one, other), pair in theirs.items()
        if (one, other) not in ours
        and pair.mean_width_m >= TOUCH_M
        and shapely.relate_pattern(ground[one], ground[other], "T********")
    }
    assert not more
