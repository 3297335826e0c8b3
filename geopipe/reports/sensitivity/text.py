"""The table of sensitivity as text under 100 columns, and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from geopipe.errors import OutputError
from geopipe.reports.policywords import NEVER_WORDS, in_force_words
from geopipe.reports.sensitivity.table import ALL, Row, Sensitivity
from geopipe.reports.sensitivity.units import OWN_AREA, PAIR, PART, SITE
from geopipe.tolerance import Never

_COLUMNS, _LABEL, _COLUMN = 98, 38, 10
_BASES = {
    PART: "parts of overlaps",
    PAIR: "pairs of records",
    SITE: "sites, all their overlaps together",
    OWN_AREA: "sites that overlap, their own area",
}
_OPERATORS = {"other": "two operators", "same": "one operator"}
_SQUARE_METRES = 10_000


def text_of(found: Sensitivity) -> str:
    """Return the table for people."""
    sections = (_head, _by_area, _by_width, _both, _never, _accuracy, _foot)
    return "\n\n".join("\n".join(section(found)) for section in sections)


def write_csv(found: Sensitivity, path: Path) -> None:
    """Write every row of the table; an empty limit is no limit. Areas in m2, widths in m.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    rows = [_flat(row) for row in found.rows]
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise OutputError(f"the file cannot be written ({error})", str(path)) from error


def _flat(row: Row) -> dict[str, Any]:
    because = {f"never_{reason}": row.never_because.get(reason, 0) for reason in Never}
    return {**{key: value for key, value in vars(row).items() if key != "never_because"}, **because}


def _head(found: Sensitivity) -> Iterator[str]:
    yield "SENSITIVITY  What a tolerance would accept. This table changes nothing."
    among = (
        f", among {found.balance['kept']:,} of {found.balance['records_in']:,} records"
        if found.balance
        else ""
    )
    yield f"OVERLAPS     {found.cases:,}, {_ha(found.area_m2)} ha pair by pair{among}"
    yield f"             {found.notes:,} more are notes only (an expected release, a task): not in this table"
    if found.points is None:
        yield "POINTS       not in this result: finds inside are not known, no tolerance may accept any"
    else:
        yield f"POINTS       {found.points:,} that may be finds, accidents or evidence"


def _by_area(found: Sensitivity) -> Iterator[str]:
    limits = found.policy.sensitivity.areas_m2
    yield _line("SMALLER THAN", ["all", *(f"{limit:g} m2" for limit in limits)])
    for kinds, operators in found.groups:
        table = {
            basis: [found.row(kinds, operators, basis, limit, None) for limit in (None, *limits)]
            for basis in _BASES
        }
        yield from _block(kinds, operators, table, f"none smaller than {limits[-1]:g} m2")


def _by_width(found: Sensitivity) -> Iterator[str]:
    limits = found.policy.sensitivity.widths_m
    yield _line("NARROWER THAN", ["all", *(f"{limit:g} m" for limit in limits)])
    for kinds, operators in found.groups:
        table = {
            basis: [found.row(kinds, operators, basis, None, limit) for limit in (None, *limits)]
            for basis in (PART, PAIR, SITE)
        }
        yield from _block(kinds, operators, table, f"none narrower than {limits[-1]:g} m")


def _block(kinds: str, operators: str, table: Mapping[str, Sequence[Row]], none: str) -> Iterator[str]:
    """Give the lines of one pair of kinds; one line where nothing lies under any limit."""
    if not any(row.count for rows in table.values() for row in rows[1:]):
        yield f"{_group(kinds, operators)}: {table[PAIR][0].count:,} overlaps, {none}"
        return
    yield _group(kinds, operators)
    for basis, rows in table.items():
        yield _line(f"  {_BASES[basis]}", [f"{row.count:,}" for row in rows])
        if basis == PAIR:
            yield _line("    hectares", [_ha(row.area_m2) for row in rows])


def _both(found: Sensitivity) -> Iterator[str]:
    areas, widths = found.policy.sensitivity.areas_m2, found.policy.sensitivity.widths_m
    yield _line("BOTH: PAIRS SMALLER AND NARROWER THAN", ["any", *(f"{limit:g} m" for limit in widths)])
    for area in areas:
        rows = [found.row(ALL, ALL, PAIR, area, width) for width in (None, *widths)]
        yield _line(f"  {area:g} m2", [f"{row.count:,}" for row in rows])


def _never(found: Sensitivity) -> Iterator[str]:
    limits = found.policy.sensitivity.areas_m2
    rows = [found.row(ALL, ALL, PAIR, limit, None) for limit in (None, *limits)]
    yield _line("NO TOLERANCE MAY ACCEPT (PAIRS)", ["all", *(f"<{limit:g} m2" for limit in limits)])
    for reason in Never:
        if rows[0].never_because.get(reason):
            counts = [f"{row.never_because.get(reason, 0):,}" for row in rows]
            yield _line(f"  {NEVER_WORDS[reason]}", counts)
    yield _line("  for one of the reasons", [f"{row.never:,}" for row in rows])
    yield _line("  all others", [f"{row.count - row.never:,}" for row in rows])


def _accuracy(found: Sensitivity) -> Iterator[str]:
    limits = found.policy.sensitivity.areas_m2
    rows = [found.row(ALL, ALL, PAIR, limit, None) for limit in (None, *limits)]
    accuracy_m = found.policy.survey_accuracy_m
    yield _line("SMALLER THAN SURVEY ACCURACY (PAIRS)", ["all", *(f"<{limit:g} m2" for limit in limits)])
    yield _line(f"  mean width at most {accuracy_m:g} m", [f"{row.below_accuracy:,}" for row in rows])
    for item in found.rounding:
        yield f"Rounding to {item.decimals} decimals of a degree can put two copies of one border"
        yield (
            f"{item.apart_m:.2f} m apart: {item.area_m2:,.1f} m2 along {item.edge_m:g} m. "
            f"{item.no_wider or 0:,} of {found.cases:,} overlaps are no wider."
        )


def _foot(found: Sensitivity) -> Iterator[str]:
    yield "Width is the largest circle that fits (to 1 %); mean width is area / half of the perimeter."
    yield "A site is one record; it stands under every pair of kinds in which it overlaps. Ground that three"
    yield "records share is in three pairs here; in the hectares of geopipe it is counted once."
    policy = found.policy
    if policy.tolerances:
        accepts = "would accept" if found.why_not_in_force else "accepts"
        how_many = f"{found.would_accept:,} overlaps ({_ha(found.would_accept_m2)} ha)"
        yield f"The tolerance of {policy.name} {accepts} {how_many} of these."
    yield from wrap(in_force_words(policy, found.why_not_in_force), _COLUMNS)


def _group(kinds: str, operators: str) -> str:
    name = "All overlaps" if kinds == ALL else kinds
    return name if operators == ALL else f"{name}, {_OPERATORS[operators]}"


def _line(label: str, values: Sequence[str]) -> str:
    return label.ljust(_LABEL) + "".join(value.rjust(_COLUMN) for value in values)


def _ha(area_m2: float) -> str:
    hectares = area_m2 / _SQUARE_METRES
    return f"{hectares:,.4f}" if hectares < 10 else f"{hectares:,.2f}"
