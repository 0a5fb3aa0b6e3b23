"""Checks of an algorithm's code before it is used."""

from __future__ import annotations

from collections.abc import Sequence

from algosync.core.error import SourceError
from algosync.core.secret import Secret
from algosync.core.text import printable
from algosync.core.tree import Tree

__all__ = ["require_usable"]

_SHORTEST_KEY = 8  # characters; a shorter key would match unrelated text


def require_usable(code: Tree, algorithm: str, secrets: Sequence[Secret]) -> None:
    """SourceError: the code contains a key of this run, or lacks the module that the platform starts."""
    _require_no_key(code, secrets)
    modules = [path for path in code if path.startswith("src/") and path.endswith(".py") and not path.endswith("_test.py")]
    startable = {f"src/{algorithm}.py", f"src/{algorithm}/__init__.py", "src/Algorithm.py"}
    if modules and startable.isdisjoint(modules):
        found = ", ".join(printable(path) for path in sorted(modules) if path != "src/__init__.py") or "src/__init__.py"
        raise SourceError(f"there is no src/{algorithm}.py, which the platform starts; there is {found}")


def _require_no_key(code: Tree, secrets: Sequence[Secret]) -> None:
    """A key that was pushed once stays in the history of the repository."""
    shown = [key for secret in secrets if len(key := secret.reveal()) >= _SHORTEST_KEY]
    keys = [key.encode(encoding) for key in shown for encoding in ("utf-8", "utf-16-le", "utf-16-be")]
    for path, blob in code.items():
        if any(key in blob.data for key in keys):
            hint = "an algorithm needs none: its client uses the rights of the caller"
            raise SourceError(f"{printable(path)} holds an API key", hint=hint)
