"""Faults in the bytes themselves: cut, stalled, wrongly framed. None leaves a connection that could be used again."""

import http
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from algosync.emulator.faults.changed_answers import step
from algosync.emulator.faults.exchange import Exchange, Headers, HeldAnswer, InjectedFault
from algosync.emulator.faults.setting_checks import FaultError, number, whole, word

MOMENTS = ("before", "request", "headers", "body", "after")
LENGTH = b"content-length"
CLOSING = (b"connection", b"close")
MOST = 2**62


@dataclass(frozen=True, slots=True)
class Truncate(InjectedFault):
    """The body is cut after so many bytes, and the connection closed."""

    truncate: int

    def __post_init__(self) -> None:
        whole("truncate", self.truncate, 0, MOST)

    async def strike(self, exchange: Exchange) -> None:
        await _tell_part(exchange, await exchange.done(), self.truncate)
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class Stall(InjectedFault):
    """The body stops after so many bytes, and the connection stays open."""

    stall: int

    def __post_init__(self) -> None:
        whole("stall", self.stall, 0, MOST)

    async def strike(self, exchange: Exchange) -> None:
        await _tell_part(exchange, await exchange.done(), self.stall)
        await exchange.connection.stay()


@dataclass(frozen=True, slots=True)
class DripHeader(InjectedFault):
    """The head of the answer comes at so many bytes a second."""

    drip_header: float

    def __post_init__(self) -> None:
        number("drip_header", self.drip_header, 0.01, 1e9)

    async def strike(self, exchange: Exchange) -> None:
        answer = await exchange.done()
        start = head(answer.status, (*answer.headers, CLOSING))
        size = step(self.drip_header)
        for piece in (start[at : at + size] for at in range(0, len(start), size)):
            await exchange.connection.write(piece)
            await exchange.connection.pause(len(piece) / self.drip_header)
        await _tell_body(exchange, answer)
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class Length(InjectedFault):
    """No Content-Length, so that the end of the connection is that of the body; or one that is wrong by so much."""

    length: str | int

    def __post_init__(self) -> None:
        if self.length == "missing":
            return
        if isinstance(self.length, str) or whole("length", self.length, -MOST, MOST) == 0:
            raise FaultError('length is neither "missing" nor a difference')

    async def strike(self, exchange: Exchange) -> None:
        answer = await exchange.done()
        headers = answer.without(LENGTH)
        if isinstance(self.length, int):
            headers = (*headers, (LENGTH, str(max(0, answer.declared + self.length)).encode()))
        else:
            headers = (*headers, CLOSING)
        await exchange.connection.write(head(answer.status, headers))
        await _tell_body(exchange, answer)
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class ChunkedCut(InjectedFault):
    """The body comes as a chunk that is cut after so many bytes, or lacks the one that would end it."""

    chunked_cut: int

    def __post_init__(self) -> None:
        whole("chunked_cut", self.chunked_cut, 0, MOST)

    async def strike(self, exchange: Exchange) -> None:
        answer = await exchange.done()
        headers = (*answer.without(LENGTH), (b"transfer-encoding", b"chunked"))
        await exchange.connection.write(head(answer.status, headers))
        if answer.size:
            await exchange.connection.write(b"%x\r\n" % answer.size)
            await _tell_body(exchange, answer, min(self.chunked_cut, answer.size))
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class JunkHeaders(InjectedFault):
    """So many headers more than anybody needs."""

    headers: int

    def __post_init__(self) -> None:
        whole("headers", self.headers, 1, 1_000_000)

    async def strike(self, exchange: Exchange) -> None:
        answer = await exchange.done()
        await exchange.connection.write(head(answer.status, (*answer.headers, CLOSING))[:-2])
        for first in range(0, self.headers, 1000):
            lines = (b"x-junk-%d: junk\r\n" % index for index in range(first, min(first + 1000, self.headers)))
            await exchange.connection.write(b"".join(lines))
            await exchange.connection.turn()
        await exchange.connection.write(b"\r\n")
        await _tell_body(exchange, answer)
        await exchange.connection.finish()


@dataclass(frozen=True, slots=True)
class Reset(InjectedFault):
    """The connection ends by a TCP RST at a moment of the exchange."""

    reset: str

    def __post_init__(self) -> None:
        word("reset", self.reset, MOMENTS)

    async def strike(self, exchange: Exchange) -> None:
        await REACH[self.reset](exchange)
        await exchange.connection.reset()


@dataclass(frozen=True, slots=True)
class Close(InjectedFault):
    """The connection ends by a TCP FIN at a moment of the exchange."""

    close: str

    def __post_init__(self) -> None:
        word("close", self.close, MOMENTS)

    async def strike(self, exchange: Exchange) -> None:
        await REACH[self.close](exchange)
        await exchange.connection.finish()


async def _before(exchange: Exchange) -> None:
    exchange.note()


async def _in_request(exchange: Exchange) -> None:
    declared = next((int(value) for name, value in exchange.scope["headers"] if name == LENGTH), 1)
    await exchange.swallow(declared / 2)
    exchange.note()


async def _in_headers(exchange: Exchange) -> None:
    answer = await exchange.done()
    start = head(answer.status, answer.headers)
    await exchange.connection.write(start[: len(start) // 2])


async def _in_body(exchange: Exchange) -> None:
    answer = await exchange.done()
    await _tell_part(exchange, answer, answer.size // 2)


async def _after(exchange: Exchange) -> None:
    await exchange.done()


REACH: dict[str, Callable[[Exchange], Awaitable[None]]] = dict(
    zip(MOMENTS, (_before, _in_request, _in_headers, _in_body, _after), strict=True)
)
"""How to come to a moment of an exchange."""


def head(status: int, headers: Headers) -> bytes:
    """The head of an answer on the wire."""
    phrase = http.HTTPStatus(status).phrase if status in set(http.HTTPStatus) else ""
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return b"HTTP/1.1 %d %s\r\n%s\r\n" % (status, phrase.encode(), lines)


async def _tell_part(exchange: Exchange, answer: HeldAnswer, size: int) -> None:
    """The head and so many bytes of the body, though never all; without a body, the head without its last line end."""
    start = head(answer.status, answer.headers)
    await exchange.connection.write(start if answer.size else start[:-2])
    await _tell_body(exchange, answer, min(size, max(0, answer.size - 1)))


async def _tell_body(exchange: Exchange, answer: HeldAnswer, end: int | None = None) -> None:
    for block in answer.blocks(end):
        await exchange.connection.write(block)
