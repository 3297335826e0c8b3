"""What commands answer with --json is what their schemas promise."""

import copy

import click
import pytest
from conftest import require_as_promised
from every_answer import whole_day

from geopipe.cli.main import COMMANDS, cli
from geopipe.contracts import load_schema, schema_names


@pytest.fixture(scope="module")
def answers(small_demo, tmp_path_factory):
    """Return (words, answer) of every command that can answer as JSON; each was held against its schema."""
    return whole_day(tmp_path_factory.mktemp("day"), small_demo)


def answering():
    """The words of all commands that have --json."""
    waiting = [((name,), cli.get_command(click.Context(cli), name)) for name in COMMANDS]
    while waiting:
        words, command = waiting.pop()
        if any(option.name == "as_json" for option in command.params):
            yield words
        if isinstance(command, click.Group):
            waiting += [((*words, name), inner) for name, inner in command.commands.items()]


def test_every_command_that_can_answer_was_asked(answers):
    asked = {tuple(map(str, words[:length])) for words, _ in answers for length in (1, 2)}
    assert [words for words in answering() if words not in asked] == []


def test_every_answer_names_a_schema_that_is_shipped(answers):
    assert {told["schema"] for _, told in answers} <= set(schema_names())


def test_every_schema_but_those_of_files_is_that_of_an_answer(answers):
    given = {told["schema"] for _, told in answers}
    unused = {name for name in schema_names() if not name.startswith("feed-")} - given
    assert unused == {"demo-faults.v1"}, "its demo takes long; tests of the command ask for it"


def test_an_answer_that_changed_without_a_new_version_is_noticed(answers):
    for _, told in answers:
        for change in (_with_more, _without_something, _with_another_type):
            changed = change(copy.deepcopy(told))
            with pytest.raises(AssertionError):
                require_as_promised(changed)


def _with_more(told):
    told["something_new"] = 1
    return told


def _without_something(told):
    del told[_promised(told)]
    return told


def _with_another_type(told):
    name = _promised(told)
    told[name] = [1] if isinstance(told[name], dict) else {"a": [1]}
    return told


def _promised(told):
    """A value that the schema requires."""
    schema = load_schema(told["schema"])
    return next(name for name in schema["required"] if "type" in schema["properties"][name])
