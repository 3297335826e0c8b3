"""Golden cases: one folder each. Adding a case is adding a folder with `in/` and `expected.json`.

`expected.json` says what it is `about`, the `options` of its deliveries, the `balance`, and the
`pairs` (all that share ground, in order; areas in m2 on the ellipsoid, worked out with Geod of pyproj, not
geopipe). It may name `findings`, `rejected` (both by code), `covered_m2` by kind, and `gaps_m2` and
`remaining_m2` by hazard area.
"""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from conftest import hashes, read_layer

from geopipe import pipeline, running
from geopipe.config import Config, DeliverySpec

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/expected.json"))


def told(rows, *names):
    return [tuple(row[name] for name in names) for row in rows]


def times(folder):
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_golden(case, tmp_path):
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    shutil.copytree(case / "in", tmp_path / "in")
    config = Config(
        deliveries=(DeliverySpec(path=tmp_path / "in", **expected["options"]),),
        workspace=tmp_path / "work",
        output=tmp_path / "out",
    )
    result = running.run_and_keep(config)
    state = pipeline.run(config)
    pairs = state.overlaps.table.to_pylist()
    assert result.summary["balance"] == expected["balance"], expected["about"]
    named = told(pairs, "left_id", "right_id", "relation", "finding")
    assert named == told(expected["pairs"], "left", "right", "relation", "finding"), expected["about"]
    for pair, wanted in zip(pairs, expected["pairs"], strict=True):
        assert pair["area_m2"] == pytest.approx(wanted["area_m2"], rel=1e-6, abs=0.01)
    for code, count in expected.get("findings", {}).items():
        assert result.summary["findings"].get(code) == count
    if "rejected" in expected:
        reasons = Counter(row["reason"] for row in read_layer(result.outputs[0], "rejected"))
        assert reasons == expected["rejected"]
    for name in ("gaps", "remaining"):
        if f"{name}_m2" in expected:
            column = "area_m2" if name == "gaps" else "remaining_m2"
            ground = dict(told(getattr(state, name).table.to_pylist(), "hazard_id", column))
            assert ground == pytest.approx(expected[f"{name}_m2"], rel=1e-3), expected["about"]
    for kind, m2 in expected.get("covered_m2", {}).items():
        assert result.summary["areas"][kind]["covered_m2"] == pytest.approx(m2, rel=1e-6)

    before = hashes(tmp_path / "out"), times(tmp_path / "out")
    assert running.run_and_keep(config).summary == result.summary
    assert (hashes(tmp_path / "out"), times(tmp_path / "out")) == before


def test_there_are_cases():
    assert len(CASES) >= 10
