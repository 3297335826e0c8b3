"""What the layers of a result show, beyond what the stages hand them."""

import shapely
from make import hazard, make_features, square

from geopipe.reports.layers import published_layers
from geopipe.schema import findings_about, no_geometry


def shown(state, place):
    """Return the geometry that the layer `findings` shows for one finding about each area."""
    told = findings_about(state.features, "LONG_EDGE", "check", "Something is odd", geometry=place)
    (layer,) = published_layers(state.adding(findings=[told]), ["findings"])
    return layer.geometry.tolist()


def two_files():
    return make_features(
        hazard(square(0), "MAG", "M-1", file="one.gpkg", row=7),
        hazard(square(300), "MAG", "M-2", file="two.gpkg", row=7),
    )


def test_a_finding_without_ground_shows_the_polygon_of_its_record():
    state = two_files()
    assert shown(state, no_geometry(2)) == state.features.geometry.tolist()


def test_a_finding_at_a_point_shows_the_polygon_around_it():
    state = two_files()
    assert shown(state, shapely.centroid(state.features.geometry)) == state.features.geometry.tolist()


def test_a_finding_with_ground_of_its_own_shows_that_ground():
    state = two_files()
    ground = shapely.buffer(state.features.geometry, -10)
    assert shown(state, ground) == ground.tolist()


def test_a_finding_about_no_area_shows_nothing():
    state = two_files()
    elsewhere = make_features(hazard(square(), "MAG", "M-1", file="three.gpkg", row=7))
    told = findings_about(elsewhere.features, "LONG_EDGE", "check", "Odd", geometry=no_geometry(1))
    (layer,) = published_layers(state.adding(findings=[told]), ["findings"])
    assert layer.geometry.tolist() == [None]
