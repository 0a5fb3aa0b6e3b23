"""Introductions: whether the workers of a Dask cluster run the same algosync, and the public key of each."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping

from algosync import __version__
from algosync.core.error import UsageError
from algosync.core.text import printable
from algosync.executors.sealed import KEY_SIZE

__all__ = ["VERSION_CALL", "public_keys", "require_same_versions"]

VERSION_CALL = (importlib.metadata.version, "algosync")
"""A call that every Python can make, also one that has no algosync. Its errors say that it has none."""


def require_same_versions(versions: Mapping[str, object]) -> None:
    """UsageError: there is no worker, or one has no algosync or another version of it. `versions`: by the worker's address."""
    if not versions:
        raise UsageError("the Dask cluster has no worker", hint="start workers, or leave --executor out")
    for address, version in versions.items():
        if version != __version__ and not isinstance(version, OSError):  # OSError: it has just died
            found = f"algosync {printable(version, 40)}" if isinstance(version, str) else "no algosync"
            raise UsageError(
                f"the Dask worker {printable(address, 100)} has {found}, and this is algosync {__version__}",
                hint=f"on every worker: pip install 'algosync[dask]=={__version__}'",
            )


def public_keys(introductions: Mapping[str, object]) -> Iterable[bytes]:
    """The public key of each worker, without workers that have died. UsageError: a worker gives none, or has another version."""
    for address, introduction in introductions.items():
        match introduction:
            case {"version": version, "public": bytes() as public} if len(public) == KEY_SIZE:
                require_same_versions({address: version})
                yield public
            case OSError():
                continue
            case _:
                raise UsageError(
                    f"the Dask worker {printable(address, 100)} cannot run algosync: {printable(str(introduction), 300)}",
                    hint=f"on every worker: pip install 'algosync[dask]=={__version__}'",
                )
