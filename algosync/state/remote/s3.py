"""S3: keeps states in a bucket, in an object each, with their locks and backups beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

from algosync.core.error import Stale, StateError, UsageError
from algosync.core.secret import Secret
from algosync.state.backend import fingerprint
from algosync.state.holder import Holder
from algosync.state.remote.address import secrets_in, shown
from algosync.state.remote.bucket import Bucket, open_bucket
from algosync.state.remote.leased_lock import LEASE, LeasedLock

__all__ = ["S3Backend", "parse_address", "secrets"]

_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([^?#]*))?")


def parse_address(address: str) -> Callable[[str, str], S3Backend]:
    """States in a bucket: `s3://BUCKET/PREFIX`. UsageError: it is no such address, or the extra `s3` is not installed."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise UsageError(f"--state {shown(address)}: a bucket is written as s3://BUCKET/PREFIX")
    prefix = "/".join(part for part in (match[2] or "").split("/") if part)
    bucket = open_bucket(match[1], prefix, os.environ)
    return lambda name, command: S3Backend(bucket, name, command)


def secrets(_: str, environ: Mapping[str, str]) -> tuple[Secret, ...]:
    return secrets_in(environ, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class S3Backend:
    """The state in the object `name`. `command`: the name that others see while it is locked. `lease`: seconds of its lock."""

    journal = None
    save_every = 30.0

    def __init__(self, bucket: Bucket, name: str, command: str = "algosync", lease: float = LEASE) -> None:
        self._bucket, self._name = bucket, name
        self._lock = LeasedLock(bucket, name, command, lease)

    @property
    def where(self) -> str:
        return f"{self._bucket.where}/{self._name}"

    @property
    def backup(self) -> str | None:
        key = f"{self._name}.backup"
        return f"{self._bucket.where}/{key}" if self._bucket.exists(key) else None

    def lock(self) -> None:
        self._lock.take()

    def check_lock(self) -> None:
        self._lock.check()

    def unlock(self) -> None:
        self._lock.release()

    def holder(self) -> Holder | None:
        return self._lock.holder()

    def seen_holder(self) -> Holder | None:
        return self._lock.seen_holder()

    @property
    def can_break_lock(self) -> bool:
        return True

    def break_lock(self, lock_id: str) -> None:
        self._lock.break_lock(lock_id)

    def read(self) -> bytes | None:
        found = self._bucket.get(self._name)
        return None if found is None else found.data

    def write(self, data: bytes, *, expect: str | None) -> None:
        if not self._lock.held:
            raise StateError(f"{self.where} cannot be written without its lock")
        found = self._bucket.get(self._name)
        tag = None
        if fingerprint(None if found is None else found.data) == expect:
            if found is not None:
                self._bucket.put(f"{self._name}.backup", found.data)
            tag = self._bucket.put_if(self._name, data, None if found is None else found.tag)
        if tag is None:
            raise Stale(f"{self.where} was changed, past its lock, since it was read")
