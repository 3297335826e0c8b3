"""What people write comes out as text in every output, whatever they write: nothing fails, nothing runs."""

import datetime as dt
import re
import sqlite3
import zipfile
from contextlib import closing
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pyogrio
import pypdfium2
import pytest
import python_calamine as calamine
from conftest import call, layer_names, read_layer
from hostile_fixtures import KEYS, MEETING, VALUES, people_speak, value, write_deliveries
from osgeo_utils.samples import validate_gpkg
from unpacking import parts_of

from geopipe.languages.texts import load_texts
from geopipe.outputs.formats.convert import FORMATS
from geopipe.outputs.pack.make import make_pack
from geopipe.outputs.pack.material import Meeting, gather
from geopipe.reports.publish import current_run

# In a font of its own or from right to left, letters of a page are read back in another order.
SHAPED = ("arabic", "hebrew", "lao")
TURNING = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return the folder of a run with all its outputs."""
    folder = tmp_path_factory.mktemp("hostile")
    write_deliveries(folder / "in")
    (folder / "run.yaml").write_text(
        "deliveries: [{path: in}]\nworkspace: work\noutput: out\ntoday: 2026-05-01\n", "utf-8"
    )
    out, work = folder / "out", ("-w", folder / "work")
    ran = call("run", folder / "run.yaml")
    assert ran.code == 4, ran.err
    (folder / "screen.txt").write_text(ran.out + ran.err, "utf-8")
    people_speak(folder / "work")
    for words in (
        ("workbook", out, *work, "-o", folder / "workbook.xlsx", "--lang", "both"),
        ("pack", out, *work, "-o", folder / "pack.pdf", "--lang", "both", "--minutes-of-meeting", "120",
         "--meeting", MEETING, "--all-pages", "--held-on", "2026-06-01"),
        ("minutes", *work, "-o", folder / "minutes", "--meeting", MEETING, "--lang", "both"),
        ("returns", out, "-o", folder / "returns"),
        ("convert", out, "-o", folder / "converted", "--format", ",".join(FORMATS)),
        ("cases", "export", *work, "-o", folder / "cases.xlsx"),
        ("cases", "export", *work, "-o", folder / "cases.gpkg"),
        ("edition", out, *work, "-o", folder / "edition", "--operator", value("typst"), "--lang", "both",
         "--meeting", MEETING, "--held-on", "2026-06-01", "--format", ",".join(FORMATS)),
    ):  # fmt: skip
        ran = call(*words)
        assert ran.code == 0, (words[0], ran.err)
    return folder


def cells(path, but=()):
    with path.open("rb") as file:
        book = calamine.CalamineWorkbook.from_filelike(file)
        sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names if name not in but]
    return [str(cell) for sheet in sheets for row in sheet for cell in row]


def rows(path):
    return [
        str(cell) for name in layer_names(path) for row in read_layer(path, name) for cell in row.values()
    ]


def of_all(reader, paths):
    return [text for path in sorted(paths) for text in reader(path)]


def project(path, but=""):
    """Return all texts of the QGIS project and the styles, which parse as XML, but those of an attribute."""
    with closing(sqlite3.connect(path)) as connection:
        found = [style for (style,) in connection.execute("SELECT styleQML FROM layer_styles")]
    found += [part.decode() for part in parts_of(path) if part.startswith(b"<!DOCTYPE qgis")]
    assert len(found) > 3
    return [
        text
        for document in found
        for item in ElementTree.fromstring(document).iter()
        for name, text in (("", item.text or ""), *item.attrib.items())
        if f"{item.tag}/{name}" != but
    ]


def pages(path):
    with pypdfium2.PdfDocument(path) as document:
        return [page.get_textpage().get_text_range() for page in document]


def kml(path):
    return [item.text or "" for item in ElementTree.parse(path).iter()]


def records(path):
    if path.suffix == ".parquet":
        return [str(cell) for row in pq.read_table(path).to_pylist() for cell in row.values()]
    name = f"/vsizip/{path}" if path.suffix == ".zip" else path
    return [str(cell) for column in pyogrio.raw.read_arrow(name)[1].columns for cell in column.to_pylist()]


def of_format(name, ending):
    return lambda folder: of_all(records, (folder / "converted" / name).glob(f"*{ending}"))


OUTPUTS = {
    "first screen": lambda folder: [(folder / "screen.txt").read_text("utf-8")],
    "GeoPackage": lambda folder: rows(current_run(folder / "out") / "geopipe.gpkg"),
    "QGIS project": lambda folder: project(current_run(folder / "out") / "geopipe.gpkg"),
    "workbook": lambda folder: cells(folder / "workbook.xlsx"),
    "pack": lambda folder: pages(folder / "pack.pdf"),
    "minutes": lambda folder: cells(folder / "minutes" / "minutes.xlsx"),
    "letters": lambda folder: of_all(cells, (folder / "minutes").glob("letter-*.xlsx")),
    "return workbooks": lambda folder: of_all(cells, (folder / "returns").glob("*.xlsx")),
    "return GeoPackages": lambda folder: of_all(rows, (folder / "returns").glob("*.gpkg")),
    "sheet of cases": lambda folder: cells(folder / "cases.xlsx"),
    "cases for QGIS": lambda folder: rows(folder / "cases.gpkg"),
    "KML": lambda folder: kml(folder / "converted" / "kml" / "geopipe.kml"),
    "GeoJSON": of_format("geojson", ".geojson"),
    "FlatGeobuf": of_format("flatgeobuf", ".fgb"),
    "GeoParquet": of_format("geoparquet", ".parquet"),
    "shapefile": of_format("shapefile", ".zip"),
}
# Made for people to read or to fill in: no sign may ring, colour or turn letters round there.
FOR_PEOPLE = ("first screen", "QGIS project", "workbook", "pack", "minutes", "letters", "sheet of cases")
# The first screen names a few; of a code of types the project shows the first twenty.
SHOWS_SOME = ("first screen",)


def flat(text):
    return re.sub(r"[\s\u200b\ufffe]+", "", text)


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_value_is_there_as_text(output, place):
    said = flat("\n".join(OUTPUTS[output](place)))
    for key in KEYS:
        marker = flat(VALUES[key][1])
        if output == "pack" and key in SHAPED:
            assert set(marker) <= set(said), key
        elif output not in SHOWS_SOME:
            assert marker in said, key


@pytest.mark.parametrize("output", FOR_PEOPLE)
def test_no_sign_rings_colours_or_turns_letters_round(output, place):
    said = "\n".join(OUTPUTS[output](place)).replace("\r\n", "\n")
    if output == "pack":
        said = said.replace("\x02", "-")  # how the reader gives a hyphen at the end of a line
    assert not CONTROL.search(said), CONTROL.findall(said)
    assert not set(said) & set(TURNING)


def workbooks(folder):
    return sorted(folder.rglob("*.xlsx"))


def test_no_workbook_has_a_formula_a_link_to_a_file_or_a_macro(place):
    assert len(workbooks(place)) > 2 * len(KEYS)
    for path in workbooks(place):
        with zipfile.ZipFile(path) as archive:
            assert not [name for name in archive.namelist() if "vba" in name or "externalLink" in name]
            for name in archive.namelist():
                data = archive.read(name)
                assert not re.search(rb"<f[ >]|ddeLink|TargetMode=\"External\"", data), (path.name, name)


def test_qgis_computes_nothing_that_an_operator_wrote(place):
    for path in (current_run(place / "out") / "geopipe.gpkg", place / "edition" / "geopipe.gpkg"):
        computed = re.findall(r"\[%.*?%\]", "\n".join(project(path, but="category/value")), re.DOTALL)
        assert computed  # the tips under the pointer
        assert not [text for text in computed if "@" in text]


def test_geopackages_keep_to_the_standard(place):
    for path in (current_run(place / "out") / "geopipe.gpkg", place / "edition" / "geopipe.gpkg"):
        told = validate_gpkg.check(str(path), abort_at_first_error=False, extra_checks=True,
                                   warning_as_error=True, myprint=lambda _: None)  # fmt: skip
        assert told == []


def test_no_file_leaves_its_folder_whatever_an_operator_is_called(place):
    made = {path.relative_to(place).parts[0] for path in place.rglob("*") if path.is_file()}
    assert made == {"in", "run.yaml", "work", "out", "screen.txt", "workbook.xlsx", "pack.pdf", "minutes",
                    "returns", "converted", "cases.xlsx", "cases.gpkg", "edition"}  # fmt: skip
    assert len(list((place / "minutes").glob("letter-*.xlsx"))) == len(KEYS)
    assert len(list((place / "returns").glob("*.xlsx"))) == len(KEYS)
    assert not [path for path in (place / "minutes").iterdir() if re.search(r'[<>:"|?*=+@#$%]', path.name)]


def test_nothing_overflows_its_page(place):
    material = gather(Meeting(MEETING, 120, dt.date(2026, 6, 1)), place / "work", place / "out")
    made = make_pack(material, load_texts("both"), all_pages=True)
    assert made.fits
    assert all(item["fits"] for item in made.fits.values())


def test_a_line_of_the_first_screen_is_geopipes_own(place):
    """An id with a line break in it must not look like a line of this screen."""
    screen = (place / "screen.txt").read_text("utf-8").splitlines()
    first = screen[: next(at for at, line in enumerate(screen) if line.startswith("OPEN NEXT")) + 1]
    assert len(first) <= 25
    assert all(re.match(r"[A-Z][A-Z ]+\b|            \S", line) for line in first)


def test_a_sheet_that_was_filled_in_is_read_back(place):
    ran = call("cases", "import", place / "cases.xlsx", "-w", place / "work", "--by", "B")
    assert ran.code == 0, ran.err
