"""Clusters: how the options and the environment name them, and the ways to them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.choice import Choice
from algosync.core.error import UsageError
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.terminal import Terminal
    from algosync.cluster.connection import Cluster
    from algosync.cluster.data import DataStore
    from algosync.net import Host, Net

__all__ = ["Clusters", "clusters", "git_host", "label"]


@dataclass(frozen=True, slots=True)
class Clusters:
    """The ways to clusters, open as long as `stack` is. What must never be shown is hidden from the terminal first."""

    choice: Choice
    terminal: Terminal
    stack: ExitStack
    net: Net

    def destination(self) -> tuple[str, Cluster]:
        """Its label and itself. UsageError: none is named."""
        address = self.choice.destination or self.choice.environ.get("DESTINATION_API_ADDRESS", "")
        if not address:
            raise UsageError(
                "no destination is named",
                hint="set DESTINATION_API_ADDRESS and DESTINATION_API_KEY, or use --destination local for an embedded cluster",
            )
        given = "--destination" if self.choice.destination else "DESTINATION_API_ADDRESS"
        name = label(address, given, self.choice)
        return name, self._cluster("DESTINATION", name, given)

    def source(self, address: str | None, folder: Path, given: str) -> DataStore | None:
        """A cluster, or a directory below `folder`, where the workflow file is. `given` says where its address was."""
        from algosync.cluster.directory import Directory

        if address is None:
            return None
        if address.startswith("file://"):
            return Directory(folder / address.removeprefix("file://"))
        return self._cluster("SOURCE", address, given).data

    def _cluster(self, side: str, address: str, given: str) -> Cluster:
        from algosync.cli.embedded import is_local, running
        from algosync.cluster.address import parse
        from algosync.cluster.connection import connect
        from algosync.core.credential import credential
        from algosync.net import Proxies, SettingNames

        if is_local(address):
            local = self.stack.enter_context(running(address, self.choice.local_home))
            self.terminal.hide(local.key.reveal())
            direct = replace(self.net, proxies=Proxies())
            key = credential(local.key.reveal(), "the local cluster's key")
            return connect(parse(local.url, given), key, direct, local.ca_cert)
        key = credential(self.choice.environ.get(f"{side}_API_KEY", ""), f"{side}_API_KEY")
        self.terminal.hide(key.secret.reveal())
        where = parse(address, given, insecure=self.choice.insecure_http)
        names = SettingNames(given, f"{side}_API_KEY", f"{side}_CA_CERT")
        return connect(where, key, self.net, self.choice.environ.get(names.ca_cert), names)


def clusters(choice: Choice, terminal: Terminal, stack: ExitStack) -> Clusters:
    """Nothing is sent yet. What is sent later ends when a signal comes."""
    from algosync.cli.interrupt import on_stop, pause
    from algosync.net import Net, Proxies, Retry

    proxies = Proxies.read(choice.environ)
    for secret in proxies.secrets():
        terminal.hide(secret.reveal())

    def tell(text: str) -> None:
        if not terminal.live:  # its own lines move there, and show that something is waited for
            terminal.tell(printable(text))

    net = Net(proxies, Retry(pause=pause, tell=tell), timeout=float(choice.request_timeout))
    stack.enter_context(on_stop(net.watch.stop))
    return Clusters(choice, terminal, stack, net)


def git_host(choice: Choice, name: str, destination: Cluster) -> Host:
    """Where its repositories are, below `/git`.

    The given address belongs to the cluster that the environment names, not to whatever `--destination` puts in its place.
    """
    from algosync.cluster.address import git_base, parse_git

    variable = "DESTINATION_GIT_ADDRESS"
    given = choice.environ.get(variable)
    named = choice.environ.get("DESTINATION_API_ADDRESS", "")
    host = destination.wire.host
    if name != destination.address.url or (choice.destination and choice.destination != named):
        return host.at(git_base(destination.address).removesuffix("/git"), host.names)
    base = parse_git(given, variable, insecure=choice.insecure_http) if given else git_base(destination.address)
    return host.at(base.removesuffix("/git"), replace(host.names, address=variable))


def label(address: str, variable: str, choice: Choice) -> str:
    """How a cluster is called: its checked address, or a local one's name. `variable` is where the address was given."""
    from algosync.cli.embedded import is_local
    from algosync.cluster.address import parse

    return address if is_local(address) else parse(address, variable, insecure=choice.insecure_http).url
