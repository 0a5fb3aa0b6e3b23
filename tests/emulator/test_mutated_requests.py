"""Acceptance: 10,000 mutated requests of each family of routes, after which the cluster works as before.

`ALGOSYNC_FUZZ_SCALE` and `ALGOSYNC_FUZZ_SEED` apply to all fuzz tests. `ALGOSYNC_FUZZ_CASE=family:index` sends a single case.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import fuzzing
import pytest
from emulated import Emulator, emulator, errors
from mutated import Case, Seed, case, plain
from mutated_seeds import FAMILIES, Seeded, seeded
from raw_exchange import Answered, Server

COUNT = 10_000
CONNECTIONS = 4
GROWTH = 120 * 1024
"""KiB by which the server may grow during the second half of a family's requests."""

OPEN = re.compile(r"/health|/v1/insights|/v1/algorithm-environments/edge/environment-specifications/[^/]+/template")
"""Requests that need no key."""

ALLOWED: dict[int, str] = {}
"""Permitted server errors with their reasons. There are none."""

IN_ROOT = {
    *(
        "blobs",
        "builds",
        "cluster.json",
        "cluster.sqlite",
        "cluster.sqlite-shm",
        "cluster.sqlite-wal",
        "git",
        "home",
        "identity",
        "lock",
    ),
    *("requests.jsonl", "run", "server.lock"),
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Seeded]:
    """A cluster as users start it, in a jail if possible. A second folder beside its own shows whether a request escapes."""
    parent = tmp_path_factory.mktemp("mutated")
    for path in ("beside/kept", "beside/etc/passwd", "kept"):
        (parent / path).parent.mkdir(exist_ok=True, parents=True)
        (parent / path).write_text(path)
    with emulator(parent / "root", environments, jailed=True) as site:
        yield seeded(site)


@pytest.mark.parametrize("family", FAMILIES)
def test_mutated_requests(cluster: Seeded, family: str) -> None:
    site, server = cluster.site, Server.of(cluster.site)
    seeds, authorization = cluster.seeds(family), cluster.authorization(family)
    before, usual = files_outside(site), [seed.status for seed in seeds]
    assert seed_statuses(server, seeds, authorization) == usual
    cases = [case(fuzzing.seed(), family, index, seeds, authorization) for index in selected_cases(family)]
    half = len(cases) // 2
    faults = complaints(server, cases[:half])
    memory = resident(site)
    faults += complaints(server, cases[half:])
    assert faults == []
    assert seed_statuses(server, seeds, authorization) == usual
    assert resident(site) - memory < GROWTH
    assert files_outside(site) == before
    assert {path.name for path in site.root.iterdir()} <= IN_ROOT
    assert site.process.poll() is None


def selected_cases(family: str, count: int = COUNT) -> range:
    only, _, index = os.environ.get("ALGOSYNC_FUZZ_CASE", "").partition(":")
    if only:
        return range(int(index), int(index) + 1) if only == family else range(0)
    return range(fuzzing.runs(count))


def seed_statuses(server: Server, seeds: Sequence[Seed], authorization: bytes) -> list[int | None]:
    """The statuses of the seeds, sent twice. The first round repairs effects of the mutated requests."""
    requests = [plain(seed, authorization) for seed in seeds]
    answers = [answer.status for _, answer in server.exchange([*requests, *requests])]
    return [status if seed.status else None for seed, status in zip(seeds, answers[len(seeds) :], strict=True)]


def complaints(server: Server, cases: list[Case]) -> list[str]:
    """Send cases over a few connections. Returns what is wrong with the replies."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        found = pool.map(lambda start: list(_faults(server, cases[start::CONNECTIONS])), range(CONNECTIONS))
        return [fault for each in found for fault in each]


def _faults(server: Server, cases: list[Case]) -> Iterator[str]:
    framed = server.exchange([each for each in cases if each.framed])
    for each, answer in [*framed, *server.unframed([each for each in cases if not each.framed])]:
        if answer and (fault := complaint(each, answer)):
            variables = f"ALGOSYNC_FUZZ_SEED={fuzzing.seed()} ALGOSYNC_FUZZ_CASE={each.family}:{each.index}"
            yield f"{variables}: {fault}: {str(each)[:1500]} {str(answer)[:500]}"


def complaint(each: Case, answer: Answered) -> str:
    """What is wrong with a reply; empty if nothing is."""
    path = unquote(each.target.partition("?")[0])
    if answer.status >= 500 and answer.status not in ALLOWED:
        return "a failure of the server"
    if not each.known and 200 <= answer.status < 300 and not OPEN.fullmatch(path):
        return "let in without a key"
    if answer.status < 400 or each.method == "HEAD" or path.startswith("/page/"):
        return ""
    kind = answer.headers.get(b"content-type", b"")
    if kind.startswith(b"text/plain") and path.startswith("/v1/algo/") and "output=raw" in each.target:
        return ""
    return "" if kind == b"application/json" and set(json.loads(answer.body)) == {"error"} else "no error of the API"


def files_outside(site: Emulator) -> dict[str, str]:
    """The files outside the cluster's folder, by name, with their digests."""
    parent = site.root.parent
    own = {site.root, errors(site.root)}
    found = [path for path in parent.rglob("*") if own.isdisjoint((path, *path.parents))]
    return {str(path.relative_to(parent)): _digest(path) for path in found}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else oct(path.stat().st_mode)


def resident(site: Emulator) -> int:
    """Resident memory in KiB."""
    status = Path(f"/proc/{site.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1])


@pytest.mark.parametrize(
    ("known", "target", "answer", "fault"),
    [
        (True, "/v1/data", Answered(500, {b"content-type": b"application/json"}, b'{"error": {}}'), "a failure of the server"),
        (False, "/v1/data", Answered(200, {}, b"{}"), "let in without a key"),
        (False, "/v1/data/health", Answered(204, {}, b""), "let in without a key"),
        (True, "/v1/data", Answered(404, {b"content-type": b"text/plain"}, b"Not Found"), "no error of the API"),
        (True, "/v1/data", Answered(404, {b"content-type": b"application/json"}, b'{"detail": 1}'), "no error of the API"),
        (False, "/health?x=1", Answered(200, {}, b"{}"), ""),
        (False, "/v1/data", Answered(401, {b"content-type": b"application/json"}, b'{"error": "x"}'), ""),
    ],
)
def test_a_wrong_reply_is_detected(known: bool, target: str, answer: Answered, fault: str) -> None:
    assert complaint(Case("", 0, "GET", target, (), b"", known), answer) == fault


def test_a_case_can_be_repeated(cluster: Seeded) -> None:
    seeds = cluster.seeds("data")
    made = [[case(1, "data", index, seeds, b"key").wire("host") for index in range(50)] for _ in range(2)]
    assert made[0] == made[1]
    assert len(set(made[0])) > 45
