"""Faults of coordinates: the numbers are read as a place where the record does not lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from geopipe.demo.places import LON_LAT_CRS, PROVINCES, UTM_47N, UTM_48N
from geopipe.demo.rings import Floats

from .fault import Fault, Plant, Planting, areas, each, harmless
from .ground import border_plots, far_province, other_district, star, transform_xy
from .sheet import Need, Record
from .structure import rebuild

_DATUM_LON_LAT, _DATUM_UTM = "EPSG:4131", "EPSG:3148"
_COPIER = {"UXO Lao": "MAG", "MAG": "UXO Lao"}


def _swap(record: Record) -> None:
    record.moved(lambda ring: ring[:, [1, 0]])


def _dms(record: Record) -> None:
    record.moved(_as_minutes_and_seconds)


def _as_minutes_and_seconds(degrees: Floats) -> Floats:
    """Return numbers that show degrees before, minutes and seconds behind the point: 103.4530."""
    hundredths = np.round(np.abs(degrees) * 360_000)
    whole, rest = np.divmod(hundredths, 360_000)
    minutes, seconds = np.divmod(rest, 6_000)
    return np.round(np.sign(degrees) * (whole + minutes / 100 + seconds / 1_000_000), 6)


def _south(record: Record) -> None:
    record.moved(lambda ring: ring * (1.0, -1.0))


def _west(record: Record) -> None:
    record.moved(lambda ring: ring * (-1.0, 1.0))


def _in_zone_47(record: Record) -> None:
    record.moved(lambda ring: transform_xy(ring, UTM_48N, UTM_47N))


Change = Callable[[Record], None]


def every(change: Change) -> Plant:
    """Return a planting that changes all records."""

    def plant(made: Planting) -> list[int]:
        for record in made.sheet.records:
            change(record)
        return made.all_records

    return plant


def few(change: Change) -> Plant:
    """Return a planting that changes some records."""
    return each(lambda made, row: change(made.sheet.records[row]))


def stated_as(crs: str) -> Plant:
    """Return a planting that states another coordinate system for the whole file."""

    def plant(made: Planting) -> list[int]:
        made.sheet.stated_crs = crs
        return made.all_records

    return plant


def _datum(made: Planting) -> list[int]:
    """State WGS 84 for coordinates in Indian 1960, of ground that another operator delivers well."""
    sheet = made.sheet
    other = _COPIER.get(sheet.operator, "UXO Lao")
    copies = [
        replace(record, values={**record.values, "hazard_id": f"COPY-{row:03d}-{sheet.stem}"})
        for row, record in enumerate(sheet.records, start=1)
    ]
    made.partner = replace(sheet, stem=f"{other.replace(' ', '_')}_copy_of_{sheet.stem}", operator=other,
                           records=copies, options={"operator": other})  # fmt: skip
    wrong = _DATUM_UTM if sheet.crs == UTM_48N else _DATUM_LON_LAT
    made.remedy = f"crs={wrong}"
    for record in sheet.records:
        record.moved(lambda ring: transform_xy(ring, sheet.crs, wrong))
    return made.all_records


def _other_province(made: Planting, row: int) -> None:
    record = made.sheet.records[row]
    record.values["province"] = far_province(record.plot)


def _other_district(made: Planting, row: int) -> None:
    record = made.sheet.records[row]
    record.values["district"] = other_district(record.plot)


def _beyond_border(made: Planting) -> list[int]:
    """Let some records lie closely beyond the border of the province that they state."""
    plots = border_plots()
    rows = made.some(len(plots))
    for row, (plot, beside) in zip(rows, plots, strict=True):
        rebuild(made, row, star(made.rng, plot.middle, 60.0, 110.0), beside, "")
        made.sheet.records[row].values["district"] = None
    return rows


def _unknown_province(made: Planting, row: int) -> None:
    made.sheet.records[row].values["province"] = "Khoueng Mai Na"


def _spellings(made: Planting) -> list[int]:
    """Write the provinces in all their spellings, with and without the word for a province."""
    for row, record in enumerate(made.sheet.records):
        province = next(p for p in PROVINCES if p.name == record.plot.province)
        spelling = province.spellings[row % 3]
        record.values["province"] = {
            0: spelling,
            1: spelling.upper() if row % 3 != 2 else spelling,
            2: f"ແຂວງ{spelling}" if row % 3 == 2 else f"{spelling} Province",
        }[row // 3 % 3]
    return []


def _without_place(made: Planting, row: int) -> None:
    """Put a record into the sea, and state no province."""
    record = made.sheet.records[row]
    shift = (0.0, -9.0) if made.sheet.crs == LON_LAT_CRS else (0.0, -1_000_000.0)
    record.moved(lambda ring: ring + shift)
    record.values |= {"province": None, "district": None}


_DEGREES = areas(Need.DEGREES)
_METRES = areas(Need.METRES)

FAULTS = (
    Fault("swapped_few", "AXES_SWAPPED", few(_swap), _DEGREES, "swap_axes", crs=LON_LAT_CRS),
    Fault("swapped_all", "AXES_SWAPPED", every(_swap), _DEGREES, "swap_axes", crs=LON_LAT_CRS),
    Fault("swapped_in_metres", "AXES_SWAPPED", every(_swap), _METRES, "swap_axes", crs=UTM_48N),
    Fault("zone_47_for_48", "ZONE_WRONG", stated_as(UTM_47N), _METRES, "crs=EPSG:32648", crs=UTM_48N),
    Fault("zone_48_for_47", "ZONE_WRONG", stated_as(UTM_48N), _METRES, "crs=EPSG:32647", crs=UTM_47N),
    Fault("zone_few", "ZONE_WRONG", few(_in_zone_47), _METRES, "crs=EPSG:32647", crs=UTM_48N),
    Fault("dms_as_decimal", "DMS_AS_DECIMAL", every(_dms), _DEGREES, "dms", crs=LON_LAT_CRS, size=40),
    Fault("metres_in_lon_lat", "METRES_IN_LONLAT", stated_as(LON_LAT_CRS), areas(Need.BEYOND_DEGREES),
          "crs=EPSG:32648", crs=UTM_48N),
    Fault("degrees_in_metres", "DEGREES_IN_METRES", stated_as(UTM_48N), areas(Need.METRES, Need.DEGREES),
          "crs=EPSG:4326", crs=LON_LAT_CRS),
    Fault("no_crs", "CRS_MISSING", stated_as(""), areas(Need.NO_CRS), "EPSG:32648", crs=UTM_48N, options={}),
    Fault("sign_of_latitude", "SIGN_MISSING", every(_south), _DEGREES, "sign=y", crs=LON_LAT_CRS),
    Fault("sign_of_longitude", "SIGN_MISSING", few(_west), _DEGREES, "sign=x", crs=LON_LAT_CRS),
    Fault("datum", "DATUM_SUSPECTED", _datum, areas(Need.FINE), about="pair"),
    Fault("other_province", "PROVINCE_DIFFERS", each(_other_province)),
    Fault("other_district", "DISTRICT_DIFFERS", each(_other_district)),
    Fault("beyond_border", "NEAR_BORDER", _beyond_border),
    Fault("outside_country", "OUTSIDE_COUNTRY", each(_without_place), areas(Need.FINE)),
    Fault("province_unknown", "PROVINCE_UNKNOWN", each(_unknown_province), about="file"),
    Fault("province_spellings", "", harmless(_spellings), size=18),
)  # fmt: skip
