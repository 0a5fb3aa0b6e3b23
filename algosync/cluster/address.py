"""Cluster addresses: parsed once, checked, and from then on in one canonical form.

Private addresses are as good as any: clusters live in companies. What is refused is what two programs would read as two
different hosts, and the link-local range, where a cloud machine's own credentials are handed out.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from algosync.core.error import UsageError
from algosync.core.text import printable

__all__ = ["ClusterAddress", "git_base", "parse", "parse_git"]

_FORM = re.compile(r"(https?)://(\[[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*\]|[^\[\]:/?#%\\\s]+)(?::([0-9]{1,5}))?/?", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)")  # some systems read such a host as an IPv4 address
_LOOKS = re.compile(r"[A-Za-z0-9+.-]*://.*|.{0,30}\..{0,60}", re.DOTALL)
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """`url` is `scheme://host[:port]` without a path; `authority` is `host[:port]`. In small letters, usual ports left out."""

    url: str
    authority: str


def parse(text: str, variable: str, *, insecure: bool = False) -> ClusterAddress:
    """`https://api.example.com[:port]`; `http://` only to loopback, but where `insecure`. UsageError, which names `variable`."""
    if "@" in text:
        raise UsageError(f"{variable} holds a user name or password; keys are given by their own variables")
    form = _FORM.fullmatch(text)
    if form is None or not 0 < int(form[3] or 443) < 1 << 16:
        raise UsageError(f"{variable} must look like https://api.example.com and end there{_shown(text)}")
    scheme, host = form[1].lower(), _host(form[2], variable)
    if scheme == "http" and not insecure and not _is_loopback(host):
        raise UsageError(f"{variable} is plain http; only https keeps a key secret", hint="write https://, or use --insecure-http")
    port = int(form[3] or _DEFAULT_PORTS[scheme])
    authority = host if port == _DEFAULT_PORTS[scheme] else f"{host}:{port}"
    return ClusterAddress(f"{scheme}://{authority}", authority)


def git_base(address: ClusterAddress) -> str:
    """Where the cluster's repositories are: `https://api.X` → `https://git.X/git`; any other address → the same host, `/git`."""
    scheme, _, authority = address.url.partition("://")
    if authority.startswith("api."):
        return f"{scheme}://git.{authority.removeprefix('api.')}/git"
    return f"{address.url}/git"


def parse_git(text: str, variable: str, *, insecure: bool = False) -> str:
    """A given address of the git server, with or without its `/git`. UsageError as for `parse`."""
    return parse(text.rstrip("/").removesuffix("/git"), variable, insecure=insecure).url + "/git"


def _host(text: str, variable: str) -> str:
    """One spelling for each host; an IPv6 address keeps its brackets."""
    if text.startswith("["):
        return f"[{_number(text[1:-1], variable)}]"
    if not text.isascii():
        hint = "letters of other alphabets can look the same; if this host is the one, give its ASCII form (xn--...)"
        raise UsageError(f"{variable} names a host with letters beyond ASCII{_shown(text)}", hint=hint)
    if text.endswith("."):
        raise UsageError(f"{variable} names a host with a dot at its end{_shown(text)}", hint="write it without that dot")
    if _NUMBER.fullmatch(text):
        return _number(text, variable)
    if not _NAME.fullmatch(text) or len(text) > 253:
        raise UsageError(f"{variable} names no host{_shown(text)}")
    return text.lower()


def _number(text: str, variable: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        hint = "write all four decimal numbers of an IPv4 address, without zeros before them"
        raise UsageError(f"{variable} names no IP address: {printable(text, 100)}", hint=hint) from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        raise UsageError(f"{variable} hides an IPv4 address in an IPv6 one: {text}", hint=f"write {address.ipv4_mapped}")
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


def _shown(text: str) -> str:
    """A text that has no look of an address may be a key that went into the wrong variable."""
    return f": '{printable(text, 100)}'" if _LOOKS.fullmatch(text) else ""
