"""Small maps for notebooks: two records and the ground that they share, drawn as in the meeting pack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import shapely

from geopipe.outputs.pack.casemap import CaseMap, MapRecord, as_svg
from geopipe.outputs.pack.mapframe import frame_of

if TYPE_CHECKING:
    import geopandas


@dataclass(frozen=True)
class SmallMap:
    """A map as SVG with its caption: A has a black line, B a blue dashed one; what both cover is hatched."""

    caption: str
    svg: str

    def _repr_html_(self) -> str:
        """Return the picture that a notebook shows, above its caption."""
        caption = f"<figcaption>{escape(self.caption)}</figcaption>"
        return f"<figure style='margin:6px;width:105mm'>{self.svg}{caption}</figure>"


@dataclass(frozen=True)
class SmallMaps:
    """Several maps; a notebook shows them beside each other."""

    maps: tuple[SmallMap, ...]

    def _repr_html_(self) -> str:
        shown = "".join(item._repr_html_() for item in self.maps)
        return f"<div style='display:flex;flex-wrap:wrap'>{shown}</div>"


def draw(
    caption: str, kinds: Sequence[str], grounds: Sequence[shapely.Geometry], shared: shapely.Geometry,
    neighbours: Iterable[MapRecord], working_crs: str,
) -> SmallMap:  # fmt: skip
    """Return the map of records A and B (kinds and polygons) and their shared ground (working CRS, m)."""
    a, b = (MapRecord(kind, ground) for kind, ground in zip(kinds, grounds, strict=True))
    frame = frame_of(a.ground, b.ground, shared, working_crs)
    seen = tuple(item for item in neighbours if shapely.intersects(item.ground, frame.window))
    return SmallMap(caption, as_svg(CaseMap(frame, a, b, shared, seen)))


def of_overlaps(
    overlaps: geopandas.GeoDataFrame, areas: geopandas.GeoDataFrame, working_crs: str
) -> SmallMaps:
    """Return a map for each row of some overlaps, with the other areas nearby."""
    by_id = areas.set_index("row_id")
    drawn = []
    for row in overlaps.itertuples():
        ends = [row.left_row_id, row.right_row_id]
        sides = by_id.loc[ends]
        other = by_id.drop(index=ends)
        near = other.iloc[other.sindex.query(shapely.box(*sides.total_bounds).buffer(200))]
        neighbours = [MapRecord(kind, ground) for kind, ground in zip(near.kind, near.geometry, strict=True)]
        caption = f"A {_name(sides.iloc[0])}, B {_name(sides.iloc[1])}: {row.area_m2:,.1f} m2"
        drawn.append(draw(caption, sides.kind, sides.geometry, row.geometry, neighbours, working_crs))
    return SmallMaps(tuple(drawn))


def _name(record: Any) -> str:
    return f"{record.operator} {record.source_id or record.record_id} ({record.kind})"
