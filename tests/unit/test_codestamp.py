"""What was made by other code, other configuration files or other libraries is not used again."""

import pytest

from geopipe import codestamp


@pytest.fixture
def stamp(tmp_path, monkeypatch):
    """Return a function that gives the stamp of a small package of its own."""
    for name in ("code/stages/overlaps.py", "configs/vocabulary.yaml", "configs/operators/mag.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one: 1\n", encoding="utf-8")
    monkeypatch.setattr(codestamp, "__file__", str(tmp_path / "code" / "codestamp.py"))
    monkeypatch.setattr(codestamp, "shipped", lambda name: tmp_path / "configs" / name)
    return codestamp.code_stamp.__wrapped__


def test_the_same_code_has_the_same_stamp(stamp):
    assert stamp() == stamp()


@pytest.mark.parametrize(
    "name",
    ["code/stages/overlaps.py", "code/new.py", "configs/vocabulary.yaml", "configs/operators/new.yaml"],
)
def test_code_and_configuration_files_count(stamp, tmp_path, name):
    before = stamp()
    (tmp_path / name).write_text("two: 2\n", encoding="utf-8")
    assert stamp() != before


def test_the_place_of_a_file_counts(stamp, tmp_path):
    before = stamp()
    (tmp_path / "code" / "stages" / "overlaps.py").rename(tmp_path / "code" / "overlaps.py")
    assert stamp() != before


def test_where_geopipe_is_installed_does_not_count(stamp, tmp_path, monkeypatch):
    before = stamp()
    elsewhere = tmp_path.with_name(f"{tmp_path.name}-elsewhere")
    tmp_path.rename(elsewhere)
    monkeypatch.setattr(codestamp, "__file__", str(elsewhere / "code" / "codestamp.py"))
    monkeypatch.setattr(codestamp, "shipped", lambda name: elsewhere / "configs" / name)
    assert stamp() == before


@pytest.mark.parametrize("library", ["shapely", "pyproj", "pyogrio", "clipper2-py"])
def test_another_version_of_a_library_counts(stamp, monkeypatch, library):
    before = stamp()
    versions = codestamp.version
    monkeypatch.setattr(codestamp, "version", lambda name: "99" if name == library else versions(name))
    assert stamp() != before


def test_compiled_files_do_not_count(stamp, tmp_path):
    before = stamp()
    (tmp_path / "code" / "__pycache__").mkdir()
    (tmp_path / "code" / "__pycache__" / "overlaps.cpython-311.pyc").write_bytes(b"\0")
    assert stamp() == before
