"""Files for senders that another process writes, while this one writes the map."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from geopipe.catalogue import load_catalogue
from geopipe.io.memory import lift_own_limits
from geopipe.io.readerprocess import Reader, ReaderDiedError, ReaderFaultError, is_one_waiting
from geopipe.reports.returned.files import write_returns
from geopipe.reports.returned.kept import KeptReturns
from geopipe.reports.returned.returns import Return
from geopipe.schema import Frame
from geopipe.shapes import Undecoded

# A process that has to be started first takes as long as writing some thousand lines.
_LINES_WORTH_A_START = 20_000
_LONGEST_S = 24 * 3600.0
Written = tuple[list[Path], frozenset[Path]]


@contextmanager
def written_meanwhile(
    folder: Path, returns: Sequence[Return], kept: KeptReturns | None, workers: int
) -> Iterator[Callable[[], list[Path]]]:
    """Let the files for senders be written; give the function that waits for them and returns their paths.

    Where another process would not help, that function writes them. It also does where the other process
    dies or fails: so whatever is wrong is told as if there were one process only. A process that is still
    at work at the end is ended.

    Parameters
    ----------
    folder : Path
        As for `write_returns`.
    returns : sequence of Return
        None of them: no folder is made.
    kept : KeptReturns, optional
    workers : int
        How many processes may be at work.

    Raises
    ------
    OutputError
        When the disk refuses.
    """
    here = partial(write_returns, folder, returns, load_catalogue(), kept=kept)
    if not returns:
        yield list
    elif not _is_worth_it(returns, workers):
        yield here
    else:
        writer = Reader(takes_over=True)
        try:
            _hand_over(writer, folder, returns, kept)
            yield partial(_waited_for, writer, folder, kept, here)
        finally:
            writer.close()


def _is_worth_it(returns: Sequence[Return], workers: int) -> bool:
    """Say whether another process may help, and is there or worth its start."""
    lines = sum(len(back.rows) for back in returns)
    return workers > 1 and (is_one_waiting() or lines >= _LINES_WORTH_A_START)


def _hand_over(writer: Reader, folder: Path, returns: Sequence[Return], kept: KeptReturns | None) -> None:
    """Let the other process begin; one that dies of it does not answer later."""
    name = f"{write_for_another.__module__}:{write_for_another.__qualname__}"
    alone = [replace(back, rows=_alone(back.rows), outlines=_alone(back.outlines)) for back in returns]
    with suppress(ReaderDiedError):
        writer.begin(name, (folder, alone, None if kept is None else kept.folder), _LONGEST_S)


def _alone(frame: Frame) -> Frame:
    """Return the same rows without those among which they were picked."""
    return Frame.of(frame.table.whole(), Undecoded(frame.wkb()))


def _waited_for(
    writer: Reader, folder: Path, kept: KeptReturns | None, here: Callable[[], list[Path]]
) -> list[Path]:
    """Return the files that the other process has written; write them here where it could not."""
    try:
        paths, used = cast("Written", writer.answer(_LONGEST_S))
    except (ReaderDiedError, ReaderFaultError):
        shutil.rmtree(folder, ignore_errors=True)
        return here()
    if kept is not None:
        kept.keep_too(used)
    return paths


def write_for_another(folder: Path, returns: Sequence[Return], kept_in: Path | None) -> Written:
    """Write the files for senders, asked by another process; return them, and which ones are kept."""
    lift_own_limits()
    kept = None if kept_in is None else KeptReturns(kept_in)
    paths = write_returns(folder, returns, load_catalogue(), kept=kept)
    return paths, frozenset() if kept is None else kept.used
