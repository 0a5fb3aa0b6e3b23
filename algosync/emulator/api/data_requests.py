"""What requests for data say: their paths, markers, collections to be made, ACLs."""

import base64
import binascii
import json

from starlette.requests import Request

from algosync.emulator.errors import BAD_MARKER, ApiError, invalid
from algosync.emulator.http.replies import MAX_JSON, caller_of, object_field, parsed, read_body, read_object
from algosync.emulator.records.accounts import Caller
from algosync.emulator.records.data_uris import ACLS, Place, TooDeep, decode, is_file, locate, missing

PREFIXES = ("/v1/data", "/v1/connector/data")
SCHEME = "data://"
"""Some clients send it with the path."""

LOOKING = ("GET", "HEAD", "DELETE")
"""Whose answer to a path that cannot be is the one to a path that is not (facts: `PLATFORM.md` 9, rows 12, 13, 18 and 39)."""


def data_path(raw: bytes) -> str:
    """What the path of a request for data names, as it was asked for. Raises `ApiError` for what is no text."""
    return _asked(raw) or ""


def place_of(request: Request) -> tuple[Caller, str, Place]:
    """The caller, the path as it was asked for, and what it means."""
    path = _asked(request.scope["raw_path"])
    if path is None:
        # Where escapes are in the prefix, too, it is taken as the server has decoded it.
        path = _trimmed(request.path_params.get("path", ""))
    caller = caller_of(request)
    try:
        return caller, path, locate(path, caller)
    except TooDeep:
        if request.method in LOOKING:
            raise missing() from None
        raise


def _asked(raw: bytes) -> str | None:
    """The part of a request's path that names data; None where it is not about data."""
    prefix = next((prefix for prefix in reversed(PREFIXES) if raw.startswith(prefix.encode())), None)
    return None if prefix is None else _trimmed(decode(raw[len(prefix) :].lstrip(b"/")))


def _trimmed(path: str) -> str:
    """A path without what it may have around it; the slashes of a scheme with nothing behind it are its own."""
    return path.lstrip("/").removeprefix(SCHEME).strip("/")


def names_file(raw: bytes) -> bool:
    """Whether the path of a request, as it came, is that of a data file, and not of a folder or of something else."""
    try:
        path = _asked(raw)
    except ApiError:
        return False
    return path is not None and is_file(path)


def marker_name(marker: str) -> str:
    """The name behind which a page begins. Raises `ApiError` 400 (code 5002) for what is no marker."""
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ApiError(400, "The marker is malformed", BAD_MARKER) from None


async def creation(request: Request) -> dict[str, object]:
    """`{"name", "acl"}`; one client sends the bare name as plain text."""
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
    """One of the ACLs that there are. Raises `ApiError` 400 for another."""
    read = object_field(body, "acl").get("read")
    found = next((acl for acl in ACLS if acl == read), None)
    if found is None:
        raise invalid(f"acl.read is none of {', '.join(map(json.dumps, ACLS))}")
    return found
