"""The connection to a Dask scheduler: opened, asked, and kept from writing to stderr."""

from __future__ import annotations

import logging
import socket
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import cast

from distributed import Client

from algosync.core.error import Unreachable, UsageError
from algosync.core.text import printable

__all__ = ["LOSSES", "connected", "everywhere", "set_logging"]

LOSSES = (OSError, TimeoutError, CancelledError)
"""What Dask raises if a connection is lost. TimeoutError is another class than OSError in Python 3.10."""
_CONNECT_WITHIN = 10.0  # seconds


def everywhere(
    client: Client, function: Callable[..., object], *arguments: object, workers: Sequence[str] | None = None
) -> Mapping[str, object]:
    """What each worker returns, or the exception there, by the worker's address. Unreachable: the scheduler cannot be asked.

    Waits for a worker that hangs until the scheduler gives it up. `workers`: only these. None: all.
    """
    named = None if workers is None else list(workers)
    try:
        return cast("Mapping[str, object]", client.run(function, *arguments, workers=named, on_error="return"))
    except LOSSES as error:
        raise Unreachable(f"the Dask scheduler does not answer ({type(error).__name__})") from None


def connected(address: str) -> Client:
    """A client of the scheduler. Unreachable: it does not answer. UsageError: Dask cannot use the address."""
    _require_listener(address)
    warnings.filterwarnings("ignore", module="distributed")  # about versions of libraries, which matter for other data than ours
    try:
        return Client(address, timeout=_CONNECT_WITHIN, set_as_default=False, name="algosync")
    except LOSSES:
        raise _no_answer(address) from None
    except (TypeError, ValueError, RuntimeError) as error:
        hint = "Dask's settings distributed.comm.tls name the certificates, see https://distributed.dask.org/en/stable/tls.html"
        raise UsageError(f"--executor {address} cannot be used: {printable(str(error), 300)}", hint=hint) from None


def set_logging(debug: bool) -> None:
    """Dask writes to stderr by itself. Its messages repeat what our errors say, and reach the terminal with `--debug` only."""
    for name in [*logging.root.manager.loggerDict]:
        if name.partition(".")[0] in ("distributed", "tornado"):
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True
            logger.setLevel(logging.NOTSET if debug else logging.CRITICAL + 1)


def _require_listener(address: str) -> None:
    """Unreachable: nothing listens at the address. Dask itself would try again and again before it says so."""
    host, _, port = address.partition("://")[2].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_WITHIN).close()
    except OSError:
        raise _no_answer(address) from None


def _no_answer(address: str) -> Unreachable:
    hint = "is it running, and is the scheme right? A scheduler with TLS is tls://HOST:PORT"
    return Unreachable(f"no Dask scheduler answers at {address}", hint=hint)
