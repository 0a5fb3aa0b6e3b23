"""Proxies from HTTPS_PROXY, HTTP_PROXY and NO_PROXY, parsed once, so that they apply to every request in the same way."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes, urlsplit

from algosync.core.error import UsageError
from algosync.core.lean import dataclass
from algosync.core.secret import Secret

__all__ = ["Proxies", "Proxy"]

_HINT = "SOCKS proxies are not supported; special characters in a user name or password are written as %XX"


@dataclass(frozen=True, slots=True)
class Proxy:
    """`url` is `scheme://host:port` without credentials; `authorization` is the value of the header Proxy-Authorization.

    `variable` is the variable that it came from.
    """

    url: str
    variable: str
    authorization: Secret | None = None


@dataclass(frozen=True, slots=True)
class _ProxySetting:
    """The unparsed value of a variable. It may be invalid as long as no host needs it."""

    variable: str
    text: Secret

    def proxy(self) -> Proxy:
        """Parse the value. UsageError names the variable."""
        return _proxy(self.text.reveal(), self.variable)


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies, and the hosts that need none."""

    https: _ProxySetting | None = None
    http: _ProxySetting | None = None
    exempt: tuple[str, ...] = ()

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Proxies:
        """Read the variables as curl does: lower-case names first, ALL_PROXY for a scheme without its own variable."""
        fallback = _setting(environ, "ALL_PROXY")
        exempt = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
        return cls(
            _setting(environ, "HTTPS_PROXY") or fallback,
            _setting(environ, "HTTP_PROXY") or fallback,
            tuple(part.lower() for part in exempt.replace(",", " ").split()),
        )

    def to(self, url: str) -> Proxy | None:
        """Return the proxy for a URL, or None for a direct connection.

        Plain http to this machine is always direct: a proxy would see the key in clear text. Raises UsageError, which names the
        variable, if its value is not the address of a proxy.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "http" and is_loopback(host):
            return None
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
        if any(_covers(pattern, host, port) for pattern in self.exempt):
            return None
        setting = self.https if parts.scheme == "https" else self.http
        return setting.proxy() if setting else None

    def secrets(self) -> tuple[Secret, ...]:
        """The passwords, both as written and decoded; also those in values that are not valid addresses."""
        found = [_password(setting.text.reveal()) for setting in (self.https, self.http) if setting]
        forms = [text for password in found for text in (password, unquote_to_bytes(password).decode("utf-8", "replace"))]
        return tuple(Secret(text) for text in dict.fromkeys(forms) if text)


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _setting(environ: Mapping[str, str], variable: str) -> _ProxySetting | None:
    # A client of a CGI script can set HTTP_PROXY in capitals (httpoxy). Like curl, ignore it there.
    capitals = "" if variable == "HTTP_PROXY" and "REQUEST_METHOD" in environ else environ.get(variable, "")
    text = environ.get(variable.lower()) or capitals
    return _ProxySetting(variable, Secret(text)) if text else None


def _password(text: str) -> str:
    """The text between the user name and the last `@`."""
    return text.partition("://")[2 if "://" in text else 0].rpartition("@")[0].partition(":")[2]


def _proxy(text: str, variable: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        raise UsageError(f"{variable} is not an address") from None
    # Do not show the value: it may contain a password.
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
    """Whether a NO_PROXY pattern matches.

    A pattern is `*`, a domain (`example.com`, `.example.com` or `*.example.com`, each with all subdomains), an address or a
    network. Each may have a `:PORT`.
    """
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
