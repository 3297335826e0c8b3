"""The first five minutes of the README work as printed, on the demo that `make run` makes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from conftest import REPOSITORY

GEOPIPE = Path(sys.executable).with_name("geopipe")
pytestmark = pytest.mark.skipif(
    not (GEOPIPE.exists() and shutil.which("bash")), reason="needs bash and geopipe as a command"
)


def parts():
    """The parts of the README under `Your first five minutes`, by heading."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    five = text.partition("## Your first five minutes")[2].partition("\n## ")[0]
    return dict(part.split("\n", 1) for part in five.split("\n### ")[1:])


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """What a person has after `make run`, an hour ago."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "geopipe").symlink_to(GEOPIPE)
    shutil.copytree(REPOSITORY / "configs", folder / "configs")
    # A file that no night has seen yet is looked at again after so long: here it cannot be growing.
    nightly = folder / "configs" / "nightly.yaml"
    text = nightly.read_text(encoding="utf-8")
    assert "settle_seconds: 60 " in text
    nightly.write_text(text.replace("settle_seconds: 60 ", "settle_seconds: 1 "), encoding="utf-8")
    subprocess.run([GEOPIPE, "demo", "demo", "--size", "2000", "--quiet"], cwd=folder, check=True)
    for path in (folder / "demo").iterdir():
        os.utime(path, (path.stat().st_mtime - 3600,) * 2)
    return folder


def typed(folder, line):
    """Type a line of the README; a file that was left out on purpose (exit 4) is no failure."""
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 4), f"{line}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def test_every_command_works_as_printed(desk):
    said = {
        line: typed(desk, line)
        for text in parts().values()
        for line in re.findall(r"^    (\S.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    }
    assert len(said) >= 12
    told = {line.split("geopipe ", 1)[1].split()[0]: out for line, out in said.items() if ".venv" in line}
    assert (
        "UXL-CHA-000071" in told["query"]
    )  # the place that the README names lies on the overlap of its first picture
    assert "MAG-CHA-000036" in told["query"]
    assert "Proposal: operator B corrects boundary." in said[next(line for line in said if "explain" in line)]
    for name in ("report.html", "to-send/MAG.xlsx", "pack.pdf", "twg.xlsx", "night/out/digest.html"):
        assert (desk / name).is_file(), name
    assert list((desk / "minutes").iterdir())


def test_the_script_runs_as_printed(desk):
    (code,) = re.findall(r"```python\n(.*?)```", parts()["You write a script, or a notebook"], re.DOTALL)
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=desk, capture_output=True, text=True, check=True
    )
    assert "OVERLAPS" in ran.stdout
