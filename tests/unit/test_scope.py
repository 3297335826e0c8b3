"""What the layers asked for do not need is not looked for, and what they hold is what they always hold."""

import pytest
import shapely
from conftest import square, write_geojson

from geopipe import pipeline
from geopipe.config import LAYERS, Config, DeliverySpec
from geopipe.preparation.kept import Kept
from geopipe.reports.layers import published_layers
from geopipe.scope import CHECKS, DISPLACED, FINDS, GAPS, REMAINING, not_looked_for
from geopipe.shapes import Undecoded


def test_all_layers_need_everything():
    assert not_looked_for(LAYERS) == ()


def test_overlaps_alone_need_nothing_else():
    assert set(not_looked_for(["overlaps"])) == {CHECKS, DISPLACED, GAPS, REMAINING, FINDS}


@pytest.mark.parametrize(
    ("layer", "needed"),
    [
        ("findings", {CHECKS, DISPLACED, GAPS, REMAINING, FINDS}),
        ("rejected", {CHECKS, DISPLACED}),
        ("gaps", {GAPS}),
        ("remaining", {REMAINING}),
        ("handover", {REMAINING}),
        ("areas", set()),
    ],
)
def test_a_layer_needs_what_it_shows(layer, needed):
    assert set(not_looked_for([layer])) == {CHECKS, DISPLACED, GAPS, REMAINING, FINDS} - needed
    assert set(not_looked_for(["overlaps", layer])) == set(not_looked_for([layer]))


# Two releases in one hazard area, a third of a metre apart.
NARROW = 0.000003
SURVEYED, COMPLETED = {"survey_date": "2020-03-01"}, {"completion_date": "2024-03-01"}
DELIVERIES = {
    "MAG_CHA": [
        *[({"id": "H-1", **SURVEYED}, square(side=0.002))] * 2,
        ({"id": "H-2"}, {"type": "Polygon", "coordinates": [[[105.1, 17.5], [105.2, 17.5]]]}),
    ],
    "MAG_cleared": [
        ({"id": "R-1", **COMPLETED}, square(side=0.001)),
        ({"id": "R-2", **COMPLETED}, square(side=0.001, east_by=0.001 + NARROW)),
    ],
    "NPA_CHA": [({"id": "N-1", **SURVEYED}, square(side=0.002, east_by=0.001))],
    "MAG_finds": [({"id": "P-1"}, shapely.Point(105.0001, 17.5001))],
    "MAG_tracks": [({"id": "L-1"}, shapely.LineString([(105.1, 17.5), (105.2, 17.5)]))],
}


def rows_of(layer):
    shapes = layer.geometry
    if shapes is None:
        ground = [None] * layer.table.num_rows
    else:
        ground = shapes.wkb().to_pylist() if isinstance(shapes, Undecoded) else shapely.to_wkb(shapes)
    return [{**row, "ground": shape} for row, shape in zip(layer.table.to_pylist(), ground, strict=True)]


@pytest.fixture(scope="module")
def layers_of(tmp_path_factory):
    """Return a function (layers) -> what a comparison publishes in each of them."""
    folder = tmp_path_factory.mktemp("scope")
    for name, records in DELIVERIES.items():
        write_geojson(folder / "in" / f"{name}.geojson", records)
    kept = Kept(folder / "kept")
    deliveries = (DeliverySpec(path=folder / "in"),)

    def publish(layers):
        config = Config(deliveries=deliveries, layers=tuple(layers), confirmations=None, workers=1)
        state = pipeline.run(config, kept=kept)
        return {layer.name: rows_of(layer) for layer in published_layers(state, layers)}

    return publish


@pytest.fixture(scope="module")
def complete(layers_of):
    return layers_of(LAYERS)


# `changes` and `copies` are empty here: these deliveries are the first ones, and of operators only.
@pytest.mark.parametrize("name", [name for name in LAYERS if name not in ("cases", "changes", "copies")])
def test_a_layer_asked_for_alone_holds_what_it_always_holds(layers_of, complete, name):
    assert complete[name]
    assert layers_of([name])[name] == complete[name]
