"""A wrong version of an example's algorithm."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WrongVersion"]


@dataclass(frozen=True, slots=True)
class WrongVersion:
    """In `file`, relative to `workflows`, the only `old` is replaced by `new`.

    `test`: the test of the example's entrypoint that fails first; empty: its test payload. `reason`: a part of the test's message.
    """

    name: str
    file: str
    old: str
    new: str
    test: str
    reason: str
