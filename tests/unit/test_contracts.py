"""Schemas of machine-readable outputs: sound, made from one source, and never changed under one version."""

import pytest
from draft_schema import as_text, draft, feed_schemas, hash_of, locked
from jsonschema import Draft202012Validator

from geopipe import contracts
from geopipe.contracts import load_schema, newest_schema, schema_names, schema_text


@pytest.mark.parametrize("name", schema_names())
def test_a_schema_is_sound_and_bears_its_name(name):
    schema = load_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:geopipe:schema:{name}"
    assert schema["properties"]["schema"] == {"const": name}
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("name", schema_names())
def test_a_version_that_is_locked_has_not_changed(name):
    """To change an output: add NAME.v2.schema.json and `python tests/draft_schema.py --lock`."""
    assert locked()[name] == hash_of(name)


def test_no_locked_version_is_gone():
    assert set(locked()) == set(schema_names())


@pytest.mark.parametrize("name", sorted(feed_schemas()))
def test_the_schema_of_a_feed_is_that_of_its_columns(name):
    """To change a column: raise the version of its table, then tests/draft_schema.py --feeds --lock."""
    assert schema_text(name) == as_text(feed_schemas()[name])


def test_the_newest_version_is_named(monkeypatch):
    contracts._versions.cache_clear()
    monkeypatch.setattr(contracts, "schema_names", lambda: ("a.v1", "a.v2", "a.v10", "b-c.v1"))
    assert [newest_schema(name) for name in ("a", "b-c", "new")] == ["a.v10", "b-c.v1", "new.v1"]
    contracts._versions.cache_clear()


class TestDrafting:
    SAMPLES = (
        {"schema": "x.v1", "n": 1, "m": {"MAG": 1}, "rows": [{"a": None, "b": 1}]},
        {"schema": "x.v1", "n": 1.5, "m": {"HALO": 2}, "rows": [{"a": "t"}, {"a": "u", "b": 2}]},
    )

    def test_all_samples_are_valid(self):
        schema = draft(self.SAMPLES, ["m"])
        for sample in self.SAMPLES:
            Draft202012Validator(schema).validate(sample)

    def test_keys_that_are_data_may_be_others(self):
        schema = draft(self.SAMPLES, ["m"])
        other = {**self.SAMPLES[0], "m": {"NPA": 3}}
        assert Draft202012Validator(schema).is_valid(other)
        assert not Draft202012Validator(draft(self.SAMPLES)).is_valid(other)

    def test_what_is_not_always_there_is_not_required(self):
        row = draft(self.SAMPLES)["properties"]["rows"]["items"]
        assert row["required"] == ["a"]
        assert row["properties"]["a"] == {"type": ["null", "string"]}
