"""What people read is in the language they asked for, and safety terms in the words of the glossary."""

import datetime as dt
import re
from pathlib import Path

import pytest

from geopipe.casework.words import CHOICES, STATUSES
from geopipe.catalogue import load_catalogue
from geopipe.errors import ConfigError
from geopipe.languages.catalogue import load_translations, shipped_languages
from geopipe.languages.glossary import Glossary, load_glossary
from geopipe.languages.texts import DRAFT, load_texts
from geopipe.languages.words import KINDS, SEVERITIES
from geopipe.terms import CaseStatus, Choice, Kind, Severity
from geopipe.translating import all_messages, deviations, messages_in_code, missing

CATALOGUES = Path(__file__).resolve().parents[2] / "geopipe" / "languages" / "catalogues"
ANOTHER = [name for name in shipped_languages() if name != "en"]


def catalogue(folder: Path, name: str, lines: str, approved_by: str = "", plural: str = "") -> str:
    """Write a catalogue and return its path, as `--lang` takes it."""
    head = f'"Language: {name}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    head += f'"Plural-Forms: {plural or "nplurals=2; plural=(n != 1);"}\\n"\n'
    head += f'"X-Approved-By: {approved_by}\\n"\n'
    path = folder / f"{name}.po"
    path.write_text(f'msgid ""\nmsgstr ""\n{head}\n{lines}', encoding="utf-8")
    return str(path)


@pytest.fixture
def strange(tmp_path):
    """A language that says everything the other way round."""
    lines = "".join(
        f"msgid {quoted(text)}\nmsgstr {quoted('[' + text + ']')}\n\n" for text in sorted(all_messages())
    )
    return catalogue(tmp_path, "xx", lines)


def quoted(text: str) -> str:
    """Return a text as a catalogue has it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


class TestMessages:
    def test_english_is_what_the_code_says(self):
        assert load_texts("en")("alarm") == "alarm"

    def test_a_message_is_shown_in_the_language_asked_for(self):
        assert load_texts("lo")("alarm") == "ສັນຍານເຕືອນ"

    def test_in_both_languages_english_comes_first(self):
        assert load_texts("both")("alarm") == "alarm / ສັນຍານເຕືອນ"
        assert load_texts("both", separator="\n")("alarm") == "alarm\nສັນຍານເຕືອນ"

    def test_what_stands_between_languages_can_change_and_what_is_missing_is_known_to_both(self):
        texts = load_texts("both")
        stacked = texts.joined_by("\n")
        assert stacked("alarm") == "alarm\nສັນຍານເຕືອນ"
        stacked("no such message")
        assert texts.missing == {"no such message"}
        assert [one("alarm") for one in texts.each] == ["alarm", "ສັນຍານເຕືອນ"]

    def test_a_language_has_a_name_of_its_own(self, tmp_path):
        assert load_texts("lo").name == "ລາວ"
        assert load_texts(catalogue(tmp_path, "xx", "")).name == "xx"

    def test_what_is_the_same_in_both_languages_stands_once(self):
        texts = load_texts("both")
        assert texts("no such message") == "no such message"

    def test_a_message_without_translation_is_english_and_recorded(self):
        texts = load_texts("lo")
        assert texts("no such message") == "no such message"
        assert texts.missing == {"no such message"}

    def test_an_unsure_translation_is_not_shown(self, tmp_path):
        path = catalogue(tmp_path, "xx", '#, fuzzy\nmsgid "alarm"\nmsgstr "calm"\n')
        assert load_texts(path)("alarm") == "alarm"

    def test_values_stand_in_their_places_and_are_never_messages(self, tmp_path):
        path = catalogue(tmp_path, "xx", 'msgid "{name} says {answer}"\nmsgstr "{answer}, {name}"\n')
        assert load_texts(path)("{name} says {answer}", name="{answer}", answer="alarm") == "alarm, {answer}"

    def test_braces_in_a_message_without_values_stay(self):
        assert load_texts("en")("set {1}") == "set {1}"

    def test_one_thing_and_many_things(self):
        texts = load_texts("en")
        said = [texts.plural("{number} case", "{number} cases", number) for number in (0, 1, 1200)]
        assert said == ["0 cases", "1 case", "1,200 cases"]

    def test_a_language_counts_in_its_own_way(self, tmp_path):
        lines = 'msgid "{number} case"\nmsgid_plural "{number} cases"\n'
        lines += 'msgstr[0] "one {number}"\nmsgstr[1] "few {number}"\nmsgstr[2] "many {number}"\n'
        rule = "nplurals=3; plural=(n==1 ? 0 : n<5 ? 1 : 2);"
        texts = load_texts(catalogue(tmp_path, "xx", lines, plural=rule))
        said = [texts.plural("{number} case", "{number} cases", number) for number in (1, 3, 8)]
        assert said == ["one 1", "few 3", "many 8"]

    def test_an_unknown_language_is_refused_and_the_known_ones_are_named(self):
        with pytest.raises(ConfigError, match=r"there is no language 'fr'.*lo"):
            load_texts("fr")

    def test_a_missing_catalogue_is_refused(self, tmp_path):
        with pytest.raises(ConfigError, match="there is no such catalogue"):
            load_texts(str(tmp_path / "xx.po"))

    def test_a_file_that_is_no_catalogue_is_refused(self, tmp_path):
        (tmp_path / "xx.po").write_text("hello\n", encoding="utf-8")
        with pytest.raises(ConfigError, match="not a catalogue"):
            load_texts(str(tmp_path / "xx.po"))

    def test_a_catalogue_that_was_corrected_is_read_again(self, tmp_path):
        path = catalogue(tmp_path, "xx", 'msgid "alarm"\nmsgstr "old"\n')
        assert load_texts(path)("alarm") == "old"
        before = Path(path).stat().st_mtime_ns
        catalogue(tmp_path, "xx", 'msgid "alarm"\nmsgstr "newer"\n')
        import os

        os.utime(path, ns=(before + 10**9, before + 10**9))
        assert load_texts(path)("alarm") == "newer"


class TestFigures:
    def test_numbers_are_written_as_in_the_language(self):
        assert load_texts("en").number(1234.5, 2) == "1,234.50"
        assert load_texts("lo").number(1234.5, 2) == "1.234,50"

    def test_a_page_in_two_languages_has_one_sign_for_decimals(self):
        assert load_texts("both").number(1234.5, 2) == "1,234.50"

    def test_areas_are_shown_in_hectares_with_their_unit(self):
        assert load_texts("en").area_ha(123_456.0) == "12.35 ha"

    def test_a_day_has_its_month_as_a_word(self):
        day = dt.date(2026, 3, 4)
        assert load_texts("en").date(day) == "4 Mar 2026"
        assert load_texts("lo").date(day) == "4 ມ.ນ. 2026"

    def test_a_language_nobody_knows_writes_numbers_as_english_does(self, tmp_path):
        assert load_texts(catalogue(tmp_path, "xx", "")).number(1234.5, 1) == "1,234.5"


class TestApproval:
    def test_lao_is_a_draft_until_somebody_has_approved_it(self):
        texts = load_texts("lo")
        assert texts.is_draft
        assert texts.draft_note == texts(DRAFT) != ""

    def test_english_needs_no_note(self):
        assert load_texts("en").draft_note == ""

    def test_a_page_in_two_languages_says_so_in_both(self):
        assert DRAFT in load_texts("both").draft_note

    def test_an_approved_catalogue_is_a_draft_while_a_term_of_the_glossary_is_not_approved(self, tmp_path):
        assert load_texts(catalogue(tmp_path, "lo", "", approved_by="Bounmy, NRA")).is_draft

    def test_all_approved_by_name_is_no_draft(self, tmp_path, monkeypatch):
        approved = {
            name: term.model_copy(update={"approved_by": {"lo": "Bounmy"}})
            for name, term in load_glossary().terms.items()
        }
        monkeypatch.setattr("geopipe.languages.texts.load_glossary", lambda: Glossary(terms=approved))
        assert not load_texts(catalogue(tmp_path, "lo", "", approved_by="Bounmy, NRA")).is_draft
        assert load_texts(catalogue(tmp_path, "lo", "")).is_draft


@pytest.mark.parametrize("language", ANOTHER)
class TestShippedCatalogues:
    def test_everything_is_translated(self, language):
        assert missing(language) == []

    def test_safety_terms_are_those_of_the_glossary(self, language):
        assert list(deviations(language)) == []

    def test_each_message_stands_once(self, language):
        ids = re.findall(r'^msgid (".+")$', (CATALOGUES / f"{language}.po").read_text("utf-8"), re.MULTILINE)
        twice = {text for text in ids if ids.count(text) > 1} - {'""'}
        assert twice == set()

    def test_a_translation_has_the_same_places_for_values(self, language):
        for english, forms in load_translations(language).messages.items():
            for form in forms:
                assert places(form) == places(english), english

    def test_every_term_of_the_glossary_has_a_word(self, language):
        assert all(term.words.get(language) for term in load_glossary().terms.values())


def places(text: str) -> set[str]:
    """Return the names in braces."""
    return set(re.findall(r"\{(\w+)\}", text))


class TestGlossary:
    def test_a_term_that_is_translated_otherwise_is_found(self):
        assert load_glossary().deviations("Released land", "ດິນເປົ່າ", "lo") == ["released land"]
        assert load_glossary().deviations("Released land", "ດິນທີ່ປົດປ່ອຍແລ້ວ", "lo") == []

    def test_a_term_inside_a_longer_one_is_not_asked_for_again(self):
        found = load_glossary().deviations("confirmed hazardous area", "ເຂດຢັ້ງຢືນວ່າອັນຕະລາຍ", "lo")
        assert found == []

    def test_the_place_for_a_value_is_no_word(self):
        assert load_glossary().deviations("withdraw {record}", "ຖອນ {record}", "lo") == []

    def test_a_word_that_only_holds_a_term_is_not_the_term(self):
        assert load_glossary().deviations("an unreleased version", "ສະບັບ", "lo") == []

    def test_the_catalogue_of_findings_uses_the_same_words(self):
        ours = {form: term.words["lo"] for term in load_glossary().terms.values() for form in term.en}
        theirs = load_catalogue().glossary
        shared = set(ours) & set(theirs)
        assert {"released land", "cleared", "reduced", "cancelled", "survey", "overlap"} <= shared
        assert [name for name in shared if ours[name] not in theirs[name]] == []


class TestCollecting:
    def test_words_of_enumerations_are_complete(self):
        assert set(KINDS) == set(Kind)
        assert set(SEVERITIES) == set(Severity)
        assert set(STATUSES) == set(CaseStatus)
        assert set(CHOICES) == set(Choice)
        assert set(CHOICES.values()) | set(KINDS.values()) <= all_messages()

    def test_messages_are_found_in_code(self, tmp_path):
        code = "from geopipe.languages.texts import load_texts, message\n"
        code += (
            'A = message("one")\ntexts("two", x=1)\nself.texts.plural("three", "threes", n)\ntexts(name)\n'
        )
        (tmp_path / "page.py").write_text(code, encoding="utf-8")
        (tmp_path / "other.py").write_text('texts("not ours")\n', encoding="utf-8")
        assert messages_in_code(tmp_path) == {"one", "two", "three"}

    def test_a_new_catalogue_is_all_that_a_new_language_needs(self, strange):
        texts = load_texts(strange)
        assert texts(CHOICES[Choice.BOTH_VALID]) == "[both valid]"
        assert all(texts(text) == f"[{text}]" for text in all_messages())
        assert texts.missing == set()
        assert texts.is_draft
