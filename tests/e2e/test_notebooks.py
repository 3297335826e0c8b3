"""The walkthroughs run from top to bottom, and are kept without what a run leaves in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.filterwarnings("ignore")  # of the notebook server's own libraries
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom_and_leaves_nothing_beside_itself(path, tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("TMPDIR", str(tmp_path))  # what it makes to try things out goes with the test
    before = sorted(FOLDER.rglob("*"))
    here = tmp_path / "here"
    here.mkdir()
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(here)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    assert all(output.output_type != "error" for cell in notebook.cells for output in cell.get("outputs", []))
    assert not list(here.iterdir())
    assert sorted(FOLDER.rglob("*")) == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_counts(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert all(not cell["metadata"] for cell in notebook["cells"])
    assert set(notebook["metadata"]["language_info"]) == {"name"}  # no version of somebody's Python


def test_the_walkthrough_uses_the_library_face_alone():
    cells = json.loads((FOLDER / "walkthrough.ipynb").read_text(encoding="utf-8"))["cells"]
    lines = [line.strip() for cell in cells if cell["cell_type"] == "code" for line in cell["source"]]
    imported = [line for line in lines if line.startswith(("import geopipe", "from geopipe"))]
    assert imported == ["import geopipe", "from geopipe.demo import make_demo"]
