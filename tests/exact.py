"""The area that two polygons share, without any rounding: whole numbers, no geometry engine, no tolerance.

Coordinates are floats, and floats are whole numbers over a power of two: scaled by it, all that follows
is integers. What two convex polygons share is bounded by the pieces of each one's edges that lie in the
other; polygons of other shapes are sums and differences of triangles.
"""

from __future__ import annotations

from itertools import pairwise

import shapely

Point = tuple[int, int]
Ring = list[Point]
# Fractions are whole numbers of 2**-64.
FINER = 64


def exact_m2(first: shapely.Geometry, second: shapely.Geometry) -> float:
    """The shared area of two valid polygons of any shape, in the square of the unit of their coordinates.

    No more than 2**-60 of the square of the coordinates' last bit is lost, and the last bit of the result.
    """
    (one, other), scale = whole_numbers(first, second)
    pieces = [piece for part in other for piece in convex_pieces(part)]
    double = sum(
        sign * other_sign * double_area(ring, other_ring)
        for part in one
        for sign, ring in convex_pieces(part)
        for other_sign, other_ring in pieces
    )
    return double / (2 * scale * scale << FINER)


def whole_numbers(*polygons: shapely.Geometry) -> tuple[list[list[list[Ring]]], int]:
    """The parts of polygons as rings (shells to the left, holes to the right), times one power of two."""
    parts = [
        [shapely.get_rings(part) for part in shapely.orient_polygons(shapely.get_parts(polygon))]
        for polygon in polygons
    ]
    points = shapely.get_coordinates(polygons).ravel().tolist()
    scale = max(number.as_integer_ratio()[1] for number in points)
    x0, y0 = (whole(number, scale) for number in points[:2])  # counted from a corner, numbers stay small

    def ring_of(ring: shapely.LinearRing) -> Ring:
        return [(whole(x, scale) - x0, whole(y, scale) - y0) for x, y in ring.coords[:-1]]

    return [[[ring_of(ring) for ring in rings] for rings in group] for group in parts], scale


def whole(number: float, scale: int) -> int:
    top, bottom = number.as_integer_ratio()
    return top * (scale // bottom)


def convex_pieces(rings: list[Ring]) -> list[tuple[int, Ring]]:
    """The ring itself if it is convex; else triangles to add (1) and to take away (-1)."""
    shell = rings[0]
    corners = zip(shell, shell[1:] + shell[:1], shell[2:] + shell[:2], strict=True)
    if len(rings) == 1 and all(side(a, b, c) >= 0 for a, b, c in corners):
        return [(1, shell)]
    tip = shell[0]
    pieces = []
    for ring in rings:
        for a, b in pairwise([*ring, ring[0]]):
            turn = side(tip, a, b)
            if turn:
                pieces.append((1, [tip, a, b]) if turn > 0 else (-1, [tip, b, a]))
    return pieces


def double_area(first: Ring, second: Ring) -> int:
    """Twice the area that two convex rings share, in 2**-64 of the square of the unit."""
    return edges_inside(first, second, along=True) + edges_inside(second, first, along=False)


def edges_inside(ring: Ring, other: Ring, along: bool) -> int:
    """What the edges of a convex ring that lie in another add to :func:`double_area`, seen from (0, 0).

    Edges that run along an edge of the other count if `along`, so that they count once.
    """
    total = 0
    lines = list(pairwise([*other, other[0]]))
    for p, q in pairwise([*ring, ring[0]]):
        start, end = (0, 1), (1, 1)  # the part of the edge that is inside, from and to, as fractions
        for a, b in lines:
            at_p, at_q = side(a, b, p), side(a, b, q)
            if at_p == at_q == 0:
                opposite = (q[0] - p[0]) * (b[0] - a[0]) + (q[1] - p[1]) * (b[1] - a[1]) < 0
                if opposite or not along:
                    break
            elif at_p <= 0 and at_q <= 0:
                break
            elif at_p < 0:  # comes in
                if at_p * start[1] < start[0] * (at_p - at_q):
                    start = (-at_p, at_q - at_p)
            elif at_q < 0 and at_p * end[1] < end[0] * (at_p - at_q):  # goes out
                end = (at_p, at_p - at_q)
        else:
            inside = end[0] * start[1] - start[0] * end[1]
            if inside > 0:
                total += (inside * (p[0] * q[1] - p[1] * q[0]) << FINER) // (start[1] * end[1])
    return total


def side(a: Point, b: Point, p: Point) -> int:
    """Above 0 where p lies to the left of the line from a to b, below 0 to the right."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
