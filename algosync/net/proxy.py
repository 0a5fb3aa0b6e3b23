"""Proxies: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, read once and by us, so that they hold for every request alike."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from algosync.core.error import UsageError
from algosync.core.secret import Secret

__all__ = ["Proxies", "Proxy"]

_HINT = "SOCKS proxies are not supported; odd characters of a user name or password are written as %XX"


@dataclass(frozen=True, slots=True)
class Proxy:
    """`url` is `scheme://host:port` without credentials; `authorization` is the value of the header Proxy-Authorization.

    `variable` is where it was given.
    """

    url: str
    variable: str
    authorization: Secret | None = None


@dataclass(frozen=True, slots=True)
class _Given:
    """What a variable holds, unread: one that no host needs may hold anything."""

    variable: str
    text: Secret

    def proxy(self) -> Proxy:
        """UsageError names the variable."""
        return _proxy(self.text.reveal(), self.variable)


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxy leads to which host."""

    https: _Given | None = None
    http: _Given | None = None
    exempt: tuple[str, ...] = ()

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Proxies:
        """As curl does: the lower-case name first, ALL_PROXY for what has none."""
        every = _given(environ, "ALL_PROXY")
        exempt = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
        return cls(
            _given(environ, "HTTPS_PROXY") or every,
            _given(environ, "HTTP_PROXY") or every,
            tuple(part.lower() for part in exempt.replace(",", " ").split()),
        )

    def to(self, url: str) -> Proxy | None:
        """None: directly. So is plain http to this machine: a key would go to the proxy in clear, and come back.

        UsageError: what leads there is no proxy's address; it names the variable.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "http" and is_loopback(host):
            return None
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
        if any(_covers(pattern, host, port) for pattern in self.exempt):
            return None
        given = self.https if parts.scheme == "https" else self.http
        return given.proxy() if given else None

    def secrets(self) -> tuple[Secret, ...]:
        """The passwords, as they were written and as they are meant; of what is no address too."""
        found = [_password(given.text.reveal()) for given in (self.https, self.http) if given]
        both = [text for password in found for text in (password, unquote_to_bytes(password).decode("utf-8", "replace"))]
        return tuple(Secret(text) for text in dict.fromkeys(both) if text)


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _given(environ: Mapping[str, str], variable: str) -> _Given | None:
    # HTTP_PROXY in capitals can be set by a client of a CGI script (httpoxy); where that is so, curl ignores it, and so do we.
    capitals = "" if variable == "HTTP_PROXY" and "REQUEST_METHOD" in environ else environ.get(variable, "")
    text = environ.get(variable.lower()) or capitals
    return _Given(variable, Secret(text)) if text else None


def _password(text: str) -> str:
    """Between the user's name and the last `@`."""
    return text.partition("://")[2 if "://" in text else 0].rpartition("@")[0].partition(":")[2]


def _proxy(text: str, variable: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        raise UsageError(f"{variable} is not an address") from None
    # Its text is not shown: it may hold a password.
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f"{variable} must look like http://proxy.example.com:3128", hint=_HINT)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    url = f"{parts.scheme}://{host}:{port or {'https': 443, 'http': 80}[parts.scheme]}"
    if parts.username is None:
        return Proxy(url, variable)
    user, password = unquote_to_bytes(parts.username), unquote_to_bytes(parts.password or "")
    token = base64.b64encode(user + b":" + password).decode()
    return Proxy(url, variable, Secret(f"Basic {token}"))


def _covers(pattern: str, host: str, port: int) -> bool:
    """`*`, a domain (`example.com`, `.example.com`, `*.example.com`: it and all below it), an address, a network; each also
    with `:PORT`."""
    name, separator, number = pattern.rpartition(":")
    if separator and number.isascii() and number.isdecimal() and len(number) < 6 and not (":" in name and not name.startswith("[")):
        if int(number) != port:
            return False
        pattern = name
    pattern = pattern.strip("[]")
    if pattern == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        domain = pattern.removeprefix("*").lstrip(".")
        return bool(domain) and (host == domain or host.endswith(f".{domain}"))
