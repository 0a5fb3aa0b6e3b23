"""A cluster: its address, its credential and the API clients that share one wire."""

from __future__ import annotations

from algosync.cluster.address import ClusterAddress
from algosync.cluster.algorithms import AlgorithmsClient
from algosync.cluster.data import DataClient
from algosync.cluster.wire import Wire
from algosync.core.credential import Credential
from algosync.core.lean import dataclass
from algosync.net import Host, Net, Retry, SettingNames, Trust

__all__ = ["Cluster", "connect"]


@dataclass(frozen=True, slots=True)
class Cluster:
    address: ClusterAddress
    wire: Wire
    data: DataClient
    algorithms: AlgorithmsClient

    @property
    def retry(self) -> Retry:
        return self.wire.retry


def connect(
    address: ClusterAddress, credential: Credential, net: Net, ca_cert: str | None = None, names: SettingNames | None = None
) -> Cluster:
    """Return a client for the cluster; sends nothing yet. Errors refer users to `names`. Raises UsageError if the CA file is
    unusable.
    """
    names = names or SettingNames()
    wire = Wire(Host(address.url, names, net, Trust(ca_cert, names.ca_cert)), credential)
    return Cluster(address, wire, DataClient(wire), AlgorithmsClient(wire))
