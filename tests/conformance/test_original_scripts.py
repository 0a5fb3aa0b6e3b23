"""The flow of public scripts from before July 2021.

They create an algorithm, clone it, replace `src/` and `requirements.txt` only, push, poll the version, publish and call it.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import Curl, Git
from harness import cluster_process
from replies import Answer
from site_under_test import SETTINGS, Algorithm, Site

PLAIN = "def apply(input):\n    return 'hello ' + input\n"
JSON = {"Content-Type": "application/json"}
EDGE = "/v1/algorithm-environments/edge"
OLD = "/webapi/v1/algorithm-environments"


@pytest.fixture(scope="module")
def old_site(site: Site, tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Site]:
    """A cluster whose templates have no `.adk`."""
    if site.cluster is None:
        yield site
        return
    with cluster_process(tmp_path_factory.mktemp("old") / "root", "tester", plain_templates=True) as cluster:
        yield Site(Curl(cluster.url, cluster.key, home), cluster.user, cluster.key, cluster.key, cluster)


def created(site: Site, **selected: object) -> Algorithm:
    """A new algorithm with these settings."""
    name = site.name("Early")
    reply = site.curl(
        "POST", f"/v1/algorithms/{site.user}", {"name": name, "details": {"label": name}, "settings": {**SETTINGS, **selected}}
    )
    return Algorithm(site.user, name, reply.at("id"))


def replaced(git: Git, folder: Path, name: str) -> str:
    """Commit a new source and new requirements, as the scripts do, and nothing else. Returns the id of the commit."""
    shutil.rmtree(folder / "src")
    return git.commit(folder, {"src/__init__.py": "", f"src/{name}.py": PLAIN, "requirements.txt": ""}).stdout.strip()


def polled(site: Site, made: Algorithm, commit: str) -> Answer:
    """The answer of the pushed version once it is built. Until then the error contains these words, as the scripts expect."""
    path = f"/v1/algo/{made.path}/{commit}"
    return site.until(lambda: site.curl("POST", path, '"you"', JSON), lambda answer: b"version hash" not in answer.body)


def test_legacy_language(site: Site, git: Git) -> None:
    made = created(site, language="python3-1")
    reply = git("clone", git.url(f"{made.path}.git"), "work")
    assert reply.code == 0, reply
    template = git("ls-files", folder=git.home / "work")
    assert "requirements.txt" in template.stdout
    commit = replaced(git, git.home / "work", made.name)
    pushed = git("push", "origin", "master", folder=git.home / "work")
    answer = polled(site, made, commit)
    published = site.curl("POST", f"{made.url}/versions", {"version_info": {"version_type": "minor"}})
    live = site.curl("POST", f"/v1/algo/{made.path}/latestPrivate", '"all"', JSON)
    assert (pushed.code, answer.at("result"), published.status, live.at("result")) == (0, "hello you", 200, "hello all")


@pytest.mark.parametrize("environment", ["Python 3.7", "Python 3.8", "Python 3.7 + PyTorch 1.7.x"])
def test_template_before_the_adk(old_site: Site, tmp_path: Path, environment: str) -> None:
    git = Git(old_site.curl.address, old_site.user, old_site.curl.key, tmp_path)
    made = created(old_site, algorithm_environment=old_site.environment(environment))
    reply = git("clone", git.url(f"{made.path}.git"), "work")
    assert reply.code == 0, reply
    template = git("ls-files", folder=tmp_path / "work")
    assert "requirements.txt" in template.stdout
    commit = replaced(git, tmp_path / "work", made.name)
    pushed = git("push", "origin", "master", folder=tmp_path / "work")
    answer = polled(old_site, made, commit)
    assert (pushed.code, answer.at("result")) == (0, "hello you")


def test_available_environment_is_polled_by_its_id(site: Site) -> None:
    """The original tool polls the installation by the id in the list of available environments."""
    bare = {"Authorization": site.admin}
    available = site.curl("GET", f"{OLD}/environments/available", headers=bare)
    identifier = available.at(0, "id")
    specification = available.at(0, "environment_specification_id")
    syncs = f"{OLD}/environment-specifications/{specification}/syncs"
    started = site.curl("POST", syncs, headers=bare)
    assert started.status == 202, started
    reply = site.until(
        lambda: site.curl("GET", f"{syncs}/{identifier}", headers=bare), lambda reply: reply.at("sync_result") == "succeeded"
    )
    site.curl("DELETE", f"{EDGE}/environment-specifications/{specification}", headers=bare)  # other tests install it, too
    assert reply.at("sync_result") == "succeeded", reply
