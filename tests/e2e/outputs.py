"""Everything that geopipe writes for people, a line each: full disks and power cuts try them all.

What a command writes lies in the folder `made`; it is called in a folder with `run.yaml`, `work` and `out`.
"""

from conftest import UTM_48N, call, square, write_geojson
from test_reuse import write_inbox

from geopipe.register.register import Register

_FORMATS = ("geojson", "flatgeobuf", "geoparquet", "shapefile", "kml")
_MEETING = ("--meeting", "TWG 4/2026")
_PAGES = ("--minutes-of-meeting", "60", *_MEETING, "--held-on", "2026-05-05")
_SAMPLE = ("--count", "3", "--seed", "7")
_OFFICE = ("--office", "PSV", "--by", "Kham")

# What the command is called with. A new output is a line here.
OUTPUTS = {
    "compare": ("compare", "in", "-o", "made/compare", "--quiet"),
    "run": ("run", "run.yaml", "--quiet"),
    "workbook": ("workbook", "out", "-o", "made/book.xlsx"),
    "pack": ("pack", "out", "-o", "made/pack.pdf", *_PAGES),
    "page": ("page", "out", "-o", "made/report.html"),
    "plots": ("plots", "out", "-o", "made/plots", "--format", "svg,png"),
    "minutes": ("minutes", *_MEETING, "-o", "made/minutes"),
    **{f"convert {name}": ("convert", "out", "-o", f"made/{name}", "--format", name) for name in _FORMATS},
    "register backup": ("register", "backup", "work", "-o", "made/register.sqlite"),
    "register export": ("register", "export", "work", "-o", "made/archive"),
    "register checkout": ("register", "checkout", "work", "-o", "made/psv.sqlite", *_OFFICE),
    "cases export": ("cases", "export", "-o", "made/cases.xlsx"),
    "cases export gpkg": ("cases", "export", "-o", "made/cases.gpkg"),
    "returns": ("returns", "out", "-o", "made/returns"),
    "resolve": ("resolve", "work", "-o", "made/requests"),
    "changes": ("changes", "in", "earlier", "-o", "made/changes", "--snapshot"),
    "sample": ("sample", "draw", "out", "-o", "made/sample", *_SAMPLE),
    "feeds": ("feeds", "out", "-o", "made/exports"),
    "edition": ("edition", "out", "--operator", "MAG", "-o", "made/mag", "--format", "geojson"),
    "stats": ("stats", "out", "--csv", "made/hectares.csv"),
}  # fmt: skip
# They refuse what is there already.
ONLY_NEW = ("register backup", "register export", "register checkout", "resolve", "sample")


def make_ready(folder):
    """Make a folder with deliveries, a run, and decisions in its register; then other deliveries come."""
    _write_deliveries(folder)
    (folder / "in").rename(folder / "earlier")
    _write_deliveries(folder, changed=3)
    _configure(folder, "earlier")
    assert call("run", folder / "run.yaml", "--quiet").code == 0
    minutes = folder / "minutes.pdf"
    minutes.write_bytes(b"%PDF signed")
    with Register.existing(folder / "work") as register:
        numbers = [case.case_id for case in register.cases()]
    for number in numbers[:3]:
        decided = call(
            "cases", "decide", number, "-w", folder / "work", "--choice", "b_corrects", "--level", "TWG",
            *_MEETING, "--held-on", "2026-05-04", "--item", "1", "--minutes", minutes, "--by", "Bounmy",
            "--shrinks-hazard", "--grows-released",
        )  # fmt: skip
        assert decided.code == 0, decided.err
    _configure(folder, "in")
    (folder / "made").mkdir()
    return folder


def _write_deliveries(folder, changed=None):
    write_inbox(folder, changed)
    cleared = [
        ({"id": f"HALO-C{n}", "completion_date": "2024-03-01"}, square(105 + n / 100, side=0.001))
        for n in range(5)
    ]
    write_geojson(folder / "in" / "HALO_clearance.geojson", cleared)


def _configure(folder, deliveries):
    text = f"deliveries:\n  - path: {deliveries}\n    assume_crs: {UTM_48N}\nworkspace: work\noutput: out\n"
    (folder / "run.yaml").write_text(f"{text}workers: 1\ntoday: 2026-05-04\n", encoding="utf-8")
