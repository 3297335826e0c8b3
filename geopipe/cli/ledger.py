"""`geopipe ledger`: which deliveries were received, and who has not delivered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

if TYPE_CHECKING:
    from geopipe.io.ledgers.ledger import Ledger

_NIL = "nil"
_HEAD = (
    f"{'file id':8}  {'received':10}  {'period':8} {'operator':14} {'role':8} {'mode':9} "
    f"{'records':>8} {'kept':>8} {'returned':>8}  file"
)


@click.command("ledger")
@click.argument("words", metavar="[nil] [LEDGER|WORKSPACE]", nargs=-1)
@click.option("--period", metavar="YEAR-QN", help="Period that is asked about: 2026, 2026-Q1 or 2026-03.")
@click.option("--expect", metavar="NAME,...", help="With --period: operators who should have delivered.")
@click.option("--operator", metavar="NAME", help="With nil: who has nothing to report.")
@click.option("--by", metavar="NAME", help="With nil: who says so.")
@click.option("--reference", metavar="TEXT", default="", help="With nil: letter or e-mail that says so.")
@options.json_option
def ledger_command(words: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """List the deliveries that were received, and who has not delivered; write down a nil report.

    The ledger is the file register.sqlite in the workspace of a run; it only ever grows.

    \b
    Examples:
      geopipe ledger work
      geopipe ledger work --period 2026-Q1 --expect "UXO Lao,MAG,HALO"
      geopipe ledger nil work --operator MAG --period 2026-Q1 --by "Bounmy" --reference "letter 12"
    """
    from geopipe.errors import ConfigError
    from geopipe.io.ledgers.ledger import Ledger

    is_nil = words[:1] == (_NIL,)
    places = words[1:] if is_nil else words
    if len(places) > 1:
        raise ConfigError("name one ledger", remedy="See geopipe ledger --help.")
    place = Path(places[0]) if places else Path("work")
    # A nil report may come before the first run, but not into a folder that is not there.
    with Ledger.open(place) if is_nil and place.is_dir() else Ledger.existing(place) as ledger:
        told, text = _nil(ledger, given) if is_nil else _listed(ledger, given)
    if as_json:
        answer(told, "ledger-nil" if is_nil else "ledger")
    else:
        click.echo(text)


def _nil(ledger: Ledger, given: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Write down a nil report; return it as data and as a sentence."""
    import datetime as dt

    from geopipe.errors import ConfigError
    from geopipe.periods import parse_period

    for name in ("operator", "period", "by"):
        if not given[name]:
            raise ConfigError(f"a nil report needs --{name}", remedy="See geopipe ledger --help.")
    operator, period = _operator(given["operator"]), parse_period(given["period"]).name
    new = ledger.nil(operator, period, given["by"], given["reference"], dt.datetime.now(dt.UTC))
    text = f"{operator} has nothing to report for {period}: {'written down' if new else 'known already'}."
    return {"operator": operator, "period": period, "new": new}, text


def _listed(ledger: Ledger, given: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the deliveries, nil reports and missing operators as data and as text."""
    from geopipe.errors import ConfigError

    if bool(given["expect"]) != bool(given["period"]):
        raise ConfigError("--period and --expect belong together", remedy="See geopipe ledger --help.")
    told: dict[str, Any] = {"deliveries": ledger.deliveries(), "nil_reports": ledger.nil_reports()}
    lines = [_HEAD, *(_line(row) for row in told["deliveries"])]
    if not told["deliveries"]:
        lines = ["No delivery was received yet."]
    lines += [
        f"nil report: {row['operator']} for {row['period']}, by {row['by']}" for row in told["nil_reports"]
    ]
    if given["expect"]:
        expected = [_operator(name.strip()) for name in given["expect"].split(",") if name.strip()]
        told["missing"] = ledger.missing(expected, given["period"])
        missing = ", ".join(told["missing"]) or "nobody"
        lines.append(f"Has neither delivered for {given['period']} nor sent a nil report: {missing}")
    return told, "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['content_hash'][:8]:8}  {row['received_at'][:10]:10}  {row['period'] or '-':8} "
        f"{(row['operator'] or 'several')[:14]:14} {row['role'][:8]:8} {row['mode']:9} "
        f"{row['records']:>8,} {row['kept']:>8,} {row['returned']:>8,}  {row['file']}"
    )


def _operator(name: str) -> str:
    """Return the name under which an operator's deliveries are known."""
    from geopipe.config import load_vocabulary
    from geopipe.recognition import fold_tight, lookup

    return lookup(load_vocabulary().operators).get(fold_tight(name), name)
