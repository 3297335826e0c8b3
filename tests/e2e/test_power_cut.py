"""A cut of power loses what was not forced onto the disk: nothing gets its final name before it is there."""

import os
import sys
from pathlib import Path

import pytest
from conftest import call
from outputs import OUTPUTS, make_ready

from geopipe.register.register import Register

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fsync of folders")
# Made again where it is damaged: checksums tell.
AGAIN = ("work/prepared/", "work/pairs/", "work/returns/")
INDEX = ".index"


class Disk:
    """What has been forced onto the disk, by what it was then; and what got its name too early."""

    def __init__(self, monkeypatch, folder):
        self.folder, self.forced, self.early = folder.resolve(), {}, []
        self._fsync, self._replace, self._rename = os.fsync, os.replace, os.rename
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(os, "replace", lambda *names, **more: self.move(self._replace, names, more))
        monkeypatch.setattr(os, "rename", lambda *names, **more: self.move(self._rename, names, more))

    def fsync(self, handle):
        self._fsync(handle)
        told = os.fstat(handle)
        self.forced[told.st_ino] = told.st_mtime_ns, told.st_size

    def not_forced(self, *paths):
        """Those of some files and folders, and of all in them, that a cut of power could take."""
        every = [found for path in paths for found in (path, *path.rglob("*"))]
        return [self.name(path) for path in every if not self.is_forced(path) and path.name != ".uncommitted"]

    def is_forced(self, path):
        told = path.stat()
        return self.forced.get(told.st_ino) == (told.st_mtime_ns, told.st_size)

    def name(self, path):
        return path.resolve().relative_to(self.folder).as_posix()

    def move(self, move, names, more):
        source, target = map(Path, names)
        here = target.resolve().is_relative_to(self.folder)
        if here and target.name != INDEX and not self.name(target).startswith(AGAIN):
            self.early += [f"{name} as {target.name}" for name in self.not_forced(source)]
        move(*names, **more)


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    return make_ready(tmp_path_factory.mktemp("ready"))


@pytest.mark.parametrize("name", OUTPUTS)
def test_nothing_gets_its_name_before_it_is_on_the_disk(ready, monkeypatch, name):
    monkeypatch.chdir(ready)
    disk = Disk(monkeypatch, ready)
    ran = call(*OUTPUTS[name])
    assert ran.code in (0, 4), ran.err
    assert disk.forced
    assert disk.early == []


def test_all_is_on_the_disk_before_the_register_names_it(tmp_path, monkeypatch):
    """The first run of all: also the names of new folders must be there."""
    disk, seen = Disk(monkeypatch, tmp_path), []
    publish = Register.publish_run

    def about_to_count(self, number, folder, *more):
        runs = tmp_path / "out" / "runs"
        seen.append(disk.not_forced(runs / folder, *(tmp_path / "work" / "deliveries").glob("*.arrow")))
        above = (tmp_path / "out", runs, tmp_path / "work" / "deliveries")
        seen[-1] += [disk.name(path) for path in above if not disk.is_forced(path)]
        publish(self, number, folder, *more)

    monkeypatch.setattr(Register, "publish_run", about_to_count)
    make_ready(tmp_path)
    assert call("run", tmp_path / "run.yaml", "--quiet").code == 0
    assert seen == [[], []]
