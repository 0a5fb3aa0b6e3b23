"""Saved inputs: the workflow and the local sources of a saved plan, for the command that applies it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.saved.local_files import LocalFiles, require_permitted
from algosync.cli.saved.plan_file import stale
from algosync.core.error import Stale, UsageError
from algosync.core.lean import dataclass
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.clusters import Clusters
    from algosync.cli.options import WorkflowOptions
    from algosync.cli.terminal import Terminal
    from algosync.cli.workflow_file import LoadedWorkflow
    from algosync.cluster.data import DataStore
    from algosync.core.planning.plan_inputs import LocalCode, PlanFile
    from algosync.core.workflow import Workflow
    from algosync.sources.archive import SourceFiles
    from algosync.sources.saved_files import SavedFiles
    from algosync.state import Session
    from algosync.workflow import NamedFiles
    from algosync.workflow.given_variables import GivenVariables

__all__ = ["SavedInputs"]

_LOOPBACK = ("127.0.0.1", "localhost", "::1", "api.localhost")


@dataclass(frozen=True, slots=True)
class SavedInputs:
    """`top`: as of `LocalFiles`."""

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
            loaded = read_workflow(path, (values, ()), (options, terminal), self._named_files())
        require_permitted(self.file, loaded.workflow)
        self.require_local_files(loaded.workflow.source_address or "", options.environ)
        return replace(loaded, path=Path(text.name), workflow=self._placed(loaded.workflow))

    def _named_files(self) -> NamedFiles:
        """The files that tests name. Stale: one that is not in the plan is missing or another one here, or may not be read."""
        from algosync.workflow import NamedFiles

        contents, local = self.file.contents, self._local({})
        saved: dict[str, bytes | None] = {}
        for file in self.file.inputs.tests:
            if file.sha256 is None or file.sha256 in contents:
                saved[file.path] = contents[file.sha256] if file.sha256 else None
            else:
                local.require_named_file(file.path, file.sha256)
        return NamedFiles(local.base, saved, frozenset(file.path for file in self.file.inputs.tests))

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
        return replace(workflow, folder=str(self._local({}).base), algorithms=tuple(algorithms))

    def require_local_files(self, source: str, environ: Mapping[str, str]) -> None:
        """Stale: a local file that is not in the plan is missing here, has another content, or may not be read.

        `source`: the address in the workflow. Empty: the environment names the source.
        """
        from algosync.cluster.data import split

        local, address = self._local(environ), source or environ.get("SOURCE_API_ADDRESS", "")
        for code in self.file.inputs.codes:
            if code.files is None:
                local.require_code(code.algorithm, code.code)
        for file in self.file.inputs.files if address.startswith("file://") else ():
            if file.sha256 is not None and file.sha256 not in self.file.contents:
                local.require_content(address, split(file.uri), file.sha256)

    def _local(self, environ: Mapping[str, str]) -> LocalFiles:
        return LocalFiles.of(self.top, self.file.inputs.workflow.folder, environ)

    @property
    def boundary(self) -> Path:
        """The folder outside of which no code is read."""
        return self._local({}).boundary

    def require_addresses(self, connections: Clusters) -> None:
        """Stale: other clusters are named than those of the plan. UsageError: one is not named.

        A key is sent only to an address that the environment or an option names, because a plan may come from somebody else.
        """
        from algosync.cli.clusters import label

        binding, options = self.file.saved.binding, connections.options
        if not (options.destination or options.environ.get("DESTINATION_API_ADDRESS")):
            hint = (
                f"--destination {printable(binding.destination, 200)}, if that is your destination; or set DESTINATION_API_ADDRESS"
            )
            raise UsageError("the destination of a saved plan has to be named again", hint=hint)
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
        here = label(address, "SOURCE_API_ADDRESS", options)
        if here != source and (binding.source_identity is None or not _is_on_this_machine(here)):
            raise stale(f"the source: {printable(source)} -> {printable(here)}")

    def require_source_owner(self, source: DataStore) -> None:
        """Stale: the source's key belongs to another owner than that of the plan, so `.my` would name other files."""
        saved = self.file.saved.binding.source_owner
        if saved is not None and (now := source.key_owner()) != saved:
            raise stale(f"the owner of the source's key: {printable(saved)} -> {printable(now or 'nothing')}")

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

    def store(self, source: str | None, environ: Mapping[str, str]) -> SavedFiles | None:
        """The files of a `file://` source. None: the source is another one."""
        from algosync.sources.saved_files import SavedFiles

        inputs = self.file.inputs
        if source is None or not source.startswith("file://"):
            return None
        return SavedFiles(inputs.files, self.file.contents, inputs.source_owner, partial(self._local(environ).opened, source))

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
