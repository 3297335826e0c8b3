"""A result in a folder: its layers, its plots, and what tolerances would make of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geopipe.config import load_config
from geopipe.face.frames import of_frame
from geopipe.face.sensitivity import Sensitivity
from geopipe.io.geopackage import read_layer, read_table
from geopipe.languages.texts import load_texts
from geopipe.outputs.plots.make import Chart, charts
from geopipe.outputs.plots.material import gather
from geopipe.periods import day_here
from geopipe.policies import load_policy, policy_path
from geopipe.reports.publish import current_run, read_summary
from geopipe.reports.screen import first_screen
from geopipe.reports.sensitivity.table import of_result
from geopipe.running import run_and_keep

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

_TABLES = ("rejected", "handover")


@dataclass(frozen=True)
class Published:
    """A finished result in a folder. Printed, it is the first screen.

    `folder` is that of `geopipe compare`, or of a run; `workspace` has the register, if there is one.
    """

    folder: Path
    workspace: Path | None = None

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The figures of the result as plain values (m2, m)."""
        return read_summary(self.folder)

    @property
    def geopackage(self) -> Path:
        """The map, which opens in QGIS."""
        return self.folder / str(next(iter(self.summary["files"])))

    def layer(self, name: str) -> geopandas.GeoDataFrame | pd.DataFrame:
        """Return a layer in the working CRS (m, m2); `rejected` and `handover` are tables.

        Raises
        ------
        OutputError
            When the result does not hold it.
        """
        if name in _TABLES:
            return read_table(self.geopackage, name).to_pandas()
        return of_frame(*read_layer(self.geopackage, name))

    def plots(self, lang: str = "en", operator: str | None = None) -> list[Chart]:
        """Draw overlaps by size and hectares by province; with a register also cases and errors over time.

        Parameters
        ----------
        lang : str
            `en`, `lo` (a draft) or `both`.
        operator : str, optional
            For an edition of one operator: its own records and cases only.

        Returns
        -------
        list of Chart
            With name, title, alt and svg; a notebook shows them as pictures.

        Raises
        ------
        ConfigError
            When typst is not installed, or nothing is known of the operator.
        """
        return charts(gather(self.folder, self.workspace, operator), load_texts(lang))

    def sensitivity(self, policy: str | Path | None = None) -> Sensitivity:
        """Count the overlaps under limits of area and width. This changes nothing.

        Parameters
        ----------
        policy : str or Path, optional
            Name of a ready policy, or a file; None is the default one, without any tolerance.
        """
        loaded = load_policy(policy_path(str(policy)) if policy else None)
        return Sensitivity(of_result(self.folder, loaded, day_here(dt.datetime.now(dt.UTC))))

    def __str__(self) -> str:
        return first_screen(self.summary, [str(self.geopackage)])


def open_result(folder: str | Path, workspace: str | Path | None = None) -> Published:
    """Open what `geopipe compare` or `geopipe run` has written.

    Parameters
    ----------
    folder : str or Path
        The result, or an output folder of which CURRENT names the newest run.
    workspace : str or Path, optional
        With the register of that run.

    Raises
    ------
    OutputError
        When the folder holds no finished result.
    """
    found = Published(current_run(Path(folder)), Path(workspace) if workspace else None)
    _ = found.summary
    return found


def run(config: str | Path) -> Published:
    """Do what `geopipe run CONFIG` does: every stage, the register, and a new run folder.

    Raises
    ------
    ConfigError
        When the configuration is not understood.
    """
    loaded = load_config(Path(config))
    run_and_keep(loaded)
    return open_result(loaded.output, loaded.workspace)
