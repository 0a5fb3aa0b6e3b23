"""Faults that answer in good order, but not what the cluster would have said."""

import gzip
import json
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from typing import IO, cast

from algosync.emulator.faults.exchange import BLOCK, Exchange, HeldAnswer, InjectedFault
from algosync.emulator.faults.setting_checks import FaultError, flag, header, header_map, number, text, whole, word

MOVED = (301, 302, 303, 307, 308)
BODILESS = (204, 205, 304)


@dataclass(frozen=True, slots=True)
class Status(InjectedFault):
    """Another status; with `after`, the request is done all the same: a success that is lost."""

    status: int
    retry_after: str | None = None
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    after: bool | None = None

    def __post_init__(self) -> None:
        whole("status", self.status, 200, 599)
        header_map("headers", self.headers)
        if text("body", self.body) and self.status in BODILESS:
            raise FaultError(f"an answer with status {self.status} has no body")
        if self.retry_after is not None:
            header("retry_after", self.retry_after)
        if self.after is not None:
            flag("after", self.after)

    async def strike(self, exchange: Exchange) -> None:
        headers = {**({"Content-Type": "text/html"} if self.body else {}), **self.headers}
        if self.retry_after is not None:
            headers["Retry-After"] = self.retry_after
        answer = HeldAnswer.of(self.status, headers, self.body.encode())
        if self.after:
            await exchange.done()
            await exchange.tell(answer)
        else:
            await exchange.instead(answer)


@dataclass(frozen=True, slots=True)
class Redirect(InjectedFault):
    """The client is sent elsewhere."""

    redirect: str
    status: int = 307

    def __post_init__(self) -> None:
        header("redirect", self.redirect)
        if whole("status", self.status, 300, 399) not in MOVED:
            raise FaultError(f"status is none of {', '.join(map(str, MOVED))}")

    async def strike(self, exchange: Exchange) -> None:
        await exchange.instead(HeldAnswer.of(self.status, {"Location": self.redirect}))


@dataclass(frozen=True, slots=True)
class ReplacedBody(InjectedFault):
    """A success with another body, such as the login page of a proxy."""

    body: str
    type: str = "text/html"

    def __post_init__(self) -> None:
        text("body", self.body)
        header("type", self.type)

    async def strike(self, exchange: Exchange) -> None:
        await exchange.instead(HeldAnswer.of(200, {"Content-Type": self.type}, self.body.encode()))


@dataclass(frozen=True, slots=True)
class Empty(InjectedFault):
    """A success without a body."""

    empty: bool

    def __post_init__(self) -> None:
        flag("empty", self.empty)

    async def strike(self, exchange: Exchange) -> None:
        await exchange.instead(HeldAnswer.of(200, {}))


@dataclass(frozen=True, slots=True)
class Shape(InjectedFault):
    """A success with other JSON."""

    shape: object

    async def strike(self, exchange: Exchange) -> None:
        await exchange.instead(HeldAnswer.of(200, {"Content-Type": "application/json"}, json.dumps(self.shape).encode()))


@dataclass(frozen=True, slots=True)
class Endless(InjectedFault):
    """JSON that never ends, as fast as it is read."""

    endless: bool

    def __post_init__(self) -> None:
        flag("endless", self.endless)

    async def strike(self, exchange: Exchange) -> None:
        await exchange.swallow()
        exchange.note(200)
        begin = HeldAnswer.of(200, {"Content-Type": "application/json"})
        await exchange.start(replace(begin, headers=begin.without(b"content-length")))
        if exchange.scope["method"] == "HEAD":
            await exchange.send({"type": "http.response.body", "body": b""})
            return
        block = b'{"results": ['
        while True:
            await exchange.send({"type": "http.response.body", "body": block, "more_body": True})
            await exchange.connection.turn()
            block = b"{},\n" * (BLOCK // 4)


@dataclass(frozen=True, slots=True)
class Gzip(InjectedFault):
    """The answer in gzip, although nobody asked for it; or the first half of that, its length declared as such."""

    gzip: str

    def __post_init__(self) -> None:
        word("gzip", self.gzip, ("whole", "truncated"))

    async def strike(self, exchange: Exchange) -> None:
        answer = await exchange.done()
        if answer.size:
            answer = _zipped(answer, truncated=self.gzip == "truncated")
        await exchange.tell(answer)


@dataclass(frozen=True, slots=True)
class CorruptBody(InjectedFault):
    """One bit of the body's byte at an offset, or of its last one, is flipped."""

    corrupt: int

    def __post_init__(self) -> None:
        whole("corrupt", self.corrupt, 0, 2**62)

    async def strike(self, exchange: Exchange) -> None:
        answer = await exchange.done()
        if answer.size:
            at = min(self.corrupt, answer.size - 1)
            answer.body.seek(at)
            (byte,) = answer.body.read(1)
            answer.body.seek(at)
            answer.body.write(bytes([byte ^ 1]))
        await exchange.tell(answer)


@dataclass(frozen=True, slots=True)
class Drip(InjectedFault):
    """The body comes at so many bytes a second."""

    drip: float

    def __post_init__(self) -> None:
        number("drip", self.drip, 0.01, 1e9)

    async def strike(self, exchange: Exchange) -> None:
        answer = await exchange.done()
        await exchange.start(answer)
        for piece in answer.blocks(block=step(self.drip)):
            await exchange.send({"type": "http.response.body", "body": piece, "more_body": True})
            await exchange.connection.pause(len(piece) / self.drip)
        await exchange.send({"type": "http.response.body", "body": b""})


def step(rate: float) -> int:
    """How many bytes to send at a time, for so many a second: a tenth of a second's, at least one."""
    return max(1, int(rate / 10))


def _zipped(answer: HeldAnswer, *, truncated: bool) -> HeldAnswer:
    body = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 - lives as long as the answer
    answer.body.seek(0)
    with gzip.GzipFile(fileobj=body, mode="wb", mtime=0) as file:
        shutil.copyfileobj(answer.body, file)
    size = body.tell() // 2 if truncated else body.tell()
    headers = ((b"content-length", str(size).encode()), (b"content-encoding", b"gzip"))
    return HeldAnswer(answer.status, (*answer.without(b"content-length", b"content-encoding"), *headers), body, size)
