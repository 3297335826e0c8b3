"""A disk that is full anywhere ends a command with a sentence, and leaves nothing behind."""

import errno
import json
from pathlib import Path

import pytest

from geopipe.cli import main as command_line
from geopipe.io.lock import OWNER, holding


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_a_full_disk_that_no_module_has_told_is_told_all_the_same(number, monkeypatch, capsys):
    def full(**_):
        raise OSError(number, "No room", "/data/out/map")

    monkeypatch.setattr(command_line.cli, "main", full)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "geopipe: /data/out/map: there is no room on the disk (No room). "
        "Free some space there and do this again.\n"
    )


def test_another_fault_of_the_system_is_shown_whole(monkeypatch):
    def broken(**_):
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(command_line.cli, "main", broken)
    with pytest.raises(OSError, match="Bad file descriptor"):
        command_line.main()


def test_a_lock_whose_owner_cannot_be_written_down_leaves_nothing(tmp_path, monkeypatch):
    write = Path.write_text

    def half(self, text, **more):
        write(self, text[:5], **more)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="No space"), holding(tmp_path):
        pass
    monkeypatch.undo()
    assert not (tmp_path / OWNER).exists()
    with holding(tmp_path):
        assert json.loads((tmp_path / OWNER).read_text(encoding="utf-8"))["pid"]
