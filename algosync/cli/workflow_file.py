"""The workflow file that a command works on, and the secrets to hide before it is read."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.core.error import UsageError, WorkflowError
from algosync.core.lean import dataclass
from algosync.core.secret import Secret

if TYPE_CHECKING:
    from algosync.cli.options import ClusterOptions, WorkflowOptions
    from algosync.cli.terminal import Terminal
    from algosync.core.testing.case import Expectation
    from algosync.core.testing.expectation import ExpectationFault
    from algosync.core.workflow import Workflow
    from algosync.workflow.given_variables import GivenVariables
    from algosync.workflow.testing.named_files import NamedFiles

__all__ = ["LoadedWorkflow", "find_workflow", "hide_keys", "hide_state_keys", "lasting", "load_workflow", "read_workflow"]

_KEYS = ("SOURCE_API_KEY", "DESTINATION_API_KEY")


@dataclass(frozen=True, slots=True)
class LoadedWorkflow:
    """A workflow file and its content. `not_given`: the sensitive variables that have a placeholder value.

    `values`: the variables that were given. `sensitive`: the names of the sensitive ones. `files`: those that its tests name.
    """

    path: Path
    workflow: Workflow
    not_given: tuple[str, ...]
    values: GivenVariables
    sensitive: tuple[str, ...]
    files: NamedFiles

    @property
    def title(self) -> str:
        """The name of the workflow with its file, as reports show it."""
        return f"{self.workflow.name} ({self.path})"


def load_workflow(
    options: WorkflowOptions,
    terminal: Terminal,
    *,
    local_files: bool = False,
    stand_ins: bool = False,
    values: GivenVariables | None = None,
) -> LoadedWorkflow:
    """The workflow file. From now on the terminal hides API keys and sensitive variables.

    `local_files`: report local code and data that are missing. `stand_ins`: use a placeholder for each sensitive variable
    that is not given, and print a note. `values`: the variables, if they were read before: a pipe can be read once.
    """
    from algosync import workflow
    from algosync.workflow.file import format_of

    hide_keys(options.environ, terminal)
    path = find_workflow(options)
    terminal.workflows[str(path)] = f"{format_of(path).stem} ({path})"
    if values is None:
        values = workflow.variables(options.var, options.variable_files, options.environ)
    given = workflow.with_stand_ins(path, values) if stand_ins else (values, ())
    if given[1]:
        terminal.tell(f"Note: Not given, so what contains them is not compared: {', '.join(given[1])}")
    try:
        found = read_workflow(path, given, (options, terminal), local_files=local_files)
    except WorkflowError as error:
        if error.name:
            terminal.workflows[str(path)] = f"{error.name} ({path})"  # its reports have the same title as when it has no faults
        raise
    terminal.workflows[str(path)] = found.title
    return found


def read_workflow(
    path: Path,
    given: tuple[GivenVariables, tuple[str, ...]],
    place: tuple[WorkflowOptions, Terminal],
    files: NamedFiles | None = None,
    *,
    local_files: bool = False,
) -> LoadedWorkflow:
    """The workflow of a file. `given`: its variables, and the names of those with placeholder values.

    `place`: as of `load_workflow`. `files`: those that its tests name; by default they are beside the file.
    """
    from algosync import workflow

    values, missing = given
    options, terminal = place
    keys = hide_keys(options.environ, terminal)
    sensitive = workflow.sensitive(path, values)
    secrets = {name: secret for name, secret in sensitive.items() if name not in missing}
    for secret in secrets.values():
        terminal.hide(secret.reveal())
    files = files or workflow.NamedFiles(path.absolute().parent)
    tests = workflow.TestInputs(files, _expectation_faults, tuple(key.reveal() for key in keys))
    with lasting():
        loaded = workflow.load(path, values, tests=tests, local_files=local_files)
    derived = workflow.derived_texts(path, loaded, values, secrets, tests)
    if derived.unhidden:
        places = ", ".join(derived.unhidden)
        message = f"{path}: a number or boolean depends on a sensitive variable, and such a value cannot be hidden: {places}"
        raise UsageError(message, hint="write it without the variable, or declare the variable without `sensitive`")
    for text in derived.parts:
        terminal.hide(text)
    for text in derived.wholes:
        terminal.hide_value(text)
    found = LoadedWorkflow(path, loaded, missing, values, tuple(sensitive), files)
    if terminal.github is not None:
        terminal.github.know(found)
    return found


@contextmanager
def lasting() -> Iterator[None]:
    """Leave what the body creates out of all collections of garbage: a command keeps its workflow and its state until it ends.

    Else the collector looks for cycles in all of it again and again: half of the time of reading a state of 100,000 records.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def _expectation_faults(expect: Expectation) -> Iterable[ExpectationFault]:
    from algosync.answers import faults  # imports libraries, which a workflow without expectations does not need

    return faults(expect)


def hide_keys(environ: Mapping[str, str], terminal: Terminal) -> list[Secret]:
    """The API keys in the environment. From now on the terminal hides them."""
    from algosync.core.credential import bare

    keys = [Secret(text) for name in _KEYS if (text := bare(environ.get(name, "")).strip())]
    for key in keys:
        terminal.hide(key.reveal())
    return keys


def hide_state_keys(options: ClusterOptions, terminal: Terminal) -> None:
    """From now on the terminal hides the passwords and keys of the place of the states."""
    from algosync.state import secrets

    for secret in secrets(options.state, options.environ):
        terminal.hide(secret.reveal())


def find_workflow(options: WorkflowOptions) -> Path:
    """The path of the workflow file, relative to the current folder if it is below it. UsageError: it is a saved plan."""
    from algosync.cli.saved.plan_file import require_no_plan
    from algosync.workflow import find

    found = find(options.workflow, options.environ, Path.cwd())
    path = found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found
    require_no_plan(path)
    return path
