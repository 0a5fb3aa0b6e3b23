"""Faults of the cluster behind the answers: slow, behind its own writes, its builds, its keys."""

import base64
import binascii
import json
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.types import Scope

from algosync.emulator.errors import UNKNOWN_KEY, ApiError
from algosync.emulator.faults.exchange import Exchange, HeldAnswer, InjectedFault
from algosync.emulator.faults.setting_checks import DAY, FaultError, flag, number, text, whole, word
from algosync.emulator.http.raw_connection import Left, RawConnection
from algosync.emulator.records.keys import digest

MARKER = "1"
"""What a looping list says is next, for ever."""

SLOW: Final = "slow"
FAIL: Final = "fail"
NEVER_LISTED: Final = "never-listed"
NEVER_ENDS: Final = "never-ends"


@dataclass(frozen=True, slots=True)
class Delay(InjectedFault):
    """The request is done, and answered well, but only after a time; not at all where the client leaves before."""

    delay: float

    def __post_init__(self) -> None:
        number("delay", self.delay, 0, DAY)

    async def strike(self, exchange: Exchange) -> None:
        try:
            await exchange.connection.pause(self.delay)
        except Left:
            exchange.note()
            raise
        await exchange.app(exchange.scope, exchange.receive, exchange.send)


@dataclass(frozen=True, slots=True)
class Listing(InjectedFault):
    """A read of a listing or record that knows nothing of the last write, so many times; or a list whose next page is the first.

    The bytes of files are never stale: those of an overwritten one are gone.
    """

    listing: str
    reads: int | None = None

    def __post_init__(self) -> None:
        word("listing", self.listing, ("stale", "loop"))
        if self.reads is not None:
            whole("reads", self.reads, 1, 1_000_000)
            if not self.remembers:
                raise FaultError("reads belongs to stale listings")

    @property
    def remembers(self) -> bool:
        return self.listing == "stale"

    @property
    def strikes(self) -> int | None:
        return self.reads

    async def strike(self, exchange: Exchange) -> None:
        if self.remembers:
            await exchange.tell(await replace(exchange, app=exchange.state.past.app()).done())
            return
        query = [pair for pair in parse_qsl(exchange.scope["query_string"].decode("latin-1")) if pair[0] != "marker"]
        first = {**exchange.scope, "query_string": urlencode(query).encode()}
        await exchange.tell(_looping(await replace(exchange, scope=first).done()))


@dataclass(frozen=True, slots=True)
class BuildFault(InjectedFault):
    """The build that this request causes takes longer, fails, is never seen, or never ends."""

    build: str
    seconds: float | None = None
    log: str | None = None

    def __post_init__(self) -> None:
        word("build", self.build, (SLOW, FAIL, NEVER_LISTED, NEVER_ENDS))
        if (self.seconds is None) == (self.build == SLOW):
            raise FaultError("a slow build, and no other, has seconds")
        if (self.log is None) == (self.build == FAIL):
            raise FaultError("a build that fails, and no other, has a log")
        if self.seconds is not None:
            number("seconds", self.seconds, 0, DAY)
        if self.log is not None:
            text("log", self.log)

    async def strike(self, exchange: Exchange) -> None:
        SABOTAGE.set(Sabotage(self, exchange.connection))
        await exchange.app(exchange.scope, exchange.receive, exchange.send)


@dataclass(frozen=True, slots=True)
class Sabotage:
    """What is wrong with the builds that a request causes, and the connection of who may wait for them."""

    fault: BuildFault
    connection: RawConnection


SABOTAGE: ContextVar[Sabotage | None] = ContextVar("SABOTAGE", default=None)
"""That of the request that is running."""


@dataclass(frozen=True, slots=True)
class ExpireKey(InjectedFault):
    """From this request on its key opens nothing any more."""

    expire_key: bool

    def __post_init__(self) -> None:
        flag("expire_key", self.expire_key)

    async def strike(self, exchange: Exchange) -> None:
        if key := presented(exchange.scope):
            exchange.state.expired.add(key)
        body = json.dumps(ApiError(401, "The API key is unknown or invalid", UNKNOWN_KEY).body())
        headers = {"Content-Type": "application/json"}
        if exchange.scope["path"].startswith("/git/"):
            headers["WWW-Authenticate"] = 'Basic realm="algorithmia"'
        await exchange.instead(HeldAnswer.of(401, headers, body.encode()))


def presented(scope: Scope) -> str:
    """The digest of the key that a request shows, in whatever form; empty where it shows none."""
    given = Headers(scope=scope).get("authorization", "")
    scheme, _, rest = given.partition(" ")
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    else:
        key = rest.strip() if scheme.lower() in ("simple", "bearer") else given
    return digest(key) if key else ""


def _looping(answer: HeldAnswer) -> HeldAnswer:
    """A page that says that there is another; what is no page stays as it is."""
    answer.body.seek(0)
    try:
        page = json.loads(answer.body.read())
    except ValueError:
        return answer
    if answer.status != 200 or not isinstance(page, dict):
        return answer
    body = json.dumps({**page, "marker": MARKER}, separators=(",", ":")).encode()
    answer.body.seek(0)
    answer.body.write(body)
    headers = (*answer.without(b"content-length"), (b"content-length", str(len(body)).encode()))
    return replace(answer, headers=headers, size=len(body))
