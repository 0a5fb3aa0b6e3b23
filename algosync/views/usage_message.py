"""Messages for a wrong command line, in plain words."""

from __future__ import annotations

import re

import typer

from algosync.core.text import printable

__all__ = ["ParserError", "usage_message"]

ParserError: type[Exception] = typer.BadParameter.__bases__[0]
"""The base class of the parser's errors. typer does not export it by one name in all its releases."""

_PLAIN_WORDS = (
    ("Value error, ", ""),
    ("Input should be a valid integer, unable to parse string as an integer", "it must be a whole number."),
    ("Input should be a valid number, unable to parse string as a number", "it must be a number."),
    ("Input should be less", "it must be less"),
    ("Input should be greater", "it must be greater"),
)
"""Phrases of the parser, and their replacements."""


def usage_message(error: Exception) -> str:
    """Two lines: the parser's message, which names the option, and the help command to try."""
    format_message = getattr(error, "format_message", None)
    text = str(format_message()) if callable(format_message) else str(error)
    for phrase, replacement in _PLAIN_WORDS:
        text = text.replace(phrase, replacement)
    return f"Error: {printable(text)}\nTry '{_command(error)} --help'."


def _command(error: Exception) -> str:
    """The command as users type it, even if it ran as `python -m algosync`."""
    path = str(getattr(getattr(error, "ctx", None), "command_path", ""))
    return re.sub(r"^(python\S* -m )?\S*", "algosync", path, count=1)
