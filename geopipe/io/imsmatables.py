"""The tables of IMSMA NG as CSV exports: which files belong together, and which column is which.

Known about IMSMA NG: points keep latitude and longitude in WGS 84, `localid` and GUID identify a record, and
a ring is an unclosed list of points in the order of their numbers. No public export exists. The names in
`COLUMNS` and `LINK_TABLES` are therefore *unverified*: they are compared without signs and case, and a name
that is missing is asked for. Nothing is ever joined by the order of rows.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable
from csv import reader
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from geopipe.io.counting import count_lines
from geopipe.io.delivery import Problem, RefusedError
from geopipe.io.job import Job, reason_of
from geopipe.terms import CountMethod

MAIN = "geospatialinfo"
REGISTERS = ("hazard", "hazreduc")
LINK_TABLES = {name: f"{name}_has_geospatialinfo" for name in REGISTERS}
ENUM = "imsmaenum"
TABLES = (*LINK_TABLES.values(), MAIN, "geopoint", *REGISTERS, ENUM)

# Table -> what a column means -> its possible names, folded. All of them are unverified.
COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "hazard": {"guid": ("hazardguid", "guid")},
    "hazreduc": {"guid": ("hazreducguid", "guid")},
    MAIN: {
        "guid": ("geospatialinfoguid", "guid"),
        "shape": ("shape", "shapetype", "shapeenum", "shapeenumguid", "shapeguid", "shapeid"),
    },
    "geopoint": {
        "info": ("geospatialinfoguid", "geospatialguid"),
        "latitude": ("latitude", "lat"),
        "longitude": ("longitude", "lon", "long"),
        "number": ("pointno", "pointnumber", "pointlocalid", "sequence", "sequencenumber"),
        "type": ("pointtype", "pointtypeenum", "pointtypeenumguid", "pointtypeguid"),
    },
    ENUM: {"guid": ("imsmaenumguid", "enumguid", "guid"), "value": ("enumvalue", "value", "name")},
}
OPTIONAL = {("geopoint", "type")}
NAME = re.compile(
    rf"(?P<before>(?:[a-z0-9]+[_.\- ])*?)(?P<table>{'|'.join(TABLES)})(?P<after>[_.\- (].*)?\.csv",
    re.IGNORECASE,
)


def fold(name: str) -> str:
    """Return a name without signs, spaces and case."""
    return re.sub(r"[\W_]", "", name).lower()


def groups_of(names: Iterable[str]) -> list[dict[str, str]]:
    """Return, for each export among the file names of one folder, its table names and their files.

    Files of one export have the same words before and after the table's name (``public_hazard_2026-01.csv``).
    Where a folder holds one export only, the numbers behind the names may differ.
    """
    matches = [(name, match) for name in sorted(names) if (match := NAME.fullmatch(name))]
    mains = [match for _, match in matches if match["table"].lower() == MAIN]
    groups = []
    for main in mains:
        group: dict[str, str] = {}
        for name, match in matches:
            table = match["table"].lower()
            is_same = _decoration(match) == _decoration(main)
            is_only = len(mains) == 1 and not re.search("[a-z]", (match["after"] or "").lower())
            alone = sum(other["table"].lower() == table for _, other in matches) == 1
            if is_same or (is_only and alone):
                group[table] = name
        groups.append(group)
    return groups


def _decoration(match: re.Match[str]) -> tuple[str, str]:
    return (match["before"] or "").lower(), (match["after"] or "").lower()


def table_of(name: str) -> str:
    """Return the table that a file of an export holds."""
    match = NAME.fullmatch(name)
    return match["table"].lower() if match else ""


def is_lone_part(name: str, head: bytes) -> bool:
    """Tell whether a file is the point table of an export, judged by its name and its first line."""
    return table_of(name) == "geopoint" and b"guid" in head.split(b"\n")[0].lower()


def companions(path: Path) -> dict[str, Path]:
    """Return the files of the export whose main file is given, by table name."""
    names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    group = next((group for group in groups_of(names) if group.get(MAIN) == path.name), {MAIN: path.name})
    return {table: path.parent / name for table, name in sorted(group.items())}


@dataclass(frozen=True)
class NgTable:
    """One table of an export; all values are text as delivered.

    Parameters
    ----------
    name : str
        Name of the table in IMSMA NG.
    table : pyarrow.Table
    label : str
        The delivery's name, for sentences.
    """

    name: str
    table: pa.Table
    label: str

    def column(self, meaning: str) -> pa.Array:
        """Return the column with a meaning; refuse the export when there is none."""
        found = self.find(COLUMNS[self.name][meaning])
        if found is None:
            names = " or ".join(COLUMNS[self.name][meaning])
            self.refuse(f"has no column for {meaning} (looked for: {names})")
            raise AssertionError
        return found

    def find(self, names: Iterable[str]) -> pa.Array | None:
        """Return the first column that has one of these folded names."""
        own = {fold(name): position for position, name in reversed(list(enumerate(self.table.column_names)))}
        position = next((own[name] for name in names if name in own), None)
        return None if position is None else self.table.column(position).combine_chunks()

    def refuse(self, what: str) -> None:
        """Refuse the export because of this table."""
        sentence = f"{self.label}: the IMSMA NG table {self.name} {what}."
        remedy = "Export the tables again with all columns, or send the areas as GeoPackage."
        raise RefusedError(Problem("TABLE_INCOMPLETE", f"{sentence} {remedy}"))


def guids(column: pa.Array) -> pa.Array:
    """Return GUIDs in one spelling: small letters, no braces, no spaces around; null where empty."""
    text = pc.utf8_lower(pc.utf8_trim(pc.utf8_trim_whitespace(column), "{}"))
    return pc.if_else(pc.equal(text, ""), None, text)


def read_tables(job: Job) -> tuple[dict[str, NgTable], list[Problem]]:
    """Return the tables of an export; refuse it when one of them cannot be read whole."""
    notes: list[Problem] = []
    tables = {name: _read(job, name, path, notes) for name, path in companions(job.path).items()}
    if "geopoint" not in tables:
        sentence = f"{job.label}: the IMSMA NG table geopoint is missing, so no coordinates are there."
        counted = sum(tables[name].table.num_rows for name in REGISTERS if name in tables)
        problem = Problem("FILE_INCOMPLETE", f"{sentence} Put geopoint.csv beside it.")
        raise RefusedError(problem, counted or tables[MAIN].table.num_rows, CountMethod.WEAK)
    return tables, notes


def _read(job: Job, name: str, path: Path, notes: list[Problem]) -> NgTable:
    """Read one table as text and compare the number of its rows with its lines."""
    from pyarrow import csv

    text, problem = _text(path)
    if problem:
        notes.append(Problem(problem[0], f"{job.label}: text of table {name} {problem[1]}"))
    counted = count_lines(io.StringIO(text, newline=None))
    first = text.split("\n", 1)[0].rstrip("\r")
    delimiter = max(",;\t|", key=first.count)
    header = next(reader([first], delimiter=delimiter), [])
    names = [f"f{position}" for position in range(len(header))]
    kept = counted if name in REGISTERS else None
    try:
        table = csv.read_csv(
            pa.BufferReader(text.encode()),
            read_options=csv.ReadOptions(column_names=names, skip_rows=1),
            parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, OSError) as error:
        sentence = f"{job.label}: the IMSMA NG table {name} is damaged or cut ({reason_of(error)})."
        refusal = Problem("FILE_UNREADABLE", f"{sentence} Ask for a new export.")
        raise RefusedError(refusal, kept, CountMethod.WEAK) from error
    if table.num_rows != counted:
        what = f"{table.num_rows:,} of {counted:,} rows of the IMSMA NG table {name} can be read."
        refusal = Problem(
            "COUNT_MISMATCH", f"{job.label}: {what} Nothing of it is used. Ask for a new export."
        )
        raise RefusedError(refusal, kept, CountMethod.WEAK)
    if not text.endswith("\n"):
        sentence = f"{job.label}: the last line of table {name} has no line end, so the table may be cut."
        notes.append(Problem("END_OPEN", f"{sentence} Compare its last row."))
    return NgTable(name, table.rename_columns([cell.strip() for cell in header]), job.label)


def _text(path: Path) -> tuple[str, tuple[str, str] | None]:
    """Return the text of a table, and code and words of what was wrong with its encoding.

    PostgreSQL writes UTF-8; Excel may have saved the table in another encoding, or a byte may be damaged.
    """
    data = path.read_bytes()
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return data.decode("utf-16", "replace"), None
    text = data.decode("utf-8-sig", "replace")
    damaged = text.count("\N{REPLACEMENT CHARACTER}")
    if not damaged:
        return text, None
    if any(letter > "\u07ff" for letter in text.replace("\N{REPLACEMENT CHARACTER}", "")):
        return text, ("TEXT_DAMAGED", "is damaged; unreadable bytes show as \N{REPLACEMENT CHARACTER}.")
    words = "is read as CP1252 (it is not UTF-8). Check names with special letters."
    return data.decode("cp1252", "replace"), ("ENCODING_GUESSED", words)
