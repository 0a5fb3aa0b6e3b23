"""The outer door: own host only, known callers only, no more than there is room for, every request logged.

The cluster executes code, so a web page in somebody's browser must not reach it: the Host header has to be the own
loopback address with its port (DNS rebinding) and an Origin, where there is one, has to be the own one.
"""

import asyncio
import base64
import binascii
import re
import time
from collections.abc import MutableMapping
from email.utils import formatdate
from typing import Any, cast

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from algosync.emulator.errors import NO_CREDENTIALS, NOT_PERMITTED, UNKNOWN_KEY, ApiError, not_permitted
from algosync.emulator.http.replies import error_reply
from algosync.emulator.http.request_limits import RequestBody, check_head, largest_body
from algosync.emulator.http.request_log import RequestLog
from algosync.emulator.http.url_keys import key_in_path, key_in_query
from algosync.emulator.records.accounts import Accounts, Caller, key_id
from algosync.emulator.records.rights import needed

HEALTH = "/health"
OPEN = re.compile(HEALTH + r"|/v1/insights|/v1/algorithm-environments/edge/environment-specifications/[^/]+/template")
"""What needs no key: a client asks for it before it has one, or, of insights, never shows it."""

PAGES = "/page/"
"""Below it are the pages for people. Their browsers ask for a name, which does not matter, and a password: the key, which they
repeat to this port below this path. The cookie of a session would go to every port of this machine."""

REALMS = {"/git/": "algorithmia", PAGES: "Local cluster: any user name, an API key as the password"}
"""What takes Basic credentials, and asks for them. Under another name, so that a browser keeps a key for pages to the pages."""

Message = MutableMapping[str, Any]


class Gate:
    """ASGI middleware around everything."""

    def __init__(
        self, app: ASGIApp, accounts: Accounts, log: RequestLog, hosts: frozenset[str], largest_file: int | None = None
    ) -> None:
        self._app = app
        self._accounts = accounts
        self._log = log
        self._hosts = hosts
        self._largest_file = largest_file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["began"] = time.monotonic()
        body = RequestBody(scope, receive)
        reply = _Reply(scope, send, self._log, body)
        try:
            self.admit(scope)
            body.limit(largest_body(scope["method"], scope["path"], self._largest_file))
        except ApiError as error:
            if error.status == 401 and _browses(scope):
                await Response(None, 303, {"Location": PAGES})(scope, receive, reply.send)
                return
            scope["refusal"] = error
            response = error_reply(error, head=scope["method"] == "HEAD")
            if error.status == 401 and (realm := _realm(scope["path"])):
                response.headers["WWW-Authenticate"] = f'Basic realm="{realm}"'
            await response(scope, receive, reply.send)
            return
        try:
            await self._app(scope, body.receive, reply.send)
        except asyncio.CancelledError:
            # The server's, when running requests have had their time at its end; or that of a fault whose client has left.
            if "fault" in scope:
                raise
            await reply.give_up()
        finally:
            reply.close()

    def admit(self, scope: Scope) -> None:
        """Say who asks. Raises `ApiError` for who may not."""
        headers = Headers(scope=scope)
        check_head(scope)
        self._check_host(headers, scope["scheme"])
        if not scope["path"].startswith("/"):
            raise ApiError(400, "The target of the request is no path")
        self._check_target(scope)
        if not OPEN.fullmatch(scope["path"]):
            scope["caller"] = self._caller(headers, scope["path"])
            _check_rights(scope, headers)

    def _check_host(self, headers: Headers, scheme: str) -> None:
        if headers.get("host", "").lower() not in self._hosts:
            raise not_permitted("The Host header does not name this cluster")
        own = {f"{scheme}://{host}" for host in self._hosts}
        if not own.issuperset(headers.getlist("origin")):
            raise not_permitted("Requests of other origins are not answered")

    def _check_target(self, scope: Scope) -> None:
        query = scope["query_string"].decode("ascii", "replace")
        known = self._accounts.knows
        if key_in_query(query, known) or key_in_path(scope["path"], known):
            raise ApiError(400, "A key in the URL is refused: histories and logs keep it. Send it as Authorization")

    def _caller(self, headers: Headers, path: str) -> Caller:
        presented = headers.getlist("authorization")
        if not any(presented):
            raise ApiError(401, NO_CREDENTIALS)
        caller = self._known(presented[0], path) if len(presented) == 1 else None
        if caller is None:
            raise ApiError(401, "The API key is unknown or invalid", UNKNOWN_KEY)
        return caller

    def _known(self, presented: str, path: str) -> Caller | None:
        caller = self._accounts.caller(_key(presented, path))
        if not path.startswith("/git/"):
            return caller
        credentials = _basic(presented)
        if caller and credentials and caller.user != credentials[0]:
            raise ApiError(401, "The user name is not that of the API key's owner", UNKNOWN_KEY)
        return caller if credentials else None


def _browses(scope: Scope) -> bool:
    """Whether somebody has opened the bare address in a browser, or almost the pages'. It asks for HTML; programs do not."""
    return scope["method"] == "GET" and scope["path"] in ("/", PAGES[:-1]) and "text/html" in Headers(scope=scope).get("accept", "")


def _realm(path: str) -> str | None:
    return next((realm for prefix, realm in REALMS.items() if path.startswith(prefix)), None)


def _basic(presented: str) -> tuple[str, str] | None:
    """User and password of Basic credentials."""
    scheme, _, encoded = presented.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def _check_rights(scope: Scope, headers: Headers) -> None:
    """Raises `ApiError` for what the key does not permit. The log of requests gets to know which key, and what it lacks."""
    query = scope["query_string"].decode("ascii", "replace")
    caller = cast("Caller", scope["caller"])
    permit = caller.rights.permit_inside if caller.inside else caller.rights.permit
    if permit(scope["method"], scope["path"], query):
        return
    scope["lacks"] = caller.rights.lack(needed(scope["method"], scope["path"], query))
    if not caller.inside:
        scope["key"] = key_id(_key(headers["authorization"], scope["path"]))
        if scope["path"].startswith(PAGES) and not caller.rights.read:
            # A browser that was let in would repeat this key for ever, and never ask for another one.
            raise ApiError(401, "This key is for the administration alone: the pages need another one", NOT_PERMITTED)
    raise not_permitted()


def _key(presented: str, path: str) -> str:
    """What may be a key in a header, which has it as a password where one is asked for."""
    credentials = _basic(presented) if _realm(path) else None
    return credentials[1] if credentials else _bare(presented)


def _bare(presented: str) -> str:
    for scheme in ("Simple ", "Bearer "):
        if presented[: len(scheme)].lower() == scheme.lower():
            return presented[len(scheme) :].strip()
    return presented


class _Reply:
    """Counts a reply on its way out and logs it just before its last byte, so that whoever has read it finds the line.

    A reply begins when the request's body is in, as far as that can be waited for.
    """

    def __init__(self, scope: Scope, send: Send, log: RequestLog, body: RequestBody) -> None:
        self._scope = scope
        self._body = body
        self._send = send
        self._log = log
        self._status = 0
        self._size = 0
        self._logged = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            # Not uvicorn's own, which is up to a second old: clients compare it with times in listings.
            message["headers"] = [*message["headers"], (b"date", formatdate(usegmt=True).encode())]
            if not await self._body.drained():
                message["headers"].append((b"connection", b"close"))
        elif message["type"] == "http.response.body":
            if self._scope["method"] != "HEAD":
                self._size += len(message.get("body", b""))
            if not message.get("more_body", False):
                self.close()
        await self._send(message)

    async def give_up(self) -> None:
        """Say that the server stops, to who has heard nothing yet. Nothing is waited for any more."""
        if self._status:
            return
        error = self._scope["refusal"] = ApiError(503, "The local cluster is stopping")
        response = error_reply(error, head=self._scope["method"] == "HEAD")
        response.headers.update({"Connection": "close", "Date": formatdate(usegmt=True)})
        self._status, self._size = response.status_code, len(response.body)
        self.close()
        await response(self._scope, self._body.receive, self._send)

    def close(self) -> None:
        if self._logged:
            return
        self._logged = True
        # Whether the cluster lives is asked again and again, and says nothing of what it is used for.
        if self._scope["path"] != HEALTH or self._status != 200:
            self._log.add(self._scope, self._status, self._size)
