"""Draft the schema of an answer from samples of it; a person then makes it as wide as the answer can be.

    geopipe cases list --json > sample.json
    python tests/draft_schema.py sample.json [more.json ...] > geopipe/contracts/cases-list.v1.schema.json

Objects whose keys are data (names of operators, codes) are named by their path: --map rows[].counts
With --feeds the schemas of the feeds are written from their columns; with --lock new versions enter the lock.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

from geopipe.contracts import schema_names, schema_text
from geopipe.outputs.feeds.columns import tables
from geopipe.outputs.feeds.dictionary import dictionary_schema, schema_of

CONTRACTS = Path(__file__).resolve().parents[1] / "geopipe" / "contracts"
LOCK = CONTRACTS / "versions.lock"

_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def draft(samples, maps=()):
    """Return a schema for which all samples are valid."""
    name = samples[0]["schema"]
    schema = _of(samples, "", frozenset(maps))
    schema["properties"]["schema"] = {"const": name}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:geopipe:schema:{name}"}
    return head | schema


def _of(values, path, maps):
    objects = [value for value in values if isinstance(value, dict)]
    arrays = [value for value in values if isinstance(value, list)]
    types = {_TYPES[type(value)] for value in values if not isinstance(value, dict | list)}
    if "number" in types:
        types.discard("integer")
    types |= {"object"} if objects else set()
    types |= {"array"} if arrays else set()
    if not types or types == {"null"}:
        return {}  # nothing is known: whatever it may be
    schema = {"type": sorted(types)[0] if len(types) == 1 else sorted(types)}
    if arrays:
        schema["items"] = _of([item for array in arrays for item in array], f"{path}[]", maps)
    return schema | (_object(objects, path, maps) if objects else {})


def _object(objects, path, maps):
    if path in maps or not any(objects):
        inner = [value for item in objects for value in item.values()]
        return {"additionalProperties": _of(inner, f"{path}.*", maps)} if inner else {}
    names = list(dict.fromkeys(name for item in objects for name in item))
    return {
        "properties": {
            name: _of([item[name] for item in objects if name in item], f"{path}.{name}".lstrip("."), maps)
            for name in names
        },
        "required": [name for name in names if all(name in item for item in objects)],
        "additionalProperties": False,
    }


def as_text(schema):
    """Return a schema as its file holds it."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def feed_schemas():
    """Return the schemas of the feeds by name, made from their columns."""
    made = {table.schema: schema_of(table) for table in tables().values()}
    return made | {"feed-dictionary.v1": dictionary_schema()}


def hash_of(name):
    """Return the hash of a schema by its name with version."""
    return hashlib.sha256(schema_text(name).encode()).hexdigest()


def locked():
    """Return the hashes of all versions that are locked."""
    lines = LOCK.read_text(encoding="utf-8").splitlines() if LOCK.is_file() else []
    return {name: digest for digest, name in (line.split() for line in lines)}


def lock():
    """Enter new versions into the lock; those that are there stay as they are."""
    entries = {name: hash_of(name) for name in schema_names()} | locked()
    LOCK.write_text("".join(f"{entries[name]} {name}\n" for name in sorted(entries)), encoding="utf-8")


def main():
    """Print the schema of the samples."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", nargs="*", type=Path)
    parser.add_argument("--map", action="append", default=[], help="path of an object whose keys are data")
    parser.add_argument("--feeds", action="store_true", help="write the schemas of the feeds")
    parser.add_argument("--lock", action="store_true", help="enter new versions into the lock")
    given = parser.parse_args()
    for name, schema in feed_schemas().items() if given.feeds else ():
        (CONTRACTS / f"{name}.schema.json").write_text(as_text(schema), encoding="utf-8")
    if given.lock:
        lock()
    if not given.samples:
        return
    samples = [json.loads(path.read_text(encoding="utf-8")) for path in given.samples]
    sys.stdout.write(as_text(draft(samples, given.map)))


if __name__ == "__main__":
    main()
