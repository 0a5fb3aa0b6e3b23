"""Requirements, environments and builds. Packages come from a folder of wheels made here: no index is asked."""

import asyncio
import importlib.util
import os
import signal
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import Emulator, alive, emulator, until

from algosync.emulator.python import installer
from algosync.emulator.python.interpreters import OWN
from algosync.emulator.python.requirements import parse
from algosync.emulator.python.venvs import Venvs

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
    """An empty package."""
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
    return folder


@pytest.fixture(scope="module")
def pip_options(wheels: Path) -> dict[str, str]:
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory, pip_options: dict[str, str]) -> Iterator[Emulator]:
    """A cluster whose pip has the wheels, with environments of its own."""
    base = tmp_path_factory.mktemp("offline")
    with emulator(base / "root", base / "environments", environ=pip_options) as running:
        yield running


def build(site: Emulator, name: str, requirements: str) -> tuple[str, str, str]:
    """Commit, status and log of an algorithm's first build."""
    site.create(name)
    commit = site.push(name, {f"src/{name}.py": SOURCE, "requirements.txt": requirements, ".adk": None})
    done = site.build_of(name, commit)
    return commit, done["status"], site.logs(name, done)


def test_what_is_asked_for_is_installed_once(offline: Emulator) -> None:
    commit, status, log = build(offline, "First", "apple<1.2  # old\n\nbanana\n")
    assert status == "succeeded"
    lines = log.splitlines()
    assert lines[0] == f"Building local/First at {commit}"
    assert lines[1].startswith("Environment: Python 3.7, ")
    assert lines[3].startswith("New environment env-3.")
    assert "Successfully installed apple-1.0 banana-2.0" in lines
    assert lines[-1] == "Build succeeded"
    assert offline.call(f"local/First/{commit}", ["apple", "banana"])["result"] == ["1.0", "2.0"]
    _, _, log = build(offline, "Same", "banana\napple<1.2\n")
    assert "nothing to install" in log
    assert "pip" not in log


def test_an_environment_that_suits_is_shared(offline: Emulator) -> None:
    """The same packages in versions that both accept; not one that holds packages nobody asked for."""
    assert "Successfully installed apple-1.5" in build(offline, "One", "apple>=1.5")[2]
    assert "nothing to install" in build(offline, "Two", "apple")[2]
    assert "nothing to install" in build(offline, "Three", "Apple ; python_version >= '3'\nbanana ; python_version < '3'")[2]
    assert "Successfully installed banana-2.0" in build(offline, "Five", "banana")[2]
    commit, _, log = build(offline, "Six", "banana[red]")
    assert "Successfully installed apple-1.0" in log
    assert offline.call(f"local/Six/{commit}", ["apple", "banana"])["result"] == ["1.0", "2.0"]


def test_an_environment_from_elsewhere_is_not_shared(offline: Emulator) -> None:
    """The line with an option or a URL may mean another package of the name."""
    assert "Successfully installed apple-1.5 banana-2.0" in build(offline, "Elsewhere", "--prefer-binary\napple>1\nbanana>1")[2]
    assert "Successfully installed apple-1.5 banana-2.0" in build(offline, "Index", "apple>1.1\nbanana>1.1")[2]


@pytest.mark.parametrize("line", ["--pre", "six @ https://files.test/six.zip", "./six", "-r more.txt"])
def test_what_else_than_names_and_versions_says(line: str) -> None:
    assert parse("six>1\nadk[x]==2 ; python_version > '3'").plain
    assert not parse(f"six>1\n{line}").plain


def test_no_requirements_no_packages(offline: Emulator) -> None:
    for name, requirements in (("Empty", "\n# nothing\n"), ("Bare", "")):
        commit, status, log = build(offline, name, requirements)
        assert status == "succeeded"
        assert "Successfully installed" not in log
        assert offline.call(f"local/{name}/{commit}", ["apple"])["error"]["error_type"] == "AlgorithmError"


@pytest.mark.parametrize("line", ["six ==", "a b", "@", "name>>1", "=1.0"])
def test_an_unreadable_requirement_fails_the_build_at_once(offline: Emulator, line: str) -> None:
    _, status, log = build(offline, f"Unreadable{line.encode().hex()}", f"apple\n{line}\n")
    assert status == "failed"
    assert log.splitlines()[3].startswith(f"ERROR: Invalid requirement: {line!r}: ")
    assert log.splitlines()[3].endswith("(from line 2 of requirements.txt)")
    assert log.splitlines()[-1] == "Build failed"


def test_a_failed_installation_leaves_pips_words_and_no_environment(offline: Emulator) -> None:
    for _ in range(2):
        name = f"Missing{len(offline.get('/v1/users/local/algorithms')['results'])}"
        commit, status, log = build(offline, name, "cherry==9")
        assert status == "failed"
        assert "No matching distribution found for cherry==9" in log
        assert "nothing to install" not in log
        assert log.splitlines()[-2] == "The installer ended with exit code 1"
        assert "version hash" in offline.call(f"local/{name}/{commit}", 1)["error"]["message"]


def test_files_that_requirements_refer_to_count(offline: Emulator) -> None:
    """Two algorithms with the same line, `-r more.txt`, mean different packages."""
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


def test_pip_reads_what_the_environment_is_known_by(offline: Emulator, tmp_path: Path) -> None:
    """In an encoding that a list names for pip, a comment may be an option, by which others' environments would be made."""
    wheel(tmp_path, "damson", "1.0")
    content = (tmp_path / "damson-1.0-py3-none-any.whl").read_bytes()
    hidden = "# coding: utf-7\n# +AAo---find-links wheels\ndamson\n"
    offline.create("Hiding")
    commit = offline.push("Hiding", {"wheels/damson-1.0-py3-none-any.whl": content, "requirements.txt": hidden})
    build = offline.build_of("Hiding", commit)
    assert (build["status"], "No matching distribution found for damson" in offline.logs("Hiding", build)) == ("failed", True)


def test_an_emptied_cache_is_filled_again(tmp_path: Path, pip_options: dict[str, str]) -> None:
    environments = tmp_path / "environments"
    with emulator(tmp_path / "root", environments, environ=pip_options) as site:
        commit, _, _ = build(site, "Cached", "apple==1.5")
    environments.rename(tmp_path / "gone")
    with emulator(site.root, environments, environ=pip_options) as again:
        assert again.call(f"local/Cached/{commit}", ["apple"])["result"] == ["1.5"]


def test_an_unfinished_environment_is_made_anew(tmp_path: Path, pip_options: dict[str, str]) -> None:
    environments = tmp_path / "environments"
    with emulator(tmp_path / "root", environments, environ=pip_options) as site:
        build(site, "Whole", "apple==1.5")
        (made,) = environments.glob("*.ready")
        made.unlink()
        (package,) = environments.glob("*/lib/*/site-packages/apple/__init__.py")
        package.unlink()
        _, status, log = build(site, "Again", "apple==1.5")
        assert (status, package.exists(), made.exists()) == ("succeeded", True, True)
        assert "Successfully installed apple-1.5" in log


def test_a_damaged_marker_is_none(tmp_path: Path, pip_options: dict[str, str]) -> None:
    """An empty one, as a full disk leaves it, hurts neither its own environment nor others; nor does a `.same`."""
    environments = tmp_path / "environments"
    with emulator(tmp_path / "root", environments, environ=pip_options) as site:
        build(site, "Whole", "apple==1.5")
        build(site, "Other", "banana")
        for marker in environments.glob("*.ready"):
            marker.write_text("")
        assert build(site, "Again", "apple==1.5")[1] == "succeeded"
        assert "nothing to install" in build(site, "Alike", "apple>=1.5")[2]
        (same,) = environments.glob("*.same")
        same.write_text("")
        assert "nothing to install" in build(site, "Anew", "apple>=1.5")[2]
        assert list(environments.glob("**/*.new")) == []


def test_nobody_waits_for_long_lists_to_be_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether an environment is ready is asked on the event loop, at each start of a worker."""
    environments, wanted = Venvs(tmp_path / "environments"), parse("")
    with (tmp_path / "log").open("ab") as log:
        python = asyncio.run(environments.provide(wanted, tmp_path, OWN, log))
    monkeypatch.setattr("algosync.emulator.python.venvs.parse", None)
    assert environments.ready(wanted, tmp_path, OWN) == python


def test_clusters_share_environments(tmp_path: Path, pip_options: dict[str, str]) -> None:
    environments = tmp_path / "environments"
    with emulator(tmp_path / "one", environments, environ=pip_options) as one:
        assert "Successfully installed" in build(one, "A", "apple")[2]
    with emulator(tmp_path / "two", environments, environ={"PIP_NO_INDEX": "1"}) as two:
        commit, status, log = build(two, "A", "apple")
        assert (status, "nothing to install" in log) == ("succeeded", True)
        assert two.call(f"local/A/{commit}", ["apple"])["result"] == ["1.5"]


def slow_package(folder: Path) -> str:
    """A source distribution whose set-up never ends, and tells its process id."""
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


def test_the_log_names_the_line_of_the_list(offline: Emulator) -> None:
    _, status, log = build(offline, "Placed", "# fruit\nbanana\n\naardvark<3\n")
    [line] = (line for line in log.splitlines() if "ERROR: Could not find" in line)
    assert (status, "aardvark<3" in line) == ("failed", True)
    [named] = (line for line in log.splitlines() if line.startswith("Processing") and "banana" in line)
    assert named.endswith("/requirements.txt (line 2))")


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


def test_without_a_pip_the_bundled_one_is_used(tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an environment that uv has made."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    venv.create(tmp_path / "target", symlinks=True)
    (tmp_path / "requirements.txt").write_text("apple==1.0")

    async def install() -> Path:
        with (tmp_path / "log").open("ab") as log:
            pip = await installer.interpreter(tmp_path / "tools", log)
            wanted = installer.Installation(tmp_path / "requirements.txt", tmp_path / "target" / "bin" / "python", pip)
            await installer.install(wanted, log, guarded=True)
            return await installer.interpreter(tmp_path / "tools", log)

    assert asyncio.run(install()) == tmp_path / "tools" / "bin" / "python"
    assert len(list((tmp_path / "target").glob("lib/*/site-packages/apple"))) == 1


def test_an_installation_has_a_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer, "DEADLINE_SECONDS", 2)
    monkeypatch.setenv("PIP_MARKER", str(tmp_path / "marker"))
    venv.create(tmp_path / "target", symlinks=True)
    (tmp_path / "requirements.txt").write_text(slow_package(tmp_path / "slow"))

    async def install() -> None:
        with (tmp_path / "log").open("ab") as log:
            python = tmp_path / "target" / "bin" / "python"
            await installer.install(installer.Installation(tmp_path / "requirements.txt", python, Path(sys.executable)), log)

    with pytest.raises(installer.InstallError, match=r"^The installer was stopped after 2 s$"):
        asyncio.run(install())
    marker = tmp_path / "marker"
    until(lambda: not marker.exists() or not alive(int(marker.read_text())))
