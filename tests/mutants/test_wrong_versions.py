"""Wrong versions of the examples' algorithms: each is failed by the examples' own tests, and the algorithms as they are pass.

The sources are run without a cluster. `test_wrong_versions_on_a_cluster.py` applies some of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from examples import EXAMPLES, Example
from judged import judged
from laid_out import laid_out

QUICK = ("hello_world.yaml", "swapped_labels.yaml.j2")
"""The examples that need no environment of their own."""

PASSES = int(os.environ.get("EXAMPLE_PASSES", "3"))
"""How many times in a row the tests of the unchanged algorithms have to pass."""


def marked(example: Example) -> object:
    marks = () if example.workflow in QUICK else (pytest.mark.extended,)
    return pytest.param(example, id=example.workflow.partition(".")[0], marks=marks)


@pytest.mark.parametrize("example", [marked(example) for example in EXAMPLES.values()])
def test_wrong_versions_are_failed_and_the_unchanged_one_passes(example: Example, tmp_path: Path) -> None:
    with judged(example) as tests:
        unchanged = laid_out(example, tmp_path / "unchanged")
        assert [tests.failure(unchanged) for _ in range(PASSES)] == [None] * PASSES
        passed, told = [], []
        for number, wrong in enumerate(example.wrong):
            failure = tests.failure(laid_out(example, tmp_path / str(number), wrong))
            if failure is None:
                passed.append(wrong.name)
            elif failure[0] != tests.address(wrong) or wrong.reason not in failure[1].message:
                told.append((wrong.name, failure[0], failure[1].message))
        assert (passed, told) == ([], [])
        assert tests.failure(unchanged) is None


def test_there_are_forty_of_them_and_each_is_another_one() -> None:
    wrong = [wrong for example in EXAMPLES.values() for wrong in example.wrong]
    assert len({(each.file, each.old, each.new) for each in wrong}) == len(wrong) >= 40
