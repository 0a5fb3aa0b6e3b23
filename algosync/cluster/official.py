"""The official client on a hardened session: used where its semantics are worth having, made safe at this one place."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from Algorithmia.client import Client
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from algosync.cluster import failure
from algosync.cluster.wire import Wire

__all__ = ["OfficialClient"]

_ERROR_LIMIT = 1 << 20  # bytes
_TIMEOUT = (15.0, 120.0)  # seconds: to connect, and without a byte


class OfficialClient(Client):  # type: ignore[misc]  # the client ships no types
    """`Algorithmia.Client` without its own constructor, which reads the environment and hands the key to a second HTTP stack."""

    def __init__(self, wire: Wire) -> None:
        self.apiAddress = wire.url
        self.apiKey = None  # the session's auth object sends it, so that no netrc entry can take its place
        self.bearerToken = None
        self.requestSession = _Session(wire)


class _KeyAuth(AuthBase):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Simple {self._wire.key.reveal()}"
        return request


class _Adapter(HTTPAdapter):
    """Trusts what the wire trusts."""

    def __init__(self, wire: Wire) -> None:
        self._context = wire.context
        super().__init__(pool_maxsize=16, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **options)


class _Session(requests.Session):
    """Nothing of the machine's, a timeout for every request, and our errors for whatever breaks, bodies included."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = 0
        self.auth = _KeyAuth(wire)
        self.headers["Accept-Encoding"] = "identity"
        self._side = wire.side
        self.hooks["response"].append(self._refuse_failures)
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(wire))

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        options["timeout"] = options.get("timeout") or _TIMEOUT
        try:
            return super().send(request, **options)
        except requests.RequestException as error:
            raise failure.from_transport(_shown(request), error, self._side) from None

    def _refuse_failures(self, response: requests.Response, *_args: object, **_options: object) -> None:
        """Before the client's own handling, which loses the message of every failed POST and takes failures for answers."""
        if not 200 <= response.status_code < 300:
            body = response.raw.read(_ERROR_LIMIT) or b""
            raise failure.from_reply(_shown(response.request), response.status_code, body, self._side)


def _shown(request: requests.PreparedRequest) -> str:
    return f"{request.method} {urlsplit(request.url or '').path}"
