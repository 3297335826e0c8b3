"""Proposals about coordinates: what speaks for another reading, and the sentence that tells it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geopipe.coordinates.corrections import Change, Correction
from geopipe.coordinates.dms import DmsEvidence
from geopipe.coordinates.readings import AS_STATED, OUTSIDE, Position, Reading
from geopipe.crs import crs_name, parse_crs
from geopipe.schema import Indices


@dataclass(frozen=True)
class Hypothesis:
    """Another reading of some records of a layer, and what speaks for it.

    Attributes
    ----------
    code : str
        AXES_SWAPPED, ZONE_WRONG, METRES_IN_LONLAT, DEGREES_IN_METRES, SIGN_MISSING, DMS_AS_DECIMAL,
        CRS_MISSING, or COORDINATES_IMPLAUSIBLE where nothing can be proposed.
    corrections : tuple of Correction
        To be confirmed in this order, nearly always one: `geopipe confirm FILE --correction TEXT`.
        Empty where nothing can be proposed.
    rows : array of int
        The records that it is about.
    fits, in_province, states_province : int
        Of them: in the country when read so; in the province that they state; stating one at all.
    moved_km : float
        Median distance between the place as stated and the place when read so; nan where unknown.
    also : int
        Of them: records that are plausible as stated too, in a layer of which the great majority is not.
    alternatives : tuple of Reading
        Readings that fit equally well.
    chance : float or None
        For DMS: upper bound for the probability that decimal degrees look like this.
    """

    code: str
    corrections: tuple[Correction, ...]
    rows: Indices
    fits: int
    in_province: int
    states_province: int
    moved_km: float
    sentence: str
    also: int = 0
    alternatives: tuple[Reading, ...] = ()
    chance: float | None = None


def code_of(crs: str, reading: Reading) -> str:
    """Return the code of a finding for a reading of numbers that are stated to be in `crs`."""
    if not crs:
        return "CRS_MISSING"
    first = reading.corrections[0].change
    if first is not Change.CRS:
        return {Change.SWAP_AXES: "AXES_SWAPPED", Change.DMS: "DMS_AS_DECIMAL"}.get(first, "SIGN_MISSING")
    if parse_crs(crs).is_geographic:
        return "METRES_IN_LONLAT"
    return "ZONE_WRONG" if parse_crs(reading.crs(crs)).is_projected else "DEGREES_IN_METRES"


@dataclass(frozen=True)
class Words:
    """What the sentences about one layer have in common; `province` is named where all state the same."""

    country: str
    crs: str
    records: int
    province: str = ""

    def of_place(self, found: Hypothesis, read: Reading, before: Position, after: Position) -> str:
        """Return the sentence of a proposal that comes from places."""
        start = f"{len(found.rows):,} of {self.records:,} records {self._as_stated(before)}"
        if found.alternatives:
            names = " and ".join(map(str, found.alternatives))
            different = f"Read in different ways they would lie in {self.country}: {names}."
            return f"{start} {different} Please ask the sender."
        end = f"Read with {read} they would lie{_near(after)}: {self._would(found)}.{_moved(found.moved_km)}"
        if found.also:
            end += f" {found.also:,} of them could lie in either place."
        if not found.corrections:
            end += " But the stated datum is not WGS 84: please ask the sender for the right system."
        return f"{start} {end}"

    def of_digits(self, found: Hypothesis, evidence: DmsEvidence, before: Position, after: Position) -> str:
        """Return the sentence of degrees, minutes and seconds that were written as decimals."""
        agreed = int((before.level == AS_STATED).sum())
        instead = f" instead of {agreed:,}" if found.states_province else ""
        return (
            f"{len(found.rows):,} of {self.records:,} records look like degrees, minutes and seconds written "
            f"as decimals: in {evidence.fitting:,} of {evidence.cells:,} stretches of 0.01 degree no number "
            f"shows 60 minutes or seconds or more. Read with dms they would lie{_near(after)}: "
            f"{self._would(found)}{instead}.{_moved(found.moved_km)}"
        )

    def _as_stated(self, before: Position) -> str:
        """Say where the records lie as they are delivered."""
        if not self.crs:
            return "state no coordinate system."
        place = f"in {crs_name(self.crs)} lie"
        if (before.level > OUTSIDE).all():
            return f"{place} in {self.country}{_near(before)}, but not in the province that they state."
        return f"{place} outside {self.country}{_near(before)}."

    def _would(self, found: Hypothesis) -> str:
        """Say how many would lie in the country, and in the stated province."""
        words = f"{found.fits:,} in {self.country}"
        if found.states_province:
            name = f" ({self.province})" if self.province else ""
            stated = f"{found.in_province:,} of {found.states_province:,}"
            words += f", {stated} in the province that they state{name}"
        return words


def _near(position: Position) -> str:
    """Say where the middle one of some records lies; nothing where that is nowhere on the Earth."""
    known = np.flatnonzero(np.isfinite(position.longitude))
    if len(known) == 0:
        return ""
    middle = known[np.argsort(position.longitude[known], kind="stable")[len(known) // 2]]
    longitude, latitude = position.longitude[middle], position.latitude[middle]
    east, north = "E" if longitude >= 0 else "W", "N" if latitude >= 0 else "S"
    return f" near {abs(longitude):.2f} {east}, {abs(latitude):.2f} {north}"


def _moved(kilometres: float) -> str:
    return f" That is {kilometres:,.0f} km away." if np.isfinite(kilometres) else ""
