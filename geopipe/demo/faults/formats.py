"""The formats of deliveries: who sends them, how they are written, and what they cannot hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from geopipe.demo.places import LON_LAT_CRS, UTM_48N

from . import layers, pointlists, tables, texts
from .sheet import Need, Shape, Sheet, Style

Writer = Callable[[Sheet, Path], list[int]]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes
    ----------
    name : str
        What truth calls it; the folder of its deliveries.
    file : str
        Path of a delivery in that folder, with its stem.
    style : Style
    profile : str
        Operator profile with which its deliveries are read.
    write : function
        Writes a sheet and returns the number of each record as readers count them.
    cannot : dict of Need to str
        What the format cannot hold, and why.
    """

    name: str
    file: str
    style: Style
    profile: str
    write: Writer
    cannot: dict[Need, str] = field(default_factory=dict)

    def path(self, stem: str) -> str:
        """Return the path of a delivery, from the folder of the demonstration."""
        return f"{self.name}/{self.file.format(stem=stem)}"


_OF_TABLES = "it belongs to lists of turning points"
_POINT_LISTS_ONLY = {
    Need.POINT_NUMBERS: f"the format has no point numbers: {_OF_TABLES}",
    Need.LEGS: f"the format has no distances and bearings: {_OF_TABLES}",
}
_NO_FLAG = {Need.SERVER_FLAG: "only feature sets of a server say it"}
_NUMBERS = "coordinates are numbers: anything else makes the whole file unreadable"
_COMMON = {
    **_POINT_LISTS_ONLY,
    **_NO_FLAG,
    Need.UNREADABLE_POINT: "one bad number makes the whole text of the geometry unreadable",
}
_BINARY = {**_COMMON, Need.UNREADABLE_TEXT: _NUMBERS, Need.UNREADABLE_POINT: _NUMBERS}
_JSON = {
    **_BINARY,
    Need.NOT_FINITE: "JSON has no such number: the whole file is refused",
    Need.M: "positions have no measure",
}
_GEOJSON = {
    **_JSON,
    Need.METRES: "GeoJSON is in longitude and latitude (RFC 7946)",
    Need.NO_CRS: "GeoJSON is in longitude and latitude (RFC 7946)",
}
_KML = {
    **_COMMON,
    Need.METRES: "KML is in longitude and latitude",
    Need.NO_CRS: "KML is in longitude and latitude",
    Need.M: "positions have no measure",
    Need.NOT_FINITE: "coordinates are text: one that is no number is one that cannot be read",
    Need.EMPTY: "a placemark without coordinates has no geometry",
    Need.EMPTY_RING: "a boundary without coordinates is read as none",
    Need.SPACES: "XML readers leave out spaces around text",
}
_SHAPEFILE = {
    **_BINARY,
    Need.EMPTY: "a shape without points is a record without geometry",
    Need.OPEN_RING: "the writer closes rings",
    Need.EMPTY_RING: "the writer leaves out rings without points",
    Need.FEW_POINTS: "the writer refuses such rings",
    Need.NOT_FINITE: "the writer refuses such coordinates",
    Need.SPACES: "fields are filled with spaces: those at the end are lost",
}
_POINT_LIST = {
    **_NO_FLAG,
    Need.UNREADABLE_TEXT: "coordinates stand in cells of their own",
    Need.POINTS: "single points of a template are rows without a polygon, which are read otherwise",
    Need.NULL: "a polygon is its points: without any it is not there",
    Need.EMPTY: "a polygon is its points: without any it is not there",
    Need.OPEN_RING: "rings are unclosed by nature",
    Need.EMPTY_RING: "a part is its points",
    Need.HOLES: "the template has no holes",
    Need.Z: "the template has no heights",
    Need.M: "the template has no measures",
    Need.NOT_FINITE: "a cell that is no number is one that cannot be read",
    Need.SAME_ID: "points with one polygon id are one record",
    Need.SPACES: "the polygon id is compared without them",
    Need.LEGS: "the template states coordinates, not distances",
}
_LETTERS = {
    Need.FINE: "a thousandth of a second is three centimetres",
    Need.DEGREES: "letters say which is latitude, north and south, and what is degrees or minutes",
    Need.BEYOND_DEGREES: "letters say what is degrees",
    Need.METRES: "the spelling is for degrees",
    Need.NO_CRS: "the spelling is for longitude and latitude",
}
_UTM_ONLY = {
    Need.DEGREES: "coordinates are in metres",
    Need.BEYOND_DEGREES: "coordinates are in metres",
}
_LON_LAT_ONLY = {
    Need.METRES: "coordinates are in degrees",
    Need.NO_CRS: "made once, with a decimal point",
}
_IMSMA = {
    **_POINT_LIST,
    Need.METRES: "points are kept in WGS 84",
    Need.NO_CRS: "points are kept in WGS 84",
    Need.POINT_NUMBERS: "points without an order make the record unreadable, which is planted as such",
}
for _possible in (Need.NULL, Need.SAME_ID, Need.SPACES):
    _IMSMA.pop(_possible)
_GPX = {
    **_KML,
    Need.AREAS: "GPX holds tracks and points, no areas",
    Need.POINTS: "waypoints are read like tracks; tracks are made",
    Need.BEYOND_DEGREES: "lat and lon beyond 180 degrees are refused by the reader",
}

_UXO, _MAG, _NPA, _HALO, _HI, _U58 = "UXO Lao", "MAG", "NPA", "HALO", "HI", "Unit 58"
_TEMPLATE = ("Xcoord", "Ycoord")

FORMATS = (
    Format("shapefile", "{stem}.shp", Style(_UXO, UTM_48N), "uxo-lao", layers.write_shapefile, _SHAPEFILE),
    Format("zipped_shapefile", "{stem}.zip", Style(_UXO, UTM_48N), "uxo-lao",
           layers.write_zipped_shapefile, _SHAPEFILE),
    Format("geopackage", "{stem}.gpkg", Style(_MAG, UTM_48N), "mag", layers.write_geopackage, _BINARY),
    Format("flatgeobuf", "{stem}.fgb", Style(_MAG, UTM_48N), "mag", layers.write_flatgeobuf,
           {**_BINARY, Need.EMPTY: "the writer makes it a record without geometry",
            Need.M: "the writer leaves out measures"}),
    Format("geoparquet", "{stem}.parquet", Style(_NPA, LON_LAT_CRS), "npa", layers.write_geoparquet, _BINARY),
    Format("geojson", "{stem}.geojson", Style(_NPA, LON_LAT_CRS), "npa", texts.write_geojson, _GEOJSON),
    Format("geojson_lines", "{stem}.geojsonl", Style(_NPA, LON_LAT_CRS), "npa",
           texts.write_geojson_lines, _GEOJSON),
    Format("esri_json", "{stem}.json", Style(_HALO, LON_LAT_CRS), "halo", texts.write_esri_json,
           {key: why for key, why in _JSON.items() if key not in (Need.SERVER_FLAG, Need.M)}),
    Format("kml", "{stem}.kml", Style(_HALO, LON_LAT_CRS), "halo", texts.write_kml, _KML),
    Format("kmz", "{stem}.kmz", Style(_HALO, LON_LAT_CRS), "halo", texts.write_kmz, _KML),
    Format("gpx", "{stem}.gpx", Style(_MAG, LON_LAT_CRS, Shape.LINE), "mag", texts.write_gpx, _GPX),
    Format("csv_wkt", "{stem}.csv", Style(_U58, LON_LAT_CRS), "unit58", tables.write_csv_wkt, _COMMON),
    Format("xlsx_wkt", "{stem}.xlsx", Style(_U58, LON_LAT_CRS), "unit58", tables.write_xlsx_wkt, _COMMON),
    Format("several_in_zip", "{stem}.zip", Style(_NPA, LON_LAT_CRS), "npa", tables.write_several,
           {**_GEOJSON, Need.ONE_TABLE: "the records are shared between two tables"}),
    Format("points_csv", "{stem}.csv", Style(_HI, LON_LAT_CRS), "hi",
           pointlists.template_csv(pointlists.decimal_point, *_TEMPLATE), _POINT_LIST),
    Format("points_xlsx", "{stem}.xlsx", Style(_HI, LON_LAT_CRS), "hi",
           pointlists.write_template_xlsx, _POINT_LIST),
    Format("points_comma", "{stem}.csv", Style(_HI, LON_LAT_CRS), "hi",
           pointlists.template_csv(pointlists.decimal_comma, *_TEMPLATE, delimiter=";"),
           {**_POINT_LIST, **_LON_LAT_ONLY}),
    Format("points_dms", "{stem}.csv", Style(_HI, LON_LAT_CRS), "hi",
           pointlists.template_csv(pointlists.degrees_minutes_seconds, *_TEMPLATE),
           {**_POINT_LIST, **_LETTERS}),
    Format("points_utm", "{stem}.csv", Style(_HI, UTM_48N), "hi",
           pointlists.template_csv(pointlists.decimal_point, *_TEMPLATE), {**_POINT_LIST, **_UTM_ONLY}),
    Format("points_mgrs", "{stem}.csv", Style(_HI, LON_LAT_CRS), "hi",
           pointlists.template_csv(pointlists.mgrs, "MGRS"),
           {**_POINT_LIST, **_LETTERS, Need.FINE: "a reference is a square of one metre"}),
    Format("points_legs", "{stem}.csv", Style(_HI, UTM_48N), "hi", pointlists.write_legs,
           {**{key: why for key, why in _POINT_LIST.items() if key is not Need.LEGS}, **_UTM_ONLY,
            Need.PARTS: "a traverse is one ring", Need.NO_CRS: "made once, with coordinates",
            Need.POINT_NUMBERS: "legs without an order make the record unreadable",
            Need.METRES: "made once, with coordinates", Need.UNREADABLE_POINT: "made once, with coordinates",
            Need.FEW_POINTS: "there and back is a traverse that closes",
            Need.FINE: "distances and bearings are rounded",
            Need.SAME_POINT: "distances and bearings are rounded"}),
    Format("imsma_ng", "{stem}/geospatialinfo.csv", Style(_MAG, LON_LAT_CRS), "imsma",
           pointlists.write_imsma, _IMSMA),
)  # fmt: skip
