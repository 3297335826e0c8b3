"""What the codes of findings mean, in the languages of an output."""

from __future__ import annotations

from collections.abc import Iterable

from geopipe.catalogue import load_catalogue
from geopipe.languages.texts import Texts


class Meanings:
    """What codes mean and ask for, in the languages of an output."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self.catalogue = load_catalogue()
        self._known: dict[tuple[str, str], str] = {}

    def meaning(self, code: str) -> str:
        """Return what a code means."""
        return self._said("meaning", code)

    def remedy(self, code: str) -> str:
        """Return what to do about it."""
        return self._said("remedy", code)

    def _said(self, what: str, code: str) -> str:
        if (what, code) not in self._known:
            tell = getattr(self.catalogue, what)
            said: Iterable[str] = (
                tell(code, "lo") if language == "lo" else self._translated(texts, tell(code, "en"))
                for language, texts in zip(self.texts.codes, self.texts.each, strict=True)
            )
            self._known[what, code] = self.texts.separator.join(dict.fromkeys(said))
        return self._known[what, code]

    @staticmethod
    def _translated(texts: Texts, english: str) -> str:
        return texts(english) if english else ""
