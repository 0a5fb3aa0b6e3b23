"""Bucket: objects of an S3 API with conditional writes.

Deletes take no condition there, so nothing is ever deleted. Credentials, region and endpoint come from the usual variables `AWS_*`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from algosync.core.error import StateError, UsageError
from algosync.core.extra import extra
from algosync.core.lean import dataclass
from algosync.core.text import printable
from algosync.net.proxy import is_loopback

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

__all__ = ["Bucket", "StoredObject", "open_bucket"]

_TIMEOUT = timedelta(seconds=15)  # of one request; several of them fit into the lease of a lock
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_KEYS = "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or at the role of this machine"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """`tag`: the ETag, which changes with the content. `modified`: when it was written, by the server's clock."""

    data: bytes
    tag: str
    modified: datetime


class Bucket:
    """The objects below a prefix of a bucket. `where`: its address, for messages. Every failure is a StateError."""

    def __init__(self, store: S3Store, where: str) -> None:
        self._store = store
        self.where = where

    def get(self, key: str) -> StoredObject | None:
        """An object; None if there is none."""
        import obstore

        with self._reported(key, "read"):
            try:
                found = obstore.get(self._store, key)
                return StoredObject(bytes(found.bytes()), found.meta["e_tag"] or "", found.meta["last_modified"])
            except FileNotFoundError as error:
                if "<Code>NoSuchBucket</Code>" in str(error):
                    raise
                return None

    def exists(self, key: str) -> bool:
        import obstore

        with self._reported(key, "read"):
            try:
                return bool(obstore.head(self._store, key))
            except FileNotFoundError:
                return False

    def put(self, key: str, data: bytes) -> datetime:
        """Writes an object. Returns the server's time of that write, or of a later one."""
        import obstore

        with self._reported(key, "written"):
            obstore.put(self._store, key, data, use_multipart=False)
            return obstore.head(self._store, key)["last_modified"]

    def put_if(self, key: str, data: bytes, tag: str | None) -> str | None:
        """Writes an object if its tag is `tag`; None: if there is none. Returns the new tag; None: the condition does not hold."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._reported(key, "written"):
            try:
                written = obstore.put(self._store, key, data, mode="create" if tag is None else {"e_tag": tag}, use_multipart=False)
                return written["e_tag"] or ""
            except (AlreadyExistsError, PreconditionError):
                pass
        # The library may have tried twice: the first try wrote, and its reply was lost.
        found = self.get(key)
        return found.tag if found is not None and found.data == data else None

    @contextmanager
    def _reported(self, key: str, deed: str) -> Iterator[None]:
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        try:
            yield
        except (BaseError, OSError) as error:
            denied = isinstance(error, (PermissionDeniedError, UnauthenticatedError))
            reason = printable(str(error).partition("\n")[0].partition("<?xml")[0], 300)
            hint = _KEYS if denied else "look at the bucket's name, AWS_REGION and AWS_ENDPOINT_URL"
            raise StateError(f"{self.where}/{key} cannot be {deed}: {reason}", hint=hint) from None


def open_bucket(name: str, prefix: str, environ: Mapping[str, str]) -> Bucket:
    """The objects of bucket `name` below `prefix`. Sends nothing yet.

    UsageError: a library is missing, or the endpoint is plain http to another machine and AWS_ALLOW_HTTP does not allow that.
    """
    with extra("s3", "--state s3://"):
        from obstore.store import S3Store

    endpoint = next((environ[variable] for variable in _ENDPOINTS if environ.get(variable)), "")
    plain = endpoint.startswith("http://")
    allowed = environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true")
    if plain and not allowed and not is_loopback(urlsplit(endpoint).hostname or ""):
        raise UsageError(
            "AWS_ENDPOINT_URL is plain http to another machine", hint="use https, or set AWS_ALLOW_HTTP=true at your own risk"
        )
    config: S3Config = {"endpoint": endpoint} if endpoint else {}
    store = S3Store(
        name,
        prefix=prefix or None,
        config=config,
        client_options={"allow_http": plain, "timeout": _TIMEOUT, "connect_timeout": _TIMEOUT},
        retry_config={"max_retries": 4, "retry_timeout": _TIMEOUT},
    )
    return Bucket(store, f"s3://{name}/{prefix}".rstrip("/"))
