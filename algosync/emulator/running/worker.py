"""A warm process that answers calls of one built commit, one at a time."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from algosync.emulator.processes import ca_files, children
from algosync.emulator.processes.jail import NO_JAIL, Jail
from algosync.emulator.processes.removal import discard
from algosync.emulator.python.interpreters import base_of
from algosync.emulator.records.accounts import Accounts, Caller, Running
from algosync.emulator.running.calls import Call, CallResult, Document, NotJsonError, Target, answered, failed

RUNNER = Path(__file__).with_name("runner.py")

LOAD_SECONDS = 300
"""How long the import of an algorithm may take. It does not count against the timeout of the call that starts the worker."""

DRAIN_SECONDS = 0.5
MAX_LINE = 32 * 1024 * 1024
MAX_STDOUT = 1024 * 1024
MAX_LOG = 64 * 1024 * 1024
LOG_SECONDS = 0.5
TAIL = 2000


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What all workers of a cluster need: a folder for their files, the cluster's address and accounts, and the jail.

    `ca_bundle` is set if the address is reached over TLS.
    """

    folder: Path
    address: str
    accounts: Accounts
    ca_bundle: Path | None = None
    jail: Jail = NO_JAIL


class Worker:
    """A worker process: started, then loaded with an algorithm, then called.

    It runs in a copy of the source, with a home and a temporary folder of its own, so that no other worker finds what it leaves.
    The process makes the copy itself: the server never writes into a folder where algorithms may have put links.
    It is `usable` after a successful load, until a call ends in a way that it cannot survive.
    """

    def __init__(self, context: WorkerContext) -> None:
        self.target: Target | None = None
        self.usable = False
        self.idle_since = 0.0
        self._context = context
        self._call: Call | None = None
        self._process: Process | None = None
        self._requests = -1
        self._folder = context.folder / secrets.token_hex(8)
        self._source, self._given, self._home, self._temporary = (
            self._folder / name for name in ("source", "given", "home", "tmp")
        )
        for folder in (self._source, self._given, self._home, self._temporary):
            folder.mkdir(parents=True)
        self._shown: list[Path] = []
        self._log = (self._folder / "output.log").open("ab+", buffering=0)
        self._care: asyncio.Task[None] | None = None
        # Last, because nothing would dismiss the token if one of the lines above failed.
        self._token = context.accounts.admit(self._caller)

    @property
    def started(self) -> bool:
        """Whether its process has been started."""
        return self._process is not None

    @property
    def ended(self) -> bool:
        """Whether its process is known to have ended."""
        return self._process is not None and self._process.returncode is not None

    def runs(self, target: Target) -> bool:
        """Whether it is loaded with this build and its current secrets."""
        return self.target is not None and (self.target.build.id, self.target.secrets) == (target.build.id, target.secrets)

    async def start(
        self, python: Path, *options: str, variables: Mapping[str, str] | None = None, shown: Sequence[Path] = ()
    ) -> None:
        """Start the process. A jail shows it the paths in `shown`. `variables` are added to its environment.

        With the option `ahead` it immediately imports the packages that most algorithms import.
        """
        environment = self._environment(python, variables or {})
        command: list[str | Path] = [python, "-I", "-u", "-W", "ignore::SyntaxWarning", RUNNER, *options]
        # Only the machine's variables count: files that an algorithm's variables name must not become visible.
        machine = children.inherited() | self._authorities()
        bundles = [Path(machine[name]) for name in (*ca_files.BUNDLES, "SSL_CERT_DIR") if name in machine]
        read = [base_of(python), python.parents[1], RUNNER, self._given, *bundles, *shown]
        jailed = self._context.jail.command(command, self._temporary, read, [self._source, self._home, self._temporary])
        self._shown = list(shown)
        self._process = await children.start(jailed, environment, self._source, self._log, limit=MAX_LINE)
        self._care = asyncio.create_task(self._keep_small())

    async def load(self, target: Target, source: Path, call: Call) -> CallResult:
        """Import the algorithm, on behalf of the call that needs it."""
        self.target = target
        given = source
        if self._context.jail.program and source not in self._shown:
            given = await asyncio.to_thread(shutil.copytree, source, self._given / "source", symlinks=True)
        return await self._ask(call, [str(given), str(self._source)], LOAD_SECONDS)

    async def run(self, call: Call, request: Document, timeout: float) -> CallResult:
        """One call, at most `timeout` seconds long."""
        return await self._ask(call, request, timeout)

    async def _ask(self, call: Call, request: object, timeout: float) -> CallResult:
        process = self._process
        if process is None or process.stdin is None:
            raise RuntimeError("The worker is not started")
        try:
            text = json.dumps(request)
        except RecursionError:
            return failed("The input is nested too deep", "ParsingError")
        self._call = call
        self._requests += 1
        os.ftruncate(self._log.fileno(), 0)
        return await self._answer(process, f"{self._requests} {text}\n".encode(), timeout)

    async def _keep_small(self) -> None:
        """Cut its output repeatedly: an algorithm that never stops printing must not fill the disk."""
        while True:
            await asyncio.sleep(LOG_SECONDS)
            if os.fstat(self._log.fileno()).st_size > MAX_LOG:
                # Keep one byte more than is returned: this shows that output was cut.
                os.ftruncate(self._log.fileno(), MAX_STDOUT + 1)

    async def close(self) -> None:
        """End the process and all processes that it has started, then remove its files."""
        self._context.accounts.dismiss(self._token)
        if self._care:
            self._care.cancel()
        if self._process:
            await children.kill(self._process)
        self._log.close()
        await asyncio.to_thread(discard, self._folder)

    async def _answer(self, process: Process, request: bytes, timeout: float) -> CallResult:
        """The answer of the runner, or the failure. The worker is unusable after a failure that it cannot survive."""
        self.usable = False
        started = time.monotonic()
        try:
            line = await asyncio.wait_for(_exchanged(process, request), timeout)
            result = self._read(line) if line else await self._ended(process)
        except NotJsonError as error:
            result = failed(f"The algorithm's result is not JSON: {error}", "AlgorithmError")
        except asyncio.TimeoutError:
            result = failed(f"Algorithm timed out after {timeout:g} seconds", "TimeoutError")
        except (ValueError, RecursionError):
            result = failed("The algorithm's answer could not be read", "SystemError")
        duration = time.monotonic() - started
        self._call = None
        self.usable = result.error is None or (process.returncode is None and _survivable(result.error))
        return CallResult(result.document, self._printed(), duration)

    def _read(self, line: bytes) -> CallResult:
        """Read an answer. Raises `ValueError` if it does not answer the last request."""
        number, _, text = line.partition(b" ")
        if number != str(self._requests).encode():
            raise ValueError("this does not answer the last request")
        return answered(text)

    async def _ended(self, process: Process) -> CallResult:
        await children.kill(process)
        return failed(f"The algorithm's process {_how(process.returncode)}", "SystemExit", self._printed()[-TAIL:])

    def _printed(self) -> str:
        """What the algorithm has printed since the call began, without the line that the ADK prints for the platform."""
        if self._log.closed:
            # The worker was closed during the call.
            return ""
        text = os.pread(self._log.fileno(), MAX_STDOUT, 0).decode("utf-8", "replace").replace("PIPE_INIT_COMPLETE\n", "")
        size = os.fstat(self._log.fileno()).st_size
        return f"{text}\n[cut: the first {MAX_STDOUT} bytes of what was printed]\n" if size > MAX_STDOUT else text

    def _caller(self) -> Caller | None:
        """The caller that requests of this worker act for; None between calls."""
        if self._call is None or self.target is None:
            return None
        call, algorithm = self._call, self.target.algorithm
        inside = Running(algorithm.owner, algorithm.name, call.tree, call.depth, self.target.may_call, call.id)
        return Caller(call.user, inside, rights=call.rights)

    def _authorities(self) -> dict[str, str]:
        """Variables that make programs trust the cluster's certificate."""
        return dict.fromkeys(ca_files.BUNDLES, str(self._context.ca_bundle)) if self._context.ca_bundle else {}

    def _environment(self, python: Path, variables: Mapping[str, str]) -> dict[str, str]:
        environment = children.inherited() | self._authorities()
        no_proxy = ",".join(filter(None, ["127.0.0.1,localhost", environment.get("NO_PROXY")]))
        # The algorithm's variables come first, so that they replace none that the worker needs.
        return {
            **environment,
            **variables,
            "PATH": os.pathsep.join(filter(None, [str(python.parent), environment.get("PATH")])),
            **{"HOME": str(self._home), "TMPDIR": str(self._temporary)},
            **{"ALGORITHMIA_API": self._context.address, "ALGORITHMIA_API_KEY": self._token},
            # Both spellings, as programs read either: requests to the cluster must not go through a proxy.
            **{"NO_PROXY": no_proxy, "no_proxy": no_proxy},
        }


def _how(code: int | None) -> str:
    """How a process has ended. A jail, like a shell, reports a signal as 128 plus its number."""
    names = {int(each): each.name for each in signal.Signals}
    if code is not None and -code in names:
        return f"was ended by signal {names[-code]} (exit code {code})"
    if code is not None and code - 128 in names:
        return f"ended with exit code {code}, as after signal {names[code - 128]}"
    return f"ended with exit code {code}"


async def _exchanged(process: Process, request: bytes) -> bytes:
    """Send a request and wait for a line. Does not wait for the request to be read: the process may end without reading."""
    sent = asyncio.ensure_future(_send(process, request))
    try:
        return await _line(process)
    finally:
        sent.cancel()


async def _send(process: Process, request: bytes) -> None:
    if process.stdin:
        with contextlib.suppress(ConnectionError):
            process.stdin.write(request)
            await process.stdin.drain()


async def _line(process: Process) -> bytes:
    """The next line that a process writes. Empty once it has ended, even if other processes hold its stdout open."""
    if process.stdout is None:
        raise RuntimeError("The process has no way to answer")
    line, end = asyncio.ensure_future(process.stdout.readline()), asyncio.ensure_future(children.ended(process))
    try:
        await asyncio.wait((line, end), return_when=asyncio.FIRST_COMPLETED)
        # The last line may arrive just after the end.
        await asyncio.wait((line,), timeout=DRAIN_SECONDS)
        return line.result() if line.done() else b""
    finally:
        line.cancel()
        end.cancel()


def _survivable(error: Document) -> bool:
    """Whether a worker can go on after this error: the algorithm raised an exception, and did not end, hang or fail to load."""
    return error.get("error_type") not in ("SystemExit", "TimeoutError", "SystemError")
