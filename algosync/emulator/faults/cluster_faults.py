"""Faults in the behaviour of the cluster: delays, stale listings, failing builds, expired keys."""

import json
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.types import Scope

from algosync.emulator.errors import UNKNOWN_KEY, ApiError
from algosync.emulator.faults.exchange import Exchange, HeldAnswer, InjectedFault
from algosync.emulator.faults.setting_checks import (
    DAY,
    FaultError,
    check_choice,
    check_integer,
    check_number,
    check_text,
    check_true,
    checked,
)
from algosync.emulator.http.gate import presented_key
from algosync.emulator.http.raw_connection import Left, RawConnection
from algosync.emulator.records.keys import digest

MARKER = "1"
"""The marker of the next page in a looping listing."""

SLOW: Final = "slow"
FAIL: Final = "fail"
NEVER_LISTED: Final = "never-listed"
NEVER_ENDS: Final = "never-ends"


@dataclass(frozen=True, slots=True)
class Delay(InjectedFault):
    """The request is performed after so many seconds, unless the client has left by then."""

    delay: float = field(metadata=checked(check_number, 0, DAY))

    async def inject(self, exchange: Exchange) -> None:
        try:
            await exchange.connection.pause(self.delay)
        except Left:
            exchange.log()
            raise
        await exchange.app(exchange.scope, exchange.receive, exchange.send)


@dataclass(frozen=True, slots=True)
class Listing(InjectedFault):
    """`stale`: a listing or record without the last write, for so many `reads`. `loop`: a listing whose next page is the first.

    Contents of files are never stale, since those of overwritten files are not kept.
    """

    listing: str
    reads: int | None = None

    def __post_init__(self) -> None:
        check_choice("listing", self.listing, ("stale", "loop"))
        if self.reads is not None:
            check_integer("reads", self.reads, 1, 1_000_000)
            if not self.needs_previous_records:
                raise FaultError("only a stale listing can have reads")

    @property
    def needs_previous_records(self) -> bool:
        return self.listing == "stale"

    @property
    def repetitions(self) -> int | None:
        return self.reads

    async def inject(self, exchange: Exchange) -> None:
        if self.needs_previous_records:
            await exchange.answer(await replace(exchange, app=exchange.state.previous.app()).perform())
            return
        query = [pair for pair in parse_qsl(exchange.scope["query_string"].decode("latin-1")) if pair[0] != "marker"]
        first = {**exchange.scope, "query_string": urlencode(query).encode()}
        await exchange.answer(_looping(await replace(exchange, scope=first).perform()))


@dataclass(frozen=True, slots=True)
class BuildFault(InjectedFault):
    """The build that the request starts takes longer, fails, is never listed, or never ends."""

    build: str
    seconds: float | None = None
    log: str | None = None

    def __post_init__(self) -> None:
        check_choice("build", self.build, (SLOW, FAIL, NEVER_LISTED, NEVER_ENDS))
        if (self.seconds is None) == (self.build == SLOW):
            raise FaultError("a slow build needs seconds, and other builds cannot have them")
        if (self.log is None) == (self.build == FAIL):
            raise FaultError("a failing build needs a log, and other builds cannot have one")
        if self.seconds is not None:
            check_number("seconds", self.seconds, 0, DAY)
        if self.log is not None:
            check_text("log", self.log)

    async def inject(self, exchange: Exchange) -> None:
        ACTIVE_BUILD_FAULT.set(ActiveBuildFault(self, exchange.connection))
        await exchange.app(exchange.scope, exchange.receive, exchange.send)


@dataclass(frozen=True, slots=True)
class ActiveBuildFault:
    """The fault of the builds that a request starts, and the connection of the client, who may wait for them."""

    fault: BuildFault
    connection: RawConnection


ACTIVE_BUILD_FAULT: ContextVar[ActiveBuildFault | None] = ContextVar("ACTIVE_BUILD_FAULT", default=None)
"""The build fault of the current request. Tasks of builds inherit the context of their request."""


@dataclass(frozen=True, slots=True)
class ExpireKey(InjectedFault):
    """The request's key is refused, from this request on."""

    expire_key: bool = field(metadata=checked(check_true))

    async def inject(self, exchange: Exchange) -> None:
        if key := key_digest(exchange.scope):
            exchange.state.expired.add(key)
        body = json.dumps(ApiError(401, "The API key is unknown or invalid", UNKNOWN_KEY).body())
        headers = {"Content-Type": "application/json"}
        if exchange.scope["path"].startswith("/git/"):
            headers["WWW-Authenticate"] = 'Basic realm="algorithmia"'
        await exchange.answer_instead(HeldAnswer.of(401, headers, body.encode()))


def key_digest(scope: Scope) -> str:
    """The digest of a request's key; empty without a key."""
    key = presented_key(Headers(scope=scope).get("authorization", ""), scope["path"])
    return digest(key) if key else ""


def _looping(answer: HeldAnswer) -> HeldAnswer:
    """A page of a listing with a marker of the next page. Other answers stay unchanged."""
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
    headers = (*answer.headers_without(b"content-length"), (b"content-length", str(len(body)).encode()))
    return replace(answer, headers=headers, size=len(body))
