"""The DLLs that compiled modules ask Windows for: which of them a fresh laptop does not have.

Python from python.org brings Microsoft's C runtime, but not its C++ runtime. That one is installed with
administrator rights, so it must come with the wheels.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Sequence

from geopipe.bundling.wheels import Wheel

# The wheel of Microsoft's C++ runtime; geopipe loads it where a library needs it.
RUNTIME = "msvc-runtime"

_OF_PYTHON = ("python3.dll", "vcruntime140.dll", "vcruntime140_1.dll")
_OF_WINDOWS = """
advapi32 bcrypt bcryptprimitives combase crypt32 d3d11 d3dcompiler_47 dbghelp dxgi iphlpapi kernel32 ncrypt
ntdll ole32 oleaut32 psapi rpcrt4 secur32 shell32 shlwapi user32 userenv version webservices winhttp wininet
wldap32 ws2_32 wsock32
"""
_COMPILED = (".pyd", ".dll")
_IS_64_BIT = 0x20B
# Number of the table, bytes of a row, where in the row the name stands: imports, and those of the first call.
_TABLES = ((1, 20, 12), (13, 32, 4))


def missing_libraries(wheels: Sequence[Wheel]) -> list[str]:
    """Name the DLLs that come neither with Windows, nor with Python, nor with the wheels.

    Returns
    -------
    list of str
        One sentence each.
    """
    runtime = {_base(file) for wheel in wheels if wheel.name == RUNTIME for file in wheel.files}
    told = set()
    for wheel in wheels:
        own = {_base(file) for file in wheel.files}
        with zipfile.ZipFile(wheel.path) as archive:
            for file in wheel.files:
                if file.lower().endswith(_COMPILED):
                    for library in _imported(archive.read(file)):
                        if library not in own | runtime and not _is_there(library):
                            told.add(
                                f"{wheel.path.name}: {_base(file)} needs {library}, which nothing brings."
                            )
    return sorted(told)


def _base(file: str) -> str:
    return file.rpartition("/")[2].lower()


def _is_there(library: str) -> bool:
    """Say whether Windows 10 or Python from python.org has a DLL."""
    if library.startswith(("api-ms-win-", "ext-ms-win-")) or library in _OF_PYTHON:
        return True
    is_python = library.startswith("python3") and library[7:-4].isdigit()
    return is_python or library.removesuffix(".dll") in _OF_WINDOWS.split()


def _imported(content: bytes) -> Iterator[str]:
    """Yield the names of the DLLs that a DLL imports, in lower case."""
    (header,) = struct.unpack_from("<I", content, 0x3C)
    sections, optional_size = struct.unpack_from("<H12xH", content, header + 6)
    optional = header + 24
    (magic,) = struct.unpack_from("<H", content, optional)
    tables = optional + (112 if magic == _IS_64_BIT else 96)
    places = [
        struct.unpack_from("<4I", content, optional + optional_size + 40 * at + 8) for at in range(sections)
    ]

    def offset(address: int) -> int:
        """Turn an address in memory into a place in the file."""
        for size, start, raw_size, raw in places:
            if start <= address < start + max(size, raw_size):
                return int(address - start + raw)
        raise ValueError(address)

    for number, row_bytes, name_at in _TABLES:
        (table,) = struct.unpack_from("<I", content, tables + 8 * number)
        row = offset(table) if table else None
        while row is not None:
            (name,) = struct.unpack_from("<I", content, row + name_at)
            if not name:
                break
            begin = offset(name)
            yield content[begin : content.index(b"\0", begin)].decode("ascii").lower()
            row += row_bytes
