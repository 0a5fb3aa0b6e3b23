"""Access to a local cluster: its users, and what other clients have to be told."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
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

__all__ = ["accounts_of", "add_user", "env"]


def env(state: Path, name: str, terminal: Terminal, *, source: bool) -> None:
    """The one command that shows the main keys, as that is its purpose. AlgosyncError: the cluster does not run."""
    cluster = standing(folder(state, name))
    if cluster is None:
        raise AlgosyncError(f"the local cluster {name} is not running", hint=command("start", name))
    for variable, value in (_of_source(cluster) if source else _variables(cluster)).items():
        terminal.result(f"export {variable}={shlex.quote(value)}")


def add_user(state: Path, name: str, terminal: Terminal, *, user: str, organizations: Sequence[str]) -> None:
    """Its key on stdout. AlgosyncError: a name is taken, or can be nobody's; then nothing was made."""
    from algosync.emulator.keys import new_key

    with accounts_of(folder(state, name)) as accounts:
        made = new_key()
        accounts.enrol(user, organizations, made)
    terminal.result(made)


@contextmanager
def accounts_of(root: Path) -> Iterator[Accounts]:
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


def _of_source(cluster: LocalCluster) -> Mapping[str, str]:
    """For algosync alone, and beside the variables of another cluster, which is then the destination."""
    found = {"SOURCE_API_ADDRESS": cluster.url, "SOURCE_API_KEY": cluster.key.reveal(), **_without_proxy()}
    return {**found, "SOURCE_CA_CERT": cluster.ca_cert} if cluster.ca_cert else found


def _without_proxy() -> dict[str, str]:
    """Clients differ in which of the two they read, and there is none on the way to the own machine."""
    return dict.fromkeys(("NO_PROXY", "no_proxy"), _direct())


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
        "ADMIN_API_KEY": cluster.admin_key.reveal(),
        **_without_proxy(),
    }
    if cluster.ca_cert and cluster.ca_bundle:
        found["DESTINATION_CA_CERT"] = cluster.ca_cert
        found["NODE_EXTRA_CA_CERTS"] = cluster.ca_cert
        # These replace what is trusted otherwise: so the machine's authorities are among them.
        found |= dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GIT_SSL_CAINFO"), cluster.ca_bundle)
    return found
