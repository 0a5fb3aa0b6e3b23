"""Repositories by the git command (PLATFORM.md §5)."""

import base64
import json
import random
from dataclasses import replace

import pytest
from clients import Git
from replies import Output
from site_under_test import Algorithm, Site

TEMPLATES = {
    "Python 3.7": (True, "python3"),
    "Python 2.7": (False, "python-2.x-1"),
    "Python 3.7 + PyTorch 1.7.x": (False, "python-3.x-1"),
}


def cloned(git: Git, algorithm: Algorithm, *options: str) -> Output:
    """A clone in the folder `work`."""
    return git("clone", *options, git.url(f"{algorithm.path}.git"), "work")


def heads(git: Git, algorithm: Algorithm) -> Output:
    return git("ls-remote", git.url(f"{algorithm.path}.git"))


def test_clone(site: Site, hello: Algorithm, git: Git) -> None:
    reply = cloned(git, hello)
    assert (reply.code, "Cloning into" in reply.stderr) == (0, True)
    head = git("log", "--format=%H %s", folder=git.home / "work")
    assert head.stdout == f"{hello.commit} Algorithmia initial commit\n"
    checked = git("fsck", "--strict", folder=git.home / "work")
    assert (checked.code, checked.stdout) == (0, "")


def test_default_branch(site: Site, hello: Algorithm, git: Git) -> None:
    reply = git("ls-remote", "--symref", git.url(f"{hello.path}.git"))
    expected = f"ref: refs/heads/master\tHEAD\n{hello.commit}\tHEAD\n{hello.commit}\trefs/heads/master\n"
    assert reply.stdout == expected


def test_clone_of_a_version(site: Site, released: dict[str, Algorithm], git: Git) -> None:
    """A clone of a version has its commit and files, even if there are later commits."""
    version = released["0.1.0"]
    reply = git("clone", git.url(f"{version.path}/0.1.0.git"), "work")
    assert reply.code == 0, reply
    head = git("log", "-1", "--format=%H", folder=git.home / "work")
    source = git("show", f"HEAD:src/{version.name}.py", folder=git.home / "work")
    assert (head.stdout, source.stdout) == (f"{version.commit}\n", "def apply(input):\n    return '0.1.0'\n")


def test_shallow_clone(site: Site, released: dict[str, Algorithm], git: Git) -> None:
    reply = cloned(git, released["commit"], "--depth=1")
    assert reply.code == 0, reply
    count = git("rev-list", "--count", "HEAD", folder=git.home / "work")
    assert count.stdout == "1\n"


def test_fetch(site: Site, git: Git) -> None:
    made = site.created()
    reply = cloned(git, made)
    assert reply.code == 0, reply
    pushed = site.pushed(made, {"README.md": "from elsewhere"})
    fetched = git("pull", "--ff-only", folder=git.home / "work")
    head = git("rev-parse", "HEAD", folder=git.home / "work")
    assert (fetched.code, head.stdout) == (0, f"{pushed.commit}\n")


@pytest.mark.parametrize("key", ["", "wrong/key+="])
def test_authentication(site: Site, hello: Algorithm, git: Git, key: str) -> None:
    reply = git("ls-remote", git.url(f"{hello.path}.git", key))
    asked = "could not read Username" in reply.stderr or "Authentication failed" in reply.stderr
    assert (reply.code, reply.stdout, asked) == (128, "", True)


def test_authentication_is_requested(site: Site, hello: Algorithm) -> None:
    path = f"/git/{hello.path}.git/info/refs?service=git-upload-pack"
    reply = site.curl("GET", path, headers={"Authorization": ""})
    assert (reply.status, reply.headers.get("www-authenticate", "").split(" ")[0]) == (401, "Basic")


def test_strangers_are_refused(site: Site, hello: Algorithm, git: Git) -> None:
    theirs = replace(git, user="stranger", key=site.other)
    reply = theirs("ls-remote", theirs.url(f"{hello.path}.git"))
    assert (reply.code, reply.stdout, "returned error: 403" in reply.stderr) == (128, "", True)


def test_key_in_the_url_is_percent_encoded(site: Site, hello: Algorithm, git: Git) -> None:
    """A key may contain a slash. The Basic header contains the decoded key."""
    key = site.cluster.add_key(form="base64") if site.cluster else "sim/+="
    reply = git("ls-remote", git.url(f"{hello.path}.git", key), "HEAD")
    assert reply.stdout == f"{hello.commit}\tHEAD\n"


def test_missing_repository(site: Site, git: Git) -> None:
    credentials = base64.b64encode(f"{site.user}:{git.key}".encode()).decode()
    path = f"/git/{site.user}/None.git/info/refs?service=git-upload-pack"
    said = site.curl("GET", path, headers={"Authorization": f"Basic {credentials}"})
    assert (said.status, isinstance(said.at("error", "message"), str)) == (404, True)
    reply = git("ls-remote", git.url(f"{site.user}/None.git"))
    assert (reply.code, reply.stderr.rstrip().endswith("/None.git/' not found")) == (128, True)


def pushed(
    site: Site, git: Git, files: dict[str, str | bytes], *options: str, branch: str = "master"
) -> tuple[Algorithm, str, Output]:
    """A new algorithm, a commit on top of its first one, and the result of its push."""
    made = site.created()
    work = git.home / "work"
    if cloned(git, made).code:
        work.mkdir(exist_ok=True)
    commit = git.commit(work, files).stdout.strip()
    return made, commit, git(*options, "push", "origin", f"HEAD:refs/heads/{branch}", folder=work)


def test_push_builds_once(site: Site, git: Git) -> None:
    made, commit, reply = pushed(site, git, {"README.md": "one", ".adk": ""})
    assert (reply.code, "master" in reply.stderr) == (0, True)
    builds = site.finished(made, commit)
    assert [(each["commit_sha"], each["status"]) for each in builds.each("results")] == [(commit, "succeeded")]


def test_the_build_exists_when_the_push_returns(site: Site, git: Git) -> None:
    made, commit, reply = pushed(site, git, {"README.md": "one"})
    assert reply.code == 0, reply
    read = site.curl("GET", made.url)
    assert read.at("version_info", "git_hash") == commit != ""


def test_push_shows_the_build(site: Site, git: Git) -> None:
    _, _, reply = pushed(site, git, {"README.md": "one"})
    lines = [line for line in reply.stderr.splitlines() if line.startswith("remote: ")]
    begins, ends = (any(words in line for line in lines) for words in ("Building", "Build succeeded"))
    assert (reply.code, begins, ends) == (0, True, True)


def test_several_commits_are_one_build(site: Site, git: Git) -> None:
    made = site.created()
    work = git.home / "work"
    reply = cloned(git, made)
    assert reply.code == 0, reply
    commits = [git.commit(work, {"README.md": text}).stdout.strip() for text in ("one", "two", "three")]
    git("push", "origin", "HEAD:refs/heads/master", folder=work)
    builds = site.finished(made, commits[-1])
    assert [each["commit_sha"] for each in builds.each("results")] == [commits[-1]]


def test_other_branches_are_not_built(site: Site, git: Git) -> None:
    made, commit, reply = pushed(site, git, {"README.md": "one"}, branch="other")
    assert reply.code == 0, reply
    refs = heads(git, made)
    assert f"{commit}\trefs/heads/other" in refs.stdout.splitlines(), refs
    builds = site.curl("GET", f"{made.url}/builds")
    assert builds.at("results") == []


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_history_is_not_rewritten(site: Site, git: Git, force: list[str]) -> None:
    made = site.created()
    work = git.home / "work"
    reply = cloned(git, made)
    assert reply.code == 0, reply
    ahead = site.pushed(made, {"README.md": "ahead"})
    git.commit(work, {"README.md": "other"})
    refused = git("push", *force, "origin", "HEAD:refs/heads/master", folder=work)
    assert (refused.code, "rejected" in refused.stderr) == (1, True)
    refs = heads(git, made)
    assert f"{ahead.commit}\trefs/heads/master" in refs.stdout.splitlines(), refs


def test_large_push_in_chunks(site: Site, git: Git) -> None:
    """git sends a body above `http.postBuffer` in chunks. The content cannot be compressed."""
    content = random.Random(4).randbytes(6 * 1024 * 1024)
    made, commit, reply = pushed(site, git, {"model.bin": content}, "-c", "http.postBuffer=65536")
    assert (reply.code, "master" in reply.stderr) == (0, True)
    refs = heads(git, made)
    assert f"{commit}\trefs/heads/master" in refs.stdout.splitlines(), refs


@pytest.mark.parametrize("environment", sorted(TEMPLATES))
def test_template_of_a_new_algorithm(site: Site, git: Git, environment: str) -> None:
    has_adk, language = TEMPLATES[environment]
    made = site.created(environment)
    reply = cloned(git, made)
    assert reply.code == 0, reply
    files = git("ls-files", folder=git.home / "work")
    usual = ["algorithmia.conf", "requirements.txt", f"src/{made.name}.py", f"src/{made.name}_test.py", "src/__init__.py"]
    assert sorted(files.stdout.split()) == sorted([*usual, ".adk"] if has_adk else usual)
    conf = git("show", "HEAD:algorithmia.conf", folder=git.home / "work")
    assert json.loads(conf.stdout) == {"username": site.user, "algoname": made.name, "langauge": language}, conf


def test_initial_commit_is_the_owners(site: Site, git: Git) -> None:
    reply = cloned(git, site.created())
    assert reply.code == 0, reply
    author = git("log", "--format=%an", folder=git.home / "work")
    assert author.stdout == f"{site.user}\n"


def test_members_push_to_repositories_of_organizations(site: Site, git: Git) -> None:
    made = Algorithm(site.organization, site.name("Made"))
    site.curl("POST", f"/v1/algorithms/{site.organization}", site.creation(made.name))
    reply = cloned(git, made)
    assert reply.code == 0, reply
    commit = git.commit(git.home / "work", {"README.md": "a member's"}).stdout.strip()
    reply = git("push", "origin", "HEAD:refs/heads/master", folder=git.home / "work")
    assert reply.code == 0, reply
    builds = site.finished(made, commit)
    assert [(each["commit_sha"], each["status"]) for each in builds.each("results")] == [(commit, "succeeded")]
