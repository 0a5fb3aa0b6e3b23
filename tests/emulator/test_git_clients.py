"""Further operations of git clients: versions, tags, concurrent pushes, TLS, `Expect: 100-continue`."""

import base64
import contextlib
import random
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import DEADLINE, Emulator, emulator
from gitwork import Work, git, needs_git, url

PLAIN: dict[str, str | bytes | None] = {"requirements.txt": "", ".adk": None}


@pytest.fixture(scope="module")
def released(site: Emulator) -> tuple[str, str]:
    """The commits of the private version 0.1.0 and of a later unpublished build."""
    site.create("Released")
    commits = []
    for text in ("one", "two"):
        commits.append(site.push("Released", {**(PLAIN if text == "one" else {}), "file": text}))
        assert site.build_of("Released", commits[-1])["status"] == "succeeded"
        if text == "one":
            assert site.publish("Released").status == 200
    return commits[0], commits[1]


@needs_git
def test_versions_can_be_cloned_but_not_pushed_to(site: Emulator, released: tuple[str, str], tmp_path: Path) -> None:
    version, later = released
    for reference, commit in (("0.1.0", version), ("latestPrivate", version), (version, version), (later, later)):
        listed = git(tmp_path, "ls-remote", url(site, f"local/Released/{reference}")).stdout
        assert listed == f"{commit}\tHEAD\n{commit}\trefs/heads/master\n"
    git(tmp_path, "clone", "-q", "--depth=1", url(site, "local/Released/0.1.0"), "work")
    work = tmp_path / "work"
    assert (work / "file").read_text() == "one"
    assert git(tmp_path, "rev-list", "--count", "HEAD", folder=work).stdout == "1\n"
    git(tmp_path, "fetch", "-q", "--unshallow", folder=work)
    assert git(tmp_path, "rev-list", "--count", "HEAD", folder=work).stdout == "2\n"
    git(tmp_path, "fsck", "--strict", folder=work)
    refused = git(tmp_path, "push", "origin", "master", folder=work, code=128)
    assert "returned error: 403" in refused.stderr


def test_missing_versions_cannot_be_cloned(site: Emulator, released: tuple[str, str]) -> None:
    credentials = base64.b64encode(f"{site.user}:{site.key}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    for path, status in (
        ("local/Released/0.2.0", 404),
        ("local/Released/latest", 404),
        (f"local/Released/{'0' * 40}", 404),
        ("local/None/0.1.0", 404),
        ("other/Released/0.1.0", 403),
    ):
        assert site.request("GET", f"/git/{path}.git/info/refs?service=git-upload-pack", headers=headers).status == status, path
    pushed = site.request(
        "POST",
        "/git/local/Released/0.1.0.git/git-receive-pack",
        b"0000",
        {**headers, "Content-Type": "application/x-git-receive-pack-request"},
    )
    assert pushed.status == 404


def test_only_the_commit_of_a_version_can_be_fetched(site: Emulator, released: tuple[str, str]) -> None:
    credentials = base64.b64encode(f"{site.user}:{site.key}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-git-upload-pack-request"}
    answers = {}
    for commit in released:
        line = f"want {commit} side-band-64k ofs-delta thin-pack\n"
        body = f"{len(line) + 4:04x}{line}00000009done\n".encode()
        reply = site.request("POST", "/git/local/Released/0.1.0.git/git-upload-pack", body, headers)
        answers[commit] = reply.status, b"PACK" in reply.body
    assert answers == {released[0]: (200, True), released[1]: (400, False)}


@needs_git
def test_tags_cannot_be_moved(site: Emulator, tmp_path: Path) -> None:
    site.create("Tagged")
    work = Work(site, "Tagged", tmp_path / "work")
    head = work.head()
    work.run("tag", "light")
    work.run("tag", "-a", "-m", "full", "full")
    work.run("push", "-q", "origin", "--tags")
    listed = work.run("ls-remote", "--tags", "origin").stdout.splitlines()
    full = work.run("rev-parse", "full").stdout.strip()
    assert listed == [f"{full}\trefs/tags/full", f"{head}\trefs/tags/full^{{}}", f"{head}\trefs/tags/light"]
    again = Work(site, "Tagged", tmp_path / "again")
    assert again.run("tag").stdout.split() == ["full", "light"]
    assert again.run("describe").stdout == "full\n"
    again.commit("file", "x")
    again.run("tag", "-f", "light")
    refused = again.run("push", "--force", "origin", "light", code=1).stderr
    assert "light -> light (already exists)" in refused
    assert site.get("/v1/algorithms/local/Tagged/builds")["results"] == []


def outcomes(pushes: list[contextlib.AbstractContextManager[subprocess.Popen[str]]]) -> tuple[list[str], list[int]]:
    """The stderr and exit codes of concurrent pushes."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(push) for push in pushes]
        said = [push.communicate(timeout=DEADLINE)[1] for push in running]
    return said, [push.returncode for push in running]


@needs_git
def test_one_of_several_concurrent_pushes_succeeds(site: Emulator, tmp_path: Path) -> None:
    site.create("Busy")
    base = site.push("Busy", PLAIN)
    works = [Work(site, "Busy", tmp_path / f"work{number}") for number in range(4)]
    commits = [work.commit("file", str(number)) for number, work in enumerate(works)]
    said, codes = outcomes([work.pushing() for work in works])
    assert sorted(codes) == [0, 1, 1, 1], said
    assert all("rejected" in text for text, code in zip(said, codes, strict=True) if code)
    first = commits[codes.index(0)]
    assert site.fetch("Busy")[1] == first.encode()
    site.build_of("Busy", first)
    built = [build["commit_sha"] for build in site.get("/v1/algorithms/local/Busy/builds")["results"]]
    assert built == [first, base]
    assert outcomes([work.pushing(f"refs/heads/branch{number}") for number, work in enumerate(works)])[1] == [0] * 4
    works[0].run("fsck", "--strict")
    assert len(site.get("/v1/algorithms/local/Busy/builds")["results"]) == 2


@needs_git
def test_a_large_push_over_tls(tmp_path: Path, environments: Path) -> None:
    with emulator(tmp_path / "root", environments, "--tls") as site:
        site.create("Safe")
        refused = git(tmp_path, "ls-remote", url(site, "local/Safe"), code=128)
        assert "certificate" in refused.stderr
        work = Work(site, "Safe", tmp_path / "work", {"http.sslCAInfo": str(site.ca_cert)})
        work.commit("requirements.txt", "")
        commit = work.commit("model.bin", random.Random(7).randbytes(3_000_000))
        with work.pushing() as push:
            assert push.stderr is not None
            said = [line.rstrip() for line in push.stderr]
        assert push.returncode == 0, said
        assert [line for line in said if line.startswith("remote:")][-1] == "remote: Build succeeded"
        assert site.get("/v1/algorithms/local/Safe")["version_info"]["git_hash"] == commit


@pytest.mark.parametrize("framing", [b"Content-Length: 4\r\n", b"Transfer-Encoding: chunked\r\n"], ids=["length", "chunked"])
def test_a_client_that_expects_100_continue(site: Emulator, framing: bytes) -> None:
    """git and curl send this before large bodies."""
    site.create(f"Expecting{len(framing)}")
    credentials = base64.b64encode(f"{site.user}:{site.key}".encode())
    head = (
        b"POST /git/local/Expecting%d.git/git-receive-pack HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\n"
        b"Content-Type: application/x-git-receive-pack-request\r\nExpect: 100-continue\r\nConnection: close\r\n%s\r\n"
    ) % (len(framing), site.host.encode(), credentials, framing)
    host, _, port = site.host.rpartition(":")
    with contextlib.closing(socket.create_connection((host, int(port)), DEADLINE)) as connection:
        connection.sendall(head)
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"0000" if b"Length" in framing else b"4\r\n0000\r\n0\r\n\r\n")
        assert b"".join(_received(connection)).startswith(b"HTTP/1.1 200 OK\r\n")


def _received(connection: socket.socket) -> Iterator[bytes]:
    while data := connection.recv(65536):
        yield data
