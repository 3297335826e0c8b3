"""Who settles parts: this process and others of this machine, or the workers of a cluster."""

from __future__ import annotations

import contextlib
import queue
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Any, Protocol, TypeVar

from geopipe.errors import ConfigError, GeopipeError
from geopipe.io.readerprocess import Reader, ReaderDiedError

Item = TypeVar("Item")
Made = TypeVar("Made")
_SPELLED = "Write dask-local:N for N processes of this machine, or dask://HOST:PORT for a cluster."
# A part on which so many workers die is not tried again.
_TRIES = 3
_LONGEST_S = 24 * 3600.0
_ANSWERS_WITHIN_S = 10


class Executor(Protocol):
    """Applies a function to items, anywhere, and returns the results in the order of the items."""

    def map(self, function: Callable[[Item], Made], items: Sequence[Item]) -> Iterator[Made]:
        """Yield the result for each item."""
        ...


class Here:
    """Works in this process, and beside it in others of this machine."""

    def __init__(self, processes: int) -> None:
        self._processes = processes

    def map(self, function: Callable[[Item], Made], items: Sequence[Item]) -> Iterator[Made]:
        """Yield the result for each item."""
        name = f"{function.__module__}:{function.__qualname__}"
        waiting = queue.SimpleQueue[int]()
        for number in range(len(items)):
            waiting.put(number)
        results: dict[int, Made] = {}

        def work(do: Callable[[Item], Made]) -> None:
            with contextlib.suppress(queue.Empty):
                while True:
                    number = waiting.get_nowait()
                    results[number] = do(items[number])

        helpers = min(self._processes, len(items)) - 1
        with ThreadPoolExecutor(max(1, helpers)) as pool:
            others = [pool.submit(_beside, name, work) for _ in range(helpers)]
            work(function)
            for other in others:
                other.result()
        return (results[number] for number in range(len(items)))


def _beside(name: str, work: Callable[[Callable[[Any], Any]], None]) -> None:
    """Let a process of its own do a share of the work."""
    process = Reader()

    def do(item: object) -> Any:
        for _ in range(_TRIES):
            with contextlib.suppress(ReaderDiedError):
                return process.ask(name, (item,), _LONGEST_S)
        raise GeopipeError(
            "a process that settles records has died several times", remedy="Please report it."
        )

    try:
        work(do)
    finally:
        process.retire()


class Dask:
    """Hands items to Dask workers; an item whose worker is lost goes to another one."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def map(self, function: Callable[[Item], Made], items: Sequence[Item]) -> Iterator[Made]:
        """Yield the result for each item."""
        # One by one: a thousand parts together would be one large message.
        futures = [self.client.submit(function, item, pure=False, retries=_TRIES) for item in items]
        for future in futures:
            yield future.result()


def executor(name: str | None, processes: int) -> AbstractContextManager[Executor]:
    """Return who settles: processes of this machine (None), `dask-local:N`, or `dask://HOST:PORT`.

    Raises
    ------
    ConfigError
        When the name is none of these, dask is not installed, or the cluster does not answer.
    """
    if name is None:
        return nullcontext(Here(processes))
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
