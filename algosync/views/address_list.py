"""The addresses of a plan's changes by action, as a short list after its summary. Without colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from algosync.core.planning.change import Action
from algosync.core.planning.plan import Plan
from algosync.core.text import printable
from algosync.views.value import Redact, redacted_address

__all__ = ["address_lines"]

_SHOWN = 10  # addresses of one action


def address_lines(plan: Plan, words: Mapping[Action, tuple[str, str]], redact: Redact) -> Iterator[str]:
    """One line for each action that occurs: its first addresses, and how many more there are.

    `words`: the symbol and the legend of each action. What is deleted (`-`) is listed in full.
    """
    for action, (symbol, legend) in words.items():
        names = [printable(redacted_address(change.address, redact)) for change in plan.visible if change.action is action]
        if names:
            yield f"{legend.split(':')[0].split()[0].capitalize()}: {_listed(names, whole=symbol.startswith('-'))}"


def _listed(names: Sequence[str], *, whole: bool) -> str:
    if whole or len(names) <= _SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"
