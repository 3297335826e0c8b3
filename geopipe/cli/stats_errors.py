"""`geopipe stats errors`: error data and its progress per operator, code and quarter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

if TYPE_CHECKING:
    from geopipe.register.errorstats import Row

_HEADS = ("before", "backlog", "opened", "reopened", "corrected", "accepted", "outstanding")


@click.command("errors")
@options.workspace_option
@click.option(
    "--quarter", metavar="YEAR-QN", help="Quarter that is asked about.  [default: that of the last run]"
)
@click.option(
    "--by", metavar="NAME,...", default="operator,code", show_default=True,
    help="A line for each operator, code, quarter, or several of them; with quarter, for every quarter.",
)  # fmt: skip
@click.option(
    "--csv", "csv_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Write the table to a CSV file as well.",
)  # fmt: skip
@options.json_option
def errors_command(
    workspace: Path, quarter: str | None, by: str, csv_file: Path | None, as_json: bool
) -> None:
    """Count findings: opened, corrected, outstanding, and since when.

    Counted are findings that somebody must correct or explain, records that went back, and files that could
    not be used; notes are not. before + backlog + opened + reopened - corrected - accepted = outstanding.
    Corrected is only what was read again: what an operator did not deliver stays outstanding.

    \b
    Examples:
      geopipe stats errors -w work
      geopipe stats errors -w work --by operator,quarter --csv errors.csv
    """
    import datetime as dt

    from geopipe.errors import ConfigError
    from geopipe.io.store import write_text
    from geopipe.periods import parse_period
    from geopipe.register.errorstats import BY, error_rows, quarter_of, quarters
    from geopipe.register.findingfiles import findings_of
    from geopipe.register.register import Register

    columns = tuple(name.strip() for name in by.split(",") if name.strip())
    for name in columns:
        if name not in BY:
            raise ConfigError(f"--by: there is no {name!r}", remedy=f"Known are {', '.join(BY)}.")
    with Register.existing(workspace) as register:
        findings, days = findings_of(register), register.ask("SELECT max(day) FROM runs")
    if not days[0][0]:
        raise ConfigError("nothing has run here yet", str(workspace), "geopipe run makes the first run.")
    last_day = dt.date.fromisoformat(days[0][0])
    if quarter:
        when = [parse_period(quarter)]
    else:
        when = quarters(findings, last_day) if "quarter" in columns else [quarter_of(last_day)]
    rows = error_rows(findings, when, columns, last_day)
    plain = [row.as_dict(columns) for row in rows]
    if csv_file is not None:
        write_text(csv_file, _as_csv(plain, columns))
        click.echo(f"written: {csv_file}", err=True)
    names = [period.name for period in when]
    if as_json:
        told = {"quarters": names, "last_run": last_day.isoformat(), "rows": plain}
        answer(told)
        return
    said = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    click.echo(f"Error data, {said}; last run {last_day}")
    click.echo("\n".join(_table(rows, columns, is_one_quarter=len(names) == 1)))


def _table(rows: Sequence[Row], columns: Sequence[str], *, is_one_quarter: bool) -> list[str]:
    from geopipe.register.errorstats import total

    if not rows:
        return ["No findings."]
    widths = [
        max(len(name), *(len(row.labels[at] or "not known") for row in rows))
        for at, name in enumerate(columns)
    ]
    if widths:
        widths[0] = max(widths[0], len("together"))
    labels = [" ".join(f"{name:{width}}" for name, width in zip(columns, widths, strict=True))]
    lines = [f"{labels[0]} {' '.join(f'{name:>11}' for name in _HEADS)}  oldest"]
    for row in rows:
        texts = [text or "not known" for text in row.labels]
        label = " ".join(f"{text:{width}}" for text, width in zip(texts, widths, strict=True))
        figures = " ".join(f"{row.counts[name]:>11,}" for name in _HEADS)
        oldest = f"{row.oldest} ({row.oldest_days} days)" if row.oldest else "-"
        lines.append(f"{label} {figures}  {oldest}")
    if columns and is_one_quarter:
        sums = total(rows)
        figures = " ".join(f"{sums[name]:>11,}" for name in _HEADS)
        lines.append(f"{'together':{len(labels[0])}} {figures}")
    return lines


def _as_csv(rows: Sequence[dict[str, object]], columns: Sequence[str]) -> str:
    import csv
    import io

    text = io.StringIO()
    # Excel takes a file for UTF-8 only when it begins with this mark.
    text.write("\ufeff")
    writer = csv.DictWriter(text, [*columns, *_HEADS, "oldest", "oldest_days"])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
