"""From a commit to a published version: compile, builds, publish, versions (facts: `PLATFORM.md` 3.5, 3.6)."""

import asyncio
import re
import sys
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from algosync.emulator.api.algorithms import BASES, addressed, asked_of, owned, page_limit
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
"""What Python reads without counting the digits."""


class ReleaseApi:
    """Builds and versions of the caller's algorithms."""

    def __init__(self, records: Catalog, repositories: Repositories, builder: Builder, variants: Variants) -> None:
        self._variants = variants
        self._records = records
        self._repositories = repositories
        self._builder = builder

    def routes(self) -> list[Route]:
        """The routes below an algorithm; `version` is an older spelling of `versions`."""
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
        algorithm = owned(request, self._records)
        wanted = (await read_object(request)).get("commitSha") or None
        if not isinstance(wanted, str | None):
            raise invalid("commitSha is no string")
        commit = await asyncio.to_thread(self._repositories.commit, algorithm.id, wanted)
        await self._builder.wait(self._builder.start(algorithm, commit))
        return json_reply(self._records.current(algorithm))

    async def _builds(self, request: Request) -> Response:
        algorithm = owned(request, self._records)
        limit, before = _page(request)
        builds = self._records.builds.page(algorithm.id, before, limit + 1)
        marker = str(builds[limit - 1].sequence) if len(builds) > limit else None
        return json_reply(
            envelope([build_object(each, self._records.published(each)) for each in builds[:limit]], marker, request.url)
        )

    async def _build(self, request: Request) -> Response:
        build = self._one_build(request)
        return json_reply(build_object(build, self._records.published(build)))

    async def _logs(self, request: Request) -> Response:
        build = self._one_build(request)
        if build.status == IN_PROGRESS:
            raise ApiError(404, "The build is still running")
        with self._builder.log(build) as log:
            log.seek(0)
            text = await asyncio.to_thread(log.read)
        return json_reply({"logs": text.decode("utf-8", "replace")})

    async def _publish(self, request: Request) -> Response:
        body, algorithm = await asked_of(request, self._records)
        newest = self._records.builds.newest(algorithm.id)
        build = self._records.builds.newest_successful(algorithm.id)
        if newest and newest.status == IN_PROGRESS:
            raise invalid("The newest build is still running")
        if build is None:
            raise invalid("There is no successful build to publish")
        release = _release(algorithm, build, body)
        if self._variants.strict_versions:
            self._check_callability(algorithm, release)
        version = self._records.versions.publish(algorithm.id, release)
        return json_reply(version_object(replace(algorithm, settings=version.settings), build, version))

    def _check_callability(self, algorithm: Algorithm, release: Release) -> None:
        """Raises `ApiError` 400 where a version below a major one would change who may call."""
        newest = next(iter(self._records.versions.of(algorithm.id)), None)
        callability = release.settings["algorithm_callability"]
        if newest and release.bump != "major" and newest.settings["algorithm_callability"] != callability:
            raise invalid(f"Only a major version can make the algorithm {callability}")

    async def _versions(self, request: Request) -> Response:
        algorithm, own = self._visible(request)
        limit, before = _page(request)
        pairs = [(build, self._records.published(build)) for build in self._records.builds.built_commits(algorithm.id)]
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
        build = self._records.builds.of_commit(algorithm.id, request.path_params["commit"])
        version = self._records.published(build) if build else None
        if build is None or not (own or (version and version.public)):
            raise ApiError(404, "There is no version of this hash")
        return json_reply(version_object(algorithm, build, version))

    async def _registry(self, request: Request) -> Response:
        """How the container of a version fares: like its build, of which it is a part. The names of the fields are a choice."""
        build = self._build_of_commit(request)
        return json_reply({"git_hash": build.commit, "status": build.status})

    async def _pushed(self, request: Request) -> Response:
        """Containers are not pushed from elsewhere here: there is nothing to be learnt from hearing that one was."""
        self._build_of_commit(request)
        await read_object(request)
        return Response(None, 204)

    def _build_of_commit(self, request: Request) -> BuildRecord:
        build = self._records.builds.of_commit(owned(request, self._records).id, request.path_params["commit"])
        if build is None:
            raise ApiError(404, "There is no version of this hash")
        return build

    def _visible(self, request: Request) -> tuple[Algorithm, bool]:
        """An algorithm, and whether it is the caller's. Raises `ApiError` 403 where it is another's and nothing of it is public."""
        algorithm = addressed(request, self._records)
        own = caller_of(request).owns(algorithm.owner)
        if not own and self._records.public(algorithm) is None:
            raise not_permitted()
        return algorithm, own

    def _one_build(self, request: Request) -> BuildRecord:
        build = self._records.builds.get(owned(request, self._records).id, request.path_params["build"])
        if build is None:
            raise ApiError(404, "There is no such build")
        return build


def _filter(request: Request, name: str) -> bool | None:
    """What a list is limited to, if it is, in any spelling of true and false. Raises `ApiError` 400 for anything else."""
    text = request.query_params.get(name, "").lower()
    if text not in ("", "true", "false"):
        raise invalid(f"{name} is neither true nor false")
    return text == "true" if text else None


def _page(request: Request) -> tuple[int, int]:
    """How many entries are wanted, and before which one."""
    marker = request.query_params.get("marker", str(sys.maxsize))
    if not NUMBER.fullmatch(marker) or not 0 < int(marker) <= sys.maxsize:
        raise ApiError(400, "marker is out of range", BAD_MARKER)
    return page_limit(request, PAGE), int(marker)


def _release(algorithm: Algorithm, build: BuildRecord, body: dict[str, object]) -> Release:
    """What a publisher asks for; private and minor where not said, with a sample input that was said before."""
    wanted = object_field(body, "version_info")
    texts = ("release_notes", "sample_input", "sample_output")
    info: dict[str, object] = {name: wanted[name] for name in texts if wanted.get(name) is not None}
    if not all(isinstance(value, str) for value in info.values()):
        raise invalid("release_notes, sample_input and sample_output are strings")
    details, kept = without_sample(changed_details(algorithm.details, object_field(body, "details")))
    callability = object_field(body, "settings").get("algorithm_callability") or "private"
    if callability not in ("private", "public"):
        raise invalid("settings.algorithm_callability is neither private nor public")
    return Release(
        commit=build.commit,
        bump=str(wanted.get("version_type") or "minor"),
        details=details,
        settings={**algorithm.settings, "algorithm_callability": callability},
        info={**kept, **info},
    )
