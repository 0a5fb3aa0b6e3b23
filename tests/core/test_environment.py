"""Environments: a shorthand means the newest one, an algorithm keeps the one it has, and nothing is guessed."""

import pytest

from algosync.core.environment import Environment, choose
from algosync.core.error import SourceError

OFFERED = [
    Environment("1", "Python 2.7"),
    Environment("2", "Python 3.7", "2020"),
    Environment("3", "Python 3.10", "2021"),
    Environment("4", "Python 3.9", "2022"),
    Environment("5", "Python 3.7 + PyTorch 1.7.x"),
    Environment("6", "Python 3.7 + PyTorch 1.10.x"),
    Environment("7", "Python 3.8 + TensorFlow GPU 2.3"),
    Environment("8", "Python 3.7 + TensorFlow GPU 2.3"),
    Environment("9", "Python 3.7 + TensorFlow GPU 1.14"),
]


@pytest.mark.parametrize(
    ("language", "current", "chosen"),
    [
        ("python2", None, "1"),
        ("python3", None, "3"),
        ("python3", "2", "2"),
        ("python3", "5", "3"),
        ("pytorch", None, "6"),
        ("tensorflow-2.3", None, "7"),
        ("tensorflow-2.3", "8", "8"),
        ("tensorflow-1.14", None, "9"),
        ("Python 3.9", None, "4"),
    ],
)
def test_choice(language: str, current: str | None, chosen: str) -> None:
    assert choose(language, OFFERED, current).id == chosen


def test_the_newest_of_equal_names_is_taken() -> None:
    twins = [Environment("old", "Python 3.9", "2021-01-01"), Environment("new", "Python 3.9", "2021-06-01")]
    assert choose("python3", twins, None).id == "new"


def test_an_unknown_language_lists_the_offered_ones_and_the_nearest() -> None:
    with pytest.raises(SourceError) as caught:
        choose("Python 3,9", OFFERED, None)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("did you mean 'Python 3.9'? it offers: Python 2.7, Python 3.10,")


@pytest.mark.parametrize(
    ("current", "recorded", "chosen"), [("3", "Python 3.9", "4"), ("3", "Python 2.7", "3"), (None, "Python 3.7", "2")]
)
def test_the_recorded_environment_is_preferred_to_the_current_one(current: str | None, recorded: str, chosen: str) -> None:
    assert choose("python3", OFFERED, current, recorded).id == chosen
