"""Write plots as files: SVG for pages and screens, PNG for slides and letters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geopipe.io.whole import write_whole
from geopipe.languages.texts import Texts
from geopipe.outputs.plots.drawing import Drawing
from geopipe.outputs.plots.make import drawings
from geopipe.outputs.plots.material import Material
from geopipe.outputs.plots.typesetting import as_pngs, as_svgs

SVG, PNG = "svg", "png"
FORMATS = (SVG, PNG)


def write_plots(
    material: Material, texts: Texts, folder: Path, formats: Sequence[str] = (SVG,)
) -> list[tuple[Drawing, list[Path]]]:
    """Write the plots of a run; return each with its files, which bear the name of their language.

    Raises
    ------
    ConfigError
        When typst is not installed.
    OutputError
        When a file cannot be written.
    """
    drawn, lang = drawings(material, texts), texts.codes[0]
    made: dict[str, list[bytes]] = {}
    if SVG in formats:
        made[SVG] = [svg.encode() for svg in as_svgs(drawn, lang)]
    if PNG in formats:
        made[PNG] = as_pngs(drawn, lang)
    languages = "-".join(texts.codes)
    return [
        (item, [_write(folder / f"{item.name}-{languages}.{kind}", contents[at], material)
                for kind, contents in made.items()])
        for at, item in enumerate(drawn)
    ]  # fmt: skip


def _write(path: Path, content: bytes, material: Material) -> Path:
    return write_whole(
        path, lambda place: place.write_bytes(content), is_confidential=material.operator is not None
    )
