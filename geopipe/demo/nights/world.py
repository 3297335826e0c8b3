"""What the operators have in their registers tonight, and which ground is behind each record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely

from geopipe.demo.days import Days
from geopipe.demo.places import LON_LAT_CRS, UTM_47N, UTM_48N
from geopipe.demo.rings import Floats
from geopipe.terms import HAZARD_KINDS, Kind

Rng = np.random.Generator
# Thinner than this on average is a border that touches, m.
TOUCH_M = 1e-6


@dataclass(frozen=True)
class Register:
    """One file that an operator delivers whole every night; `says` is what all its records are."""

    operator: str
    says: Kind
    file: str
    crs: str
    prefix: str

    @property
    def name(self) -> str:
        """The register as record ids name it."""
        return "hazard" if self.says in HAZARD_KINDS else "land_release"


REGISTERS = (
    Register("UXO Lao", Kind.CHA, "UXO_Lao_CHA.gpkg", UTM_48N, "UXL-CHA-"),
    Register("UXO Lao", Kind.CLEARED, "UXO_Lao_clearance.gpkg", UTM_48N, "UXL-CLR-"),
    Register("MAG", Kind.CHA, "MAG_CHA.geojson", LON_LAT_CRS, "MAG-CHA-"),
    Register("MAG", Kind.CLEARED, "MAG_clearance.geojson", LON_LAT_CRS, "MAG-CLR-"),
    Register("NPA", Kind.CHA, "NPA_CHA.geojson", LON_LAT_CRS, "NPA-CHA-"),
    Register("HALO", Kind.CHA, "HALO_CHA.gpkg", UTM_47N, "HALO-CHA-"),
    Register("HALO", Kind.CLEARED, "HALO_clearance.gpkg", UTM_47N, "HALO-CLR-"),
    Register("Unit 58", Kind.CLEARED, "Unit_58_clearance.geojson", LON_LAT_CRS, "U58-CLR-"),
)
OPERATORS = tuple(dict.fromkeys(register.operator for register in REGISTERS))


@dataclass(frozen=True)
class Area:
    """A record: its ground, which stays whatever happens to the id, and what the operator says of it.

    Attributes
    ----------
    ground_id : str
        The hidden name of the ground. Pieces of a split and a merged record are other ground.
    register : int
        Row of `REGISTERS`.
    polygon : shapely.Polygon
        In the equal-area CRS of the demonstration, m.
    source_id : str
        The id under which it is delivered tonight.
    surveyed, completed, informed : int
        Dates as days since 1970-01-01; -1 is not stated.
    box : int
        Row of `places.BOXES`: province and district.
    """

    ground_id: str
    register: int
    polygon: shapely.Polygon
    source_id: str
    surveyed: int
    completed: int
    informed: int
    box: int

    @property
    def kind(self) -> Kind:
        """What the record says about its ground."""
        return REGISTERS[self.register].says

    @property
    def operator(self) -> str:
        """Who delivers it."""
        return REGISTERS[self.register].operator


@dataclass(frozen=True)
class Spare:
    """Two overlapping polygons where nobody has reported anything yet, with dates and place."""

    says: Kind
    polygons: tuple[shapely.Polygon, shapely.Polygon]
    days: tuple[Days, Days]
    box: int


@dataclass(frozen=True)
class Due:
    """What an earlier night leaves to be done: an area that comes back, ids that are put right, a decision.

    `areas` are records as they were. Of the two `grounds` the first is what the correction changes;
    `decision` is what `nights.json` says of the decision, which learns here that it was carried out.
    """

    night: int
    what: str
    areas: tuple[Area, ...] = ()
    grounds: tuple[str, str] = ("", "")
    decision: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """Two records that share ground tonight; `first` sorts before `second`."""

    first: Area
    second: Area
    shared_m2: float

    @property
    def grounds(self) -> tuple[str, str]:
        """The ground of both."""
        return self.first.ground_id, self.second.ground_id

    @property
    def expected_release(self) -> bool:
        """Hazard was surveyed, then released: the expected course of things, nobody decides on it."""
        days = {area.kind: area for area in (self.first, self.second)}
        if len(days) == 1:
            return False
        return days[Kind.CHA].surveyed <= days[Kind.CLEARED].completed


def shifted(polygon: shapely.Polygon, by: Floats) -> shapely.Polygon:
    """Return a polygon moved by a vector, m."""
    return shapely.Polygon(shapely.get_coordinates(polygon) + by)


@dataclass
class World:
    """All registers tonight.

    Attributes
    ----------
    areas : dict
        Records by ground id, in the order of their rows.
    issued : list of int
        The highest number given so far in each register.
    parents : dict
        Ground from which each ground came by a split or merge; empty for the others.
    touched : set of str
        Ground to which something happened tonight already.
    closed : set of int
        Registers that do not arrive, or not whole, tonight: nothing is changed in them meanwhile.
    decided : set of (str, str)
        Pairs of ground on which a meeting has decided.
    whole : dict
        Polygons of ground that was split, as it was before.
    """

    rng: Rng
    areas: dict[str, Area]
    issued: list[int]
    spare: list[Spare]
    parents: dict[str, tuple[str, ...]]
    night: int = 1
    day: int = 0
    due: list[Due] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    happened: list[dict[str, Any]] = field(default_factory=list)
    decided: set[tuple[str, str]] = field(default_factory=set)
    whole: dict[str, shapely.Polygon] = field(default_factory=dict)

    def new_ground(self, *parents: str) -> str:
        """Return the name of ground that was not there before."""
        name = f"g{len(self.parents) + 1:05d}"
        self.parents[name] = parents
        return name

    def new_id(self, register: int) -> str:
        """Return an id that was never used in this register."""
        self.issued[register] += 1
        return f"{REGISTERS[register].prefix}{self.issued[register]:06d}"

    def put(self, area: Area) -> None:
        """Add a record, or put another state of it into its row."""
        self.areas[area.ground_id] = area

    def take(self, ground_id: str) -> Area:
        """Take a record out of its register."""
        return self.areas.pop(ground_id)

    def give_ids(self, grounds: list[str], ids: list[str]) -> None:
        """Deliver these records under these ids; nothing else about them changes."""
        for ground, source_id in zip(grounds, ids, strict=True):
            self.put(replace(self.areas[ground], source_id=source_id))

    def is_free(self, *grounds: str) -> bool:
        """Say whether these records are there, arrive tonight, and nothing has happened to them yet."""
        return all(
            ground in self.areas
            and ground not in self.touched
            and self.areas[ground].register not in self.closed
            for ground in grounds
        )

    def free(self) -> list[Area]:
        """Return the records to which something can happen."""
        return [area for ground, area in self.areas.items() if self.is_free(ground)]

    def tell(self, what: str, *grounds: str, **more: Any) -> None:
        """Write down what has happened to which ground."""
        self.touched.update(grounds)
        self.happened.append({"what": what, "grounds": list(grounds), **more})

    def overlaps(self) -> list[Pair]:
        """Return all pairs that share ground, as the registers are this moment."""
        return pairs_of([*self.areas.values()])

    def choose(self, options: list[Any]) -> Any:
        """Draw one of the options."""
        return options[int(self.rng.integers(len(options)))]

    def arriving(self) -> list[Area]:
        """Return the records whose files arrive whole tonight."""
        return [area for area in self.areas.values() if area.register not in self.closed]


def pairs_of(areas: list[Area]) -> list[Pair]:
    """Return the pairs that share more than a border, sorted by ground; the order of rows changes nothing."""
    areas = sorted(areas, key=lambda area: area.ground_id)
    polygons = np.array([area.polygon for area in areas], dtype=object)
    left, right = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    shared = shapely.intersection(polygons[left], polygons[right])
    area_m2, perimeter_m = shapely.area(shared), shapely.length(shared)
    found = []
    for row in np.flatnonzero(2 * area_m2 > TOUCH_M * perimeter_m):
        found.append(Pair(areas[left[row]], areas[right[row]], float(area_m2[row])))
    return sorted(found, key=lambda pair: pair.grounds)
