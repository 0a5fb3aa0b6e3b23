"""The parts of a cluster, put together: what has to live as long as the server does."""

import asyncio
import hmac
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path

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
from algosync.emulator.http.openapi import OpenApi
from algosync.emulator.http.replies import error_reply, json_reply, refused
from algosync.emulator.http.request_log import RequestLog
from algosync.emulator.pages.routes import Contents, PageApi, Paged
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
"""More than there are for each core by default: most of them wait for the disk, which is best asked for much at once."""

CARE_SECONDS = 60
"""How often idle workers and expired files are looked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cluster is: its folder, that of the environments, its port on loopback, this start's token.

    With a `ca_bundle`, which has all authorities that a client there should trust, it is reached over TLS. `faults` is the file
    of what goes wrong there.
    """

    root: Path
    environments: Path
    port: int
    token: str
    ca_bundle: Path | None = None
    faults: Path | None = None
    variants: Variants = DEFAULT_VARIANTS

    @property
    def address(self) -> str:
        """The base of all its URLs."""
        return f"{'https' if self.ca_bundle else 'http'}://127.0.0.1:{self.port}"


class ClusterServer:
    """Everything behind the socket. `told` is what people should know who have this machine run code."""

    def __init__(self, place: Place, database: Database) -> None:
        root = place.root
        self._root = root
        self._database = database
        self._accounts = Accounts(database)
        self._log = RequestLog(root / "requests.jsonl", self._accounts.knows)
        self._blobs = Blobs(root / "blobs")
        self._files = Files(database, self._blobs)
        self._records = Catalog.of(database)
        self._repositories = Repositories(root / "git")
        found = jail.find()
        self.told = found.notice
        venvs = Venvs(place.environments, found)
        context = WorkerContext(root / "run", place.address, self._accounts, place.ca_bundle, found)
        spares = Spares(context)
        builder = FaultyBuilder if place.faults else Builder
        self._builder = builder(root / "builds", self._records, self._repositories, venvs, spares)
        self._pool = Pool(context, self._builder, venvs, spares)
        self._calls = CallsApi(self._records, self._pool, self._files, place.variants)
        contents = Contents(self._repositories, self._files, self._calls.answered)
        self._pages = PageApi(database, self._records, self._builder, _site(place), contents)
        self._place = place

    def app(self) -> ASGIApp:
        """The application, with the gate around it, and around that the faults."""
        app = self._softened(self._gated(_routed(self.routes(), self._life)))
        if self._place.faults is None:
            return app
        state = FaultState(self._log, PreviousRecords(self._root / "past", self._root / "cluster.sqlite", self._of_the_past))
        return FaultMiddleware(FaultFile(self._place.faults, state.reset), app, state)

    def _of_the_past(self, database: Database) -> ASGIApp:
        """This cluster with other records."""
        routes = self._routes(Catalog.of(database), Files(database, self._blobs))
        return self._softened(self._gated(_routed(routes)))

    def _gated(self, app: ASGIApp) -> ASGIApp:
        hosts = frozenset(f"{f'[{name}]' if ':' in name else name}:{self._place.port}" for name in NAMES)
        return Gate(app, self._accounts, self._log, hosts, self._place.variants.largest_file)

    def _softened(self, gate: ASGIApp) -> ASGIApp:
        return CallErrors(gate) if self._place.variants.call_errors_as_200 else gate

    def routes(self) -> list[Route]:
        """The route table."""
        return self._routes(self._records, self._files)

    def _routes(self, records: Catalog, files: Files) -> list[Route]:
        async def health(request: Request) -> Response:
            # That it is the one with the token, it proves without telling it: whoever asks may be anybody, and so may who answers.
            nonce = request.query_params.get("nonce", "")
            return json_reply({"proof": hmac.new(self._place.token.encode(), nonce.encode(), "sha256").hexdigest()})

        routes = [
            Route("/health", health),
            *FilesApi(files, self._blobs, self._accounts, self._place.variants).routes(),
            *HostedDataApi(files, records.algorithms).routes(),
            *EnvironmentsApi(records.environments, self._place.variants).routes(),
            *WebApi(records).routes(),
            *AccountsApi(self._accounts, records, files).routes(),
            # Before management, whose OWNER/NAME would take ID/builds and the like.
            *ReleaseApi(records, self._repositories, self._builder, self._place.variants).routes(),
            *SecretsApi(records).routes(),
            *ManagementApi(records, self._repositories, self._builder, self._pool, self._place.variants).routes(),
            *GitApi(records, self._repositories, self._builder).routes(),
            *self._calls.routes(),
            *self._pages.routes(),
        ]
        return [*routes, OpenApi(routes).route()]

    @asynccontextmanager
    async def _life(self, _: Starlette) -> AsyncIterator[None]:
        """Recover what the last server left, and leave no process behind."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(DISK_THREADS))
        for name in ("run", "past"):
            discard(self._root / name)
        self._files.recover()
        self._repositories.sweep({algorithm.id for algorithm in self._records.algorithms.all()})
        self._builder.recover()
        care = asyncio.create_task(self._care())
        try:
            yield
        finally:
            care.cancel()
            await self._calls.close()
            await asyncio.gather(self._pool.close(), self._builder.close(), care, return_exceptions=True)
            self._log.close()
            self._database.close()

    async def _care(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._files.expire)
                await self._pool.reap()
            except Exception:
                logging.exception("The local cluster could not clear up")
            await asyncio.sleep(CARE_SECONDS)


def _site(place: Place) -> Paged:
    """What the pages say of the cluster, whose folder's name is its own."""
    unusual = [f"{each.name} {value}" for each in fields(Variants) if (value := getattr(place.variants, each.name)) != each.default]
    return Paged(place.root.name, place.address, place.root / "requests.jsonl", tuple(unusual))


def _routed(routes: list[Route], life: Lifespan[Starlette] | None = None) -> Starlette:
    app = Starlette(routes=routes, lifespan=life, exception_handlers=HANDLERS)
    # A path with one slash more is another one, and unknown: Starlette would redirect it, without JSON.
    app.router.redirect_slashes = False
    return app


async def _left(_: Request, __: Exception) -> Response:
    """The client has gone in the middle of its request; the log should say so, nobody else reads it."""
    return error_reply(ApiError(400, "The request ended early"))


async def _unrouted(request: Request, error: Exception) -> Response:
    """No such route, or not with this method; some clients insist on JSON here too."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = str(error.detail) if isinstance(error, HTTPException) else "Internal error"
    return error_reply(ApiError(status, message), head=request.method == "HEAD")


async def _failed(request: Request, error: Exception) -> Response:
    """A full disk is none of the emulator's faults, and whoever asks should know."""
    if not is_full(error):
        raise error
    return await refused(request, no_room())


async def _crashed(request: Request, _: Exception) -> Response:
    """A fault of the emulator itself; the traceback is on its stderr."""
    return error_reply(ApiError(500, "Internal error of the local cluster", 5001), head=request.method == "HEAD")


HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    ApiError: refused,
    ClientDisconnect: _left,
    HTTPException: _unrouted,
    OSError: _failed,
    sqlite3.Error: _failed,
    Exception: _crashed,
}
"""What becomes of errors."""
