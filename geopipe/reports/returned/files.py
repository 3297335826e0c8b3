"""The files of all returns: how each is called, and writing them into a folder."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from geopipe.catalogue import Catalogue, Language
from geopipe.errors import OutputError
from geopipe.identity import hash_text
from geopipe.reports.returned.kept import KeptReturns, made_of
from geopipe.reports.returned.layers import write_layers
from geopipe.reports.returned.returns import LANGUAGES, Return

# Below a result's folder.
FOLDER = "return"
# A result that shows one of these layers comes with the files for senders; another is for one question only.
_LAYERS_THAT_GO_BACK = frozenset({"findings", "rejected"})
# What the summary calls each file of a return, and how its name ends.
ENDINGS = {"file": "xlsx", "geopackage": "gpkg"}
# Windows refuses some signs, and names of old devices; others are a nuisance in e-mails and scripts.
_UNSAFE = re.compile(r'[\s<>:"/\\|?*.,;&%#$!^`~\'(){}\[\]@=+]+')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
# Most file systems allow 255 bytes; a Lao letter has three.
_LONGEST_BYTES = 120


def file_stems(senders: Sequence[str]) -> dict[str, str]:
    """Return a file name without ending for each sender, safe everywhere, no two alike on Windows."""
    stems = {sender: _safe(sender) for sender in senders}
    alike = Counter(stem.casefold() for stem in stems.values())
    return {
        sender: stem if alike[stem.casefold()] == 1 else f"{stem}-{hash_text(sender)}"
        for sender, stem in stems.items()
    }


def _safe(name: str) -> str:
    text = unicodedata.normalize("NFC", name)
    text = "".join(sign for sign in text if unicodedata.category(sign)[0] != "C" or sign.isspace())
    text = _UNSAFE.sub("_", text).encode()[:_LONGEST_BYTES].decode(errors="ignore").strip("_- ")
    return f"{text}_" if _DEVICES.fullmatch(text) else text or "sender"


def are_wanted(layers: Iterable[str]) -> bool:
    """Say whether a result of these layers comes with the files for senders."""
    return not _LAYERS_THAT_GO_BACK.isdisjoint(layers)


def summarise_returns(returns: Sequence[Return]) -> dict[str, dict[str, Any]]:
    """Return for the summary how much goes back to each sender, and in which files."""
    stems = file_stems([back.sender for back in returns])
    return {
        back.sender: {
            "returned": back.returned,
            "questioned": back.questioned,
            **{key: f"{FOLDER}/{stems[back.sender]}.{ending}" for key, ending in ENDINGS.items()},
        }
        for back in returns
    }


def write_returns(
    folder: Path,
    returns: Sequence[Return],
    catalogue: Catalogue,
    languages: Sequence[Language] = LANGUAGES,
    kept: KeptReturns | None = None,
) -> list[Path]:
    """Write a workbook and a GeoPackage for each return into a new folder; return their paths.

    Parameters
    ----------
    folder : Path
    returns : sequence of Return
    catalogue : Catalogue
    languages : sequence of str
    kept : KeptReturns, optional
        Files of earlier runs: those that would say the same again are copied.

    Raises
    ------
    OutputError
        When the disk refuses.
    """
    from geopipe.reports.returned.workbook import write_workbook

    stems = file_stems([back.sender for back in returns])
    written: list[Path] = []
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"the folder cannot be written ({error})", str(folder)) from error
    for back in returns:
        workbook, layers = (folder / f"{stems[back.sender]}.{ending}" for ending in ENDINGS.values())
        writers: dict[Path, Callable[[Path], None]] = {
            workbook: partial(write_workbook, back=back, catalogue=catalogue, languages=languages),
            layers: partial(write_layers, back=back, languages=languages),
        }
        content = "" if kept is None else made_of(back, languages)
        for path, write in writers.items():
            if kept is None:
                write(path)
            else:
                kept.put(path, content, write)
        written += writers
    return written
