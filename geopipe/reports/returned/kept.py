"""Files for senders that a workspace keeps: one that would say the same again is copied, not written anew."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

from geopipe.catalogue import Language
from geopipe.codestamp import code_stamp
from geopipe.errors import OutputError
from geopipe.io.geopackage import file_hash, sync
from geopipe.io.whole import make_folder
from geopipe.reports.returned.returns import Return
from geopipe.schema import Frame, to_wkb


class KeptReturns:
    """A folder of files for senders, each named by what it is made of, and by its sha256.

    Parameters
    ----------
    folder : Path
        Of a workspace that this run holds.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._used: set[Path] = set()

    @property
    def used(self) -> frozenset[Path]:
        """The files that this run has used."""
        return frozenset(self._used)

    def keep_too(self, used: Iterable[Path]) -> None:
        """Keep what another process has used for this run."""
        self._used.update(used)

    def put(self, path: Path, made_of: str, write: Callable[[Path], None]) -> None:
        """Put a file in place: a copy of the one that is kept, else a new one, which is kept from then on.

        Parameters
        ----------
        path : Path
            Of the new file.
        made_of : str
            As :func:`made_of` returns it: what two files of one ending that say the same have alike.
        write : callable
            Writes the file.

        Raises
        ------
        OutputError
            When the disk refuses.
        """
        try:
            for kept in self.folder.glob(f"{made_of}-*{path.suffix}"):
                shutil.copyfile(kept, path)
                if file_hash(path) == kept.stem.rpartition("-")[2]:
                    sync(path)  # it is to be published
                    self._used.add(kept)
                    return
            path.unlink(missing_ok=True)
            write(path)
            kept = self.folder / f"{made_of}-{file_hash(path)}{path.suffix}"
            make_folder(self.folder, is_confidential=True)
            shutil.copyfile(path, kept)
        except OSError as error:
            raise OutputError(f"a file for a sender cannot be written ({error})", str(path)) from error
        self._used.add(kept)

    def forget_others(self) -> None:
        """Remove what this run has not used."""
        for path in set(self.folder.glob("*")) - self._used:
            with contextlib.suppress(OSError):
                path.unlink()


def made_of(back: Return, languages: Sequence[Language]) -> str:
    """Return a hash of all that the files for a sender depend on: what they say, and what writes them."""
    digest = sha256(repr([list(languages), code_stamp(), version("xlsxwriter")]).encode())
    for item in fields(back):
        value = getattr(back, item.name)
        digest.update(_content(value) if isinstance(value, Frame) else repr(value).encode())
    return digest.hexdigest()


def _content(frame: Frame) -> bytes:
    """Return rows and shapes as bytes, the same for equal ones."""
    table = frame.table.whole().combine_chunks().append_column("geometry", to_wkb(frame.geometry))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
