"""Draw a sample: areas of each stratum, boxes inside each area, and what must be known about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.errors import ConfigError
from geopipe.identity import hash_text
from geopipe.sampling.boxes import boxes_in, draw_boxes
from geopipe.sampling.chance import Floats, draw_equal, draw_weighted
from geopipe.sampling.plan import Plan
from geopipe.sampling.population import Exclusion, Population, population_of
from geopipe.sampling.published import Published
from geopipe.sampling.strata import allocate, size_limits_m2, strata_of, weights_of
from geopipe.schema import Geometries

# WGS 84 degrees to a centimetre.
DECIMALS = 7


@dataclass(frozen=True)
class DrawnArea:
    """An area that was drawn: `own` is its ground counted once, `whole` its record's polygon (m).

    `probability` is the chance that it had; `boxes` how many there are in it, 0 where none were asked for.
    """

    id: str
    columns: dict[str, Any]
    own: shapely.Geometry
    whole: shapely.Geometry
    stratum: tuple[str, ...]
    weight: float
    probability: float
    warning: str
    boxes: int

    @property
    def ground_m2(self) -> float:
        """Ground (m2) counted once."""
        return float(shapely.area(self.own))


@dataclass(frozen=True)
class Spot:
    """One line of the sheet: a box, or a whole area. `ground` is what is inspected (working CRS, m).

    `lonlat` is the same in WGS 84 degrees, rounded; `centre` lies on it. `probability` is the chance of this
    spot, with that of its area.
    """

    id: str
    area: DrawnArea
    ground: shapely.Geometry
    lonlat: shapely.Geometry
    centre: tuple[float, float]
    box_side_m: float | None
    probability: float
    warning: str

    @property
    def ground_m2(self) -> float:
        """Ground (m2) to inspect."""
        return float(shapely.area(self.ground))

    @property
    def short_id(self) -> str:
        """The part of the id that fits a map and a receiver."""
        return self.id.split("-", 2)[2]


@dataclass(frozen=True)
class Sample:
    """A draw: what was asked, from what, and what came out."""

    id: str
    plan: Plan
    population: Population
    excluded: tuple[Exclusion, ...]
    strata: tuple[dict[str, Any], ...]
    size_limits_m2: tuple[float, ...]
    areas: tuple[DrawnArea, ...]
    spots: tuple[Spot, ...]
    notes: tuple[str, ...]
    published: Published


def draw(published: Published, plan: Plan) -> Sample:
    """Draw areas, and boxes inside them, from a published result.

    Raises
    ------
    ConfigError
        When there is nothing to draw from.
    """
    population = population_of(published.areas, published.overlaps, plan)
    weight, notes = np.ones(len(population.areas)), list(population.notes)
    if plan.weights is not None:
        weight, more = weights_of(population, plan, plan.weights)
        notes += more
    never = tuple(_never_drawn(population, row) for row in np.flatnonzero(weight <= 0).tolist())
    if len(never) == len(population.areas):
        raise ConfigError("all areas have the weight 0", remedy="See the file of --weights.")
    rows, probability, strata = _drawn_rows(population, plan, weight)
    notes += _fewer_than_asked(plan, len(rows), strata)
    if published.findings is None:
        notes.append(
            "The result has no layer 'findings': alarms of single records are not among the warnings."
        )
    name = sample_id(population, plan)
    areas, spots = _placed(published, population, plan, name, rows, probability, weight, strata)
    lost = [s for s in strata if s["areas"] and not s["drawn"]]
    notes += [f"Nothing is drawn of the stratum {' / '.join(s['stratum'])}." for s in lost]
    return Sample(
        id=name,
        plan=plan,
        population=population,
        excluded=(*population.excluded, *never),
        strata=tuple({k: v for k, v in s.items() if k != "rows"} for s in strata),
        size_limits_m2=size_limits_m2(population, plan) if _uses_size(plan) else (),
        areas=areas,
        spots=spots,
        notes=tuple(notes),
        published=published,
    )


def sample_id(population: Population, plan: Plan) -> str:
    """Return the name of a sample: the same for the same plan over the same population."""
    asked = {key: value for key, value in plan.as_dict().items() if key != "by"}
    return f"QM-{hash_text(population.digest + json.dumps(asked, sort_keys=True))[:8]}"


def _drawn_rows(
    population: Population, plan: Plan, weight: Floats
) -> tuple[list[int], Floats, list[dict[str, Any]]]:
    """Return the rows drawn, the chance of every row, and what was drawn of each stratum."""
    strata = strata_of(population, plan)
    wanted = allocate({name: len(rows) for name, rows in strata.items()}, plan)
    drawn: list[int] = []
    probability = np.zeros(len(population.areas))
    told = []
    for stratum, rows in strata.items():
        keys, purpose = [population.key[row] for row in rows], "areas\n" + "\n".join(stratum)
        if plan.weights is None:
            picked, chance = draw_equal(keys, wanted[stratum], plan.seed, purpose)
        else:
            picked, chance = draw_weighted(keys, weight[rows], wanted[stratum], plan.seed, purpose)
        probability[rows] = chance
        drawn += [rows[place] for place in picked]
        told.append(
            {
                "stratum": list(stratum),
                "areas": len(rows),
                "ground_m2": float(population.ground_m2[rows].sum()),
                "wanted": wanted[stratum],
                "drawn": len(picked),
                "rows": set(rows),
            }
        )
    return drawn, probability, told


def _placed(
    published: Published,
    population: Population,
    plan: Plan,
    name: str,
    rows: Sequence[int],
    probability: Floats,
    weight: Floats,
    strata: Sequence[dict[str, Any]],
) -> tuple[tuple[DrawnArea, ...], tuple[Spot, ...]]:
    """Number the drawn areas by place, and draw the boxes inside them."""
    records = population.areas.table.to_pylist()
    warnings = published.warnings()

    def by_place(row: int) -> tuple[str, ...]:
        own = records[row]
        return (own["province_code"] or "", own["district_located"] or "", population.key[row])

    areas: list[DrawnArea] = []
    spots: list[tuple[str, DrawnArea, shapely.Geometry, float]] = []
    for number, row in enumerate(sorted(rows, key=by_place), start=1):
        ground, area_id = population.areas.geometry[row], f"{name}-A{number:03d}"
        boxes, chances, count = _boxes(ground, plan, population.key[row])
        area = DrawnArea(
            id=area_id,
            columns=records[row],
            own=ground,
            whole=population.whole[row],
            stratum=next(tuple(s["stratum"]) for s in strata if row in s["rows"]),
            weight=float(weight[row]),
            probability=float(probability[row]),
            warning="; ".join(warnings.get(records[row]["row_id"], [])),
            boxes=count,
        )
        areas.append(area)
        if plan.boxes is None:
            spots.append((area_id, area, ground, 1.0))
        spots += [
            (f"{area_id}-B{place:02d}", area, box, float(chance))
            for place, (box, chance) in enumerate(zip(boxes, chances, strict=True), start=1)
        ]
    return tuple(areas), _in_lonlat(spots, published, plan.box_side_m)


def _boxes(ground: shapely.Geometry, plan: Plan, key: str) -> tuple[Geometries, Floats, int]:
    """Return the boxes drawn inside an area, their chances, and how many boxes there are."""
    if plan.boxes is None or plan.box_side_m is None:
        return np.empty(0, dtype=object), np.empty(0), 0
    every = boxes_in(ground, plan.box_side_m)
    drawn, chances = draw_boxes(every, plan.boxes, plan.seed, key)
    return drawn.ground, chances, len(every.ground)


def _in_lonlat(
    spots: Sequence[tuple[str, DrawnArea, shapely.Geometry, float]],
    published: Published,
    side_m: float | None,
) -> tuple[Spot, ...]:
    """Give each spot its place in WGS 84; the middle is moved onto the ground where it is not on it."""
    transformer, _ = choose_operation(published.crs, WGS84)
    hazard = published.hazard_ground()
    grounds = np.array([ground for _, _, ground, _ in spots], dtype=object)
    middles = shapely.centroid(grounds)
    middles = np.where(shapely.contains(grounds, middles), middles, shapely.point_on_surface(grounds))
    lonlat = shapely.transform(transform(grounds, transformer), lambda points: np.round(points, DECIMALS))
    centres = np.round(shapely.get_coordinates(transform(middles, transformer)), DECIMALS).tolist()
    return tuple(
        Spot(
            name, area, ground, lonlat[at], tuple(centres[at]), side_m, area.probability * chance,
            _warning(area, ground, hazard.get(area.columns["row_id"], ()), side_m is not None),
        )
        for at, (name, area, ground, chance) in enumerate(spots)
    )  # fmt: skip


def _warning(
    area: DrawnArea, ground: shapely.Geometry, hazard: Sequence[shapely.Geometry], is_box: bool
) -> str:
    """Return the warning of an area, and whether this box of it lies on the hazard that it speaks of."""
    meets = [shapely.intersects(ground, part) and not shapely.touches(ground, part) for part in hazard]
    on_it = is_box and any(meets)
    return f"THIS BOX LIES ON HAZARD. {area.warning}" if on_it else area.warning


def _never_drawn(population: Population, row: int) -> Exclusion:
    own = population.areas.table.slice(row, 1).to_pylist()[0]
    sentence = "Its risk weight is 0."
    return Exclusion(own["record_id"], own["row_id"], own["operator"] or "", "weight_0", sentence)


def _fewer_than_asked(plan: Plan, drawn: int, strata: Sequence[dict[str, Any]]) -> list[str]:
    wanted = plan.count if plan.count is not None else sum(s["wanted"] for s in strata)
    if drawn >= wanted:
        return []
    return [f"{wanted:,} areas were asked for, but only {drawn:,} can be drawn: all of them are."]


def _uses_size(plan: Plan) -> bool:
    return "size" in plan.stratify or (plan.weights is not None and "size" in plan.weights.weights)
