"""Which state a command works with: whose workflow file it is, and where local clusters are."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from algosync.cli.local.location import LocalHome, local_home
from algosync.cli.options import ClusterOptions
from algosync.cli.state_place import NamedDestination, claim, tell_place
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.error import PlanRefused
from algosync.core.resource import Record
from algosync.core.workflow import AlgorithmSpec, Move, Workflow
from algosync.state import Session, open_session
from algosync.workflow import FileIdentity

NAME = "w@local~me.json"


def a_record(algorithm: str) -> Record:
    return Record(Address("algorithm", algorithm), "digest", None, None)


class Files:
    """A state, and workflow files below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told = io.StringIO()
        self.terminal = Terminal(io.StringIO(), self.told, (False, False), live=False)

    def use(self, file: str, *algorithms: str, recording: str | None = None) -> str:
        """Claim the state for a file that has these algorithms, and record one. Returns what was printed."""
        (self.folder / file).touch()
        with self.session(exclusive=True) as session:
            self.claim(session, file, *algorithms)
            if recording:
                session.commit(a_record(recording))
        told = self.told.getvalue()
        self.told.seek(0)
        self.told.truncate()
        return told

    def claim(self, session: Session, file: str, *algorithms: str, moved: tuple[Move, ...] = ()) -> None:
        specs = tuple(AlgorithmSpec(name, "python3") for name in algorithms)
        claim(session, FileIdentity(file, self.folder), Workflow("w", str(self.folder), specs, moved=moved), self.terminal)

    def session(self, *, exclusive: bool) -> Session:
        return open_session(str(self.folder / "state"), NAME, exclusive=exclusive)

    @property
    def recorded(self) -> str | None:
        with self.session(exclusive=False) as session:
            return session.file


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_state_keeps_its_file(files: Files) -> None:
    assert files.use("a.json", "One", recording="One") == ""
    assert files.recorded == "a.json"
    assert files.use("A.json", "One") == ""
    assert files.recorded == "a.json"


def test_a_state_without_a_file_is_completed_silently(files: Files) -> None:
    with files.session(exclusive=True) as session:
        session.commit(a_record("Old"))
    assert files.recorded is None
    assert files.use("a.json", "Other") == ""
    assert files.recorded == "a.json"


def test_a_second_file_is_refused(files: Files) -> None:
    files.use("a.json", "One", recording="One")
    with pytest.raises(PlanRefused, match=r"belongs to the workflow file a\.json, not to b\.json") as refused:
        files.use("b.json", "One")
    assert refused.value.hint is not None
    assert "`name:`" in refused.value.hint
    assert files.recorded == "a.json"


def test_a_renamed_file_takes_over_with_a_note(files: Files) -> None:
    files.use("a.json", "One", recording="One")
    os.unlink(files.folder / "a.json")
    assert files.use("b.json", "One", "Two") == (
        "Note: The state was that of a.json, which no longer exists. It is now that of b.json.\n"
    )
    assert files.recorded == "b.json"
    assert files.use("b.json", "One") == ""


def test_a_file_without_any_of_the_algorithms_is_refused(files: Files) -> None:
    files.use("a.json", "One", recording="One")
    os.unlink(files.folder / "a.json")
    with pytest.raises(PlanRefused, match="none of its algorithms is in this one"):
        files.use("b.json", "Two")


def test_a_moved_algorithm_counts_as_one_of_the_file(files: Files) -> None:
    files.use("a.json", "One", recording="One")
    os.unlink(files.folder / "a.json")
    with files.session(exclusive=True) as session:
        files.claim(session, "b.json", "Two", moved=(Move("One", "Two"),))
    assert files.recorded == "b.json"


def test_what_fails_takes_nothing_over(files: Files) -> None:
    files.use("a.json", "One", recording="One")
    os.unlink(files.folder / "a.json")
    session = files.session(exclusive=True)
    files.claim(session, "b.json", "One")
    session.__exit__(RuntimeError, RuntimeError("not approved"), None)
    assert files.recorded == "a.json"


def test_a_reader_takes_nothing_over(files: Files) -> None:
    files.use("a.json", "One", recording="One")
    os.unlink(files.folder / "a.json")
    with files.session(exclusive=False) as session:
        files.claim(session, "b.json", "One")
    assert files.recorded == "a.json"


def cluster(folder: Path, identity: str = "") -> Path:
    folder.mkdir(parents=True)
    (folder / "cluster.sqlite").touch()
    if identity:
        (folder / "identity").write_text(identity)
    return folder


def test_former_names_are_those_of_its_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`local` in another folder, or another `--local-home`, is another cluster, whose states stay its own."""
    monkeypatch.chdir(tmp_path)
    cluster(tmp_path / "state" / "local" / "default", "default-11111111")
    cluster(tmp_path / "state" / "local" / "two", "two-22222222")
    names = NamedDestination("https://localhost:1", "two-22222222", "localhost:1").former_names("state")
    assert names[0] == "local:two"
    assert {"http://127.0.0.1:1", "https://localhost:1"} < set(names)
    assert "local" not in names
    other = NamedDestination("local", "default-33333333", "127.0.0.1:1").former_names("state")
    assert not {"local", "local:two"} & set(other)
    assert NamedDestination("https://api.x.com", None, "api.x.com").former_names("state") == []


def test_local_clusters_are_in_the_home_whatever_the_state_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for state in ("state", "elsewhere", "s3://bucket/prefix", "file:///srv/states"):
        assert ClusterOptions(state=state).home.root("default") == tmp_path / "state" / "local" / "default"
    assert ClusterOptions(local_home=Path("homes")).home.root("two") == tmp_path / "homes" / "two"


def test_a_cluster_below_another_state_is_still_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    former = cluster(tmp_path / "x" / "local" / "default")
    home = local_home(None, "x")
    assert home.root("default") == former
    assert list(home.clusters()) == [former]
    note = home.note(former)
    assert note is not None
    assert str(former.parent) in note
    assert local_home(Path("homes"), "x").root("default") == tmp_path / "homes" / "default"
    usual = cluster(tmp_path / "state" / "local" / "default")
    assert home.root("default") == usual
    assert list(home.clusters()) == [usual]
    assert home.note(usual) is None


def test_an_unknown_cluster_gets_the_nearest_name(tmp_path: Path) -> None:
    home = LocalHome(tmp_path)
    assert home.others("stagin") is None
    cluster(tmp_path / "staging")
    assert home.others("stagin") == "did you mean staging?"
    assert home.others("x") == "there are: staging"


@pytest.mark.parametrize(
    ("state", "file", "recorded", "is_told"),
    [
        ("state", "../other/w.json", False, True),
        ("state", "../other/w.json", True, False),  # once is enough
        ("elsewhere", "../other/w.json", False, False),
        ("s3://bucket", "../other/w.json", False, False),
        ("state", "w.json", False, False),
        ("state", "workflows/w.json", False, False),
    ],
)
def test_a_new_state_that_is_not_beside_its_workflow_is_told(
    files: Files, monkeypatch: pytest.MonkeyPatch, state: str, file: str, recorded: bool, is_told: bool
) -> None:
    monkeypatch.chdir(files.folder)
    if recorded:
        files.use("w.json", "One", recording="One")
    with files.session(exclusive=False) as session:
        tell_place(session, state, Path(file), files.terminal)
    told = files.told.getvalue()
    assert told.startswith(f"Note: {file} has no state in {files.folder / 'state'} yet.") if is_told else told == ""
