"""The user's settings of pip: how they are read, combined and passed to uv."""

import os
from configparser import Error
from pathlib import Path

import pytest

from algosync.emulator.python import pip_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any settings."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "xdg"))
    monkeypatch.setattr(pip_settings, "SYSTEM", ())
    return tmp_path


def configure(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pip.conf").write_text(text)


def test_without_settings_there_are_none() -> None:
    assert (pip_settings.read(), pip_settings.uv_variables({}), pip_settings.uv_options({})) == ({}, {}, [])


def test_precedence_of_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later files win, the command's section wins over the global one, and variables win over all files. Empty ones are ignored."""
    configure(
        home / "xdg" / "pip", "[global]\nindex-url = a\ncert = a\nproxy = a\ntimeout = a\nretries = a\n[install]\nproxy = b\n"
    )
    configure(home / ".pip", "[global]\nindex-url = c\n[list]\nindex-url = x\n")
    configure(home / ".config" / "pip", "[global]\nindex_url = d\nproxy = d\nfind-links =\n  e\n  f\n")
    monkeypatch.setenv("PIP_RETRIES", "9")
    monkeypatch.setenv("PIP_CERT", "")
    expected = {"index-url": "d", "cert": "a", "proxy": "b", "timeout": "a", "retries": "9", "find-links": "e f"}
    assert pip_settings.read() == expected


def test_a_named_file_replaces_those_of_the_user(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(home / "xdg" / "pip", "[global]\nindex-url = a\ncert = a\n")
    configure(home / ".config" / "pip", "[global]\nproxy = b\n")
    configure(home / "named", "[global]\nindex-url = c\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(home / "named" / "pip.conf"))
    found = dict(pip_settings.read())
    del found["config-file"]
    assert found == {"index-url": "c", "cert": "a"}
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert list(pip_settings.read()) == ["config-file"]


def test_an_invalid_file_is_an_error(home: Path) -> None:
    configure(home / ".pip", "index-url = a\n")
    with pytest.raises(Error, match=r"pip\.conf"):
        pip_settings.read()


def test_options_of_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """They replace the user's settings or add to them, and may refer to variables."""
    monkeypatch.setenv("PIP_TOKEN", "secret")
    user = {"index-url": "a", "trusted-host": "h", "no-binary": "x"}
    options = [
        ("index-url", "b"),
        ("index-url", "https://${PIP_TOKEN}@c"),
        ("trusted-host", "i"),
        ("pre", "1"),
        ("only-binary", "${NO}"),
    ]
    assert pip_settings.combine(user, options) == {
        **{"index-url": "https://secret@c", "trusted-host": "h i", "no-binary": "x", "pre": "1", "only-binary": "${NO}"}
    }


def test_settings_passed_to_uv(home: Path) -> None:
    (home / "links").mkdir()
    settings = {
        **{"index-url": "a", "extra-index-url": "b c", "trusted-host": "d e", "constraint": "f", "default-timeout": "7"},
        **{"cert": "g", "client-cert": "h", "proxy": "http://i", "require-hashes": "true", "pre": "1", "no-index": "0"},
        "find-links": f"~/links {home}/missing https://j/ file://{home}/links file://{home}/missing",
        **{"no-binary": "k,l", "only-binary": ":all:"},
    }
    assert pip_settings.uv_variables(settings) == {
        **{
            "UV_INDEX_URL": "a",
            "UV_EXTRA_INDEX_URL": "b c",
            "UV_INSECURE_HOST": "d e",
            "UV_CONSTRAINT": "f",
            "UV_HTTP_TIMEOUT": "7",
        },
        **{"SSL_CERT_FILE": "g", "SSL_CLIENT_CERT": "h", "HTTP_PROXY": "http://i", "HTTPS_PROXY": "http://i"},
        **{"UV_REQUIRE_HASHES": "1", "UV_PRERELEASE": "allow"},
        "UV_FIND_LINKS": f"{home}/links,https://j/,file://{home}/links",
    }
    assert pip_settings.uv_options(settings) == ["--no-binary=k", "--no-binary=l", "--only-binary=:all:"]
    assert pip_settings.uv_options({"no-index": "true"}) == ["--no-index"]


def test_files_that_a_jail_shows(home: Path) -> None:
    """Only those that a variable of uv names: no home, and no folder of an index."""
    variables = {
        **{"HOME": str(home), "UV_FIND_LINKS": "/a,file:///b%20c,https://d/,e", "UV_CONSTRAINT": "/f /g", "SSL_CERT_FILE": "/h"},
        "UV_INDEX_URL": "file:///i",
    }
    assert pip_settings.named_files(variables) == [Path(name) for name in ("/a", "/b c", "/f", "/g", "/h")]
