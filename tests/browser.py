"""A headless Chromium for tests: driven through a pipe by its own protocol, so that nothing else is needed.

Where no Chromium is found (`GEOPIPE_CHROMIUM`, else the path), tests that need it are skipped.
"""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--disable-extensions",
)  # fmt: skip
_PATIENCE_S = 90.0
_KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), "ArrowDown": (40, "")}


def chromium():
    """Return the program, or skip the test with the reason."""
    told = os.environ.get("GEOPIPE_CHROMIUM")
    found = told or next(filter(None, map(shutil.which, _NAMES)), None)
    if not found or not shutil.which(found):
        pytest.skip("no Chromium is installed: name one with GEOPIPE_CHROMIUM")
    if os.name == "nt":
        pytest.skip("Chromium is driven through pipes that Windows does not have")
    return found


class Browser:
    """One browser with one page; `complaints` is everything that its console has said."""

    def __init__(self, program, folder):
        to_browser, from_browser = os.pipe(), os.pipe()
        self._write, self._read = to_browser[1], from_browser[0]

        def pipes():
            os.dup2(to_browser[0], 60)
            os.dup2(from_browser[1], 61)
            os.dup2(60, 3)
            os.dup2(61, 4)

        self._process = subprocess.Popen(
            [program, *_QUIET, "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"],
            preexec_fn=pipes, close_fds=False,  # noqa: PLW1509
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser[0])
        os.close(from_browser[1])
        self._buffer, self._number, self._session = b"", 0, None
        self.complaints, self._events = [], []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self._session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")
        self.requests = []

    def __call__(self, method, **parameters):
        """Ask the browser and return what it answers."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._number:
                assert "error" not in told, told
                return told["result"]
            self._happened(told)

    def _next(self):
        until = time.monotonic() + _PATIENCE_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            assert ready, "the browser says nothing"
            self._buffer += os.read(self._read, 1 << 16)
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def _happened(self, event):
        name, told = event.get("method"), event.get("params", {})
        if name == "Log.entryAdded":
            self.complaints.append(told["entry"]["text"])
        elif name == "Runtime.consoleAPICalled":
            self.complaints.append(str(told["args"]))
        elif name == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))
        elif name == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        self._events.append(name)

    def open(self, path, dark=False):
        """Open a file and wait until its script has run."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self("Emulation.setEmulatedMedia", features=features)
        self("Page.navigate", url=path.resolve().as_uri())
        until = time.monotonic() + _PATIENCE_S
        while not self.ask("document.documentElement?.dataset.ready !== undefined"):
            assert time.monotonic() < until, "the page does not become ready"
            time.sleep(0.05)

    def ask(self, expression):
        """Return the value of an expression of the page."""
        told = self("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def press(self, key):
        """Press a key as a person does."""
        code, letter = _KEYS[key]
        same = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        more = {"text": letter} if letter else {}
        self("Input.dispatchKeyEvent", type="keyDown", **same, **more)
        self("Input.dispatchKeyEvent", type="keyUp", **same)

    def click(self, selector):
        """Click the middle of an element as a person does."""
        where = "document.querySelector(" + json.dumps(selector) + ")"
        self.ask(f"{where}.scrollIntoView({{behavior: 'instant', block: 'center'}})")
        box = self.ask(f"(() => {{const b = {where}.getBoundingClientRect();"
                       "return [b.x + b.width / 2, b.y + b.height / 2]})()")  # fmt: skip
        self.click_at(*box)

    def click_at(self, x, y):
        """Click a place of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def pdf(self):
        """Return the page as it is printed."""
        printed = self("Page.printToPDF", preferCSSPageSize=True)
        return base64.b64decode(printed["data"])

    def close(self):
        """End the browser and wait for it."""
        with contextlib.suppress(OSError, AssertionError):
            self._session = None
            self("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)


@contextlib.contextmanager
def browser():
    """Give a browser with a profile of its own."""
    program = chromium()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        opened = Browser(program, folder)
        try:
            yield opened
        finally:
            opened.close()
