"""Secrets of algorithms. Replies never contain their values (`PLATFORM.md` §3.1, §3.8)."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from algosync.emulator.api.algorithms import BASES, owned
from algosync.emulator.errors import ApiError, invalid
from algosync.emulator.http.replies import json_reply, read_object
from algosync.emulator.records.as_json import envelope
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.secrets import SecretEntry

PROVIDER = {
    "id": str(uuid.uuid5(uuid.NAMESPACE_URL, "algorithmia:secret-provider:internal")),
    "name": "algorithmia_internal_secret_provider",
    "description": "Internal Secret Provider",
    "isEnabled": True,
    "isDefault": True,
}
"""The only secret provider of a local cluster."""

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LOADER_VARIABLES = re.compile(r"(LD|GLIBC|MALLOC)_.*|GCONV_PATH|LOCPATH")
"""Variables that control the dynamic loader and the C library, even before the jail has started."""

RESERVED = frozenset({"PATH", "HOME", "TMPDIR", "ALGORITHMIA_API", "ALGORITHMIA_API_KEY", "NO_PROXY", "no_proxy"})
"""Variables that the cluster sets for every worker. A secret of that name would have no effect."""

MAX_VALUE = 65536
"""Bytes of one value. Linux allows about twice as much for one variable."""

MAX_SECRETS, MAX_TOTAL = 1000, 2**20
"""Secrets of one algorithm, and their size in bytes. Linux allows about twice as much for an environment."""


class SecretsApi:
    """Routes for the owner of an algorithm to list, create, change and remove its secrets."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._secrets = catalog.secrets

    def routes(self) -> list[Route]:
        """The secrets of an algorithm, and the secret providers."""
        routes = [Route("/v1/secret-provider", self._providers)]
        for base in BASES:
            routes += [
                Route(base + "/secrets", self._list),
                Route(base + "/secrets", self._create, methods=["POST"]),
                Route(base + "/secrets/{secret}", self._change, methods=["PUT"]),
                Route(base + "/secrets/{secret}", self._remove, methods=["DELETE"]),
            ]
        return routes

    async def _providers(self, _: Request) -> Response:
        return json_reply([PROVIDER])

    async def _list(self, request: Request) -> Response:
        secrets = [_described(entry) for entry in self._secrets.of(owned(request, self._catalog).id)]
        # Clients read the list under different names.
        return json_reply({**envelope(secrets), "secrets": secrets})

    async def _create(self, request: Request) -> Response:
        algorithm = owned(request, self._catalog)
        body = await read_object(request)
        _check_owner(body, algorithm.id)
        variable = _text(body, "secret_key")
        _check_variable(variable)
        entry = SecretEntry(
            id=str(uuid.uuid4()),
            algorithm_id=algorithm.id,
            variable=variable,
            short_name=_text(body, "short_name"),
            description=_text(body, "description", ""),
            value_id=str(uuid.uuid4()),
            value=_value(body),
        )
        self._check_room(entry)
        self._secrets.add(entry)
        return json_reply(_described(entry))

    async def _change(self, request: Request) -> Response:
        entry = self._addressed(request)
        body = await read_object(request)
        _check_owner(body, entry.algorithm_id)
        if body.get("secret_key", entry.variable) != entry.variable:
            raise invalid("The secret_key of a secret cannot be changed")
        entry = replace(
            entry,
            short_name=_text(body, "short_name", entry.short_name),
            description=_text(body, "description", entry.description),
        )
        if "secret_value" in body:
            entry = replace(entry, value_id=str(uuid.uuid4()), value=_value(body))
        self._check_room(entry)
        self._secrets.change(entry)
        return json_reply(_described(entry))

    async def _remove(self, request: Request) -> Response:
        self._secrets.remove(self._addressed(request))
        return Response(None, 204)

    def _check_room(self, entry: SecretEntry) -> None:
        """Raises `ApiError` 400 if the algorithm would have too many secrets to start a worker with."""
        secrets = [entry, *(each for each in self._secrets.of(entry.algorithm_id) if each.id != entry.id)]
        size = sum(len(f"{each.variable}={each.value}".encode()) for each in secrets)
        if len(secrets) > MAX_SECRETS or size > MAX_TOTAL:
            raise invalid(f"An algorithm may have at most {MAX_SECRETS} secrets with {MAX_TOTAL} bytes in all")

    def _addressed(self, request: Request) -> SecretEntry:
        entry = self._secrets.find(owned(request, self._catalog).id, request.path_params["secret"])
        if entry is None:
            raise ApiError(404, "There is no such secret")
        return entry


def _described(entry: SecretEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "short_name": entry.short_name,
        "description": entry.description,
        "owner_type": "algorithm",
        "owner_id": entry.algorithm_id,
        "provider_id": PROVIDER["id"],
        "default_secret_value_id": entry.value_id,
    }


def _check_owner(body: Mapping[str, object], algorithm_id: str) -> None:
    """Raises `ApiError` 400 if the body names another owner or provider than the path."""
    expected = {"owner_type": "algorithm", "owner_id": algorithm_id, "provider_id": PROVIDER["id"]}
    for name, value in expected.items():
        if body.get(name, value) != value:
            raise invalid(f"{name} does not match this algorithm's secrets")


def _check_variable(name: str) -> None:
    """Raises `ApiError` 400 if a secret may not have this name as its variable."""
    if not VARIABLE.fullmatch(name):
        raise invalid("secret_key is not a valid name of an environment variable")
    if LOADER_VARIABLES.fullmatch(name):
        raise invalid(f"{name} controls how programs are loaded, and cannot be a secret")
    if name in RESERVED:
        raise invalid(f"{name} is set by the cluster, and cannot be a secret")


def _text(body: Mapping[str, object], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or (default is None and not value):
        raise invalid(f"{name} is missing or not a string")
    return value


def _value(body: Mapping[str, object]) -> str:
    """The value of a secret. Raises `ApiError` 400 if it does not fit into an environment variable."""
    value = _text(body, "secret_value")
    if "\0" in value or len(value.encode()) > MAX_VALUE:
        raise invalid(f"secret_value contains a null character or has more than {MAX_VALUE} bytes")
    return value
