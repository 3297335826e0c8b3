"""Cases with decisions, for records made in code."""

import datetime as dt

import numpy as np
import shapely
from make import LAOS

from geopipe.crs import WGS84, choose_operation, transform
from geopipe.overlay import shared_ground
from geopipe.register.case import Case, Decision, Reference, Side, Sighting
from geopipe.register.rows import RECORD_COLUMNS, plain
from geopipe.terms import CaseStatus, Choice

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
MINUTES = Reference("R-1", "TWG", dt.date(2026, 3, 1), "4")


def in_lonlat(line, crs=LAOS):
    """A geometry of the working CRS in WGS 84."""
    return transform(np.array([line], dtype=object), choose_operation(crs, WGS84)[0])[0]


def side_of(features, row):
    """A record as a case knows it."""
    columns = features.take(np.array([row])).table.select(list(RECORD_COLUMNS)).to_pylist()[0]
    return Side({name: plain(value) for name, value in columns.items()}, features.geometry[row])


def decided(features, a, b, choice, number=1, crs=LAOS, status=CaseStatus.DECIDED, **more):
    """The case of two rows of FEATURES with a confirmed decision; `more` goes to the decision."""
    rows = np.array([0]), np.array([1])
    ground = shared_ground(features.geometry[[a, b]], *rows, 1e-6).geometry
    shared = ground[0] if len(ground) else shapely.Polygon()
    sighting = Sighting(1, 1, side_of(features, a), side_of(features, b), {}, shared, crs)
    given = {"reference": MINUTES, "confirmed": True, "level": "TWG", **more}
    if (line := given.pop("line", None)) is not None:
        given["line_wgs84"] = in_lonlat(line, crs)
    decision = Decision(f"D-{number}", f"case-{number:05}", Choice(choice), sighting=1, **given)
    name = f"OC-{number:05}"
    return Case(
        case_id=decision.case_id, number=name, status=status, present=True, first_seen=NOW, last_seen=NOW,
        sighting=sighting, events=(), decision=decision,
    )  # fmt: skip
