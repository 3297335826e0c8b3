"""A run with a register: three operators whose records say things that a spreadsheet must not believe."""

import zipfile

import python_calamine as calamine
import shapely
from conftest import call, square, write_geojson

FORMULA, SCRIPT, LAO, BACKWARDS = "=cmd()", "<script>alert(1)</script>", "ພື້ນທີ່-໑", "\u202eM-5\x07"
MAG_IDS = ("M-1", FORMULA, SCRIPT, LAO, BACKWARDS, "+1+1", "@SUM(A1)")
SECRET, LONG_NOTE = "Somsak Team-Leader", "ບັນທຶກ =1+1 " * 1000

BOW_TIE = {
    "type": "Polygon",
    "coordinates": [[[103.2, 19.5], [103.201, 19.501], [103.201, 19.5], [103.2, 19.501], [103.2, 19.5]]],
}


# One drawn shape that stands at two places: a question for the authority only.
STAMP = [(0, 0), (0.003, 0), (0.003, 0.001), (0.0017, 0.0012), (0.0011, 0.0027), (0, 0.0023)]


def stamp(west, south):
    """Return the stamp, with its corner at a place."""
    return shapely.Polygon([(west + east, south + north) for east, north in STAMP])


def record(source_id, shape, **more):
    people = {"surveyor": SECRET, "remarks": LONG_NOTE, "province": "Savannakhet"}
    return {"hazard_id": source_id, "survey_date": "2020-05-17", **people, **more}, shape


def workspace_in(folder):
    """Run three deliveries once; return the folder with `work` and `out`."""
    mag = [record(name, square(105.0 + 0.01 * n, 16.5)) for n, name in enumerate(MAG_IDS)]
    mag += [record("S-1", stamp(105.2, 16.5)), record("S-2", stamp(105.3, 16.5))]
    mag += [record("\u202e=BROKEN()", None)]
    uxo = [record(f"U-{n}", square(105.001 + 0.01 * n, 16.5)) for n in range(len(MAG_IDS))]
    uxo += [record("U-FOREIGN", square(105.5, 16.5))]
    halo = [record("H-FOREIGN", square(105.501, 16.5)), record("H-BROKEN", None), record("H-TIE", BOW_TIE)]
    for name, records in (("MAG", mag), ("UXO_Lao", uxo), ("HALO", halo)):
        write_geojson(folder / "in" / f"{name}_CHA.geojson", records)
    (folder / "run.yaml").write_text(
        "deliveries: [{path: in, period: 2026-Q1}]\nworkspace: work\noutput: out\ntoday: 2026-03-02\n",
        encoding="utf-8",
    )
    assert call("run", folder / "run.yaml").code in (0, 4)
    return folder


def rows_of(path, sheet):
    """Return the rows of a sheet as lists of plain cells."""
    with path.open("rb") as file:
        return calamine.CalamineWorkbook.from_filelike(file).get_sheet_by_name(sheet).to_python()


def table_of(path, sheet):
    """Return the rows below the headings as dicts, by the English heading."""
    head, *rows = rows_of(path, sheet)
    names = [str(cell).split("\n")[0] for cell in head]
    return [dict(zip(names, row, strict=True)) for row in rows]


def sheet_names(path):
    with path.open("rb") as file:
        return calamine.CalamineWorkbook.from_filelike(file).sheet_names


def unpacked(path):
    """Return the bytes of all parts of a workbook as one text."""
    with zipfile.ZipFile(path) as archive:
        return "\n".join(archive.read(name).decode("utf-8") for name in archive.namelist())
