"""Child processes: each in a group of its own, with an environment that was chosen, not inherited."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

CA_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Which authorities to trust, as programs are told."""

NETWORK = frozenset({*CA_BUNDLES, "SSL_CERT_DIR", "PATH", "LANG", "LANGUAGE", "TZ"})
"""What a program needs to find other programs, its language, and the network, from behind proxies too."""

EXIT_POLL_SECONDS = 0.1


def inherited(names: frozenset[str] = frozenset(), prefixes: tuple[str, ...] = ()) -> dict[str, str]:
    """The variables a child may see: locale, path, proxies and CA files, and those named. Never the caller's keys."""

    def allowed(name: str) -> bool:
        return name in NETWORK | names or name.startswith(("LC_", *prefixes)) or name.lower().endswith("_proxy")

    return {name: value for name, value in os.environ.items() if allowed(name)}


async def start(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, output: IO[bytes], *, limit: int = 0
) -> Process:
    """Start a child with piped stdin that leads its own process group; stderr goes to `output`.

    With a `limit` its stdout is piped, for lines of at most that many bytes; without, it goes to `output` too.
    """
    return await asyncio.create_subprocess_exec(
        *map(str, command),
        env=dict(environment),
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE if limit else output,
        stderr=output,
        start_new_session=True,
        limit=limit or 2**16,
    )


async def ended(process: Process) -> None:
    """Wait until a child has ended. `Process.wait` of some Pythons waits for all others that hold its pipes as well."""
    waiting = asyncio.ensure_future(process.wait())
    try:
        while process.returncode is None:
            await asyncio.wait((waiting,), timeout=EXIT_POLL_SECONDS)
    finally:
        waiting.cancel()


async def kill(process: Process) -> None:
    """End a child and everything it started in its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await ended(process)
