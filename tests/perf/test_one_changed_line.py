"""What one changed line costs: an apply sends a constant number of requests beyond its plan's, however many algorithms there are.

The clusters are in memory, so requests are counted and nothing is timed. The workflow has no tests: an apply calls each of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.repositories import FakeRepository
from test_growth_counted import World

from algosync.core.planning.plan import PlanHeader
from algosync.engine.plan import make_plan
from algosync.state import open_session

CHANGED = "A3"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each operation of a repository was asked for."""
    counts: Counter[str] = Counter()

    def counting(name: str) -> Callable[..., object]:
        real = getattr(FakeRepository, name)

        def operation(self: FakeRepository, *arguments: object, **options: object) -> object:
            counts[name] += 1
            return real(self, *arguments, **options)

        return operation

    for name in ("head", "tree", "commit", "before", "push"):
        monkeypatch.setattr(FakeRepository, name, counting(name))
    return counts


def beyond_the_plan(folder: Path, algorithms: int, asked: Counter[str], change: Callable[[World], object]) -> Counter[str]:
    """The requests of an apply after `change` that its plan alone does not send."""
    world = World(folder, algorithms, 2)
    world.flow = replace(world.flow, algorithms=tuple(replace(spec, tests=()) for spec in world.flow.algorithms), tests=())
    world.run()
    change(world)

    def requests() -> Counter[str]:
        return Counter({**world.requests, **asked})

    before = requests()
    with open_session(str(folder / "state"), "w@local~me.json", exclusive=False) as session:
        plan = make_plan(world.flow, world.scene(session), session.records, PlanHeader("w", None, "local", "me"))
    planned = requests() - before
    assert planned["requests"] >= 2 * algorithms
    assert len(plan.visible) < 6
    before = requests()
    _, report = world.run()
    assert report.exit_code == 0
    found = requests() - before
    found.subtract(planned)
    return Counter({name: number for name, number in found.items() if number})


def one_line(world: World) -> None:
    code = world.folder / "algorithms" / CHANGED / "src" / f"{CHANGED}.py"
    code.write_text(code.read_text().replace("return input", "return [input]"))


def one_file(world: World) -> None:
    world.source.write("quality", CHANGED, "f1", b"87654321")


@pytest.mark.parametrize("change", [one_line, one_file])
def test_one_change_costs_the_same_among_few_and_many(
    change: Callable[[World], object], asked: Counter[str], tmp_path: Path
) -> None:
    few, many = (beyond_the_plan(tmp_path / str(number), number, asked, change) for number in (10, 40))
    assert few["push"] == 1
    assert few == many
