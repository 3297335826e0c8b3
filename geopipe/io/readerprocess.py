"""A process that reads files: asked through a pipe, ended when it takes too long, replaced when it dies."""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geopipe.errors import GeopipeError
from geopipe.io.answers import Failure
from geopipe.io.environment import gdal_environment
from geopipe.io.memory import OUT_OF_MEMORY, own_bytes

_LOOK_EVERY_S = 0.25
_NEARLY = 0.9
_KILLED = -9  # SIGKILL, as POSIX tells it
_ENDING_S = 0.2

# Processes that were started before anybody knew what they will be asked, and the folder that they work in.
_WARM: list[tuple[Path, subprocess.Popen[bytes]]] = []
# Processes that have answered others and wait for more, where somebody keeps them: see `kept_waiting`.
_WAITING: list[tuple[Path, subprocess.Popen[bytes]]] = []
_KEEPERS: list[int] = []
# One that has grown beyond this is ended: it does not give its memory back.
_MOST_WAITING_BYTES = 256 << 20


def warm_up(count: int, prepared_by: str) -> None:
    """Start reader processes before they are needed, while this one still loads its own libraries.

    Parameters
    ----------
    count : int
    prepared_by : str
        `module:name` of what each process calls before it waits for its first request.
    """
    module, _, function = prepared_by.partition(":")
    if not _WARM:
        atexit.register(_end_warm)
    first = f"from {module} import {function}; {function}(); "
    _WARM.extend((Path.cwd(), _start_process(first)) for _ in range(count))


def _end_warm() -> None:
    """End the processes that nobody has asked anything."""
    while _WARM:
        _end(_WARM.pop()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()


@contextmanager
def kept_waiting(for_later: int = 0) -> Iterator[None]:
    """Let processes that retire inside wait for others that need one; at the end they are ended.

    Parameters
    ----------
    for_later : int
        How many, the smallest ones, go on waiting when such a block inside this one has ended.
    """
    _KEEPERS.append(for_later)
    try:
        yield
    finally:
        _KEEPERS.remove(for_later)
        _WAITING.sort(key=lambda waiting: own_bytes(waiting[1]))
        while len(_WAITING) > max(_KEEPERS, default=0):
            _end(_WAITING.pop()[1])


def is_one_waiting() -> bool:
    """Say whether a process that has answered others waits for more."""
    return bool(_WAITING)


def _one_of(processes: list[tuple[Path, subprocess.Popen[bytes]]]) -> subprocess.Popen[bytes] | None:
    """Return a process that waits, in the folder in which names of files are meant now; None without one."""
    while processes:
        where, process = processes.pop()
        if where == Path.cwd():
            return process
        _end(process)
    return None


def _start_process(first: str) -> subprocess.Popen[bytes]:
    """Start a process that runs some code and then waits for requests."""
    # Not multiprocessing: its spawn runs the user's own script again, and imports what that imports.
    path = f"import sys; sys.path[:] = {sys.path!r}; "
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-X", "utf8", "-c", f"{path}from geopipe.io.child import serve; {first}serve()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=gdal_environment(os.environ),
    )


class ReaderDiedError(Exception):
    """A reader process ended before it answered."""


class ReaderFaultError(Exception):
    """A fault of geopipe's own code in a reader process; `trace` says where."""

    def __init__(self, name: str, text: str, trace: str) -> None:
        super().__init__(name, text, trace)
        self.trace = trace

    def __str__(self) -> str:
        return self.trace


def _told(answer: object) -> object:
    """Return an answer; raise what a process answers that could not do what it was asked."""
    if isinstance(answer, GeopipeError):
        raise answer
    if isinstance(answer, Failure):
        raise ReaderFaultError(answer.name, answer.text, answer.trace)
    return answer


class Reader:
    """One reader process, started when it is first needed and again after each death.

    Parameters
    ----------
    takes_over : bool
        The first process may be one that has answered others before; after a death it is always a new one.
    """

    def __init__(self, takes_over: bool = False) -> None:
        self._takes_over = takes_over
        self._is_asked = False
        self.process: subprocess.Popen[bytes] | None = None
        self.out_of_time = False
        self.out_of_memory = False
        self.was_killed = False
        self.retired = False

    def ask(
        self, name: str, arguments: tuple[object, ...], seconds: float, memory_bytes: int | None = None
    ) -> object:
        """Return the answer of a function in the process; raise ReaderDiedError when none comes.

        A process that takes longer, or more memory of its own, is ended.
        """
        with self._watched(seconds, memory_bytes) as process:
            self._send(process, name, arguments)
            answer = self._received(process)
        return _told(answer)

    def begin(self, name: str, arguments: tuple[object, ...], seconds: float) -> None:
        """Let a function in the process begin, and do not wait for its answer; see `answer`.

        Raises ReaderDiedError when the process does not take the arguments.
        """
        with self._watched(seconds) as process:
            self._send(process, name, arguments)

    def answer(self, seconds: float) -> object:
        """Return the answer of the function that was begun; raise ReaderDiedError when none comes in time."""
        if self.process is None:
            raise ReaderDiedError
        with self._watched(seconds) as process:
            answer = self._received(process)
        return _told(answer)

    @contextmanager
    def _watched(self, seconds: float, memory_bytes: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Give the process, which is ended when what is done inside takes longer, or it takes more memory."""
        if self.retired:
            raise ReaderDiedError
        process = self.process or self._start()
        self.out_of_time = self.out_of_memory = self.was_killed = False
        answered = threading.Event()
        watch = threading.Thread(
            target=self._watch, args=(process, answered, seconds, memory_bytes), daemon=True
        )
        watch.start()
        try:
            yield process
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(_ENDING_S)
                self.out_of_memory |= code == OUT_OF_MEMORY
                # No fault in a library does that: somebody did, or a system that had no memory left.
                self.was_killed = code == _KILLED and not self.out_of_time
            self.close()
            raise ReaderDiedError from error
        finally:
            answered.set()
            watch.join()

    def _send(self, process: subprocess.Popen[bytes], name: str, arguments: tuple[object, ...]) -> None:
        self._is_asked = True
        if process.stdin is None:
            raise ReaderDiedError
        pickle.dump((name, arguments), process.stdin)
        process.stdin.flush()

    def _received(self, process: subprocess.Popen[bytes]) -> object:
        if process.stdout is None:
            raise ReaderDiedError
        answer: object = pickle.load(process.stdout)  # noqa: S301
        self._is_asked = False
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        used = _one_of(_WAITING) if self._takes_over else None
        self._takes_over = False
        self.process = used or _one_of(_WARM) or _start_process("")
        return self.process

    def _watch(
        self,
        process: subprocess.Popen[bytes],
        answered: threading.Event,
        seconds: float,
        memory_bytes: int | None,
    ) -> None:
        """End a process that takes too long or too much, unless it has answered."""
        late = time.monotonic() + seconds
        while not answered.wait(min(_LOOK_EVERY_S, max(late - time.monotonic(), 0))):
            self.out_of_time = time.monotonic() >= late
            used = own_bytes(process) if memory_bytes is not None else 0
            # A library that finds no memory may crash before the limit itself is reached.
            self.out_of_memory |= memory_bytes is not None and used > memory_bytes * _NEARLY
            if self.out_of_time or (memory_bytes is not None and used > memory_bytes):
                process.kill()
                return

    def retire(self) -> None:
        """End the process for good, or let it wait for others where somebody keeps it."""
        self.retired = True
        process = self.process
        if _KEEPERS and process and not self._is_asked and own_bytes(process) <= _MOST_WAITING_BYTES:
            self.process = None
            _WAITING.append((Path.cwd(), process))
        self.close()

    def close(self) -> None:
        """End the process."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    # A pipe whose reader is gone has nothing left to flush.
                    with contextlib.suppress(OSError):
                        pipe.close()
            process.wait()
