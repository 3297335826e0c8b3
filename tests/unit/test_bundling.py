"""The bundle for Windows: complete as Windows reads conditions, each hash listed, the same bytes twice."""

import os
import shutil
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from bundle_fixtures import make_dll, make_wheel
from packaging.requirements import Requirement

from geopipe._version import __version__
from geopipe.bundling.archive import PARTS, contents, requirements, write_zip
from geopipe.bundling.check import check_bundle, check_folder
from geopipe.bundling.demand import problems
from geopipe.bundling.fetch import read_pins
from geopipe.bundling.libraries import missing_libraries
from geopipe.bundling.wheels import read_wheel, read_wheels
from geopipe.errors import SourceError

ROOT = [Requirement("geopipe[pdf]")]
BOTH = ("3.11", "3.12")


def wheels_of(folder):
    return read_wheels(folder.glob("*.whl"))


@pytest.fixture
def laptop(tmp_path):
    """Wheels that a laptop can install with Python 3.11 and 3.12."""
    make_wheel(tmp_path, "geopipe", requires=["pandas>=1", "typst; extra == 'pdf'", "boxes; extra == 'big'"])
    make_wheel(tmp_path, "pandas", "3.0", "cp311-cp311-win_amd64", ["tzdata; sys_platform == 'win32'"])
    make_wheel(tmp_path, "pandas", "3.0", "cp312-cp312-win_amd64", ["tzdata; platform_system == 'Windows'"])
    make_wheel(tmp_path, "tzdata", requires=["fcntl_only; os_name == 'posix'"])
    make_wheel(tmp_path, "typst", tag="cp39-abi3-win_amd64")
    return tmp_path


def test_what_only_windows_asks_for_must_be_there(laptop):
    assert problems(wheels_of(laptop), ROOT, BOTH) == []
    (laptop / "tzdata-1.0-py3-none-any.whl").unlink()
    assert problems(wheels_of(laptop), ROOT, BOTH) == [
        "tzdata: no wheel fits Python 3.11; pandas asks for it.",
        "tzdata: no wheel fits Python 3.12; pandas asks for it.",
    ]


def test_an_extra_asks_for_its_own_only_where_it_is_installed(laptop):
    (laptop / "typst-1.0-cp39-abi3-win_amd64.whl").unlink()
    told = problems(wheels_of(laptop), ROOT, ("3.11",))
    assert "typst: no wheel fits Python 3.11; geopipe asks for it." in told
    assert problems(wheels_of(laptop), [Requirement("geopipe")], ("3.11",)) == [
        "pandas-3.0-cp312-cp312-win_amd64.whl: nothing asks for it."
    ]


@pytest.mark.parametrize(
    "tag",
    [
        "cp313-cp313-win_amd64",
        "cp311-cp311-win32",
        "cp311-cp311-win_arm64",
        "cp311-cp311-manylinux_2_28_x86_64",
        "cp313-abi3-win_amd64",
    ],
)
def test_a_wheel_for_another_python_or_system_does_not_count(laptop, tag):
    (laptop / "pandas-3.0-cp311-cp311-win_amd64.whl").unlink()
    make_wheel(laptop, "pandas", "3.0", tag)
    told = problems(wheels_of(laptop), ROOT, ("3.11",))
    assert "pandas: no wheel fits Python 3.11; geopipe asks for it." in told
    assert f"pandas-3.0-{tag}.whl: nothing asks for it." in told


def test_a_version_that_nobody_asked_for_is_told(laptop):
    for path in laptop.glob("pandas-*"):
        path.unlink()
    make_wheel(laptop, "pandas", "0.9", requires=["tzdata"])
    assert "pandas: geopipe asks for pandas>=1, here is 0.9." in problems(wheels_of(laptop), ROOT, BOTH)


def test_two_wheels_of_which_pip_would_choose_one_are_told(laptop):
    make_wheel(laptop, "typst", "2.0")
    assert "typst: more than one wheel fits Python 3.11." in problems(wheels_of(laptop), ROOT, BOTH)


def test_a_condition_on_patch_releases_holds_if_one_of_them_may_come(laptop):
    make_wheel(laptop, "tzdata", requires=["early; python_full_version < '3.11.3'"])
    told = problems(wheels_of(laptop), ROOT, BOTH)
    assert told == ["early: no wheel fits Python 3.11; tzdata asks for it."]


def test_a_name_that_windows_could_not_unpack_is_told(laptop):
    make_wheel(laptop, "tzdata", files={"tzdata/" + "x" * 150: b""})
    assert [
        line.endswith("is too long a name for Windows.") for line in problems(wheels_of(laptop), ROOT, BOTH)
    ]


def test_a_library_that_only_an_administrator_could_install_is_told(tmp_path):
    own = {
        "fiona/_a.pyd": make_dll("python311.dll", "KERNEL32.dll", "GDAL.dll", "msvcp140.dll"),
        "x/gdal.dll": make_dll(),
    }
    path = make_wheel(tmp_path, "fiona", files=own)
    needs = f"{path.name}: _a.pyd needs msvcp140.dll, which nothing brings."
    assert missing_libraries(wheels_of(tmp_path)) == [needs]
    make_wheel(
        tmp_path,
        "msvc_runtime",
        files={"msvc_runtime-1.0.data/data/msvcp140.dll": make_dll("vcruntime140.dll")},
    )
    assert missing_libraries(wheels_of(tmp_path)) == []


def test_pip_is_given_each_package_once_with_the_hashes_of_all_its_wheels(laptop):
    make_wheel(laptop, "old", tag="cp311-cp311-win_amd64")
    lines = requirements(wheels_of(laptop), BOTH).splitlines()
    by_name = {line.split("==")[0]: line for line in lines}
    assert len(lines) == len(by_name) == 5
    assert by_name["pandas"].count("--hash=sha256:") == 2
    assert 'python_version == "3.11"' in by_name["old"]
    assert "python_version" not in by_name["pandas"]


def unpacked(laptop, folder):
    for name, content in contents(wheels_of(laptop), BOTH, "1.0").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_wheel_that_was_exchanged_or_added_is_noticed(laptop, tmp_path):
    folder = unpacked(laptop, tmp_path / "unpacked")
    assert check_folder(folder) == []
    wheel = folder / "wheels" / "tzdata-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("tzdata/evil.py", "import os")
    told = check_folder(folder)
    assert f"wheels/{wheel.name}: not the file that SHA256SUMS was written for." in told
    assert f"{wheel.name}: requirements.txt does not name its hash." in told
    make_wheel(folder / "wheels", "extra")
    assert "wheels/extra-1.0-py3-none-any.whl: not in SHA256SUMS." in check_folder(folder)
    wheel.unlink()
    assert f"wheels/{wheel.name}: not in the bundle." in check_folder(folder)


def test_a_bundle_is_checked_for_every_python_that_it_says_it_takes(laptop, tmp_path):
    folder = unpacked(laptop, tmp_path / "unpacked")
    asked = folder / "check_python.py"
    asked.write_text(
        asked.read_text(encoding="utf-8").replace('"3.12 3.11"', '"3.13 3.12"'), encoding="utf-8"
    )
    assert "pandas: no wheel fits Python 3.13; geopipe asks for it." in check_folder(folder)


def test_the_same_wheels_give_the_same_bytes(laptop, tmp_path):
    zips = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        copied = Path(
            shutil.copytree(laptop, tmp_path / name / "wheels", ignore=shutil.ignore_patterns("one", "two"))
        )
        os.utime(copied / "tzdata-1.0-py3-none-any.whl", (0, 0))
        zips.append(tmp_path / name / "geopipe-1.0-windows.zip")
        write_zip(zips[-1], contents(wheels_of(copied), BOTH, "1.0"))
    assert zips[0].read_bytes() == zips[1].read_bytes()
    assert check_bundle(zips[0]) == []


def test_scripts_are_plain_ascii_with_the_line_ends_of_windows(laptop):
    inside = contents(wheels_of(laptop), BOTH, "1.0")
    for name in PARTS:
        assert b"\r\n" in inside[name]
        assert b"\n" not in inside[name].replace(b"\r\n", b"")
        assert b"@" not in inside[name].replace(b"@echo off", b"")
        if name.endswith(".cmd"):
            assert inside[name].isascii()
    assert "ຮ່າງແປ" in inside["README.txt"].decode("utf-8-sig")


@pytest.mark.parametrize("name", ["install.cmd", "compare.cmd", "nightly.cmd"])
def test_settings_of_other_pythons_do_not_reach_ours(laptop, name):
    script = contents(wheels_of(laptop), BOTH, "1.0")[name].decode()
    for line in ('set "PYTHONHOME="', 'set "PYTHONPATH="', 'set "PYTHONUTF8=1"', "chcp 65001 >nul"):
        assert f"{line}\r\n" in script


@pytest.mark.parametrize("name", ["install.cmd", "compare.cmd", "nightly.cmd"])
def test_scripts_jump_only_to_labels_that_they_have(laptop, name):
    words = contents(wheels_of(laptop), BOTH, "1.0")[name].decode().lower().split()
    labels = {word for word in words if word.startswith(":")}
    targets = {f":{word.lstrip(':')}" for before, word in pairwise(words) if before == "goto"}
    called = {word for before, word in pairwise(words) if before == "call"}
    assert targets | called <= labels


def test_what_is_no_wheel_is_told(tmp_path):
    path = tmp_path / "pandas-3.0-py3-none-any.whl"
    path.write_bytes(b"<html>proxy error</html>")
    with pytest.raises(SourceError, match="no wheel"):
        read_wheel(path)


def test_every_package_of_the_lock_has_one_version():
    pins = read_pins(Path(__file__).parents[2] / "constraints.txt")
    assert pins["pyproj"] == "3.7.2"
    assert "msvc-runtime" in pins


BUNDLE = Path(
    os.environ.get("GEOPIPE_BUNDLE", Path(__file__).parents[2] / f"dist/geopipe-{__version__}-windows.zip")
)


@pytest.mark.skipif(not BUNDLE.is_file(), reason="no bundle was built: make bundle-windows")
def test_the_bundle_that_was_built_is_complete():
    assert check_bundle(BUNDLE) == []
