"""Access: how workers reach the clusters. It holds keys, so it leaves this process only in sealed form."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from algosync.cluster.address import ClusterAddress
from algosync.cluster.connection import Cluster, connect
from algosync.cluster.data import DataClient
from algosync.core.credential import Credential
from algosync.core.lean import dataclass
from algosync.core.secret import Secret
from algosync.executors.task import Place
from algosync.net import Net, SettingNames

__all__ = ["Access", "ClusterAccess"]


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """One cluster. `authorities`: certificates (PEM) that are trusted besides the public ones, or empty."""

    address: ClusterAddress
    scheme: Literal["Simple", "Bearer"]
    key: Secret
    authorities: str
    names: SettingNames

    @classmethod
    def of(cls, data: DataClient) -> ClusterAccess:
        """The access that this process has. The file of authorities was read before, when the cluster was connected."""
        host, credential = data.wire.host, data.wire.credential
        authorities = Path(host.trust.ca_cert).read_text("utf-8") if host.trust.ca_cert else ""
        address = ClusterAddress(host.url, host.url.partition("://")[2])
        return cls(address, credential.scheme, credential.secret, authorities, host.names)

    def plain(self) -> Mapping[str, object]:
        """Everything, with the key, as values of JSON. Only for a message that is sealed."""
        return {
            "address": asdict(self.address),
            "scheme": self.scheme,
            "key": self.key.reveal(),
            "authorities": self.authorities,
            "names": asdict(self.names),
        }

    def connect(self, net: Net) -> Cluster:
        """A connection with the settings of this machine for proxies, which are in `net`."""
        credential = Credential(self.key, self.scheme)
        if not self.authorities:
            return connect(self.address, credential, net, None, self.names)
        descriptor, path = tempfile.mkstemp(suffix=".pem")  # the library reads authorities from a file; they are not secret
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(self.authorities)
            return connect(self.address, credential, net, path, self.names)
        finally:
            os.unlink(path)


@dataclass(frozen=True, slots=True)
class Access:
    """Both clusters and the limits of requests. `tries`, `budget` and `timeout` as of `Retry` and `Net`."""

    clusters: Mapping[Place, ClusterAccess]
    tries: int
    budget: float
    timeout: float

    def message(self) -> bytes:
        """The text to be sealed. It contains the keys."""
        clusters = {place: access.plain() for place, access in self.clusters.items()}
        return json.dumps({"clusters": clusters, "tries": self.tries, "budget": self.budget, "timeout": self.timeout}).encode()

    @classmethod
    def of(cls, destination: DataClient, source: DataClient | None, net: Net) -> Access:
        """The access that this process has. `source`: None: workers read nothing from it."""
        clusters: dict[Place, ClusterAccess] = {"destination": ClusterAccess.of(destination)}
        if source is not None:
            clusters["source"] = ClusterAccess.of(source)
        return cls(clusters, net.retry.tries, net.retry.budget, net.timeout)

    @classmethod
    def of_message(cls, message: bytes) -> Access:
        read = json.loads(message)
        return cls({p: _cluster(c) for p, c in read["clusters"].items()}, read["tries"], read["budget"], read["timeout"])


def _cluster(read: Mapping[str, Any]) -> ClusterAccess:
    address, names = ClusterAddress(**read["address"]), SettingNames(**read["names"])
    return ClusterAccess(address, read["scheme"], Secret(read["key"]), read["authorities"], names)
