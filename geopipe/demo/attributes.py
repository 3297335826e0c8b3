"""What the records say besides their geometry: numbers, places, status, depth, stated area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geopipe.terms import HAZARD_KINDS, Kind

from .delivery_plan import DELIVERIES
from .places import LAND_USES, OPERATORS, PROVINCE_OF_BOX, VILLAGES
from .records import BOX_M, KINDS, Records
from .rings import Floats, Ints

Rng = np.random.Generator

OPEN, WORKED_ON, CLOSED = 0, 1, 2
# Operators whose files have a column for the kind, so that they can deliver other kinds too.
_STATES_KIND_OF_RELEASE = ("MAG", "HALO", "Unit 58")
_STATES_KIND_OF_HAZARD = ("HALO",)


@dataclass(frozen=True)
class Attributes:
    """Attributes of all records, in the order of `Records`.

    Attributes
    ----------
    number : ndarray
        Running number in the record's delivery; together with the prefix it is the source id.
    row : ndarray
        Row in the delivered layer, from 0.
    province, district : ndarray
        Rows of `places.PROVINCES` and `places.BOXES`.
    village, land_use, status : ndarray
        Rows of `places.VILLAGES` and `places.LAND_USES`, and of the status labels.
    depth_cm : ndarray
        Clearance depth in cm; -1 where the record is not about cleared land.
    area_m2 : ndarray
        Stated area in m², the true one of the polygon that was meant.
    team : ndarray
        Number of the team.
    """

    number: Ints
    row: Ints
    province: Ints
    district: Ints
    village: Ints
    land_use: Ints
    status: Ints
    depth_cm: Ints
    area_m2: Floats
    team: Ints


def vary_kinds(rng: Rng, records: Records) -> None:
    """Let some lone records be of the rarer kinds, where the file can say so."""
    kind = records.kind
    name = np.array([batch.scene.name for batch in records.batches])[records.batch]
    chance = rng.random(len(records))
    states_release = np.isin(records.operator, [OPERATORS.index(name) for name in _STATES_KIND_OF_RELEASE])
    states_hazard = np.isin(records.operator, [OPERATORS.index(name) for name in _STATES_KIND_OF_HAZARD])
    released = (name == "lone_released") & states_release
    kind[released & (chance < 0.06)] = KINDS.index(Kind.REDUCED)
    kind[released & (chance > 0.94)] = KINDS.index(Kind.CANCELLED)
    kind[(name == "lone_hazard") & states_hazard & (chance < 0.15)] = KINDS.index(Kind.SHA)


def describe(rng: Rng, records: Records) -> Attributes:
    """Draw the attributes of all records; a record with the number of another one shares its words."""
    n = len(records)
    row = np.zeros(n, dtype=np.int64)
    for delivery in range(len(DELIVERIES)):
        rows = records.rows_of(delivery)
        row[rows] = np.arange(len(rows))
    village = rng.integers(0, len(VILLAGES), len(records.scene_box))[records.scene]
    return Attributes(
        number=_shared(records, row + 1),
        row=row,
        province=np.array(PROVINCE_OF_BOX)[records.box],
        district=records.box,
        village=village,
        land_use=_shared(records, rng.choice(len(LAND_USES), n, p=(0.45, 0.25, 0.1, 0.1, 0.07, 0.03))),
        status=_shared(records, _status(rng, records)),
        depth_cm=_shared(records, _depth_cm(rng, records)),
        area_m2=_stated_area_m2(rng, records),
        team=_shared(records, rng.integers(1, 25, n)),
    )


def source_id(records: Records, attributes: Attributes, record: int) -> str:
    """Return the number under which the operator delivers a record."""
    prefix = DELIVERIES[int(records.delivery[record])].prefix
    return f"{prefix}{int(attributes.number[record]):06d}"


def _shared(records: Records, values: Ints) -> Ints:
    """Return the values with those of the record whose number is carried."""
    return np.where(records.id_of >= 0, values[records.id_of], values)


def _status(rng: Rng, records: Records) -> Ints:
    """Hazard areas are open or worked on, everything else is closed."""
    hazard = np.isin(records.kind, [KINDS.index(kind) for kind in HAZARD_KINDS])
    return np.where(hazard, np.where(rng.random(len(records)) < 0.8, OPEN, WORKED_ON), CLOSED)


def _depth_cm(rng: Rng, records: Records) -> Ints:
    """Cleared land is cleared to 25 cm, sometimes to 50 cm."""
    depth = np.where(rng.random(len(records)) < 0.85, 25, 50)
    return np.where(records.kind == KINDS.index(Kind.CLEARED), depth, -1)


def _stated_area_m2(rng: Rng, records: Records) -> Floats:
    """State the true area; a survey box has a nominal one, a line some area that was meant."""
    area = records.ring.area_m2()
    area[records.kind == KINDS.index(Kind.SURVEY_BOX)] = BOX_M**2
    line = records.ring.count < 3
    area[line] = rng.uniform(5e3, 5e4, int(line.sum()))
    return area
