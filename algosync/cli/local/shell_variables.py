"""The environment variables that other clients need for a local cluster, and those of another local cluster that must be unset."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.emulator.processes.ca_files import EXTRA, of_local_cluster
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
        variables[_NODE] = _node_authorities(Path(cluster.ca_cert))
        variables |= dict.fromkeys(_BUNDLES, cluster.ca_bundle)
    return variables


def as_source(cluster: LocalCluster) -> Mapping[str, str]:
    """Variables for algosync with this source. They do not change the variables of the destination."""
    variables = {"SOURCE_API_ADDRESS": cluster.url, "SOURCE_API_KEY": cluster.key.reveal(), **_without_proxy()}
    return {**variables, _SOURCE: cluster.ca_cert} if cluster.ca_cert else variables


def outdated(variables: Mapping[str, str], *, source: bool) -> list[str]:
    """Names of variables to unset: they are not among `variables`, and their current value is a file of a local cluster.

    Node's variable is kept while its file exists: the file may hold other authorities too, and it replaces none.
    """
    names = (_SOURCE,) if source else (_DESTINATION, _NODE, *_BUNDLES)
    return [name for name in names if name not in variables and _is_local(os.environ.get(name, ""))]


def _is_local(value: str) -> bool:
    """Whether it is a file in a local cluster's folder, even if the folder is gone. False for a file of node that exists."""
    path = Path(value)
    if path.name == EXTRA and path.is_file():
        return False
    return of_local_cluster(path)


def _node_authorities(authority: Path) -> str:
    """A file for node: the authority, and those in the file that the shell's variable already names."""
    current = os.environ.get(_NODE, "")
    extra = authority.with_name(EXTRA)
    if not current or _is_local(current):
        return str(authority)
    try:
        known, own = Path(current).read_bytes(), authority.read_bytes()
    except OSError:
        return str(authority)
    temporary = extra.with_suffix(".new")
    temporary.write_bytes(known if own in known else known.rstrip(b"\n") + b"\n" + own)
    temporary.replace(extra)
    return str(extra)


def _without_proxy() -> dict[str, str]:
    """The cluster is reached without a proxy. Some clients read only one of the two variables."""
    return dict.fromkeys(("NO_PROXY", "no_proxy"), _no_proxy())


def _no_proxy() -> str:
    """The current value, and all names of the cluster."""
    current = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if current.strip() == "*":
        return "*"
    names = [name for each in current.split(",") if (name := each.strip())]
    return ",".join(dict.fromkeys([*names, *NAMES]))
