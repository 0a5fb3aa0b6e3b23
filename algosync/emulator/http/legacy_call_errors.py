"""Errors of calls in the manner of the platform's first years: HTTP 200, and an `error` in the body.

Clients that read messages of 2xx replies only then show what went wrong (evidence: `PLATFORM.md` 3.9, 6).
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CALLS = "/v1/algo/"


class CallErrors:
    """ASGI middleware around the gate, whose refusals of calls are errors of calls too.

    The request log keeps the status that was taken away.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def softened(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400 and _is_json(message):
                message["status"] = 200
            await send(message)

        # A bare result has nowhere to say that it is an error.
        enveloped = scope["type"] == "http" and scope["path"].startswith(CALLS) and b"output=raw" not in scope["query_string"]
        await self._app(scope, receive, softened if enveloped else send)


def _is_json(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("application/json")
