"""Requests as no client sends them: seeds of each family of routes, changed by what is known to break servers.

A case is made from the seed of all, its family and its index alone, so that it can be made again alone.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

Header = tuple[bytes, bytes]

SEGMENTS = [
    *("..", ".", "..%2f..%2fbeside", "%2e%2e", "..%5c..%5c", "..\\..\\beside", "%252e%252e%252f", "%c0%ae%c0%ae%c0%af", "~", "%2f"),
    *(
        "%00",
        "a%00b",
        "%ff%fe",
        "%ed%a0%80",
        "%F0%9F%98%80",
        "%e2%80%ae",
        "%0d%0aX-Evil:%201",
        "%",
        "%zz",
        "%u002e",
        "*",
        "-",
        "--help",
    ),
    *(
        "a" * 300,
        "%41" * 300,
        "a" * 5000,
        "$(id)",
        "';DROP%20TABLE%20keys;--",
        "{owner}",
        "{{7*7}}",
        "0",
        "-1",
        "9" * 40,
        "NaN",
        "1e9",
    ),
    *(
        ".my",
        ".session",
        ".algo",
        "temp",
        "perm",
        "local",
        "other",
        "latest",
        "latestPrivate",
        "1.0.0",
        "0" * 40,
        "x.git",
        "con",
        "nul.",
    ),
    *(
        "00000000-0000-0000-0000-000000000000",
        "..;",
        "%2e%2e;x",
        "file:",
        "algo:",
        "data:",
        "etc%2fpasswd",
        "cluster.json",
        ";",
        "?",
        "#",
    ),
]
PARAMETERS = [
    "marker",
    "limit",
    "acl",
    "force",
    "published",
    "callable",
    "timeout",
    "output",
    "stdout",
    "timing",
    "service",
    "since",
]
PARAMETERS += ["until", "after", "nonce", "versions", "id", "x"]
TEXTS = [
    *(
        "",
        "0",
        "-1",
        "1",
        "1000",
        "1001",
        "9" * 25,
        "1e400",
        "nan",
        "inf",
        "true",
        "True",
        "null",
        "raw",
        "void",
        "%00",
        "%ff",
        "%ed%a0%80",
    ),
    *(
        "a" * 4000,
        "YQ==",
        "YQ",
        "____",
        "/etc/passwd",
        "..%2f",
        "2020-01-01T00:00:00Z",
        "9999-99-99",
        "git-upload-pack",
        "git-receive-pack",
    ),
    *("%F0%9F%98%80", "0x10", "\u0661", "1_0", "+5", "%20", "a&a=b", "[]", "{}"),
]
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        2**63,
        -(2**63) - 1,
        10**400,
        1e308,
        float("nan"),
        float("inf"),
        "",
        "\0",
        "\ud800",
        "a\udfffb",
        "x" * 5000,
    ),
    *(
        [],
        {},
        [[]],
        {"": {}},
        [None, 1, "x"],
        {"a": {"b": {"c": [1]}}},
        "../../beside/kept",
        "Name",
        "local",
        "é" * 40,
        "\u202e",
        "1; --",
    ),
    *(
        "public",
        "private",
        "major",
        "0" * 40,
        "00000000-0000-0000-0000-000000000000",
        "algo://.my/*",
        "user://*",
        -0.0,
        "\n",
        "%00",
    ),
]
KINDS = [
    *(b"application/json", b"text/plain", b"text/json", b"application/octet-stream", b"application/text", b"multipart/form-data"),
    *(b"application/x-www-form-urlencoded", b"", b"*/*", b";;;", b"\xff/\xfe", b"application/json; charset=utf-16", b"a" * 3000),
    *(b"application/x-git-upload-pack-request", b"application/x-git-receive-pack-request"),
]
HEADERS: list[Header] = [
    *((b"Content-Type", kind) for kind in KINDS),
    *((b"Accept", kind) for kind in KINDS[:6]),
    *((b"Content-Encoding", value) for value in (b"gzip", b"x-gzip", b"deflate", b"identity", b"br, gzip")),
    *((b"Range", value) for value in (b"bytes=0-0", b"bytes=" + b"0-," * 500, b"bytes=9-1", b"lines=1")),
    *((b"Authorization", value) for value in (b"Simple x", b"Basic ====", b"\xff\xff", b"Basic " + b"A" * 3000)),
    *((b"Host", value) for value in (b"evil.example", b"", b"localhost", b"127.0.0.1:1", b"\xff")),
    *((b"Origin", value) for value in (b"null", b"http://evil.example", b"")),
    *((b"Git-Protocol", value) for value in (b"version=2", b"version=1", b"\xff")),
    *((b"Connection", value) for value in (b"close", b"keep-alive", b"upgrade", b"Content-Length")),
    (b"Upgrade", b"websocket"),
    (b"Upgrade", b"h2c"),
    (b"Expect", b"100-continue"),
    (b"Expect", b"the-unexpected"),
    (b"X-HTTP-Method-Override", b"DELETE"),
    (b"X-Forwarded-Host", b"evil.example"),
    (b"X-Odd", b"a" * 9000),
    (b"X-Odd", b"a" * 40000),
    (b"X-Odd", b"\x80\x81\xff"),
    (b"Cookie", b"session=1"),
    (b"If-None-Match", b"*"),
    (b"If-Modified-Since", b"nonsense"),
]
METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "X" * 50]
FRAMINGS: list[Callable[[bytes], tuple[list[Header], bytes]]] = [
    lambda body: ([(b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")], body),
    lambda body: ([(b"Content-Length", b"-1")], body),
    lambda body: ([(b"Content-Length", b"1"), (b"Content-Length", b"2")], body),
    lambda body: ([(b"Content-Length", b"1, 1")], body),
    lambda body: ([(b"Content-Length", b"+5")], body),
    lambda body: ([(b"Content-Length", b"0x5")], body),
    lambda body: ([(b"Content-Length", b"9" * 19)], body),
    lambda body: ([(b"Content-Length", b"9" * 30)], body),
    lambda body: ([(b"Content-Length", b"%d" % (len(body) + 10))], body),
    lambda body: ([(b"Transfer-Encoding", b"chunked")], b"FFFFFFFFFFFFFFFFFFFFFFFF\r\n" + body),
    lambda body: ([(b"Transfer-Encoding", b"chunked")], b"-5\r\n" + body + b"\r\n0\r\n\r\n"),
    lambda body: ([(b"Transfer-Encoding", b"chunked")], b"5;" + b"x" * 9000 + b"\r\n" + body),
    lambda body: ([(b"Transfer-Encoding", b"chunked")], b"3\r\nabcdef\r\n0\r\n\r\n" + body),
    lambda body: ([(b"Transfer-Encoding", b"chunked")], b"%x\r\n%b" % (len(body) + 1, body)),
    lambda body: ([(b"Transfer-Encoding", b"gzip, chunked")], b"0\r\n\r\n"),
    lambda body: ([(b"Transfer-Encoding", b"\x0bchunked")], b"0\r\n\r\n"),
    lambda body: ([(b" Content-Length", b"5")], body),
    lambda body: ([(b"A\r\n B", b"folded")], body),
    lambda body: ([(b"\x00", b"\x00")], body),
]
"""Of messages whose end cannot be known, or should not be believed."""

UNKNOWN_KEYS = [
    None,
    b"",
    b"Simple sim0000000000000000000000000",
    b"simx",
    b"Bearer x.y.z",
    b"Basic bG9jYWw6eA==",
    b"Basic %%%",
    b"\xff\xfe",
]


@dataclass(frozen=True)
class Seed:
    """A request as it is meant: `body` is an object that is sent as JSON, or bytes."""

    method: str
    path: str
    body: Any = b""
    query: str = ""
    headers: tuple[Header, ...] = ()
    status: int | None = 200
    """What it is answered with; None where that depends on what other requests have left."""
    weight: float = 1.0


@dataclass(frozen=True)
class Case:
    """A request as it is sent."""

    family: str
    index: int
    method: str
    target: str
    headers: tuple[Header, ...]
    body: bytes
    known: bool
    """Whether it has a key that opens something."""
    framed: bool = True
    """Whether its end can be told."""
    chunked: bool = False

    def wire(self, host: str) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1".encode("latin-1", "replace")]
        if not any(name == b"Host" for name, _ in self.headers):
            lines.append(b"Host: " + host.encode())
        lines += [name + b": " + value for name, value in self.headers]
        body = self.body
        if self.framed and self.chunked:
            lines.append(b"Transfer-Encoding: chunked")
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in _parts(body)) + b"0\r\n\r\n"
        elif self.framed and (body or self.method in ("POST", "PUT", "PATCH")):
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([*lines, b"", b""]) + body


def _parts(body: bytes) -> list[bytes]:
    third = len(body) // 3 + 1
    return [body[start : start + third] for start in range(0, len(body), third)]


def plain(seed: Seed, authorization: bytes) -> Case:
    """The seed as it is."""
    headers = ((b"Authorization", authorization), *seed.headers)
    return Case("", 0, seed.method, _target(seed), headers, _sent(seed.body), known=True)


def _target(seed: Seed) -> str:
    return seed.path + ("?" + seed.query if seed.query else "")


def _sent(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def case(seed: int, family: str, index: int, seeds: Sequence[Seed], authorization: bytes) -> Case:
    """The case of this index. One in three has no key that is known."""
    chance = random.Random(f"{seed}/{family}/{index}")
    chosen = chance.choices(seeds, [each.weight for each in seeds])[0]
    known = index % 3 != 0
    presented = authorization if known else chance.choice(UNKNOWN_KEYS)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        chosen = chance.choice(MUTATIONS)(chance, chosen)
    headers = list(chosen.headers) if presented is None else [(b"Authorization", presented), *chosen.headers]
    body, chunked = _sent(chosen.body), chance.random() < 0.1
    made = Case(family, index, chosen.method, _target(chosen), tuple(headers), body, known, chunked=chunked)
    if chance.random() < 0.02:
        framing, body = chance.choice(FRAMINGS)(body)
        return replace(made, headers=(*headers, *framing), body=body, framed=False)
    return made


def _path(chance: random.Random, seed: Seed) -> Seed:
    parts = seed.path.split("/")
    place = chance.randrange(1, len(parts)) if len(parts) > 1 else 0
    how = chance.randrange(9)
    if how <= 3:
        # The prefix stays more often than not, as everything else is one and the same 404.
        place = chance.randrange(min(2, len(parts) - 1), len(parts))
        parts[place] = chance.choice(SEGMENTS) if how else parts[place] + chance.choice(SEGMENTS)
    elif how == 4:
        parts.insert(place, chance.choice(SEGMENTS))
    elif how == 5:
        parts.pop(place)
    elif how == 6:
        return replace(
            seed, path=chance.choice(["http://evil.example", "/", "//evil.example", "*", "", "/./", "/x/..", "\\"]) + seed.path
        )
    elif how == 7:
        head, _, tail = seed.path.rpartition("/")
        return replace(seed, path=head + chance.choice(["%2f", "%252f", "//", "/./", "/%2e%2e/", "\\", "%5c"]) + tail)
    else:
        return replace(seed, path=chance.choice([seed.path + "/", seed.path.upper(), seed.path + "%20", seed.path + "." * 3]))
    return replace(seed, path="/".join(parts))


def _query(chance: random.Random, seed: Seed) -> Seed:
    given = f"{chance.choice(PARAMETERS)}={chance.choice(TEXTS)}"
    return replace(seed, query=f"{seed.query}&{given}" if seed.query and chance.random() < 0.7 else given)


def _header(chance: random.Random, seed: Seed) -> Seed:
    new = chance.choice(HEADERS)
    kept = seed.headers if chance.random() < 0.4 else tuple(each for each in seed.headers if each[0] != new[0])
    return replace(seed, headers=(*kept, new))


def _method(chance: random.Random, seed: Seed) -> Seed:
    return replace(seed, method=chance.choice(METHODS))


def _body(chance: random.Random, seed: Seed) -> Seed:
    if isinstance(seed.body, bytes):
        return replace(seed, body=_bytes(chance, seed.body))
    if chance.random() < 0.25:
        return replace(seed, body=_bytes(chance, json.dumps(seed.body).encode()))
    return replace(seed, body=_value(chance, seed.body))


def _value(chance: random.Random, value: Any) -> Any:
    """The value with one place in it changed."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(list(value))
        how = chance.random()
        if how < 0.1:
            return {key: each for key, each in value.items() if key != name}
        if how < 0.15:
            return {**value, name + "x": value[name], str(chance.choice(VALUES))[:50]: 1}
        return {**value, name: _value(chance, value[name])}
    if isinstance(value, list) and value and chance.random() < 0.7:
        place = chance.randrange(len(value))
        return [*value[:place], _value(chance, value[place]), *value[place + 1 :]]
    return chance.choice(VALUES)


def _bytes(chance: random.Random, body: bytes) -> bytes:
    """The bytes, damaged, or others altogether."""
    place = chance.randrange(len(body) + 1)
    ways: list[Callable[[], bytes]] = [
        lambda: body[:place],
        lambda: body[place:],
        lambda: body[:place] + bytes([chance.randrange(256)]) + body[place + 1 :],
        lambda: body[:place] + chance.randbytes(4) + body[place:],
        lambda: body + body,
        lambda: b"",
        lambda: b"\xef\xbb\xbf" + body,
        lambda: body.decode("latin-1").encode("utf-16"),
        lambda: b"[" * chance.choice((50, 2000, 100_000)),
        lambda: b'{"a":' * chance.choice((50, 2000, 20_000)) + b"1" + b"}" * 50,
        lambda: chance.choice([b"null", b"[]", b"0", b'"x"', b"NaN", b"-", b'{"name":1,"name":2}', b'{"a":' + b"9" * 5000 + b"}"]),
        lambda: chance.randbytes(chance.choice((1, 30, 3000))),
        lambda: gzip.compress(body, 1, mtime=0),
        lambda: gzip.compress(body, 1, mtime=0)[: place + 3],
        lambda: BOMB,
        lambda: b"0000",
        lambda: b"".join(
            chance.choice([b"0000", b"0001", b"0003", b"0004", b"fff0", b"zzzz", b"0009done\n", b"-001"]) for _ in range(4)
        ),
        lambda: b"%04x" % (len(body[:60000]) + 4) + body[:60000],
    ]
    return chance.choice(ways)()


BOMB = gzip.compress(b"\0" * 4_000_000, 9, mtime=0)
MUTATIONS = [_path, _path, _path, _query, _header, _header, _method, _body, _body, _body]


def basic(user: str, key: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{key}".encode())
