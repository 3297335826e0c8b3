"""What a folder holds, and what a named file that cannot be read is told."""

from __future__ import annotations

from pathlib import Path

from reading_fixtures import collection, feature, shapefile, write

from geopipe.io.formats import Format
from geopipe.io.sources import find_sources
from geopipe.io.vector import read_sources


def test_named_files_are_never_ignored(tmp_path: Path) -> None:
    strange, dbf = tmp_path / "a.xyz", tmp_path / "a.dbf"
    strange.touch()
    dbf.touch()
    found = find_sources([tmp_path / "gone.shp", strange, dbf])
    assert [source.problem and source.problem.code for source in found] == [
        "FILE_MISSING",
        "FORMAT_UNKNOWN",
        "FORMAT_UNKNOWN",
    ]
    assert ".gpkg" in found[1].problem.sentence
    assert "a.shp" in found[2].problem.sentence
    deliveries = list(read_sources(found, tmp_path / "work"))
    assert [delivery.problem for delivery in deliveries] == [source.problem for source in found]


def test_folders_are_walked_in_order(tmp_path: Path) -> None:
    shapefile(tmp_path / "b")
    write(tmp_path / "a.gpkg", "GPKG")
    write(tmp_path / "c.gdb", "OpenFileGDB", geometry_type="MultiPolygon")
    collection(tmp_path / "d.json", [feature(0)])
    (tmp_path / "settings.json").write_text('{"type": "settings"}')
    (tmp_path / "truth.json").write_text('{"type": "FeatureCollection"}')
    (tmp_path / "SOURCE.txt").write_text("x y z: words, not columns")
    (tmp_path / "points.txt").write_text("id\tlon\tlat\n1\t102\t18\n")
    (tmp_path / "photo.jpg").touch()
    (tmp_path / ".hidden.gpkg").touch()
    (tmp_path / "register.mdb").touch()
    (tmp_path / "lone.dbf").touch()
    found = find_sources([tmp_path])
    names = {source.path.relative_to(tmp_path).as_posix(): source for source in found}
    assert list(names) == [
        "c.gdb",
        "a.gpkg",
        "d.json",
        "lone.dbf",
        "points.txt",
        "register.mdb",
        "b/areas.shp",
    ]
    assert names["c.gdb"].format is Format.FILEGDB
    assert names["register.mdb"].problem.code == "FORMAT_UNKNOWN"
    assert names["lone.dbf"].problem.code == "FILE_INCOMPLETE"
    assert [name for name, source in names.items() if source.problem is None] == [
        "c.gdb",
        "a.gpkg",
        "d.json",
        "points.txt",
        "b/areas.shp",
    ]


def test_each_file_once_and_no_link_out_of_the_folder(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside.gpkg", "GPKG")
    folder = tmp_path / "in"
    folder.mkdir()
    inside = write(folder / "a.gpkg", "GPKG")
    (folder / "link.gpkg").symlink_to(outside)
    (folder / "up").symlink_to(tmp_path)
    found = {source.path.name: source.problem for source in find_sources([inside, folder])}
    assert found.pop("a.gpkg") is None
    assert {name: problem and problem.code for name, problem in found.items()} == {
        "link.gpkg": "FILE_DANGEROUS",
        "up": "FILE_DANGEROUS",
    }
