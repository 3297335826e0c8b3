"""Policies: based on each other, versioned by what they say, signed anew each time."""

import datetime as dt

import pytest

from geopipe.errors import ConfigError
from geopipe.policies import load_policy, policy_hash, policy_path
from geopipe.settings import shipped, shipped_names

TODAY = dt.date(2026, 6, 1)
HEAD = "based_on: default\nname: mine\nversion: 2\n"


@pytest.fixture
def policy_of(tmp_path):
    def make(text, name="mine.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return load_policy(path)

    return make


@pytest.mark.parametrize("name", shipped_names("policies"))
def test_every_shipped_policy_can_be_read_and_none_is_in_force(name):
    assert load_policy(policy_path(name)).why_no_tolerance(dt.date(2999, 1, 1))


def test_the_draft_of_5_m2_holds_area_and_width_and_all_rules_of_the_default_policy():
    draft, default = load_policy(policy_path("twg-5m2-draft")), load_policy()
    assert {(rule.area_m2, rule.compare, rule.basis) for rule in draft.tolerances} == {(5.0, "<", "pair")}
    assert draft.findings == default.findings
    assert draft.checks == default.checks
    assert draft.reference is None


def test_a_policy_takes_the_keys_that_it_does_not_have_from_another(policy_of):
    mine = policy_of(HEAD + "gaps: {width_m: 3.0, narrowest_m: 0.01}\n")
    assert mine.gaps.width_m == 3.0
    assert mine.very_thin == load_policy().very_thin
    assert mine.name == "mine"


def test_a_key_replaces_the_whole_key(policy_of):
    with pytest.raises(ConfigError, match=r"'gaps\.narrowest_m' is missing"):
        policy_of(HEAD + "gaps: {width_m: 3.0}\n")


def test_a_policy_may_be_based_on_a_file_beside_it(policy_of):
    policy_of(HEAD + "full_depth_cm: 7\n", "first.yaml")
    second = policy_of("based_on: first.yaml\nname: second\nversion: 1\n")
    assert second.full_depth_cm == 7


def test_a_signature_is_never_taken_over(policy_of):
    rule = "{a: any, b: any, area_m2: 5, width_m: 0.5, compare: '<', basis: pair}"
    signed = "effective_from: 2026-01-01\nreference: TWG 12\nsigned_by: NRA\n"
    first = policy_of(HEAD + signed + f"tolerances: [{rule}]\n", "first.yaml")
    assert first.why_no_tolerance(TODAY) == ()
    second = policy_of("based_on: first.yaml\nname: second\nversion: 1\nnear_border_m: 1\n")
    assert second.tolerances == first.tolerances
    assert len(second.why_no_tolerance(TODAY)) == 3


@pytest.mark.parametrize("key", ["name", "version"])
def test_each_policy_has_its_own_name_and_version(policy_of, key):
    text = "".join(line for line in HEAD.splitlines(keepends=True) if not line.startswith(key))
    with pytest.raises(ConfigError, match=f"'{key}' is missing"):
        policy_of(text)


def test_policies_in_a_circle_are_refused(policy_of):
    with pytest.raises(ConfigError, match="there is no such file"):
        policy_of("based_on: second.yaml\nname: first\nversion: 1\n", "first.yaml")
    with pytest.raises(ConfigError, match="in a circle"):
        policy_of("based_on: first.yaml\nname: second\nversion: 1\n", "second.yaml")


def test_an_unknown_base_is_told_with_its_neighbour(policy_of):
    with pytest.raises(ConfigError, match="did you mean 'default'"):
        policy_of("based_on: defautl\nname: mine\nversion: 1\n")


def test_a_fault_in_the_own_keys_names_the_own_line(policy_of):
    with pytest.raises(ConfigError, match=r"mine\.yaml, line 4: unknown key 'gap'; did you mean 'gaps'"):
        policy_of(HEAD + "gap: {width_m: 3.0, narrowest_m: 0.01}\n")


@pytest.mark.parametrize(
    "rule",
    [
        "{a: any, b: any, area_m2: 5, width_m: 0.5, basis: pair}",
        "{a: any, b: any, area_m2: 5, width_m: 0.5, compare: '<'}",
        "{a: any, b: any, area_m2: 5, compare: '<', basis: pair}",
        "{a: any, b: any, width_m: 5, compare: '<', basis: pair}",
        "{a: any, b: any, area_m2: 5, width_m: 0, compare: '<', basis: pair}",
        "{a: any, b: any, area_m2: 5, width_m: 1, compare: '>', basis: pair}",
        "{a: any, b: any, area_m2: 5, width_m: 1, compare: '<', basis: gap}",
    ],
)
def test_a_tolerance_says_area_width_comparison_and_basis(policy_of, rule):
    with pytest.raises(ConfigError, match="tolerances"):
        policy_of(HEAD + f"tolerances: [{rule}]\n")


@pytest.mark.parametrize("limits", ["[5, 1]", "[0, 1]", "[]", "[1, 1]"])
def test_limits_of_the_table_rise_from_above_zero(policy_of, limits):
    text = f"sensitivity: {{areas_m2: {limits}, widths_m: [1], decimals: [6], edge_m: 50}}\n"
    with pytest.raises(ConfigError, match="areas_m2"):
        policy_of(HEAD + text)


# The hash is the version of what a policy says.


def test_the_same_rules_have_one_hash_wherever_they_are_written(policy_of):
    written_out = policy_of(shipped("policies/default.yaml").read_text(encoding="utf-8"))
    by_reference = policy_of("based_on: default\nname: default\nversion: 1\n", "short.yaml")
    assert policy_hash(written_out) == policy_hash(by_reference) == policy_hash(load_policy())


@pytest.mark.parametrize(
    "change",
    ["version: 3", "reference: TWG 12", "near_border_m: 2001", "very_thin: {area_m2: 6, width_m: 0.5}"],
)
def test_whatever_a_policy_says_differently_changes_its_hash(policy_of, change):
    head = HEAD if not change.startswith("version") else HEAD.replace("version: 2\n", "")
    assert policy_hash(policy_of(HEAD)) != policy_hash(policy_of(f"{head}{change}\n", "other.yaml"))
