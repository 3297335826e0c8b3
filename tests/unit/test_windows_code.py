"""No line of geopipe asks for what Windows does not have."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "geopipe"
MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog", "crypt"}
NAMES = {
    "os.fork", "os.forkpty", "os.geteuid", "os.getuid", "os.getgid", "os.getegid", "os.chown", "os.lchown",
    "os.sync", "os.fdatasync", "os.mkfifo", "os.uname", "os.nice", "os.getloadavg", "os.killpg", "os.setsid",
    "os.sched_getaffinity", "os.statvfs", "os.fchmod", "os.pread", "os.pwrite", "os.O_DIRECTORY",
    "os.O_NOFOLLOW", "os.O_CLOEXEC", "signal.SIGKILL", "signal.SIGALRM", "signal.SIGHUP", "signal.alarm",
    "signal.setitimer", "signal.SIGUSR1", "time.tzset", "os.rename", "os.wait", "os.kill",
}  # fmt: skip
# Where the line before asks which system this is, and Windows goes another way.
GUARDED = {("unfinished.py", "os.kill"), ("io/memory.py", "resource")}
# What a process is and uses is looked up there; a system without it says nothing, and that is understood.
MAY_LACK = {"io/lock.py", "io/memory.py", "unfinished.py"}


def parsed():
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def asks_for(tree):
    """Return the modules that are imported and the names that are used, as `os.fork`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def test_nothing_that_only_unix_has_is_asked_for():
    wrong = [(name, asked) for name, tree in parsed() for asked in asks_for(tree) if asked in MODULES | NAMES]
    assert set(wrong) <= GUARDED


def test_no_folder_of_unix_is_named():
    wrong = [
        (name, node.lineno)
        for name, tree in parsed()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and name not in MAY_LACK
        and node.value.startswith(("/tmp", "/dev/", "/proc/", "/var/"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import fcntl", ["fcntl"]),
        ("from os import fork", ["os.fork"]),
        ("import os; os.geteuid()", ["os.geteuid"]),
        ("import signal; x = signal.SIGKILL", ["signal.SIGKILL"]),
        ("import os; os.replace(a, b)", []),
    ],
)
def test_the_test_itself_sees_what_it_is_for(code, found):
    assert [asked for asked in asks_for(ast.parse(code)) if asked in MODULES | NAMES] == found
