"""A few rows of a published layer, found by the value of a column, without reading the layer."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from geopipe.errors import OutputError

Row = dict[str, Any]


class LayerRows:
    """A GeoPackage that geopipe has written, asked for rows; it is opened for reading only.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OutputError
        When the file is not there, or is no GeoPackage.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with closing(self._opened()) as connection:
                rows = connection.execute("SELECT table_name, column_name FROM gpkg_geometry_columns")
                self._geometry = dict(rows.fetchall())
                names = connection.execute("SELECT table_name FROM gpkg_contents").fetchall()
        except sqlite3.Error as error:
            raise OutputError(f"the layers cannot be read ({error})", str(path)) from error
        self.names = {name for (name,) in names}

    def _opened(self) -> sqlite3.Connection:
        # What was published is never written again: no lock, no journal beside it.
        uri = f"{self._path.resolve().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.row_factory = sqlite3.Row
        return connection

    def has_geometry(self, layer: str) -> bool:
        """Say whether a layer has shapes."""
        return layer in self._geometry

    def where(self, layer: str, columns: Sequence[str], value: str) -> list[Row]:
        """Return the rows in which one of some columns has a value, without geometry.

        Returns
        -------
        list of dict
            In the order of the layer; none where the file does not hold the layer.
        """
        if layer not in self.names:
            return []
        condition = " OR ".join(f'"{name}" = ?' for name in columns)
        question = f'SELECT * FROM "{layer}" WHERE {condition} ORDER BY rowid'  # noqa: S608
        hidden = {"fid", self._geometry.get(layer)}
        try:
            with closing(self._opened()) as connection:
                rows = connection.execute(question, [value] * len(columns)).fetchall()
        except sqlite3.Error as error:
            raise OutputError(f"the layer {layer} cannot be read ({error})", str(self._path)) from error
        return [{name: row[name] for name in row.keys() if name not in hidden} for row in rows]  # noqa: SIM118
