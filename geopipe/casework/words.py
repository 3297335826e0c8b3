"""Words for people: choices, answers, statuses; and how they are understood when people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from geopipe.errors import ConfigError
from geopipe.settings import did_you_mean
from geopipe.terms import Answer, CaseStatus, Choice

CHOICES: Mapping[Choice, str] = {
    Choice.ACCEPT: "accept within tolerance",
    Choice.A_CORRECTS: "operator A corrects boundary",
    Choice.B_CORRECTS: "operator B corrects boundary",
    Choice.SPLIT_ON_LINE: "split on an agreed line",
    Choice.MERGE_INTO_A: "merge into record A",
    Choice.MERGE_INTO_B: "merge into record B",
    Choice.WITHDRAW_A: "withdraw record A",
    Choice.WITHDRAW_B: "withdraw record B",
    Choice.BOTH_VALID: "both valid",
    Choice.FIELD_SURVEY: "field survey",
    Choice.RETURN_TO_OPERATOR: "return to operator",
}
ANSWERS: Mapping[Answer, str] = {
    Answer.AGREE: "agree",
    Answer.DISAGREE: "disagree",
    Answer.FIELD_CHECK: "field check",
}
STATUSES: Mapping[CaseStatus, str] = {
    CaseStatus.BACKLOG: "backlog",
    CaseStatus.NEW: "new",
    CaseStatus.SENT: "sent to operators",
    CaseStatus.ON_AGENDA: "on the agenda",
    CaseStatus.DEFERRED: "deferred",
    CaseStatus.DECIDED: "decided",
    CaseStatus.CORRECTED: "corrected, minutes missing",
    CaseStatus.FINISHED: "finished",
    CaseStatus.EXCEPTION: "accepted exception",
    CaseStatus.CORRECTED_DIFFERENTLY: "corrected differently",
    CaseStatus.NEEDS_REVIEW: "needs review",
    CaseStatus.NOT_OBSERVED: "not observed",
    CaseStatus.CHANGED_WITHOUT_DECISION: "changed without decision",
    CaseStatus.SPLIT: "split",
    CaseStatus.MERGED: "merged",
}
# They turn the order of letters round, so that a text reads as something that it is not.
_INVISIBLE = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFEFF])

_Word = TypeVar("_Word", bound=StrEnum)


def tidy(value: object) -> str:
    """Return what somebody wrote as plain text: no control characters, no marks that turn letters round."""
    text = str(value)
    if text.isprintable():  # nearly all texts, and looking at each sign takes time
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE)
    return "".join(" " if _is_control(sign) else sign for sign in text).strip()


def _is_control(sign: str) -> bool:
    return sign not in "\n\t" and unicodedata.category(sign) in ("Cc", "Cs")


def understand(text: str, words: Mapping[_Word, str], what: str) -> _Word:
    """Return which of some words is meant, written for people or as a code, in capitals or not.

    Raises
    ------
    ConfigError
        When it is none of them; the nearest one is named.
    """
    known = {_folded(name): word for word, shown in words.items() for name in (shown, word.value)}
    if (found := known.get(_folded(text))) is not None:
        return found
    raise ConfigError(f"{text[:60]!r} is no {what}{did_you_mean(_folded(text), tuple(words.values()))}")


def _folded(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text).strip().casefold()


def sentence_of(finding: str, sentences: Mapping[str, str]) -> str:
    """Return what a finding means; its code in words where the policy has no sentence for it."""
    return sentences.get(finding) or finding.replace("_", " ")
