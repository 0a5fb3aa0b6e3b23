"""`algosync emulator start`: start a local cluster that keeps running."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.command import command
from algosync.cli.local.start_options import StartOptions
from algosync.cli.terminal import Terminal

if TYPE_CHECKING:
    from algosync.cli.local.running import LocalCluster

__all__ = ["start"]


@command
def start(terminal: Terminal, options: StartOptions) -> None:
    """Start a local cluster, or use the one that runs. It runs until it is stopped. Prints its address.

    The cluster runs the code of the algorithms that it is given. An option that is not given keeps its value from the last start,
    except --faults.
    """
    from algosync.cli.local.cluster_locks import cluster_in_use, start_lock
    from algosync.cli.local.location import emulator_command
    from algosync.core.error import UsageError
    from algosync.core.text import printable

    if options.faults is not None and not options.faults.is_file():
        raise UsageError(f"--faults {printable(str(options.faults))} is not a file")
    root = options.root(terminal)
    with cluster_in_use(root), start_lock(root):
        cluster = _started(root, options, terminal)
    terminal.result(cluster.url)
    terminal.tell(f"Page for a browser: {cluster.url}/page/")
    terminal.tell(f"{printable(cluster.told, 300)}. It runs with your rights: give it no code that you would not run yourself.")
    terminal.tell(f'For other clients and shells: eval "$({emulator_command("env", options.name)})"')


def _started(root: Path, options: StartOptions, terminal: Terminal) -> LocalCluster:
    """The cluster, which keeps running from now on. AlgosyncError: it already runs with other options."""
    from algosync.cli.local.location import emulator_command
    from algosync.cli.local.running import KEPT, running_cluster
    from algosync.cli.local.server_process import launch
    from algosync.cli.local.settings import server_arguments
    from algosync.emulator.server.last_start import last_start

    last = last_start(root).port
    cluster = running_cluster(root)
    if cluster is not None:
        _require_same_options(cluster, options)
        (root / KEPT).touch(mode=0o600)
        terminal.tell(f"The local cluster {options.name} is already running.")
        return cluster
    arguments = server_arguments(options)
    (root / KEPT).touch(mode=0o600)
    try:
        cluster = launch(root, arguments)
    except BaseException:
        (root / KEPT).unlink(missing_ok=True)
        raise
    terminal.tell(f"The local cluster {options.name} is running. To stop it: {emulator_command('stop', options.name)}")
    _show_address_problems(cluster, 0 if options.port else last, terminal)
    return cluster


def _require_same_options(cluster: LocalCluster, options: StartOptions) -> None:
    from algosync.cli.local.location import emulator_command
    from algosync.cli.local.settings import differing_options, option_values
    from algosync.core.error import AlgosyncError

    if different := differing_options(cluster, options):
        stop = emulator_command("stop", options.name)
        raise AlgosyncError(
            f"the local cluster {options.name} is already running at {cluster.url}, with another {', '.join(different)}",
            hint=f"it runs with {option_values(cluster, different)}: use the same options, or stop it first: {stop}",
        )


def _show_address_problems(cluster: LocalCluster, last_port: int, terminal: Terminal) -> None:
    """Show that the port has changed, and which host names of the cluster this machine cannot resolve."""
    if last_port and last_port != cluster.port:
        terminal.tell(
            f"Another program uses port {last_port} of the last start. The address is now {cluster.url}, and stays the same."
        )
    if cluster.tls and (unknown := _unresolved_names()):
        names = " ".join(unknown)
        terminal.tell(f"Python cannot resolve {names} on this machine; add this line to the hosts file: 127.0.0.1 {names}")


def _unresolved_names() -> list[str]:
    """The cluster's host names below `localhost` that this machine cannot resolve."""
    import socket

    from algosync.emulator.server.listening import NAMES

    unresolved = []
    for name in (each for each in NAMES if each.endswith(".localhost")):
        try:
            socket.getaddrinfo(name, None)
        except OSError:
            unresolved.append(name)
    return unresolved
