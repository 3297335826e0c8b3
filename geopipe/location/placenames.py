"""Names of places in their many spellings: folding, and exact tables of what is known.

Nothing is matched by likeness: Salavan and Savannakhet, or two districts that differ
by one letter, must never be taken for each other. What is not known stays unknown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from geopipe.errors import ConfigError
from geopipe.settings import Strict

_LAO_MARKS = "ັິີຶື຺ຸູົຼ່້໊໋໌ໍ໎"
_MARK_RUN = re.compile(f"[{_LAO_MARKS}]{{2,}}")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_WORD = re.compile(rf"[^\W_{_LAO_MARKS}](?:[^\W_]|[{_LAO_MARKS}])*")
_BETWEEN_NAMES = re.compile(r"[/|()\[\],;:]|\s[-–—]\s")


class ProvinceWords(Strict):
    """What `laos.yaml` knows of one province beside its official names."""

    iso: str = ""
    short: str = ""
    """Letters that begin the numbers of its cases."""
    aliases: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()


class AmbiguousName(Strict):
    """Names that mean any of several provinces."""

    names: tuple[str, ...]
    codes: tuple[str, ...]


class CountryWords(Strict):
    """The names of a country's provinces, as in `configs/places/laos.yaml`."""

    country: str
    words: tuple[str, ...] = ("Province",)
    district_words: tuple[str, ...] = ("District",)
    ambiguous: tuple[AmbiguousName, ...] = ()
    provinces: dict[str, ProvinceWords] = Field(default_factory=dict)


def fold_lao(text: str) -> str:
    """Return text in one form for all ways in which the same Lao letters can be typed.

    NFKC joins ຳ with ໍາ, ໜ with ຫນ and ໝ with ຫມ. Beyond it: ຫຼ and ຫລ, the order of marks on one
    letter (ນ້ຳ, ນໍ້າ), a mark typed twice, ແ typed as two ເ, and invisible characters.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    # The small sign below ຫ is the lo that others write as a letter of its own, before any mark.
    plain = re.sub(f"([{_LAO_MARKS}]*)ຼ", r"ຼ\1", plain).replace("ຼ", "ລ").replace("ເເ", "ແ")
    return _MARK_RUN.sub(lambda run: "".join(sorted(set(run.group()))), plain)


def words_of(text: str) -> list[str]:
    """Return the words of a name without case, accents and punctuation."""
    latin = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", fold_lao(text))
        if not unicodedata.combining(letter) or letter in _LAO_MARKS
    )
    return _WORD.findall(fold_lao(latin).casefold())


def fold_name(text: str) -> str:
    """Return a name as it is compared: folded words without the spaces between them."""
    return "".join(words_of(text))


@dataclass(frozen=True)
class Filler:
    """Words around a name that say nothing, such as Province, Khoueng, ແຂວງ."""

    words: frozenset[str] = frozenset()
    lao: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: Iterable[str]) -> Filler:
        """Fold the words; Lao ones also count where no space divides them from the name."""
        folded = [fold_name(word) for word in words]
        return cls(
            frozenset(folded), tuple(word for word in folded if word[:1] >= "\u0e80" and len(word) > 2)
        )

    def without(self, text: str) -> str:
        """Return the folded name without these words; '' where nothing else is left."""
        name = "".join(word for word in words_of(text) if word not in self.words)
        for word in self.lao:
            name = name.removeprefix(word)
        return name


@dataclass(frozen=True)
class NameTable:
    """Folded spelling -> the codes it may mean."""

    codes: Mapping[str, tuple[str, ...]]
    filler: Filler = field(default_factory=Filler)

    def find(self, text: str) -> tuple[str, ...]:
        """Return the codes that a written province means; () where it is not known.

        Two names in one cell (`Xieng Khouang / ຊຽງຂວາງ`) must agree; two that differ mean either.
        """
        if whole := self._one(text):
            return whole
        parts = [part for part in _BETWEEN_NAMES.split(text) if re.search(r"[^\W\d_]", part)]
        found = [self._one(part) for part in parts]
        if not found or not all(found):
            return ()
        common = set(found[0]).intersection(*found)
        return tuple(sorted(common or set().union(*found)))

    def _one(self, text: str) -> tuple[str, ...]:
        """Look up one name as it stands, then without words that say nothing."""
        return self.codes.get(fold_name(text)) or self.codes.get(self.filler.without(text), ())


def name_table(official: Sequence[tuple[str, tuple[str, ...]]], words: CountryWords, where: str) -> NameTable:
    """Join official names with known spellings.

    Parameters
    ----------
    official : sequence of (code, names)
    words : CountryWords
    where : str
        The file to name in an error.

    Raises
    ------
    ConfigError
        When one spelling would mean two provinces without being called ambiguous.
    """
    table: dict[str, tuple[str, ...]] = {}
    for either in words.ambiguous:
        table.update({fold_name(name): tuple(sorted(either.codes)) for name in either.names})
    ambiguous = set(table)
    for code, spelling in _spellings(official, words, where):
        key = fold_name(spelling)
        if not key or key in ambiguous:
            continue
        if table.setdefault(key, (code,)) != (code,):
            raise ConfigError(
                f"the name {spelling!r} stands for {table[key][0]} and for {code}",
                where,
                "Take it out of one of them, or put it under `ambiguous`.",
            )
    return NameTable(table, Filler.of(words.words))


def _spellings(
    official: Sequence[tuple[str, tuple[str, ...]]], words: CountryWords, where: str
) -> Iterator[tuple[str, str]]:
    """Yield (code, spelling) of all official names, codes and aliases."""
    known = {code for code, _ in official}
    for code, names in official:
        yield from ((code, spelling) for spelling in (code, *names))
    for code, province in words.provinces.items():
        for named in (code, *province.formerly):
            if named not in known:
                raise ConfigError(f"{named!r} is no province of the boundary file", where)
        yield from ((code, spelling) for spelling in (province.iso, *province.aliases))
