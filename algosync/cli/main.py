"""The `algosync` command: signatures, and one exit code for each way to end."""

from __future__ import annotations

import io
import os
import re
import sys
import threading
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algosync import __version__
from algosync.cli import emulator, options
from algosync.cli.choice import Choice
from algosync.cli.fault import fault_in_algosync
from algosync.cli.interrupt import exit_code, install, leave
from algosync.cli.terminal import Terminal, standard
from algosync.core.error import AlgosyncError, ApplyIncomplete, LockHeld, Stale, UsageError
from algosync.core.text import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app", "main"]

_USAGE = 64
# What the parser of any release of typer raises for a wrong command line.
_ParserError: type[Exception] = typer.BadParameter.__bases__[0]

_PLAIN_WORDS = (
    ("Value error, ", ""),
    ("Input should be a valid integer, unable to parse string as an integer", "it is no whole number."),
    ("Input should be a valid number, unable to parse string as a number", "it is no number."),
    ("Input should be less", "it should be less"),
    ("Input should be greater", "it should be greater"),
)
"""What a parser says of values in the words of its types, and what that is to people."""

app = typer.Typer(
    name="algosync",
    help="Export algorithms from one Algorithmia cluster to another, declaratively, and prove that they work there.",
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"algosync {__version__}\n")
        raise typer.Exit


_Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")]


@app.callback()
def common(
    context: typer.Context,
    version: _Version = False,  # noqa: ARG001  # its callback ends the command
) -> None:
    """Export algorithms from one Algorithmia cluster to another, declaratively, and prove that they work there."""
    if context.invoked_subcommand is None:
        _terminal.tell(context.get_help())
        raise typer.Exit(_USAGE)


@app.command()
def validate(
    workflow: options.WorkflowArgument = None,
    var: options.Var = [],
    var_file: options.VarFile = [],
    chdir: options.Chdir = None,
    debug: options.Debug = False,
) -> None:
    """Check a workflow file; tell every fault with its place. Asks no cluster."""
    from algosync.cli import validate

    terminal = _begin(chdir, debug=debug)
    validate.run(Choice(workflow, variables=tuple(var), variable_files=_paths(var_file)), terminal)


@app.command()
def render(
    workflow: options.WorkflowArgument = None,
    var: options.Var = [],
    var_file: options.VarFile = [],
    chdir: options.Chdir = None,
    debug: options.Debug = False,
) -> None:
    """Show the text that a template gives; sensitive variables as ***. Asks no cluster."""
    from algosync.cli import render

    terminal = _begin(chdir, debug=debug)
    render.run(Choice(workflow, variables=tuple(var), variable_files=_paths(var_file)), terminal)


@app.command()
def plan(
    workflow: options.WorkflowArgument = None,
    destination: options.Destination = "",
    state: options.StateAddress = "state",
    target: options.Target = [],
    var: options.Var = [],
    var_file: options.VarFile = [],
    json: options.JsonOutput = False,
    detailed_exitcode: options.DetailedExitcode = False,
    parallelism: options.Parallelism = 8,
    request_timeout: options.RequestTimeout = 120,
    insecure_http: options.InsecureHttp = False,
    chdir: options.Chdir = None,
    no_input: options.NoInput = False,  # noqa: ARG001  # it never asks
    debug: options.Debug = False,
) -> None:
    """Compare the workflow with the destination and show what apply would do. Changes nothing."""
    from algosync.cli import plan

    terminal = _begin(chdir, debug=debug)
    choice = Choice(
        workflow,
        destination,
        state,
        tuple(var),
        _paths(var_file),
        parallelism,
        request_timeout=request_timeout,
        insecure_http=insecure_http,
    )
    plan.run(choice, terminal, targets=target, json=json, detailed_exitcode=detailed_exitcode)


@app.command()
def apply(
    workflow: options.WorkflowArgument = None,
    destination: options.Destination = "",
    state: options.StateAddress = "state",
    auto_approve: options.AutoApprove = False,
    target: options.Target = [],
    var: options.Var = [],
    var_file: options.VarFile = [],
    parallelism: options.Parallelism = 8,
    build_timeout: options.BuildTimeout = 1800,
    request_timeout: options.RequestTimeout = 120,
    insecure_http: options.InsecureHttp = False,
    chdir: options.Chdir = None,
    no_input: options.NoInput = False,
    debug: options.Debug = False,
) -> None:
    """Make the needed changes, test every algorithm before it is published, run the workflow's tests."""
    from algosync.cli import apply

    terminal = _begin(chdir, debug=debug)
    choice = Choice(
        workflow,
        destination,
        state,
        tuple(var),
        _paths(var_file),
        parallelism,
        build_timeout,
        request_timeout,
        insecure_http,
    )
    apply.run(choice, terminal, targets=target, auto_approve=auto_approve, no_input=no_input)


@app.command()
def test(
    workflow: options.WorkflowArgument = None,
    destination: options.Destination = "",
    state: options.StateAddress = "state",
    target: options.Target = [],
    var: options.Var = [],
    var_file: options.VarFile = [],
    request_timeout: options.RequestTimeout = 120,
    insecure_http: options.InsecureHttp = False,
    chdir: options.Chdir = None,
    no_input: options.NoInput = False,  # noqa: ARG001  # it never asks
    debug: options.Debug = False,
) -> None:
    """Run every algorithm's payload and the workflow's tests on what is published. Changes nothing."""
    from algosync.cli import test

    terminal = _begin(chdir, debug=debug)
    choice = Choice(
        workflow,
        destination,
        state,
        tuple(var),
        _paths(var_file),
        request_timeout=request_timeout,
        insecure_http=insecure_http,
    )
    test.run(choice, terminal, targets=target)


@app.command()
def drift(
    workflow: options.WorkflowArgument = None,
    destination: options.Destination = "",
    state: options.StateAddress = "state",
    var: options.Var = [],
    var_file: options.VarFile = [],
    json: options.JsonOutput = False,
    parallelism: options.Parallelism = 8,
    request_timeout: options.RequestTimeout = 120,
    insecure_http: options.InsecureHttp = False,
    chdir: options.Chdir = None,
    no_input: options.NoInput = False,  # noqa: ARG001  # it never asks
    debug: options.Debug = False,
) -> None:
    """Tell how the destination differs from what was last applied. Changes nothing; exit 2 where it differs."""
    from algosync.cli import drift

    terminal = _begin(chdir, debug=debug)
    choice = Choice(
        workflow,
        destination,
        state,
        tuple(var),
        _paths(var_file),
        parallelism,
        request_timeout=request_timeout,
        insecure_http=insecure_http,
    )
    drift.run(choice, terminal, json=json)


def _paths(texts: Sequence[str]) -> tuple[Path, ...]:
    return tuple(Path(text) for text in texts)


def _begin(chdir: Path | None, *, debug: bool) -> Terminal:
    global _debug  # noqa: PLW0603  # read where the command's own frame is gone
    _debug = _debug or debug
    if debug:
        import logging

        handler = logging.StreamHandler(_LogStream(_terminal))
        logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s", handlers=[handler])
    if chdir is not None:
        try:
            os.chdir(chdir)
        except OSError as error:
            raise UsageError(f"--chdir {chdir}: {error.strerror}") from None
    return _terminal


class _LogStream(io.TextIOBase):
    """Libraries' log lines, through the one writer that redacts."""

    def __init__(self, terminal: Terminal) -> None:
        self._tell = terminal.tell

    def write(self, text: str) -> int:
        for line in printable_lines(text):
            self._tell(line)
        return len(text)


_debug = bool(os.environ.get("ALGOSYNC_DEBUG"))  # also for commands without the option
_terminal = standard(os.environ)
app.add_typer(emulator.app, name="emulator", context_settings={"obj": _terminal})


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits: at once, because signals are nobody's while the interpreter takes itself apart."""
    leave(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        install()
        threading.excepthook = _died
        warnings.showwarning = _warned
        return _command(arguments)
    except BaseException:
        signalled = exit_code()
        if signalled is None:
            raise
        if _debug:
            _show_traceback()
        _terminal.tell("Interrupted.")
        leave(signalled)


def _command(arguments: Sequence[str] | None) -> int:
    try:
        code = app(arguments, standalone_mode=False)
    except AlgosyncError as error:
        if exit_code():
            raise
        if _debug:
            _show_traceback()
        _show_error(error)
        return _exit_code(error)
    except _ParserError as error:
        _terminal.tell(f"Error: {printable(_message(error))}")
        _terminal.tell(f"Try '{_asked(error)} --help'.")
        return _USAGE
    except Exception as error:  # the last resort: no traceback for users
        if exit_code():
            raise
        if _debug:
            _show_traceback()
        _show_error(fault_in_algosync(error))
        return 1
    code = code if isinstance(code, int) else 0
    if code == 0 and _terminal.lost:
        _terminal.tell(f"Error: the result could not be written: {_terminal.lost[0]}")
        return 1
    return code


def _show_error(error: AlgosyncError) -> None:
    from algosync.views.error import error_lines

    _terminal.tell_lines(error_lines(error))


def _died(failure: threading.ExceptHookArgs) -> None:
    """A thread ended by a bug of ours. Not in the terminal's own words: they would not be redacted."""
    if isinstance(failure.exc_value, Exception):
        _terminal.tell(f"Error: {fault_in_algosync(failure.exc_value).message}")
    if _debug and failure.exc_value is not None:
        _terminal.tell("".join(traceback.format_exception(failure.exc_value)))


def _warned(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """Libraries' warnings are for their developers."""
    if _debug:
        _terminal.tell(f"{category.__name__}: {message}")


def _message(error: Exception) -> str:
    """The parser's own wording, which names the option."""
    wording = getattr(error, "format_message", None)
    text = str(wording()) if callable(wording) else str(error)
    for said, plain in _PLAIN_WORDS:
        text = text.replace(said, plain)
    return text


def _asked(error: Exception) -> str:
    """The command that the arguments were for, as people write it."""
    path = str(getattr(getattr(error, "ctx", None), "command_path", ""))
    return re.sub(r"^(python\S* -m )?\S*", "algosync", path, count=1)


def _show_traceback() -> None:
    _terminal.tell(traceback.format_exc())


def _exit_code(error: AlgosyncError) -> int:
    match error:
        case UsageError():
            return _USAGE
        case LockHeld() | Stale():
            return 6
        case ApplyIncomplete():
            return 4
        case _:
            return 1
