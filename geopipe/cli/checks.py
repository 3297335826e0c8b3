"""`geopipe checks`: every code that geopipe can write, what it means, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from geopipe.cli import options
from geopipe.cli.answers import answer

if TYPE_CHECKING:
    from geopipe.catalogue import Catalogue, Entry, Language

_AUDIENCES = {"sender": "sender", "authority": "authority only", "both": "sender and authority"}
_DRAFT = {
    "en": "",
    "lo": "ສະບັບຮ່າງ: draft translation, not approved by a Lao speaker.",
}


@click.command("checks")
@click.argument("code", required=False)
@click.option(
    "--lang",
    "language",
    type=click.Choice(["en", "lo"]),
    default="en",
    show_default=True,
    help="English, or Lao (draft translation).",
)
@click.option("--markdown", is_flag=True, help="Print the whole catalogue as CHECKS.md, in both languages.")
@options.json_option
def checks_command(code: str | None, language: Language, markdown: bool, as_json: bool) -> None:
    """Explain CODE, or list every code: how much it matters, what it means, what to do. Alarms first.

    \b
    Examples:
      geopipe checks
      geopipe checks AREA_DIFFERS --lang lo
    """
    from geopipe.catalogue import load_catalogue

    catalogue = load_catalogue()
    if markdown:
        click.echo("\n".join(as_markdown(catalogue)))
        return
    chosen = _chosen(catalogue, code)
    if as_json:
        told = {name: entry.model_dump(mode="json") for name, entry in chosen}
        answer({"checks": told})
        return
    if _DRAFT[language]:
        click.echo(_DRAFT[language])
    for name, entry in chosen:
        click.echo(f"{entry.severity.value:<9}{name}")
        click.echo(f"         {getattr(entry.meaning, language)}")
        click.echo(f"         > {getattr(entry.remedy, language)}")
        if code:
            click.echo(f"         Told to: {_AUDIENCES[entry.audience]}; about: {entry.about}")


def _chosen(catalogue: Catalogue, code: str | None) -> list[tuple[str, Entry]]:
    """Return all entries, or those of one code in whatever capitals (STATUS_NOT_UPDATED is two)."""
    entries = catalogue.by_severity()
    if code is None:
        return entries
    found = [item for item in entries if item[0] == code]
    found = found or [item for item in entries if item[0].casefold() == code.casefold()]
    if not found:
        near = difflib.get_close_matches(code.casefold(), [name.casefold() for name, _ in entries], n=1)
        hint = next((name for name, _ in entries if near and name.casefold() == near[0]), None)
        raise click.UsageError(
            f"There is no code {code!r}." + (f" Did you mean {hint!r}?" if hint else " See geopipe checks.")
        )
    return found


def as_markdown(catalogue: Catalogue) -> Iterator[str]:
    """Yield the lines of CHECKS.md."""
    yield "# What geopipe checks"
    yield ""
    yield "Made from `configs/checks.yaml` by `geopipe checks --markdown > CHECKS.md`; change that file,"
    yield "not this one. Figures (angles, limits, tolerances) stand in `configs/policies/default.yaml`."
    yield "The Lao text is a *draft translation, not approved by a Lao speaker*."
    yield ""
    yield "| severity | code | about | told to | meaning | what to do | ຄວາມໝາຍ | ສິ່ງທີ່ຕ້ອງເຮັດ |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, entry in catalogue.by_severity():
        cells = (
            entry.severity.value,
            f"`{name}`",
            entry.about,
            _AUDIENCES[entry.audience],
            entry.meaning.en,
            entry.remedy.en,
            entry.meaning.lo,
            entry.remedy.lo,
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "## The checks of GICHD's geocheck for IMSMA NG"
    yield ""
    yield "geocheck has fifteen checks; the list that we know has these thirteen lines. It looks at one"
    yield "record or one register at a time; overlaps between records and operators are what geopipe adds."
    yield ""
    yield "| geocheck | covered by |"
    yield "|---|---|"
    for line in catalogue.geocheck:
        aside = ["the layer `duplicates`"] if line.aside else []
        yield f"| {line.check} | {', '.join([*aside, *(f'`{code}`' for code in line.codes)])} |"
    yield ""
    yield "## Lao words for safety terms (draft)"
    yield ""
    yield "| English | Lao |"
    yield "|---|---|"
    for english, lao in catalogue.glossary.items():
        yield f"| {english} | {lao} |"
