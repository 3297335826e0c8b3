"""Make the pictures of the README from a fresh demo: `make pictures`.

Needs what `make install` installs, and for the pages and the workbook `chromium` and `soffice`: where one of them is
missing, its pictures stay as they are and a sentence says so.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pypdfium2
import typst
from numpy.typing import NDArray

import geopipe
from geopipe.outputs.plots.make import Chart

HERE = Path(__file__).parent
COLOURS = 48
MARGIN = 8
RUN = """\
deliveries:
  - {path: demo, assume_crs: "EPSG:32648"}
workspace: work
output: out
today: 2026-03-02
"""
NIGHTLY = """\
nightly:
  inbox: inbox
  settle_seconds: 0
  operators:
    UXO Lao: {operator: UXO Lao}
    MAG: {operator: MAG}
workspace: work
output: out
"""
CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--virtual-time-budget=9000",
]  # fmt: skip


def main() -> None:
    """Make a demo, run it, and draw what people get."""
    with tempfile.TemporaryDirectory(prefix="geopipe-pictures-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        command(folder, "demo", "demo", "--quiet")
        (folder / "run.yaml").write_text(RUN, encoding="utf-8")
        published = geopipe.run(folder / "run.yaml")
        overlap(published)
        plot(folder, next(chart for chart in published.plots() if chart.name == "overlaps"))
        case_page(folder)
        workbook(folder)
        page(folder)
        digest(folder)


def command(folder: Path, *words: str) -> None:
    """Run a command of geopipe in a folder; an exit code of 4 says that a file was left out, as it should."""
    done = subprocess.run(
        [Path(sys.executable).with_name("geopipe"), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 4):
        sys.exit(f"geopipe {' '.join(words)}: {done.stderr}")


def overlap(published: geopipe.Published) -> None:
    """Draw the largest overlap of two operators."""
    register = geopipe.Register.open(published.workspace)
    cases = register.cases
    conflict = cases[(cases.finding == "double_registration") & (cases.relation == "partial")].iloc[0]
    drawn = register.case(conflict.number).map
    (HERE / "overlap.svg").write_text(drawn.svg + "\n", encoding="utf-8", newline="\n")
    print("overlap.svg:", drawn.caption)


def plot(folder: Path, chart: Chart) -> None:
    """Draw a plot."""
    (folder / "chart.svg").write_text(chart.svg, encoding="utf-8")
    save("plot.png", rasterised(as_pdf(folder, "chart.svg", 510), 0, 720))


def case_page(folder: Path) -> None:
    """Draw the page of the first case to be discussed."""
    command(folder, "pack", "out", "-w", "work", "--minutes-of-meeting", "120", "--meeting", "TWG 4/2026",
            "-o", "pack.pdf")  # fmt: skip
    with pypdfium2.PdfDocument(folder / "pack.pdf") as pdf:
        texts = [page.get_textpage().get_text_range() for page in pdf]
    number = next(n for n, text in enumerate(texts) if "alarm ·" in text)
    save("case.png", rasterised(folder / "pack.pdf", number, 620))


def workbook(folder: Path) -> None:
    """Draw the first sheet of the workbook."""
    command(folder, "workbook", "out", "-w", "work", "-o", "twg.xlsx")
    if office := tool("soffice", "workbook.png"):
        profile = f"-env:UserInstallation={(folder / 'office').as_uri()}"
        convert = [office, profile, "--headless", "--convert-to", "pdf", "twg.xlsx"]
        subprocess.run(convert, cwd=folder, check=True, capture_output=True)
        sheet = rasterised(folder / "twg.pdf", 0, 760)
        save("workbook.png", sheet[: len(sheet) * 4 // 5])  # above the foot


def page(folder: Path) -> None:
    """Draw the top of the HTML report."""
    command(folder, "page", "out", "-w", "work", "-o", "report.html")
    screenshot(folder, "report.html", "page.png", (1180, 1330))


def digest(folder: Path) -> None:
    """Draw the digest of a night on which two operators have delivered."""
    inbox = folder / "night" / "inbox"
    for operator in ("UXO Lao", "MAG"):
        (inbox / operator).mkdir(parents=True)
        for path in (folder / "demo").glob(f"{operator.replace(' ', '_')}_*"):
            shutil.copy(path, inbox / operator)
    (folder / "night" / "nightly.yaml").write_text(NIGHTLY, encoding="utf-8")
    command(folder / "night", "run", "nightly.yaml", "--nightly", "--quiet")
    screenshot(folder / "night", "out/digest.html", "digest.png", (1000, 715))  # above its paths


def screenshot(folder: Path, html: str, name: str, window: tuple[int, int]) -> None:
    """Draw the top of a page as a browser shows it."""
    if browser := tool("chromium", name):
        words = [f"--user-data-dir={folder / 'browser'}", f"--window-size={window[0]},{window[1]}"]
        place = [f"--screenshot={folder / 'shot.png'}", (folder / html).as_uri()]
        subprocess.run([browser, *CHROMIUM, *words, *place], check=True, capture_output=True)
        save(name, rasterised(as_pdf(folder, "shot.png", window[0]), 0, 760))


def tool(name: str, picture: str) -> str | None:
    """Return the path of a program; say which picture stays as it is where there is none."""
    found = shutil.which(name)
    if found is None:
        print(f"{picture} stays as it is: there is no {name} here", file=sys.stderr)
    return found


def as_pdf(folder: Path, name: str, width_pt: float) -> Path:
    """Return a picture as the only page of a PDF."""
    text = f'#set page(width: {width_pt}pt, height: auto, margin: 0pt)\n#image("{name}", width: 100%)'
    (folder / "picture.typ").write_text(text, encoding="utf-8")
    typst.compile(str(folder / "picture.typ"), output=str(folder / "picture.pdf"))
    return folder / "picture.pdf"


def rasterised(pdf: Path, number: int, width: int) -> NDArray[np.uint8]:
    """Return a page as pixels (rows, columns, RGB)."""
    with pypdfium2.PdfDocument(pdf) as document:
        sheet = document[number]
        return np.array(
            sheet.render(scale=width / sheet.get_width(), rev_byteorder=True).to_numpy()[:, :, :3]
        )


def save(name: str, pixels: NDArray[np.uint8]) -> None:
    """Write pixels, without their white margins, as a PNG of few colours."""
    inked = (pixels < 250).any(axis=2)
    sides = [np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0)]
    pixels = pixels[tuple(slice(max(side[0] - MARGIN, 0), side[-1] + MARGIN) for side in sides)]
    rows, columns, _ = pixels.shape
    coarse = pixels.reshape(-1, 3).astype(np.int64) >> 3
    keys, which, counts = np.unique(coarse @ (1024, 32, 1), return_inverse=True, return_counts=True)
    means = np.column_stack([np.bincount(which, pixels.reshape(-1, 3)[:, n]) / counts for n in range(3)])
    kept = chosen(means, counts)
    nearest = ((means[:, None, :] - means[kept][None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
    indices = nearest[which].astype(np.uint8).reshape(rows, columns)
    lines = np.column_stack([np.zeros(rows, np.uint8), indices]).tobytes()  # no filter: best for few colours
    palette = np.rint(means[kept]).astype(np.uint8).tobytes()
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", header),
            (b"PLTE", palette),
            (b"IDAT", zlib.compress(lines, 9)),
            (b"IEND", b""),
        )
    )
    (HERE / name).write_bytes(content)
    print(f"{name}: {columns} x {rows}, {len(content) / 1000:.0f} KB, from {len(keys)} colours")


def chosen(means: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which colours to keep, so that a rare one that is like no other is kept, too."""
    kept = [int(counts.argmax())]
    apart = ((means - means[kept[0]]) ** 2).sum(axis=1)
    while len(kept) < min(COLOURS, len(means)):
        kept.append(int((apart * np.sqrt(counts)).argmax()))
        apart = np.minimum(apart, ((means - means[kept[-1]]) ** 2).sum(axis=1))
    return np.array(kept)


if __name__ == "__main__":
    main()
