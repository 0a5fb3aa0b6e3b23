"""The outermost layer of a cluster with faults: selects the fault of each request, if any, and injects it."""

import contextlib
import sys

from starlette.types import ASGIApp, Receive, Scope, Send

from algosync.emulator.errors import ApiError
from algosync.emulator.faults.cluster_faults import ACTIVE_BUILD_FAULT, ExpireKey, key_digest
from algosync.emulator.faults.exchange import Exchange, FaultState, InjectedFault
from algosync.emulator.faults.rules import FaultFile
from algosync.emulator.faults.setting_checks import FaultError
from algosync.emulator.http.gate import HEALTH, PAGES
from algosync.emulator.http.raw_connection import Left
from algosync.emulator.http.replies import error_reply


class FaultMiddleware:
    """ASGI middleware around the gate, so that faults also apply to requests without a valid key."""

    def __init__(self, file: FaultFile, app: ASGIApp, state: FaultState) -> None:
        self._file = file
        self._app = app
        self._state = state
        self._recording = state.previous.recording(app)
        self._reported = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Health checks and web pages are exempt: algosync and people use them to look at the cluster.
        if scope["type"] != "http" or scope["path"] in (HEALTH, PAGES[:-1]) or scope["path"].startswith(PAGES):
            await self._app(scope, receive, send)
            return
        # A pipelined request inherits the context of the request before it.
        ACTIVE_BUILD_FAULT.set(None)
        try:
            selected, app = self._select(scope)
        except FaultError as error:
            await self._refuse(str(error), scope, receive, send)
            return
        self._reported = ""
        if selected is None:
            await app(scope, receive, send)
            return
        scope["fault"], fault = selected
        exchange = Exchange(scope, receive, send, app, scope["raw_connection"], self._state)
        with exchange.connection.abort_on_stop(), contextlib.suppress(Left):
            await fault.inject(exchange)

    async def _refuse(self, reason: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Reply with status 500. The reason names a local file, so it is only written to the server's log, once."""
        if reason != self._reported:
            self._reported = reason
            with contextlib.suppress(OSError):
                sys.stdout.write(f"The faults cannot be used: {reason}\n")
                sys.stdout.flush()
        error = scope["refusal"] = ApiError(500, "The faults cannot be used: `algosync emulator logs` tells why")
        head = scope["method"] == "HEAD"
        response = error_reply(error, head=head)
        self._state.log.add(scope, response.status_code, 0 if head else len(response.body))
        await response(scope, receive, send)

    def _select(self, scope: Scope) -> tuple[tuple[str, InjectedFault] | None, ASGIApp]:
        """The fault for a request, with its kind, and the application, which records previous states if a rule needs them."""
        rules = self._file.rules()
        app = self._recording if any(rule.fault.needs_previous_records for rule in rules) else self._app
        if key_digest(scope) in self._state.expired:
            return ("expire_key", ExpireKey(expire_key=True)), app
        usable = [rule for rule in rules if self._state.previous.exist or not rule.fault.needs_previous_records]
        # Every matching rule counts the request, even if another one applies.
        due = [rule for rule in usable if rule.matches(scope) and rule.due()]
        return ((due[0].kind, due[0].fault) if due else None), app
