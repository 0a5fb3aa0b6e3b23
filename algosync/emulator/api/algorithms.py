"""Management of algorithms: create, read, change, delete, list (facts: `PLATFORM.md` 3.1-3.4)."""

import asyncio
import re
import sys
import uuid
from dataclasses import replace
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from algosync.emulator.errors import BAD_LIMIT, SCM_REFUSED, ApiError, BareNoSuchAlgorithm, NoSuchAlgorithm, invalid, not_permitted
from algosync.emulator.git.new_repository import template
from algosync.emulator.git.repositories import Repositories
from algosync.emulator.http.replies import caller_of, json_reply, object_field, read_object
from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.as_json import SOURCE, algorithm_object, envelope, kept_sample
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.settings import NAME, changed_details, changed_settings, is_legacy, new_settings
from algosync.emulator.running.builder import Builder
from algosync.emulator.running.pool import Pool
from algosync.emulator.variants import Variants

BASES = ("/v1/algorithms/{id:uuid}", "/v1/algorithms/{owner}/{name}")
"""An algorithm is addressed by its id or by its name."""

SCM = {**SOURCE["scm"], "name": "Algorithmia"}
"""The only source control there is: the cluster's own."""

MAX_PAGE = 1000
LIMIT = re.compile(r"[0-9]{1,18}")
"""What Python reads without counting the digits."""

COMMITS = 1000
"""The most that a log tells."""


class ManagementApi:
    """Algorithms as a whole; their builds and versions are `ReleaseApi`."""

    def __init__(self, records: Catalog, repositories: Repositories, builder: Builder, pool: Pool, variants: Variants) -> None:
        self._records = records
        self._repositories = repositories
        self._builder = builder
        self._pool = pool
        self._variants = variants

    def routes(self) -> list[Route]:
        """The routes of algorithms, users' lists and source control."""
        routes = [
            Route("/v1/algorithms/{owner}", self._create, methods=["POST"]),
            Route("/v1/users/{owner}/algorithms", self._list),
            Route("/v1/scms", self._scms),
            Route("/v1/scms/{scm}", self._scm),
        ]
        for base in BASES:
            routes += [
                Route(base + "/errors", self._errors),
                Route(base + "/log", self._log),
                Route(base + "/scm/status", self._scm_status),
                Route(base + "/scm/webhook", self._webhook, methods=["POST"]),
                Route(base, self._read),
                Route(base, self._update, methods=["PUT"]),
                Route(base, self._delete, methods=["DELETE"]),
            ]
        return routes

    async def _create(self, request: Request) -> Response:
        owner: str = request.path_params["owner"]
        if not caller_of(request).owns(owner):
            raise not_permitted()
        body = await read_object(request)
        name = body.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise invalid("An algorithm's name begins with a letter; letters, digits and underscores follow")
        _check_source(object_field(body, "source"))
        details = {**changed_details({}, object_field(body, "details")), **kept_sample(_sample(body))}
        given = object_field(body, "settings")
        settings = new_settings(given, self._records.environments)
        plain = self._variants.plain_templates or is_legacy(given)
        algorithm = await asyncio.to_thread(self._made, Algorithm(str(uuid.uuid4()), owner, name, details, settings, ""), plain)
        return json_reply(algorithm_object(algorithm))

    def _made(self, algorithm: Algorithm, plain: bool) -> Algorithm:
        """Repository first, record last: a kill between them leaves a folder that the next start removes."""
        environment = self._records.environments.by_id(algorithm.settings["algorithm_environment"])
        if environment is None:
            raise LookupError("Settings were checked to name an environment")
        files = template(environment.kind, algorithm.owner, algorithm.name, plain=plain)
        commit = self._repositories.create(algorithm.id, algorithm.owner, files)
        made = replace(algorithm, initial_commit=commit)
        try:
            self._records.algorithms.add(made)
        except Exception:
            if self._records.algorithms.get(algorithm.id) is None:
                self._repositories.delete(algorithm.id)
            raise
        return made

    async def _read(self, request: Request) -> Response:
        algorithm = addressed(request, self._records, BareNoSuchAlgorithm)
        own = caller_of(request).owns(algorithm.owner)
        shown = self._records.current(algorithm) if own else self._records.public(algorithm)
        if shown is None:
            raise not_permitted()
        return json_reply(shown)

    async def _update(self, request: Request) -> Response:
        body, algorithm = await asked_of(request, self._records)
        details = changed_details(algorithm.details, object_field(body, "details"))
        given = object_field(body, "settings")
        settings = changed_settings(algorithm.settings, given, self._records.environments)
        sample = _sample(body)
        version = next(iter(self._records.versions.of(algorithm.id)), None)
        if version is None:
            details |= kept_sample(sample)
        elif sample is not None:
            self._records.versions.describe(version, {**version.info, "sample_input": sample})
        changed = replace(algorithm, details=details, settings=settings)
        self._records.algorithms.update(changed)
        return json_reply(self._records.current(changed))

    async def _delete(self, request: Request) -> Response:
        """An owner's own; with a key of the administration anybody's, public or not. How clusters are told to, is not known."""
        forced = caller_of(request).rights.administration
        algorithm = addressed(request, self._records) if forced else owned(request, self._records)
        if not forced and any(version.public for version in self._records.versions.of(algorithm.id)):
            raise invalid("A publicly published algorithm is deleted by the cluster's administrators only")
        builds = self._records.builds.of(algorithm.id)
        self._records.algorithms.delete(algorithm)
        await self._pool.retire(algorithm.id)
        await self._builder.discard(builds)
        await asyncio.to_thread(self._repositories.delete, algorithm.id)
        return Response(None, 204)

    async def _list(self, request: Request) -> Response:
        """All of the caller's own; of others', what everybody may call. A marker is the name of the last one that is shown."""
        owner: str = request.path_params["owner"]
        limit, after = page_limit(request, MAX_PAGE), request.query_params.get("marker", "")
        if caller_of(request).owns(owner):
            shown = [self._records.current(each) for each in self._records.algorithms.page(owner, after, limit + 1)]
        else:
            every = self._records.algorithms.page(owner, after, sys.maxsize)
            shown = list(islice(filter(None, map(self._records.public, every)), limit + 1))
        marker = str(shown[limit - 1]["name"]) if len(shown) > limit else None
        return json_reply(envelope(shown[:limit], marker, request.url))

    async def _errors(self, request: Request) -> Response:
        return json_reply(self._records.algorithms.failures(owned(request, self._records, BareNoSuchAlgorithm).id))

    async def _log(self, request: Request) -> Response:
        algorithm = owned(request, self._records)
        since, until = request.query_params.get("since"), request.query_params.get("until")
        commits = await asyncio.to_thread(self._repositories.log, algorithm.id, since, until, COMMITS)
        return json_reply({"commits": commits})

    async def _scm_status(self, request: Request) -> Response:
        owned(request, self._records)
        return json_reply({"scm_connection_status": "active"})

    async def _webhook(self, request: Request) -> Response:
        """Repositories are the cluster's own: it knows of every push before anybody could call back."""
        owned(request, self._records)
        await read_object(request)
        return Response(None, 204)

    async def _scms(self, _: Request) -> Response:
        return json_reply({"results": [SCM]})

    async def _scm(self, request: Request) -> Response:
        if request.path_params["scm"] != SCM["id"]:
            raise ApiError(404, "There is no such SCM")
        return json_reply(SCM)


def _sample(body: dict[str, object]) -> str | None:
    """The sample input that a request says, if it does. Raises `ApiError` 400 for what is no string."""
    sample = object_field(body, "version_info").get("sample_input")
    if not isinstance(sample, str | None):
        raise invalid("version_info.sample_input is no string")
    return sample


def _check_source(source: dict[str, object]) -> None:
    """Raises `ApiError` 400 (code 1008) where a repository is wanted elsewhere: `scm` is an id, or what is told of an SCM."""
    scm = source.get("scm")
    wanted = scm.get("id") if isinstance(scm, dict) else scm
    if wanted not in (None, "", SCM["id"]):
        raise ApiError(400, "source.scm names no SCM of this cluster, which keeps all repositories itself", SCM_REFUSED)


def page_limit(request: Request, usual: int) -> int:
    """How many entries of a list are wanted. Raises `ApiError` 400 (code 5003) for what is out of range."""
    text = request.query_params.get("limit", str(usual))
    if not LIMIT.fullmatch(text) or not 0 < int(text) <= MAX_PAGE:
        raise ApiError(400, f"limit is not within 1 and {MAX_PAGE}", BAD_LIMIT)
    return int(text)


def owned(request: Request, records: Catalog, missing: type[NoSuchAlgorithm] = NoSuchAlgorithm) -> Algorithm:
    """The caller's algorithm that a request addresses. Raises `missing` where there is none, `ApiError` 403 for another's."""
    algorithm = addressed(request, records, missing)
    if not caller_of(request).owns(algorithm.owner):
        raise not_permitted()
    return algorithm


async def asked_of(request: Request, records: Catalog) -> tuple[dict[str, object], Algorithm]:
    """The body, and the caller's algorithm as it is once the body is in: others may have changed or deleted it meanwhile.

    Raises as `owned` does, for those who may not before they have sent anything, and as `read_object` does.
    """
    owned(request, records)
    body = await read_object(request)
    return body, owned(request, records)


def addressed(request: Request, records: Catalog, missing: type[NoSuchAlgorithm] = NoSuchAlgorithm) -> Algorithm:
    """The algorithm that a request addresses, whosever it is. Raises `missing` where there is none."""
    params = request.path_params
    if "id" in params:
        algorithm = records.algorithms.get(str(params["id"]))
    else:
        algorithm = records.algorithms.find(params["owner"], params["name"])
    if algorithm is None:
        raise missing(by_id="id" in params)
    return algorithm
