"""A register's file that is open: asked and written, in transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from geopipe.errors import RegisterError
from geopipe.io.ledgers import registerfile


class Opened(AbstractContextManager[Any]):
    """An open file of the register; close it, or use it in a `with` statement."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the register of a file or a workspace; make one where there was none.

        Raises
        ------
        RegisterError
            When what is there is damaged, foreign, lost, or of a newer geopipe.
        """
        place = registerfile.place_of(path)
        return cls(place, registerfile.open_or_make(place))

    @classmethod
    def existing(cls, path: Path) -> Self:
        """Open a register that must be there already."""
        place = registerfile.place_of(path)
        return cls(place, registerfile.open_existing(place))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Write wholly or not at all; within another transaction, as a part of it."""
        return registerfile.transaction(self._connection, self.path)

    def ask(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows that answer a question in SQL."""
        try:
            rows: list[tuple[Any, ...]] = self._connection.execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise RegisterError(
                f"the register cannot be read ({error})", str(self.path), "Restore it from your backup."
            ) from error
        return rows

    def pour_into(self, other: sqlite3.Connection) -> None:
        """Copy the whole file, as it is at this moment, into another database."""
        self._connection.backup(other)

    def insert(self, table: str, *values: Any) -> None:
        """Append one row."""
        places = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT INTO {table} VALUES ({places})", values)  # noqa: S608

    def insert_all(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append rows, in their order."""
        if rows:
            places = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608
