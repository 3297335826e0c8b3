"""How the nightly run is started: read back as systemd, a shell and Windows read it, with difficult names."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import PurePath

import pytest
from conftest import call

NAMES = ["nightly", "two words", "ງານກາງຄືນ", "50%h of $HOME", 'it\'s "so" \\n']
SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


@pytest.fixture(params=NAMES)
def config(request, tmp_path):
    folder = tmp_path / request.param
    for name in ("in box", "work", "out"):
        (folder / name).mkdir(parents=True)
    config = folder / f"{request.param}.yaml"
    config.write_text('deliveries: [{path: "in box"}]\nworkspace: work\noutput: out\n', encoding="utf-8")
    return config


def printed(system, config, *more):
    ran = call("install-schedule", "--print", system, config, "--json", *more)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def entry(text, name):
    return re.search(rf"^{name}=(.*)$", text, re.MULTILINE)[1]


def words_of_systemd(line):
    """Split a command as systemd.service(5) says: C-style quotes, %% and $$; one alone stands for a value."""
    assert not re.search(r"%|\$", line.replace("%%", "").replace("$$", ""))
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]


def command(config):
    return [sys.executable, "-I", "-X", "utf8", "-m", "geopipe", "run", str(config), "--nightly"]


def test_the_service_runs_the_configuration_and_writes_only_where_it_must(config):
    service, timer = printed("systemd", config, "--at", "01:30")["files"].values()
    assert words_of_systemd(entry(service, "ExecStart")) == command(config)
    writable = words_of_systemd(entry(service, "ReadWritePaths").replace("$", "$$"))
    assert writable == [str(config.parent / name) for name in ("work", "out")]
    assert entry(service, "SuccessExitStatus") == "4 5"
    assert entry(service, "User") == "geopipe"
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "Nice=10"):
        assert f"\n{line}\n" in service
    assert entry(timer, "OnCalendar") == "*-*-* 01:30:00"
    assert entry(timer, "Persistent") == "true"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_finds_no_fault_in_the_units(config, tmp_path):
    units = tmp_path / "units"
    units.mkdir()
    for name, text in printed("systemd", config)["files"].items():
        # root is a user that every system has
        (units / PurePath(name).name).write_text(text.replace("User=geopipe", "User=root"), encoding="utf-8")
    verify = ["systemd-analyze", "verify", "--recursive-errors=no", *map(str, sorted(units.iterdir()))]
    done = subprocess.run(verify, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_cron_hands_the_shell_the_words_of_the_command(config):
    (line,) = printed("cron", config, "--at", "02:05")["files"].values()
    minute, hour, *days, rest = line.split(" ", 5)
    assert (minute, hour, days) == ("5", "2", ["*", "*", "*"])
    assert "%" not in rest.replace(r"\%", "")  # cron would end the line there
    said = subprocess.run(
        ["sh", "-c", rest.replace(r"\%", "%").replace("nice -n 10", "printf '%s\\n'", 1)],
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert said.stdout.splitlines() == command(config)


def words_of_windows(line):
    """Split a command line as programs on Windows do."""
    words, word, quoted, slashes, begun = [], "", False, 0, False
    for sign in line + " ":
        if sign == "\\":
            slashes, begun = slashes + 1, True
            continue
        if sign == '"':
            word += "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            else:
                quoted, begun = not quoted, True
        else:
            word += "\\" * slashes
            if sign == " " and not quoted:
                if begun:
                    words.append(word)
                word, begun = "", False
            else:
                word, begun = word + sign, True
        slashes = 0
    return words


def test_the_task_of_windows_is_plain_ascii_and_keeps_every_name(config):
    (text,) = printed("windows", config, "--at", "23:59")["files"].values()
    assert text.isascii()
    task = ElementTree.fromstring(text)
    inside = {node.tag.removeprefix(SPACE): node.text for node in task.iter()}
    assert [inside["Command"], *words_of_windows(inside["Arguments"])] == command(config)
    assert inside["StartBoundary"].endswith("T23:59:00")
    assert inside["RunLevel"] == "LeastPrivilege"
    assert inside["MultipleInstancesPolicy"] == "IgnoreNew"


def test_files_go_to_the_standard_output_and_steps_beside_it(tmp_path):
    config = tmp_path / "n.yaml"
    config.write_text("deliveries: [{path: inbox}]\n", encoding="utf-8")
    ran = call("install-schedule", "--print", "windows", config)
    ElementTree.fromstring(ran.out)
    assert "schtasks /Create" in ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["n.yaml"], "nothing is installed or made"


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--at", "25:00", "no time of the day"),
        ("--at", "2:00", "no time of the day"),
        ("--user", "root", "not root"),
        ("--user", "a b", "cannot run it"),
    ],
)
def test_what_cannot_be_scheduled_is_said(tmp_path, option, value, told):
    config = tmp_path / "n.yaml"
    config.write_text("deliveries: [{path: inbox}]\n", encoding="utf-8")
    ran = call("install-schedule", "--print", "cron", config, option, value)
    assert ran.code == 2
    assert told in ran.err
