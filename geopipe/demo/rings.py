"""Rings as arrays: many polygons without holes, built and measured without a loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Padded:
    """One ring per row of a block, all of equal width.

    Attributes
    ----------
    xy : ndarray, shape (n, width, 2)
        Turning points in metres, unclosed; what lies beyond `count` is without meaning.
    count : ndarray, shape (n,)
        Number of turning points of each ring.
    """

    xy: Floats
    count: Ints

    @property
    def mask(self) -> Flags:
        """Which points of the block are meant, shape (n, width)."""
        inside: Flags = np.arange(self.xy.shape[1]) < self.count[:, None]
        return inside

    def mapped(self, xy: Floats) -> Padded:
        """Return the same rings with other coordinates."""
        return Padded(xy, self.count)

    def scaled(self, factor: Floats | float) -> Padded:
        """Return the rings blown up or shrunk about the origin of their scene."""
        return self.mapped(self.xy * np.reshape(np.asarray(factor, dtype=float), (-1, 1, 1)))

    def successor(self) -> Floats:
        """Return for each point the next one of its ring, shape (n, width, 2)."""
        column = np.arange(self.xy.shape[1])
        following = np.where(column + 1 >= self.count[:, None], 0, column + 1)
        found: Floats = np.take_along_axis(self.xy, following[:, :, None], axis=1)
        return found

    def area_m2(self) -> Floats:
        """Return the signed area of each ring in m²."""
        here, there = self.xy, self.successor()
        cross = here[..., 0] * there[..., 1] - there[..., 0] * here[..., 1]
        total: Floats = np.where(self.mask, cross, 0.0).sum(axis=1) / 2.0
        return total


@dataclass(frozen=True)
class Rings:
    """Rings of different lengths one after the other.

    Attributes
    ----------
    xy : ndarray, shape (points, 2)
        Turning points, unclosed.
    start : ndarray, shape (n + 1,)
        Ring i holds the points start[i] to start[i + 1].
    """

    xy: Floats
    start: Ints

    @classmethod
    def from_counts(cls, xy: Floats, count: Ints) -> Rings:
        """Make rings from their points and the number of points of each."""
        return cls(xy, np.concatenate(([0], np.cumsum(count))).astype(np.int64))

    @property
    def count(self) -> Ints:
        """Number of turning points of each ring."""
        return np.diff(self.start)

    def take(self, index: Ints) -> Rings:
        """Return the chosen rings, in the order of `index`."""
        count = self.count[index]
        shift = np.repeat(self.start[index] - np.concatenate(([0], np.cumsum(count)[:-1])), count)
        return Rings.from_counts(self.xy[np.arange(len(shift)) + shift], count)

    def transformed(self, source: str, target: str) -> Rings:
        """Return the rings with each vertex in another CRS (nothing is densified)."""
        return Rings(transform_xy(self.xy, source, target), self.start)

    def closed(self) -> Rings:
        """Return the rings with the first point repeated at the end."""
        count = self.count
        where = np.arange(len(self.xy) + len(count)) - np.repeat(np.arange(len(count)), count + 1)
        last = np.cumsum(count + 1) - 1
        where[last] = self.start[:-1]
        return Rings.from_counts(self.xy[where], count + 1)

    def polygons(self) -> npt.NDArray[np.object_]:
        """Return shapely polygons; rings of fewer than three points become None."""
        made: npt.NDArray[np.object_] = np.full(len(self.count), None, dtype=object)
        usable = np.flatnonzero(self.count >= 3)
        rings = self.take(usable).closed()
        index = np.repeat(np.arange(len(usable)), rings.count)
        made[usable] = shapely.polygons(shapely.linearrings(rings.xy, indices=index))
        return made

    def area_m2(self) -> Floats:
        """Return the absolute shoelace area of each ring, seen from its first point."""
        local = self.xy - np.repeat(self.xy[self.start[:-1]], self.count, axis=0)
        closed = Rings(local, self.start).closed()
        here, there = closed.xy[:-1], closed.xy[1:]
        cross = np.append(here[:, 0] * there[:, 1] - there[:, 0] * here[:, 1], 0.0)
        cross[closed.start[1:] - 1] = 0.0
        total: Floats = np.abs(np.add.reduceat(cross, closed.start[:-1])) / 2.0
        return total


def transform_xy(xy: Floats, source: str, target: str) -> Floats:
    """Transform points of shape (n, 2) from one CRS to the other, x (or longitude) first."""
    if source == target or not len(xy):
        return xy
    change: Any = Transformer.from_crs(source, target, always_xy=True)
    return np.column_stack(change.transform(xy[:, 0], xy[:, 1]))
