"""The tables of the register, version by version; rows are only ever added."""

from __future__ import annotations

_APPEND_ONLY = """
CREATE TRIGGER {table}_keeps_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the register is append-only'); END;
"""


def _append_only(*tables: str) -> str:
    """Return the triggers that refuse to change or remove a row."""
    return "".join(
        _APPEND_ONLY.format(table=table, verb=verb) for table in tables for verb in ("UPDATE", "DELETE")
    )


_DELIVERIES = """
CREATE TABLE receipts (
    number INTEGER PRIMARY KEY, run TEXT NOT NULL, received_at TEXT NOT NULL, carried_sha256 TEXT
);
CREATE TABLE deliveries (
    content_hash TEXT PRIMARY KEY, receipt INTEGER NOT NULL REFERENCES receipts, file TEXT NOT NULL
);
CREATE TABLE readings (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL,
    content_hash TEXT NOT NULL REFERENCES deliveries, receipt INTEGER NOT NULL REFERENCES receipts,
    operator TEXT NOT NULL, role TEXT NOT NULL, mode TEXT NOT NULL, period TEXT NOT NULL,
    period_from TEXT, period_to TEXT, records_in INTEGER NOT NULL, records_kept INTEGER NOT NULL,
    records_returned INTEGER NOT NULL, frame_sha256 TEXT NOT NULL
);
CREATE TABLE holdings (
    key TEXT NOT NULL, operator TEXT NOT NULL, register TEXT NOT NULL,
    role TEXT NOT NULL, records INTEGER NOT NULL, PRIMARY KEY (key, operator, register, role)
);
CREATE TABLE counts (
    key TEXT NOT NULL, operator TEXT NOT NULL, records_kept INTEGER NOT NULL,
    records_returned INTEGER NOT NULL, PRIMARY KEY (key, operator)
);
CREATE TABLE members (
    receipt INTEGER NOT NULL REFERENCES receipts, content_hash TEXT NOT NULL REFERENCES deliveries,
    PRIMARY KEY (receipt, content_hash)
);
CREATE TABLE nil_reports (
    operator TEXT NOT NULL, period TEXT NOT NULL, reported_by TEXT NOT NULL, reference TEXT NOT NULL,
    recorded_at TEXT NOT NULL, PRIMARY KEY (operator, period)
);
"""
# Columns called `columns` and `data` are JSON; geometries are WKB. `versions` are records as runs have seen
# them, each content once; `sightings` pairs of them: with their shared ground, or, where `present` is 0,
# records of a case that share none now (what they shared last stands in it). The status of a case is that of
# its last event; `sighting` is the overlap as it was looked at then.
_CASES = """
CREATE TABLE facts (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, value TEXT NOT NULL, recorded_at TEXT NOT NULL
);
CREATE TABLE policies (
    policy_hash TEXT PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, effective_from TEXT,
    reference TEXT, content TEXT NOT NULL, recorded_at TEXT NOT NULL
);
CREATE TABLE runs (
    number INTEGER PRIMARY KEY, started_at TEXT NOT NULL, day TEXT NOT NULL,
    policy_hash TEXT NOT NULL REFERENCES policies, working_crs TEXT NOT NULL, geopipe TEXT NOT NULL
);
CREATE TABLE publications (
    run INTEGER PRIMARY KEY REFERENCES runs, folder TEXT NOT NULL, files TEXT NOT NULL, summary TEXT NOT NULL
);
CREATE TABLE cases (
    case_id TEXT PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs
);
CREATE TABLE case_numbers (
    case_id TEXT NOT NULL REFERENCES cases, number TEXT NOT NULL UNIQUE, provisional INTEGER NOT NULL,
    given_at TEXT NOT NULL, PRIMARY KEY (case_id, provisional)
);
CREATE TABLE versions (
    version TEXT PRIMARY KEY, working_crs TEXT NOT NULL, columns TEXT NOT NULL, geometry BLOB NOT NULL
);
CREATE TABLE sightings (
    number INTEGER PRIMARY KEY, case_id TEXT NOT NULL REFERENCES cases,
    run INTEGER NOT NULL REFERENCES runs, present INTEGER NOT NULL,
    a_version TEXT NOT NULL REFERENCES versions, b_version TEXT NOT NULL REFERENCES versions,
    columns TEXT NOT NULL, geometry BLOB, working_crs TEXT NOT NULL
);
CREATE INDEX sightings_of_case ON sightings (case_id, number);
CREATE TABLE events (
    number INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, case_id TEXT NOT NULL REFERENCES cases,
    at TEXT NOT NULL, author TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, cause TEXT NOT NULL,
    data TEXT NOT NULL, run INTEGER REFERENCES runs, sighting INTEGER REFERENCES sightings
);
CREATE INDEX events_of_case ON events (case_id, number);
CREATE TABLE papers (
    reference_id TEXT PRIMARY KEY, meeting TEXT NOT NULL, held_on TEXT, item TEXT NOT NULL,
    file_name TEXT NOT NULL, file_sha256 TEXT NOT NULL, minutes BLOB, recorded_by TEXT NOT NULL,
    recorded_at TEXT NOT NULL
);
CREATE TABLE decisions (
    decision_id TEXT PRIMARY KEY, event_id TEXT NOT NULL REFERENCES events (event_id),
    case_id TEXT NOT NULL REFERENCES cases, choice TEXT NOT NULL, confirmed INTEGER NOT NULL,
    level TEXT NOT NULL, sighting INTEGER NOT NULL REFERENCES sightings,
    reference_id TEXT REFERENCES papers, line_wgs84 BLOB, shrinks_hazard INTEGER NOT NULL,
    grows_released INTEGER NOT NULL, responsible TEXT NOT NULL, due TEXT, note TEXT NOT NULL,
    made_by TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX decisions_of_case ON decisions (case_id);
CREATE TABLE positions (
    position_id TEXT PRIMARY KEY, event_id TEXT NOT NULL REFERENCES events (event_id),
    case_id TEXT NOT NULL REFERENCES cases, operator TEXT NOT NULL, answer TEXT NOT NULL,
    comment TEXT NOT NULL, evidence TEXT NOT NULL, name TEXT NOT NULL, said_on TEXT, at TEXT NOT NULL
);
CREATE INDEX positions_of_case ON positions (case_id);
CREATE TABLE given_up (
    number INTEGER PRIMARY KEY, version_id TEXT NOT NULL, record_id TEXT NOT NULL,
    working_crs TEXT NOT NULL, geometry BLOB NOT NULL, cause TEXT NOT NULL,
    reference_id TEXT NOT NULL REFERENCES papers, given_by TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE findings (
    finding_id TEXT PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs, code TEXT NOT NULL,
    operator TEXT NOT NULL, columns TEXT NOT NULL
);
CREATE TABLE finding_events (
    number INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE,
    finding_id TEXT NOT NULL REFERENCES findings, at TEXT NOT NULL, day TEXT NOT NULL,
    author TEXT NOT NULL, status TEXT NOT NULL, cause TEXT NOT NULL, run INTEGER REFERENCES runs,
    measure REAL
);
CREATE INDEX events_of_finding ON finding_events (finding_id, number);
CREATE TABLE reported_figures (
    number INTEGER PRIMARY KEY, operator TEXT NOT NULL, month TEXT NOT NULL, province TEXT NOT NULL,
    kind TEXT NOT NULL, area_ha REAL, source TEXT NOT NULL, recorded_by TEXT NOT NULL,
    recorded_at TEXT NOT NULL
);
CREATE TABLE published_quarters (
    number INTEGER PRIMARY KEY, quarter TEXT NOT NULL, row TEXT NOT NULL, published_by TEXT NOT NULL,
    reference TEXT NOT NULL, at TEXT NOT NULL
);
INSERT INTO facts
    SELECT 1, 'register', lower(hex(randomblob(16))), strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now');
"""
# Records that could not be used, but may be hazard: what the run of a receipt drew of them.
_DRAWN = """
CREATE TABLE drawn (
    receipt INTEGER PRIMARY KEY REFERENCES receipts, records INTEGER NOT NULL, unresolved_sha256 TEXT NOT NULL
);
"""

# Script n brings a register of version n to version n + 1; a new one runs through all of them.
SCRIPTS = (
    _DELIVERIES
    + _append_only("receipts", "deliveries", "readings", "holdings", "counts", "members", "nil_reports"),
    _CASES
    + _append_only(
        "facts", "policies", "runs", "publications", "cases", "case_numbers", "versions", "sightings",
        "events", "papers", "decisions", "positions", "given_up", "findings", "finding_events",
        "reported_figures", "published_quarters",
    ),
    _DRAWN + _append_only("drawn"),
)  # fmt: skip
