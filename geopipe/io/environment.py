"""The environment of a process that reads files: geopipe's own settings of GDAL, nobody else's."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from geopipe.processes import LEAN_ENVIRONMENT

# Every other driver of the two wheels (pyogrio's and fiona's) that opens vector data. Several of them
# follow paths and addresses that stand inside a file. A test compares this list with the wheels.
_SKIPPED = """
PCIDSK,PDS4,VICAR,PDF,MBTiles,EEDA,OGCAPI,GDALG,MapInfo File,LVBAG,S57,DGN,OGR_VRT,CSV,GML,GPX,KML,ESRIJSON,
TopoJSON,OGR_GMT,SQLite,WAsP,DXF,GeoRSS,VFK,PGDUMP,OSM,GPSBabel,OGR_PDS,WFS,OAPIF,EDIGEO,Idrisi,ODS,XLSX,
Elasticsearch,Carto,AmigoCloud,SXF,Selafin,JML,PLSCENES,CSW,VDV,MVT,NGW,MapML,GTFS,PMTiles,JSONFG,
MiraMonVector,ADBC,AVCBin,AVCE00,AIVector,HTTP,VRT,WMS,WCS,DAAS,PLMOSAIC,OGR_OGDI,Arrow,Parquet,PostgreSQL,
MySQL,MSSQLSpatial,ODBC,PGeo,Memory
"""
SKIPPED_DRIVERS = tuple(_SKIPPED.replace("\n", "").split(","))

FOREIGN_PREFIXES = ("GDAL_", "OGR_", "PROJ_", "CPL_", "VSI_", "OSR_", "SHAPE_", "GML_", "LIBKML_", "AWS_")

_LIBKML_COLUMNS = """
id timestamp begin end altitudemode tessellate extrude visibility draworder icon heading tilt roll snippet
model
"""

SETTINGS = {
    "GDAL_SKIP": ",".join(SKIPPED_DRIVERS),
    "GDAL_DRIVER_PATH": "disable",
    "GDAL_PAM_ENABLED": "NO",
    "PROJ_NETWORK": "OFF",
    # No address ends like this, so nothing can be fetched even if a driver tried.
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".nothing-is-fetched",
    "GDAL_HTTP_MAX_RETRY": "0",
    # A GeoJSON file may name an address as its CRS, and GDAL goes there: through a door that is shut.
    "GDAL_HTTP_PROXY": "127.0.0.1:1",
    "GDAL_HTTPS_PROXY": "127.0.0.1:1",
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GDAL_HTTP_TIMEOUT": "1",
    "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": "NO",
    # Placemarks are records; pictures laid on the ground are not.
    "LIBKML_READ_GROUND_OVERLAY": "NO",
    "LIBKML_RESOLVE_STYLE": "NO",
    # Its own way to Arrow (GDAL 3.12) loses its place behind a record without geometry.
    "OGR_FLATGEOBUF_STREAM_BASE_IMPL": "YES",
    # LIBKML adds columns of its own: named so that they never take the place of the sender's columns.
    **{f"LIBKML_{word.upper()}_FIELD": f"kml_{word}" for word in _LIBKML_COLUMNS.split()},
}


def gdal_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a reader process.

    Parameters
    ----------
    environment : mapping of str
        The environment of the parent; settings for other copies of GDAL and PROJ are left out of it.

    Returns
    -------
    dict of str
        The environment with only geopipe's own GDAL settings, and those that make it start sooner.
    """
    kept = {key: value for key, value in environment.items() if not key.upper().endswith("_PROXY")}
    drop_foreign(kept)
    return kept | SETTINGS | LEAN_ENVIRONMENT


def drop_foreign(environment: MutableMapping[str, str]) -> None:
    """Take away what other programs have set for their own GDAL and PROJ: other data, plug-ins."""
    for key in list(environment):
        if key.upper().startswith(FOREIGN_PREFIXES):
            del environment[key]
