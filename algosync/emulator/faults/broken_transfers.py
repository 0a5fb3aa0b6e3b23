"""Faults that send cut, stalled or wrongly framed bytes. The connection cannot be used again after them."""

import http
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from algosync.emulator.faults.changed_answers import chunk_size
from algosync.emulator.faults.exchange import Exchange, Headers, HeldAnswer, InjectedFault
from algosync.emulator.faults.setting_checks import FaultError, check_choice, check_integer, check_number, checked

MOMENTS = ("before", "request", "headers", "body", "after")
LENGTH = b"content-length"
CLOSING = (b"connection", b"close")
MOST = 2**62


@dataclass(frozen=True, slots=True)
class Truncate(InjectedFault):
    """The connection is closed after so many bytes of the body."""

    truncate: int = field(metadata=checked(check_integer, 0, MOST))

    async def inject(self, exchange: Exchange) -> None:
        await _write_part(exchange, await exchange.perform(), self.truncate)
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class Stall(InjectedFault):
    """Nothing is sent after so many bytes of the body, and the connection stays open."""

    stall: int = field(metadata=checked(check_integer, 0, MOST))

    async def inject(self, exchange: Exchange) -> None:
        await _write_part(exchange, await exchange.perform(), self.stall)
        await exchange.connection.hold_open()


@dataclass(frozen=True, slots=True)
class DripHeader(InjectedFault):
    """The head of the answer is sent at so many bytes per second."""

    drip_header: float = field(metadata=checked(check_number, 0.01, 1e9))

    async def inject(self, exchange: Exchange) -> None:
        answer = await exchange.perform()
        start = head_bytes(answer.status, (*answer.headers, CLOSING))
        size = chunk_size(self.drip_header)
        for piece in (start[at : at + size] for at in range(0, len(start), size)):
            await exchange.connection.write(piece)
            await exchange.connection.pause(len(piece) / self.drip_header)
        await _write_body(exchange, answer)
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class Length(InjectedFault):
    """No Content-Length, so that the end of the connection ends the body; or a Content-Length with a difference added."""

    length: str | int

    def __post_init__(self) -> None:
        if self.length == "missing":
            return
        if isinstance(self.length, str) or check_integer("length", self.length, -MOST, MOST) == 0:
            raise FaultError('length is neither "missing" nor a difference in bytes')

    async def inject(self, exchange: Exchange) -> None:
        answer = await exchange.perform()
        headers = answer.headers_without(LENGTH)
        if isinstance(self.length, int):
            headers = (*headers, (LENGTH, str(max(0, answer.declared_length + self.length)).encode()))
        else:
            headers = (*headers, CLOSING)
        await exchange.connection.write(head_bytes(answer.status, headers))
        await _write_body(exchange, answer)
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class Interim(InjectedFault):
    """An interim answer, such as 103, comes before the answer."""

    interim: int

    def __post_init__(self) -> None:
        if check_integer("interim", self.interim, 100, 199) == http.HTTPStatus.SWITCHING_PROTOCOLS:
            raise FaultError("interim: 101 is a final answer")

    async def inject(self, exchange: Exchange) -> None:
        answer = await exchange.perform()
        await exchange.connection.write(head_bytes(self.interim, ((b"link", b"</style.css>; rel=preload"),)))
        await exchange.connection.write(head_bytes(answer.status, (*answer.headers, CLOSING)))
        await _write_body(exchange, answer)
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class OldVersion(InjectedFault):
    """The answer of a server for HTTP/1.0: without a Content-Length, so that the end of the connection ends the body."""

    version: str = field(metadata=checked(check_choice, ("1.0",)))

    async def inject(self, exchange: Exchange) -> None:
        answer = await exchange.perform()
        start = head_bytes(answer.status, answer.headers_without(LENGTH))
        await exchange.connection.write(start.replace(b"HTTP/1.1", f"HTTP/{self.version}".encode(), 1))
        await _write_body(exchange, answer)
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class ChunkedCut(InjectedFault):
    """The body is sent as one chunk, cut after so many bytes, without the final chunk."""

    chunked_cut: int = field(metadata=checked(check_integer, 0, MOST))

    async def inject(self, exchange: Exchange) -> None:
        answer = await exchange.perform()
        headers = (*answer.headers_without(LENGTH), (b"transfer-encoding", b"chunked"))
        await exchange.connection.write(head_bytes(answer.status, headers))
        if answer.size:
            await exchange.connection.write(b"%x\r\n" % answer.size)
            await _write_body(exchange, answer, min(self.chunked_cut, answer.size))
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class JunkHeaders(InjectedFault):
    """So many additional headers."""

    headers: int = field(metadata=checked(check_integer, 1, 1_000_000))

    async def inject(self, exchange: Exchange) -> None:
        answer = await exchange.perform()
        await exchange.connection.write(head_bytes(answer.status, (*answer.headers, CLOSING))[:-2])
        for first in range(0, self.headers, 1000):
            lines = (b"x-junk-%d: junk\r\n" % index for index in range(first, min(first + 1000, self.headers)))
            await exchange.connection.write(b"".join(lines))
            await exchange.connection.let_others_run()
        await exchange.connection.write(b"\r\n")
        await _write_body(exchange, answer)
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class Reset(InjectedFault):
    """The connection ends with a TCP RST at a moment of the exchange."""

    reset: str = field(metadata=checked(check_choice, MOMENTS))

    async def inject(self, exchange: Exchange) -> None:
        await PROCEED_TO[self.reset](exchange)
        await exchange.connection.reset()


@dataclass(frozen=True, slots=True)
class Close(InjectedFault):
    """The connection ends with a TCP FIN at a moment of the exchange."""

    close: str = field(metadata=checked(check_choice, MOMENTS))

    async def inject(self, exchange: Exchange) -> None:
        await PROCEED_TO[self.close](exchange)
        await exchange.connection.finish()


async def _before(exchange: Exchange) -> None:
    exchange.log()


async def _in_request(exchange: Exchange) -> None:
    declared = next((int(value) for name, value in exchange.scope["headers"] if name == LENGTH), 1)
    await exchange.read_body(declared / 2)
    exchange.log()


async def _in_headers(exchange: Exchange) -> None:
    answer = await exchange.perform()
    start = head_bytes(answer.status, answer.headers)
    await exchange.connection.write(start[: len(start) // 2])


async def _in_body(exchange: Exchange) -> None:
    answer = await exchange.perform()
    await _write_part(exchange, answer, answer.size // 2)


async def _after(exchange: Exchange) -> None:
    await exchange.perform()


PROCEED_TO: dict[str, Callable[[Exchange], Awaitable[None]]] = dict(
    zip(MOMENTS, (_before, _in_request, _in_headers, _in_body, _after), strict=True)
)
"""Functions that advance an exchange to a moment."""


def head_bytes(status: int, headers: Headers) -> bytes:
    """The head of an answer as bytes."""
    phrase = http.HTTPStatus(status).phrase if status in set(http.HTTPStatus) else ""
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return b"HTTP/1.1 %d %s\r\n%s\r\n" % (status, phrase.encode(), lines)


async def _write_part(exchange: Exchange, answer: HeldAnswer, size: int) -> None:
    """Send the head and so many bytes of the body, but never all. Without a body, send the head without its last line break."""
    start = head_bytes(answer.status, answer.headers)
    await exchange.connection.write(start if answer.size else start[:-2])
    await _write_body(exchange, answer, min(size, max(0, answer.size - 1)))


async def _write_body(exchange: Exchange, answer: HeldAnswer, end: int | None = None) -> None:
    for block in answer.blocks(end):
        await exchange.connection.write(block)
