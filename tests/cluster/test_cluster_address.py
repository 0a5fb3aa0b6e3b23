"""Addresses: one canonical form, https except for loopback, and nothing that could send a key elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosync.cluster.address import git_base, parse, parse_git
from algosync.core.error import UsageError

CANONICAL = {
    "plain": ("https://api.example.com", "https://api.example.com"),
    "slash": ("https://api.example.com/", "https://api.example.com"),
    "letters": ("HTTPS://API.Example.com:443", "https://api.example.com"),
    "port": ("https://api.example.com:8443", "https://api.example.com:8443"),
    "port-with-zeros": ("https://api.example.com:08443", "https://api.example.com:8443"),
    "any-port": ("https://api.example.com:22", "https://api.example.com:22"),
    "one-label": ("https://algorithmia", "https://algorithmia"),
    "underscore": ("https://api_1.internal", "https://api_1.internal"),
    "punycode": ("https://xn--pple-43d.com", "https://xn--pple-43d.com"),
    "private": ("https://10.0.0.7", "https://10.0.0.7"),
    "private-6": ("https://[FD00::0001]:8443", "https://[fd00::1]:8443"),
    "loopback": ("https://127.0.0.1", "https://127.0.0.1"),
    "http-loopback": ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    "http-loopback-net": ("http://127.8.9.10", "http://127.8.9.10"),
    "http-localhost": ("http://localhost", "http://localhost"),
    "http-loopback-6": ("http://[0:0::1]:80", "http://[::1]"),
    "https-on-80": ("https://api.example.com:80", "https://api.example.com:80"),
    "digits-in-a-name": ("https://4.example.com", "https://4.example.com"),
}


@pytest.mark.parametrize("name", CANONICAL)
def test_canonical(name: str) -> None:
    text, url = CANONICAL[name]
    assert parse(text, "X").url == url
    assert parse(url, "X").url == url
    assert parse(url, "X").authority == url.partition("://")[2]


FORM = "must look like https://api.example.com, with nothing after it"
HIDDEN = "holds a user name or password; keys are given by their own variables"
ASCII = "names a host with non-ASCII letters"
NO_IP = "has no valid IP address: "
PLAIN = "is plain http; only https keeps a key secret"

REFUSED = {
    "empty": ("", FORM),
    "no-scheme": ("api.example.com", f"{FORM}: 'api.example.com'"),
    "one-slash": ("https:/api.example.com", FORM),
    "ftp": ("ftp://api.example.com", f"{FORM}: 'ftp://api.example.com'"),
    "file": ("file:///etc", f"{FORM}: 'file:///etc'"),
    "javascript": ("javascript:alert(1)//", FORM),
    "http": ("http://api.example.com", PLAIN),
    "http-private": ("http://10.0.0.7", PLAIN),
    "http-near-loopback": ("http://127.0.0.1.example.com", PLAIN),
    "http-near-localhost": ("http://localhost.example.com", PLAIN),
    "http-below-localhost": ("http://x.localhost", PLAIN),
    "http-private-6": ("http://[fd00::1]", PLAIN),
    "password": ("https://user:pw@api.example.com", HIDDEN),
    "user": ("https://user@api.example.com", HIDDEN),
    "empty-user": ("https://@api.example.com", HIDDEN),
    "password-and-space": ("https://user:pw@api.example.com ", HIDDEN),
    "backslash-at": ("https://api.example.com\\@evil.com", HIDDEN),
    "backslash": ("https://api.example.com\\.evil.com", f"{FORM}: 'https://api.example.com\\.evil.com'"),
    "fragment": ("https://api.example.com#x", FORM),
    "empty-fragment": ("https://api.example.com#", FORM),
    "empty-query": ("https://api.example.com?", FORM),
    "path": ("https://api.example.com/v1", FORM),
    "two-slashes": ("https://api.example.com//", FORM),
    "parameters": ("https://api.example.com;x", "has no valid host name"),
    "percent": ("https://api%2eexample.com", FORM),
    "port-of-letters": ("https://api.example.com:port", FORM),
    "port-zero": ("https://api.example.com:0", FORM),
    "port-large": ("https://api.example.com:65536", FORM),
    "port-huge": ("https://api.example.com:99999999999", FORM),
    "port-signed": ("https://api.example.com:+443", FORM),
    "port-not-ascii": ("https://api.example.com:\u0664\u0664\u0663", FORM),
    "two-ports": ("https://api.example.com:443:443", FORM),
    "no-host": ("https://", FORM),
    "only-a-port": ("https://:443", FORM),
    "newline": ("https://api.example.com\n", FORM),
    "tab-inside": ("https://api.exa\tmple.com", FORM),
    "space-before": (" https://api.example.com", FORM),
    "nul": ("https://api.exa\0mple.com", "has no valid host name: 'api.exa\\x00mple.com'"),
    "escape": ("https://api.example.com\x1b[2J", FORM),
    "homograph": ("https://\u0430pple.com", ASCII),
    "full-width-dot": ("https://api\uff0eexample.com", ASCII),
    "full-width-slash": ("https://api.example.com\uff0fevil.com", ASCII),
    "care-of": ("https://api.example.com\u2100evil.com", ASCII),
    "zero-width": ("https://api.exam\u200bple.com", ASCII),
    "right-to-left": ("https://api.example.com\u202e", ASCII),
    "surrogate": ("https://api.\udcff.com", ASCII),
    "dot-at-the-end": ("https://api.example.com.", "names a host with a dot at its end"),
    "dot-at-localhost": ("http://localhost.", "names a host with a dot at its end"),
    "empty-label": ("https://api..example.com", "has no valid host name"),
    "hyphen-first": ("https://-api.example.com", "has no valid host name"),
    "star": ("https://*.example.com", "has no valid host name"),
    "dollar": ("https://$(id).com", "has no valid host name"),
    "label-of-64": (f"https://{'a' * 64}.com", "has no valid host name"),
    "name-of-254": (f"https://{'a.' * 126}aa", "has no valid host name"),
    "integer": ("https://2130706433", NO_IP),
    "hexadecimal": ("https://0x7f000001", NO_IP),
    "octal": ("https://0177.0.0.1", NO_IP),
    "short": ("http://127.1", NO_IP),
    "ends-in-a-number": ("https://example.1", NO_IP),
    "ends-in-hexadecimal": ("https://example.0x", NO_IP),
    "five-numbers": ("https://1.2.3.4.5", NO_IP),
    "too-large-a-number": ("https://1.2.3.256", NO_IP),
    "mapped": ("http://[::ffff:127.0.0.1]", "contains an IPv4 address inside an IPv6 one: "),
    "mapped-hexadecimal": ("https://[::ffff:a9fe:a9fe]", "contains an IPv4 address inside an IPv6 one: "),
    "metadata": ("https://169.254.169.254", "is a link-local address, where clouds hand out credentials: "),
    "link-local-6": ("https://[fe80::1]", "is a link-local address, where clouds hand out credentials: "),
    "zone": ("https://[fe80::1%eth0]", FORM),
    "zone-quoted": ("https://[fe80::1%25eth0]", FORM),
    "any-host": ("https://0.0.0.0", "is not the address of one host: "),
    "any-host-6": ("https://[::]", "is not the address of one host: "),
    "broadcast": ("https://255.255.255.255", "is not the address of one host: "),
    "multicast": ("https://224.0.0.1", "is not the address of one host: "),
    "not-closed": ("https://[::1", FORM),
    "behind-brackets": ("https://[::1].evil.com", FORM),
    "brackets-around-4": ("https://[127.0.0.1]", FORM),
    "brackets-around-too-much": ("https://[1:2:3:4:5:6:7:8:9]", NO_IP),
    "brackets-around-nothing": ("https://[]", FORM),
    "6-without-brackets": ("https://::1", FORM),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_variables_name(name: str) -> None:
    text, message = REFUSED[name]
    with pytest.raises(UsageError) as caught:
        parse(text, "DESTINATION_API_ADDRESS")
    assert caught.value.message.startswith(f"DESTINATION_API_ADDRESS {message}")
    assert caught.value.message.isprintable()
    assert "pw" not in caught.value.message


@pytest.mark.parametrize("key", ["simA1b2/+=", "user:sim", "a" * 60, "eyJ" + "a" * 90 + "." + "b" * 90])
def test_a_key_in_the_wrong_variable_is_not_shown(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(key, "DESTINATION_API_ADDRESS")
    assert caught.value.message == f"DESTINATION_API_ADDRESS {FORM}"


@pytest.mark.parametrize("text", ["http://api.example.com", "http://10.0.0.7:8080", "http://[fd00::1]"])
def test_insecure_allows_plain_http_to_any_host(text: str) -> None:
    assert parse(text, "X", insecure=True).url == text
    assert parse_git(text, "X", insecure=True) == f"{text}/git"
    with pytest.raises(UsageError):
        parse_git(text, "X")


@pytest.mark.parametrize("name", ["metadata", "mapped", "password", "homograph", "integer", "file", "dot-at-the-end"])
def test_insecure_allows_nothing_else(name: str) -> None:
    with pytest.raises(UsageError):
        parse(REFUSED[name][0].replace("https:", "http:"), "X", insecure=True)


@given(st.text(), st.sampled_from(["", "https://", "http://", "https://[", "https://a."]))
def test_every_text_is_one_host_or_refused(text: str, front: str) -> None:
    try:
        address = parse(front + text, "X")
    except UsageError:
        return
    assert parse(address.url, "X") == address
    assert address.url.isascii()
    assert not {"@", "\\", "#", "?", "%", " "} & set(address.url)


@pytest.mark.parametrize(
    ("address", "git"),
    [
        ("https://api.example.com", "https://git.example.com/git"),
        ("https://api.example.com:8443", "https://git.example.com:8443/git"),
        ("https://cluster.example.com", "https://cluster.example.com/git"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/git"),
        ("https://[fd00::1]:8443", "https://[fd00::1]:8443/git"),
    ],
)
def test_the_git_address_is_derived(address: str, git: str) -> None:
    assert git_base(parse(address, "X")) == git


@pytest.mark.parametrize("text", ["https://git.example.com", "https://git.example.com/git", "https://git.example.com/git/"])
def test_a_given_git_address_is_used(text: str) -> None:
    assert parse_git(text, "X") == "https://git.example.com/git"


@pytest.mark.parametrize(
    "text", ["https://git.example.com/git/git", "https://user:pw@git.example.com/git", "https://169.254.0.1/git"]
)
def test_a_given_git_address_is_checked(text: str) -> None:
    with pytest.raises(UsageError, match=r"^DESTINATION_GIT_ADDRESS "):
        parse_git(text, "DESTINATION_GIT_ADDRESS")
