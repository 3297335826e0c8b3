"""Take the network from this process for good: on Linux by the kernel, whatever a library would like to do.

GDAL has ways to the network that its settings do not close: a GeoJSON file may name an address as its
coordinate system, and the driver goes there.
"""

from __future__ import annotations

import ctypes
import platform
import sys

# Machine -> (number of the architecture, number of the call `socket`), as in the kernel's headers.
_KNOWN = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _IS_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOWED, _REFUSED = 0x7FFF0000, 0x00050000 | 13  # 13: EACCES


class _Step(ctypes.Structure):
    """One step of a filter (struct sock_filter)."""

    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("value", ctypes.c_uint),
    )


class _Program(ctypes.Structure):
    """A filter (struct sock_fprog)."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(_Step)))


def go_offline() -> bool:
    """Let this process, and those that it starts, open no socket any more; say whether the kernel agreed.

    Elsewhere than on Linux, and on kernels without seccomp, the settings of GDAL stand alone.
    """
    if sys.platform != "linux" or platform.machine() not in _KNOWN:
        return False
    architecture, socket = _KNOWN[platform.machine()]
    steps = (_Step * 6)(
        _Step(_LOAD, 0, 0, 4),  # which architecture
        _Step(_IS_EQUAL, 0, 3, architecture),
        _Step(_LOAD, 0, 0, 0),  # which call
        _Step(_IS_EQUAL, 0, 1, socket),
        _Step(_RETURN, 0, 0, _REFUSED),
        _Step(_RETURN, 0, 0, _ALLOWED),
    )
    program = _Program(len(steps), steps)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0)
