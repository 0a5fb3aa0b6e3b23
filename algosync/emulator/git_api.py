"""Git over HTTP: `/git/OWNER/NAME.git` (facts: `platform.md` 5).

A push to the default branch starts one build of the new head before it is answered.
"""

import asyncio
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable
from typing import IO, BinaryIO, cast

from dulwich.errors import GitProtocolError
from dulwich.protocol import ReceivableProtocol, pkt_line
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend, UploadPackHandler
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from algosync.emulator.algorithms import Algorithm, Algorithms
from algosync.emulator.blobs import BLOCK
from algosync.emulator.builder import Builder
from algosync.emulator.errors import ApiError, not_permitted
from algosync.emulator.receive_pack import Update, advertise, receive
from algosync.emulator.replies import caller_of
from algosync.emulator.repositories import MASTER, Repositories

MAX_PACK = 1024 * 1024 * 1024
"""Bytes of a push, unzipped."""

NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}


class GitApi:
    """Clone, fetch and push, by the owner of an algorithm, or the members of the organization that is."""

    def __init__(self, algorithms: Algorithms, repositories: Repositories, builder: Builder) -> None:
        self._algorithms = algorithms
        self._repositories = repositories
        self._builder = builder

    def routes(self) -> list[Route]:
        """The three requests of the smart protocol."""
        base = "/git/{owner}/{name}.git"
        return [
            Route(base + "/info/refs", self._info_refs),
            Route(base + "/git-upload-pack", self._upload_pack, methods=["POST"]),
            Route(base + "/git-receive-pack", self._receive_pack, methods=["POST"]),
        ]

    async def _info_refs(self, request: Request) -> Response:
        algorithm = self._algorithm(request)
        service = request.query_params.get("service", "")
        if service not in ("git-upload-pack", "git-receive-pack"):
            raise not_permitted("Only git's smart protocol is served")
        listing = await asyncio.to_thread(self._refs, algorithm.id, service)
        body = pkt_line(f"# service={service}\n".encode()) + pkt_line(None) + listing
        return Response(body, 200, NO_CACHE, media_type=f"application/x-{service}-advertisement")

    def _refs(self, algorithm_id: str, service: str) -> bytes:
        with self._repositories.open(algorithm_id) as repository:
            if service == "git-receive-pack":
                return advertise(repository)
            reply: list[bytes] = []
            protocol = ReceivableProtocol(lambda _: b"", _writer(reply.append))
            UploadPackHandler(_served(repository), ["/"], protocol, stateless_rpc=True, advertise_refs=True).handle()
            return b"".join(reply)

    async def _upload_pack(self, request: Request) -> Response:
        algorithm = self._algorithm(request)
        return await _exchange(request, "git-upload-pack", lambda body, reply: self._send(algorithm.id, body, reply))

    def _send(self, algorithm_id: str, body: BinaryIO, reply: BinaryIO) -> None:
        with self._repositories.open(algorithm_id) as repository:
            protocol = ReceivableProtocol(body.read, _writer(reply.write))
            UploadPackHandler(_served(repository), ["/"], protocol, stateless_rpc=True).handle()

    async def _receive_pack(self, request: Request) -> Response:
        algorithm = self._algorithm(request)
        moved: list[Update] = []

        def take(body: BinaryIO, reply: BinaryIO) -> None:
            with self._repositories.changing(algorithm.id) as repository:
                moved.extend(receive(repository, body, reply))

        response = await _exchange(request, "git-receive-pack", take)
        for update in moved:
            if update.ref == MASTER:
                self._builder.start(algorithm, update.new.decode())
        return response

    def _algorithm(self, request: Request) -> Algorithm:
        owner, name = request.path_params["owner"], request.path_params["name"]
        if not caller_of(request).owns(owner):
            raise not_permitted()
        algorithm = self._algorithms.find(owner, name)
        if algorithm is None:
            raise ApiError(404, "Repository not found")
        return algorithm


def _served(repository: Repo) -> DictBackend:
    """dulwich's handlers ask for a repository by a path; this one has it under "/"."""
    return DictBackend({"/": cast("BackendRepo", repository)})


def _writer(write: Callable[[bytes], object]) -> Callable[[bytes], int]:
    def written(data: bytes) -> int:
        write(data)
        return len(data)

    return written


async def _exchange(request: Request, service: str, serve: Callable[[BinaryIO, BinaryIO], None]) -> Response:
    """Read the request into a file, serve it in a thread into another, send that: memory stays bounded."""
    if request.headers.get("content-type") != f"application/x-{service}-request":
        raise ApiError(415, f"A body of type application/x-{service}-request is expected")
    reply = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed when it has been sent
    try:
        with tempfile.TemporaryFile() as body:
            await _read_pack(request, body)
            await asyncio.to_thread(serve, cast("BinaryIO", body), reply)
    except GitProtocolError as error:
        reply.close()
        raise ApiError(400, f"Not understood: {error}") from None
    except BaseException:
        reply.close()
        raise
    size = reply.tell()
    reply.seek(0)
    headers = {**NO_CACHE, "Content-Length": str(size)}
    return StreamingResponse(_blocks(reply), 200, headers, media_type=f"application/x-{service}-result")


async def _read_pack(request: Request, body: IO[bytes]) -> None:
    """The body, unzipped where git has zipped it, into a file. Raises `ApiError` 413 above the limit."""
    inflate = _inflate if request.headers.get("content-encoding") == "gzip" else _as_it_is
    async for block in inflate(request.stream()):
        if body.tell() + len(block) > MAX_PACK:
            raise ApiError(413, f"A push of more than {MAX_PACK} bytes is not taken")
        body.write(block)
    body.seek(0)


async def _as_it_is(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk


async def _inflate(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Unzip in blocks of bounded size, whatever a block grows to. Raises `ApiError` 400 for what is no gzip."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        async for chunk in chunks:
            yield inflater.decompress(chunk, BLOCK)
            while inflater.unconsumed_tail:
                yield inflater.decompress(inflater.unconsumed_tail, BLOCK)
        while block := inflater.decompress(b"", BLOCK):
            yield block
    except zlib.error as error:
        raise ApiError(400, f"The body is not gzip: {error}") from None


async def _blocks(reply: BinaryIO) -> AsyncIterator[bytes]:
    with reply:
        while block := await asyncio.to_thread(reply.read, BLOCK):
            yield block
