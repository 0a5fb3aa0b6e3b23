"""Approval: the question before a command changes or removes something."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from algosync.cli.terminal import Terminal
from algosync.core.error import AlgosyncError

__all__ = ["can_prompt", "require_approval"]


def require_approval(question: str, declined: str, terminal: Terminal, *, prompt: bool, option: str = "--auto-approve") -> None:
    """Ask the question on the terminal. AlgosyncError: the answer is not `yes`, or `prompt` is False; then `option` approves.

    The question goes to stderr, so that it is visible while stdout is piped or written to a file.
    """
    if not prompt:
        raise AlgosyncError(
            "approval is required, and nobody can be asked for it here", hint=f"use {option}, or run it in a terminal"
        )
    terminal.tell(question)
    terminal.tell("  Only 'yes' will be accepted to approve.")
    terminal.err.write("  Enter a value: ")
    terminal.err.flush()
    if sys.stdin.readline().strip() != "yes":
        raise AlgosyncError(declined)


def can_prompt(terminal: Terminal, environ: Mapping[str, str], *, no_input: bool) -> bool:
    """Whether a user can answer: there is a terminal, and neither `--no-input` nor `CI` forbids questions."""
    return not no_input and not environ.get("CI") and bool(sys.stdin and sys.stdin.isatty() and terminal.err.isatty())
