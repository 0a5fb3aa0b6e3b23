"""The environment variables that other clients need for a local cluster, and those of another local cluster that must be unset."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.emulator.processes.ca_files import EXTRA, SHARED, of_local_cluster
from algosync.emulator.server.listening import NAMES

if TYPE_CHECKING:
    from algosync.cli.local.running import LocalCluster

__all__ = ["as_destination", "as_source", "outdated"]

# Each of these replaces the trusted authorities, so they get a bundle that also holds those of the machine.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GIT_SSL_CAINFO")
_NODE = "NODE_EXTRA_CA_CERTS"  # one file, which adds to the trusted authorities
_DESTINATION = "DESTINATION_CA_CERT"
_SOURCE = "SOURCE_CA_CERT"


def as_destination(cluster: LocalCluster) -> Mapping[str, str]:
    """Variables for algosync with this destination, for the official clients and, with TLS, for other HTTPS clients."""
    key = cluster.key.reveal()
    variables = {
        "ALGORITHMIA_API": cluster.url,
        "ALGORITHMIA_API_KEY": key,
        "DESTINATION_API_ADDRESS": cluster.url,
        "DESTINATION_API_KEY": key,
        "ADMIN_API_KEY": cluster.admin_key.reveal(),
        **_without_proxy(),
    }
    if cluster.ca_cert and cluster.ca_bundle:
        variables[_DESTINATION] = cluster.ca_cert
        variables |= _trusted(Path(cluster.ca_cert), Path(cluster.ca_bundle), _other(_SOURCE, cluster.ca_cert))
    return variables


def as_source(cluster: LocalCluster) -> Mapping[str, str]:
    """Variables for algosync with this source.

    They do not change the variables of the destination. If both clusters are local and have TLS, other clients trust both.
    """
    variables = {"SOURCE_API_ADDRESS": cluster.url, "SOURCE_API_KEY": cluster.key.reveal(), **_without_proxy()}
    if cluster.ca_cert and cluster.ca_bundle:
        variables[_SOURCE] = cluster.ca_cert
        if second := _other(_DESTINATION, cluster.ca_cert):
            variables |= _trusted(Path(cluster.ca_cert), Path(cluster.ca_bundle), second)
    return variables


def outdated(variables: Mapping[str, str], *, source: bool) -> list[str]:
    """Names of variables to unset: they are not among `variables`, and their current value is a file of a local cluster.

    Node's variable is kept while its file exists: the file may hold other authorities too, and it replaces none.
    """
    names = (_SOURCE,) if source else (_DESTINATION, _NODE, *_BUNDLES)
    return [name for name in names if name not in variables and _is_local(os.environ.get(name, ""))]


def _is_local(value: str) -> bool:
    """Whether the path is in a local cluster's folder, even if the folder is gone. False for an existing file of node's."""
    path = Path(value)
    if path.name == EXTRA and path.is_file():
        return False
    return of_local_cluster(path)


def _trusted(authority: Path, bundle: Path, second: str) -> dict[str, str]:
    """Variables that make HTTPS clients trust this cluster and, if `second` is not empty, the local cluster with this authority."""
    current = os.environ.get(_NODE, "")
    known = second if _is_local(current) else current
    node = _joined(known, authority, EXTRA)
    if second and known != second:
        node = _joined(second, node, EXTRA)
    return {_NODE: str(node), **dict.fromkeys(_BUNDLES, str(_joined(second, bundle, SHARED)))}


def _other(variable: str, authority: str) -> str:
    """The authority in this variable if it belongs to another local cluster, else an empty string."""
    named = os.environ.get(variable, "")
    return named if _is_local(named) and named != authority else ""


def _joined(known: str, own: Path, name: str) -> Path:
    """A new file `name` beside `own` with the certificates of both files. Returns `own` if `known` cannot be read."""
    try:
        before, added = Path(known).read_bytes(), own.read_bytes()
    except OSError:
        return own
    joined = own.with_name(name)
    temporary = joined.with_suffix(".new")
    temporary.write_bytes(before if added in before else before.rstrip(b"\n") + b"\n" + added)
    temporary.replace(joined)
    return joined


def _without_proxy() -> dict[str, str]:
    """Variables that exempt the cluster from proxies. Some clients read only one of the two."""
    return dict.fromkeys(("NO_PROXY", "no_proxy"), _no_proxy())


def _no_proxy() -> str:
    """The current value with all names of the cluster added."""
    current = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if current.strip() == "*":
        return "*"
    names = [name for each in current.split(",") if (name := each.strip())]
    return ",".join(dict.fromkeys([*names, *NAMES]))
