"""A trace as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
_SHOWN = 40
# Steps of an operation that say nothing to people.
_NO_NEWS = ("unknown", "axis order change (2D)")
_HOW = {"duplicate": "duplicate of", "superseded": "superseded by"}


def trace_lines(told: Row) -> Iterator[str]:
    """Yield a trace, see `trace`."""
    if len(told["meant"]) > 1:
        yield f"{told['name']} may mean {len(told['meant'])} things. Say which one:"
        yield from (f'  geopipe trace "{item["say"]}"    {item["told"]}' for item in told["meant"])
        return
    if told["case"]:
        yield from _case_lines(told["case"])
    for number, record in enumerate(told["records"]):
        if told["case"]:
            yield ""
            yield f"--- record {'AB'[number]}"
        yield from _record_lines(record, skip_case=told["case"] and told["case"]["case_id"])


def _case_lines(case: Row) -> Iterator[str]:
    yield f"CASE        {case['case']} ({case['case_id']}): {_words(case['status'])}"
    yield f"            A {case['a']} ({case['a_id']})"
    yield f"            B {case['b']} ({case['b_id']})"
    yield f"            {_pair(case)}{'' if case['present'] else '; not in the data now'}"
    yield f"            first seen {case['first_seen']}, last seen {case['last_seen']}"
    yield from _labelled("DECISIONS", _decisions(case), "none yet")
    yield from _labelled("EVENTS", (event["told"] for event in case["events"]), "none")


def _decisions(case: Row) -> Iterator[str]:
    for item in case["decisions"]:
        history = "" if item["in_force"] else " [history]"
        yield f"{str(item['at'])[:10]} {item['told']}; by {item['by']}{history}"


def _record_lines(told: Row, skip_case: str) -> Iterator[str]:
    about = told["record"]
    name = about["record_id"] or f"{about['operator']} {about['source_id']} (returned rows only)"
    yield f"RECORD      {name}"
    guid = f", GUID {about['guid']}" if about["guid"] else ""
    own = f"own id {about['source_id']}" if about["id_is_delivered"] else "no id of its own"
    who, kind = about["operator"] or "operator unknown", about["kind"] or "no area"
    yield f"            {who}, {own}, {kind}{guid}"
    yield from _labelled("NOW", _standing(told["runs"][-1]), "not in the newest run")
    yield from _labelled("DELIVERED", _deliveries(told["deliveries"]), "never as an area that could be read")
    yield from _labelled("CHANGED", (_change(item) for item in told["changes"]), "")
    yield from _labelled("STANDS FOR", (_set_aside(item) for item in told["stands_for"]), "")
    yield from _labelled("RELEASED", (_left(item) for item in told["left_by_releases"]), "")
    yield from _labelled("FINDINGS", _findings(told["findings"], about["record_id"]), "none")
    yield from _labelled("OVERLAPS", (_overlap(item) for item in told["overlaps"]), "none in the newest run")
    others = [case for case in told["cases"] if case["case_id"] != skip_case]
    yield from _labelled("CASES", _cases(others, about["record_id"]), "" if skip_case else "none")
    yield from _labelled("GIVEN UP", (_given_up(item) for item in told["given_up"]), "")
    yield from _labelled("RUNS", _runs(told["runs"]), "none")


def _standing(run: Row) -> Iterator[str]:
    """Yield how a record stands in a run."""
    where = f"run {run['run']} of {run['day']}"
    if not run["is_kept"]:
        yield f"{where}: its folder is not kept any longer"
    for item in run["stands"]:
        yield f"{where}: {_stand(item)}"


def _stand(item: Row) -> str:
    how = item["stands_as"]
    # A record of an earlier delivery: another file of this name may have other rows by now.
    row = "of an earlier delivery" if item["row"] is None else f"row {item['row']}"
    at = f"{item['file']}, layer {item['layer']}, {row}"
    if how in _HOW:
        return _set_aside(item, of=True)
    if "reason" in item:
        return f"{how}: {item['reason']} ({at}). {item['sentence']}"
    area = f", {item['area_m2']:,.1f} m2" if item["area_m2"] is not None else ""
    correction = f", coordinates corrected: {item['correction']}" if item["correction"] else ""
    kept = ", the last version of an earlier delivery, carried on" if item["is_carried_on"] else ""
    return f"{how}{kept}{area}{correction} ({at})"


def _set_aside(item: Row, *, of: bool = False) -> str:
    other = item["of_record_id"] if of else item["record_id"]
    how = _HOW[item["outcome"]] if of else item["outcome"]
    iou = f", common ground {item['iou']:.1%}" if item["iou"] is not None else ""
    return f"{how} {other} ({_words(item['how'])}{iou}): {item['sentence']}"


def _deliveries(deliveries: Sequence[Row]) -> Iterator[str]:
    for item in deliveries:
        period = f", for {item['period']}" if item["period"] else ""
        at = item["received_at"][:16].replace("T", " ")
        again = "the same bytes, read again, " if item["is_read_again"] else ""
        yield f"{at} {item['file']} ({item['mode']}{period}): {again}{_what(item['change'])}"
        place = f"filed {item['filed']}" if item["filed"] else "not filed here"
        yield f"  sha256 {item['sha256'][:16]}, {place}; first in {item['first_run']}"
        for row in item["rows"]:
            yield from _row(row)


def _what(change: Row) -> str:
    if change["what"] != "changed":
        return {"first": "first delivery of this record", "unchanged": "unchanged"}[change["what"]]
    parts = [_words(name) for name in change["columns"]] + (["its ground"] if change["geometry"] else [])
    return f"changed: {', '.join(parts) or 'columns that are not compared'}"


def _row(row: Row) -> Iterator[str]:
    yield f"  layer {row['layer']}, row {row['row']}, version {row['version_id']} ({row['row_id']})"
    read = "" if row["stated_crs"] == row["read_as_crs"] else f", read as {row['read_as_crs']}"
    corrected = f", corrected: {row['correction']}" if row["correction"] else ""
    stated = row["stated_crs"] or "of no stated system"
    yield f"    coordinates {stated}{read}{corrected}{_operation(row['operation'])}"
    mended = [f"shape: {row['geometry_problem']}"] if row["geometry_problem"] else []
    if row["closure_error_m"] is not None:
        mended.append(f"closure error {row['closure_error_m']:.2f} m")
    mended += [row["points_note"]] if row["points_note"] else []
    place = ", ".join(filter(None, (row["province_located"], row["district_located"])))
    stated = ", ".join(filter(None, (row["province_stated"], row["district_stated"])))
    where = f"lies in {place}" if place else "lies outside every known district"
    yield f"    {where}" + (f" (stated: {stated})" if stated else "")
    area = f", stated {row['area_stated_m2']:,.0f} m2" if row["area_stated_m2"] is not None else ""
    yield f"    {row['kind']}, status {row['status']}, {row['area_m2']:,.1f} m2{area}{_dates(row)}"
    if mended:
        yield f"    {'; '.join(mended)}"


def _operation(operation: Row | None) -> str:
    if operation is None:
        return ""
    accuracy = operation["accuracy_m"]
    near = "accuracy not known" if accuracy is None else f"accuracy {accuracy:g} m"
    steps = [step for step in operation["name"].split(" + ") if step not in _NO_NEWS]
    return f"; {' + '.join(steps) or 'to the working CRS, the same datum'}, {near}"


def _dates(row: Row) -> str:
    names = ("date_started", "date_surveyed", "date_completed", "date_of_information")
    return "".join(
        f", {name.removeprefix('date_').replace('_', ' ')} {row[name]}" for name in names if row[name]
    )


def _change(item: Row) -> str:
    ids = [item["previous_id"], item["current_id"]]
    between = ids[0] if ids[0] == ids[1] else " -> ".join(str(name) for name in ids if name)
    ground = [
        f"{word} {item[name]:,.1f} m2"
        for word, name in (("lost", "lost_m2"), ("gained", "gained_m2"))
        if item[name]
    ]
    said = "; ".join(filter(None, [_words(item["change"]), item["attributes_changed"], *ground]))
    return f"{item['day']} run {item['run']}: {between}: {said}"


def _left(item: Row) -> str:
    return (
        f"{item['released_m2']:,.1f} of {item['area_m2']:,.1f} m2 by {item['releases']} releases "
        f"({item['releases_in_doubt']} in doubt); {item['remaining_m2']:,.1f} m2 remain"
    )


def _findings(findings: Sequence[Row], record_id: str | None) -> Iterator[str]:
    for item in findings:
        other = f" (with {item['other_id']})" if item["other_id"] not in (None, record_id) else ""
        yield f"{item['code']} {item['severity']}, {item['status']}{other}: {item['sentence']}"
        life = [f"{event['day']} {event['status']}" + (f" by {event['by']}" if event["run"] is None else "")
                + (f" ({event['cause']})" if event["cause"] else "") for event in item["events"]]  # fmt: skip
        yield f"  {item['finding_id'][:12]}: {'; '.join(life)}"


def _overlap(item: Row) -> str:
    other = f"{item['other_id']} ({item['other_operator']} {item['other_kind']})"
    return f"{other}: {_pair(item)}, {item['share']:.1%} of it"


def _pair(item: Row) -> str:
    width = f", {item['width_m']:,.2f} m wide" if item["width_m"] is not None else ""
    what = f"{_words(item['finding'])} ({item['severity']})"
    return f"{what}, {item['area_m2']:,.2f} m2{width}, {item['confidence']}"


def _cases(cases: Sequence[Row], record_id: str | None) -> Iterator[str]:
    for case in cases:
        other = case["b"] if case["a_id"] == record_id else case["a"]
        gone = "" if case["present"] else "; not in the data now"
        yield f"{case['case']} ({_words(case['status'])}) with {other}: {_pair(case)}{gone}"
        yield from (f"  {line}" for line in _decisions(case))
        yield from (f"  {event['told']}" for event in case["events"])


def _given_up(item: Row) -> str:
    paper = f"{item['meeting']} {item['item']}".strip()
    what = f"{item['area_m2']:,.1f} m2 of version {item['version_id']}: {_words(item['cause'])}"
    return f"{what}; {paper}, by {item['by']}, {item['at'][:10]}"


def _runs(runs: Sequence[Row]) -> Iterator[str]:
    """Yield how a record stood, runs in which nothing changed in one line."""
    same: list[Row] = []
    for run in runs:
        if same and _key(run) != _key(same[-1]):
            yield _span(same)
            same = []
        same.append(run)
    if same:
        yield _span(same)


def _key(run: Row) -> tuple[Any, ...]:
    names = ("stands_as", "version_id", "is_carried_on", "of_record_id", "reason")
    return run["is_kept"], [[item.get(name) for name in names] for item in run["stands"]]


def _span(runs: Sequence[Row]) -> str:
    first, last = runs[0], runs[-1]
    when = f"run {first['run']} ({first['day']})"
    if len(runs) > 1:
        when = f"runs {first['run']} to {last['run']} ({first['day']} to {last['day']})"
    if not first["is_kept"]:
        return f"{when}: folder not kept any longer"
    return f"{when}: {'; '.join(_short(item) for item in first['stands']) or 'not in it'}"


def _short(item: Row) -> str:
    how = item["stands_as"]
    if how in _HOW:
        return f"{_HOW[how]} {item['of_record_id']}"
    if "reason" in item:
        return f"{how}: {item['reason']}"
    return f"{how} (carried on)" if item["is_carried_on"] else how


def _labelled(label: str, lines: Iterable[str], none: str) -> Iterator[str]:
    """Yield lines behind a label, so many as a person reads; `none` where there are none."""
    found = list(lines) or ([none] if none else [])
    for number, line in enumerate(found[:_SHOWN]):
        yield f"{'' if number else label:12}{line}"
    if len(found) > _SHOWN:
        yield f"{'':12}and {len(found) - _SHOWN} more lines (--json has all)"


def _words(text: str | None) -> str:
    return str(text or "").replace("_", " ")
