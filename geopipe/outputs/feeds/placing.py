"""Where records and overlaps lie, as P-codes and official names: what somebody wrote is never shown."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.location.places import Places, load_places
from geopipe.schema import Frame, Geometries
from geopipe.settings import shipped

PLACE = ("province_pcode", "province", "district_pcode", "district")
_DECIMALS = 6  # of degrees: 0.1 m


@dataclass(frozen=True)
class DistrictCode:
    """What is known of a district beside its polygon; '' where nothing is."""

    pcode: str
    name_lo: str


@lru_cache(maxsize=1)
def district_codes() -> dict[tuple[str, str], DistrictCode]:
    """Return the codes of districts by P-code of the province and name of the district."""
    with shipped("places/laos_district_codes.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["province_pcode"], row["district"]): DistrictCode(row["district_pcode"], row["district_lo"])
        for row in rows
    }


def place_rows() -> list[dict[str, str | None]]:
    """Return all provinces, then all districts, with their codes."""
    places, rows = load_places(), []
    for code, name, lao in zip(
        places.province_code, places.province_name, places.province_name_lao, strict=True
    ):
        rows.append(_place("province", code, None, name, lao))
    parents = places.province_code[places.district_province]
    for parent, name in sorted(zip(parents, places.district_name, strict=True)):
        known = district_codes().get((parent, name), DistrictCode("", ""))
        rows.append(_place("district", known.pcode, parent, name, known.name_lo))
    return rows


def _place(level: str, pcode: str, parent: str | None, name: str, lao: str) -> dict[str, str | None]:
    names = {"name_en": name, "name_lo": lao or None}
    return {"level": level, "pcode": pcode or None, "parent_pcode": parent, **names}


def place_of(code: str | None, province: str | None, district: str | None) -> dict[str, str | None]:
    """Return the columns of a place from the code of its province and its names."""
    known = district_codes().get((code or "", district or ""))
    return dict(zip(PLACE, (code, province, known.pcode or None if known else None, district), strict=True))


def placed(areas: Frame) -> Frame:
    """Return areas whose place is known by its official name, or not at all.

    Where a record lies outside all provinces, the names that it states stand in, if they are those of a
    province and of a district in it; as the hectares take them, too.
    """
    places = load_places()
    columns = {
        name: areas.table[name].to_pylist()
        for level in ("province", "district")
        for name in (f"{level}_located", f"{level}_stated")
    }
    columns["province_code"] = areas.table["province_code"].to_pylist()
    for row in range(len(areas)):
        if columns["province_code"][row] is None:
            code, name = _stated_province(places, columns["province_stated"][row])
            columns["province_code"][row], columns["province_located"][row] = code, name
        if columns["district_located"][row] is None and columns["province_code"][row] is not None:
            stated = columns["district_stated"][row], columns["province_code"][row]
            columns["district_located"][row] = _stated_district(places, *stated)
    nothing = [None] * len(areas)
    return areas.with_columns({**columns, "province_stated": nothing, "district_stated": nothing})


def _stated_province(places: Places, text: str | None) -> tuple[str | None, str | None]:
    code = places.resolve_province(text)
    if not isinstance(code, str):
        return None, None
    return code, str(places.province_name[list(places.province_code).index(code)])


def _stated_district(places: Places, text: str | None, code: str) -> str | None:
    found = places.resolve_district(text, code)
    return str(places.district_name[found[0]]) if len(found) == 1 else None


def points_in(geometry: Geometries, crs_wkt: str) -> NDArray[np.float64]:
    """Return a point inside each geometry as longitude and latitude (degrees), nan where there is none."""
    inside = shapely.point_on_surface(geometry)
    transformer, _ = choose_operation(crs_wkt, WGS84)
    return np.round(shapely.get_coordinates(_or_nan(transform(inside, transformer))), _DECIMALS)


def _or_nan(points: Geometries) -> Geometries:
    made = points.copy()
    made[shapely.is_missing(points) | shapely.is_empty(points)] = shapely.points(np.nan, np.nan)
    return made


def located(points: NDArray[np.float64]) -> list[dict[str, str | None]]:
    """Return the place of each point (longitude, latitude)."""
    places = load_places()
    found = places.locate(points[:, 0], points[:, 1])
    columns: Sequence[NDArray[np.object_]] = (
        places.province_codes(found), places.province_names(found), places.district_names(found)
    )  # fmt: skip
    return [place_of(*row) for row in zip(*columns, strict=True)]
