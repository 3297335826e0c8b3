"""What records settled in parts are held against: all of them, settled at once in this process."""

from dataclasses import fields

import pytest
from conftest import UTM_48N

from geopipe import pipeline
from geopipe.config import Config, DeliverySpec
from geopipe.schema import Frame, State
from geopipe.steps import advance


def ran(demo, folder, **more):
    spec = DeliverySpec(path=demo, assume_crs=UTM_48N)
    return pipeline.run(Config(deliveries=(spec,), output=folder, confirmations=None, **more))


def settled_here(state, _deliveries, config, policy, *_):
    """Settle all records at once in this process, as each stage alone does."""
    for stage in ("deduplicate", "history", "overlaps"):
        state = advance(state, stage, config, policy)
    return state


def ran_at_once(*told, **more):
    """Run as `ran` does, without any part."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pipeline, "settle_in_parts", settled_here)
        return ran(*told, **more)


def assert_same(one: State, other: State):
    for item in fields(State):
        here, there = getattr(one, item.name), getattr(other, item.name)
        if isinstance(here, Frame):
            assert here.table.whole().equals(there.table.whole()), item.name
            assert here.wkb().to_pylist() == there.wkb().to_pylist(), item.name
        else:
            assert here == there, item.name
