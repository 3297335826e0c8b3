"""A worker that crashes over some records, as a fault of a native library would let it."""

import os
import signal

import pyarrow.compute as pc

from geopipe.settling import part as parts

CURSED = "GEOPIPE_TEST_CURSED"


def die_over_cursed(part):
    """Settle a part; the process crashes where all of some cursed records are in it, in a stage."""
    stage, *groups = os.environ[CURSED].split()
    state = parts._state_of(part)
    here = {
        name
        for frame in (state.features, state.reference, state.previous, state.carried_before)
        for name in frame.values("row_id")
    }
    if stage in part.stages and any(set(group.split("+")) <= here for group in groups):
        os.kill(os.getpid(), signal.SIGSEGV)
    return parts.settle(part)


def die_over_deadly(part):
    """Settle a part; the process crashes where a record in it says of itself that it is deadly."""
    state = parts._state_of(part)
    for frame in (state.features, state.previous, state.carried_before):
        if pc.any(pc.match_substring(frame.table["attributes"], "deadly")).as_py():
            os.kill(os.getpid(), signal.SIGSEGV)
    return parts.settle(part)
