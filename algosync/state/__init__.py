"""The recorded state: backends that keep it, and the session above them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from algosync.core.error import UsageError
from algosync.core.secret import Secret
from algosync.state.backend import Backend
from algosync.state.former_names import Located, located
from algosync.state.holder import Holder, signer
from algosync.state.naming import journal_name, state_name
from algosync.state.patience import AT_ONCE, Patience
from algosync.state.results_document import ResultsDocument, copied, results_name
from algosync.state.session import Session
from algosync.state.test_results import TestResults
from algosync.state.work_in_progress import WorkInProgress

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendFactory",
    "Holder",
    "Located",
    "Patience",
    "ResultsDocument",
    "Session",
    "TestResults",
    "WorkInProgress",
    "copied",
    "journal_path",
    "located",
    "open_session",
    "parse_address",
    "results_name",
    "secrets",
    "signer",
    "state_name",
]

BackendFactory: TypeAlias = Callable[[str, str], Backend]
"""Creates the backend of one state. Arguments: its name (see `state_name`), and the command that others see while it is locked."""


def _backend(module: str) -> Callable[[str], BackendFactory]:
    """The `parse_address` of a module in this package. The first call imports the module: a command needs one backend."""

    def parse(address: str) -> BackendFactory:
        factory: BackendFactory = import_module(f"algosync.state.{module}").parse_address(address)
        return factory

    return parse


# By the scheme of the address. Each parses its own addresses; UsageError: it cannot. An address without a scheme is a path.
BACKENDS: dict[str, Callable[[str], BackendFactory]] = {
    "file": _backend("local"),
    "http": _backend("remote.terraform_http"),
    "https": _backend("remote.terraform_http"),
    "postgresql": _backend("remote.postgresql"),
    "s3": _backend("remote.s3"),
}
_WITH_SECRETS = {"http": "terraform_http", "https": "terraform_http", "postgresql": "postgresql", "s3": "s3"}
_JOURNALS = Path("state/local/.journals")


def parse_address(address: str) -> BackendFactory:
    """Where the states at an address are kept. UsageError: no backend knows such an address."""
    scheme, separator, _ = address.partition("://")
    backend = BACKENDS.get(scheme if separator else "file")
    if backend is None:
        from algosync.state.remote.address import shown

        known = ", ".join(f"{name}://" for name in sorted(BACKENDS))
        raise UsageError(f"--state {shown(address)}: the scheme is unknown", hint=f"use a folder, or one of: {known}")
    return backend(address)


def secrets(address: str, environ: Mapping[str, str]) -> tuple[Secret, ...]:
    """The passwords and keys that the backend of an address uses. They must not be shown."""
    module = _WITH_SECRETS.get(address.partition("://")[0])
    if module is None:
        return ()
    found: tuple[Secret, ...] = import_module(f"algosync.state.remote.{module}").secrets(address, environ)
    return found


def journal_path(backend: Backend, journals: Path) -> Path:
    """The journal of a state: beside it, or in the folder `journals` if the state is not on this machine."""
    return backend.journal or journals / journal_name(backend.where)


def open_session(  # noqa: PLR0913  # each is a choice of the command
    address: str, name: str, *, exclusive: bool, command: str = "algosync", wait: Patience = AT_ONCE, journals: Path = _JOURNALS
) -> Session:
    """The session on one state. `name`: see `state_name`. A reader creates nothing.

    `command`: the command that others see while this session holds the lock. `wait`: how long to wait for the lock. `journals`: the
    folder of the journals of states that are not on this machine. Raises what `parse_address` and `Session` raise.
    """
    backend = parse_address(address)(name, command)
    return Session(backend, journal_path(backend, journals), exclusive=exclusive, wait=wait)
