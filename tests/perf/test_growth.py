"""Growth of processor time with the size of an input: the time for an input, compared with a quarter of it in the same run.

Four times the input takes four times as long if the work is linear, and sixteen times if it is quadratic. Other tests count
calls. These tests cover work inside functions that are written in C.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest

from algosync.core.redaction import Redactor
from algosync.sources.line_counts import count_lines
from algosync.workflow.fault import Faults
from algosync.workflow.parsing.json_reader import read_json
from algosync.workflow.parsing.yaml_reader import read_yaml

ROUNDS = 5


def redact(text: str) -> None:
    redactor = Redactor()
    redactor.hide("simSECRETsecretSECRETsecret1")
    redactor.redact(text)


def read_repeated(read: Callable[[str, Faults], object], size: int) -> None:
    """Read a map whose last keys are there again, each after one that is new."""
    keys = [f'"k{number}": 1' for number in range(size // 4)]
    again = [f'"n{number}": 1, "k{size // 4 - 1 - number}": 2' for number in range(900)]
    read("{" + ", ".join([*keys, *again]) + "}", Faults())


# Calls by the size of their input. Each size is too large for Python's memory pools, whose cost differs from that of the system.
GROWING: dict[str, Callable[[int], Callable[[], object]]] = {
    "a long text in JSON": lambda size: partial(read_json, '["' + "x" * 20 * size + '"]', Faults()),
    "escapes in JSON": lambda size: partial(read_json, '["' + "\\u0041" * 10 * size + '"]', Faults()),
    "a list in JSON": lambda size: partial(read_json, "[" + "1," * (size // 2) + "1]", Faults()),
    "a long text in YAML": lambda size: partial(read_yaml, "a: " + "x" * 20 * size, Faults()),
    "keys in JSON": lambda size: partial(read_repeated, read_json, size),
    "keys in YAML": lambda size: partial(read_repeated, read_yaml, size),
    "a list in YAML": lambda size: partial(read_yaml, "- 1\n" * (size // 4), Faults()),
    "lines that differ": lambda size: partial(count_lines, b"a\n" * 5 * size, b"b\n" * 5 * size),
    "a text to redact": lambda size: partial(redact, "x" * size),
    "a text to redact that looks like secrets": lambda size: partial(redact, "simSECRET" * (size // 9)),
}


def seconds(call: Callable[[], object]) -> float:
    """Processor time of this thread."""
    began = time.thread_time()
    call()
    return time.thread_time() - began


@pytest.mark.parametrize("what", GROWING)
def test_time_does_not_grow_faster_than_the_input(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    size = 20_000
    small, large = GROWING[what](size), GROWING[what](4 * size)
    small()
    ratio = min(seconds(large) for _ in range(ROUNDS)) / min(seconds(small) for _ in range(ROUNDS))
    with capsys.disabled():
        print(f"\n{what}: four times the input takes {ratio:.1f} times as long")
    assert ratio < 8
