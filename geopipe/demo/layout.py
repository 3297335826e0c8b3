"""Give every scene a cell of its own, so that nothing overlaps which was not planted.

Districts are cut into blocks of 2 km that follow the UTM kilometre grid. A block
belongs to scenes of about one size: k × k of them, each jittered within its cell.
Survey boxes take whole kilometre squares of blocks of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .places import BOXES, EQUAL_AREA_CRS, LON_LAT_CRS, PROVINCE_OF_BOX, PROVINCES, UTM_48N
from .rings import Flags, Floats, Ints, transform_xy

Rng = np.random.Generator

BLOCK_M = 2000.0
MOST_CELLS = 30
# Grid north of UTM 48N and of the equal-area CRS differ by up to half a degree.
USED_SHARE = 0.94
LARGEST_HALF_M = USED_SHARE * BLOCK_M / 2


@dataclass(frozen=True)
class Blocks:
    """Squares of 2 km inside the districts: lower-left corner in UTM 48N (m), and the box they lie in."""

    corner: Floats
    box: Ints


@dataclass(frozen=True)
class Layout:
    """Where each scene lies.

    Attributes
    ----------
    centre : ndarray, shape (scenes, 2)
        Centre of the scene in the equal-area CRS, m.
    box : ndarray, shape (scenes,)
        Row of `places.BOXES`.
    square : ndarray, shape (scenes, 2)
        Lower-left corner of the scene's cell in UTM 48N, m; for survey boxes the kilometre square.
    """

    centre: Floats
    box: Ints
    square: Floats


def find_blocks() -> Blocks:
    """Return all blocks that lie wholly inside the districts' boxes."""
    corners, boxes = [], []
    for row, box in enumerate(BOXES):
        lonlat = np.array([[x, y] for x in (box.west, box.east) for y in (box.south, box.north)])
        utm = transform_xy(lonlat, LON_LAT_CRS, UTM_48N)
        low = np.floor(utm.min(axis=0) / BLOCK_M)
        high = np.ceil(utm.max(axis=0) / BLOCK_M)
        east, north = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]), indexing="ij")
        corner = np.column_stack((east.ravel(), north.ravel())) * BLOCK_M
        fits = np.ones(len(corner), dtype=bool)
        for step in ((0, 0), (BLOCK_M, 0), (0, BLOCK_M), (BLOCK_M, BLOCK_M)):
            lon, lat = transform_xy(corner + np.array(step), UTM_48N, LON_LAT_CRS).T
            fits &= (lon >= box.west) & (lon <= box.east) & (lat >= box.south) & (lat <= box.north)
        corners.append(corner[fits])
        boxes.append(np.full(int(fits.sum()), row, dtype=np.int64))
    return Blocks(np.concatenate(corners), np.concatenate(boxes))


def cells_per_side(half_m: Floats) -> Ints:
    """Return how many cells stand side by side in the block of a scene with this half extent (m)."""
    fit = np.floor(USED_SHARE * BLOCK_M / 2 / np.maximum(half_m, 1e-6))
    return np.clip(fit, 1, MOST_CELLS).astype(np.int64)


def blocks_needed(half_m: Floats, on_grid: Flags, fill: float) -> int:
    """Return the number of blocks that these scenes take when `fill` of the cells are used."""
    sides, scenes = np.unique(cells_per_side(half_m[~on_grid]), return_counts=True)
    usable = np.maximum(1, np.floor(sides**2 * fill))
    return int(np.ceil(scenes / usable).sum()) + -(-int(on_grid.sum()) // 4)


def choose_fill(half_m: Floats, on_grid: Flags, available: int) -> float | None:
    """Return the sparsest filling for which the blocks suffice, None if none does."""
    for fill in (0.4, 0.6, 0.8, 1.0):
        if blocks_needed(half_m, on_grid, fill) <= available:
            return fill
    return None


def shrinking(half_m: Floats, on_grid: Flags, available: int) -> float:
    """Return the factor (1 or less) by which the shapes must shrink so that all scenes find a cell."""
    factor = 1.0
    while choose_fill(half_m * factor, on_grid, available) is None:
        factor *= 0.97
    return factor


def place(rng: Rng, half_m: Floats, on_grid: Flags, blocks: Blocks) -> Layout:
    """Give each scene its cell.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    half_m : ndarray, shape (scenes,)
        Half of the longer side of the scene's bounding box, m.
    on_grid : ndarray of bool, shape (scenes,)
        The scene is a survey box: one kilometre square.
    blocks : Blocks
        The ground.

    Raises
    ------
    ValueError
        If there is not enough ground: see `shrinking`.
    """
    fill = choose_fill(half_m, on_grid, len(blocks.box))
    if fill is None:
        raise ValueError("the scenes do not fit into the districts")
    queue = _order(rng, blocks)[: blocks_needed(half_m, on_grid, fill)]
    queue = rng.permutation(queue)
    side = np.where(on_grid, 2, cells_per_side(half_m))
    square = np.empty((len(half_m), 2))
    box = np.empty(len(half_m), dtype=np.int64)
    groups = [(2, np.flatnonzero(on_grid), 1.0)]
    groups += [(int(k), np.flatnonzero(~on_grid & (side == k)), fill) for k in np.unique(side[~on_grid])]
    used = 0
    for k, scenes, share in groups:
        usable = max(1, int(k * k * share))
        n_blocks = -(-len(scenes) // usable)
        taken = np.repeat(queue[used : used + n_blocks], usable)[: len(scenes)]
        used += n_blocks
        cells = rng.permuted(np.tile(np.arange(k * k), (n_blocks, 1)), axis=1)[:, :usable].ravel()
        cell = cells[: len(scenes)]
        scene = rng.permutation(scenes)
        square[scene] = blocks.corner[taken] + np.column_stack((cell % k, cell // k)) * (BLOCK_M / k)
        box[scene] = blocks.box[taken]
    half_cell = BLOCK_M / side / 2
    slack = np.where(on_grid, 0.0, np.maximum(0.0, 0.97 * half_cell - half_m))
    jitter = rng.uniform(-1, 1, square.shape) * slack[:, None]
    centre = transform_xy(square + half_cell[:, None] + jitter, UTM_48N, EQUAL_AREA_CRS)
    return Layout(centre, box, square)


def _order(rng: Rng, blocks: Blocks) -> Ints:
    """Return the blocks in a random order in which busy provinces come earlier."""
    busy = np.array([PROVINCES[PROVINCE_OF_BOX[row]].busy for row in range(len(BOXES))])[blocks.box]
    return np.argsort(-(rng.random(len(busy)) ** (1.0 / busy)), kind="stable")
