"""Access to a local cluster: its users and keys, and what other clients have to be told."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.embedded import LocalCluster, folder, joining, locked, standing
from algosync.cli.keeping import command
from algosync.core.error import AlgosyncError
from algosync.core.text import printable
from algosync.emulator import server_lock
from algosync.emulator.listening import NAMES

if TYPE_CHECKING:
    from algosync.emulator.accounts import Accounts
    from algosync.views.terminal import Terminal

__all__ = ["Wanted", "add_key", "add_user", "env"]

_FIRST_USER = "local"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key: whose (the cluster's first user's where that is empty), in what form, for what, for how many seconds."""

    user: str
    form: str
    write: bool
    call: bool
    management: bool
    expires_in: float | None


def env(state: Path, name: str, terminal: Terminal) -> None:
    """The one command that shows the main key, as that is its purpose. AlgosyncError: the cluster does not run."""
    cluster = standing(folder(state, name))
    if cluster is None:
        raise AlgosyncError(f"the local cluster {name} is not running", hint=command("start", name))
    for variable, value in _variables(cluster).items():
        terminal.result(f"export {variable}={shlex.quote(value)}")


def add_user(state: Path, name: str, terminal: Terminal, *, user: str, organizations: Sequence[str]) -> None:
    """Its key on stdout. AlgosyncError: a name is taken, or can be nobody's."""
    from algosync.emulator.keys import new_key

    with _accounts(folder(state, name)) as accounts:
        accounts.add_user(user)
        for organization in organizations:
            accounts.join(user, organization)
        made = new_key()
        accounts.add_key(user, made)
    terminal.result(made)


def add_key(state: Path, name: str, terminal: Terminal, wanted: Wanted) -> None:
    """The key on stdout. AlgosyncError: there is no such user."""
    from algosync.emulator.keys import Form, new_key
    from algosync.emulator.rights import Rights

    root = folder(state, name)
    cluster = standing(root)
    user = wanted.user or (cluster.user if cluster else _FIRST_USER)
    with _accounts(root) as accounts:
        if not wanted.user:
            accounts.add_user(user)
        elif not accounts.has_user(user):
            raise AlgosyncError(
                f"the local cluster {name} has no user {printable(user)}", hint=command(f"user add {printable(user)}", name)
            )
        made = new_key(Form(wanted.form), user)
        expires_at = None if wanted.expires_in is None else time.time() + wanted.expires_in
        accounts.add_key(user, made, Rights(wanted.write, wanted.call, wanted.management), expires_at)
    terminal.result(made)


@contextmanager
def _accounts(root: Path) -> Iterator[Accounts]:
    """Those in the cluster's database, whether its server runs or not. It does not start, nor end, meanwhile."""
    with joining(root), locked(root / "start.lock"), server_lock.held(root) as alone:
        import sqlite3

        from algosync.emulator.accounts import AccountError, Accounts
        from algosync.emulator.database import Database

        try:
            with closing(Database(root / "cluster.sqlite", migrate=alone)) as database:
                yield Accounts(database)
        except AccountError as error:
            raise AlgosyncError(str(error)) from None
        except (ValueError, OSError, sqlite3.Error) as error:
            raise AlgosyncError(f"the cluster's database in {printable(str(root))} cannot be used: {error}") from None


def _direct() -> str:
    """What is reached without a proxy already, and the cluster by all its names."""
    found = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if found.strip() == "*":
        return "*"
    known = [name for each in found.split(",") if (name := each.strip())]
    return ",".join(dict.fromkeys([*known, *NAMES]))


def _variables(cluster: LocalCluster) -> Mapping[str, str]:
    """For algosync, the official clients and, over TLS, whatever else speaks HTTPS."""
    key = cluster.key.reveal()
    found = {
        "ALGORITHMIA_API": cluster.url,
        "ALGORITHMIA_API_KEY": key,
        "DESTINATION_API_ADDRESS": cluster.url,
        "DESTINATION_API_KEY": key,
        # Clients differ in which of the two they read, and there is none on the way to the own machine.
        **dict.fromkeys(("NO_PROXY", "no_proxy"), _direct()),
    }
    if cluster.ca_cert and cluster.ca_bundle:
        found["DESTINATION_CA_CERT"] = cluster.ca_cert
        found["NODE_EXTRA_CA_CERTS"] = cluster.ca_cert
        # These replace what is trusted otherwise: so the machine's authorities are among them.
        found |= dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GIT_SSL_CAINFO"), cluster.ca_bundle)
    return found
