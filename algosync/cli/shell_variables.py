"""What a shell is told of a local cluster: the variables that other clients read, set for this one, rid of those of another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.emulator.processes.ca_files import EXTRA, of_local_cluster
from algosync.emulator.server.listening import NAMES

if TYPE_CHECKING:
    from algosync.cli.embedded import LocalCluster

__all__ = ["as_destination", "as_source", "outdated"]

# These replace what is trusted otherwise, and get a bundle in which the machine's authorities are, too.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GIT_SSL_CAINFO")
_NODE = "NODE_EXTRA_CA_CERTS"  # one file, beside what is trusted otherwise
_DESTINATION = "DESTINATION_CA_CERT"
_SOURCE = "SOURCE_CA_CERT"


def as_destination(cluster: LocalCluster) -> Mapping[str, str]:
    """For algosync, the official clients and, over TLS, whatever else speaks HTTPS."""
    key = cluster.key.reveal()
    found = {
        "ALGORITHMIA_API": cluster.url,
        "ALGORITHMIA_API_KEY": key,
        "DESTINATION_API_ADDRESS": cluster.url,
        "DESTINATION_API_KEY": key,
        "ADMIN_API_KEY": cluster.admin_key.reveal(),
        **_without_proxy(),
    }
    if cluster.ca_cert and cluster.ca_bundle:
        found[_DESTINATION] = cluster.ca_cert
        found[_NODE] = _with_extra(Path(cluster.ca_cert))
        found |= dict.fromkeys(_BUNDLES, cluster.ca_bundle)
    return found


def as_source(cluster: LocalCluster) -> Mapping[str, str]:
    """For algosync alone, and beside the variables of another cluster, which is then the destination."""
    found = {"SOURCE_API_ADDRESS": cluster.url, "SOURCE_API_KEY": cluster.key.reveal(), **_without_proxy()}
    return {**found, _SOURCE: cluster.ca_cert} if cluster.ca_cert else found


def outdated(now: Mapping[str, str], *, source: bool) -> list[str]:
    """Variables that name files of a local cluster, and would stay although `now` does not set them.

    But for node's where its file is there: that one may hold others' authorities, and replaces none.
    """
    names = (_SOURCE,) if source else (_DESTINATION, _NODE, *_BUNDLES)
    return [name for name in names if name not in now and _is_ours(os.environ.get(name, ""))]


def _is_ours(value: str) -> bool:
    """Whether it is a file in a local cluster's folder, be that gone or not."""
    path = Path(value)
    if path.name == EXTRA and path.is_file():
        return False
    return of_local_cluster(path)


def _with_extra(authority: Path) -> str:
    """A file for node: the authority, and what the shell's variable names already."""
    named = os.environ.get(_NODE, "")
    extra = authority.with_name(EXTRA)
    if not named or _is_ours(named):
        return str(authority)
    try:
        known, own = Path(named).read_bytes(), authority.read_bytes()
    except OSError:
        return str(authority)
    temporary = extra.with_suffix(".new")
    temporary.write_bytes(known if own in known else known.rstrip(b"\n") + b"\n" + own)
    temporary.replace(extra)
    return str(extra)


def _without_proxy() -> dict[str, str]:
    """Clients differ in which of the two they read, and there is none on the way to the own machine."""
    return dict.fromkeys(("NO_PROXY", "no_proxy"), _direct())


def _direct() -> str:
    """What is reached without a proxy already, and the cluster by all its names."""
    found = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if found.strip() == "*":
        return "*"
    known = [name for each in found.split(",") if (name := each.strip())]
    return ",".join(dict.fromkeys([*known, *NAMES]))
