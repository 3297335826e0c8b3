"""A mistake in a configuration is told with its file, its line and what was probably meant."""

import datetime as dt

import pytest

from geopipe.config import Config, DeliverySpec, load_config, load_vocabulary
from geopipe.errors import ConfigError, ExitCode
from geopipe.pipeline import read_deliveries
from geopipe.policies import FindingRule, Policy, load_policy
from geopipe.settings import did_you_mean, load_model, shipped
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, Kind

GOOD = """\
deliveries:
  - path: inbox/mag
    operator: MAG
    kind: cha
output: out
"""


@pytest.fixture
def write(tmp_path):
    def _write(text, name="run.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return _write


def fault(path, model=Config):
    with pytest.raises(ConfigError) as caught:
        load_model(path, model)
    assert caught.value.exit_code == ExitCode.USAGE
    return str(caught.value)


def test_a_good_configuration_is_read_relative_to_its_own_folder(write, tmp_path):
    config = load_config(write(GOOD))
    assert config.deliveries[0].path == tmp_path / "inbox" / "mag"
    assert config.deliveries[0].kind is Kind.CHA
    assert config.output == tmp_path / "out"
    assert config.workspace == tmp_path / "work"
    assert config.policy is None


def test_a_policy_beside_the_configuration_is_found(write, tmp_path):
    config = load_config(write(GOOD + "policy: own.yaml\n"))
    assert config.policy == tmp_path / "own.yaml"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (GOOD.replace("output:", "ouput:"), 5, "unknown key 'ouput'; did you mean 'output'?"),
        (GOOD.replace("operator:", "operater:"), 3, "unknown key 'operater'; did you mean 'operator'?"),
        (GOOD.replace("path:", "paths:"), 2, "the key 'deliveries.0.path' is missing"),
        (GOOD + "xyzzy: 1\n", 6, "unknown key 'xyzzy'; known are deliveries"),
        (GOOD + "workers: many\n", 6, "workers"),
        (GOOD + "workers: 0\n", 6, "greater than or equal to 1"),
        (GOOD + "layers: [areas, overlap]\n", 6, "unknown layer 'overlap'; did you mean 'overlaps'?"),
        (GOOD + "area_of_interest: [1, 2, 3]\n", 6, "area_of_interest"),
        (GOOD.replace("kind: cha", "kind: minefield"), 4, "kind"),
        ("output: out\n", 1, "the key 'deliveries' is missing"),
        ("deliveries: []\n", 1, "deliveries"),
    ],
)
def test_a_fault_names_file_line_and_what_was_meant(write, text, line, said):
    path = write(text)
    told = fault(path)
    assert told.startswith(f"{path}, line {line}: ")
    assert said in told


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    told = fault(tmp_path / "none.yaml")
    assert "there is no such file" in told
    assert "none.yaml" in told


@pytest.mark.parametrize("text", ["deliveries: [", "a: b: c\n", "\tdeliveries: x\n", "a: 1\na: 2\n"])
def test_what_is_not_yaml_is_told_with_its_line(write, text):
    assert ", line " in fault(write(text))
    assert "not YAML" in fault(write(text))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n", "# nothing\n"])
def test_yaml_that_is_no_list_of_keys_is_refused(write, text):
    assert "must hold `key: value` lines" in fault(write(text))


def test_bytes_that_are_no_text_are_refused(write):
    assert "cannot be read" in fault(write(b"\xff\xfe\x00\x01\xe0"))


def test_a_folder_instead_of_a_file_is_refused(tmp_path):
    assert "cannot be read" in fault(tmp_path)


def test_no_is_a_word_and_not_false(write):
    config = load_config(write(GOOD.replace("operator: MAG", "operator: NO")))
    assert config.deliveries[0].operator == "NO"


def test_the_nearest_word_is_proposed_or_all_are_listed():
    assert did_you_mean("overlps", ("areas", "overlaps")) == "; did you mean 'overlaps'?"
    assert did_you_mean("zzz", ("areas", "overlaps")) == "; known are areas, overlaps"


def test_a_configuration_does_not_change_once_it_is_read(write):
    config = load_config(write(GOOD))
    with pytest.raises(ValueError, match="frozen"):
        config.workers = 7


# The policy: figures and rules that people decide on.


@pytest.fixture
def policy_text():
    return shipped("policies/default.yaml").read_text(encoding="utf-8")


def test_the_default_policy_has_no_tolerance_in_force():
    policy = load_policy()
    assert policy.tolerances == ()
    assert policy.why_no_tolerance(dt.date(2026, 6, 1))
    assert policy.very_thin.area_m2 == 5.0


def test_every_code_of_the_table_has_one_meaning():
    codes = {}
    for rule in load_policy().findings:
        meaning = (rule.severity, rule.counted, rule.sentence)
        assert codes.setdefault(rule.code, meaning) == meaning
    assert set(load_policy().sentences) == set(codes)


def test_groups_of_kinds_are_spelled_out():
    rule = FindingRule(a="hazard", b=["released", "TASK"], code="x", severity="note", sentence="x")
    assert set(rule.a) == HAZARD_KINDS
    assert set(rule.b) == RELEASED_KINDS | {Kind.TASK}
    assert rule.counted
    assert set(FindingRule(a="any", b="CHA", code="x", severity="note", sentence="x").a) == set(Kind)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("near_equal_iou: 0.9", "near_equal_iou: 0.4", "near_equal_iou"),
        ("near_equal_iou: 0.9", "near_equal_iou: 1.0", "near_equal_iou"),
        ("cover_tolerance_m: 0.02", "cover_tolerance_m: -1", "cover_tolerance_m"),
        ("cover_tolerance_m: 0.02", "cover_tolerance: 0.02", "cover_tolerance"),
        ("order: b_first", "order: b_frist", "order"),
        ("severity: alarm", "severity: alarming", "severity"),
        ("a: [CHA]", "a: [CHAOS]", "findings"),
        ("when: [b_shallow]", "when: [b_deep]", "when"),
        ("b: [any], operators: same", "b: [any], operator: same", "did you mean 'operators'?"),
        ("name: default", "nam: default", "nam"),
    ],
)
def test_a_wrong_figure_or_rule_of_a_policy_is_told(write, policy_text, old, new, said):
    assert old in policy_text
    changed = policy_text.replace(old, new, 1)
    line = 1 + policy_text[: policy_text.index(old)].count("\n")
    told = fault(write(changed), Policy)
    assert said in told
    assert f", line {line}: " in told or "is missing" in told


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("very_thin: {", "very_thin: {area_m: 5.0, ", "area_m2"),
        ("CHA: {least_m2:", "CHA: {least: 1, least_m2:", "least_m2"),
        ("  deepest_cm: 1000.0", "  deepest_m: 10\n  deepest_cm: 1000.0", "deepest_cm"),
    ],
)
def test_an_unknown_key_inside_another_is_compared_with_the_keys_there(write, policy_text, old, new, meant):
    assert old in policy_text
    assert f"did you mean {meant!r}?" in fault(write(policy_text.replace(old, new)), Policy)


def test_a_policy_without_rules_is_refused(write, policy_text):
    head = policy_text[: policy_text.index("findings:\n  -")]
    assert "findings" in fault(write(head + "findings: []\n"), Policy)
    assert "findings" in fault(write(head), Policy)


def test_the_shipped_files_are_there_and_others_are_not():
    assert load_vocabulary().kinds[Kind.CHA]
    with pytest.raises(ConfigError, match="Install geopipe again"):
        shipped("policies/nowhere.yaml")


@pytest.mark.parametrize("name", ["demo.yaml", "lao.yaml"])
def test_the_shipped_profiles_are_good_configurations(name):
    assert load_config(shipped(name)).deliveries


@pytest.mark.parametrize("period", ["spring", "2026-Q5", "Q1 2026"])
def test_a_period_that_is_none_is_told_before_anything_is_read(period, tmp_path):
    spec = DeliverySpec(path=tmp_path / "not there.gpkg", period=period)
    with pytest.raises(ConfigError, match=f"'{period}' is not a period"):
        read_deliveries(Config(deliveries=(spec,)))


def test_a_period_as_people_write_it_is_taken(tmp_path):
    periods = ["2026", "2026-Q1", "2026-03"]
    specs = [DeliverySpec(path=tmp_path / f"not there {p}.gpkg", period=p) for p in periods]
    state = read_deliveries(Config(deliveries=specs, confirmations=None))
    assert [delivery.period for delivery in state.deliveries] == periods


def test_where_nothing_is_known_nothing_is_proposed():
    assert did_you_mean("MAG", ()) == ""
    assert did_you_mean("XYZ", ("MAG", "HALO")) == "; known are MAG, HALO"
