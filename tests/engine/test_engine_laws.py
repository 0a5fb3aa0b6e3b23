"""Laws of the engine, for every workflow and any content of both sides."""

from __future__ import annotations

from itertools import groupby

from fakes.kinds import scene
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import World, worlds

from algosync.core.error import Unexpected
from algosync.core.event import Event, Note, Progress, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.planning.schedule import Verb
from algosync.engine.apply import apply, schedule_of

law = settings(deadline=None, max_examples=60)


def keys(events: list[Event], kind: type[Event]) -> set[str]:
    return {event.step.key for event in events if isinstance(event, kind)}


def fail(world: World, data: st.DataObject) -> set[str]:
    """Makes some of the steps fail, and says which."""
    steps = [step.key for step in schedule_of(world.plan(), scene(world.site)).steps]
    failing = data.draw(st.sets(st.sampled_from(steps))) if steps else set()
    world.site.failures = {key: Unexpected("no") for key in failing}
    return failing


@law
@given(worlds())
def test_after_an_apply_the_plan_is_empty(world: World) -> None:
    events = world.apply()
    assert keys(events, StepFailed) == keys(events, StepSkipped) == set()
    assert world.plan().visible == ()
    for address, item in world.site.source.items.items():
        assert world.site.destination.items[address].digest == item.digest


@law
@given(worlds(), st.data())
def test_a_failure_skips_exactly_what_depends_on_it(world: World, data: st.DataObject) -> None:
    failing = fail(world, data)
    schedule = schedule_of(world.plan(), scene(world.site))
    events = world.apply()
    broken: dict[str, str] = {}
    todo = [*failing]
    while todo:  # through barriers to all that needs a failed step
        node = todo.pop()
        broken[node] = "skipped" if any(n in broken for n in schedule.before[node].needs) else "failed"
        todo += [other for other, before in schedule.before.items() if node in before.needs and other not in broken]
    for node in broken:
        broken[node] = "skipped" if any(n in broken for n in schedule.before[node].needs) else "failed"
    steps = {step.key for step in schedule.steps}
    assert keys(events, StepFailed) == {key for key in steps if broken.get(key) == "failed"}
    assert keys(events, StepSkipped) == {key for key in steps if broken.get(key) == "skipped"}
    assert keys(events, StepDone) == steps - set(broken)


@law
@given(worlds(), st.data())
def test_a_skipped_step_names_a_step_that_failed(world: World, data: st.DataObject) -> None:
    fail(world, data)
    events = world.apply()
    assert {event.because for event in events if isinstance(event, StepSkipped)} <= keys(events, StepFailed)


@law
@given(worlds(), st.data())
def test_an_apply_after_failures_does_the_rest(world: World, data: st.DataObject) -> None:
    fail(world, data)
    world.apply()
    world.site.failures = {}
    world.apply()
    assert world.plan().visible == ()


@law
@given(worlds(), st.data())
def test_the_events_of_a_step_are_in_order(world: World, data: st.DataObject) -> None:
    fail(world, data)
    events = sorted(world.apply(), key=lambda event: event.step.key)  # stable: each step's events stay in their order
    for _, group in groupby(events, key=lambda event: event.step.key):
        first, *rest = group
        if isinstance(first, StepSkipped):
            assert rest == []
            continue
        assert isinstance(first, StepStarted)
        *middle, last = rest
        assert isinstance(last, (StepDone, StepFailed))
        assert all(isinstance(event, (Progress, Note)) for event in middle)


@law
@given(worlds())
def test_a_step_is_recorded_before_it_is_done(world: World) -> None:
    for event in apply(world.plan(), world.flow, scene(world.site), world.site.ledger):
        if isinstance(event, StepDone) and event.step.verb not in (Verb.BUILD, Verb.TEST):
            assert f"commit {event.step.address}" in world.site.ledger.log
            record = world.site.ledger.records[event.step.address]
            assert record.digest == world.site.destination.items[event.step.address].digest


@law
@given(worlds(), st.integers(0, 20))
def test_a_reader_that_leaves_early_leaves_every_write_recorded(world: World, count: int) -> None:
    events = apply(world.plan(), world.flow, scene(world.site), world.site.ledger)
    seen = [event for event, _ in zip(events, range(count), strict=False)]
    events.close()
    log = list(world.site.ledger.log)
    for position, entry in enumerate(log):
        verb, _, address = entry.partition(" ")
        if verb not in ("commit", "forget"):
            assert f"commit {address}" in log[position:]
    assert keys(seen, StepDone) <= keys(seen, StepStarted)
    assert world.site.ledger.log == log  # nothing runs any more
    world.apply()
    assert world.plan().visible == ()
