"""A small register with known cases, and sheets as people fill them in."""

import datetime as dt
from dataclasses import replace

import pyarrow as pa
import pyogrio
import python_calamine as calamine
from make import EARLY, LATE, POLICY, hazard, judged, released, square
from xlsxwriter import Workbook

from geopipe.casework.edition import edition_of
from geopipe.casework.exporting import write_edition
from geopipe.casework.importing import import_lines
from geopipe.casework.papers import Papers
from geopipe.casework.reading import ALL, read_lines
from geopipe.casework.sheetcolumns import sheet_key
from geopipe.register.register import Register

AT = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
# Two hazard areas, two releases, and hazard that was found on land after its release.
HAZARDS = (
    hazard(square(), "MAG", "M1", when=EARLY, status="open"),
    hazard(square(60), "UXO Lao", "U1", when=LATE, status="open"),
)
RELEASES = (
    released(square(1000), "MAG", "M2", when=EARLY, depth=25.0),
    released(square(1070), "UXO Lao", "U2", when=LATE, depth=25.0),
)
ALARM = (
    released(square(2000), "MAG", "M3", when=EARLY, depth=25.0),
    hazard(square(2080), "HALO", "H3", when=LATE, status="open"),
)
DOUBLE, TWICE, HAZARD_AFTER = "double_registration", "hectares_counted_twice", "hazard_on_released_land"


def register_of(folder, *records):
    """A register after one run over some records, closed again."""
    with Register.open(folder) as register:
        run(register, AT, *records)
    return folder


def run(register, at, *records):
    state = replace(judged(*records), today=at.date())
    with register.transaction():
        number = register.begin_run(at, at.date(), state, POLICY, {})
        register.publish_run(number, f"run-{number}", {}, {})


def case_about(register, finding):
    (case,) = [case for case in register.cases() if case.sighting.columns["finding"] == finding]
    return case


def export(register, path, operator=None):
    edition = edition_of(register.cases(), POLICY, sheet_key(register, AT), operator)
    write_edition(path, edition, register.runs()[-1]["working_crs"])
    return path


def rows_of(path):
    return [dict(line.cells) for line in read_lines(path)]


def fill(path, filled, to=None, formulas=False):
    """Write into some rows of a sheet (column -> value by case id), as another program saves it."""
    to = to or path.with_stem(path.stem + "-filled")
    (_fill_layer if path.suffix == ".gpkg" else _fill_sheet)(path, filled, to, formulas)
    return to


def _fill_sheet(path, filled, to, formulas):
    book = calamine.CalamineWorkbook.from_path(path)
    header, *rows = book.get_sheet_by_name("Cases").to_python(skip_empty_area=False)
    place = {str(title): at for at, title in enumerate(header)}
    written = Workbook(to, {"strings_to_formulas": formulas})
    sheet = written.add_worksheet("Cases")
    day = written.add_format({"num_format": "yyyy-mm-dd"})
    for row in rows:
        for name, value in filled.get(row[place["case id"]], {}).items():
            if ALL[name] not in place:  # a column that somebody has added
                place[ALL[name]] = len(place)
                header.append(ALL[name])
            row.extend([""] * (len(place) - len(row)))
            row[place[ALL[name]]] = value
    for line, row in enumerate([header, *rows]):
        for at, value in enumerate(row):
            if isinstance(value, dt.date):
                sheet.write_datetime(line, at, value, day)
            elif value != "":
                sheet.write(line, at, value)
    written.close()


def _fill_layer(path, filled, to, _):
    meta, table = pyogrio.raw.read_arrow(path, layer="cases")
    rows = [row | filled.get(row["case_id"], {}) for row in table.to_pylist()]
    new = pa.Table.from_pylist(rows, schema=table.schema)
    named = {"geometry_name": meta["geometry_name"], "geometry_type": "MultiPolygon", "crs": meta["crs"]}
    pyogrio.write_arrow(new, to, layer="cases", driver="GPKG", **named)


def read_in(register, *paths, by="Bounmy", minutes=(), at=AT + dt.timedelta(days=1)):
    """Import sheets; `by` None is a dry run."""
    lines = [line for path in paths for line in read_lines(path)]
    return import_lines(register, lines, Papers.of([str(file) for file in minutes]), by, at)


def refused(outcomes):
    return [outcome.refused for outcome in outcomes if outcome.refused]


def taken(outcomes):
    return [outcome.will for outcome in outcomes if outcome.will]


def content(register):
    """What the register says of all cases, without times and ids."""
    return [
        (
            case.case_id, case.status, [(e.kind, e.status, e.author, e.cause, e.data) for e in case.events],
            case.decision and (
                case.decision.choice, case.decision.confirmed, case.decision.level,
                case.decision.reference, case.decision.shrinks_hazard, case.decision.grows_released,
                case.decision.responsible, case.decision.due, case.decision.note, case.decision.by,
            ),
            [(p.operator, p.answer, p.comment, p.evidence, p.name, p.said_on) for p in case.positions],
        )
        for case in register.cases()
    ]  # fmt: skip
