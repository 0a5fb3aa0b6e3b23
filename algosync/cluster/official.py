"""The official client over our own wire: used where its semantics are worth having, made safe at this one place."""

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
    """`Algorithmia.Client` without its own constructor, which reads the environment and hands the key to a second HTTP stack."""

    def __init__(self, wire: Wire) -> None:
        self.apiAddress = wire.host.url
        self.apiKey = None  # the wire sends it, so that no netrc entry can take its place
        self.bearerToken = None
        self.requestSession = _Session(wire)

    def algo(self, reference: str) -> Any:
        """`owner/name[/version]`. The client takes letters, digits and `_` alone for an owner; organizations have `-` too."""
        owner, _, rest = reference.partition("/")
        algorithm = super().algo(f"_/{rest}")
        algorithm.path = reference
        algorithm.username = owner
        algorithm.url = f"/v1/algo/{reference}"
        return algorithm


class _Session(requests.Session):
    """Nothing of the machine's: a failure of any kind is our error before the client's own handling, which loses its message."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = 0
        self.adapters.clear()
        self.mount(f"{wire.host.url}/", _Adapter(wire))  # whatever leads elsewhere has no way to go


class _Adapter(BaseAdapter):
    """requests' requests, sent over the wire and answered whole."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def send(self, request: requests.PreparedRequest, *_: object, timeout: object = None, **__: object) -> requests.Response:
        body = cast("bytes | Iterable[bytes] | None", request.body.encode() if isinstance(request.body, str) else request.body)
        path = (request.url or "").removeprefix(self._wire.host.url)
        within = timeout if isinstance(timeout, float) else None
        answer = self._wire.answer(request.method or "GET", path, _kept(request.headers), body, within)
        kind = {"Content-Type": answer.headers.get("Content-Type", "")}  # requests acts upon others: it decodes, and keeps cookies
        raw = HTTPResponse(io.BytesIO(answer.body), kind, answer.status, preload_content=False, decode_content=False)
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """The wire belongs to the cluster."""


def _kept(headers: Any) -> dict[str, str]:
    """What the client says of its body; the rest is the wire's to say."""
    return {name: value for name, value in headers.items() if name.lower() in ("content-type", "content-length", "accept")}
