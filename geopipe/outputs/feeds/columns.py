"""The allow-list of the feeds: every table and column that may leave, with type, unit and meaning.

What does not stand here is not exported. No free text and nothing about a person stands here: place names are
those of the shipped boundaries, never what somebody wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from geopipe.languages.texts import message
from geopipe.terms import CaseStatus, Choice, Confidence, Kind, Relation, Severity, Status

WGS84_NAME = "WGS 84 (EPSG:4326), degrees"
_CHARGED = (Kind.CHA, Kind.SHA, Kind.CLEARED, Kind.REDUCED, Kind.CANCELLED)
_ORDERS = ("a_first", "b_first", "unknown")


class Type(StrEnum):
    """What the values of a column are; dates are ISO 8601 days."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    GEOMETRY = "geometry"


@dataclass(frozen=True)
class Column:
    """A column: its values, and what they mean. `allowed` lists all possible values, if there are few."""

    name: str
    type: Type
    meaning: str
    unit: str = ""
    crs: str = ""
    allowed: tuple[str, ...] = ()
    required: bool = False


def _text(name: str, meaning: str, allowed: Sequence[str] = (), *, required: bool = False) -> Column:
    return Column(name, Type.TEXT, meaning, allowed=tuple(map(str, allowed)), required=required)


def _count(name: str, meaning: str) -> Column:
    return Column(name, Type.INTEGER, meaning, "1", required=True)


def _day(name: str, meaning: str) -> Column:
    return Column(name, Type.DATE, meaning)


def _yes(name: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name, Type.BOOLEAN, meaning, required=required)


def _areas(name: str, meaning: str) -> tuple[Column, Column]:
    """Return a column in m2 and the same in ha."""
    columns = (Column(f"{name}_{unit}", Type.NUMBER, meaning, unit, required=True) for unit in ("m2", "ha"))
    return next(columns), next(columns)


def _measure(name: str, meaning: str, unit: str) -> Column:
    return Column(name, Type.NUMBER, meaning, unit)


# In every table, so that the rows of several runs can stand below each other.
ALWAYS = (
    _text("run", message("The run of geopipe that these figures come from."), required=True),
    _day("data_cut_off", message("Latest date in the records that were read.")),
    _text("notice", message("What must be shown with these data."), required=True),
)
_PLACE = (
    _text("province_pcode", message("P-code of the province; empty outside the known provinces.")),
    _text("province", message("English name of the province.")),
    _text("district_pcode", message("P-code of the district; empty where the list of codes lacks it.")),
    _text("district", message("English name of the district.")),
)
_POINT = (
    Column("longitude", Type.NUMBER, message("Longitude of a point inside."), "degree", WGS84_NAME),
    Column("latitude", Type.NUMBER, message("Latitude of a point inside."), "degree", WGS84_NAME),
)
_WHO = (
    _text("operator", message("The operator, or 'shared between operators'."), required=True),
    _yes("is_shared", message("Whether several operators report this ground.")),
)
_KIND = _text(
    "kind",
    message("What was found or done: suspected or confirmed hazard; cleared, reduced or cancelled land."),
    _CHARGED,
    required=True,
)
_WHEN = (
    Column("year", Type.INTEGER, message("Year of the survey (hazard) or completion (released land).")),
    _text("quarter", message("Quarter of it, as 2026-Q1; empty where no date is known.")),
    _day("quarter_start", message("First day of the quarter.")),
    _day("quarter_end", message("Last day of the quarter.")),
)
_PROVISIONAL = _yes(
    "is_provisional", message("Whether overlaps in this row are not decided yet: the figures may change.")
)
_HECTARES = (
    _count("records", message("How many records.")),
    *_areas("reported", message("Area of all records together, as their polygons have it.")),
    *_areas("with_others", message("What stands in the row of several operators instead, as reported.")),
    *_areas("undecided", message("Ground counted twice that nobody has decided about yet.")),
    *_areas("agreed", message("Ground counted twice that a confirmed decision deducts.")),
    *_areas("counted_twice", message("Undecided and agreed together.")),
    *_areas("covered", message("Ground covered: each square metre once within its kind.")),
    _PROVISIONAL,
)
_DEPTHS = (
    *_areas("covered", message("Ground covered: each square metre once within its kind.")),
    *_areas("full_depth", message("Part of it that was cleared to the full depth of the policy.")),
    *_areas("surface_only", message("Part of it that was cleared to less.")),
    *_areas("depth_unknown", message("Part of it whose clearance depth nobody stated.")),
    *_areas("cleared_again_same_operator", message("Part of it that one operator cleared more than once.")),
    *_areas("cleared_again_other_operator", message("Part of it that several operators cleared.")),
    *_areas("in_progress", message("Part of it where work goes on.")),
    _PROVISIONAL,
)
_RECORD = (
    _text(
        "record_id", message("Id of the record: operator, register and the operator's own id."), required=True
    ),
    _text("own_id", message("The operator's own id.")),
    _text("operator", message("The operator of the record.")),
    _text("kind", message("What the record says about its ground."), [*Kind], required=True),
)
_OVERLAP = (
    _text("relation", message("How the two polygons lie to each other."), [*Relation]),
    _text("finding", message("What the overlap means; the words are those of the policy."), required=True),
    _text("severity", message("How much it matters."), [*Severity], required=True),
    _yes("counted", message("Whether it counts as a conflict or alarm, or is only listed.")),
    _text("time_order", message("Which record came first."), _ORDERS),
    *_areas("area", message("Ground that both records share.")),
    _measure("width_m", message("Diameter of the largest circle inside."), "m"),
    _measure("mean_width_m", message("Area divided by length."), "m"),
    _text("confidence", message("How well the area is established."), [*Confidence]),
)


def _side(name: str) -> tuple[Column, ...]:
    return (
        _text(f"{name}_record_id", message("Id of the record."), required=True),
        _text(f"{name}_operator", message("The operator of the record.")),
        _text(f"{name}_kind", message("What the record says about its ground."), [*Kind], required=True),
        _day(f"{name}_date", message("Survey of hazard, completion of released land.")),
        _measure(f"{name}_share", message("Share of the record's area that overlaps, 0 to 1."), "1"),
    )


@dataclass(frozen=True)
class Table:
    """A table: what a row is, and its columns. `is_map` says that there is a GeoParquet file of it, too."""

    name: str
    meaning: str
    own: tuple[Column, ...]
    is_map: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, in their order."""
        return (*self.own, *ALWAYS)

    @property
    def schema(self) -> str:
        """The name and version of the schema of its JSON file."""
        return f"feed-{self.name.replace('_', '-')}.v1"


@lru_cache(maxsize=1)
def tables() -> Mapping[str, Table]:
    """Return all tables by name, in the order in which people need them."""
    return {table.name: table for table in _TABLES}


_TABLES = (
    Table(
        "who_what_where_when",
        message("Hectares by operator, kind, district and quarter: who did what, where and when."),
        (*_WHO, _KIND, *_PLACE, *_WHEN, *_HECTARES),
    ),
    Table("totals", message("Hectares of all operators by kind."), (_KIND, *_HECTARES)),
    Table(
        "clearance",
        message("How cleared land was cleared, by operator, district and quarter."),
        (*_WHO, *_PLACE, *_WHEN, *_DEPTHS),
    ),
    Table(
        "deliveries",
        message("What each operator delivered, and what became of its records."),
        (
            _text("operator", message("The operator who delivered, or should have."), required=True),
            _text(
                "state",
                message(
                    "Whether it delivered; missing: it should have; not_read: an earlier delivery counts."
                ),
                ("received", "missing", "not_read"),
                required=True,
            ),
            _count("records_in", message("Records that were received.")),
            _count("kept", message("Records whose areas are in these data.")),
            _count("reference", message("Points and lines, which are kept as reference.")),
            _count("duplicates", message("Records that say the same as another one.")),
            _count("older_versions", message("Older versions of records.")),
            _count("returned", message("Records returned for correction: they are not in these data.")),
            _day("newest_date", message("Latest date in the operator's records.")),
        ),
    ),
    Table(
        "areas",
        message("Hazard, released land and other reported areas, a row for each record."),
        (
            *_RECORD,
            _text("status", message("Land status, as IMSMA's base terms."), [*Status]),
            _text(
                "role",
                message("Whose copy of the record it is."),
                ("operator", "national_database", "reference"),
            ),
            _day("date_surveyed", message("Day of the survey.")),
            _day("date_completed", message("Day of completion.")),
            _day("date_of_information", message("Day of the information.")),
            _measure("clearance_depth_cm", message("Depth to which the area was cleared."), "cm"),
            *_PLACE,
            *_POINT,
            *_areas("area", message("Area of the polygon.")),
        ),
        is_map=True,
    ),
    Table(
        "hazard_unresolved",
        message(
            "Possible hazard whose polygon could not be used as it was delivered: show it with the areas."
        ),
        (
            _text("own_id", message("The operator's own id.")),
            _text("operator", message("The operator of the record.")),
            _text("kind", message("What the record says about its ground."), [*Kind]),
            _text("reason", message("Why, as a code of the catalogue of findings."), required=True),
            _yes("vanished", message("Whether the newest delivery does not hold the record any more.")),
            *_PLACE,
            *_POINT,
        ),
        is_map=True,
    ),
    Table(
        "overlaps",
        message("Pairs of records that share ground."),
        (*_side("a"), *_side("b"), *_OVERLAP, *_PLACE, *_POINT),
        is_map=True,
    ),
    Table(
        "cases",
        message("Overlaps that are followed until they are settled."),
        (
            _text("case_id", message("Id of the case; it never changes."), required=True),
            _text("number", message("Number of the case, as people say it.")),
            _text("status", message("Where the case stands."), [*CaseStatus], required=True),
            _yes("is_open", message("Whether somebody still has to look at it.")),
            _yes("present", message("Whether the overlap is in the data now.")),
            _day("first_seen", message("Day of the run that found it first.")),
            _day("last_seen", message("Day of the run that saw it last, where it is gone.")),
            *_side("a"),
            *_side("b"),
            *_OVERLAP,
            _text("decision", message("What was decided by signed minutes; empty before."), [*Choice]),
            *_PLACE,
            *_POINT,
        ),
        is_map=True,
    ),
    Table(
        "places",
        message("Provinces and districts with their P-codes."),
        (
            _text("level", message("Province or district."), ("province", "district"), required=True),
            _text("pcode", message("P-code; empty where the list of codes lacks it.")),
            _text("parent_pcode", message("P-code of the province of a district.")),
            _text("name_en", message("English name."), required=True),
            _text("name_lo", message("Lao name; empty where it is not known.")),
        ),
    ),
)
