"""Extra: the libraries of one backend, which are not installed with algosync itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from algosync.core.error import UsageError

__all__ = ["extra"]


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Surrounds the imports of a backend. UsageError: a library is missing; the hint says how to install the extra `name`."""
    try:
        yield
    except ImportError as error:
        raise UsageError(
            f"--state {name}://: the library {error.name or name} is not installed", hint=f"pip install 'algosync[{name}]'"
        ) from None
