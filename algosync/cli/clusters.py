"""Connections to the clusters that the options and the environment name."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.error import AlgosyncError, Unreachable, UsageError
from algosync.core.lean import dataclass
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.options import ClusterOptions
    from algosync.cli.state_place import NamedDestination
    from algosync.cli.terminal import Terminal
    from algosync.cluster.connection import Cluster
    from algosync.cluster.data import DataClient, DataStore
    from algosync.cluster.transfers import Transfers
    from algosync.executors.remote_transfers import CountedStore, Workers
    from algosync.kinds.destination import Destination
    from algosync.net import Host, Net

__all__ = ["Clusters", "SharedDestination", "clusters", "git_host", "label"]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Connections that stay open until `stack` is closed. The terminal hides a cluster's key before the key is used."""

    options: ClusterOptions
    terminal: Terminal
    stack: ExitStack
    net: Net

    def destination(self) -> tuple[str, Cluster]:
        """The destination's label, and a connection to it. UsageError: no destination is named."""
        name, setting = self.named_destination()
        return name, self._cluster("DESTINATION", name, setting)

    def named_destination(self) -> tuple[str, str]:
        """The destination's label, and the option or variable that names it. UsageError: no destination is named."""
        address = self.options.destination or self.options.environ.get("DESTINATION_API_ADDRESS", "")
        if not address:
            raise UsageError(
                "no destination is named",
                hint="set DESTINATION_API_ADDRESS and DESTINATION_API_KEY, or use --destination local for a local cluster",
            )
        setting = "--destination" if self.options.destination else "DESTINATION_API_ADDRESS"
        return label(address, setting, self.options), setting

    def source(self, address: str | None, folder: Path, setting: str) -> DataStore | None:
        """A source cluster's data, or a directory relative to the workflow file's `folder`. None without an address.

        `setting` is the option or variable that the address comes from, for messages.
        """
        from algosync.cluster.directory import Directory

        if address is None:
            return None
        if address.startswith("file://"):
            return Directory(folder / address.removeprefix("file://"))
        return self.source_cluster(address, setting).data

    def source_cluster(self, address: str, setting: str) -> Cluster:
        """A connection to the source, which is no directory."""
        return self._cluster("SOURCE", address, setting)

    def transfers(self, source: DataStore | None, destination: DataClient, files: CountedStore) -> Transfers:
        """What carries out transfers: threads of this process, or the workers of a Dask cluster, which are used until `stack` is
        closed.

        `files`: those of the destination, as the kinds use them. UsageError: `--executor` is wrong, or a library is missing.
        """
        from algosync.cluster.data import DataClient
        from algosync.cluster.transfers import LocalTransfers

        if self.options.executor == "threads":
            return LocalTransfers()
        from algosync.executors.address import scheduler_address
        from algosync.executors.remote_transfers import RemoteTransfers

        address = scheduler_address(self.options.executor)
        remote = source if isinstance(source, DataClient) else None
        if source is not None and remote is None:
            self.terminal.tell(
                "The source is a folder on this machine: its files are sent from here, and Dask workers read them back."
            )
        return RemoteTransfers(self._workers(address, remote, destination), remote, files)

    def _workers(self, address: str, source: DataClient | None, destination: DataClient) -> Workers:
        from algosync.cli import debug
        from algosync.cli.interrupt import on_stop
        from algosync.core.extra import extra
        from algosync.executors.access import Access

        with extra("dask", "--executor"):
            from algosync.executors.dask_workers import dask_workers
        access = Access.of(destination, source, self.net)
        workers = self.stack.enter_context(dask_workers(address, access, debug=debug.enabled()))
        self.stack.enter_context(on_stop(workers.stop))
        return workers

    def _cluster(self, side: str, address: str, setting: str) -> Cluster:
        from algosync.cli.local.location import is_local
        from algosync.cluster.address import parse
        from algosync.cluster.connection import connect
        from algosync.core.credential import credential
        from algosync.net import SettingNames

        if is_local(address):
            return self._local_cluster(address, setting)
        key = credential(self._key(side), f"{side}_API_KEY")
        self.terminal.hide(key.secret.reveal())
        parsed = parse(address, setting, insecure=self.options.insecure_http)
        names = SettingNames(setting, f"{side}_API_KEY", f"{side}_CA_CERT")
        return connect(parsed, key, self.net, self.options.environ.get(names.ca_cert), names)

    def _key(self, side: str) -> str:
        """UsageError: it is not set."""
        variable = f"{side}_API_KEY"
        if key := self.options.environ.get(variable):
            return key
        rehearsal = "; to rehearse on a local cluster without a key, use --destination local" if side == "DESTINATION" else ""
        raise UsageError(f"{variable} is not set", hint=f"set it in the environment: export {variable}=...{rehearsal}")

    def _local_cluster(self, address: str, setting: str) -> Cluster:
        """A connection to a local cluster, which needs no proxy and is started if it does not run."""
        from algosync.cli.local.joined_cluster import joined_cluster
        from algosync.cli.local.location import created_note, exists, local_name
        from algosync.cluster.address import parse
        from algosync.cluster.connection import connect
        from algosync.core.credential import credential
        from algosync.net import Proxies

        home, name = self.options.home, local_name(address)
        root = home.root(name)
        others = None if exists(root) else home.others(name)
        for note in filter(None, (home.note(root), others and created_note(root, others))):
            self.terminal.tell(note)
        local = self.stack.enter_context(joined_cluster(root))
        self.terminal.hide(local.key.reveal())
        key = credential(local.key.reveal(), "the local cluster's key")
        return connect(parse(local.url, setting), key, replace(self.net, proxies=Proxies()), local.ca_cert)


@dataclass(slots=True)
class SharedDestination:
    """The destination of a command: whatever number of workflows it works on, each thing there is asked for once.

    Connects when it is first needed. One thread uses it.
    """

    connections: Clusters
    _connected: tuple[str, Cluster] | None = None
    _answered: tuple[tuple[str, ...], NamedDestination] | None = None
    _failed: AlgosyncError | None = None
    _doubted: bool = False
    _by_owner: dict[str, Destination] = field(default_factory=dict)

    def connected(self) -> tuple[str, Cluster]:
        """The destination's label, and a connection to it, as of `Clusters.destination`."""
        if self._connected is None:
            self._connected = self.connections.destination()
        return self._connected

    def answered(self) -> tuple[tuple[str, ...], NamedDestination]:
        """The accounts that the key has access to, its own one first, and the destination as states know it.

        A failure is kept: a destination that does not answer is not asked again for each workflow.
        """
        if self._failed is not None:
            raise self._failed
        try:
            if self._answered is None:
                self._answered = self._ask()
            elif self._doubted:
                self.connected()[1].data.owners()
        except AlgosyncError as error:
            self._failed = error
            raise
        self._doubted = False
        return self._answered

    def doubt(self, error: AlgosyncError) -> None:
        """After this error the destination may be gone: `answered` asks it once more before the next workflow."""
        self._doubted = self._doubted or isinstance(error, Unreachable)

    def of(self, owner: str) -> Destination:
        """The destination of one of these accounts."""
        from algosync.kinds import destination_of

        if owner not in self._by_owner:
            (owners, _), (name, cluster) = self.answered(), self.connected()
            git = git_host(self.connections.options, name, cluster)
            self._by_owner[owner] = destination_of(cluster, git, owner, key_owner=owners[0])
        return self._by_owner[owner]

    def _ask(self) -> tuple[tuple[str, ...], NamedDestination]:
        from algosync.cli.state_place import NamedDestination

        label, cluster = self.connected()
        return cluster.data.owners(), NamedDestination.of(label, cluster)


def clusters(options: ClusterOptions, terminal: Terminal, stack: ExitStack) -> Clusters:
    """Prepare connections; sends nothing yet. A signal ends all requests that are sent later."""
    from algosync.cli.interrupt import on_stop, pause
    from algosync.cli.transferring.options import rate_of
    from algosync.net import Net, Proxies, RateLimit, Retry

    proxies = Proxies.read(options.environ)
    for secret in proxies.secrets():
        terminal.hide(secret.reveal())

    def tell(text: str) -> None:
        if not terminal.live:  # a live progress display already shows that the command is waiting
            terminal.tell(printable(text))

    rate = rate_of(options)
    limit = None if rate is None else RateLimit(rate, pause)
    net = Net(proxies, Retry(pause=pause, tell=tell), timeout=float(options.request_timeout), limit=limit)
    stack.enter_context(on_stop(net.watch.stop))
    return Clusters(options, terminal, stack, net)


def git_host(options: ClusterOptions, name: str, destination: Cluster) -> Host:
    """The host of the destination's git repositories, which are below `/git`.

    DESTINATION_GIT_ADDRESS belongs to the cluster in DESTINATION_API_ADDRESS. It is ignored if `--destination` names another one.
    """
    from algosync.cluster.address import git_base, parse_git

    variable = "DESTINATION_GIT_ADDRESS"
    address = options.environ.get(variable)
    named = options.environ.get("DESTINATION_API_ADDRESS", "")
    host = destination.wire.host
    if name != destination.address.url or (options.destination and options.destination != named):
        return host.at(git_base(destination.address).removesuffix("/git"), host.names)
    base = parse_git(address, variable, insecure=options.insecure_http) if address else git_base(destination.address)
    return host.at(base.removesuffix("/git"), replace(host.names, address=variable))


def label(address: str, setting: str, options: ClusterOptions) -> str:
    """A cluster's name in messages and states: its canonical address, or `local:NAME`. `setting`: where the address comes from."""
    from difflib import get_close_matches

    from algosync.cli.local.location import is_local
    from algosync.cluster.address import parse

    if is_local(address):
        return address
    try:
        return parse(address, setting, insecure=options.insecure_http).url
    except UsageError as error:
        if get_close_matches(address.lower().partition(":")[0], ["local"]):
            raise UsageError(error.message, hint="did you mean local?") from None
        raise
