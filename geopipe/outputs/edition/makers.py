"""All files of one operator's edition. To add a kind of file, add a line to `MAKERS`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from geopipe.errors import ConfigError
from geopipe.io.whole import OWNER_ONLY, write_whole
from geopipe.languages.texts import Texts
from geopipe.outputs.edition.map import write_map
from geopipe.outputs.formats.convert import Converted, Source, convert_file
from geopipe.register.register import Register
from geopipe.reports.publish import GEOPACKAGE, current_run, read_summary
from geopipe.reports.returned.files import ENDINGS
from geopipe.unfinished import unfinished_folder


@dataclass(frozen=True)
class Order:
    """What an operator is to get. Without a meeting there is no pack and no letter.

    `minutes` is how long the meeting is, `expected` who should have delivered this quarter.
    """

    result: Path
    workspace: Path
    operator: str
    folder: Path
    texts: Texts
    formats: Sequence[str] = ()
    meeting: str = ""
    minutes: int = 0
    held_on: dt.date | None = None
    expected: Sequence[str] = ()


@dataclass(frozen=True)
class Edition:
    """The files that were written, by what they are, and what was left out, with the reason."""

    files: Mapping[str, tuple[Path, ...]]
    left_out: Mapping[str, str]


Maker = Callable[[Order], Sequence[Path]]


class NothingToWrite(Exception):  # noqa: N818 (nothing is wrong)
    """There is no such file for this operator now; the text says why."""


def make_edition(order: Order) -> Edition:
    """Write all files of an operator's edition into its folder, readable for their owner only.

    Raises
    ------
    ConfigError
        When the result holds nothing of the operator, or is not of the register's last run.
    OutputError
        When a file cannot be written.
    """
    files, left_out = dict[str, tuple[Path, ...]](), dict[str, str]()
    for name, make in MAKERS.items():
        try:
            files[name] = tuple(make(order))
        except NothingToWrite as why:
            left_out[name] = str(why)
    return Edition(files, left_out)


def convert_for(
    result: Path, operator: str, folder: Path, formats: Sequence[str], layers: Sequence[str]
) -> Converted:
    """Write the map layers of one operator's edition in other formats."""
    with unfinished_folder() as building:
        geopackage, summary = write_map(result, operator, building / GEOPACKAGE)
        return convert_file(Source(geopackage, summary, OWNER_ONLY), folder, formats, layers)


def _map(order: Order) -> Sequence[Path]:
    return [write_map(order.result, order.operator, order.folder / GEOPACKAGE)[0]]


def _formats(order: Order) -> Sequence[Path]:
    if not order.formats:
        raise NothingToWrite("no other formats were asked for")
    done = convert_for(order.result, order.operator, order.folder, order.formats, ())
    return [order.folder / name for made in done.written for name in made.files]


def _workbook(order: Order) -> Sequence[Path]:
    from geopipe.outputs.workbook.book import workbook_of
    from geopipe.outputs.workbook.material import gather
    from geopipe.outputs.workbook.writing import write_workbook

    _require_cases(order)
    material = gather(order.result, order.workspace, order.operator, order.expected)
    path = order.folder / "workbook.xlsx"
    return [write_workbook(path, workbook_of(material, order.texts), is_confidential=True)]


def _pack(order: Order) -> Sequence[Path]:
    from geopipe.outputs.pack.make import make_pack
    from geopipe.outputs.pack.material import Meeting, gather

    _require_cases(order)
    if not (order.meeting and order.minutes and order.held_on):
        raise NothingToWrite("no meeting was named, or not how long it is")
    meeting = Meeting(order.meeting, order.minutes, order.held_on, order.operator)
    _require_typst()
    made = make_pack(gather(meeting, order.workspace, order.result, "", order.expected), order.texts)
    return [_written(order.folder / "pack.pdf", made.pdf)]


def _letter(order: Order) -> Sequence[Path]:
    from geopipe.outputs.pack.decided import decided_by
    from geopipe.outputs.pack.minutes import letters

    if not order.meeting:
        raise NothingToWrite("no meeting was named")
    try:
        with Register.existing(order.workspace) as register:
            decided = decided_by(register, register.cases(), order.meeting)
    except ConfigError as error:
        raise NothingToWrite("no decision refers to this meeting") from error
    made = letters(decided, order.texts)
    if order.operator not in made:
        raise NothingToWrite("the meeting decided nothing about this operator's records")
    return [_written(order.folder / "letter.xlsx", made[order.operator])]


def _plots(order: Order) -> Sequence[Path]:
    _require_typst()
    from geopipe.outputs.plots.material import gather
    from geopipe.outputs.plots.writing import write_plots

    material = gather(order.result, order.workspace, order.operator)
    return [
        path
        for _, paths in write_plots(material, order.texts, order.folder / "plots", ("svg",))
        for path in paths
    ]


def _feeds(order: Order) -> Sequence[Path]:
    from geopipe.outputs.feeds.make import write_feeds
    from geopipe.outputs.feeds.material import gather

    _require_cases(order)
    folder = order.folder / "exports"
    write_feeds(gather(order.result, order.workspace, order.operator, order.expected), folder)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _page(order: Order) -> Sequence[Path]:
    from geopipe.outputs.html.charts import charts_of
    from geopipe.outputs.html.material import gather
    from geopipe.outputs.html.page import page_of

    _require_cases(order)
    material = gather(order.result, order.workspace, order.operator, order.expected)
    data = page_of(material, order.texts, charts_of(material, order.texts))
    return [_written(order.folder / "report.html", data)]


def _returns(order: Order) -> Sequence[Path]:
    run = current_run(order.result)
    returns = read_summary(run).get("returns") or {}
    if order.operator not in returns:
        raise NothingToWrite("nothing goes back to this operator")
    sources = [run / returns[order.operator][key] for key in ENDINGS]
    return [_written(order.folder / "return" / source.name, source.read_bytes()) for source in sources]


def _require_typst() -> None:
    if not find_spec("typst"):
        raise NothingToWrite('typst draws it, which is not installed: pip install "geopipe[pdf]"')


def _require_cases(order: Order) -> None:
    with Register.existing(order.workspace) as register:
        if not any(order.operator in case.operators for case in register.cases()):
            raise NothingToWrite("no case is about this operator")


def _written(path: Path, content: bytes) -> Path:
    return write_whole(path, lambda place: place.write_bytes(content), is_confidential=True)


MAKERS: Mapping[str, Maker] = {
    "map": _map,
    "formats": _formats,
    "workbook": _workbook,
    "pack": _pack,
    "letter": _letter,
    "plots": _plots,
    "page": _page,
    "feeds": _feeds,
    "returns": _returns,
}
