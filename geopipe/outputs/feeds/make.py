"""Write the feeds: a folder of tables with their dictionary; what tells of all files is written last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from geopipe.contracts import schema_text
from geopipe.errors import OutputError
from geopipe.io.geopackage import sync, sync_all
from geopipe.io.whole import OWNER_ONLY, READABLE_FOR_ALL
from geopipe.languages.texts import load_texts
from geopipe.outputs.feeds import dictionary
from geopipe.outputs.feeds.about import about, sentences
from geopipe.outputs.feeds.columns import tables
from geopipe.outputs.feeds.material import Material
from geopipe.outputs.feeds.tables import Filled, fill
from geopipe.outputs.feeds.writing import arrow_table, as_csv, as_json
from geopipe.outputs.formats.geoparquet import write_geoparquet
from geopipe.outputs.formats.pieces import Piece
from geopipe.unfinished import unfinished_folder

SCHEMA = "feeds.v1"
INDEX = "index.json"
NOTICE = "READ_FIRST.txt"


@dataclass(frozen=True)
class Made:
    """What was written: the rows of each table, and the files in the folder."""

    index: dict[str, Any]
    rows: dict[str, int]


def write_feeds(material: Material, folder: Path) -> Made:
    """Write all tables as CSV and JSON, those with a map as GeoParquet, and the dictionary.

    Files of the same names are replaced; `index.json` comes last and holds the hash of each file.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    told, filled = about(material), fill(material)
    confidential = material.operator is not None
    contents: dict[str, bytes] = {}
    put = contents.__setitem__

    for item in filled:
        table = tables()[item.name]
        names = [column.name for column in table.columns]
        put(f"{item.name}.csv", as_csv(names, item.rows))
        put(f"{item.name}.json", as_json(table.schema, told, item.rows))
        if item.geometry is not None:
            put(f"{item.name}.parquet", _parquet(item, material, told))
    words = dictionary.dictionary_rows([item.name for item in filled], material.summary["working_crs"])
    put(f"{dictionary.NAME}.csv", as_csv(dictionary.COLUMNS, words))
    put(f"{dictionary.NAME}.json", as_json(dictionary.SCHEMA, told, words))
    for schema in (SCHEMA, dictionary.SCHEMA, *(tables()[item.name].schema for item in filled)):
        put(f"schemas/{schema}.schema.json", schema_text(schema).encode())
    put(NOTICE, _notice(material))
    index = {
        "schema": SCHEMA,
        "about": told,
        "tables": {
            item.name: {"schema": tables()[item.name].schema, "rows": len(item.rows)} for item in filled
        },
        "files": {name: sha256(data).hexdigest() for name, data in contents.items()},
    }
    text = json.dumps(index, ensure_ascii=False, indent=1) + "\n"
    _write_all(folder, {**contents, INDEX: text.encode()}, OWNER_ONLY if confidential else READABLE_FOR_ALL)
    return Made(index, {item.name: len(item.rows) for item in filled})


def _write_all(folder: Path, contents: dict[str, bytes], mode: int) -> None:
    """Write files beside their places, then move all there, the last of them last."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(folder) as building:
            for name, data in contents.items():
                (building / name).parent.mkdir(exist_ok=True)
                (building / name).write_bytes(data)
                (building / name).chmod(mode)
            sync_all(building)
            # While files are replaced, no index says that they belong together.
            (folder / INDEX).unlink(missing_ok=True)
            for name in contents:
                (folder / name).parent.mkdir(exist_ok=True)
                (building / name).replace(folder / name)
        for place in {(folder / name).parent for name in contents}:
            sync(place)
    except PermissionError as error:
        what = "a file is open in another program, or the folder is closed to you"
        raise OutputError(
            what, str(error.filename2 or error.filename), "Close it and do this again."
        ) from error
    except OSError as error:
        remedy = "Is the disk full or read-only? Choose another with -o."
        raise OutputError(f"the folder cannot be written ({error})", str(folder), remedy) from error


def _notice(material: Material) -> bytes:
    texts = load_texts("both")
    lines = [line for single in texts.each for line in (*sentences(material, single), "")]
    note = [texts.draft_note] if texts.draft_note else []
    return ("\ufeff" + "\r\n".join([*lines, *note]) + "\r\n").encode()


def _parquet(item: Filled, material: Material, told: dict[str, Any]) -> bytes:
    """Return a table with its geometry as GeoParquet, in the working CRS."""
    assert item.geometry is not None
    rows = arrow_table(tables()[item.name], item.rows)
    piece = Piece(item.name, item.name, rows, item.geometry, material.crs_wkt)
    named = {"geopipe": json.dumps({"schema": tables()[item.name].schema, "about": told}, ensure_ascii=False)}
    try:
        with unfinished_folder() as building:
            (path,) = write_geoparquet(building, piece, named)
            return path.read_bytes()
    except OSError as error:
        remedy = "Is the disk of the temporary files full? Set TMPDIR to another folder."
        raise OutputError(f"{item.name}.parquet cannot be written ({error})", "", remedy) from error
