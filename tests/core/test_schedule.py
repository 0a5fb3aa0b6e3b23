"""The schedule: which steps come before which, for every plan; and targets."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.core.address import Address
from algosync.core.planning.change import Action, Change
from algosync.core.planning.plan import Check, Plan, PlanHeader, checks_of, plan_of_checks, targeted
from algosync.core.planning.schedule import PHASES, Schedule, Verb, schedule
from algosync.core.planning.target import UnknownTarget, dependencies
from algosync.core.resource import Resource
from algosync.core.testing.case import TestCase
from algosync.core.workflow import AlgorithmSpec, Workflow
from algosync.kinds import KINDS

VERBS = {
    "algorithm": (Verb.CREATE,),
    "data": (Verb.UPLOAD, Verb.VERIFY),
    "source": (Verb.PUSH,),
    "version": (Verb.BUILD, Verb.PUBLISH),
}
TRAITS = {name: kind.TRAITS for name, kind in KINDS.items()}
NAMES = ("A", "B", "C", "D")
HEADER = PlanHeader("w", None, "local", "me")


def change(kind: str, algorithm: str, name: str | None = None, action: Action = Action.CREATE) -> Change:
    address = Address(kind, algorithm, name)
    return Change(address, action, None, Resource(address, size=1))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    changes, checks, depends_on = [], [], []
    for position, name in enumerate(NAMES):
        kinds = draw(st.sets(st.sampled_from(sorted(VERBS))))
        changes += [change(kind, name, "w" if kind == "data" else None) for kind in sorted(kinds)]
        if draw(st.booleans()):
            checks.append(Check(Address("test", name), TestCase("", "1", 300), of_algorithm=True, candidate="version" in kinds))
        depends_on.append((name, tuple(sorted(draw(st.sets(st.sampled_from(NAMES[:position])) if position else st.just(set()))))))
    tests = [
        Check(Address("test", "D", f"t{i}"), TestCase("", "1", 300), of_algorithm=False) for i in range(draw(st.integers(0, 2)))
    ]
    return Plan(HEADER, tuple(changes), (*checks, *tests), tuple(depends_on), kinds=TRAITS)


def scheduled(plan: Plan) -> Schedule:
    return schedule(plan, {c.address: VERBS[c.address.kind] for c in plan.changes if c.action.writes})


def needed(found: Schedule, key: str, *, also_followed: bool = False) -> set[str]:
    """The steps that must succeed (or only end) before this one, directly or through barriers and other steps."""
    keys = {step.key for step in found.steps}
    seen: set[str] = set()
    todo = [key]
    while todo:
        before = found.before[todo.pop()]
        new = {*before.needs, *(before.follows if also_followed else ())} - seen
        seen |= new
        todo += new
    return seen & keys


@given(plans())
def test_one_worker_can_do_the_steps_in_their_order(plan: Plan) -> None:
    found = scheduled(plan)
    seen: set[str] = set()
    for step in found.steps:
        assert needed(found, step.key, also_followed=True) <= seen
        seen.add(step.key)


@given(plans())
def test_every_verb_and_every_check_is_one_step(plan: Plan) -> None:
    keys = [step.key for step in scheduled(plan).steps]
    assert len(keys) == len(set(keys))
    expected = sum(len(VERBS[c.address.kind]) for c in plan.changes) + len(plan.checks)
    assert len(keys) == expected


@given(plans())
def test_a_step_needs_every_step_of_an_earlier_phase_of_its_algorithm(plan: Plan) -> None:
    found = scheduled(plan)
    own = [step for step in found.steps if step.address.name != "t0" and step.address.name != "t1"]
    for step in own:
        same = {other.key for other in own if other.address.algorithm == step.address.algorithm}
        earlier = {other.key for other in own if other.key in same and PHASES[other.verb] < PHASES[step.verb]}
        if step.verb is Verb.VERIFY:  # it waits for its own file only
            upload = f"upload {step.address}"
            earlier = {upload} | needed(found, upload) & same
        assert needed(found, step.key) & same == earlier


@given(plans())
def test_nothing_is_published_before_its_payload_has_passed(plan: Plan) -> None:
    found = scheduled(plan)
    steps = {step.key: step for step in found.steps}
    for step in steps.values():
        test = f"test.{step.address.algorithm}"
        if step.verb is Verb.PUBLISH and test in steps:
            assert test in needed(found, step.key)


@given(plans())
def test_an_upstream_failure_stops_what_depends_on_it_and_nothing_else(plan: Plan) -> None:
    above = dict(plan.depends_on)
    found = scheduled(plan)
    by_key = {step.key: step for step in found.steps}
    for step in found.steps:
        allowed, todo = {step.address.algorithm}, [step.address.algorithm]
        while todo:
            for other in above.get(todo.pop(), ()):
                if other not in allowed:
                    allowed.add(other)
                    todo.append(other)
        algorithms = {by_key[key].address.algorithm for key in needed(found, step.key)}
        assert algorithms <= allowed
        if PHASES[step.verb] >= PHASES[Verb.TEST]:
            assert algorithms >= {key.address.algorithm for key in found.steps if key.address.algorithm in allowed} - {
                step.address.algorithm
            }


@given(plans())
def test_testing_and_publishing_follow_the_workflows_order(plan: Plan) -> None:
    found = scheduled(plan)
    steps = [s for s in found.steps if PHASES[s.verb] >= PHASES[Verb.TEST]]
    for earlier, later in pairwise(steps):
        assert earlier.key in needed(found, later.key, also_followed=True)


@given(plans())
def test_the_workflows_tests_run_last(plan: Plan) -> None:
    found = scheduled(plan)
    tests = [step for step in found.steps if step.check and not step.check.of_algorithm]
    for position, test in enumerate(tests, start=len(found.steps) - len(tests)):
        assert needed(found, test.key, also_followed=True) == {step.key for step in found.steps[:position]}


def test_the_tests_of_an_algorithm_run_one_after_the_other_and_do_not_need_each_other() -> None:
    names = ("a", "b", "c")
    checks = tuple(Check(Address("test", "A", name), TestCase(name, "1"), of_algorithm=True) for name in names)
    found = schedule(Plan(HEADER, (), checks), {})
    first, second, third = (found.before[str(check.address)] for check in checks)
    assert (second.follows, third.follows) == ((str(checks[0].address),), (str(checks[1].address),))
    assert first.needs == second.needs == third.needs


def test_who_can_read_the_data_is_set_before_any_of_it_is_written() -> None:
    assert max(PHASES[Verb.CREATE], PHASES[Verb.CONFIGURE]) < min(PHASES[v] for v in (Verb.UPLOAD, Verb.RECOVER, Verb.OVERWRITE))


def test_every_verb_has_a_phase() -> None:
    assert set(PHASES) == set(Verb)


def edges(found: Schedule) -> int:
    return sum(len(before.needs) + len(before.follows) for before in found.before.values())


@pytest.mark.parametrize("count", [10, 10_000])
def test_edges_grow_with_the_data_files_of_one_algorithm(count: int) -> None:
    files = tuple(change("data", "A", f"file {n}") for n in range(count))
    found = scheduled(Plan(HEADER, (*files, change("version", "A")), (), (("A", ()),)))
    assert len(found.steps) == 2 * count + 2
    assert edges(found) <= 5 * count + 20


@pytest.mark.parametrize("count", [10, 2_000])
def test_edges_grow_with_a_chain_of_algorithms(count: int) -> None:
    names = [f"N{n}" for n in range(count)]
    depends_on = tuple((name, (other,)) for name, other in pairwise(reversed(names)))
    plan = Plan(HEADER, tuple(change("version", name) for name in names), (), (*depends_on, (names[0], ())))
    found = scheduled(plan)
    assert [step.address.algorithm for step in found.steps] == [name for name in names for _ in range(2)]
    assert edges(found) <= 12 * count


def test_a_target_brings_what_it_depends_on() -> None:
    everything = tuple(change(k, n, "w" if k == "data" else None) for n in NAMES for k in VERBS)
    plan = Plan(HEADER, everything, (), (("A", ()), ("B", ("A",)), ("C", ()), ("D", ())), kinds=TRAITS)
    kept = {str(c.address) for c in targeted(plan, ["source.B"]).changes}
    assert kept == {'data.B["w"]', "algorithm.B", "source.B", "algorithm.A", 'data.A["w"]', "source.A", "version.A"}
    assert {str(c.address) for c in targeted(plan, ['data.C["w"]']).changes} == {"algorithm.C", 'data.C["w"]'}
    assert targeted(plan, []) == plan


def test_a_test_as_a_target_brings_everything_of_its_algorithm() -> None:
    check = Check(Address("test", "A"), TestCase("", "1", 300), of_algorithm=True, candidate=True)
    plan = Plan(HEADER, tuple(change(k, "A", "w" if k == "data" else None) for k in VERBS), (check,), kinds=TRAITS)
    assert targeted(plan, ["test.A"]) == replace(plan, targets=("test.A",))


def test_an_unknown_target_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing in this workflow is called Nope"):
        targeted(Plan(HEADER, (change("source", "A"),), ()), ["Nope"])


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("Greter", "did you mean Greeter?"),
        ("greeter", "did you mean Greeter?"),
        ("Greter*", "did you mean Greeter?"),
        ("source.Greter", "did you mean source.Greeter?"),
        ("source.Greter*", "did you mean source.Greeter?"),
        ('data.Greeter["x.bim"]', 'did you mean data.Greeter["x.bin"]?'),
        ("Unlike", None),
        ("*", None),
    ],
)
def test_the_nearest_name_of_an_unknown_target_is_named(target: str, hint: str | None) -> None:
    changes = (change("source", "Greeter"), change("data", "Greeter", "x.bin")) if target != "*" else ()
    plan = Plan(HEADER, changes, (), (("Greeter", ()),) if target != "*" else (), kinds=TRAITS)
    with pytest.raises(UnknownTarget) as caught:
        targeted(plan, [target])
    assert caught.value.hint == hint


def test_a_target_that_no_look_reached_gets_the_nearest_name_too() -> None:
    with pytest.raises(UnknownTarget) as caught:
        targeted(Plan(HEADER, (), (), (("Greeter", ()),), kinds=TRAITS), ["Greter", "version.Greter"])
    assert caught.value.hint == "did you mean Greeter, version.Greeter?"


def test_a_target_may_be_a_glob() -> None:
    plan = Plan(HEADER, tuple(change("source", name) for name in NAMES), ())
    assert {str(c.address) for c in targeted(plan, ["source.[AB]"]).changes} == {"source.A", "source.B"}


def test_without_its_version_change_a_check_calls_the_published_version_or_is_left_out() -> None:
    check = Check(Address("test", "A"), TestCase("", "1", 300), of_algorithm=True, candidate=True)
    new = Plan(HEADER, (change("algorithm", "A"), change("version", "A")), (check,), kinds=TRAITS)
    assert targeted(new, ["algorithm.A"]).checks == ()
    version = Change(Address("version", "A"), Action.UPDATE, Resource(Address("version", "A")), Resource(Address("version", "A")))
    published = Plan(HEADER, (change("algorithm", "A"), version), (check,), kinds=TRAITS)
    assert [c.candidate for c in targeted(published, ["algorithm.A"]).checks] == [False]
    assert [c.candidate for c in targeted(published, ["A"]).checks] == [True]


def test_every_test_has_an_address_of_its_own_whatever_its_name() -> None:
    tests = tuple(TestCase(name, "1") for name in ("a", "a", "a #2", "a", "a #2"))
    workflow = Workflow("w", "/", (AlgorithmSpec("A", "python3"),), entrypoint="A", tests=tests)
    names = [check.address.name for check in checks_of(workflow, frozenset())]
    assert names == ["a", "a #2", "a #2 #2", "a #3", "a #2 #3"]
    assert len(schedule(plan_of_checks(workflow, HEADER), {}).steps) == 5


@st.composite
def gated_plans(draw: st.DrawFn) -> Plan:
    """Plans whose workflow tests call the new commit of an entrypoint anywhere in the order, with overwritten data files."""
    plan = draw(plans())
    entrypoint = draw(st.sampled_from(NAMES))
    kept = tuple(c for c in plan.changes if (c.address.algorithm, c.address.kind) != (entrypoint, "version"))
    tests = tuple(
        Check(Address("test", entrypoint, f"t{i}"), TestCase("", "1", 300), of_algorithm=False, candidate=True)
        for i in range(draw(st.integers(1, 3)))
    )
    payloads = tuple(check for check in plan.checks if check.of_algorithm)
    return replace(plan, changes=(*kept, change("version", entrypoint)), checks=(*payloads, *tests))


def released(plan: Plan) -> Schedule:
    """The schedule of a plan that overwrites every data file."""
    verbs = {**VERBS, "data": (Verb.OVERWRITE, Verb.VERIFY, Verb.RESTORE)}
    return schedule(plan, {c.address: verbs[c.address.kind] for c in plan.changes})


@given(gated_plans())
def test_the_workflow_tests_come_before_the_entrypoint_is_published(plan: Plan) -> None:
    found = released(plan)
    tests = [check.address for check in plan.checks if not check.of_algorithm]
    entrypoint = tests[0].algorithm
    publish = f"publish version.{entrypoint}"
    assert {str(test) for test in tests} <= needed(found, publish)
    dependents = {name for name, _ in plan.depends_on if entrypoint in dependencies({name}, dict(plan.depends_on))}
    for step in found.steps:
        before = needed(found, step.key, also_followed=True)
        if step.address.algorithm in dependents and step.verb in (Verb.TEST, Verb.PUBLISH):
            assert publish in before
        elif step.address.algorithm != entrypoint and step.address.algorithm not in dependents and step.verb is Verb.PUBLISH:
            assert all(step.key in needed(found, str(test), also_followed=True) for test in tests)


@given(gated_plans())
def test_tests_and_publishes_keep_their_order_also_across_algorithms_that_only_restore(plan: Plan) -> None:
    found = released(plan)
    for one, other in pairwise(step for step in found.steps if step.verb is Verb.PUBLISH):
        assert one.key in needed(found, other.key, also_followed=True)


@given(gated_plans())
def test_nothing_is_tested_before_its_data_is_verified(plan: Plan) -> None:
    found = released(plan)
    for step in found.steps:
        if step.verb in (Verb.TEST, Verb.PUBLISH):
            own = [s for s in found.steps if s.address.algorithm == step.address.algorithm and s.verb is Verb.VERIFY]
            assert {s.key for s in own} <= needed(found, step.key)


@given(gated_plans())
def test_previous_bytes_go_back_whatever_became_of_the_version(plan: Plan) -> None:
    found = released(plan)
    for step in found.steps:
        if step.verb is Verb.RESTORE:
            assert needed(found, step.key) == set()
            ended = needed(found, step.key, also_followed=True)
            own = {s.key for s in found.steps if s.address.algorithm == step.address.algorithm and s.verb is not Verb.RESTORE}
            assert own <= ended


@given(gated_plans())
def test_a_plan_with_tests_before_the_publish_can_be_done_in_order(plan: Plan) -> None:
    found = released(plan)
    seen: set[str] = set()
    for step in found.steps:
        assert needed(found, step.key, also_followed=True) <= seen
        seen.add(step.key)
