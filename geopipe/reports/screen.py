"""The first screen: under 25 lines of short English, safety first."""

from __future__ import annotations

from typing import Any

from geopipe.plain import plain
from geopipe.terms import SETTLED_STATUSES, CaseStatus

_MOST_LINES = 24
_SHOWN_ASSUMPTIONS = 3
_SHOWN_ALARMS = 4
_SHOWN_SENDERS = 5
_SHOWN_REASONS = 3
_LONGEST_LINE = 1_000
_NEED_A_PERSON = (
    CaseStatus.NEEDS_REVIEW, CaseStatus.CORRECTED_DIFFERENTLY, CaseStatus.CHANGED_WITHOUT_DECISION,
    CaseStatus.NEW,
)  # fmt: skip


def first_screen(summary: dict[str, Any], outputs: list[str]) -> str:
    """Return the lines that a technician sees at the end of a run.

    Parameters
    ----------
    summary : dict
        As `geopipe.reports.summary.summarise` returns it.
    outputs : list of str
        Paths of what was written; the first is the one to open next.
    """
    around = [*_not_all(summary), _read(summary), *_safety(summary), *_in_doubt(summary)]
    behind = [*_hectares(summary), *_cases(summary), *_returned(summary)]
    # One line is kept for what was assumed and one for the file to open.
    overlaps = _overlaps(summary, _MOST_LINES - len(around) - len(behind) - 3)
    lines = [*around, *overlaps, *behind]
    end = (
        [f"OPEN NEXT   {outputs[0]} in QGIS" + (f"; figures in {outputs[1]}" if len(outputs) > 1 else "")]
        if outputs
        else []
    )
    room = _MOST_LINES - len(lines) - len(end)
    return "\n".join(_one_line(line) for line in (*lines, *_assumed(summary, room), *end))


def _one_line(line: str) -> str:
    """Return a line that stays one: what operators write must not look like a line of this screen."""
    flat = plain("".join(" " if sign.isspace() else sign for sign in line))
    return flat if len(flat) <= _LONGEST_LINE else f"{flat[: _LONGEST_LINE - 3]}..."


def _not_all(summary: dict[str, Any]) -> list[str]:
    """Say on top, where it is true, that something was left out."""
    balance = summary["balance"]
    files = [d["file"] for d in summary["deliveries"] if d["problems"]]
    if not files and not balance["rejected"]:
        return []
    parts = []
    if files:
        shown = ", ".join(files[:3]) + (" ..." if len(files) > 3 else "")
        parts.append(f"{len(files)} of {len(summary['deliveries'])} files not or only partly used ({shown})")
    if balance["rejected"]:
        parts.append(f"{balance['rejected']:,} of {balance['records_in']:,} records not compared")
    return [f"NOT ALL DATA COMPARED: {'; '.join(parts)}"]


def _read(summary: dict[str, Any]) -> str:
    b = summary["balance"]
    reference = f", {b['kept_as_reference']:,} points and lines" if b["kept_as_reference"] else ""
    gone = summary["not_read"]
    files = f" ({_count(len(gone), 'file')} of them not read now)" if gone else ""
    stay = f"; {_count(summary['earlier'], 'area')} of earlier deliveries stay{files}"
    earlier = stay if summary["earlier"] else ""
    return (
        f"READ        {_count(len(summary['deliveries']), 'file')}, {_count(b['records_in'], 'record')}: "
        f"{b['kept']:,} areas{reference}, {_count(b['duplicate'], 'duplicate')}, "
        f"{_count(b['superseded'], 'older version')}, {b['rejected']:,} returned{earlier}"
    )


def _safety(summary: dict[str, Any]) -> list[str]:
    alarms = summary["alarms"]
    lines = [
        f"SAFETY      {a['sentence']}: {a['count']:,}"
        + (f" ({_ha(a['area_m2'])} ha)" if a["area_m2"] else "")
        for a in alarms[:_SHOWN_ALARMS]
    ]
    rest = alarms[_SHOWN_ALARMS:]
    if rest:
        lines.append("SAFETY      " + "; ".join(f"{a['sentence']}: {a['count']:,}" for a in rest))
    lines += _gaps(summary)
    drawn, mended = summary["unresolved_hazard"], summary["mended_hazard"]
    displaced = summary["displaced_hazard"]
    absent = summary["drawn_of_earlier"]
    of_earlier = f" ({absent:,} of earlier deliveries)" if absent else ""
    only_drawn = f"{_count(drawn, 'record')} that may be hazard only drawn, not measured{of_earlier}"
    parts = [only_drawn] if drawn else []
    parts += [f"{_count(mended, 'hazard area')} mended, please confirm"] if mended else []
    parts += [f"{_count(displaced, 'hazard record')} whose place is in doubt"] if displaced else []
    if parts:
        lines.append(f"SAFETY      {'; '.join(parts)} (layer hazard_unresolved)")
    if summary["not_looked_for"]:
        lines.append(f"SAFETY      not looked for with these layers: {', '.join(summary['not_looked_for'])}")
    return lines or ["SAFETY      no alarm in the records compared; areas not shown are not thereby safe"]


def _gaps(summary: dict[str, Any]) -> list[str]:
    """Say in one line that strips of hazard lie between released land."""
    gaps = summary["gaps"]
    if gaps is None or not gaps["in_hazard"]:
        return []
    of_two = gaps["in_hazard_between_operators"]
    parts = f", {of_two:,} of them between two operators" if of_two else ""
    closed = f", {gaps['in_closed_hazard']:,} in hazard called closed" if gaps["in_closed_hazard"] else ""
    return [
        f"SAFETY      {_count(gaps['in_hazard'], 'strip')} of hazard up to "
        f"{summary['policy']['gaps']['width_m']:g} m wide between released land, "
        f"{gaps['ground_m2']:,.0f} m2{parts}{closed} (layer gaps)"
    ]


def _cases(summary: dict[str, Any]) -> list[str]:
    """Say in one line how the cases of the register stand, what needs a person first."""
    cases = summary.get("cases")
    if not cases:
        return []
    counts = cases["by_status"]
    urgent = [name for name in _NEED_A_PERSON if name in counts]
    shown = [*urgent, *(name for name in sorted(counts) if name not in (*urgent, *SETTLED_STATUSES))]
    parts = ", ".join(f"{counts[name]:,} {name.replace('_', ' ')}" for name in shown)
    over = cases["all"] - cases["open"]
    behind = f"; {over:,} over" if over else ""
    return [f"CASES       {cases['open']:,} open{': ' + parts if parts else ''}{behind} (geopipe cases list)"]


def _in_doubt(summary: dict[str, Any]) -> list[str]:
    """Say in one line that coordinates could be read otherwise, if a person confirms it."""
    doubts = [(d["file"], p) for d in summary["deliveries"] for p in d["proposals"]]
    if not doubts:
        return []
    shown = [f"{file}: {p['correction'] or p['code']} for {_count(p['records'], 'record')}"
             for file, p in doubts]  # fmt: skip
    more = f" and {len(shown) - 2} more" if len(shown) > 2 else ""
    return [f"CONFIRM     {'; '.join(shown[:2])}{more} (see geopipe confirm FILE)"]


def _overlaps(summary: dict[str, Any], room: int) -> list[str]:
    """Show counts, then the largest overlaps as far as there is room, then the very thin ones."""
    between, within = (summary["overlaps"][name] for name in ("between_operators", "within_operators"))
    balance = summary["balance"]
    among = f"among {balance['kept']:,} of {balance['records_in']:,} records"
    inside = f"; {within['counted']:,} within one operator" if within["counted"] else ""
    if not between["pairs"]:
        return [f"OVERLAPS    no overlaps between operators {among}{inside}"]
    listed = between["pairs"] - between["counted"]
    more = f", {listed:,} more only listed" if listed else ""
    kinds = sorted(between["by_finding"].items(), key=lambda item: -item[1]["pairs"])
    lines = [
        f"OVERLAPS    {between['counted']:,} between operators, {_ha(between['counted_m2'])} ha pair by pair"
        f"{more}{inside}, {among}",
        "            " + ", ".join(f"{code} {item['pairs']:,}" for code, item in kinds[:4]),
    ]
    largest = [
        f"            {_record(item, 'left')} x {_record(item, 'right')}: {item['area_m2']:,.0f} m2, "
        f"{_width(item['width_m'])} wide{', ' + item['province'] if item['province'] else ''}"
        for item in between["largest"]
    ]
    return [*lines, *largest[: max(1, room - len(lines) - 1)], _very_thin(summary)]


def _very_thin(summary: dict[str, Any]) -> str:
    thin = summary["overlaps"]["between_operators"]["very_thin"]
    policy = summary["policy"]
    limits = policy["very_thin"]
    state = (
        "no tolerance is in force: nothing is left out"
        if policy["why_no_tolerance"]
        else f"a tolerance is in force: {policy['reference']}"
    )
    return (
        f"VERY THIN   {thin['below_area']:,} of them below {limits['area_m2']:g} m2, {thin['below_width']:,} "
        f"narrower than {limits['width_m']:g} m ({state})"
    )


def _hectares(summary: dict[str, Any]) -> list[str]:
    """One line per kind; what kinds have in common is not double counting and not shown here."""
    kinds = [(name, item) for name, item in summary["areas"].items() if name.isupper()]
    lines = [
        f"{'HECTARES' if number == 0 else '':<12}{name:<10}{_ha(item['reported_m2']):>12} reported"
        f"{_ha(item['counted_twice_m2']):>12} counted twice{_ha(item['covered_m2']):>12} ground covered"
        for number, (name, item) in enumerate(kinds)
    ]
    return lines or [
        "HECTARES    none: no record says that it is hazard or released land (use --kind or --kind-field)"
    ]


def _returned(summary: dict[str, Any]) -> list[str]:
    """Name the senders to whom most goes back, the folder of the files for them, and the reasons."""
    back = summary.get("returns", {})
    if back is None:
        return _returned_without_files(summary)
    most = sorted(back.items(), key=lambda item: (-item[1]["returned"], -item[1]["questioned"], item[0]))
    if not most:
        return []
    who = ", ".join(f"{name} {_of_sender(item)}" for name, item in most[:_SHOWN_SENDERS])
    more = f" and {len(most) - _SHOWN_SENDERS} more" if len(most) > _SHOWN_SENDERS else ""
    return [f"RETURN      {who}{more} (returned + questioned; files in return/){_reasons(summary)}"]


def _returned_without_files(summary: dict[str, Any]) -> list[str]:
    """Say how many records of whom are returned by a result of some layers only."""
    most = sorted(summary["returned"].items(), key=lambda item: (-item[1], item[0]))
    who = ", ".join(f"{name} {count:,}" for name, count in most[:_SHOWN_SENDERS])
    more = f" and {len(most) - _SHOWN_SENDERS} more" if len(most) > _SHOWN_SENDERS else ""
    where = "no files for senders: they come with the layers findings and rejected"
    return [f"RETURN      {who}{more} ({where}){_reasons(summary)}"] if most else []


def _reasons(summary: dict[str, Any]) -> str:
    """Say why most records are returned, behind what was said already."""
    reasons = sorted(summary["reasons"].items(), key=lambda item: (-item[1], item[0]))
    why = ", ".join(f"{code} {count:,}" for code, count in reasons[:_SHOWN_REASONS])
    return f": {why}" if why else ""


def _of_sender(item: dict[str, Any]) -> str:
    """Say how many records of one sender are returned, and about how many more something is asked."""
    if item["returned"] or item["questioned"]:
        return f"{item['returned']:,}+{item['questioned']:,}"
    return "(a whole file or layer)"


def _assumed(summary: dict[str, Any], room: int) -> list[str]:
    told = [sentence for delivery in summary["deliveries"] for sentence in delivery["assumptions"]]
    most = max(1, min(_SHOWN_ASSUMPTIONS, room))
    shown = told if len(told) <= most else told[: max(1, most - 1)]
    lines = [f"{'ASSUMED' if number == 0 else '':<12}{sentence}" for number, sentence in enumerate(shown)]
    if len(told) > len(shown):
        lines.append(f"            and {len(told) - len(shown)} more (summary.json)")
    return lines


def _record(item: dict[str, Any], side: str) -> str:
    """Name a record for people: operator and the operator's own id."""
    return f"{item[f'{side}_operator']} {item[f'{side}_id'].split(':', 2)[2]}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _ha(m2: float) -> str:
    hectares = m2 / 10_000
    return f"{hectares:,.2f}" if hectares < 100 else f"{hectares:,.0f}"


def _width(metres: float) -> str:
    return f"{metres:,.0f} m" if metres >= 10 else f"{metres:.2f} m"
