"""The first pages of a pack: the cover, and the figures of the run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from math import fsum

from geopipe.casework.facts import is_open
from geopipe.languages.texts import Texts, message
from geopipe.languages.words import GROUNDS, KINDS
from geopipe.outputs.pack.blocks import Block, heading, paragraph, plot, row, table, warning
from geopipe.outputs.pack.material import Material
from geopipe.outputs.pack.wording import LINE, alarm, day, shown
from geopipe.outputs.plots.drawing import as_plain
from geopipe.outputs.plots.make import without_foot
from geopipe.register.case import Case
from geopipe.register.table import place_of
from geopipe.reports.cutoff import cut_off
from geopipe.reports.sensitivity.table import ALL, of_result
from geopipe.reports.sensitivity.units import PAIR, SITE
from geopipe.terms import Severity

NOT_THEREBY_SAFE = message("Areas not shown are not thereby safe.")
AMONG = message("{cases} open cases, among {kept} of {all} records")
NO_CASES = message("No open cases among {kept} of {all} records")
NOT_ALL = message("NOT ALL DATA COMPARED: {number} of {all} records not compared")
DECIDED_NO_MINUTES = message("Decided, but minutes missing")
NOT_ACKNOWLEDGED = message("Not acknowledged")
OVERDUE = message("Overdue")
# So many operators with their hectares fit beside each other.
_MOST_COLUMNS = 7
_M2_PER_HA = 10_000.0


def cover(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield what the meeting must know before anything else."""
    balance, meeting = material.summary["balance"], material.meeting
    open_cases = sum(is_open(case) for case in material.cases)
    if meeting.operator:
        yield paragraph(texts("Edition for {operator}: its own records and cases only.",
                              operator=shown(meeting.operator)))  # fmt: skip
    if meeting.operator is None:
        said = {"kept": texts.number(balance["kept"]), "all": texts.number(balance["records_in"])}
        counted = (
            texts(AMONG, cases=texts.number(open_cases), **said) if open_cases else texts(NO_CASES, **said)
        )
    else:
        counted = texts("{number} open cases of {operator}", number=texts.number(open_cases),
                        operator=shown(meeting.operator))  # fmt: skip
    yield table(
        ["", ""],
        [
            row(texts("Meeting"), shown(meeting.name, 80)),
            row(texts("Day of the meeting"), day(texts, meeting.day)),
            row(texts("Data cut-off"), cut_off(material.plots.cut_off, material.run_day, texts)),
            row(texts("Cases"), counted),
            row(texts("Rules"), f"{shown(material.policy.name, 40)}, {material.policy.version}"),
            row(texts("Run"), material.run.name),
        ],
        "st",
    )
    yield warning(texts(NOT_THEREBY_SAFE))
    if meeting.operator is None:
        yield from warnings(material, texts)
    yield from left_by_earlier_meetings(material, texts)
    yield from deliveries(material, texts)


def warnings(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield what is not in the figures, and the alarms."""
    summary = material.summary
    balance = summary["balance"]
    if balance["rejected"]:
        number, every = texts.number(balance["rejected"]), texts.number(balance["records_in"])
        yield warning(texts(NOT_ALL, number=number, all=every))
    if summary["unresolved_hazard"]:
        number = texts.number(summary["unresolved_hazard"])
        yield warning(
            texts("{number} records that may be hazard are only drawn, not measured.", number=number)
        )
    if summary["mended_hazard"]:
        number = texts.number(summary["mended_hazard"])
        yield warning(texts("{number} hazard areas were mended: please confirm them.", number=number))
    for item in summary["alarms"]:
        ground = f" ({texts.area_ha(item['area_m2'])})" if item["area_m2"] else ""
        yield warning(f"{texts('SAFETY')}: {alarm(item, texts)}: {texts.number(item['count'])}{ground}")


def left_by_earlier_meetings(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield how much waits for a person; the cases follow on the next page."""
    yield heading(texts("What needs a person first"), 2)
    agenda = material.agenda
    counts = (
        (DECIDED_NO_MINUTES, agenda.minutes_missing), (NOT_ACKNOWLEDGED, agenda.not_acknowledged),
        (OVERDUE, agenda.overdue),
    )  # fmt: skip
    yield table(["", ""], [row(texts(name), texts.number(len(cases))) for name, cases in counts], "sn")


def deliveries(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield what was received, what is missing, what went back; an operator reads of its own files."""
    yield heading(texts("Deliveries received"), 2)
    own = own_files(material)
    rows = []
    for item in material.summary["deliveries"]:
        if own is not None and item["file"] not in own:
            continue
        counts = item["balance"]
        used = counts["kept"] + counts["kept_as_reference"]
        aside = counts["duplicate"] + counts["superseded"]
        said = "; ".join(problem["code"] for problem in item["problems"])
        numbers = (counts["records_in"], used, aside, counts["rejected"])
        rows.append(row(shown(item["file"]), *map(texts.number, numbers), said))
    head = [
        texts("File"),
        texts("Records"),
        texts("Kept"),
        texts("Set aside"),
        texts("Returned"),
        texts("Problem"),
    ]
    yield table(head, rows, "tnnnns")
    if material.missing:
        yield warning(
            texts("Delivery missing: {operators}", operators=", ".join(map(shown, _missing(material))))
        )
    elif material.missing is None:
        yield paragraph(texts("Nobody said who should have delivered: missing deliveries are not known."))
    unread = [
        item["file"] for item in material.summary.get("not_read", ()) if own is None or item["file"] in own
    ]
    if unread:
        yield warning(texts("Of earlier deliveries in force, not read for this run: {files}",
                            files=shown(", ".join(unread), LINE)))  # fmt: skip


def _missing(material: Material) -> list[str]:
    operator = material.meeting.operator
    return [name for name in material.missing or () if operator in (None, name)]


def own_files(material: Material) -> set[str] | None:
    """Return the files that hold only records of the operator of this edition; None: all files."""
    operator = material.meeting.operator
    if operator is None:
        return None
    holders = defaultdict(set)
    for file, name in zip(
        *(material.areas.table[column].to_pylist() for column in ("file", "operator")), strict=True
    ):
        holders[file].add(name)
    return {file for file, names in holders.items() if names == {operator}}


def figures(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield the figures of the run, for those who decide."""
    yield heading(texts("Overlaps by operator"))
    yield from matrix(material, texts)
    yield heading(texts("Hectares reported and ground covered"), 2)
    yield hectares(material, texts)
    yield heading(texts("Open cases by province, district and operator"), 2)
    yield from places(material, texts)
    yield heading(texts("What a tolerance would accept"), 2)
    yield from tolerance(material, texts)


def plots(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield the plots of the run; an operator sees its own records, cases and errors."""
    yield heading(texts("Plots"))
    for drawing in without_foot(material.plots, texts):
        yield plot(as_plain(drawing))


def matrix(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield the overlaps that count, operator by operator; within one operator on the diagonal."""
    columns = ("left_operator", "right_operator", "area_m2", "counted")
    pairs: dict[tuple[str, str], list[float]] = defaultdict(list)
    only_listed = 0
    for left, right, m2, counted in zip(
        *(material.overlaps.table[name].to_pylist() for name in columns), strict=True
    ):
        if counted:
            pairs[min(left, right), max(left, right)].append(m2)
        else:
            only_listed += 1
    balance = material.summary["balance"]
    said = {"kept": texts.number(balance["kept"]), "all": texts.number(balance["records_in"])}
    if pairs:
        yield paragraph(texts("Number of overlaps and hectares pair by pair, among {kept} of {all} records. "
                              "Three records on one ground are three pairs. Overlaps within one operator "
                              "stand on the diagonal.", **said))  # fmt: skip
        yield _crossed(pairs, texts)
    else:
        yield paragraph(texts("No overlaps that count among {kept} of {all} records", **said))
    yield paragraph(texts("{number} more overlaps are only listed and change no hectares (expected releases, "
                          "survey boxes, tasks).", number=texts.number(only_listed)))  # fmt: skip


def _crossed(pairs: Mapping[tuple[str, str], list[float]], texts: Texts) -> Block:
    """Return the table operator by operator; pair below pair where it would be wider than the page."""
    names = sorted({name for pair in pairs for name in pair})
    if len(names) > _MOST_COLUMNS:
        rows = [row(shown(one, 30), shown(other, 30), texts.number(len(m2)),
                    texts.number(fsum(m2) / _M2_PER_HA, 2))
                for (one, other), m2 in sorted(pairs.items())]  # fmt: skip
        head = [texts("Operator"), texts("Operator"), texts("Overlaps"), texts("Overlap (ha)")]
        return table(head, rows, "ttnn")
    rows = [
        row(shown(one, 24), *(_cell(pairs.get((min(one, other), max(one, other))), texts) for other in names))
        for one in names
    ]
    return table(["", *(shown(name, 14) for name in names)], rows, "s" + "n" * len(names))


def _cell(areas_m2: list[float] | None, texts: Texts) -> str:
    return f"{texts.number(len(areas_m2))}\n{texts.area_ha(fsum(areas_m2))}" if areas_m2 else "–"


def hectares(material: Material, texts: Texts) -> Block:
    """Return hectares reported, counted twice and covered, kind by kind."""
    names = ("reported_m2", "counted_twice_m2", "covered_m2")
    rows = [
        row(texts(GROUNDS.get(kind) or KINDS[kind]), texts.number(item["records"]),
            *(texts.number(item[name] / _M2_PER_HA, 2) for name in names))
        for kind, item in material.summary["areas"].items()
    ]  # fmt: skip
    head = [
        texts("Kind"),
        texts("Records"),
        texts("Reported (ha)"),
        texts("Counted twice (ha)"),
        texts("Covered (ha)"),
    ]
    return table(head, rows, "tnnnn")


def places(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield the open cases by place, then by operator."""
    cases = [case for case in material.cases if is_open(case)]
    unknown = texts("place not known")

    def place(case: Case) -> list[tuple[str, ...]]:
        return [(place_of(case, "province") or unknown, place_of(case, "district") or unknown)]

    def operators(case: Case) -> list[tuple[str, ...]]:
        return [(name,) for name in dict.fromkeys(case.operators)]

    counted = [texts("Cases"), texts("Alarms"), texts("Overlap that counts (ha)")]
    yield table([texts("Province"), texts("District"), *counted], _counts(cases, place, texts), "ttnnn")
    yield paragraph(texts("A case of two operators stands with both."))
    yield table([texts("Operator"), *counted], _counts(cases, operators, texts), "tnnn")


def _counts(
    cases: list[Case], names_of: Callable[[Case], list[tuple[str, ...]]], texts: Texts
) -> list[Block]:
    groups: dict[tuple[str, ...], list[Case]] = defaultdict(list)
    for case in cases:
        for names in names_of(case):
            groups[names].append(case)
    return [
        row(*(shown(name, 40) for name in names), texts.number(len(group)),
            texts.number(sum(case.sighting.columns["severity"] == Severity.ALARM for case in group)),
            texts.number(fsum(case.sighting.columns["area_m2"] for case in group
                              if case.sighting.columns["counted"]) / _M2_PER_HA, 2))
        for names, group in sorted(groups.items())
    ]  # fmt: skip


def tolerance(material: Material, texts: Texts) -> Iterator[Block]:
    """Yield how many overlaps lie under each limit, and whether any tolerance is in force."""
    found = of_result(material.run, material.policy, material.meeting.day)
    if found.why_not_in_force:
        yield paragraph(texts("No tolerance is in force: nothing is left out."))
    limits = (None, *material.policy.sensitivity.areas_m2)
    rows = []
    for limit in limits:
        pairs, sites = (found.row(ALL, ALL, basis, limit, None) for basis in (PAIR, SITE))
        name = texts("all") if limit is None else f"< {limit:g} m²"
        figures_ = (pairs.count, pairs.never, pairs.below_accuracy or 0, sites.count)
        rows.append(row(name, *map(texts.number, figures_), texts.number(pairs.area_m2 / _M2_PER_HA, 4)))
    head = [texts("Smaller than"), texts("Overlaps"), texts("of them never acceptable"),
            texts("of them below survey accuracy"), texts("Sites"), texts("Overlap (ha)")]  # fmt: skip
    yield table(head, rows, "tnnnnn")
    yield paragraph(texts("Never acceptable: alarms, finds inside, order in time not known, uncertain areas. "
                          "A site counts with all its overlaps together."))  # fmt: skip
