"""The day of a run is the day of the people who read it."""

import subprocess
import sys

import pytest

_SCRIPT = """
import datetime as dt
from geopipe.periods import day_here
print(day_here(dt.datetime(2026, 5, 3, 18, 30, tzinfo=dt.UTC)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not take its time zone from TZ")
@pytest.mark.parametrize(("zone", "day"), [("LAO-7", "2026-05-04"), ("UTC0", "2026-05-03")])
def test_a_night_run_in_laos_is_of_the_day_that_dawns_there(zone, day):
    environment = {"TZ": zone, "PATH": "", "PYTHONPATH": ":".join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, check=True)
    assert ran.stdout.decode().strip() == day
