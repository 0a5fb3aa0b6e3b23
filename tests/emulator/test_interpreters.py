"""Choice of the Python for an environment: one of this machine with the version in its name, otherwise the server's own."""

import os
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulated import ADK, Emulator, emulator

from algosync.emulator.processes import jail
from algosync.emulator.python import interpreters
from algosync.emulator.running import spares

OWN = f"run with {platform.python_implementation()} {platform.python_version()}, which runs this local cluster"
INSTALLED = Path(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"), "versions")
"""The folder in which pyenv installs Pythons. Its programs on the PATH only start those that are enabled."""

ABOUT = """
import platform, sys
import Algorithmia
def apply(input):
    if input == "fail":
        raise ValueError("on purpose")
    if "call" in input:
        return Algorithmia.client().algo(input["call"]).pipe({"name": "nobody"}).result
    return [platform.python_version(), input["name"]]
"""
KIT = ABOUT.replace("import Algorithmia\n", "import Algorithmia\nfrom adk import ADK\n", 1) + "\nADK(apply).init({})\n"
HANDLER = ABOUT + "\nAlgorithmia.handler(apply).serve()\n"
KIT_REQUIREMENTS = ADK + "algorithmia-adk>=1.2,<1.4\n"


def installed(*languages: str) -> Path:
    """The first of these that is installed."""
    found = [path for language in languages for path in sorted(INSTALLED.glob(f"{language}.*/bin/python{language}"))]
    if not found:
        pytest.skip(f"no Python {' or '.join(languages)} in {INSTALLED}")
    return found[0]


def script(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


@pytest.mark.parametrize("name", ["Python 3.7", "Python 3.7 + PyTorch 1.7.x", "Selenium 3.141.x with Python 3.7"])
def test_without_that_version_the_servers_own_is_used(path: Path, name: str) -> None:
    assert interpreters.choose(name) == (interpreters.OWN, f"{name}, which this machine has not: {OWN}")


@pytest.mark.parametrize("name", ["Python 2.7", "Python 3.6"])
def test_versions_that_are_too_old_are_not_looked_for(path: Path, name: str) -> None:
    script(path, name.lower().replace(" ", ""), "exit 1")
    assert interpreters.choose(name) == (interpreters.OWN, f"{name}, which is too old for this local cluster: {OWN}")


def test_the_servers_own_version_is_not_probed(path: Path) -> None:
    name = f"Python {interpreters.OWN.language}"
    script(path, name.lower().replace(" ", ""), f"touch {path}/probed")
    assert interpreters.choose(name) == (interpreters.OWN, f"{name}, {OWN}")
    assert not (path / "probed").exists()
    assert interpreters.choose("an environment") == (interpreters.OWN, f"an environment, {OWN}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("echo 'shim: command not found' >&2; echo 'Note: see help' >&2; exit 127", "shim: command not found"),
        ("exit 3", "exit code 3"),
        ("echo hello", "it does not answer as Python does"),
        (f"exec {sys.executable} \"$@\"", f"it is Python {platform.python_version()}"),
        ("printf 'Traceback:\\nModuleNotFoundError: no ensurepip\\n' >&2; exit 1", "ModuleNotFoundError: no ensurepip"),
        ("echo '[\"/home/x/python\", \"3.7.1\", \"x\", \"/usr\"]'", "/home/x/python is not in /usr/bin"),
        (
            "echo '[\"/bin/python3.7\", \"3.7.1\", \"x\", \"/\"]'",
            "it is installed in /, with everything of its user's",
        ),
    ],
)  # fmt: skip
def test_programs_that_do_not_work_are_no_interpreters(path: Path, text: str, reason: str) -> None:
    script(path, "python3.7", text)
    told = f"Python 3.7, which this machine has not ({path}/python3.7 does not work: {reason}): {OWN}"
    assert interpreters.choose("Python 3.7") == (interpreters.OWN, told)


def test_a_program_that_hangs_is_ended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "PROBE_SECONDS", 0.2)
    script(path, "python3.7", "exec /bin/sleep 1000")
    found, told = interpreters.choose("Python 3.7")
    assert found == interpreters.OWN
    assert "timed out after 0.2 seconds" in told


def test_the_first_working_program_is_used_and_probed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = installed("3.8", "3.7")
    name = python.name.replace("python", "Python ")
    script(tmp_path / "shims", python.name, "exit 127")
    script(tmp_path / "bin", python.name, f'echo >> {tmp_path}/asked; exec {python} "$@"')
    monkeypatch.setenv("PATH", f"relative:{tmp_path}/none:{tmp_path}/shims:{tmp_path}/bin")
    for _ in range(2):
        found, told = interpreters.choose(name)
    assert (found.executable, Path(found.base_prefix)) == (python.resolve(), python.resolve().parents[1])
    assert told == f"{name}, run with CPython {found.version} of this machine"
    assert (tmp_path / "asked").read_text() == "\n"
    interpreters.keep(found, tmp_path / "kept")
    assert interpreters.kept(tmp_path / "kept") == found
    (tmp_path / "kept").write_text(f"{found.language} {tmp_path}/gone")
    assert interpreters.kept(tmp_path / "kept") is None
    interpreters.keep(interpreters.OWN, tmp_path / "kept")
    assert interpreters.kept(tmp_path / "kept") == interpreters.OWN


@pytest.fixture(scope="module")
def old() -> Path:
    return installed("3.7", "3.8")


def test_modules_of_an_old_standard_library_are_known(tmp_path: Path, old: Path) -> None:
    """Source that would hide one of these modules needs a worker that has not imported them yet."""
    (tmp_path / "lib" / old.name).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(old)
    (tmp_path / "source").mkdir()
    verdicts = []
    for name in ("own", "dummy_threading", "parser"):
        (tmp_path / "source" / f"{name}.py").write_text("")
        verdicts.append(spares._hides_modules(tmp_path / "source", tmp_path / "bin" / "python"))
        (tmp_path / "source" / f"{name}.py").unlink()
    assert verdicts == [False, True, True]


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory, environments: Path, old: Path) -> Iterator[Emulator]:
    """A cluster with an old Python on its PATH, in a jail if possible."""
    folder = tmp_path_factory.mktemp("mapped")
    (folder / "bin").mkdir()
    (folder / "bin" / old.name).symlink_to(old)
    environ = {"PATH": f"{folder}/bin:{os.environ['PATH']}"}
    with emulator(folder / "root", environments, environ=environ, jailed=True) as site:
        yield site


def built(site: Emulator, name: str, source: str, requirements: str, environment: str) -> tuple[str, list[str]]:
    """An algorithm's commit for calls, and the log of its build."""
    site.create(name, environment)
    commit = site.push(name, {f"src/{name}.py": source, "requirements.txt": requirements, ".adk": None})
    build = site.build_of(name, commit)
    log = site.logs(name, build)
    assert build["status"] == "succeeded", log
    return f"{site.owner}/{name}/{commit}", log.splitlines()


def test_algorithms_run_with_the_python_of_their_environment(mapped: Emulator, old: Path) -> None:
    """All three kinds of algorithm, calls between them, and errors, in a jail if possible."""
    language, version = old.name.removeprefix("python"), old.parents[1].name
    environment = f"Python {language}"
    plain, log = built(mapped, "Plain", ABOUT, KIT_REQUIREMENTS, environment)
    assert log[1] == f"Environment: {environment}, run with CPython {version} of this machine"
    assert log[2] == jail.find().notice
    # Another test may have created it at the same time.
    assert re.match(rf"(New|Requirements already satisfied by) environment env-{re.escape(language)}-", log[3]), log
    kit, log = built(mapped, "Kit", KIT, KIT_REQUIREMENTS, environment)
    assert log[3].startswith(f"Requirements already satisfied by environment env-{language}-")
    handled, _ = built(mapped, "Handled", HANDLER, KIT_REQUIREMENTS, environment)
    own, log = built(mapped, "Own", ABOUT, ADK, "Python 3.6")
    assert log[1] == f"Environment: Python 3.6, which is too old for this local cluster: {OWN}"
    assert mapped.call(own, {"name": "x"})["result"] == [platform.python_version(), "x"]
    for caller in (plain, kit, handled, own):
        assert mapped.call(caller, {"call": kit})["result"] == [version, "nobody"]
    assert mapped.call(kit, {"call": own})["result"] == [platform.python_version(), "nobody"]
    for reference in (plain, kit, handled):
        error = mapped.call(reference, "fail")["error"]
        assert error["message"] == "on purpose"
        assert 'raise ValueError("on purpose")' in error["stacktrace"]


def test_a_build_keeps_its_python(mapped: Emulator, old: Path) -> None:
    """As long as the machine has it, whatever the settings say meanwhile, and whatever would be chosen now."""
    new = installed("3.13", "3.12")
    kit, _ = built(mapped, "Keeping", KIT, KIT_REQUIREMENTS, f"Python {old.name.removeprefix('python')}")
    [build] = mapped.get("/v1/algorithms/local/Keeping/builds")["results"]
    kept = mapped.root / "builds" / build["build_id"] / "interpreter"
    assert kept.read_text() == f"{old.name.removeprefix('python')} {old.resolve()}"
    kept.write_text(f"{new.name.removeprefix('python')} {new}")
    assert mapped.call(kit, {"name": "x"})["result"] == [new.parents[1].name, "x"]
    error = mapped.call(kit, "fail")["error"]
    assert (error["message"], mapped.call(kit, {"call": kit})["result"]) == ("on purpose", [new.parents[1].name, "nobody"])


def test_a_removed_python_is_replaced_by_another(mapped: Emulator, old: Path) -> None:
    environment = f"Python {old.name.removeprefix('python')}"
    plain, _ = built(mapped, "Gone", "import sys\ndef apply(input):\n    return sys.version_info[:2]\n", "", environment)
    [build] = mapped.get("/v1/algorithms/local/Gone/builds")["results"]
    kept = mapped.root / "builds" / build["build_id"] / "interpreter"
    kept.write_text(f"3.9 {old.parent}/python3.9")
    assert ".".join(map(str, mapped.call(plain, None)["result"])) == old.name.removeprefix("python")
    assert mapped.logs("Gone", build).splitlines()[-1] == (
        f"Environment: {environment}, run with CPython {old.parents[1].name} of this machine"
    )
