"""Admission of requests: checks host, origin, key, rights and size of each request, and logs it.

The cluster executes code, so a web page in a browser must not reach it. The Host header must be the cluster's own loopback address
and port, which prevents DNS rebinding. An Origin header, if present, must be the cluster's own.
"""

import asyncio
import base64
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
"""Paths that need no key: clients request them before they have one, and send insights without it."""

PAGES = "/page/"
"""The prefix of the web pages. They use Basic credentials, any user name and a key, which browsers send to this port and prefix
only. A session cookie would be sent to every port of this machine."""

REALMS = {"/git/": "algorithmia", PAGES: "Local cluster: any user name, an API key as the password"}
"""Prefixes of paths with Basic credentials, and their realms. Because they differ, a browser does not send a page's key to git."""

Message = MutableMapping[str, Any]


class Gate:
    """The outermost ASGI middleware of a cluster without faults."""

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
            self._admit(scope)
            body.limit(largest_body(scope["method"], scope["path"], self._largest_file))
        except ApiError as error:
            if error.status == 401 and _is_browser_at_root(scope):
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
            # The server stops and waits no longer for requests, or the client has left while a fault was active.
            if "fault" in scope:
                raise
            await reply.give_up()
        finally:
            reply.close()

    def _admit(self, scope: Scope) -> None:
        """Set `scope["caller"]`. Raises `ApiError` if the request is not admitted."""
        headers = Headers(scope=scope)
        check_head(scope)
        self._check_host(headers, scope["scheme"])
        if not scope["path"].startswith("/"):
            raise ApiError(400, "The target of the request is not a path")
        self._check_target(scope)
        if not OPEN.fullmatch(scope["path"]):
            scope["caller"] = self._caller(headers, scope["path"])
            _check_rights(scope, headers)

    def _check_host(self, headers: Headers, scheme: str) -> None:
        if headers.get("host", "").lower() not in self._hosts:
            raise not_permitted("The Host header does not name this cluster")
        own = {f"{scheme}://{host}" for host in self._hosts}
        if not own.issuperset(headers.getlist("origin")):
            raise not_permitted("Requests from other origins are refused")

    def _check_target(self, scope: Scope) -> None:
        query = scope["query_string"].decode("ascii", "replace")
        known = self._accounts.knows
        if key_in_query(query, known) or key_in_path(scope["path"], known):
            raise ApiError(400, "A key in the URL is refused, because histories and logs keep URLs. Send it as Authorization")

    def _caller(self, headers: Headers, path: str) -> Caller:
        presented = headers.getlist("authorization")
        if not any(presented):
            raise ApiError(401, NO_CREDENTIALS)
        caller = self._authenticate(presented[0], path) if len(presented) == 1 else None
        if caller is None:
            raise ApiError(401, "The API key is unknown or invalid", UNKNOWN_KEY)
        return caller

    def _authenticate(self, presented: str, path: str) -> Caller | None:
        caller = self._accounts.caller(presented_key(presented, path))
        if not path.startswith("/git/"):
            return caller
        credentials = _basic(presented)
        if caller and credentials and caller.user != credentials[0]:
            raise ApiError(401, "The user name is not that of the API key's owner", UNKNOWN_KEY)
        return caller if credentials else None


def _is_browser_at_root(scope: Scope) -> bool:
    """Whether a browser, which accepts HTML, requests the root or the pages without the final slash."""
    return scope["method"] == "GET" and scope["path"] in ("/", PAGES[:-1]) and "text/html" in Headers(scope=scope).get("accept", "")


def _realm(path: str) -> str | None:
    return next((realm for prefix, realm in REALMS.items() if path.startswith(prefix)), None)


def _basic(presented: str) -> tuple[str, str] | None:
    """User and password of Basic credentials; None for other or malformed ones."""
    scheme, _, encoded = presented.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return user, password


def _check_rights(scope: Scope, headers: Headers) -> None:
    """Raises `ApiError` if the key lacks a right. Stores the key's id and the missing rights for the request log."""
    query = scope["query_string"].decode("ascii", "replace")
    caller = cast("Caller", scope["caller"])
    permit = caller.rights.permit_inside if caller.inside else caller.rights.permit
    if permit(scope["method"], scope["path"], query):
        return
    scope["lacks"] = caller.rights.missing(needed(scope["method"], scope["path"], query))
    if not caller.inside:
        scope["key"] = key_id(presented_key(headers["authorization"], scope["path"]))
        if scope["path"].startswith(PAGES) and not caller.rights.read:
            # With 403, the browser would keep sending this key and never ask for another one.
            raise ApiError(401, "This key is for administration only: the pages need another one", NOT_PERMITTED)
    raise not_permitted()


def presented_key(presented: str, path: str) -> str:
    """The key in an Authorization header: the password of Basic credentials for paths that use them, else the bare key."""
    credentials = _basic(presented) if _realm(path) else None
    return credentials[1] if credentials else _bare(presented)


def _bare(presented: str) -> str:
    for scheme in ("Simple ", "Bearer "):
        if presented[: len(scheme)].lower() == scheme.lower():
            return presented[len(scheme) :].strip()
    return presented


def _announced_length(start: Message) -> int:
    """The Content-Length of a reply. -1: it has none."""
    return next((int(value) for name, value in start["headers"] if name.lower() == b"content-length"), -1)


class _Reply:
    """Logs a reply just before its last byte is sent, so that a client that has read the reply finds the line in the log.

    The reply begins after the request's body has been read, within the bounds of `RequestBody.drained`.
    """

    def __init__(self, scope: Scope, send: Send, log: RequestLog, body: RequestBody) -> None:
        self._scope = scope
        self._body = body
        self._send = send
        self._log = log
        self._status = 0
        self._size = 0
        self._length = -1  # of the reply's body, if it is announced
        self._logged = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._length = _announced_length(message)
            # uvicorn's own `Date` can be a second old, but clients compare it with times in listings.
            message["headers"] = [*message["headers"], (b"date", formatdate(usegmt=True).encode())]
            if not await self._body.drained():
                message["headers"].append((b"connection", b"close"))
        elif message["type"] == "http.response.body":
            if self._scope["method"] != "HEAD":
                self._size += len(message.get("body", b""))
            # A stream ends with an empty message. A client that has the whole reply may close the connection before that.
            if not message.get("more_body", False) or self._size == self._length:
                self.close()
        await self._send(message)

    async def give_up(self) -> None:
        """Reply that the server stops, unless a reply has begun. Does not wait for the request's body."""
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
        # Successful health checks are frequent and of no interest.
        if self._scope["path"] != HEALTH or self._status != 200:
            self._log.add(self._scope, self._status, self._size)
