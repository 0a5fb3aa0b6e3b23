"""The identity of the source, and whether a command reads from the cluster and owner that it writes to."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algosync.cli.state_place import NamedDestination
    from algosync.cluster.connection import Cluster
    from algosync.cluster.data import DataStore

__all__ = ["same_cluster", "source_identity"]


def source_identity(source: DataStore | None) -> str | None:
    """As of `local_identity`. None also if the source is a directory, or does not answer: its first read reports that."""
    from algosync.cluster.address import parse
    from algosync.cluster.algorithms import AlgorithmsClient
    from algosync.cluster.connection import Cluster
    from algosync.cluster.data import DataClient
    from algosync.cluster.local_identity import local_identity
    from algosync.core.error import ClusterError

    if not isinstance(source, DataClient):
        return None
    address = parse(source.wire.host.url, "the source", insecure=True)
    with suppress(ClusterError):
        return local_identity(Cluster(address, source.wire, source, AlgorithmsClient(source.wire)))
    return None


def same_cluster(source: DataStore | None, destination: Cluster, place: NamedDestination, owner: str) -> str | None:
    """The cluster and owner that are both source and destination. None: they differ, or the source is a directory.

    The source is only asked for its owner if it is the same cluster.
    """
    from algosync.cluster.data import DataClient

    if not isinstance(source, DataClient):
        return None
    same = source.wire.host.url == destination.wire.host.url
    if not same and place.identity is not None:  # a local cluster has several addresses
        same = source_identity(source) == place.identity
    return f"{place.label}, {owner}" if same and source.key_owner() == owner else None
