"""Lineage does not depend on the order of rows, and looks the same from both ends."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from make import box, hazard, make_features

from geopipe.lineages.lineage import Lineage, trace
from geopipe.schema import Frame

MIRROR = {"added": "vanished", "vanished": "added", "split": "merged", "merged": "split"}

places = st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(1, 3), st.integers(1, 2))
ids = st.one_of(st.none(), st.sampled_from("abcde"))


@st.composite
def registers(draw: st.DrawFn) -> Frame:
    """Up to eight hazard areas on a small grid: equal ground, shared ground and repeated ids are common."""
    areas = [
        hazard(
            box(x * 50, y * 50, (x + width) * 50, (y + height) * 50),
            draw(st.sampled_from(["MAG", "MAG", "HALO"])),
            draw(ids),
            status=draw(st.sampled_from(["open", "closed"])),
        )
        for x, y, width, height in draw(st.lists(places, max_size=8))
    ]
    return make_features(*areas).features


def events(lineage: Lineage) -> Counter[tuple[str, tuple[str, ...], tuple[str, ...], float, float]]:
    return Counter(
        (
            row["change"],
            tuple(row["previous_row_ids"]),
            tuple(row["current_row_ids"]),
            round(row["lost_m2"], 3),
            round(row["gained_m2"], 3),
        )
        for row in lineage.table().to_pylist()
    )


@given(registers(), registers(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(before, after, random):
    shuffled = [frame.take(np.array(random.sample(range(len(frame)), len(frame)), dtype=np.intp))
                for frame in (before, after)]  # fmt: skip
    assert events(trace(*shuffled)) == events(trace(before, after))


@given(registers())
def test_a_delivery_against_itself_is_unchanged(register):
    lineage = trace(register, register)
    assert set(lineage.change) <= {"unchanged"}
    assert len(lineage) == len(register)
    table = lineage.table()
    assert table["previous_row_ids"] == table["current_row_ids"]


@settings(max_examples=150)
@given(registers(), registers())
def test_looking_back_adds_what_vanished_and_merges_what_was_split(before, after):
    forward, back = events(trace(before, after)), events(trace(after, before))
    assert forward == Counter(
        {(MIRROR.get(change, change), new, old, gained, lost): n
         for (change, old, new, lost, gained), n in back.items()}
    )  # fmt: skip


@given(registers(), registers())
def test_every_record_belongs_to_exactly_one_event(before, after):
    table = trace(before, after).table()
    for frame, column in ((before, "previous_row_ids"), (after, "current_row_ids")):
        named = [row for rows in table[column].to_pylist() for row in rows]
        assert sorted(named) == sorted(frame.table["row_id"].to_pylist())


@given(registers(), registers())
def test_ground_is_neither_lost_nor_gained_in_the_books(before, after):
    lineage = trace(before, after)
    for event, row in enumerate(lineage.table().to_pylist()):
        old = _area_m2(before, lineage.previous_rows(event), lineage.previous)
        new = _area_m2(after, lineage.current_rows(event), lineage.current)
        assert abs((old - row["lost_m2"]) - (new - row["gained_m2"])) < 1e-3


def _area_m2(_frame: Frame, rows: np.ndarray, ordered: Frame) -> float:
    import shapely

    return float(shapely.union_all(ordered.geometry[rows]).area)
