"""The release of a changed data file that workers load once: tested with the new file, and put back if the test fails."""

from __future__ import annotations

import json
import signal
import urllib.request
from pathlib import Path

import pytest
from harness import Cluster, Workspace

CODE = """
import Algorithmia

WORD = Algorithmia.client().file("data://.my/One/word.txt").getString()


def apply(input):
    return {"Hello": 5, "Howdy": 5}[WORD] and f"{WORD}, {input}"
"""


@pytest.fixture
def one(workspace: Workspace) -> Workspace:
    """An algorithm that knows two words, and loads its word when its worker starts."""
    workspace.algorithm("One", CODE, "algorithmia>=1.7,<3\n")
    use(workspace, "Hello")
    return workspace


def use(workspace: Workspace, word: str) -> None:
    uri = workspace.data("models", "word.txt", word.encode())
    workspace.write([{"name": "One", "language": "python3", "data_files": [uri], "test_payload": "Ada"}])
    workspace.settle_source()


def answer(cluster: Cluster) -> object:
    request = urllib.request.Request(
        f"{cluster.url}/v1/algo/local/One/latestPrivate",
        json.dumps("Ada").encode(),
        {"Authorization": cluster.key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["result"]


def stored(cluster: Cluster) -> bytes:
    with cluster.api().data.open("local", "One", "word.txt") as download:
        return b"".join(download.blocks)


def number(cluster: Cluster) -> str:
    version = cluster.api().algorithms.published("local", "One")
    assert version is not None
    return version.number


def test_a_new_file_makes_a_new_version(cluster: Cluster, one: Workspace) -> None:
    one.apply()
    assert (answer(cluster), number(cluster)) == ("Hello, Ada", "0.1.0")
    use(one, "Howdy")
    shown = one.run("plan").stdout
    assert "Plan: 0 to add, 2 to change, 0 to destroy." in shown
    assert "Its previous bytes come back if the new version is not published." in shown
    one.apply()
    assert (answer(cluster), number(cluster), one.actions()) == ("Howdy, Ada", "0.2.0", {})


def test_a_broken_file_is_never_published(cluster: Cluster, one: Workspace) -> None:
    one.apply()
    assert answer(cluster) == "Hello, Ada"
    use(one, "Mooh!")
    output = one.apply(code=3)
    assert "may have loaded the new file: `algosync apply --replace version.One` starts new ones" in output
    assert (stored(cluster), number(cluster), answer(cluster)) == (b"Hello", "0.1.0", "Hello, Ada")

    assert "is left as it is" in one.run("plan").stdout
    with cluster.writes() as writes:
        assert "Left as it is, because its test failed before" in one.apply(code=3)
    assert writes.lines == ()
    one.apply("--replace", "One", code=3)
    assert stored(cluster) == b"Hello"

    use(one, "Howdy")
    one.apply()
    assert (stored(cluster), number(cluster), answer(cluster), one.actions()) == (b"Howdy", "0.2.0", "Howdy, Ada", {})


@pytest.mark.parametrize("word", ["Mooh!", "Howdy", "Hello"])
def test_a_killed_apply_is_mended_by_the_next_one(cluster: Cluster, one: Workspace, word: str) -> None:
    """The next apply wants the same broken file, another one, or the file as it was."""
    one.apply()
    use(one, "Mooh!")
    killed = one.started('data.One["word.txt"]: Verifying')
    killed.send_signal(signal.SIGKILL)
    killed.wait(60)
    assert stored(cluster) == b"Mooh!"
    use(one, word)
    assert "its previous bytes are put back before anything else" in one.run("plan").stdout
    one.apply(code=3 if word == "Mooh!" else 0)
    assert stored(cluster) == (b"Hello" if word == "Mooh!" else word.encode())
    assert answer(cluster) == ("Hello, Ada" if word == "Mooh!" else f"{word}, Ada")
    if word != "Mooh!":
        assert one.actions() == {}


def test_without_kept_bytes_the_plan_says_so(cluster: Cluster, one: Workspace, tmp_path: Path) -> None:
    one.apply()
    uri = one.data("models", "word.txt", b"Mooh!")
    publish = {"restore_data": False}
    one.write([{"name": "One", "language": "python3", "data_files": [uri], "test_payload": "Ada", "publish": publish}])
    one.settle_source()
    assert "Its previous bytes are not kept: they cannot come back." in one.run("plan").stdout
    one.apply("--keep-dir", str(tmp_path / "kept"), code=3)
    assert (stored(cluster), number(cluster)) == (b"Mooh!", "0.1.0")
    assert not (tmp_path / "kept").exists()


def test_kept_bytes_are_found_in_their_folder_only(cluster: Cluster, one: Workspace, tmp_path: Path) -> None:
    one.apply()
    use(one, "Mooh!")
    killed = one.started('data.One["word.txt"]: Verifying')
    killed.send_signal(signal.SIGKILL)
    killed.wait(60)
    elsewhere = {"ALGOSYNC_KEEP_DIR": str(tmp_path / "elsewhere")}
    assert "so they cannot be put back" in one.run("plan", environ=elsewhere).stdout
    assert "its previous bytes are put back before anything else" in one.run("plan").stdout
    assert one.run("plan", "--replace", "algorithm.One").returncode == 64
    use(one, "Howdy")
    one.apply(environ=elsewhere)
    assert (stored(cluster), number(cluster), one.actions()) == (b"Howdy", "0.2.0", {})
    one.apply()  # removes what the killed apply has left in its own folder
    for folder in (tmp_path / "elsewhere", one.folder / "kept"):
        assert [path for path in folder.rglob("[!.]*") if path.is_file()] == []


def test_what_a_failed_test_says_is_recorded_without_secrets(cluster: Cluster, workspace: Workspace) -> None:
    """The algorithm repeats its input in its message, and the input is a sensitive variable."""
    code = CODE.replace('return {"Hello"', 'assert WORD != "Mooh!", f"no {input}"\n    return {"Hello"')
    workspace.algorithm("One", code, "algorithmia>=1.7,<3\n")
    algorithm = "{name: One, language: python3, data_files: ['data://.my/models/word.txt'], test_payload: '{{ token }}'}"
    head = "source_info: {cluster_address: 'file://source'}\nvariables:\n  token: {sensitive: true}\n"
    (workspace.folder / "w.yaml.j2").write_text(f"{head}algorithms:\n  - {algorithm}\n")
    arguments = ("w.yaml.j2", "--var", "token=tops3cret-token")
    for word, code_of_exit in (("Hello", 0), ("Mooh!", 3)):
        workspace.data("models", "word.txt", word.encode())
        workspace.apply(*arguments, code=code_of_exit)
    assert "no ***" in workspace.run("plan", *arguments).stdout
    kept = {path: path.read_bytes() for path in (workspace.folder / "state").rglob("w@*") if path.is_file()}
    assert any(b"no ***" in content for content in kept.values())
    assert [path for path, content in kept.items() if b"tops3cret" in content] == []
