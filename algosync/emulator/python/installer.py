"""Makes virtual environments and installs requirements into them, with `uv`.

All environments share one cache of downloads. Code of packages must not write there, because it could change what others install
later. Such code runs when a package is built from source. Therefore requirements are first installed with builds made to fail. Only
if a package has to be built, they are installed again with builds allowed and a temporary cache.
"""

import asyncio
import configparser
import os
import ssl
import tempfile
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import uv

from algosync.emulator.processes import children
from algosync.emulator.processes.jail import NO_JAIL, Jail
from algosync.emulator.processes.removal import discard
from algosync.emulator.python import pip_settings
from algosync.emulator.python.interpreters import base_of
from algosync.emulator.python.requirements import Option
from algosync.emulator.threads import finished

DEADLINE_SECONDS = 1800
"""How long an installer may run before it is stopped and the installation counts as failed."""

LOG_SECONDS = 0.5
MAX_LOG = 16 * 1024 * 1024
"""Most bytes that an installer may print. Its output is checked every `LOG_SECONDS` and cut to this size."""

CACHE = "uv-cache"
"""Name of the shared cache, a folder beside the environments. It is never the user's own cache."""

INHERITED = frozenset({"HOME", "NETRC"})

FIXED = {
    "NO_COLOR": "1",
    # Like pip, take the best version that any index has.
    "UV_INDEX_STRATEGY": "unsafe-best-match",
    # No uv.toml or pyproject.toml counts, neither the user's nor the algorithm's.
    "UV_NO_CONFIG": "1",
    "UV_NO_PROGRESS": "1",
    "UV_NO_SOURCES": "1",
    "UV_PYTHON_DOWNLOADS": "never",
}

NO_BUILDS = {"PYTHONHOME": os.devnull}
"""Makes every build fail before a package's code runs.

With this variable no Python starts, except in isolated mode (`-I`), in which uv asks an interpreter for its version. uv's option
`--no-build` does not do the same: it quietly chooses an older release if the newest one has no wheel.
"""

PYTHON_DID_NOT_START = b"No module named 'encodings'"
"""Printed by a Python that does not start because of `NO_BUILDS`."""

COMPILE = ("-I", "-S", "-m", "compileall", "-qq", "-x", "/tests?/")
"""Compiles modules to bytecode without running code of packages (`-S`: no `.pth` files). Tests are never imported."""

CONFLICT_ACCEPTED = """\
Warning: these requirements conflict. Installed what requirements.txt asks for all the same, as the platform's older pip does:
"""


class InstallError(Exception):
    """The installation failed. The log has the installer's output."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What to install: a file of requirements, with its options, for the Python of an environment.

    With `builds` set, package code is known to be needed, so that the shared cache is not used at all.
    """

    requirements: Path
    python: Path
    options: tuple[Option, ...] = ()
    builds: bool = False
    jail: Jail = NO_JAIL

    @property
    def environment(self) -> Path:
        """The folder of the virtual environment."""
        return self.python.parents[1]

    @property
    def temporary(self) -> Path:
        """The folder for temporary files. It is removed when a program has ended."""
        return self.environment / "tmp"


@dataclass(frozen=True, slots=True)
class _Attempt:
    code: int
    output: bytes

    @property
    def needs_build(self) -> bool:
        return self.code != 0 and PYTHON_DID_NOT_START in self.output

    @property
    def is_conflict(self) -> bool:
        """Whether packages contradict each other. A package that does not exist has no solution either."""
        return self.code != 0 and b"No solution found" in self.output and b" depend" in self.output


async def make_environment(python: Path, path: Path, log: IO[bytes]) -> None:
    """Make an empty virtual environment for a Python of this machine. Raises `InstallError`."""
    # Resolve links: uv links to the program that it is given, and a jail does not show a virtual environment of this server.
    command: list[str | Path] = [uv.find_uv_bin(), "venv", "--quiet", "--offline", "--python", os.path.realpath(python), path]
    variables = {**_environment(), "UV_CACHE_DIR": str(_shared_cache(path))}
    code = await _run(command, path.parent, path.with_name(f"{path.name}.tmp"), log, variables)
    if code:
        raise InstallError(f"uv could not make a virtual environment: exit code {code}")


async def install(wanted: Installation, log: IO[bytes]) -> None:
    """Install requirements, with the user's settings of pip and proxies, and write the installer's output to `log`.

    Packages come from the cache if it has all that is needed. If requirements conflict, the list wins over what packages ask for.
    Raises `InstallError`.
    """
    try:
        settings = pip_settings.combine(pip_settings.read(), wanted.options)
    except configparser.Error as error:
        raise InstallError(f"The configuration of pip cannot be read: {error}") from None
    attempt = await _try_all(wanted, settings, [], log)
    if attempt.is_conflict:
        relaxed = await _try_all(wanted, settings, ["--overrides", str(wanted.requirements)], log)
        if not relaxed.code:
            attempt = _Attempt(0, CONFLICT_ACCEPTED.encode() + attempt.output + relaxed.output)
    log.write(attempt.output)
    if attempt.code:
        raise InstallError(f"The installer ended with exit code {attempt.code}")


async def compile_modules(wanted: Installation, log: IO[bytes]) -> None:
    """Compile installed modules if there is a jail: algorithms cannot write compiled files there. Without one, imports do it."""
    if wanted.jail.program:
        command: list[str | Path] = [wanted.python, *COMPILE, wanted.environment / "lib"]
        # A module that cannot be compiled, such as one for Python 2, is no failure.
        await _attempt(wanted, command, _environment(), [], log)


async def _try_all(wanted: Installation, settings: pip_settings.Settings, options: Sequence[str], log: IO[bytes]) -> _Attempt:
    """Try the shared cache, then the network, then builds, as far as needed. Returns the last attempt."""
    cache = _shared_cache(wanted.environment)
    if not wanted.builds:
        for network in (["--offline"], []):
            attempt = await _install(wanted, settings, [*network, *options], cache, log)
            if attempt.needs_build:
                break
            if not attempt.code:
                return attempt
        else:
            return attempt
        log.write(b"Packages have to be built here, which runs code of theirs: once more, with a cache of their own\n")
    return await _install(wanted, settings, options, None, log)


async def _install(
    wanted: Installation, settings: pip_settings.Settings, options: Sequence[str], cache: Path | None, log: IO[bytes]
) -> _Attempt:
    """Run `uv pip install` with a shared cache and no builds, or with a temporary cache and builds."""
    variables = {**_environment(), **pip_settings.uv_variables(settings), "UV_CACHE_DIR": str(cache or wanted.temporary / "cache")}
    # Without a jail, an algorithm that changes a file of its environment must not change the cache through a hard link.
    variables["UV_LINK_MODE"] = "copy" if cache and not wanted.jail.program else "hardlink"
    # Hard links need the environment and the cache in one mount: in the jail too, as no code of packages runs there.
    writable = [cache.parent] if cache else []
    variables |= NO_BUILDS if cache else {}
    options = [*options, *pip_settings.uv_options(settings), "-r", str(wanted.requirements)]
    command: list[str | Path] = [uv.find_uv_bin(), "pip", "install", "--python", wanted.python, *options]
    return await _attempt(wanted, command, variables, writable, log)


async def _attempt(
    wanted: Installation, command: Sequence[str | Path], variables: Mapping[str, str], writable: Sequence[Path], log: IO[bytes]
) -> _Attempt:
    """Run a command in the jail and collect its output. The output goes to `log` if the command has to be stopped."""
    read = [Path(uv.find_uv_bin()), base_of(wanted.python), *pip_settings.named_files(variables)]
    jailed = wanted.jail.command(command, wanted.temporary, read, [wanted.requirements.parent, wanted.environment, *writable])
    with tempfile.TemporaryFile() as output:
        try:
            code = await _run(jailed, wanted.requirements.parent, wanted.temporary, output, variables)
        except InstallError:
            output.seek(0)
            log.write(output.read())
            raise
        output.seek(0)
        return _Attempt(code, output.read())


def _shared_cache(environment: Path) -> Path:
    cache = environment.with_name(CACHE)
    cache.mkdir(exist_ok=True)
    return cache


def _environment() -> dict[str, str]:
    """The variables of every installer. Those of pip stay, as lists of requirements may refer to them."""
    found = children.inherited(INHERITED, ("PIP_",)) | FIXED
    if bundle := found.get("REQUESTS_CA_BUNDLE") or found.get("CURL_CA_BUNDLE"):
        # pip reads these variables, uv does not.
        found["SSL_CERT_DIR" if os.path.isdir(bundle) else "SSL_CERT_FILE"] = bundle
    elif _system_has_authorities():
        found["UV_SYSTEM_CERTS"] = "1"
    return found


def _system_has_authorities() -> bool:
    """Whether the system has certificate authorities. Otherwise, uv uses those that it contains."""
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or (paths.capath and os.listdir(paths.capath)))


async def _run(
    command: Sequence[str | Path], folder: Path, temporary: Path, output: IO[bytes], variables: Mapping[str, str]
) -> int:
    """Run a program to its end, with a temporary folder that is removed afterwards. Returns the exit code."""
    temporary.mkdir(exist_ok=True)
    process = await children.start(command, {**variables, "TMPDIR": str(temporary)}, folder, output)
    try:
        await asyncio.wait_for(_end(process, output), DEADLINE_SECONDS)
    except asyncio.TimeoutError:
        raise InstallError(f"The installer was stopped after {DEADLINE_SECONDS} s") from None
    finally:
        await children.kill(process)
        if _is_too_large(output):
            os.ftruncate(output.fileno(), MAX_LOG)
        await finished(partial(discard, temporary))
    return process.returncode or 0


async def _end(process: Process, output: IO[bytes]) -> None:
    """Wait until a program has ended. Raises `InstallError` if it prints too much: that would fill the disk."""
    end = asyncio.ensure_future(children.ended(process))
    try:
        while not end.done():
            await asyncio.wait([end], timeout=LOG_SECONDS)
            if _is_too_large(output):
                raise InstallError(f"The installer was stopped because it printed more than {MAX_LOG} bytes")
    finally:
        end.cancel()


def _is_too_large(output: IO[bytes]) -> bool:
    return os.fstat(output.fileno()).st_size > MAX_LOG
