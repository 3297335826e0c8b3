"""Configuration: what a run reads and what it assumes; how files of settings are read.

A configuration error names the file and the line, and guesses what was meant.
"""

from __future__ import annotations

import datetime as dt
import difflib
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from geopipe.errors import ConfigError
from geopipe.limits import Limits
from geopipe.processes import processes
from geopipe.terms import Kind

LAYERS = (
    "areas",
    "overlaps",
    "cases",
    "gaps",
    "remaining",
    "handover",
    "duplicates",
    "findings",
    "rejected",
    "hazard_unresolved",
    "points",
    "lines",
    "changes",
    "copies",
)
Role = Literal["operator", "national_database", "reference"]
Mode = Literal["increment", "snapshot"]


class Strict(BaseModel):
    """Base of all configuration models: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Vocabulary(Strict):
    """Words by which columns, kinds, statuses and operators are recognised."""

    columns: dict[str, tuple[str, ...]]
    ids: dict[str, tuple[str, ...]]
    volatile_columns: tuple[str, ...]
    plausible_years: tuple[int, int]
    kinds: dict[Kind, tuple[str, ...]]
    kinds_not_in_names: tuple[str, ...] = ()
    kinds_in_doubt: tuple[str, ...] = ()
    statuses: dict[str, tuple[str, ...]]
    operators: dict[str, tuple[str, ...]]
    danger_points: tuple[str, ...]
    harmless_points: tuple[str, ...]


class DeliveryOptions(Strict):
    """What the user knows of one delivery, instead of what geopipe would recognise."""

    operator: str | None = None
    operator_field: str | None = None
    kind: Kind | None = None
    kind_field: str | None = None
    id_field: str | None = None
    assume_crs: str | None = None
    profile: str | None = None
    """Name of a ready operator profile, or the path of one's own."""
    role: Role | None = None
    mode: Mode | None = None
    """A snapshot is a whole register: what is not in it has vanished. Default: increment."""
    period: str | None = None
    """What time the delivery is about, for example 2026-Q1."""
    lines_are_areas: bool = False
    reference: bool = False
    """Points or lines are meant: no polygons are missed in this delivery."""

    @field_validator("kind", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value


class DeliverySpec(DeliveryOptions):
    """A file or folder of deliveries, and what is known of it."""

    path: Path


class PlacesSpec(Strict):
    """The user's own boundary file, for another country than Laos."""

    file: Path
    code_field: str = "code"
    name_field: str = "name"
    parent_field: str | None = None
    """Property with the code of the province that a district belongs to."""


class InboxSpec(DeliveryOptions):
    """What is known of all that comes in one folder of the inbox."""

    every_days: int | None = Field(default=None, ge=1)
    """How often something is expected here; None: nobody is missed."""


class MailSpec(Strict):
    """Where the morning digest is mailed; the password stands in a file or in the environment, never here."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "ssl", "none"] = "starttls"
    sender: str
    to: tuple[str, ...] = Field(min_length=1)
    user: str | None = None
    password_file: Path | None = None
    password_env: str | None = None
    ca_file: Path | None = None
    """Certificates that are trusted beside those of the system: a mail server of one's own."""


class WebhookSpec(Strict):
    """An address that is told; it stands in a file or the environment: whoever knows it may write there."""

    url_file: Path | None = None
    url_env: str | None = None

    @model_validator(mode="after")
    def _one(self) -> WebhookSpec:
        if (self.url_file is None) == (self.url_env is None):
            raise ValueError("give url_file or url_env, one of them")
        return self


class NotifySpec(Strict):
    """Who is told in the morning, and how much."""

    detail: Literal["counts", "full"] = "counts"
    """`counts` leaves out every name of an operator, a file, a record or a case."""
    when: Literal["always", "needs_person"] = "always"
    mail: MailSpec | None = None
    webhook: WebhookSpec | None = None


class NightlySpec(Strict):
    """The nightly run: where deliveries are dropped, how long results are kept, who is told."""

    inbox: Path
    operators: dict[str, InboxSpec] = Field(min_length=1)
    """Folder in the inbox -> what is known of all that comes in it."""
    settle_seconds: float = Field(default=60.0, ge=0.0, le=3600.0)
    """A file is taken when it has not changed for so long."""
    keep_days: int = Field(default=30, ge=1)
    """How long a run's folder stays after a newer run has replaced it."""
    keep_received_days: int = Field(default=400, ge=1)
    """How long digests stay, and deliveries that are no longer in force."""
    set_aside: dict[str, str] = Field(default_factory=dict)
    """Beginning of the hash of a received file that is not to be used -> why, and who says so."""
    notify: NotifySpec | None = None


class Config(Strict):
    """All that a run is told."""

    deliveries: tuple[DeliverySpec, ...]
    """May be missing where a nightly run takes all that it reads from its inbox."""
    workspace: Path = Path("work")
    output: Path = Path("out")
    policy: Path | None = None
    working_crs: str | None = None
    area_of_interest: tuple[float, float, float, float] | None = None
    places: PlacesSpec | None = None
    confirmations: Path | None = Path("confirmations.jsonl")
    today: dt.date | None = None
    """The day that counts as today (confirmations that end, dates in the future); None: the clock's."""
    layers: tuple[str, ...] = LAYERS
    qgis: bool = True
    """Styles and a project for QGIS inside the GeoPackage; False leaves both tables out."""
    workers: int = Field(default_factory=processes, ge=1, le=64)
    """How many processes read files, and settle parts, side by side; by default one a core, up to eight."""
    executor: str | None = None
    """Who settles duplicates and overlaps: dask-local:N, dask://HOST:PORT, or None: this machine."""
    areas_in_a_part: int = Field(default=25_000, ge=1)
    """How many areas a worker settles at a time; what hangs together is never divided."""
    keep_backups: int = Field(default=30, ge=1)
    """How many daily backups of the register stay in the workspace."""
    limits: Limits = Limits()
    """What one file may cost before it is refused."""
    known_pairs: Path | None = None
    """Folder of pairs that were measured before; `geopipe run` has one in its workspace."""
    nightly: NightlySpec | None = None
    """How `geopipe run --nightly` works; other runs do not look at it."""

    @model_validator(mode="before")
    @classmethod
    def _perhaps_from_inbox(cls, keys: Any) -> Any:
        return {"deliveries": (), **keys} if isinstance(keys, dict) and keys.get("nightly") else keys

    @model_validator(mode="after")
    def _something_to_read(self) -> Config:
        if not self.deliveries and not self.nightly:
            raise ValueError("deliveries: name at least one, or an inbox (nightly)")
        return self

    @field_validator("area_of_interest")
    @classmethod
    def _box(
        cls, value: tuple[float, float, float, float] | None
    ) -> tuple[float, float, float, float] | None:
        if value and not (value[0] < value[2] and value[1] < value[3]):
            raise ValueError("write west, south, east, north: west below east and south below north")
        return value

    @field_validator("layers")
    @classmethod
    def _known_layers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in LAYERS:
                raise ValueError(f"unknown layer {name!r}{did_you_mean(name, LAYERS)}")
        return value


def shipped(name: str) -> Path:
    """Return the path of a file under `configs/`, installed or in the source tree."""
    here = Path(__file__).resolve().parent
    for folder in (here / "configs", here.parent / "configs"):
        if (folder / name).is_file():
            return folder / name
    raise ConfigError("this file of geopipe's own is missing", f"configs/{name}", "Install geopipe again.")


def shipped_names(folder: str) -> tuple[str, ...]:
    """Return the names, without suffix, of the YAML files in a folder under `configs/`, sorted."""
    here = Path(__file__).resolve().parent
    for root in (here / "configs", here.parent / "configs"):
        if (root / folder).is_dir():
            return tuple(sorted(path.stem for path in (root / folder).glob("*.yaml")))
    return ()


@lru_cache(maxsize=8)
def load_vocabulary(path: Path | None = None) -> Vocabulary:
    """Read the words that are recognised without being told."""
    return load_model(path or shipped("vocabulary.yaml"), Vocabulary)


def load_config(path: Path) -> Config:
    """Read a run's configuration; relative paths in it start at its own folder.

    Raises
    ------
    ConfigError
        When the file is missing, is not YAML, or holds a key or value that is not understood.
    """
    config = load_model(path, Config)
    base = path.resolve().parent
    return config.model_copy(
        update={
            "deliveries": tuple(
                spec.model_copy(
                    update={"path": _from(base, spec.path), "profile": _profile_from(base, spec.profile)}
                )
                for spec in config.deliveries
            ),
            "workspace": _from(base, config.workspace),
            "known_pairs": _from(base, config.known_pairs or config.workspace / "pairs"),
            "output": _from(base, config.output),
            "policy": _from(base, config.policy) if config.policy else None,
            "confirmations": _from(base, config.confirmations) if config.confirmations else None,
            "places": _places_from(base, config.places),
            "nightly": _nightly_from(base, config.nightly),
        }
    )


def _from(base: Path, path: Path) -> Path:
    """Return a path from a folder, without the `..` that nobody wants to read."""
    return Path(os.path.normpath(base / path))


def _places_from(base: Path, places: PlacesSpec | None) -> PlacesSpec | None:
    return places.model_copy(update={"file": _from(base, places.file)}) if places else None


def _nightly_from(base: Path, nightly: NightlySpec | None) -> NightlySpec | None:
    """Return the nightly run's part with paths from the folder of the configuration."""
    if nightly is None:
        return None
    operators = {
        name: known.model_copy(update={"profile": _profile_from(base, known.profile)})
        for name, known in nightly.operators.items()
    }
    told = nightly.notify
    if told is not None:
        told = told.model_copy(
            update={name: _files_from(base, getattr(told, name)) for name in ("mail", "webhook")}
        )
    return nightly.model_copy(
        update={"inbox": _from(base, nightly.inbox), "operators": operators, "notify": told}
    )


def _files_from(base: Path, spec: Strict | None) -> Strict | None:
    """Return settings of which every path starts at a folder."""
    if spec is None:
        return None
    paths = {name: value for name, value in spec if isinstance(value, Path)}
    return spec.model_copy(update={name: _from(base, path) for name, path in paths.items()})


def _profile_from(base: Path, name: str | None) -> str | None:
    """Return a profile's name as it is, its path from the folder of the configuration."""
    return str(_from(base, Path(name))) if name and name.endswith((".yaml", ".yml")) else name


Model = TypeVar("Model", bound=Strict)
Keys = dict[str, Any]


def load_model(path: Path, model: type[Model], completed: Callable[[Keys], Keys] = dict) -> Model:
    """Read a YAML 1.2 file into a model, naming the line of the first fault.

    Parameters
    ----------
    path : Path
    model : type
    completed : callable
        What is done to the keys of the file before they are looked at: some come from another file.
    """
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        text = path.read_text(encoding="utf-8")
        document = _parsed(text)
    except FileNotFoundError as error:
        raise ConfigError("there is no such file", str(path), "Check the name and the folder.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file cannot be read ({error})", str(path)) from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"this is not YAML: {error.problem}", f"{path}, line {line}") from error
    except YAMLError as error:
        raise ConfigError(f"this is not YAML: {error}", str(path)) from error
    if not isinstance(document, dict):
        raise ConfigError("the file must hold `key: value` lines", str(path), "See configs/demo.yaml.")
    try:
        return model.model_validate(completed(document))
    except ValidationError as error:
        raise _explain(path, _with_lines(text), model, error) from error


def _parsed(text: str) -> Any:
    """Return what a YAML text says: by the quick parser, which reads all that people usually write."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe").load(text)
    except YAMLError:
        return _with_lines(text)


def _with_lines(text: str) -> Any:
    """Return what a YAML text says, and where: this parser takes five times as long."""
    from ruamel.yaml import YAML

    return YAML(typ="rt").load(text)


def _explain(path: Path, document: Any, model: type[BaseModel], error: ValidationError) -> ConfigError:
    """Turn the first fault that pydantic found into a sentence with file and line."""
    fault = error.errors()[0]
    keys = [part for part in fault["loc"] if isinstance(part, str | int)]
    name = ".".join(str(part) for part in keys)
    where = f"{path}, line {_line_of(document, keys)}"
    if fault["type"] == "extra_forbidden":
        known = _keys_at(model, keys)
        return ConfigError(f"unknown key {str(keys[-1])!r}{did_you_mean(str(keys[-1]), known)}", where)
    if fault["type"] == "missing":
        return ConfigError(f"the key {name!r} is missing", where)
    return ConfigError(f"{name}: {fault['msg'].removeprefix('Value error, ')}".removeprefix(": "), where)


def _line_of(document: Any, keys: list[str | int]) -> int:
    """Return the 1-based line of the deepest key that the document does have."""
    node, line = document, 1
    for key in keys:
        try:
            mark = node.lc.data.get(key) if hasattr(node, "lc") else None
            line = mark[0] + 1 if mark else line
            node = node[key]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line


def _keys_at(model: type[BaseModel], keys: list[str | int]) -> tuple[str, ...]:
    """Return the keys that were possible where an unknown one stood."""
    for key in keys[:-1]:
        if key in model.model_fields:
            model = next(_models_in(model.model_fields[str(key)].annotation), model)
    return tuple(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Give the models inside an annotation such as `tuple[DeliverySpec, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def did_you_mean(word: str, known: tuple[str, ...]) -> str:
    """Return `; did you mean 'x'?` for the nearest known word, else the list of known words."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
