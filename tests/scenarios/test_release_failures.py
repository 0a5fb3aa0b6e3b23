"""The release on a local cluster: each kind of change with a failed build, a failed test, and `kill -9` around each write.

`kinds/test_release_table.py` has the whole table on a cluster in memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from harness import Cluster, Workspace, cluster_process

CODE = "def apply(input):\n    assert input != 'bad'\n    return input\n"
OLD = {"a.bin": b"old a", "b.bin": b"old b"}


@dataclass
class Site:
    """One published algorithm with two data files. Each test has an algorithm of its own name on one cluster."""

    cluster: Cluster
    workspace: Workspace
    name: str
    files: dict[str, bytes] = field(default_factory=lambda: dict(OLD))
    settings: dict[str, object] = field(default_factory=dict)
    payload: str = "good"

    def write(self) -> None:
        uris = [self.workspace.data("models", name, content) for name, content in self.files.items()]
        own = {"data_files": uris, "test_payload": self.payload, "settings": self.settings}
        self.workspace.write([{"name": self.name, "language": "python3", **own}])
        self.workspace.settle_source()

    def code(self, code: str = CODE, requirements: str = "") -> None:
        self.workspace.algorithm(self.name, code, requirements)

    @property
    def published(self) -> str:
        version = self.cluster.api().algorithms.published("local", self.name)
        assert version is not None
        return version.number

    @property
    def live(self) -> dict[str, bytes]:
        data, found = self.cluster.api().data, {}
        for name in data.files("local", self.name):
            with data.open("local", self.name, name) as download:
                found[name] = b"".join(download.blocks)
        return found

    def is_as_before(self) -> bool:
        """New files stay: nothing that is published reads them."""
        return self.published == "0.1.0" and {name: self.live[name] for name in OLD} == OLD

    def converges(self) -> None:
        self.write()
        self.workspace.apply()
        assert (self.published, self.live, self.workspace.actions()) == ("0.2.0", self.files, {})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_process(tmp_path_factory.mktemp("shared") / "cluster") as cluster:
        yield cluster


@pytest.fixture
def site(running: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Site:
    name = "A" + "".join(filter(str.isalnum, request.node.name))[-60:]
    made = Site(running, Workspace(tmp_path, running.environ()), name)
    made.code()
    made.write()
    made.workspace.apply()
    return made


CHANGES: dict[str, Callable[[Site], object]] = {
    "source": lambda site: site.code(f"{CODE}# changed\n"),
    "settings": lambda site: site.settings.update(network_access="isolated"),
    "one file": lambda site: site.files.update({"a.bin": b"new a"}),
    "several files": lambda site: site.files.update({"a.bin": b"new a!", "b.bin": b"new b!"}),
    "a new file": lambda site: site.files.update({"c.bin": b"new c"}),
}


WHOLE = "WHOLE_RELEASE_TABLE" in os.environ
"""The whole table takes minutes. Otherwise a choice of it runs; the fakes have all of it (`kinds/test_release_table.py`)."""
TRIED = tuple(CHANGES) if WHOLE else ("several files",)


@pytest.mark.parametrize("what", TRIED)
def test_a_failed_build_publishes_nothing(site: Site, what: str) -> None:
    CHANGES[what](site)
    source = site.workspace.folder / "algorithms" / site.name / "requirements.txt"
    source.write_text("this is no requirement\n")
    site.write()
    site.workspace.apply(code=4)
    assert site.is_as_before()
    source.write_text("")
    site.converges()


@pytest.mark.parametrize("what", TRIED)
def test_a_failed_test_publishes_nothing(site: Site, what: str) -> None:
    CHANGES[what](site)
    site.payload = "bad"
    site.write()
    site.workspace.apply(code=3)
    assert site.is_as_before()
    site.payload = "good"
    site.converges()


# In the order of an apply. The files are restored only if the test fails.
POINTS = (
    "push.after@source",
    "record.after@source",
    "overwrite.before@data",
    "overwrite.after@data",
    "record.after@data",
    "publish.before@version",
    "publish.after@version",
    "record.after@version",
    "restore.before@data",
    "restore.after@data",
)


@pytest.mark.parametrize("point", POINTS if WHOLE else ("overwrite.after@data", "restore.before@data"))
def test_a_killed_release_of_several_files_converges(site: Site, point: str) -> None:
    CHANGES["several files"](site)
    site.payload = "bad" if point.startswith("restore") else "better"
    if "source" in point:
        CHANGES["source"](site)
    site.write()
    place = f"{point}.{site.name}" + ('["b.bin"]' if point.endswith("data") else "")
    environ = {"ALGOSYNC_TESTING": "1", "ALGOSYNC_FAILPOINT": f"{place}:kill"}
    site.workspace.apply(code=-9, environ=environ)
    assert site.published == ("0.2.0" if point in POINTS[6:8] else "0.1.0")
    if site.payload == "bad":
        site.workspace.apply(code=3)
        assert site.is_as_before()
    site.payload = "good"
    site.converges()
