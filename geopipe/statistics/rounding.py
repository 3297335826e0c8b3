"""What rounding leaves: the rows of a table, rounded one by one, against its rounded total."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from geopipe.statistics.rows import M2_PER_HA, Row

COLUMNS = ("reported_m2", "moved_m2", "undecided_m2", "agreed_m2", "reconciled_m2")


def shown_ha(m2: float, decimals: int) -> Decimal:
    """Return an area in ha exactly as a page shows it."""
    return Decimal(f"{m2 / M2_PER_HA:.{decimals}f}") + 0  # never "-0.00"


def rounding_rests_ha(
    rows: Sequence[Row], totals: Sequence[Row], decimals: int
) -> dict[tuple[str, str], Decimal]:
    """Return by class of ground and column what the rounded rows add up to beyond the rounded total, in ha.

    Rows and total that agree are left out.
    """
    rests = {}
    for total in totals:
        own = [row for row in rows if row.ground == total.ground]
        for column in COLUMNS if own else ():
            added = sum((shown_ha(getattr(row, column), decimals) for row in own), Decimal(0))
            rest = added - shown_ha(getattr(total, column), decimals)
            if rest:
                rests[total.ground, column] = rest
    return rests
