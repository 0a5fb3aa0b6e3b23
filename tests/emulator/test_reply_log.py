"""When the line of a reply is written: before the client can have the whole reply, and leave."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from algosync.emulator.http.gate import _Reply
from algosync.emulator.http.request_limits import RequestBody
from algosync.emulator.http.request_log import RequestLog


class Log:
    def __init__(self) -> None:
        self.sizes: list[int] = []

    def add(self, scope: object, status: int, size: int) -> None:
        self.sizes.append(size)


class Read:
    async def drained(self) -> bool:
        return True


@pytest.mark.parametrize(("headers", "logged"), [([(b"content-length", b"6")], [0, 0, 1, 1]), ([], [0, 0, 0, 1])])
def test_a_stream_of_known_length_is_logged_with_its_last_byte(headers: list[tuple[bytes, bytes]], logged: list[int]) -> None:
    """A stream ends with an empty message. A git client that has the whole pack by then does not count as disconnected."""
    log, before = Log(), []

    async def send(message: object) -> None:
        before.append(len(log.sizes))

    async def stream() -> None:
        scope = {"method": "POST", "path": "/git/local/One.git/git-upload-pack"}
        reply = _Reply(cast("Any", scope), send, cast("RequestLog", log), cast("RequestBody", Read()))
        await reply.send({"type": "http.response.start", "status": 200, "headers": headers})
        for body, more in ((b"abc", True), (b"def", True), (b"", False)):
            await reply.send({"type": "http.response.body", "body": body, "more_body": more})

    asyncio.run(stream())
    assert before == logged
    assert log.sizes == [6]
