"""Every command explains itself, with an example to copy, and the README knows all of them."""

import re
import shlex

import click
import pytest
from conftest import REPOSITORY, call

from geopipe.cli.main import COMMANDS, cli


def command_of(name):
    return cli.get_command(click.Context(cli), name)


def test_the_list_of_commands_says_what_each_is_for():
    ran = call("--help")
    assert ran.code == 0
    for name in COMMANDS:
        line = next(line for line in ran.lines if line.split()[:1] == [name])
        assert len(line.split()) > 3, line
    assert "geopipe compare uxolao.shp mag.gpkg -o out" in ran.out
    assert "Exit codes" in ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name):
    ran = call(name, "--help")
    assert ran.code == 0
    examples = [line.strip() for line in ran.out.partition("Example")[2].splitlines()]
    assert [line for line in examples if line.startswith(f"geopipe {name}") or f"&& geopipe {name}" in line]
    assert "\\b" not in ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name):
    for option in command_of(name).params:
        if isinstance(option, click.Option) and option.name != "help":
            assert option.help, option.name


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_use_only_options_that_exist(name):
    for line in call(name, "--help").out.partition("Example")[2].splitlines():
        for said in line.split("&&"):
            words = said.split()
            if words[:1] != ["geopipe"]:
                continue
            known = {flag for option in command_of(words[1]).params for flag in option.opts}
            assert {word for word in words[2:] if word.startswith("-")} <= known, said


def test_short_help_flag_and_version_work():
    assert call("-h").out == call("--help").out
    ran = call("--version")
    assert ran.code == 0
    assert re.fullmatch(r"geopipe, version \d+\.\d+\.\d+\S*\n", ran.out)


def readme_text():
    return (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_mentions_every_command(name):
    assert re.search(rf"geopipe {name}\b|`{name}`", readme_text())


def test_commands_in_the_readme_exist_with_their_options():
    lines = [line.strip() for line in readme_text().splitlines()]
    commands = [shlex.split(line) for line in lines if re.match(r"(\.venv/bin/)?geopipe \w+", line)]
    assert commands
    for words in commands:
        assert words[1] in COMMANDS, words
        known = {flag for option in command_of(words[1]).params for flag in option.opts}
        assert {word for word in words[2:] if word.startswith("-")} <= known, words
