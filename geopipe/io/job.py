"""What every reader is told about its file, and how an error of a library becomes a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geopipe.io.delivery import ReadLimits


@dataclass(frozen=True)
class Job:
    """One file for one reader.

    Parameters
    ----------
    path : Path
        The file that is opened; perhaps an unpacked copy.
    label : str
        Its name in sentences, as the user knows it.
    name : str
        Name of its layer where the format keeps none.
    folder : Path
        An own, empty folder for unpacked files.
    limits : ReadLimits
        What the file may cost.
    """

    path: Path
    label: str
    name: str
    folder: Path
    limits: ReadLimits


def reason_of(error: BaseException) -> str:
    """Return the first line of an error, short, without the paths of temporary files."""
    text = str(error).strip().splitlines()
    line = text[0] if text else type(error).__name__
    words = [
        Path(word.strip("'\";,")).name if "/" in word and len(word) > 20 else word for word in line.split()
    ]
    short = " ".join(words)
    return f'"{short if len(short) <= 120 else short[:117] + "..."}"'
