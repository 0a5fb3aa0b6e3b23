"""Failures between a repository and us have a typed error and reveal no secret."""

from __future__ import annotations

import base64
import os
import random
import re
import subprocess
import sys
import threading
import traceback
from typing import TYPE_CHECKING

import pytest
from gitserver import KEY, PREFIX, USER, Answer, host_of

from algosync.core.credential import credential
from algosync.core.error import ClusterError, Conflict, Denied, NotFound, SourceError, Throttled, TimedOut, Unexpected, Unreachable
from algosync.core.tree import Blob
from algosync.git import Repository

if TYPE_CHECKING:
    from pathlib import Path

    from gitserver import GitServer

AUTHOR = "algosync <quality@algosync.invalid>"
TREE = {"src/Hello.py": Blob(b"def apply(input):\n    return input\n")}
PUSH = "POST git-receive-pack"
ADVERTISED = {"Content-Type": "application/x-git-upload-pack-advertisement"}


def _text_of(error: BaseException) -> str:
    """Return everything that could be printed of an error."""
    return "".join(traceback.format_exception(error)) + repr(error)


def _hides_the_key(error: BaseException) -> bool:
    encoded = base64.b64encode(f"{USER}:{KEY}".encode()).decode()
    return not any(secret in _text_of(error) for secret in (KEY, encoded))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Denied),
        (403, Denied),
        (404, NotFound),
        (409, Conflict),
        (429, Throttled),
        (503, Throttled),
        (500, Unexpected),
        (204, Unexpected),
    ],
)
def test_each_status_has_its_error(server: GitServer, status: int, expected: type[ClusterError]) -> None:
    server.before = lambda request: Answer(status, {}, b"")
    with pytest.raises(expected) as caught:
        server.client().head()
    assert type(caught.value) is expected
    assert caught.value.status == status
    assert _hides_the_key(caught.value)


def test_a_wrong_key_is_denied(server: GitServer) -> None:
    wrong = KEY[::-1]
    with pytest.raises(Denied) as caught:
        server.client(key=wrong).head()
    assert wrong not in _text_of(caught.value)


def test_another_repository_is_not_found(server: GitServer) -> None:
    server.url = server.url.replace(PREFIX, "/git/quality/Missing.git")
    with pytest.raises(NotFound):
        server.client().head()


def test_a_closed_port_is_unreachable(server: GitServer) -> None:
    server.url = f"http://127.0.0.1:1{PREFIX}"
    with pytest.raises(Unreachable) as caught:
        server.client().head()
    message = f"GET {PREFIX}/info/refs: 127.0.0.1:1 cannot be reached: Connection refused (tried 6 times)"
    assert caught.value.message == message


def test_a_server_that_does_not_reply_is_unreachable(server: GitServer) -> None:
    ended = threading.Event()

    def wait(request: str) -> None:
        ended.wait(60)

    server.before = wait
    ours = Repository(server.url, USER, credential(KEY, "test"), host_of(server.url, 0.2))
    with pytest.raises(TimedOut):
        ours.head()
    ended.set()


def test_no_redirect_is_followed(server: GitServer) -> None:
    server.before = lambda request: Answer(302, {"Location": f"{server.url}/elsewhere"}, b"")
    with pytest.raises(Unexpected, match="redirects are never followed"):
        server.client().head()
    assert len(server.requests) == 1


def test_a_reply_of_another_server_is_refused_with_its_content_type(server: GitServer) -> None:
    server.before = lambda request: Answer(200, {"Content-Type": "text/html\x1b[2J"}, b"<html>")
    with pytest.raises(Unexpected) as caught:
        server.client().head()
    assert caught.value.message.endswith("is not a git server: it answers with text/html\\x1b[2J (tried 6 times)")


def test_compressed_replies_are_refused(server: GitServer) -> None:
    server.before = lambda request: Answer(200, ADVERTISED | {"Content-Encoding": "gzip"}, b"")
    with pytest.raises(Unexpected, match="encoded"):
        server.client().head()


def test_an_endless_list_of_branches_is_refused(server: GitServer) -> None:
    lines = [b"1" * 40 + b" refs/heads/branch%07d\n" % number for number in range(300_000)]
    body = b"001e# service=git-upload-pack\n0000" + b"".join(b"%04x%s" % (len(line) + 4, line) for line in lines)
    server.before = lambda request: Answer(200, ADVERTISED, body)
    with pytest.raises(SourceError, match="sends more than"):
        server.client().head()


def _cut(server: GitServer, wanted: str, place: int) -> None:
    def after(request: str, answer: Answer) -> Answer:
        if request == wanted:
            answer.cut = place
        return answer

    server.after = after


@pytest.mark.parametrize("place", [0, 1, 30, 100])
def test_a_truncated_reply_is_unreachable(server: GitServer, place: int) -> None:
    commit = server.client().push(None, TREE, author=AUTHOR, message="1")
    ours = server.client()
    _cut(server, "POST git-upload-pack", place)
    with pytest.raises(Unreachable):
        ours.tree(commit)


@pytest.mark.parametrize("place", [0, 10])
def test_a_push_whose_reply_is_lost_has_happened(server: GitServer, place: int) -> None:
    _cut(server, PUSH, place)
    commit = server.client().push(None, TREE, author=AUTHOR, message="1")
    assert server.client().head() == commit
    assert server.requests.count(PUSH) == 1


def test_a_push_reported_as_failed_has_happened_if_the_branch_moved(server: GitServer) -> None:
    server.after = lambda request, answer: Answer(500, {}, b"") if request == PUSH else answer
    commit = server.client().push(None, TREE, author=AUTHOR, message="1")
    assert server.client().head() == commit


def test_a_push_that_never_arrived_raises_its_failure(server: GitServer) -> None:
    server.before = lambda request: Answer(500, {}, b"") if request == PUSH else None
    with pytest.raises(Unexpected, match="git-receive-pack: 500"):
        server.client().push(None, TREE, author=AUTHOR, message="1")
    assert server.client().head() is None


def test_a_push_below_a_later_commit_is_not_a_refusal(server: GitServer) -> None:
    first = server.client().push(None, TREE, author=AUTHOR, message="1")
    ours = server.client()
    ours.tree(first)

    def after(request: str, answer: Answer) -> Answer:
        if request == PUSH:
            server.after = lambda request, answer: answer
            server.client().push(server.client().head(), {"a": Blob(b"")}, author=AUTHOR, message="theirs")
            answer.cut = 0
        return answer

    server.after = after
    with pytest.raises(Unexpected, match="moved by somebody else during the push"):
        ours.push(first, TREE, author=AUTHOR, message="2")
    assert [entry.commit.message for entry in server.repo().get_walker()] == [b"theirs\n", b"2\n", b"1\n"]


@pytest.mark.parametrize("status", [401, 403, 404, 409, 503])
def test_a_push_that_cannot_be_verified_is_not_a_refusal(server: GitServer, status: int) -> None:
    def before(request: str) -> Answer | None:
        return Answer(status, {}, b"") if PUSH in server.requests[:-1] else None

    server.before = before
    with pytest.raises(Unexpected, match="a commit was pushed, but the branch cannot be read") as caught:
        server.client().push(None, TREE, author=AUTHOR, message="1")
    assert type(caught.value) is Unexpected
    assert [entry.commit.message for entry in server.repo().get_walker()] == [b"1\n"]


def test_a_denied_push_is_denied(server: GitServer) -> None:
    server.before = lambda request: Answer(403, {}, b"") if "receive-pack" in request else None
    with pytest.raises(Denied):
        server.client().push(None, TREE, author=AUTHOR, message="1")


def test_a_false_report_of_a_push_is_detected(server: GitServer) -> None:
    body = b"000eunpack ok\n0019ok refs/heads/master\n0000"
    lie = Answer(200, {"Content-Type": "application/x-git-receive-pack-result"}, body)
    server.before = lambda request: lie if request == PUSH else None
    with pytest.raises(Unexpected, match="the branch did not move"):
        server.client().push(None, TREE, author=AUTHOR, message="1")


def test_the_text_of_a_refusal_is_escaped(server: GitServer) -> None:
    reason = b"ng refs/heads/master \x1b]0;owned\x07" + "\u202e".encode() + b"x" * 5000
    body = b"000eunpack ok\n" + b"%04x" % (len(reason) + 5) + reason + b"\n0000"
    refusal = Answer(200, {"Content-Type": "application/x-git-receive-pack-result"}, body)
    server.before = lambda request: refusal if request == PUSH else None
    with pytest.raises(Conflict) as caught:
        server.client().push(None, TREE, author=AUTHOR, message="1")
    assert server.requests.count(PUSH) == 1
    assert caught.value.message.startswith("the git server refused the push: \\x1b]0;owned\\x07\\u202exxx")
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("server", ["dulwich"], indirect=True)
@pytest.mark.parametrize("request_of", ["GET info/refs?service=git-upload-pack", "POST git-upload-pack", PUSH])
def test_mutated_replies_raise_only_our_errors(server: GitServer, request_of: str) -> None:
    """Mutate every reply of a whole session (bytes flipped, cut and inserted), 30 times with a fixed seed."""
    first = server.client().push(None, TREE, author=AUTHOR, message="0")
    chance = random.Random(7)

    def after(request: str, answer: Answer) -> Answer:
        if request == request_of:
            answer.body = _mutated(answer.body, chance)
        return answer

    server.after = after
    errors, done = [], 0
    for number in range(30):
        ours = server.client()
        try:
            head = ours.head() or first
            ours.push(head, ours.tree(head), author=AUTHOR, message=str(number))
            done += 1
        except (Conflict, NotFound, SourceError, Throttled, Unexpected, Unreachable) as error:
            errors.append(error)
    assert all(map(_hides_the_key, errors))
    # The position of the branch cannot always be read afterwards; the error then says that something was pushed.
    unclear = sum("was pushed" in error.message or "during the push" in error.message for error in errors)
    assert done <= len(list(server.repo().get_walker())) - 1 <= done + unclear
    assert bool(errors) is (request_of != PUSH)  # a push is judged by the branch, not by the reply


def _mutated(body: bytes, chance: random.Random) -> bytes:
    data = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(3):
            case 0:
                data[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[place : place + chance.randrange(1, 30)]
            case _:
                data[place:place] = chance.randbytes(chance.randrange(1, 9))
    return bytes(data)


def test_a_url_of_another_host_is_refused(server: GitServer) -> None:
    with pytest.raises(ValueError, match="not on this host"):
        Repository("https://u:simKey@example.com/git/a/b.git", USER, credential(KEY, "test"), host_of(server.url))


@pytest.mark.parametrize("author", ["nobody", "a <b", "a\n<b>", "a <b>\nparent x", "a <b> <c>"])
def test_an_invalid_author_is_refused(server: GitServer, author: str) -> None:
    with pytest.raises(ValueError, match="not an author"):
        server.client().push(None, TREE, author=author, message="1")


SCRIPT = """
import sys
from algosync.core.credential import credential
from algosync.core.tree import Blob
from algosync.git import Repository
from algosync.net import Host, SettingNames, Net
assert not [name for name in sys.modules if name.startswith("dulwich")]
opened = []
def hook(event, arguments):
    if event in ("open", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork"):
        opened.append(str(arguments[0]) if arguments else event)
sys.addaudithook(hook)
url, user, key = sys.argv[1:]
host = Host(url.partition("/git/")[0], SettingNames(), Net(), None)
tree = {"a": Blob(b"a" * 40_000_000)}
ours = Repository(url, user, credential(key, "test"), host)
first = ours.push(None, tree, author="a <b>", message="1")
assert Repository(url, user, credential(key, "test"), host).tree(first) == tree
print([name for name in opened if not name.endswith((".py", ".pyc", ".so"))])
"""


def test_nothing_of_the_machine_is_read_or_written(server: GitServer, tmp_path: Path) -> None:
    """A hostile home: git configuration, credential helper, netrc, GIT_ variables. No file is opened."""
    helper = tmp_path / "helper"
    helper.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    helper.chmod(0o755)
    settings = f"""[credential]\nhelper = {helper}\n[http]\nproxy = http://127.0.0.1:1\nextraHeader = X-Evil: 1
[url "http://127.0.0.1:1/"]\ninsteadOf = {server.url}\n[core]\naskpass = {helper}\n"""
    (tmp_path / ".gitconfig").write_text(settings)
    (tmp_path / ".netrc").write_text("default login evil password evil\n")
    environment = os.environ | {
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": str(tmp_path / ".gitconfig"),
        "GIT_ASKPASS": str(helper),
        "GIT_TRACE": str(tmp_path / "trace"),
        "GIT_TRACE_PACKET": str(tmp_path / "trace"),
        "GIT_DIR": str(tmp_path),
        "http_proxy": "http://127.0.0.1:1",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, server.url, USER, KEY],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gitconfig", ".netrc", "Hello.git", "helper"]
    assert not re.search("evil", str(server.pushed), re.IGNORECASE)
    assert server.pushed["accept-encoding"] == "identity"


def test_a_pack_that_the_server_cannot_unpack_is_refused_once(server: GitServer) -> None:
    body = b"001bunpack index-pack abnor0000"
    refusal = Answer(200, {"Content-Type": "application/x-git-receive-pack-result"}, body)
    server.before = lambda request: refusal if request == PUSH else None
    with pytest.raises(Conflict, match="the git server refused the push"):
        server.client().push(None, TREE, author=AUTHOR, message="1")
    assert server.requests.count(PUSH) == 1


def test_a_refusal_that_the_branch_contradicts_is_ignored(server: GitServer) -> None:
    body = b"000eunpack ok\n001eng refs/heads/master no!\n0000"

    def after(request: str, answer: Answer) -> Answer:
        return Answer(200, answer.headers, body) if request == PUSH else answer

    server.after = after
    commit = server.client().push(None, TREE, author=AUTHOR, message="1")
    assert server.client().head() == commit


def test_a_failing_gateway_is_not_asked_for_the_whole_history(server: GitServer) -> None:
    commit = server.client().push(None, TREE, author=AUTHOR, message="1")
    server.before = lambda request: Answer(502, {}, b"") if request == "POST git-upload-pack" else None
    server.requests.clear()
    with pytest.raises(Unexpected, match=r"502 \(tried 6 times\)"):
        server.client().tree(commit)
    assert server.requests.count("POST git-upload-pack") == 6


def test_a_git_reply_of_another_content_type_is_refused(server: GitServer) -> None:
    commit = server.client().push(None, TREE, author=AUTHOR, message="1")
    server.before = lambda request: Answer(200, ADVERTISED, b"0000") if request == "POST git-upload-pack" else None
    with pytest.raises(Unexpected, match="is not a git server: it answers with application/x-git-upload-pack-advertisement"):
        server.client().tree(commit)
