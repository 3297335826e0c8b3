"""Layers and frames of geopipe as GeoDataFrames, tables as DataFrames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from geopipe.picked import Picked
from geopipe.reports.layers import working_crs_wkt
from geopipe.schema import Frame, Geometries
from geopipe.shapes import Undecoded

if TYPE_CHECKING:
    import geopandas
    import pandas as pd


def geodataframe(table: Picked, geometry: Geometries | Undecoded, crs: str) -> geopandas.GeoDataFrame:
    """Return rows with their geometry, in a working CRS (any text that names one)."""
    import geopandas

    shapes = geometry.decoded() if isinstance(geometry, Undecoded) else geometry
    return geopandas.GeoDataFrame(table.whole().to_pandas(), geometry=shapes, crs=working_crs_wkt(crs))


def of_frame(frame: Frame, crs: str) -> geopandas.GeoDataFrame:
    """Return a frame as a GeoDataFrame."""
    return geodataframe(frame.table, frame.geometry, crs)


def dataframe(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> pd.DataFrame:
    """Return rows of plain values as a DataFrame; `columns` are needed where there may be no row."""
    import pandas as pd

    return pd.DataFrame(list(rows), columns=list(columns) or None)
