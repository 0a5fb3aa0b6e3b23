"""The options of `algosync test` that choose tests, and say what becomes of their answers."""

from dataclasses import field
from typing import Annotated

import typer

from algosync.core.error import UsageError
from algosync.core.lean import dataclass

__all__ = ["TestNames", "TestOptions"]

TestNames = Annotated[
    list[str],
    typer.Option(
        "--filter",
        metavar="NAME",
        help="Only tests with this name or address; `*` stands for any text. May be repeated.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of `test`. `record` is the name of a case file and a payload. UsageError: some of them do not go together."""

    __test__ = False  # without this pytest would collect the class

    filter: TestNames = field(default_factory=list)
    only_failed: Annotated[bool, typer.Option("--only-failed", help="Only tests that failed when they last ran.")] = False
    bench: Annotated[bool, typer.Option("--bench", help="Only tests that measure many calls.")] = False
    show_answers: Annotated[bool, typer.Option("--show-answers", help="Show every answer, also if it is as expected.")] = False
    accept: Annotated[
        bool, typer.Option("--accept", help="Write the answers to the baselines of the tests; shows which files changed.")
    ] = False
    record: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--record",
            metavar="NAME PAYLOAD",
            help="Call what is published, and add the answer as a case to tests/NAME.jsonl. NAME may be ALGORITHM.NAME.",
            show_default=False,
        ),
    ] = None

    def __post_init__(self) -> None:
        others = (self.filter, self.only_failed, self.bench, self.show_answers, self.accept)
        if self.record and any(others):
            raise UsageError("--record does not go with the options that choose tests")
