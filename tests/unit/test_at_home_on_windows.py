"""Small things without which geopipe would not work on a Windows laptop."""

import ctypes
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import REPOSITORY

from geopipe import arrowfile, index, runtime

BOXES = np.array([[105.0, 17.0, 105.1, 17.1], [106.0, 17.0, 106.1, 17.1]])
IDS = np.array(["a", "b"], dtype=object)


def test_an_index_lies_under_a_lao_name_though_its_library_knows_only_ascii(tmp_path, monkeypatch):
    from rtree import index as library

    class Narrow(library.Index):
        def __init__(self, name, *more, **named):
            assert name.isascii()
            super().__init__(name, *more, **named)

    monkeypatch.setattr(library, "Index", Narrow)
    monkeypatch.setattr(index, "TAKES_ANY_NAME", False)
    here, folder = Path.cwd(), tmp_path / "ຂໍ້ມູນ" / "index"
    index.build_index(folder, BOXES, IDS)
    assert index.boxes_meeting(folder, [105.05, 17.05, 105.06, 17.06]).tolist() == [0]
    assert index.is_current(folder, BOXES, IDS)
    assert Path.cwd() == here


def test_the_runtime_is_loaded_from_where_its_wheel_puts_it(tmp_path, monkeypatch):
    loaded = []
    monkeypatch.setattr(ctypes, "CDLL", loaded.append)
    assert runtime.load_runtime(tmp_path) == [], "a computer that has it already needs nothing"
    for name in ("concrt140.dll", "msvcp140.dll"):
        (tmp_path / name).write_bytes(b"")
    assert runtime.load_runtime(tmp_path) == ["msvcp140.dll", "concrt140.dll"]
    assert loaded == [str(tmp_path / "msvcp140.dll"), str(tmp_path / "concrt140.dll")]


@pytest.mark.parametrize("can_go", [True, False])
def test_a_table_outlives_its_file(tmp_path, monkeypatch, can_go):
    monkeypatch.setattr(arrowfile, "MAPPED_FILES_CAN_GO", can_go)
    path, table = tmp_path / "a.arrow", pa.table({"a": list(range(1000))})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    read = arrowfile.read_arrow_file(path)
    path.unlink()
    assert read.equals(table)


def instructions():
    text = (REPOSITORY / "Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [line.split(" ", 1) for line in "\n".join(lines).replace("\\\n", " ").splitlines() if line.strip()]


def test_the_container_runs_geopipe_and_is_not_root():
    last = dict(instructions())
    user = last["USER"].split(":")[0]
    assert user.isdigit()
    assert int(user) > 0
    assert last["ENTRYPOINT"] == '["geopipe"]'
    assert last["VOLUME"] == '["/work", "/output"]'
    assert '"geopipe", "status"' in last["HEALTHCHECK"]
    names = [name for name, _ in instructions()]
    assert names.index("USER") > max(at for at, name in enumerate(names) if name == "RUN")


def test_what_the_container_is_built_from_is_there_and_let_in():
    let_in = (REPOSITORY / ".containerignore").read_text(encoding="utf-8").splitlines()
    own = [text for name, text in instructions() if name == "COPY" and "--from" not in text]
    sources = [source.removeprefix("./") for text in own for source in text.split()[:-1]]
    assert sources
    for source in sources:
        assert (REPOSITORY / source).exists()
        assert f"!{source}" in let_in
