"""Management of algorithms: create, read, change, delete, list (`PLATFORM.md` §3.1 to §3.4)."""

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
"""Paths of an algorithm: by its id, and by its owner and name."""

SCM = {**SOURCE["scm"], "name": "Algorithmia"}
"""The cluster's own source control system, which is the only one."""

MAX_PAGE = 1000
LIMIT = re.compile(r"[0-9]{1,18}")
"""Longer numbers would exceed Python's limit for conversions."""

COMMITS = 1000
"""Maximum number of commits in a log."""


class ManagementApi:
    """Algorithms as a whole. `ReleaseApi` has their builds and versions."""

    def __init__(self, catalog: Catalog, repositories: Repositories, builder: Builder, pool: Pool, variants: Variants) -> None:
        self._catalog = catalog
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
            raise invalid("An algorithm's name must begin with a letter and consist of letters, digits and underscores")
        _check_source(object_field(body, "source"))
        details = {**changed_details({}, object_field(body, "details")), **kept_sample(_sample(body))}
        given = object_field(body, "settings")
        settings = new_settings(given, self._catalog.environments)
        plain = self._variants.plain_templates or is_legacy(given)
        new = Algorithm(str(uuid.uuid4()), owner, name, details, settings, "")
        algorithm = await asyncio.to_thread(self._add, new, plain=plain)
        return json_reply(algorithm_object(algorithm))

    def _add(self, algorithm: Algorithm, *, plain: bool) -> Algorithm:
        """Create the repository, then the record. After a kill in between, the next start removes the repository."""
        environment = self._catalog.environments.by_id(algorithm.settings["algorithm_environment"])
        if environment is None:
            raise LookupError("Settings were checked to name an environment")
        files = template(environment.kind, algorithm.owner, algorithm.name, plain=plain)
        commit = self._repositories.create(algorithm.id, algorithm.owner, files)
        made = replace(algorithm, initial_commit=commit)
        try:
            self._catalog.algorithms.add(made)
        except Exception:
            if self._catalog.algorithms.get(algorithm.id) is None:
                self._repositories.delete(algorithm.id)
            raise
        return made

    async def _read(self, request: Request) -> Response:
        algorithm = addressed(request, self._catalog, BareNoSuchAlgorithm)
        own = caller_of(request).owns(algorithm.owner)
        shown = self._catalog.current(algorithm) if own else self._catalog.public(algorithm)
        if shown is None:
            raise not_permitted()
        return json_reply(shown)

    async def _update(self, request: Request) -> Response:
        body, algorithm = await body_and_owned(request, self._catalog)
        details = changed_details(algorithm.details, object_field(body, "details"))
        given = object_field(body, "settings")
        settings = changed_settings(algorithm.settings, given, self._catalog.environments)
        sample = _sample(body)
        version = next(iter(self._catalog.versions.of(algorithm.id)), None)
        if version is None:
            details |= kept_sample(sample)
        elif sample is not None:
            self._catalog.versions.describe(version, {**version.info, "sample_input": sample})
        changed = replace(algorithm, details=details, settings=settings)
        self._catalog.algorithms.update(changed)
        return json_reply(self._catalog.current(changed))

    async def _delete(self, request: Request) -> Response:
        """Owners may delete private algorithms. An administration key may delete any; there is no evidence of another way."""
        forced = caller_of(request).rights.administration
        algorithm = addressed(request, self._catalog) if forced else owned(request, self._catalog)
        if not forced and any(version.public for version in self._catalog.versions.of(algorithm.id)):
            raise invalid("Only administrators of the cluster may delete an algorithm with a public version")
        builds = self._catalog.builds.of(algorithm.id)
        self._catalog.algorithms.delete(algorithm)
        await self._pool.retire(algorithm.id)
        await self._builder.discard(builds)
        await asyncio.to_thread(self._repositories.delete, algorithm.id)
        return Response(None, 204)

    async def _list(self, request: Request) -> Response:
        """List all algorithms of the caller, or the public ones of another owner. A marker is the last name on a page."""
        owner: str = request.path_params["owner"]
        limit, after = page_limit(request, MAX_PAGE), request.query_params.get("marker", "")
        if caller_of(request).owns(owner):
            shown = [self._catalog.current(each) for each in self._catalog.algorithms.page(owner, after, limit + 1)]
        else:
            every = self._catalog.algorithms.page(owner, after, sys.maxsize)
            shown = list(islice(filter(None, map(self._catalog.public, every)), limit + 1))
        marker = str(shown[limit - 1]["name"]) if len(shown) > limit else None
        return json_reply(envelope(shown[:limit], marker, request.url))

    async def _errors(self, request: Request) -> Response:
        return json_reply(self._catalog.algorithms.failures(owned(request, self._catalog, BareNoSuchAlgorithm).id))

    async def _log(self, request: Request) -> Response:
        algorithm = owned(request, self._catalog)
        since, until = request.query_params.get("since"), request.query_params.get("until")
        commits = await asyncio.to_thread(self._repositories.log, algorithm.id, since, until, COMMITS)
        return json_reply({"commits": commits})

    async def _scm_status(self, request: Request) -> Response:
        owned(request, self._catalog)
        return json_reply({"scm_connection_status": "active"})

    async def _webhook(self, request: Request) -> Response:
        """Ignore the webhook: the cluster has all repositories itself, and sees every push."""
        owned(request, self._catalog)
        await read_object(request)
        return Response(None, 204)

    async def _scms(self, _: Request) -> Response:
        return json_reply({"results": [SCM]})

    async def _scm(self, request: Request) -> Response:
        if request.path_params["scm"] != SCM["id"]:
            raise ApiError(404, "There is no such SCM")
        return json_reply(SCM)


def _sample(body: dict[str, object]) -> str | None:
    """The sample input in a request, or None. Raises `ApiError` 400 if it is not a string."""
    sample = object_field(body, "version_info").get("sample_input")
    if not isinstance(sample, str | None):
        raise invalid("version_info.sample_input is not a string")
    return sample


def _check_source(source: dict[str, object]) -> None:
    """Raises `ApiError` 400 (code 1008) if the repository should be in another SCM. `scm` is an id or an SCM object."""
    scm = source.get("scm")
    wanted = scm.get("id") if isinstance(scm, dict) else scm
    if wanted not in (None, "", SCM["id"]):
        raise ApiError(400, "source.scm is not an SCM of this cluster, which keeps all repositories itself", SCM_REFUSED)


def page_limit(request: Request, usual: int) -> int:
    """The requested number of entries on a page. Raises `ApiError` 400 (code 5003) if it is out of range."""
    text = request.query_params.get("limit", str(usual))
    if not LIMIT.fullmatch(text) or not 0 < int(text) <= MAX_PAGE:
        raise ApiError(400, f"limit is not between 1 and {MAX_PAGE}", BAD_LIMIT)
    return int(text)


def owned(request: Request, catalog: Catalog, missing: type[NoSuchAlgorithm] = NoSuchAlgorithm) -> Algorithm:
    """The algorithm that a request addresses. Raises `missing` if there is none, and `ApiError` 403 for other callers."""
    algorithm = addressed(request, catalog, missing)
    if not caller_of(request).owns(algorithm.owner):
        raise not_permitted()
    return algorithm


async def body_and_owned(request: Request, catalog: Catalog) -> tuple[dict[str, object], Algorithm]:
    """The body of a request, and the caller's algorithm as it is after the body has arrived.

    Raises as `owned` does, before the body is read and again after it, and as `read_object` does.
    """
    owned(request, catalog)
    body = await read_object(request)
    return body, owned(request, catalog)


def addressed(request: Request, catalog: Catalog, missing: type[NoSuchAlgorithm] = NoSuchAlgorithm) -> Algorithm:
    """The algorithm of any owner that a request addresses. Raises `missing` if there is none."""
    params = request.path_params
    if "id" in params:
        algorithm = catalog.algorithms.get(str(params["id"]))
    else:
        algorithm = catalog.algorithms.find(params["owner"], params["name"])
    if algorithm is None:
        raise missing(by_id="id" in params)
    return algorithm
