"""Unpack archives without trusting a word of them.

Members are checked before anything is written, and written under names made here: a member's own name
is only shown to people.
"""

from __future__ import annotations

import gzip
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from geopipe.io.delivery import Problem, ReadLimits, RefusedError
from geopipe.io.formats import FOREIGN_SUFFIXES, MAXML_ROOT, SUFFIXES, Format, format_of, xml_root
from geopipe.io.imsmatables import MAIN, groups_of, table_of

COMPANIONS = (".shx", ".dbf", ".prj", ".cpg")
NESTED = (".zip", ".shz", ".kmz", ".gz")
BLOCK = 1 << 20
FOLDERS_TO_A_FILE = 10
# Windows opens a device for these names, in any folder, with any ending.
DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?\s*", re.IGNORECASE)
SIGNS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Member:
    """One readable thing inside an archive.

    Parameters
    ----------
    name : str
        Its name for people: the path inside the archive without suffix.
    shown : str
        Its full path inside the archive, for sentences.
    path : Path
        Where it was unpacked to.
    format : Format
        The format that its name promises.
    problem : Problem or None
        Why it is not read.
    """

    name: str
    shown: str
    path: Path
    format: Format
    problem: Problem | None = None


def unpack_gzip(path: Path, folder: Path, limits: ReadLimits, label: str) -> Path:
    """Unpack a .gz file under a safe name and return where it is."""
    target = folder / f"unpacked{Path(path.name[:-3]).suffix.lower()}"
    written, packed = 0, max(path.stat().st_size, 1)
    try:
        with gzip.open(path) as source, target.open("wb") as sink:
            while block := source.read(BLOCK):
                written += len(block)
                _check_size(written, packed, limits, label)
                sink.write(block)
    except EOFError as error:
        sentence = f"{label}: the compressed file ends too early. Ask for a new copy."
        raise RefusedError(Problem("FILE_TRUNCATED", sentence)) from error
    except (OSError, zlib.error) as error:
        sentence = f'{label}: the compressed file is damaged ("{error}"). Ask for a new copy.'
        raise RefusedError(Problem("FILE_UNREADABLE", sentence)) from error
    return target


def unpack_zip(path: Path, folder: Path, limits: ReadLimits, label: str) -> list[Member]:
    """Check an archive, unpack what can be read, and return its members in the order of their names."""
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > FOLDERS_TO_A_FILE * limits.members:
                _refuse("ARCHIVE_DANGEROUS", f"{label}: the archive lists {len(archive.infolist()):,} names")
            infos = [info for info in archive.infolist() if not info.is_dir() and not _is_sidecar(info)]
            _check(infos, path, limits, label)
            infos = [info for info in infos if not _is_other_xml(archive, info)]
            budget = [0]
            members = []
            for number, group in enumerate(_groups(infos, path), start=1):
                members.append(_unpack(archive, group, folder, number, (label, budget, path, limits)))
            return members
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        sentence = f'{label}: the archive is damaged or cut ("{error}"). Ask for a new copy.'
        raise RefusedError(Problem("FILE_UNREADABLE", sentence)) from error


def _is_sidecar(info: zipfile.ZipInfo) -> bool:
    """Tell whether a member was written by an operating system."""
    path = PurePosixPath(info.filename)
    return "__MACOSX" in path.parts or path.name.startswith("._") or path.name in (".DS_Store", "Icon\r")


def _is_other_xml(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    """Tell whether a member is XML that describes other files; only reports of IMSMA are deliveries."""
    if not info.filename.lower().endswith(".xml"):
        return False
    with archive.open(info) as member:
        return xml_root(member.read(1 << 16)) != MAXML_ROOT


def _check(infos: list[zipfile.ZipInfo], path: Path, limits: ReadLimits, label: str) -> None:
    """Refuse archives that are built to do harm, before anything is unpacked."""
    if len(infos) > limits.members:
        _refuse("ARCHIVE_DANGEROUS", f"{label}: the archive holds {len(infos):,} files, too many")
    taken: set[str] = set()
    for info in infos:
        name = info.filename.replace("\\", "/")
        shown = re.sub(r"[\x00-\x1f\x7f]", "?", name[:80])
        if _leads_away(name):
            _refuse("ARCHIVE_DANGEROUS", f'{label}: the archive holds a file outside itself ("{shown}")')
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            what = "a link" if stat.S_ISLNK(info.external_attr >> 16) else "a pipe or a device"
            _refuse("ARCHIVE_DANGEROUS", f'{label}: the archive holds {what} ("{shown}")')
        if name in taken:
            _refuse("ARCHIVE_DANGEROUS", f'{label}: the archive holds two files of one name ("{shown}")')
        taken.add(name)
        if info.flag_bits & 0x1:
            sentence = f"{label}: the archive is protected with a password. Ask for a copy without one."
            raise RefusedError(Problem("ARCHIVE_ENCRYPTED", sentence))
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            sentence = f'{label}: "{shown}" is packed by a method that is not read. Pack it as plain ZIP.'
            raise RefusedError(Problem("FILE_UNREADABLE", sentence))
    _check_size(sum(info.file_size for info in infos), max(path.stat().st_size, 1), limits, label)


def _leads_away(name: str) -> bool:
    """Tell whether a name leads out of the archive, on any system: also to a drive, a device or a stream."""
    parts = name.split("/")
    return (
        name.startswith("/")
        or ".." in parts
        or ":" in name
        or SIGNS.search(name) is not None
        or any(DEVICE.fullmatch(part) for part in parts)
    )


def _check_size(size: int, packed: int, limits: ReadLimits, label: str) -> None:
    """Refuse what unpacks to too much."""
    bomb = size > limits.ratio_from_bytes and size > packed * limits.ratio
    if bomb or size > limits.unpacked_bytes:
        megabytes = f"{packed / 1e6:,.1f} MB unpack to {size / 1e6:,.0f} MB"
        _refuse("ARCHIVE_DANGEROUS", f"{label}: {megabytes} or more, too much")


def _refuse(code: str, what: str) -> None:
    raise RefusedError(Problem(code, f"{what}. It was not opened. Ask for a new copy."))


def _groups(infos: list[zipfile.ZipInfo], path: Path) -> list[tuple[str, Format, list[zipfile.ZipInfo]]]:
    """Return name, format and members of everything in the archive that can be read or must be told of."""
    by_name = {info.filename.replace("\\", "/"): info for info in infos}
    geodatabases: dict[str, list[zipfile.ZipInfo]] = {}
    found, taken = _exports(by_name)
    for name, info in by_name.items():
        if name in taken:
            continue
        folder = next((str(p) for p in PurePosixPath(name).parents if p.suffix.lower() == ".gdb"), None)
        if (
            folder is None
            and path.name.lower().endswith(".gdb.zip")
            and ".gdbtable" in {PurePosixPath(other).suffix.lower() for other in by_name}
        ):
            folder = path.name[:-4]  # a geodatabase zipped without its folder
        if folder is not None:
            geodatabases.setdefault(folder, []).append(info)
            continue
        suffix, kind = PurePosixPath(name).suffix.lower(), format_of(name)
        if kind is Format.SHAPEFILE:
            found.append((name, kind, [info, *_companions(name, by_name)]))
        elif (
            (suffix == ".dbf" and not _shapefile_of(name, by_name))
            or suffix in NESTED
            or suffix in FOREIGN_SUFFIXES
        ):
            found.append((name, Format.UNKNOWN, []))
        elif suffix in SUFFIXES and suffix != ".txt":  # text files in archives are read-me files
            found.append((name, kind, [info]))
    found += [(name, Format.FILEGDB, members) for name, members in geodatabases.items()]
    return sorted(found, key=lambda group: group[0])


def _exports(
    by_name: dict[str, zipfile.ZipInfo],
) -> tuple[list[tuple[str, Format, list[zipfile.ZipInfo]]], set[str]]:
    """Return the IMSMA NG exports of an archive, main table first, and the names of all their members."""
    found: list[tuple[str, Format, list[zipfile.ZipInfo]]] = []
    taken: set[str] = set()
    for folder in sorted({PurePosixPath(name).parent for name in by_name}):
        here = {PurePosixPath(name).name: name for name in by_name if PurePosixPath(name).parent == folder}
        for group in groups_of(here):
            names = [here[group[MAIN]], *(here[own] for table, own in group.items() if table != MAIN)]
            found.append((names[0], Format.IMSMA, [by_name[name] for name in names]))
            taken.update(names)
    return found, taken


def _companions(name: str, by_name: dict[str, zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Return the companions of a shapefile in an archive, whatever the case of their names."""
    stem = name[:-4].lower()
    wanted = {stem + suffix for suffix in COMPANIONS} | {f"{stem}.shp.cpg"}
    return [info for other, info in by_name.items() if other.lower() in wanted]


def _shapefile_of(name: str, by_name: dict[str, zipfile.ZipInfo]) -> bool:
    return any(other.lower() in (f"{name[:-4].lower()}.shp", f"{name[:-4].lower()}.tab") for other in by_name)


def _unpack(
    archive: zipfile.ZipFile,
    group: tuple[str, Format, list[zipfile.ZipInfo]],
    folder: Path,
    number: int,
    context: tuple[str, list[int], Path, ReadLimits],
) -> Member:
    """Write one group of members under generated names."""
    name, kind, infos = group
    label, budget, packed, limits = context
    suffix = PurePosixPath(name).suffix
    target = folder / f"m{number:04d}{suffix.lower()}"
    problem = _not_read(name, suffix, label) if kind is Format.UNKNOWN else None
    if kind is Format.FILEGDB:
        target.mkdir()
    if kind is Format.IMSMA:
        folder = folder / f"m{number:04d}"
        folder.mkdir()
        target = folder / f"{MAIN}.csv"
    for info in infos:
        own = PurePosixPath(info.filename.replace("\\", "/"))
        # Inside a geodatabase the file names carry meaning; only plain ones exist there.
        if kind is Format.IMSMA:
            path = folder / f"{table_of(own.name)}.csv"
        elif kind is Format.FILEGDB:
            if not own.name.isascii() or not own.name.replace(".", "").replace("_", "").isalnum():
                continue
            path = target / own.name
        else:
            path = target.with_suffix(own.suffix.lower())
        with archive.open(info) as source, path.open("wb") as sink:
            while block := source.read(BLOCK):
                budget[0] += len(block)
                _check_size(budget[0], max(packed.stat().st_size, 1), limits, label)
                sink.write(block)
    return Member(name[: -len(suffix)] if suffix else name, name, target, kind, problem)


def _not_read(name: str, suffix: str, label: str) -> Problem:
    """Say why a member of an archive is not read."""
    if suffix.lower() in NESTED:
        return Problem(
            "ARCHIVE_NESTED", f"{label}: {name} is an archive inside the archive. Unpack it first."
        )
    if suffix.lower() == ".dbf":
        sentence = f"{label}: {name[:-4]}.shp is missing. Ask for all files of the shapefile."
        return Problem("FILE_INCOMPLETE", sentence)
    return Problem("FORMAT_UNKNOWN", f'{label}: {name} is of a type that is not read ("{suffix}").')
