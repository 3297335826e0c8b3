"""Shapes of realistic hazard and clearance areas, in metres about the origin of their scene."""

from __future__ import annotations

import numpy as np

from .rings import Floats, Ints, Padded

Rng = np.random.Generator
MAX_POINTS = 25


def hazard_area_m2(rng: Rng, n: int, largest_ha: float = 60.0) -> Floats:
    """Draw areas of confirmed hazardous areas, 0.5 ha to `largest_ha`, in m²."""
    return np.clip(rng.lognormal(np.log(3.0), 0.95, n), 0.5, largest_ha) * 1e4


def released_area_m2(rng: Rng, n: int) -> Floats:
    """Draw areas of clearance sites, 0.05 ha to 10 ha, in m²."""
    return np.clip(rng.lognormal(np.log(0.6), 1.1, n), 0.05, 10.0) * 1e4


def star(rng: Rng, area_m2: Floats, *, roundish: bool = False) -> Padded:
    """Make irregular polygons that are star-shaped about the origin.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    area_m2 : ndarray, shape (n,)
        Area of each polygon.
    roundish : bool
        Put the points on an ellipse, so that the polygon is convex.

    Returns
    -------
    Padded
        Polygons of 5 to 25 turning points, anticlockwise.
    """
    n = len(area_m2)
    count: Ints = np.floor(rng.triangular(5, 9, MAX_POINTS + 1, n)).astype(np.int64)
    chance = rng.uniform(-0.35, 0.35, (n, MAX_POINTS))
    angle = 2 * np.pi * (np.arange(MAX_POINTS) + chance) / count[:, None] + rng.uniform(0, 2 * np.pi, (n, 1))
    if roundish:
        xy = np.stack((1.3 * np.cos(angle), np.sin(angle)), axis=2)
    else:
        long_axis = rng.uniform(0, np.pi, (n, 1))
        radius = (1 + 0.25 * np.cos(2 * (angle - long_axis))) * rng.uniform(0.72, 1.28, (n, MAX_POINTS))
        xy = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=2)
    ring = Padded(xy, count)
    return ring.scaled(np.sqrt(area_m2 / ring.area_m2()))


def inner_radius_m(ring: Padded) -> Floats:
    """Return the distance from the origin to the nearest edge of each star-shaped ring, in m."""
    here, there = ring.xy, ring.successor()
    edge = there - here
    length2 = (edge**2).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        along = np.clip(-(here * edge).sum(axis=2) / length2, 0.0, 1.0)
    nearest = here + along[..., None] * edge
    distance = np.hypot(nearest[..., 0], nearest[..., 1])
    least: Floats = np.where(ring.mask, distance, np.inf).min(axis=1)
    return least


def outer_radius_m(ring: Padded) -> Floats:
    """Return the distance from the origin to the farthest turning point, in m."""
    distance = np.hypot(ring.xy[..., 0], ring.xy[..., 1])
    most: Floats = np.where(ring.mask, distance, 0.0).max(axis=1)
    return most


def moved(ring: Padded, shift: Floats) -> Padded:
    """Shift each ring by its own vector, shape (n, 2), in m."""
    return ring.mapped(ring.xy + shift[:, None, :])


def renumbered(rng: Rng, ring: Padded) -> Padded:
    """Return the same rings from another first point, in the other direction."""
    first = rng.integers(1, ring.count)
    order = (first[:, None] - np.arange(ring.xy.shape[1])) % ring.count[:, None]
    return ring.mapped(np.take_along_axis(ring.xy, order[:, :, None], axis=1))


def wobbled(rng: Rng, ring: Padded) -> Padded:
    """Move the turning points outwards and inwards by turns, about 1 % of the radius, at least 1 m.

    Neither of the two rings covers the other; they share some 97 to 99 % of their ground.
    """
    radius = np.hypot(ring.xy[..., 0], ring.xy[..., 1])
    step = np.maximum(1.0, 0.01 * radius) * rng.uniform(0.7, 1.3, radius.shape)
    sign = np.where(np.arange(ring.xy.shape[1]) % 2 == 0, 1.0, -1.0)
    return ring.mapped(ring.xy * (1 + sign * step / np.maximum(radius, 1e-9))[..., None])


def inside(rng: Rng, ring: Padded) -> Padded:
    """Return smaller polygons that lie wholly inside the star-shaped rings."""
    inner = star(rng, np.ones(len(ring.count)))
    share = rng.uniform(0.5, 0.9, len(ring.count))
    return inner.scaled(share * inner_radius_m(ring) / outer_radius_m(inner))


def biting(rng: Rng, ring: Padded, size: tuple[float, float] = (0.3, 0.95)) -> Padded:
    """Return polygons that lie over one turning point of each ring, smaller than the ring.

    That point is inside the new polygon and on the border of the ring, so neither covers the other.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    ring : Padded
        Star-shaped polygons.
    size : (float, float)
        Least and largest area as a share of the ring's.
    """
    n = len(ring.count)
    other = star(rng, ring.area_m2() * rng.uniform(*size, n))
    corner = ring.xy[np.arange(n), rng.integers(0, ring.count)]
    reach = inner_radius_m(other) * rng.uniform(-0.8, 0.92, n)
    outwards = corner / np.hypot(corner[:, 0], corner[:, 1])[:, None]
    return moved(other, corner + outwards * reach[:, None])


def neighbours(rng: Rng, length_m: Floats, width_m: Floats) -> tuple[Padded, Padded]:
    """Make two polygons along one crooked border; the right one reaches `width_m` over it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    length_m : ndarray, shape (n,)
        Length of the border.
    width_m : ndarray, shape (n,)
        Width of the strip that both claim; 0 makes them touch at the border's own points.

    Returns
    -------
    tuple of Padded
        The left and the right polygon, each of nine turning points.
    """
    n, border = len(length_m), 5
    step = np.linspace(-0.5, 0.5, border) + np.pad(
        rng.uniform(-0.06, 0.06, (n, border - 2)), ((0, 0), (1, 1))
    )
    bend = np.pad(rng.uniform(-0.05, 0.05, (n, border - 2)), ((0, 0), (1, 1)))
    line = np.stack((bend, step), axis=2) * length_m[:, None, None]
    shifted = line - np.stack((width_m, np.zeros(n)), axis=1)[:, None, :]
    left = np.concatenate((line, _back(rng, length_m, -1.0)), axis=1)
    right = np.concatenate((shifted, _back(rng, length_m, 1.0)), axis=1)
    count = np.full(n, border + 4, dtype=np.int64)
    return Padded(left, count), Padded(right, count)


def _back(rng: Rng, length_m: Floats, side: float) -> Floats:
    """Return the four points that close a neighbour on its far side, from top to bottom."""
    n = len(length_m)
    depth = side * rng.uniform(0.35, 0.6, n)
    x = np.stack([depth * rng.uniform(0.8, 1.2, n) for _ in range(4)], axis=1)
    y = np.tile([0.5, 0.2, -0.2, -0.5], (n, 1))
    x[:, 1:3] *= 1.6
    return np.stack((x, y), axis=2) * length_m[:, None, None]


def bow_tie(rng: Rng, area_m2: Floats) -> Padded:
    """Make rings whose points are numbered in a wrong order: two neighbours have changed places."""
    ring = star(rng, area_m2, roundish=True)
    xy = ring.xy.copy()
    xy[:, [1, 2]] = xy[:, [2, 1]]
    return ring.mapped(xy)


def butterfly(rng: Rng, area_m2: Floats) -> Padded:
    """Make rings of two lobes that touch themselves in one point (it occurs twice)."""
    n = len(area_m2)
    lobe = np.array([[0.0, 0.0], [1.0, -0.6], [1.5, 0.1], [0.9, 0.7]])
    xy = np.tile(np.concatenate((lobe, -lobe)), (n, 1, 1))
    xy[:, [1, 2, 3, 5, 6, 7]] *= rng.uniform(0.85, 1.15, (n, 6, 1))
    ring = Padded(xy, np.full(n, 8, dtype=np.int64))
    return ring.scaled(np.sqrt(area_m2 / np.abs(ring.area_m2())))


def spiked(rng: Rng, area_m2: Floats) -> Padded:
    """Make rings with a spike without width: out to a point and back to where it began."""
    ring = star(rng, area_m2)
    foot = ring.xy[:, :1]
    xy = np.concatenate((foot, foot * 1.4, foot, ring.xy[:, 1:]), axis=1)
    return Padded(xy, ring.count + 2)


def turned(ring: Padded, angle: Floats) -> Padded:
    """Turn each ring about the origin by its own angle, in radians."""
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y = ring.xy[..., 0], ring.xy[..., 1]
    return ring.mapped(np.stack((x * cos - y * sin, x * sin + y * cos), axis=2))
