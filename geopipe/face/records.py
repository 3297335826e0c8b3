"""Delivered records: read from files, or taken from a GeoDataFrame. Nothing is judged or changed in place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import shapely

from geopipe.config import Config, DeliveryOptions, DeliverySpec, load_vocabulary
from geopipe.errors import ConfigError
from geopipe.face.frames import dataframe
from geopipe.io.delivery import RawDelivery, RawLayer
from geopipe.pipeline import read_deliveries
from geopipe.schema import Delivery, State
from geopipe.stages.ingest import ingest
from geopipe.terms import CountMethod

if TYPE_CHECKING:
    import geopandas
    import pandas as pd


@dataclass(frozen=True)
class Records:
    """Delivered records with their ids, not yet judged or moved."""

    state: State

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """The files that were read, with problems and assumptions."""
        return self.state.deliveries

    @property
    def overview(self) -> pd.DataFrame:
        """One row per file: how many records it holds, how many were read, and what was assumed of it."""
        kept = (self.state.features, self.state.rejected)
        read_in, returned = (Counter(frame.table["file"].to_pylist()) for frame in kept)
        rows = [
            {
                "file": item.file,
                "format": item.driver,
                "records": item.records_in,
                "read": read_in[item.file],
                "returned": returned[item.file],
                "not_compared": " ".join(sentence for _, sentence in item.problems),
                "assumed": " ".join(item.assumptions),
            }
            for item in self.deliveries
        ]
        return dataframe(rows)

    def __len__(self) -> int:
        return len(self.state.features)


def read(*paths: str | Path, **options: Any) -> Records:
    """Read delivered files or folders.

    Parameters
    ----------
    *paths : str or Path
    **options
        What is known of them: `operator`, `operator_field`, `kind`, `kind_field`, `id_field`,
        `assume_crs`.

    Returns
    -------
    Records

    Examples
    --------
    >>> records = read("uxolao.shp", kind="cha")  # doctest: +SKIP
    """
    specs = tuple(DeliverySpec(path=Path(path), **options) for path in paths)
    return Records(read_deliveries(Config(deliveries=specs)))


def from_geodataframe(
    frame: geopandas.GeoDataFrame, *, operator: str, kind: str, id: str | None = None, name: str = "frame"
) -> Records:
    """Take the records of a GeoDataFrame.

    Parameters
    ----------
    frame : GeoDataFrame
        Not changed. Its CRS must be set.
    operator, kind : str
        A column of the frame, or one value for all its records.
    id : str, optional
        Column of the operator's own ids; None looks for a known name.
    name : str
        What the records' source is called on lists.

    Raises
    ------
    ConfigError
        When the frame has no CRS.
    """
    if frame.crs is None:
        raise ConfigError("the GeoDataFrame has no CRS", name, "Set it with frame.set_crs(...).")
    attributes = frame.drop(columns=frame.geometry.name).assign(row=range(1, len(frame) + 1))
    table = pa.Table.from_pandas(attributes, preserve_index=False).replace_schema_metadata(None)
    wkb = pa.array(shapely.to_wkb(frame.geometry.to_numpy(), flavor="iso"), pa.binary())
    layer = RawLayer(
        name=name,
        crs_wkt=frame.crs.to_wkt(),
        crs_name=str(frame.crs.name),
        geometry_type="Unknown",
        table=table.append_column("geometry", wkb),
        records_counted=len(frame),
        count_method=CountMethod.EXACT,
        notes=(),
        problem=None,
    )
    raw = RawDelivery(Path(name), "GeoDataFrame", name, (layer,), None, len(frame), CountMethod.EXACT)
    columns = set(attributes.columns) - {"row"}
    said: dict[str, Any] = {
        ("operator_field" if operator in columns else "operator"): operator,
        ("kind_field" if kind in columns else "kind"): kind,
        "id_field": id,
    }
    return Records(ingest([(raw, DeliveryOptions(**said))], load_vocabulary()))
