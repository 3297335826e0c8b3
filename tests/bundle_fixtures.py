"""Made-up wheels and DLLs: as small as they can be, with everything that is looked at."""

import struct
import zipfile

# Where the one section of a made-up DLL begins, in the file and in memory.
_SECTION = 0x200


def make_wheel(folder, name, version="1.0", tag="py3-none-any", requires=(), files=None):
    """Write a wheel; return its path."""
    path = folder / f"{name}-{version}-{tag}.whl"
    told = [f"Requires-Dist: {each}" for each in requires] + [
        f"Provides-Extra: {extra}" for extra in ("pdf", "big")
    ]
    head = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *told]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(head) + "\n")
        for inside, content in (files or {}).items():
            archive.writestr(inside, content)
    return path


def make_dll(*imports):
    """Return a DLL of 64 bits that asks for others and does nothing."""
    names = b"".join(name.encode() + b"\0" for name in imports)
    names_at = _SECTION + 20 * (len(imports) + 1)
    rows, at = b"", names_at
    for name in imports:
        rows += struct.pack("<5I", 0, 0, 0, at, 0)
        at += len(name) + 1
    section = rows + bytes(20) + names
    optional = struct.pack("<H", 0x20B).ljust(112, b"\0") + bytes(8) + struct.pack("<2I", _SECTION, len(rows))
    optional = optional.ljust(112 + 16 * 8, b"\0")
    header = b"PE\0\0" + struct.pack("<2H12xHH", 0x8664, 1, len(optional), 0x2000)
    place = b".data\0\0\0" + struct.pack("<4I", len(section), _SECTION, len(section), _SECTION) + bytes(16)
    start = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    return (start + header + optional + place).ljust(_SECTION, b"\0") + section
