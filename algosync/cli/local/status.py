"""`algosync emulator status`: list local clusters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algosync.cli.command import command
from algosync.cli.local.options import LocalStateOptions
from algosync.cli.options import JsonOutput
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from algosync.cli.local.local_status import LocalStatus
    from algosync.core.resource import Json

__all__ = ["status"]

_PAGES = "/page/"  # the pages for people, below the cluster's address

AnyName = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="The local cluster's name. Default: all local clusters.", show_default=False),
]


@command
def status(terminal: Terminal, options: LocalStateOptions, name: AnyName = None, json: JsonOutput = False) -> None:
    """List local clusters, and which of them run. With --name: exit 1 if that one does not run."""
    from algosync.cli.local.local_status import status_of
    from algosync.cli.local.location import no_such_cluster

    home = options.home
    roots = [home.root(name)] if name is not None else list(home.clusters())
    found = [status_of(root) for root in roots]
    if json:
        terminal.document({"format_version": "1.0", "clusters": [_document(each) for each in found]})
    elif name is not None and found[0].state == "absent":
        raise no_such_cluster(roots[0], home.others(roots[0].name))
    for note in filter(None, map(home.note, roots)):
        terminal.tell(note)
    _show_list(found, home.folder, terminal, json=json)
    if name is not None and found[0].state != "running":
        raise typer.Exit(1)


def _show_list(found: list[LocalStatus], folder: Path, terminal: Terminal, *, json: bool) -> None:
    from algosync.core.text import printable

    shown = printable(str(folder))
    if not found:
        terminal.tell(f"There are no local clusters in {shown}.")
    elif not json:
        terminal.tell(f"Local clusters in {shown}:")
        for each in found:
            terminal.result(_line(each))


def _line(status: LocalStatus) -> str:
    from algosync.cli.local.settings import unusual_options
    from algosync.core.text import plural, printable

    name, algorithms = status.root.name, plural(status.algorithms, "algorithm")
    if status.cluster is None:
        return f"{name}  {status.state}  {algorithms}"
    cluster = status.cluster
    user = printable(cluster.user, 80)
    since = printable(cluster.started_at, 40)
    options = " ".join(printable(each, 200) for each in unusual_options(cluster))
    line = (
        f"{name}  running  {cluster.url}  pid {cluster.pid}  user {user}  {algorithms}  since {since}  page {cluster.url}{_PAGES}"
    )
    return f"{line}  {options}" if options else line


def _document(status: LocalStatus) -> Json:
    from algosync.cli.local.settings import settings_of

    cluster = status.cluster
    return {
        "name": status.root.name,
        "state": status.state,
        "address": cluster.url if cluster else None,
        "folder": str(status.root),
        "git": f"{cluster.url}/git" if cluster else None,
        "page": f"{cluster.url}{_PAGES}" if cluster else None,
        "pid": cluster.pid if cluster else None,
        "user": cluster.user if cluster else None,
        "started_at": cluster.started_at if cluster else None,
        "ca_cert": cluster.ca_cert if cluster else None,
        "faults": cluster.faults if cluster else None,
        "stances": {**settings_of(cluster)} if cluster else None,
        "kept": status.kept and cluster is not None,
        "algorithms": status.algorithms,
    }
