"""The outline of an apply, or of a run of tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from algosync.core.address import Address
from algosync.core.event import StepDone, StepFailed, StepSkipped
from algosync.core.planning.change import Action, Change
from algosync.core.planning.schedule import Verb
from algosync.core.redaction import Redactor
from algosync.core.report import CallTally, Report
from algosync.core.testing.answer import CaseResult
from algosync.core.testing.case import TestCase
from algosync.views.calls import answer_lines, gate_lines, tally_text
from algosync.views.error import details
from algosync.views.formats.gate_facts import gate_facts, slice_facts
from algosync.views.formats.outline import Count, Ending, Entry, Outline, OutlineCall, OutlineSection
from algosync.views.formats.shown import LONGEST_ROW, address_text, facts_of, numbers, short
from algosync.views.plan import ACTIONS, change_rows, summary_lines
from algosync.views.progress import VERBS
from algosync.views.subject import Applied

__all__ = ["applied_outline"]

_COUNTED = {Action.CREATE: "added", Action.UPDATE: "changed", Action.DELETE: "destroyed"}
_RECORDED = {Action.ADOPT: "adopted", Action.RECORD: "recorded", Action.FORGET: "forgotten"}
_SENTENCES = {
    Ending.PASSED: "is done",
    Ending.ERROR: "could not be completed",
    Ending.SKIPPED: "was left out",
    Ending.NONE: "is recorded",
}
_SYMBOLS = {Ending.PASSED: "+", Ending.FAILED: "-", Ending.ERROR: "-", Ending.SKIPPED: "!", Ending.NONE: ""}


def applied_outline(subject: Applied, redactor: Redactor) -> Outline:
    plan, report, redact = subject.plan, subject.report, redactor.redact
    tests = tuple(_test_entry(event, subject, redactor) for event in _in_order(subject))
    sections = (
        OutlineSection("tests", "Tests", tests),
        OutlineSection("changes", "Changes", tuple(_change_entries(subject, redactor))),
    )
    endings = Counter(entry.ending for entry in tests)
    counts = [*_resource_counts(subject)] if plan.compared else []
    counts += [Count("tests", "passed", endings[Ending.PASSED])]
    counts += [Count("tests", "failed", endings[Ending.FAILED] + endings[Ending.ERROR])]
    counts += [Count("tests", "skipped", endings[Ending.SKIPPED])]
    good = report.exit_code == 0 and not plan.held()
    _, *notes = summary_lines(plan, redact)
    return Outline(
        str(subject.meta.get("command") or "apply").capitalize(),
        _verdict(counts, good=good),
        good=good,
        facts=(*facts_of(plan.header, subject.meta, redact), *_versions(report, redactor)),
        counts=tuple(counts),
        notes=tuple(short(note.removeprefix("Note: "), 4 * LONGEST_ROW) for note in notes),
        sections=tuple(section for section in sections if section.entries),
        **numbers(plan.header, subject.meta, redact),
    )


def _verdict(counts: Iterable[Count], *, good: bool) -> str:
    told = {of: ", ".join(f"{c.number:,} {c.sort}" for c in counts if c.of == of) for of in ("resources", "tests")}
    result = "Complete." if good else "Not complete: something failed or was left out."
    return " ".join([result, *(f"{of.capitalize()}: {text}." for of, text in told.items() if text)])


def _resource_counts(subject: Applied) -> Iterator[Count]:
    counted, completed = subject.plan.counted(), subject.report.completed()
    yield from (Count("resources", word, completed[action]) for action, word in _COUNTED.items())
    yield from (Count("resources", word, counted[action]) for action, word in _RECORDED.items() if counted[action])


def _versions(report: Report, redactor: Redactor) -> Iterator[tuple[str, str]]:
    told = [f"{redactor.redact(e.step.address.algorithm)} {redactor.redact(e.detail)}" for e in report.published]
    if told:
        yield "Published", short(", ".join(told), LONGEST_ROW)


def _in_order(subject: Applied) -> Sequence[StepDone | StepFailed | StepSkipped]:
    order = {check.address: place for place, check in enumerate(subject.plan.checks)}
    return sorted(subject.report.tests, key=lambda event: order.get(event.step.address, len(order)))


def _test_entry(event: StepDone | StepFailed | StepSkipped, subject: Applied, redactor: Redactor) -> Entry:
    address, redact = event.step.address, redactor.redact
    tally = subject.report.tallies.get(address, CallTally())
    ending = _ending(event)
    calls, left_out = _calls(event, subject, redactor)
    case = event.step.check.case if event.step.check else None
    name = address_text(address, redact)
    return Entry(
        name,
        short(redact(address.algorithm)),
        _SYMBOLS[ending],
        "" if ending is not Ending.SKIPPED else "was left out",
        ending,
        seconds=None if isinstance(event, StepSkipped) else event.seconds,
        facts=tuple(_test_facts(tally, case, redactor)),
        slices=tuple(slice_facts(tally.gate, case.gate if case else None, redact)) if tally.gate else (),
        lines=tuple(_failure_lines(event, redactor)),
        printed=(*_gate(tally, redactor), *(_printed(name, subject.cases.get(address, ()), redactor) if not calls else ())),
        calls=calls,
        calls_left_out=left_out,
        timing=tally.timing,
    )


def _ending(event: StepDone | StepFailed | StepSkipped) -> Ending:
    """A test that could not be carried out has not failed."""
    match event:
        case StepDone():
            return Ending.PASSED
        case StepSkipped():
            return Ending.SKIPPED
        case StepFailed(error=error):
            from algosync.core.error import TestFailed, TimedOut

            return Ending.FAILED if isinstance(error, (TestFailed, TimedOut)) else Ending.ERROR


def _test_facts(tally: CallTally, case: TestCase | None, redactor: Redactor) -> Iterator[tuple[str, str]]:
    if called := tally.called:
        facts = {"version": called.version, "commit": called.commit, "recorded": called.recorded}
        yield from ((name, short(redactor.redact(text))) for name, text in facts.items() if text)
    if tally.calls:
        yield "calls", f"{tally.calls}"
        yield "failed_calls", f"{tally.failed}"
    if case is not None and (told := tally_text(tally, case)):
        yield "result", short(told, LONGEST_ROW)  # it has words of algosync and numbers
    if tally.gate is not None:
        yield from gate_facts(tally.gate, case.gate if case else None)
    if timing := tally.timing:
        measures = {"p50": timing.p50, "p95": timing.p95, "p99": timing.p99, "max": timing.max, "first_call": timing.cold}
        yield from ((name, f"{value:.6f}") for name, value in measures.items())
        yield "calls_a_second", f"{timing.throughput:.3f}"


def _failure_lines(event: StepDone | StepFailed | StepSkipped, redactor: Redactor) -> Iterator[str]:
    match event:
        case StepFailed(error=error):
            yield short(redactor.redact(error.message), LONGEST_ROW)
            yield from (short(line, 2000) for line in details(error, redactor.redact))
        case StepSkipped(because=because):
            yield f"{short(redactor.redact(because))} did not succeed"
        case StepDone():
            pass


def _gate(tally: CallTally, redactor: Redactor) -> Iterator[str]:
    """What is to be known of a quality gate."""
    yield from (short(redactor.redact(line), LONGEST_ROW) for line in gate_lines(tally))


def _printed(test: str, results: Sequence[CaseResult], redactor: Redactor) -> tuple[str, ...]:
    """The first call with its answer."""
    return tuple(short(line, 5000) for result in results[:1] for line in answer_lines(result, test, redactor.redact))


def _calls(event: StepDone | StepFailed | StepSkipped, subject: Applied, redactor: Redactor) -> tuple[tuple[OutlineCall, ...], int]:
    """The calls of a test over a file of cases, and how many of them are left out."""
    check, address = event.step.check, event.step.address
    if check is None or check.case.cases is None:
        return (), 0
    tally = subject.report.tallies.get(address, CallTally())
    kept = {result.number: result for result in (*subject.cases.get(address, ()), *tally.failures)}
    test = address_text(address, redactor.redact)
    listed = tuple(_call(kept[number], test, redactor) for number in sorted(kept))
    return listed, max(tally.calls - len(listed), 0)


def _call(result: CaseResult, test: str, redactor: Redactor) -> OutlineCall:
    failure = result.answer.failure
    first = failure.message if failure and not result.passed else next(map(str, result.mismatches), "")
    name = f"{result.number} {short(redactor.redact(result.name))}".rstrip()
    lines = [short(line.removeprefix("  "), 5000) for line in answer_lines(result, test, redactor.redact)][1:]
    ending = Ending.PASSED if result.passed else Ending.FAILED
    return OutlineCall(name, ending, result.answer.seconds, short(redactor.redact(first), LONGEST_ROW), tuple(lines))


def _change_entries(subject: Applied, redactor: Redactor) -> Iterator[Entry]:
    ended = _by_address(subject.report)
    for change in subject.plan.visible:
        events = ended.pop(change.address, [])
        yield _change_entry(change, events, redactor)
    for address, events in ended.items():  # steps without a change that is shown
        if any(not isinstance(event, StepDone) for event in events):
            yield _step_entry(address, events, redactor)


def _by_address(report: Report) -> dict[Address, list[StepDone | StepFailed | StepSkipped]]:
    found: dict[Address, list[StepDone | StepFailed | StepSkipped]] = {}
    events: tuple[StepDone | StepFailed | StepSkipped, ...] = (*report.done, *report.failed, *report.skipped)
    for event in events:
        if event.step.verb is not Verb.TEST:
            found.setdefault(event.step.address, []).append(event)
    return found


def _change_entry(change: Change, events: Sequence[StepDone | StepFailed | StepSkipped], redactor: Redactor) -> Entry:
    symbol, _, _, planned = ACTIONS[change.action]
    ending = _worst(events)
    sentence = planned if change.action is Action.HOLD else _SENTENCES[ending]
    done = (event for event in events if isinstance(event, StepDone))
    published = next((event.detail for event in done if event.step.verb is Verb.PUBLISH), "")
    rows = change_rows(change, redactor.redact, published) if change.action.has_steps else ()
    return Entry(
        address_text(change.address, redactor.redact),
        short(redactor.redact(change.address.algorithm)),
        symbol,
        sentence,
        ending if change.action is not Action.HOLD else Ending.SKIPPED,
        rows=tuple((mark, short(text, LONGEST_ROW)) for mark, text in rows),
        seconds=_seconds(events),
        facts=tuple(_step_facts(events, redactor)),
        lines=_step_lines(events, redactor),
    )


def _step_entry(address: Address, events: Sequence[StepDone | StepFailed | StepSkipped], redactor: Redactor) -> Entry:
    name, ending = address_text(address, redactor.redact), _worst(events)
    algorithm, lines = short(redactor.redact(address.algorithm)), _step_lines(events, redactor)
    return Entry(name, algorithm, _SYMBOLS[ending], _SENTENCES[ending], ending, seconds=_seconds(events), lines=lines)


def _worst(events: Iterable[StepDone | StepFailed | StepSkipped]) -> Ending:
    kinds = {type(event) for event in events}
    if StepFailed in kinds:
        return Ending.ERROR
    return Ending.SKIPPED if StepSkipped in kinds else Ending.PASSED if kinds else Ending.NONE


def _seconds(events: Iterable[StepDone | StepFailed | StepSkipped]) -> float | None:
    times = [event.seconds for event in events if not isinstance(event, StepSkipped)]
    return sum(times) if times else None


def _step_facts(events: Iterable[StepDone | StepFailed | StepSkipped], redactor: Redactor) -> Iterator[tuple[str, str]]:
    for event in events:
        if isinstance(event, StepDone) and event.detail:
            yield VERBS[event.step.verb][1], short(redactor.redact(event.detail))


def _step_lines(events: Iterable[StepDone | StepFailed | StepSkipped], redactor: Redactor) -> tuple[str, ...]:
    ordered = sorted(events, key=lambda event: isinstance(event, StepSkipped))
    return tuple(line for event in ordered for line in _failure_lines(event, redactor))
