"""The reference apply: two algorithms, one of which calls the other, three data files, and everything from a source cluster.

A lane is one source and one destination cluster, each with a faults file, and a process that forks algosync. The runs in a lane are
sequential. Each run has its own user on the destination, so it finds nothing but its own data there.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from os import SEEK_END
from pathlib import Path

from forking import Done, Forks, forks
from harness import Cluster, cluster_process

from algosync.cluster.address import parse
from algosync.cluster.connection import Cluster as Connection
from algosync.cluster.connection import connect
from algosync.core.credential import credential
from algosync.core.error import NotFound
from algosync.git import Repository
from algosync.net import Net

__all__ = ["ALGORITHMS", "FILES", "SOURCES", "Lane", "Seat", "lane", "workflow"]

ALGORITHMS = ("Base", "Top")
FILES = {"big.bin": bytes(range(251)) * 1200, "small.bin": b"small", "empty.bin": b""}
SOURCES = {
    name: {
        f"src/{name}.py": f"def apply(input):\n    return ['{name}', input]\n".encode(),
        "src/__init__.py": b"",
        "requirements.txt": b"",
    }
    for name in ALGORITHMS
}
_ENVIRONMENT = "Python 3.8"
_SETTINGS = {"source_visibility": "closed", "license": "apl", "network_access": "isolated", "pipeline_enabled": False}


@dataclass
class Seat:
    """The environment of one run: a folder, and a user of the lane's destination."""

    lane: Lane
    user: str
    key: str
    folder: Path
    source_key: str

    def run(self, *arguments: str) -> Done:
        environ = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
            "COLUMNS": "200",
            "DESTINATION_API_ADDRESS": self.lane.destination.url,
            "DESTINATION_API_KEY": self.key,
            "SOURCE_API_ADDRESS": self.lane.source.url,
            "SOURCE_API_KEY": self.source_key,
        }
        return self.lane.forks.run(self.folder, environ, *arguments)

    def apply(self, *options: str) -> Done:
        return self.run("apply", *options, "--auto-approve", "--request-timeout", "3", "--build-timeout", "6")

    def destroy(self) -> Done:
        return self.run("destroy", "--auto-approve", "--request-timeout", "3")

    def follow(self, content: Mapping[str, object]) -> None:
        """Make this the workflow."""
        (self.folder / "workflow.json").write_text(json.dumps(content, indent=2))

    def renew_keys(self) -> None:
        """Replace the keys, as a user would after they have expired."""
        self.key, self.source_key = self.lane.destination.add_key(self.user), self.lane.source.add_key()

    @cached_property
    def api(self) -> Connection:
        """Our own client with its own key, because the keys of the run may expire."""
        key = credential(self.lane.destination.add_key(self.user), "test")
        return connect(parse(self.lane.destination.url, "test"), key, Net())

    @cached_property
    def repositories(self) -> Mapping[str, Repository]:
        wire, url = self.api.wire, f"{self.lane.destination.url}/git/{self.user}"
        return {name: Repository(f"{url}/{name}.git", self.user, wire.credential, wire.host) for name in ALGORITHMS}

    def clear(self) -> None:
        """End what the cluster runs for this seat."""
        wire = self.api.wire
        for name in ALGORITHMS:
            try:
                wire.json("DELETE", f"/v1/algorithms/{self.user}/{name}")
            except NotFound:
                continue


@dataclass
class Lane:
    """`faults` and `source_faults` are the files that the clusters read."""

    folder: Path
    source: Cluster
    destination: Cluster
    forks: Forks
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def seat(self) -> Seat:
        number = next(self._numbers)
        user, folder = f"user{number}", self.folder / f"seat{number}"
        (folder / "tmp").mkdir(parents=True)
        seat = Seat(self, user, self.destination.add_key(user), folder, self.source.add_key())
        seat.follow(workflow())
        # The second algorithm exists already, empty and with other settings and an ACL, so one is created and one updated.
        environments = seat.api.algorithms.environments()
        chosen = next(each for each in environments if each.display_name == _ENVIRONMENT)
        settings = {"algorithm_environment": chosen.id, **_SETTINGS, "network_access": "full"}
        seat.api.algorithms.create(user, "Top", {"label": "Top", "summary": "", "tagline": ""}, settings)
        seat.api.data.create_collection(user, "Top", ())
        return seat

    @contextmanager
    def requested(self) -> Iterator[list[Mapping[str, object]]]:
        """Collect the requests of both clusters while the body runs; complete when it has ended."""
        found: list[Mapping[str, object]] = []
        logs = [(cluster.root / "requests.jsonl").open("rb") for cluster in (self.source, self.destination)]
        for log in logs:
            log.seek(0, SEEK_END)
        yield found
        for log in logs:
            with log:
                found += map(json.loads, log)

    def strike(self, source: Sequence[Mapping[str, object]] = (), destination: Sequence[Mapping[str, object]] = ()) -> None:
        """Replace all faults with these."""
        for cluster, rules in ((self.source, source), (self.destination, destination)):
            _write_faults(_fault_file(cluster.root), rules)


def workflow() -> dict[str, object]:
    common = {"language": _ENVIRONMENT, "settings": _SETTINGS}
    return {
        "algorithms": [
            {
                "name": "Base",
                **common,
                "code": "data://.my/code/Base.tar.gz",
                "data_files": [f"data://.my/models/{name}" for name in FILES],
                "test_payload": "base",
            },
            {
                "name": "Top",
                **common,
                "code": "data://.my/code/Top.tar.gz",
                "test_payload": "top",
                "depends_on": ["Base"],
                "collection": {"read": "public"},
            },
        ],
        "test_info": {"entrypoint": "Top", "tests": [{"name": "answers", "payload": "hello", "timeout": 2}]},
    }


def _archive(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)


def _fault_file(root: Path) -> Path:
    return root.with_name(f"{root.name}.faults.json")


def _write_faults(path: Path, rules: Sequence[Mapping[str, object]]) -> None:
    """Replace the file atomically: a cluster never reads half of it."""
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(list(rules)))
    new.replace(path)


@contextmanager
def lane(folder: Path) -> Iterator[Lane]:
    """A lane whose source is filled, and old enough for its stamps to be trusted."""
    folder.mkdir()
    with ExitStack() as stack:
        clusters = []
        for name in ("source", "destination"):
            root = folder / name
            _write_faults(_fault_file(root), ())
            clusters.append(stack.enter_context(cluster_process(root, faults=_fault_file(root))))
        source, destination = clusters
        api = source.api().data
        content = {"code": {f"{name}.tar.gz": _archive(files) for name, files in SOURCES.items()}, "models": FILES}
        for collection, files in content.items():
            api.create_collection(source.user, collection)
            for name, data in files.items():
                api.put(source.user, collection, name, [data] if data else [], len(data))
        made = Lane(folder, source, destination, stack.enter_context(forks(short_pauses=True)))
        time.sleep(4.1)  # a file's time has whole seconds, and cannot be set
        yield made
