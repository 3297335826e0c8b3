"""Each known fault in each format that can carry it is found, with the right remedy, and nothing else is."""

import json
from collections import defaultdict

import pytest
from faults_found import compare_copies, compare_twice, judge

SEEDS = [42, pytest.param(7, marks=pytest.mark.slow), pytest.param(2026, marks=pytest.mark.slow)]

ROW = "{:<24}{:<24}{:>8}{:>9}{:>7}{:>9}{:>12}"


@pytest.fixture(scope="module", params=SEEDS)
def seed(request):
    return request.param


@pytest.fixture(scope="module")
def demo(seed, fault_demo_of):
    folder = fault_demo_of(seed) / "demo"
    return folder, json.loads((folder / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def outcomes(demo):
    return judge(*demo)


def of_each_fault(outcomes):
    groups = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.fault].append(outcome)
    return groups


def table(outcomes):
    """The figures: for each fault, over all formats, what was planted, found and rightly explained."""
    lines = [ROW.format("fault", "code", "formats", "planted", "found", "remedy", "questioned")]
    for fault, group in of_each_fault(outcomes).items():
        proposed = [o.right_remedy for o in group if o.right_remedy is not None]
        remedy = f"{sum(proposed)}/{len(proposed)}" if proposed else "-"
        code = next((o.code for o in group if o.code), "-")
        sums = [sum(o.planted for o in group), sum(o.found for o in group)]
        questioned = sum(len(o.questioned) for o in group)
        formats = len({o.format for o in group})
        lines.append(ROW.format(fault, code, formats, *sums, remedy, questioned))
    return "\n".join(lines)


def all_of(outcomes, what):
    """Everything that went wrong, at once; a test that stops at the first tells too little."""
    return [f"{o.file}: {text}" for o in outcomes for text in what(o)]


def test_the_figures_are_printed(outcomes, seed):
    text = table(outcomes)
    clean = sum(o.records - o.planted_records for o in outcomes)
    questioned = sum(len(o.questioned) for o in outcomes)
    print(
        f"\nseed {seed}: {len(outcomes)} deliveries\n{text}\nclean records {clean}, questioned {questioned}"
    )
    assert len(outcomes) > 1000
    assert clean > 40_000


def test_every_planted_fault_is_found(outcomes):
    missed = all_of(
        outcomes, lambda o: [f"{o.code} found {o.found} of {o.planted}"] if o.found != o.planted else []
    )
    assert missed == []


def test_the_right_remedy_is_proposed(outcomes):
    assert all_of(outcomes, lambda o: [f"{o.code}: {o.proposed}"] if o.right_remedy is False else []) == []
    assert sum(o.right_remedy is True for o in outcomes) > 150


def test_no_clean_record_and_no_clean_file_is_questioned(outcomes):
    assert all_of(outcomes, lambda o: o.questioned) == []


def test_what_is_unusual_but_right_is_read_right(outcomes):
    assert all_of(outcomes, lambda o: o.misread) == []


def test_no_record_is_lost(outcomes):
    assert all_of(outcomes, lambda o: o.wrong) == []


def test_each_format_that_cannot_carry_a_fault_says_why(demo):
    _, truth = demo
    made = {(d["format"], d["fault"]) for d in truth["deliveries"]}
    impossible = {(n["format"], n["fault"]): n["why"] for n in truth["not_possible"]}
    formats, faults = ({pair[at] for pair in made | set(impossible)} for at in (0, 1))
    assert all(impossible.values())
    assert not made & set(impossible)
    assert {(form, fault) for form in formats for fault in faults} == made | set(impossible)


def test_every_change_between_two_deliveries_is_named(demo):
    folder, truth = demo
    differing = [
        (item["new"], kind, sorted(found ^ expected))
        for item in truth["delivered_twice"]
        for kind, found, expected in compare_twice(folder, item)
        if found != expected
    ]
    assert len(truth["delivered_twice"]) == 8
    assert differing == []


def test_what_differs_between_the_two_copies_of_the_truth_is_told(demo):
    folder, truth = demo
    found, expected = compare_copies(folder, truth["copies"])
    assert found == expected
