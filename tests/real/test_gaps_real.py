"""Gaps and remaining area of suspected minefields and cleared areas of Bosnia and Herzegovina."""

import datetime as dt

import numpy as np
import pytest
import shapely

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec
from geopipe.gaps import uncovered


@pytest.fixture(scope="module")
def bosnia(real_data):
    folder = real_data / "bih-mines"
    files = {"suspect": "CHA", "cleared": "CLEARED"}
    specs = [
        DeliverySpec(path=folder / f"{name}_areas_simplyfied.geojson", kind=kind)
        for name, kind in files.items()
    ]
    return pipeline.run(Config(deliveries=tuple(specs), today=dt.date(2026, 6, 1)))


def test_every_gap_is_hazard_that_nothing_released_covers(bosnia):
    areas = bosnia.features
    cleared = shapely.union_all(areas.geometry[areas.flags("kind", ["CLEARED"])])
    hazard = dict(zip(areas.table["row_id"].to_pylist(), areas.geometry, strict=True))
    own = np.array([hazard[row] for row in bosnia.gaps.table["hazard_row_id"].to_pylist()])
    strips = bosnia.gaps.geometry
    assert len(strips) == 31
    assert shapely.area(shapely.intersection(strips, cleared)).max() < 1e-6
    assert shapely.area(shapely.difference(strips, own)).max() < 1e-6
    assert bosnia.gaps.numpy("width_m").max() <= 2.0 * 1.01


def test_without_dates_no_release_follows_and_all_hazard_remains(bosnia):
    left = bosnia.remaining
    assert len(left) == 724
    assert not left.numpy("releases").any()
    assert (left.numpy("remaining_m2") == left.numpy("area_m2")).all()


def test_what_the_cleared_areas_leave_and_what_they_cover_make_the_hazard(bosnia):
    """Against one union of everything that was cleared."""
    areas = bosnia.features
    is_hazard = areas.flags("kind", ["CHA"])
    hazard, cleared = areas.geometry[is_hazard], areas.geometry[~is_hazard]
    row, other = shapely.STRtree(cleared).query(hazard, predicate="intersects")
    shared_m2 = shapely.area(shapely.intersection(hazard[row], cleared[other]))
    left, unsure = uncovered(hazard, cleared, row, other, shared_m2)
    covered_m2 = shapely.area(shapely.intersection(hazard, shapely.union_all(cleared)))
    assert not unsure.any()
    assert shapely.area(left) + covered_m2 == pytest.approx(shapely.area(hazard), rel=1e-9)
