"""What somebody changes while an apply runs, after its plan and before its own write: exit 4, and it is not overwritten."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from harness import Cluster, Workspace

QUESTION = "Enter a value: "


@contextmanager
def asked(workspace: Workspace) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """An apply at a terminal, which has shown its plan and waits for an answer. Yields its process and the terminal."""
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "algosync", "apply"],
        cwd=workspace.folder,
        env={**workspace.environment(), "CI": "", "NO_COLOR": "1", "TERM": "dumb"},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        try:
            shown = b""
            while not shown.endswith(QUESTION.encode()):
                shown += os.read(ours, 1)
            yield process, ours
        finally:
            process.kill()
            os.close(ours)


def rest_of(terminal: int) -> str:
    """What is written to the terminal until its process ends."""
    shown = b""
    with suppress(OSError):  # this is how a terminal ends
        while block := os.read(terminal, 4096):
            shown += block
    return shown.decode()


def changed_by_hand(cluster: Cluster) -> None:
    api = cluster.api()
    now = api.algorithms.read("local", "Settings")
    api.algorithms.update("local", "Settings", {**now.details, "label": "by hand"}, now.settings)
    api.data.put("local", "Data", "w.bin", [b"by hand"], 7)
    cluster.push_behind("Source", "src/Source.py", b"by hand")


def test_what_moved_is_named_and_not_overwritten(cluster: Cluster, workspace: Workspace) -> None:
    names = ("Settings", "Data", "Source", "Fine")

    def write(uri: str, label: str) -> None:
        given: dict[str, dict[str, object]] = {"Settings": {"details": {"label": label}}, "Data": {"data_files": [uri]}}
        workspace.write([{"name": name, "language": "python3", **given.get(name, {})} for name in names])

    for name in names:
        workspace.algorithm(name)
    write(workspace.data("models", "w.bin", b"one"), "one")
    workspace.apply()
    write(workspace.data("models", "w.bin", b"two, longer"), "two")
    for name in ("Source", "Fine"):
        workspace.algorithm(name, "def apply(input):\n    return 2\n")
    with asked(workspace) as (process, terminal):
        changed_by_hand(cluster)
        os.write(terminal, b"yes\n")
        shown = rest_of(terminal)
        assert process.wait(120) == 4, shown
    for moved in ("algorithm.Settings: somebody changed its label", 'data.Data["w.bin"]: somebody changed it', "source.Source: "):
        assert f"Error: {moved}" in shown
    api, repository = cluster.api(), cluster.repository("Source")
    assert api.algorithms.read("local", "Settings").details["label"] == "by hand"
    with api.data.open("local", "Data", "w.bin") as download:
        assert b"".join(download.blocks) == b"by hand"
    head = repository.head()
    assert head is not None
    assert repository.tree(head)["src/Source.py"].data == b"by hand"
    fine = api.algorithms.published("local", "Fine")
    assert fine is not None
    assert fine.number == "0.2.0"
    assert {'data.Data["w.bin"]', "algorithm.Settings", "source.Source"} <= workspace.actions().keys()
