"""Wrong versions of the examples' algorithms, applied to a local cluster: none of them is published.

Five of them, or all with `ALL_WRONG_VERSIONS=1`. The algorithms as they are pass `EXAMPLE_PASSES` times in a row.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from examples import EXAMPLES, WORKFLOWS, Example
from harness import Cluster, Workspace, cluster_process
from laid_out import replaced_once
from wrong_version import WrongVersion

ALL = "ALL_WRONG_VERSIONS" in os.environ
PASSES = int(os.environ.get("EXAMPLE_PASSES", "1"))
CHOSEN = (
    "spaces stay",
    "two labels swapped",
    "prints a key",
    "two labels of the model swapped",
    "an empty message is no error",
)


def tried(example: Example) -> list[WrongVersion]:
    return [wrong for wrong in example.wrong if ALL or wrong.name in CHOSEN]


@dataclass
class Site:
    """All examples in one folder, on one cluster."""

    cluster: Cluster
    workspace: Workspace

    @property
    def workflows(self) -> Path:
        return self.workspace.folder / "workflows"

    def published(self, example: Example) -> list[str]:
        """The numbers of the published versions of the example's algorithms."""
        found = [self.cluster.api().algorithms.published("local", Path(source).name) for source in example.sources]
        return [version.number for version in found if version is not None]

    def pack(self) -> None:
        """Write the code archives again, after a change of their sources."""
        subprocess.run([sys.executable, self.workflows / "make_inputs.py", "--archives"], check=True, stdout=subprocess.DEVNULL)

    def refused(self, example: Example, wrong: WrongVersion) -> None:
        """An apply of the wrong version fails the test that is named for it, and publishes nothing of the entrypoint."""
        path = self.workflows / wrong.file
        content = path.read_bytes()
        replaced_once(path, wrong.old, wrong.new)
        self.pack()
        output = self.workspace.apply(f"workflows/{example.workflow}", code=3)
        failed = re.findall(r"^  FAILED   (test\..*?)  +[\d.]+ ?m?s ", output, re.MULTILINE)
        assert failed[0] == address(example, wrong), output
        assert wrong.reason in output
        path.write_bytes(content)
        self.pack()


def address(example: Example, wrong: WrongVersion) -> str:
    entrypoint = Path(example.sources[-1]).name
    return f'test.{entrypoint}["{wrong.test}"]' if wrong.test else f"test.{entrypoint}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(WORKFLOWS, folder / "workflows", ignore=shutil.ignore_patterns("__pycache__"))
    with cluster_process(folder / "cluster") as cluster:
        yield Site(cluster, Workspace(folder, cluster.environ()))


TRIED = [example for example in EXAMPLES.values() if tried(example)]


@pytest.mark.parametrize("example", TRIED, ids=lambda example: example.workflow.partition(".")[0])
def test_no_wrong_version_is_published(site: Site, example: Example) -> None:
    site.workspace.apply(f"workflows/{example.workflow}")
    before = site.published(example)
    for _ in range(PASSES):
        done = site.workspace.run("test", f"workflows/{example.workflow}", timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
    for wrong in tried(example):
        site.refused(example, wrong)
        assert site.published(example)[-1] == before[-1]
    site.workspace.apply(f"workflows/{example.workflow}")
