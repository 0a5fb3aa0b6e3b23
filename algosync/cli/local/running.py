"""Running local clusters: how a command finds and verifies one."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from algosync.core.error import Unreachable
from algosync.core.lean import dataclass
from algosync.core.secret import Secret
from algosync.core.text import printable
from algosync.emulator.server import server_lock

__all__ = ["KEPT", "LocalCluster", "answering_cluster", "running_cluster"]

KEPT = "kept.json"
"""While this file is in a cluster's folder, the cluster keeps running when no command uses it."""

_ANSWER_WITHIN = 30.0  # seconds
_POLL_EVERY = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """A local cluster that answers requests.

    `ca_cert`: file of its certificate authority, if it serves TLS. `ca_bundle`: file of that authority and those of the machine.
    `faults`: file of the faults that it injects. `stances`: its settings where real clusters differ. `told`: its note on how it
    runs code. `identity`: its own name, which it keeps at every address; None if a version without identities has started it.
    """

    url: str
    key: Secret
    admin_key: Secret
    user: str
    pid: int
    started_at: str
    ca_cert: str | None
    ca_bundle: str | None
    faults: str | None
    stances: Mapping[str, object]
    told: str
    identity: str | None = None

    @property
    def port(self) -> int:
        """The port on loopback."""
        return int(self.url.rpartition(":")[2])

    @property
    def tls(self) -> bool:
        """Whether it serves HTTPS."""
        return self.url.startswith("https:")


def running_cluster(root: Path) -> LocalCluster | None:
    """The cluster that runs on this folder; None if none does. Unreachable: it does not answer in time."""
    deadline = time.monotonic() + _ANSWER_WITHIN
    while server_lock.taken(root):
        cluster = answering_cluster(root, max(1.0, deadline - time.monotonic()))
        if cluster is not None:
            return cluster
        if time.monotonic() > deadline:
            pid = server_lock.owner(root)
            raise Unreachable(
                f"the local cluster {root.name} does not answer ({f'pid {pid}' if pid else 'another process uses its folder'})",
                hint=f"its log is {printable(str(root / 'server.log'))}",
            )
        time.sleep(_POLL_EVERY)
    return None


def answering_cluster(root: Path, timeout: float = 5.0, *, pid: int | None = None) -> LocalCluster | None:
    """The cluster that runs on this folder. None: none does, or it does not answer within `timeout` seconds.

    With a `pid`, only the server with this process id counts. A cluster's address file remains after its end, and another program
    may listen at that address, so no request is sent to the address of another process.
    """
    import http.client

    if not server_lock.taken(root):
        return None
    try:
        document = json.loads((root / "cluster.json").read_text())
        if pid not in (None, document["pid"]):
            return None
        trusted = document.get("ca_cert") or document.get("ca_bundle")
        if not _proves_token(str(document["address"]), trusted, str(document["token"]), timeout):
            return None
        return _from_document(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, http.client.HTTPException):
        return None


def _from_document(document: Mapping[str, object]) -> LocalCluster:
    def text(name: str) -> str | None:
        value = document.get(name)
        return None if value is None else str(value)

    stances = document["stances"]
    if not isinstance(stances, Mapping):
        raise TypeError("the stances are no object")
    return LocalCluster(
        url=str(document["address"]),
        key=Secret(str(document["key"])),
        admin_key=Secret(str(document["admin_key"])),
        user=str(document["user"]),
        pid=int(str(document["pid"])),
        started_at=str(document["started_at"]),
        ca_cert=text("ca_cert"),
        ca_bundle=text("ca_bundle"),
        faults=text("faults"),
        stances=dict(stances),
        told=str(document["told"]),
        identity=text("identity"),
    )


def _proves_token(url: str, trusted: str | None, token: str, timeout: float) -> bool:
    """Whether the server at this address knows the token. The token itself is not sent, because it may be another program's server.

    Uses no proxy, because the server is on this machine.
    """
    import hmac
    import http.client
    import secrets
    import ssl
    from urllib.parse import urlsplit

    host = urlsplit(url).netloc
    if trusted is None:
        connection = http.client.HTTPConnection(host, timeout=timeout)
    else:
        context = ssl.create_default_context(cafile=trusted)
        # The file may hold the server's own certificate without its issuer.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        connection = http.client.HTTPSConnection(host, timeout=timeout, context=context)
    try:
        nonce = secrets.token_urlsafe(24)
        connection.request("GET", f"/health?nonce={nonce}")
        answer = json.loads(connection.getresponse().read(10_000))
        expected = hmac.new(token.encode(), nonce.encode(), "sha256").hexdigest()
        return isinstance(answer, dict) and hmac.compare_digest(str(answer.get("proof")).encode(), expected.encode())
    finally:
        connection.close()
