"""Depths: of clearance, and of found items; two different things."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geopipe.checks.telling import layers_of, rows_named, sentences, told, told_of_layer
from geopipe.config import Vocabulary
from geopipe.policies import CheckRules
from geopipe.recognition import fold, map_values, point_meanings
from geopipe.schema import FINDINGS, Frame, Mask, boxes_of, concat, empty_frame
from geopipe.terms import Kind


def implausible_depths(records: Frame, rules: CheckRules) -> Frame:
    """Tell of depths below zero or beyond belief; zero is the surface (DEPTH_IMPLAUSIBLE)."""
    made = []
    for name, meaning in (("clearance_depth_cm", "clearance depth"), ("found_depth_cm", "found depth")):
        depth_cm = records.numpy(name).astype(float)
        with np.errstate(invalid="ignore"):
            odd = (depth_cm < 0) | (depth_cm > rules.deepest_cm)
        texts = [
            f"A {meaning} of {value:,g} cm; from 0 to {rules.deepest_cm:,g} cm is believed"
            for value in depth_cm[odd]
        ]
        made.append(
            told(records.take(odd), "DEPTH_IMPLAUSIBLE", sentences(texts), measure=depth_cm[odd], unit="cm")
        )
    return concat(made)


def found_items(points: Frame, vocabulary: Vocabulary, rules: CheckRules) -> Mask:
    """Say which points are found items: of a dangerous type, and not merely evidence of an accident."""
    words = {fold(word) for word in rules.depth_not_expected}
    types = points.table["point_type"]
    danger = point_meanings(types, vocabulary) == "danger"
    item = map_values(types, lambda text: not words & set(fold(text).split()), pa.bool_())
    return np.asarray(danger & item.fill_null(False).to_numpy(zero_copy_only=False))


def found_depths(points: Frame, found: Mask) -> Frame:
    """Tell once per layer how many found items have no depth (FOUND_DEPTH_MISSING)."""
    items = points.take(found)
    without = np.isnan(items.numpy("found_depth_cm").astype(float))
    made = [empty_frame(FINDINGS)]
    for layer in layers_of(items):
        rows = layer.rows[without[layer.rows]]
        if len(rows):
            sentence = (
                f"{len(rows):,} of {len(layer.rows):,} found items have no depth: {rows_named(items, rows)}"
            )
            made.append(told_of_layer(items, layer, "FOUND_DEPTH_MISSING", sentence, len(rows)))
    return concat(made)


def found_below_clearance(points: Frame, found: Mask, areas: Frame, rules: CheckRules) -> Frame:
    """Tell of items found deeper than the land was cleared in which they lie (FOUND_BELOW_CLEARANCE).

    Parameters
    ----------
    points, areas : Frame
        In one CRS.
    found : array of bool
        Which points are found items.
    """
    found_cm = points.numpy("found_depth_cm").astype(float)
    cleared_cm = areas.numpy("clearance_depth_cm").astype(float)
    deep = np.flatnonzero(found & _believed(found_cm, rules))
    cleared = np.flatnonzero(areas.flags("kind", [Kind.CLEARED]) & _believed(cleared_cm, rules))
    if not len(deep) or not len(cleared):
        return empty_frame(FINDINGS)
    # Only the few areas with a find in their box are decoded.
    tree = shapely.STRtree(points.geometry[deep])
    cleared = cleared[np.unique(tree.query(shapely.box(*boxes_of(areas)[cleared].T))[0])]
    land, point = tree.query(areas.take(cleared).geometry, predicate="intersects")
    point, land = deep[point], cleared[land]
    below = found_cm[point] > cleared_cm[land]
    point, land = point[below], land[below]
    texts = [
        f"Found at {item:,g} cm; the land in which it lies was cleared to {depth:,g} cm"
        for item, depth in zip(found_cm[point], cleared_cm[land], strict=True)
    ]
    return told(
        points.take(point),
        "FOUND_BELOW_CLEARANCE",
        sentences(texts),
        other_id=areas.table["record_id"].take(pa.array(land)),
        measure=found_cm[point] - cleared_cm[land],
        unit="cm",
    )


def _believed(depth_cm: NDArray[np.float64], rules: CheckRules) -> Mask:
    with np.errstate(invalid="ignore"):
        return np.asarray((depth_cm >= 0) & (depth_cm <= rules.deepest_cm))
