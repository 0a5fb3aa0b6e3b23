"""Proxy variables: how they are parsed, and which host uses which proxy."""

import base64

import pytest

from algosync.core.error import UsageError
from algosync.net import Proxies
from algosync.net.proxy import Proxy


def reads(**environ: str) -> Proxies:
    return Proxies.read(environ)


def leads(proxies: Proxies, url: str) -> str | None:
    proxy = proxies.to(url)
    return proxy.url if proxy else None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://proxy.example.com:3128", "http://proxy.example.com:3128"),
        ("http://proxy.example.com:3128/", "http://proxy.example.com:3128"),
        ("proxy.example.com:8080", "http://proxy.example.com:8080"),
        ("HTTP://PROXY.example.com", "http://proxy.example.com:80"),
        ("https://proxy.example.com", "https://proxy.example.com:443"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
        ("http://me:secret@10.0.0.1:3128", "http://10.0.0.1:3128"),
    ],
)
def test_the_url_of_a_proxy_has_no_credentials(text: str, url: str) -> None:
    assert leads(reads(HTTPS_PROXY=text), "https://api.example.com") == url


@pytest.mark.parametrize(
    "text",
    [
        "socks5://proxy.example.com:1080",
        "http://",
        "http://:3128",
        "http://[::1",
        "http://proxy.example.com:port",
        "http://proxy.example.com:99999",
        "http://me:sec/ret@proxy.example.com:3128",
        "http://me:12/ret@proxy.example.com:3128",
        "http://me:12?ret@proxy.example.com:3128",
        "http://me:12#ret@proxy.example.com:3128",
        "http://proxy.example.com/path",
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"])
def test_an_invalid_address_is_named_by_its_variable_and_not_shown(text: str, variable: str) -> None:
    url = "http://x.example" if variable == "HTTP_PROXY" else "https://x.example"
    with pytest.raises(UsageError) as caught:
        reads(**{variable: text}).to(url)
    assert caught.value.message.startswith(f"{variable} ")
    assert "ret" not in f"{caught.value.message} {caught.value.hint}".replace("written", "")


@pytest.mark.parametrize(
    ("given", "pair", "password"),
    [
        ("me:secret", b"me:secret", "secret"),
        ("me:p%40ss%3Aw%2Frd%25%2B%3D", b"me:p@ss:w/rd%+=", "p@ss:w/rd%+="),
        ("d%C3%B6m%5Cme:p%C3%A4ss", "döm\\me:päss".encode(), "päss"),
        ("me:%FF", b"me:\xff", "\ufffd"),
        ("me:a+b", b"me:a+b", "a+b"),
        ("me", b"me:", None),
        ("me:", b"me:", None),
        (":secret", b":secret", "secret"),
    ],
)
def test_user_and_password_are_sent_decoded(given: str, pair: bytes, password: str | None) -> None:
    proxies = reads(HTTPS_PROXY=f"http://{given}@proxy:3128")
    proxy = proxies.to("https://x.example")
    assert proxy is not None
    assert proxy.authorization is not None
    assert proxy.authorization.reveal() == f"Basic {base64.b64encode(pair).decode()}"
    assert [secret.reveal() for secret in proxies.secrets()][-1:] == ([password] if password else [])


def test_repr_of_a_proxy_hides_the_password() -> None:
    proxies = reads(HTTPS_PROXY="http://me:hunter2@one:1", HTTP_PROXY="http://me:hunter3@two:2")
    assert "hunter" not in repr(proxies)
    assert [secret.reveal() for secret in proxies.secrets()] == ["hunter2", "hunter3"]


def test_each_scheme_has_its_variable_and_lower_case_wins() -> None:
    proxies = reads(HTTPS_PROXY="http://a:1", https_proxy="http://b:1", HTTP_PROXY="http://c:1", ALL_PROXY="http://d:1")
    assert (leads(proxies, "https://x.example"), leads(proxies, "http://x.example")) == ("http://b:1", "http://c:1")
    assert proxies.to("https://x.example") == Proxy("http://b:1", "HTTPS_PROXY")
    proxies = reads(HTTPS_PROXY="", all_proxy="http://d:1")
    assert (leads(proxies, "https://x.example"), leads(proxies, "http://x.example")) == ("http://d:1", "http://d:1")
    assert proxies.to("https://x.example") == Proxy("http://d:1", "ALL_PROXY")
    assert reads() == Proxies()


def test_an_unused_variable_may_be_invalid() -> None:
    proxies = reads(ALL_PROXY="socks5://me:hun%74er2@proxy:1080", HTTPS_PROXY="http://a:1", NO_PROXY="near.example")
    assert leads(proxies, "https://x.example") == "http://a:1"
    assert leads(proxies, "http://127.0.0.1:8080") is None
    assert leads(proxies, "http://near.example") is None
    assert [secret.reveal() for secret in proxies.secrets()] == ["hun%74er2", "hunter2"]
    assert [secret.reveal() for secret in reads(HTTPS_PROXY="http://me:hun/ter2@[::1").secrets()] == ["hun/ter2"]
    with pytest.raises(UsageError, match=r"^ALL_PROXY "):
        proxies.to("http://x.example")


def test_a_cgi_client_cannot_choose_the_proxy() -> None:
    assert reads(HTTP_PROXY="http://evil:1", REQUEST_METHOD="GET").http is None
    assert reads(http_proxy="http://good:1", REQUEST_METHOD="GET").http is not None


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://127.0.0.1", "http://127.9.9.9", "http://[::1]:1", "http://api.localhost"]
)
def test_plain_http_to_this_machine_is_direct(url: str) -> None:
    assert leads(reads(HTTP_PROXY="http://proxy:1"), url) is None


def test_https_to_this_machine_uses_the_proxy() -> None:
    assert leads(reads(HTTPS_PROXY="http://proxy:1"), "https://localhost:8443") == "http://proxy:1"


@pytest.mark.parametrize(
    ("exempt", "url", "direct"),
    [
        ("", "https://api.example.com", False),
        ("*", "https://api.example.com", True),
        ("example.com", "https://api.example.com", True),
        ("example.com", "https://example.com", True),
        (".example.com", "https://api.example.com", True),
        (".example.com", "https://example.com", True),
        ("*.example.com", "https://api.example.com", True),
        ("example.com", "https://badexample.com", False),
        ("example.com", "https://example.com.evil.net", False),
        ("EXAMPLE.com", "https://API.example.COM", True),
        ("other.net, example.com", "https://api.example.com", True),
        ("other.net example.com", "https://api.example.com", True),
        (" , ,other.net,", "https://api.example.com", False),
        (".", "https://api.example.com", False),
        ("example.com:443", "https://api.example.com", True),
        ("example.com:8443", "https://api.example.com", False),
        ("example.com:8443", "https://api.example.com:8443", True),
        ("example.com:80", "http://api.example.com", True),
        ("example.com:443", "http://api.example.com", False),
        ("*:8443", "https://api.example.com:8443", True),
        (f"example.com:{'9' * 5000}", "https://api.example.com", False),
        ("10.1.2.3", "https://10.1.2.3", True),
        ("10.1.2.3", "https://10.1.2.30", False),
        ("10.1.2.3:443", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.1.2.3/8", "https://10.200.2.3", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.0.0.0/99", "https://10.1.2.3", False),
        ("0.0.0.0/0", "https://api.example.com", False),
        ("2001:db8::1", "https://[2001:db8::1]", True),
        ("[2001:db8::1]", "https://[2001:db8::1]:8443", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]", False),
        ("2001:db8::/32", "https://[2001:db8:1::2]", True),
        ("2001:db8::/32", "https://[2001:db9::1]", False),
        ("2001:DB8::1", "https://[2001:db8:0:0::1]", True),
        ("::/0", "https://10.1.2.3", False),
        ("localhost", "https://localhost:8443", True),
    ],
)
def test_no_proxy_patterns(exempt: str, url: str, direct: bool) -> None:
    for variable in ("NO_PROXY", "no_proxy"):
        proxies = Proxies.read({"ALL_PROXY": "http://proxy:3128", variable: exempt})
        assert leads(proxies, url) == (None if direct else "http://proxy:3128")
