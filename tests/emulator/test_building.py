"""Requirements, environments and builds. Packages come from a folder of wheels that the tests create, without an index."""

import asyncio
import os
import signal
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from dulwich.objects import Blob, Tree
from emulated import Emulator, add_commit, alive, emulator, git_object, store, until

from algosync.emulator.processes import removal
from algosync.emulator.python import installer
from algosync.emulator.python.interpreters import OWN


class QuietIndex(SimpleHTTPRequestHandler):
    """Serves a folder of packages and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""


SOURCE = """
import importlib.metadata
def apply(input):
    return [importlib.metadata.version(name) for name in input]
"""

SLOW_SETUP = """
import os, time
open(os.environ["PIP_MARKER"], "w").write(str(os.getpid()))
time.sleep(1000)
"""


def wheel(folder: Path, name: str, version: str, *metadata: str) -> None:
    """Create an empty package."""
    info = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""]
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{info}/METADATA", "\n".join(lines))
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    wheel(folder, "apple", "1.0")
    wheel(folder, "apple", "1.5")
    wheel(folder, "banana", "2.0", "Provides-Extra: red", 'Requires-Dist: apple<1.2; extra == "red"')
    wheel(folder, "cranberry", "1.0", "Requires-Dist: apple<1.2")
    return folder


@pytest.fixture(scope="module")
def pip_options(wheels: Path) -> dict[str, str]:
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory, pip_options: dict[str, str]) -> Iterator[Emulator]:
    """A cluster whose pip finds the wheels, with its own folder of environments."""
    base = tmp_path_factory.mktemp("offline")
    with emulator(base / "root", base / "environments", environ=pip_options) as running:
        yield running


def build(site: Emulator, name: str, requirements: str) -> tuple[str, str, str]:
    """Commit, status and log of an algorithm's first build."""
    site.create(name)
    commit = site.push(name, {f"src/{name}.py": SOURCE, "requirements.txt": requirements, ".adk": None})
    done = site.build_of(name, commit)
    return commit, done["status"], site.logs(name, done)


def test_requirements_are_installed_once(offline: Emulator) -> None:
    commit, status, log = build(offline, "First", "apple<1.2  # old\n\nbanana\n")
    assert status == "succeeded"
    lines = [line.partition(" in ")[0] for line in log.splitlines()]
    assert lines[0] == f"Building local/First at {commit}"
    assert lines[1].startswith("Environment: Python 3.7, ")
    assert lines[3].startswith("New environment env-3.")
    assert lines[-4:-1] == ["Installed 2 packages", " + apple==1.0", " + banana==2.0"]
    assert lines[-1] == "Build succeeded"
    assert offline.call(f"local/First/{commit}", ["apple", "banana"])["result"] == ["1.0", "2.0"]
    _, _, log = build(offline, "Same", "banana\napple<1.2\n")
    assert "nothing to install" in log
    assert "Installed" not in log


def test_packages_that_are_not_required_are_missing(offline: Emulator) -> None:
    """An environment with other requirements is never used, even if it contains everything that is needed."""
    assert " + apple==1.5" in build(offline, "One", "apple>=1.5")[2]
    commit, _, log = build(offline, "Two", "Apple ; python_version >= '3'\nbanana ; python_version < '3'")
    assert " + apple==1.5" in log
    assert offline.call(f"local/Two/{commit}", ["banana"])["error"]["error_type"] == "AlgorithmError"
    commit, _, log = build(offline, "Three", "banana[red]")
    assert " + apple==1.0" in log
    assert offline.call(f"local/Three/{commit}", ["apple", "banana"])["result"] == ["1.0", "2.0"]


def test_conflicting_pins_are_installed_with_a_warning(offline: Emulator) -> None:
    """Like pip 19 and 20 of the platform, where the list takes precedence over dependencies of packages."""
    commit, status, log = build(offline, "Conflict", "apple==1.5\ncranberry\n")
    assert status == "succeeded"
    lines = log.splitlines()
    assert lines[4] == installer.CONFLICT_ACCEPTED.strip()
    assert "all versions of cranberry depend on apple<1.2" in log
    assert offline.call(f"local/Conflict/{commit}", ["apple", "cranberry"])["result"] == ["1.5", "1.0"]


def test_two_pins_of_one_package_fail(offline: Emulator) -> None:
    _, status, log = build(offline, "Twice", "apple==1.5\napple==1.0\n")
    assert (status, "your requirements are unsatisfiable" in log, "Warning" in log) == ("failed", True, False)


def test_no_packages_without_requirements(offline: Emulator) -> None:
    for name, requirements in (("Empty", "\n# nothing\n"), ("Bare", "")):
        commit, status, log = build(offline, name, requirements)
        assert status == "succeeded"
        assert "Installed" not in log
        assert offline.call(f"local/{name}/{commit}", ["apple"])["error"]["error_type"] == "AlgorithmError"


@pytest.mark.parametrize("line", ["six ==", "a b", "@", "name>>1", "=1.0"])
def test_an_unreadable_requirement_fails_the_build(offline: Emulator, line: str) -> None:
    _, status, log = build(offline, f"Unreadable{line.encode().hex()}", f"apple\n{line}\n")
    assert status == "failed"
    assert "error: " in log
    assert f" {line}\n" in log or "requirements.txt:2:1\n" in log
    assert log.splitlines()[-1] == "Build failed"


def test_a_failed_installation_leaves_its_message_and_no_environment(offline: Emulator) -> None:
    for _ in range(2):
        name = f"Missing{len(offline.get('/v1/users/local/algorithms')['results'])}"
        commit, status, log = build(offline, name, "cherry==9")
        assert status == "failed"
        assert "you require cherry==9, we can conclude that your requirements are unsatisfiable" in log
        assert "nothing to install" not in log
        assert log.splitlines()[-2] == "The installer ended with exit code 1"
        assert "version hash" in offline.call(f"local/{name}/{commit}", 1)["error"]["message"]


def test_files_in_requirements_belong_to_the_environment(offline: Emulator) -> None:
    """Two algorithms with the same line, `-r more.txt`, refer to different packages."""
    for name, version in (("Refers", "1.0"), ("Differs", "1.5")):
        offline.create(name)
        files = {
            f"src/{name}.py": SOURCE,
            "requirements.txt": "-r more.txt",
            "more.txt": f"apple=={version}",
            ".adk": None,
        }
        commit = offline.push(name, files)
        assert offline.build_of(name, commit)["status"] == "succeeded"
        assert offline.call(f"local/{name}/{commit}", ["apple"])["result"] == [version]


def test_the_installer_reads_the_list_that_identifies_the_environment(offline: Emulator, tmp_path: Path) -> None:
    """A list may declare an encoding in which a comment becomes an option."""
    wheel(tmp_path, "damson", "1.0")
    content = (tmp_path / "damson-1.0-py3-none-any.whl").read_bytes()
    hidden = "# coding: utf-7\n# +AAo---find-links wheels\ndamson\n"
    offline.create("Hiding")
    commit = offline.push("Hiding", {"wheels/damson-1.0-py3-none-any.whl": content, "requirements.txt": hidden})
    build = offline.build_of("Hiding", commit)
    assert (build["status"], " + damson==1.0" in offline.logs("Hiding", build)) == ("succeeded", True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_lists_in_every_encoding(offline: Emulator, encoding: str) -> None:
    """Also lists that refer to others, which the installer reads."""
    name = f"Encoded{encoding.title().replace('-', '')}"
    declared = "# -*- coding: latin-1 -*-\n" if encoding == "latin-1" else ""
    files = {
        "requirements.txt": f"{declared}-rmore.txt  # é\n".encode(encoding),
        "more.txt": f"{declared}apple \\\n  ==1.0  # é\n".encode(encoding),
        f"src/{name}.py": SOURCE,
        ".adk": None,
    }
    offline.create(name)
    commit = offline.push(name, files)
    build = offline.build_of(name, commit)
    assert build["status"] == "succeeded", offline.logs(name, build)
    assert offline.call(f"local/{name}/{commit}", ["apple"])["result"] == ["1.0"]


def test_names_of_files_that_are_not_utf_8(offline: Emulator) -> None:
    """Names of any bytes are kept. The log names a refused one."""
    source = "import os\ndef apply(input):\n    return [name.hex() for name in os.listdir(b'.') if b'odd' in name]\n"
    name = "Named"
    offline.create(name)
    conf = {"algorithmia.conf": offline.files(name)["algorithmia.conf"]}
    repository, head = offline.fetch(name)
    for raw, status in ((b"odd\xe9\xff", "succeeded"), (b"odd\xe9\x07", "failed")):
        tree = git_object(repository, Tree, store(repository, conf))
        blob, src = Blob.from_string(b""), store(repository, {f"{name}.py": source.encode(), "__init__.py": b""})
        repository.object_store.add_object(blob)
        tree.add(raw, 0o100644, blob.id)
        tree.add(b"src", 0o040000, src)
        repository.object_store.add_object(tree)
        commit = add_commit(repository, tree.id, [head])
        offline.send(name, repository, head, commit)
        build, head = offline.build_of(name, commit.decode()), commit
        assert build["status"] == status, offline.logs(name, build)
        if status == "succeeded":
            assert offline.call(f"local/{name}/{commit.decode()}", None)["result"] == [raw.hex()]


def test_deleted_environments_are_created_again(tmp_path: Path, pip_options: dict[str, str]) -> None:
    environments = tmp_path / "environments"
    with emulator(tmp_path / "root", environments, environ=pip_options) as site:
        commit, _, _ = build(site, "Cached", "apple==1.5")
    environments.rename(tmp_path / "gone")
    with emulator(site.root, environments, environ=pip_options) as again:
        assert again.call(f"local/Cached/{commit}", ["apple"])["result"] == ["1.5"]


def test_an_unfinished_environment_is_created_again(tmp_path: Path, pip_options: dict[str, str]) -> None:
    environments = tmp_path / "environments"
    with emulator(tmp_path / "root", environments, environ=pip_options) as site:
        build(site, "Whole", "apple==1.5")
        (made,) = environments.glob("*.ready")
        made.unlink()
        (package,) = environments.glob("*/lib/*/site-packages/apple/__init__.py")
        package.unlink()
        _, status, log = build(site, "Again", "apple==1.5")
        assert (status, package.exists(), made.exists()) == ("succeeded", True, True)
        assert " + apple==1.5" in log


def test_an_empty_marker_is_ignored(tmp_path: Path, pip_options: dict[str, str]) -> None:
    """A full disk leaves empty files."""
    environments = tmp_path / "environments"
    with emulator(tmp_path / "root", environments, environ=pip_options) as site:
        build(site, "Whole", "apple==1.5")
        (marker,) = environments.glob("*.ready")
        marker.write_text("")
        _, status, log = build(site, "Again", "apple==1.5")
        assert (status, " + apple==1.5" in log) == ("succeeded", True)
        assert "nothing to install" in build(site, "Alike", "apple==1.5")[2]
        assert list(environments.glob("**/*.new")) == []


def test_clusters_share_environments(tmp_path: Path, pip_options: dict[str, str]) -> None:
    environments = tmp_path / "environments"
    with emulator(tmp_path / "one", environments, environ=pip_options) as one:
        assert " + apple==1.5" in build(one, "A", "apple")[2]
    with emulator(tmp_path / "two", environments, environ={"PIP_NO_INDEX": "1"}) as two:
        commit, status, log = build(two, "A", "apple")
        assert (status, "nothing to install" in log) == ("succeeded", True)
        assert two.call(f"local/A/{commit}", ["apple"])["result"] == ["1.5"]


def slow_package(folder: Path) -> str:
    """A source distribution whose build never ends, and reports its process id."""
    folder.mkdir()
    (folder / "setup.py").write_text(SLOW_SETUP)
    (folder / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "setup"\nbackend-path = ["."]\n')
    return f"slow @ file://{folder}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_installation_ends_with_the_server(tmp_path: Path, number: int) -> None:
    requirement = slow_package(tmp_path / "slow")
    marker = tmp_path / "marker"
    with emulator(tmp_path / "root", tmp_path / "environments", environ={"PIP_MARKER": str(marker)}) as site:
        site.create("Slow")
        commit = site.push("Slow", {"requirements.txt": requirement})
        setup = int(until(lambda: marker.exists() and marker.read_text()))
        (build,) = site.get("/v1/algorithms/local/Slow/builds")["results"]
        assert (build["status"], build["commit_sha"], "finished_at" in build) == ("in-progress", commit, False)
        path = f"/v1/algorithms/local/Slow/builds/{build['build_id']}/logs"
        assert site.request("GET", path).status == 404
        assert site.publish("Slow").status == 400
        site.stop(number)
        until(lambda: not alive(setup))
        marker.unlink()
    (tmp_path / "slow" / "setup.py").write_text("raise SystemExit(1)")
    with emulator(site.root, tmp_path / "environments") as again:
        assert again.build_of("Slow", commit)["status"] == "failed"
        assert [b["build_id"] for b in again.get("/v1/algorithms/local/Slow/builds")["results"]] == [build["build_id"]]


def test_builds_of_one_algorithm_take_turns(offline: Emulator) -> None:
    offline.create("Turns")
    first = offline.push("Turns", {"file": "1", "requirements.txt": ""})
    second = offline.push("Turns", {"file": "2"})
    ended = [offline.build_of("Turns", commit) for commit in (first, second)]
    assert ended[0]["finished_at"] <= ended[1]["finished_at"]
    assert [each["status"] for each in ended] == ["succeeded", "succeeded"]


def test_the_default_folder_of_environments(tmp_path: Path) -> None:
    from algosync.emulator.__main__ import _environments

    before = os.environ.get("XDG_CACHE_HOME")
    try:
        os.environ["XDG_CACHE_HOME"] = str(tmp_path)
        assert _environments() == tmp_path / "algosync" / "environments"
    finally:
        os.environ.pop("XDG_CACHE_HOME")
        if before is not None:
            os.environ["XDG_CACHE_HOME"] = before


async def made(folder: Path, requirements: str, *, builds: bool = False) -> Path:
    """Make an environment in a folder and install requirements. Returns its Python; the log is `log` in the folder."""
    (folder / "requirements.txt").write_text(requirements)
    python = folder / "target" / "bin" / "python"
    with (folder / "log").open("ab") as log:
        await installer.make_environment(OWN.executable, folder / "target", log)
        await installer.install(installer.Installation(folder / "requirements.txt", python, builds=builds), log)
    return python


def test_a_cached_package_needs_no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages come from the cache first, and the cache is not the user's."""
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "mine"))
    (tmp_path / "index" / "apple").mkdir(parents=True)
    wheel(tmp_path / "index" / "apple", "apple", "1.0")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietIndex, directory=str(tmp_path / "index"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/")
        asyncio.run(made(tmp_path, "apple"))
        server.shutdown()
    removal.remove(tmp_path / "target")
    asyncio.run(made(tmp_path, "apple"))
    assert len(list((tmp_path / "target").glob("lib/*/site-packages/apple"))) == 1
    assert ((tmp_path / installer.CACHE).is_dir(), (tmp_path / "mine").exists()) == (True, False)


def test_settings_of_uv_are_ignored(tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of the user, files of the algorithm and variables are all ignored."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_CONSTRAINT", str(tmp_path / "missing"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config" / "uv").mkdir(parents=True)
    for file in (tmp_path / ".config" / "uv" / "uv.toml", tmp_path / "uv.toml"):
        file.write_text("this is no TOML")
    asyncio.run(made(tmp_path, "apple"))


def test_an_environment_shares_no_file_with_the_cache(tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An algorithm that changes a file of its environment must not change later environments."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    asyncio.run(made(tmp_path, "apple"))
    [file] = (tmp_path / "target").glob("lib/*/site-packages/apple/__init__.py")
    assert file.stat().st_nlink == 1


def test_an_installation_has_a_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer, "DEADLINE_SECONDS", 2)
    monkeypatch.setenv("PIP_MARKER", str(tmp_path / "marker"))
    with pytest.raises(installer.InstallError, match=r"^The installer was stopped after 2 s$"):
        asyncio.run(made(tmp_path, slow_package(tmp_path / "slow"), builds=True))
    marker = tmp_path / "marker"
    until(lambda: not marker.exists() or not alive(int(marker.read_text() or 0)))
