"""Extra: libraries that are not installed with algosync itself, because few users need them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from algosync.core.error import UsageError

__all__ = ["extra", "missing_extra"]


@contextmanager
def extra(name: str, purpose: str) -> Iterator[None]:
    """Surrounds the imports of the extra `name`. UsageError: a library is missing. `purpose`: what needs it, such as an option."""
    try:
        yield
    except ImportError as error:
        raise missing_extra(name, purpose, error.name or name) from None


def missing_extra(name: str, purpose: str, library: str) -> UsageError:
    """The error says how to install the extra `name`, which has the `library`."""
    return UsageError(f"{purpose}: the library {library} is not installed", hint=f"pip install 'algosync[{name}]'")
