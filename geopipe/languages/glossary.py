"""The glossary: the one translation of each term, and who has approved it."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from geopipe.settings import Strict, load_model, shipped

# What stands in a message for a value: {record} is no word.
_PLACES = re.compile(r"\{\w+\}")


class Term(Strict):
    """A term: how it is written in English, and how in each other language."""

    en: tuple[str, ...]
    """The forms of the term in English (singular, plural), without regard to capitals."""
    words: dict[str, str]
    """Language -> the term in it."""
    approved_by: dict[str, str] = Field(default_factory=dict)
    """Language -> who has approved it."""


class Glossary(Strict):
    """All terms, by name."""

    terms: dict[str, Term]

    def is_approved(self, language: str) -> bool:
        """Say whether somebody has approved every term in a language."""
        terms = self.terms.values()
        return all(term.words.get(language) and term.approved_by.get(language) for term in terms)

    def deviations(self, english: str, translated: str, language: str) -> list[str]:
        """Return the terms that a translation writes in another way than the glossary, or leaves out.

        Longer terms go first: *released land* inside *hazard on released land* is one term, *hazard* another.
        """
        rest, wrong = _PLACES.sub("", english.casefold()), []
        forms = [(form.casefold(), name) for name, term in self.terms.items() for form in term.en]
        for form, name in sorted(forms, key=lambda item: -len(item[0])):
            pattern = rf"(?<!\w){re.escape(form)}(?!\w)"
            rest, count = re.subn(pattern, "\0", rest)
            said = self.terms[name].words.get(language)
            if count and said and said not in translated:
                wrong.append(name)
        return wrong


@lru_cache(maxsize=4)
def load_glossary(path: Path | None = None) -> Glossary:
    """Read the glossary."""
    return load_model(path or shipped("glossary.yaml"), Glossary)
