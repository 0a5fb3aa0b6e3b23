"""What every route does alike: whom it acts for, JSON in, JSON out, errors."""

import json
import math
import re
from collections.abc import Mapping
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from algosync.emulator.errors import ApiError, invalid
from algosync.emulator.records.accounts import Caller

MAX_JSON = 4 * 1024 * 1024

OF_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
"""What any web page can have a browser send anywhere."""


def json_reply(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Compact JSON, as some clients compare it byte by byte; ASCII only, so that any string can be written."""
    text = json.dumps(content, separators=(",", ":"))
    return Response(text, status, headers, media_type="application/json")


def error_reply(error: ApiError, *, head: bool = False) -> Response:
    """The error as JSON; a HEAD has no body, so a header says it."""
    headers = {}
    if head:
        # A message may quote the request, and a header must not end where that has the end of a line.
        headers["X-Error-Message"] = re.sub(r"[^ -~]", "?", error.message.replace("\n", " ")).strip()
    return json_reply(error.body(), error.status, headers)


async def refused(request: Request, error: Exception) -> Response:
    """Starlette's hook for `ApiError`. The request log tells the reason."""
    request.scope["refusal"] = error
    return error_reply(cast("ApiError", error), head=request.method == "HEAD")


def caller_of(request: Request) -> Caller:
    """Whom the gate let in."""
    return cast("Caller", request.scope["caller"])


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, whatever its framing.

    Raises `ApiError` 413 above `limit` bytes; the gate takes the rest.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def too_large(limit: int) -> ApiError:
    """The refusal of a body of more than these bytes."""
    return ApiError(413, f"The request is larger than {limit} bytes", error_type="TooLargeError")


def loaded(body: bytes) -> object:
    """JSON. Raises `RecursionError`, and `ValueError` for what is none, numbers among it that only Python's JSON knows or makes."""
    content: object = json.loads(body, parse_constant=_no_number, parse_float=_number)
    return content


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("A number is too large")
    return number


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


def parsed(body: bytes) -> object:
    """JSON. Raises `ValueError` for what is none, is nested too deep, or holds half a surrogate pair, which no database takes."""
    try:
        content = loaded(body)
        json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("The JSON is nested too deep") from None
    return content


async def read_object(request: Request) -> dict[str, object]:
    """A JSON object; nothing at all counts as an empty one. Raises `ApiError` 400 for anything else."""
    body = await read_body(request, MAX_JSON)
    if not body.strip():
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in OF_FORMS:
        raise invalid(f"The body is {kind} and not JSON")
    try:
        content = parsed(body)
    except ValueError:
        raise invalid("The request body is not JSON") from None
    if not isinstance(content, dict):
        raise invalid("The request body is not a JSON object")
    return content


def object_field(body: Mapping[str, object], name: str) -> dict[str, object]:
    """A JSON object inside a body, empty where it is absent or null. Raises `ApiError` 400 for another type."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"{name} is not a JSON object")
    return value
