"""The names of state files: readable, harmless, and never shared."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.state import state_name

destinations = (
    st.sampled_from(["local", "local:a", "https://local", "https://local:8443", "https://local_a", "http://a.x", "https://a.x"])
    | st.from_regex(r"(https?://)?[a-zA-Z.:_~@-]{1,6}(:[0-9]{1,4})?", fullmatch=True)
    | st.text(max_size=80)
)
names = st.from_regex(r"[a-zA-Z@~_.-]{0,5}(-[0-9a-f]{8})?", fullmatch=True) | st.text(max_size=80)


@pytest.mark.parametrize(
    ("destination", "readable"),
    [
        ("local", "local"),
        ("local:two", "local_two"),
        ("https://api.x.com", "api.x.com"),
        ("https://api.x.com:8443", "api.x.com_8443"),
        ("https://10.0.0.7:8443", "10.0.0.7_8443"),
    ],
)
def test_ordinary_names_are_readable(destination: str, readable: str) -> None:
    assert state_name("hello_world", destination, "jane.doe") == f"hello_world@{readable}~jane.doe.json"


def test_other_names_end_with_a_digest() -> None:
    assert state_name("Hello", "http://127.0.0.1:8080", "../a") == ("Hello-185f8db3@http_127.0.0.1_8080-d30a576c~a-61b4c98b.json")


@given(names, destinations, names)
def test_names_are_harmless(workflow: str, destination: str, owner: str) -> None:
    name = state_name(workflow, destination, owner)
    assert re.fullmatch(r"[A-Za-z0-9._-]+@[A-Za-z0-9._-]+~[A-Za-z0-9._-]+\.json", name)
    assert not name.startswith(".")
    assert len(name) < 230


@given(st.tuples(names, destinations, names), st.tuples(names, destinations, names))
def test_no_two_share_a_name(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (state_name(*one).casefold() == state_name(*other).casefold()) == (one == other)


@given(st.sampled_from(["A", "Hello", "a b", "", "-", "x" * 70]) | names)
def test_no_owner_gets_the_file_name_of_another_owner(owner: str) -> None:
    mimic = re.fullmatch(r"w@local~(.*)\.json", state_name("w", "local", owner).casefold())
    assert mimic is not None
    same = state_name("w", "local", mimic[1]).casefold() == state_name("w", "local", owner).casefold()
    assert same == (mimic[1] == owner)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("local", "https://local"),
        ("local:8443", "https://local:8443"),
        ("https://a.x:80", "http://a.x:80"),
        ("https://a.x", "https://A.x"),
        ("http://a.x", "https://" + state_name("w", "http://a.x", "o")[2:-7]),
        ("local:Two", "local:" + state_name("w", "local:Two", "o")[8:-7].casefold()),
    ],
)
def test_similar_destinations_have_different_names(one: str, other: str) -> None:
    assert state_name("w", one, "o").casefold() != state_name("w", other, "o").casefold()
