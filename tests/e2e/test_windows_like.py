"""Whole commands in processes for which files behave as on Windows: see tests/windows_like."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import COMMAND, REPOSITORY, hashes, read_layer, square, write_geojson

LIKE_WINDOWS = Path(__file__).parents[1] / "windows_like"
FORBIDDEN = re.compile(r'[<>:"|?*\\]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="who holds a file is asked from /proc")


class Laptop:
    """A folder with a Lao name in which commands are run; what Windows would refuse is written down."""

    def __init__(self, folder):
        self.folder = folder / "ຂໍ້ມູນ & (ລາວ)"
        self.folder.mkdir()
        self.log = folder / "refused"
        temporary = folder / "temporary"
        temporary.mkdir()
        self.environment = {
            **os.environ,
            "PYTHONPATH": f"{LIKE_WINDOWS}{os.pathsep}{REPOSITORY}",
            "GEOPIPE_REFUSED": str(self.log),
            "GEOPIPE_WATCHED": str(folder),
            "TMPDIR": str(temporary),
            "PYTHONUTF8": "0",
            "PYTHONIOENCODING": "cp874",  # what a Thai or Lao Windows gives a file behind >
            "PYTHONWARNDEFAULTENCODING": "1",
            "PYTHONWARNINGS": "error::EncodingWarning:geopipe",
        }
        self.temporary = temporary

    def run(self, *arguments, beside=None):
        """Run a command beside another program, whose files are looked at, too."""
        environment = self.environment | {"GEOPIPE_BESIDE": str(beside or "")}
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)], cwd=self.folder, env=environment, capture_output=True,
            check=False, timeout=300, start_new_session=True,
        )  # fmt: skip
        self.told = done.stderr.decode("cp874", errors="replace")
        assert done.returncode in (0, 4), done.stderr.decode("cp874", errors="replace")
        return done.stdout

    @property
    def refused(self):
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""


@pytest.fixture
def laptop(tmp_path):
    """Two deliveries that overlap, and a configuration."""
    laptop = Laptop(tmp_path)
    deliver(laptop, "MAG_CHA", [0.001, 0.010])
    deliver(laptop, "UXO_Lao_CHA", [0.0, 0.0105])
    config = "deliveries: [{path: inbox}]\nworkspace: work\noutput: out\n"
    (laptop.folder / "run.yaml").write_text(config, encoding="utf-8")
    return laptop


def deliver(laptop, name, places):
    records = [({"hazard_id": f"{name}-{at}"}, square(east_by=east)) for at, east in enumerate(places)]
    write_geojson(laptop.folder / "inbox" / f"{name}.geojson", records)


def test_a_month_of_work_needs_nothing_that_windows_refuses(laptop):
    laptop.run("compare", "inbox", "-o", "compared")
    laptop.run("compare", "inbox", "-o", "compared")
    laptop.run("run", "run.yaml")
    deliver(laptop, "MAG_CHA", [0.001, 0.010, 0.020])
    laptop.run("run", "run.yaml")
    pairs = [path.name for path in (laptop.folder / "work" / "pairs").iterdir()]
    laptop.run("workbook", "out", "-w", "work", "-o", "twg.xlsx")
    laptop.run("workbook", "out", "-w", "work", "-o", "twg.xlsx")
    for _ in range(2):
        laptop.run("convert", "out", "-o", "converted", "--format", "geojson,shapefile")
    laptop.run("query", "out", "--at", "105.0015,17.501")
    laptop.run("register", "export", "work", "-o", "archive")
    assert laptop.refused == ""
    assert len(pairs) == 1, "what was measured in the last run is renewed"
    assert list(laptop.temporary.iterdir()) == []
    made = [path.relative_to(laptop.folder).as_posix() for path in laptop.folder.rglob("*")]
    assert not [name for name in made if FORBIDDEN.search(name.rpartition("/")[2])]
    assert len({name.casefold() for name in made}) == len(made)
    assert max(map(len, made)) < 150, "260 signs hold the whole path"


def test_the_simulation_refuses_what_windows_refuses(tmp_path):
    laptop = Laptop(tmp_path)
    code = (
        "import os, pathlib, shutil\n"
        "held = open('a', 'w'); open('b', 'w').close(); open('c:d', 'w').close()\n"
        "for act in (lambda: os.unlink('a'), lambda: pathlib.Path('a').rename('z'),\n"
        "            lambda: os.rename('b', 'a'), lambda: os.replace('b', 'a'),\n"
        "            lambda: shutil.rmtree('.', ignore_errors=True)):\n"
        "    try: act()\n"
        "    except OSError: pass\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=laptop.folder, env=laptop.environment, check=True)
    told = re.findall(r"^REFUSED (\w+(?: onto)?)", laptop.refused, re.MULTILINE)
    assert told == ["name", "unlink", "rename", "rename onto", "replace onto", "unlink"]


FOREIGN = (
    "PROJ_LIB",
    "PROJ_DATA",
    "GDAL_DATA",
    "GDAL_DRIVER_PATH",
    "OGR_DRIVER_PATH",
    "PROJ_NETWORK",
    "GDAL_SKIP",
)


def test_variables_of_other_gis_programs_change_nothing(laptop, tmp_path):
    """PostGIS, OSGeo4W and QGIS leave them behind, with a data base of PROJ that ours cannot read."""
    other = tmp_path / "OSGeo4W" / "share"
    other.mkdir(parents=True)
    (other / "proj.db").write_bytes(b"SQLite format 3\0 of long ago")
    (other / "gdal_broken.so").write_bytes(b"no library")
    (other / "gcs.csv").write_text("", encoding="utf-8")
    laptop.run("compare", "inbox", "-o", "plain")
    foreign = dict.fromkeys(FOREIGN, str(other)) | {"GDAL_SKIP": "GPKG GeoJSON", "PROJ_NETWORK": "ON"}
    laptop.environment |= foreign
    laptop.run("compare", "inbox", "-o", "foreign")
    plain, there = (hashes(laptop.folder / name) for name in ("plain", "foreign"))
    assert plain.pop("summary.json") != there.pop("summary.json")  # it holds the time
    assert plain == there
    laptop.run("convert", "foreign", "-o", "converted", "--format", "geojson,kml,shapefile")
    assert len(read_layer(laptop.folder / "converted/geojson/areas.geojson", "areas")) == 4
    laptop.run("query", "foreign", "--at", "105.0015,17.501")


def test_results_that_qgis_and_excel_hold_open_get_a_dated_name_beside_them(laptop):
    laptop.run("run", "run.yaml")
    writes = {
        "compared/geopipe.gpkg": ("compare", "inbox", "-o", "compared"),
        "twg.xlsx": ("workbook", "out", "-w", "work", "-o", "twg.xlsx"),
        "converted/geojson/areas.geojson": ("convert", "out", "-o", "converted", "--format", "geojson"),
    }
    for name, command in writes.items():
        held = laptop.folder / name
        laptop.run(*command)
        before = held.read_bytes()
        code = "import sys; held = open(sys.argv[1], 'rb'); print('ready', flush=True); sys.stdin.read()"
        others = set(held.parent.iterdir())
        with subprocess.Popen(
            [sys.executable, "-c", code, held], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as program:
            program.stdout.readline()
            laptop.run(*command, beside=program.pid)
            program.stdin.close()
        (new,) = (path for path in held.parent.iterdir() if path.suffix == held.suffix and path not in others)
        assert re.fullmatch(rf"{held.stem}-\d{{8}}-\d{{6}}", new.stem)
        assert "is open in another program" in laptop.told
        assert new.name in laptop.told
        assert held.read_bytes() == before
        assert new.stat().st_size > len(before) / 2
