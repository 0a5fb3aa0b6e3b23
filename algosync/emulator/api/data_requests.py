"""What requests for data contain: paths, markers of listings, new collections, ACLs."""

import base64
import json

from starlette.requests import Request

from algosync.emulator.errors import BAD_MARKER, ApiError, invalid
from algosync.emulator.http.replies import MAX_JSON, caller_of, object_field, parsed, read_body, read_object
from algosync.emulator.records.accounts import Caller
from algosync.emulator.records.data_uris import ACLS, DataPath, PathTooDeep, decode, is_file, locate, missing

PREFIXES = ("/v1/data", "/v1/connector/data")
SCHEME = "data://"
"""Some clients send the scheme as part of the path."""

READ_METHODS = ("GET", "HEAD", "DELETE")
"""For an impossible path these answer as for a path that does not exist (`PLATFORM.md` §9, rows 12, 13, 18 and 39)."""


def resolve(request: Request) -> tuple[Caller, str, DataPath]:
    """The caller, the path as the client wrote it, and the data that it means."""
    path = _written(request.scope["raw_path"])
    if path is None:
        # The prefix has escapes too: use the path as the server decoded it.
        path = _trimmed(request.path_params.get("path", ""))
    caller = caller_of(request)
    try:
        return caller, path, locate(path, caller)
    except PathTooDeep:
        if request.method in READ_METHODS:
            raise missing() from None
        raise


def _written(raw: bytes) -> str | None:
    """The part of a request's path behind the prefix. None if the request is not for data."""
    prefix = next((prefix for prefix in reversed(PREFIXES) if raw.startswith(prefix.encode())), None)
    return None if prefix is None else _trimmed(decode(raw[len(prefix) :].lstrip(b"/")))


def _trimmed(path: str) -> str:
    """A path without the scheme and without slashes around it."""
    return path.lstrip("/").removeprefix(SCHEME).strip("/")


def names_file(raw: bytes) -> bool:
    """Whether a request's path, still escaped, is that of a data file. False for folders and for other routes."""
    try:
        path = _written(raw)
    except ApiError:
        return False
    return path is not None and is_file(path)


def marker_name(marker: str) -> str:
    """The name after which a page begins. Raises `ApiError` 400 (code 5002) for a malformed marker."""
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise ApiError(400, "The marker is malformed", BAD_MARKER) from None


async def creation(request: Request) -> dict[str, object]:
    """The body `{"name", "acl"}` of a request to create a collection. One client sends the bare name as plain text."""
    if not request.headers.get("content-type", "").startswith("text/plain"):
        return await read_object(request)
    sent = await read_body(request, MAX_JSON)
    name: dict[str, object] = {"name": sent.decode("utf-8", "replace")}
    try:
        body = parsed(sent)
    except ValueError:
        return name
    return body if isinstance(body, dict) else name


def read_acl(body: dict[str, object]) -> list[str]:
    """The ACL in a body. Raises `ApiError` 400 if the platform has no such ACL."""
    read = object_field(body, "acl").get("read")
    found = next((acl for acl in ACLS if acl == read), None)
    if found is None:
        raise invalid(f"acl.read is none of {', '.join(map(json.dumps, ACLS))}")
    return found
