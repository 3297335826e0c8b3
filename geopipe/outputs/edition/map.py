"""The GeoPackage of one operator: its layers written anew from what is allowed, dressed for QGIS."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from geopipe.errors import ConfigError
from geopipe.io.geopackage import write_geopackage
from geopipe.io.whole import write_whole
from geopipe.outputs.edition.rows import OwnResult
from geopipe.outputs.qgis.contents import Contents
from geopipe.outputs.qgis.dress import FOR_QGIS, dress
from geopipe.reports.publish import GEOPACKAGE, current_run, read_summary
from geopipe.settings import did_you_mean
from geopipe.terms import Outcome

# What became of a record, and the layers in which it then stands.
_BECAME = {
    Outcome.KEPT: ("areas",), Outcome.KEPT_AS_REFERENCE: ("points", "lines"), Outcome.REJECTED: ("rejected",),
}  # fmt: skip


def write_map(result: Path, operator: str, path: Path) -> tuple[Path, dict[str, Any]]:
    """Write the GeoPackage of an operator.

    Parameters
    ----------
    result : Path
        Folder of results; its newest run is taken.
    operator : str
    path : Path
        An earlier file there is replaced.

    Returns
    -------
    tuple of Path and dict
        Where it is, and its summary, as far as a map needs it.

    Raises
    ------
    ConfigError
        When the result holds nothing of this operator.
    OutputError
        When it cannot be written.
    """
    run = current_run(result)
    told = read_summary(run)
    geopackage = run / next(iter(told["files"]), GEOPACKAGE)  # the map comes first
    with closing(sqlite3.connect(f"{geopackage.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        contents = Contents(connection)
        tables = {name: table.geometry_type for name, table in contents.tables.items()}
        crs_wkt = contents.crs_wkt
        _require(operator, contents)
    own = OwnResult(geopackage, tables, operator)
    summary = _own_summary(told, own)

    def write(place: Path) -> None:
        write_geopackage(place, own.layers(), crs_wkt)
        dress(place, summary, FOR_QGIS)

    final = write_whole(path, write, is_confidential=True)
    if final.name != path.name:
        dress(final, summary, FOR_QGIS)  # its project names the file
    return final, summary


def _require(operator: str, contents: Contents) -> None:
    named = {
        name
        for table in contents.tables.values()
        if "operator" in table.columns
        for (name,) in contents.distinct(table.name, "operator")
    }
    if operator not in named:
        known = tuple(sorted(name for name in named if name))
        raise ConfigError(f"this result holds nothing of {operator!r}{did_you_mean(operator, known)}")


def _own_summary(told: Mapping[str, Any], own: OwnResult) -> dict[str, Any]:
    """Return of a summary what the notice on a map says, for one operator."""
    files = own.own_files()
    balance = {outcome.value: sum(map(own.count, layers)) for outcome, layers in _BECAME.items()}
    deliveries = [
        {"file": files[file["file"]], "problems": file["problems"]}
        for file in told["deliveries"]
        if file["file"] in files
    ]
    return {
        "edition": own.operator,
        "balance": {**balance, "records_in": sum(balance.values()) + own.count("duplicates")},
        "deliveries": deliveries,
        "not_read": [file for file in told["not_read"] if file["operator"] == own.operator],
    }
