"""What somebody could put into an inbox: nothing outside is read, nobody is called, every input is told of.

All inputs lie in one delivery folder and are read by one run, beside two good files. `pytest -s` prints how
many of each group there are, and what became of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import COMMAND, square, write_geojson
from hostile import INPUTS, SECRET, set_trap
from hostile.watch import listening, watched

from geopipe.config import load_config
from geopipe.preparation.together import jobs_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes and links are made as on Linux")
# Inputs that need seconds each, or are only ended by a limit.
QUICK = [name for name, item in INPUTS.items() if not item.is_slow]
# Nothing in them is a delivery: a hidden file, and a .json that is no map (folders hold many of those).
WITHOUT_A_FILE = {"name_only_suffix", "vrt_as.json"}
MEMORY_MB = 1500
SECONDS = 60
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Attacked:
    """A run over hostile inputs: what it said and left, and what those saw who must not be touched."""

    code: int
    out: str
    err: str
    summary: dict
    folder: Path
    asked: list[bytes]
    touched: list[str]
    is_trap_whole: bool
    peak_mb: float
    cpu_s: float
    deliveries: dict[str, list[dict]]


def attack(folder: Path, names: list[str]) -> Attacked:
    """Put inputs into a folder, each in a folder of its own, and run."""
    write_geojson(folder / "in" / "good" / "UXO_Lao_CHA.geojson", [({"hazard_id": "U-1"}, square())])
    write_geojson(folder / "in" / "good" / "MAG_CHA.geojson", [({"hazard_id": "M-1"}, square(east_by=0.001))])
    with listening() as (url, asked):
        trap = set_trap(folder / "outside" / "a" / "b", url)
        for name in names:
            place = folder / "in" / name
            place.mkdir()
            INPUTS[name].make(place, trap)
        before = _hashes(trap.folder)
        config = folder / "run.yaml"
        limits = f"limits: {{seconds: {SECONDS}, memory_mb: {MEMORY_MB}, layers: 200, points: 50000}}"
        config.write_text(f"deliveries: [{{path: in}}]\nworkspace: work\noutput: out\nworkers: 2\n{limits}\n")
        with watched(trap.folder) as touched:
            code, out, err, used = _run(config)
        is_whole = _hashes(trap.folder) == before
    summary = json.loads(
        (folder / "out" / (folder / "out" / "CURRENT").read_text().strip() / "summary.json").read_text()
    )
    told = {item["file"]: item for item in summary["deliveries"]}
    deliveries: dict[str, list[dict]] = defaultdict(list)
    for job in jobs_of(load_config(config)):
        inside = job.source.path.relative_to(folder / "in").parts[0]
        deliveries[inside].append(told[job.task.file])
    return Attacked(code, out, err, summary, folder, asked, touched, is_whole,
                    used.ru_maxrss / 1024, used.ru_utime + used.ru_stime, deliveries)  # fmt: skip


def _run(config: Path) -> tuple[int, str, str, object]:
    """Run in a process of its own; return code, texts, and what it and its processes used."""
    with (config.parent / "stdout").open("wb+") as out, (config.parent / "stderr").open("wb+") as err:
        told = {
            "stdin": subprocess.DEVNULL,
            "stdout": out,
            "stderr": err,
            "env": {**os.environ, "PYTHONUTF8": "1"},
        }
        process = subprocess.Popen([*COMMAND, "run", str(config)], **told)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    texts = [(config.parent / name).read_bytes().decode("utf-8") for name in ("stdout", "stderr")]
    return process.returncode, *texts, used


def _hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    done = attack(tmp_path_factory.mktemp("hostile"), QUICK)
    print(table(done, QUICK), file=sys.stderr)
    return done


def table(done: Attacked, names: list[str]) -> str:
    """Return how many inputs of each group there are, and what became of their files."""
    lines = [f"\n{'group':<12}{'inputs':>8}{'files':>7}{'refused':>9}{'in part':>9}{'read':>6}"]
    for group in dict.fromkeys(INPUTS[name].group for name in names):
        own = [name for name in names if INPUTS[name].group == group]
        files = [item for name in own for item in done.deliveries[name]]
        fates = Counter(_fate(item) for item in files)
        refused, in_part, read = fates["refused"], fates["in part"], fates["read"]
        lines.append(f"{group:<12}{len(own):>8}{len(files):>7}{refused:>9}{in_part:>9}{read:>6}")
    codes = Counter(problem["code"] for item in done.summary["deliveries"] for problem in item["problems"])
    lines.append(
        f"{len(names)} inputs; peak memory of a process {done.peak_mb:,.0f} MB; CPU {done.cpu_s:.0f} s"
    )
    return "\n".join([*lines, ", ".join(f"{code} {count}" for code, count in codes.most_common())])


def _fate(delivery: dict) -> str:
    if not delivery["problems"]:
        return "read"
    return "in part" if any(layer["records"] for layer in delivery["layers"]) else "refused"


def test_the_run_goes_on_and_says_that_something_was_left_out(attacked):
    assert attacked.code == 4
    assert "Traceback" not in attacked.err
    assert attacked.out.startswith("NOT ALL DATA COMPARED")
    assert [item["problems"] for item in attacked.deliveries["good"]] == [[], []]


def test_nobody_was_called(attacked):
    assert attacked.asked == []


def test_no_file_outside_was_opened_changed_or_deleted(attacked):
    assert attacked.touched == []
    assert attacked.is_trap_whole


def test_the_secret_is_nowhere(attacked):
    for folder in ("out", "work"):
        files = [path for path in (attacked.folder / folder).rglob("*") if path.is_file()]
        assert files
        assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    assert SECRET not in attacked.out + attacked.err


def test_memory_stays_under_the_cap(attacked):
    # The limit is for what a process reserves; what it maps from files, and its code, come on top.
    assert attacked.peak_mb < MEMORY_MB + 500


def test_terminals_get_no_orders(attacked):
    assert CONTROLS.findall(attacked.out + attacked.err) == []


def test_nothing_is_left_behind_outside_the_folders(attacked):
    assert {path.name for path in attacked.folder.iterdir()} == {
        "in", "out", "outside", "run.yaml", "stdout", "stderr", "work",
    }  # fmt: skip


def test_every_record_is_accounted_for(attacked):
    balance = attacked.summary["balance"]
    assert balance["records_in"] == sum(count for name, count in balance.items() if name != "records_in")
    assert balance["records_in"] < 200_000, "a false header brought records that nobody delivered"


def test_what_is_written_is_for_the_owner_and_results_for_the_group(attacked):
    def rights(name):
        return stat.S_IMODE((attacked.folder / name).stat().st_mode)

    assert rights("work") == 0o700
    assert rights("work/register.sqlite") == 0o600
    assert rights("out") & 0o027 == 0, "others look in, or the group writes"


@pytest.mark.parametrize("name", QUICK)
def test_each_input_is_told_of(attacked, name):
    files = attacked.deliveries[name]
    assert files or name in WITHOUT_A_FILE, "an input that nobody speaks of"
    for item in files:
        assert item["problems"] or item["balance"]["records_in"], item
        assert all(problem["sentence"].endswith(".") for problem in item["problems"])
        assert not {"READER_FAILED"} & {problem["code"] for problem in item["problems"]}, item["problems"]


# Refused for what it is, not by luck of a library.
DANGEROUS = {
    "shapefile_whose.dbf_is_a_link": "FILE_DANGEROUS",
    "shapefile_whose_dbf_is_endless": "FILE_DANGEROUS",
    "shapefile_whose.cpg_is_a_pipe": "FILE_DANGEROUS",
    "geodatabase_with_links_inside": "FILE_DANGEROUS",
    "geopackage_whose_journal_is_a_link": "FILE_DANGEROUS",
    "link_to_a_file_outside": "FILE_DANGEROUS",
    "link_to_a_folder_outside": "FILE_DANGEROUS",
    "pipe_as_geojson": "FILE_DANGEROUS",
    "journal_that_names_another_file": "FILE_DANGEROUS",
    "layer_is_an_endless_view": "FILE_DANGEROUS",
    "contents_are_an_endless_view": "FILE_DANGEROUS",
    "table_that_is_another_file": "FILE_DANGEROUS",
    "contents_are_very_many": "FILE_TOO_LARGE",
    "xxe_file_in_kml": "FILE_DANGEROUS",
    "billion_laughs_in_xlsx_texts": "FILE_DANGEROUS",
    "gpx_of_deep_extensions": "FILE_DANGEROUS",
    "zip_with_the_same_name_twice": "ARCHIVE_DANGEROUS",
    "zip_name_stream": "ARCHIVE_DANGEROUS",
    "zip_name_device_in_a_folder": "ARCHIVE_DANGEROUS",
    "zip_with_a_device": "ARCHIVE_DANGEROUS",
    "zip_bomb_that_lies": "FILE_UNREADABLE",
    "prj_with_a_grid_file": "FILE_DANGEROUS",
    "crs_with_a_grid_file": "FILE_DANGEROUS",
    "geojson_that_links_to_its_crs": "CRS_MISSING",
}


@pytest.mark.parametrize("name", DANGEROUS)
def test_it_is_refused_for_what_it_is(attacked, name):
    assert DANGEROUS[name] in {
        problem["code"] for item in attacked.deliveries[name] for problem in item["problems"]
    }


def test_one_record_too_many_costs_one_record(attacked):
    (file,) = attacked.deliveries["ring_of_a_hundred_thousand"]
    assert "TOO_MANY_POINTS" in attacked.summary["reasons"]
    assert file["balance"]["rejected"] == 1


def test_there_are_enough_of_them():
    assert len(QUICK) >= 80


@pytest.mark.slow
def test_large_ones_too(tmp_path):
    names = [name for name, item in INPUTS.items() if item.is_slow]
    done = attack(tmp_path, names)
    print(table(done, names), file=sys.stderr)
    assert done.code == 4
    assert done.peak_mb < MEMORY_MB + 500
    assert (done.asked, done.touched, done.is_trap_whole) == ([], [], True)
    assert all(
        item["problems"] or item["balance"]["records_in"] for own in done.deliveries.values() for item in own
    )
    assert len(done.deliveries) == len(names) + 1
