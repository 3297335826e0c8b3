"""What all tests share: this folder is importable (`from make import ...`), and hypothesis is repeatable.

For tests of the whole command also: running it, demo deliveries with truth, small files, layers read back.
"""

import contextlib
import datetime as dt
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyogrio
import pytest
import shapely
from filelock import FileLock
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from resting_readers import RestingReader

from geopipe import pipeline
from geopipe.cli import options
from geopipe.config import Config, DeliverySpec
from geopipe.contracts import load_schema
from geopipe.demo import make_demo
from geopipe.io import vector
from geopipe.settling import executors

# The same examples on every machine and on every run: a red build is never a matter of luck.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("repeatable")

REPOSITORY = Path(__file__).resolve().parent.parent
UTM_48N = "EPSG:32648"
# A command in a process of its own, whatever the folder of the entry point is called on this system.
COMMAND = [sys.executable, "-c", "from geopipe.cli.main import main; main()"]


@dataclass(frozen=True)
class Ran:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def first_line(self):
        return self.lines[0] if self.out else ""


def call(*arguments):
    """Call the command in this process, as its entry point does; an unexpected exception comes through."""
    from geopipe.cli.main import main

    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["geopipe", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.argv = before
    if "--json" in arguments and out.getvalue():
        require_as_promised(json.loads(out.getvalue()))
    return Ran(code, out.getvalue(), err.getvalue())


@cache
def validator_of(schema):
    """Return what holds an answer against a schema, by the name of the schema."""
    return Draft202012Validator(load_schema(schema), format_checker=FormatChecker())


def require_as_promised(told):
    """Fail where an answer is not as the schema that it names says."""
    error = best_match(validator_of(told["schema"]).iter_errors(told))
    assert error is None, f"{told['schema']} {error.json_path}: {error.message[:300]}"


def call_in_process(*arguments, cwd=None, env=None, **more):
    """Call the command in a process of its own."""
    told = {"encoding": "utf-8", "timeout": 300, "capture_output": True, **more}
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, env={**os.environ, **(env or {})}, check=False, **told
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def square(west=105.0, south=17.5, side=0.002, east_by=0.0):
    """Return a square of `side` degrees as a polygon in lon/lat."""
    return shapely.box(west + east_by, south, west + east_by + side, south + side)


def write_geojson(path, records):
    """Write (properties, geometry) pairs as GeoJSON in lon/lat; a geometry may be None or a plain dict."""
    features = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": shapely.geometry.mapping(shape) if isinstance(shape, shapely.Geometry) else shape,
        }
        for properties, shape in records
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return path


def read_layer(path, name):
    """Return the rows of a layer as dicts; geometry, where there is one, under `geometry`."""
    meta, table = pyogrio.raw.read_arrow(path, layer=name)
    column = meta["geometry_name"] or "wkb_geometry"
    rows = table.to_pylist()
    for row in rows:
        data = row.pop(column, None)
        row["geometry"] = None if data is None else shapely.from_wkb(data)
    return rows


def layer_names(path):
    """Return the layers of a file without the table in which QGIS finds their styles."""
    return [str(name) for name, _ in pyogrio.list_layers(path) if name != "layer_styles"]


def hashes(folder):
    """Return the sha256 of every file below a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def without_time(summary):
    """Return a summary without what may differ between two runs: when, and the hashes of the files."""
    return {name: value for name, value in summary.items() if name not in ("run", "files")}


@dataclass(frozen=True)
class Compared:
    """A demo, what is true about it, and what geopipe made of it."""

    deliveries: Path
    truth: dict
    state: object
    summary: dict
    folder: Path
    assumed: bool

    @property
    def geopackage(self):
        return self.folder / "geopipe.gpkg"


@pytest.fixture(scope="session", autouse=True)
def _readers_rest_between_runs():
    """Let the reader processes of one run in this process work for the next one, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector, "Reader", RestingReader)
        patch.setattr(executors, "Reader", RestingReader)
        patch.setattr(options, "start_readers", lambda _count: None)
        yield
    RestingReader.end_all()


@pytest.fixture(scope="session")
def demo_of(tmp_path_factory):
    """Return a function (size, seed) -> (folder of deliveries, truth); each is made once."""
    made = {}

    def make(size, seed):
        if (size, seed) not in made:
            folder = tmp_path_factory.mktemp(f"demo-{size}-{seed}")
            made[size, seed] = folder, make_demo(folder, size=size, seed=seed)
        return made[size, seed]

    return make


@pytest.fixture(scope="session")
def compared_of(demo_of, tmp_path_factory):
    """Return a function (size, seed, assumed) -> Compared; each is computed once."""
    made = {}

    def compare(size, seed, assumed):
        if (size, seed, assumed) not in made:
            deliveries, truth = demo_of(size, seed)
            config = Config(
                deliveries=(DeliverySpec(path=deliveries, assume_crs=UTM_48N if assumed else None),),
                working_crs=truth["crs"],
                output=tmp_path_factory.mktemp(f"out-{size}-{seed}"),
            )
            state = pipeline.run(config)
            result = pipeline.finish(state, config, config.output, dt.datetime.now(dt.UTC))
            made[size, seed, assumed] = Compared(
                deliveries, truth, state, result.summary, config.output, assumed
            )
        return made[size, seed, assumed]

    return compare


@pytest.fixture(scope="session")
def fault_demo_of(tmp_path_factory):
    """Return a function seed -> folder: `demo` as the command makes it, and `said.txt`, what it said.

    Each is made once, also where several processes run the tests: it takes long. Do not write into it.
    """
    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def make(seed):
        folder = root / f"fault-demo-{seed}"
        with FileLock(folder.with_suffix(".lock")):
            if not (folder / "said.txt").exists():
                ran = call("demo", folder / "demo", "--faults", "--seed", seed)
                assert ran.code == 0, ran.err
                (folder / "said.txt").write_text(ran.out, encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def small_demo(demo_of):
    """Return the folder of a small demo: ten deliveries of five operators."""
    return demo_of(300, 5)[0]


@pytest.fixture(scope="session")
def small_result(small_demo, tmp_path_factory):
    """Return a folder with the published comparison of the small demo; do not write into it."""
    folder = tmp_path_factory.mktemp("result")
    assert call("compare", small_demo, "-o", folder, "--assume-crs", UTM_48N, "--quiet").code == 4
    return folder


@pytest.fixture
def two_files(tmp_path):
    """Return two deliveries that overlap by half a square, in plain GeoJSON."""
    first = write_geojson(tmp_path / "in" / "UXO_Lao_CHA.geojson", [({"hazard_id": "U-1"}, square())])
    second = write_geojson(
        tmp_path / "in" / "MAG_CHA.geojson", [({"hazard_id": "M-1"}, square(east_by=0.001))]
    )
    return first, second


@pytest.fixture(scope="session")
def real_data():
    """Return the folder of real polygons, or skip."""
    named = os.environ.get("GEOPIPE_REAL_DATA")
    folder = Path(named) if named else REPOSITORY / ".." / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real polygons are not here: name their folder in GEOPIPE_REAL_DATA")
    return folder.resolve()


def remove_after_death(folder: Path, within_s: float = 20) -> None:
    """Remove a folder in which a process may still write for a moment, after the one that asked it died."""
    late = time.monotonic() + within_s
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError:
            if time.monotonic() > late:
                raise
            time.sleep(0.05)
