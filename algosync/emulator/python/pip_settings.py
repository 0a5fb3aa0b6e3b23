"""The user's settings of pip, translated for `uv`, which reads none of them itself.

Only settings that decide where packages come from, and which of them, are translated.
"""

import os
import re
from collections.abc import Iterable, Mapping
from configparser import RawConfigParser
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from algosync.emulator.python.requirements import Option

Settings = Mapping[str, str]
"""Values by pip's option names, without dashes. Several values of one option are separated by blanks."""

SECTIONS = ("global", "install")

SYSTEM = ("/Library/Application Support/pip", "/etc")
"""Folders with pip's configuration for all users, on macOS and on every system."""

VARIABLES = {
    "index-url": ("UV_INDEX_URL",),
    "extra-index-url": ("UV_EXTRA_INDEX_URL",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "constraint": ("UV_CONSTRAINT",),
    "timeout": ("UV_HTTP_TIMEOUT",),
    "default-timeout": ("UV_HTTP_TIMEOUT",),
    "retries": ("UV_HTTP_RETRIES",),
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("HTTP_PROXY", "HTTPS_PROXY"),
}
"""The environment variables that tell uv the same. Variables keep passwords out of the list of processes."""

NAMING_FILES = (
    *("UV_FIND_LINKS", "UV_CONSTRAINT"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
"""Variables that may name local files. Folders with an index are not among them: an index may link to files anywhere."""

APPENDED = ("extra-index-url", "trusted-host", "no-binary", "only-binary")
"""Options whose values in a list of requirements are added to those of the user. Other values replace them."""


def read() -> Settings:
    """Read pip's configuration files and its variables. Variables win over files, and `[install]` over `[global]`.

    Raises `configparser.Error` for an invalid file.
    """
    parser = RawConfigParser(strict=False)
    parser.read(_files(), encoding="utf-8")
    found = [item for section in SECTIONS if parser.has_section(section) for item in parser.items(section)]
    found += [(name[4:], value) for name, value in os.environ.items() if name.startswith("PIP_")]
    return {name.lower().lstrip("-").replace("_", "-"): " ".join(value.split()) for name, value in found if value}


def combine(settings: Settings, options: Iterable[Option]) -> Settings:
    """The user's settings together with the options of a list of requirements, as pip combines them.

    `${NAME}` in an option is replaced by that variable of the environment.
    """
    found = dict(settings)
    for name, raw in options:
        value = re.sub(r"\$\{([A-Z0-9_]+)\}", lambda match: os.environ.get(match[1], match[0]), raw)
        found[name] = f"{found.get(name, '')} {value}".strip() if name in APPENDED else value
    return found


def uv_variables(settings: Settings) -> dict[str, str]:
    """The environment variables that pass the settings to uv."""
    found = {variable: settings[name] for name, variables in VARIABLES.items() if name in settings for variable in variables}
    if folders := [link for link in settings.get("find-links", "").split() if _exists(link)]:
        found["UV_FIND_LINKS"] = ",".join(map(os.path.expanduser, folders))
    if _is_on(settings, "pre"):
        found["UV_PRERELEASE"] = "allow"
    if _is_on(settings, "require-hashes"):
        found["UV_REQUIRE_HASHES"] = "1"
    return found


def uv_options(settings: Settings) -> list[str]:
    """Options of uv's command line for settings that no environment variable passes."""
    found = ["--no-index"] if _is_on(settings, "no-index") else []
    for name in ("no-binary", "only-binary"):
        found += [f"--{name}={package}" for package in re.split(r"[\s,]+", settings.get(name, "")) if package]
    return found


def named_files(variables: Mapping[str, str]) -> list[Path]:
    """The local files and folders that uv has to read because these variables name them."""
    words = [word for name in NAMING_FILES for word in re.split(r"[\s,]+", variables.get(name, ""))]
    return [path for path in map(_path, words) if path.is_absolute()]


def _files() -> list[Path]:
    """pip's configuration files, in ascending precedence. They need not exist."""
    given = os.environ.get("PIP_CONFIG_FILE", "")
    if given == os.devnull:
        return []
    folders = [Path(folder, "pip") for folder in (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)]
    folders += map(Path, SYSTEM)
    if not os.path.exists(given):
        home = Path.home()
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        folders += [home / ".pip", config / "pip", home / "Library/Application Support/pip"]
    return [*(folder / "pip.conf" for folder in folders), *([Path(given)] if given else [])]


def _is_on(settings: Settings, name: str) -> bool:
    return settings.get(name, "").lower() in ("1", "y", "yes", "t", "true", "on")


def _exists(link: str) -> bool:
    """Whether a link can be searched. pip skips a missing folder, while uv fails."""
    remote = "://" in link and not link.startswith("file:")
    return remote or _path(link).exists()


def _path(word: str) -> Path:
    return Path(url2pathname(urlsplit(word).path)) if word.startswith("file:") else Path(os.path.expanduser(word))
