"""Installation of environments, by the older routes below `/webapi` and the newer ones below `/v1` (`PLATFORM.md` §4.1)."""

import asyncio
import uuid
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from algosync.emulator.api.environments import BASE, environment_object, kind_object
from algosync.emulator.errors import ApiError, invalid
from algosync.emulator.http.replies import json_reply
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.environments import EnvironmentKind, EnvironmentRecord

SITE = "/webapi/v1/algorithm-environments"
SYNC_SECONDS = 1.0
"""Duration of an installation. On a real cluster it takes longer, so clients have to poll; here they have to as well."""


@dataclass(frozen=True, slots=True)
class PendingEnvironment:
    """An environment that is being installed (a "sync" of the API), and the id that it will have."""

    kind: EnvironmentKind
    environment_id: str


class WebApi:
    """Installed and available environments. The gate requires an administration key."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._environments = catalog.environments
        self._pending: dict[str, PendingEnvironment] = {}

    def routes(self) -> list[Route]:
        """The older and the newer routes. Only the older ones report the progress of an installation."""
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
        return json_reply([kind_object(*each) for each in self._environments.available().items()])

    async def _sync(self, request: Request) -> Response:
        """Start an installation, unless there is one. The reply is the id that the environment has or will have."""
        specification = request.path_params["specification"]
        if found := self._environments.by_specification(specification):
            return PlainTextResponse(found.id, 202)
        if specification not in self._pending:
            kind = self._environments.available().get(specification)
            if kind is None:
                raise _unknown()
            self._pending[specification] = PendingEnvironment(kind, str(uuid.uuid4()))
            asyncio.get_running_loop().call_later(SYNC_SECONDS, self._install, specification)
        return PlainTextResponse(self._pending[specification].environment_id, 202)

    async def _result(self, request: Request) -> Response:
        specification, environment_id = request.path_params["specification"], request.path_params["environment"]
        installed = self._environments.by_specification(specification)
        if installed and installed.id == environment_id:
            return json_reply({"sync_result": "succeeded"})
        pending = self._pending.get(specification)
        if pending is None or pending.environment_id != environment_id:
            raise _unknown()
        return json_reply({"sync_result": "in progress"})

    async def _remove(self, request: Request) -> Response:
        environment = self._environments.by_specification(request.path_params["specification"])
        if environment is None:
            raise _unknown()
        if self._is_used(environment):
            raise invalid(f"Algorithms use the environment {environment.kind.display_name}")
        self._environments.remove(environment)
        return Response(None, 204)

    def _is_used(self, environment: EnvironmentRecord) -> bool:
        return any(each.settings["algorithm_environment"] == environment.id for each in self._catalog.algorithms.all())

    def _install(self, specification: str) -> None:
        pending = self._pending.pop(specification)
        self._environments.install(pending.environment_id, pending.kind)


def _unknown() -> ApiError:
    return ApiError(404, "There is no such environment")
