"""The official client, adapted to send its requests over our own wire."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, cast

import requests
from Algorithmia.client import Client
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from algosync.cluster.wire import Wire

__all__ = ["OfficialClient"]


class OfficialClient(Client):  # type: ignore[misc]  # the client ships no types
    """`Algorithmia.Client` without its own constructor, which reads the environment and gives the key to a second HTTP stack."""

    def __init__(self, wire: Wire) -> None:
        self.apiAddress = wire.host.url
        self.apiKey = None  # the wire sends the key, so a netrc entry cannot replace it
        self.bearerToken = None
        self.requestSession = _Session(wire)

    def algo(self, reference: str) -> Any:
        """Return an algorithm by `owner/name[/version]`. The client's own parser rejects the `-` in names of organizations."""
        owner, _, rest = reference.partition("/")
        algorithm = super().algo(f"_/{rest}")
        algorithm.path = reference
        algorithm.username = owner
        algorithm.url = f"/v1/algo/{reference}"
        return algorithm


class _Session(requests.Session):
    """A session that uses nothing of the machine's configuration.

    Every failure becomes our error before the client's own handling, which loses the message.
    """

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = 0
        self.adapters.clear()
        self.mount(f"{wire.host.url}/", _Adapter(wire))  # requests to any other host have no adapter


class _Adapter(BaseAdapter):
    """Sends the requests of the `requests` library over the wire, and returns complete replies."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def send(self, request: requests.PreparedRequest, *_: object, timeout: object = None, **__: object) -> requests.Response:
        body = cast("bytes | Iterable[bytes] | None", request.body.encode() if isinstance(request.body, str) else request.body)
        path = (request.url or "").removeprefix(self._wire.host.url)
        within = timeout if isinstance(timeout, float) else None
        answer = self._wire.answer(request.method or "GET", path, _body_headers(request.headers), body, within)
        # Other headers would make `requests` decode the body or store cookies.
        headers = {"Content-Type": answer.headers.get("Content-Type", "")}
        raw = HTTPResponse(io.BytesIO(answer.body), headers, answer.status, preload_content=False, decode_content=False)
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Do nothing: the wire belongs to the cluster."""


def _body_headers(headers: Any) -> dict[str, str]:
    """The headers that describe the client's body. The wire sets all others."""
    return {name: value for name, value in headers.items() if name.lower() in ("content-type", "content-length", "accept")}
