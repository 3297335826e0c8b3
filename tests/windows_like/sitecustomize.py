"""Loaded by every Python started with this folder on its path: files behave as they do on Windows.

There, a file that any process holds open or mapped is neither removed nor replaced nor moved, not even with
the folder around it; nothing is moved onto what exists except by `replace`; some names cannot be made; and
there is no fork. What is refused is written into the file that GEOPIPE_REFUSED names: geopipe may bear it.
"""

import contextlib
import os
import re
import sys
import traceback

_LOG = os.environ.get("GEOPIPE_REFUSED", "")
_FOLDER = os.environ.get("GEOPIPE_WATCHED", "")
_BESIDE = os.environ.get("GEOPIPE_BESIDE", "")
_NAMES = re.compile(r'[<>:"|?*\x00-\x1f\\]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)
_unlink, _rmdir, _rename, _replace = os.unlink, os.rmdir, os.rename, os.replace


def _tell(what, path):
    where = "".join(traceback.format_stack(limit=9)[:-2])
    with open(_LOG, "a", encoding="utf-8") as log:
        log.write(f"REFUSED {what} {path}\n{where}\n")


def _held():
    """Yield every file that a process of this test holds open or mapped."""
    group = os.getpgrp()
    for number in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.getpgid(int(number)) == group or number == _BESIDE:
                with open(f"/proc/{number}/maps", encoding="utf-8") as maps:
                    yield from ("/" + line.rstrip("\n").partition("/")[2] for line in maps)
                for handle in os.listdir(f"/proc/{number}/fd"):
                    with contextlib.suppress(OSError):  # the handle of this listing is gone by now
                        yield os.readlink(f"/proc/{number}/fd/{handle}")


def _require_free(what, path):
    place = os.path.abspath(path)
    if not place.startswith(_FOLDER) or place == _LOG:
        return
    for held in _held():
        if held == place or held.startswith(f"{place}/"):
            _tell(what, f"{path}, held: {held}")
            raise PermissionError(13, "[WinError 32] the file is used by another process", str(path))


def _whole(path, dir_fd):
    """Return a path that was given relative to an open folder."""
    return path if dir_fd is None else os.path.join(os.readlink(f"/proc/self/fd/{dir_fd}"), path)


def unlink(path, *, dir_fd=None):
    _require_free("unlink", _whole(path, dir_fd))
    _unlink(path, dir_fd=dir_fd)


def rename(source, target, **more):
    _require_free("rename", source)
    if os.path.exists(target):
        _tell("rename onto", target)
        raise FileExistsError(17, "[WinError 183] it exists", str(target))
    _rename(source, target, **more)


def replace(source, target, **more):
    _require_free("replace", source)
    _require_free("replace onto", target)
    if os.path.isdir(target):
        _tell("replace folder", target)
        raise PermissionError(13, "[WinError 5] access is denied", str(target))
    _replace(source, target, **more)


def _watch(event, arguments):
    if event in ("open", "os.mkdir", "sqlite3.connect") and arguments and isinstance(arguments[0], str):
        path = arguments[0].removeprefix("file://").partition("?mode=")[0]
        path = os.path.abspath(path)
        name = path.rpartition("/")[2]
        if arguments[0] != ":memory:" and path.startswith(_FOLDER) and _NAMES.search(name):
            _tell("name", path)
    elif event in ("os.fork", "os.forkpty"):
        _tell("fork", "")


if _LOG:
    os.unlink = os.remove = unlink
    os.rename, os.replace = rename, replace
    sys.addaudithook(_watch)
    import geopipe.arrowfile

    geopipe.arrowfile.MAPPED_FILES_CAN_GO = False
