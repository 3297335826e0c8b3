"""A run against the deliveries before it: what changed, and what of earlier deliveries stays on the map."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from geopipe.contracts import newest_schema
from geopipe.io.geopackage import Layer, write_geopackage
from geopipe.io.store import write_text
from geopipe.policies import Policy
from geopipe.reports.layers import working_crs_wkt
from geopipe.schema import Frame, State, concat
from geopipe.stages.changes import Changes, changes
from geopipe.stages.copies import Copies, copies
from geopipe.stages.deduplicate import deduplicate
from geopipe.terms import Severity
from geopipe.unfinished import unfinished_folder

GEOPACKAGE, SUMMARY = "changes.gpkg", "changes.json"


def hold_against(
    state: State, previous: Frame, carried: Frame, policy: Policy, lineage_share: float = 0.5
) -> Changes:
    """Compare a run after `deduplicate` with what was in force before, deduplicated by the same rules.

    Parameters
    ----------
    state : State
    previous, carried : Frame
        As the ledger hands them out (`Before`), in the working CRS of the state.
    policy : Policy
    lineage_share : float
        See :func:`geopipe.lineages.lineage.trace`.
    """
    earlier = deduplicate(State(features=previous, working_crs=state.working_crs), policy).features
    return changes(state, earlier, policy, carried, lineage_share)


def with_history(state: State, found: Changes) -> State:
    """Return a state whose areas include what earlier deliveries leave on the map, sorted by `row_id`.

    These records are not input of this run: they are counted apart (`earlier`).
    """
    # Bytes that this run has read itself, in whatever way, are its own: they cannot be earlier as well.
    carried, remaining = (
        frame.take(~frame.is_among("row_id", state.features)) for frame in (found.carried, found.remaining)
    )
    earlier = concat([carried, remaining])
    areas = concat([state.features, earlier])
    order = pc.sort_indices(areas.table["row_id"]).to_numpy().astype(np.intp)
    known = replace(state, features=areas.take(order), earlier=earlier, carried=carried)
    return known.adding(findings=[found.findings])


def with_copies(state: State, policy: Policy) -> Copies:
    """Settle the national database's copies in a state :func:`with_history`.

    A copy from an earlier delivery is set aside like any other, but it is no input of this run: it
    stands in the table of copies, not among the duplicates, whose number belongs to the balance.
    """
    settled = copies(state, policy)
    own = ~settled.state.duplicates.is_among("row_id", state.earlier)
    return replace(settled, state=replace(settled.state, duplicates=settled.state.duplicates.take(own)))


def summary_of(found: Changes) -> dict[str, Any]:
    """Return counts of changes and findings, and every finding, the gravest first."""
    levels = [level.value for level in Severity]
    told = sorted(found.findings.table.to_pylist(), key=lambda row: levels.index(row["severity"]))
    return {
        "schema": newest_schema("changes"),
        "changes": _counts(found.changes.table["change"]),
        "findings": _counts(found.findings.table["code"]),
        "severities": _counts(found.findings.table["severity"]),
        "carried": len(found.carried),
        "not_in_the_new_delivery": len(found.remaining),
        "told": [
            {name: row[name] for name in ("code", "severity", "record_id", "other_id", "measure", "unit",
                                          "sentence", "file", "row")}
            for row in told
        ],
    }  # fmt: skip


def _counts(column: Any) -> dict[str, int]:
    counts = pc.value_counts(column).to_pylist()
    return {item["values"]: item["counts"] for item in sorted(counts, key=lambda item: item["values"])}


def write_changes(found: Changes, working_crs: str, folder: Path) -> list[Path]:
    """Write changes and findings as a GeoPackage, and their summary as JSON; return the two paths."""
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / GEOPACKAGE
    layers = [
        Layer("changes", found.changes.table, found.changes.geometry, "MultiPolygon"),
        Layer("findings", found.findings.table, found.findings.geometry, "MultiPolygon"),
    ]
    with unfinished_folder(folder) as building:
        write_geopackage(building / GEOPACKAGE, layers, working_crs_wkt(working_crs))
        (building / GEOPACKAGE).replace(final)
    write_text(folder / SUMMARY, json.dumps(summary_of(found), ensure_ascii=False, indent=1) + "\n")
    return [final, folder / SUMMARY]
