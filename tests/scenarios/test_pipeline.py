"""The pipeline to copy, as its shell script runs it: each job in a clone of its own, which is thrown away afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from documents import check_document
from harness import Cluster, Workspace
from remote_places import Place, s3
from scan import Scanner
from states_server import PASSWORD

SCRIPT = Path(__file__).parents[2] / "workflows" / "pipelines" / "pipeline.sh"
TOKEN = "s3cret-canary-of-the-pipeline"
WORKFLOW = """\
name: release
variables:
  token: {sensitive: true}
source_info: {cluster_address: file://source}
algorithms:
  - name: One
    language: python3
    data_files: [data://.my/models/words.txt]
    details: {summary: "for {{ token }}"}
    test_payload: {token: "{{ token }}", number: 1}
"""

pytestmark = pytest.mark.needs("git", "sh")


@dataclass
class Pipeline:
    """A repository, and the jobs that run in clones of it. Only `artifacts` outlives a clone."""

    folder: Path
    environ: dict[str, str]
    jobs: int = 0
    repository: Workspace = field(init=False)

    def __post_init__(self) -> None:
        (self.folder / "repository").mkdir()
        (self.folder / "artifacts").mkdir()
        self.repository = Workspace(self.folder / "repository", self.environ)
        self._git("init", "--quiet", "--initial-branch=main")
        pipelines = self.repository.folder / "workflows" / "pipelines"
        pipelines.mkdir(parents=True)
        shutil.copy(SCRIPT, pipelines)
        (self.repository.folder / "workflow.yaml.j2").write_text(WORKFLOW)
        self.repository.algorithm("One")
        self.repository.data("models", "words.txt", b"hello")
        self.commit()

    @property
    def plan(self) -> Path:
        return self.folder / "artifacts" / "algosync.plan"

    def commit(self) -> None:
        self._git("add", "--all")
        self._git("-c", "user.name=A", "-c", "user.email=a@localhost", "commit", "--quiet", "--message", "a change")

    def job(self, *command: str, code: int = 0, environ: dict[str, str] | None = None) -> str:
        """Run a command in a new clone, which gets the saved plan and is removed afterwards. Return both streams."""
        self.jobs += 1
        clone = self.folder / ("deeper/" * (self.jobs % 3)) / f"job{self.jobs}"
        clone.parent.mkdir(parents=True, exist_ok=True)
        self._git("clone", "--quiet", str(self.repository.folder), str(clone))
        if self.plan.exists():
            shutil.copy(self.plan, clone)
        try:
            done = subprocess.run(
                command,
                cwd=clone,
                env=self.repository.environment(environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
            if "plan" in command:
                shutil.copy(clone / "algosync.plan", self.plan)
                check_document("plan", json.loads((clone / "reports" / "plan.json").read_text()))
                assert (clone / "reports" / "plan.txt").read_text() == done.stdout
            return done.stdout + done.stderr
        finally:
            shutil.rmtree(clone)

    def script(self, job: str, code: int = 0, environ: dict[str, str] | None = None) -> str:
        return self.job("sh", "workflows/pipelines/pipeline.sh", job, code=code, environ=environ)

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(self.repository.folder), *arguments], check=True, timeout=60)


@contextmanager
def shared_folder() -> Iterator[Place | None]:
    yield None


@pytest.fixture
def pipeline(request: pytest.FixtureRequest, tmp_path: Path, cluster: Cluster) -> Iterator[Pipeline]:
    """The state is in a folder that all jobs share, or on the server of the parameter: then nothing else outlives a job."""
    server: Callable[[], AbstractContextManager[Place | None]] = getattr(request, "param", shared_folder)
    with server() as place:
        yield _pipeline(tmp_path, cluster, place)


def _pipeline(tmp_path: Path, cluster: Cluster, place: Place | None) -> Pipeline:
    shared = {"ALGOSYNC_STATE": str(tmp_path / "states"), "ALGOSYNC_KEEP_DIR": str(tmp_path / "kept")}
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "algosync").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m algosync "$@"\n')
    (programs / "algosync").chmod(0o755)
    environ = {
        **cluster.environ(),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "CI": "1",
        **(shared if place is None else {**place.environ, "ALGOSYNC_KEEP_DIR": "kept"}),
        "ALGOSYNC_VAR_token": TOKEN,
        "LOCK_TIMEOUT": "30",
    }
    return Pipeline(tmp_path, environ)


@pytest.mark.parametrize("pipeline", [s3], indirect=True)
def test_plan_apply_and_drift_each_in_a_clone_of_its_own(cluster: Cluster, pipeline: Pipeline) -> None:
    with cluster.writes() as planning:
        assert "4 to add" in pipeline.script("plan")
    assert planning.lines == ()
    scanner = Scanner({"token": TOKEN, "key": cluster.key, "password": PASSWORD})
    assert list(scanner.data(pipeline.plan.read_bytes(), "the saved plan")) == []
    assert "Apply complete! Resources: 4 added" in pipeline.script("apply")
    pipeline.script("drift")

    # A change, with everything between its plan and its apply that makes no plan stale.
    pipeline.repository.algorithm("One", "def apply(input):\n    return input['number']\n")
    pipeline.repository.data("models", "words.txt", b"hello world")
    pipeline.commit()
    pipeline.script("plan", environ={"DESTINATION_API_KEY": cluster.add_key(read_only=True)})
    pipeline.script("drift")
    pipeline.job("algosync", "test")
    assert "Apply complete!" in pipeline.script("apply")
    pipeline.script("drift")
    assert "No changes." in pipeline.script("plan")


def test_changes_by_hand_between_plan_and_apply(cluster: Cluster, pipeline: Pipeline) -> None:
    pipeline.script("plan")
    pipeline.script("apply")
    pipeline.repository.algorithm("One", "def apply(input):\n    return input['number']\n")
    pipeline.repository.data("models", "words.txt", b"hello world")
    pipeline.commit()
    pipeline.script("plan")
    cluster.push_behind("One", "src/One.py", b"def apply(input):\n    return 'by hand'\n")
    cluster.api().data.put("local", "One", "words.txt", [b"by hand"], 7)
    with cluster.writes() as writes:
        shown = pipeline.script("apply", code=6)
    assert writes.lines == ()
    drift = pipeline.script("drift", code=2)
    for moved in ("source.One", 'data.One["words.txt"]'):
        assert moved in shown
        assert moved in drift
    assert "has changed" in pipeline.script("plan")
    assert "Apply complete!" in pipeline.script("apply")
    pipeline.script("drift")


def test_a_job_that_is_not_known(pipeline: Pipeline) -> None:
    assert "usage: pipeline.sh plan | apply | drift" in pipeline.script("destroy", code=64)
