"""Pair the copies of records that two organisations keep: by id, GUID, ground, each record once."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geopipe.engine.components import component_labels
from geopipe.geometry import overlaid
from geopipe.lineages.matching import common_codes, kth_with_kth, same_ground
from geopipe.recognition import map_values
from geopipe.schema import Frame, Indices, Mask

_TOKENS = re.compile(r"\d+|[^\W\d_]+")
# Codes of all records of one operator and register on both sides; below it, what they have in common.
_GROUP = ("operator", "register")


def fold_id(text: str) -> str:
    """Return an id as people mean it: without case, separators and leading zeros (XK-0042 is xk 42)."""
    tokens = _TOKENS.findall(unicodedata.normalize("NFKC", text).casefold())
    return "-".join(str(int(token)) if token.isdigit() else token for token in tokens)


@dataclass
class Pairing:
    """Records of two sides, each paired at most once.

    Parameters
    ----------
    left, right : Frame
        FEATURES in one equal-area CRS (m), sorted by `row_id`.
    near_equal_iou : float
        From this likeness on, ground alone makes a pair.
    """

    left: Frame
    right: Frame
    near_equal_iou: float
    found: list[tuple[Indices, Indices]] = field(default_factory=list)
    how: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.free = np.ones(len(self.left), dtype=bool), np.ones(len(self.right), dtype=bool)
        # A record is known on the other side if anything there is called like it or lies like it.
        self.known = np.zeros(len(self.left), dtype=bool), np.zeros(len(self.right), dtype=bool)
        own = [frame.numpy("id_is_delivered").astype(bool) for frame in (self.left, self.right)]
        left, right = _with_folded_ids(self.left), _with_folded_ids(self.right)
        named = [
            self._same("source_id", self.left, self.right, own),
            self._same("source_id", left, right, own),
        ]
        for pairs in named:
            self._take("id", *self._meeting(*pairs))
        stated = [frame.table["guid"].is_valid().to_numpy() for frame in (self.left, self.right)]
        self._take("guid", *self._same("guid", self.left, self.right, stated))
        self._by_ground()
        # An id that stands elsewhere on the other side counts only where the ground is not found there.
        for pairs in named:
            self._take("id", *pairs)

    @property
    def pairs(self) -> tuple[Indices, Indices]:
        """The rows of `left` and of `right` that belong together."""
        left, right = (np.concatenate([pair[side] for pair in self.found]) for side in (0, 1))
        return left, right

    def _same(self, column: str, left: Frame, right: Frame, which: list[Mask]) -> tuple[Indices, Indices]:
        """Return pairs that state the same value; where it repeats, the k-th with the k-th."""
        codes = common_codes(left, right, *_GROUP, column)
        rows = [np.flatnonzero(mask) for mask in which]
        for side, other in ((0, 1), (1, 0)):
            shared = np.isin(codes[side][rows[side]], codes[other][rows[other]])
            self.known[side][rows[side][shared]] = True
        one, two = kth_with_kth(codes[0][rows[0]], codes[1][rows[1]])
        return rows[0][one], rows[1][two]

    def _meeting(self, left: Indices, right: Indices) -> tuple[Indices, Indices]:
        meets = shapely.intersects(self.left.geometry[left], self.right.geometry[right])
        return left[meets], right[meets]

    def _take(self, how: str, left: Indices, right: Indices) -> None:
        """Take the pairs of which both records are still free."""
        free = self.free[0][left] & self.free[1][right]
        for side, rows in enumerate((left[free], right[free])):
            self.free[side][rows] = False
            self.known[side][rows] = True
        self.found.append((left[free], right[free]))
        self.how += [how] * int(free.sum())

    def _by_ground(self) -> None:
        """Pair what lies on the same ground, then what lies on nearly the same, the likest first."""
        left, right = np.flatnonzero(self.free[0]), np.flatnonzero(self.free[1])
        if len(left) == 0 or len(right) == 0:
            return
        one, two = shapely.STRtree(self.right.geometry[right]).query(self.left.geometry[left])
        left, right = left[one], right[two]
        codes = common_codes(self.left, self.right, *_GROUP)
        alike = codes[0][left] == codes[1][right]
        left, right = left[alike], right[alike]
        likeness = self._likeness(left, right)
        near = likeness >= self.near_equal_iou
        left, right, likeness = left[near], right[near], likeness[near]
        self.known[0][left] = True
        self.known[1][right] = True
        equal = same_ground(self.left.geometry[left], self.right.geometry[right])
        self._kth_of_each_ground(left[equal], right[equal])
        for pair in np.lexsort((right, left, -likeness)):
            self._take("near_equal", left[pair : pair + 1], right[pair : pair + 1])

    def _likeness(self, left: Indices, right: Indices) -> NDArray[np.float64]:
        """Return the common ground's share (IoU) of pairs; 0 where their sizes alone exclude likeness."""
        one, two = self.left.geometry[left], self.right.geometry[right]
        one_m2, two_m2 = shapely.area(one), shapely.area(two)
        result = np.zeros(len(left))
        rows = np.flatnonzero(
            np.minimum(one_m2, two_m2) >= self.near_equal_iou * np.maximum(one_m2, two_m2) * (1 - 1e-9)
        )
        common_m2 = shapely.area(overlaid(shapely.intersection, one[rows], two[rows]))
        result[rows] = common_m2 / (one_m2[rows] + two_m2[rows] - common_m2)
        return result

    def _kth_of_each_ground(self, left: Indices, right: Indices) -> None:
        """Pair what is the same to a millimetre; where several lie there, the k-th with the k-th."""
        free = self.free[0][left] & self.free[1][right]
        left, right = left[free], right[free]
        size = len(self.left)
        label = component_labels(size + len(self.right), left, right + size)
        rows = np.unique(left), np.unique(right)
        one, two = kth_with_kth(label[rows[0]], label[rows[1] + size])
        self._take("ground", rows[0][one], rows[1][two])


def _with_folded_ids(frame: Frame) -> Frame:
    return frame.with_columns({"source_id": map_values(frame.table["source_id"], fold_id, pa.string())})
