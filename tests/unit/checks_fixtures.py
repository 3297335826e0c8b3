"""Areas and points as the checks see them, and what the checks say about them."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import shapely
from make import LAOS, ORIGIN, POLICY, Area, findings, make_features, placed, square

from geopipe.config import load_vocabulary
from geopipe.schema import FEATURES, LayerCount, make_frame
from geopipe.stages.check import check
from geopipe.terms import CountMethod

TODAY = dt.date(2026, 6, 1)
SURVEY, COMPLETION, REPORT = dt.date(2021, 3, 1), dt.date(2022, 3, 1), dt.date(2022, 4, 1)


def good(ground=None, kind="CHA", id="1", **more):
    """A record that says all that its kind must say."""
    ground = square() if ground is None else ground
    said = {"informed": REPORT, "status": "open" if kind in ("CHA", "SHA") else "closed"}
    if kind in ("CLEARED", "REDUCED", "CANCELLED"):
        said["completed"] = COMPLETION
    else:
        said["surveyed"] = SURVEY
    if kind == "CLEARED":
        said["depth"] = 25.0
    return Area(ground, kind=kind, id=id, **{**said, **more})


def having(state, **columns):
    """The same areas with other columns, each one value per record."""
    kinds = {name: FEATURES.field(name).type for name in columns}
    values = {name: pa.array(given, kinds[name]) for name, given in columns.items()}
    return replace(state, features=state.features.with_columns(values))


def point(east=50.0, north=50.0, type="UXO found", id="P-1", **more):
    """One point in metres from ORIGIN, as columns."""
    at = shapely.Point(ORIGIN[0] + east, ORIGIN[1] + north)
    return {"point_type": type, "source_id": id, "geometry": at, **more}


def with_points(state, *points):
    """The same areas beside points and lines of the operator MAG."""
    names = sorted({name for one in points for name in one if name != "geometry"})
    columns = {name: pa.array([one.get(name) for one in points], FEATURES.field(name).type) for name in names}
    ids = [one["source_id"] for one in points]
    fixed = {
        "record_id": [f"MAG:unknown:{own}" for own in ids],
        "row_id": [f"p{row}" for row in range(len(points))],
        "version_id": [repr(sorted(one.items(), key=str)) for one in points],
        "id_is_delivered": pa.array([True] * len(points)),
        "row": list(range(1, len(points) + 1)),
        "file": "points.geojson",
        "layer": "points",
        "operator": "MAG",
        "kind": "UNKNOWN",
        "register": "unknown",
        "attributes": "{}",
    }
    places = make_places([one["geometry"] for one in points])
    return replace(state, reference=make_frame(FEATURES, {**fixed, **columns}, places))


def make_places(shapes):
    places = np.empty(len(shapes), dtype=object)
    places[:] = shapes
    return places


def checked(state, policy=POLICY, today=TODAY):
    """What the checks add to what was told before."""
    before = len(state.findings)
    done = check(state, policy, load_vocabulary(), today)
    assert without_keys(done.features).equals(without_keys(state.features))
    assert done.features.geometry is state.features.geometry
    assert done.reference is state.reference
    return replace(done, findings=done.findings.take(np.arange(before, len(done.findings))))


def without_keys(areas):
    return areas.table.drop_columns(["shape_key"]).whole()


def told(*records, **options):
    """Codes of what is told about valid areas, without wishes for more columns."""
    return codes_of(checked(make_features(*records), **options))


def codes_of(state):
    return sorted(row["code"] for row in findings(state) if row["code"] != "FIELD_WANTED")


def only(state, code):
    """The one finding with this code."""
    (found,) = findings(state, code)
    return found


def delivered_and_placed(*records, crs=LAOS):
    """Areas through validation and reprojection: what is invalid there has been mended."""
    return placed(*records, crs=crs)


def with_rules(**changes):
    return POLICY.model_copy(update={"checks": POLICY.checks.model_copy(update=changes)})


def with_layer(state, records, driver="GPKG", **more):
    """The same state, delivered in one layer of so many records."""
    count = LayerCount("areas", LAOS, records, records, CountMethod.EXACT)
    delivery = replace(state.deliveries[0], layers=(count,), driver=driver, **more)
    return replace(state, deliveries=(delivery,))
