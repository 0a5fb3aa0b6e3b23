"""Git over HTTP: `/git/OWNER/NAME.git`, and read-only for one version, `/git/OWNER/NAME/VERSION.git` (`PLATFORM.md` §5).

A push to the default branch starts one build of the new head before it is answered. The reply streams the log of the build on
git's side-band and ends with the build. Clients without a side-band, like algosync itself, get their reply at once.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO, TypeVar, cast
from weakref import WeakValueDictionary

from dulwich.errors import GitProtocolError
from dulwich.protocol import ReceivableProtocol, pkt_line
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend, UploadPackHandler
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from algosync.emulator.errors import ApiError, not_permitted
from algosync.emulator.git.receive_pack import Push, advertise, receive
from algosync.emulator.git.repositories import MASTER, Repositories
from algosync.emulator.git.side_band import REPLY, packets
from algosync.emulator.http.gzip_body import body_of
from algosync.emulator.http.raw_connection import RawConnection
from algosync.emulator.http.replies import caller_of
from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.blobs import BLOCK
from algosync.emulator.records.builds import SUCCEEDED, BuildRecord
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.running.build_log import log_packets
from algosync.emulator.running.builder import Builder

NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}
THREADS = 4
"""Threads for all git requests. Packing takes long, and must not occupy the threads that other requests share."""

FETCH, PUSH = "git-upload-pack", "git-receive-pack"

Opened = Callable[[], AbstractContextManager[Repo]]
T = TypeVar("T")


class GitApi:
    """Clone, fetch and push, for the owner of an algorithm or the members of the organization that owns it."""

    def __init__(self, catalog: Catalog, repositories: Repositories, builder: Builder) -> None:
        self._catalog = catalog
        self._repositories = repositories
        self._builder = builder
        self._threads = ThreadPoolExecutor(THREADS, "git")
        self._push_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def routes(self) -> list[Route]:
        """The requests of the smart protocol. A version has no route for pushes."""
        whole, version = "/git/{owner}/{name}.git", "/git/{owner}/{name}/{version}.git"
        return [
            Route(whole + "/info/refs", self._info_refs),
            Route(whole + f"/{FETCH}", self._upload_pack, methods=["POST"]),
            Route(whole + f"/{PUSH}", self._receive_pack, methods=["POST"]),
            Route(version + "/info/refs", self._info_refs),
            Route(version + f"/{FETCH}", self._upload_pack, methods=["POST"]),
        ]

    async def _info_refs(self, request: Request) -> Response:
        opened = self._opened(request)
        service = request.query_params.get("service", "")
        if service not in (FETCH, PUSH):
            raise not_permitted("Only git's smart protocol is served")
        if service == PUSH and "version" in request.path_params:
            raise not_permitted("Versions are immutable")
        listing = await self._in_thread(lambda: _refs(opened, service))
        body = pkt_line(f"# service={service}\n".encode()) + pkt_line(None) + listing
        return Response(body, 200, NO_CACHE, media_type=f"application/x-{service}-advertisement")

    async def _upload_pack(self, request: Request) -> Response:
        """Write the pack to a temporary file and stream that, so that a slow client occupies no thread."""
        opened = self._opened(request)
        pack = self._repositories.temporary_file()
        try:
            async with body_of(request, FETCH, self._repositories.temporary_file()) as body:
                with _protocol_errors():
                    await self._in_thread(lambda: _send(opened, body, pack))
        except BaseException:
            pack.close()
            raise
        headers = {**NO_CACHE, "Content-Length": str(pack.tell())}
        return StreamingResponse(_blocks(pack), 200, headers, media_type=f"application/x-{FETCH}-result")

    async def _receive_pack(self, request: Request) -> Response:
        algorithm = self._algorithm(request)

        def take(body: BinaryIO) -> Push:
            with self._repositories.changing(algorithm.id) as repository:
                return receive(repository, body)

        # Waiting for this lock occupies no thread.
        lock = self._push_locks.setdefault(algorithm.id, asyncio.Lock())
        async with body_of(request, PUSH, self._repositories.temporary_file()) as body, lock:
            with _protocol_errors():
                push = await self._in_thread(lambda: take(body))
        started = [self._builder.start_pushed(algorithm, update.new.decode()) for update in push.moved if update.ref == MASTER]
        media_type = f"application/x-{PUSH}-result"
        if not push.side_band:
            return Response(push.report, 200, NO_CACHE, media_type=media_type)
        stream = self._report_and_logs(push, started, request.scope["raw_connection"])
        return StreamingResponse(stream, 200, NO_CACHE, media_type=media_type)

    async def _report_and_logs(self, push: Push, started: list[BuildRecord], connection: RawConnection) -> AsyncIterator[bytes]:
        """The report of the push, then the log of its build, like the output of a hook on git's own server."""
        yield packets(REPLY, push.report)
        for build in started:
            async for packet in log_packets(self._builder, build, lambda: connection.stopping):
                yield packet
        yield pkt_line(None)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _algorithm(self, request: Request) -> Algorithm:
        owner, name = request.path_params["owner"], request.path_params["name"]
        if not caller_of(request).owns(owner):
            raise not_permitted()
        algorithm = self._catalog.algorithms.find(owner, name)
        if algorithm is None:
            raise ApiError(404, "Repository not found")
        return algorithm

    def _opened(self, request: Request) -> Opened:
        """A function that opens the requested repository, or one version of it."""
        algorithm = self._algorithm(request)
        reference = request.path_params.get("version")
        if reference is None:
            return lambda: self._repositories.open(algorithm.id)
        commit = self._commit(algorithm, reference)
        return lambda: self._repositories.at(algorithm.id, commit)

    def _commit(self, algorithm: Algorithm, reference: str) -> str:
        """The commit that a call with this reference would run. Raises `ApiError` 404 if there is none."""
        build = self._catalog.builds.of_commit(algorithm.id, reference)
        if build and build.status == SUCCEEDED:
            return build.commit
        if version := self._catalog.versions.resolve(algorithm.id, reference):
            return version.commit
        raise ApiError(404, "There is no such version")


def _refs(opened: Opened, service: str) -> bytes:
    with opened() as repository:
        if service == PUSH:
            return advertise(repository)
        reply = io.BytesIO()
        protocol = ReceivableProtocol(lambda _: b"", reply.write)
        UploadPackHandler(_served(repository), ["/"], protocol, stateless_rpc=True, advertise_refs=True).handle()
        return reply.getvalue()


def _send(opened: Opened, body: BinaryIO, pack: BinaryIO) -> None:
    with opened() as repository:
        protocol = ReceivableProtocol(body.read, pack.write)
        UploadPackHandler(_served(repository), ["/"], protocol, stateless_rpc=True).handle()


def _served(repository: Repo) -> DictBackend:
    """A backend for dulwich's handlers, which look a repository up by its path. This one has the path `/`."""
    return DictBackend({"/": cast("BackendRepo", repository)})


@contextmanager
def _protocol_errors() -> Iterator[None]:
    """Raises `ApiError` 400 for a body that violates git's protocol."""
    try:
        yield
    except (GitProtocolError, ValueError, AssertionError) as error:
        # dulwich raises these from decoding and from assertions about what the client sent.
        raise ApiError(400, f"Not git's protocol: {error}") from None


async def _blocks(pack: BinaryIO) -> AsyncIterator[bytes]:
    with pack:
        pack.seek(0)
        while block := await asyncio.to_thread(pack.read, BLOCK):
            yield block
