"""Builds of malicious packages: what they can access, and how the server treats the files that they leave."""

import asyncio
import errno
import io
import os
import ssl
import stat
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

import pytest
from emulated import Emulator, emulator

from algosync.emulator.processes import jail, untrusted_file
from algosync.emulator.python import installer
from algosync.emulator.python.interpreters import OWN
from algosync.emulator.python.requirements import parse
from algosync.emulator.running import source_advice
from algosync.emulator.server import tls

PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'

BACKEND = """
import os, sys, zipfile
ENVIRONMENT, SOURCE = os.path.dirname(os.environ["TMPDIR"]), os.path.dirname(os.getcwd())
def build_wheel(directory, config_settings=None, metadata_directory=None):
    strike()
    with zipfile.ZipFile(os.path.join(directory, "harmful-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("harmful-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: harmful\\nVersion: 1\\n")
        wheel.writestr("harmful-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("harmful-1.dist-info/RECORD", "")
    return "harmful-1-py3-none-any.whl"
"""

ANSWERS = "def apply(input):\n    return input\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("user")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="module")
def jailed(tmp_path_factory: pytest.TempPathFactory, home: Path, packages: Path) -> Iterator[Emulator]:
    """A cluster on a machine with a jail."""
    if jail.find().program is None:
        pytest.skip("bubblewrap is missing or does not work")
    folder = tmp_path_factory.mktemp("jailed")
    environ = {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(packages)}
    with emulator(folder / "root", folder / "environments", environ=environ, jailed=True) as site:
        yield site


def build(site: Emulator, name: str, strike: str) -> tuple[str, str, str]:
    """Commit, status and log of an algorithm with a package that attacks when it is built."""
    site.create(name)
    body = strike.strip().replace("\n", "\n    ")
    files = {
        f"src/{name}.py": ANSWERS,
        "requirements.txt": "./package\n",
        "package/pyproject.toml": PROJECT,
        "package/backend.py": f"{BACKEND}\ndef strike():\n    {body}\n",
        ".adk": None,
    }
    commit = site.push(name, files)
    done = site.build_of(name, commit)
    return commit, done["status"], site.logs(name, done)


def soon(work: Callable[[], object], seconds: float = 10) -> object:
    """The result of work that must not wait for anything."""
    done: Future[object] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except OSError as error:
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return done.result(seconds)


@pytest.mark.parametrize("strike", ["os.mkfifo(list)", "os.symlink('/dev/zero', list)"])
def test_an_endless_list_of_requirements_blocks_no_other_build(jailed: Emulator, strike: str) -> None:
    name = f"Endless{len(strike)}"
    commit, status, _ = build(jailed, name, f"list = SOURCE + '/requirements.txt'\nos.remove(list)\n{strike}")
    assert status == "succeeded"
    [left] = (path for path in (jailed.root / "builds").glob("*/src/requirements.txt") if not stat.S_ISREG(path.lstat().st_mode))
    answer = jailed.call(f"local/{name}/{commit}", 1)
    left.unlink()
    if "mkfifo" in strike:
        assert "is a named pipe" in answer["error"]["message"]
    else:
        assert answer["result"] == 1
    assert jailed.request("GET", "/health").status == 200


def test_long_blanks_in_requirements_take_linear_time() -> None:
    assert soon(lambda: parse("a" + " " * 100_000 + "\nb" + " " * 100_000 + "# comment").lines) == ("a", "b")


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"1234")
    (tmp_path / "link").symlink_to("plain")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert untrusted_file.read(tmp_path / "plain", 4) == b"1234"
    for name, most in (("plain", 3), ("link", 4), ("folder", 4), ("pipe", 4), ("none", 4)):
        with pytest.raises(OSError, match=name):
            soon(partial(untrusted_file.read, tmp_path / name, most))


def test_a_build_overwrites_no_file_through_links_in_its_environment(jailed: Emulator, home: Path) -> None:
    victim = home / "victim"
    victim.write_text("precious")
    strike = f"path = os.path.join(ENVIRONMENT, 'ready.json.new')\nos.path.lexists(path) or os.symlink({str(victim)!r}, path)"
    _, status, _ = build(jailed, "Overwriting", strike)
    assert (status, victim.read_text()) == ("succeeded", "precious")


def test_a_build_cannot_choose_what_workers_see(jailed: Emulator) -> None:
    """Workers see the folder of the environment's Python. It must not be a folder of the user."""
    copy = "path, other = (os.path.join(ENVIRONMENT, *names) for names in (('bin', 'python'), ('other', 'bin', 'python')))\n"
    copy += "os.makedirs(os.path.dirname(other), exist_ok=True)\nos.path.exists(other) or shutil.copy(path, other)\n"
    _, status, log = build(jailed, "Leading", f"import shutil\n{copy}os.remove(path)\nos.symlink(other, path)")
    assert (status, log.splitlines()[-2]) == ("failed", "A package has replaced the Python of the environment")


def test_the_server_reads_no_source_through_links(jailed: Emulator, home: Path) -> None:
    """A build that replaces a folder by a link must not learn from its log what is at the link's target."""
    (home / "Peeking.py").write_text("def apply(:\n")
    strike = f"import shutil\nshutil.rmtree(SOURCE + '/src')\nos.symlink({str(home)!r}, SOURCE + '/src')"
    _, status, log = build(jailed, "Peeking", strike)
    assert (status, [line for line in log.splitlines() if "Warning" in line]) == ("succeeded", [])


def test_files_in_folders_are_not_read_through_links(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "plain").write_bytes(b"1234")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "a" / "link").symlink_to("b")
    assert untrusted_file.read_below(tmp_path / "link", "b/plain", 4) == b"1234", "the way to the folder is the caller's own"
    for name in ("link/b/plain", "a/link/plain", "a/b", "a/b/none", "x/plain"):
        with pytest.raises(OSError, match=f"/{name}'$"):
            untrusted_file.read_below(tmp_path, name, 4)


def test_source_is_parsed_on_a_leash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "Some.py").write_text("")
    (tmp_path / "algorithmia.conf").write_text('{"algoname": "Some"}')
    monkeypatch.setenv("CANARY", "canary")
    told = "import os; print('leash.py' in open(f'/proc/{os.getppid()}/cmdline').read(), os.environ.get('CANARY'))"
    monkeypatch.setattr(source_advice, "PARSE", told)
    assert asyncio.run(source_advice.advice(tmp_path, {}, Path(sys.executable))) == [
        "Warning: src/Some.py cannot be imported: True None"
    ]
    monkeypatch.setattr(source_advice, "PARSE", "import time; time.sleep(1000)")
    monkeypatch.setattr(source_advice, "PARSE_SECONDS", 0.2)
    assert asyncio.run(source_advice.advice(tmp_path, {}, Path(sys.executable))) == []


def test_a_parser_that_cannot_start_does_not_fail_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "Some.py").write_text("(")
    (tmp_path / "algorithmia.conf").write_text('{"algoname": "Some"}')
    assert len(asyncio.run(source_advice.advice(tmp_path, {}, Path(sys.executable)))) == 1, "the fault of this source"

    async def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)
    assert asyncio.run(source_advice.advice(tmp_path, {}, Path(sys.executable))) == []


def test_a_build_does_not_write_to_caches_of_the_user(jailed: Emulator, home: Path) -> None:
    """Downloads are stored beside the environments, because installations of the user trust the user's cache."""
    cache = home / ".cache" / "uv"
    cache.mkdir(parents=True)
    (cache / "wheel").write_text("mine")
    strike = f"wheel = {str(cache / 'wheel')!r}\nos.path.exists(wheel) and open(wheel, 'w').close()\n"
    strike += "os.makedirs(os.environ['UV_CACHE_DIR'], exist_ok=True)\nopen(os.environ['UV_CACHE_DIR'] + '/own', 'w').close()"
    _, status, _ = build(jailed, "Poisoning", strike)
    assert (status, (cache / "wheel").read_text()) == ("succeeded", "mine")
    assert list((jailed.root.parent / "environments").rglob("own")) == []


def archive(folder: Path, name: str, strike: str, link: str = "") -> None:
    """A package of an index that attacks when it is built. With `link` it contains a link and a file below that link."""
    body = strike.strip().replace("\n", "\n    ")
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        "pyproject.toml": PROJECT,
        "backend.py": f"{BACKEND}\ndef strike():\n    {body}\n".replace("harmful", name),
    }
    with tarfile.open(folder / f"{name}-1.tar.gz", "w:gz") as written:
        if link:
            member = tarfile.TarInfo(f"{name}-1/link")
            member.type, member.linkname = tarfile.SYMTYPE, link
            written.addfile(member)
            files["link/through the link"] = ""
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-1/{path}")
            member.size = len(text)
            written.addfile(member, io.BytesIO(text.encode()))


def test_a_built_package_cannot_change_other_installations(jailed: Emulator, packages: Path) -> None:
    """The package's code finds a temporary cache, not the shared one, wherever it looks. The log says why."""
    strike = "caches = [os.environ['UV_CACHE_DIR'], *(os.path.join(os.path.dirname(ENVIRONMENT), name) for name in NAMES)]\n"
    strike += "for cache in caches:\n    os.makedirs(cache, exist_ok=True)\n    open(cache + '/own', 'w').close()"
    archive(packages, "spiteful", f"NAMES = {[installer.CACHE]}\n{strike}")
    jailed.create("Sharing")
    commit = jailed.push("Sharing", {"src/Sharing.py": ANSWERS, "requirements.txt": "spiteful\n", ".adk": None})
    done = jailed.build_of("Sharing", commit)
    log = jailed.logs("Sharing", done).splitlines()
    assert (done["status"], jailed.call(f"local/Sharing/{commit}", 1)["result"]) == ("succeeded", 1), log
    environments = jailed.root.parent / "environments"
    assert (list(environments.rglob("own")), (environments / installer.CACHE).is_dir()) == ([], True)
    told = "Packages have to be built here, which runs code of theirs: once more, with a cache of their own"
    assert (log.count(told), [line for line in log if "error" in line]) == (1, [])


async def installed(folder: Path, requirements: str) -> None:
    """Make an environment and install requirements, in the jail of this machine. The log is `log` beside the folder."""
    listed = folder.with_suffix(".txt")
    listed.write_text(requirements)
    with (folder.parent / "log").open("ab") as log:
        await installer.make_environment(OWN.executable, folder, log)
        wanted = installer.Installation(listed, folder / "bin" / "python", jail=jail.find())
        await installer.install(wanted, log)


@pytest.mark.parametrize("source", ["archive", "folder"])
def test_no_code_of_a_package_runs_with_the_shared_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """This includes a build backend in the package itself."""
    packages = tmp_path / "packages"
    packages.mkdir()
    archive(packages, "spiteful", "open(ENVIRONMENT + '/struck', 'w').close()")
    monkeypatch.setattr(installer, "_try_all", once)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    requirement = "spiteful"
    if source == "folder":
        with tarfile.open(packages / "spiteful-1.tar.gz") as packed:
            packed.extractall(packages, filter="data")
        requirement = f"spiteful @ file://{packages}/spiteful-1"
    with pytest.raises(installer.InstallError):
        asyncio.run(installed(tmp_path / "environment", requirement))
    assert [path.name for path in tmp_path.rglob("*") if path.name == "struck"] == []
    assert installer.PYTHON_DID_NOT_START in (tmp_path / "log").read_bytes()


async def once(wanted: installer.Installation, settings: dict[str, str], options: list[str], log: IO[bytes]) -> installer._Attempt:
    """Only the attempt with the shared cache."""
    return await installer._install(wanted, settings, options, installer._shared_cache(wanted.environment), log)


@pytest.mark.parametrize("absolute", [True, False])
def test_an_unpacked_source_cannot_write_to_the_shared_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absolute: bool
) -> None:
    """By a link among the package's files."""
    packages, target = tmp_path / "packages", tmp_path / installer.CACHE / "target"
    for folder in (packages, target):
        folder.mkdir(parents=True)
    archive(packages, "spiteful", "raise SystemExit(1)", link=str(target) if absolute else "../" * 20 + str(target))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    with pytest.raises(installer.InstallError):
        asyncio.run(installed(tmp_path / "environment", "spiteful"))
    assert list(target.iterdir()) == []


def test_modules_are_compiled_for_a_jail(tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No code of packages runs, not even in `.pth` files. Modules that are not Python 3 do no harm. Tests are not compiled."""
    if jail.find().program is None:
        pytest.skip("bubblewrap is missing or does not work")
    python = tmp_path / "environment" / "bin" / "python"
    wanted = installer.Installation(tmp_path / "environment.txt", python, jail=jail.find())

    async def compiled() -> None:
        await installed(tmp_path / "environment", "")
        [site_packages] = (tmp_path / "environment").glob("lib/python*/site-packages")
        (site_packages / "bad.pth").write_text(f"import sys; open({str(tmp_path / 'environment' / 'struck')!r}, 'w')\n")
        for name, text in (("old.py", "print 1\n"), ("new.py", ""), ("tests/some.py", "")):
            (site_packages / name).parent.mkdir(exist_ok=True)
            (site_packages / name).write_text(text)
        with (tmp_path / "log").open("ab") as log:
            await installer.compile_modules(wanted, log)

    asyncio.run(compiled())
    found = {path.name.partition(".")[0] for path in (tmp_path / "environment").rglob("*.pyc")}
    assert (found >= {"new"}, found & {"old", "some"}) == (True, set())
    assert not (tmp_path / "environment" / "struck").exists()


class Index(SimpleHTTPRequestHandler):
    """Serves a folder of packages."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_packages_without_a_build_are_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "index" / "apple"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "apple-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("apple-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: apple\nVersion: 1\n")
        wheel.writestr("apple-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("apple-1.dist-info/RECORD", "")
    asked: list[str] = []
    monkeypatch.setattr(Index, "log_request", lambda self, *_: asked.append(self.path))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Index, directory=str(tmp_path / "index"))) as server:
        authority = tls.authority(tmp_path / "tls")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.issue(tmp_path / "server.pem"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"https://localhost:{server.server_port}/")
        monkeypatch.setenv("PIP_CERT", str(authority.certificate))
        asyncio.run(installed(tmp_path / "one", "apple"))
        assert [path for path in asked if "whl" in path]
        asked.clear()
        asyncio.run(installed(tmp_path / "two", "apple"))
        server.shutdown()
    assert [path for path in asked if "whl" in path] == [], (tmp_path / "log").read_text()


def test_an_installer_with_too_much_output_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer, "MAX_LOG", 100_000)
    monkeypatch.setattr(installer, "LOG_SECONDS", 0.05)
    endless = [sys.executable, "-c", "while True: print('blah')"]

    async def install() -> None:
        with (tmp_path / "log").open("ab") as log:
            await installer._run(endless, tmp_path, tmp_path / "tmp", log, {})

    with pytest.raises(installer.InstallError, match=r"^The installer was stopped because it printed more than 100000 bytes$"):
        asyncio.run(install())
    assert (tmp_path / "log").stat().st_size == 100_000
