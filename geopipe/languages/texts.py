"""What an output says, in one language or in several beside each other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from geopipe.languages.catalogue import ENGLISH, Translations, load_translations
from geopipe.languages.glossary import load_glossary

BOTH = "both"
_BOTH = "en+lo"
_M2_PER_HA = 10_000.0
_ENGLISH_PLURAL = "(n != 1)"


def message(english: str) -> str:
    """Mark a text that is shown through `Texts` elsewhere, so that it is collected for translators."""
    return english


DRAFT = message("Draft translation: not yet approved by a speaker of the language. The English text counts.")


class Texts:
    """Messages, numbers and dates in the languages of an output.

    With several languages a message stands once in each, figures only once, in the way of the first one: two
    signs for decimals on a page would be misread.
    """

    def __init__(self, languages: tuple[Translations, ...], separator: str = " / ") -> None:
        self._languages = languages
        self.separator = separator
        self.missing: set[str] = set()
        """Messages that had to be shown in English."""

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the languages, in the order in which they are shown."""
        return tuple(language.language for language in self._languages)

    @property
    def name(self) -> str:
        """What the languages call themselves; the code where nobody knows."""
        from babel.core import Locale, UnknownLocaleError

        names = []
        for code in self.codes:
            try:
                names.append(Locale.parse(code).get_display_name(code) or code)
            except (UnknownLocaleError, ValueError):
                names.append(code)
        return self.separator.join(names)

    @property
    def each(self) -> tuple[Texts, ...]:
        """One `Texts` for each language; what they miss is recorded here, too."""
        singles = tuple(Texts((language,)) for language in self._languages)
        for single in singles:
            single.missing = self.missing
        return singles

    def joined_by(self, separator: str) -> Texts:
        """Return the same with something else between the languages; what it misses is recorded here, too."""
        other = Texts(self._languages, separator)
        other.missing = self.missing
        return other

    @property
    def is_draft(self) -> bool:
        """Whether a language is shown that nobody has approved: the page must show `draft_note`."""
        glossary = load_glossary()
        return any(
            language.language != ENGLISH
            and not (language.approved_by and glossary.is_approved(language.language))
            for language in self._languages
        )

    @property
    def draft_note(self) -> str:
        """The sentence that a page with a draft translation must show; '' where all is approved."""
        return self(DRAFT) if self.is_draft else ""

    def __call__(self, message: str, /, **values: object) -> str:
        """Return a message, `{names}` in it replaced by values; a value is never taken for a message.

        Raises
        ------
        KeyError
            When a value of the message is not given.
        """
        return self._joined(lambda language: self._form(language, message, 0), values)

    def plural(self, one: str, many: str, number: int, /, **values: object) -> str:
        """Return the message for a number of things; `{number}` in it is the number."""
        from gettext import c2py

        def form_of(language: Translations) -> str:
            forms = language.messages.get(one, (one, many))
            if one not in language.messages and language.language != ENGLISH:
                self.missing.add(one)
            rule = language.plural_rule if one in language.messages else _ENGLISH_PLURAL
            return forms[min(c2py(rule)(number), len(forms) - 1)]

        return self._joined(form_of, {"number": self.number(number), **values})

    def number(self, value: float, decimals: int = 0) -> str:
        """Return a number with so many decimals, as the first language writes it."""
        from babel.numbers import format_decimal

        digits = f".{'0' * decimals}" if decimals else ""
        return format_decimal(value, format=f"#,##0{digits}", locale=self._languages[0].locale)

    def area_ha(self, area_m2: float, decimals: int = 2) -> str:
        """Return an area (m2) in hectares, with the unit."""
        return f"{self.number(area_m2 / _M2_PER_HA, decimals)} ha"

    def area_m2(self, area_m2: float, decimals: int = 2) -> str:
        """Return an area (m2), with the unit."""
        return f"{self.number(area_m2, decimals)} m²"

    def percent(self, share: float, decimals: int = 1) -> str:
        """Return a share of one as percent, with the sign."""
        return f"{self.number(100 * share, decimals)} %"

    def date(self, day: dt.date) -> str:
        """Return a day with the month as a word: 03/04 means two different days."""
        from babel.dates import format_date

        return format_date(day, format="d MMM y", locale=self._languages[0].locale)

    def _joined(self, form_of: Callable[[Translations], str], values: dict[str, Any]) -> str:
        forms = (form_of(language) for language in self._languages)
        shown = (form.format_map(values) if values else form for form in forms)
        return self.separator.join(dict.fromkeys(shown))

    def _form(self, language: Translations, message: str, at: int) -> str:
        if language.language == ENGLISH:
            return message
        if message not in language.messages:
            self.missing.add(message)
            return message
        return language.messages[message][at]


def load_texts(name: str = ENGLISH, separator: str = " / ") -> Texts:
    """Return the texts of a language.

    Parameters
    ----------
    name : str
        A code (`en`, `lo`), `both` for English and Lao, several with `+` between them, or a path that ends
        in `.po`.
    separator : str
        What stands between the languages where there are several; headings of tables want a new line.

    Raises
    ------
    ConfigError
        When there is no such language.
    """
    names = (_BOTH if name == BOTH else name).split("+")
    return Texts(tuple(load_translations(part) for part in dict.fromkeys(names)), separator)
