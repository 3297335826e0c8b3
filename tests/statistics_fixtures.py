"""Hectares of records made in code, with decisions, and a register that keeps published quarters."""

import datetime as dt
from math import fsum

import numpy as np
import pyarrow as pa
import shapely
from make import POLICY, make_features, polygon

from geopipe.register.case import Case, Decision, Side, Sighting
from geopipe.stages.overlaps import overlaps
from geopipe.statistics.ground import ground_of_classes
from geopipe.statistics.rows import rows_by
from geopipe.statistics.treatments import treatments_of
from geopipe.terms import CaseStatus, Choice

NOW = dt.datetime(2024, 7, 1, tzinfo=dt.UTC)


class Counted:
    """Records whose ground was counted; records are named by their own ids."""

    def __init__(self, *records, treatments=None, land_use=None):
        self.state = overlaps(make_features(*records), POLICY)
        self.areas = self.state.features
        if land_use is not None:
            self.areas = self.areas.with_columns({"land_use": pa.array(land_use, pa.string())})
        ids = self.areas.table["source_id"].to_pylist()
        self.row_id = dict(zip(ids, self.areas.table["row_id"].to_pylist(), strict=True))
        self.treatments = treatments(self) if treatments else {}
        self.grounds = list(ground_of_classes(self.areas, self.state.overlaps, self.treatments))

    def rows(self, *by):
        return rows_by(self.areas, self.grounds, by, POLICY.full_depth_cm)

    def row(self, ground, **labels):
        """The one row of a class of ground with these labels."""
        found = [
            row for row in self.rows(*labels) if (row.ground, row.labels) == (ground, tuple(labels.values()))
        ]
        assert len(found) == 1, (ground, labels, found)
        return found[0]

    def reconciled(self, ground, by):
        """Label -> reconciled m2, rows without ground left out."""
        return {
            row.labels[0]: round(row.reconciled_m2, 6)
            for row in self.rows(by)
            if row.ground == ground and row.reconciled_m2
        }


def closes(row):
    """Say whether a row closes exactly, and agrees with its faces."""
    rest = fsum([row.reported_m2, row.moved_m2, -row.agreed_m2, -row.undecided_m2])
    return rest == row.reconciled_m2 and abs(row.covered_m2 - rest) <= 1e-9 * max(row.reported_m2, rest)


def add_up(rows, total):
    """Say whether rows add up to their total in every figure."""
    names = ("records", "reported_m2", "moved_m2", "undecided_m2", "agreed_m2", "reconciled_m2", "covered_m2")
    own = [row for row in rows if row.ground == total.ground]
    return all(
        abs(fsum(getattr(row, name) for row in own) - getattr(total, name)) <= 1e-9 * total.reported_m2
        for name in names
    )


def random_polygon(random):
    """A convex polygon of up to 160 m, somewhere on 300 by 300 m."""
    points = random.uniform(0, 300, 2) + random.uniform(-80, 80, (random.integers(4, 12), 2))
    return shapely.convex_hull(polygon(*np.asarray(points).tolist()))


def a_case(counted, a, b, choice, confirmed=True, status=CaseStatus.DECIDED, present=True):
    """A case of two records, decided."""
    sides = [Side(_columns(counted, name), shapely.Polygon()) for name in (a, b)]
    sighting = Sighting(1, 1, *sides, {}, shapely.Polygon(), counted.state.working_crs)
    decision = choice and Decision("d1", "c1", Choice(choice), confirmed, "TWG", 1, None)
    return Case(
        case_id="c1", number=None, status=status, present=present, first_seen=NOW, last_seen=NOW,
        sighting=sighting, events=(), decision=decision,
    )  # fmt: skip


def _columns(counted, name):
    rows = counted.areas.table.select(["source_id", "version_id", "record_id"]).to_pylist()
    return next(row for row in rows if row["source_id"] == name)


def decided(a, b, choice, **more):
    """Treatments that follow from one decided case."""
    return lambda counted: treatments_of([a_case(counted, a, b, choice, **more)], counted.areas)


def all_decided(counted):
    """Every overlap was accepted: its ground is counted once."""
    from geopipe.statistics.treatments import COUNTED_ONCE

    pairs = counted.state.overlaps.table.select(["left_row_id", "right_row_id"]).to_pylist()
    return {frozenset(pair.values()): COUNTED_ONCE for pair in pairs}


class FakeRegister:
    """A register that holds published quarters and cases in memory."""

    def __init__(self):
        self.kept = {}
        self.known = []

    def published_quarter(self, quarter):
        return self.kept.get(quarter, {}).get("rows", [])

    def publish_quarter(self, quarter, rows, by, reference, at):
        self.kept[quarter] = {"rows": list(rows), "by": by, "reference": reference, "at": at}

    def cases(self):
        return self.known

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None
