"""Runs that die at a chosen moment, before a call that changes the disk or inside a commit; full disks.

A helper process loads the libraries once and is forked for each run, which takes a tenth of a new start.
"""

import json
import subprocess
import sys

DIED = 9
# Dies before the given call of those that change names or contents on the disk; SQLite says each statement.
_SCRIPT = """
import importlib, json, os, pkgutil, resource, signal, sys, tempfile, threading, time
from pathlib import Path
import sqlite3
from geopipe.config import load_config
from geopipe.io.vector import Answer
from geopipe.io.ledgers import backups, registerfile
from geopipe.preparation import one, together
from geopipe.running import run_and_keep
from geopipe.cli.main import main
from geopipe import pipeline, steps
import geopipe, filelock, pyogrio, pyproj, rtree.index, typst, xlsxwriter

for item in pkgutil.walk_packages(geopipe.__path__, "geopipe."):
    importlib.import_module(item.name)

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CALLS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod"}
STATEMENTS = ("BEGIN", "COMMIT", "ROLLBACK", "INSERT", "CREATE", "PRAGMA user_version =")

class Dying:
    def __init__(self, at, within_commit_s, told):
        self.left, self.within_commit_s, self.told = at, within_commit_s, told

    def step(self, what):
        if self.told is not None:
            self.told.append(what)
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                os._exit(9)

    def hook(self, event, arguments):
        if event in CALLS:
            self.step(event)
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING:
            self.step("open")

    def statement(self, text):
        if text.startswith(STATEMENTS):
            self.step("sql " + text.split()[0])
        if text.startswith("COMMIT") and self.within_commit_s is not None:
            sys.setswitchinterval(1e-5)
            threading.Thread(target=lambda: (time.sleep(self.within_commit_s), os._exit(9))).start()

def in_this_process(function, requests, workdir, _workers, limits):
    for number, request in enumerate(requests):
        folder = Path(workdir).resolve() / f"read-{number}"
        folder.mkdir()
        yield Answer(one.prepare_source(request.source, folder, limits, *request.told), folder)

def settled_here(state, _deliveries, config, policy, *_):
    for stage in ("deduplicate", "history", "overlaps"):
        state = steps.advance(state, stage, config, policy)
    return state

# Files that processes only hand to each other are no matter of a run that dies: it leaves none.
pipeline.settle_in_parts = settled_here

def command(order):
    os.chdir(order["folder"])
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    together.ask_readers = in_this_process
    if order["after_s"] is not None:
        signal.setitimer(signal.ITIMER_REAL, order["after_s"])
    if order["limit"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["limit"],) * 2)
    sys.argv = ["geopipe", *order["words"]]
    main()

def run(order):
    if order["after_s"] is not None:
        # As abrupt as kill -9: the system ends the process, whatever it is at.
        signal.setitimer(signal.ITIMER_REAL, order["after_s"])
    told = [] if order["tell"] else None
    dying = Dying(order["at"], order["within_commit_s"], told)
    connect, fsync = sqlite3.connect, os.fsync
    def watched_connect(*given, **more):
        connection = connect(*given, **more)
        connection.set_trace_callback(dying.statement)
        return connection
    def watched_fsync(handle):
        dying.step("fsync")
        fsync(handle)
    sqlite3.connect, os.fsync = watched_connect, watched_fsync
    together.ask_readers = in_this_process
    sys.addaudithook(dying.hook)
    run_and_keep(load_config(Path(order["config"])))
    if told is not None:
        kept = list(told)
        with open(order["tell"], "w") as file:
            json.dump(kept, file)

one.get_ready()
for line in sys.stdin:
    order = json.loads(line)
    said, errors = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(errors, 2)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
        code = 1
        tempfile.tempdir = order["temporary"]
        try:
            command(order) if "words" in order else run(order)
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        except BaseException:
            import traceback
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    os.close(errors)
    with os.fdopen(said, encoding="utf-8") as pipe:
        text = pipe.read()
    _, status, used = os.wait4(child, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), text, used.ru_maxrss]), flush=True)
"""


class Runs:
    """Runs of `geopipe run` in forks of a process that is ready; close it at the end."""

    def __init__(self, temporary):
        temporary.mkdir(parents=True, exist_ok=True)
        self.temporary = temporary
        self.most_kib = 0  # the most memory of the last run
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip

    def run(self, config, at=None, after_s=None, within_commit_s=None, tell=None):
        """Run a configuration; return the exit code, which is `DIED` where it died before call `at`.

        With `after_s` the system ends it after so many seconds: `-signal.SIGALRM` where it was still at work.
        """
        order = {
            "config": str(config), "temporary": str(self.temporary), "at": at, "after_s": after_s,
            "within_commit_s": within_commit_s, "tell": tell and str(tell),
        }  # fmt: skip
        return self._answer(order)[0]

    def command(self, *words, folder, temporary=None, limit=None, after_s=None):
        """Run a command in a folder; return its exit code and what it said on stderr.

        `temporary` is its folder for temporary files, `limit` how many bytes a file may have;
        after `after_s` seconds the system ends it.
        """
        order = {
            "words": [*map(str, words)], "folder": str(folder), "limit": limit, "after_s": after_s,
            "temporary": str(temporary or self.temporary),
        }  # fmt: skip
        return self._answer(order)

    def _answer(self, order):
        print(json.dumps(order), file=self._process.stdin, flush=True)
        code, said, self.most_kib = json.loads(self._process.stdout.readline())
        return code, said

    def calls(self, config, folder):
        """Run undisturbed; return the calls at which a run can die."""
        told = folder / "calls.json"
        assert self.run(config, tell=told) == 0
        return json.loads(told.read_text(encoding="utf-8"))

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
