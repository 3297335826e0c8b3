"""The catalogue is complete and is the one place of severities; CHECKS.md and the command show it."""

import ast
import json
import re

import pytest
from conftest import REPOSITORY, call
from make import POLICY

from geopipe.catalogue import Catalogue, load_catalogue, severity_of
from geopipe.errors import ConfigError
from geopipe.settings import load_model
from geopipe.stages.overlaps import _UNNAMED
from geopipe.terms import Kind, Severity

CATALOGUE = load_catalogue()
_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$")
# Constants that look like codes: options of GDAL, SQLite, PROJ, Arrow and OpenBLAS, names of columns.
_NO_CODES = re.compile(  # names of drivers, of options, of a schema
    r"(GDAL|OGR|CPL|LIBKML|PROJ|SQLITE|OPENBLAS|ARROW|SC)_|OGC_FID$|(DATE|ARRAY)_AS_STRING$|LIST_ALL_TABLES$|DBF_DATE|COORDINATE_PRECISION$|GIVEN_UP$|GEOPIPE_|WRITE_NAME$|SPATIAL_INDEX$|ADJUST_TYPE$"
)
# Codes that are put together from two words (hazard or unknown ground that is gone).
_JOINED = {
    f"{what}_{how}"
    for what in ("HAZARD", "UNKNOWN")
    for how in ("VANISHED", "SHRANK", "RELEASED_SINCE", "TAKEN_OVER")
}
# Codes whose stage is being wired; empty this when they are there.
_TO_COME: set[str] = set()
_OVERLAPS = {rule.code for rule in POLICY.findings} | {_UNNAMED.code}
_LAO = re.compile("[\u0e80-\u0eff]")


def modules():
    for path in sorted((REPOSITORY / "geopipe").rglob("*.py")):
        if "demo" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def constants():
    """Every text in the code that is, or looks like, a code."""
    found = {}
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.setdefault(node.value, path.name)
    return found


CONSTANTS = constants()


def test_every_code_that_geopipe_can_write_is_in_the_catalogue():
    written = {
        text: where
        for text, where in CONSTANTS.items()
        if _CODE.match(text) and not _NO_CODES.match(text) and text not in set(Kind)
    }
    assert len(written) > 100
    assert {text: where for text, where in written.items() if text not in CATALOGUE.codes} == {}
    assert set(CATALOGUE.codes) >= _OVERLAPS


def test_nothing_in_the_catalogue_is_unused():
    assert set(CATALOGUE.codes) - set(CONSTANTS) - _OVERLAPS - _JOINED - _TO_COME == set()


def test_severities_written_in_code_are_those_of_the_catalogue():
    """Where a call names a code and a severity, they belong together."""
    differs = {}
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                values = [*node.args, *(keyword.value for keyword in node.keywords)]
                codes = [
                    v.value for v in values if isinstance(v, ast.Constant) and v.value in CATALOGUE.codes
                ]
                levels = [
                    v.attr
                    for v in values
                    if isinstance(v, ast.Attribute) and ast.unparse(v.value) == "Severity"
                ]
                if codes and levels and CATALOGUE.codes[codes[0]].severity != Severity[levels[0]]:
                    differs[codes[0]] = f"{path.name}: {levels[0]}"
    assert differs == {}


def test_the_default_policy_gives_its_overlaps_the_severity_of_the_catalogue():
    for rule in (*POLICY.findings, _UNNAMED):
        assert rule.severity == CATALOGUE.severity(rule.code), rule.code


def test_what_a_run_tells_is_as_severe_as_the_catalogue_says(compared_of):
    state = compared_of(600, 7, True).state
    for frame, code in ((state.findings, "code"), (state.overlaps, "finding")):
        told = set(zip(frame.table[code].to_pylist(), frame.table["severity"].to_pylist(), strict=True))
        assert told
        for name, severity in told:
            assert severity == CATALOGUE.codes[name].severity, name


@pytest.mark.parametrize("code", CATALOGUE.codes)
def test_every_code_has_short_sentences_in_both_languages(code):
    for read in (CATALOGUE.meaning, CATALOGUE.remedy):
        english, lao = read(code, "en"), read(code, "lo")
        assert english.endswith(".")
        assert lao.endswith(".")
        assert len(english.split()) <= 20, english
        assert not _LAO.search(english)
        assert len(_LAO.findall(lao)) >= 6, lao
        assert english[0].isupper()


@pytest.mark.parametrize("code", CATALOGUE.codes)
def test_safety_terms_have_one_lao_word(code):
    """What the glossary has is written as the glossary says, wherever the English text has it."""
    terms = ["hazard area", "released land", "turning point", "coordinate system", "clearance depth"]
    english, lao = CATALOGUE.meaning(code).lower(), CATALOGUE.meaning(code, "lo")
    for term in terms:
        if re.search(rf"\b{term}s?\b", english):
            assert CATALOGUE.glossary[term] in lao, term


@pytest.mark.parametrize("word", ["claim", "verdict", "cluster", "sliver", "trim ", "rejected"])
def test_words_that_people_misunderstand_are_not_used(word):
    for code in CATALOGUE.codes:
        assert word not in f"{CATALOGUE.meaning(code)} {CATALOGUE.remedy(code)}".lower(), code


def test_a_shape_used_twice_is_never_told_to_the_sender():
    assert CATALOGUE.audience("SHAPE_REUSED") == "authority"


def test_hazard_that_is_gone_and_finds_on_released_land_are_alarms():
    alarms = {code for code, entry in CATALOGUE.codes.items() if entry.severity is Severity.ALARM}
    assert alarms >= {
        "FIND_ON_RELEASED_LAND", "HAZARD_SMALLER", "RELEASED_LARGER", "HAZARD_VANISHED", "HAZARD_SHRANK",
        "RELEASED_GREW", "hazard_on_released_land", "open_and_cancelled",
    }  # fmt: skip


def test_a_code_of_the_users_own_policy_speaks_for_itself():
    assert CATALOGUE.meaning("our_own_code", "lo") == "our own code"
    assert CATALOGUE.remedy("our_own_code") == ""
    assert CATALOGUE.severity("our_own_code") == Severity.CHECK
    assert CATALOGUE.audience("our_own_code") == "both"


def test_a_code_of_geopipe_that_has_no_meaning_is_a_fault():
    with pytest.raises(KeyError):
        severity_of("NEVER_HEARD_OF")


def test_geocheck_may_only_name_codes_that_exist(tmp_path):
    own = tmp_path / "checks.yaml"
    own.write_text("glossary: {}\ngeocheck: [{check: Invalid, codes: [NOT_THERE]}]\ncodes: {}\n")
    with pytest.raises(ConfigError, match="NOT_THERE"):
        load_model(own, Catalogue)


def test_checks_md_is_what_the_command_prints():
    assert (REPOSITORY / "CHECKS.md").read_text(encoding="utf-8") == call("checks", "--markdown").out


def test_the_command_lists_alarms_first():
    ran = call("checks")
    levels = [line.split()[0] for line in ran.lines if line[:1] != " "]
    order = [level.value for level in Severity]
    assert len(levels) == len(CATALOGUE.codes)
    assert levels == sorted(levels, key=order.index)
    assert levels[0] == "alarm"


def test_the_command_explains_one_code_in_lao_and_says_that_it_is_a_draft():
    ran = call("checks", "area_differs", "--lang", "lo")
    assert "draft translation, not approved" in ran.first_line
    assert CATALOGUE.meaning("AREA_DIFFERS", "lo") in ran.out
    assert "Told to: sender; about: record" in ran.out


def test_two_codes_that_differ_in_capitals_are_told_apart():
    assert "about: record" in call("checks", "STATUS_NOT_UPDATED").out
    assert "about: pair" in call("checks", "status_not_updated").out


def test_the_command_guesses_what_was_meant():
    ran = call("checks", "AREA_DIFERS")
    assert ran.code == 2
    assert "Did you mean 'AREA_DIFFERS'?" in ran.err


def test_the_catalogue_can_be_read_by_scripts():
    told = json.loads(call("checks", "--json").out)["checks"]
    assert told["SPIKE"]["severity"] == "check"
    assert set(told) == set(CATALOGUE.codes)
