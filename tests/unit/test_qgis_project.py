"""A published GeoPackage opens in QGIS as a map: hazard on top, every name is that of something."""

import io
import os
import re
import shutil
import sqlite3
import subprocess
import zipfile
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pyproj
import pytest
from conftest import UTM_48N, call, square, write_geojson
from osgeo_utils.samples import validate_gpkg

from geopipe.outputs.qgis.contents import Contents
from geopipe.outputs.qgis.dress import FOR_QGIS, dress
from geopipe.outputs.qgis.project import GROUPS, MOST_BOOKMARKS
from geopipe.outputs.qgis.xml import plain
from geopipe.reports.publish import current_run, read_summary

RELEASED = ("CLEARED", "REDUCED", "CANCELLED")
MAYBE_HAZARD = ("CHA", "SHA", "UNKNOWN", "")


@pytest.fixture(scope="module")
def published(small_demo, tmp_path_factory):
    """Return the folder of a run with a register, so with cases."""
    folder = tmp_path_factory.mktemp("run")
    config = folder / "run.yaml"
    config.write_text(
        f'deliveries: [{{path: "{small_demo.as_posix()}", assume_crs: "{UTM_48N}"}}]\noutput: out\n'
    )
    assert call("run", config, "--quiet").code == 4
    return current_run(folder / "out")


@pytest.fixture(scope="module")
def geopackage(published):
    return published / "geopipe.gpkg"


def rows(path, query, *values):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query, values).fetchall()


def styles(path):
    found = rows(path, "SELECT f_table_name, styleQML FROM layer_styles")
    return {name: ElementTree.fromstring(qml) for name, qml in found}


def project(path):
    ((content,),) = rows(path, "SELECT content FROM qgis_projects WHERE name = 'geopipe'")
    with zipfile.ZipFile(io.BytesIO(bytes.fromhex(content.decode()))) as archive:
        (name,) = archive.namelist()
        assert name.endswith(".qgs")
        return ElementTree.fromstring(archive.read(name))


def tables(path):
    with closing(sqlite3.connect(path)) as connection:
        return Contents(connection).tables


def levels(style):
    """Return when each kind is drawn: symbols of a higher level are drawn later, so above."""
    renderer = style.find("renderer-v2")
    assert renderer.get("symbollevels") == "1"
    symbols = {symbol.get("name"): symbol for symbol in renderer.find("symbols")}
    return {
        category.get("value"): int(symbols[category.get("symbol")].find("layer").get("pass"))
        for category in renderer.find("categories")
    }


def fill(style, value):
    renderer = style.find("renderer-v2")
    (name,) = (c.get("symbol") for c in renderer.find("categories") if c.get("value") == value)
    (symbol,) = (s for s in renderer.find("symbols") if s.get("name") == name)
    return {prop.get("k"): prop.get("v") for prop in symbol.find("layer").findall("prop")}


def complaints(path):
    """Return what GDAL's own checker says against the standard, warnings and extra checks included."""
    return validate_gpkg.check(
        str(path),
        abort_at_first_error=False,
        extra_checks=True,
        warning_as_error=True,
        myprint=lambda _: None,
    )


def test_the_file_keeps_to_the_standard(geopackage, small_result, tmp_path, two_files):
    assert complaints(geopackage) == []
    assert complaints(small_result / "geopipe.gpkg") == []
    call("compare", *two_files, "-o", tmp_path / "out", "--no-qgis", "-q")
    assert complaints(tmp_path / "out" / "geopipe.gpkg") == []


def test_without_qgis_its_two_tables_are_left_out_and_nothing_else(two_files, tmp_path):
    call("compare", *two_files, "-o", tmp_path / "with", "-q")
    call("compare", *two_files, "-o", tmp_path / "without", "--no-qgis", "-q")
    names = [
        {name for (name,) in rows(tmp_path / folder / "geopipe.gpkg", "SELECT name FROM sqlite_master")}
        for folder in ("with", "without")
    ]
    tables_of_qgis = {name for name in names[0] - names[1] if not name.startswith("sqlite_autoindex")}
    assert tables_of_qgis == {"layer_styles", "qgis_projects"}
    assert names[1] <= names[0]


def test_no_released_land_is_drawn_above_what_may_be_hazard(geopackage):
    in_project = next(
        layer
        for layer in project(geopackage).iter("maplayer")
        if layer.findtext("id") == "geopipe_areas_Polygon_layer"
    )
    for style in (styles(geopackage)["areas"], in_project):
        drawn = levels(style)
        assert max(drawn[kind] for kind in RELEASED) < min(drawn[kind] for kind in MAYBE_HAZARD)
        assert drawn["CHA"] > drawn["SHA"] > drawn["UNKNOWN"]


def test_hazard_has_the_colours_of_imsma_half_transparent(geopackage):
    style = styles(geopackage)["areas"]
    assert fill(style, "CHA")["color"] == "255,0,0,128"
    assert fill(style, "SHA")["color"] == "244,167,24,128"


def test_hazard_in_doubt_is_the_uppermost_layer_dashed_and_red(geopackage):
    first = next(project(geopackage).iter("layer-tree-layer"))
    assert first.get("id").startswith("geopipe_hazard_unresolved")
    layer = next(m for m in project(geopackage).iter("maplayer") if m.findtext("id") == first.get("id"))
    drawn = {prop.get("k"): prop.get("v") for prop in layer.iter("prop")}
    assert (drawn.get("line_color") or drawn["outline_color"]) == "255,0,0,255"
    assert (drawn.get("line_style") or drawn["outline_style"]) == "dash"


def test_each_finding_of_the_data_is_hatched_in_a_way_of_its_own(geopackage):
    renderer = styles(geopackage)["overlaps"].find("renderer-v2")
    found = {finding for (finding,) in rows(geopackage, "SELECT DISTINCT finding FROM overlaps")}
    assert {category.get("value") for category in renderer.find("categories")} == found | {""}
    looks = set()
    for category in renderer.find("categories"):
        if category.get("value"):
            (symbol,) = (s for s in renderer.find("symbols") if s.get("name") == category.get("symbol"))
            pattern = symbol.find("layer[@class='LinePatternFill']")
            looks.add(tuple(sorted((prop.get("k"), prop.get("v")) for prop in pattern.findall("prop"))))
    assert len(looks) == len(found)


def test_every_layer_of_the_project_is_a_table_with_records(geopackage):
    tree = project(geopackage)
    known = tables(geopackage)
    ids = [layer.findtext("id") for layer in tree.iter("maplayer")]
    assert [node.get("id") for node in tree.iter("layer-tree-layer")] == ids
    assert [node.get("id") for node in tree.find("layerorder")] == ids
    assert min(map(len, ids)) > 10
    for layer in tree.iter("maplayer"):
        file, name = re.fullmatch(
            r"\./(.+?)\|layername=(\w+)(?:\|geometrytype=\w+)?", layer.findtext("datasource")
        ).groups()
        assert file == "geopipe.gpkg"
        assert known[name].rows > 0
    assert {name for name, table in known.items() if table.rows} == {
        name for _, names, _ in GROUPS for name in names if name in known and known[name].rows
    }


def test_styles_forms_and_tips_name_only_columns_that_exist(geopackage):
    known = tables(geopackage)
    for layer in project(geopackage).iter("maplayer"):
        columns = set(known[re.search(r"layername=(\w+)", layer.findtext("datasource"))[1]].columns)
        named = {field.get("field") for field in layer.iter("alias")} | {
            f.get("name") for f in layer.iter("field")
        }
        named |= set(re.findall(r'"(\w+)"', layer.findtext("mapTip") + layer.findtext("previewExpression")))
        named |= {text.get("fieldName") for text in layer.iter("text-style")}
        named |= {renderer.get("attr") for renderer in layer.iter("renderer-v2")} - {None}
        assert named
        assert named <= columns


def test_texts_in_tips_are_escaped_so_that_a_note_cannot_be_code(geopackage):
    known = tables(geopackage)
    for layer in project(geopackage).iter("maplayer"):
        types = known[re.search(r"layername=(\w+)", layer.findtext("datasource"))[1]].columns
        for expression in re.findall(r"\[%(.*?)%\]", layer.findtext("mapTip")):
            column = re.search(r'"(\w+)"', expression)[1]
            if types[column] not in ("REAL", "DATE"):
                assert "map('&','&amp;','<','&lt;','>','&gt;')" in expression


def test_the_project_lies_in_the_crs_of_its_layers(geopackage):
    tree = project(geopackage)
    assert (
        tree.findtext("properties/SpatialRefSys/ProjectionsEnabled") == "1"
    )  # else QGIS ignores the next line
    crs = pyproj.CRS.from_wkt(tree.findtext("projectCrs/spatialrefsys/wkt"))
    ((wkt,),) = rows(geopackage, "SELECT definition FROM gpkg_spatial_ref_sys WHERE srs_id = 100000")
    assert crs.equals(pyproj.CRS.from_wkt(wkt))


def test_a_case_leads_to_both_its_records(geopackage):
    relations = project(geopackage).find("relations")
    assert [
        (
            r.get("referencingLayer"),
            r[0].get("referencingField"),
            r.get("referencedLayer"),
            r[0].get("referencedField"),
        )
        for r in relations
    ] == [
        ("geopipe_cases_Polygon_layer", side, "geopipe_areas_Polygon_layer", "record_id")
        for side in ("a_id", "b_id")
    ]


def test_every_open_case_has_a_bookmark_alarms_first(geopackage):
    bookmarks = list(project(geopackage).iter("Bookmark"))
    numbers = {number for (number,) in rows(geopackage, "SELECT number FROM cases")}
    assert {bookmark.get("name").split()[0] for bookmark in bookmarks} == numbers
    assert 0 < len(numbers) <= MOST_BOOKMARKS
    is_alarm = [bookmark.get("group").startswith("Open cases: alarms") for bookmark in bookmarks]
    assert is_alarm == sorted(is_alarm, reverse=True)
    assert any(is_alarm)


def test_decisions_are_shown_as_words_in_both_languages(geopackage):
    field = styles(geopackage)["cases"].find("fieldConfiguration/field[@name='decision']/editWidget")
    assert field.get("type") == "ValueMap"
    choices = {item.get("value"): item.get("name") for item in field.iter("Option") if item.get("value")}
    assert choices["b_corrects"].startswith("operator B corrects boundary / ")


def test_layers_and_map_say_how_new_the_data_are_and_that_a_blank_is_not_safe(geopackage):
    said = [
        text
        for (text,) in rows(
            geopackage, "SELECT description FROM gpkg_contents WHERE table_name != 'layer_styles'"
        )
    ]
    said.append(project(geopackage).findtext("properties/CopyrightLabel/Label"))
    for text in said:
        assert "Areas not shown are not thereby safe." in text
        assert re.search(r"Newest date in the data: .*\d{4}-\d\d-\d\d", text)
        assert re.search(r"[\d,]+ of [\d,]+ records were compared", text)
        assert "Draft translation" in text


def test_dressing_again_says_the_same_and_another_name_is_followed(published, tmp_path):
    copy, other = tmp_path / "geopipe.gpkg", tmp_path / "geopipe-20260301-0830.gpkg"
    for path in (copy, other):
        shutil.copyfile(published / "geopipe.gpkg", path)
        dress(path, read_summary(published), FOR_QGIS)
    everything = "SELECT * FROM qgis_projects"
    assert rows(copy, everything) == rows(published / "geopipe.gpkg", everything)
    assert rows(copy, "SELECT * FROM layer_styles") == rows(
        published / "geopipe.gpkg", "SELECT * FROM layer_styles"
    )
    sources = [layer.findtext("datasource") for layer in project(other).iter("maplayer")]
    assert all(source.startswith(f"./{other.name}|") for source in sources)


def test_the_same_input_gives_the_same_file(two_files, tmp_path):
    for folder in ("one", "two"):
        call("compare", *two_files, "-o", tmp_path / folder, "-q")
    assert (tmp_path / "one" / "geopipe.gpkg").read_bytes() == (
        tmp_path / "two" / "geopipe.gpkg"
    ).read_bytes()


HOSTILE = (
    "<script>alert(1)</script>",
    "[% layer_property(1) %]",
    "=cmd()",
    "a\x07b",
    "x" * 10_000,
    "\u202eabc",
    "ລາວ",
)


def test_what_operators_write_comes_out_as_text(tmp_path):
    records = [
        ({"OPERATOR": text, "KIND": "CHA", "AREA_ID": f"{number}"}, square(east_by=0.001 * number))
        for number, text in enumerate(HOSTILE)
    ]
    path = write_geojson(tmp_path / "in" / "areas.geojson", records)
    call("compare", path, "-o", tmp_path / "out", "--operator-field", "OPERATOR", "-q")
    tree = project(tmp_path / "out" / "geopipe.gpkg")
    said = tree.findtext("properties/CopyrightLabel/Label")
    assert "<script>alert(1)</script>" in said  # as text of the XML, which parsed
    assert "[%" not in said  # QGIS would compute it
    assert not re.search(r"[\x00-\x08\u202a-\u202e]", said)
    assert len(said) < 3_000
    assert complaints(tmp_path / "out" / "geopipe.gpkg") == []


def test_text_for_xml_has_no_signs_that_xml_or_readers_cannot_bear():
    assert plain("a\x00b\x1fc\ufffe\u202ed") == "a b cd"
    assert plain("ກ" * 300) == "ກ" * 199 + "…"


IN_QGIS = """
import os, sys
from qgis.core import QgsApplication, QgsProject, QgsVectorLayer
application = QgsApplication([], False)
application.initQgis()
project = QgsProject.instance()
assert project.read("geopackage:" + sys.argv[1] + "?projectName=geopipe"), project.error()
layers = [node.layer() for node in project.layerTreeRoot().findLayers()]
assert layers and all(layer.isValid() for layer in layers)
assert project.crs().isValid()
assert all(layer.crs() == project.crs() for layer in layers if layer.isSpatial())
assert all(relation.isValid() for relation in project.relationManager().relations().values())
assert len(project.relationManager().relations()) == 2
assert project.bookmarkManager().bookmarks()
areas = QgsVectorLayer(sys.argv[1] + "|layername=areas", "areas", "ogr")
assert areas.renderer().usingSymbolLevels()  # the default style of the file was taken
print("seen", flush=True)
os._exit(0)
"""


def test_a_real_qgis_opens_it(geopackage):
    python = os.environ.get("GEOPIPE_QGIS_PYTHON", "/usr/bin/python3")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    environment.pop("PYTHONHOME", None)
    if (
        not Path(python).exists()
        or subprocess.run(
            [python, "-c", "import qgis.core"], capture_output=True, env=environment, check=False
        ).returncode
    ):
        pytest.skip("no QGIS here: name a Python that has it in GEOPIPE_QGIS_PYTHON")
    seen = subprocess.run(
        [python, "-c", IN_QGIS, str(geopackage)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert seen.stdout.strip().endswith("seen"), seen.stderr
