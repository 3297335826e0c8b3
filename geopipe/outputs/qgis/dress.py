"""Dress a GeoPackage that is not yet published: what its layers are, their styles, and a QGIS project."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geopipe.errors import OutputError
from geopipe.io.geopackage import sync
from geopipe.languages.texts import Texts, load_texts
from geopipe.outputs.qgis.captions import LAYERS
from geopipe.outputs.qgis.contents import Contents
from geopipe.outputs.qgis.notice import notice
from geopipe.outputs.qgis.project import PROJECT, drawings, project_file
from geopipe.outputs.qgis.style import qml

# Fixed, so that the same content gives the same file.
_FIXED_DATE = "2000-01-01T00:00:00.000Z"
# As QGIS itself makes them: it looks for these columns by name.
_LAYER_STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""
_QGIS_PROJECTS = "CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB)"


@dataclass(frozen=True)
class Fitting:
    """A GeoPackage that is being dressed; `said` is what must be known to read its layers."""

    connection: sqlite3.Connection
    file_name: str
    contents: Contents
    texts: Texts
    said: Sequence[str]


Part = Callable[[Fitting], None]


def dress(path: Path, summary: Mapping[str, Any], parts: Sequence[Part]) -> None:
    """Add parts to a new GeoPackage, in place of those that are there.

    Parameters
    ----------
    path : Path
        The project names the file: one that gets another name is dressed again.
    summary : mapping
        As `summarise` returns it.
    parts : sequence of Part
        `PLAIN` or `FOR_QGIS`.

    Raises
    ------
    OutputError
        When the disk refuses.
    """
    try:
        with closing(sqlite3.connect(path)) as connection:
            # The file is not yet anybody's: speed instead of a journal.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = MEMORY")
            texts, contents = load_texts("both"), Contents(connection)
            fitting = Fitting(connection, path.name, contents, texts, notice(contents, summary, texts))
            for part in parts:
                part(fitting)
            connection.commit()
        sync(path)
    except (OSError, sqlite3.Error) as error:
        raise OutputError(
            f"the GeoPackage could not be written ({error})", str(path), "Is the disk full or read-only?"
        ) from error


def describe_layers(fitting: Fitting) -> None:
    """Write what each layer is, and what must be known to read it."""
    fitting.connection.executemany(
        "UPDATE gpkg_contents SET description = ? WHERE table_name = ?",
        [
            (" ".join([f"{fitting.texts(LAYERS[name])}.", *fitting.said]), name)
            for name in fitting.contents.tables
        ],
    )


def add_styles(fitting: Fitting) -> None:
    """Write a default style for each layer."""
    fitting.connection.execute("DROP TABLE IF EXISTS layer_styles")
    fitting.connection.execute("DELETE FROM gpkg_contents WHERE table_name = 'layer_styles'")
    fitting.connection.execute(_LAYER_STYLES)
    # Of a table of mixed types the uppermost has the style: the table has only one.
    styled = {drawing.layer: drawing for drawing in reversed(drawings(fitting.contents, fitting.texts))}
    fitting.connection.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
        "styleName, styleQML, styleSLD, useAsDefault, description, owner, ui, update_time) "
        "VALUES ('', '', ?, ?, 'geopipe', ?, '', 1, ?, '', NULL, '2000-01-01T00:00:00.000Z')",
        [
            (name, "geom" if drawing.shape else "", qml(drawing), fitting.texts(LAYERS[name]))
            for name, drawing in sorted(styled.items())
        ],
    )
    fitting.connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)",
        (_FIXED_DATE,),
    )


def add_project(fitting: Fitting) -> None:
    """Write a project that opens all layers as a map."""
    fitting.connection.execute("DROP TABLE IF EXISTS qgis_projects")
    fitting.connection.execute(_QGIS_PROJECTS)
    # QGIS keeps the project as a text of hexadecimal digits.
    content = project_file(fitting.file_name, fitting.contents, fitting.said, fitting.texts).hex()
    about = '{"last_modified_time": "2000-01-01T00:00:00.000", "last_modified_user": ""}'
    fitting.connection.execute(
        "INSERT INTO qgis_projects VALUES (?, ?, ?)", (PROJECT, about.encode(), content.encode())
    )


PLAIN: Sequence[Part] = (describe_layers,)
FOR_QGIS: Sequence[Part] = (describe_layers, add_styles, add_project)
