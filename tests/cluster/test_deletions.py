"""A deletion is done when the cluster says so: with another reply, of a proxy for instance, it is requested again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest

from algosync.cluster.algorithms import AlgorithmsClient
from algosync.cluster.data import DataClient
from algosync.cluster.wire import JsonReply, Wire
from algosync.core.error import NotFound, Unexpected
from algosync.net import Retry

EMPTY, OTHER = JsonReply(200, None, None), JsonReply(200, {"status": ["fine"]}, None)
DELETED, NO_CONTENT = JsonReply(200, {"result": {"deleted": 1}}, None), JsonReply(204, None, None)


@dataclass
class RepliesInOrder:
    replies: list[JsonReply | NotFound]
    retry: Retry = field(default_factory=lambda: Retry(tries=2, pause=lambda _: None))

    def json(self, method: str, path: str) -> JsonReply:
        assert (method, path.rpartition("/")[0]) in {
            ("DELETE", f"/v1/{each}") for each in ("algorithms/me", "data/me", "data/me/One")
        }
        reply = self.replies.pop(0)
        if isinstance(reply, NotFound):
            raise reply
        return reply


WAYS: dict[str, tuple[Callable[[Wire], None], JsonReply]] = {
    "algorithm": (lambda wire: AlgorithmsClient(wire).delete("me", "One"), NO_CONTENT),
    "file": (lambda wire: DataClient(wire).delete("me", "One", "a.bin"), DELETED),
    "collection": (lambda wire: DataClient(wire).delete_collection("me", "One"), DELETED),
}


@pytest.mark.parametrize("what", WAYS)
@pytest.mark.parametrize("wrong", [EMPTY, OTHER])
def test_a_reply_of_somebody_else_is_no_deletion(what: str, wrong: JsonReply) -> None:
    delete, right = WAYS[what]
    for replies in ([right], [wrong, right]):
        wire = RepliesInOrder([*replies])
        delete(cast("Wire", wire))
        assert wire.replies == []
    with pytest.raises(Unexpected, match="DELETE /v1/"):
        delete(cast("Wire", RepliesInOrder([wrong, wrong])))
    with pytest.raises(NotFound):  # the first request was carried out in spite of its reply
        delete(cast("Wire", RepliesInOrder([wrong, NotFound("gone")])))
