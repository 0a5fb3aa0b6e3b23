"""A cluster as the kinds use it: one address, one credential, one wire, and what can be done over it."""

from __future__ import annotations

from dataclasses import dataclass

from algosync.cluster.address import ClusterAddress
from algosync.cluster.algorithms import AlgorithmsApi
from algosync.cluster.data import DataApi
from algosync.cluster.wire import Wire
from algosync.core.credential import Credential
from algosync.net import Host, Names, Net, Retry, Trust

__all__ = ["Cluster", "connect"]


@dataclass(frozen=True, slots=True)
class Cluster:
    address: ClusterAddress
    wire: Wire
    data: DataApi
    algorithms: AlgorithmsApi

    @property
    def retry(self) -> Retry:
        return self.wire.retry


def connect(
    address: ClusterAddress, credential: Credential, net: Net, ca_cert: str | None = None, names: Names | None = None
) -> Cluster:
    """Sends nothing yet. `names` is what errors tell users to look at. UsageError: no usable CA file."""
    names = names or Names()
    wire = Wire(Host(address.url, names, net, Trust(ca_cert, names.ca_cert)), credential)
    return Cluster(address, wire, DataApi(wire), AlgorithmsApi(wire))
