"""What came out of making a run again, as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Row = Mapping[str, Any]
_SHOWN = 12
_RESULTS = {
    "identical": "IDENTICAL: every published file came out the same, byte for byte",
    "agrees": "AGREES: all rows and figures are the same, to 1e-6 where numbers were computed",
    "differs": "DIFFERS",
    "partly": "SAME AS FAR AS IT CAN BE COMPARED",
}


def reproduced_lines(told: Row) -> Iterator[str]:
    """Yield the result, see `reproduce`."""
    yield f"RUN         {told['run']} of {told['day']} ({told['folder']})"
    yield f"RESULT      {_RESULTS[told['result']]}"
    yield f"DELIVERIES  {len(told['deliveries'])}, all found by their hashes"
    yield "REGISTER    as it was before this run"
    others = told["versions"]
    yield f"VERSIONS    {'as they were' if not others else 'others now: only 1e-6 can be expected'}"
    yield from (
        f"            {item['name']} {_short(item['then'])} -> {_short(item['now'])}" for item in others
    )
    for note in told["notes"]:
        yield f"NOTE        {note}"
    for text in told["not_compared"]:
        yield f"NOT LOOKED  {text}"
    for item in told["layers"]:
        if not item["same"]:
            yield from _layer(item)
    for item in told["figures"][:_SHOWN]:
        yield f"FIGURE      {item['figure']}: {item['then']} -> {item['now']}"
    if len(told["figures"]) > _SHOWN:
        yield f"            and {len(told['figures']) - _SHOWN} more (--json has all)"
    if told["files"]:
        yield f"FILES       other bytes: {', '.join(told['files'][:_SHOWN])}"
    if told["made"]:
        yield f"MADE        {told['made']}"


def _short(version: str) -> str:
    return version[:12] or "not installed"


def _layer(item: Row) -> Iterator[str]:
    rows = f"{item['rows_then']:,} rows then, {item['rows_now']:,} now"
    only = f"; {item['only_then']:,} only then, {item['only_now']:,} only now"
    yield f"LAYER       {item['layer']}: {rows}{only}"
    if item["columns"]:
        told = ", ".join(f"{name} in {count:,}" for name, count in item["columns"].items())
        yield f"            other values: {told}"
    yield from (f"            for example {text}" for text in item["examples"])
