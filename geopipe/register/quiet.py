"""Quiet cases: nothing about them has changed since they were seen last, and nobody has decided them.

Most cases of a night are quiet. They go on as they are, and are told from the others without reading,
matching or judging them one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geopipe.register.known import Known
from geopipe.register.matching import unchanged
from geopipe.register.tonight import Tonight
from geopipe.schema import Indices


@dataclass(frozen=True)
class Quiet:
    """Quiet cases, and the pairs of tonight in which they go on.

    `taken` are the records of tonight in which quiet cases go on, and none of the others can.
    """

    cases: Indices
    pairs: Indices
    others: Indices
    taken: Indices


def quiet_cases(known: Known, tonight: Tonight, live: Indices) -> Quiet:
    """Tell the quiet ones among live cases: both records, and all that is said of them, are as seen last."""
    if not len(live):
        return Quiet(live, live, live, live)
    tonight.name_of_pairs(np.flatnonzero(tonight.is_conflict))
    row_of = dict(zip(tonight.names.values(), tonight.names, strict=True))
    row = np.array([row_of.get(name, -1) for name in known.names], dtype=np.intp)
    left, right = known.left[live], known.right[live]
    changed = [known.names[place] for place in np.unique([left, right]).tolist() if row[place] < 0]
    before, pairs, flipped = unchanged(
        row[left], row[right], tonight.pairs, known.versions.version_ids(changed)
    )
    cases = live[before]
    told = zip(cases.tolist(), tonight.told(pairs, flipped.tolist()), strict=True)
    is_quiet = np.array(
        [known.columns[case] == text and known.is_settled(case) for case, text in told], dtype=bool
    )
    cases, pairs = cases[is_quiet], pairs[is_quiet]
    others = np.setdiff1d(live, cases)
    taken = np.concatenate([tonight.pairs.left[pairs], tonight.pairs.right[pairs]])
    of_others = row[np.concatenate([known.left[others], known.right[others]])]
    return Quiet(cases, pairs, others, np.setdiff1d(taken, of_others))
