"""The walk over a schedule: what may start, what is skipped, and how much work that is."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.core.address import Address
from algosync.core.event import StepSkipped
from algosync.core.planning.schedule import Before, Schedule, Step, Verb
from algosync.engine.walk import Walk


def step(number: int) -> Step:
    return Step(Address("data", "A", str(number)), Verb.UPLOAD)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Steps of which each needs and follows some of those before it."""
    steps = [step(number) for number in range(draw(st.integers(0, 8)))]
    before = {}
    for position, one in enumerate(steps):
        earlier = [other.key for other in steps[:position]]
        needs = draw(st.sets(st.sampled_from(earlier))) if earlier else set()
        follows = draw(st.sets(st.sampled_from(earlier))) if earlier else set()
        before[one.key] = Before(tuple(sorted(needs)), tuple(sorted(follows)))
    return Schedule(tuple(steps), before)


@given(schedules(), st.data())
def test_a_failure_skips_exactly_what_needs_it(found: Schedule, data: st.DataObject) -> None:
    failing = data.draw(st.sets(st.sampled_from([s.key for s in found.steps]))) if found.steps else set()
    walk = Walk(found)
    running: list[Step] = []
    ended: dict[str, str] = {}
    while True:
        for reached in walk.advance():
            if isinstance(reached, StepSkipped):
                assert ended[reached.because] == "failed"
                ended[reached.step.key] = "skipped"
            else:
                assert all(ended[key] == "done" for key in found.before[reached.key].needs)
                assert all(key in ended for key in found.before[reached.key].follows)
                running.append(reached)
        assert walk.active == bool(running)
        if not running:
            break
        one = running.pop(data.draw(st.integers(0, len(running) - 1)))
        ended[one.key] = "failed" if one.key in failing else "done"
        walk.end(one, succeeded=one.key not in failing)
    assert set(ended) == {s.key for s in found.steps}
    for key, how in ended.items():
        needs_broken = any(ended[other] != "done" for other in found.before[key].needs)
        assert how == ("skipped" if needs_broken else "failed" if key in failing else "done")


def test_steps_that_wait_for_each_other_are_refused() -> None:
    one, two = step(1), step(2)
    before = {one.key: Before((two.key,)), two.key: Before((), (one.key,))}
    with pytest.raises(CycleError):
        Walk(Schedule((one, two), before))


class _Counting(Mapping[str, Before]):
    """Counts how often the walk looks at what comes before a node."""

    def __init__(self, before: Mapping[str, Before]) -> None:
        self.before, self.looks = before, 0

    def __getitem__(self, node: str) -> Before:
        self.looks += 1
        return self.before[node]

    def __iter__(self) -> Iterator[str]:
        return iter(self.before)

    def __len__(self) -> int:
        return len(self.before)


@pytest.mark.parametrize("count", [10, 10_000])
def test_each_node_is_looked_at_twice_however_many_there_are(count: int) -> None:
    steps = [step(number) for number in range(count)]
    last = Step(Address("version", "A"), Verb.BUILD)
    before = {one.key: Before() for one in steps}
    counting = _Counting({**before, "barrier": Before(tuple(before)), last.key: Before(("barrier",))})
    walk = Walk(Schedule((*steps, last), counting))
    running = list(walk.advance())
    assert running == steps
    for one in steps:
        walk.end(one, succeeded=True)
        running = list(walk.advance())
    assert running == [last]
    assert counting.looks == 2 * len(counting)
