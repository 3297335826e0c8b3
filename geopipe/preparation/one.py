"""One delivery, from its file to valid areas in a working CRS, located and checked; in a reader process."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

from geopipe.catalogue import load_catalogue
from geopipe.config import Config, DeliveryOptions, load_vocabulary
from geopipe.coordinates.proposals import proposer
from geopipe.crs import Cells, choose_working_crs
from geopipe.io.child import read_source
from geopipe.io.confirmations import Confirmation
from geopipe.io.delivery import NO_ROOM, Problem, RawDelivery, ReadLimits
from geopipe.io.sources import Source
from geopipe.io.store import write_state
from geopipe.io.vector import with_tables
from geopipe.location.places import load_places
from geopipe.policies import Policy, load_policy
from geopipe.processes import leave_out_data_frames
from geopipe.schema import State
from geopipe.stages.ingest import Told, take_in
from geopipe.stages.reproject import into, place
from geopipe.stages.validate import validate
from geopipe.steps import of_delivery, places_of

PREPARED = "prepared"


@dataclass(frozen=True)
class Task:
    """What a process is told of one delivery beside its file.

    `content_hash` is that of its bytes when the run began, `file` and `delivery_key` are its names (see
    `stages.ingest.Names`); without a `working_crs` the delivery chooses by its own records.
    """

    config: Config
    options: DeliveryOptions
    content_hash: str
    file: str
    delivery_key: str
    confirmations: tuple[Confirmation, ...]
    today: dt.date
    working_crs: str | None


@dataclass(frozen=True)
class Extent:
    """How many records of a delivery could be read at all, and where on the Earth they lie."""

    records: int
    cells: Cells


@dataclass(frozen=True)
class Prepared:
    """What a process answers: the extent of what it left, and why the temporary folder could not hold it."""

    extent: Extent
    no_room: str = ""


def get_ready() -> None:
    """Load what every delivery needs, before the first one is there."""
    leave_out_data_frames()
    load_vocabulary()
    load_policy()
    load_catalogue()
    load_places()


def prepare(raw: RawDelivery, task: Task) -> tuple[State, Extent]:
    """Take a delivery as far as it can go without the others; return what came of it, and its extent.

    That is ingest, validate and reproject, and what locate and check find in it alone.
    """
    policy = load_policy(task.config.policy)
    told = Told(task.options, load_vocabulary(), task.confirmations, task.today)
    state = replace(take_in(raw, task.file, task.delivery_key, told), today=task.today)
    records = len(state.features)
    # No step needs what the ones before it have looked at, and a delivery may fill the memory.
    state.forget()
    state = validate(state, proposer(places_of(task.config), policy.near_border_m), task.config.limits.points)
    state.forget()
    state, cells = _placed(state, task, policy)
    state.forget()
    return of_delivery(state, task.config, policy), Extent(records, cells)


def _placed(state: State, task: Task, policy: Policy) -> tuple[State, Cells]:
    """Bring a validated delivery into its working CRS; return it, and where on the Earth it lies."""
    placed = place(state)
    working = task.working_crs or choose_working_crs(placed.cells)
    return into(placed, working, task.config, policy), placed.cells


def prepare_source(source: Source, folder: Path, limits: ReadLimits, task: Task) -> Prepared:
    """Read and prepare one file, and leave the state in `folder / PREPARED`."""
    raw = _unchanged(with_tables(read_source(source, folder, limits), folder), task)
    if raw.problem and raw.problem.code == NO_ROOM:
        return Prepared(Extent(0, Cells.none()), raw.problem.sentence)
    state, extent = prepare(raw, task)
    try:
        write_state(folder / PREPARED, state)
    except OSError as error:
        return Prepared(extent, str(error))
    for path in folder.glob("*.arrow"):
        path.unlink()
    return Prepared(extent)


def _unchanged(raw: RawDelivery, task: Task) -> RawDelivery:
    """Refuse a file that became another one while it was read: somebody is still writing it."""
    if raw.content_hash in ("", task.content_hash):
        return raw
    sentence = f"{task.file}: the file was changed while it was read. Run again when it is complete."
    return RawDelivery(raw.path, raw.driver, raw.content_hash, problem=Problem("FILE_UNREADABLE", sentence))
