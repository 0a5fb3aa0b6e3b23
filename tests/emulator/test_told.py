"""What the server says to who does something for the first time: in logs of builds, in errors, in the log of requests."""

import pytest
from emulated import Emulator

PLAIN = "def apply(input):\n    return input\n"


def advised(site: Emulator, name: str, files: dict[str, str | bytes | None], **settings: object) -> list[str]:
    """What the log of a build that succeeds says about its source."""
    site.create(name, **settings)
    build = site.build_of(name, site.push(name, {"requirements.txt": "", **files}))
    assert build["status"] == "succeeded"
    lines = site.logs(name, build).splitlines()
    return [line for line in lines if line.startswith(("Warning", "network_access"))]


def test_builds_tell_what_is_not_enforced(site: Emulator) -> None:
    files: dict[str, str | bytes | None] = {"src/Isolated.py": PLAIN, ".adk": None}
    told = advised(site, "Isolated", files, network_access="isolated")
    assert told == ["network_access is isolated: this local cluster does not enforce it"]


@pytest.mark.parametrize(
    ("name", "files", "told"),
    [
        (
            "Unserved",
            {"src/Unserved.py": PLAIN},
            ".adk marks source that serves itself with the ADK, but src/Unserved.py has none: end it with one, or delete .adk",
        ),
        ("Gone", {"src/Gone.py": None}, "there is no src/Gone.py: calls will fail"),
        (
            "Wrong",
            {"src/Wrong.py": "x = 1\ndef apply(:\n", ".adk": None},
            "src/Wrong.py cannot be imported: invalid syntax, line 2",
        ),
        ("Fine", {"src/Fine.py": PLAIN + "'\\d'\n", ".adk": None}, None),
        (
            "Deep",
            {"src/Deep.py": "(" * 500_000, ".adk": None},
            "src/Deep.py cannot be imported: too many nested parentheses, line 1",
        ),
    ],
)
def test_builds_warn_of_source_that_will_not_run(
    site: Emulator, name: str, files: dict[str, str | bytes | None], told: str | None
) -> None:
    assert advised(site, name, files) == ([f"Warning: {told}"] if told else [])


def test_an_unknown_package_set_comes_with_the_known_ones(site: Emulator) -> None:
    settings = {"source_visibility": "closed", "license": "apl", "network_access": "full", "pipeline_enabled": True}
    body = {"name": "Unset", "details": {"label": "x"}, "settings": {**settings, "package_set": "python-9.9"}}
    error = site.request("POST", "/v1/algorithms/local", body).json["error"]
    begins, _, known = error["message"].partition(", which has ")
    assert (error["code"], begins) == (1003, "settings.package_set names no package set of this cluster")
    for each in known.split(", "):
        chosen = {**body, "name": f"Set{known.index(each)}", "settings": {**settings, "package_set": each}}
        assert site.request("POST", "/v1/algorithms/local", chosen).status == 200
