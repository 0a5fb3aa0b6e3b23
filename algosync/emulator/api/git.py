"""Git over HTTP: `/git/OWNER/NAME.git`, and to read one version, `/git/OWNER/NAME/VERSION.git` (facts: `PLATFORM.md` 5).

A push to the default branch starts one build of the new head before it is answered. git shows the log of that build as it grows,
and ends with it. A client without a side-band, like algosync itself, has nowhere to show it, and is answered at once.
"""

import asyncio
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
from algosync.emulator.running.build_log import remarks
from algosync.emulator.running.builder import Builder

NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}
THREADS = 4
"""For all of git: packing takes long, and the threads that everybody else shares must not wait for it."""

FETCH, PUSH = "git-upload-pack", "git-receive-pack"

Opened = Callable[[], AbstractContextManager[Repo]]
T = TypeVar("T")


class GitApi:
    """Clone, fetch and push, by the owner of an algorithm, or the members of the organization that is."""

    def __init__(self, records: Catalog, repositories: Repositories, builder: Builder) -> None:
        self._records = records
        self._repositories = repositories
        self._builder = builder
        self._threads = ThreadPoolExecutor(THREADS, "git")
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def routes(self) -> list[Route]:
        """The three requests of the smart protocol; a version is never pushed to."""
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
        """Into a file, and from there to the client: however slowly that reads, no thread waits for it."""
        opened = self._opened(request)
        pack = self._repositories.temporary_file()
        try:
            async with body_of(request, FETCH, self._repositories.temporary_file()) as body:
                with _understood():
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

        # Who waits for a turn holds no thread meanwhile.
        turn = self._turns.setdefault(algorithm.id, asyncio.Lock())
        async with body_of(request, PUSH, self._repositories.temporary_file()) as body, turn:
            with _understood():
                push = await self._in_thread(lambda: take(body))
        started = [self._builder.start_pushed(algorithm, update.new.decode()) for update in push.moved if update.ref == MASTER]
        media_type = f"application/x-{PUSH}-result"
        if not push.side_band:
            return Response(push.report, 200, NO_CACHE, media_type=media_type)
        return StreamingResponse(self._told(push, started, request.scope["raw_connection"]), 200, NO_CACHE, media_type=media_type)

    async def _told(self, push: Push, started: list[BuildRecord], connection: RawConnection) -> AsyncIterator[bytes]:
        """The report first, then the log of the build: in the order in which git's own server runs its hooks."""
        yield packets(REPLY, push.report)
        for build in started:
            async for said in remarks(self._builder, build, lambda: connection.stopping):
                yield said
        yield pkt_line(None)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _algorithm(self, request: Request) -> Algorithm:
        owner, name = request.path_params["owner"], request.path_params["name"]
        if not caller_of(request).owns(owner):
            raise not_permitted()
        algorithm = self._records.algorithms.find(owner, name)
        if algorithm is None:
            raise ApiError(404, "Repository not found")
        return algorithm

    def _opened(self, request: Request) -> Opened:
        """How to open the repository that a request names, or one version of it."""
        algorithm = self._algorithm(request)
        reference = request.path_params.get("version")
        if reference is None:
            return lambda: self._repositories.open(algorithm.id)
        commit = self._commit(algorithm, reference)
        return lambda: self._repositories.at(algorithm.id, commit)

    def _commit(self, algorithm: Algorithm, reference: str) -> str:
        """What a call with this reference would run. Raises `ApiError` 404 where that is nothing."""
        build = self._records.builds.of_commit(algorithm.id, reference)
        if build and build.status == SUCCEEDED:
            return build.commit
        if version := self._records.versions.resolve(algorithm.id, reference):
            return version.commit
        raise ApiError(404, "There is no such version")


def _refs(opened: Opened, service: str) -> bytes:
    with opened() as repository:
        if service == PUSH:
            return advertise(repository)
        reply: list[bytes] = []
        protocol = ReceivableProtocol(lambda _: b"", _writer(reply.append))
        UploadPackHandler(_served(repository), ["/"], protocol, stateless_rpc=True, advertise_refs=True).handle()
        return b"".join(reply)


def _send(opened: Opened, body: BinaryIO, pack: BinaryIO) -> None:
    with opened() as repository:
        protocol = ReceivableProtocol(body.read, _writer(pack.write))
        UploadPackHandler(_served(repository), ["/"], protocol, stateless_rpc=True).handle()


def _served(repository: Repo) -> DictBackend:
    """dulwich's handlers ask for a repository by a path; this one has it under "/"."""
    return DictBackend({"/": cast("BackendRepo", repository)})


def _writer(write: Callable[[bytes], object]) -> Callable[[bytes], int]:
    def written(data: bytes) -> int:
        write(data)
        return len(data)

    return written


@contextmanager
def _understood() -> Iterator[None]:
    """Raises `ApiError` 400 for what is not git's protocol."""
    try:
        yield
    except (GitProtocolError, ValueError, AssertionError) as error:
        # dulwich decodes and asserts what a client may send in any form.
        raise ApiError(400, f"Not understood: {error}") from None


async def _blocks(pack: BinaryIO) -> AsyncIterator[bytes]:
    with pack:
        pack.seek(0)
        while block := await asyncio.to_thread(pack.read, BLOCK):
            yield block
