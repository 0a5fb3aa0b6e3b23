"""Who asks: users by their key, running algorithms by the token of their worker."""

import hashlib
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass

from algosync.emulator.database import Database

KEY_LENGTH = 28
"""The length, beginning with `sim`, that clients recognise as a key."""


@dataclass(frozen=True, slots=True)
class Running:
    """The algorithm from inside which a request comes, and the request tree it belongs to."""

    owner: str
    name: str
    tree: str
    depth: int
    may_call: bool
    starting: bool
    """Somewhere above, a worker is still importing and waits for this answer: it must not wait for a place to import."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a request acts for. A running algorithm acts for the user who called it."""

    user: str
    inside: Running | None = None


def new_key() -> str:
    """A random key or worker token, in the form of the platform's keys."""
    alphabet = string.ascii_letters + string.digits
    return "sim" + "".join(secrets.choice(alphabet) for _ in range(KEY_LENGTH - 3))


def digest(key: str) -> str:
    """What is kept of a key. Look-ups by digest also tell nothing about a key by their timing."""
    return hashlib.sha256(key.encode()).hexdigest()


class Accounts:
    """Users in the database, worker tokens in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._workers: dict[str, Callable[[], Caller | None]] = {}

    def set_key(self, user: str, key: str) -> None:
        """Create the user, or give it another key."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO users (name, key_digest) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET key_digest = excluded.key_digest",
                (user, digest(key)),
            )

    def caller(self, key: str) -> Caller | None:
        """Whom this key or token speaks for; None for nobody, as for a worker that answers no call now."""
        hashed = digest(key)
        if worker := self._workers.get(hashed):
            return worker()
        row = self._database.row("SELECT name FROM users WHERE key_digest = ?", hashed)
        return Caller(row["name"]) if row else None

    def admit(self, worker: Callable[[], Caller | None]) -> str:
        """A new token for a worker, which says at each request whom it acts for."""
        token = new_key()
        self._workers[digest(token)] = worker
        return token

    def dismiss(self, token: str) -> None:
        """The worker is gone; its token opens nothing any more."""
        self._workers.pop(digest(token), None)
