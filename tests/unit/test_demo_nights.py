"""The nights of the demo: each happening does what it says, and `nights.json` says what is in the files."""

import numpy as np
import pyogrio
import pytest
import shapely
from conftest import call, hashes
from pyproj import Transformer

from geopipe import pipeline
from geopipe.config import load_config
from geopipe.demo.nights import make_night_demo
from geopipe.demo.nights.schedule import is_mixed
from geopipe.errors import ConfigError, OutputError

NIGHTS = 14
KINDS_OF_HAPPENINGS = {
    *("rows_reordered", "ids_reissued", "ids_permuted", "id_column_sorted", "ids_restored"),
    *("pairs_exchanged_ids", "id_reused", "pair_ids_reused"),
    *("redrawn", "redrawn_and_reissued", "redrawn_and_exchanged_ids", "moved", "moved_back"),
    *("split", "merged", "split_undone", "added", "withdrawn", "readded", "withdrawn_for_good"),
    *("corrected", "corrected_without_decision", "withdrawn_as_decided"),
}


class Nights:
    """The demo as made, and what is true on each night."""

    def __init__(self, folder, truth):
        self.folder, self.truth = folder, truth

    def __getitem__(self, night):
        return self.truth["nights"][night - 1]

    def polygon(self, ground, night):
        drawn = self.truth["grounds"][ground]["polygons"]
        return shapely.from_wkb(drawn[max((n for n in drawn if int(n) <= night), key=int)])

    def happened(self, what):
        """Every happening of a kind, with its night."""
        return [
            (night["night"], told)
            for night in self.truth["nights"]
            for told in night["happened"]
            if told["what"] == what
        ]

    def rows(self, night, file):
        """(id, other attributes, polygon in the demo's CRS) of each row of a delivered file."""
        path = self.folder / self[night]["folder"] / file
        meta, _, wkb, columns = pyogrio.raw.read(path)
        change = Transformer.from_crs(meta["crs"], self.truth["crs"], always_xy=True)
        polygons = shapely.transform(
            shapely.from_wkb(wkb), lambda xy: np.column_stack(change.transform(*xy.T))
        )
        names = [str(name) for name in meta["fields"]]
        told = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        ids = [row.pop(names[0]) for row in told]
        return list(zip(ids, [sorted(map(str, row.values())) for row in told], polygons, strict=True))


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights") / "demo"
    return Nights(folder, make_night_demo(folder, nights=NIGHTS, size=400, seed=3))


def test_the_same_seed_makes_the_same_files_and_fewer_nights_are_the_first_ones(nights, tmp_path):
    make_night_demo(tmp_path / "again", nights=5, size=400, seed=3)
    again = hashes(tmp_path / "again")
    assert len(again) > 30
    again.pop("nights.json")
    first = hashes(nights.folder)
    assert again == {name: first[name] for name in again}


def test_another_seed_makes_other_files(nights, tmp_path):
    make_night_demo(tmp_path / "other", nights=1, size=400, seed=4)
    other, first = hashes(tmp_path / "other"), hashes(nights.folder)
    assert other["night-01/MAG_CHA.geojson"] != first["night-01/MAG_CHA.geojson"]


def test_all_kinds_of_happenings_are_there(nights):
    told = {what["what"] for night in nights.truth["nights"] for what in night["happened"]}
    assert told == KINDS_OF_HAPPENINGS


@pytest.mark.parametrize("night", range(1, NIGHTS + 1))
def test_behind_each_delivered_id_lies_the_ground_that_the_truth_names(nights, night):
    told = nights[night]
    arrived = {path.name for path in (nights.folder / told["folder"]).iterdir()} - {"run.yaml"}
    seen = 0
    for file in sorted(arrived - {told["unreadable"]}):
        rows = nights.rows(night, file)
        by_id = {source_id: polygon for source_id, _, polygon in rows}
        assert len(by_id) == len(rows)
        for ground, source_id in told["records"].items():
            if nights.truth["grounds"][ground]["file"] == file:
                assert shapely.hausdorff_distance(by_id[source_id], nights.polygon(ground, night)) < 1e-6
                seen += 1
    assert seen == len(told["records"]) > 100


@pytest.mark.parametrize("night", range(1, NIGHTS + 1))
def test_the_pairs_are_those_that_share_ground(nights, night):
    told = nights[night]
    grounds = sorted(told["records"])
    polygons = {ground: nights.polygon(ground, night) for ground in grounds}
    tree = shapely.STRtree([polygons[ground] for ground in grounds])
    near = {
        tuple(sorted((grounds[i], grounds[j])))
        for i, j in tree.query([polygons[g] for g in grounds]).T
        if i < j
    }
    shared = {pair: polygons[pair[0]].intersection(polygons[pair[1]]) for pair in near}
    wide = {pair: s.area for pair, s in shared.items() if s.area and 2 * s.area / s.length > 1e-6}
    assert {tuple(p["grounds"]): p["area_m2"] for p in told["pairs"]} == pytest.approx(wide)


def test_hazard_released_later_is_the_expected_course_of_things(nights):
    kinds = {ground: told["kind"] for ground, told in nights.truth["grounds"].items()}
    mixed = [p for p in nights[1]["pairs"] if len({kinds[ground] for ground in p["grounds"]}) == 2]
    assert {pair["expected_release"] for pair in mixed} == {True, False}
    alike = [p for p in nights[1]["pairs"] if len({kinds[ground] for ground in p["grounds"]}) == 1]
    assert not any(pair["expected_release"] for pair in alike)


def test_on_a_night_of_pure_reissue_nothing_but_ids_and_row_order_changes(nights):
    pure = [night["night"] for night in nights.truth["nights"] if night["pure_reissue"]]
    assert pure == [2, 7, 12]
    for night in pure:
        assert nights[night]["pairs"] == nights[night - 1]["pairs"]
        assert nights[night]["records"].keys() == nights[night - 1]["records"].keys()
        assert len(nights[night]["new_ids"]) > len(nights[night]["records"]) / 2
        for file in nights.truth["files"]:
            before, now = nights.rows(night - 1, file), nights.rows(night, file)
            assert [row[0] for row in before] != [row[0] for row in now]
            same = [sorted((told, polygon.wkb) for _, told, polygon in rows) for rows in (before, now)]
            assert same[0] == same[1]


def test_on_an_unchanged_night_the_same_bytes_come_again(nights):
    assert nights[10]["unchanged"]
    before, now = (hashes(nights.folder / f"night-{night:02d}") for night in (9, 10))
    before.pop("run.yaml")
    now.pop("run.yaml")
    assert now == before


def test_a_missing_operator_has_no_file_and_a_cut_one_is_not_counted(nights):
    missing = [night for night in nights.truth["nights"] if night["missing"]]
    cut = [night for night in nights.truth["nights"] if night["unreadable"]]
    assert missing
    assert cut
    for night in missing:
        files = [f for f, (who, _) in nights.truth["files"].items() if who == night["missing"]]
        assert files
        assert not any((nights.folder / night["folder"] / file).exists() for file in files)
    for night in cut:
        assert night["unreadable"] not in {
            nights.truth["grounds"][ground]["file"] for ground in night["records"]
        }
        path = nights.folder / night["folder"] / night["unreadable"]
        whole = nights.folder / nights[night["night"] - 1]["folder"] / night["unreadable"]
        assert path.stat().st_size < whole.stat().st_size / 2


def test_all_operators_deliver_on_the_eve_of_a_pure_reissue(nights):
    for night in nights.truth["nights"]:
        if not is_mixed(night["night"] + 1):
            assert (night["missing"], night["unreadable"]) == (None, None)


def test_redrawn_points_move_by_no_more_than_is_told(nights):
    for what in ("redrawn", "redrawn_and_reissued", "redrawn_and_exchanged_ids"):
        for night, told in nights.happened(what):
            assert 1e-3 <= told["reach_m"] <= 1
            for ground in told["grounds"]:
                by_m = shapely.hausdorff_distance(
                    nights.polygon(ground, night - 1), nights.polygon(ground, night)
                )
                assert 0 < by_m <= told["reach_m"]


def test_ids_change_where_they_are_told_to_change(nights):
    for what in ("ids_reissued", "redrawn_and_reissued", "redrawn_and_exchanged_ids", "pairs_exchanged_ids"):
        for night, told in nights.happened(what):
            assert set(told["grounds"]) <= set(nights[night]["new_ids"])


def test_exchanged_pairs_carry_each_others_ids(nights):
    for night, told in nights.happened("pairs_exchanged_ids"):
        a, b, c, d = told["grounds"]
        new = nights[night]["new_ids"]
        for one, other in ((a, c), (b, d)):
            assert new[one] == new[other][::-1]


def test_permuted_ids_are_the_same_ids_on_other_ground(nights):
    for what in ("ids_permuted", "id_column_sorted"):
        for night, told in nights.happened(what):
            changed = [nights[night]["new_ids"].get(ground) for ground in told["grounds"]]
            before, now = (sorted(ids) for ids in zip(*filter(None, changed), strict=True))
            assert before == now


def test_a_split_record_becomes_two_that_share_no_ground(nights):
    for night, told in nights.happened("split"):
        (parent,), children = told["parents"], told["children"]
        first, second = (nights.polygon(child, night) for child in children)
        assert first.intersection(second).area < 1e-6
        whole = nights.polygon(parent, night - 1)
        assert first.union(second).symmetric_difference(whole).area < 1e-6
        assert all(nights.truth["grounds"][child]["parents"] == [parent] for child in children)
        assert parent not in nights[night]["records"]


def test_a_split_that_is_undone_brings_the_same_ground_back(nights):
    for night, told in nights.happened("split_undone"):
        (ground,) = told["children"]
        split = [n for n, t in nights.happened("split") if t["parents"] == [ground] and n < night]
        before, now = nights.polygon(ground, split[-1] - 1), nights.polygon(ground, night)
        assert before.symmetric_difference(now).area < 1e-6
        assert ground in nights[night]["records"]
        assert not set(told["parents"]) & set(nights[night]["records"])


def test_merged_records_are_on_the_ground_of_both(nights):
    for night, told in nights.happened("merged"):
        (child,) = told["children"]
        parts = [
            nights.polygon(parent, night) for parent in told["parents"]
        ]  # a parent that was split or made this same night is not merged
        assert nights.polygon(child, night).symmetric_difference(shapely.union_all(parts)).area < 1e-6
        assert nights.truth["grounds"][child]["parents"] == told["parents"]
        assert not set(told["parents"]) & set(nights[night]["records"])


def test_a_reused_id_lies_on_ground_that_has_nothing_to_do_with_it(nights):
    for night, told in nights.happened("id_reused"):
        old, new = told["withdrawn"], told["new"]
        before = nights[night - 1]["records"].get(old)
        assert before in (None, nights[night]["records"][new])
        assert nights.polygon(old, night).distance(nights.polygon(new, night)) > 1
        assert old not in nights[night]["records"]


def test_both_ids_of_a_pair_come_back_on_another_pair(nights):
    for night, told in nights.happened("pair_ids_reused"):
        assert any(sorted(pair["grounds"]) == sorted(told["new"]) for pair in nights[night]["pairs"])
        for old, new in zip(told["withdrawn"], told["new"], strict=True):
            assert nights[night - 1]["records"].get(old) in (None, nights[night]["records"][new])


def test_what_was_moved_is_back_after_one_or_more_nights(nights):
    for night, told in nights.happened("moved_back"):
        (ground,) = told["grounds"]
        moved = [n for n, t in nights.happened("moved") if t["grounds"] == [ground] and n < night]
        assert nights.polygon(ground, night).equals(nights.polygon(ground, moved[-1] - 1))


def test_what_was_withdrawn_comes_back_as_it_was(nights):
    for night, told in nights.happened("readded"):
        (ground,) = told["grounds"]
        assert ground in nights[night]["records"]
        assert ground not in nights[night - 1]["records"]
        assert str(night) not in nights.truth["grounds"][ground]["polygons"]


def test_a_correction_takes_the_overlap_away_from_the_record_that_corrects(nights):
    told = [*nights.happened("corrected"), *nights.happened("corrected_without_decision")]
    assert told
    for night, correction in told:
        who, partner = correction["grounds"]
        before, now = nights.polygon(who, night - 1), nights.polygon(who, night)
        cut = before.intersection(nights.polygon(partner, night))
        assert before.difference(now).symmetric_difference(cut).area < 1e-6
        assert sorted((who, partner)) not in [pair["grounds"] for pair in nights[night]["pairs"]]


def test_a_meeting_decides_only_on_overlaps_that_it_sees_and_never_twice(nights):
    decided = []
    for night in nights.truth["nights"]:
        pairs = [pair["grounds"] for pair in night["pairs"] if not pair["expected_release"]]
        assert all(decision["grounds"] in pairs for decision in night["decisions"])
        decided += [tuple(decision["grounds"]) for decision in night["decisions"]]
    assert len(decided) == len(set(decided)) > NIGHTS


def test_a_decision_knows_when_and_by_whom_it_was_carried_out(nights):
    decisions = [
        (night["night"], decision) for night in nights.truth["nights"] for decision in night["decisions"]
    ]
    done = [(night, d, d["carried_out"]) for night, d in decisions if d["carried_out"]]
    assert {carried["as_decided"] for *_, carried in done} == {True, False}
    for night, decision, carried in done:
        assert carried["night"] > night
        assert carried["as_decided"] == (carried["who"] == decision["who"])
        assert decision["grounds"] not in [p["grounds"] for p in nights[carried["night"]]["pairs"]]


@pytest.mark.parametrize("night", [1, 2, 6])
def test_geopipe_finds_the_overlaps_of_each_night(nights, night):
    told = nights[night]
    config = load_config(nights.folder / told["folder"] / "run.yaml")
    assert config.today.isoformat() == told["day"]
    state = pipeline.run(config)
    assert len(state.features) == len(told["records"])
    ids = {
        f"{g['operator']}:{g['register']}:{told['records'][name]}": name
        for name, g in nights.truth["grounds"].items()
        if name in told["records"]
    }
    columns = ("left_id", "right_id", "area_m2")
    rows = zip(*(state.overlaps.table[name].to_pylist() for name in columns), strict=True)
    found = {tuple(sorted((ids[left], ids[right]))): area_m2 for left, right, area_m2 in rows}
    true = {tuple(pair["grounds"]): pair["area_m2"] for pair in told["pairs"]}
    assert found == pytest.approx(true, rel=1e-6, abs=1e-6)


def test_impossible_nights_are_refused(tmp_path):
    for wrong in ({"nights": 0}, {"nights": 1, "size": 10}, {"nights": 1, "seed": -1}):
        with pytest.raises(ConfigError):
            make_night_demo(tmp_path / "x", **wrong)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        make_night_demo(tmp_path / "full", nights=1)


def test_the_command_makes_the_nights_and_names_the_next_step(tmp_path):
    done = call("demo", tmp_path / "n", "--nights", 2, "--size", 200)
    assert done.code == 0
    assert "2 nights" in done.first_line
    assert "run.yaml" in done.lines[-1]
    assert call("demo", tmp_path / "m", "--nights", 2, "--faults").code == 2
