"""Reader processes that rest between two runs, in tests: starting one takes longer than most of its work."""

import os
import sys
import threading
from pathlib import Path
from typing import ClassVar

from geopipe.io import readerprocess
from geopipe.io.environment import gdal_environment
from geopipe.io.memory import own_bytes

# One that holds more than this of an earlier file would come to its limit of memory too early.
_LITTLE = 200 << 20
_MOST = 4


class RestingReader(readerprocess.Reader):
    """A reader whose process, where it is well at the end of a run, waits for the next run.

    It is asked again only where it would have been started alike, with the same variables and paths, and
    where no function of a test was at work in it. After a death the next process is a new one, as in a run.
    """

    resting: ClassVar[list] = []
    changing = threading.Lock()

    def __init__(self, takes_over=False):
        super().__init__(takes_over)
        self._is_first, self._is_ours, self._told = True, True, None
        self._asking = threading.Lock()

    def ask(self, name, *arguments):
        with self._asking:
            self._is_ours &= name.startswith("geopipe.")
            return super().ask(name, *arguments)

    def _start(self):
        variables = {name: said for name, said in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        self._told = gdal_environment(variables), [*sys.path]
        process = self._rested() if self._is_first else None
        self._is_first = False
        if process is None:
            return super()._start()
        self.process = process
        super().ask("os:chdir", (Path.cwd(),), 60)
        return process

    def _rested(self):
        with self.changing:
            for at, (told, process) in enumerate(self.resting):
                if told == self._told and process.poll() is None:
                    return self.resting.pop(at)[1]
        return None

    def retire(self):
        if self._asking.acquire(blocking=False):
            try:
                self._rest()
            finally:
                self._asking.release()
        super().retire()

    def _rest(self):
        process = self.process
        is_well = process is not None and process.poll() is None and own_bytes(process) < _LITTLE
        if self._is_ours and is_well:
            self.process = None
            with self.changing:
                self.resting.append((self._told, process))
                while len(self.resting) > _MOST:
                    readerprocess._end(self.resting.pop(0)[1])

    @classmethod
    def end_all(cls):
        """End all that rest."""
        while cls.resting:
            readerprocess._end(cls.resting.pop()[1])
