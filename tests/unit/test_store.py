"""A workspace belongs to one run at a time, and keeps what the stages made."""

import subprocess
import sys

import pytest
from make import hazard, judged, released, square

from geopipe.errors import BusyError, ConfigError, ExitCode
from geopipe.io.store import hold, load_state, save_state

STAGES = ("one", "two")


def test_what_was_saved_is_read_back_the_same(tmp_path):
    state = judged(hazard(square(), id="1"), released(square(20), operator="NPA", id="2"))
    save_state(tmp_path, "one", state, STAGES)
    back = load_state(tmp_path, "one")
    assert back.overlaps.table.whole().equals(state.overlaps.table.whole())
    assert back.features.table.whole().equals(state.features.table.whole())
    assert (back.features.geometry == state.features.geometry).all()
    assert back.deliveries == state.deliveries


def test_an_earlier_stage_makes_later_ones_stale(tmp_path):
    state = judged(hazard(square()))
    save_state(tmp_path, "two", state, STAGES)
    save_state(tmp_path, "one", state, STAGES)
    with pytest.raises(ConfigError, match="has not been run"):
        load_state(tmp_path, "two")


def test_a_workspace_that_another_process_holds_is_busy_and_free_again_when_that_dies(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from geopipe.io.store import hold\n"
        "with hold(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, encoding="utf-8"
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match="another run") as busy, hold(tmp_path):
            pass
        assert busy.value.exit_code == ExitCode.BUSY
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with hold(tmp_path):
        pass
