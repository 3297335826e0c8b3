"""Comparing records in memory: areas, overlaps and findings as GeoDataFrames."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geopipe.config import Config, DeliverySpec
from geopipe.face.frames import dataframe, geodataframe
from geopipe.face.maps import SmallMaps, of_overlaps
from geopipe.face.published import Published
from geopipe.face.records import Records
from geopipe.outputs.plots.make import Chart
from geopipe.pipeline import finish
from geopipe.policies import load_policy
from geopipe.reports.layers import published_layers, working_crs_wkt
from geopipe.reports.screen import first_screen
from geopipe.reports.summary import summarise
from geopipe.schema import State
from geopipe.steps import STEPS, advance

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

    from geopipe.face.sensitivity import Sensitivity

# What plots call the run.
_IN_MEMORY = "in-memory"


@dataclass(frozen=True)
class Comparison:
    """What a comparison found. Printed, it is the first screen."""

    state: State
    summary: dict[str, Any]
    config: Config

    def layer(self, name: str) -> geopandas.GeoDataFrame | pd.DataFrame:
        """Return a published layer (`areas`, `overlaps`, `findings`, ...) in the working CRS (m, m2).

        `rejected` and `handover` are tables without geometry.
        """
        (layer,) = published_layers(self.state, [name])
        if layer.geometry is None:
            return layer.table.whole().to_pandas()
        return geodataframe(layer.table, layer.geometry, self.state.working_crs)

    @property
    def working_crs(self) -> str:
        """The equal-area CRS of all geometries, as WKT."""
        return working_crs_wkt(self.state.working_crs)

    @property
    def overview(self) -> pd.DataFrame:
        """One row per file: how its records ended (the sum is `records_in`), and why not all were used."""
        return dataframe(
            [
                {
                    "file": item["file"],
                    **item["balance"],
                    "not_compared": " ".join(problem["sentence"] for problem in item["problems"]),
                }
                for item in self.summary["deliveries"]
            ]
        )

    @cached_property
    def overlaps(self) -> geopandas.GeoDataFrame:
        """One row per pair of areas that share ground, with the shared ground as geometry."""
        return self.layer("overlaps")

    @cached_property
    def areas(self) -> geopandas.GeoDataFrame:
        """The records that were compared."""
        return self.layer("areas")

    def save(self, folder: str | Path) -> Published:
        """Write what `geopipe compare` writes: the GeoPackage for QGIS, the summary, files for the senders.

        Raises
        ------
        OutputError
            When the folder cannot be written.
        """
        finish(self.state, self.config, Path(folder), dt.datetime.now(dt.UTC))
        return Published(Path(folder))

    def sensitivity(self, policy: str | Path | None = None) -> Sensitivity:
        """Count the overlaps under limits of area and width: see :meth:`Published.sensitivity`."""
        with tempfile.TemporaryDirectory(prefix="geopipe-", ignore_cleanup_errors=True) as folder:
            return self.save(Path(folder) / _IN_MEMORY).sensitivity(policy or self.config.policy)

    def plots(self, lang: str = "en", operator: str | None = None) -> list[Chart]:
        """Draw overlaps by size and hectares by province: see :meth:`Published.plots`."""
        with tempfile.TemporaryDirectory(prefix="geopipe-", ignore_cleanup_errors=True) as folder:
            return self.save(Path(folder) / _IN_MEMORY).plots(lang, operator)

    def maps(self, overlaps: geopandas.GeoDataFrame) -> SmallMaps:
        """Draw some rows of `overlaps`, a small map each."""
        return of_overlaps(overlaps, self.areas, self.working_crs)

    def __str__(self) -> str:
        return first_screen(self.summary, [])


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
    config = Config(deliveries=(DeliverySpec(path=Path()),), working_crs=working_crs, policy=policy)
    loaded = load_policy(policy)
    state = _together([item.state for item in records])
    for stage in STEPS:
        state = advance(state, stage, config, loaded)
    return Comparison(state, summarise(state, loaded), config)


def find_overlaps(
    *records: Records, policy: Path | None = None, working_crs: str | None = None
) -> geopandas.GeoDataFrame:
    """Return the overlaps alone: one row per pair of areas, with the shared ground (m2, working CRS).

    Parameters are those of :func:`compare`.
    """
    return compare(*records, policy=policy, working_crs=working_crs).overlaps


def _together(states: Sequence[State]) -> State:
    """Join what several reads have brought."""
    joined = State(deliveries=tuple(delivery for state in states for delivery in state.deliveries))
    for name in ("features", "rejected", "findings"):
        joined = joined.adding(**{name: [getattr(state, name) for state in states]})
    return joined
