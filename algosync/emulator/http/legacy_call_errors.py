"""Errors of calls as the platform sent them in its first years: HTTP 200, with an `error` in the body.

Some clients show messages of 2xx replies only (PLATFORM.md §3.9, §6).
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CALLS = "/v1/algo/"


class CallErrors:
    """ASGI middleware around the gate, so that it also changes the gate's refusals. The request log has the original status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_as_200(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400 and _is_json(message):
                message["status"] = 200
            await send(message)

        # A raw result has no place for an error.
        enveloped = scope["type"] == "http" and scope["path"].startswith(CALLS) and b"output=raw" not in scope["query_string"]
        await self._app(scope, receive, send_as_200 if enveloped else send)


def _is_json(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("application/json")
