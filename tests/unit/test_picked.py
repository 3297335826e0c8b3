"""Rows that are picked one pick after the other hold what rows of a plain Arrow table would hold."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geopipe.picked import Picked

BASE = pa.concat_tables(
    [
        pa.table({"id": ["a", "b"], "area_m2": [1.0, 2.0], "row": [1, 2]}),
        pa.table({"id": ["c", None, "e"], "area_m2": [3.0, None, 5.0], "row": [3, 4, 5]}),
    ]
)


def rows(*at):
    return np.array(at, dtype=np.intp)


def column(*values):
    return pa.chunked_array([pa.array(values)])


def test_a_column_comes_in_one_chunk():
    assert BASE["id"].num_chunks == 2
    for picked in (Picked(BASE), Picked(BASE).take(rows(0, 4, 2))):
        assert picked["id"].num_chunks == 1
    assert Picked(BASE).take(rows())["id"].num_chunks == 1


@pytest.mark.parametrize("encoded", [False, True])
def test_rows_that_jump_between_the_chunks_come_in_their_order(encoded):
    parts = [pa.array([None, *(f"{part}-{row}" for row in range(part))], pa.string()) for part in range(4)]
    parts = [part.dictionary_encode() for part in parts] if encoded else parts
    base = pa.table({"id": pa.chunked_array(parts)})
    values = base["id"].to_pylist()
    for order in ([9, 0] * 30, [3, 4, 9, 0, 1, 0], range(10), [5, 6]):
        picked = Picked(base).take(rows(*order))
        assert picked["id"].to_pylist() == [values[row] for row in order]
        assert len(picked.slice(0, len(order)).to_batches()) == 1


def test_no_row_of_a_table_without_rows():
    picked = Picked(BASE.slice(0, 0))
    assert (picked.num_rows, picked["area_m2"].to_pylist(), picked.to_pylist()) == (0, [], [])


def test_a_pick_of_a_pick():
    picked = Picked(BASE).take(rows(4, 3, 0)).take(rows(2, 0, 0))
    assert picked["id"].to_pylist() == ["a", "e", "e"]


def test_a_replaced_column_follows_its_rows():
    graded = Picked(BASE).take(rows(4, 0)).replacing({"area_m2": column("large", "small")})
    assert graded.take(rows(1)).to_pylist() == [{"id": "a", "area_m2": "small", "row": 1}]
    assert graded.schema.field("area_m2").type == pa.string()


def test_the_later_replacement_counts():
    picked = Picked(BASE).replacing({"row": column(*"vwxyz")}).replacing({"row": column(9, 8, 7, 6, 5)})
    assert picked["row"].to_pylist() == [9, 8, 7, 6, 5]


def test_a_replacement_changes_nothing_of_where_it_came_from():
    first = Picked(BASE)
    first.replacing({"id": column(*"vwxyz")})
    assert first["id"].to_pylist() == BASE["id"].to_pylist()


def test_forgetting_gives_back_what_was_taken_and_keeps_what_was_replaced():
    picked = Picked(BASE).take(rows(1, 2)).replacing({"row": column(20, 30)})
    before = picked.to_pylist()
    taken = picked["id"]
    assert picked["id"] is taken
    picked.forget()
    assert picked["id"] is not taken
    assert picked.to_pylist() == before


def test_columns_that_are_left_out_are_gone():
    picked = Picked(BASE).take(rows(0)).replacing({"row": column(9), "id": column("z")})
    assert picked.select(["row", "area_m2"]).to_pylist() == [{"row": 9, "area_m2": 1.0}]
    assert picked.drop_columns(["row"]).column_names == ["id", "area_m2"]
    with pytest.raises(KeyError):
        picked.select(["area_m2"])["row"]


STEP = st.one_of(
    st.tuples(st.just("take"), st.lists(st.integers(0, 30), max_size=7)),
    st.tuples(st.just("replacing"), st.sampled_from(["id", "area_m2", "row"])),
    st.tuples(st.just("forget"), st.none()),
    st.tuples(st.just("read"), st.sampled_from(["id", "area_m2", "row"])),
)


@given(st.lists(STEP, max_size=6), st.integers(0, 5), st.integers(0, 5))
def test_any_steps_leave_what_they_would_leave_of_a_plain_table(steps, start, length):
    picked, plain = Picked(BASE), BASE.to_pylist()
    for number, (what, how) in enumerate(steps):
        if what == "take":
            at = [index % len(plain) for index in how] if plain else []
            picked, plain = picked.take(rows(*at)), [plain[index] for index in at]
        elif what == "replacing":
            values = [f"{number}-{at}" for at in range(len(plain))]
            picked = picked.replacing({how: pa.chunked_array([pa.array(values, pa.string())])})
            plain = [{**row, how: value} for row, value in zip(plain, values, strict=True)]
        elif what == "forget":
            picked.forget()
        else:
            assert picked[how].to_pylist() == [row[how] for row in plain]
    assert picked.num_rows == len(plain)
    assert picked.to_pylist() == plain
    assert picked.whole().schema == picked.schema
    assert picked.slice(start, length).to_pylist() == plain[start : start + length]
    assert picked.to_pydict() == {name: [row[name] for row in plain] for name in BASE.column_names}
