"""From a commit to a published version: compile, builds, publish, versions (`PLATFORM.md` §3.5, §3.6)."""

import asyncio
import re
import sys
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from algosync.emulator.api.algorithms import BASES, addressed, body_and_owned, owned, page_limit
from algosync.emulator.errors import BAD_MARKER, ApiError, invalid, not_permitted
from algosync.emulator.git.repositories import Repositories
from algosync.emulator.http.replies import caller_of, json_reply, object_field, read_object
from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.as_json import build_object, envelope, version_object, without_sample
from algosync.emulator.records.builds import IN_PROGRESS, BuildRecord
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.settings import changed_details
from algosync.emulator.records.versions import Release
from algosync.emulator.running.builder import Builder
from algosync.emulator.variants import Variants

PAGE = 50
NUMBER = re.compile(r"[0-9]{1,19}")
"""Longer numbers would exceed Python's limit for conversions."""


class ReleaseApi:
    """Builds and versions of the caller's algorithms."""

    def __init__(self, catalog: Catalog, repositories: Repositories, builder: Builder, variants: Variants) -> None:
        self._variants = variants
        self._catalog = catalog
        self._repositories = repositories
        self._builder = builder

    def routes(self) -> list[Route]:
        """The routes below an algorithm. `version` is an older spelling of `versions`."""
        routes = []
        for base in BASES:
            routes += [
                Route(base + "/compile", self._compile, methods=["POST"]),
                Route(base + "/builds", self._builds),
                Route(base + "/builds/{build}", self._build),
                Route(base + "/builds/{build}/logs", self._logs),
                Route(base + "/versions", self._publish, methods=["POST"]),
                Route(base + "/version", self._publish, methods=["POST"]),
                Route(base + "/versions", self._versions),
                Route(base + "/versions/{commit}", self._version),
                Route(base + "/versions/{commit}/registry", self._registry),
                Route(base + "/versions/{commit}/registry", self._pushed, methods=["POST"]),
            ]
        return routes

    async def _compile(self, request: Request) -> Response:
        algorithm = owned(request, self._catalog)
        wanted = (await read_object(request)).get("commitSha") or None
        if not isinstance(wanted, str | None):
            raise invalid("commitSha is not a string")
        commit = await asyncio.to_thread(self._repositories.commit, algorithm.id, wanted)
        await self._builder.wait(self._builder.start(algorithm, commit))
        return json_reply(self._catalog.current(algorithm))

    async def _builds(self, request: Request) -> Response:
        algorithm = owned(request, self._catalog)
        limit, before = _page(request)
        builds = self._catalog.builds.page(algorithm.id, before, limit + 1)
        marker = str(builds[limit - 1].sequence) if len(builds) > limit else None
        return json_reply(
            envelope([build_object(each, self._catalog.published(each)) for each in builds[:limit]], marker, request.url)
        )

    async def _build(self, request: Request) -> Response:
        build = self._one_build(request)
        return json_reply(build_object(build, self._catalog.published(build)))

    async def _logs(self, request: Request) -> Response:
        build = self._one_build(request)
        if build.status == IN_PROGRESS:
            raise ApiError(404, "The build is still running")
        with self._builder.log(build) as log:
            log.seek(0)
            text = await asyncio.to_thread(log.read)
        return json_reply({"logs": text.decode("utf-8", "replace")})

    async def _publish(self, request: Request) -> Response:
        body, algorithm = await body_and_owned(request, self._catalog)
        newest = self._catalog.builds.newest(algorithm.id)
        build = self._catalog.builds.newest_successful(algorithm.id)
        if newest and newest.status == IN_PROGRESS:
            raise invalid("The newest build is still running")
        if build is None:
            raise invalid("There is no successful build to publish")
        release = _release(algorithm, build, body)
        if self._variants.strict_versions:
            self._check_callability(algorithm, release)
        version = self._catalog.versions.publish(algorithm.id, release)
        return json_reply(version_object(replace(algorithm, settings=version.settings), build, version))

    def _check_callability(self, algorithm: Algorithm, release: Release) -> None:
        """Raises `ApiError` 400 if a minor version or revision would change who may call the algorithm."""
        newest = next(iter(self._catalog.versions.of(algorithm.id)), None)
        callability = release.settings["algorithm_callability"]
        if newest and release.bump != "major" and newest.settings["algorithm_callability"] != callability:
            raise invalid(f"Only a major version can make the algorithm {callability}")

    async def _versions(self, request: Request) -> Response:
        algorithm, own = self._visible(request)
        limit, before = _page(request)
        pairs = [(build, self._catalog.published(build)) for build in self._catalog.builds.built_commits(algorithm.id)]
        if not own:
            pairs = [pair for pair in pairs if pair[1] and pair[1].public]
        if (published := _filter(request, "published")) is not None:
            pairs = [pair for pair in pairs if (pair[1] is not None) == published]
        if (public := _filter(request, "callable")) is not None:
            pairs = [pair for pair in pairs if pair[1] and pair[1].public == public]
        pairs = [pair for pair in pairs if pair[0].sequence < before]
        marker = str(pairs[limit - 1][0].sequence) if len(pairs) > limit else None
        return json_reply(envelope([version_object(algorithm, *pair) for pair in pairs[:limit]], marker, request.url))

    async def _version(self, request: Request) -> Response:
        algorithm, own = self._visible(request)
        build = self._catalog.builds.of_commit(algorithm.id, request.path_params["commit"])
        version = self._catalog.published(build) if build else None
        if build is None or not (own or (version and version.public)):
            raise ApiError(404, "There is no version of this hash")
        return json_reply(version_object(algorithm, build, version))

    async def _registry(self, request: Request) -> Response:
        """The status of a version's container, which is that of its build. There is no evidence of the field names."""
        build = self._build_of_commit(request)
        return json_reply({"git_hash": build.commit, "status": build.status})

    async def _pushed(self, request: Request) -> Response:
        """Ignore the notice that a container was pushed. The local cluster has no container registry."""
        self._build_of_commit(request)
        await read_object(request)
        return Response(None, 204)

    def _build_of_commit(self, request: Request) -> BuildRecord:
        build = self._catalog.builds.of_commit(owned(request, self._catalog).id, request.path_params["commit"])
        if build is None:
            raise ApiError(404, "There is no version of this hash")
        return build

    def _visible(self, request: Request) -> tuple[Algorithm, bool]:
        """An algorithm, and whether the caller owns it. Raises `ApiError` 403 for others unless it has a public version."""
        algorithm = addressed(request, self._catalog)
        own = caller_of(request).owns(algorithm.owner)
        if not own and self._catalog.public(algorithm) is None:
            raise not_permitted()
        return algorithm, own

    def _one_build(self, request: Request) -> BuildRecord:
        build = self._catalog.builds.get(owned(request, self._catalog).id, request.path_params["build"])
        if build is None:
            raise ApiError(404, "There is no such build")
        return build


def _filter(request: Request, name: str) -> bool | None:
    """A boolean query parameter, in any case; None if it is not given. Raises `ApiError` 400 for other values."""
    text = request.query_params.get(name, "").lower()
    if text not in ("", "true", "false"):
        raise invalid(f"{name} must be true or false")
    return text == "true" if text else None


def _page(request: Request) -> tuple[int, int]:
    """The requested number of entries, and the sequence number before which they end."""
    marker = request.query_params.get("marker", str(sys.maxsize))
    if not NUMBER.fullmatch(marker) or not 0 < int(marker) <= sys.maxsize:
        raise ApiError(400, "marker is out of range", BAD_MARKER)
    return page_limit(request, PAGE), int(marker)


def _release(algorithm: Algorithm, build: BuildRecord, body: dict[str, object]) -> Release:
    """The release that a request describes. By default it is private and minor, and has the algorithm's sample input."""
    wanted = object_field(body, "version_info")
    texts = ("release_notes", "sample_input", "sample_output")
    info: dict[str, object] = {name: wanted[name] for name in texts if wanted.get(name) is not None}
    if not all(isinstance(value, str) for value in info.values()):
        raise invalid("release_notes, sample_input and sample_output must be strings")
    details, kept = without_sample(changed_details(algorithm.details, object_field(body, "details")))
    callability = object_field(body, "settings").get("algorithm_callability") or "private"
    if callability not in ("private", "public"):
        raise invalid("settings.algorithm_callability must be private or public")
    return Release(
        commit=build.commit,
        bump=str(wanted.get("version_type") or "minor"),
        details=details,
        settings={**algorithm.settings, "algorithm_callability": callability},
        info={**kept, **info},
    )
