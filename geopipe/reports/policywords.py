"""A policy in words: what is in force, what it tolerates, what it calls an alarm."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from textwrap import wrap

from geopipe.policies import Policy, Tolerance, policy_hash
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Kind, Severity
from geopipe.tolerance import Never

_COLUMNS = 96
NEVER_WORDS = {
    Never.ALARM: "alarm",
    Never.POINT_INSIDE: "find or evidence point inside",
    Never.POINTS_NOT_READ: "points not in this result",
    Never.ORDER_UNKNOWN: "hazard x released, order not known",
    Never.KIND_UNKNOWN: "kind of a record not known",
    Never.UNCERTAIN: "not surely measured",
}
_BASES = {
    "part": "each part by itself",
    "pair": "all that two records share",
    "site": "all overlaps of each site together",
}
_OPERATORS = {"any": "", "same": ", one operator", "other": ", two operators"}


def policy_words(policy: Policy, today: dt.date) -> Iterator[str]:
    """Give the lines that tell people what a policy says."""
    based_on = f", based on {policy.based_on}" if policy.based_on else ""
    yield f"POLICY      {policy.name}, version {policy.version}{based_on} (sha256 {policy_hash(policy)[:12]})"
    yield from _item("TOLERANCE", in_force_words(policy, policy.why_no_tolerance(today)))
    for rule in policy.tolerances:
        yield from _item("", tolerance_words(rule))
    never = [words for reason, words in NEVER_WORDS.items() if reason != Never.POINTS_NOT_READ]
    yield from _item("", f"Never accepted: {'; '.join([*never, 'any gap'])}.")
    yield from _item("", "What is accepted is still counted once in hectares.")
    thin, gap = policy.very_thin, policy.gaps
    name_only = "only a name, nothing is left out"
    yield from _item(
        "VERY THIN", f"below {thin.area_m2:g} m2 or narrower than {thin.width_m:g} m: {name_only}"
    )
    yield from _item("GAP", f"a strip between released land, {gap.narrowest_m:g} to {gap.width_m:g} m wide")
    yield from _item("ACCURACY", f"a turning point is known to {policy.survey_accuracy_m:g} m")
    for severity in Severity:
        codes = dict.fromkeys(rule.code for rule in policy.findings if rule.severity == severity)
        yield from _item(severity.value.upper(), ", ".join(codes) or "none")


def in_force_words(policy: Policy, why_not: Sequence[str]) -> str:
    """Say which tolerance is in force, or that none is, and why."""
    if why_not:
        return f"No tolerance is in force: {'; '.join(why_not)}."
    since = f"is in force since {policy.effective_from}"
    return (
        f"The tolerance of {policy.name}, version {policy.version}, {since}: {policy.reference}, "
        f"signed by {policy.signed_by}."
    )


def tolerance_words(rule: Tolerance) -> str:
    """Return one tolerance as a sentence."""
    sign = {"<": "less than", "<=": "at most"}[rule.compare]
    return (
        f"{_kinds(rule.a)} x {_kinds(rule.b)}{_OPERATORS[rule.operators]}: area {sign} {rule.area_m2:g} m2 "
        f"and width {sign} {rule.width_m:g} m, {_BASES[rule.basis]}"
    )


def _kinds(kinds: Sequence[Kind]) -> str:
    groups = {HAZARD_KINDS: "hazard", RELEASED_KINDS: "released", frozenset(Kind): "any"}
    return groups.get(frozenset(kinds)) or " or ".join(kinds)


def _item(head: str, text: str) -> list[str]:
    return wrap(text, _COLUMNS, initial_indent=head.ljust(12), subsequent_indent=" " * 12)
