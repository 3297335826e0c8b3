"""Coordinate diagnosis: are records where they say, and if not, how else can the numbers be read.

Only proposals come out, with their evidence; nothing is moved. A record that is plausible as stated is
never questioned, and where the polygons of another country are loaded nothing is found at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from geopipe.coordinates.corrections import Change, Correction, degrees_of_dms
from geopipe.coordinates.dms import dms_evidence
from geopipe.coordinates.hypotheses import Hypothesis, Words, code_of
from geopipe.coordinates.readings import (
    AS_DELIVERED,
    AS_STATED,
    IN_COUNTRY,
    OUTSIDE,
    DiagnosisRules,
    Position,
    Reading,
    position_of,
    readings,
)
from geopipe.crs import parse_crs
from geopipe.location.distances import Floats, between_m
from geopipe.location.places import Places, Stated, nothing_stated
from geopipe.schema import Indices, Mask

_HALF_TURN = 180.0


@dataclass(frozen=True)
class Diagnosis:
    """Where the records of a layer lie as stated, and the proposals.

    Attributes
    ----------
    position : Position
        As stated, every record.
    implausible : mask
        Records outside the country, or outside the province that they state; none where the layer is
        about another country.
    of_this_country : bool
        Whether the polygons of places say anything about this layer.
    """

    position: Position
    implausible: Mask
    of_this_country: bool
    hypotheses: tuple[Hypothesis, ...] = ()


@dataclass(frozen=True)
class _Layer:
    """What is known of the records under question."""

    bounds: Floats
    crs: str
    stated: Stated
    places: Places
    rules: DiagnosisRules

    def take(self, rows: Indices | Mask) -> _Layer:
        return replace(self, bounds=self.bounds[rows], stated=self.stated.take(rows))

    @property
    def states(self) -> Mask:
        """Which records state a province that is known."""
        known = np.array([bool(codes) for codes in self.stated.distinct])
        return np.asarray(known[self.stated.row])


@dataclass
class _Case:
    """Implausible records and how each reading would place them.

    `rows` are their rows in the layer; `left` says which are not yet explained.
    """

    layer: _Layer
    rows: Indices
    before: Position
    readings: tuple[Reading, ...]
    after: tuple[Position, ...]
    left: Mask = field(init=False)

    def __post_init__(self) -> None:
        self.left = np.ones(len(self.before.level), dtype=bool)

    @property
    def gain(self) -> NDArray[np.int8]:
        """Level under each reading (readings, records) where it is better than as stated, else 0."""
        levels = np.array([position.level for position in self.after], dtype=np.int8)
        return np.where(levels > self.before.level, levels, 0) * self.left


def diagnose(
    bounds: Floats,
    vertices: Floats,
    owner: Indices,
    crs: str,
    places: Places,
    stated: Stated | None = None,
    rules: DiagnosisRules = DiagnosisRules(),  # noqa: B008  (frozen)
) -> Diagnosis:
    """Judge the coordinates of one layer.

    Parameters
    ----------
    bounds : array (n, 4)
        Each record's box in delivered coordinates; nan without geometry.
    vertices, owner : arrays (m, 2) and (m,)
        Turning points in delivered coordinates and the record of each.
    crs : str
        As stated; '' where none is.
    stated : Stated or None
        What each record says about its province (`Places.stated`); None: nothing.
    """
    layer = _Layer(bounds, crs, nothing_stated(len(bounds)) if stated is None else stated, places, rules)
    position = position_of(layer.bounds, crs, AS_DELIVERED, places, layer.stated, rules)
    placed = np.isfinite(bounds).all(axis=1)
    implausible = placed & (position.level < np.where(layer.states, AS_STATED, IN_COUNTRY))
    found = _from_places(layer, position, implausible) if implausible.any() else []
    explained = np.zeros(len(bounds), dtype=bool)
    for hypothesis in found:
        explained[hypothesis.rows] = True
    in_digits = _from_digits(layer, position, placed & ~explained, vertices, owner)
    own = explained | (position.located >= 0)
    of_this_country = bool(in_digits) or bool(own.sum() > max(0, rules.own_share * placed.sum()))
    implausible &= of_this_country
    return Diagnosis(position, implausible, of_this_country, (*found, *in_digits))


def _from_places(layer: _Layer, position: Position, implausible: Mask) -> list[Hypothesis]:
    """Explain implausible records by another reading, one reading after the other."""
    rows = np.flatnonzero(implausible)
    case = _Case(layer, rows, _taken(position, rows), *_read_otherwise(layer.take(rows)))
    found = list(_explanations(case))
    explained = sum(len(picked) for _, picked in found)
    placed = int(np.isfinite(layer.bounds).all(axis=1).sum())
    # Of a layer that lies elsewhere, some records fall into the country in any reading.
    foreign = 2 * len(rows) > placed and explained < layer.rules.majority * len(rows)
    hypotheses = []
    for best, picked in found:
        keep = picked[case.after[best].level[picked] == AS_STATED] if foreign else picked
        if len(keep):
            whole = len(keep) >= layer.rules.majority * placed
            hypotheses.append(_hypothesis(case, best, keep, position if whole else None))
    return hypotheses


def _taken(position: Position, rows: Indices) -> Position:
    return Position(**{name: values[rows] for name, values in vars(position).items()})


def _read_otherwise(layer: _Layer) -> tuple[tuple[Reading, ...], tuple[Position, ...]]:
    """Return each other reading that places at least one record in the country, and how it places all."""
    with np.errstate(invalid="ignore"):
        degrees = bool((np.abs(layer.bounds) <= _HALF_TURN).all(axis=1).any())
        metres = bool((np.abs(layer.bounds) > _HALF_TURN).any())
    tried: list[tuple[Reading, Position]] = []
    for reading in readings(layer.crs, layer.places):
        used = parse_crs(reading.crs(layer.crs))
        if (used.is_projected and not metres) or (used.is_geographic and not degrees):
            continue
        position = position_of(layer.bounds, layer.crs, reading, layer.places, layer.stated, layer.rules)
        if (position.level > OUTSIDE).any():
            tried.append((reading, position))
    return tuple(reading for reading, _ in tried), tuple(position for _, position in tried)


def _explanations(case: _Case) -> Iterator[tuple[int, Indices]]:
    """Yield, again and again, the reading that explains most of what is left, and its records."""
    while case.after and case.left.any():
        gain = case.gain
        states = case.layer.states[case.rows]
        strong = (gain == AS_STATED).sum(axis=1)
        weak = ((gain == IN_COUNTRY) & ~states).sum(axis=1)
        steps = [len(reading.corrections) for reading in case.readings]
        best = max(range(len(steps)), key=lambda n: (strong[n], weak[n], -steps[n]))
        picked = (gain[best] > 0) & (gain[best] >= gain.max(axis=0))
        # A record that is in the country but not where it states is only carried along by many that are.
        against = picked & states & (gain[best] < AS_STATED)
        if against.sum() * 4 > strong[best]:
            picked &= ~against
        if not picked.any():
            return
        case.left &= ~picked
        yield best, np.flatnonzero(picked)


def _rivals(case: _Case, best: int, picked: Indices) -> tuple[Reading, ...]:
    """Return the readings, not less simple, that explain nearly all of the same records as well."""
    level = case.after[best].level[picked]
    return tuple(
        other
        for other, position in zip(case.readings, case.after, strict=True)
        if other != case.readings[best]
        and len(other.corrections) <= len(case.readings[best].corrections)
        and (position.level[picked] >= level).mean() >= case.layer.rules.rival_share
    )


def _hypothesis(case: _Case, best: int, picked: Indices, whole: Position | None) -> Hypothesis:
    """Put a reading into words; without a correction where it cannot be told from another one.

    `whole` is given where nearly the whole layer has the fault: then records that could lie in either
    place share it.
    """
    layer, reading, stated = case.layer, case.readings[best], case.layer.crs
    rivals = _rivals(case, best, picked)
    other_datum = bool(stated) and reading.crs(stated) != stated and not _is_wgs84(stated)
    rows = case.rows[picked]
    either = _either(layer, reading, whole, case.rows) if whole and not rivals else rows[:0]
    before, after = _taken(case.before, picked), _taken(case.after[best], picked)
    found = Hypothesis(
        code="COORDINATES_IMPLAUSIBLE" if rivals or other_datum else code_of(stated, reading),
        corrections=() if rivals or other_datum else reading.corrections,
        rows=np.sort(np.concatenate([rows, either])),
        fits=int((after.level > OUTSIDE).sum()) + len(either),
        in_province=int((after.level == AS_STATED).sum()),
        states_province=int(layer.states[rows].sum()),
        moved_km=_median_km(before, after),
        sentence="",
        also=len(either),
        alternatives=(reading, *rivals) if rivals else (),
    )
    return replace(found, sentence=_words(layer, rows).of_place(found, reading, before, after))


def _either(layer: _Layer, reading: Reading, position: Position, implausible: Indices) -> Indices:
    """Return the plausible records that another reading places as well as their own."""
    rest = np.setdiff1d(np.flatnonzero(np.isfinite(layer.bounds).all(axis=1)), implausible)
    some = layer.take(rest)
    after = position_of(some.bounds, layer.crs, reading, layer.places, some.stated, layer.rules)
    return rest[after.level >= position.level[rest]]


def _median_km(before: Position, after: Position) -> float:
    """Return the median distance between two readings, nan where one of them is no place."""
    metres = between_m(before.longitude, before.latitude, after.longitude, after.latitude)
    known = metres[np.isfinite(metres)]
    return float(np.median(known)) / 1000 if len(known) else float("nan")


def _words(layer: _Layer, rows: Indices) -> Words:
    """Return the sentences about some records of a layer."""
    said = {layer.stated.distinct[kind] for kind in np.unique(layer.stated.row[rows])} - {()}
    (codes,) = said if len(said) == 1 else ((),)
    names = layer.places.province_name[np.isin(layer.places.province_code, codes)]
    return Words(layer.places.country, layer.crs, len(layer.bounds), " or ".join(names))


def _is_wgs84(crs: str) -> bool:
    """Return whether a coordinate system is on WGS 84, whatever its writer calls it."""
    datum = parse_crs(crs).datum
    name = (datum.name if datum else "").replace("_", " ").upper()
    return ("WGS" in name and "84" in name) or "WORLD GEODETIC SYSTEM 1984" in name


def _from_digits(
    layer: _Layer, position: Position, rows: Mask, vertices: Floats, owner: Indices
) -> list[Hypothesis]:
    """Find degrees, minutes and seconds that were written as decimals, by the digits of the whole layer."""
    if not layer.crs or not parse_crs(layer.crs).is_geographic:
        return []
    mine = rows[owner]
    evidence = dms_evidence(vertices[mine])
    rules = layer.rules
    if (
        evidence is None
        or evidence.chance > rules.dms_chance
        or evidence.distinct_seconds < rules.dms_distinct
    ):
        return []
    fits = np.isfinite(degrees_of_dms(vertices)).all(axis=1)
    spoiled = np.unique(owner[mine & ~fits])
    picked = np.setdiff1d(np.flatnonzero(rows), spoiled)
    if len(picked) == 0:
        return []
    some = layer.take(picked)
    reading = Reading((Correction(Change.DMS),))
    after = position_of(some.bounds, layer.crs, reading, layer.places, some.stated, rules)
    inside = after.level > OUTSIDE
    before, after = _taken(position, picked[inside]), _taken(after, np.flatnonzero(inside))
    in_province = int((after.level == AS_STATED).sum())
    if inside.mean() < rules.majority or in_province < (before.level == AS_STATED).sum():
        return []
    picked = picked[inside]
    found = Hypothesis(
        code_of(layer.crs, reading), reading.corrections, picked, len(picked), in_province,
        int(layer.states[picked].sum()), _median_km(before, after), "", chance=evidence.chance,
    )  # fmt: skip
    return [replace(found, sentence=_words(layer, picked).of_digits(found, evidence, before, after))]
