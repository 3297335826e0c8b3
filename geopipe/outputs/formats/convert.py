"""Convert a result: each format into a folder of its own, counted back, then put in place."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from geopipe.errors import ConfigError, OutputError
from geopipe.io.geopackage import sync, sync_all
from geopipe.io.placing import place
from geopipe.io.whole import READABLE_FOR_ALL
from geopipe.languages.texts import Texts, load_texts
from geopipe.outputs.formats import driven, geoparquet, kml, shapefile
from geopipe.outputs.formats.pieces import Piece, pieces_of
from geopipe.outputs.qgis.captions import LAYERS
from geopipe.outputs.qgis.contents import Contents
from geopipe.outputs.qgis.notice import notice
from geopipe.reports.publish import GEOPACKAGE, current_run, read_summary
from geopipe.unfinished import unfinished_folder

NOTICE = "READ_FIRST.txt"
KML = "kml"
_NO_ROOM = "Is the disk full? Else choose another format."
_Writer = Callable[[Path, Piece], list[Path]]
_WRITERS: dict[str, tuple[_Writer, Callable[[Path], int]]] = {
    "geojson": (driven.write_geojson, driven.count),
    "flatgeobuf": (driven.write_flatgeobuf, driven.count),
    "geoparquet": (geoparquet.write_geoparquet, geoparquet.count),
    "shapefile": (shapefile.write_shapefile, shapefile.count),
}
FORMATS = (*_WRITERS, KML)
_ENDINGS = {
    "geojson": ".geojson", "flatgeobuf": ".fgb", "geoparquet": ".parquet", "shapefile": ".zip", KML: ".kml",
}  # fmt: skip
# KML holds all layers in one file.
_ALL = "geopipe"
_PART = "_(points|lines|polygons)$"


@dataclass(frozen=True)
class Source:
    """What is converted, with its summary, and who may read what is made of it."""

    geopackage: Path
    summary: Mapping[str, Any]
    mode: int


@dataclass(frozen=True)
class Written:
    """A layer in a format: where it is now, and how many records were counted in it."""

    format: str
    layer: str
    records: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class Converted:
    """What was written, which tables have no map and were left out, which names were taken by open files."""

    written: tuple[Written, ...]
    left_out: tuple[str, ...]
    beside: Mapping[str, str]


def convert(result: Path, folder: Path, formats: Sequence[str], layers: Sequence[str]) -> Converted:
    """Write the map layers of a result in other formats.

    Parameters
    ----------
    result : Path
        Folder of results; its newest run is taken.
    folder : Path
        Gets a folder for each format, and a text that must be read with them.
    formats : sequence of str
        Some of `FORMATS`.
    layers : sequence of str
        Layers to convert; all that have a map, if there are none.

    Raises
    ------
    ConfigError
        When a layer is not in the result, or has no map.
    OutputError
        When the folder cannot be written, or a file does not hold what was written.
    """
    run = current_run(result)
    source = Source(run / GEOPACKAGE, read_summary(run), READABLE_FOR_ALL)
    return convert_file(source, folder, formats, layers)


def convert_file(source: Source, folder: Path, formats: Sequence[str], layers: Sequence[str]) -> Converted:
    """Write the map layers of one GeoPackage in other formats, as `convert` does."""
    geopackage, summary = source.geopackage, source.summary
    texts = load_texts("both")
    with closing(sqlite3.connect(f"{geopackage.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        contents = Contents(connection)
        mapped = [name for name, table in contents.tables.items() if table.geometry_type]
        left_out = tuple(name for name in contents.tables if name not in mapped and not layers)
        said = notice(contents, summary, texts)
    pieces = list(pieces_of(geopackage, _chosen(layers, mapped)))
    beside: dict[str, str] = {}
    with _put_in_place(folder, source.mode, beside) as building:
        (building / NOTICE).write_text("\n".join(said) + "\n", encoding="utf-8-sig")
        written = [made for name in formats for made in _in_format(building, name, pieces, said, texts)]
    placed = (replace(made, files=tuple(beside.get(file, file) for file in made.files)) for made in written)
    return Converted(tuple(placed), left_out, beside)


def _chosen(layers: Sequence[str], mapped: Sequence[str]) -> Sequence[str]:
    for name in layers:
        if name not in mapped:
            raise ConfigError(
                f"there is no map layer {name!r} in this result", remedy=f"It has {', '.join(mapped)}."
            )
    return layers or mapped


def _in_format(
    building: Path, name: str, pieces: Sequence[Piece], said: Sequence[str], texts: Texts
) -> Iterator[Written]:
    """Write all layers in one format and count them back."""
    folder = building / name
    folder.mkdir()
    if name == KML:
        path = folder / f"{_ALL}.kml"
        kml.write_kml(path, pieces, said, texts)
        yield _counted(Written(KML, "all", sum(map(len, pieces)), (f"{KML}/{path.name}",)), kml.count(path))
        return
    write, count = _WRITERS[name]
    for piece in pieces:
        try:
            paths = write(folder, piece)
            found = sum(count(path) for path in paths)
        except (OSError, RuntimeError, pa.ArrowInvalid) as error:  # as GDAL and Arrow say it
            raise OutputError(f"{piece.name} cannot be written ({error})", name, _NO_ROOM) from error
        made = Written(name, piece.layer, len(piece), tuple(f"{name}/{path.name}" for path in paths))
        yield _counted(made, found)


def _counted(made: Written, found: int) -> Written:
    if found != made.records:
        raise OutputError(f"{made.files[0]} holds {found} of {made.records} records", made.format, _NO_ROOM)
    return made


@contextmanager
def _put_in_place(folder: Path, mode: int, beside: dict[str, str]) -> Iterator[Path]:
    """Give a folder beside the place; what is finished there replaces what an earlier conversion left.

    A file that is open elsewhere stays; `beside` gets its name and that of the new one.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with unfinished_folder(folder) as building:
            yield building
            sync_all(building)
            made = sorted(path for path in building.rglob("*") if path.is_file())
            for left in _earlier(folder, building):
                with contextlib.suppress(PermissionError):
                    left.unlink()
            for path in made:
                final = folder / path.relative_to(building)
                final.parent.mkdir(exist_ok=True)
                path.chmod(mode)
                placed = place(path, final, dt.datetime.now())
                if placed != final:
                    beside[final.relative_to(folder).as_posix()] = placed.relative_to(folder).as_posix()
            for where in {folder, *(folder / path.relative_to(building).parent for path in made)}:
                sync(where)
    except OSError as error:
        raise OutputError(
            f"the folder cannot be written ({error})",
            str(folder),
            "Is the disk full, or a file in it open elsewhere?",
        ) from error


def _earlier(folder: Path, building: Path) -> list[Path]:
    """Return what an earlier conversion left in the folders that are made anew: files of others stay."""
    formats = [path.name for path in building.iterdir() if path.is_dir()]
    found = (path for name in formats for path in (folder / name).glob(f"*{_ENDINGS[name]}"))
    return [path for path in found if re.sub(_PART, "", path.stem) in (*LAYERS, _ALL)]
