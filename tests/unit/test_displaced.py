"""Areas of one delivery that all lie the same way beside another's are one finding, with the likely datum."""

import numpy as np
import pytest
import shapely
from make import findings, hazard, placed

from geopipe.coordinates.datums import known_shifts
from geopipe.crs import WGS84, choose_operation, transform
from geopipe.location.distances import compass_word
from geopipe.stages.displaced import displaced

RANDOM = np.random.default_rng(7)
TRUE = np.array(
    [
        shapely.Polygon(np.array([lon, lat]) + RANDOM.uniform(0.0005, 0.002, (8, 1)) * np.column_stack(
            [np.cos(angles := np.linspace(0, 2 * np.pi, 8, endpoint=False)), np.sin(angles)]))
        for lon, lat in RANDOM.uniform((103.2, 19.5), (103.5, 19.7), (12, 2))
    ],
    dtype=object,
)  # fmt: skip


def called_wgs84(datum):
    """The same areas in another datum, whose numbers somebody called WGS 84."""
    return transform(TRUE, choose_operation(WGS84, datum)[0])


def compared(theirs, crs="EPSG:4326", ours="uxo.gpkg"):
    ours = [hazard(shape, "UXO Lao", f"U-{n}", file=ours) for n, shape in enumerate(TRUE)]
    others = [hazard(shape, "MAG", f"M-{n}", file="mag.gpkg", crs=crs) for n, shape in enumerate(theirs)]
    return displaced(placed(*ours, *others))


def proposals(state):
    return {d.file: [p.correction for p in d.proposals] for d in state.deliveries if d.proposals}


def test_indian_1960_called_wgs84_is_told_once_with_distance_direction_and_datum():
    state = compared(called_wgs84("EPSG:4131"))
    (told,) = findings(state)
    assert told["code"] == "DATUM_SUSPECTED"
    assert 400 < told["measure"] < 530
    assert "12 areas all lie" in told["sentence"]
    assert "Indian 1960" in told["sentence"]


@pytest.mark.parametrize(("ours", "file"), [("a.gpkg", "mag.gpkg"), ("z.gpkg", "mag.gpkg")])
def test_the_finding_goes_to_the_delivery_that_is_off_whatever_it_is_called(ours, file):
    state = compared(called_wgs84("EPSG:4131"), ours=ours)
    (told,) = findings(state)
    assert (told["file"], told["operator"]) == (file, "MAG")
    assert "of equal areas of UXO Lao" in told["sentence"]
    shifts = {(shift.crs, shift.zone): shift for shift in known_shifts((103.35, 19.6))}
    shift = shifts["EPSG:4131", 0]
    assert f"towards the {compass_word(shift.east_m, shift.north_m)} of" in told["sentence"]


def test_the_correction_is_proposed_for_the_delivery_that_is_off():
    (proposed,) = proposals(compared(called_wgs84("EPSG:4131"))).items()
    file, corrections = proposed
    assert file == "mag.gpkg"
    assert corrections == ["crs=EPSG:4131"]


def test_the_other_delivery_is_not_named_to_the_sender():
    (told,) = findings(compared(called_wgs84("EPSG:4131")))
    assert "uxo.gpkg" not in told["sentence"] + (told["other_id"] or "")


@pytest.mark.parametrize("metres", [0.5, 2_000])
def test_areas_in_place_or_far_away_are_no_datum_error(metres):
    moved = np.array([shapely.affinity.translate(s, metres / 105_000) for s in TRUE], dtype=object)
    assert findings(compared(moved)) == []


def test_areas_that_are_displaced_each_in_its_own_way_are_no_datum_error():
    steps = RANDOM.uniform(-0.003, 0.003, (len(TRUE), 2))
    moved = [shapely.affinity.translate(s, *step) for s, step in zip(TRUE, steps, strict=True)]
    assert findings(compared(moved)) == []


def test_an_offset_that_no_datum_explains_is_told_without_a_proposal():
    moved = [shapely.affinity.translate(s, 0.0013, 0.0021) for s in TRUE]
    state = compared(moved)
    assert [told["code"] for told in findings(state)] == ["DATUM_SUSPECTED"]
    assert proposals(state) == {}
