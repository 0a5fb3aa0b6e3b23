import pytest

from algosync.core.error import UsageError
from algosync.executors.address import scheduler_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("dask://10.0.0.1:8786", "tcp://10.0.0.1:8786"),
        ("dask://scheduler.example.com:8786/", "tcp://scheduler.example.com:8786"),
        ("tcp://[::1]:8786", "tcp://[::1]:8786"),
        ("tls://scheduler:8786", "tls://scheduler:8786"),
        ("wss://scheduler:443", "wss://scheduler:443"),
    ],
)
def test_an_address_in_the_form_of_dask(text: str, address: str) -> None:
    assert scheduler_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dask",
        "dask://",
        "dask://host",
        "dask://host:0",
        "dask://host:65536",
        "http://host:80",
        "dask://host:1/path",
        "ray://h:1",
    ],
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--executor names no executor") as caught:
        scheduler_address(text)
    assert caught.value.hint is not None
    assert "dask://HOST:PORT" in caught.value.hint


def test_a_password_is_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        scheduler_address("dask://me:password@host:8786")
    assert "password" not in caught.value.message
