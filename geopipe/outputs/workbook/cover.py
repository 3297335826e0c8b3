"""The cover of a workbook: what the data are, what is missing in them, and what stands on which sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlsxwriter import Workbook

from geopipe.casework.words import tidy
from geopipe.editions import file_name
from geopipe.languages.texts import DRAFT, Texts, message
from geopipe.outputs.workbook.material import Material
from geopipe.outputs.workbook.tables import Formats, Page
from geopipe.reports.cutoff import cut_off
from geopipe.reports.returned.styles import plain

_WIDTHS = (44, 90)
NOT_SAFE = message("Areas not shown are not thereby safe.")
FONT = message("If Lao letters do not show, install the font Noto Sans Lao or Phetsarath OT.")
CONFIDENTIAL = message("This workbook is confidential between the authority and the operator named here.")
_NOT_ALL = message(
    "NOT ALL DATA COMPARED: {returned} of {all} records were returned for correction; files not or only "
    "partly used: {files}"
)
_NOT_READ = message("Of earlier deliveries in force, not read for this run: {files}")
_ONLY_DRAWN = message("{number} records that may be hazard are only drawn, not measured.")
_HECTARES = message(
    "Hectares by operator: reported - in undecided overlap - agreed deduction = reconciled. What is shared "
    "with others stands in a line of its own, once."
)
SHEETS: Mapping[str, str] = {
    "Cases": message("All open cases, with columns to fill in; geopipe cases import reads this sheet."),
    "Read me": message("How to fill in the sheet Cases."),
    "Words": message("The English words of the sheet Cases in the other language."),
    "Matrix": message("How many overlaps there are between which operators, and how many hectares."),
    "By operator": _HECTARES,
    "By province": message("Hectares by province."),
    "Tolerance": message(
        "How many overlaps are smaller or narrower than which limit. No tolerance is set by it."
    ),
    "Deliveries": message("The files that were read, and what became of their records."),
    "Findings": message("What is wrong in the data and not yet corrected."),
    "Returned": message("Records that could not be used and go back for correction."),
}


def add_cover(
    book: Workbook, material: Material, formats: Formats, texts: Texts, sheets: Sequence[str]
) -> None:
    """Add the cover as the next sheet."""
    page = Page(book.add_worksheet("Cover"), formats, texts, material.run)
    page.sheet.hide_gridlines(2)
    for at, width in enumerate(_WIDTHS):
        page.sheet.set_column(at, at, width)
    page.say(message("Overlaps of mine action data: workbook"), formats.styles.title)
    for line in range(page.line):
        page.sheet.set_row(line, 26)
    if material.operator is not None:
        page.say(CONFIDENTIAL, formats.styles.warning)
    for warning, values in _warnings(material, texts):
        for single in texts.each:
            page.put(single(warning, **values), formats.styles.warning)
    page.line += 1
    _facts(page, material)
    page.line += 1
    page.say(message("Sheets"), formats.styles.heading)
    for name in sheets:
        _pair(page, name, texts(SHEETS[name]), f"internal:'{name}'!A1")
    page.line += 1
    if texts.draft_note:
        page.say(DRAFT, formats.styles.warning)
        page.say(FONT)
    page.finish()


def _warnings(material: Material, texts: Texts) -> list[tuple[str, dict[str, object]]]:
    """Return what stands on top, with its values."""
    warnings: list[tuple[str, dict[str, object]]] = []
    balance = material.balance
    if balance["rejected"] or material.problems:
        returned, every = texts.number(balance["rejected"]), texts.number(balance["records_in"])
        warnings.append((_NOT_ALL, {"returned": returned, "all": every, "files": material.problems}))
    if material.not_read:
        files = ", ".join(file_name(tidy(file)) for file in material.not_read)
        warnings.append((_NOT_READ, {"files": files}))
    if material.only_drawn:
        warnings.append((_ONLY_DRAWN, {"number": texts.number(material.only_drawn)}))
    return [*warnings, (NOT_SAFE, {})]


def _facts(page: Page, material: Material) -> None:
    texts, balance = page.texts, material.balance
    if material.operator is not None:
        _pair(page, texts("Edition for"), material.operator)
    _pair(page, texts("Data cut-off"), cut_off(material.cut_off, material.run_day, texts))
    _pair(page, texts("Result of"), f"{texts.date(material.run_day)} ({material.run})")
    _pair(
        page,
        texts("Open cases"),
        texts(
            "{cases} open cases among {some} areas of {all} records",
            cases=texts.number(material.cases_open),
            some=texts.number(balance["kept"]),
            all=texts.number(balance["records_in"]),
        ),
    )
    if material.operator is None:
        _pair(page, texts("Missing deliveries"), _missing(material, texts))
    _pair(page, texts("Records returned for correction"), texts.number(balance["rejected"]))
    reasons = material.policy.why_no_tolerance(material.run_day)
    in_force = texts("No tolerance is in force.") if reasons else texts("A tolerance is in force.")
    policy = f"{material.policy.name}, {material.policy.version}"
    _pair(page, texts("Policy"), f"{policy}. {in_force}")


def _missing(material: Material, texts: Texts) -> str:
    if material.missing is None:
        return texts("nobody said who should have delivered (option --expect)")
    return ", ".join(material.missing) or texts("none of those who should have delivered")


def _pair(page: Page, name: str, value: str, link: str = "") -> None:
    """Write a name and a value beside it."""
    header = page.formats.styles.header
    if link:
        page.sheet.write_url(page.line, 0, link, header, name)
    else:
        page.sheet.write_string(page.line, 0, plain(name), header)
    page.sheet.write_string(page.line, 1, plain(value), page.formats.styles.lao)
    page.fit(zip((name, value), _WIDTHS, strict=True))
    page.line += 1
