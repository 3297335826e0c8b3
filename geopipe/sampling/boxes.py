"""Boxes inside an area: squares of a grid in the working CRS, cut to the ground that is the area's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geopipe.errors import ConfigError
from geopipe.geometry import overlaid
from geopipe.sampling.chance import Floats, draw_weighted
from geopipe.sampling.population import without_touches
from geopipe.schema import Geometries, Indices

_MOST_SQUARES = 4_000_000


@dataclass(frozen=True)
class Boxes:
    """Squares of the grid that meet an area, from north to south and from west to east.

    `column` and `row` count squares from the origin of the working CRS; `ground` is what of each square lies
    on the area (m).
    """

    column: NDArray[np.int64]
    row: NDArray[np.int64]
    ground: Geometries

    @property
    def ground_m2(self) -> Floats:
        """Ground (m2) in each box."""
        return np.asarray(shapely.area(self.ground), dtype=float)

    def take(self, rows: Indices) -> Boxes:
        """Return some of the boxes."""
        return Boxes(self.column[rows], self.row[rows], self.ground[rows])


def boxes_in(ground: shapely.Geometry, side_m: float) -> Boxes:
    """Return all squares of the grid that meet the ground of an area.

    Raises
    ------
    ConfigError
        When there would be millions of squares.
    """
    squares = np.unique(
        np.concatenate([_squares(part, side_m) for part in shapely.get_parts(ground)]), axis=0
    )
    row, column = -squares[:, 0], squares[:, 1]
    cells = shapely.box(column * side_m, row * side_m, (column + 1) * side_m, (row + 1) * side_m)
    cut = np.array([without_touches(overlaid(shapely.intersection, c, ground)) for c in cells], dtype=object)
    filled = ~shapely.is_empty(cut)
    return Boxes(column[filled], row[filled], cut[filled])


def draw_boxes(boxes: Boxes, count: int, seed: int, key: str) -> tuple[Boxes, Floats]:
    """Draw boxes so that every square metre of the area has the same chance; all if there are not more.

    A box of which only a corner lies on the area is drawn the more seldom.

    Returns
    -------
    boxes : Boxes
    probability : array of float
        The chance of each drawn box, once its area was drawn.
    """
    names = [f"{column}:{row}" for column, row in zip(boxes.column, boxes.row, strict=True)]
    rows, probability = draw_weighted(names, boxes.ground_m2, count, seed, f"boxes\n{key}")
    return boxes.take(rows), probability[rows]


def _squares(part: shapely.Polygon, side_m: float) -> NDArray[np.int64]:
    """Return the squares that meet one polygon as (minus row, column)."""
    west, south, east, north = np.floor(np.array(part.bounds) / side_m).astype(np.int64)
    if (east - west + 1) * (north - south + 1) > _MOST_SQUARES:
        raise ConfigError(
            f"an area of {part.area:,.0f} m2 would be cut into millions of boxes of {side_m:,.10g} m",
            remedy="Choose a larger --box-size-m.",
        )
    row, column = (grid.ravel() for grid in np.mgrid[south : north + 1, west : east + 1])
    shapely.prepare(part)
    meets = shapely.intersects(
        part, shapely.box(column * side_m, row * side_m, (column + 1) * side_m, (row + 1) * side_m)
    )
    return np.column_stack([-row[meets], column[meets]])
