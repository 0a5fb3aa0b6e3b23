"""Only a local cluster has an identity, and only this machine is asked for it."""

from __future__ import annotations

from typing import cast

import pytest

from algosync.cluster.address import parse
from algosync.cluster.connection import Cluster
from algosync.cluster.local_identity import local_identity
from algosync.core.error import ClusterError, Denied, NotFound, Throttled, Unexpected, Unreachable
from algosync.net import CompleteReply, Retry


class Told:
    """A cluster whose `/health` gives these answers, one after another."""

    def __init__(self, address: str, *answers: bytes | ClusterError) -> None:
        self.address = parse(address, "test", insecure=True)
        self.wire = self
        self.retry = Retry(pause=lambda _: None)
        self.answers = list(answers)

    def answer(self, method: str, path: str, headers: object, within: float) -> CompleteReply:
        assert (method, path) == ("GET", "/health")
        answer = self.answers.pop(0)
        if isinstance(answer, ClusterError):
            raise answer
        return CompleteReply(200, {}, answer)


def identity(address: str, *answers: bytes | ClusterError) -> str | None:
    return local_identity(cast("Cluster", Told(address, *answers)))


@pytest.mark.parametrize("address", ["http://127.0.0.1:80", "https://localhost:8443", "http://[::1]:1", "https://api.localhost"])
def test_a_local_cluster_tells_its_identity(address: str) -> None:
    assert identity(address, b'{"identity": "staging-1a2b3c4d", "proof": ""}') == "staging-1a2b3c4d"


@pytest.mark.parametrize("address", ["https://api.x.com", "https://10.0.0.1", "https://localhost.x.com", "https://127.x.com"])
def test_no_other_machine_is_asked(address: str) -> None:
    assert identity(address) is None


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"ok", b"[]", b"{}", b'{"identity": 1}', b'{"identity": "../x-1a2b3c4d"}', b'{"identity": "A-1a2b3c4d"}'),
        *(NotFound("", status=404), Denied("", status=401), Throttled("", status=503), Unexpected("", status=500), Unexpected("")),
    ],
)
def test_any_other_answer_is_no_local_cluster(answer: bytes | ClusterError) -> None:
    """A real cluster may be reached through a tunnel from this machine."""
    assert identity("http://127.0.0.1:80", answer) is None


def test_a_lost_answer_is_asked_for_again() -> None:
    """Otherwise the state would have another name this time."""
    assert identity("http://127.0.0.1:80", Unreachable(""), b'{"identity": "a-1a2b3c4d"}') == "a-1a2b3c4d"
    with pytest.raises(Unreachable):
        identity("http://127.0.0.1:80", *[Unreachable("")] * 20)
