"""PostgreSQL: keeps states in a table, a row each.

The lock is an advisory lock of a database session, so it ends with the process that holds it; the row names the holder. Poolers
that spread a connection over several database sessions (transaction pooling) break such locks. Saving is safe all the same,
because it compares what is there.
"""

from __future__ import annotations

import hashlib
import os
import select
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from algosync.core.error import Stale, StateError, UsageError
from algosync.core.extra import extra
from algosync.core.lean import dataclass
from algosync.core.secret import Secret
from algosync.core.text import printable
from algosync.state.backend import fingerprint
from algosync.state.holder import ANOTHER, Holder, lock_held, sign
from algosync.state.remote.address import secrets_in, secrets_of, shown

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["PostgresqlBackend", "parse_address", "secrets"]

_TABLE = "algosync_states"
_CREATE = "CREATE TABLE IF NOT EXISTS algosync_states (name text PRIMARY KEY, data bytea, backup bytea, holder text)"
_READ = "SELECT data, backup, holder FROM algosync_states WHERE name = %s"
_SIGN = """
    INSERT INTO algosync_states (name, holder) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder
"""
_WRITE = "UPDATE algosync_states SET backup = data, data = %s WHERE name = %s"
# A session whose machine vanished ends within about a minute, and its locks with it.
_SETTINGS = ("tcp_keepalives_idle = 30", "tcp_keepalives_interval = 10", "tcp_keepalives_count = 3")
_HELD = """
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((classid::bigint << 32) | objid::bigint) = %s
"""


def parse_address(address: str) -> Callable[[str, str], PostgresqlBackend]:
    """States in a database: `postgresql://USER@HOST:PORT/DATABASE`, with the parameters of libpq.

    UsageError: it is no such address, or the extra `postgresql` is not installed.
    """
    parameters = _parameters(address)
    return lambda name, command: PostgresqlBackend(parameters, name, command)


def secrets(address: str, environ: Mapping[str, str]) -> tuple[Secret, ...]:
    return (*secrets_of(address), *secrets_in(environ, "PGPASSWORD"))


def _parameters(address: str) -> dict[str, Any]:
    with extra("postgresql", "--state postgresql://"):
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    refusal = UsageError(f"--state {shown(address)}: a database is written as postgresql://USER@HOST:PORT/DATABASE")
    try:
        parameters = conninfo_to_dict(address)
    except psycopg.Error:  # its message may hold the password
        raise refusal from None
    if "@" in str(parameters.get("dbname", "")):  # a password with a slash, which was not quoted
        raise refusal
    return parameters


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the table. `holder`: the command that took the lock last; it may hold it no longer."""

    data: bytes | None = None
    backup: bytes | None = None
    holder: Holder = ANOTHER


class PostgresqlBackend:
    """The state in the row `name`. `parameters`: of libpq; they may hold a password. `command`: the name that others see."""

    journal = None
    save_every = 30.0

    def __init__(self, parameters: Mapping[str, Any], name: str, command: str = "algosync") -> None:
        from psycopg.conninfo import make_conninfo

        host = parameters.get("host") or os.environ.get("PGHOST") or "localhost"
        port = parameters.get("port") or os.environ.get("PGPORT") or 5432
        user = parameters.get("user") or os.environ.get("PGUSER") or ""
        database = parameters.get("dbname") or os.environ.get("PGDATABASE") or user
        self._conninfo = Secret(make_conninfo("", **{"connect_timeout": 15, "application_name": "algosync", **parameters}))
        self._where = printable(f"postgresql://{quote(str(host), safe=',:')}:{port}/{quote(str(database))}/{name}")
        self._name, self._command = name, command
        self._connection: Connection | None = None  # the session that holds the lock

    @property
    def where(self) -> str:
        return self._where

    @property
    def backup(self) -> str | None:
        return None if self._row().backup is None else f"{self._where} (column backup of table {_TABLE})"

    def lock(self) -> None:
        if self._connection is not None:
            raise StateError(f"{self._where} is already locked by this session")
        with self._reported("locked"):
            connection = self._connect()
            try:
                self._lock(connection)
            except BaseException:
                connection.close()
                raise
        self._connection = connection

    def check_lock(self) -> None:
        """A lost connection shows in its socket. Something else may show there, too; then the server is asked."""
        if self._connection is None:
            return
        poll = select.poll()
        with self._reported("kept locked"):
            poll.register(self._connection.fileno(), select.POLLIN)
            if poll.poll(0):
                self._connection.execute("SELECT 1")

    def unlock(self) -> None:
        import psycopg

        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            # The end of the connection releases it too, but a moment later.
            connection.execute("SELECT pg_advisory_unlock(%s)", [self._key])
        except psycopg.Error:
            pass  # the session has ended, and the lock with it
        finally:
            connection.close()

    def holder(self) -> Holder | None:
        with self._session("read") as connection:
            if connection.execute(_HELD, [self._key]).fetchone() is None:
                return None
            return _read(connection, self._name).holder

    def seen_holder(self) -> Holder | None:
        return self.holder()

    @property
    def can_break_lock(self) -> bool:
        return True

    def break_lock(self, lock_id: str) -> None:
        """Ends the database session that holds the lock. The id is its process number on the server."""
        with self._session("unlocked") as connection:
            found = connection.execute(_HELD + " AND pid::text = %s", [self._key, lock_id]).fetchone()
            if found is None:
                raise StateError(f"{self._where} is not locked with that id")
            connection.execute("SELECT pg_terminate_backend(%s)", [int(lock_id)])

    def read(self) -> bytes | None:
        return self._row().data

    def write(self, data: bytes, *, expect: str | None) -> None:
        if self._connection is None:
            raise StateError(f"{self._where} cannot be written without its lock")
        with self._reported("written"), self._connection.transaction():
            self._connection.execute(_READ + " FOR UPDATE", [self._name])
            if fingerprint(_read(self._connection, self._name).data) != expect:
                raise Stale(f"{self._where} was changed, past its lock, since it was read")
            self._connection.execute(_WRITE, [data, self._name])

    @property
    def _key(self) -> int:
        """The number of the advisory lock: 63 bits, so that it is positive."""
        return int.from_bytes(hashlib.sha256(f"{_TABLE} {self._name}".encode()).digest()[:8], "big") >> 1

    def _lock(self, connection: Connection) -> None:
        with connection.transaction():
            # Two processes that create the table at once would disturb each other.
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_TABLE])
            connection.execute(_CREATE)
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [self._key]).fetchone()
        if row is None or not row[0]:
            raise lock_held(self._where, _read(connection, self._name).holder)
        own = sign(self._command, str(connection.info.backend_pid)).to_json().decode()
        connection.execute(_SIGN, [self._name, own])

    def _row(self) -> _Row:
        with self._session("read") as connection:
            found = connection.execute("SELECT to_regclass(%s)", [_TABLE]).fetchone()
            return _Row() if found is None or found[0] is None else _read(connection, self._name)

    @contextmanager
    def _session(self, deed: str) -> Iterator[Connection]:
        """The connection that holds the lock, or one for this purpose."""
        with self._reported(deed):
            if self._connection is not None:
                yield self._connection
                return
            with self._connect() as connection:
                yield connection

    def _connect(self) -> Connection:
        import psycopg

        connection = psycopg.connect(self._conninfo.reveal(), autocommit=True)
        for setting in _SETTINGS:
            connection.execute(f"SET {setting}")
        return connection

    @contextmanager
    def _reported(self, deed: str) -> Iterator[None]:
        import psycopg

        try:
            yield
        except (psycopg.Error, OSError) as error:
            reason = printable(str(error).partition("\n")[0], 300)
            hint = "look at the address, PGPASSWORD and the rights of its user"
            raise StateError(f"{self._where} cannot be {deed}: {reason}", hint=hint) from None


def _read(connection: Connection, name: str) -> _Row:
    row = connection.execute(_READ, [name]).fetchone()
    return _Row() if row is None else _Row(row[0], row[1], ANOTHER if row[2] is None else Holder.from_json(row[2]))
