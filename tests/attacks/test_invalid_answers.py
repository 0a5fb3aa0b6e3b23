"""Replies that are valid JSON with wrong content: each gives a clear error, and no wrong value gets further."""

from __future__ import annotations

import copy
import gzip
import json
from typing import Any

import pytest
from answer_mutations import DATE, RIGHT
from fuzzing import bounded
from rawcluster import Request, http
from scriptedsocket import scripted_cluster
from test_answers_fuzz import VERBS, right

from algosync.core.error import AlgosyncError, ClusterError, Denied, Unexpected
from algosync.net.document import read_json


def replaced(name: str, path: tuple[str | int, ...], value: Any) -> Any:
    """Return a right reply with another value in one place."""
    document = node = copy.deepcopy(RIGHT[name])
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return document


def error_of(verb: str, name: str, body: bytes, *headers: str, status: str = "200 OK") -> AlgosyncError:
    """Return the error of a verb if the reply called `name` is this one, and all others are right."""

    def answer(request: Request) -> tuple[bytes, bool]:
        asked = right(request)
        if asked == name:
            return http(body, f"Date: {DATE}", *headers, status=status), True
        return http(json.dumps(RIGHT[asked]).encode() if asked else b"abc", f"Date: {DATE}"), True

    with pytest.raises(AlgosyncError) as caught, bounded(verb):
        VERBS[verb](scripted_cluster(answer))
    assert len(caught.value.message) < 1000
    return caught.value


FIRST, INFO = ("results", 0), ("results", 0, "version_info")
DEEP: Any = json.loads("[" * 100 + "]" * 100)

WRONG = {
    "size-negative": ("files", "files", ("files", 0, "size"), -1),
    "size-true": ("files", "files", ("files", 0, "size"), True),
    "size-huge": ("files", "files", ("files", 0, "size"), 2**63),
    "size-float": ("files", "files", ("files", 0, "size"), 3.0),
    "size-text": ("files", "files", ("files", 0, "size"), "3"),
    "time-long": ("files", "files", ("files", 0, "last_modified"), "2" * 65),
    "time-half-a-character": ("files", "files", ("files", 0, "last_modified"), "\ud800"),
    "time-a-number": ("files", "files", ("files", 0, "last_modified"), 5),
    "name-null": ("files", "files", ("files", 0, "filename"), None),
    "name-a-list": ("files", "files", ("files", 0, "filename"), ["a"]),
    "marker-a-number": ("files", "files", ("marker",), 5),
    "marker-true": ("files", "files", ("marker",), True),
    "marker-a-list": ("files", "files", ("marker",), []),
    "marker-half-a-character": ("files", "files", ("marker",), "\ud800"),
    "marker-long": ("files", "files", ("marker",), "x" * 5000),
    "marker-again": ("files", "files", ("marker",), "again"),
    "owner-null": ("owners", "owners", ("folders", 0, "name"), None),
    "owner-a-number": ("owners", "owners", ("folders", 0), 5),
    "details-a-list": ("read", "algorithm", ("details",), ["x"]),
    "settings-a-text": ("read", "algorithm", ("settings",), "x"),
    "settings-deep": ("read", "algorithm", ("settings", "x"), DEEP),
    "build-above": ("build_of", "builds", (*FIRST, "build_id"), ".."),
    "build-with-a-slash": ("build_of", "builds", (*FIRST, "build_id"), "a/b"),
    "build-half-a-character": ("build_of", "builds", (*FIRST, "build_id"), "\ud800"),
    "build-a-number": ("build_of", "builds", (*FIRST, "build_id"), 7),
    "build-status-a-list": ("build_of", "builds", (*FIRST, "status"), ["succeeded"]),
    "build-commit-no-hash": ("build_of", "builds", (*FIRST, "commit_sha"), "HEAD"),
    "builds-without-results": ("build_of", "builds", ("results",), None),
    "version-with-a-path": ("published", "versions", (*INFO, "semantic_version"), "1.0.2/../../v1/users?x="),
    "version-with-steering": ("published", "versions", (*INFO, "semantic_version"), "1.0.2\x1b[2J"),
    "version-other-digits": ("published", "versions", (*INFO, "semantic_version"), "\u0661.0.2"),
    "version-a-number": ("published", "versions", (*INFO, "semantic_version"), 1.0),
    "version-a-branch": ("published", "versions", (*INFO, "git_hash"), "master"),
    "language-with-a-path": ("environments", "languages", (0, "name"), "../../users/me"),
    "language-with-a-query": ("environments", "languages", (0, "name"), "python3?x"),
    "language-null": ("environments", "languages", (0, "name"), None),
    "environment-id-a-number": ("environments", "environments", ("environments", 0, "id"), 5),
    "environment-id-a-list": ("environments", "environments", ("environments", 0, "id"), []),
    "environment-name-null": ("environments", "environments", ("environments", 0, "display_name"), None),
    "environment-time-a-number": ("environments", "environments", ("environments", 0, "created_at"), 5),
    "call-without-metadata": ("call", "call", ("metadata",), None),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_unusable_value_is_refused(case: str) -> None:
    verb, name, path, value = WRONG[case]
    assert type(error_of(verb, name, json.dumps(replaced(name, path, value)).encode())) is Unexpected


TEXTS = {
    "nan": b'{"details": {"x": NaN}}',
    "infinity": b'{"details": {"x": -Infinity}}',
    "beyond-floats": b'{"details": {"x": 1e999}}',
    "digits": b'{"details": {"x": ' + b"9" * 5000 + b"}}",
    "deep": b'{"details": ' + b"[" * 900 + b"]" * 900 + b"}",
    "deeper": b'{"details": ' + b'{"a":' * 100_000,
    "many-objects": b'{"details": {"x": [' + b"{}," * 500_000 + b"{}]}}",
    "not-utf-8": b'{"details": {"x": "\xff"}}',
    "two": b"{}{}",
    "compressed": gzip.compress(b"{}"),
    "nothing": b"",
    "null": b"null",
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_that_is_not_strict_json_is_refused(case: str) -> None:
    assert type(error_of("read", "algorithm", TEXTS[case])) is Unexpected


@pytest.mark.parametrize("verb", ["owners", "files", "read", "create", "environments", "call"])
def test_a_compressed_reply_is_refused_without_decompression(verb: str) -> None:
    """It was not requested, and may have any size."""
    name = {"read": "algorithm", "create": "algorithm"}.get(verb, verb)
    error = error_of(verb, name, gzip.compress(b" " * (4 << 20) + b"{}"), "Content-Encoding: gzip")
    assert error.message.removesuffix(" (tried 1 times)").endswith(": the reply is compressed, which was not requested")


@pytest.mark.parametrize("location", ["http://[", "//\x1b[2J", "http://a:b/", "\xff", "", "javascript:x"])
@pytest.mark.parametrize("verb", ["files", "call"])
def test_a_redirect_to_nowhere_is_still_a_redirect(verb: str, location: str) -> None:
    error = error_of(verb, verb, b"", f"Location: {location}", status="302 Found")
    assert type(error) is Unexpected
    assert "302" in error.message
    assert "redirect" in error.message
    assert "\x1b" not in error.message


FAILURES = {
    "message-a-list": {"error": {"message": ["x"], "code": "1", "id": 5}},
    "message-deep": {"error": {"message": DEEP}},
    "error-a-number": {"error": 5},
    "error-a-list": {"error": ["message"]},
    "error-long": {"error": {"message": "x" * 100_000, "id": "y" * 100_000}},
    "error-steering": {"error": {"message": "\x1b[2J\r\n::set-output", "id": "\x1b"}},
    "a-list": [1, 2],
}


@pytest.mark.parametrize("case", FAILURES)
@pytest.mark.parametrize("verb", ["files", "read", "create", "environments", "call"])
def test_a_failure_in_an_odd_format_is_recognized(verb: str, case: str) -> None:
    name = {"read": "algorithm", "create": "algorithm"}.get(verb, verb)
    error = error_of(verb, name, json.dumps(FAILURES[case]).encode(), status="403 Forbidden")
    assert type(error) is Denied
    assert error.message.isprintable()


@pytest.mark.parametrize("verb", ["read", "create"])
def test_a_failure_inside_a_2xx_reply_is_recognized(verb: str) -> None:
    """The official client raises its own exceptions for it."""
    error = error_of(verb, "algorithm", b'{"error": {"message": "quota \\u001b[2J exceeded", "code": "x"}}')
    assert isinstance(error, ClusterError)
    assert error.message.endswith(": quota \\x1b[2J exceeded")


def test_reading_an_endless_listing_ends() -> None:
    folders = b", ".join([b'{"name": "jane"}'] * 100_000)

    def answer(request: Request) -> tuple[bytes, bool]:
        place = int(request.target.partition("marker=")[2] or "0")
        return http(b'{"folders": [%b], "marker": "%d"}' % (folders, place + 1)), True

    with pytest.raises(Unexpected, match="the listing has more than 500000 entries"):
        scripted_cluster(answer).data.owners()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"[1, 2.5, -0.0, 1e308, null, true]", [1, 2.5, -0.0, 1e308, None, True]),
        (b"[" * 64 + b"]" * 64, "deep"),
        (b'{"a": {"b": [{}]}}', {"a": {"b": [{}]}}),
        (b"12345678901234567890", 12345678901234567890),
    ],
)
def test_json_within_the_limits_is_read(text: bytes, value: object) -> None:
    assert read_json(text) == (json.loads(text) if value == "deep" else value)


def test_json_nested_deeper_is_refused() -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        read_json(b'{"a": ' * 32 + b"[" * 33 + b"]" * 33 + b"}" * 32)
