"""Terraform HTTP: keeps states on a server that speaks Terraform's HTTP protocol, for example GitLab.

A state is below the address, by its name: GET and POST for the state, LOCK and UNLOCK for the lock. The protocol has no conditional
write, only the id of the lock, and its locks do not end with the process. After a killed command somebody has to say
`algosync state unlock`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlsplit

from algosync.core.error import ClusterError, Stale, StateError, UsageError
from algosync.core.lean import dataclass
from algosync.core.secret import Secret
from algosync.core.text import printable
from algosync.net.proxy import is_loopback
from algosync.state.backend import fingerprint
from algosync.state.holder import ANOTHER, Holder, lock_held, sign
from algosync.state.remote.address import secrets_in, secrets_of, shown

if TYPE_CHECKING:
    from algosync.net import Host

__all__ = ["TerraformHttpBackend", "parse_address", "secrets"]

_USERS = ("ALGOSYNC_STATE_USERNAME", "TF_HTTP_USERNAME")
_PASSWORDS = ("ALGOSYNC_STATE_PASSWORD", "TF_HTTP_PASSWORD")
_CA_CERT = "ALGOSYNC_STATE_CA_CERT"
_GITLAB = re.compile(r"/api/v4/projects/[^/]+/terraform/state$")
_NONE = (204, 404)  # statuses of a state that was never written
_LOCKED = (409, 423)
_TIMEOUT = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class _Place:
    """A server. `folder`: the path above the states. `lock`, `unlock`: method and path suffix of these requests."""

    host: Host
    folder: str
    headers: Mapping[str, Secret]
    lock: tuple[str, str] = ("LOCK", "")
    unlock: tuple[str, str] = ("UNLOCK", "")


def parse_address(address: str) -> Callable[[str, str], TerraformHttpBackend]:
    """States below an address. UsageError: it cannot be used. Plain http is for this machine only."""
    parts = _split(address)
    # A password may hold a slash, so an `@` anywhere may belong to it.
    if parts is None or not parts.hostname or parts.query or parts.fragment or "@" in address:
        raise UsageError(
            f"--state {shown(address)} must look like https://HOST/PATH",
            hint=f"user and password belong in {_USERS[0]} and {_PASSWORDS[0]}",
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise UsageError(f"--state {shown(address)} is plain http to another machine", hint="use https")
    place = _place(parts.scheme, parts.netloc, parts.path.rstrip("/"))
    return lambda name, command: TerraformHttpBackend(place, name, command)


def _split(address: str) -> SplitResult | None:
    """None: it is no address."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts


def secrets(address: str, environ: Mapping[str, str]) -> tuple[Secret, ...]:
    return (*secrets_of(address), *secrets_in(environ, *_PASSWORDS))


def _place(scheme: str, netloc: str, path: str) -> _Place:
    from algosync.net import Host, Net, Proxies, Retry, SettingNames, Trust

    environ = os.environ
    # Of their own, not those of the run: the state is saved and unlocked after a signal has ended the run's requests.
    net = Net(Proxies.read(environ), Retry(tries=4, budget=30.0), timeout=_TIMEOUT)
    names = SettingNames("--state", " and ".join((_USERS[0], _PASSWORDS[0])), _CA_CERT)
    host = Host(f"{scheme}://{netloc}", names, net, Trust(environ.get(_CA_CERT) or None, _CA_CERT))
    headers = _authorization(environ)
    if _GITLAB.search(path):
        return _Place(host, path, headers, ("POST", "/lock"), ("DELETE", "/lock"))
    return _Place(host, path, headers)


def _authorization(environ: Mapping[str, str]) -> Mapping[str, Secret]:
    user, password = (next((environ[name] for name in names if environ.get(name)), "") for names in (_USERS, _PASSWORDS))
    if not user and not password:
        return {}
    if ":" in user:
        raise UsageError(f"{_USERS[0]} has a colon, which no user name can have")
    return {"Authorization": Secret("Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii"))}


class TerraformHttpBackend:
    """The state `name` of a server. `command`: the name that others see while it is locked."""

    journal = None
    save_every = 30.0

    def __init__(self, place: _Place, name: str, command: str = "algosync") -> None:
        self._place, self._command = place, command
        self._path = f"{place.folder}/{quote(name, safe='@~')}"
        self._held: Holder | None = None

    @property
    def where(self) -> str:
        return self._place.host.url + self._path

    @property
    def backup(self) -> str | None:
        return None if self._get(f"{self._path}.backup") is None else f"{self.where}.backup"

    def lock(self) -> None:
        if self._held is not None:
            raise StateError(f"{self.where} is already locked by this session")
        own = sign(self._command)
        holder = self._try_lock(own)
        if holder is not None:
            raise lock_held(self.where, holder, f"Try again when that is done. If it was killed: {_way_out(holder)}")
        self._held = own

    def check_lock(self) -> None:
        """The protocol cannot tell. The server refuses to save with a lock that was released."""

    def unlock(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._unlock(held)

    def holder(self) -> Holder | None:
        """The protocol cannot only look: this takes the lock and releases it if it is free."""
        own = sign(self._command)
        holder = self._try_lock(own)
        if holder is None:
            self._unlock(own)
        return holder

    def seen_holder(self) -> None:
        """The protocol cannot look without taking the lock."""

    @property
    def can_break_lock(self) -> bool:
        return True

    def break_lock(self, lock_id: str) -> None:
        holder = self.holder()
        if holder is None or holder.lock_id != lock_id:
            raise StateError(f"{self.where} is not locked with that id")
        self._unlock(holder)

    def read(self) -> bytes | None:
        return self._get(self._path)

    def write(self, data: bytes, *, expect: str | None) -> None:
        if self._held is None:
            raise StateError(f"{self.where} cannot be written without its lock")
        previous = self.read()
        if fingerprint(previous) != expect:
            raise Stale(f"{self.where} was changed, past its lock, since it was read")
        with self._reported("written"):
            if previous is not None:
                self._post(f"{self._path}.backup", previous)
            self._post(f"{self._path}?ID={self._held.lock_id}", data)

    def _try_lock(self, own: Holder) -> Holder | None:
        """Takes the lock for `own`. Returns None, or the command that holds it."""
        method, suffix = self._place.lock
        with self._reported("locked"):
            try:
                self._send(method, self._path + suffix, _lock_info(own))
            except ClusterError as error:
                if error.status not in _LOCKED:
                    raise
                holder = _read_lock_info(error.body)
                # The request may have been sent twice: the first one took the lock, and its reply was lost.
                return None if holder.lock_id == own.lock_id else holder
        return None

    def _unlock(self, holder: Holder) -> None:
        method, suffix = self._place.unlock
        with self._reported("unlocked", _way_out(holder)):
            self._send(method, self._path + suffix, _lock_info(holder))

    def _get(self, path: str) -> bytes | None:
        with self._reported("read"):
            try:
                reply = self._send("GET", path)
            except ClusterError as error:
                if error.status in _NONE:
                    return None
                raise
        return reply or None

    def _post(self, path: str, data: bytes) -> None:
        digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode("ascii")
        self._send("POST", path, data, {"Content-MD5": digest})

    def _send(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
        """Sends a request, again if it fails for the moment: all of them may be repeated."""
        host = self._place.host
        named = {name: value.reveal() for name, value in self._place.headers.items()} | dict(headers or {})
        if body is not None:
            named["Content-Type"] = "application/json"
        return host.net.retry.run(lambda: host.answer(method, path, named, body)).body

    @contextmanager
    def _reported(self, deed: str, hint: str | None = None) -> Iterator[None]:
        try:
            yield
        except ClusterError as error:
            raise StateError(f"{self.where} cannot be {deed}: {error.message}", hint=hint or error.hint) from None


def _way_out(holder: Holder) -> str:
    return f"algosync state unlock --force {printable(holder.lock_id, 80)}" if holder.lock_id else "release it on the server"


def _lock_info(holder: Holder) -> bytes:
    """A lock as Terraform describes it."""
    fields = {"ID": holder.lock_id, "Operation": holder.command, "Who": holder.owner, "Created": holder.since}
    return json.dumps({**fields, "Info": "", "Version": "", "Path": ""}).encode()


def _read_lock_info(body: bytes | None) -> Holder:
    try:
        note = json.loads(body or b"")
        return Holder(*(str(note[name]) for name in ("Operation", "Who", "Created", "ID")))
    except (ValueError, KeyError, TypeError, RecursionError):
        return ANOTHER
