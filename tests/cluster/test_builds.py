"""The build of a commit is found by the commit, wherever it is in the list."""

from __future__ import annotations

import json

import pytest
from test_wire import http, server

from algosync.cluster.algorithms import Build

OURS, THEIRS, UNBUILT = "a" * 40, "b" * 40, "c" * 40
LIST = [
    {"build_id": "3", "commit_sha": THEIRS, "status": "succeeded"},
    {"build_id": "2", "commit_sha": OURS, "status": "failed"},
    {"build_id": "1", "commit_sha": OURS, "status": "succeeded"},
]


@pytest.mark.parametrize(
    ("commit", "build"),
    [(OURS, Build("2", OURS, "failed")), (THEIRS, Build("3", THEIRS, "succeeded")), (UNBUILT, None)],
)
def test_the_newest_build_of_a_commit_is_found_among_other_commits(commit: str, build: Build | None) -> None:
    with server(http("200 OK", json.dumps({"results": LIST}).encode())) as cluster:
        assert cluster.algorithms.build_of("me", "Hello", commit) == build
