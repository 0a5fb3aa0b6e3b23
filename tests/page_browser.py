"""A headless Chromium, controlled through a pipe by the DevTools protocol."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEADLINE = 300
PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps")

PIPED = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
"""Chromium reads commands from descriptor 3 and writes to descriptor 4."""


@dataclass
class Browser:
    """One tab. `requests` and `dialogs` are those since the last `open`. `asked` has the realms that asked for a password."""

    incoming: int
    outgoing: int
    key: str
    session: str = ""
    number: int = 0
    rest: bytes = b""
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    loaded: bool = False

    def begin(self) -> None:
        """Open the tab and record its events."""
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.do("Page.enable")
        self.do("Fetch.enable", handleAuthRequests=True)

    def open(self, url: str, width: int, height: int, *, dark: bool = False) -> None:
        """Load a page in a window of this size. A narrow window behaves like a phone."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.do("Emulation.setDeviceMetricsOverride", **size)
        self.do("Emulation.setEmulatedMedia", features=[scheme])
        self.requests, self.dialogs, self.loaded = [], [], False
        self.do("Page.navigate", url=url)
        while not self.loaded:
            self._take()

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page. The page's own policy does not apply to it."""
        return self.do("Runtime.evaluate", expression=expression, returnByValue=True)["result"]["value"]

    def picture(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.do("Page.captureScreenshot")["data"]))

    def do(self, method: str, **params: object) -> Any:
        """Send a command and return its result. Events in the meantime are recorded."""
        number = self._send(method, **params)
        while (message := self._take()).get("id") != number:
            pass
        assert "error" not in message, (method, message)
        return message["result"]

    def _send(self, method: str, **params: object) -> int:
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.outgoing, json.dumps(message).encode() + b"\0")
        return self.number

    def _take(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            assert select.select([self.incoming], [], [], DEADLINE)[0], "Chromium does not answer"
            data = os.read(self.incoming, 1 << 20)
            assert data, "Chromium has ended"
            self.rest += data
        text, _, self.rest = self.rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, event: str | None, params: dict[str, Any]) -> None:
        if event == "Fetch.requestPaused":
            self.requests.append(params["request"]["url"])
            self._send("Fetch.continueRequest", requestId=params["requestId"])
        elif event == "Fetch.authRequired":
            self.asked.append(params["authChallenge"]["realm"])
            answer = {"response": "ProvideCredentials", "username": "anybody", "password": self.key}
            self._send("Fetch.continueWithAuth", requestId=params["requestId"], authChallengeResponse=answer)
        elif event == "Page.javascriptDialogOpening":
            self.dialogs.append(params["message"])
            self._send("Page.handleJavaScriptDialog", accept=True)
        elif event == "Page.loadEventFired":
            self.loaded = True


@contextlib.contextmanager
def browser(folder: Path, key: str) -> Iterator[Browser]:
    """A browser with its own profile, which answers every request for a password with the key."""
    assert PROGRAM is not None
    to_read, outgoing = os.pipe()
    incoming, to_write = os.pipe()
    command = [sys.executable, "-c", PIPED, str(to_read), str(to_write), PROGRAM, *OPTIONS, *QUIET]
    command += ["--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(command, pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for file in (to_read, to_write):
        os.close(file)
    try:
        started = Browser(incoming, outgoing, key)
        started.begin()
        yield started
    finally:
        for file in (incoming, outgoing):
            os.close(file)
        process.terminate()
        process.wait(DEADLINE)
