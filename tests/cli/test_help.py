"""Every command explains itself, with an example to copy, and the README knows all of them."""

import re
import shlex

import click
import pytest
from conftest import REPOSITORY, call

from geopipe.cli.main import COMMANDS, cli

PAGES = ("README.md", "GUIDE.md", "REGISTER.md", "OPERATION.md", "INSTALL.md")


def command_of(name):
    return cli.get_command(click.Context(cli), name)


def walked(words):
    """Follow the words behind `geopipe` into groups; return the command and what follows its name."""
    command, rest = command_of(words[0]), list(words[1:])
    while isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    return command, rest


def unknown_options(words):
    command, rest = walked(words)
    known = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    return {word for word in rest if word.startswith("-") and not word[1:2].isdigit()} - known


def everything():
    """Every command and every command of a group, as people type it."""
    for name in COMMANDS:
        yield name
        command = command_of(name)
        if isinstance(command, click.Group):
            yield from (f"{name} {inner}" for inner in command.commands)


def test_the_list_of_commands_says_what_each_is_for():
    ran = call("--help")
    assert ran.code == 0
    for name in COMMANDS:
        line = next(line for line in ran.lines if line.split()[:1] == [name])
        assert len(line.split()) > 3, line
    assert "geopipe compare uxolao.shp mag.gpkg -o out" in ran.out
    assert "Exit codes" in ran.out


@pytest.mark.parametrize("name", list(everything()))
def test_every_command_has_help_with_an_example(name):
    ran = call(*name.split(), "--help")
    assert ran.code == 0
    assert "\\b" not in ran.out
    if isinstance(walked(name.split())[0], click.Group):
        return  # its commands have the examples
    examples = [line.strip() for line in ran.out.partition("Example")[2].splitlines()]
    assert [line for line in examples if line.startswith(f"geopipe {name}") or f"&& geopipe {name}" in line]


@pytest.mark.parametrize("name", list(everything()))
def test_every_option_says_what_it_does(name):
    for option in walked(name.split())[0].params:
        if isinstance(option, click.Option) and option.name != "help":
            assert option.help, option.name


@pytest.mark.parametrize("name", list(everything()))
def test_examples_use_only_options_that_exist(name):
    for line in call(*name.split(), "--help").out.partition("Example")[2].splitlines():
        for said in line.split("&&"):
            words = said.split()
            if words[:1] == ["geopipe"]:
                assert not unknown_options(words[1:]), said


def test_short_help_flag_and_version_work():
    assert call("-h").out == call("--help").out
    ran = call("--version")
    assert ran.code == 0
    assert re.fullmatch(r"geopipe, version \d+\.\d+\.\d+\S*\n", ran.out)


def readme_text():
    """What people read first: the README, and the pages that it names."""
    return "\n".join((REPOSITORY / name).read_text(encoding="utf-8") for name in PAGES)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_mentions_every_command(name):
    assert re.search(rf"geopipe {name}\b|`{name}`", readme_text())


def test_commands_in_the_readme_exist_with_their_options():
    lines = [line.strip() for line in readme_text().splitlines()]
    commands = [shlex.split(line) for line in lines if re.match(r"(\.venv/bin/)?geopipe \w+", line)]
    assert commands
    for words in commands:
        assert words[1] in COMMANDS, words
        assert not unknown_options(words[1:]), words
