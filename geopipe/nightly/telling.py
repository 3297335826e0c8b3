"""The digest as text of one page, as a page of HTML, as JSON, and as figures only."""

from __future__ import annotations

import json
import textwrap
from html import escape

from geopipe.contracts import newest_schema
from geopipe.nightly.digest import Digest, Section
from geopipe.nightly.wording import Facts

_WIDTH = 96
# Lines of a page; what does not fit is counted, and stands in the HTML.
_ROOM = {"alarms": 12, "person": 16, "cases": 7, "deliveries": 12, "errors": 6, "map": 6}
_COUNTED = {
    "new_alarms": "new alarms", "standing_alarms": "alarms that stand", "for_a_person": "points for a person",
    "opened": "cases opened", "finished": "cases finished", "reopened": "cases reopened",
    "open_cases": "cases open", "received": "deliveries received", "again": "deliveries that came again",
    "waiting": "files waiting in the inbox", "overdue": "operators overdue",
    "not_taken": "things in the inbox that could not be taken", "files_read": "files in the run",
    "files_not_read": "files not or only partly used", "records": "records",
    "hazard_off_map": "hazard areas of files not read that are not on the map",
    "records_returned": "records returned for correction",
}  # fmt: skip
_STYLE = """
body{font:15px/1.45 system-ui,"Noto Sans","Noto Sans Lao",sans-serif;margin:2rem auto;max-width:52rem;
padding:0 1rem;color:#1b1b1b;background:#fff}
h1{font-size:1.15rem;margin:0 0 .4rem}
h2{font-size:.85rem;letter-spacing:.05em;margin:1.4rem 0 .3rem;color:#444}
p.head{font-size:1.05rem;padding:.7rem .9rem;margin:.6rem 0;
border-left:.4rem solid #5a6b7b;background:#f2f4f6}
.failed p.head,.not_all_read p.head{border-color:#a4161a;background:#fbeaea}
.attention p.head{border-color:#b26a00;background:#fdf3e3}
ul{margin:0;padding-left:1.2rem}li{margin:.15rem 0;overflow-wrap:anywhere}
.alarms li.new{font-weight:600;color:#a4161a}
"""


def as_text(digest: Digest) -> str:
    """Return the digest as text, at most a page; each section says how much it had to leave out."""
    lines = [digest.title, "=" * len(digest.title), *textwrap.wrap(digest.headline, _WIDTH)]
    for section in digest.sections:
        lines += ["", section.title, *_shown(section)]
    return "\n".join(lines) + "\n"


def _shown(section: Section) -> list[str]:
    """Return as many lines of a section as there is room for, whole ones."""
    room = _ROOM[section.key]
    shown: list[str] = []
    for number, line in enumerate(section.lines):
        wrapped = textwrap.wrap(
            line, _WIDTH, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False
        )
        is_last = number == len(section.lines) - 1
        if len(shown) + len(wrapped) > room - (0 if is_last else 1) and shown:
            return [*shown, f"  and {len(section.lines) - number} more (digest.html)"]
        shown += wrapped
    return shown


def as_html(digest: Digest) -> str:
    """Return the digest as HTML that needs nothing beside it; all that others wrote is escaped."""
    body = "".join(_section(section) for section in digest.sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(digest.title)}</title><style>{_STYLE}</style></head>"
        f'<body class="{escape(digest.level)}"><h1>{escape(digest.title)}</h1>'
        f'<p class="head">{escape(digest.headline)}</p>{body}</body></html>\n'
    )


def _section(section: Section) -> str:
    items = "".join(
        f"<li{' class=new' if line.startswith(('NEW', 'NOT ON')) else ''}>{escape(line)}</li>"
        for line in section.lines
    )
    return f'<h2>{escape(section.title)}</h2><ul class="{section.key}">{items}</ul>'


def as_json(digest: Digest, facts: Facts) -> str:
    """Return the digest and the facts behind it as JSON."""
    told = {
        "schema": newest_schema("digest"),
        "title": digest.title,
        "headline": digest.headline,
        "level": digest.level,
        "counts": dict(digest.counts),
        "sections": {section.key: list(section.lines) for section in digest.sections},
        "facts": dict(facts),
    }
    return json.dumps(told, ensure_ascii=False, indent=1, default=str) + "\n"


def subject(digest: Digest) -> str:
    """Return the subject of a message: figures only."""
    words = {
        "failed": "THE RUN FAILED", "not_all_read": "NOT EVERYTHING WAS READ", "attention": "please look",
        "calm": "nothing for a person",
    }  # fmt: skip
    alarms = f", {digest.counts['new_alarms']} new alarms" if digest.counts["new_alarms"] else ""
    return f"{digest.title}: {words[digest.level]}{alarms}"


def as_counts(digest: Digest) -> str:
    """Return the digest as figures, without the name of any operator, file, record or case."""
    figures = (f"{number:>8,}  {_COUNTED[name]}" for name, number in digest.counts.items() if number)
    where = "The whole digest is on the server: digest.html in the output folder, or geopipe status."
    return "\n".join([subject(digest), "", *figures, "", where]) + "\n"
