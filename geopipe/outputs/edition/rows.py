"""The layers of a result as one operator may see them: each is put together from what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geopipe.catalogue import load_catalogue
from geopipe.editions import LAYERS, OF_PARTNER, Own, Pairs, file_name, is_told, outline_near
from geopipe.io.geopackage import Layer, read_layer, read_table
from geopipe.picked import Picked
from geopipe.schema import Frame, Geometries, Mask, no_geometry
from geopipe.terms import RELEASED_KINDS

OUTLINES = "partner_outlines"
_PLACES = ("province", "district")
_TYPES = {
    "MULTIPOLYGON": "MultiPolygon", "MULTIPOINT": "MultiPoint", "MULTILINESTRING": "MultiLineString",
    "GEOMETRY": "Unknown", "": "",
}  # fmt: skip


class OwnResult:
    """A published GeoPackage, read for one operator.

    Parameters
    ----------
    geopackage : Path
    tables : mapping
        Its layers, with the type of their geometry as a GeoPackage names it.
    operator : str
    """

    def __init__(self, geopackage: Path, tables: Mapping[str, str], operator: str) -> None:
        self.operator = operator
        self._types = {name: _TYPES[kind] for name, kind in tables.items() if name in LAYERS}
        self._frames = {name: _frame(geopackage, name, kind) for name, kind in self._types.items()}

    def layers(self) -> list[Layer]:
        """Return the layers that the operator gets, in the order of the result."""
        made = [self._layer(name, LAYERS[name]) for name in self._types]
        return [*made, self._outlines()] if {"areas", "overlaps"} <= set(self._types) else made

    def own_files(self) -> dict[str, str]:
        """Return the files that hold records of this operator and of nobody else, with their plain names."""
        senders: dict[str, set[str]] = {}
        for frame in self._frames.values():
            if {"file", "operator"} <= set(frame.table.column_names):
                for file, operator in _rows(frame.table, "file", "operator"):
                    senders.setdefault(file, set()).add(operator or "")
        return {file: file_name(file) for file, names in senders.items() if file and names == {self.operator}}

    def count(self, name: str) -> int:
        """Return how many own rows a layer has."""
        frame = self._frames.get(name)
        return 0 if frame is None else int(_is_one_of(frame, ["operator"], self.operator).sum())

    def _layer(self, name: str, rule: Own | Pairs) -> Layer:
        frame = self._frames[name]
        whose = ["operator"] if isinstance(rule, Own) else [f"{side}_operator" for side in rule.sides]
        own = frame.take(_is_one_of(frame, whose, self.operator))
        if name in _WHICH:
            own = own.take(_WHICH[name](self, own))
        shown = self._own(own, rule) if isinstance(rule, Own) else self._pairs(own, rule)
        for change in (*_CHANGES.get(name, ()), OwnResult._plain_origin):
            shown |= change(self, own, shown)
        order = [*own.table.column_names, *shown]
        shown = {column: shown[column] for column in dict.fromkeys(order) if column in shown}
        geometry = self._ground_of_findings(own) if name == "findings" else own.shapes
        kind = self._types[name]
        return Layer(name, Picked(pa.table(shown)), geometry if kind else None, kind)

    def _own(self, own: Frame, rule: Own) -> dict[str, Any]:
        return {name: own.table[name] for name in rule.columns if name in own.table.column_names}

    def _pairs(self, own: Frame, rule: Pairs) -> dict[str, Any]:
        """Return what is shown of pairs: of the other's record less than of the own one."""
        shown = {
            f"{side}_{name}": own.table[f"{side}_{name}"] for side in rule.sides for name in rule.of_side
        }
        shown |= {name: own.table[name] for name in rule.together}
        for side in rule.sides:
            is_own = pa.array(own.flags(f"{side}_operator", [self.operator]))
            shown |= {name: pc.if_else(is_own, own.table[name], None) for name in rule.only_own[side]}
        return shown

    def _only_own_neighbours(self, gaps: Frame) -> Mask:
        """Say which gaps lie between own releases: the others would show where a neighbour works."""
        return gaps.flags("neighbour_operators", [self.operator])

    def _only_told(self, findings: Frame) -> Mask:
        catalogue = load_catalogue()
        return findings.flags("code", [code for code in findings.values("code") if is_told(code, catalogue)])

    def _places(self, cases: Frame, _: Mapping[str, Any]) -> dict[str, Any]:
        """Return where cases lie, by the own record: the place of the other one is not told."""
        if "areas" not in self._frames:
            return {}
        areas = self._frames["areas"]
        names = ("record_id", *(f"{level}_{how}" for how in ("located", "stated") for level in _PLACES))
        found = {row[0]: dict(zip(names, row, strict=True)) for row in _rows(areas.table, *names)}
        records = [
            found.get(a_id if a_operator == self.operator else b_id, {})
            for a_operator, a_id, b_id in _rows(cases.table, "a_operator", "a_id", "b_id")
        ]
        return {
            level: pa.array([row.get(f"{level}_located") or row.get(f"{level}_stated") for row in records],
                            pa.string())
            for level in _PLACES
        }  # fmt: skip

    def _meanings(self, own: Frame, shown: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the code of each row means, in place of a sentence that may name others."""
        catalogue = load_catalogue()
        codes = own.table["code" if "code" in shown else "reason"].to_pylist()
        known = {
            code: f"{catalogue.meaning(code, 'en')} / {catalogue.meaning(code, 'lo')}" for code in set(codes)
        }
        return {"sentence": pa.array([known[code] for code in codes], pa.string())}

    def _others(self, own: Frame, shown: Mapping[str, Any]) -> dict[str, Any]:
        """Return the other record of each finding, and what was measured, only where it may be told."""
        told = pa.array(self._names_known_records(own))
        return {name: pc.if_else(told, shown[name], None) for name in ("other_id", "measure", "unit")}

    def _names_known_records(self, findings: Frame) -> Mask:
        """Say which findings name no other record, an own one, or one that overlaps with an own one."""
        others = findings.table["other_id"].to_pylist()
        known = self._partners()
        return np.array([not other or other in known for other in others], dtype=bool)

    @cached_property
    def _own_ids(self) -> frozenset[str]:
        """The ids of all own records, whatever became of them."""
        own: set[str] = set()
        for frame in self._frames.values():
            if {"record_id", "operator"} <= set(frame.table.column_names):
                own.update(frame.take(frame.flags("operator", [self.operator])).values("record_id"))
        return frozenset(own)

    def _partners(self) -> set[str]:
        """Return the ids of own records, and of records that share ground with one of them."""
        known = set(self._own_ids)
        for name, sides in (("overlaps", ("left", "right")), ("cases", ("a", "b"))):
            if name in self._frames:
                frame = self._frames[name]
                about = frame.take(_is_one_of(frame, [f"{side}_operator" for side in sides], self.operator))
                known.update(*(about.values(f"{side}_id") for side in sides))
        return known

    def _ground_of_findings(self, findings: Frame) -> Geometries:
        """Return the ground of findings; of those that name a record of others, the own record whole."""
        ground = findings.geometry.copy()
        others = findings.table["other_id"].to_pylist()
        foreign = [at for at, other in enumerate(others) if other and other not in self._own_ids]
        if foreign:
            ground[foreign] = None
        if foreign and "areas" in self._frames:
            areas = self._frames["areas"]
            at = {record: row for row, (record,) in enumerate(_rows(areas.table, "record_id"))}
            records = findings.table["record_id"].to_pylist()
            for row in foreign:
                if records[row] in self._own_ids and records[row] in at:
                    ground[row] = areas.geometry[at[records[row]]]
        return ground

    def _plain_origin(self, own: Frame, shown: Mapping[str, Any]) -> dict[str, Any]:
        """Return where rows come from: own files by their plain names, those of others not at all."""
        if "file" not in shown:
            return {}
        names = self.own_files()
        files = own.table["file"].to_pylist()
        is_own = pa.array([file in names for file in files], pa.bool_())
        plain = pa.array([names.get(file) for file in files], pa.string())
        return {"file": plain, **{name: pc.if_else(is_own, shown[name], None) for name in ("layer", "row")}}

    def _outlines(self) -> Layer:
        """Return of each other record its outline within 100 m of the overlap, and nothing else."""
        areas = self._frames["areas"]
        at = {row_id: row for row, (row_id,) in enumerate(_rows(areas.table, "row_id"))}
        names = ("operator", "record_id", "kind", "status", "date_surveyed", "date_completed")
        records = areas.table.select(names).whole().to_pylist()
        rows, lines = [], []
        for own_id, row_id, overlap in self._shared_with_others():
            if row_id in at:
                rows.append({"own_id": own_id, **_of_partner(records[at[row_id]])})
                lines.append(outline_near(areas.geometry[at[row_id]], overlap))
        schema = pa.schema([("own_id", pa.string()), *((name, _kind_of(name)) for name in OF_PARTNER)])
        geometry = np.empty(len(lines), dtype=object)
        geometry[:] = lines
        geometry[shapely.is_empty(geometry)] = None
        return Layer(OUTLINES, Picked(pa.Table.from_pylist(rows, schema)), geometry, "MultiLineString")

    def _shared_with_others(self) -> Iterator[tuple[str, str, shapely.Geometry]]:
        """Yield own id, row of the other record and overlap of all pairs with other operators."""
        overlaps = self._frames["overlaps"]
        columns = ("operator", "id", "row_id")
        whose, ids, row_ids = (
            list(_rows(overlaps.table, f"left_{name}", f"right_{name}")) for name in columns
        )
        for row, operators in enumerate(whose):
            for own, other in ((0, 1), (1, 0)):
                if operators[own] == self.operator != operators[other]:
                    yield ids[row][own], row_ids[row][other], overlaps.geometry[row]


def _frame(geopackage: Path, name: str, geometry_type: str) -> Frame:
    if geometry_type:
        return read_layer(geopackage, name)[0]
    table = read_table(geopackage, name)
    return Frame.of(table, no_geometry(table.num_rows))


def _of_partner(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an operator may know of any record."""
    day = record["date_completed" if record["kind"] in RELEASED_KINDS else "date_surveyed"]
    return {**{name: record[name] for name in OF_PARTNER if name != "date"}, "date": day}


def _kind_of(name: str) -> pa.DataType:
    return pa.date32() if name == "date" else pa.string()


def _rows(table: Picked, *names: str) -> Iterable[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def _is_one_of(frame: Frame, columns: Sequence[str], operator: str) -> Mask:
    found = np.zeros(len(frame), dtype=bool)
    for column in columns:
        found |= frame.flags(column, [operator])
    return found


_WHICH: Mapping[str, Callable[[OwnResult, Frame], Mask]] = {
    "gaps": OwnResult._only_own_neighbours,
    "findings": OwnResult._only_told,
}
_Change = Callable[[OwnResult, Frame, Mapping[str, Any]], dict[str, Any]]
_CHANGES: Mapping[str, Sequence[_Change]] = {
    "cases": (OwnResult._places,),
    "findings": (OwnResult._meanings, OwnResult._others),
    "rejected": (OwnResult._meanings,),
    "hazard_unresolved": (OwnResult._meanings,),
}
