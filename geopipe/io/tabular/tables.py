"""Read CSV tables; every value stays text as delivered."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TextIO

import numpy as np
import pyarrow as pa

from geopipe.io.counting import count_lines
from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.job import Job
from geopipe.io.tabular.grid import Grid
from geopipe.io.tabular.headers import HEADER_WITHIN, Header, header_line
from geopipe.io.tabular.tablegeometry import layers_of_table
from geopipe.terms import CountMethod

BATCH = 50_000
DELIMITERS = ",;\t|"


def read_table(job: Job) -> list[RawLayer]:
    """Return the layers of a CSV table: one, or one per coordinate system that its rows state."""
    encoding, notes = _encoding(job)
    with job.path.open(encoding=encoding, errors="replace") as lines:
        counted = count_lines(lines)
    with job.path.open(encoding=encoding, errors="replace", newline="") as file:
        rows = _rows(file)
        first = list(islice(rows, 2 * HEADER_WITHIN + 1))
        if not first:
            raise RefusedError(Problem("FILE_EMPTY", f"{job.label}: the table is empty. Ask for a new copy."))
        titles = header_line(first)
        if titles:
            notes.append(titles_note(job.label, titles, f"the {titles + 1}. line with text"))
        header = [name.strip() for name in first[titles]]
        columns, ragged = _columns(len(header), chain(first[titles + 1 :], rows))
    if ragged:
        sentence = f"{job.label}: {ragged:,} rows are longer or shorter than the header. Check their columns."
        notes.append(Problem("ROWS_RAGGED", sentence))
    grid = Grid(
        label=job.label,
        name=job.name,
        names=header + [""] * (len(columns) - len(header)),
        columns=columns,
        rows=np.arange(1, len(columns[0]) + 1, dtype=np.int64),
        counted=max(counted - titles, 0),
        method=CountMethod.WEAK,
        notes=tuple(notes),
    )
    return layers_of_table(grid)


def titles_note(label: str, titles: int, where: str) -> Problem:
    """Say that lines above the header were left out."""
    what = "line stands" if titles == 1 else "lines stand"
    sentence = f"{label}: {titles} title {what} above the header, which is {where}. Record 1 is below it."
    return Problem("HEADER_BELOW_TITLES", sentence)


def _encoding(job: Job) -> tuple[str, list[Problem]]:
    """Return the encoding of the table and a note where it had to be guessed."""
    with job.path.open("rb") as file:
        head = file.read(1 << 20)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", []
    try:
        with job.path.open(encoding="utf-8-sig") as file:
            while file.read(1 << 20):
                pass
        return "utf-8-sig", []
    except UnicodeDecodeError:
        pass
    thai = head.decode("cp874", "replace")
    # Thai words are runs of letters; Western accents stand alone between plain letters.
    letters = len(re.findall("[\u0e01-\u0e5b]", thai))
    in_runs = sum(len(run) for run in re.findall("[\u0e01-\u0e5b]{3,}", thai))
    chosen = "cp874" if letters and in_runs > letters * 0.8 else "cp1252"
    sentence = f"{job.label}: text is read as {chosen.upper()} (it is not UTF-8)."
    return chosen, [Problem("ENCODING_GUESSED", f"{sentence} Check names with special letters.")]


def _rows(file: TextIO) -> Iterator[list[str]]:
    """Yield the rows of the table, blank ones left out."""
    csv.field_size_limit(2**31 - 1)
    head = [line for line in islice(file, HEADER_WITHIN * 2) if line.strip()]
    if not head:
        head = list(islice((line for line in file if line.strip()), 1))
        if not head:
            return
    file.seek(0)
    lines = (line.replace("\x00", "") for line in file)
    for row in csv.reader(lines, delimiter=_delimiter(head), skipinitialspace=True):
        if row and (len(row) > 1 or row[0].strip()):
            yield row


def _delimiter(lines: Sequence[str]) -> str:
    """Return what separates the cells of the first line that names a geometry, else of the first line."""
    for line in lines[:HEADER_WITHIN]:
        likely = sorted(DELIMITERS, key=line.count, reverse=True)
        for delimiter in likely:
            cells = line.strip("\r\n").replace('"', "").split(delimiter)
            if len(cells) > 1 and Header.of(cells).has_geometry():
                return delimiter
    bare = re.sub(r'"[^"]*"', "", lines[0])
    return max(DELIMITERS, key=bare.count)


def _columns(width: int, rows: Iterable[list[str]]) -> tuple[list[pa.Array], int]:
    """Return the columns, as long as the longest row needs, and the number of rows that do not fit.

    Only one batch of rows at a time is in Python's hands.
    """
    batches: list[list[pa.Array]] = []
    ragged, remaining = 0, iter(rows)
    while body := list(islice(remaining, BATCH)):
        widest = max(width, *map(len, body))
        uneven = [row for row in body if len(row) != width]
        ragged += len(uneven)
        if uneven:
            body = [row if len(row) == widest else [*row, *[None] * (widest - len(row))] for row in body]  # type: ignore[list-item]
        batches.append([pa.array(column, pa.large_string()) for column in zip(*body, strict=True)])
    widest = max([width, *map(len, batches)])
    columns = []
    for position in range(widest):
        chunks = [
            batch[position] if position < len(batch) else pa.nulls(len(batch[0]), pa.large_string())
            for batch in batches
        ]
        columns.append(pa.chunked_array(chunks, pa.large_string()).combine_chunks())
    return columns, ragged
