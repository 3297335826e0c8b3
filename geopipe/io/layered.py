"""Read the formats whose layers GDAL reads well: GeoPackage, File Geodatabase, FlatGeobuf."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from geopipe.io import counting, drivers
from geopipe.io.crsnames import require_no_files
from geopipe.io.delivery import Problem, RawLayer, RefusedError, judged, refused_layer
from geopipe.io.formats import head_of
from geopipe.io.frames import CURVES, assemble, shown_type, wkb_types
from geopipe.io.job import Job, reason_of
from geopipe.terms import CountMethod

# Record numbers that software invents: they restart in each file and say nothing about a record.
INVENTED_IDS = ("", "fid", "ogc_fid", "objectid", "rowid", "id0", "ogc_fid0", "gid")
# A journal begins with these bytes, and ends with them where it belongs to several files.
JOURNAL_SIGN = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
# Tables that QGIS keeps in a GeoPackage for itself.
QGIS_TABLES = ("layer_styles", "qgis_projects")
# GeoPackage numbers for "no known coordinate system".
UNDEFINED_SRS = (-1, 0, None)


def read_geopackage(job: Job) -> list[RawLayer]:
    """Return the spatial layers of a GeoPackage; tables without geometry become notes."""
    job = _with_journal(job)
    try:
        _require_tables(job)
        require_no_files(job.path, job.label)
        contents = counting.geopackage_contents(job.path)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise _damaged_sqlite(job, error) from error
    if len(contents) > job.limits.layers:
        sentence = f"{job.label}: the GeoPackage lists {len(contents):,} layers, too many"
        raise RefusedError(Problem("FILE_TOO_LARGE", f"{sentence}. Ask for the layer with the areas."))
    _require_whole(job, contents)
    computed = counting.geopackage_programs(job.path)
    layers = [
        _computed(job, name, computed[name.lower()])
        if name.lower() in computed
        else _geopackage_layer(job, name, srs, len(contents) > 1)
        for name, kind, srs in contents
        if kind == "features"
    ]
    tables = [name for name, kind, _ in contents if kind != "features" and name not in QGIS_TABLES]
    if layers:
        return [replace(layers[0], notes=(*layers[0].notes, *_not_spatial(job, tables))), *layers[1:]]
    counts = [
        counting.count_geopackage(job.path, name) or 0 for name in tables if name.lower() not in computed
    ]
    sentence = f"{job.label}: the GeoPackage holds no map layer. Ask for the layer with the areas."
    raise RefusedError(Problem("NO_GEOMETRY", sentence), sum(counts), CountMethod.EXACT)


def _require_tables(job: Job) -> None:
    """Refuse a GeoPackage whose own lists are no tables: reading them would run what its sender wrote."""
    own = sorted(name for name in counting.geopackage_programs(job.path) if name.startswith("gpkg_"))
    if own:
        sentence = f"{job.label}: {own[0]} in the GeoPackage is not a table. It was not opened"
        raise RefusedError(Problem("FILE_DANGEROUS", f"{sentence}. Ask for a new copy."))


def _computed(job: Job, name: str, kind: str) -> RawLayer:
    """Quarantine a layer that is computed while it is read, by what its sender wrote, for however long."""
    sentence = f"{job.label}, layer {name}: this is a {kind} and not a table. It was not opened"
    problem = Problem(
        "FILE_DANGEROUS", f"{sentence}. Save it as a table (in QGIS: Export, Save features as)."
    )
    return RawLayer(name, problem=problem)


def _require_whole(job: Job, contents: list[tuple[str, str, int | None]]) -> None:
    """Refuse a GeoPackage that is not cut but whose pages are damaged."""
    damage = counting.geopackage_damage(job.path)
    if damage is None or counting.geopackage_is_cut(head_of(job.path, 100), job.path.stat().st_size):
        return
    computed = counting.geopackage_programs(job.path)
    counts = [
        counting.count_geopackage(job.path, name) or 0
        for name, kind, _ in contents
        if kind == "features" and name.lower() not in computed
    ]
    sentence = f'{job.label}: the file is damaged (SQLite says "{damage[:80]}"). Ask for a new copy.'
    raise RefusedError(Problem("FILE_UNREADABLE", sentence), sum(counts), CountMethod.WEAK)


def _with_journal(job: Job) -> Job:
    """Return the job for a copy where the GeoPackage has changes in a journal beside it.

    A file that was copied while QGIS had it open keeps its newest edits in ``-wal``. Opening it in
    place would write into the sender's folder.
    """
    journals = [Path(f"{job.path}{suffix}") for suffix in ("-wal", "-journal")]
    if not any(path.exists() and path.stat().st_size for path in journals):
        return job
    _require_own_journal(job, journals[1])
    target = job.folder / "copy.gpkg"
    shutil.copyfile(job.path, target)
    for path in journals:
        if path.exists():
            shutil.copyfile(path, f"{target}{path.name[len(job.path.name) :]}")
    try:
        with closing(sqlite3.connect(target)) as connection:
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise _damaged_sqlite(job, error) from error
    return replace(job, path=target)


def _require_own_journal(job: Job, journal: Path) -> None:
    """Refuse a journal that names another file: SQLite would open that file, and delete it."""
    if not journal.is_file():
        return
    with journal.open("rb") as file:
        file.seek(max(journal.stat().st_size - len(JOURNAL_SIGN), 0))
        if file.read() == JOURNAL_SIGN:
            sentence = f"{job.label}: the journal beside it names another file. It was not opened"
            raise RefusedError(Problem("FILE_DANGEROUS", f"{sentence}. Ask for a copy without a journal."))


def _damaged_sqlite(job: Job, error: Exception) -> RefusedError:
    """Say whether a GeoPackage is cut or damaged."""
    cut = counting.geopackage_is_cut(head_of(job.path, 100).ljust(100, b"\0"), job.path.stat().st_size)
    code, what = ("FILE_TRUNCATED", "is cut") if cut else ("FILE_UNREADABLE", "is damaged")
    return RefusedError(
        Problem(code, f"{job.label}: the file {what} (SQLite says {reason_of(error)}). Ask for a new copy.")
    )


def _geopackage_layer(job: Job, name: str, srs: int | None, several: bool) -> RawLayer:
    """Read one layer of a GeoPackage."""
    counted = counting.count_geopackage(job.path, name)
    size = job.path.stat().st_size
    if counting.geopackage_is_cut(head_of(job.path, 100), size):
        sentence = f"{job.label}: the file is cut. Ask for a new copy."
        return refused_layer(
            name, RefusedError(Problem("FILE_TRUNCATED", sentence), counted, CountMethod.WEAK)
        )
    where = f"{job.label}, layer {name}" if several else job.label
    layer = read_layer(job, name, "GPKG", where, (counted, CountMethod.EXACT), IMMUTABLE="YES")
    return replace(layer, crs_wkt=None) if srs in UNDEFINED_SRS else layer


def _not_spatial(job: Job, tables: list[str]) -> list[Problem]:
    """Note the tables that hold no geometry."""
    return [
        Problem("LAYER_NOT_SPATIAL", f"{job.label}: table {name} holds no shapes and is not used.")
        for name in tables
    ]


def read_geodatabase(job: Job) -> list[RawLayer]:
    """Return the spatial layers of a File Geodatabase folder."""
    require_no_files(job.path, job.label)
    try:
        names = drivers.layer_names(job.path)
    except Exception as error:
        sentence = f"{job.label}: the File Geodatabase is damaged ({reason_of(error)}). Ask for a new copy."
        raise RefusedError(Problem("FILE_UNREADABLE", sentence)) from error
    if (cut := counting.geodatabase_cut(job.path)) is not None:
        sentence = f"{job.label}: the File Geodatabase is cut (its file {cut}). Ask for a new copy."
        raise RefusedError(Problem("FILE_TRUNCATED", sentence))
    driver = "OpenFileGDB"
    numbers = drivers.geodatabase_numbers(job.path)
    layers = [
        read_layer(job, name, driver, f"{job.label}, layer {name}", _geodatabase_count(job, name, numbers))
        for name, spatial in names
        if spatial
    ]
    if not layers:
        sentence = f"{job.label}: the File Geodatabase holds no map layer. Ask for the layer with the areas."
        raise RefusedError(Problem("NO_GEOMETRY", sentence))
    tables = _not_spatial(job, [name for name, spatial in names if not spatial])
    return [replace(layers[0], notes=(*layers[0].notes, *tables)), *layers[1:]]


def _geodatabase_count(job: Job, name: str, numbers: dict[str, int]) -> tuple[int | None, CountMethod]:
    """Return the rows of a layer as its table file states them, else as the second GDAL counts them."""
    counted = counting.count_geodatabase(job.path, numbers.get(name))
    if counted is not None:
        return counted, CountMethod.EXACT
    return drivers.count_with_fiona(job.path, name, "OpenFileGDB"), CountMethod.WEAK


def read_flatgeobuf(job: Job) -> list[RawLayer]:
    """Return the one layer of a FlatGeobuf file."""
    require_no_files(job.path, job.label)
    try:
        counted = counting.count_flatgeobuf(job.path)
    except Exception as error:
        sentence = f"{job.label}: the header of the file is damaged. Ask for a new copy."
        raise RefusedError(Problem("FILE_UNREADABLE", sentence)) from error
    return [
        replace(read_layer(job, None, "FlatGeobuf", job.label, (counted, CountMethod.EXACT)), name=job.name)
    ]


def read_layer(
    job: Job,
    name: str | None,
    driver: str,
    where: str,
    count: tuple[int | None, CountMethod] = (None, CountMethod.NONE),
    **options: str,
) -> RawLayer:
    """Read one layer with the fast reader, else record by record, else quarantine it."""
    shown = name if name is not None else job.name
    counted, method = count
    notes: tuple[Problem, ...] = ()
    try:
        layer = _fast(job, name, shown, where, **options)
    except Exception as error:
        try:
            meta, table = drivers.read_with_fiona(job.path, name, driver)
        except Exception:
            sentence = f"{where}: this cannot be read ({reason_of(error)}). Ask for a new copy."
            return refused_layer(shown, RefusedError(Problem("FILE_UNREADABLE", sentence), counted, method))
        sentence = f"{where}: the fast reader failed ({reason_of(error)}); read record by record."
        notes = (Problem("FALLBACK_READER", sentence),)
        layer = RawLayer(shown, meta["crs"], "", str(meta["geometry_type"]), table)
    counted_by = method if counted is not None else CountMethod.NONE
    return judged(
        replace(layer, records_counted=counted, count_method=counted_by, notes=(*layer.notes, *notes)), where
    )


def _fast(job: Job, name: str | None, shown: str, where: str, **options: str) -> RawLayer:
    """Read one layer with pyogrio and Arrow."""
    meta, table = drivers.read_arrow(job.path, name, **options)
    geometry_name = meta["geometry_name"] or "wkb_geometry"
    if geometry_name not in table.column_names:
        raise ValueError("the layer has no geometry column")
    geometry = table.column(geometry_name)
    columns = table.drop_columns([geometry_name])
    id_name = meta["fid_column"] or "OGC_FID"
    if id_name in columns.column_names and id_name.lower() in INVENTED_IDS:
        columns = columns.drop_columns([id_name])
    declared = shown_type(geometry, str(meta["geometry_type"]))
    notes: list[Problem] = []
    if wkb_types(geometry) & CURVES:
        geometry = pa.chunked_array(
            [pa.array(drivers.linear_geometry(job.path, name, **options), pa.large_binary())]
        )
        sentence = f"{where}: curved boundaries ({declared}) are read as many short straight lines."
        notes.append(Problem("CURVES_LINEARISED", sentence))
    full, more = assemble(columns, geometry)
    return RawLayer(shown, meta["crs"], "", declared, full, notes=(*notes, *more))
