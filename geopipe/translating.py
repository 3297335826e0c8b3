"""Which messages there are, which of them a language lacks, and where it leaves the glossary.

For translators: `python -m geopipe.translating lo` prints what is missing as a catalogue has it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from geopipe.casework import sheetcolumns
from geopipe.casework import words as casework_words
from geopipe.languages import words
from geopipe.languages.catalogue import load_translations
from geopipe.languages.glossary import load_glossary
from geopipe.policies import load_policy

_PACKAGE = Path(__file__).resolve().parent
_MARKS = frozenset({"texts", "message", "plural"})
_IMPORT = "from geopipe.languages"


def messages_in_code(folder: Path = _PACKAGE) -> set[str]:
    """Return the texts that stand in `texts("...")`, `message("...")` and `.plural("...", "...")`."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        code = path.read_text(encoding="utf-8")
        if _IMPORT in code:
            calls = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
            found.update(text for call in calls for text in _said_in(call))
    return found


def _said_in(call: ast.Call) -> Iterator[str]:
    """Give the message of a call that shows one, if it is written there."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in _MARKS and call.args:
        yield from _texts_in(call.args[0])


def _texts_in(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts_in(node.body)
        yield from _texts_in(node.orelse)


def messages_of_enumerations() -> set[str]:
    """Return the words of all enumerations, and the sentences of the shipped policy."""
    named = (item for room in (words, casework_words) for item in vars(room).items())
    public = (value for name, value in named if name.isupper() and not name.startswith("_"))
    maps = (value for value in public if isinstance(value, Mapping))
    sentences = {rule.sentence for rule in load_policy().findings}
    headings = {*sheetcolumns.FIXED.values(), *sheetcolumns.DECISION.values(), *sheetcolumns.ANSWER.values()}
    return {text for value in maps for text in value.values()} | headings | sentences


def all_messages() -> set[str]:
    """Return everything that a language should say."""
    return messages_in_code() | messages_of_enumerations()


def deviations(name: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the messages of a language that do not use the words of the glossary, with the terms."""
    language = load_translations(name)
    for english, forms in sorted(language.messages.items()):
        if wrong := load_glossary().deviations(english, " ".join(forms), language.language):
            yield english, wrong


def missing(name: str) -> list[str]:
    """Return the messages that a language lacks, sorted."""
    return sorted(all_messages() - set(load_translations(name).messages))


def _report(name: str) -> Iterable[str]:
    for english in missing(name):
        quoted = english.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        yield f'msgid "{quoted}"\nmsgstr ""\n'
    for english, terms in deviations(name):
        yield f"#. not as in the glossary ({', '.join(terms)}): {english}"


if __name__ == "__main__":
    for line in _report(sys.argv[1] if len(sys.argv) > 1 else "lo"):
        print(line)
