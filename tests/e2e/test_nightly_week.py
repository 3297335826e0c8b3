"""A week of whole registers through the inbox, with faults: each record is accounted for, each fault told."""

import datetime as dt
import json
import shutil

import pytest
from nightly_fixtures import CRS, Clock

from geopipe.config import load_config
from geopipe.demo.nights import make_night_demo
from geopipe.io.ledgers.registerfile import NAME
from geopipe.nightly.night import run_night
from geopipe.register.register import Register

FOLDERS = {"UXO_Lao": "uxo-lao", "MAG": "mag", "NPA": "npa", "HALO": "halo", "Unit_58": "unit58"}
TEXT = """\
working_crs: "{crs}"
nightly:
  inbox: inbox
  keep_days: 2
  operators: {{{operators}}}
"""


def half_copied(box):
    (box / "npa" / "NPA_CHA.geojson").rename(box / "npa" / "NPA_CHA.geojson.filepart")


def corrupted(box):
    (box / "npa" / "NPA_CHA.geojson.filepart").unlink(missing_ok=True)
    (box / "halo" / "HALO_more.zip").write_bytes(b"PK\x03\x04 and then nothing")


def nobody_knows_whose(box):
    (box / "magg").mkdir()
    (box / "magg" / "areas.geojson").write_text("{}", encoding="utf-8")


def one_operator_sends_nothing(box):
    shutil.rmtree(box / "magg", ignore_errors=True)
    for path in (box / "uxo-lao").iterdir():
        path.unlink()


FAULTS = {
    2: (half_copied, "NPA_CHA.geojson.filepart (npa): its name is that of an unfinished copy"),
    3: (corrupted, "HALO_more.zip: the archive is damaged"),
    4: (nobody_knows_whose, "folder magg (1 file) is not in the configuration"),
    5: (one_operator_sends_nothing, "geopipe, night"),
    6: (one_operator_sends_nothing, "UXO Lao: overdue, last on 2026-01-04"),
}


@pytest.mark.slow
def test_a_week_of_nights_with_faults(tmp_path):
    truth = make_night_demo(tmp_path / "nights", nights=7, size=300)
    operators = ", ".join(
        f"{folder}: {{operator: {name.replace('_', ' ')}, mode: snapshot, every_days: 1}}"
        for name, folder in FOLDERS.items()
    )
    (tmp_path / "nightly.yaml").write_text(TEXT.format(crs=CRS, operators=operators), encoding="utf-8")
    box = tmp_path / "inbox"
    for folder in FOLDERS.values():
        (box / folder).mkdir(parents=True)
    config, clock, cases = load_config(tmp_path / "nightly.yaml"), Clock(), set()
    for night in truth["nights"]:
        day = dt.date.fromisoformat(night["day"])
        clock.now = dt.datetime.combine(day, dt.time(1), dt.UTC)
        for path in (tmp_path / "nights" / night["folder"]).glob("*.g*"):
            name = next(name for name in FOLDERS if path.name.startswith(name))
            shutil.copy(path, box / FOLDERS[name] / path.name)
        fault, sentence = FAULTS.get(night["night"], (lambda _: None, "geopipe, night"))
        fault(box)
        told = run_night(config.model_copy(update={"today": day}), clock=clock, pause=clock.pause)
        text = " ".join((tmp_path / "out" / "digest.txt").read_text(encoding="utf-8").split())
        assert sentence in text, night["night"]
        # Every record that was read is somewhere, and no case is ever forgotten.
        balance = told.result.summary["balance"]
        assert balance["records_in"] == sum(value for name, value in balance.items() if name != "records_in")
        with Register.existing(tmp_path / "work" / NAME) as register:
            known = {case.case_id for case in register.cases()}
        assert cases <= known
        cases = known
    manifests = [json.loads(path.read_text()) for path in (tmp_path / "out" / "nights").glob("*/run.json")]
    assert [item["sequence"] for item in sorted(manifests, key=lambda item: item["sequence"])] == [
        *range(1, 8)
    ]
    runs = list((tmp_path / "out" / "runs").glob("run-*"))
    assert len(runs) <= 4  # two days, the current one, and the one before
    clock.now += dt.timedelta(days=1)
    before = (tmp_path / "out" / "CURRENT").read_text(encoding="utf-8")
    told = run_night(config.model_copy(update={"today": clock.now.date()}), clock=clock, pause=clock.pause)
    assert "Nothing new came" in told.digest.headline
    assert (tmp_path / "out" / "CURRENT").read_text(encoding="utf-8") == before
