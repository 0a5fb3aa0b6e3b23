"""Local files: the files that a saved plan needs and does not hold, in the checkout where it is applied.

A saved plan may come from somebody else, and so may its workflow. So only files of the checkout are read, and none of git's own. A
source folder outside of it is read only if SOURCE_API_ADDRESS names it, too, with an absolute path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.saved.plan_file import sha256_of, stale
from algosync.core.error import AlgosyncError, Corrupt, SourceError, Stale
from algosync.core.lean import dataclass
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cluster.wire import Download
    from algosync.core.planning.plan_inputs import PlanFile
    from algosync.core.workflow import Workflow

__all__ = ["LocalFiles", "require_permitted"]

_SCHEME = "file://"


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """`top`: of the repository where the plan is applied; without a repository it is the current folder.

    `folder`: the workflow's, from `top`. `named`: the source folder that the environment names. None: it names none.
    """

    top: Path
    folder: str
    named: Path | None = None

    @staticmethod
    def of(top: Path, folder: str, environ: Mapping[str, str]) -> LocalFiles:
        address = environ.get("SOURCE_API_ADDRESS", "")
        path = address.removeprefix(_SCHEME) if address.startswith(_SCHEME) else ""
        return LocalFiles(top, folder, Path(os.path.realpath(path)) if os.path.isabs(path) else None)

    @property
    def boundary(self) -> Path:
        """The folder outside of which no file is read. Code may be beside a folder `workflows`."""
        beside = self.top.name == "workflows" and not (self.top / ".git").exists()
        return self.top.parent if beside else self.top

    @property
    def base(self) -> Path:
        """The folder of the workflow, where relative paths start."""
        return Path(os.path.normpath(self.top / self.folder))

    def code(self, algorithm: str, code: str | None) -> Path:
        """The path of an algorithm's code. Stale: it is not in the checkout."""
        from algosync.sources.code import local_code

        path = local_code(algorithm, code, self.base)
        self._require_inside(path, "move it there, or apply the plan where it is")
        return path

    @contextmanager
    def opened(self, source: str, owner: str, collection: str, name: str) -> Iterator[Download]:
        """A file of a `file://` source. Stale: it is not in the checkout. Raises the failures of `Directory`."""
        from algosync.cluster.directory import Directory

        root = Path(os.path.normpath(self.base / source.removeprefix(_SCHEME)))
        checked = self.named is None or Path(os.path.realpath(root)) != self.named
        hint = f"if this folder is your source, export SOURCE_API_ADDRESS={_SCHEME}{printable(str(root), 300)}"
        if checked:
            self._require_inside(root, hint)
        store = Directory(root)
        owner = (store.key_owner() or owner) if owner == ".my" else owner
        if checked:
            self._require_inside(root / owner / collection / name, hint)
        with store.open(owner, collection, name) as download:
            yield download

    def require_content(self, source: str, uri: tuple[str, str, str], sha256: str) -> None:
        """Stale: the file of a `file://` source is missing here, or has another content. `uri`: owner, collection and name."""
        try:
            with self.opened(source, *uri) as download:
                found = sha256_of(download.blocks)
        except Stale:
            raise
        except AlgosyncError:
            found = ""
        if found != sha256:
            raise _moved(f"data://{'/'.join(uri)}", sha256, found)

    def require_named_file(self, path: str, sha256: str) -> None:
        """Stale: a file that a test names is missing here, has another content, or is not in the checkout."""
        self._require_inside(self.base / path, "move it there, or apply the plan where it is")
        try:
            with (self.base / path).open("rb") as file:
                found = sha256_of(iter(lambda: file.read(1 << 20), b"")) if (self.base / path).is_file() else ""
        except OSError:
            found = ""
        if found != sha256:
            raise _moved(path, sha256, found)

    def require_code(self, algorithm: str, code: str | None) -> None:
        """Stale: the code is missing here, or not in the checkout."""
        if not self.code(algorithm, code).exists():
            shown = printable((code or f"algorithms/{algorithm}").removeprefix(_SCHEME), 300)
            raise stale(f"the code of {algorithm}, {shown}, is not in the plan, and not here")

    def _require_inside(self, path: Path, hint: str) -> None:
        from algosync.cluster.data_links import require_inside

        try:
            require_inside(path, self.boundary)
        except SourceError as error:
            message = f"the saved plan needs a file that it does not hold: {error.message}"
            raise Stale(f"{message}; only files of the checkout are read", hint=hint) from None


def _moved(what: str, sha256: str, found: str) -> Stale:
    """The error for a file that is not here with the content it had. `found`: its SHA-256; empty: there is none."""
    now = f"{found[:12]}…" if found else "nothing"
    return stale(f"{printable(what, 300)} is not in the plan, and has to be here: sha256 {sha256[:12]}… -> {now}")


def require_permitted(file: PlanFile, workflow: Workflow) -> None:
    """Corrupt: the plan names local files that its workflow does not, or in a way that no workflow may name them."""
    from algosync.sources.archive.entries import DEFAULT, SourceEntries
    from algosync.workflow.uri import data_uri_fault

    specs = {spec.name: spec.code for spec in workflow.algorithms}
    for code in file.inputs.codes:
        beside = f"{_SCHEME}../algorithms/{code.algorithm}"
        allowed = {specs.get(code.algorithm)} if specs.get(code.algorithm) else {None, beside}
        if code.algorithm not in specs or code.code not in allowed or (code.code or "").startswith("data://"):
            raise _damaged(f"the code of {printable(code.algorithm, 80)} is another one than that of its workflow")
        entries = SourceEntries(DEFAULT)
        for each in code.files or ():
            if each.sha256 not in file.contents:
                raise _damaged(f"a file of {code.algorithm} is missing: {printable(each.path, 300)}")
            entries.file(each.path)
    for uri in (each.uri for each in file.inputs.files):
        if fault := data_uri_fault(uri):
            raise _damaged(f"{printable(uri, 300)}: {fault}")


def _damaged(what: str) -> Corrupt:
    return Corrupt(f"the saved plan is damaged: {what}", hint="make the plan again: algosync plan --out FILE")
