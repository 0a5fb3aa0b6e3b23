"""The `algosync` command: its subcommands, exit codes and signals."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Annotated

import typer

from algosync import __version__
from algosync.cli import debug
from algosync.cli.command_table import SUMMARY
from algosync.cli.group import Group
from algosync.cli.internal_error import internal_error
from algosync.cli.interrupt import exit_code, install, leave
from algosync.cli.notify.notifying import hide_addresses
from algosync.cli.options import chdir_option, debug_option
from algosync.cli.reporting.error_code import USAGE, error_code
from algosync.cli.terminal import Terminal, standard
from algosync.core.error import AlgosyncError
from algosync.views.usage_message import ParserError, usage_message

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app", "main"]

app = typer.Typer(
    name="algosync",
    cls=Group,
    help=SUMMARY,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(context: typer.Context, wanted: bool) -> None:
    if wanted:
        context.obj.result(f"algosync {__version__}")
        raise typer.Exit


_Chdir = Annotated[str, chdir_option()]
_Debug = Annotated[bool, debug_option()]
_Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")]


@app.callback()
def _options(chdir: _Chdir = "", debug: _Debug = False, version: _Version = False) -> None:
    """Take the options of the whole program. Their callbacks do all that they do."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process, without the interpreter's shutdown, during which signals would not be handled."""
    terminal = standard(os.environ)
    leave(_run(arguments, terminal))


def _run(arguments: Sequence[str] | None, terminal: Terminal) -> int:
    try:
        install()
        hide_addresses(os.environ, terminal)
        _show_background_problems(terminal)
        return _exit_code(arguments, terminal)
    except BaseException as error:
        signal_code = exit_code()
        if signal_code is None:
            raise
        debug.show_traceback(terminal, error)
        terminal.tell("Interrupted.")
        _end(signal_code, terminal)
        leave(signal_code)


def _exit_code(arguments: Sequence[str] | None, terminal: Terminal) -> int:
    return _end(_command_code(arguments, terminal), terminal)


def _end(code: int, terminal: Terminal) -> int:
    """The exit code of the command, which ended with `code`. A result that could not be written is reported, and turns 0 into 1."""

    def final() -> int:
        return 1 if code == 0 and terminal.lost else code

    for write in terminal.endings:
        write(final())
    for reason in terminal.lost:
        terminal.tell(f"Error: the result could not be written: {reason}")
    return final()


def _command_code(arguments: Sequence[str] | None, terminal: Terminal) -> int:
    try:
        code = app(arguments, standalone_mode=False, obj=terminal)
    except AlgosyncError as error:
        if exit_code():
            raise
        debug.show_traceback(terminal, error)
        _show_error(error, terminal)
        return error_code(error)
    except ParserError as error:
        terminal.tell(usage_message(error, sys.argv[1:] if arguments is None else arguments))
        return USAGE
    except Exception as error:  # users see one line instead of a traceback
        if exit_code():
            raise
        debug.show_traceback(terminal, error)
        _show_error(internal_error(error), terminal)
        return 1
    return code if isinstance(code, int) else 0


def _show_error(error: AlgosyncError, terminal: Terminal) -> None:
    from algosync.views.error import error_lines

    terminal.tell_lines(error_lines(error))


def _show_background_problems(terminal: Terminal) -> None:
    """Write failures of threads to the terminal, which removes secrets. Write warnings of libraries only as debug output."""

    def show_failure(failure: threading.ExceptHookArgs) -> None:
        if isinstance(failure.exc_value, Exception):
            terminal.tell(f"Error: {internal_error(failure.exc_value).message}")
        if failure.exc_value is not None:
            debug.show_traceback(terminal, failure.exc_value)

    def show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if debug.enabled():
            terminal.tell(f"{category.__name__}: {message}")

    def show_unraisable(problem: sys.UnraisableHookArgs) -> None:
        # A signal may arrive where Python cannot raise, as in a destructor. Then the thread of `interrupt` ends the process.
        if problem.exc_value is not None:
            debug.show_traceback(terminal, problem.exc_value)

    threading.excepthook = show_failure
    sys.unraisablehook = show_unraisable
    warnings.showwarning = show_warning
