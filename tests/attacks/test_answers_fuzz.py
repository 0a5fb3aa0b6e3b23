"""Tens of thousands of wrong replies to every verb: each gives our error or a usable result, soon, in little memory."""

from __future__ import annotations

import json
import logging
import random
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from answer_mutations import DATE, RIGHT, Changed, json_changed, mutated
from fuzzing import bounded, runs, seed
from rawcluster import Request, http, raw_server
from scriptedsocket import scripted_cluster

from algosync.cluster.algorithms import AlgorithmInfo, Build, Version
from algosync.cluster.connection import Cluster
from algosync.cluster.data import CollectionListing, FileStat, Stored
from algosync.core.environment import Environment
from algosync.core.error import AlgosyncError
from algosync.core.testing.answer import Answer
from algosync.core.text import printable

SHARDS = 8
RUNS = 16_000  # and 4,000 of git's
MEMORY = 200 << 20  # bytes that a shard may need in addition


def opened(cluster: Cluster) -> int:
    with cluster.data.open("jane", "models", "model.bin") as file:
        return len(b"".join(file.blocks))


VERBS: Mapping[str, Callable[[Cluster], Any]] = {
    "owners": lambda c: c.data.owners(),
    "files": lambda c: c.data.files("jane", "models"),
    "listing": lambda c: c.data.listing("jane", "models"),
    "set_readers": lambda c: c.data.set_readers("jane", "models", ()),
    "open": opened,
    "put": lambda c: c.data.put("jane", "models", "model.bin", [b"abc"], 3),
    "create_collection": lambda c: c.data.create_collection("jane", "models"),
    "read": lambda c: c.algorithms.read("jane", "Hello"),
    "create": lambda c: c.algorithms.create("jane", "Hello", {}, {}),
    "update": lambda c: c.algorithms.update("jane", "Hello", {}, {}),
    "build_of": lambda c: c.algorithms.build_of("jane", "Hello", "c" * 40),
    "build_log": lambda c: c.algorithms.build_log("jane", "Hello", "b-1"),
    "compile": lambda c: c.algorithms.compile("jane", "Hello"),
    "published": lambda c: c.algorithms.published("jane", "Hello"),
    "publish": lambda c: c.algorithms.publish("jane", "Hello", "c" * 40, {}),
    "environments": lambda c: c.algorithms.environments(),
    "call": lambda c: c.algorithms.call("jane", "Hello", "1.0.2", "1", 1),
}


def right(request: Request) -> str | None:
    """Return the reply in RIGHT that fits a request, or None for a file's bytes."""
    path = request.target.partition("?")[0].strip("/").split("/")
    if path[1] == "data":
        leaf = "put" if request.method == "PUT" else None
        return ("owners", "create_collection", "files", leaf)[len(path) - 2]
    if path[1] == "algo":
        return "call"
    if path[-1] == "versions" and request.method == "POST":
        return "version"
    return path[-1] if path[-1] in RIGHT else "algorithm"


@dataclass
class FaultyReplies:
    """Replies correctly up to a chosen request, and incorrectly from then on."""

    chance: random.Random = field(default_factory=random.Random)
    honest: int = 0

    def __call__(self, request: Request) -> Changed:
        name = right(request)
        document = RIGHT[name] if name else None
        body = json.dumps(document).encode() if name else b"abc"
        headers = [f"Date: {DATE}", "Content-Type: application/json"]
        if self.honest > 0:
            self.honest -= 1
            return http(body, *headers), True
        change = json_changed(document, self.chance) if name else partial(_change_bytes, self.chance)
        return mutated(body, headers, self.chance, change)


def _change_bytes(chance: random.Random, body: bytes) -> bytes:
    return chance.choice((b"", body[:1], body * 1000, bytes(3)))


def usable(value: object) -> bool:
    """Whether a value has the types that the rest of the program relies on."""
    match value:
        case None | int() | str():
            return True
        case FileStat(size, stamp):
            return type(size) is int and 0 <= size < 1 << 63 and (stamp is None or len(stamp) < 200)
        case Stored(etag, date):
            return len(etag) in (0, 32) and (date is None or isinstance(date, str))
        case CollectionListing(files, readers):
            return usable(files) and usable(readers)
        case AlgorithmInfo(details, settings):
            return _plain(details) and _plain(settings)
        case Version(number, commit, settings):
            return isinstance(number, str) and isinstance(commit, str) and _plain(settings)
        case Build(first, second, third) | Environment(first, second, third):
            return all(isinstance(text, str) for text in (first, second, third))
        case tuple():
            return all(map(usable, value))
        case dict():
            return all(isinstance(name, str) and usable(stat) for name, stat in value.items())
        case _:
            return isinstance(value, Answer) and _is_answer(value)


def _is_answer(answer: Answer) -> bool:
    failure = answer.failure
    texts = (answer.printed,) if failure is None else (answer.printed, failure.kind, failure.message, failure.trace)
    right = type(answer.body) is bytes and type(answer.seconds) is float and all(isinstance(text, str) for text in texts)
    return right and answer.content_type in ("json", "text", "binary")


def _plain(value: object) -> bool:
    """Whether it can be written and read again, also with a deep stack."""
    try:
        return bool(json.loads(json.dumps([[[value]]], allow_nan=False)) == [[[value]]])
    except (ValueError, RecursionError):
        return False


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "urllib3")  # it logs each odd header


@pytest.mark.parametrize("verb", VERBS)
def test_a_right_reply_is_accepted(verb: str) -> None:
    """With a network, and without one."""
    with raw_server(FaultyReplies(honest=99)) as server:
        found = VERBS[verb](server.cluster())
    assert usable(found)
    scripted = VERBS[verb](scripted_cluster(FaultyReplies(honest=99)))
    if isinstance(found, Answer) and isinstance(scripted, Answer):
        scripted = replace(scripted, seconds=found.seconds)
    assert scripted == found


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_wrong_reply_is_our_error_or_harmless(shard: int) -> None:
    replies = FaultyReplies()
    failed = 0
    count = runs(RUNS // SHARDS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cluster = scripted_cluster(replies)
    for number in range(count):
        replies.chance = random.Random(f"{seed()}-{shard}-{number}")
        verb = replies.chance.choice(list(VERBS))
        replies.honest = replies.chance.choice((0, 0, 0, 1))
        try:
            with bounded((verb, shard, number)):
                result = VERBS[verb](cluster)
        except AlgosyncError as error:
            failed += 1
            shown = f"{error.message} {error.hint}"
            assert printable(shown) == shown, (verb, shard, number)
            assert len(shown) < 4000
        else:
            assert usable(result), (verb, shard, number, repr(result)[:300])
    assert failed > count // 4
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10 < MEMORY
