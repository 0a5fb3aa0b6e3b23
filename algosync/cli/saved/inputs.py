"""Saved inputs: the workflow and the local sources of a saved plan, for the command that applies it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.saved.plan_file import file_sha256
from algosync.core.error import Stale, UsageError
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.clusters import Clusters
    from algosync.cli.options import WorkflowOptions
    from algosync.cli.terminal import Terminal
    from algosync.cli.workflow_file import LoadedWorkflow
    from algosync.core.planning.plan_inputs import LocalCode, PlanFile
    from algosync.core.workflow import Workflow
    from algosync.sources.archive import SourceFiles
    from algosync.sources.saved_files import SavedFiles
    from algosync.state import Session
    from algosync.workflow.given_variables import GivenVariables

__all__ = ["AGAIN", "SavedInputs", "stale"]

_LOOPBACK = ("127.0.0.1", "localhost", "::1", "api.localhost")
AGAIN = "look at the changes, and make the plan again: algosync plan --out FILE"


def stale(what: str) -> Stale:
    """The error that something moved since a plan was saved."""
    return Stale(f"the saved plan is stale: {what}", hint=AGAIN)


@dataclass(frozen=True, slots=True)
class SavedInputs:
    """`top`: the top of the repository where the plan is applied; paths of files that are not in the plan start there."""

    file: PlanFile
    top: Path

    @staticmethod
    def of(file: PlanFile) -> SavedInputs:
        from algosync.workflow import file_identity

        return SavedInputs(file, file_identity(Path.cwd() / "file", Path.cwd()).top)

    @property
    def title(self) -> str:
        return self.file.saved.plan.header.workflow

    def load(self, options: WorkflowOptions, terminal: Terminal) -> LoadedWorkflow:
        """The workflow, with the sensitive variables that are given now. UsageError: one is not given."""
        from algosync.cli.workflow_file import hide_keys, read_workflow
        from algosync.workflow import variables

        hide_keys(options.environ, terminal)
        values = self._values(variables(options.var, options.variable_files, options.environ))
        text = self.file.inputs.workflow
        with tempfile.TemporaryDirectory(prefix="algosync-") as folder:
            path = Path(folder, text.name)
            path.write_text(text.text, encoding="utf-8", newline="")
            loaded = read_workflow(path, (values, ()), (options, terminal))
        self.require_local_files()
        return replace(loaded, path=Path(text.name), workflow=self._placed(loaded.workflow))

    def _values(self, given: GivenVariables) -> GivenVariables:
        from algosync.workflow.given_variables import GivenVariables
        from algosync.workflow.value import decoded

        text = self.file.inputs.workflow
        saved = {name: decoded(value) for name, value in text.variables.items()}
        if missing := [name for name in text.sensitive if name not in given]:
            names = ", ".join(missing)
            hint = f"set {', '.join(f'ALGOSYNC_VAR_{name}' for name in missing)}, or use --var-file"
            raise UsageError(f"the saved plan holds no sensitive values, and these are not given: {names}", hint=hint)
        other = [n for n in given.named if n not in text.sensitive and (n not in saved or saved[n] != given[n])]
        if other:
            raise UsageError(f"the saved plan has its own values, so these cannot be given: {', '.join(sorted(other))}")
        return GivenVariables({**saved, **{name: given[name] for name in text.sensitive}})

    def _placed(self, workflow: Workflow) -> Workflow:
        """The workflow with its local paths below `top`."""
        codes = {code.algorithm: code.code for code in self.file.inputs.codes}
        algorithms = (replace(spec, code=codes[spec.name]) if spec.name in codes else spec for spec in workflow.algorithms)
        folder = os.path.normpath(self.top / self.file.inputs.workflow.folder)
        return replace(workflow, folder=folder, algorithms=tuple(algorithms))

    def require_local_files(self) -> None:
        """Stale: a local file that is not in the plan is missing here, or has another content."""
        for file in self.file.inputs.files:
            if file.sha256 is not None and file.sha256 not in self.file.contents:
                _require_content(self.top / file.path, file.path, file.sha256)
        for code in self.file.inputs.codes:
            path = (code.code or f"file://algorithms/{code.algorithm}").removeprefix("file://")
            if code.files is None and not (self.top / self.file.inputs.workflow.folder / path).exists():
                raise stale(f"the code of {code.algorithm}, {printable(path)}, is not in the plan, and not here")

    def require_addresses(self, connections: Clusters) -> None:
        """Stale: other clusters are named than those of the plan. UsageError: the source is not named.

        A key is sent only to an address that the environment or an option names, because a plan may come from somebody else.
        """
        from algosync.cli.clusters import label

        binding, options = self.file.saved.binding, connections.options
        named, _ = connections.named_destination()
        if named != binding.destination and (binding.identity is None or not _is_on_this_machine(named)):
            raise stale(f"the destination: {printable(binding.destination)} -> {printable(named)}")
        source = binding.source or ""
        if not source.startswith(("http://", "https://")):
            return
        address = options.environ.get("SOURCE_API_ADDRESS", "")
        if not address:
            hint = f"export SOURCE_API_ADDRESS={printable(source, 200)}, if that is your source"
            raise UsageError("the saved plan has a source cluster, which SOURCE_API_ADDRESS has to name too", hint=hint)
        if (here := label(address, "SOURCE_API_ADDRESS", options)) != source:
            raise stale(f"the source: {printable(source)} -> {printable(here)}")

    def claim(self, state: Session) -> None:
        """Make the state that of the plan's workflow file. Stale: it belongs to another one since."""
        from algosync.workflow import FileIdentity

        file = self.file.inputs.workflow.file
        if state.file is not None and FileIdentity(file, self.top).matches(state.file):
            return
        if state.lineage is None and self.file.saved.binding.lineage is not None:
            hint = "--state names the place of the state from which the plan was made"
            raise Stale(f"there is no state at {printable(state.where, 300)}", hint=hint)
        if state.file != self.file.saved.binding.state_file:
            raise stale(f"the workflow file of the state: {printable(file, 300)} -> {printable(state.file or 'nothing', 300)}")
        state.file = file

    def store(self, source: str | None) -> SavedFiles | None:
        """The files of a `file://` source. None: the source is another one."""
        from algosync.sources.saved_files import SavedFiles

        inputs = self.file.inputs
        if source is None or not source.startswith("file://"):
            return None
        return SavedFiles(inputs.files, self.file.contents, inputs.source_owner, self.top)

    def codes(self) -> Mapping[str, SourceFiles]:
        """The local code that is in the plan, by algorithm."""
        return dict(self._codes())

    def _codes(self) -> Iterator[tuple[str, SourceFiles]]:
        for code in self.file.inputs.codes:
            if code.files is not None:
                yield code.algorithm, self._source_files(code)

    def _source_files(self, code: LocalCode) -> SourceFiles:
        from algosync.core.tree import Blob
        from algosync.sources.archive import SourceFiles

        files = {each.path: Blob(self.file.contents[each.sha256], each.executable) for each in code.files or ()}
        return SourceFiles(files, code.left_out)


def _is_on_this_machine(address: str) -> bool:
    """Whether a local cluster may have this address. Its identity is compared later."""
    from urllib.parse import urlsplit

    from algosync.cli.local.location import is_local

    return is_local(address) or urlsplit(address).hostname in _LOOPBACK


def _require_content(path: Path, shown: str, sha256: str) -> None:
    try:
        with path.open("rb") as file:
            found = file_sha256(file) if path.is_file() else ""
    except OSError:
        found = ""
    if found != sha256:
        now = f"{found[:12]}…" if found else "nothing"
        raise stale(f"{printable(shown)} is not in the plan, and has to be here: sha256 {sha256[:12]}… -> {now}")
