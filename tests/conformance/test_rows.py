"""The table is complete: every row has a test, every test a row, and every row that is left out a reason."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from inverted import complaint
from left_out import LEFT_OUT
from replies import Answer
from rows import ROWS, held_by
from table import README, readme

HERE = Path(__file__).parent
PLATFORM = HERE.parents[1] / "algosync" / "cluster" / "PLATFORM.md"
OWN = {"test_rows.py", "test_blank_servers.py"}


def names_of_tests() -> set[str]:
    """The tests of the suite, found in its sources."""
    found = set()
    for path in HERE.glob("test_*.py"):
        tree = ast.parse(path.read_text())
        named = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
        found |= {f"{path.name}::{name}" for name in named if path.name not in OWN}
    return found


def test_every_row_has_tests_and_every_test_a_row() -> None:
    assert {test for row in ROWS for test in held_by(row)} == names_of_tests()


def test_every_row_left_out_has_a_reason() -> None:
    assert [row for row, reason in LEFT_OUT.items() if len(reason) < 10 or row in ROWS] == []


def test_readme_shows_the_table() -> None:
    """`tests/README.md` has the current tables."""
    text = README.read_text()
    assert readme(text) == text


@pytest.mark.parametrize(("section", "last"), [("9", 50), ("10", 24)])
def test_every_point_of_the_numbered_tables_has_a_row(section: str, last: int) -> None:
    """Every number of the table is the number of at least one row."""
    numbers = [re.match(rf"{section}\.(\d+) (?!of the log)", row) for row in (*ROWS, *LEFT_OUT)]
    assert {int(number[1]) for number in numbers if number} == set(range(1, last + 1))


def test_every_row_belongs_to_a_section() -> None:
    """A row's number is a section of PLATFORM.md, or in sections 9 and 10 a row of the section's table."""
    numbers = {number[0] for row in (*ROWS, *LEFT_OUT) if (number := re.match(r"[\d.]+", row))}
    text = PLATFORM.read_text()
    sections = set(re.findall(r"^##+ ([\d.]*\d)", text, re.MULTILINE))
    for section in ("9", "10"):
        body = re.split(r"^##", text.partition(f"\n## {section}. ")[2], maxsplit=1, flags=re.MULTILINE)[0]
        sections |= {f"{section}.{row}" for row in re.findall(r"^\| (\d+) \|", body, re.MULTILINE)}
    assert numbers - sections == set()


REPLY = Answer(404)


def passes() -> None:
    reply = REPLY
    assert reply.status == 404


def crashes() -> None:
    reply = REPLY
    assert reply.document["error"] == {}


def asserts_something_else() -> None:
    status = 3
    assert status == 4


def fails_without_an_assertion() -> None:
    pytest.fail(str(REPLY))


def asserts_elsewhere() -> None:
    exec(compile("assert REPLY.status == 200", "elsewhere.py", "exec"))


def fails_in_another_element() -> None:
    reply, there = REPLY, False
    assert (reply.status, there) == (404, True)


def asserts_about_what_it_took() -> None:
    reply, expected = REPLY, (True, 200)
    found = [reply.status]
    status = found[0]
    assert (True, status) == expected


def asserts_about_its_reply() -> None:
    reply = REPLY
    assert reply.status == 200


@pytest.mark.parametrize(
    ("test", "begins"),
    [
        (passes, "passes against"),
        (crashes, "ends in no assertion"),
        (asserts_something_else, "ends in an assertion about no reply"),
        (fails_without_an_assertion, "ends in no assertion"),
        (fails_in_another_element, "ends in an assertion about no reply"),
        (asserts_elsewhere, "ends in an assertion that is not its own"),
        (asserts_about_what_it_took, ""),
        (asserts_about_its_reply, ""),
    ],
)
def test_complaints(test: Callable[[], None], begins: str) -> None:
    failure = None
    try:
        test()
    except BaseException as error:  # noqa: BLE001 - pytest's own exceptions derive from BaseException
        failure = pytest.ExceptionInfo.from_exception(error)
    found = complaint(failure, Path(__file__))
    assert found[: len(begins) or 1] == begins
