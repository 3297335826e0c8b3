"""States with something to return, and what goes back from them."""

from dataclasses import replace

import numpy as np
import shapely
from make import hazard, make_features, square

from geopipe.catalogue import load_catalogue
from geopipe.crs import WGS84, choose_operation, transform
from geopipe.reports.returned.returns import collect_returns
from geopipe.schema import findings_about, rejected_of

CATALOGUE = load_catalogue()
CROSSED = ((105.0, 17.5), (105.001, 17.501), (105.001, 17.5), (105.0, 17.501))  # crosses in the middle
LONLAT = [shapely.box(105 + i / 100, 17.5, 105 + i / 100 + 0.001, 17.501) for i in range(9)]


def returns_of(state, **more):
    return {back.sender: back for back in collect_returns(state, CATALOGUE, **more)}


def lines(back, *names):
    rows = back.rows.table.to_pylist()
    return [tuple(row[name] for name in names) for row in rows] if names else rows


def asked(state, number, code="LONG_EDGE", severity="check", sentence="Something is odd", **more):
    """The state with a question about its area of that number."""
    record = state.features.take(np.array([number]))
    return state.adding(findings=[findings_about(record, code, severity, sentence, **more)])


def refused(state, number, reason="TOO_FEW_POINTS", sentence="It has two points."):
    """The state with its area of that number refused."""
    stays = np.arange(len(state.features)) != number
    back = rejected_of(state.features.take(~stays), reason, sentence)
    return replace(state, features=state.features.take(stays)).adding(rejected=[back])


def two_operators():
    return make_features(
        hazard(square(), "MAG", "M-1", file="mag.gpkg"),
        hazard(square(300), "MAG", "M-2", file="mag.gpkg"),
        hazard(square(600), "NPA", "N-1", file="npa.gpkg"),
        hazard(square(900), "NPA", "N-2", file="npa.gpkg"),
    )


def lonlat_of(point):
    operation, _ = choose_operation(make_features(hazard(square())).working_crs, WGS84)
    return transform(np.array([point], dtype=object), operation)[0]
