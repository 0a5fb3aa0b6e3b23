"""The identity of a local cluster: a name that it tells itself and keeps at every address. Other clusters have none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from algosync.core.error import ClusterError, Unreachable
from algosync.net.document import read_json

if TYPE_CHECKING:
    from algosync.cluster.connection import Cluster

__all__ = ["LOCAL_IDENTITY", "local_identity"]

LOCAL_IDENTITY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}-[0-9a-f]{8}")
_WITHIN = 30.0  # seconds


def local_identity(cluster: Cluster) -> str | None:
    """The identity of the cluster, such as `staging-1a2b3c4d`. None: it is not a local cluster, or an older version runs it.

    Only this machine is asked. Unreachable: it does not answer.
    """
    return cluster.wire.retry.run(lambda: _ask(cluster)) if cluster.address.is_loopback else None


def _ask(cluster: Cluster) -> str | None:
    """Any other answer than that of a local cluster is None: a real cluster, which a tunnel may lead to, has no such path."""
    try:
        document = read_json(cluster.wire.answer("GET", "/health", {}, within=_WITHIN).body)
    except ClusterError as error:
        if error.status is None and isinstance(error, Unreachable):
            raise
        return None
    except ValueError:
        return None
    found = document.get("identity") if isinstance(document, dict) else None
    return found if isinstance(found, str) and LOCAL_IDENTITY.fullmatch(found) else None
