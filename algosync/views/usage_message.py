"""Messages for a wrong command line, in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable

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


_OF_TERRAFORM = {
    "console": "`algosync render` shows what a template renders to.",
    "fmt": "algosync does not format workflow files.",
    "force-unlock": "Use `algosync state unlock`.",
    "get": "Nothing has to be fetched first.",
    "help": "Use `algosync --help`.",
    "init": "Nothing has to be set up: the first apply makes the state.",
    "login": "The API keys are in the environment: `algosync doctor` looks at them.",
    "output": "A workflow has no outputs: `algosync show` shows what is recorded.",
    "providers": "There are no plugins.",
    "refresh": "Use `algosync apply --refresh-only`.",
    "taint": "Use `algosync apply --replace ADDRESS`.",
    "untaint": "Nothing is marked: `--replace ADDRESS` names what one apply replaces.",
    "version": "Use `algosync --version`.",
    "workspace": "Each `--destination`, and each `name:` of a workflow, has a state of its own.",
}
"""Commands of Terraform that algosync does not have, and what to do instead."""


def usage_message(error: Exception, arguments: Iterable[str] = ()) -> str:
    """Two lines: the parser's message, which names the option, and the help command to try. `arguments`: what the user typed."""
    format_message = getattr(error, "format_message", None)
    text = str(format_message()) if callable(format_message) else str(error)
    text = _single_dash(error, arguments) or _unknown_command(error, text) or text
    for phrase, replacement in _PLAIN_WORDS:
        text = text.replace(phrase, replacement)
    return f"Error: {printable(text)}\nTry '{_command(error)} --help'."


def _single_dash(error: Exception, arguments: Iterable[str]) -> str | None:
    """For a long option with one dash, as Terraform takes them. The parser reads it as several short options, and names one."""
    letter, context = str(getattr(error, "option_name", "")), getattr(error, "ctx", None)
    if re.fullmatch(r"-\w", letter) is None or context is None:
        return None
    known = {name for parameter in context.command.get_params(context) for name in parameter.opts}
    for argument in arguments:
        name = argument.partition("=")[0]
        if letter[1:] in name and f"-{name}" in known:
            return f"No such option: {name}. Did you mean -{name}?"
    return None


def _unknown_command(error: Exception, text: str) -> str | None:
    name = re.match(r"No such command '([\w-]+)'", text)
    if name is None or name[1] not in _OF_TERRAFORM or _command(error) != "algosync":
        return None
    return f"{name[0]}. {_OF_TERRAFORM[name[1]]}"


def _command(error: Exception) -> str:
    """The command as users type it, even if it ran as `python -m algosync`."""
    path = str(getattr(getattr(error, "ctx", None), "command_path", ""))
    return re.sub(r"^(python\S* -m )?\S*", "algosync", path, count=1)
