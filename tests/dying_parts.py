"""A worker that is killed over some records, as a fault of a native library would kill it."""

import os
import signal

from geopipe.settling import part as parts

CURSED = "GEOPIPE_TEST_CURSED"


def die_over_cursed(part):
    """Settle a part; the process is killed where all cursed records are in it, in the stage that is told."""
    stage, *cursed = os.environ[CURSED].split()
    state = parts._state_of(part)
    here = {
        name
        for frame in (state.features, state.reference, state.previous, state.carried_before)
        for name in frame.values("row_id")
    }
    if stage in part.stages and set(cursed) <= here:
        os.kill(os.getpid(), signal.SIGKILL)
    return parts.settle(part)
