"""Cluster addresses: parsed once, checked, and from then on in one canonical form."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from algosync.core.error import UsageError
from algosync.core.text import printable

__all__ = ["ClusterAddress", "git_base", "parse", "parse_git"]


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """`url` is `scheme://host[:port]` without a path; `authority` is `host[:port]`."""

    url: str
    authority: str


def parse(text: str, variable: str) -> ClusterAddress:
    """`https://api.example.com[:port]`, or `http://` to loopback. UsageError, which names `variable`, for anything else."""
    if any(c.isspace() or not c.isprintable() for c in text) or "\\" in text:
        raise UsageError(f"{variable} is not an address: {printable(text, 200)!r}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError(f"{variable} is not an address: {printable(text, 200)!r}") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise UsageError(f"{variable} must look like https://api.example.com, not {printable(text, 200)!r}")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{variable} holds a user name or password; keys are given by their own variables")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f"{variable} must end after the host: {printable(text, 200)!r}")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise UsageError(f"{variable} is plain http; only https keeps a key secret", hint="write https://")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"https": 443, "http": 80}[parts.scheme]
    authority = host if port in (None, default) else f"{host}:{port}"
    return ClusterAddress(f"{parts.scheme}://{authority}", authority)


def git_base(address: ClusterAddress) -> str:
    """Where the cluster's repositories are: `https://api.X` → `https://git.X/git`; any other address → the same host, `/git`."""
    scheme, _, authority = address.url.partition("://")
    if authority.startswith("api."):
        return f"{scheme}://git.{authority.removeprefix('api.')}/git"
    return f"{address.url}/git"


def parse_git(text: str, variable: str) -> str:
    """A given address of the git server, with or without its `/git`. UsageError as for `parse`."""
    return parse(text.rstrip("/").removesuffix("/git"), variable).url + "/git"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
