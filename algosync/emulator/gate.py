"""The outer door: own host only, known callers only, every request logged.

The cluster executes code, so a web page in somebody's browser must not reach it: the Host header has to be the own
loopback address with its port (DNS rebinding) and an Origin, where there is one, has to be the own one.
"""

import base64
import binascii
import re
import time
from collections.abc import MutableMapping
from email.utils import formatdate
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from algosync.emulator.accounts import Accounts, Caller
from algosync.emulator.errors import UNKNOWN_KEY, ApiError, not_permitted
from algosync.emulator.replies import error_reply
from algosync.emulator.request_log import RequestLog
from algosync.emulator.rights import needed

OPEN = re.compile(r"/health|/v1/insights|/v1/algorithm-environments/edge/environment-specifications/[^/]+/template")
"""What needs no key: a client asks for it before it has one, or, of insights, never shows it."""

PAGES = "/page/"
"""Below it are the pages for people. Their browsers ask for a name, which does not matter, and a password: the key, which they
repeat to this port below this path. The cookie of a session would go to every port of this machine."""

REALMS = {"/git/": "algorithmia", PAGES: "Local cluster: any user name, an API key as the password"}
"""What takes Basic credentials, and asks for them. Under another name, so that a browser keeps a key for pages to the pages."""

Message = MutableMapping[str, Any]


class Gate:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, accounts: Accounts, log: RequestLog, hosts: frozenset[str]) -> None:
        self._app = app
        self._accounts = accounts
        self._log = log
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["began"] = time.monotonic()
        reply = _Reply(scope, send, self._log)
        try:
            headers = Headers(scope=scope)
            self._check_host(headers, scope["scheme"])
            if not OPEN.fullmatch(scope["path"]):
                scope["caller"] = self._caller(headers, scope["path"])
                _check_rights(scope)
        except ApiError as error:
            await _drain(receive)
            response = error_reply(error, head=scope["method"] == "HEAD")
            if error.status == 401 and (realm := _realm(scope["path"])):
                response.headers["WWW-Authenticate"] = f'Basic realm="{realm}"'
            await response(scope, receive, reply.send)
            return
        try:
            await self._app(scope, receive, reply.send)
        finally:
            reply.close()

    def _check_host(self, headers: Headers, scheme: str) -> None:
        origin = headers.get("origin")
        if headers.get("host") not in self._hosts:
            raise not_permitted("The Host header does not name this cluster")
        if origin is not None and origin.removeprefix(f"{scheme}://") not in self._hosts:
            raise not_permitted("Requests of other origins are not answered")

    def _caller(self, headers: Headers, path: str) -> Caller:
        presented = headers.get("authorization", "")
        if not presented:
            raise ApiError(401, "authorization required")
        caller = self._known(presented, path)
        if caller is None:
            raise ApiError(401, "The API key is unknown or invalid", UNKNOWN_KEY)
        return caller

    def _known(self, presented: str, path: str) -> Caller | None:
        credentials = _basic(presented) if _realm(path) else None
        if path.startswith("/git/"):
            caller = self._accounts.caller(credentials[1]) if credentials else None
            return caller if caller and credentials and caller.user == credentials[0] else None
        return self._accounts.caller(credentials[1] if credentials else _bare(presented))


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


def _check_rights(scope: Scope) -> None:
    query = scope["query_string"].decode("ascii", "replace")
    if not scope["caller"].rights.permit(scope["method"], scope["path"], query):
        raise not_permitted()


async def _drain(receive: Receive) -> None:
    """Take the rest of a request that is refused: a client that is still sending would see a reset instead of the reason."""
    message = await receive()
    while message["type"] == "http.request" and message.get("more_body", False):
        message = await receive()


def _bare(presented: str) -> str:
    for scheme in ("Simple ", "Bearer "):
        if presented[: len(scheme)].lower() == scheme.lower():
            return presented[len(scheme) :].strip()
    return presented


class _Reply:
    """Counts a reply on its way out and logs it just before its last byte, so that whoever has read it finds the line."""

    def __init__(self, scope: Scope, send: Send, log: RequestLog) -> None:
        self._scope = scope
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
        elif message["type"] == "http.response.body":
            if self._scope["method"] != "HEAD":
                self._size += len(message.get("body", b""))
            if not message.get("more_body", False):
                self.close()
        await self._send(message)

    def close(self) -> None:
        if self._logged:
            return
        self._logged = True
        self._log.add(self._scope, self._status, self._size)
