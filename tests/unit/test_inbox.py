"""The inbox: what belongs together, what is complete, what waits and why; how it is filed."""

import datetime as dt
import json
import os
import sys

import pytest

from geopipe.errors import OutputError
from geopipe.io.beside import Neighbours
from geopipe.nightly import filing
from geopipe.nightly.filing import Files
from geopipe.nightly.inbox import look
from geopipe.nightly.waiting import GROWING, Memory, choose

NOW = dt.datetime(2026, 1, 5, 1, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 1, 5)


@pytest.fixture
def box(tmp_path):
    (tmp_path / "inbox" / "mag").mkdir(parents=True)
    return tmp_path / "inbox"


def put(box, name, content=b"content", folder="mag"):
    path = box / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def whys(box):
    return {unit.main.name: unit.wait for unit in look(box, ["mag"]).units}


# What is there.


def test_a_shapefile_is_one_thing_with_all_its_companions(box):
    for suffix in (".shp", ".shx", ".dbf", ".prj", ".shp.xml", ".sbn"):
        put(box, f"Areas{suffix}")
    (unit,) = look(box, ["mag"]).units
    assert unit.main.name == "Areas.shp"
    assert len(unit.parts) == 6
    assert unit.wait == ""


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ([".shp"], "the .shx and the .dbf of the shapefile have not come"),
        ([".shp", ".shx"], "the .dbf of the shapefile has not come"),
        ([".shp", ".dbf", ".prj"], "the .shx of the shapefile has not come"),
        ([".dbf", ".shx"], "its .shp has not come"),
        ([".prj"], "its .shp has not come"),
    ],
)
def test_a_shapefile_without_its_companions_waits(box, there, why):
    for suffix in there:
        put(box, f"areas{suffix}")
    assert list(whys(box).values()) == [why]


@pytest.mark.parametrize(
    "name",
    [
        "a.gpkg.filepart",
        "a.crdownload",
        "a.gpkg.part",
        "a.tmp",
        "~$a.xlsx",
        ".a.gpkg.XyZ",
        "a.gpkg~",
        "A.TMP",
    ],
)
def test_a_name_of_an_unfinished_copy_waits(box, name):
    put(box, name)
    assert whys(box) == {name: "its name is that of an unfinished copy or an open document"}


@pytest.mark.parametrize(("beside", "name"), [("~$a.xlsx", "a.xlsx"), (".~lock.a.ods#", "a.ods")])
def test_a_document_that_is_open_waits(box, beside, name):
    put(box, name)
    put(box, beside)
    assert whys(box)[name] == "it is open in another program"


def test_a_geopackage_that_somebody_is_writing_waits(box):
    put(box, "a.gpkg")
    put(box, "a.gpkg-wal", b"not yet in the file")
    assert whys(box) == {"a.gpkg": "it is open in another program"}
    put(box, "a.gpkg-wal", b"")
    assert whys(box) == {"a.gpkg": ""}


def test_an_empty_file_waits(box):
    put(box, "a.gpkg", b"")
    assert whys(box) == {"a.gpkg": "it is empty"}


def test_what_systems_leave_in_every_folder_is_nobodys_delivery(box):
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini", "._a.gpkg"):
        put(box, name)
    put(box, "Thumbs.db", folder=".")
    seen = look(box, ["mag"])
    assert (seen.units, seen.strange) == ((), ())


def test_a_folder_that_nobody_knows_is_told_never_ignored(box):
    put(box, "a.gpkg", folder="magg")
    put(box, "b.gpkg", folder="magg/deeper")
    (told,) = look(box, ["mag"]).strange
    assert told == "folder magg (2 files) is not in the configuration and not taken (did you mean 'mag'?)."


def test_a_file_in_no_folder_and_a_folder_that_is_not_there_are_told(box):
    put(box, "a.gpkg", folder=".")
    seen = look(box, ["mag", "npa"])
    assert seen.strange == ("a.gpkg: it lies in no operator's folder. Move it into one of them.",)
    assert seen.missing == ("npa",)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_is_never_followed(box, tmp_path):
    (tmp_path / "secret.gpkg").write_bytes(b"not for geopipe")
    (box / "mag" / "a.gpkg").symlink_to(tmp_path / "secret.gpkg")
    (box / "npa").symlink_to(tmp_path)
    seen = look(box, ["mag", "npa"])
    assert seen.units == ()
    assert ["a link is not followed" in told for told in seen.strange] == [True, True]


def test_a_geodatabase_and_an_export_are_one_thing_each(box):
    put(box, "x.gdb/a00000001.gdbtable")
    put(box, "x.gdb/gdb")
    for table in ("geospatialinfo", "geopoint", "hazard"):
        put(box, f"2026_{table}.csv")
    units = {unit.main.name: len(unit.parts) for unit in look(box, ["mag"]).units}
    assert units == {"x.gdb": 2, "2026_geospatialinfo.csv": 3}


# What is complete.


class Watch:
    def __init__(self):
        self.now, self.waited = NOW, 0.0

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.waited += seconds
        self.now += dt.timedelta(seconds=seconds)
        self.meanwhile()

    def meanwhile(self):
        """Nothing happens."""


def chosen(box, memory, watch):
    return choose(lambda: look(box, ["mag"]), memory, 60, watch, watch.pause)


def test_a_file_that_does_not_change_while_it_is_watched_is_complete(box, tmp_path):
    put(box, "a.gpkg")
    watch = Watch()
    found = chosen(box, Memory(tmp_path), watch)
    assert [unit.main.name for unit in found.ready] == ["a.gpkg"]
    assert watch.waited == 60


@pytest.mark.parametrize("change", ["size", "time"])
def test_a_file_that_is_still_changing_waits_and_is_told(box, tmp_path, change):
    path = put(box, "a.gpkg")
    watch = Watch()

    def grow():
        if change == "size":
            path.write_bytes(b"content and more")
        os.utime(path, (1, 1))

    watch.meanwhile = grow
    found = chosen(box, Memory(tmp_path), watch)
    assert [(item.unit.main.name, item.why) for item in found.waiting] == [("a.gpkg", GROWING)]
    assert found.ready == ()


def test_what_an_earlier_look_saw_the_same_need_not_be_watched_again(box, tmp_path):
    put(box, "a.gpkg.filepart")
    memory, watch = Memory(tmp_path), Watch()
    chosen(box, memory, watch)
    memory.save()
    watch.now += dt.timedelta(days=3)
    found = chosen(box, Memory(tmp_path), watch)
    assert watch.waited == 0  # a name that waits anyway is not watched
    assert found.waiting[0].days(watch.now) == 3
    (box / "mag" / "a.gpkg.filepart").rename(box / "mag" / "a.gpkg")
    assert [unit.main.name for unit in chosen(box, Memory(tmp_path), watch).ready] == ["a.gpkg"]
    assert watch.waited == 60


def test_a_clock_that_was_set_back_makes_nothing_old(box, tmp_path):
    put(box, "a.tmp")
    memory, watch = Memory(tmp_path), Watch()
    found = chosen(box, memory, watch)
    assert found.waiting[0].days(NOW - dt.timedelta(days=9)) == 0


def test_a_file_first_seen_by_a_clock_that_ran_ahead_does_not_wait_for_that_year(box, tmp_path):
    path = put(box, "a.gpkg")
    memory, ahead = Memory(tmp_path), Watch()
    ahead.now += dt.timedelta(days=2000)
    ahead.meanwhile = lambda: path.write_bytes(b"growing still")
    (waits,) = chosen(box, memory, ahead).waiting
    assert waits.why == GROWING
    memory.save()
    watch = Watch()
    watch.now += dt.timedelta(days=1)
    assert [unit.main.name for unit in chosen(box, Memory(tmp_path), watch).ready] == ["a.gpkg"]


# How it is filed.


def take(box, tmp_path, now=NOW):
    files = Files(tmp_path / "work", box)
    files.finish_removals()
    return files, files.take(look(box, ["mag"]).units, now, DAY)


def filed(files):
    return [(item.name, item.place(files.root).read_bytes()) for item in files.all()]


def test_a_delivery_is_filed_by_its_hash_and_leaves_the_inbox(box, tmp_path):
    path = put(box, "sub/areas.gpkg", b"bytes")
    files, (coming,) = take(box, tmp_path)
    place = coming.receipt.place(files.root)
    assert coming.what == "new"
    assert place.relative_to(files.root).parts[:2] == (coming.receipt.sha256[:2], coming.receipt.sha256)
    assert place.read_bytes() == b"bytes"
    assert not path.parent.exists()
    assert (box / "mag").is_dir()


def test_the_same_bytes_again_are_a_delivery_that_came_again(box, tmp_path):
    put(box, "areas.gpkg", b"bytes")
    take(box, tmp_path)
    put(box, "other name.gpkg", b"bytes")
    files, (coming,) = take(box, tmp_path, NOW + dt.timedelta(days=2))
    assert coming.what == "again"
    assert [name for name, _ in filed(files)] == ["areas.gpkg"]
    assert files.all()[0].last_at.startswith("2026-01-07")
    assert look(box, ["mag"]).units == ()


def test_two_files_of_one_night_with_the_same_bytes_are_filed_once(box, tmp_path):
    put(box, "a.gpkg", b"bytes")
    put(box, "b.gpkg", b"bytes")
    files, comings = take(box, tmp_path)
    assert [coming.what for coming in comings] == ["new", "again"]
    assert len(files.all()) == 1


def test_what_cannot_be_removed_from_the_inbox_is_filed_once_and_remembered(box, tmp_path, monkeypatch):
    path = put(box, "a.gpkg", b"bytes")
    real = type(path).unlink

    def refuse(self, missing_ok=False):
        if self == path:
            raise PermissionError(13, "Permission denied")
        real(self, missing_ok=missing_ok)

    monkeypatch.setattr(type(path), "unlink", refuse)
    files, (coming,) = take(box, tmp_path)
    assert (coming.what, coming.why) == ("new", "it stays in the inbox (Permission denied)")
    assert take(box, tmp_path)[1][0].what == "stays"
    monkeypatch.undo()
    assert [(coming.what, coming.why) for coming in take(box, tmp_path)[1]] == [("stays", "")]
    assert not path.exists()  # it could be removed now
    assert len(files.all()) == 1


def test_a_file_that_changes_while_it_is_copied_stays(box, tmp_path, monkeypatch):
    path = put(box, "a.gpkg", b"bytes")
    real = filing.shutil.copyfile

    def copy(source, target):
        real(source, target)
        with target.open("ab") as stream:
            stream.write(b"!")

    monkeypatch.setattr(filing.shutil, "copyfile", copy)
    files, (coming,) = take(box, tmp_path)
    assert (coming.what, coming.why) == ("failed", "it changed while it was copied")
    assert path.read_bytes() == b"bytes"
    assert files.all() == []


def test_a_file_that_changes_after_it_was_filed_is_not_removed(box, tmp_path, monkeypatch):
    path = put(box, "a.gpkg", b"bytes")
    monkeypatch.setattr(filing, "step", lambda name: name == "renamed" and path.write_bytes(b"newer bytes"))
    _, (coming,) = take(box, tmp_path)
    assert coming.why == "it changed after it was filed, and comes again"
    assert path.read_bytes() == b"newer bytes"
    monkeypatch.undo()
    files, (coming,) = take(box, tmp_path)
    assert coming.what == "new"
    assert [content for _, content in filed(files)] == [b"bytes", b"newer bytes"]


def test_of_a_shapefile_that_is_being_replaced_no_part_is_removed(box, tmp_path, monkeypatch):
    parts = [put(box, f"a{suffix}", b"old") for suffix in (".dbf", ".shp", ".shx")]
    shp = parts[1]
    monkeypatch.setattr(filing, "step", lambda name: name == "renamed" and shp.write_bytes(b"newer"))
    _, (coming,) = take(box, tmp_path)
    assert coming.why == "it changed after it was filed, and comes again"
    assert all(path.exists() for path in parts)


def test_a_full_disk_stops_the_night_and_leaves_the_inbox_as_it_was(box, tmp_path, monkeypatch):
    path = put(box, "a.gpkg", b"bytes")

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(filing.shutil, "copyfile", full)
    with pytest.raises(OutputError, match="the inbox still holds the delivery"):
        take(box, tmp_path)
    assert path.exists()
    assert Files(tmp_path / "work", box).all() == []


def test_one_unreadable_file_costs_only_itself(box, tmp_path, monkeypatch):
    put(box, "a.gpkg", b"a")
    put(box, "b.gpkg", b"b")
    real = filing.hash_of

    def refuse(path):
        if path.name == "a.gpkg":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(filing, "hash_of", refuse)
    _, comings = take(box, tmp_path)
    assert [coming.what for coming in comings] == ["failed", "new"]
    assert comings[0].why == "it cannot be filed (Permission denied)"


def test_the_names_of_documents_that_came_beside_a_delivery_are_kept_with_it(box, tmp_path):
    put(box, "areas.gpkg", b"bytes")
    put(box, "Minutes.PDF", b"signed")
    files, (delivery, document) = take(box, tmp_path)
    place = delivery.receipt.place(files.root)
    assert place.name == "areas.gpkg"
    assert Neighbours().of(place) == ("Minutes.PDF",)
    assert (document.receipt.name, document.receipt.is_delivery) == ("Minutes.PDF", False)


def test_a_receipt_says_whose_it_is_and_when_it_came(box, tmp_path):
    put(box, "a.gpkg", b"bytes")
    files, (coming,) = take(box, tmp_path)
    told = json.loads((coming.receipt.place(files.root).parent / ".receipt.json").read_text(encoding="utf-8"))
    assert (told["folder"], told["name"], told["day"], told["size"]) == ("mag", "a.gpkg", "2026-01-05", 5)
