"""A cluster as the kinds use it: one address, one key, one wire, and what can be done over it."""

from __future__ import annotations

from dataclasses import dataclass

from algosync.cluster.address import ClusterAddress
from algosync.cluster.algorithms import AlgorithmsApi
from algosync.cluster.data import DataApi
from algosync.cluster.wire import Wire, tls_context
from algosync.core.secret import Secret

__all__ = ["Cluster", "connect"]


@dataclass(frozen=True, slots=True)
class Cluster:
    address: ClusterAddress
    wire: Wire
    data: DataApi
    algorithms: AlgorithmsApi


def connect(address: ClusterAddress, key: Secret, ca_cert: str | None = None, side: str = "") -> Cluster:
    """Sends nothing yet. `side` (SOURCE, DESTINATION) begins the variables that errors name. UsageError: no usable CA file."""
    context = tls_context(ca_cert, f"{side}_CA_CERT") if address.url.startswith("https:") else None
    wire = Wire(address.url, key, context, side)
    return Cluster(address, wire, DataApi(wire), AlgorithmsApi(wire))
