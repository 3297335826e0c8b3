"""A register delivered twice, and one beside its copy in the national database: what differs is known."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geopipe.demo.places import EQUAL_AREA_CRS
from geopipe.demo.rings import Floats

from .attributes import ids
from .formats import FORMATS, Format
from .ground import Ground, Rng, area_m2, transform_xy
from .pointlists import sheet_id
from .sheet import Record, Sheet, make_sheet

# In these formats a register is delivered twice.
TWICE_IN = ("geopackage", "shapefile", "geojson", "csv_wkt")
_SIZE = 24
_NO_YEARS = dt.timedelta(days=40)


class _Twice:
    """A register before and after; each change of it is written down as it is made."""

    def __init__(self, rng: Rng, ground: Ground, before: Sheet) -> None:
        self.rng, self.ground, self.before = rng, ground, before
        self.own = sheet_id(before)
        self.records: list[Record | None] = [copy.deepcopy(record) for record in before.records]
        self.new: list[Record] = []
        self.changes: list[dict[str, Any]] = []
        self._next = 0
        self._made = 0

    def note(self, change: str, old: list[Record], new: list[Record], *codes: str) -> None:
        """Write down a change, and the codes of what must be said of it."""
        told = {"change": change, "previous": ids(old), "current": ids(new), "codes": list(codes)}
        self.changes.append(told)

    def take(self) -> int:
        """Return the position of the next record that has not been changed."""
        self._next += 1
        return self._next - 1

    def edited(self, change: str, edit: Callable[[Record], None], *codes: str) -> None:
        """Change the next record."""
        row = self.take()
        record = self.records[row]
        if record is not None:
            edit(record)
            self.note(change, [self.before.records[row]], [record], *codes)

    def gone(self, code: str) -> None:
        """Leave the next record out."""
        row = self.take()
        self.records[row] = None
        self.note("vanished", [self.before.records[row]], [], code)

    def replaced(self, change: str, count: int, rings: list[Floats]) -> None:
        """Put new records with new ids in the place of the next ones."""
        rows = [self.take() for _ in range(count)]
        old = [self.before.records[row] for row in rows]
        new = [self._with_new_id(old[0], ring) for ring in rings]
        for row in rows:
            self.records[row] = None
        self.new += new
        self.note(change, old, new)

    def _with_new_id(self, model: Record, ring: Floats) -> Record:
        record = copy.deepcopy(model)
        record.with_ring(transform_xy(ring, EQUAL_AREA_CRS, self.before.crs))
        self._made += 1
        own_id = f"{model.values[self.own]}-N{self._made}"
        record.values |= {self.own: own_id, "area_m2": round(area_m2(ring))}
        return record

    def redrawn(self) -> None:
        """Draw the next record a little larger, under another id."""
        record = self.before.records[self._next]
        ring = transform_xy(record.ring, self.before.crs, EQUAL_AREA_CRS)
        self.replaced("redrawn", 1, [ring.mean(axis=0) + (ring - ring.mean(axis=0)) * 1.1])

    def moved_away(self, *codes: str) -> None:
        """Use the id of the next record for other ground."""
        plot = self.ground.take()
        ring = transform_xy(plot.middle + _square(60.0), EQUAL_AREA_CRS, self.before.crs)

        def change(record: Record) -> None:
            record.with_ring(ring)
            record.values |= {"province": plot.province, "district": plot.district, "area_m2": 14_400}

        self.edited("id_reused", change, *codes)

    def added(self) -> None:
        """Add a record on new ground."""
        model = self.before.records[0]
        plot = self.ground.take()
        record = self._with_new_id(model, plot.middle + _square(70.0))
        record.values |= {"province": plot.province, "district": plot.district}
        self.new.append(record)
        self.note("added", [], [record])

    def after(self) -> list[Record]:
        """Return the records of the new delivery."""
        return [record for record in self.records if record is not None] + self.new


def _square(half_m: float, east_m: float = 0.0) -> Floats:
    return np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]) * half_m + (east_m, 0.0)


def _scaled(factor: float) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        middle = record.ring.mean(axis=0)
        record.with_ring(middle + (record.ring - middle) * factor)
        record.values["area_m2"] = round(record.values["area_m2"] * factor**2)
        record.values["info_date"] += _NO_YEARS

    return change


def _renamed(record: Record) -> None:
    own = next(iter(record.values))
    record.values[own] = f"{record.values[own]}-R"


def _worked_on(record: Record) -> None:
    record.values |= {"status": "Worked on", "info_date": record.values["info_date"] + _NO_YEARS}


def _set_squares(sheet: Sheet, rows: list[tuple[int, float]], half_m: float) -> None:
    """Make records squares about the plot of the first of them, each so far to the east of it."""
    plot = sheet.records[rows[0][0]].plot
    for row, east in rows:
        ring = plot.middle + _square(half_m, east)
        record = sheet.records[row]
        record.with_ring(transform_xy(ring, EQUAL_AREA_CRS, sheet.crs))
        record.values |= {
            "province": plot.province, "district": plot.district, "area_m2": round(area_m2(ring)),
        }  # fmt: skip


def _hazard(twice: _Twice) -> None:
    """Change a register of hazard in every way that there is."""
    sheet = twice.before
    split, first = 0, 1
    middle = sheet.records[split].plot.middle
    halves = [middle + _square(50.0) * (1.0, 2.0) + (step, 0.0) for step in (-50.0, 50.0)]
    twice.replaced("split", 1, halves)
    merged = sheet.records[first].plot.middle + _square(100.0) * (1.0, 0.5) + (50.0, 0.0)
    twice.replaced("merged", 2, [merged])
    for _ in range(2):
        twice.gone("HAZARD_VANISHED")
        twice.edited("edited", _scaled(0.7), "HAZARD_SHRANK")
        twice.edited("edited", _scaled(1.2))
        twice.edited("re_issued", _renamed)
        twice.edited("attributes", _worked_on)
        twice.added()
    twice.redrawn()
    twice.moved_away("ID_REUSED", "HAZARD_VANISHED")


def _released(twice: _Twice) -> None:
    """Change a register of released land."""
    twice.edited("edited", _scaled(1.3), "RELEASED_GREW")
    twice.edited("edited", _scaled(0.8))
    twice.gone("RELEASED_VANISHED")
    twice.edited("re_issued", _renamed)
    twice.added()


def write_twice(folder: Path, rng: Rng, ground: Ground) -> list[dict[str, Any]]:
    """Write registers twice, into `redelivery/previous` and `redelivery/new`; return what changed."""
    truths = []
    for form in (form for form in FORMATS if form.name in TWICE_IN):
        for kind, change in (("CHA", _hazard), ("CLEARED", _released)):
            word = "hazard" if kind == "CHA" else "released"
            stem = f"{form.style.operator.replace(' ', '_')}_{form.name}_{word}"
            sheet = make_sheet(rng, ground, stem, 900, form.style, kind, _SIZE)
            _set_squares(sheet, [(0, 0.0)], 100.0)
            _set_squares(sheet, [(1, 0.0), (2, 100.0)], 50.0)
            twice = _Twice(rng, ground, sheet)
            change(twice)
            files = {}
            for name, records in (("previous", sheet.records), ("new", twice.after())):
                file = f"redelivery/{name}/{form.file.format(stem=stem)}"
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                form.write(_with(sheet, records), folder / file)
                files[name] = file
            options = {"profile": form.profile, "mode": "snapshot"}
            truths.append({**files, "options": options, "changes": twice.changes})
    return truths


def _with(sheet: Sheet, records: list[Record]) -> Sheet:
    return Sheet(sheet.stem, sheet.operator, sheet.kind, sheet.shape, sheet.crs, sheet.stated_crs, records)


def write_copies(folder: Path, rng: Rng, ground: Ground) -> dict[str, Any]:
    """Write an operator's register and the export of the national database; return what differs."""
    forms = {form.name: form for form in FORMATS}
    own_form, national_form = forms["shapefile"], forms["imsma_ng"]
    sheet = make_sheet(rng, ground, "UXO_Lao_register", 950, own_form.style, "CHA", _SIZE)
    national = [copy.deepcopy(record) for record in sheet.records]
    for record in national:
        record.moved(lambda ring: transform_xy(ring, sheet.crs, national_form.style.crs))
    own = sheet_id(sheet)
    for record in national[:6]:  # spelled otherwise, and yet the same
        record.values[own] = str(record.values[own]).lower().replace("-", "/")
    differ = [national[row] for row in (6, 7, 8)]
    differ[0].values["status"] = "Closed"
    differ[1].values["surv_date"] -= _NO_YEARS
    ring = differ[2].ring
    differ[2].with_ring(ring.mean(axis=0) + (ring - ring.mean(axis=0)) * 0.6)
    differ[2].values["area_m2"] = round(differ[2].values["area_m2"] * 0.36)
    missing_there, missing_here = (9, 10, 11), (12, 13)
    truth = {
        "COPIES_DIFFER": ids([sheet.records[row] for row in (6, 7, 8)]),
        "NOT_IN_IMSMA": ids([sheet.records[row] for row in missing_there]),
        "NOT_DELIVERED": ids([sheet.records[row] for row in missing_here]),
    }
    sides = (
        (own_form, sheet.records, missing_here, {"profile": own_form.profile, "mode": "snapshot"}),
        (national_form, national, missing_there, {"profile": national_form.profile}),
    )
    files = [_write_side(folder, sheet, *side) for side in sides]
    return {"files": files, "told": truth}


def _write_side(
    folder: Path, sheet: Sheet, form: Format, records: list[Record], without: tuple[int, ...],
    options: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Write one of the two copies, without some records."""
    file = f"copies/{form.name}/{form.file.format(stem=sheet.stem)}"
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    kept = [record for row, record in enumerate(records) if row not in without]
    side = _with(sheet, kept)
    side.crs = side.stated_crs = form.style.crs
    form.write(side, folder / file)
    return {"file": file, "options": options}
