"""Run algosync and its local clusters by fork, from a process that has imported them once, to save Python's start-up time.

`python forking.py` reads requests as JSON lines and replies when each child has ended, or has started if it is a cluster. The child
is a complete process with its own streams, environment and folder. `python forking.py short-pauses` shortens the pauses in its
children.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import algosync

__all__ = ["Done", "ForkedProcess", "Forks", "forks", "shared"]

TIME_LIMIT = 300  # seconds
# The interpreter reads these variables when it starts.
_START_VARIABLES = ("PYTHON", "LANG", "LC_", "TZ")
# What the command line makes when it is imported depends on the streams and the environment: that is the child's.
_CHILDS_OWN = ("algosync.cli.main", "algosync.__main__", "algosync.emulator.__main__")
# Libraries that these modules import later. Some releases lack some of them.
_LIBRARIES = (
    "requests",
    "Algorithmia.algo_response",
    "urllib3",
    "dulwich.client",
    "deepdiff",
    "asyncio",
    "typer._adapters",
    "uvicorn.protocols.http.h11_impl",
)


@dataclass(frozen=True, slots=True)
class Done:
    """A finished run. `orphans`: a process that it started is still running."""

    code: int
    out: str
    err: str
    seconds: float
    orphans: bool


class ForkedProcess:
    """A process that another one has forked, so its exit code is unknown."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> None:
        """TimeoutExpired: it still runs after `timeout` seconds."""
        if not select.select([self._handle], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)

    def close(self) -> None:
        os.close(self._handle)


class Forks:
    """The process that forks. It runs one command at a time, and any number of clusters."""

    def __init__(self, process: subprocess.Popen[str], outputs: Path, environ: Mapping[str, str]) -> None:
        self._process = process
        self._outputs = outputs
        self._start_variables = _start_variables(environ)
        self._busy = threading.Lock()

    def run(self, folder: Path, environ: Mapping[str, str], *arguments: str, timeout: float = TIME_LIMIT) -> Done:
        """Run the command in a folder. TimeoutExpired: it was ended after `timeout` seconds."""
        with self._busy:
            return self._run(folder, environ, arguments, timeout)

    def run_if_possible(self, folder: Path, environ: Mapping[str, str], *arguments: str, timeout: float) -> Done | None:
        """Run the command, or return None if another thread uses this, or if the environment needs a new interpreter."""
        if _start_variables(environ) != self._start_variables or not self._busy.acquire(blocking=False):
            return None
        try:
            return self._run(folder, environ, arguments, timeout)
        finally:
            self._busy.release()

    def start_cluster(self, arguments: Sequence[str]) -> tuple[ForkedProcess, Path]:
        """Start `python -m algosync.emulator ARGUMENTS`. Return the process and the file of its stdout."""
        streams = Path(tempfile.mkdtemp(dir=self._outputs))
        with self._busy:
            answer = self._ask(
                program="cluster",
                arguments=arguments,
                environ=dict(os.environ),
                folder=str(Path.cwd()),
                streams={1: str(streams / "out")},
            )
        return ForkedProcess(answer["pid"]), streams / "out"

    def _run(self, folder: Path, environ: Mapping[str, str], arguments: Sequence[str], timeout: float) -> Done:
        streams = Path(tempfile.mkdtemp(dir=self._outputs))
        out, err = streams / "out", streams / "err"
        answer = self._ask(
            program="command",
            arguments=arguments,
            environ=dict(environ),
            folder=str(folder),
            streams={1: str(out), 2: str(err)},
            timeout=timeout,
        )
        if answer["code"] == -signal.SIGALRM:
            raise subprocess.TimeoutExpired(["algosync", *arguments], timeout, out.read_text(), err.read_text())
        return Done(answer["code"], out.read_text(), err.read_text(), answer["seconds"], answer["orphans"])

    def _ask(self, **request: object) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _start_variables(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(_START_VARIABLES)}


@contextmanager
def forks(*, short_pauses: bool = False) -> Iterator[Forks]:
    package = str(Path(algosync.__file__).parent.parent)
    environ = {**os.environ, "PYTHONPATH": package}
    with tempfile.TemporaryDirectory() as outputs:
        process = subprocess.Popen(
            [sys.executable, __file__, *(["short-pauses"] if short_pauses else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environ,
        )
        try:
            yield Forks(process, Path(outputs), environ)
        finally:
            assert process.stdin
            assert process.stdout
            process.stdin.close()
            process.wait(TIME_LIMIT)
            process.stdout.close()


@functools.cache
def shared() -> Forks:
    """The process that forks for all tests of this process. It starts at the first use."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(forks())


def _serve(*, short_pauses: bool) -> None:
    for found in pkgutil.walk_packages(algosync.__path__, "algosync."):
        if not found.name.startswith(_CHILDS_OWN):
            importlib.import_module(found.name)
    for name in _LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)
    if short_pauses:
        _shorten_pauses()
    gc.freeze()  # children share the existing objects
    for line in sys.stdin:
        request = json.loads(line)
        answer = _cluster(request) if request["program"] == "cluster" else _command(request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _command(request: Any) -> dict[str, object]:
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_child(request, _run_command)
    _, status = os.waitpid(child, 0)
    return {"code": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - started, "orphans": _left(child)}


def _cluster(request: Any) -> dict[str, object]:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:  # clusters that have ended
            pass
    child = os.fork()
    if child == 0:
        _be_child(request, _run_cluster)
    return {"pid": child}


def _run_command(request: Any) -> int:
    signal.setitimer(signal.ITIMER_REAL, request["timeout"])
    sys.argv = ["algosync", *request["arguments"]]
    from algosync.__main__ import main

    main()
    return 0


def _run_cluster(request: Any) -> int:
    sys.argv = ["algosync.emulator", *request["arguments"]]
    from algosync.emulator.__main__ import main

    return main()


def _be_child(request: Any, run: Callable[[Any], int]) -> None:
    """Take the folder, the environment and the streams of the request, run the program and end the process."""
    code = 1
    try:
        os.setsid()
        os.chdir(request["folder"])
        for number, path in request["streams"].items():
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), int(number))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.clear()
        os.environ.update(request["environ"])
        code = run(request)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001  # prints what Python itself would print
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _shorten_pauses() -> None:
    """Shorten durations only; the causes of waits are unchanged."""
    from algosync.cluster import algorithms
    from algosync.kinds import build
    from algosync.kinds.testing import caller
    from algosync.net import retry
    from algosync.workflow.testing import reader

    retry._FIRST = 0.01
    algorithms._GRACE = 1.0
    reader._PAYLOAD_TIMEOUT = 2
    build._LISTED_WITHIN = 1.0
    caller._CALLABLE_WITHIN, caller._PAUSE = 2.0, 0.2


def _left(group: int) -> bool:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    _serve(short_pauses="short-pauses" in sys.argv)
