"""`geopipe figures`, as a technician types it."""

import datetime as dt
import json

import pytest
from conftest import call, square, write_geojson

from geopipe.io.ledgers.ledger import Ledger

HEAD = "operator,month,province,kind,ha"


@pytest.fixture
def workspace(tmp_path):
    """A run over two clearances of MAG, completed in March 2026."""
    places = [
        ({"clearance_id": f"C-{n}", "completion_date": "2026-03-0" + str(n)}, square(east_by=0.01 * n))
        for n in (1, 2)
    ]
    write_geojson(tmp_path / "MAG_clearance.geojson", places)
    text = "deliveries: [{path: MAG_clearance.geojson}]\nworkspace: work\noutput: out\n"
    (tmp_path / "run.yaml").write_text(text, encoding="utf-8")
    assert call("run", tmp_path / "run.yaml", "-q").code == 0
    return tmp_path / "work"


@pytest.fixture
def figures(tmp_path):
    def write(*lines):
        path = tmp_path / "figures.csv"
        path.write_text("\n".join((HEAD, *lines)), encoding="utf-8")
        return path

    return write


def drawn(workspace):
    """The line of what MAG drew: province code and hectares."""
    ran = call("figures", "compare", "-w", workspace, "--month", "2026-03", "--json")
    assert ran.code == 0, ran.err
    (line,) = json.loads(ran.out)["lines"]
    return line


def kept(workspace):
    with Ledger.existing(workspace) as ledger:
        return ledger.ask(
            "SELECT operator, month, area_ha, recorded_by FROM reported_figures ORDER BY number"
        )


def test_without_apply_nothing_is_written(workspace, figures):
    path = figures("MAG,2026-03,Xieng Khouang,CLEARED,5.5")
    ran = call("figures", "import", path, "-w", workspace, "--by", "Bounmy")
    assert ran.code == 0
    assert "NEW       line 2: MAG 2026-03 Xiengkhouang CLEARED: 5.50 ha" in ran.lines
    assert "--apply" in ran.lines[-1]
    assert kept(workspace) == []


def test_good_lines_are_taken_bad_ones_named_and_a_revision_shows_both(workspace, figures):
    first = figures("MAG,2026-03,Xieng Khouang,CLEARED,5.5", "MAG,2026-02,Xieng Khouang,CLEARED,20.436 ha")
    ran = call("figures", "import", first, "-w", workspace, "--by", "Bounmy", "--apply")
    assert ran.code == 4
    assert ran.first_line.startswith("REFUSED   line 3: '20.436 ha' could be")
    second = figures("MAG,2026-03,Xieng Khouang,CLEARED,6")
    ran = call("figures", "import", second, "-w", workspace, "--by", "Khamla", "--apply")
    assert ran.first_line == "REVISION  line 2: MAG 2026-03 Xiengkhouang CLEARED: 5.50 ha -> 6.00 ha"
    assert kept(workspace) == [("MAG", "2026-03", 5.5, "Bounmy"), ("MAG", "2026-03", 6.0, "Khamla")]
    told = json.loads(call("figures", "import", second, "-w", workspace, "--by", "Khamla", "--json").out)
    assert (told["applied"], told["new"], told["revisions"], told["known"]) == (False, [], [], 1)


def test_reported_hectares_stand_beside_those_of_the_polygons(workspace, figures):
    line = drawn(workspace)
    assert (line["outcome"], line["polygons"], line["kind"]) == ("figures not delivered", 2, "CLEARED")
    said = round(line["polygons_ha"], 2)
    place = line["province"]
    path = figures(
        f"MAG,2026-03,{place},CLEARED,{said}", "HALO,2026-03,,,nil", f"NPA,2026-02,{place},CHA,4.5"
    )
    call("figures", "import", path, "-w", workspace, "--by", "Bounmy", "--apply")
    ran = call("figures", "compare", "-w", workspace)
    ends = {tuple(line.split()[:2]): line.split("  ")[-1] for line in ran.lines[1:]}
    assert ends == {
        ("2026-02", "NPA"): "no polygons",
        ("2026-02", "HALO"): "figures not delivered",
        ("2026-02", "MAG"): "figures not delivered",
        ("2026-03", "MAG"): "agrees",
        ("2026-03", "HALO"): "nil report",
        ("2026-03", "NPA"): "figures not delivered",
    }


def test_a_nil_report_of_the_ledger_is_known(workspace):
    with Ledger.existing(workspace) as ledger:
        ledger.nil("MAG", "2026-Q1", "Bounmy", "", dt.datetime(2026, 4, 1, tzinfo=dt.UTC))
    assert drawn(workspace)["outcome"] == "nil report, but polygons"


def test_errors_are_sentences(workspace, figures, tmp_path):
    ran = call("figures", "compare", "-w", workspace)
    assert (ran.code, "nothing was reported yet" in ran.err) == (2, True)
    ran = call("figures", "compare", "-w", workspace, "--month", "2026-03", "--quarter", "2026-Q1")
    assert (ran.code, "not both" in ran.err) == (2, True)
    ran = call("figures", "import", tmp_path / "nowhere.csv", "-w", workspace, "--by", "B")
    assert (ran.code, "cannot be read" in ran.err) == (3, True)
    assert call("figures", "import", figures(), "-w", tmp_path / "other", "--by", "B").code == 6
