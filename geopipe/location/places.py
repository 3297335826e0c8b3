"""Provinces and districts: where a place lies, how far from a stated province, what a written name means.

All coordinates are WGS 84 lon/lat in degrees, distances in metres. Boundaries are generalised and the
sources differ from each other, so a place within `near_border_m` of a province is never said to lie outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geopipe.errors import ConfigError
from geopipe.location.boundaries import Boundaries, read_boundaries
from geopipe.location.distances import Floats, Reach
from geopipe.location.placenames import CountryWords, Filler, NameTable, fold_name, name_table
from geopipe.schema import Geometries, Indices, Mask
from geopipe.settings import load_model, shipped


@dataclass(frozen=True)
class Stated:
    """What the records of a column say about their province: each different value once.

    Attributes
    ----------
    distinct : tuple of tuple of str
        The codes that a value may mean; the first is (), not stated or not known.
    row : array of int, one per record
        Index into `distinct`.
    """

    distinct: tuple[tuple[str, ...], ...]
    row: Indices

    def objects(self) -> NDArray[np.object_]:
        """Return per record None, a code, or a tuple of codes where the name is ambiguous."""
        values = np.empty(len(self.distinct), dtype=object)
        values[:] = [(codes[0] if len(codes) == 1 else codes) if codes else None for codes in self.distinct]
        return np.asarray(values[self.row], dtype=object)

    def take(self, rows: Indices | Mask) -> Stated:
        """Return the same for some of the records."""
        return Stated(self.distinct, self.row[rows])


def nothing_stated(size: int) -> Stated:
    """Return what records say that state no province."""
    return Stated(((),), np.zeros(size, dtype=np.intp))


@dataclass(frozen=True, eq=False)
class Places:
    """The districts and provinces of one country.

    A province is the union of its districts; `district_province` is, per district, the row of its province.
    """

    country: str
    attribution: str
    districts: Geometries
    district_name: NDArray[np.object_]
    district_province: Indices
    provinces: Geometries
    province_code: NDArray[np.object_]
    province_name: NDArray[np.object_]
    province_name_lao: NDArray[np.object_]
    formerly: Mapping[str, tuple[str, ...]]
    short_names: Mapping[str, str]
    names: NameTable
    district_filler: Filler

    def locate(self, longitude: Floats, latitude: Floats) -> Indices:
        """Return the district of each place; -1 outside all, the lowest index on a common border."""
        found = np.full(len(longitude), -1, dtype=np.intp)
        finite = np.flatnonzero(np.isfinite(longitude) & np.isfinite(latitude))
        place, district = self._tree.query(shapely.points(longitude[finite], latitude[finite]))
        # District by district: each prepared polygon then stays in the processor's cache.
        order = np.lexsort((place, -district))
        place, district = finite[place[order]], district[order]
        inside = shapely.intersects_xy(self.districts[district], longitude[place], latitude[place])
        found[place[inside]] = district[inside]
        return found

    def provinces_of(self, located: Indices) -> Indices:
        """Return the row of the province of each located district, -1 for -1."""
        return np.where(located < 0, -1, self.district_province[located])

    def province_codes(self, located: Indices) -> NDArray[np.object_]:
        """Return the code of the province of each located district; None outside."""
        return _picked(self.province_code, self.provinces_of(located))

    def province_names(self, located: Indices) -> NDArray[np.object_]:
        """Return the English name of the province of each located district; None outside."""
        return _picked(self.province_name, self.provinces_of(located))

    def district_names(self, located: Indices) -> NDArray[np.object_]:
        """Return the name of each located district; None outside."""
        return _picked(self.district_name, located)

    def covers(self, longitude: Floats, latitude: Floats, margin_m: Floats | float = 0.0) -> Mask:
        """Return which places lie in the country or within a margin (m) of it."""
        inside = self.locate(longitude, latitude) >= 0
        return inside | self.near_country(longitude, latitude, margin_m, ~inside)

    def near_country(self, longitude: Floats, latitude: Floats, margin_m: Floats | float, rows: Mask) -> Mask:
        """Return which of these rows lie within a margin (m) of the country; False for other rows."""
        near = np.zeros(len(longitude), dtype=bool)
        margin = np.broadcast_to(np.asarray(margin_m, dtype=float), len(longitude))
        picked = np.flatnonzero(rows)
        distance_m = self._country_reach.distance_m(longitude[picked], latitude[picked], margin[picked])
        near[picked] = distance_m <= margin[picked]
        return near

    def distance_to_province_m(self, longitude: Floats, latitude: Floats, codes: Any) -> Floats:
        """Return the geodesic distance (m, to 1 %) of each place to its province; 0 inside.

        Parameters
        ----------
        codes : array of objects, one per place
            None (distance nan), a code, or a tuple of codes (the nearest of them counts). Unknown codes: nan.
        """
        distinct: dict[tuple[str, ...], int] = {}
        row = [distinct.setdefault(_as_tuple(code), len(distinct)) for code in codes]
        return self.distance_to_stated_m(
            longitude, latitude, Stated(tuple(distinct), np.array(row, dtype=np.intp))
        )

    def distance_to_stated_m(
        self, longitude: Floats, latitude: Floats, stated: Stated, within_m: Floats | float = np.inf
    ) -> Floats:
        """Return :meth:`distance_to_province_m`; inf where certainly beyond `within_m`."""
        limit = np.broadcast_to(np.asarray(within_m, dtype=float), len(longitude))
        distance = np.full(len(longitude), np.nan)
        for kind, codes in enumerate(stated.distinct):
            rows = np.flatnonzero(stated.row == kind)
            for province in np.flatnonzero(np.isin(self.province_code, codes)) if len(rows) else ():
                reach = self._province_reaches[province]
                measured = reach.distance_m(longitude[rows], latitude[rows], limit[rows])
                distance[rows] = np.fmin(distance[rows], measured)
        return distance

    def agree(self, located: Indices, stated: Stated) -> tuple[Mask, Mask]:
        """Return which places lie in the province they state, and which do so by an older division.

        Where no province is stated, or the place lies in none, both are False.
        """
        exact = np.array(
            [[code in codes for code in self.province_code] for codes in stated.distinct], dtype=bool
        )
        older = np.array(
            [
                [bool(set(self.formerly.get(code, ())) & set(codes)) for code in self.province_code]
                for codes in stated.distinct
            ],
            dtype=bool,
        )
        province, inside = self.provinces_of(located), located >= 0
        agrees = inside & exact[stated.row, province]
        return agrees, inside & ~agrees & older[stated.row, province]

    def resolve_province(self, text: str | None) -> str | tuple[str, ...] | None:
        """Return the code that a written province means, several where it is ambiguous, None if unknown."""
        codes = self.names.find(text) if text else ()
        return codes[0] if len(codes) == 1 else codes or None

    def resolve_district(self, text: str | None, province_code: str) -> list[int]:
        """Return the districts of one province that bear exactly this name, folded; perhaps none."""
        if not text:
            return []
        names = {fold_name(text), self.district_filler.without(text)} - {""}
        here = np.flatnonzero(self.province_code[self.district_province] == province_code)
        return [int(row) for row in here if fold_name(self.district_name[row]) in names]

    def stated(self, column: Any) -> Stated:
        """Read a column of written provinces (Arrow or sequence of text), each different value once."""
        array = column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column, pa.string())
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        encoded = array if isinstance(array, pa.DictionaryArray) else array.dictionary_encode()
        distinct: dict[tuple[str, ...], int] = {(): 0}
        meaning = [
            distinct.setdefault(self.names.find(text) if text else (), len(distinct))
            for text in encoded.dictionary.to_pylist()
        ]
        index = encoded.indices.fill_null(len(meaning)).to_numpy(zero_copy_only=False).astype(np.intp)
        return Stated(tuple(distinct), np.array([*meaning, 0], dtype=np.intp)[index])

    def province_codes_stated(self, column: Any) -> NDArray[np.object_]:
        """Return per record None, a code, or a tuple of codes where the written name is ambiguous."""
        return self.stated(column).objects()

    @cached_property
    def _tree(self) -> shapely.STRtree:
        shapely.prepare(self.districts)
        return shapely.STRtree(self.districts)

    @cached_property
    def _country_reach(self) -> Reach:
        return Reach(shapely.union_all(self.provinces))

    @cached_property
    def _province_reaches(self) -> list[Reach]:
        return [Reach(province) for province in self.provinces]

    @property
    def bounds(self) -> Floats:
        """West, south, east, north of the country."""
        return np.asarray(shapely.total_bounds(self.provinces))


@lru_cache(maxsize=4)
def load_places(
    path: Path | None = None,
    code_field: str = "code",
    name_field: str = "name",
    parent_field: str | None = None,
    country: str | None = None,
) -> Places:
    """Return the places of Laos, or of the user's own boundary file.

    Parameters
    ----------
    path : Path or None
        GeoJSON FeatureCollection of polygons in lon/lat; None: Laos, as shipped.
    code_field, name_field : str
        Properties with the code and the name of each polygon.
    parent_field : str or None
        Property with the code of the province that a polygon (a district) belongs to; None: each
        polygon is a province.
    country : str or None
        What sentences call it; None: the file's name.

    Raises
    ------
    ConfigError
        When the file cannot be used.
    """
    if path is None:
        return _laos()
    boundaries = read_boundaries(path)
    names, codes = boundaries.texts(name_field), boundaries.texts(code_field)
    parents = boundaries.texts(parent_field) if parent_field else codes
    provinces = {code: (code,) for code in parents}
    if parent_field is None:
        provinces = {code: (name,) for code, name in zip(codes, names, strict=True)}
    return _places(boundaries, names, parents, provinces, CountryWords(country=country or path.stem))


def _laos() -> Places:
    """Return the shipped districts with the official names and the known spellings of their provinces."""
    official, districts = (read_boundaries(shipped(f"places/laos_{part}.geojson")) for part in (
        "provinces", "districts",
    ))  # fmt: skip
    words = load_model(shipped("places/laos.yaml"), CountryWords)
    names = zip(official.texts("name"), official.texts("name_lao"), strict=True)
    provinces = dict(zip(official.texts("code"), names, strict=True))
    return _places(districts, districts.texts("name"), districts.texts("province_code"), provinces, words)


def _places(
    boundaries: Boundaries,
    names: list[str],
    parents: list[str],
    provinces: Mapping[str, tuple[str, ...]],
    words: CountryWords,
) -> Places:
    """Put places together; a province is the union of its districts."""
    codes = sorted(provinces)
    row = np.array([codes.index(parent) if parent in provinces else -1 for parent in parents], dtype=np.intp)
    empty = sorted(set(parents) - set(codes)) + [code for n, code in enumerate(codes) if n not in row]
    if empty:
        raise ConfigError(f"{empty[0]!r} is a province without districts or name", boundaries.where)
    shapes = np.array(
        [shapely.union_all(boundaries.geometry[row == n]) for n in range(len(codes))], dtype=object
    )
    table = name_table([(code, provinces[code]) for code in codes], words, boundaries.where)
    return Places(
        country=words.country,
        attribution=boundaries.attribution,
        districts=boundaries.geometry,
        district_name=np.array(names, dtype=object),
        district_province=row,
        provinces=shapes,
        province_code=np.array(codes, dtype=object),
        province_name=np.array([provinces[code][0] for code in codes], dtype=object),
        province_name_lao=np.array([provinces[code][-1] for code in codes], dtype=object),
        formerly={code: told.formerly for code, told in words.provinces.items() if told.formerly},
        short_names={code: told.short for code, told in words.provinces.items() if told.short},
        names=table,
        district_filler=Filler.of(words.district_words),
    )


def _picked(names: NDArray[np.object_], rows: Indices) -> NDArray[np.object_]:
    """Return the name of each row, None for -1."""
    return np.append(names, [None])[rows]


def _as_tuple(code: Any) -> tuple[str, ...]:
    return () if code is None else (code,) if isinstance(code, str) else tuple(code)
