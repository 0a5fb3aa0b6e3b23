"""The clients, each in its own process: libraries that evaluate expressions, and commands."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from replies import Answer, Outcome, Output

__all__ = ["Algo", "Curl", "Git", "Library"]

DEADLINE = 300
STEERING = ("ALGORITHMIA_", "GIT_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


class Library:
    """A client library in a driver process. `ask` evaluates one expression there."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=_environ(home))

    def ask(self, expression: str) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(expression) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return Outcome(error="Ended", message="the client's process has ended")
        if not select.select([self._process.stdout], [], [], DEADLINE)[0]:
            return Outcome(error="Silent", message=f"the client said nothing for {DEADLINE} s")
        line = self._process.stdout.readline()
        return Outcome(**json.loads(line)) if line else Outcome(error="Ended", message="the client's process has ended")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True)
class Curl:
    """Sends requests exactly as written. `key` becomes `Authorization: Simple KEY`, unless the headers have an authorization."""

    address: str
    key: str
    home: Path

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Answer:
        """Send a request. An object as `body` is sent as JSON. A header with an empty value is left out."""
        sent = {"Authorization": f"Simple {self.key if key is None else key}", "Expect": "", **(headers or {})}
        if isinstance(body, dict | list):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        content = body.encode() if isinstance(body, str) else body
        assert content is None or isinstance(content, bytes)
        command = ["curl", "--silent", "--globoff", "--path-as-is", "--dump-header", "/dev/stderr", "--max-time", str(DEADLINE)]
        command += ["--head", "--output", "/dev/null"] if method == "HEAD" else ["--request", method]
        if content is not None:
            sent.setdefault("Content-Type", "")
            command += ["--data-binary", "@-"]
        for name, text in sent.items():
            command += ["--header", f"{name}: {text}" if text else f"{name}:"]
        done = subprocess.run(
            [*command, self.address + path], input=content, capture_output=True, check=False, env=_environ(self.home)
        )
        return _answer(done.stdout, done.stderr.decode("latin-1"))


@dataclass(frozen=True)
class Algo:
    """The `algo` command, configured as `algo auth` would do it."""

    address: str
    key: str
    home: Path

    def __post_init__(self) -> None:
        config = self.home / ".algorithmia" / "config"
        config.parent.mkdir(parents=True, exist_ok=True)
        profile = f"api_key = '{self.key}'\napi_server = '{self.address}'\nca_cert = ''\nbearer_token = ''\n"
        config.write_text(f"[profiles]\n[profiles.default]\n{profile}")

    def __call__(self, *arguments: str) -> Output:
        return _output([str(Path(sys.executable).with_name("algo")), *arguments], self.home, self.home)

    def left(self, name: str) -> Output:
        """The contents of a file that the command wrote, as output. The exit code is 1 if there is none."""
        try:
            return Output(0, (self.home / name).read_text())
        except OSError as error:
            return Output(1, "", str(error))


@dataclass(frozen=True)
class Git:
    """The `git` command without any user's settings, in its own folder."""

    address: str
    user: str
    key: str
    home: Path

    def url(self, path: str, key: str | None = None) -> str:
        """The address of a repository, with the user's credentials. An empty key leaves the credentials out."""
        scheme, _, host = self.address.partition("://")
        secret = quote(self.key if key is None else key, safe="")
        return f"{scheme}://{f'{self.user}:{secret}@' if secret else ''}{host}/git/{path}"

    def __call__(self, *arguments: str, folder: Path | None = None) -> Output:
        return _output(["git", *arguments], folder or self.home, self.home)

    def commit(self, folder: Path, files: Mapping[str, str | bytes]) -> Output:
        """Commit one change. The id of the commit is the output."""
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        author = ("-c", "user.name=Tester", "-c", "user.email=tester@localhost")
        self("add", "--all", folder=folder)
        self(*author, "commit", "--quiet", "--message", "change", folder=folder)
        return self("rev-parse", "HEAD", folder=folder)


def _environ(home: Path) -> dict[str, str]:
    """The environment of this process without variables that influence clients, and with an empty home."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(STEERING)}
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "PYTHONWARNINGS": "ignore", "LC_ALL": "C.UTF-8"}
    return {**kept, **quiet, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "NO_PROXY": "127.0.0.1,localhost"}


def _output(command: Sequence[str], folder: Path, home: Path) -> Output:
    try:
        done = subprocess.run(
            command, cwd=folder, env=_environ(home), stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Output(-1, "", str(error))
    return Output(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def _answer(body: bytes, heads: str) -> Answer:
    """Parse an answer. Its last head counts, because a `100 Continue` may come first."""
    blocks = [block for block in heads.replace("\r\n", "\n").split("\n\n") if block.startswith("HTTP/")]
    if not blocks:
        return Answer()
    first, *lines = blocks[-1].split("\n")
    pairs = [line.partition(":") for line in lines if ":" in line]
    return Answer(int(first.split()[1]), {name.lower(): text.strip() for name, _, text in pairs}, body)
