"""Run algosync by fork, from a process that has imported it once, to save Python's start-up time.

`python forking.py` reads requests as JSON lines and replies when each child has ended. The child is a complete process with its own
streams, environment and folder. Only pauses are shorter in it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import algosync

__all__ = ["Done", "Forks", "forks"]

TIME_LIMIT = 300  # seconds; SIGALRM ends a run that hangs, and its exit code is wrong then
# What the command line makes when it is imported depends on the streams and the environment: that is the child's.
_CHILDS_OWN = ("algosync.cli.main", "algosync.__main__", "algosync.emulator")
# Libraries that these modules import later. Some releases lack some of them.
_LIBRARIES = ("requests", "Algorithmia.algo_response", "urllib3", "dulwich.client", "deepdiff", "asyncio", "typer._adapters")


@dataclass(frozen=True, slots=True)
class Done:
    """A finished run. `orphans`: a process that it started is still running."""

    code: int
    out: str
    err: str
    seconds: float
    orphans: bool


class Forks:
    """The process that forks. For one thread at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, folder: Path, environ: Mapping[str, str], *arguments: str) -> Done:
        """Run the command in a folder. Its output is left beside the folder, in files that begin with the folder's name."""
        assert self._process.stdin
        assert self._process.stdout
        request = {"arguments": arguments, "environ": dict(environ), "folder": str(folder)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        out, err = (folder.with_name(f"{folder.name}.{name}").read_text() for name in ("out", "err"))
        return Done(answer["code"], out, err, answer["seconds"], answer["orphans"])


@contextmanager
def forks() -> Iterator[Forks]:
    package = str(Path(algosync.__file__).parent.parent)
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": package},
    )
    try:
        yield Forks(process)
    finally:
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.wait(TIME_LIMIT)
        process.stdout.close()


def _serve() -> None:
    for found in pkgutil.walk_packages(algosync.__path__, "algosync."):
        if not found.name.startswith(_CHILDS_OWN):
            importlib.import_module(found.name)
    for name in _LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()  # children share the existing objects
    for line in sys.stdin:
        request = json.loads(line)
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            _run_child(request)
        _, status = os.waitpid(child, 0)
        answer = {"code": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - started, "orphans": _left(child)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _run_child(request: Mapping[str, object]) -> None:
    """Be the child: run `algosync ARGUMENTS` and end the process."""
    code = 1
    try:
        os.setsid()
        signal.alarm(TIME_LIMIT)
        os.chdir(str(request["folder"]))
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{request['folder']}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        environ, arguments = request["environ"], request["arguments"]
        assert isinstance(environ, dict)
        assert isinstance(arguments, list)
        os.environ.clear()
        os.environ.update(environ)
        _shorten_pauses()
        sys.argv = ["algosync", *arguments]
        from algosync.__main__ import main

        main()
        code = 0
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
    _serve()
