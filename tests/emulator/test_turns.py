"""Limits on concurrent calls: order, limit, and freedom from deadlocks."""

import asyncio
import contextlib
from collections.abc import Awaitable

import pytest

from algosync.emulator.running.turns import Turn, Turns


def run(scenario: Awaitable[None]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(scenario, 60)

    asyncio.run(bounded())


async def settle() -> None:
    """Run all tasks that can run."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_turns_are_given_in_order_up_to_the_limit() -> None:
    async def scenario() -> None:
        turns, order, at_work = Turns(2), list[int](), list[int]()

        async def work(number: int) -> None:
            async with Turn().of(turns):
                order.append(number)
                at_work.append(number)
                assert len(at_work) <= 2
                await settle()
                at_work.remove(number)

        await asyncio.gather(*map(work, range(7)))
        assert order == list(range(7))

    run(scenario())


@pytest.mark.parametrize("limit", [1, 3])
def test_nested_calls_end_with_any_limit(limit: int) -> None:
    async def scenario() -> None:
        turns, leaves = Turns(limit), list[int]()

        async def call(depth: int, maker: Turn | None) -> None:
            turn = Turn()
            with maker.lent() if maker else contextlib.nullcontext():
                async with turn.of(turns):
                    if depth == 0:
                        leaves.append(1)
                        return
                    await asyncio.gather(*[call(depth - 1, turn) for _ in range(3)])

        await asyncio.gather(*[call(3, None) for _ in range(4)])
        assert len(leaves) == 4 * 27
        # All turns are free again: as many as the limit can be taken, but not one more.
        async with contextlib.AsyncExitStack() as held:
            for _ in range(limit):
                await held.enter_async_context(Turn().of(turns))
            another = asyncio.ensure_future(turns.take())
            await settle()
            assert not another.done()
            another.cancel()

    run(scenario())


def test_a_cancelled_waiter_takes_no_turn() -> None:
    async def scenario() -> None:
        turns = Turns(1)
        await turns.take()
        given_up, given_up_too_late = (asyncio.ensure_future(turns.take()) for _ in range(2))
        await settle()
        given_up.cancel()
        await settle()
        turns.give()
        given_up_too_late.cancel()
        await settle()
        assert given_up.cancelled()
        assert given_up_too_late.cancelled()
        await turns.take()

    run(scenario())
