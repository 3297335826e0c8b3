"""Whatever is delivered next: no hazard disappears from the map unless land that is released explains it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from make import HAZARD, POLICY, RELEASED, area, box, make_features

from geopipe.history import hold_against, with_history
from geopipe.schema import FEATURES, State, empty_frame
from geopipe.stages.deduplicate import deduplicate

KINDS = ["CHA", "CHA", "SHA", "CLEARED", "CANCELLED", "UNKNOWN", "TASK"]
places = st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(1, 3), st.integers(1, 2))
days = st.one_of(st.none(), st.dates(dt.date(2019, 1, 1), dt.date(2019, 1, 4)))


@st.composite
def deliveries(draw: st.DrawFn, file: str, mode: str) -> State:
    """Up to eight records on a small grid, of two operators, with ids and dates that repeat."""
    records = [
        area(
            box(x * 50, y * 50, (x + width) * 50, (y + height) * 50),
            draw(st.sampled_from(KINDS)),
            draw(st.sampled_from(["MAG", "MAG", "HALO"])),
            draw(st.one_of(st.none(), st.sampled_from("abcd"))),
            surveyed=draw(days),
            completed=draw(days),
            informed=draw(days),
            status=draw(st.sampled_from(["open", "closed", "unknown"])),
            register=draw(st.sampled_from([None, None, "land"])),
            file=file,
        )
        for x, y, width, height in draw(st.lists(places, max_size=8))
    ]
    state = make_features(*records)
    return replace(state, deliveries=tuple(replace(item, mode=mode) for item in state.deliveries))


def ground(frame, kinds):
    return shapely.union_all(frame.geometry[frame.flags("kind", kinds)])


modes = st.sampled_from(["snapshot", "increment"])


@settings(max_examples=200)
@given(modes.flatmap(lambda mode: st.tuples(deliveries("a.gpkg", mode), deliveries("b.gpkg", mode))))
def test_no_hazard_disappears_from_the_map_without_a_release(both):
    before, now = both
    kept = deduplicate(now, POLICY)
    found = hold_against(kept, before.features, empty_frame(FEATURES), POLICY)
    on_map = with_history(kept, found).features
    explained = ground(kept.features, RELEASED)
    earlier = deduplicate(State(features=before.features), POLICY).features
    lost = ground(earlier, HAZARD).difference(ground(on_map, HAZARD).buffer(0.03)).difference(explained)
    assert lost.area == 0
    assert len(set(on_map.table["row_id"].to_pylist())) == len(on_map)


@given(deliveries("a.gpkg", "snapshot"))
def test_the_same_delivery_again_asks_nothing(delivered):
    kept = deduplicate(delivered, POLICY)
    found = hold_against(kept, delivered.features, empty_frame(FEATURES), POLICY)
    assert (len(found.changes), len(found.findings), len(found.carried), len(found.remaining)) == (0, 0, 0, 0)
