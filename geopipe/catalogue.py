"""The catalogue: what every code means, how much it matters, what to do, in English and Lao.

Severities of findings stand here and nowhere else. The one exception is the policy's table of
overlaps, because people decide on it; the tests hold the default policy to this catalogue.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from pydantic import model_validator

from geopipe.settings import Strict, load_model, shipped
from geopipe.terms import Severity

Language = Literal["en", "lo"]
Audience = Literal["sender", "authority", "both"]
About = Literal["record", "pair", "layer", "file"]


class Words(Strict):
    """One sentence in each language; the Lao one is a draft."""

    en: str
    lo: str


class Entry(Strict):
    """What one code says."""

    severity: Severity
    audience: Audience
    about: About
    meaning: Words
    remedy: Words


class Geocheck(Strict):
    """One check of GICHD's geocheck, and what covers it; `aside`: also the layer `duplicates`."""

    check: str
    codes: tuple[str, ...]
    aside: bool = False


class Catalogue(Strict):
    """All codes, in the order of `configs/checks.yaml`."""

    glossary: dict[str, str]
    geocheck: tuple[Geocheck, ...]
    codes: dict[str, Entry]

    @model_validator(mode="after")
    def _known(self) -> Catalogue:
        """Refuse a table of geocheck that names codes which do not exist."""
        for line in self.geocheck:
            for code in line.codes:
                if code not in self.codes:
                    raise ValueError(f"geocheck names {code}, which is not among the codes")
        return self

    def severity(self, code: str) -> Severity:
        """Return how much a finding matters; a code of the user's own policy is a check."""
        return self.codes[code].severity if code in self.codes else Severity.CHECK

    def audience(self, code: str) -> Audience:
        """Return who is told."""
        return self.codes[code].audience if code in self.codes else "both"

    def meaning(self, code: str, language: Language = "en") -> str:
        """Return what the code means; a code of the user's own policy speaks for itself."""
        if code not in self.codes:
            return code.replace("_", " ")
        return str(getattr(self.codes[code].meaning, language))

    def remedy(self, code: str, language: Language = "en") -> str:
        """Return what to do about it, '' where only the user's own policy knows."""
        return str(getattr(self.codes[code].remedy, language)) if code in self.codes else ""

    def by_severity(self) -> list[tuple[str, Entry]]:
        """Return all entries, alarms first, each group in the order of the file."""
        order = list(Severity)
        return sorted(self.codes.items(), key=lambda item: order.index(item[1].severity))


@lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    """Read the shipped catalogue."""
    return load_model(shipped("checks.yaml"), Catalogue)


def severity_of(code: str) -> str:
    """Return the severity of a code that geopipe itself writes, as frames hold it.

    Raises
    ------
    KeyError
        When the catalogue does not have it: no finding without a meaning and a remedy.
    """
    return load_catalogue().codes[code].severity.value
