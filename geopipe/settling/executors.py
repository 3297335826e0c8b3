"""Who settles parts: this process and others of this machine, or the workers of a cluster."""

from __future__ import annotations

import contextlib
import queue
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from importlib import import_module
from typing import Any, Protocol, TypeVar

from geopipe.errors import ConfigError, MemoryShortError
from geopipe.io.readerprocess import Reader, ReaderDiedError

Item = TypeVar("Item")
Made = TypeVar("Made")
_SPELLED = "Write dask-local:N for N processes of this machine, or dask://HOST:PORT for a cluster."
# A part on which so many workers die is not tried again: the second one has done nothing else before.
_TRIES = 2
_MORE_MEMORY = (
    "Nothing was changed. Close other programs, set `workers: 1` or a smaller `areas_in_a_part`, "
    "and do this again."
)
_LONGEST_S = 24 * 3600.0
_ANSWERS_WITHIN_S = 10


class Lost:
    """Stands for the result of an item over which every process died that worked on it."""


LOST = Lost()


class Executor(Protocol):
    """Applies a function to items, anywhere, and returns the results in the order of the items."""

    def map(self, function: Callable[[Item], Made], items: Sequence[Item]) -> Iterator[Made | Lost]:
        """Yield the result for each item; LOST for one that kills whoever works on it."""
        ...


class Here:
    """Works in processes of this machine, never in this one: what kills a process costs one item."""

    def __init__(self, processes: int) -> None:
        self._workers = [Worker() for _ in range(max(1, processes))]

    def map(self, function: Callable[[Item], Made], items: Sequence[Item]) -> Iterator[Made | Lost]:
        """Yield the result for each item; LOST for one that kills whoever works on it."""
        waiting = queue.SimpleQueue[int]()
        for number in range(len(items)):
            waiting.put(number)
        results: dict[int, Made | Lost] = {}

        def work(worker: Worker) -> None:
            with contextlib.suppress(queue.Empty):
                while True:
                    number = waiting.get_nowait()
                    results[number] = worker.do(function, items[number])

        workers = self._workers[: max(1, len(items))]
        with ThreadPoolExecutor(len(workers)) as pool:
            for done in [pool.submit(work, worker) for worker in workers]:
                done.result()
        return (results[number] for number in range(len(items)))

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.close()


class Worker:
    """A process that applies functions, and is replaced when it dies."""

    def __init__(self) -> None:
        self._process = Reader(takes_over=True)

    def do(self, function: Callable[[Any], Any], item: object) -> Any:
        """Return the result for an item; LOST where a process that has done nothing else dies of it, too.

        Raises
        ------
        MemoryShortError
            When processes die because the machine has no memory left: that is no record's fault.
        """
        name = f"{function.__module__}:{function.__qualname__}"
        for _ in range(_TRIES):
            with contextlib.suppress(ReaderDiedError):
                return self._process.ask(name, (item,), _LONGEST_S)
        if self._process.out_of_memory or self._process.was_killed:
            what = "a process that measures records was ended from outside, most likely for want of memory"
            raise MemoryShortError(what, remedy=_MORE_MEMORY)
        return LOST

    def close(self) -> None:
        """End the process."""
        self._process.retire()


class Dask:
    """Hands items to Dask workers; an item whose worker is lost goes to another one."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def map(self, function: Callable[[Item], Made], items: Sequence[Item]) -> Iterator[Made | Lost]:
        """Yield the result for each item; LOST for one that kills whoever works on it."""
        # One by one: a thousand parts together would be one large message.
        futures = [self.client.submit(function, item, pure=False, retries=_TRIES) for item in items]
        died = import_module("distributed").KilledWorker
        for future in futures:
            try:
                yield future.result()
            except died:
                yield LOST


def executor(name: str | None, processes: int) -> AbstractContextManager[Executor]:
    """Return who settles: processes of this machine (None), `dask-local:N`, or `dask://HOST:PORT`.

    Raises
    ------
    ConfigError
        When the name is none of these, dask is not installed, or the cluster does not answer.
    """
    if name is None:
        return closing(Here(processes))
    if local := re.fullmatch(r"dask-local:([1-9]\d{0,2})", name):
        return _dask(None, int(local[1]))
    if cluster := re.fullmatch(r"dask://([^\s/]+:\d+)", name):
        return _dask(f"tcp://{cluster[1]}", 0)
    raise ConfigError("there is no such executor", name, _SPELLED)


@contextmanager
def _dask(address: str | None, workers: int) -> Iterator[Executor]:
    """Connect to a cluster, or start one of processes on this machine that ends with this block."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise ConfigError(
            "dask is not installed", "the executor", "Install it: pip install 'geopipe[dask]'."
        ) from error
    if address is None:
        own = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
        with (
            distributed.LocalCluster(n_workers=workers, **own) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield Dask(client)
        return
    try:
        client = distributed.Client(address, timeout=_ANSWERS_WITHIN_S)
    except (OSError, TimeoutError) as error:
        raise ConfigError(f"no scheduler answers ({error})", address, "Is it running?") from error
    with client:
        yield Dask(client)
