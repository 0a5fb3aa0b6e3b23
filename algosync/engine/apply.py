"""Applying: steps run as their dependencies allow, and everything that happens is told as events.

Workers put events on one queue; the caller's thread reads it and records before it tells. A reader may leave at any time: nothing
new is started, what runs is ended and recorded.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from algosync.core.change import Action
from algosync.core.diff import record_of
from algosync.core.error import AlgosyncError, StateError
from algosync.core.event import Event, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.plan import Plan
from algosync.core.ports import Ledger, Outcome
from algosync.core.schedule import Step, schedule
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.engine.plan import Scene, Site

__all__ = ["apply", "steps_of"]


def steps_of(plan: Plan, scene: Scene[Site]) -> tuple[Step, ...]:
    """The steps of a plan, in an order in which one worker could do them."""
    verbs = {c.address: scene.of(c.address).verbs(c) for c in plan.changes if c.action.writes}
    return schedule(plan, verbs)


def apply(plan: Plan, workflow: Workflow, scene: Scene[Site], ledger: Ledger) -> Generator[Event, None, None]:
    """Yields events until nothing is left that can be done. A failed step is an event, not an exception.

    StateError: what was done cannot be recorded; nothing new is started then.
    """
    _record_what_is(plan, ledger)
    specs = {spec.name: spec for spec in workflow.algorithms}
    yield from _Run(steps_of(plan, scene), specs, scene, ledger).events()


def _record_what_is(plan: Plan, ledger: Ledger) -> None:
    for change in plan.changes:
        if change.action is Action.FORGET:
            ledger.forget(change.address)
        elif change.action in (Action.ADOPT, Action.REFRESH) and change.after and change.before:
            ledger.commit(record_of(change.after, change.before))


class _Run:
    """One walk over the steps."""

    def __init__(self, steps: tuple[Step, ...], specs: Mapping[str, AlgorithmSpec], scene: Scene[Site], ledger: Ledger) -> None:
        self._waiting = {step.key: step for step in steps}
        self._known = frozenset(self._waiting)
        self._specs = specs
        self._scene = scene
        self._ledger = ledger
        self._queue: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()
        self._succeeded: set[str] = set()
        self._broken: set[str] = set()  # failed or skipped
        self._running = 0

    def events(self) -> Generator[Event, None, None]:
        pool = ThreadPoolExecutor(self._scene.parallelism, thread_name_prefix="apply")
        try:
            while True:
                yield from self._skip()
                self._start(pool)
                if not self._running:
                    if self._waiting:
                        raise RuntimeError(f"steps that wait for ever: {sorted(self._waiting)}")
                    return
                event = self._queue.get()
                if isinstance(event, BaseException):
                    raise event
                self._note(event)
                yield event
        finally:
            self._waiting.clear()
            pool.shutdown(wait=True, cancel_futures=True)

    def _skip(self) -> Iterator[Event]:
        """What needs a broken step is left out, and so is what needs that."""
        found = True
        while found:
            found = False
            for step in list(self._waiting.values()):
                if because := sorted(step.needs & self._broken):
                    del self._waiting[step.key]
                    self._broken.add(step.key)
                    found = True
                    yield StepSkipped(step, because[0])

    def _start(self, pool: ThreadPoolExecutor) -> None:
        ended = self._succeeded | self._broken
        for step in list(self._waiting.values()):
            if step.needs & self._known <= self._succeeded and step.follows & self._known <= ended:
                del self._waiting[step.key]
                self._running += 1
                pool.submit(self._perform, step)

    def _note(self, event: Event) -> None:
        match event:
            case StepDone(step=step):
                self._succeeded.add(step.key)
                self._running -= 1
            case StepFailed(step=step):
                self._broken.add(step.key)
                self._running -= 1
            case _:
                pass

    def _perform(self, step: Step) -> None:
        """In a worker. The outcome is recorded before it is told."""
        started = time.monotonic()
        self._queue.put(StepStarted(step))
        try:
            performer = self._scene.performers[step.address.kind]
            outcome: Outcome = performer.perform(step, self._specs[step.address.algorithm], self._scene.site, self._queue.put)
            for record in outcome.records:
                self._ledger.commit(record)
        except StateError as error:  # what cannot be recorded must not be done
            self._queue.put(error)
        except AlgosyncError as error:
            self._queue.put(StepFailed(step, time.monotonic() - started, error))
        except BaseException as error:  # noqa: BLE001  # a bug, not a failure: it ends the run in the caller's thread
            self._queue.put(error)
        else:
            self._queue.put(StepDone(step, time.monotonic() - started, outcome.detail))
