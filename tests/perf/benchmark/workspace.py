"""Folders of users: workflows, their sources and data, and runs of algosync in them."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from benchmark.running import Cost, Stub, program, run, stub

__all__ = ["Workspace", "fleet", "seeded"]

_CODE = "def apply(input):\n    return input\n"
_SETTLED = 2.1  # seconds: stamps of younger files are not trusted
_CHUNK = 500  # algorithms in an apply that prepares a measurement


@functools.cache
def command() -> tuple[str, ...]:
    """How users start algosync."""
    found = program("algosync")
    return (found,) if found else (sys.executable, "-m", "algosync")


@functools.cache
def options(verb: str) -> str:
    """The help of a command, to find out which options this algosync has."""
    return subprocess.run([*command(), verb, "--help-all"], capture_output=True, text=True, check=False).stdout


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with `workflow.json`, `algorithms/` and `source/`."""

    folder: Path

    def algosync(self, *arguments: str, cluster: Stub, source: Stub | None = None, expect: str = "") -> Cost:
        """Run algosync against a stub. Raises RuntimeError if it fails, or if its output lacks `expect`."""
        environ = {**cluster.environ(), **(source.environ("SOURCE") if source else {})}
        environ["ALGOSYNC_KEEP_DIR"] = str(self.folder / "kept")
        cost = run([*command(), *arguments], self.folder, environ)
        text = (self.folder / "log").read_text()
        if expect not in text:
            raise RuntimeError(f"algosync {' '.join(arguments)} has not said {expect!r}\n{text[-3000:]}")
        return cost

    def apply(self, cluster: Stub, source: Stub | None = None, arguments: Sequence[str] = ()) -> Cost:
        """A first apply: without a state, on an empty cluster."""
        shutil.rmtree(self.folder / "state", ignore_errors=True)
        cluster.ask("empty", b"")
        return self.algosync("apply", "--auto-approve", *arguments, cluster=cluster, source=source, expect="Apply complete!")

    def plan(self, cluster: Stub) -> Cost:
        """A plan that finds nothing to do."""
        return self.algosync("plan", cluster=cluster, expect="No changes.")

    def algorithm(self, name: str) -> None:
        """Write the source of an algorithm."""
        source = self.folder / "algorithms" / name / "src"
        source.mkdir(parents=True)
        (source / "__init__.py").write_text("")
        (source / f"{name}.py").write_text(_CODE)
        (source.parent / "requirements.txt").write_text("")

    def write(self, algorithms: Sequence[dict[str, object]], source: str = "file://source", name: str = "workflow.json") -> None:
        """Write a workflow."""
        document = {"source_info": {"cluster_address": source}, "algorithms": algorithms}
        (self.folder / name).write_text(json.dumps(document, indent=1))


def fleet(folder: Path, algorithms: int, files: int) -> tuple[Workspace, list[dict[str, object]]]:
    """Make a new folder with that many algorithms, each with that many data files of 1 kB, in a source folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    workspace, entries = Workspace(folder), list[dict[str, object]]()
    for number in range(algorithms):
        name = f"A{number}"
        workspace.algorithm(name)
        data = folder / "source" / "owner" / name
        data.mkdir(parents=True)
        for place in range(files):
            (data / f"f{place}.bin").write_bytes(f"{number} {place}\n".encode() * 100)
        uris = [f"data://.my/{name}/f{place}.bin" for place in range(files)]
        entries.append({"name": name, "language": "python3", "data_files": uris})
    workspace.write(entries)
    time.sleep(_SETTLED)
    return workspace, entries


def seeded(folder: Path, algorithms: int, files: int) -> tuple[Workspace, Path]:
    """A folder whose workflow is applied already, and what the stub of `folder / "stub"` had afterwards. It is made once.

    It is applied in parts, whose states are joined, so that it takes as long for each algorithm whatever their number.
    """
    saved = folder / "saved"
    if saved.exists():
        return Workspace(folder), saved
    workspace, entries = fleet(folder, algorithms, files)
    with stub(folder / "stub", fixed=True) as cluster:
        for first in range(0, algorithms, _CHUNK):
            name = f"part{first}.json"
            workspace.write(entries[first : first + _CHUNK], name=name)
            workspace.algosync("apply", name, "--auto-approve", cluster=cluster, expect="Apply complete!")
        _join(folder / "state", folder)
        time.sleep(_SETTLED)
        cluster.ask("save", str(saved).encode())
    return workspace, saved


def _join(states: Path, folder: Path) -> None:
    """Make one state of those of the parts: their records, sealed as `state/README.md` tells."""
    parts = sorted(states.glob("part*.json"))
    documents = [json.loads(part.read_text()) for part in parts]
    whole = {**documents[0], "workflow_file": "workflow.json"}
    whole["records"] = {address: record for document in documents for address, record in document["records"].items()}
    del whole["sha256"]
    body = json.dumps(whole, indent=1).removesuffix("\n}").encode()
    sealed = body + f',\n  "sha256": "{sha256(body).hexdigest()}"\n}}\n'.encode()
    _, _, rest = parts[0].name.partition("@")
    for path in [*states.iterdir(), *folder.glob("part*.json")]:
        path.unlink()
    (states / f"workflow@{rest}").write_bytes(sealed)
