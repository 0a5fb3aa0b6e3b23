"""Reads and writes JSON bodies, and builds error replies, for all routes."""

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

FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
"""Content types that any web page can send to any server without a preflight request."""


def json_reply(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A reply with compact JSON, since some clients compare its bytes. ASCII only, so that unpaired surrogates can be written."""
    text = json.dumps(content, separators=(",", ":"))
    return Response(text, status, headers, media_type="application/json")


def error_reply(error: ApiError, *, head: bool = False) -> Response:
    """The error as JSON. The reply to a HEAD request has no body, so a header holds the message."""
    headers = {}
    if head:
        # A message may quote the request, and a line break would end the header.
        headers["X-Error-Message"] = re.sub(r"[^ -~]", "?", error.message.replace("\n", " ")).strip()
    return json_reply(error.body(), error.status, headers)


async def refused(request: Request, error: Exception) -> Response:
    """Starlette's handler of `ApiError`. It also stores the error for the request log."""
    request.scope["refusal"] = error
    return error_reply(cast("ApiError", error), head=request.method == "HEAD")


def caller_of(request: Request) -> Caller:
    """The caller that the gate has authenticated."""
    return cast("Caller", request.scope["caller"])


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises `ApiError` 413 above `limit` bytes; the gate reads the rest."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def too_large(limit: int) -> ApiError:
    """The error for a body of more than `limit` bytes."""
    return ApiError(413, f"The request is larger than {limit} bytes", error_type="TooLargeError")


def loaded(body: bytes) -> object:
    """Parsed JSON. Raises `ValueError` for invalid JSON, NaN and infinite numbers, and `RecursionError` for deep nesting."""
    content: object = json.loads(body, parse_constant=_refuse_constant, parse_float=_number)
    return content


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("A number is too large")
    return number


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a number in JSON")


def parsed(body: bytes) -> object:
    """Parsed JSON. Raises `ValueError` for invalid JSON, deep nesting and unpaired surrogates, which SQLite cannot store."""
    try:
        content = loaded(body)
        json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("The JSON is nested too deep") from None
    return content


async def read_object(request: Request) -> dict[str, object]:
    """The JSON object of a body, empty for an empty body. Raises `ApiError` 400 for anything else."""
    body = await read_body(request, MAX_JSON)
    if not body.strip():
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in FORM_TYPES:
        raise invalid(f"The body is {kind} and not JSON")
    try:
        content = parsed(body)
    except ValueError:
        raise invalid("The request body is not JSON") from None
    if not isinstance(content, dict):
        raise invalid("The request body is not a JSON object")
    return content


def object_field(body: Mapping[str, object], name: str) -> dict[str, object]:
    """A JSON object inside a body, empty if it is missing or null. Raises `ApiError` 400 for another type."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"{name} is not a JSON object")
    return value
