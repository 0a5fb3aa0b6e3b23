"""Addresses: parsing is the inverse of printing, and they sort by algorithm, kind and name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.core.address import Address

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)
ADDRESSES = st.builds(Address, st.from_regex(r"[a-z]{1,9}", fullmatch=True), NAMES, st.none() | st.text(max_size=20))


@given(ADDRESSES)
def test_parse_is_the_inverse_of_str(address: Address) -> None:
    assert Address.parse(str(address)) == address


@given(st.text(), st.sampled_from(['"', "\\", "\n", "", "é"]))
def test_a_name_is_written_as_in_json(text: str, part: str) -> None:
    name = text + part
    assert str(Address("data", "A", name)) == f"data.A[{json.dumps(name, ensure_ascii=False)}]"


@given(st.lists(ADDRESSES, unique=True))
def test_order_is_total_and_by_algorithm_first(addresses: list[Address]) -> None:
    ordered = sorted(addresses)
    assert [a.algorithm for a in ordered] == sorted(a.algorithm for a in addresses)
    assert sorted(set(addresses)) == ordered


@pytest.mark.parametrize(
    "text", ["", "algorithm", "algorithm.", "Data.X", "data.Ä", 'data.X["a"', "data.X[a]", "algorithm.1x", "data.X.y"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Address.parse(text)


def test_the_printed_form_is_terraform_like() -> None:
    assert str(Address("data", "Hello", 'w"1".pb')) == 'data.Hello["w\\"1\\".pb"]'
    assert str(Address("algorithm", "Hello")) == "algorithm.Hello"
