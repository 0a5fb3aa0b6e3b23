"""Messages for a wrong command line, in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

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

_NOT_A_NUMBER = r"""(?:'[^']*'|"[^"]*") is not a valid (int|integer|float)(?: range)?\."""
_OUT_OF_RANGE = r"(?P<value>\S+) is not in the range (?:(?P<least>[^<>=\s]+)(?P<above><=?))?x(?P<side>[<>]=?)?(?P<bound>\S+)?\."
"""Messages of typer before 0.29. A range is one of `0<=x<=65535`, `x>=1` and `x<=5`; `<` leaves the bound out."""

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


_OPTIONS_OF_OTHERS = {
    "backend-config": "`--state` names the place of the state.",
    "force": "Use `--auto-approve`, or `--allow GUARD` for what a guard refuses.",
    "input": "Use `--no-input`.",
    "lock": "What changes a state always takes its lock.",
    "no-color": "Set NO_COLOR=1. Output that goes into a file or a pipe has no colour.",
    "quiet": "Progress goes to stderr: 2>/dev/null leaves only the result.",
    "refresh": "A plan always looks at the destination. `--checksum never` reads no data file.",
    "upgrade": "There are no plugins.",
    "verbose": "Use `--debug`.",
    "yes": "Use `--auto-approve`.",
}
"""Options of Terraform and other programs that algosync does not have, and what to do instead."""


def usage_message(error: Exception, arguments: Iterable[str] = ()) -> str:
    """Two lines: the parser's message, which names the option, and the help command to try. `arguments`: what the user typed."""
    format_message = getattr(error, "format_message", None)
    text = str(format_message()) if callable(format_message) else str(error)
    arguments = tuple(arguments)
    text = _unknown_option(error, arguments) or _unknown_command(error, text) or text
    for phrase, replacement in _PLAIN_WORDS:
        text = text.replace(phrase, replacement)
    text = re.sub(_NOT_A_NUMBER, _of_a_number, re.sub(_OUT_OF_RANGE, _of_a_range, text))
    return f"Error: {printable(text)}\nTry '{_command(error)} --help'."


def _of_a_number(found: re.Match[str]) -> str:
    return "it must be a number." if found[1] == "float" else "it must be a whole number."


def _of_a_range(found: re.Match[str]) -> str:
    """The bound that the value breaks, in the words of later releases of typer."""
    value, least, above, side, bound = found.group("value", "least", "above", "side", "bound")
    if least is not None and (bound is None or float(value) <= float(least)):
        side, bound = above.replace("<", ">"), least
    direction = "greater" if side.startswith(">") else "less"
    return f"it must be {direction} than {'or equal to ' if side.endswith('=') else ''}{bound}"


def _unknown_option(error: Exception, arguments: Sequence[str]) -> str | None:
    option, context = str(getattr(error, "option_name", "")), getattr(error, "ctx", None)
    if context is None or not option.startswith("-"):
        return None
    known = _options_of(context.command, context)
    for typed in _as_typed(option, arguments):
        long = f"--{typed.lstrip('-')}"
        if long in known:
            return f"No such option: {typed}. Did you mean {long}?"
        if instead := _OPTIONS_OF_OTHERS.get(long[2:]):
            return f"No such option: {typed}. {instead}"
        if place := _place_of(long, error, arguments):
            return f"No such option: {typed} before the command. Write it behind: {place} {long}"
    return None


def _as_typed(option: str, arguments: Sequence[str]) -> list[str]:
    """What the user typed for an unknown option. The parser reads a long one with one dash as several short ones."""
    if re.fullmatch(r"-\w", option) is None:
        return [option]
    names = (argument.partition("=")[0] for argument in arguments)
    return [name for name in names if re.fullmatch(r"-\w[\w-]+", name) and option[1:] in name]


def _place_of(option: str, error: Exception, arguments: Sequence[str]) -> str | None:
    """The command behind which this option stands. None: the command has no such option, or none was typed."""
    context: Any = getattr(error, "ctx", None)
    command, path = context.command, [_command(error)]
    for name in arguments:
        found = command.get_command(context, name) if hasattr(command, "get_command") and not name.startswith("-") else None
        if found is not None:
            command = found
            path.append(name)
    return " ".join(path) if command is not context.command and option in _options_of(command, context) else None


def _options_of(command: Any, context: Any) -> set[str]:
    return {name for parameter in command.get_params(context) for name in parameter.opts}


def _unknown_command(error: Exception, text: str) -> str | None:
    name = re.match(r"No such command '([\w-]+)'", text)
    if name is None or name[1] not in _OF_TERRAFORM or _command(error) != "algosync":
        return None
    return f"{name[0]}. {_OF_TERRAFORM[name[1]]}"


def _command(error: Exception) -> str:
    """The command as users type it, even if it ran as `python -m algosync`."""
    path = str(getattr(getattr(error, "ctx", None), "command_path", ""))
    return re.sub(r"^(python\S* -m )?\S*", "algosync", path, count=1)
