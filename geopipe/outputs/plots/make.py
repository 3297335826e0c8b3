"""All plots of a run, as SVG with the words that go with each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from geopipe.languages.texts import Texts
from geopipe.outputs.plots import cases, findings, hectares, overlaps
from geopipe.outputs.plots.drawing import Drawing
from geopipe.outputs.plots.material import Material
from geopipe.outputs.plots.typesetting import as_svgs
from geopipe.outputs.plots.wording import foot


@dataclass(frozen=True)
class Chart:
    """A plot: `svg` is a whole SVG file; `alt` is one sentence for those who cannot see it."""

    name: str
    title: str
    alt: str
    svg: str

    def _repr_svg_(self) -> str:
        """Return the picture that a notebook shows."""
        return self.svg


NEED_REGISTER = ("cases", "findings")


def charts(material: Material, texts: Texts) -> list[Chart]:
    """Return the plots of a run; those about time only where there is a register.

    Raises
    ------
    ConfigError
        When typst is not installed.
    """
    drawn = drawings(material, texts)
    svgs = as_svgs(drawn, texts.codes[0])
    return [Chart(item.name, item.title, item.alt, svg) for item, svg in zip(drawn, svgs, strict=True)]


def drawings(material: Material, texts: Texts) -> Sequence[Drawing]:
    """Return what the plots of a run are made of; each says by itself until when its data are."""
    said = foot(material, texts)
    return [replace(item, foot=said) for item in without_foot(material, texts)]


def without_foot(material: Material, texts: Texts) -> list[Drawing]:
    """Return what the plots of a run are made of, for pages that say until when their data are."""
    drawn = [overlaps.draw(material, texts), hectares.draw(material, texts)]
    if material.cases is not None:
        drawn += [cases.draw(material, texts), findings.draw(material, texts)]
    return drawn
