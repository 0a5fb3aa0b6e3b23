"""Faults that send a well-formed answer with a wrong content, status or speed."""

import gzip
import json
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from typing import IO, cast

from algosync.emulator.faults.exchange import BLOCK, Exchange, HeldAnswer, InjectedFault
from algosync.emulator.faults.setting_checks import (
    FaultError,
    check_choice,
    check_header,
    check_headers,
    check_integer,
    check_number,
    check_text,
    check_true,
    checked,
)

REDIRECTS = (301, 302, 303, 307, 308)
BODILESS = (204, 205, 304)


@dataclass(frozen=True, slots=True)
class Status(InjectedFault):
    """Another status. With `after`, the request is performed all the same, as when a proxy loses a success."""

    status: int
    retry_after: str | None = None
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    after: bool | None = None

    def __post_init__(self) -> None:
        check_integer("status", self.status, 200, 599)
        check_headers("headers", self.headers)
        if check_text("body", self.body) and self.status in BODILESS:
            raise FaultError(f"an answer with status {self.status} cannot have a body")
        if self.retry_after is not None:
            check_header("retry_after", self.retry_after)
        if self.after is not None:
            check_true("after", self.after)

    async def inject(self, exchange: Exchange) -> None:
        headers = {**({"Content-Type": "text/html"} if self.body else {}), **self.headers}
        if self.retry_after is not None:
            headers["Retry-After"] = self.retry_after
        answer = HeldAnswer.of(self.status, headers, self.body.encode())
        if self.after:
            await exchange.perform()
            await exchange.answer(answer)
        else:
            await exchange.answer_instead(answer)


@dataclass(frozen=True, slots=True)
class Redirect(InjectedFault):
    """A redirect to another address."""

    redirect: str
    status: int = 307

    def __post_init__(self) -> None:
        check_header("redirect", self.redirect)
        if check_integer("status", self.status, 300, 399) not in REDIRECTS:
            raise FaultError(f"status is not one of {', '.join(map(str, REDIRECTS))}")

    async def inject(self, exchange: Exchange) -> None:
        await exchange.answer_instead(HeldAnswer.of(self.status, {"Location": self.redirect}))


@dataclass(frozen=True, slots=True)
class ReplacedBody(InjectedFault):
    """Status 200 with another body, such as the login page of a proxy."""

    body: str
    type: str = "text/html"

    def __post_init__(self) -> None:
        check_text("body", self.body)
        check_header("type", self.type)

    async def inject(self, exchange: Exchange) -> None:
        await exchange.answer_instead(HeldAnswer.of(200, {"Content-Type": self.type}, self.body.encode()))


@dataclass(frozen=True, slots=True)
class Empty(InjectedFault):
    """Status 200 with an empty body."""

    empty: bool = field(metadata=checked(check_true))

    async def inject(self, exchange: Exchange) -> None:
        await exchange.answer_instead(HeldAnswer.of(200, {}))


@dataclass(frozen=True, slots=True)
class Shape(InjectedFault):
    """Status 200 with other JSON."""

    shape: object

    async def inject(self, exchange: Exchange) -> None:
        await exchange.answer_instead(HeldAnswer.of(200, {"Content-Type": "application/json"}, json.dumps(self.shape).encode()))


@dataclass(frozen=True, slots=True)
class Endless(InjectedFault):
    """Status 200 with JSON that never ends, sent as fast as the client reads it."""

    endless: bool = field(metadata=checked(check_true))

    async def inject(self, exchange: Exchange) -> None:
        await exchange.read_body()
        exchange.log(200)
        begin = HeldAnswer.of(200, {"Content-Type": "application/json"})
        await exchange.send_head(replace(begin, headers=begin.headers_without(b"content-length")))
        if exchange.scope["method"] == "HEAD":
            await exchange.send({"type": "http.response.body", "body": b""})
            return
        block = b'{"results": ['
        while True:
            await exchange.send({"type": "http.response.body", "body": block, "more_body": True})
            await exchange.connection.let_others_run()
            block = b"{},\n" * (BLOCK // 4)


@dataclass(frozen=True, slots=True)
class Gzip(InjectedFault):
    """The answer in gzip, although the client did not ask for it; or only the first half, with the length of that half.

    `stored`: the unchanged answer with the header, as stores answer that keep the encoding of an upload.
    """

    gzip: str = field(metadata=checked(check_choice, ("whole", "truncated", "stored")))

    async def inject(self, exchange: Exchange) -> None:
        answer = await exchange.perform()
        if self.gzip == "stored":
            answer = replace(answer, headers=(*answer.headers_without(b"content-encoding"), (b"content-encoding", b"gzip")))
        elif answer.size:
            answer = _zipped(answer, truncated=self.gzip == "truncated")
        await exchange.answer(answer)


@dataclass(frozen=True, slots=True)
class CorruptBody(InjectedFault):
    """The body with one flipped bit, in the byte at an offset or in the last byte of a shorter body."""

    corrupt: int = field(metadata=checked(check_integer, 0, 2**62))

    async def inject(self, exchange: Exchange) -> None:
        answer = await exchange.perform()
        if answer.size:
            at = min(self.corrupt, answer.size - 1)
            answer.body.seek(at)
            (byte,) = answer.body.read(1)
            answer.body.seek(at)
            answer.body.write(bytes([byte ^ 1]))
        await exchange.answer(answer)


@dataclass(frozen=True, slots=True)
class Drip(InjectedFault):
    """The body is sent at so many bytes per second."""

    drip: float = field(metadata=checked(check_number, 0.01, 1e9))

    async def inject(self, exchange: Exchange) -> None:
        answer = await exchange.perform()
        await exchange.send_head(answer)
        for piece in answer.blocks(block=chunk_size(self.drip)):
            await exchange.send({"type": "http.response.body", "body": piece, "more_body": True})
            await exchange.connection.pause(len(piece) / self.drip)
        await exchange.send({"type": "http.response.body", "body": b""})


def chunk_size(rate: float) -> int:
    """The bytes to send at a time for a rate in bytes per second: those of 0.1 seconds, at least one."""
    return max(1, int(rate / 10))


def _zipped(answer: HeldAnswer, *, truncated: bool) -> HeldAnswer:
    body = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 - lives as long as the answer
    answer.body.seek(0)
    with gzip.GzipFile(fileobj=body, mode="wb", mtime=0) as file:
        shutil.copyfileobj(answer.body, file)
    size = body.tell() // 2 if truncated else body.tell()
    headers = ((b"content-length", str(size).encode()), (b"content-encoding", b"gzip"))
    return HeldAnswer(answer.status, (*answer.headers_without(b"content-length", b"content-encoding"), *headers), body, size)
