"""Write the feeds: a folder of tables with their dictionary; what tells of all files is written last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from geopipe.contracts import schema_text
from geopipe.errors import OutputError
from geopipe.io.whole import write_whole
from geopipe.languages.texts import load_texts
from geopipe.outputs.feeds import dictionary
from geopipe.outputs.feeds.about import about, sentences
from geopipe.outputs.feeds.columns import tables
from geopipe.outputs.feeds.material import Material
from geopipe.outputs.feeds.tables import Filled, fill
from geopipe.outputs.feeds.writing import arrow_table, as_csv, as_json
from geopipe.outputs.formats.geoparquet import write_geoparquet
from geopipe.outputs.formats.pieces import Piece

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
    # While files are replaced, no index says that they belong together.
    _remove(folder / INDEX)
    files: dict[str, str] = {}

    def put(name: str, data: bytes) -> None:
        _written(folder / name, data, confidential)
        files[name] = sha256(data).hexdigest()

    for item in filled:
        table = tables()[item.name]
        names = [column.name for column in table.columns]
        put(f"{item.name}.csv", as_csv(names, item.rows))
        put(f"{item.name}.json", as_json(table.schema, told, item.rows))
        if item.geometry is not None:
            put(f"{item.name}.parquet", _parquet(item, material, told, folder))
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
        "files": files,
    }
    text = json.dumps(index, ensure_ascii=False, indent=1) + "\n"
    _written(folder / INDEX, text.encode(), confidential)
    return Made(index, {item.name: len(item.rows) for item in filled})


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"the file cannot be replaced ({error})", str(path), "Is it open?") from error


def _written(path: Path, data: bytes, is_confidential: bool) -> None:
    """Write a file; one that is open elsewhere must not stay beside newer ones."""
    place = write_whole(path, lambda building: building.write_bytes(data), is_confidential=is_confidential)
    if place != path:
        place.unlink()
        raise OutputError("the file is open in another program", str(path), "Close it and do this again.")


def _notice(material: Material) -> bytes:
    texts = load_texts("both")
    lines = [line for single in texts.each for line in (*sentences(material, single), "")]
    note = [texts.draft_note] if texts.draft_note else []
    return ("\ufeff" + "\r\n".join([*lines, *note]) + "\r\n").encode()


def _parquet(item: Filled, material: Material, told: dict[str, Any], folder: Path) -> bytes:
    """Return a table with its geometry as GeoParquet, in the working CRS."""
    import tempfile

    assert item.geometry is not None
    rows = arrow_table(tables()[item.name], item.rows)
    piece = Piece(item.name, item.name, rows, item.geometry, material.crs_wkt)
    named = {"geopipe": json.dumps({"schema": tables()[item.name].schema, "about": told}, ensure_ascii=False)}
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder) as building:
        (path,) = write_geoparquet(Path(building), piece, named)
        return path.read_bytes()
