"""What a command answers with --json: plain values that name their schema and its version.

The schemas are files in `geopipe/contracts`, one for each command that can answer so: `geopipe cases list
--json` names `cases-list.v1`, which is `cases-list.v1.schema.json`. An answer for which its schema is not
true needs a new version of it.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import click

from geopipe.contracts import newest_schema


def answer(value: Any, name: str = "") -> None:
    """Print plain values as JSON; dates in ISO form.

    Parameters
    ----------
    value : dict or list
        A list becomes the `rows` of an object. What names its schema already keeps it.
    name : str, optional
        Of the schema, without version; the words of the command that runs, if it is not given.
    """
    told = value if isinstance(value, dict) else {"rows": value}
    if "schema" not in told:
        told = {"schema": newest_schema(name or "-".join(_words())), **told}
    click.echo(json.dumps(told, ensure_ascii=False, indent=1, default=_plain))


def _words() -> list[str]:
    """Return the words of the command that runs, without the name of the program: that may be any."""
    context, words = click.get_current_context(), []
    while context.parent is not None:
        words.append(context.info_name or "")
        context = context.parent
    return words[::-1]


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
