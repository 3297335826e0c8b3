"""What is not finished belongs to a process; when that is dead, the next one removes what it left."""

import os
import subprocess
import sys
import tempfile

import pytest

from geopipe import unfinished
from geopipe.unfinished import remove_left, started_at, unfinished_file, unfinished_folder

_DIES = """
import os, sys
from pathlib import Path
from geopipe.unfinished import unfinished_file, unfinished_folder
place = Path(sys.argv[1])
with unfinished_folder(place) as folder, unfinished_file(place / "map.gpkg") as file:
    (folder / "half").write_text("half")
    Path(f"{file}-journal").touch()
    os._exit(9)
"""


def dead_in(folder):
    done = subprocess.run([sys.executable, "-c", _DIES, str(folder)], check=False)
    assert done.returncode == 9
    return sorted(folder.iterdir())


def test_what_a_dead_process_left_is_removed_by_the_next(tmp_path):
    assert len(dead_in(tmp_path)) == 3
    with unfinished_folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_made_beside_its_place_and_gone_unless_it_was_moved(tmp_path):
    dead_in(tmp_path)
    with unfinished_file(tmp_path / "a.txt") as building:
        assert list(tmp_path.iterdir()) == [building]
    with unfinished_file(tmp_path / "a.txt") as building:
        building.replace(tmp_path / "a.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_living_process_makes_stays(tmp_path):
    with unfinished_folder(tmp_path) as mine, unfinished_folder(tmp_path):
        remove_left(tmp_path)
        assert mine.is_dir()


def test_a_number_that_another_process_has_now_is_not_its_owner(tmp_path):
    """After a restart the numbers of processes come again."""
    with unfinished_folder(tmp_path) as folder:
        name = folder.name.replace(f"-{started_at(os.getpid())}-", "-1-")
    (tmp_path / name).mkdir()
    remove_left(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_another_machine_makes_stays_for_a_week(tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished, "_machine", lambda: "elsewhere")
    dead_in(tmp_path)
    there = tmp_path / ".geopipe-00ab12cd-77-5-xyz"
    there.mkdir()
    remove_left(tmp_path)
    assert there.is_dir()
    os.utime(there, (0, 0))
    remove_left(tmp_path)
    assert not there.exists()


@pytest.mark.parametrize(
    "name", ["geopipe-1", ".geopipe-notes-of-kham", "geopipe-a-b-c-d", "my-geopipe-1-2-3"]
)
def test_what_somebody_else_has_called_so_stays(tmp_path, name):
    (tmp_path / name).mkdir()
    remove_left(tmp_path)
    assert (tmp_path / name).is_dir()


def test_a_link_to_a_folder_is_removed_and_the_folder_stays(tmp_path):
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (left,) = [path for path in dead_in(tmp_path) if path.is_dir() and path != treasure]
    for path in left.iterdir():
        path.unlink()
    left.rmdir()
    left.symlink_to(treasure, target_is_directory=True)
    remove_left(tmp_path)
    assert list(tmp_path.iterdir()) == [treasure]


def test_among_the_files_of_the_system_it_is_not_hidden(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with unfinished_folder() as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith("geopipe-")


def test_a_dead_process_has_no_start():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert started_at(process.pid) == started_at(process.pid) != None  # noqa: E711
    process.communicate(b"\n")
    assert started_at(process.pid) is None
