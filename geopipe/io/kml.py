"""Read KML: every folder is a layer, every Placemark a record, with or without a place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from xml.parsers import expat

import pyarrow as pa
import pyarrow.compute as pc

from geopipe.io import counting, drivers
from geopipe.io.delivery import Problem, RawLayer, RefusedError
from geopipe.io.job import Job, reason_of
from geopipe.io.kmlcoordinates import is_utf8, marked, told
from geopipe.io.layered import read_layer
from geopipe.terms import CountMethod

# GDAL parses the whole file anew for each folder. Beyond this many, all Placemarks are copied into one.
MANY_FOLDERS = 8


def read_kml(job: Job) -> list[RawLayer]:
    """Return the layers (folders) of a KML file; their records together must be all Placemarks."""
    counted = counting.count_kml(job.path, job.label)
    job, unreadable = marked(job)
    try:
        names = drivers.layer_names(job.path)
    except Exception as error:
        code, what = ("FILE_UNREADABLE", f"the file is damaged ({reason_of(error)}). Ask for a new copy.")
        if "out of memory" in str(error):
            code, what = ("FILE_TOO_LARGE", "the file is too large for KML. Ask for a GeoPackage.")
        problem = Problem(code, f"{job.label}: {what}")
        raise RefusedError(problem, counted, CountMethod.EXACT) from error
    many = len(names) > MANY_FOLDERS and is_utf8(job.path)
    read = (many and _read_flat(job)) or _read_folders(job, [name for name, _ in names])
    layers = [layer for layer in read if layer.table.num_rows or layer.problem] or read[:1]
    total = sum(layer.table.num_rows for layer in layers)
    if total != counted or any(layer.problem for layer in layers):
        sentence = f"{job.label}: {total:,} records can be read, but the file holds {counted:,}."
        problem = Problem("COUNT_MISMATCH", f"{sentence} Nothing of it is used. Ask for a new copy.")
        raise RefusedError(problem, counted, CountMethod.EXACT)
    if not layers:
        return [RawLayer(job.name, crs_wkt="EPSG:4326", records_counted=0, count_method=CountMethod.EXACT)]
    return [
        replace(
            layer,
            table=_without_defaults(layer.table),
            records_counted=layer.table.num_rows,
            count_method=CountMethod.EXACT,
        )
        for layer in (told(layer, unreadable) for layer in layers)
    ]


def _without_defaults(table: pa.Table) -> pa.Table:
    """Drop the columns that LIBKML adds to every file where they say nothing."""
    idle = []
    for name in table.column_names:
        if name.startswith("kml_"):
            values = pc.unique(table.column(name)).to_pylist()
            if all(value in (None, "", -1, 0) for value in values):
                idle.append(name)
    table = table.drop_columns(idle)
    # A Placemark's own id stands in for a column "id" that is not there: other software writes it so.
    names = [
        "id" if name == "kml_id" and "id" not in table.column_names else name for name in table.column_names
    ]
    return table.rename_columns(names)


def _read_folders(job: Job, names: list[str]) -> list[RawLayer]:
    """Read folder by folder."""
    return [read_layer(job, name, "LIBKML", f"{job.label}, layer {name}") for name in names]


@dataclass
class _Folders:
    """Where each Placemark lies in the file, and in which folder."""

    names: list[str] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    text: str = ""
    start: int = 0
    header_end: int = 0
    schemas: list[tuple[int, int]] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    folder_of: list[int] = field(default_factory=list)


def _folders(data: bytes) -> _Folders:
    """Return the Placemarks of a KML text, folder by folder."""
    found, parser = _Folders(), expat.ParserCreate()

    def start(name: str, _attributes: dict[str, str]) -> None:
        word = name.rpartition(":")[2]
        if not found.path:
            found.header_end = data.index(b">", parser.CurrentByteIndex) + 1
        if word in ("Folder", "Document"):
            found.opened.append(len(found.names))
            found.names.append("")
        if word in ("Placemark", "Schema"):
            found.start = parser.CurrentByteIndex
        found.path.append(word)
        found.text = ""

    def end(_name: str) -> None:
        word = found.path.pop()
        stop = data.index(b">", parser.CurrentByteIndex) + 1
        if word == "name" and found.path and found.path[-1] in ("Folder", "Document"):
            found.names[found.opened[-1]] = found.text.strip()
        elif word in ("Folder", "Document"):
            found.opened.pop()
        elif word == "Schema":
            found.schemas.append((found.start, stop))
        elif word == "Placemark":
            found.spans.append((found.start, stop))
            found.folder_of.append(found.opened[-1] if found.opened else -1)

    def text(part: str) -> None:
        found.text += part

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.buffer_text = True
    parser.Parse(data, True)
    return found


def _read_flat(job: Job) -> list[RawLayer]:
    """Read all Placemarks from a copy with one folder; give each folder its records back, or nothing."""
    data = job.path.read_bytes()
    found = _folders(data)
    root = data[: found.header_end]
    closing = b"</" + root[root.rindex(b"<") + 1 :].split(None, 1)[0].rstrip(b">") + b">"
    flat = job.folder / "flat.kml"
    with flat.open("wb") as file:
        file.write(root + b"<Document><name>flat</name>")
        file.writelines(data[start:stop] for start, stop in (*found.schemas, *found.spans))
        file.write(b"</Document>" + closing)
    whole = read_layer(replace(job, path=flat), None, "LIBKML", job.label)
    if whole.problem or whole.table.num_rows != len(found.folder_of):
        return []
    return _split(job, whole, found)


def _split(job: Job, whole: RawLayer, found: _Folders) -> list[RawLayer]:
    """Return one layer per folder; folders of the same name are numbered."""
    folder_of = pa.array(found.folder_of, pa.int64())
    taken: dict[str, int] = {}
    layers = []
    for folder in pc.unique(folder_of).to_pylist():
        name = (found.names[folder] if folder >= 0 else "") or job.name
        taken[name] = taken.get(name, 0) + 1
        shown = name if taken[name] == 1 else f"{name} (#{taken[name]})"
        table = whole.table.filter(pc.equal(folder_of, folder))
        rows = pa.array(range(1, table.num_rows + 1), pa.int64())
        layers.append(replace(whole, name=shown, table=table.set_column(0, "row", rows)))
    return layers
