"""A nightly run on a desk: an inbox, a clock that is set by hand, deliveries of two operators."""

import datetime as dt
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from conftest import square, write_geojson

from geopipe.config import load_config
from geopipe.nightly.night import run_night

SETTLE = 60
CRS = "+proj=aea +lat_1=15 +lat_2=21 +lat_0=18 +lon_0=104 +x_0=500000 +y_0=2000000 +datum=WGS84 +units=m"
TEXT = """\
workspace: work
output: out
working_crs: "{crs}"
workers: 1
nightly:
  inbox: inbox
  settle_seconds: {settle}
  operators:
    mag: {{operator: MAG, kind: cha, mode: snapshot, every_days: 2}}
    uxo: {{operator: UXO Lao, kind: cha, mode: snapshot}}
{more}"""


@dataclass
class Clock:
    """Shows the time that it is told; waiting moves it on, and costs nothing."""

    now: dt.datetime = dt.datetime(2026, 1, 1, 1, 0, tzinfo=dt.UTC)
    waited: list = field(default_factory=list)
    while_waiting: object = None

    def __call__(self):
        return self.now

    def pause(self, seconds):
        self.waited.append(seconds)
        self.now += dt.timedelta(seconds=seconds)
        if self.while_waiting:
            self.while_waiting()


class Desk:
    """A configuration with its folders, and a clock."""

    def __init__(self, root: Path, more: str = "") -> None:
        self.root, self.clock = root, Clock()
        for name in ("mag", "uxo"):
            (root / "inbox" / name).mkdir(parents=True)
        (root / "nightly.yaml").write_text(TEXT.format(crs=CRS, settle=SETTLE, more=more), encoding="utf-8")

    @property
    def config(self):
        return load_config(self.root / "nightly.yaml").model_copy(update={"today": self.clock.now.date()})

    def night(self, days=1, **more):
        """Let a night happen, so many days after the one before."""
        if (self.root / "out" / "nights").exists():
            self.clock.now = (self.clock.now + dt.timedelta(days=days)).replace(hour=1, minute=0, second=0)
        return run_night(self.config, clock=self.clock, pause=self.clock.pause, **more)

    def put(self, folder, name, *shapes, start=0):
        """Drop a GeoJSON of squares (degrees east of the usual place) into a folder of the inbox."""
        records = [
            ({"hazard_id": f"{folder}-{start + n}"}, square(east_by=by)) for n, by in enumerate(shapes)
        ]
        return write_geojson(self.root / "inbox" / folder / name, records)

    def lying(self):
        """What lies in the inbox, by relative path."""
        box = self.root / "inbox"
        return sorted(path.relative_to(box).as_posix() for path in box.rglob("*") if path.is_file())

    def received(self):
        """The names of what is filed."""
        files = (self.root / "work" / "received").glob("??/*/*")
        return sorted(path.name for path in files if not path.name.startswith("."))

    def runs(self):
        return sorted(path.name for path in (self.root / "out" / "runs").glob("run-*"))

    def digest(self):
        return (self.root / "out" / "digest.txt").read_text(encoding="utf-8")


def copied(desk, root):
    """A copy of a desk, with the clock where it was."""
    shutil.copytree(desk.root, root)
    other = object.__new__(Desk)
    other.root, other.clock = root, Clock(desk.clock.now)
    return other
