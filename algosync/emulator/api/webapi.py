"""Installation of environments, by the older routes below `/webapi` and the newer ones below `/v1` (`PLATFORM.md` §4.1)."""

import asyncio
import uuid
from collections import defaultdict

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
"""Duration of an installation. On a real cluster it takes longer, so clients have to poll; here they have to as well."""


class WebApi:
    """Installed and available environments. The gate requires an administration key."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._environments = catalog.environments
        self._pending: dict[str, tuple[str, EnvironmentKind]] = {}
        """By specification, the id and kind of an environment that is being installed (a "sync" of the API)."""
        self._next_ids: defaultdict[str, str] = defaultdict(lambda: str(uuid.uuid4()))
        """By specification, the id that an available environment gets unless a request chooses another one."""

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
        available = self._environments.available().items()
        return json_reply([{"id": self._next_ids[name], **kind_object(name, kind)} for name, kind in available])

    async def _sync(self, request: Request) -> Response:
        """Start an installation, unless there is one. The reply is the id that the environment has or will have.

        A request can choose the id of a new environment with the body `{"id": UUID}`.
        """
        specification, chosen = request.path_params["specification"], await _chosen_id(request)
        current = self._current_id(specification)
        if chosen and current and chosen != current:
            raise invalid(f"The environment has the id {current}: remove it first")
        if current:
            return PlainTextResponse(current, 202)
        if chosen and self._is_taken(chosen):
            raise invalid(f"Another environment has the id {chosen}")
        kind = self._environments.available().get(specification)
        if kind is None:
            raise _unknown()
        self._pending[specification] = (chosen or self._next_ids[specification], kind)
        asyncio.get_running_loop().call_later(SYNC_SECONDS, self._install, specification)
        return PlainTextResponse(self._pending[specification][0], 202)

    def _current_id(self, specification: str) -> str | None:
        """The id of an environment that is installed or being installed."""
        if installed := self._environments.by_specification(specification):
            return installed.id
        pending = self._pending.get(specification)
        return pending[0] if pending else None

    def _is_taken(self, environment_id: str) -> bool:
        pending = any(environment_id == each for each, _ in self._pending.values())
        return pending or self._environments.by_id(environment_id) is not None

    async def _result(self, request: Request) -> Response:
        specification, environment_id = request.path_params["specification"], request.path_params["environment"]
        installed = self._environments.by_specification(specification)
        if installed and installed.id == environment_id:
            return json_reply({"sync_result": "succeeded"})
        pending = self._pending.get(specification)
        if pending is None or pending[0] != environment_id:
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
        self._next_ids.pop(specification, None)
        self._environments.install(*self._pending.pop(specification))


async def _chosen_id(request: Request) -> str | None:
    """The id in a JSON body, or None. Other bodies are ignored. Raises `ApiError` 400 for an invalid id."""
    if "json" not in request.headers.get("content-type", ""):
        return None
    chosen = (await read_object(request)).get("id")
    try:
        return None if chosen is None else str(uuid.UUID(str(chosen)))
    except ValueError:
        raise invalid("id is not a UUID") from None


def _unknown() -> ApiError:
    return ApiError(404, "There is no such environment")
