"""Check: what single records, layers and files say that cannot be, or leave out. Nothing is corrected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from geopipe.checks.dates import dates_in_future, dates_in_order
from geopipe.checks.deliveries import attachments, row_limits
from geopipe.checks.depths import found_below_clearance, found_depths, found_items, implausible_depths
from geopipe.checks.fields import fields
from geopipe.checks.figures import implausible_areas, stated_areas, unusual_areas
from geopipe.checks.outlines import as_delivered, mended_rows, outlines
from geopipe.checks.repeats import repeated_points, repeated_polygons, spelled_differently
from geopipe.checks.rings import measured_rings, rings
from geopipe.checks.shapes import overlapping_parts, reused_shapes, shape_keys
from geopipe.checks.texts import garbled_texts
from geopipe.config import Vocabulary
from geopipe.policies import CheckRules, Policy
from geopipe.schema import Frame, State


def check(state: State, policy: Policy, vocabulary: Vocabulary, today: dt.date) -> State:
    """Look at every record, layer and file, and tell what to ask about.

    The same as :func:`of_delivery` for each delivery, then :func:`across` for all of them.

    Parameters
    ----------
    state : State
        As `reproject` left it: areas and references in the working CRS (m), delivered geometry beside.
    policy : Policy
        `checks` holds all figures.
    vocabulary : Vocabulary
        Words for points that mean something explosive.
    today : date
        The day of the run: no date of a record can be later.

    Returns
    -------
    State
        With more findings (CHECKS.md lists them) and each area's `shape_key`, records unchanged else.
    """
    return across(of_delivery(state, policy, vocabulary), policy, vocabulary, today)


def of_delivery(state: State, policy: Policy, vocabulary: Vocabulary) -> State:
    """Look at what a record, a layer or a file says by itself, on whatever day."""
    areas, points, rules = state.features, state.reference, policy.checks
    mended = mended_rows(areas, state.findings)
    drawn = as_delivered(areas, mended, state.working_crs)
    keyed = areas.with_columns({"shape_key": shape_keys(areas, rules)})
    return replace(state, features=keyed).adding(
        findings=[
            fields(areas, rules),
            stated_areas(areas, rules),
            implausible_areas(areas, rules),
            dates_in_order(areas),
            found_depths(points, found_items(points, vocabulary, rules)),
            rings(areas, outlines(drawn), rules),
            measured_rings(areas, rules),
            overlapping_parts(areas, drawn, mended, policy.repair_tolerance_m2),
            row_limits(state.deliveries, rules),
            *(implausible_depths(records, rules) for records in (areas, points)),
            *(garbled_texts(records) for records in (areas, points)),
        ]
    )


def across(state: State, policy: Policy, vocabulary: Vocabulary, today: dt.date) -> State:
    """Look at what several deliveries say together, and at what depends on the day or on other files."""
    areas, points, rules = state.features, state.reference, policy.checks
    found = found_items(points, vocabulary, rules)
    beside = {delivery.file: delivery.files_beside for delivery in state.deliveries}
    return state.adding(
        findings=[
            unusual_areas(areas, rules),
            found_below_clearance(points, found, areas, rules),
            reused_shapes(areas, rules),
            repeated_polygons(areas, state.working_crs, policy),
            repeated_points(points, found, state.working_crs),
            *_of_any(areas, beside, rules, today),
            *_of_any(points, beside, rules, today),
        ]
    )


def _of_any(
    records: Frame, beside: Mapping[str, Sequence[str] | None], rules: CheckRules, today: dt.date
) -> list[Frame]:
    """Look at what areas, points and lines have in common."""
    return [
        dates_in_future(records, rules, today),
        spelled_differently(records),
        attachments(records, beside, rules),
    ]
