"""Links, pipes and devices in a delivered folder, and names that software takes for something else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hostile.trap import Trap, add, feature, geojson, hostile, kml, placemark, write

LINKS = "links"
NAMES = "names"
COMPANIONS = (".dbf", ".shx", ".prj", ".cpg")


@hostile(LINKS)
def link_to_a_file_outside(folder: Path, trap: Trap) -> None:
    (folder / "areas.geojson").symlink_to(trap["canary.geojson"])


@hostile(LINKS)
def link_to_a_folder_outside(folder: Path, trap: Trap) -> None:
    (folder / "more").symlink_to(trap.folder)


@hostile(LINKS)
def geodatabase_that_is_a_link(folder: Path, trap: Trap) -> None:
    (folder / "areas.gdb").symlink_to(trap["canary.gdb"])


@hostile(LINKS)
def geodatabase_with_links_inside(folder: Path, trap: Trap) -> None:
    (folder / "areas.gdb").mkdir()
    for name in ("a00000001.gdbtable", "a00000001.gdbtablx", "gdb"):
        (folder / "areas.gdb" / name).symlink_to(trap["canary.txt"])


@hostile(LINKS)
def folders_that_link_in_a_circle(folder: Path, trap: Trap) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "b").symlink_to(folder)
    (folder / "self.geojson").symlink_to(folder / "self.geojson")


@hostile(LINKS)
def link_that_leads_nowhere(folder: Path, trap: Trap) -> None:
    (folder / "areas.geojson").symlink_to(trap["nowhere.geojson"])


def _companion_linked(suffix: str):
    def make(folder: Path, trap: Trap) -> None:
        path = write(folder / "areas.shp", "ESRI Shapefile")
        path.with_suffix(suffix).unlink(missing_ok=True)
        target = trap["canary.txt"] if suffix in (".prj", ".cpg") else trap[f"canary{suffix}"]
        path.with_suffix(suffix).symlink_to(target)
        if suffix == ".cpg":
            _make_text_strange(path.with_suffix(".dbf"))

    return make


def _make_text_strange(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"plain", b"pl\xe9in"))


for _suffix in COMPANIONS:
    add(LINKS, f"shapefile_whose{_suffix}_is_a_link", _companion_linked(_suffix))


def _companion_pipe(suffix: str):
    def make(folder: Path, trap: Trap) -> None:
        path = write(folder / "areas.shp", "ESRI Shapefile")
        path.with_suffix(suffix).unlink(missing_ok=True)
        os.mkfifo(path.with_suffix(suffix))

    return make


for _suffix in (".dbf", ".cpg"):
    add(LINKS, f"shapefile_whose{_suffix}_is_a_pipe", _companion_pipe(_suffix))


@hostile(LINKS)
def shapefile_whose_dbf_is_endless(folder: Path, trap: Trap) -> None:
    path = write(folder / "areas.shp", "ESRI Shapefile")
    path.with_suffix(".dbf").unlink()
    path.with_suffix(".dbf").symlink_to("/dev/zero")


@hostile(LINKS)
def shapefile_whose_dbf_is_a_folder(folder: Path, trap: Trap) -> None:
    path = write(folder / "areas.shp", "ESRI Shapefile")
    path.with_suffix(".dbf").unlink()
    path.with_suffix(".dbf").mkdir()


@hostile(LINKS)
def pipe_as_geojson(folder: Path, trap: Trap) -> None:
    os.mkfifo(folder / "areas.geojson")


@hostile(LINKS)
def device_as_geojson(folder: Path, trap: Trap) -> None:
    (folder / "areas.geojson").symlink_to("/dev/zero")
    (folder / "areas.csv").symlink_to("/dev/stdin")


@hostile(LINKS)
def geopackage_whose_journal_is_a_link(folder: Path, trap: Trap) -> None:
    write(folder / "areas.gpkg", "GPKG")
    (folder / "areas.gpkg-wal").symlink_to(trap["canary.txt"])
    (folder / "areas.gpkg-journal").symlink_to(trap["canary.gpkg"])


@hostile(LINKS)
def geopackage_whose_journal_is_a_pipe(folder: Path, trap: Trap) -> None:
    write(folder / "areas.gpkg", "GPKG")
    os.mkfifo(folder / "areas.gpkg-wal")


@hostile(LINKS)
def imsma_tables_that_are_links(folder: Path, trap: Trap) -> None:
    (folder / "geospatialinfo.csv").write_text("geospatialinfo_guid,shape\n1,Polygon\n")
    (folder / "geopoint.csv").symlink_to(trap["canary.csv"])
    (folder / "hazard.csv").symlink_to(trap["canary.csv"])


@hostile(LINKS)
def imsma_table_that_is_a_pipe(folder: Path, trap: Trap) -> None:
    (folder / "geospatialinfo.csv").write_text("geospatialinfo_guid,shape\n1,Polygon\n")
    os.mkfifo(folder / "geopoint.csv")


@hostile(LINKS)
def pipe_inside_a_geodatabase(folder: Path, trap: Trap) -> None:
    (folder / "areas.gdb").mkdir()
    os.mkfifo(folder / "areas.gdb" / "a00000001.gdbtable")


@hostile(LINKS)
def document_folder_that_is_a_link(folder: Path, trap: Trap) -> None:
    (folder / "areas.kml").write_text(kml(placemark()))
    (folder / "reports").symlink_to("/usr/share")
    (folder / "letter.pdf").symlink_to(trap["canary.txt"])


GOOD = geojson(feature())
STRANGE = {
    "vsi_folder": "vsicurl/http:/127.0.0.1:1/areas.geojson",
    "vsizip_folder": "vsizip/areas.zip/areas.geojson",
    "vsistdin": "vsistdin/areas.geojson",
    "exclamation": "areas.zip!areas.geojson",
    "scheme": "zip:areas.geojson",
    "driver_prefix": "GPKG:areas.geojson",
    "layer_part": "areas.geojson|layername=x.geojson",
    "braces": "{areas}.geojson",
    "comma_list": "areas.geojson,b.geojson",
    "question_mark": "areas.geojson?url=x.geojson",
    "line_end": "areas\nOVERLAPS none.geojson",
    "escape_codes": "areas\x1b[2J\x1b]0;x\x07.geojson",
    "bidi": "areas\u202enosjoeg.geojson",
    "markup": "<img src=x onerror=alert(1)>.geojson",
    "formula": '=HYPERLINK("x").geojson',
    "formula_at": "@SUM(1).geojson",
    "quotes": "a\"b'c`d;--.geojson",
    "percent": "%s%n%00{0}.geojson",
    "device": "CON.geojson",
    "option": "--output.geojson",
    "only_suffix": "..geojson",
    "long": "a" * 240 + ".geojson",
}
for _word, _name in STRANGE.items():

    def _named(folder: Path, trap: Trap, name: str = _name) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(GOOD)

    add(NAMES, f"name_{_word}", _named)


@hostile(NAMES)
def name_that_is_no_text(folder: Path, trap: Trap) -> None:
    with open(os.fsencode(folder) + b"/areas\xff\xfe.geojson", "w") as file:
        file.write(GOOD)


@hostile(NAMES)
def shapefile_named_like_an_archive(folder: Path, trap: Trap) -> None:
    inside = folder / "areas.zip!x"
    inside.mkdir()
    for suffix in (".shp", ".shx", ".dbf"):
        shutil.copy(trap[f"canary{suffix}"], inside / f"AREAS{suffix.upper()}")


@hostile(NAMES)
def folders_of_great_depth(folder: Path, trap: Trap) -> None:
    here = folder
    for _ in range(300):
        here = here / "d"
    here.mkdir(parents=True)
    (here / "areas.geojson").write_text(GOOD)
