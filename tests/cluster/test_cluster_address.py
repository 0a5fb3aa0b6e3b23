"""Addresses: one canonical form, https unless it is loopback, nothing in them that could carry a key elsewhere."""

import pytest

from algosync.cluster.address import git_base, parse, parse_git
from algosync.core.error import UsageError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("https://API.Example.com:443", "https://api.example.com"),
        ("https://api.example.com:8443", "https://api.example.com:8443"),
        ("https://10.0.0.7", "https://10.0.0.7"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_canonical(text: str, url: str) -> None:
    assert parse(text, "X").url == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "file:///etc",
        "http://api.example.com",
        "http://10.0.0.7",
        "http://127.0.0.1.example.com",
        "https://user:pw@api.example.com",
        "https://user@api.example.com",
        "https://api.example.com\\@evil.com",
        "https://api.example.com/v1",
        "https://api.example.com?x",
        "https://api.example.com#x",
        "https://api.example.com:port",
        "https://api.example.com:99999",
        "https://",
        "https://api.example.com\n",
        " https://api.example.com",
        "https://api.exa\x00mple.com",
    ],
)
def test_refused_with_the_variables_name(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, "DESTINATION_API_ADDRESS")
    assert "DESTINATION_API_ADDRESS" in caught.value.message
    assert "pw" not in caught.value.message


@pytest.mark.parametrize(
    ("address", "git"),
    [
        ("https://api.example.com", "https://git.example.com/git"),
        ("https://api.example.com:8443", "https://git.example.com:8443/git"),
        ("https://cluster.example.com", "https://cluster.example.com/git"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/git"),
    ],
)
def test_the_git_address_is_derived(address: str, git: str) -> None:
    assert git_base(parse(address, "X")) == git


@pytest.mark.parametrize("text", ["https://git.example.com", "https://git.example.com/git", "https://git.example.com/git/"])
def test_or_given(text: str) -> None:
    assert parse_git(text, "X") == "https://git.example.com/git"
