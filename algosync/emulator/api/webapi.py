"""What administrators install, by the routes of two eras: `/webapi` of the site and `/v1` of the API (facts: `PLATFORM.md` 4.1)."""

import asyncio
import uuid
from collections import defaultdict
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from algosync.emulator.api.environments import BASE, environment_object, kind_object
from algosync.emulator.errors import ApiError, invalid
from algosync.emulator.http.replies import json_reply, read_object
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.environments import EnvironmentKind, EnvironmentRecord

SITE = "/webapi/v1/algorithm-environments"
SYNC_SECONDS = 1.0
"""How long an installation takes: real ones load an image, so their clients have to ask again and again."""


@dataclass(frozen=True, slots=True)
class Sync:
    """An installation on its way: of what, under which id."""

    kind: EnvironmentKind
    environment_id: str


class WebApi:
    """Installed and available environments, and the way from one to the other. The gate asks for a key of the administration."""

    def __init__(self, records: Catalog) -> None:
        self._records = records
        self._environments = records.environments
        self._syncs: dict[str, Sync] = {}
        self._planned: defaultdict[str, str] = defaultdict(lambda: str(uuid.uuid4()))
        """By specification, the id that an available environment will have unless another one is chosen."""

    def routes(self) -> list[Route]:
        """Both eras'; only the old one tells how an installation fares."""
        routes = [
            Route(SITE + "/environments/current", self._current),
            Route(SITE + "/environment-specifications/{specification}/syncs/{environment}", self._result),
            Route(BASE + "/environment-specifications/{specification}", self._remove, methods=["DELETE"]),
        ]
        for base in (SITE, BASE):
            routes += [
                Route(base + "/environments/available", self._available),
                Route(base + "/environment-specifications/{specification}/syncs", self._sync, methods=["POST"]),
            ]
        return routes

    async def _current(self, _: Request) -> Response:
        return json_reply([environment_object(each) for each in self._environments.all])

    async def _available(self, _: Request) -> Response:
        available = self._environments.available().items()
        return json_reply([{"id": self._planned[name], **kind_object(name, kind)} for name, kind in available])

    async def _sync(self, request: Request) -> Response:
        """The id that the environment has, or will have. A request may choose the id of a new one: `{"id": UUID}`."""
        specification, wanted = request.path_params["specification"], await _chosen_id(request)
        installed, syncing = self._environments.by_specification(specification), self._syncs.get(specification)
        known = installed.id if installed else syncing.environment_id if syncing else None
        if wanted and known and wanted != known:
            raise invalid(f"The environment has the id {known}: remove it first")
        if wanted and wanted != known and self._is_taken(wanted):
            raise invalid(f"Another environment has the id {wanted}")
        if known:
            return PlainTextResponse(known, 202)
        kind = self._environments.available().get(specification)
        if kind is None:
            raise _unknown()
        self._syncs[specification] = Sync(kind, wanted or self._planned[specification])
        asyncio.get_running_loop().call_later(SYNC_SECONDS, self._install, specification)
        return PlainTextResponse(self._syncs[specification].environment_id, 202)

    def _is_taken(self, environment_id: str) -> bool:
        others = [sync.environment_id for sync in self._syncs.values()]
        return environment_id in others or self._environments.by_id(environment_id) is not None

    async def _result(self, request: Request) -> Response:
        specification, environment_id = request.path_params["specification"], request.path_params["environment"]
        installed = self._environments.by_specification(specification)
        if installed and installed.id == environment_id:
            return json_reply({"sync_result": "succeeded"})
        sync = self._syncs.get(specification)
        if sync is None or sync.environment_id != environment_id:
            raise _unknown()
        return json_reply({"sync_result": "in progress"})

    async def _remove(self, request: Request) -> Response:
        environment = self._environments.by_specification(request.path_params["specification"])
        if environment is None:
            raise _unknown()
        if self._used(environment):
            raise invalid(f"There are algorithms in the environment {environment.kind.display_name}")
        self._environments.remove(environment)
        return Response(None, 204)

    def _used(self, environment: EnvironmentRecord) -> bool:
        everybody = self._records.algorithms.all()
        return any(each.settings["algorithm_environment"] == environment.id for each in everybody)

    def _install(self, specification: str) -> None:
        sync = self._syncs.pop(specification)
        self._planned.pop(specification, None)
        self._environments.install(sync.environment_id, sync.kind)


async def _chosen_id(request: Request) -> str | None:
    """The id in a JSON body. Other bodies are ignored, as scripts send them without a meaning."""
    if "json" not in request.headers.get("content-type", ""):
        return None
    wanted = (await read_object(request)).get("id")
    if wanted is None:
        return None
    try:
        return str(uuid.UUID(str(wanted)))
    except ValueError:
        raise invalid("id is not a UUID") from None


def _unknown() -> ApiError:
    return ApiError(404, "There is no such environment")
