"""Files of settings: YAML read into a strict model, its first fault told; those that geopipe brings along.

A configuration error names the file and the line, and guesses what was meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from geopipe.errors import ConfigError


class Strict(BaseModel):
    """Base of all configuration models: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known are {', '.join(known)}" if known else ""
