"""The baselines that `algosync test --accept` looked at, as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from algosync.core.address import Address
from algosync.core.text import paint, plural, printable

__all__ = ["accepted_lines"]


class _Baseline(Protocol):
    @property
    def path(self) -> str: ...

    @property
    def test(self) -> Address: ...

    @property
    def changed(self) -> bool: ...

    @property
    def refused(self) -> str: ...


def accepted_lines(files: Sequence[_Baseline], redact: Callable[[str], str]) -> Iterator[str]:
    """Each baseline, and whether it was written; then a sum."""
    yield ""
    yield paint("Baselines", "bold")
    for file in files:
        state = paint("refused  ", "red", "bold") if file.refused else paint("written  ", "green") if file.changed else "unchanged"
        yield f"  {state}  {printable(redact(file.path))}  {printable(redact(str(file.test)))}"
        if file.refused:
            yield f"             {printable(redact(file.refused), 1000)}"
    if not files:
        yield "  No answer was there to accept."
    elif written := sum(file.changed for file in files):
        yield f"{plural(written, 'file')} written. Look at the difference before you commit it."
