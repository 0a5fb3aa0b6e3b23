"""One request that a fault has struck: it can be done, its answer held back, and something else be told."""

import io
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import IO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from algosync.emulator.faults.previous_records import PreviousRecords
from algosync.emulator.http.raw_connection import Left, RawConnection
from algosync.emulator.http.request_log import RequestLog

BLOCK = 64 * 1024
IN_MEMORY = 1024 * 1024
"""Longer answers wait on disk."""

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """A whole answer: its body, which a HEAD has none of, in a file that is read from its start."""

    status: int
    headers: Headers
    body: IO[bytes]
    size: int

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], body: bytes = b"") -> "HeldAnswer":
        """An answer that is made up here."""
        fields = {**headers, "Content-Length": str(len(body)), "Date": formatdate(usegmt=True)}
        encoded = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in fields.items())
        return cls(status, encoded, io.BytesIO(body), len(body))

    def blocks(self, end: int | None = None, block: int = BLOCK) -> Iterator[bytes]:
        """The body up to a place, in blocks."""
        left = self.size if end is None else end
        self.body.seek(0)
        while left and (data := self.body.read(min(block, left))):
            left -= len(data)
            yield data

    def without(self, *names: bytes) -> Headers:
        """Its headers but for those."""
        return tuple(pair for pair in self.headers if pair[0].lower() not in names)

    @property
    def declared(self) -> int:
        """The length that its header says: for a HEAD, that of another answer."""
        return next((int(value) for name, value in self.headers if name.lower() == b"content-length"), self.size)


@dataclass(slots=True)
class FaultState:
    """What the faults of a cluster share."""

    log: RequestLog
    past: PreviousRecords
    expired: set[str] = field(default_factory=set)
    """Digests of keys that open nothing any more."""

    def forget(self) -> None:
        """The faults are others now."""
        self.expired.clear()
        self.past.forget()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A struck request, the way to have it done, and the ways to answer."""

    scope: Scope
    receive: Receive
    send: Send
    app: ASGIApp
    connection: RawConnection
    site: FaultState

    async def done(self) -> HeldAnswer:
        """Have the request done. It is in the log when this returns, and nothing of its answer is with the client."""
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

    async def swallow(self, end: float = float("inf")) -> None:
        """Take the request's body, up to `end` bytes, and leave it at that."""
        taken = 0
        while taken < end:
            message = await self.receive()
            if message["type"] != "http.request":
                self.note()
                raise Left
            taken += len(message.get("body", b""))
            if not message.get("more_body", False):
                return

    def note(self, status: int = 0, size: int = 0) -> None:
        """Log a request that is not done."""
        self.site.log.add(self.scope, status, size)

    async def instead(self, answer: HeldAnswer) -> None:
        """Answer in place of having the request done, when the client has sent it whole."""
        await self.swallow()
        self.note(answer.status, 0 if self.scope["method"] == "HEAD" else answer.size)
        await self.tell(answer)

    async def tell(self, answer: HeldAnswer) -> None:
        """Send an answer in good order; the connection goes on."""
        await self.start(answer)
        for block in answer.blocks():
            await self.send({"type": "http.response.body", "body": block, "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})

    async def start(self, answer: HeldAnswer) -> None:
        """Send the head of an answer in good order."""
        await self.send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})


@dataclass(frozen=True, slots=True)
class InjectedFault(ABC):
    """A kind of fault with its settings: the fields of its dataclass, of which the first names the kind.

    Made of what a file says, it raises `FaultError` for a setting that cannot be.
    """

    @property
    def remembers(self) -> bool:
        """Whether it needs the cluster as it was before the last write. Then it waits for a write before it counts."""
        return False

    @property
    def strikes(self) -> int | None:
        """How often in a row it strikes, where its settings say so themselves."""
        return None

    @abstractmethod
    async def strike(self, exchange: Exchange) -> None:
        """Do it to a request. Returns when the connection is gone, or the request answered in good order."""
