"""Spare workers: which calls use them, and that algorithms cannot notice it."""

import os
import signal

import pytest
from emulated import ADK, Emulator, command_line, until

ABOUT = """
import os, sys, Algorithmia
def apply(input):
    known = {name: value for name, value in os.environ.items() if name not in ("HOME", "TMPDIR", "ALGORITHMIA_API_KEY")}
    folder = os.path.dirname(os.environ["HOME"])
    return {
        "ahead": sys.argv[1:] == ["ahead"],
        "environment": known,
        "path": [each.replace(folder, "") for each in sys.path],
        "cwd": os.getcwd().replace(folder, ""),
        "own key": Algorithmia.client().apiKey == os.environ["ALGORITHMIA_API_KEY"],
        "descriptors": len(os.listdir("/proc/self/fd")),
    }
"""

OTHER = "def apply(input):\n    return 1\n"


@pytest.fixture(scope="module")
def about(site: Emulator) -> str:
    return site.deploy("About", ABOUT, ADK)


def spares(site: Emulator) -> set[int]:
    """The process ids of present and former spares, without their leashes."""
    commands = {pid: command_line(pid) for pid in site.descendants()}
    return {pid for pid, command in commands.items() if command.endswith(b"/runner.py\0ahead\0") and b"/leash.py\0" not in command}


def with_spare(site: Emulator, name: str, source: str = ABOUT, **files: str) -> str:
    """An algorithm whose environment has a spare worker."""
    before = spares(site)
    site.create(name)
    commit = site.push(name, {f"src/{name}.py": source, "requirements.txt": ADK, ".adk": None, **files})
    assert site.build_of(name, commit)["status"] == "succeeded"
    until(lambda: before or spares(site))
    return f"{site.owner}/{name}/{commit}"


def test_an_algorithm_cannot_notice_that_it_runs_in_a_spare(site: Emulator, about: str) -> None:
    first = site.call(with_spare(site, "Spared"), None)["result"]
    assert first.pop("ahead") is True
    # This name hides no module, but it could. Therefore the algorithm gets a new process.
    second = site.call(with_spare(site, "Afresh", **{"colorsys.py": ""}), None)["result"]
    assert second.pop("ahead") is False
    assert first == second
    assert first["own key"] is True
    assert first["cwd"] == first["path"][0] == "/source"


def test_source_that_hides_modules_gets_a_new_process(site: Emulator, about: str) -> None:
    error = site.call(with_spare(site, "Hiding", **{"six.py": "raise RuntimeError('own six')"}), None)["error"]
    assert (error["message"], error["error_type"]) == ("own six", "InitializationError")


def test_secrets_are_variables_from_the_start(site: Emulator, about: str) -> None:
    source = "import os\ndef apply(input):\n    return b'canary' in open('/proc/self/environ', 'rb').read()\n"
    reference = with_spare(site, "Secretive", source)
    assert site.call(reference, None)["result"] is False
    algorithm = site.get("/v1/algorithms/local/Secretive")["id"]
    [provider] = site.get("/v1/secret-provider")
    secret = {
        "owner_type": "algorithm",
        "owner_id": algorithm,
        "short_name": "KEY",
        "secret_key": "KEY",
        "secret_value": "canary",
        "description": "",
        "provider_id": provider["id"],
    }
    assert site.request("POST", f"/v1/algorithms/{algorithm}/secrets", secret).status == 200
    assert site.call(reference, None)["result"] is True


def test_a_spare_that_has_ended_is_not_used(site: Emulator, about: str) -> None:
    reference = with_spare(site, "Orphaned")
    for pid in spares(site):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not spares(site))
    assert "result" in site.call(reference, None)
