"""Secrets of algorithms: what is told of them, never their values (facts: `PLATFORM.md` 3.1, 3.8)."""

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
"""Where secrets are kept: the only such place, in this cluster."""

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
STEERING = re.compile(r"(LD|GLIBC|MALLOC)_.*|GCONV_PATH|LOCPATH")
"""What the system's loader and library obey before a program has begun: nobody's secrets."""

NEEDED = frozenset({"PATH", "HOME", "TMPDIR", "ALGORITHMIA_API", "ALGORITHMIA_API_KEY", "NO_PROXY", "no_proxy"})
"""What every worker is given itself, whatever the secrets of its algorithm: one of that name would never be seen."""

MAX_VALUE = 65536
"""Bytes. A process can take about twice that in one variable."""

MAX_SECRETS, MAX_VALUES = 1000, 2**20
"""Secrets of one algorithm, and bytes of all of them: a process can take about twice that in its environment."""


class SecretsApi:
    """Secrets are listed, made, changed and removed by the owner of their algorithm."""

    def __init__(self, records: Catalog) -> None:
        self._records = records
        self._secrets = records.secrets

    def routes(self) -> list[Route]:
        """Those of each algorithm, and where they are kept."""
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
        secrets = [_described(entry) for entry in self._secrets.of(owned(request, self._records).id)]
        # Sources differ in the name of the list.
        return json_reply({**envelope(secrets), "secrets": secrets})

    async def _create(self, request: Request) -> Response:
        algorithm = owned(request, self._records)
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
            entry = entry.with_value(_value(body))
        self._check_room(entry)
        self._secrets.change(entry)
        return json_reply(_described(entry))

    async def _remove(self, request: Request) -> Response:
        self._secrets.remove(self._addressed(request))
        return Response(None, 204)

    def _check_room(self, entry: SecretEntry) -> None:
        """Raises `ApiError` 400 where a worker could not be started with this secret and the others."""
        secrets = [entry, *(each for each in self._secrets.of(entry.algorithm_id) if each.id != entry.id)]
        size = sum(len(f"{each.variable}={each.value}".encode()) for each in secrets)
        if len(secrets) > MAX_SECRETS or size > MAX_VALUES:
            raise invalid(f"An algorithm has {MAX_SECRETS} secrets at most, of {MAX_VALUES} bytes in all")

    def _addressed(self, request: Request) -> SecretEntry:
        entry = self._secrets.find(owned(request, self._records).id, request.path_params["secret"])
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
    """What a body says besides of where the secret belongs has to be true."""
    true = {"owner_type": "algorithm", "owner_id": algorithm_id, "provider_id": PROVIDER["id"]}
    for name, value in true.items():
        if body.get(name, value) != value:
            raise invalid(f"{name} is not that of this algorithm's secrets")


def _check_variable(name: str) -> None:
    """Raises `ApiError` 400 for what names no environment variable, or one that is not the algorithm's to set."""
    if not VARIABLE.fullmatch(name):
        raise invalid("secret_key is no name of an environment variable")
    if STEERING.fullmatch(name):
        raise invalid(f"{name} steers how programs are loaded, and holds no secret")
    if name in NEEDED:
        raise invalid(f"{name} is set by the cluster, and holds no secret")


def _text(body: Mapping[str, object], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or (default is None and not value):
        raise invalid(f"{name} is missing or no text")
    return value


def _value(body: Mapping[str, object]) -> str:
    """What fits into an environment variable."""
    value = _text(body, "secret_value")
    if "\0" in value or len(value.encode()) > MAX_VALUE:
        raise invalid(f"secret_value holds a null character or more than {MAX_VALUE} bytes")
    return value
