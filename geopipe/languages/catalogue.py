"""One gettext catalogue: the messages of a language, and who has approved them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from geopipe.errors import ConfigError
from geopipe.settings import did_you_mean

ENGLISH = "en"
_FOLDER = Path(__file__).resolve().parent / "catalogues"
_APPROVED = re.compile(r'^"X-Approved-By:[ \t]*(.*?)[ \t]*\\n"', re.MULTILINE)
# 21 Nov 2026, not Nov 21, 2026.
_ENGLISH_LOCALE = "en_GB"


@dataclass(frozen=True)
class Translations:
    """The messages of one language: English text -> its forms, one for each plural form of the language."""

    language: str
    locale: str
    approved_by: str
    plural_rule: str
    """Which form a number takes, as gettext writes it."""
    messages: dict[str, tuple[str, ...]]


def shipped_languages() -> tuple[str, ...]:
    """Return the codes of all languages that geopipe speaks, English first."""
    return (ENGLISH, *sorted(path.stem for path in _FOLDER.glob("*.po")))


def load_translations(name: str) -> Translations:
    """Read a language by its code, or a catalogue by its path.

    Raises
    ------
    ConfigError
        When there is no such language, or the file is not a catalogue.
    """
    if name == ENGLISH:
        return Translations(ENGLISH, _ENGLISH_LOCALE, "the authors of geopipe", "(n != 1)", {})
    path = Path(name) if name.endswith(".po") else _FOLDER / f"{name}.po"
    if not path.is_file():
        known = shipped_languages()
        if name.endswith(".po"):
            raise ConfigError("there is no such catalogue", str(path), "Check the name and the folder.")
        raise ConfigError(f"there is no language {name!r}{did_you_mean(name, known)}")
    # Asked for anew when the file has changed.
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _read(path: Path, changed_ns: int) -> Translations:  # noqa: ARG001
    from babel.messages.pofile import PoFileError, read_po

    try:
        text = path.read_text(encoding="utf-8")
        with path.open("rb") as file:
            catalog = read_po(file, abort_invalid=True)
    except (OSError, ValueError, PoFileError) as error:
        raise ConfigError(f"this is not a catalogue of messages ({error})", str(path)) from error
    language = str(catalog.locale_identifier or path.stem)
    messages: dict[str, tuple[str, ...]] = {}
    for message in catalog:
        english, said = message.id, message.string
        if not english or message.fuzzy:
            continue
        forms = tuple(form or "" for form in (said if isinstance(said, tuple | list) else (said,)))
        if all(forms):
            messages[english if isinstance(english, str) else english[0]] = forms
    found = _APPROVED.search(text)
    approved_by = found[1] if found else ""
    return Translations(path.stem, _locale(language), approved_by, catalog.plural_expr, messages)


def _locale(language: str) -> str:
    """Return the locale by which a language writes numbers and dates; English where nobody knows it."""
    from babel.core import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(language))
    except (UnknownLocaleError, ValueError):
        return _ENGLISH_LOCALE
