"""Three operators with what none of the others may know: people, far ends, neighbours, finds, answers."""

import datetime as dt
import struct

import numpy as np
import shapely
from conftest import call, write_geojson

from geopipe.casework.proposal import propose
from geopipe.casework.rules import policy_in_force
from geopipe.register.desk import Desk
from geopipe.register.papers import keep_paper
from geopipe.register.register import Register
from geopipe.terms import Answer, Choice

AT = dt.datetime(2026, 5, 2, 9, tzinfo=dt.UTC)
WEST, SOUTH, PER_DEGREE = 103.2, 19.4, 111_000.0
PEOPLE = {
    "surveyor": "Somchai-Surveyor", "team_leader": "Vilayphone-Leader", "donor": "Donor-of-Oslo",
    "phone": "020-5551234", "remarks": "free words of a person", "user": "jsmith-login",
    "photo": "C:\\Users\\jsmith\\mine.jpg",
}  # fmt: skip
# What no file for MAG may hold. Partners of MAG are U-1 (overlaps with M-1) and H-1 (with M-3).
SECRETS = (
    *PEOPLE.values(), "jsmith", "U-FAR", "U-NEIGHBOUR", "H-NEIGHBOUR", "U-FIND", "U-BROKEN", "H-BROKEN",
    "H-SECOND", "U-SECOND", "UXO secret answer", "HALO secret answer", "Ms-of-UXO", "Ms-of-HALO",
    "Kham-Responsible", "internal note of the board", "SHAPE_REUSED", "UXO_Lao_CHA", "UXO_Lao_points",
    "HALO_clearance", "Sender-Folder", "Bounmy-Author",
)  # fmt: skip
# One drawn shape that stands at two places: a question for the authority only.
STAMP = [(0, 0), (0.003, 0), (0.003, 0.001), (0.0017, 0.0012), (0.0011, 0.0027), (0, 0.0023)]


def box(east_m, north_m, width_m, height_m):
    """A rectangle in lon/lat, about so many metres east and north of a corner."""
    x, y = WEST + east_m / PER_DEGREE, SOUTH + north_m / PER_DEGREE
    return shapely.box(x, y, x + width_m / PER_DEGREE, y + height_m / PER_DEGREE)


def stamp(west, south):
    return shapely.Polygon([(west + east, south + north) for east, north in STAMP])


def deliveries():
    """Each file with its records; every record carries people."""
    cha, cleared = {"type": "CHA", "status": "Open", **PEOPLE}, {"type": "Cleared", **PEOPLE}
    days = {"survey_date": "2021-01-05"}
    return {
        "MAG_CHA": [
            ({"hazard_id": "M-1", "survey_date": "2019-01-05", **cha}, box(0, 0, 300, 200)),
            ({"hazard_id": "M-2", "survey_date": "2019-01-05", **cha}, box(0, 5000, 300, 200)),
            ({"hazard_id": "S-1", **days, **cha}, stamp(103.25, 19.5)),
            ({"hazard_id": "S-2", **days, **cha}, stamp(103.26, 19.5)),
            ({"hazard_id": "M-BROKEN", **days, **cha}, None),
            # Its partner's outline is more than 100 m away from it.
            ({"hazard_id": "M-DEEP", "survey_date": "2019-01-05", **cha}, box(900, 8900, 200, 200)),
        ],
        "MAG_clearance": [
            ({"clearance_id": "M-3", "completion_date": "2020-02-03", **cleared}, box(0, 1000, 300, 200)),
        ],
        "UXO_Lao_CHA": [
            ({"hazard_id": "U-BIG", "survey_date": "2019-03-05", **cha}, box(0, 8000, 2000, 2000)),
            ({"hazard_id": "U-1", **days, **cha}, box(250, 50, 1500, 100)),
            ({"hazard_id": "U-FAR", **days, **cha}, box(9000, 0, 300, 300)),
            ({"hazard_id": "U-NEIGHBOUR", **days, **cha}, box(-90, 0, 80, 200)),
            ({"hazard_id": "U-SECOND", **days, **cha}, box(4000, 1000, 200, 200)),
            ({"hazard_id": "U-BROKEN", **days, **cha}, None),
        ],
        "HALO_clearance": [
            ({"clearance_id": "H-1", "completion_date": "2022-02-03", **cleared}, box(280, 1000, 900, 100)),
            ({"clearance_id": "H-SECOND", "completion_date": "2020-02-03", **cleared},
             box(4100, 1000, 200, 200)),
            ({"clearance_id": "H-NEIGHBOUR", "completion_date": "2022-02-03", **cleared},
             box(1000, 50, 300, 300)),
            ({"clearance_id": "H-BROKEN", "completion_date": "2022-02-03", **cleared}, None),
        ],
        "UXO_Lao_points": [
            ({"point_id": "U-FIND", "point_type": "UXO found", "date_found": "2022-01-01", **PEOPLE},
             shapely.Point(WEST + 0.001, SOUTH + 1050 / PER_DEGREE)),
        ],
    }  # fmt: skip


def workspace_in(folder):
    """Run the deliveries once, let people answer and decide; return workspace and output."""
    for name, records in deliveries().items():
        write_geojson(folder / "Sender-Folder" / f"{name}.geojson", records)
    config = folder / "run.yaml"
    config.write_text(
        "deliveries: [{path: Sender-Folder}]\nworkspace: work\noutput: out\ntoday: 2026-05-01\n", "utf-8"
    )
    assert call("run", config, "--quiet").code in (0, 4)
    people_speak(folder / "work")
    return folder / "work", folder / "out"


def people_speak(workspace):
    """All but MAG answer; the case of M-1 is decided, with a note and a name."""
    with Register.existing(workspace) as register:
        policy, desk = policy_in_force(register), Desk(register, "Bounmy-Author", AT)
        for case in register.cases():
            proposal = propose(case, policy).choice
            for operator in dict.fromkeys(case.operators):
                desk.send(case, operator, dt.date(2026, 5, 20))
                if operator != "MAG":
                    short = operator.split()[0]
                    desk.position(case, operator, Answer.DISAGREE, f"Ms-of-{short}",
                                  comment=f"{short} secret answer", said_on=dt.date(2026, 5, 10),
                                  proposal=proposal)  # fmt: skip
        decided = next(c for c in register.cases() if set(c.operators) == {"MAG", "UXO Lao"})
        reference = keep_paper(register, "TWG 1/2026", dt.date(2026, 5, 1), "4", None, "Bounmy-Author", AT)
        Desk(register, "Bounmy-Author", AT + dt.timedelta(days=1)).decide(
            register.case(decided.name), Choice.B_CORRECTS, "TWG", policy, reference,
            responsible="Kham-Responsible", note="internal note of the board", due=dt.date(2026, 7, 1),
        )  # fmt: skip


def far_corners(moved):
    """Return the corners of partners that lie farther than 100 m from any overlap, as files hold them.

    Parameters
    ----------
    moved : callable
        Takes geometries in lon/lat to the working CRS (m).

    Returns
    -------
    set
        Eight bytes for files of numbers, nine decimals for files of text.
    """
    records = [record for records in deliveries().values() for record in records if record[1] is not None]
    own = [shape for about, shape in records if next(iter(about.values())).startswith(("M-", "S-"))]
    others = [shape for about, shape in records if not next(iter(about.values())).startswith(("M-", "S-"))]
    own_m, others_m = moved(own), moved(others)
    near = shapely.union_all([
        shapely.buffer(shared, 100.0) for mine in own_m for shared in shapely.intersection(mine, others_m)
        if shapely.area(shared) > 0
    ])  # fmt: skip
    secrets = set()
    for lonlat, metres in zip(others, others_m, strict=True):
        corners = zip(shapely.get_coordinates(lonlat), shapely.get_coordinates(metres), strict=True)
        for degrees, corner in corners:
            if shapely.distance(near, shapely.Point(corner)) > 0:
                # As GDAL writes numbers into GeoJSON: without the noughts at their end.
                secrets.add(", ".join(f"{value:.9f}".rstrip("0") for value in degrees))
                secrets.add(f"{degrees[0]:.9f},{degrees[1]:.9f}")
                secrets.update(struct.pack("<dd", *pair) for pair in (degrees, corner))
    return secrets


def as_array(shapes):
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return made
