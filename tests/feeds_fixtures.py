"""Feeds of a run with a register whose records say things that no spreadsheet must believe."""

import csv
import io
import json

from workbook_register import workspace_in

from geopipe.outputs.feeds.make import write_feeds
from geopipe.outputs.feeds.material import gather

TABLES = (
    "who_what_where_when", "totals", "clearance", "deliveries", "areas", "hazard_unresolved", "overlaps",
    "cases", "places",
)  # fmt: skip


def write(place, folder, operator=None, expected=()):
    """Write the feeds of a run; return the folder."""
    write_feeds(gather(place / "out", place / "work", operator, expected), folder)
    return folder


def csv_rows(path):
    """Return the rows of a CSV file as dicts of text."""
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def json_rows(path):
    return json.loads(path.read_text(encoding="utf-8"))["rows"]


__all__ = ["TABLES", "csv_rows", "json_rows", "workspace_in", "write"]
