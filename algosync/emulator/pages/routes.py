"""Read-only pages to find out why a rehearsal failed.

A user sees what it and its organizations own, and its own requests. A request without a known user is visible to the accounts that
its path names, or to all users if it names none. The names of users and organizations are visible to all users.
"""

import contextlib
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dulwich.errors import NotGitRepository
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from algosync.emulator.api.algorithms import owned
from algosync.emulator.errors import ApiError, not_permitted
from algosync.emulator.git.repositories import Repositories
from algosync.emulator.http.gate import PAGES
from algosync.emulator.http.replies import caller_of
from algosync.emulator.pages.listings import LISTED, RECENT, CollectionLine, PageRecords
from algosync.emulator.pages.rendering import rendered
from algosync.emulator.pages.requests import RequestLine, grouped, recent, without_challenges
from algosync.emulator.pages.style import POLICY
from algosync.emulator.records.accounts import Caller
from algosync.emulator.records.builds import BuildRecord
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.data_uris import DataPath
from algosync.emulator.records.database import Database
from algosync.emulator.records.files import Files
from algosync.emulator.running.builder import Builder

LOG_END = 256 * 1024
"""Bytes to show of a build's log. Its end says why the build failed."""

SHOWN = 64 * 1024
"""Bytes to show of a file. Its beginning is shown."""

WITHOUT_ACCOUNT = re.compile(
    r"/(v1/((connector/)?data|hostedData|algorithms|users|organizations|scms|openapispec|insights)/?)?"
    r"|/(v1/algorithm-environments|webapi)/.*"
)
"""Paths that do not name an account, so that all users may see requests for them."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Other pages cannot embed or load a page, or learn its address. Browsers do not store it."""


@dataclass(frozen=True, slots=True)
class ClusterDescription:
    """The name and address of a cluster, its request log, and its variants that are not the default."""

    name: str
    address: str
    log: Path
    unusual: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageContents:
    """The repositories, data files and last successful calls, newest first, whose contents the pages show."""

    repositories: Repositories
    files: Files
    successes: deque[dict[str, object]]


class PageApi:
    """The pages below `/page/`. Their endpoints are plain functions, which Starlette runs in threads."""

    def __init__(
        self, database: Database, catalog: Catalog, builder: Builder, site: ClusterDescription, contents: PageContents
    ) -> None:
        self._contents = contents
        self._site = site
        self._catalog = catalog
        self._lists = PageRecords(database, catalog.environments)
        self._builder = builder

    def routes(self) -> list[Route]:
        """One route for each kind of page."""
        pages: dict[str, Callable[[Request, Caller], str]] = {
            "": self._algorithms,
            "algorithms/{owner}/{name}": self._algorithm,
            "algorithms/{owner}/{name}/builds/{build}": self._build,
            "algorithms/{owner}/{name}/source/{commit}": self._source,
            "calls": self._calls,
            "data": self._data,
            "data/{collection}": self._collection,
            "data/{collection}/{name}": self._file,
            "accounts": self._accounts,
            # Last, because it matches every path: the error is a page too.
            "{path:path}": self._no_page,
        }
        return [Route(PAGES + path, self._page(content)) for path, content in pages.items()]

    def _algorithms(self, _: Request, caller: Caller) -> str:
        found = self._lists.algorithms(caller.user)
        return self._rendered(
            "algorithms", "Algorithms", "Algorithms", algorithms=found, user=caller.user, organizations=caller.organizations
        )

    def _algorithm(self, request: Request, caller: Caller) -> str:
        algorithm = owned(request, self._catalog)
        versions = self._catalog.versions.of(algorithm.id)
        environment = self._catalog.environments.by_id(algorithm.settings["algorithm_environment"])
        return self._rendered(
            "algorithm",
            "Algorithms",
            f"{algorithm.owner}/{algorithm.name}",
            algorithm=algorithm,
            clone=f"{self._site.address}/git/{algorithm.owner}/{algorithm.name}.git",
            environment=environment.kind.display_name if environment else "an environment of another cluster",
            versions=versions,
            messages=self._messages(algorithm.id),
            numbers={each.commit: each.semantic for each in versions},
            builds=self._catalog.builds.page(algorithm.id, sys.maxsize, LISTED + 1),
            failures=self._lists.failures(caller.user, algorithm.id),
            collection=self._lists.collection(algorithm.default_collection) if algorithm.default_collection else None,
        )

    def _messages(self, algorithm_id: str) -> dict[str, str]:
        """The first lines of the messages of the newest commits, by commit id."""
        with contextlib.suppress(OSError, NotGitRepository):
            return {each["id"]: each["short_message"] for each in self._contents.repositories.log(algorithm_id, None, None, LISTED)}
        return {}

    def _build(self, request: Request, _: Caller) -> str:
        algorithm = owned(request, self._catalog)
        build = self._catalog.builds.get(algorithm.id, request.path_params["build"])
        if build is None:
            raise ApiError(404, "There is no such build")
        log, cut = self._log_end(build)
        title = f"Build of {algorithm.owner}/{algorithm.name}"
        return self._rendered("build", "Algorithms", title, algorithm=algorithm, build=build, log=log, cut=cut)

    def _source(self, request: Request, _: Caller) -> str:
        algorithm, commit = owned(request, self._catalog), request.path_params["commit"]
        files = self._contents.repositories.files(algorithm.id, commit, LISTED)
        title = f"Source of {algorithm.owner}/{algorithm.name} at {commit[:10]}"
        shown = [(name, len(content), _text(content)) for name, content in files]
        return self._rendered("source", "Algorithms", title, algorithm=algorithm, files=shown)

    def _log_end(self, build: BuildRecord) -> tuple[str, bool]:
        """The end of a log, and whether there is more of it. The log of a waiting build is empty."""
        try:
            with self._builder.log(build) as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(0, size - LOG_END))
                return log.read(LOG_END).decode("utf-8", "replace"), size > LOG_END
        except FileNotFoundError:
            return "", False

    def _calls(self, request: Request, caller: Caller) -> str:
        wanted = request.query_params.get("id")
        found = [line for line in without_challenges(recent(self._site.log)) if _is_visible(line, caller)]
        found = [line for line in found if not line.path.startswith(PAGES) and wanted in (None, line.id)]
        successes = list(self._contents.successes)
        return self._rendered(
            "calls",
            "Calls",
            f"Calls with the id {wanted}" if wanted else "Calls",
            failures=[each for each in self._lists.failures(caller.user) if wanted in (None, each.id)],
            failed=_first(grouped(line for line in found if line.failed)),
            calls=_first(line for line in found if line.path.startswith("/v1/algo/")),
            successes=[each for each in successes if caller.owns(str(each["owner"])) and wanted in (None, each["id"])],
            requests=_first(found),
        )

    def _data(self, _: Request, caller: Caller) -> str:
        return self._rendered("data", "Data", "Data", collections=self._lists.collections(caller.user))

    def _file(self, request: Request, caller: Caller) -> str:
        line, name = self._owned_collection(request, caller), request.path_params["name"]
        collection = self._contents.files.collection(DataPath(line.account, line.name))
        opened = self._contents.files.open(collection, name) if collection else None
        if opened is None:
            raise ApiError(404, "There is no such file")
        file, content = opened
        with content:
            text = _text(content.read(SHOWN + 1))
        return self._rendered("file", "Data", f"{line.account}/{line.name}/{name}", file=file, text=text)

    def _owned_collection(self, request: Request, caller: Caller) -> CollectionLine:
        collection = self._lists.collection(request.path_params["collection"])
        if collection is None:
            raise ApiError(404, "There is no such collection")
        if not caller.owns(collection.account):
            raise not_permitted()
        return collection

    def _collection(self, request: Request, caller: Caller) -> str:
        collection = self._owned_collection(request, caller)
        after = request.query_params.get("after", "")
        files = self._lists.files(collection.id, after)
        title = f"{collection.account}/{collection.name}"
        return self._rendered("collection", "Data", title, collection=collection, files=files, after=after)

    def _accounts(self, _: Request, caller: Caller) -> str:
        keys, users, members = self._lists.keys(caller.user), self._lists.users(), self._lists.members()
        return self._rendered("accounts", "Accounts", "Accounts", user=caller.user, keys=keys, users=users, members=members)

    def _no_page(self, _: Request, __: Caller) -> str:
        raise ApiError(404, "There is no such page")

    def _rendered(self, page: str, section: str, title: str, **values: object) -> str:
        return rendered(page, section, title, site=self._site, **values)

    def _page(self, content: Callable[[Request, Caller], str]) -> Callable[[Request], Response]:
        """The endpoint of a page. It refuses keys without the right to read, and running algorithms, which have the API."""

        def endpoint(request: Request) -> Response:
            caller = caller_of(request)
            try:
                if caller.inside or not caller.rights.read:
                    raise not_permitted()
                html, status = content(request, caller), 200
            except ApiError as error:
                html, status = self._rendered("refused", "", f"Error {error.status}", message=error.message), error.status
            return Response(html, status, HEADERS, media_type="text/html")

        return endpoint


def _is_visible(line: RequestLine, caller: Caller) -> bool:
    """Whether a user may see a request: its own, and one without a known user that names its accounts or none."""
    if line.user is None:
        path = line.path.partition("?")[0]
        return bool(WITHOUT_ACCOUNT.fullmatch(path)) or not {".my", caller.user, *caller.organizations}.isdisjoint(path.split("/"))
    return line.user == caller.user


def _text(content: bytes) -> str:
    """The beginning of a file as text."""
    text = content[:SHOWN].decode("utf-8", "replace")
    return f"{text}\n[cut: the first {SHOWN} bytes]" if len(content) > SHOWN else text


def _first(found: Iterable[RequestLine]) -> list[RequestLine]:
    return list(islice(found, RECENT))
