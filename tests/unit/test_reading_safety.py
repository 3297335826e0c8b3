"""Hostile files open nothing, fetch nothing, fill no disk, and take no other file down."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from reading_fixtures import read, read_all, rows_of, shapefile, shapefile_parts, write, zipped

from geopipe.io import drivers, readerprocess, vector
from geopipe.io.contents import seconds_for
from geopipe.io.delivery import ReadLimits
from geopipe.io.sources import find_sources


@pytest.fixture
def server():
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}", asked
    http.shutdown()
    http.server_close()
    thread.join()


SUFFIXES = [
    ".shp",
    ".gpkg",
    ".geojson",
    ".json",
    ".geojsonl",
    ".kml",
    ".fgb",
    ".parquet",
    ".zip",
    ".kmz",
    ".csv",
    ".gz",
]


@pytest.mark.parametrize("inner", ["file", "web"])
def test_vrt_under_another_name(tmp_path: Path, server, inner: str) -> None:
    address, asked = server
    secret = write(tmp_path / "secret.gpkg", "GPKG", layer="secret")
    source = str(secret) if inner == "file" else f"/vsicurl/{address}/a.geojson"
    paths = [tmp_path / (f"a.geojson{suffix}" if suffix == ".gz" else f"a{suffix}") for suffix in SUFFIXES]
    for path in paths:
        path.write_text(
            f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{source}</SrcDataSource>'
            "</OGRVRTLayer></OGRVRTDataSource>"
        )
    for part in (".shx", ".dbf"):
        (tmp_path / f"a{part}").write_bytes(b"x")
    for delivery in read_all(paths, tmp_path / "work"):
        assert delivery.problem is not None
        assert delivery.problem.code in ("FORMAT_UNKNOWN", "NO_GEOMETRY"), delivery
    assert asked == []


def test_vrt_is_refused_by_gdal_itself(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.gpkg", "GPKG", layer="secret")
    path = tmp_path / "a.kml"
    path.write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer>'
        "</OGRVRTDataSource>"
    )
    reader = readerprocess.Reader()
    try:
        assert reader.ask("reading_fixtures:opened_without_a_look", (path,), 60) is False
        assert reader.ask("reading_fixtures:opened_without_a_look", (secret,), 60) is True
    finally:
        reader.retire()


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"FeatureCollection","features":[],"links":[{"rel":"next","href":"%s/next"}]}',
        '{"type":"gdal_streamed_alg","command_line":"gdal vector pipeline read %s/a.geojson ! write x"}',
        '{"stac_version":"1.0.0","type":"FeatureCollection","features":[{"type":"Feature","geometry":null,'
        '"properties":{},"assets":{"a":{"href":"%s/x"}}}]}',
    ],
)
def test_json_that_points_elsewhere(tmp_path: Path, server, text: str) -> None:
    address, asked = server
    path = tmp_path / "a.geojson"
    path.write_text(text % address)
    read(path)
    assert asked == []


def test_kml_that_links_elsewhere(tmp_path: Path, server) -> None:
    address, asked = server
    path = tmp_path / "a.kml"
    path.write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<NetworkLink><Link><href>{address}/more.kml</href></Link></NetworkLink>"
        f"<Placemark><styleUrl>{address}/s.kml#a</styleUrl><Point><coordinates>1,2</coordinates></Point></Placemark>"
        "</Document></kml>"
    )
    assert rows_of(read(path)) == 1
    assert asked == []


@pytest.mark.parametrize(
    "head", ['<!DOCTYPE kml [<!ENTITY a "b">]>', '<!DOCTYPE kml SYSTEM "file:///etc/hostname">']
)
def test_kml_with_its_own_entities(tmp_path: Path, head: str) -> None:
    path = tmp_path / "a.kml"
    path.write_text(
        f'<?xml version="1.0"?>{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>&a;</name>'
        "</Placemark></Document></kml>"
    )
    delivery = read(path)
    assert delivery.problem is not None
    assert delivery.problem.code in ("FILE_DANGEROUS", "FORMAT_UNKNOWN")


def test_only_needed_drivers_are_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "GDAL_SKIP": "",
        "GDAL_DATA": "/nowhere",
        "PROJ_LIB": "/nowhere",
        "GDAL_DRIVER_PATH": "/x",
    }.items():
        monkeypatch.setenv(name, value)
    reader = readerprocess.Reader()
    try:
        names = reader.ask("reading_fixtures:drivers_of_both_libraries", (), 60)
        environment = reader.ask("reading_fixtures:environment_of_reader", (), 60)
    finally:
        reader.retire()
    assert isinstance(names, set)
    assert isinstance(environment, dict)
    assert names - {"MEM"} == drivers.ALLOWED_DRIVERS
    assert "PROJ_LIB" not in environment
    assert environment["GDAL_DRIVER_PATH"] == "disable"


def test_foreign_settings_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    monkeypatch.setenv("SHAPE_ENCODING", "CP1252")
    layer = read(shapefile(tmp_path, crs="EPSG:32648")).layers[0]
    assert layer.crs_name == "EPSG:32648"


def zip_of(path: Path, *infos: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, data in infos:
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return path


@pytest.mark.parametrize(
    "name",
    ["../evil.geojson", "/tmp/evil.geojson", "a/../../evil.geojson", "C:/evil.geojson", "..\\evil.csv"],
)
def test_names_that_leave_the_archive(tmp_path: Path, name: str) -> None:
    delivery = read(zip_of(tmp_path / "a.zip", (name, b'{"type":"FeatureCollection","features":[]}')))
    assert delivery.problem is not None
    assert delivery.problem.code == "ARCHIVE_DANGEROUS"
    assert not list(tmp_path.rglob("*evil*"))


def test_links_in_archives(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a.geojson")
    info.external_attr = 0o120777 << 16
    delivery = read(zip_of(tmp_path / "a.zip", (info, b"/etc/hostname")))
    assert delivery.problem is not None
    assert delivery.problem.code == "ARCHIVE_DANGEROUS"


def test_encrypted_archive(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", shapefile_parts(shapefile(tmp_path / "in"), "a"))
    data = bytearray(path.read_bytes())
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data[at + 8] |= 1
    path.write_bytes(data)
    delivery = read(path)
    assert delivery.problem is not None
    assert delivery.problem.code == "ARCHIVE_ENCRYPTED"


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_bombs(tmp_path: Path, kind: str) -> None:
    import gzip

    zeros = b" " * (80 << 20)
    if kind == "zip":
        path = zip_of(tmp_path / "a.zip", ("a.geojson", zeros))
    else:
        path = tmp_path / "a.geojson.gz"
        path.write_bytes(gzip.compress(zeros))
    delivery = read(path)
    assert delivery.problem is not None
    assert delivery.problem.code == "ARCHIVE_DANGEROUS"
    assert sum(p.stat().st_size for p in (tmp_path / ".work").rglob("*") if p.is_file()) == 0


def test_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("a.geojson", b" " * (80 << 20)))
    data = bytearray(path.read_bytes())
    central = data.find(b"PK\x01\x02")
    data[central + 24 : central + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    delivery = read(path)
    assert delivery.problem or delivery.layers[0].problem


def test_too_many_members(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", *[(f"{i}.txt", b"x") for i in range(30)])
    delivery = read(path, ReadLimits(members=20))
    assert delivery.problem is not None
    assert delivery.problem.code == "ARCHIVE_DANGEROUS"


@pytest.mark.parametrize("workers", [1, 2])
def test_file_that_kills_its_reader_spares_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(vector, "READER", "reading_fixtures:dying_reader")
    paths = [write(tmp_path / f"{name}.gpkg", "GPKG") for name in ("a", "bad", "c", "d")]
    found = read_all(paths, tmp_path / "work", workers)
    assert [delivery.path for delivery in found] == paths
    assert [delivery.problem and delivery.problem.code for delivery in found] == [
        None,
        "READER_CRASHED",
        None,
        None,
    ]


def test_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector, "READER", "reading_fixtures:slow_reader")
    paths = [write(tmp_path / f"{name}.gpkg", "GPKG") for name in ("a", "bad")]
    found = read_all(paths, tmp_path / "work", limits=ReadLimits(seconds=15))
    assert [delivery.problem and delivery.problem.code for delivery in found] == [None, "TIME_LIMIT"]


def test_abandoned_reading_leaves_no_process(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{name}.gpkg", "GPKG") for name in "abcd"]
    reading = vector.read_sources(find_sources(paths), tmp_path / "work")
    next(reading)
    reading.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reader")]


@pytest.mark.parametrize("guarded", [True, False])
def test_scripts_need_no_main_guard(tmp_path: Path, guarded: bool) -> None:
    path = write(tmp_path / "a.gpkg", "GPKG")
    code = (
        "from pathlib import Path\nfrom geopipe.io.sources import find_sources\n"
        "from geopipe.io.vector import read_sources\n"
        f"found = list(read_sources(find_sources([Path({str(path)!r})]), Path({str(tmp_path / 'w')!r})))\n"
        "print(found[0].layers[0].table.num_rows)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    arguments = ["-c", code] if guarded else [str(script)]
    result = subprocess.run(
        [sys.executable, *arguments], check=False, capture_output=True, text=True, timeout=60, env=os.environ
    )
    assert (result.stdout.strip(), result.returncode) == ("5", 0), result.stderr


def test_memory_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector, "READER", "reading_fixtures:greedy_reader")
    paths = [write(tmp_path / f"{name}.gpkg", "GPKG") for name in ("a", "bad")]
    found = read_all(paths, tmp_path / "work", limits=ReadLimits(memory_bytes=1 << 30))
    assert [delivery.problem and delivery.problem.code for delivery in found] == [None, "MEMORY_LIMIT"]


def test_the_parent_ends_a_process_that_the_system_does_not_limit(tmp_path: Path) -> None:
    """As on Windows: only the watching parent knows the limit."""
    reader = readerprocess.Reader()
    try:
        with pytest.raises(readerprocess.ReaderDiedError):
            reader.ask("reading_fixtures:slowly_greedy", (), 600, memory_bytes=600 << 20)
        assert (reader.out_of_memory, reader.out_of_time) == (True, False)
    finally:
        reader.retire()


def test_the_system_ends_a_reader_whose_parent_is_gone(tmp_path: Path) -> None:
    reader = readerprocess.Reader()
    try:
        with pytest.raises(readerprocess.ReaderDiedError):
            reader.ask("reading_fixtures:busy_for_long", (), 600)
        assert not reader.out_of_time
    finally:
        reader.retire()


def test_a_reader_opens_no_socket() -> None:
    reader = readerprocess.Reader()
    try:
        assert reader.ask("reading_fixtures:socket_is_refused", (), 60) is True
    finally:
        reader.retire()


def test_small_files_have_less_time_than_large_ones(tmp_path: Path) -> None:
    (source,) = find_sources([write(tmp_path / "a.gpkg", "GPKG")])
    limits = ReadLimits(seconds=1000, seconds_at_least=100, seconds_per_mb=1000)
    small = seconds_for(source, limits)
    source.path.write_bytes(source.path.read_bytes() + bytes(500_000))
    assert 100 < small < seconds_for(source, limits) - 499 < 1000
    source.path.write_bytes(bytes(5_000_000))
    assert seconds_for(source, limits) == 1000


def test_a_file_larger_than_the_limit_is_not_opened(tmp_path: Path) -> None:
    delivery = read(write(tmp_path / "a.gpkg", "GPKG"), ReadLimits(file_bytes=1000))
    assert delivery.problem is not None
    assert delivery.problem.code == "FILE_TOO_LARGE"
    assert delivery.content_hash == ""


def test_a_count_that_the_file_is_too_small_for_is_not_believed(tmp_path: Path) -> None:
    path = shapefile(tmp_path)
    data = bytearray(path.with_suffix(".dbf").read_bytes())
    data[4:8] = b"\xff\xff\xff\xff"
    path.with_suffix(".dbf").write_bytes(data)
    delivery = read(path)
    assert delivery.problem is not None
    assert (delivery.problem.code, delivery.records_counted) == ("FILE_TRUNCATED", None)


def test_honest_archives_of_other_systems_are_read(tmp_path: Path) -> None:
    path = zip_of(
        tmp_path / "a.zip",
        ("folder/", b""),
        ("folder/Icon\r", b""),
        ("__MACOSX/._a.geojson", b"x"),
        ("folder/console.geojson", b'{"type":"FeatureCollection","features":[]}'),
    )
    assert read(path).problem is None


def test_a_process_that_waits_in_another_folder_is_not_asked(tmp_path, monkeypatch):
    """Names of files are meant from the folder in which the command is at work."""
    readerprocess.warm_up(1, "geopipe.processes:leave_out_data_frames")
    (_, elsewhere), *_ = readerprocess._WARM
    monkeypatch.chdir(tmp_path)
    reader = readerprocess.Reader()
    assert reader._start() is not elsewhere
    assert elsewhere.poll() is not None
    reader.close()
