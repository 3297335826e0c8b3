"""The library face: what notebooks and scripts use. GeoDataFrames in and out, nothing changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import shapely

from geopipe.config import Config, DeliveryOptions, DeliverySpec, load_vocabulary
from geopipe.errors import ConfigError
from geopipe.io.delivery import RawDelivery, RawLayer
from geopipe.pipeline import read_deliveries
from geopipe.policies import load_policy
from geopipe.reports.layers import published_layers, working_crs_wkt
from geopipe.reports.screen import first_screen
from geopipe.reports.summary import summarise
from geopipe.schema import Delivery, State
from geopipe.stages.ingest import ingest
from geopipe.steps import STEPS, advance
from geopipe.terms import CountMethod

if TYPE_CHECKING:
    import geopandas


@dataclass(frozen=True)
class Records:
    """Delivered records with their ids, not yet judged or moved."""

    state: State

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """The files that were read, with problems and assumptions."""
        return self.state.deliveries

    def __len__(self) -> int:
        return len(self.state.features)


@dataclass(frozen=True)
class Comparison:
    """What a comparison found."""

    state: State
    summary: dict[str, Any]

    def layer(self, name: str) -> geopandas.GeoDataFrame:
        """Return a published layer (`areas`, `overlaps`, `findings`, ...) in the working CRS (m, m2)."""
        import geopandas

        (layer,) = published_layers(self.state, [name])
        frame = layer.table.whole().to_pandas()
        return geopandas.GeoDataFrame(frame, geometry=layer.geometry, crs=self.working_crs)

    @property
    def working_crs(self) -> str:
        """The equal-area CRS of all geometries, as WKT."""
        return working_crs_wkt(self.state.working_crs)

    @cached_property
    def overlaps(self) -> geopandas.GeoDataFrame:
        """One row per pair of areas that share ground, with the shared ground as geometry."""
        return self.layer("overlaps")

    @cached_property
    def areas(self) -> geopandas.GeoDataFrame:
        """The records that were compared."""
        return self.layer("areas")

    def __str__(self) -> str:
        return first_screen(self.summary, [])


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
    attributes = frame.drop(columns=frame.geometry.name)
    table = pa.Table.from_pandas(attributes, preserve_index=False).replace_schema_metadata(None)
    wkb = pa.array(shapely.to_wkb(frame.geometry.to_numpy(), flavor="iso"), pa.binary())
    table = table.append_column("row", pa.array(range(1, len(frame) + 1), pa.int64()))
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
    columns = set(attributes.columns)
    said: dict[str, Any] = {
        ("operator_field" if operator in columns else "operator"): operator,
        ("kind_field" if kind in columns else "kind"): kind,
        "id_field": id,
    }
    return Records(ingest([(raw, DeliveryOptions(**said))], load_vocabulary()))


def compare(*records: Records, policy: Path | None = None, working_crs: str | None = None) -> Comparison:
    """Compare records: every stage from validation to overlaps, in memory, nothing written.

    Parameters
    ----------
    *records : Records
        As :func:`read` and :func:`from_geodataframe` return them.
    policy : Path, optional
        A policy file; None is the default one, without any tolerance in force.
    working_crs : str, optional
        An equal-area CRS; None chooses one from the data.

    Returns
    -------
    Comparison
    """
    config = Config(deliveries=(DeliverySpec(path=Path()),), working_crs=working_crs)
    loaded = load_policy(policy)
    state = _together([item.state for item in records])
    for stage in STEPS:
        state = advance(state, stage, config, loaded)
    return Comparison(state, summarise(state, loaded))


def _together(states: Sequence[State]) -> State:
    """Join what several reads have brought."""
    joined = State(deliveries=tuple(delivery for state in states for delivery in state.deliveries))
    for name in ("features", "rejected", "findings"):
        joined = joined.adding(**{name: [getattr(state, name) for state in states]})
    return joined
