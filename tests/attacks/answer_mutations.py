"""Mutations of cluster replies: JSON changed in its structure, HTTP changed in its bytes."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["DATE", "RIGHT", "mutated"]

DATE = "Thu, 04 Mar 2021 05:06:09 GMT"
COMMIT = "c" * 40

FILE = {"filename": "model.bin", "size": 3, "last_modified": "2021-03-04T05:06:07.000Z"}
SETTINGS = {
    "algorithm_callability": "private",
    "algorithm_environment": "env-1",
    "network_access": "full",
    "royalty_microcredits": 0,
}
VERSION = {
    "id": "1",
    "name": "Hello",
    "details": {"summary": "says hello", "label": "Hello", "tagline": ""},
    "settings": SETTINGS,
    "version_info": {"semantic_version": "1.0.2", "git_hash": COMMIT, "release_notes": "", "sample_input": "1"},
}
BUILD = {"build_id": "b-1", "status": "succeeded", "commit_sha": COMMIT, "started_at": "2021-03-04T05:06:07Z"}
ENVIRONMENT = {
    "id": "env-1",
    "display_name": "Python 3.9",
    "created_at": "2021-03-04T05:06:07",
    "environment_specification_id": "s",
}

RIGHT: Mapping[str, Any] = {
    "owners": {"folders": [{"name": "jane", "acl": None}, {"name": "team"}]},
    "files": {"files": [FILE, {**FILE, "filename": "other.bin", "size": 0}], "marker": None, "acl": {"read": ["user://*"]}},
    "put": {"result": "data://jane/models/model.bin"},
    "create_collection": {"name": "models"},
    "algorithm": {"id": "1", "name": "Hello", "details": {"summary": "x", "label": "Hello"}, "settings": SETTINGS},
    "builds": {"marker": None, "next_link": None, "results": [BUILD, {**BUILD, "build_id": "b-0", "status": "failed"}]},
    "logs": {"logs": "step 1\nstep 2\n"},
    "versions": {"marker": None, "next_link": None, "results": [VERSION]},
    "version": VERSION,
    "compile": VERSION,
    "languages": [{"name": "python3", "display_name": "Python 3.x", "configuration": '{"display_name": "Python"}'}],
    "environments": {"environments": [ENVIRONMENT, {**ENVIRONMENT, "id": "env-2"}]},
    "call": {"result": [1, 2.5, "x"], "metadata": {"content_type": "json", "duration": 0.01, "stdout": ""}},
}

VALUES: list[Any] = [
    *[None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**400, -0.0, 1.5, 1e308, float("nan"), float("inf"), -float("inf")],
    *[
        "",
        "x",
        "x" * 100_000,
        "\0",
        "\x1b[2J\x07",
        "\ud800",
        "\u202e",
        "../..",
        "a/b",
        "a b:c@d",
        "\n",
        "9" * 5000,
        "0001-01-01T00:00:00Z",
    ],
    *["9999-12-31T23:59:59+14:00", "2021-03-04T05:06:07", "NaN", "in-progress", "succeeded"],
    *[
        [],
        {},
        [[]],
        [{}],
        [None],
        {"": None},
        {"error": "x"},
        {"message": {"message": []}},
        ["x"] * 500,
        {str(n): n for n in range(500)},
    ],
]
DEEP = [50, 200, 900, 990, 2000, 100_000]


def _places(node: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return every container with each of its keys or indexes."""
    for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        found.append((node, key))
        _places(node[key], found)
    return found


def change_json(document: Any, chance: random.Random) -> Any:
    """In one to three places: remove a value, replace it, rename its key, or add another one."""
    whole = [copy.deepcopy(document)]
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = _places(whole, [])
        if not places:
            break
        node, key = chance.choice(places)
        match chance.randrange(10):
            case 0 | 1 if node is not whole:
                del node[key]
            case 2 if isinstance(node, dict):
                node[chance.choice(("error", "marker", "next_link", "results", "files", "id", "", "\x1b"))] = node.pop(key)
            case 3:
                node[key] = [node[key]] if chance.random() < 0.5 else {"error": node[key]}
            case 4 if isinstance(node, list):
                node.extend(copy.deepcopy(node[key]) for _ in range(chance.choice((1, 50))))
            case 5 if isinstance(node, dict):
                node["error"] = chance.choice(
                    (VALUES[0], "x", 5, [], {}, {"message": [1], "code": "x", "id": 7}, {"code": 1002}, {"stacktrace": 5})
                )
            case 6 if isinstance(node, dict):
                node["marker"] = chance.choice(VALUES)
            case _:
                node[key] = copy.deepcopy(chance.choice(VALUES))
    return whole[0]


def change_text(text: bytes, chance: random.Random) -> bytes:
    """Return text that no JSON writer would produce."""
    place = chance.randrange(len(text) + 1)
    match chance.randrange(10):
        case 0:
            return text[:place]
        case 1:
            return text[:place] + bytes(chance.choices(range(256), k=3)) + text[place:]
        case 2:
            return b"\xef\xbb\xbf" + text
        case 3:
            depth = chance.choice(DEEP)
            return text.replace(b"null", b"[" * depth + b"]" * depth, 1).replace(b"0", b'{"a":' * depth + b"1" + b"}" * depth, 1)
        case 4:
            depth = chance.choice(DEEP)
            return chance.choice((b"[", b'{"a":')) * depth
        case 5:
            return text + text
        case 6:
            return chance.choice(
                (b"", b"<html>login</html>", b"null", b"NaN", b'"', b"\0", b"1e999", b"9" * 10_000, text.decode().encode("utf-16"))
            )
        case 7:
            return text.replace(b'": ', b'": [' + b"{}," * 20_000 + b'{}], "x": ', 1)
        case 8:
            return text.replace(b"}", b', "size": 1, "size": [], "error": null}', 1)
        case _:
            return gzip.compress(text)


HEADERS = [
    *[
        "Content-Length: 0",
        "Content-Length: 5",
        "Content-Length: 999999999999",
        "Content-Length: -1",
        "Content-Length: x",
        "Content-Length: ٣",
    ],
    *[
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip",
        "Content-Encoding: gzip",
        "Content-Encoding: br",
        "Content-Type: text/html",
    ],
    *[
        "Content-Type: \x1b[2J",
        "X-Data-Type: directory",
        "Location: http://[",
        "Location: //evil.example.com/\x1b",
        "Location: http://a:b/",
    ],
    *[
        "Retry-After: -1",
        "Retry-After: 99999999999999",
        "Retry-After: soon",
        "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",
        "Date: soon",
    ],
    *[
        "Date: Mon, 99 Foo 0000 99:99:99 +9999",
        "Date: ",
        "Date: Thu, 04 Mar 2021 05:06:09 -0000",
        "Set-Cookie: a=b",
        "Connection: close",
    ],
    *[
        "X: " + "x" * 70_000,
        "no colon",
        ": no name",
        " folded",
        "\xff: \xff",
        "X-Error-Message: \x1b",
        "Trailer: X",
        "Upgrade: h2c",
    ],
]
STATUS = [
    *[f"HTTP/1.1 {code} X" for code in (100, 101, 103, 199, 201, 202, 204, 206, 299, 300, 301, 302, 304, 307, 308)],
    *[f"HTTP/1.1 {code} X" for code in (400, 401, 402, 403, 404, 405, 407, 408, 409, 411, 413, 418, 423, 425, 429, 499)],
    *[f"HTTP/1.1 {code} X" for code in (500, 501, 502, 503, 504, 599, 600, 999)],
    *[
        "HTTP/1.1 99 X",
        "HTTP/1.1 1000 X",
        "HTTP/1.1 -1 X",
        "HTTP/1.1 x X",
        "HTTP/1.1",
        "HTTP/0.9 200 OK",
        "HTTP/2 200 OK",
        "HTTP/1.0 200 OK",
    ],
    *["ICY 200 OK", "", "\x1b[2J", "HTTP/1.1 200 " + "x" * 70_000, "HTTP/1.1 200", "GET / HTTP/1.1", "HTTP/1.1 ٢٠٠ X"],
]


def change_http(status: str, headers: list[str], body: bytes, chance: random.Random) -> bytes:
    """Return the bytes to send. The connection must end after them, because they may not state their length."""
    headers = [f"Content-Length: {len(body)}", *headers]
    for _ in range(chance.choice((1, 1, 2))):
        match chance.randrange(7):
            case 0 | 1:
                status = chance.choice(STATUS)
            case 2:
                headers.insert(chance.randrange(len(headers) + 1), chance.choice(HEADERS))
            case 3:
                headers[chance.randrange(len(headers))] = chance.choice(HEADERS)
            case 4:
                body = body[: chance.randrange(len(body) + 1)]
            case 5:
                headers += chance.choice((["X: 1"] * 300, ["Content-Length: 1", "Content-Length: 2"], [""], headers))
            case _:
                headers = [line for line in headers if not line.startswith("Content-Length")] + ["Transfer-Encoding: chunked"]
                body = chance.choice(
                    (
                        b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
                        b"5\r\n" + body,
                        b"zz\r\n",
                        b"-1\r\n\r\n",
                        b"f" * 40 + b"\r\n",
                        body,
                    )
                )
    return _change_bytes("\r\n".join([status, *headers, "", ""]).encode() + body, chance)


def _change_bytes(data: bytes, chance: random.Random) -> bytes:
    match chance.randrange(8):
        case 0:
            return data[: chance.randrange(len(data) + 1)]
        case 1:
            place = chance.randrange(len(data))
            return data[:place] + bytes(chance.choices(range(256), k=2)) + data[place + 2 :]
        case 2:
            return data.replace(b"\r\n", chance.choice((b"\n", b"\r", b"\r\n\r\n")), chance.randrange(1, 4))
        case 3:
            return b"HTTP/1.1 100 Continue\r\n\r\n" * chance.choice((1, 1000)) + data
        case _:
            return data


Changed = tuple[bytes, bool]
"""What to send, and whether the connection may stay."""


def mutated(body: bytes, headers: list[str], chance: random.Random, change_body: Callable[[bytes], bytes]) -> Changed:
    """Return a reply whose body is changed in most cases, and its HTTP in some."""
    if chance.random() < 0.7:
        body = change_body(body)
    if chance.random() < 0.35:
        return change_http("HTTP/1.1 200 OK", headers, body, chance), False
    status = chance.choice(
        ("HTTP/1.1 200 OK",) * 5 + ("HTTP/1.1 201 Created", "HTTP/1.1 400 Bad", "HTTP/1.1 404 No", "HTTP/1.1 500 Oops")
    )
    return "\r\n".join([status, f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body, True


def json_changed(document: Any, chance: random.Random) -> Callable[[bytes], bytes]:
    def change(text: bytes) -> bytes:
        if chance.random() < 0.8:
            text = json.dumps(change_json(document, chance)).encode()
        return change_text(text, chance) if chance.random() < 0.25 else text

    return change
