"""Cluster addresses: parsed and checked once, then kept in one canonical form.

Private addresses are allowed, because clusters run in company networks. Addresses that two programs could read as
different hosts are refused, and so is the link-local range, where clouds serve a machine's credentials.
"""

from __future__ import annotations

import ipaddress
import re

from algosync.core.error import UsageError
from algosync.core.lean import dataclass
from algosync.core.text import printable

__all__ = ["ClusterAddress", "git_base", "parse", "parse_git"]

_URL = re.compile(r"(https?)://(\[[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*\]|[^\[\]:/?#%\\\s]+)(?::([0-9]{1,5}))?/?", re.IGNORECASE | re.ASCII)
_NAME = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*"
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)")  # some systems read such a host as an IPv4 address
_ADDRESS_LIKE = r"(?s)[A-Za-z0-9+.-]*://.*|.{0,30}\..{0,60}"
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """`url` is `scheme://host[:port]` without a path; `authority` is `host[:port]`. Lower case, without default ports."""

    url: str
    authority: str

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine."""
        host = re.sub(r":[0-9]+$", "", self.authority)
        return _is_loopback(host) or host.endswith(".localhost")


def parse(text: str, variable: str, *, insecure: bool = False) -> ClusterAddress:
    """Parse `https://api.example.com[:port]`. Plain `http://` is accepted for loopback addresses, or if `insecure`.

    Raises UsageError, which names `variable`.
    """
    if "@" in text:
        raise UsageError(f"{variable} holds a user name or password; keys are given by their own variables")
    form = _URL.fullmatch(text)
    if form is None or not 0 < int(form[3] or 443) < 1 << 16:
        raise UsageError(f"{variable} must look like https://api.example.com, with nothing after it{_quoted(text)}")
    scheme, host = form[1].lower(), _host(form[2], variable)
    if scheme == "http" and not insecure and not _is_loopback(host):
        raise UsageError(f"{variable} is plain http; only https keeps a key secret", hint="write https://, or use --insecure-http")
    port = int(form[3] or _DEFAULT_PORTS[scheme])
    authority = host if port == _DEFAULT_PORTS[scheme] else f"{host}:{port}"
    return ClusterAddress(f"{scheme}://{authority}", authority)


def git_base(address: ClusterAddress) -> str:
    """Return the base URL of the cluster's repositories: `https://api.X` → `https://git.X/git`; any other address → `/git` on the
    same host.
    """
    scheme, _, authority = address.url.partition("://")
    if authority.startswith("api."):
        return f"{scheme}://git.{authority.removeprefix('api.')}/git"
    return f"{address.url}/git"


def parse_git(text: str, variable: str, *, insecure: bool = False) -> str:
    """Parse a git server's address, with or without `/git` at its end. Raises UsageError like `parse`."""
    return parse(text.rstrip("/").removesuffix("/git"), variable, insecure=insecure).url + "/git"


def _host(text: str, variable: str) -> str:
    """Return the canonical spelling of a host. An IPv6 address keeps its brackets."""
    if text.startswith("["):
        return f"[{_ip_address(text[1:-1], variable)}]"
    if not text.isascii():
        hint = "letters of other alphabets can look the same; if this host is the one, give its ASCII form (xn--...)"
        raise UsageError(f"{variable} names a host with non-ASCII letters{_quoted(text)}", hint=hint)
    if text.endswith("."):
        raise UsageError(f"{variable} names a host with a dot at its end{_quoted(text)}", hint="write it without that dot")
    if _NUMBER.fullmatch(text):
        return _ip_address(text, variable)
    if not re.fullmatch(_NAME, text) or len(text) > 253:
        raise UsageError(f"{variable} has no valid host name{_quoted(text)}")
    return text.lower()


def _ip_address(text: str, variable: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        hint = "write all four decimal numbers of an IPv4 address, without zeros before them"
        raise UsageError(f"{variable} has no valid IP address: {printable(text, 100)}", hint=hint) from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        raise UsageError(f"{variable} contains an IPv4 address inside an IPv6 one: {text}", hint=f"write {address.ipv4_mapped}")
    if address.is_link_local:
        raise UsageError(f"{variable} is a link-local address, where clouds hand out credentials: {text}")
    if address.is_multicast or address.is_unspecified or text == "255.255.255.255":
        raise UsageError(f"{variable} is not the address of one host: {text}")
    return str(address)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _quoted(text: str) -> str:
    """Quote the text only if it looks like an address. Any other text may be a key in the wrong variable."""
    return f": '{printable(text, 100)}'" if re.fullmatch(_ADDRESS_LIKE, text) else ""
