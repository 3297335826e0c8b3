"""The QGIS project in the GeoPackage: layers in their order, relations, bookmarks, a notice on the map."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from hashlib import sha256

from geopipe.languages.texts import Texts
from geopipe.outputs.qgis import captions
from geopipe.outputs.qgis.contents import GEOMETRY, CaseBox, Contents
from geopipe.outputs.qgis.renderers import Drawing
from geopipe.outputs.qgis.style import QGIS_VERSION, style, visibility
from geopipe.outputs.qgis.xml import Element, as_text, element, not_computed, plain

PROJECT = "geopipe"
# Groups from top to bottom, what they hold from top to bottom, and whether they are shown at first. Hazard in
# doubt is drawn above all; within the areas, hazard above released land.
GROUPS = (
    (captions.GROUP_SAFETY, ("hazard_unresolved", "points"), True),
    (captions.GROUP_CASES, ("cases", "overlaps", "partner_outlines", "gaps"), True),
    (captions.GROUP_MORE, ("changes", "findings", "duplicates", "copies", "lines", "remaining"), False),
    (captions.GROUP_AREAS, ("areas",), True),
    (captions.GROUP_TABLES, ("handover", "rejected"), False),
)
_RELATIONS = (("a_id", captions.RECORD_A), ("b_id", captions.RECORD_B))
_SHAPES = {"MULTIPOLYGON": "Polygon", "MULTILINESTRING": "LineString", "MULTIPOINT": "Point"}
_PARTS = {"Polygon": captions.AREAS, "LineString": captions.LINES, "Point": captions.POINTS}
_QGIS_GEOMETRY = {"Polygon": "Polygon", "LineString": "Line", "Point": "Point", "": "No geometry"}
# More bookmarks than this are found by nobody; the alarms come first.
MOST_BOOKMARKS = 300
# A case of a few square metres is shown with its surroundings (m).
_AROUND_CASE_M = 100.0
_FIXED_DATE = (2000, 1, 1, 0, 0, 0)
_BOTTOM_LEFT = "0"


def drawings(contents: Contents, texts: Texts) -> list[Drawing]:
    """Return all layers of a map from top to bottom; a table of mixed types is a layer for each type."""
    found = []
    for _, names, _ in GROUPS:
        for name in (name for name in names if name in contents.tables):
            table = contents.tables[name]
            mixed = contents.types_in(name) if table.geometry_type == GEOMETRY else []
            shapes = mixed or [_SHAPES.get(table.geometry_type, "")]
            if table.rows:  # an empty layer says nothing, and hides what there is
                found += [Drawing(name, shape, contents, texts) for shape in shapes if shape or not table.box]
    return found


def project_file(file_name: str, contents: Contents, notice: Sequence[str], texts: Texts) -> bytes:
    """Return the project as the bytes of a `.qgz` file; the same content gives the same bytes.

    Parameters
    ----------
    file_name : str
        Name of the GeoPackage: the project names its layers beside itself.
    contents : Contents
    notice : sequence of str
        Sentences that stand on the map.
    texts : Texts
    """
    xml = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    xml += as_text(_project(file_name, contents, notice, texts))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        about = zipfile.ZipInfo(f"{PROJECT}.qgs", _FIXED_DATE)
        about.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(about, xml.encode("utf-8"))
    return stream.getvalue()


def _project(file_name: str, contents: Contents, notice: Sequence[str], texts: Texts) -> Element:
    layers = drawings(contents, texts)
    title = texts(captions.PROJECT)
    crs = _crs(contents.crs_wkt)
    related = _relations(layers)
    return element(
        "qgis",
        {"version": QGIS_VERSION, "projectname": title, "saveDateTime": "2000-01-01T00:00:00"},
        element("title", {}, text=title),
        element("projectCrs", {}, crs),
        _tree(layers),
        *_first_view(contents, crs),
        element("projectlayers", {}, *(_layer(layer, file_name, crs, related) for layer in layers)),
        element("layerorder", {}, *(element("layer", {"id": layer_id(layer)}) for layer in layers)),
        element("relations", {}, *related),
        _bookmarks(contents, crs, texts),
        _settings(notice, title),
    )


def layer_id(layer: Drawing) -> str:
    """Return the id of a layer in the project; QGIS breaks relations where ids have ten letters or fewer."""
    return f"geopipe_{layer.layer}_{layer.shape or 'table'}_layer"


def _name(layer: Drawing) -> str:
    name = layer.texts(captions.LAYERS[layer.layer])
    is_mixed = layer.contents.tables[layer.layer].geometry_type == GEOMETRY
    return f"{name}: {layer.texts(_PARTS[layer.shape])}" if is_mixed and layer.shape in _PARTS else name


def _source(layer: Drawing, file_name: str) -> str:
    is_mixed = layer.contents.tables[layer.layer].geometry_type == GEOMETRY
    part = f"|geometrytype={layer.shape}" if is_mixed and layer.shape else ""
    return f"./{file_name}|layername={layer.layer}{part}"


def _tree(layers: Iterable[Drawing]) -> Element:
    """Return the layer tree: from top to bottom, what is drawn above what."""
    all_layers = list(layers)
    groups = []
    for title, names, shown in GROUPS:
        inside = [layer for layer in all_layers if layer.layer in names]
        checked = "Qt::Checked" if shown else "Qt::Unchecked"
        nodes = [
            element("layer-tree-layer", {
                "id": layer_id(layer), "name": _name(layer), "checked": checked, "expanded": str(int(shown)),
                "providerKey": "ogr",
            })
            for layer in inside
        ]  # fmt: skip
        if nodes:
            attributes = {"name": inside[0].texts(title), "checked": checked, "expanded": str(int(shown))}
            groups.append(element("layer-tree-group", attributes, *nodes))
    return element("layer-tree-group", {}, *groups)


def _layer(layer: Drawing, file_name: str, crs: Element, related: Sequence[Element]) -> Element:
    """Return a layer with its style; read-only, because a run that is published does not change."""
    relations = {relation[0].get("referencingField", ""): relation.get("id", "") for relation in related}
    parts = style(layer, relations if layer.layer == "cases" else {})
    attributes = {
        "type": "vector", "geometry": _QGIS_GEOMETRY[layer.shape], "readOnly": "1", **visibility(layer),
    }  # fmt: skip
    return element(
        "maplayer", attributes,
        element("id", {}, text=layer_id(layer)),
        element("datasource", {}, text=_source(layer, file_name)),
        element("layername", {}, text=_name(layer)),
        element("provider", {"encoding": "UTF-8"}, text="ogr"),
        *([element("srs", {}, crs)] if layer.shape else []),
        *parts,
    )  # fmt: skip


def _relations(layers: Iterable[Drawing]) -> list[Element]:
    """Return the relations from an area to its cases, for either side."""
    by_name = {layer.layer: layer for layer in layers}
    if not {"areas", "cases"} <= set(by_name):
        return []
    cases = by_name["cases"]
    ends = {"referencingLayer": layer_id(cases), "referencedLayer": layer_id(by_name["areas"])}
    return [_relation(column, cases.texts(title), ends) for column, title in _RELATIONS]


def _relation(column: str, name: str, ends: dict[str, str]) -> Element:
    about = {"id": f"geopipe_cases_{column}_areas_record_id", "name": name, "strength": "Association"}
    fields = {"referencingField": column, "referencedField": "record_id"}
    return element("relation", about | ends, element("fieldRef", fields))


def _crs(wkt: str) -> Element:
    """Return a CRS by its WKT: the working CRS has no number of EPSG's."""
    return element("spatialrefsys", {"nativeFormat": "Wkt"}, element("wkt", {}, text=wkt))


def _first_view(contents: Contents, crs: Element) -> list[Element]:
    """Return what is seen first, and by "zoom full": all areas, with some room around them."""
    table = contents.tables.get("areas")
    boxes = [table.box] if table and table.box else [t.box for t in contents.tables.values() if t.box]
    sides = zip(*boxes, strict=True) if boxes else iter([(0.0,), (0.0,), (1.0,), (1.0,)])
    west, south, east, north = (
        choose(side) for choose, side in zip((min, min, max, max), sides, strict=True)
    )
    around = 0.05 * max(east - west, north - south, 1.0)
    named = {"xmin": west - around, "ymin": south - around, "xmax": east + around, "ymax": north + around}
    sides_m = {name: repr(value) for name, value in named.items()}
    return [
        element(
            "mapcanvas",
            {"name": "theMapCanvas"},
            element("units", {}, text="meters"),
            element("extent", {}, *(element(name, {}, text=value) for name, value in sides_m.items())),
            element("destinationsrs", {}, crs),
        ),
        element("ProjectViewSettings", {}, element("DefaultViewExtent", sides_m, crs)),
    ]


def _bookmarks(contents: Contents, crs: Element, texts: Texts) -> Element:
    cases = contents.open_cases()
    return element(
        "Bookmarks", {}, *(_bookmark(case, len(cases), crs, texts) for case in cases[:MOST_BOOKMARKS])
    )


def _bookmark(case: CaseBox, open_cases: int, crs: Element, texts: Texts) -> Element:
    group = texts(captions.ALARMS if case.severity == "alarm" else captions.OPEN_CASES)
    if open_cases > MOST_BOOKMARKS:
        group += f" ({texts.number(MOST_BOOKMARKS)} / {texts.number(open_cases)})"
    west, south, east, north = case.box
    west, south, east, north = (
        west - _AROUND_CASE_M, south - _AROUND_CASE_M, east + _AROUND_CASE_M, north + _AROUND_CASE_M,
    )  # fmt: skip
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    extent = f"POLYGON(({', '.join(f'{x:.1f} {y:.1f}' for x, y in ring)}))"
    name = plain(f"{case.number} {case.province} {texts.area_m2(case.area_m2, 0)}")
    attributes = {"id": _bookmark_id(case.number), "name": name, "group": group, "extent": extent}
    return element("Bookmark", attributes, crs)


def _bookmark_id(number: str) -> str:
    return sha256(number.encode()).hexdigest()[:32]


def _settings(notice: Sequence[str], title: str) -> Element:
    """Return the settings of the project: relative paths, and the title and the notice on the map itself."""
    said = not_computed(" · ".join(notice))
    return element(
        "properties", {},
        # Without this QGIS does not look at the project's CRS.
        element("SpatialRefSys", {}, element("ProjectionsEnabled", {"type": "int"}, text="1")),
        element("Paths", {}, element("Absolute", {"type": "bool"}, text="false")),
        element("Measure", {}, element("Ellipsoid", {"type": "QString"}, text="EPSG:7030")),
        element("Measurement", {},
                element("AreaUnits", {"type": "QString"}, text="ha"),
                element("DistanceUnits", {"type": "QString"}, text="meters")),
        _decoration("TitleLabel", title),
        _decoration("CopyrightLabel", said),
    )  # fmt: skip


def _decoration(name: str, text: str) -> Element:
    placement = {"CopyrightLabel": _BOTTOM_LEFT, "TitleLabel": "4"}[name]
    return element(
        name, {},
        element("Enabled", {"type": "bool"}, text="true"),
        element("Label", {"type": "QString"}, text=text),
        element("Placement", {"type": "int"}, text=placement),
    )  # fmt: skip
