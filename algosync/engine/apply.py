"""Apply: runs the steps of a plan as their dependencies allow, and reports what happens as events.

Workers put events on one queue, which the caller's thread reads. A step's records are committed before its end is reported. The
records of transfers that end at about the same time are committed together, while the next ones begin. A reader may leave at any
time: no other step starts, and the steps that run are finished and recorded.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from algosync.core.error import AlgosyncError, StateError
from algosync.core.event import Event, StepDone, StepFailed, StepSkipped, StepStarted
from algosync.core.planning.change import Action
from algosync.core.planning.data_reads import with_read_contents
from algosync.core.planning.diff import record_of
from algosync.core.planning.plan import Plan
from algosync.core.planning.renewal import with_contents
from algosync.core.planning.schedule import Schedule, Step, Verb, schedule
from algosync.core.ports import Ledger, Outcome
from algosync.core.resource import KindTraits
from algosync.core.workflow import AlgorithmSpec, Workflow, removed_spec
from algosync.engine.plan import Scene, Site
from algosync.engine.recorder import Done, OutcomeRecorder
from algosync.engine.transfer_pool import TransferPool
from algosync.engine.walk import Walk

__all__ = ["apply", "schedule_of"]

_WRITES = (Verb.UPLOAD, Verb.OVERWRITE)
_TRANSFERS = (Verb.UPLOAD, Verb.OVERWRITE, Verb.VERIFY, Verb.RECOVER, Verb.RESTORE)
_GATHERED = 0.01  # seconds
_MANY = 30  # events that gather meanwhile if the transfers wait for no server


def schedule_of(plan: Plan, scene: Scene[Site]) -> Schedule:
    """The steps of a plan. The kinds say which steps a change takes."""
    verbs = {c.address: scene.of(c.address).verbs(c) for c in plan.changes if c.action.has_steps}
    return schedule(plan, verbs)


def apply(plan: Plan, workflow: Workflow, scene: Scene[Site], ledger: Ledger) -> Generator[Event, None, None]:
    """Yields events until every step has ended. A step that fails is an event, not an exception.

    StateError: what was done cannot be recorded; no other step starts.
    """
    _record_unwritten(plan, scene.traits, ledger)
    specs = {spec.name: spec for spec in workflow.algorithms}
    yield from _Run(Walk(schedule_of(plan, scene)), specs, scene, ledger).events()


def _record_unwritten(plan: Plan, kinds: Mapping[str, KindTraits], ledger: Ledger) -> None:
    """Records the changes that write nothing to the destination."""
    _record_contents(plan, kinds, ledger)  # what is adopted below is newer than what was published
    records = ledger.records
    for change in plan.changes:
        if change.action is Action.FORGET:
            ledger.forget(change.address)
        elif change.action in (Action.ADOPT, Action.REFRESH, Action.RECORD) and change.after and change.before:
            ledger.commit(record_of(change.after, change.before, records.get(change.address)))
    _record_contents(plan, kinds, ledger)


def _record_contents(plan: Plan, kinds: Mapping[str, KindTraits], ledger: Ledger) -> None:
    for record in tuple(with_contents(plan.changes, kinds, ledger.records)):
        ledger.commit(record)
    for record in tuple(with_read_contents(plan.changes, dict(plan.depends_on), kinds, ledger.records)):
        ledger.commit(record)


class _Run:
    """One run over the steps of a schedule."""

    def __init__(self, walk: Walk, specs: Mapping[str, AlgorithmSpec], scene: Scene[Site], ledger: Ledger) -> None:
        self._walk = walk
        self._specs = specs
        self._scene = scene
        self._ledger = ledger
        self._queue: queue.SimpleQueue[Event | Done | BaseException] = queue.SimpleQueue()
        self._transfers = TransferPool(scene.transfers, self._announce) if scene.transfers else None
        self._recorder = OutcomeRecorder(ledger, self._queue.put, self._has_waiting_transfers)

    def events(self) -> Generator[Event, None, None]:
        pool = ThreadPoolExecutor(self._scene.parallelism, thread_name_prefix="apply")
        try:
            self._recorder.start()
            yield from self._start(pool)
            while self._walk.active:
                event = self._next()
                if isinstance(event, BaseException):
                    raise event
                if isinstance(event, Done):
                    event = StepDone(event.step, event.seconds, event.outcome.detail)
                yield event
                match event:
                    case StepDone(step=step):
                        self._walk.end(step, succeeded=True)
                        yield from self._start(pool)
                    case StepFailed(step=step, error=error):
                        self._walk.end(step, succeeded=not error.blocks)
                        yield from self._start(pool)
                    case _:
                        pass
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            if self._transfers is not None:
                self._transfers.close()
            pool.shutdown(wait=True)
            self._recorder.close()

    def _next(self) -> Event | Done | BaseException:
        if self._queue.empty():
            self._gather()
        return self._queue.get()

    def _gather(self) -> None:
        """While transfers wait for a thread, no thread lacks work. So events gather for a while, and this thread is not woken for
        each. If there are few, the transfers wait for a server, and more of them run at the same time from now on.
        """
        grows = self._transfers is not None
        while grows and self._queue.empty() and self._has_waiting_transfers():
            time.sleep(_GATHERED)
            grows = self._transfers is not None and self._queue.qsize() < _MANY and self._transfers.grow()

    def _has_waiting_transfers(self) -> bool:
        return self._transfers is not None and self._transfers.has_waiting

    def _start(self, pool: ThreadPoolExecutor) -> Iterator[StepSkipped]:
        """Starts every step that may run now."""
        for found in self._walk.advance():
            if isinstance(found, StepSkipped):
                yield found
            elif self._transfers is not None and found.verb in _TRANSFERS and self._scene.is_file(found.address):
                after = found.change.after if found.change else None
                self._transfers.submit(found, partial(self._perform, found, self._recorder.put), (after.size or 0) if after else 0)
            else:
                pool.submit(self._perform, found, self._record)

    def _announce(self, steps: Sequence[Step]) -> None:
        """Runs in a worker, which is about to begin these steps."""
        try:
            self._ledger.announce([(step.address, step.verb.value) for step in steps if step.verb in _WRITES])
        except BaseException as error:  # noqa: BLE001  # the caller's thread raises it and ends the run
            self._queue.put(error)

    def _perform(self, step: Step, end: Callable[[Done], None]) -> None:
        """Runs in a worker. `end` has the outcome recorded before it is reported."""
        started = time.monotonic()
        self._queue.put(StepStarted(step))
        try:
            performer = self._scene.performers[step.address.kind]
            name = step.address.algorithm
            outcome: Outcome = performer.perform(
                step, self._specs.get(name) or removed_spec(name), self._scene.site, self._queue.put
            )
            end(Done(step, outcome, time.monotonic() - started))
        except StateError as error:  # nothing more may be done that cannot be recorded
            self._queue.put(error)
        except AlgosyncError as error:
            self._queue.put(StepFailed(step, time.monotonic() - started, error))
        except BaseException as error:  # noqa: BLE001  # a bug, not a failure: the caller's thread raises it and ends the run
            self._queue.put(error)

    def _record(self, done: Done) -> None:
        self._ledger.commit_all(done.outcome.records, done.outcome.forgotten)
        self._queue.put(done)
