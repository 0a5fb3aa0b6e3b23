"""What a destination promises about algorithms and their repositories: the fake one and a local cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.clusters import OWNER, FakeAlgorithms
from harness import Cluster, cluster_process

from algosync.cluster.algorithms import Version
from algosync.core.error import ClusterError, Conflict, NotFound, TestFailed
from algosync.core.testing.answer import Answer
from algosync.core.tree import Blob
from algosync.kinds.ports import AlgorithmService, GitRepository

AUTHOR = "Somebody <somebody@localhost>"
CODE = b"def apply(input):\n    if input == 'fail':\n        raise ValueError('no')\n    return input\n"
BODY = {"details": {"label": ""}, "settings": {"algorithm_callability": "private"}, "version_info": {"version_type": "minor"}}


@dataclass(frozen=True)
class Case:
    """A cluster on which no algorithm has the name `name`."""

    algorithms: AlgorithmService
    owner: str
    name: str
    repository: Callable[[], GitRepository]

    def create(self) -> None:
        environment = next(e.id for e in self.algorithms.environments() if e.display_name.startswith("Python 3"))
        settings = {"source_visibility": "closed", "license": "apl", "network_access": "full", "pipeline_enabled": True}
        self.algorithms.create(self.owner, self.name, {"label": "a"}, {**settings, "algorithm_environment": environment})

    def push(self, code: bytes = CODE) -> str:
        repository = self.repository()
        head = repository.head()
        assert head is not None
        tree = {**repository.tree(head), f"src/{self.name}.py": Blob(code), "src/__init__.py": Blob(b"")}
        tree.pop(".adk", None)
        return repository.push(head, tree, author=AUTHOR, message="code")

    def built(self, commit: str) -> str:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            build = self.algorithms.build_of(self.owner, self.name, commit)
            if build is not None and build.status != "in-progress":
                return build.status
            time.sleep(0.05)
        raise AssertionError("the build did not end")

    def call(self, reference: str, payload: str) -> Answer:
        return self.algorithms.call(self.owner, self.name, reference, payload, 60)


def fake(name: str, cluster: Cluster) -> Case:
    algorithms = FakeAlgorithms()
    algorithms.failing_payloads.add('"fail"')
    return Case(algorithms, OWNER, name, lambda: algorithms.algorithms[name].repository)


def local(name: str, cluster: Cluster) -> Case:
    return Case(cluster.api().algorithms, cluster.user, name, lambda: cluster.repository(name))


SERVICES: Mapping[str, Callable[[str, Cluster], Case]] = {"fake": fake, "local": local}


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_process(tmp_path_factory.mktemp("services") / "cluster") as running:
        yield running


@pytest.fixture(params=SERVICES)
def case(request: pytest.FixtureRequest, tmp_path: Path, shared_cluster: Cluster) -> Case:
    name = "".join(part.capitalize() for part in request.function.__name__.split("_"))
    return SERVICES[request.param](name, shared_cluster)


def test_what_is_missing_is_not_found(case: Case) -> None:
    with pytest.raises(NotFound):
        case.algorithms.read(case.owner, case.name)
    with pytest.raises(NotFound):
        case.algorithms.update(case.owner, case.name, {}, {})


def test_created_values_are_read_and_updated(case: Case) -> None:
    case.create()
    info = case.algorithms.read(case.owner, case.name)
    assert (info.details["label"], info.settings["network_access"]) == ("a", "full")
    case.algorithms.update(case.owner, case.name, {"label": "b"}, {**info.settings, "network_access": "isolated"})
    info = case.algorithms.read(case.owner, case.name)
    assert (info.details["label"], info.settings["network_access"]) == ("b", "isolated")


def test_a_new_repository_has_a_template(case: Case) -> None:
    case.create()
    head = case.repository().head()
    assert head is not None
    assert f"src/{case.name}.py" in case.repository().tree(head)
    assert case.algorithms.published(case.owner, case.name) is None


def test_a_push_moves_the_head_and_needs_it(case: Case) -> None:
    case.create()
    repository = case.repository()
    first = repository.head()
    second = case.push()
    assert repository.head() == second != first
    with pytest.raises(Conflict):
        repository.push(first, {"src/x": Blob(b"")}, author=AUTHOR, message="late")
    assert repository.head() == second
    with pytest.raises(NotFound):
        repository.tree("f" * 40)


def test_an_empty_commit_is_a_new_commit_with_the_same_tree(case: Case) -> None:
    case.create()
    repository = case.repository()
    before = case.push()
    after = repository.push(before, repository.tree(before), author=AUTHOR, message="again")
    assert after != before
    assert repository.tree(after) == repository.tree(before)


def test_the_commit_before_the_first_of_an_author_is_found(case: Case) -> None:
    case.create()
    repository = case.repository()
    template = repository.head()
    assert template is not None
    ours = repository.push(template, {**repository.tree(template), "a": Blob(b"1")}, author=AUTHOR, message="1")
    theirs = repository.push(ours, {**repository.tree(ours), "b": Blob(b"1")}, author="Else <x@y>", message="2")
    head = repository.push(theirs, {**repository.tree(theirs), "c": Blob(b"1")}, author=AUTHOR, message="3")
    again = case.repository()
    assert again.before(AUTHOR, head) == template
    assert again.before("Else <x@y>", head) == ours
    assert again.before("Nobody <x@y>", head) is None
    assert again.tree(template) == repository.tree(template)
    written = again.commit(theirs)
    assert (written.author, written.parent) == ("Else <x@y>", ours)
    assert again.commit(head).date >= written.date
    with pytest.raises(NotFound):
        again.commit("f" * 40)


def test_a_pushed_commit_is_built_called_and_published_once(case: Case) -> None:
    case.create()
    commit = case.push()
    assert case.built(commit) == "succeeded"
    case.call(commit, '"fine"')
    with pytest.raises(TestFailed):
        case.call(commit, '"fail"')
    with pytest.raises(NotFound):
        case.call("0.1.0", '"fine"')
    version = case.algorithms.publish(case.owner, case.name, commit, BODY)
    assert (version.commit, case.algorithms.published(case.owner, case.name)) == (commit, version)
    assert isinstance(version, Version)
    case.call(version.number, '"fine"')
    assert case.algorithms.publish(case.owner, case.name, commit, BODY).number == version.number


def test_published_versions_are_listed_with_the_newest_first(case: Case) -> None:
    with pytest.raises(NotFound):
        case.algorithms.versions(case.owner, case.name)
    case.create()
    assert case.algorithms.versions(case.owner, case.name) == []
    commits = []
    for code in (CODE, CODE + b"# again\n"):
        commits.append(case.push(code))
        case.built(commits[-1])
        case.algorithms.publish(case.owner, case.name, commits[-1], BODY)
    case.built(case.push(CODE + b"# never published\n"))
    found = case.algorithms.versions(case.owner, case.name)
    assert [(version.number, version.commit) for version in found] == [("0.2.0", commits[1]), ("0.1.0", commits[0])]
    assert {version.settings["algorithm_callability"] for version in found} == {"private"}


def test_a_commit_without_a_build_is_built_when_asked_for(case: Case) -> None:
    case.create()
    commit = case.push()
    case.built(commit)
    before = case.algorithms.build_of(case.owner, case.name, commit)
    case.algorithms.compile(case.owner, case.name)
    assert case.built(commit) == "succeeded"
    assert case.algorithms.build_of(case.owner, case.name, commit) != before


def test_a_commit_tells_its_author_its_message_and_its_parent(case: Case) -> None:
    case.create()
    repository = case.repository()
    first = repository.head()
    assert first is not None
    assert repository.commit(first).parent is None
    second = repository.push(first, repository.tree(first), author=AUTHOR, message="a title\n\nTrailer: x")
    found = case.repository().commit(second)
    assert (found.parent, found.author, found.message) == (first, AUTHOR, "a title\n\nTrailer: x")
    with pytest.raises(NotFound):
        repository.commit("f" * 40)


def test_an_algorithm_is_deleted_and_its_name_is_free_again(case: Case) -> None:
    case.create()
    case.algorithms.delete(case.owner, case.name)
    with pytest.raises(NotFound):
        case.algorithms.read(case.owner, case.name)
    with pytest.raises(NotFound):
        case.algorithms.delete(case.owner, case.name)
    case.create()


def test_an_algorithm_with_a_public_version_is_not_deleted(case: Case) -> None:
    case.create()
    commit = case.push()
    case.built(commit)
    body = {**BODY, "settings": {"algorithm_callability": "public"}, "version_info": {"version_type": "major"}}
    case.algorithms.publish(case.owner, case.name, commit, body)
    with pytest.raises(ClusterError) as caught:
        case.algorithms.delete(case.owner, case.name)
    assert not isinstance(caught.value, NotFound)
    assert case.algorithms.read(case.owner, case.name)
