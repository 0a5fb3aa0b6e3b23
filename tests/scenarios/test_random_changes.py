"""A few random worlds on a real local cluster: edits on both sides, a process that is killed, and an apply that gets there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from harness import Cluster, Workspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algosync.core.error import NotFound

_numbers = count(1)


class Site:
    """A workflow of up to two algorithms, and what is at the destination."""

    def __init__(self, cluster: Cluster, workspace: Workspace) -> None:
        self.cluster, self.workspace = cluster, workspace
        self.algorithms: dict[str, dict[str, object]] = {}
        cluster.api().data.create_collection(cluster.user, "Theirs")
        cluster.api().data.put(cluster.user, "Theirs", "a.bin", [b"theirs"], 6)

    def add(self, name: str) -> None:
        self.workspace.algorithm(name)
        file = self.workspace.data("models", f"{name}.bin", b"first")
        self.algorithms[name] = {"name": name, "language": "python3", "data_files": [file], "test_payload": 1}

    def remove(self, name: str) -> None:
        if len(self.algorithms) > 1:
            self.algorithms.pop(name, None)

    def write_data(self, name: str) -> None:
        self.workspace.data("models", f"{name}.bin", b"new %d" % next(_numbers))

    def write_code(self, name: str) -> None:
        self.workspace.algorithm(name, f"def apply(input):\n    return {next(_numbers)}\n")

    def write_there(self, name: str) -> None:
        try:
            self.cluster.api().data.put(self.cluster.user, name, f"{name}.bin", [b"drift"], 5)
        except NotFound:
            return

    def push_there(self, name: str) -> None:
        try:
            self.cluster.push_behind(name, "src/more.py", b"%d" % next(_numbers))
        except NotFound:
            return

    def check(self) -> None:
        self.workspace.write(list(self.algorithms.values()))
        self.workspace.apply()
        assert self.workspace.actions() == {}
        data = self.cluster.api().data
        for name in self.algorithms:
            with data.open(self.cluster.user, name, f"{name}.bin") as download:
                there = b"".join(download.blocks)
            assert there == (self.workspace.folder / "source" / "quality" / "models" / f"{name}.bin").read_bytes()
        with data.open(self.cluster.user, "Theirs", "a.bin") as download:
            assert b"".join(download.blocks) == b"theirs"


EDITS: dict[str, Callable[[Site, str], None]] = {
    "add": Site.add,
    "remove": Site.remove,
    "write data": Site.write_data,
    "write code": Site.write_code,
    "write there": Site.write_there,
    "push there": Site.push_there,
}
EDIT = st.tuples(st.sampled_from(sorted(EDITS)), st.sampled_from(["One", "Two"]))
DEATHS = (
    "push.after@source.One",
    "upload.after@data.One",
    "publish.after@version.One",
    "record.before@version.One",
    "state.after@state",
)


def test_random_changes_and_deaths_converge(cluster: Cluster, workspace: Workspace) -> None:
    site = Site(cluster, workspace)
    site.add("One")
    site.add("Two")
    workspace.write(list(site.algorithms.values()))
    workspace.settle_source()

    @settings(deadline=None, derandomize=True, database=None, max_examples=4, suppress_health_check=list(HealthCheck))
    @given(st.lists(EDIT, min_size=1, max_size=3), st.sampled_from(DEATHS))
    def law(edits: list[tuple[str, str]], death: str) -> None:
        """The worlds follow each other at one destination."""
        for what, name in edits:
            EDITS[what](site, name)
        workspace.write(list(site.algorithms.values()))
        environ = {"ALGOSYNC_TESTING": "1", "ALGOSYNC_FAILPOINT": f"{death}:kill"}
        ended = workspace.run("apply", "--auto-approve", environ=environ)
        assert ended.returncode in (0, -9), ended.stderr
        site.check()

    law()
