"""Assembles the parts of a cluster and the application that serves them."""

import asyncio
import hmac
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan

from algosync.emulator.api.accounts import AccountsApi
from algosync.emulator.api.algorithms import ManagementApi
from algosync.emulator.api.calls import CallsApi
from algosync.emulator.api.data import FilesApi
from algosync.emulator.api.environments import EnvironmentsApi
from algosync.emulator.api.git import GitApi
from algosync.emulator.api.hosted_data import HostedDataApi
from algosync.emulator.api.releases import ReleaseApi
from algosync.emulator.api.secrets import SecretsApi
from algosync.emulator.api.webapi import WebApi
from algosync.emulator.disk_space import is_full
from algosync.emulator.errors import ApiError, no_room
from algosync.emulator.faults.exchange import FaultState
from algosync.emulator.faults.faulty_builder import FaultyBuilder
from algosync.emulator.faults.middleware import FaultMiddleware
from algosync.emulator.faults.previous_records import PreviousRecords
from algosync.emulator.faults.rules import FaultFile
from algosync.emulator.git.repositories import Repositories
from algosync.emulator.http.gate import Gate
from algosync.emulator.http.legacy_call_errors import CallErrors
from algosync.emulator.http.openapi import specification_route
from algosync.emulator.http.replies import error_reply, json_reply, refused
from algosync.emulator.http.request_log import RequestLog
from algosync.emulator.pages.routes import ClusterDescription, PageApi, PageContents
from algosync.emulator.processes import jail
from algosync.emulator.processes.removal import discard
from algosync.emulator.python.venvs import Venvs
from algosync.emulator.records.accounts import Accounts
from algosync.emulator.records.blobs import Blobs
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.database import Database
from algosync.emulator.records.files import Files
from algosync.emulator.running.builder import Builder
from algosync.emulator.running.pool import Pool
from algosync.emulator.running.spares import Spares
from algosync.emulator.running.worker import WorkerContext
from algosync.emulator.server.listening import NAMES
from algosync.emulator.variants import DEFAULT_VARIANTS, Variants

DISK_THREADS = 32
"""More threads than asyncio's default, because most of them wait for the disk."""

CLEANUP_SECONDS = 60
"""Interval between removals of idle workers and expired files."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The folders of a cluster and of the environments, its port on loopback, its identity, and the token of this start.

    With a `ca_bundle`, the file of all authorities that a client should trust, the cluster serves TLS. `faults` is the file of
    the faults to inject.
    """

    root: Path
    environments: Path
    port: int
    token: str
    ca_bundle: Path | None = None
    faults: Path | None = None
    variants: Variants = DEFAULT_VARIANTS
    identity: str = ""

    @property
    def address(self) -> str:
        """The base of the cluster's URLs."""
        return f"{'https' if self.ca_bundle else 'http'}://127.0.0.1:{self.port}"


class ClusterServer:
    """Everything behind the socket. `notice` tells users how well running code is isolated on this machine."""

    def __init__(self, settings: ServerSettings, database: Database) -> None:
        root = settings.root
        self._root = root
        self._database = database
        self._accounts = Accounts(database)
        self._log = RequestLog(root / "requests.jsonl", self._accounts.knows)
        self._blobs = Blobs(root / "blobs")
        self._files = Files(database, self._blobs)
        self._catalog = Catalog.of(database)
        self._repositories = Repositories(root / "git")
        found = jail.find()
        self.notice = found.notice
        venvs = Venvs(settings.environments, found)
        context = WorkerContext(root / "run", settings.address, self._accounts, settings.ca_bundle, found)
        spares = Spares(context)
        builder = FaultyBuilder if settings.faults else Builder
        self._builder = builder(root / "builds", self._catalog, self._repositories, venvs, spares)
        self._pool = Pool(context, self._builder, venvs, spares)
        self._calls = CallsApi(self._catalog, self._pool, self._files, settings.variants)
        contents = PageContents(self._repositories, self._files, self._calls.successes)
        self._pages = PageApi(database, self._catalog, self._builder, _description(settings), contents)
        self._settings = settings

    def app(self) -> ASGIApp:
        """The application behind the gate, and behind the faults if there are any."""
        app = self._gated(_application(self.routes(), self._lifespan))
        if self._settings.faults is None:
            return app
        state = FaultState(self._log, PreviousRecords(self._root / "past", self._root / "cluster.sqlite", self._app_of_copy))
        return FaultMiddleware(FaultFile(self._settings.faults, state.reset), app, state)

    def _app_of_copy(self, database: Database) -> ASGIApp:
        """The same application with the records of another database."""
        return self._gated(_application(self._routes(Catalog.of(database), Files(database, self._blobs))))

    def _gated(self, app: ASGIApp) -> ASGIApp:
        hosts = frozenset(f"{f'[{name}]' if ':' in name else name}:{self._settings.port}" for name in NAMES)
        gate = Gate(app, self._accounts, self._log, hosts, self._settings.variants.largest_file)
        return CallErrors(gate) if self._settings.variants.call_errors_as_200 else gate

    def routes(self) -> list[Route]:
        """The route table."""
        return self._routes(self._catalog, self._files)

    def _routes(self, catalog: Catalog, files: Files) -> list[Route]:
        variants = self._settings.variants
        routes = [
            Route("/health", self._health),
            *FilesApi(files, self._blobs, self._accounts, variants).routes(),
            *HostedDataApi(files, catalog.algorithms).routes(),
            *EnvironmentsApi(catalog.environments, variants).routes(),
            *WebApi(catalog).routes(),
            *AccountsApi(self._accounts, catalog, files).routes(),
            # Before management, whose path OWNER/NAME matches ID/builds too.
            *ReleaseApi(catalog, self._repositories, self._builder, variants).routes(),
            *SecretsApi(catalog).routes(),
            *ManagementApi(catalog, self._repositories, self._builder, self._pool, variants).routes(),
            *GitApi(catalog, self._repositories, self._builder).routes(),
            *self._calls.routes(),
            *self._pages.routes(),
        ]
        return [*routes, specification_route(routes)]

    async def _health(self, request: Request) -> Response:
        """Prove knowledge of the token without revealing it: a program that reuses the port of a dead server cannot do so. Also
        tell the cluster's identity.
        """
        nonce = request.query_params.get("nonce", "")
        proof = hmac.new(self._settings.token.encode(), nonce.encode(), "sha256").hexdigest()
        return json_reply({"proof": proof, "identity": self._settings.identity})

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Recover from a kill of the last server, and end all processes when the server stops."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(DISK_THREADS))
        for name in ("run", "past"):
            discard(self._root / name)
        self._files.recover()
        self._repositories.sweep({algorithm.id for algorithm in self._catalog.algorithms.all()})
        self._builder.recover()
        cleanup = asyncio.create_task(self._clean_up())
        try:
            yield
        finally:
            cleanup.cancel()
            await self._calls.close()
            await asyncio.gather(self._pool.close(), self._builder.close(), cleanup, return_exceptions=True)
            self._log.close()
            self._database.close()

    async def _clean_up(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._files.expire)
                await self._pool.reap()
            except Exception:
                logging.exception("The local cluster could not clean up")
            await asyncio.sleep(CLEANUP_SECONDS)


def _description(settings: ServerSettings) -> ClusterDescription:
    """The cluster as the pages show it. Its name is that of its folder."""
    chosen = [(each, getattr(settings.variants, each.name)) for each in fields(Variants)]
    unusual = tuple(f"{each.name} {value}" for each, value in chosen if value != each.default)
    return ClusterDescription(settings.root.name, settings.address, settings.root / "requests.jsonl", unusual)


def _application(routes: list[Route], lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=HANDLERS)
    # Unknown paths are answered with an error in JSON. Starlette would redirect those with an additional slash.
    app.router.redirect_slashes = False
    return app


async def _disconnected(_: Request, __: Exception) -> Response:
    """The client disconnected during its request. Only the request log shows this reply."""
    return error_reply(ApiError(400, "The request ended early"))


async def _unrouted(request: Request, error: Exception) -> Response:
    """There is no such route, or it has another method. Some clients need JSON here too."""
    found = cast("HTTPException", error)
    return error_reply(ApiError(found.status_code, found.detail), head=request.method == "HEAD")


async def _failed(request: Request, error: Exception) -> Response:
    """Report a full disk to the client. Other errors are faults of the emulator."""
    if not is_full(error):
        raise error
    return await refused(request, no_room())


async def _crashed(request: Request, _: Exception) -> Response:
    """A fault of the emulator itself. The traceback is on its stderr."""
    return error_reply(ApiError(500, "Internal error of the local cluster", 5001), head=request.method == "HEAD")


HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    ApiError: refused,
    ClientDisconnect: _disconnected,
    HTTPException: _unrouted,
    OSError: _failed,
    sqlite3.Error: _failed,
    Exception: _crashed,
}
"""Replies to exceptions, by their types."""
