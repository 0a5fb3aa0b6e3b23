"""A request with an injected fault: it can be performed, its answer held back, and another one sent."""

import io
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from email.utils import formatdate
from typing import IO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from algosync.emulator.faults.previous_records import PreviousRecords
from algosync.emulator.http.raw_connection import Left, RawConnection
from algosync.emulator.http.request_log import RequestLog

BLOCK = 64 * 1024
IN_MEMORY = 1024 * 1024
"""Bytes of an answer's body that are held in memory; longer ones are held on disk."""

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """A complete answer that has not been sent. The body is in a file; `size` is its length in bytes."""

    status: int
    headers: Headers
    body: IO[bytes]
    size: int

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], body: bytes = b"") -> "HeldAnswer":
        """An answer with these values, and with the headers Content-Length and Date."""
        fields = {**headers, "Content-Length": str(len(body)), "Date": formatdate(usegmt=True)}
        encoded = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items())
        return cls(status, encoded, io.BytesIO(body), len(body))

    def blocks(self, end: int | None = None, block: int = BLOCK) -> Iterator[bytes]:
        """The body up to the offset `end`, in blocks of at most `block` bytes."""
        left = self.size if end is None else end
        self.body.seek(0)
        while left and (data := self.body.read(min(block, left))):
            left -= len(data)
            yield data

    def headers_without(self, *names: bytes) -> Headers:
        """The headers except those with these lower-case names."""
        return tuple(pair for pair in self.headers if pair[0].lower() not in names)

    @property
    def declared_length(self) -> int:
        """The value of Content-Length. For HEAD, it is the length of the body that GET would return."""
        return next((int(value) for name, value in self.headers if name.lower() == b"content-length"), self.size)


@dataclass(slots=True)
class FaultState:
    """State that all faults of a cluster share."""

    log: RequestLog
    previous: PreviousRecords
    expired: set[str] = field(default_factory=set)
    """Digests of keys that are refused from now on."""

    def reset(self) -> None:
        """Discard the state, because the file of faults has changed."""
        self.expired.clear()
        self.previous.forget()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with an injected fault, with the means to perform and to answer it."""

    scope: Scope
    receive: Receive
    send: Send
    app: ASGIApp
    connection: RawConnection
    state: FaultState

    async def perform(self) -> HeldAnswer:
        """Perform the request and log it, but send nothing of its answer."""
        body = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - lives as long as the answer
        start: list[Message] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
            elif self.scope["method"] != "HEAD":
                body.write(message.get("body", b""))

        await self.app(self.scope, self.receive, keep)
        if not start:
            raise Left
        return HeldAnswer(start[0]["status"], tuple(start[0]["headers"]), body, body.tell())

    async def read_body(self, end: float = float("inf")) -> None:
        """Read and discard the request's body, up to `end` bytes."""
        taken = 0
        while taken < end:
            message = await self.receive()
            if message["type"] != "http.request":
                self.log()
                raise Left
            taken += len(message.get("body", b""))
            if not message.get("more_body", False):
                return

    def log(self, status: int = 0, size: int = 0) -> None:
        """Log the request, which is not performed."""
        self.state.log.add(self.scope, status, size)

    async def answer_instead(self, answer: HeldAnswer) -> None:
        """Read the whole request, and answer without performing it."""
        await self.read_body()
        self.log(answer.status, 0 if self.scope["method"] == "HEAD" else answer.size)
        await self.answer(answer)

    async def answer(self, answer: HeldAnswer) -> None:
        """Send a well-formed answer. The connection stays usable."""
        await self.send_head(answer)
        for block in answer.blocks():
            await self.send({"type": "http.response.body", "body": block, "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})

    async def send_head(self, answer: HeldAnswer) -> None:
        """Send the head of a well-formed answer."""
        await self.send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})


@dataclass(frozen=True, slots=True)
class InjectedFault(ABC):
    """A kind of fault with its settings, the fields of its dataclass. The first one names the kind.

    The settings come from a file: the constructor raises `FaultError` for an invalid one. A field with `checked` metadata needs no
    constructor of its class.
    """

    def __post_init__(self) -> None:
        for each in fields(self):
            if check := each.metadata.get("check"):
                check(each.name, getattr(self, each.name))

    @property
    def needs_previous_records(self) -> bool:
        """Whether the fault needs the records from before the last write. If so, its rule ignores requests before a first write."""
        return False

    @property
    def repetitions(self) -> int | None:
        """The number of consecutive requests it applies to, if its settings tell."""
        return None

    @abstractmethod
    async def inject(self, exchange: Exchange) -> None:
        """Handle a request. Returns when it is answered or its connection has ended."""
