"""Copies: the operator's delivery against the national database, two copies of one truth.

Copies of one record are never overlaps. Where both say the same, the national copy is set aside; where they
differ, or where setting one aside could silence an alarm, both stay and are named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geopipe.geometry import overlaid, polygon_parts
from geopipe.lineages.changed_ground import areas_m2, covered
from geopipe.lineages.matching import common_codes, same_ground
from geopipe.lineages.pairing import Pairing
from geopipe.lineages.reading import Reading, findings_by_register
from geopipe.lineages.versions import COMPARED, differing, shown
from geopipe.policies import Policy
from geopipe.schema import (
    COPIES,
    Frame,
    Geometries,
    Indices,
    Mask,
    State,
    concat,
    empty_frame,
    findings_about,
    make_frame,
    no_geometry,
)
from geopipe.standing import Standing
from geopipe.terms import Kind, Outcome, Severity, Status

OPERATOR, NATIONAL = "operator", "national_database"
NATIONAL_COPY = "national_copy"


@dataclass(frozen=True)
class Copies:
    """A state in which copies are settled, and the table of what was compared."""

    state: State
    copies: Frame

    @property
    def both_kept(self) -> pa.Table:
        """Pairs (`operator_row_id`, `national_row_id`) of copies that both stay among the areas."""
        paired = pc.and_(
            pc.is_in(self.copies.table["outcome"], pa.array(["same", "differs"])),
            pc.invert(self.copies.table["set_aside"]),
        )
        return self.copies.table.select(["operator_row_id", "national_row_id"]).whole().filter(paired)


def copies(state: State, policy: Policy) -> Copies:
    """Compare the records that operators delivered with those of the national database.

    Parameters
    ----------
    state : State
        After `deduplicate`, each role on its own; areas sorted by `row_id`, in the working CRS (m).
    policy : Policy
        `near_equal_iou` and `cover_tolerance_m`.

    Returns
    -------
    Copies
        Findings NOT_IN_IMSMA, NOT_DELIVERED, COPIES_DIFFER (checks) and COPIES_NOT_COMPARED (note); national
        copies that say the same as the operator's record are DUPLICATES rows with `how` = national_copy.
    """
    areas = state.features
    mine, theirs = (np.flatnonzero(areas.flags("role", [role])) for role in (OPERATOR, NATIONAL))
    if len(theirs) == 0:
        return Copies(state, empty_frame(COPIES))
    pairing = Pairing(areas.take(mine), areas.take(theirs), policy.near_equal_iou)
    left, right = pairing.pairs
    compared = _Compared(
        areas, mine[left], theirs[right], np.array(pairing.how, dtype=object), policy.cover_tolerance_m
    )
    standing = _set_aside(state, compared, policy)
    reading = Reading(state)
    missing_there = _absent(areas.take(mine), pairing.known[0], NATIONAL, reading)
    missing_here = _absent(areas.take(theirs), pairing.known[1], OPERATOR, reading)
    settled = replace(state, features=areas.take(standing.alive)).adding(
        duplicates=[standing.duplicates()],
        findings=[
            compared.findings(),
            findings_about(
                missing_there, "NOT_IN_IMSMA", Severity.CHECK,
                "This record was delivered, but it is not in the export of the national database",
            ),
            findings_about(
                missing_here, "NOT_DELIVERED", Severity.CHECK,
                "This record is in the national database, but its operator did not deliver it",
            ),
            _not_compared(areas.take(mine), areas.take(theirs)),
        ],
    )  # fmt: skip
    rows = [
        compared.rows(~standing.alive),
        _lone(missing_there, "not_in_imsma", "operator"),
        _lone(missing_here, "not_delivered", "national"),
    ]
    return Copies(settled, concat(rows))


@dataclass(frozen=True)
class _Compared:
    """Pairs of copies: rows of the areas that belong to the operator and to the national database."""

    areas: Frame
    mine: Indices
    theirs: Indices
    how: NDArray[np.object_]
    tolerance_m: float

    @cached_property
    def same_ground(self) -> Mask:
        """Say which pairs cover the same ground, beyond rounding."""
        one, other = self.areas.geometry[self.mine], self.areas.geometry[self.theirs]
        same = same_ground(one, other)
        rows = np.flatnonzero(~same)
        one, other = one[rows], other[rows]
        same[rows] = covered(one, other, self.tolerance_m) & covered(other, one, self.tolerance_m)
        return same

    @cached_property
    def attributes(self) -> NDArray[np.object_]:
        """What both copies state, but differently, as text; what only one of them states is no difference."""
        one, other = self.areas.take(self.mine), self.areas.take(self.theirs)
        told: list[list[str]] = [[] for _ in self.mine]
        for name in COMPARED:
            for row, delivered, national in differing(name, one, other):
                if not {delivered, national} & {None, Status.UNKNOWN.value, Kind.UNKNOWN.value}:
                    told[row].append(f"{name}: {shown(delivered)}, national database {shown(national)}")
        return np.array(["; ".join(parts) for parts in told], dtype=object)

    @property
    def differ(self) -> Mask:
        """Say which pairs differ in ground or in what they state."""
        return np.asarray(~self.same_ground | (self.attributes != ""))

    @cached_property
    def between(self) -> Geometries:
        """The ground that only one of two copies covers; None where both cover the same."""
        result = no_geometry(len(self.mine))
        rows = np.flatnonzero(~self.same_ground)
        one, other = (self.areas.geometry[side[rows]] for side in (self.mine, self.theirs))
        result[rows] = polygon_parts(overlaid(shapely.symmetric_difference, one, other))
        return result

    def shown_ground(self) -> Geometries:
        """Return the ground on which copies differ, else the operator's polygon."""
        between = self.between
        return np.where(shapely.is_missing(between), self.areas.geometry[self.mine], between)

    def findings(self) -> Frame:
        """Tell of each pair that differs: what, and on how much ground."""
        rows = np.flatnonzero(self.differ)
        difference_m2 = areas_m2(self.between[rows])
        sentences = [
            "The national database has another version of this record"
            + (f": {m2:,.1f} m2 of ground differ" if m2 else "")
            + (f"; {text}" if text else "")
            for m2, text in zip(difference_m2, self.attributes[rows], strict=True)
        ]
        return findings_about(
            self.areas.take(self.mine[rows]), "COPIES_DIFFER", Severity.CHECK, sentences,
            geometry=self.shown_ground()[rows], measure=difference_m2, unit="m2",
            other_id=self.areas.table["record_id"].take(pa.array(self.theirs[rows])),
        )  # fmt: skip

    def rows(self, set_aside: Mask) -> Frame:
        """Return the COPIES rows of the pairs; `set_aside` says which areas no longer stand."""
        one, other = self.areas.take(self.mine), self.areas.take(self.theirs)
        columns = {
            "outcome": np.where(self.differ, "differs", "same").astype(object),
            "matched_by": self.how,
            "set_aside": set_aside[self.theirs],
            **{name: one.table[name] for name in ("operator", "register", "kind")},
            "operator_row_id": one.table["row_id"],
            "operator_id": one.table["record_id"],
            "national_row_id": other.table["row_id"],
            "national_id": other.table["record_id"],
            "differences": self.attributes,
            "difference_m2": areas_m2(self.between),
        }
        return make_frame(COPIES, columns, self.shown_ground())


def _set_aside(state: State, compared: _Compared, policy: Policy) -> Standing:
    """Set aside the national copy where the operator's record has its ground and raises all its alarms."""
    areas = compared.areas
    standing = Standing(areas, policy)
    # No chains: what stands for another record stays.
    stands = areas.is_among("row_id", state.duplicates, "of_row_id")
    kinds = areas.numpy("kind")
    mine, theirs = compared.mine, compared.theirs
    allowed = compared.same_ground & (kinds[mine] == kinds[theirs]) & ~stands[theirs]
    sentence = "The national database's copy of a record that its operator delivered"
    for pair in np.flatnonzero(allowed):
        if standing.raises_as_much(mine[pair], theirs[pair]):
            standing.set_aside(int(theirs[pair]), int(mine[pair]), Outcome.DUPLICATE, NATIONAL_COPY, sentence)
    return standing


def _absent(records: Frame, known: Mask, other_role: str, reading: Reading) -> Frame:
    """Return the records that a complete register of the other role does not hold in any form."""
    there = reading.is_complete(records.with_columns({"role": other_role}))
    return records.take(there & ~known & ~reading.returned(records))


def _lone(records: Frame, outcome: str, side: str) -> Frame:
    """Return the COPIES rows of records that only one side has."""
    columns = {
        "outcome": outcome,
        "set_aside": False,
        **{name: records.table[name] for name in ("operator", "register", "kind")},
        f"{side}_row_id": records.table["row_id"],
        f"{side}_id": records.table["record_id"],
    }
    return make_frame(COPIES, columns, records.geometry)


def _not_compared(mine: Frame, theirs: Frame) -> Frame:
    """Tell of registers of which the export holds nothing: whether their records are in it is not known."""
    left_over = mine.take(~np.isin(*common_codes(mine, theirs, "operator", "register")))
    return findings_by_register(
        left_over, "COPIES_NOT_COMPARED", Severity.NOTE,
        "The export of the national database holds no {register} record of {operator}: "
        "{count:,} records were not compared with it",
    )  # fmt: skip
