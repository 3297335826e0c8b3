"""Frames: rows of one that another one holds, too."""

import numpy as np
import pyarrow as pa

from geopipe.schema import Frame, no_geometry


def frame(**columns):
    table = pa.table(columns)
    return Frame.of(table, no_geometry(table.num_rows))


def test_rows_are_among_those_of_another_frame_by_what_their_columns_hold():
    mine = frame(row_id=["b", None, "a", "c", "b"])
    theirs = frame(row_id=["b", None, "d"], of_row_id=["a", None, "a"])
    assert mine.is_among("row_id", theirs).tolist() == [True, False, False, False, True]
    assert mine.is_among("row_id", theirs, "of_row_id").tolist() == [False, False, True, False, False]


def test_a_text_is_found_whether_it_is_written_out_or_numbered():
    numbered = frame(row_id=pa.array(["a", "b", "a"]).dictionary_encode())
    assert numbered.is_among("row_id", frame(row_id=["a"])).tolist() == [True, False, True]
    assert frame(row_id=["b", "c"]).is_among("row_id", numbered).tolist() == [True, False]


def test_no_row_is_among_none_and_none_among_some():
    none, some = frame(row_id=pa.array([], pa.string())), frame(row_id=["a"])
    assert not some.is_among("row_id", none).any()
    assert none.is_among("row_id", some).dtype == np.bool_
    assert len(none.is_among("row_id", some)) == 0
