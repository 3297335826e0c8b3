"""Hazard that could only be drawn, and is delivered no longer, stays drawn until something explains it."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
import shapely
from make import LAOS, POLICY, area, hazard, placed, wkb_polygon

from geopipe.io.ledgers.ledger import Ledger
from geopipe.io.ledgers.received import received
from geopipe.lineages.still_drawn import key_of_drawn, let_go_with_areas, still_drawn, to_keep
from geopipe.reports.summary import summarise
from geopipe.schema import GIVEN_UP, UNRESOLVED, concat, empty_frame, make_frame

LINE = [(104.0, 18.0), (104.01, 18.01)]
TOLERANCE_M = 0.01


def two_points(id="D", ring=LINE, **more):
    """A hazard record of two points: it cannot be used, but it can be drawn."""
    return area(wkb_polygon(ring), more.pop("kind", "CHA"), id=id, **more)


def good(id="D", west=104.0, side=0.02, **more):
    return hazard(shapely.box(west, 18.0, west + side, 18.0 + side), id=id, **more)


ELSEWHERE = good("keeps", west=104.5)


def read(file, *records, mode="snapshot"):
    """A run that reads one file, whose bytes are called as it is."""
    state = placed(*(replace(record, file=file) for record in records), crs="EPSG:4326", working_crs=LAOS)
    deliveries = tuple(
        replace(item, content_hash=file, mode=mode, operator="MAG") for item in state.deliveries
    )
    named = {
        name: getattr(state, name).with_columns(
            {
                "role": "operator",
                "row_id": [f"{file}:{row}" for row in getattr(state, name).table["row"].to_pylist()],
            }
        )
        for name in ("features", "unresolved")
    }
    return replace(state, deliveries=deliveries, **named)


def together(*runs):
    """A run that reads several files."""
    names = ("features", "unresolved", "rejected", "findings")
    first, *others = runs
    files = tuple(item for run in runs for item in run.deliveries)
    return replace(first, deliveries=files).adding(
        **{name: [getattr(run, name) for run in others] for name in names}
    )


def after(before, now, **more):
    """What a run draws that comes after another one."""
    is_counted = before.unresolved.table["of_this_id"].null_count == 0
    counted = before if is_counted else still_drawn(before, TOLERANCE_M)
    previous = {"unresolved_before": to_keep(counted), "previous": before.features}
    return still_drawn(replace(now, **{**previous, **more}), TOLERANCE_M)


def alarms(state):
    return state.findings.take(state.findings.flags("severity", ["alarm"])).table["code"].to_pylist()


def codes(state):
    return [row["code"] for row in state.findings.table.to_pylist() if row["row"] is None]


def drawn(state):
    return state.unresolved.table["source_id"].to_pylist()


FIRST = read("first", two_points(), ELSEWHERE)
ONLY_AREAS = replace(FIRST, unresolved=empty_frame(UNRESOLVED))


def test_a_drawn_hazard_that_a_whole_register_lacks_stays_drawn_with_an_alarm():
    state = after(FIRST, read("second", ELSEWHERE))
    assert drawn(state) == ["D"]
    assert alarms(state) == ["DRAWN_HAZARD_VANISHED"]
    (told,) = state.findings.take(state.findings.flags("code", ["DRAWN_HAZARD_VANISHED"])).table.to_pylist()
    assert (told["record_id"], told["row"], told["file"]) == ("MAG:hazard:D", None, "first")
    assert "TOO_FEW_POINTS" in told["sentence"]
    (row,) = state.unresolved.table.to_pylist()
    assert (row["row"], row["vanished"], row["position"]) == (None, True, "as stated")
    assert row["sentence"].startswith("Not in the new delivery of its operator. As it was delivered before: ")
    assert shapely.equals(state.unresolved.geometry[0], FIRST.unresolved.geometry[0])
    (where,) = state.findings.take(state.findings.flags("code", ["DRAWN_HAZARD_VANISHED"])).geometry
    assert 1500 < where.length < 1700  # metres, in the working CRS


def test_its_alarm_goes_on_until_it_is_read_again():
    second = after(FIRST, read("second", ELSEWHERE))
    increment = after(second, read("third", good("other", west=104.8), mode="increment"))
    assert (drawn(increment), alarms(increment)) == (["D"], ["DRAWN_HAZARD_VANISHED"])
    assert to_keep(increment).table["row"].to_pylist() == [1]  # as it was delivered
    back = after(increment, read("fourth", ELSEWHERE, good()))
    assert (drawn(back), codes(back), len(to_keep(back))) == ([], [], 0)


def test_a_part_of_a_register_says_nothing_of_what_it_lacks():
    state = after(FIRST, read("second", good("other", west=104.8), mode="increment"))
    assert (drawn(state), alarms(state)) == (["D"], [])
    (row,) = state.unresolved.table.to_pylist()
    assert not row["vanished"]
    assert row["sentence"].startswith("As it was delivered before: ")


def test_a_record_that_is_refused_again_is_drawn_as_it_is_now():
    moved = [(104.2, 18.0), (104.21, 18.0)]
    state = after(FIRST, read("second", two_points(ring=moved), ELSEWHERE))
    assert (len(state.unresolved), codes(state)) == (1, [])
    assert shapely.get_x(shapely.get_point(state.unresolved.geometry[0], 0)) == 104.2


def test_a_record_that_goes_back_without_any_place_stays_where_it_was_drawn():
    state = after(FIRST, read("second", hazard(None, id="D"), ELSEWHERE))
    assert (drawn(state), alarms(state)) == (["D"], [])


def test_the_same_bytes_read_in_another_way_are_the_records_own():
    state = after(FIRST, read("first", good("renamed", west=105.0), ELSEWHERE))
    assert (drawn(state), codes(state)) == ([], [])


def test_a_good_record_of_the_same_id_says_nothing_of_a_second_one():
    first = read("first", good("D", west=104.3), two_points("D"), ELSEWHERE)
    only_one = after(first, read("second", good("D", west=104.3), ELSEWHERE))
    assert (drawn(only_one), alarms(only_one)) == (["D"], ["DRAWN_HAZARD_VANISHED"])
    both = after(first, read("second", good("D", west=104.3), good("D", west=104.0), ELSEWHERE))
    assert drawn(both) == []


def test_a_good_record_that_comes_twice_is_one():
    first = read("first", good("D", west=104.3), two_points("D"), ELSEWHERE)
    twice = after(first, read("second", good("D", west=104.3), good("D", west=104.3), ELSEWHERE))
    assert (drawn(twice), alarms(twice)) == (["D"], ["DRAWN_HAZARD_VANISHED"])


def test_a_good_record_of_the_same_id_in_another_file_says_nothing():
    other = read("other", good("D", west=104.8), mode="increment")
    state = after(together(FIRST, other), together(read("second", ELSEWHERE), other))
    assert (drawn(state), alarms(state)) == (["D"], ["DRAWN_HAZARD_VANISHED"])
    later = after(other, together(FIRST, other))  # the other file was there before it
    assert drawn(after(later, together(read("second", ELSEWHERE), other))) == ["D"]
    corrected = after(together(FIRST, other), together(read("second", ELSEWHERE, good()), other))
    assert drawn(corrected) == []


def test_a_version_of_an_earlier_file_is_not_a_second_record():
    """It was good, an increment broke it, another one corrects it."""
    first = read("first", good("D", west=104.6), ELSEWHERE)
    broken = read("broken", two_points(), mode="increment")
    second = still_drawn(replace(together(first, broken), previous=first.features), TOLERANCE_M)
    corrected = after(second, together(first, read("third", good("D", west=104.603), mode="increment")))
    assert (drawn(corrected), codes(corrected)) == ([], [])


def test_the_same_bytes_of_another_operator_are_the_others_record():
    def of(operator, key):
        made = read("bytes", two_points(operator=operator), good("keeps", west=104.5, operator=operator))
        rows = {
            name: getattr(made, name).with_columns(
                {
                    "row_id": [
                        f"{key}:{row}" for row in getattr(made, name).table["row"].to_pylist()
                    ]
                }
            )
            for name in ("features", "unresolved")
        }  # fmt: skip
        return replace(made, **rows)

    first = together(of("MAG", "bytes"), of("UXO Lao", "bytes#2"))
    state = after(first, together(read("second", ELSEWHERE), of("UXO Lao", "bytes")))
    assert sorted(state.unresolved.table["operator"].to_pylist()) == ["MAG", "UXO Lao"]
    assert alarms(state) == ["DRAWN_HAZARD_VANISHED"]
    assert sorted(to_keep(state).table["operator"].to_pylist()) == ["MAG", "UXO Lao"]
    used = after(
        together(of("MAG", "bytes"), replace(of("UXO Lao", "bytes#2"), unresolved=empty_frame(UNRESOLVED))),
        together(read("second", ELSEWHERE), read("bytes", good(operator="UXO Lao"))),
        previous=read("bytes", good(operator="UXO Lao")).features,
    )
    assert used.unresolved.table["operator"].to_pylist() == ["MAG"]
    # Where a person says that the bytes are of somebody else, they are not drawn twice.
    corrected = after(of("MAG", "bytes"), of("UXO Lao", "bytes"))
    assert corrected.unresolved.table["operator"].to_pylist() == ["UXO Lao"]


def test_another_record_that_was_drawn_there_before_says_nothing():
    first = read("first", two_points("one"), two_points("other"), ELSEWHERE)
    state = after(first, read("second", two_points("other"), ELSEWHERE))
    assert (sorted(drawn(state)), alarms(state)) == (["one", "other"], [])  # the place is drawn all the same
    moved = after(state, read("third", good("other", west=105.0), ELSEWHERE))
    assert (drawn(moved), alarms(moved)) == (["one"], ["DRAWN_HAZARD_VANISHED"])
    # Also where it was an area before.
    first = read("first", two_points("one"), good("other", west=105.0), ELSEWHERE)
    assert sorted(drawn(after(first, read("second", two_points("other"), ELSEWHERE)))) == ["one", "other"]


def test_of_two_records_of_one_id_the_one_that_is_drawn_again_is_known_by_its_place():
    first = read("first", two_points(), two_points(ring=[(104.3, 18.0), (104.31, 18.0)]), ELSEWHERE)
    state = after(first, read("second", two_points(), ELSEWHERE))
    assert (len(state.unresolved), len(state.unresolved_kept)) == (2, 1)
    assert shapely.get_x(shapely.get_point(state.unresolved_kept.geometry[0], 0)) == 104.3
    assert alarms(state) == []  # a record of this id goes back: it may be this one
    assert alarms(after(state, read("third", ELSEWHERE))) == ["DRAWN_HAZARD_VANISHED"] * 2


def test_two_files_that_came_together_held_two_records_of_one_id():
    cha, sha = read("cha", two_points(), ELSEWHERE), read("sha", good("D", west=104.8))
    first = together(cha, sha)
    later = together(read("cha 2", ELSEWHERE), read("sha 2", good("D", west=104.81)))
    assert drawn(after(first, later)) == ["D"]
    # Also where one of them was read again alone in between.
    alone = after(first, together(cha, read("more", good("other", west=105.0), mode="increment")))
    assert drawn(after(replace(alone, features=first.features), later)) == ["D"]


def test_an_id_of_another_operator_or_register_explains_nothing():
    others = (
        good("D", operator="NPA", west=104.6),
        area(shapely.box(104.9, 18, 104.91, 18.01), "CLEARED", id="D"),
    )
    state = after(FIRST, read("second", ELSEWHERE, *others))
    assert drawn(state) == ["D"]


def test_a_copy_in_the_national_database_explains_nothing():
    copy = read("copy", good())
    national = replace(copy, features=copy.features.with_columns({"role": "national_database"}))
    state = after(FIRST, together(read("second", ELSEWHERE), national))
    assert (drawn(state), alarms(state)) == (["D"], ["DRAWN_HAZARD_VANISHED"])


def test_an_open_hazard_of_its_operator_that_covers_it_takes_it_over():
    state = after(FIRST, read("second", ELSEWHERE, good("other")))
    assert (drawn(state), codes(state)) == ([], ["HAZARD_TAKEN_OVER"])
    rounded = after(FIRST, read("second", ELSEWHERE, good("other", side=0.01 - 5e-8)))
    assert codes(rounded) == ["HAZARD_TAKEN_OVER"]


@pytest.mark.parametrize(
    "cover",
    [
        good("other", operator="NPA"),
        good("other", kind="CLEARED"),
        good("other", kind="UNKNOWN"),
        good("other", status="closed"),
        good("other", side=0.009),
    ],
    ids=["another operator's", "released", "of unknown kind", "closed", "only a part"],
)
def test_nothing_less_takes_it_over(cover):
    state = after(FIRST, read("second", ELSEWHERE, cover))
    assert (drawn(state), alarms(state)) == (["D"], ["DRAWN_HAZARD_VANISHED"])


def test_a_record_without_id_is_known_by_the_place_where_it_is_drawn():
    first = read("first", two_points(id=None), ELSEWHERE)
    again = after(first, read("second", ELSEWHERE, replace(two_points(id="now it has one"))))
    assert (len(again.unresolved), codes(again)) == (1, [])
    gone = after(first, read("second", ELSEWHERE))
    assert alarms(gone) == ["DRAWN_HAZARD_VANISHED"]


def test_a_record_that_may_lie_in_two_places_is_one_record():
    without = read(
        "first", replace(two_points(ring=[(500_000, 2_000_000), (501_000, 2_001_000)]), crs=""), ELSEWHERE
    )
    assert len(without.unresolved) > 1
    gone = after(without, read("second", ELSEWHERE))
    assert len(gone.unresolved) == len(without.unresolved)
    assert alarms(gone) == ["DRAWN_HAZARD_VANISHED"]
    known = after(without, read("second", ELSEWHERE, good()))
    assert drawn(known) == []
    place, position = without.unresolved.geometry[0], without.unresolved.table["position"][0].as_py()
    elsewhere = read("second", two_points("new", ring=list(place.coords)), ELSEWHERE)
    assert position.startswith("as if")
    assert drawn(after(without, elsewhere)) == ["new"]  # now it says where it is


def test_a_record_that_may_lie_in_two_places_is_taken_over_where_both_are_covered():
    without = read(
        "first", replace(two_points(ring=[(500_000, 2_000_000), (501_000, 2_001_000)]), crs=""), ELSEWHERE
    )
    covers = [
        hazard(shapely.box(*place.bounds).buffer(0.01), id=f"cover {number}")
        for number, place in enumerate(without.unresolved.geometry)
    ]
    one = after(without, read("second", ELSEWHERE, covers[0]))
    assert (len(one.unresolved), alarms(one)) == (2, ["DRAWN_HAZARD_VANISHED"])
    both = after(without, read("second", ELSEWHERE, *covers))
    assert (drawn(both), codes(both)) == ([], ["HAZARD_TAKEN_OVER"])


def test_a_record_of_unknown_kind_is_to_be_checked():
    first = read("first", two_points(kind="UNKNOWN"), ELSEWHERE, good("u", west=104.7, kind="UNKNOWN"))
    state = after(first, read("second", ELSEWHERE, good("u", west=104.7, kind="UNKNOWN")))
    assert (drawn(state), codes(state), alarms(state)) == (["D"], ["DRAWN_UNKNOWN_VANISHED"], [])
    covered = after(first, read("second", ELSEWHERE, good("other")))
    assert codes(covered) == ["UNKNOWN_TAKEN_OVER"]
    assert codes(after(first, read("second", good("other"), two_points(kind="UNKNOWN")))) == []


def test_a_decision_lets_it_go_and_is_told():
    version = FIRST.unresolved.table["version_id"][0].as_py()
    ground = np.array([shapely.Point(0, 0)], dtype=object)

    def decided(name):
        columns = {"version_id": [name], "reason": "TWG 3", "stays_hazard": False}
        return after(FIRST, read("second", ELSEWHERE), given_up=make_frame(GIVEN_UP, columns, ground))

    gone = decided(key_of_drawn(version))
    assert (drawn(gone), codes(gone)) == ([], ["HAZARD_GIVEN_UP_BY_DECISION"])
    columns = {"version_id": [key_of_drawn(version)], "reason": "TWG 3", "stays_hazard": False}
    let_go = {"given_up": make_frame(GIVEN_UP, columns, ground)}
    assert codes(after(FIRST, read("second", ELSEWHERE, good("other")), **let_go)) == codes(gone)
    assert codes(after(FIRST, read("second", ELSEWHERE, two_points()), **let_go)) == []
    # What is decided of an area that has the same version says nothing of what was only drawn.
    assert drawn(decided(version)) == ["D"]


def test_a_record_whose_area_is_carried_on_has_one_alarm_only():
    """It was kept as an area, and drawn as well because its mending must be confirmed."""
    first = read("first", good(), ELSEWHERE)
    mended = FIRST.unresolved.with_columns({"row_id": first.features.table["row_id"].take([0])})
    state = after(replace(first, unresolved=mended), read("second", ELSEWHERE))
    assert (drawn(state), alarms(state)) == (["D"], [])
    area_of_it = first.features.take(first.features.flags("source_id", ["D"]))
    later = after(state, read("third", ELSEWHERE), carried_before=area_of_it)
    assert (drawn(later), alarms(later)) == (["D"], [])
    carried = replace(state, features=concat([state.features, first.features]))
    assert drawn(let_go_with_areas(carried)) == ["D"]
    explained = let_go_with_areas(state)
    assert (drawn(explained), len(to_keep(explained))) == ([], 0)


def test_what_was_only_drawn_does_not_go_with_any_area():
    assert drawn(let_go_with_areas(after(FIRST, read("second", ELSEWHERE)))) == ["D"]


def test_what_is_only_drawn_and_areas_in_doubt_are_counted_apart():
    first = read("first", two_points(), good("bow"), ELSEWHERE)
    bow = FIRST.unresolved.with_columns(
        {
            "row_id": first.features.table["row_id"].take([0]),
            "record_id": "MAG:hazard:bow",
            "reason": "REPAIRED_AREA_CHANGED",
        }
    )
    first = replace(first, unresolved=concat([first.unresolved, bow]))
    names = ("unresolved_hazard", "mended_hazard", "drawn_of_earlier")

    def counted(state):
        summary = summarise(state, POLICY)
        return tuple(summary[name] for name in names)

    assert counted(still_drawn(first, TOLERANCE_M)) == (1, 1, 0)
    gone = after(first, read("second", ELSEWHERE))
    assert counted(gone) == (2, 0, 2)  # no area of it is left
    area_of_bow = first.features.take(first.features.flags("source_id", ["bow"]))
    kept = replace(gone, earlier=area_of_bow).adding(features=[area_of_bow])
    assert counted(kept) == (1, 1, 1)


def test_a_first_run_draws_what_it_has_read():
    assert drawn(still_drawn(FIRST, TOLERANCE_M)) == ["D"]


# In the ledger.


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path) as opened:
        yield opened


def night(ledger, now):
    """Run over a ledger; return what the run draws."""
    came = received(now)
    before = ledger.before(came, LAOS)
    state = still_drawn(
        replace(now, unresolved_before=before.unresolved, previous=before.previous), TOLERANCE_M
    )
    ledger.record("run", dt.datetime(2026, 4, 10, tzinfo=dt.UTC), came, state, state.carried)
    return state


def test_the_ledger_keeps_what_was_drawn_and_a_second_run_says_the_same(ledger):
    night(ledger, FIRST)
    for _ in range(2):
        state = night(ledger, read("second", ELSEWHERE))
        assert (drawn(state), alarms(state)) == (["D"], ["DRAWN_HAZARD_VANISHED"])
    for name in ("third", "fourth"):
        assert drawn(night(ledger, read(name, ELSEWHERE, good(name, west=104.8)))) == ["D"]
    (kept,) = ledger.unresolved().table.to_pylist()
    assert kept["row"] == 1  # as it was delivered
    assert kept["sentence"] == FIRST.unresolved.table["sentence"][0].as_py()
    assert len(ledger.unresolved(0)) == 0
    assert drawn(night(ledger, read("fifth", ELSEWHERE, good()))) == []
    assert len(ledger.unresolved()) == 0


def test_what_the_ledger_keeps_is_named_and_checked(ledger):
    night(ledger, FIRST)
    path = ledger.unresolved_path(1)
    assert path in ledger.named_frames()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Exception, match="is damaged"):
        night(ledger, read("second", ELSEWHERE))


def test_what_a_new_reading_of_old_bytes_draws_is_not_forgotten(ledger):
    night(ledger, read("first", good(), ELSEWHERE))
    night(ledger, read("second", good("other", west=104.8), mode="increment"))
    night(ledger, FIRST)  # the same bytes: now one record cannot be used
    for _ in range(2):
        alone = night(ledger, read("second", good("other", west=104.8), mode="increment"))
        assert drawn(alone) == ["D"]


def test_a_new_reading_says_the_same_a_second_time(ledger):
    night(ledger, together(FIRST, read("later", good("new", west=104.9), mode="increment")))
    night(ledger, read("other", good(operator="NPA", west=104.7)))
    now = read("later", good("new", side=0.02), mode="increment")  # it is placed elsewhere now
    told = [codes(night(ledger, now)) for _ in range(2)]
    assert told == [["HAZARD_TAKEN_OVER"], ["HAZARD_TAKEN_OVER"]]


def test_what_is_drawn_is_kept_also_where_no_area_is_read_in_another_way(ledger):
    """A person says the kind of a file, or an earlier geopipe did not keep it: no area has changed."""
    night(ledger, ONLY_AREAS)
    night(ledger, FIRST)
    assert drawn(night(ledger, read("second", ELSEWHERE))) == ["D"]


def test_a_reading_without_anything_drawn_is_named_as_it_always_was():
    (only_areas,), (both,) = received(ONLY_AREAS), received(FIRST)
    assert only_areas.key != both.key
    moved = FIRST.unresolved.with_geometry(shapely.transform(FIRST.unresolved.geometry, lambda xy: xy + 0.1))
    assert received(replace(FIRST, unresolved=moved))[0].key != both.key
    assert only_areas.key == received(read("first", ELSEWHERE))[0].key
