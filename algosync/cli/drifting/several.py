"""Several workflows of one destination, examined one after the other. The error of one hides no findings of another."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.interrupt import exit_code
from algosync.core.error import AlgosyncError, UsageError
from algosync.core.lean import dataclass
from algosync.core.text import plural

if TYPE_CHECKING:
    from algosync.cli.clusters import SharedDestination
    from algosync.cli.drifting.examining import Look
    from algosync.cli.options import ClusterOptions
    from algosync.cli.terminal import Terminal
    from algosync.cli.workflow_file import LoadedWorkflow
    from algosync.views.subject import Drifted, DriftedAll, Failed
    from algosync.workflow.given_variables import GivenVariables

__all__ = ["SeveralWorkflows", "named_workflows", "shown_so_far"]


def named_workflows(given: Sequence[str], options: ClusterOptions, *, all_of_folder: bool) -> list[str]:
    """The workflows to examine, each once, by the name or path that an argument gives.

    UsageError: names are given and `--all`, or there is no workflow in the folder.
    """
    from algosync.workflow import find_all

    if all_of_folder and given:
        raise UsageError("--all takes every workflow in workflows/, so none can be named", hint="leave out --all, or the names")
    if all_of_folder:
        return [str(path.relative_to(Path.cwd())) for path in find_all(Path.cwd())]
    files: dict[str, str] = {}
    for name in given:
        files.setdefault(_file_of(name, options), name)
    return list(files.values())


def _file_of(name: str, options: ClusterOptions) -> str:
    """The file, so that one that has two names is examined once. The name, if there is none: examining it reports that."""
    from algosync.workflow import find

    try:
        return os.path.realpath(find(name, options.environ, Path.cwd()))
    except UsageError:
        return name


@dataclass(slots=True)
class SeveralWorkflows:
    """The run of one command. `parts`: the reports so far, by the names of the workflows. `destination`: its label.

    `variables`: those that are given, which no workflow has to know.
    """

    names: Sequence[str]
    options: ClusterOptions
    look: Look
    parts: dict[str, Drifted | Failed] = field(default_factory=dict)
    destination: str = ""
    variables: GivenVariables | None = field(default=None, repr=False)

    def examine(self, terminal: Terminal) -> None:
        """Examine each workflow. UsageError: something that all need is missing or wrong, such as the destination's key."""
        from algosync.cli.clusters import SharedDestination, clusters
        from algosync.cli.drifting.headed_stream import headed
        from algosync.cli.workflow_file import hide_state_keys
        from algosync.state import parse_address
        from algosync.workflow import variables

        hide_state_keys(self.options, terminal)
        parse_address(self.options.state)
        self.variables = variables(self.options.var, self.options.variable_files, self.options.environ).shared()
        with headed(terminal) as (notes, heading), ExitStack() as stack:
            shared = SharedDestination(clusters(self.options, notes, stack))
            self.destination, _ = shared.connected()
            for name in self._order(shared):
                heading(name)
                self.parts[name] = part = self._part(name, shared, notes)
                self.look = self.look.after(part)

    def _order(self, shared: SharedDestination) -> Sequence[str]:
        from algosync.cli.drifting.reading_order import longest_unread_first

        return self.names if self.look.reading.budget is None else longest_unread_first(self.names, shared, self._load, self.look)

    def subject(self, signal_code: int | None = None) -> DriftedAll:
        """The report of what was examined. `signal_code`: the exit code, if a signal ended the run."""
        from algosync.cli.report_output import document_metadata
        from algosync.cli.reporting.error_code import worst
        from algosync.views.subject import DriftedAll

        parts = tuple(self.parts[name] for name in self.names if name in self.parts)
        left = len(self.names) - len(parts)
        notes = (f"interrupted: {plural(left, 'workflow')} not examined",) if left else ()
        code = worst(part.exit_code for part in parts) if signal_code is None else signal_code
        return DriftedAll(self.destination, parts, {**document_metadata(), "exit_code": code}, notes)

    def _load(self, name: str, terminal: Terminal) -> LoadedWorkflow:
        from algosync.cli.workflow_file import load_workflow

        options = replace(self.options, workflow=name)
        return load_workflow(options, terminal, stand_ins=not self.look.with_tests, values=self.variables)

    def _part(self, name: str, shared: SharedDestination, terminal: Terminal) -> Drifted | Failed:
        from algosync.cli.session import workflow_session
        from algosync.cli.workflow_file import find_workflow

        file = ""
        try:
            file = str(find_workflow(replace(self.options, workflow=name)))
            with workflow_session(self._load(name, terminal), shared, self.look.needs) as session:
                return self.look.at(session, terminal)
        except AlgosyncError as error:
            shared.doubt(error)
            return _failed(terminal.workflows.get(file, name), error, terminal)
        except Exception as error:  # noqa: BLE001  # it is reported in the place of this workflow
            return _failed(terminal.workflows.get(file, name), error, terminal)


@contextmanager
def shown_so_far(run: SeveralWorkflows, name: str, terminal: Terminal) -> Iterator[None]:
    """If a signal ends the body, stdout gets what was examined so far, in the format of this name. Files stay as they are."""
    try:
        yield
    except BaseException:
        code = exit_code()
        if code is not None and run.parts:
            terminal.show(run.subject(code), name)
        raise


def _failed(title: str, error: Exception, terminal: Terminal) -> Failed:
    """The workflow's report, which is its error. After a signal the error goes on: it is a consequence."""
    from algosync.cli import debug
    from algosync.cli.internal_error import internal_error
    from algosync.cli.report_output import document_metadata
    from algosync.cli.reporting.error_code import error_code
    from algosync.views.subject import Failed

    if exit_code() is not None:
        raise error
    debug.show_traceback(terminal, error)
    told = error if isinstance(error, AlgosyncError) else internal_error(error)
    return Failed(told, {**document_metadata(), "command": "drift", "exit_code": error_code(told), "workflow": title})
