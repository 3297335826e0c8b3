"""What all plots say alike: among how many records, until when, and in which colours."""

from __future__ import annotations

from collections.abc import Mapping

from geopipe.languages.texts import Texts
from geopipe.languages.words import SEVERITIES
from geopipe.outputs.pack.wording import shown
from geopipe.outputs.plots.drawing import INK, Key
from geopipe.outputs.plots.material import Material
from geopipe.reports.cutoff import cut_off
from geopipe.terms import Severity

_M2_PER_HA = 10_000.0
# As dark as they are grave, so that they stay apart in grey print; the hues are those of the map.
SEVERITY_FILLS: Mapping[Severity, str] = {
    Severity.ALARM: "#7A0177",
    Severity.CONFLICT: "#6F8FC4",
    Severity.CHECK: "#C5E3E6",
    Severity.NOTE: "#F2F2F2",
}


def severity_key(severity: Severity, texts: Texts) -> Key:
    """Return the colour of a severity and its name."""
    return Key(texts(SEVERITIES[severity]), SEVERITY_FILLS[severity], INK)


def foot(material: Material, texts: Texts) -> tuple[str, ...]:
    """Return what a plot says that stands alone: for whom it is, its data cut-off and run, the draft note."""
    edition = ""
    if material.operator is not None:
        edition = texts("Edition for {operator}: its own records and cases only.",
                        operator=shown(material.operator))  # fmt: skip
    until = cut_off(material.cut_off, material.run_day, texts)
    about = f"{texts('Data cut-off')}: {until}. {texts('Run')} {material.run}"
    return edition, about, texts.draft_note


def among(material: Material, texts: Texts) -> dict[str, str]:
    """Return how many records were kept, of how many, for a message."""
    return {"kept": texts.number(material.kept), "all": texts.number(material.records)}


def hectares(area_m2: float, texts: Texts) -> str:
    """Return hectares without the unit; decimals only where they say something."""
    area_ha = area_m2 / _M2_PER_HA
    if area_m2 == 0:
        return "0"
    # What is rounded up to the next power of ten has as many decimals as that.
    return texts.number(area_ha, 0 if area_ha >= 99.95 else 1 if area_ha >= 9.995 else 2)


def plain(value: float, texts: Texts) -> str:
    """Return a round value with as many decimals as it has."""
    decimals = len(f"{value:.6f}".rstrip("0").split(".")[1])
    return texts.number(value, decimals)
