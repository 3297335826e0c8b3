"""The workspace: what each stage left for the next one, as Arrow files; and atomic small files."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import shapely

from geopipe.arrowfile import read_arrow_file
from geopipe.config import Config
from geopipe.errors import ConfigError, OutputError
from geopipe.io.geopackage import sync
from geopipe.io.lock import Owner, holding
from geopipe.io.whole import make_folder
from geopipe.schema import Delivery, Frame, LayerCount, Proposal, State
from geopipe.shapes import Undecoded
from geopipe.terms import CountMethod
from geopipe.unfinished import remove_left, unfinished_file

_BUILDING = ".building-"
_STATE = "state.json"
DAMAGED = (OSError, ValueError, KeyError, pa.ArrowInvalid, shapely.errors.GEOSException)
_FRAMES = [item.name for item in fields(State) if item.name not in ("deliveries", "working_crs", "today")]


def write_text(path: Path, text: str) -> None:
    """Write a small file so that it is either the old or the new one, never half."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_file(path) as building:
            with building.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            # A temporary file is private; what is published is for all who may see the folder.
            building.chmod(0o644)
            building.replace(path)
        sync(path.parent)
    except OSError as error:
        raise OutputError(f"the file could not be written ({error})", str(path)) from error


@contextmanager
def hold(workspace: Path) -> Iterator[Owner | None]:
    """Hold a workspace for one run; give the dead owner whose lock was taken over, if there was one.

    Raises
    ------
    BusyError
        When another run holds it. The lock dies with the process that holds it.
    """
    with ExitStack() as held:
        try:
            make_folder(workspace, is_confidential=True)
            taken_over = held.enter_context(holding(workspace))
            _tidy(workspace)
        except OSError as error:
            raise OutputError(f"the workspace cannot be written ({error})", str(workspace)) from error
        yield taken_over


def _tidy(workspace: Path) -> None:
    """Remove what a stage has left half-written, or replaced."""
    for left in workspace.glob(f"{_BUILDING}*"):
        shutil.rmtree(left, ignore_errors=True)
    remove_left(workspace)


def save_state(workspace: Path, stage: str, state: State, stages: Sequence[str]) -> None:
    """Write what a stage made, replacing what it left before in one step.

    What later stages (in the order of `stages`) made of something older is removed first.
    """
    final = workspace / stage
    try:
        for later in stages[stages.index(stage) + 1 :]:
            shutil.rmtree(workspace / later, ignore_errors=True)
        workspace.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f"{_BUILDING}{stage}-", dir=workspace))
        write_state(building, state)
        if final.exists():
            final.rename(building.with_name(f"{building.name}-old"))
        building.rename(final)
        _tidy(workspace)
    except OSError as error:
        _tidy(workspace)
        raise OutputError(f"the workspace cannot be written ({error})", str(workspace)) from error


def load_state(workspace: Path, stage: str) -> State:
    """Read what a stage left.

    Raises
    ------
    ConfigError
        When that stage has not been run in this workspace.
    """
    folder = workspace / stage
    if not (folder / _STATE).is_file():
        raise ConfigError(
            f"the stage {stage!r} has not been run here", str(workspace), f"Run `geopipe {stage}` first."
        )
    try:
        return read_state(folder)
    except DAMAGED as error:
        raise OutputError(
            f"what the stage {stage!r} left is damaged", str(workspace), f"Run `geopipe {stage}` again."
        ) from error


def write_state(folder: Path, state: State) -> None:
    """Write a state into a folder: an Arrow file for each frame that has rows, the rest as JSON, last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FRAMES:
        if len(getattr(state, name)):
            _write_frame(folder / f"{name}.arrow", getattr(state, name))
    plain = {
        "working_crs": state.working_crs,
        "today": state.today and state.today.isoformat(),
        "deliveries": [asdict(item) for item in state.deliveries],
        "rows": {name: len(getattr(state, name)) for name in _FRAMES},
    }
    # Not forced onto the disk: what a power cut spoils is made again.
    (folder / _STATE).write_text(json.dumps(plain, ensure_ascii=False), encoding="utf-8")


def read_frames(folder: Path, names: Sequence[str]) -> dict[str, Frame]:
    """Read some frames of a state; those without rows are left out."""
    rows = json.loads((folder / _STATE).read_text(encoding="utf-8"))["rows"]
    return {name: _read_frame(folder / f"{name}.arrow", rows[name]) for name in names if rows[name]}


def read_state(folder: Path) -> State:
    """Read a state; its tables stay mapped to the files. One of `DAMAGED` is raised where it is not whole."""
    plain = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    frames: dict[str, Any] = read_frames(folder, _FRAMES)
    return State(
        deliveries=tuple(_delivery(item) for item in plain["deliveries"]),
        working_crs=plain["working_crs"],
        today=dt.date.fromisoformat(plain["today"]) if plain["today"] else None,
        **frames,
    )


def save_config(workspace: Path, config: Config) -> None:
    """Keep the configuration beside the stages, so that later ones use the same."""
    write_text(workspace / "config.json", config.model_dump_json(indent=1))


def load_saved_config(workspace: Path) -> Config:
    """Read the configuration that `ingest` kept in a workspace."""
    path = workspace / "config.json"
    if not path.is_file():
        raise ConfigError("this is not a workspace of geopipe", str(workspace), "Run `geopipe ingest` first.")
    return Config.model_validate_json(path.read_text(encoding="utf-8"))


def _delivery(item: dict[str, Any]) -> Delivery:
    layers = tuple(
        LayerCount(**{**layer, "count_method": CountMethod(layer["count_method"])})
        for layer in item["layers"]
    )
    problems = tuple((code, sentence) for code, sentence in item["problems"])
    return Delivery(
        **{
            **item,
            "layers": layers,
            "problems": problems,
            "assumptions": tuple(item["assumptions"]),
            "operations": tuple(item["operations"]),
            "files_beside": None if item["files_beside"] is None else tuple(item["files_beside"]),
            "proposals": tuple(_proposal(proposal) for proposal in item["proposals"]),
        }
    )


def _proposal(item: dict[str, Any]) -> Proposal:
    rows = item["rows"]
    return Proposal(**{**item, "rows": None if rows is None else tuple(rows)})


def _write_frame(path: Path, frame: Frame) -> None:
    table = frame.table.whole().append_column("geometry", frame.wkb())
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _read_frame(path: Path, rows: int) -> Frame:
    table = read_arrow_file(path)
    if table.num_rows != rows:
        raise ValueError(f"{path.name} holds {table.num_rows} rows, not {rows}")
    return Frame.of(table.drop_columns(["geometry"]), Undecoded(table["geometry"]))
