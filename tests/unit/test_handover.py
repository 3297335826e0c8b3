"""A hazard that is wholly released, piece by piece, but still open, has an outdated status."""

import datetime as dt

import pytest
from make import POLICY, box, findings, hazard, judged, released, square

from geopipe.stages.handover import handover
from geopipe.stages.remaining import remaining

SURVEY, RELEASE = dt.date(2018, 1, 1), dt.date(2020, 1, 1)
WEST, EAST = box(0, 0, 50, 100), box(50, 0, 100, 100)


def told(*releases, status="open"):
    state = judged(
        hazard(square(), id="H", surveyed=SURVEY, status=status),
        *(released(ground, id=f"R{n}", completed=RELEASE) for n, ground in enumerate(releases)),
    )
    return [row["record_id"] for row in findings(handover(remaining(state), POLICY), "STATUS_NOT_UPDATED")]


def test_two_releases_that_cover_it_together_are_told():
    assert told(WEST, EAST) == ["MAG:hazard:H"]


def test_what_is_left_over_is_still_hazard():
    assert told(WEST, box(51, 0, 100, 100)) == []


def test_two_releases_of_the_same_half_do_not_cover_it():
    assert told(WEST, box(0, 0, 49, 100)) == []


@pytest.mark.parametrize("status", ["closed", "unknown"])
def test_only_a_hazard_that_is_said_to_be_open_is_told(status):
    assert told(WEST, EAST, status=status) == []


def test_one_release_that_covers_it_is_the_pairs_finding_alone():
    assert told(square(), WEST) == []
