"""Until when the data speak: one answer for every page, sheet and plot."""

from __future__ import annotations

import datetime as dt

import numpy as np

from geopipe.languages.texts import Texts
from geopipe.schema import Frame

_DAYS = ("date_surveyed", "date_completed", "date_of_information")


def latest_date(areas: Frame, run_day: dt.date) -> dt.date | None:
    """Return the latest date in the records, None where no record has one.

    A date after the day of the run is a fault in a record, not a cut-off.
    """
    days = (areas.numpy(name).astype("datetime64[D]") for name in _DAYS)
    known = np.concatenate([some[some <= np.datetime64(run_day)] for some in days])
    latest: dt.date | None = known.max().item() if len(known) else None
    return latest


def cut_off(latest: dt.date | None, run_day: dt.date, texts: Texts) -> str:
    """Return until when the data speak, and when they were compared, in words."""
    run = texts.date(run_day)
    if latest is None:
        return texts("no date in the records; compared on {run}", run=run)
    return texts("{day}, the latest date in the records; compared on {run}", day=texts.date(latest), run=run)
