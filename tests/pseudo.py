"""A language that is English between brackets: what is outside of them was not translated."""

from geopipe.catalogue import load_catalogue
from geopipe.translating import all_messages

OPEN, CLOSE = "⟦", "⟧"


def write_catalogue(folder):
    """Write the catalogue; its numbers and dates are those of German."""
    catalogue = load_catalogue()
    told = {tell(code, "en") for code in catalogue.codes for tell in (catalogue.meaning, catalogue.remedy)}
    lines = ['msgid ""\nmsgstr ""\n"Language: de\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n']
    for english in sorted(all_messages() | told - {""}):
        quoted = english.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'msgid "{quoted}"\nmsgstr "{OPEN}{quoted}{CLOSE}"\n')
    path = folder / "xx.po"
    path.write_text("\n".join(lines), "utf-8")
    return path


def outside(text):
    """Return what of a text stands outside of all brackets."""
    depth, rest = 0, []
    for sign in text:
        depth += sign == OPEN
        rest.append(sign if depth == 0 else " ")
        depth -= sign == CLOSE
    return "".join(rest)
