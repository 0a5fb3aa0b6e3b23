"""The parts of a cluster, put together: what has to live as long as the server does."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from algosync.emulator.accounts import Accounts
from algosync.emulator.blobs import Blobs
from algosync.emulator.builder import Builder
from algosync.emulator.calls_api import CallsApi
from algosync.emulator.data_api import DataApi
from algosync.emulator.database import Database
from algosync.emulator.environments_api import EnvironmentsApi
from algosync.emulator.errors import ApiError
from algosync.emulator.files import Files
from algosync.emulator.gate import NAMES, Gate
from algosync.emulator.git_api import GitApi
from algosync.emulator.management_api import ManagementApi
from algosync.emulator.pool import Pool
from algosync.emulator.records import Records
from algosync.emulator.release_api import ReleaseApi
from algosync.emulator.replies import error_reply, json_reply, refused
from algosync.emulator.repositories import Repositories
from algosync.emulator.request_log import RequestLog
from algosync.emulator.venvs import Venvs
from algosync.emulator.worker import Host

CARE_SECONDS = 60
"""How often idle workers and expired files are looked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cluster is: its folder, that of the environments, its port on loopback, this start's token.

    With a `ca_bundle`, which has all authorities that a client there should trust, it is reached over TLS.
    """

    root: Path
    environments: Path
    port: int
    token: str
    ca_bundle: Path | None = None

    @property
    def address(self) -> str:
        """The base of all its URLs."""
        return f"{'https' if self.ca_bundle else 'http'}://127.0.0.1:{self.port}"


class Cluster:
    """Everything behind the socket."""

    def __init__(self, place: Place, database: Database) -> None:
        root = place.root
        self._root = root
        self._database = database
        self._accounts = Accounts(database)
        self._log = RequestLog(root / "requests.jsonl")
        self._blobs = Blobs(root / "blobs")
        self._files = Files(database, self._blobs)
        self._records = Records.of(database)
        self._repositories = Repositories(root / "git")
        venvs = Venvs(place.environments)
        self._builder = Builder(root / "builds", self._records, self._repositories, venvs)
        host = Host(root / "run", root / "home", place.address, self._accounts, place.ca_bundle)
        self._pool = Pool(host, self._builder, venvs)
        self._calls = CallsApi(self._records, self._pool, self._files)
        self._place = place

    def app(self) -> ASGIApp:
        """The application, with the gate around it."""
        app = Starlette(
            routes=self.routes(),
            lifespan=self._life,
            exception_handlers={
                ApiError: refused,
                ClientDisconnect: _left,
                HTTPException: _unrouted,
                Exception: _crashed,
            },
        )
        hosts = frozenset(f"{f'[{name}]' if ':' in name else name}:{self._place.port}" for name in NAMES)
        return Gate(app, self._accounts, self._log, hosts)

    def routes(self) -> list[Route]:
        """The route table."""

        async def health(_: Request) -> Response:
            return json_reply({"token": self._place.token})

        return [
            Route("/health", health),
            *DataApi(self._files, self._blobs).routes(),
            *EnvironmentsApi(self._records.environments).routes(),
            *ManagementApi(self._records, self._repositories, self._builder, self._pool).routes(),
            *ReleaseApi(self._records, self._repositories, self._builder).routes(),
            *GitApi(self._records.algorithms, self._repositories, self._builder).routes(),
            *self._calls.routes(),
        ]

    @asynccontextmanager
    async def _life(self, _: Starlette) -> AsyncIterator[None]:
        """Recover what the last server left, and leave no process behind."""
        shutil.rmtree(self._root / "run", ignore_errors=True)
        (self._root / "home").mkdir(exist_ok=True)
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


async def _left(_: Request, __: Exception) -> Response:
    """The client has gone in the middle of its request; the log should say so, nobody else reads it."""
    return error_reply(ApiError(400, "The request ended early"))


async def _unrouted(request: Request, error: Exception) -> Response:
    """No such route, or not with this method; some clients insist on JSON here too."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = str(error.detail) if isinstance(error, HTTPException) else "Internal error"
    return error_reply(ApiError(status, message), head=request.method == "HEAD")


async def _crashed(request: Request, _: Exception) -> Response:
    """A fault of the emulator itself; the traceback is on its stderr."""
    return error_reply(ApiError(500, "Internal error of the local cluster", 5001), head=request.method == "HEAD")
