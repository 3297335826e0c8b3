"""Files dragged onto compare.cmd: Explorer puts a name into quotes only where it holds a space."""

import os
import sys

import pytest

from geopipe.cli import dropping

START = r'C:\Windows\system32\cmd.exe /c ""C:\Users\Bounmy\my tools\compare.cmd" '


@pytest.mark.parametrize(
    ("rest", "names"),
    [
        (r"C:\a.shp" + '"', [r"C:\a.shp"]),
        (r'"C:\two words.shp" C:\b.gpkg"', [r"C:\two words.shp", r"C:\b.gpkg"]),
        (r"C:\a&b.shp C:\c^d.shp C:\e!f.shp" + ' "', [r"C:\a&b.shp", r"C:\c^d.shp", r"C:\e!f.shp"]),
        (r'C:\(1).shp "C:\x (2) & y.shp""', [r"C:\(1).shp", r"C:\x (2) & y.shp"]),
        (r'"C:\ຂໍ້ມູນ ລາວ\ພື້ນທີ່.shp" C:\ລາວ.kml"', [r"C:\ຂໍ້ມູນ ລາວ\ພື້ນທີ່.shp", r"C:\ລາວ.kml"]),
        (r"C:\compare.cmd-notes\x.shp" + '"', [r"C:\compare.cmd-notes\x.shp"]),
        ('"', []),
    ],
)  # fmt: skip
def test_names_are_read_as_explorer_gives_them(rest, names):
    assert dropping.dropped_paths(START + rest, "compare.cmd") == names


def test_a_script_that_stands_without_quotes_is_found_in_any_case():
    line = r'cmd.exe /c C:\geopipe\COMPARE.CMD "C:\a b.shp"'
    assert dropping.dropped_paths(line, "compare.cmd") == [r"C:\a b.shp"]


def test_a_line_without_the_script_holds_no_names():
    assert dropping.dropped_paths(r"C:\Windows\system32\cmd.exe", "compare.cmd") == []


def test_the_result_lies_beside_the_first_file(tmp_path):
    assert dropping.result_folder(tmp_path / "a.shp") == tmp_path / "geopipe-result"


def test_where_nobody_may_write_the_result_lies_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    (tmp_path / "file").write_text("", encoding="utf-8")  # no folder can be made below a file, even by root
    assert dropping.result_folder(tmp_path / "file" / "a.shp") == tmp_path / "home" / "geopipe-result"


def test_dropped_files_are_compared_and_the_exit_code_is_that_of_compare(two_files, monkeypatch, capsys):
    line = f'cmd.exe /c ""C:\\x\\compare.cmd" "{two_files[0]}" "{two_files[1]}""'
    monkeypatch.setattr(sys, "argv", ["dropping"])
    monkeypatch.setitem(os.environ, "GEOPIPE_COMMAND_LINE", line)
    monkeypatch.setitem(os.environ, "GEOPIPE_SCRIPT", "compare.cmd")
    assert dropping.main() == 0
    folder = two_files[0].parent / "geopipe-result"
    assert (folder / "geopipe.gpkg").is_file()
    assert str(folder) in capsys.readouterr().out


def test_nothing_dropped_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["dropping"])
    monkeypatch.setitem(os.environ, "GEOPIPE_COMMAND_LINE", "cmd.exe")
    monkeypatch.setitem(os.environ, "GEOPIPE_SCRIPT", "compare.cmd")
    assert dropping.main() == 2
    assert "Drag files" in capsys.readouterr().out
