"""What stands in files, however they are packed: for tests that something is nowhere in them."""

import gzip
import io
import re
import sqlite3
import zipfile
from contextlib import closing

import pyarrow.parquet as pq
import pypdfium2


def parts_of(path, data=None):
    """Yield all bytes of a file: as it is, unzipped, and as readers of its format give them."""
    data = path.read_bytes() if data is None else data
    yield data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for item in archive.infolist():
                yield item.filename.encode()
                yield item.comment + item.extra
                yield from parts_of(path, archive.read(item))
    elif data[:2] == b"\x1f\x8b":
        yield from parts_of(path, gzip.decompress(data))
    elif data[:5] == b"%PDF-":
        yield _text_of_pdf(data).encode()
    elif data[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(data))
        yield str(table.schema).encode() + str(table.schema.metadata).encode()
        yield from (str(row).encode() for row in table.to_pylist())
        yield from (blob for blob in table["geometry"].to_pylist() if blob)
    elif data[:15] == b"SQLite format 3":
        yield from _projects_in(path)


def _text_of_pdf(data):
    with pypdfium2.PdfDocument(data) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
        about = " ".join(map(str, document.get_metadata_dict().values()))
    return about + " ".join(pages).replace("\x02", "-").replace("\ufffe", "-")


def _projects_in(path):
    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if "qgis_projects" in names:
            for (content,) in connection.execute("SELECT content FROM qgis_projects"):
                yield from parts_of(path, bytes.fromhex(content.decode()))


def found_in(path, secrets):
    """Return which texts (or bytes) stand somewhere in a file, in UTF-8 or UTF-16, broken lines joined."""
    wanted = {secret: _forms(secret) for secret in secrets}
    found = set()
    for part in parts_of(path):
        joined = re.sub(rb"[\r\n]+\s*", b"", part)
        for secret, forms in wanted.items():
            if any(form in part or form in joined for form in forms):
                found.add(secret)
    return found


def _forms(secret):
    if isinstance(secret, bytes):
        return [secret]
    return [secret.encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be")]
