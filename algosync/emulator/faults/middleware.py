"""The outermost layer of a cluster with faults: decides for every request whether one strikes, and lets it."""

import contextlib
import sys

from starlette.types import ASGIApp, Receive, Scope, Send

from algosync.emulator.errors import ApiError
from algosync.emulator.faults.cluster_faults import SABOTAGE, ExpireKey, presented
from algosync.emulator.faults.exchange import Exchange, FaultState, InjectedFault
from algosync.emulator.faults.rules import FaultFile
from algosync.emulator.faults.setting_checks import FaultError
from algosync.emulator.http.gate import HEALTH, PAGES
from algosync.emulator.http.raw_connection import Left
from algosync.emulator.http.replies import error_reply


class FaultMiddleware:
    """ASGI middleware around the gate: what breaks on the way asks for no key."""

    def __init__(self, file: FaultFile, app: ASGIApp, site: FaultState) -> None:
        self._file = file
        self._app = app
        self._site = site
        self._remembering = site.past.remembering(app)
        self._told = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # By its health others find the cluster that is to have faults; who looks at them on its pages should use none up.
        if scope["type"] != "http" or scope["path"] in (HEALTH, PAGES[:-1]) or scope["path"].startswith(PAGES):
            await self._app(scope, receive, send)
            return
        # A request that was pipelined behind another begins in that one's context.
        SABOTAGE.set(None)
        try:
            struck, app = self._chosen(scope)
        except FaultError as error:
            await self._unusable(str(error), scope, receive, send)
            return
        self._told = ""
        if struck is None:
            await app(scope, receive, send)
            return
        scope["fault"], fault = struck
        exchange = Exchange(scope, receive, send, app, scope["raw_connection"], self._site)
        with exchange.connection.held():
            try:
                await fault.strike(exchange)
            except Left:
                return

    async def _unusable(self, why: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer without the reason, which names a file of this machine: it goes to the server's log, once."""
        if why != self._told:
            self._told = why
            with contextlib.suppress(OSError):
                sys.stdout.write(f"The faults cannot be used: {why}\n")
                sys.stdout.flush()
        error = scope["refusal"] = ApiError(500, "The faults cannot be used: `algosync emulator logs` tells why")
        head = scope["method"] == "HEAD"
        response = error_reply(error, head=head)
        self._site.log.add(scope, response.status_code, 0 if head else len(response.body))
        await response(scope, receive, send)

    def _chosen(self, scope: Scope) -> tuple[tuple[str, InjectedFault] | None, ASGIApp]:
        """The fault that strikes, with its kind, and the cluster, which remembers where a fault needs that."""
        rules = self._file.rules()
        app = self._remembering if any(rule.fault.remembers for rule in rules) else self._app
        if presented(scope) in self._site.expired:
            return ("expire_key", ExpireKey(expire_key=True)), app
        about = [rule for rule in rules if rule.matches(scope) and (self._site.past.known or not rule.fault.remembers)]
        # Counted by all, whichever strikes.
        due = [rule for rule in about if rule.due()]
        return ((due[0].kind, due[0].fault) if due else None), app
