"""Which operator delivers what in which file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geopipe.terms import HAZARD_KINDS, Kind

from .places import LON_LAT_CRS, OPERATORS, UTM_47N, UTM_48N
from .scenes import Fault, Role


@dataclass(frozen=True)
class Delivery:
    """One layer of one delivered file.

    Attributes
    ----------
    file : str
        Name of the file.
    layer : str
        Name of the layer, empty where the format has none.
    driver : str
        GDAL's name of the format.
    crs : str
        CRS of the coordinates; `states_crs` says whether the file tells it.
    prefix : str
        What the record numbers begin with.
    """

    file: str
    layer: str
    driver: str
    crs: str
    prefix: str
    states_crs: bool = True


NO_PRJ = 9
POINTS_FILE = "UXO_Lao_points.geojson"
POINTS_OPERATOR = "UXO Lao"

DELIVERIES = (
    Delivery("UXO_Lao_CHA_2026.shp", "", "ESRI Shapefile", UTM_48N, "UXL-CHA-"),
    Delivery("UXO_Lao_clearance_2026.zip", "", "ESRI Shapefile", UTM_48N, "UXL-CLR-"),
    Delivery("MAG_deliveries.gpkg", "cha", "GPKG", UTM_47N, "MAG-CHA-"),
    Delivery("MAG_deliveries.gpkg", "clearance", "GPKG", UTM_47N, "MAG-CLR-"),
    Delivery("NPA_CHA.geojson", "", "GeoJSON", LON_LAT_CRS, "NPA-CHA-"),
    Delivery("NPA_survey_boxes.geojson", "", "GeoJSON", LON_LAT_CRS, "NPA-BOX-"),
    Delivery("MAG_survey_boxes.gpkg", "survey_boxes", "GPKG", UTM_48N, "MAG-BOX-"),
    Delivery("HALO_areas.kml", "", "KML", LON_LAT_CRS, "HALO-"),
    Delivery("Unit58_clearance.csv", "", "CSV", LON_LAT_CRS, "U58-CLR-"),
    Delivery("Unit58_CHA_no_prj.shp", "", "ESRI Shapefile", UTM_48N, "U58-CHA-", states_crs=False),
)

# Delivery of hazard, released land and survey boxes, per operator; -1: the operator delivers none.
_HAZARD, _RELEASED, _BOXES = 0, 1, 2
ROUTE = np.array([[0, 1, -1], [2, 3, 6], [4, -1, 5], [7, 7, -1], [NO_PRJ, 8, -1]])

# Which faults a delivery can carry.
_LON_LAT = frozenset(row for row, delivery in enumerate(DELIVERIES) if delivery.crs == LON_LAT_CRS)
_CARRIERS = {Fault.SWAPPED_COORDINATES: _LON_LAT, Fault.TOO_FEW_POINTS: _LON_LAT}


def route_class(kind: Kind) -> int:
    """Return the column of `ROUTE` for a kind."""
    if kind in HAZARD_KINDS:
        return _HAZARD
    return _BOXES if kind == Kind.SURVEY_BOX else _RELEASED


def allowed_operators(roles: list[Role], who: int) -> np.ndarray:
    """Return which operators can take the part `who` in these roles, shape (operators,).

    Records that depend on each other within one operator never go to the file without CRS,
    where their outcome would hang on an assumption.
    """
    mine = [role for role in roles if role.who == who]
    allowed = np.ones(len(OPERATORS), dtype=bool)
    for role in mine:
        file = ROUTE[:, route_class(role.kind)]
        carriers = _CARRIERS.get(role.fault)
        allowed &= file >= 0
        if carriers is not None:
            allowed &= np.isin(file, list(carriers))
        if len(mine) > 1:
            allowed &= file != NO_PRJ
    return allowed
