"""Mutated requests: valid requests of each family of routes, changed by values that are known to break servers.

A case depends on the common seed, its family and its index only, so each case can be repeated alone.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hostile import (
    DOCUMENTS,
    FRAMINGS,
    HEADERS,
    METHODS,
    PACKETS,
    PARAMETERS,
    PREFIXES,
    SEGMENTS,
    SEPARATORS,
    TEXTS,
    UNKNOWN_KEYS,
    VALUES,
    Header,
)


@dataclass(frozen=True)
class Seed:
    """A valid request. `body` is an object to send as JSON, or bytes."""

    method: str
    path: str
    body: Any = b""
    query: str = ""
    headers: tuple[Header, ...] = ()
    status: int | None = 200
    """The expected status; None if it depends on the effects of other requests."""
    weight: float = 1.0


@dataclass(frozen=True)
class Case:
    """A request to send."""

    family: str
    index: int
    method: str
    target: str
    headers: tuple[Header, ...]
    body: bytes
    known: bool
    """Whether it has a valid key."""
    framed: bool = True
    """Whether its end can be determined."""
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
    """The unchanged request of a seed."""
    headers = ((b"Authorization", authorization), *seed.headers)
    return Case("", 0, seed.method, _target(seed), headers, _sent(seed.body), known=True)


def _target(seed: Seed) -> str:
    return seed.path + ("?" + seed.query if seed.query else "")


def _sent(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def case(seed: int, family: str, index: int, seeds: Sequence[Seed], authorization: bytes) -> Case:
    """The case with this index. One third of the cases have no valid key."""
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
        # Keep the prefix in most cases, because unknown routes all give the same 404.
        place = chance.randrange(min(2, len(parts) - 1), len(parts))
        parts[place] = chance.choice(SEGMENTS) if how else parts[place] + chance.choice(SEGMENTS)
    elif how == 4:
        parts.insert(place, chance.choice(SEGMENTS))
    elif how == 5:
        parts.pop(place)
    elif how == 6:
        return replace(seed, path=chance.choice(PREFIXES) + seed.path)
    elif how == 7:
        head, _, tail = seed.path.rpartition("/")
        return replace(seed, path=head + chance.choice(SEPARATORS) + tail)
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
    """The value with a change in one place."""
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
    """The bytes, damaged or replaced."""
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
        lambda: chance.choice(DOCUMENTS),
        lambda: chance.randbytes(chance.choice((1, 30, 3000))),
        lambda: gzip.compress(body, 1, mtime=0),
        lambda: gzip.compress(body, 1, mtime=0)[: place + 3],
        lambda: BOMB,
        lambda: b"0000",
        lambda: b"".join(chance.choice(PACKETS) for _ in range(4)),
        lambda: b"%04x" % (len(body[:60000]) + 4) + body[:60000],
    ]
    return chance.choice(ways)()


BOMB = gzip.compress(b"\0" * 4_000_000, 9, mtime=0)
MUTATIONS = [_path, _path, _path, _query, _header, _header, _method, _body, _body, _body]


def basic(user: str, key: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{key}".encode())
