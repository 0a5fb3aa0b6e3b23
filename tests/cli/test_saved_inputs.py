"""Saved inputs: which addresses keys may be sent to, whose state it is, and local files that are not in the plan."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from fakes.stores import FakeStore

from algosync.cli.clusters import Clusters
from algosync.cli.options import ClusterOptions
from algosync.cli.saved.bundle import Bundle
from algosync.cli.saved.inputs import SavedInputs
from algosync.cli.saved.local_files import require_permitted
from algosync.cli.saved.saving import saved_plan
from algosync.cli.session import Anchor, CommandSession
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.error import Corrupt, SourceError, Stale, UsageError
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.plan_inputs import CodeFile, LocalCode, LocalFile, PlanFile, PlanInputs, WorkflowText
from algosync.core.planning.saved_plan import Binding, Conceal, SavedPlan
from algosync.core.planning.target import Selection
from algosync.core.resource import Record
from algosync.core.workflow import AlgorithmSpec, DataFile, Workflow
from algosync.net import Net, Retry
from algosync.sources.source import Sources
from algosync.sources.store import SourceStore
from algosync.state import Session, open_session

TEXT = "algorithms: [{name: One, language: python3}]\n"
BINDING = Binding(None, None, "https://api.b.com", None, "jane", "https://api.a.com", None, None, "0" * 64, {})
SAVED = SavedPlan(Plan(PlanHeader("w", None, "https://api.b.com", "jane"), (), ()), Selection(), BINDING)
FILE = PlanFile(SAVED, PlanInputs(WorkflowText("w.yaml", TEXT, {}, (), "w.yaml", "")))
RECORD = Record(Address("algorithm", "One"), "digest", None, None)
ENVIRON = {"DESTINATION_API_ADDRESS": "https://api.b.com", "SOURCE_API_ADDRESS": "https://api.a.com"}


def check(environ: dict[str, str], binding: Binding = BINDING) -> None:
    file = replace(FILE, saved=replace(SAVED, binding=binding))
    terminal = cast("Terminal", None)  # nothing is printed
    with ExitStack() as stack:
        connections = Clusters(ClusterOptions(environ=environ), terminal, stack, cast("Net", None))
        SavedInputs(file, Path("/")).require_addresses(connections)


def test_a_key_goes_only_to_an_address_that_is_named_here() -> None:
    check(ENVIRON)
    with pytest.raises(Stale, match=r"the destination: https://api\.b\.com -> https://api\.c\.com"):
        check({**ENVIRON, "DESTINATION_API_ADDRESS": "https://api.c.com"})
    with pytest.raises(Stale, match=r"the source: https://api\.a\.com -> https://api\.c\.com"):
        check({**ENVIRON, "SOURCE_API_ADDRESS": "https://api.c.com"})
    with pytest.raises(UsageError, match="SOURCE_API_ADDRESS has to name"):
        check({"DESTINATION_API_ADDRESS": "https://api.b.com"})
    with pytest.raises(UsageError, match="has to be named again") as caught:
        check({})
    assert str(caught.value.hint).startswith("--destination https://api.b.com, if that is your destination")


def test_a_local_cluster_may_have_another_address_on_this_machine() -> None:
    local = replace(BINDING, identity="default-1", source=None)
    check({"DESTINATION_API_ADDRESS": "http://127.0.0.1:81"}, local)
    check({"DESTINATION_API_ADDRESS": "local"}, local)
    with pytest.raises(Stale):
        check({"DESTINATION_API_ADDRESS": "https://api.c.com"}, local)
    source = replace(BINDING, source="http://127.0.0.1:80", source_identity="default-1")
    check({**ENVIRON, "SOURCE_API_ADDRESS": "http://127.0.0.1:81"}, source)
    with pytest.raises(Stale, match=r"the source: http://127\.0\.0\.1:80 -> https://api\.c\.com"):
        check({**ENVIRON, "SOURCE_API_ADDRESS": "https://api.c.com"}, source)


def test_a_source_key_of_another_owner_makes_the_plan_stale() -> None:
    """`.my` would name the files of the other owner. Without `.my` nothing is bound, and nobody is asked."""
    of_ann = replace(FILE, saved=replace(SAVED, binding=replace(BINDING, source_owner="ann")))
    SavedInputs(of_ann, Path("/")).require_source_owner(FakeStore("ann"))
    with pytest.raises(Stale, match="the owner of the source's key: ann -> eve"):
        SavedInputs(of_ann, Path("/")).require_source_owner(FakeStore("eve"))
    SavedInputs(FILE, Path("/")).require_source_owner(FakeStore("eve"))


@pytest.mark.parametrize(
    ("uri", "source", "owner"),
    [
        ("data://.my/a/b", "https://api.a.com", "ann"),
        ("data://ann/a/b", "https://api.a.com", None),
        ("data://.my/a/b", "file://x", None),
    ],
)
def test_a_plan_is_bound_to_the_owner_of_the_source_key_where_it_matters(uri: str, source: str, owner: str | None) -> None:
    spec = AlgorithmSpec("One", "python3", data_files=(DataFile(uri, "b"),))
    workflow = Workflow("w", "/", (spec,))
    site = SimpleNamespace(store=SourceStore(FakeStore("ann"), source, Retry()), desired_sources=SimpleNamespace(reached=None))
    session = SimpleNamespace(
        workflow=workflow,
        scene=SimpleNamespace(site=site),
        ledger=SimpleNamespace(records={}),
        header=PlanHeader("w", source, "https://api.b.com", "jane"),
        anchor=Anchor(None, None, None, None),
        looked_at=lambda _: {"One"},
    )
    terminal = Terminal(io.StringIO(), io.StringIO(), (False, False), live=False)
    saved = saved_plan(cast("CommandSession", session), SAVED.plan, Selection(), terminal)
    assert saved.binding.source_owner == owner


URI = "data://.my/a/w.bin"
LARGE = LocalFile(URI, 5, None, hashlib.sha256(b"large").hexdigest())


def saved_in(
    top: Path,
    folder: str = "",
    *,
    files: tuple[LocalFile, ...] = (),
    codes: tuple[LocalCode, ...] = (),
    owner: str = "quality",
) -> SavedInputs:
    text = replace(FILE.inputs.workflow, folder=folder)
    return SavedInputs(replace(FILE, inputs=PlanInputs(text, codes, files, owner)), top)


def put(path: Path, content: bytes = b"large") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def read(inputs: SavedInputs, source: str, environ: Mapping[str, str]) -> bytes:
    store = inputs.store(source, environ)
    assert store is not None
    with store.open(".my", "a", "w.bin") as download:
        return b"".join(download.blocks)


@pytest.mark.parametrize("content", [None, b"another", b"large"])
def test_a_local_file_that_is_not_in_the_plan_has_to_be_here(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        put(tmp_path / "source/quality/a/w.bin", content)
    inputs = saved_in(tmp_path, files=(LARGE,))
    if content == b"large":
        inputs.require_local_files("file://source", {})
        assert read(inputs, "file://source", {}) == b"large"
    else:
        with pytest.raises(Stale, match=r"data://\.my/a/w\.bin is not in the plan, and has to be here: sha256"):
            inputs.require_local_files("file://source", {})


def test_code_that_is_not_in_the_plan_has_to_be_here(tmp_path: Path) -> None:
    inputs = saved_in(tmp_path, codes=(LocalCode("One", "file://one", None, ()),))
    with pytest.raises(Stale, match="the code of One, one, is not in the plan, and not here"):
        inputs.require_local_files("", {})
    (tmp_path / "one").mkdir()
    inputs.require_local_files("", {})


# A plan may be crafted, and its workflow too. The files are there with the right content, but outside of the checkout.


@pytest.mark.parametrize(
    "case", ["absolute", "parent", "folder", "absolute folder", "linked folder", "linked file", "git", "owner of git"]
)
def test_no_data_file_outside_of_the_checkout_is_read(tmp_path: Path, case: str) -> None:
    top = tmp_path / "checkout"
    (top / ".git").mkdir(parents=True)
    outside = put(tmp_path / "source/quality/a/w.bin").parents[2]
    source, folder = "file://source", ""
    match case:
        case "absolute":
            source = f"file://{outside}"
        case "parent":
            source = "file://../source"
        case "folder":
            folder = ".."
        case "absolute folder":
            folder = str(tmp_path)
        case "linked folder":
            (top / "source").symlink_to(outside)
        case "linked file":
            (top / "source/quality/a").mkdir(parents=True)
            (top / "source/quality/a/w.bin").symlink_to(outside / "quality/a/w.bin")
        case "git":
            put(top / ".git/quality/a/w.bin")
            source = "file://.git"
        case _:
            put(top / ".git/a/w.bin")
            source = "file://."
    inputs = saved_in(top, folder, files=(LARGE,), owner=".git" if case == "owner of git" else "quality")
    with pytest.raises(Stale, match=r"only files of the checkout are read"):
        inputs.require_local_files(source, {})
    with pytest.raises(Stale, match=r"only files of the checkout are read"):
        read(inputs, source, {})


def test_a_source_folder_outside_is_read_if_the_environment_names_it(tmp_path: Path) -> None:
    top = tmp_path / "checkout"
    (top / ".git").mkdir(parents=True)
    outside = put(tmp_path / "source/quality/a/w.bin").parents[2]
    inputs = saved_in(top, files=(LARGE,))
    named = {"SOURCE_API_ADDRESS": f"file://{outside}"}
    inputs.require_local_files("file://../source", named)
    assert read(inputs, "file://../source", named) == b"large"
    for other in (f"file://{tmp_path}", "file://../source", "https://api.a.com"):
        with pytest.raises(Stale, match="only files of the checkout are read") as refused:
            inputs.require_local_files("file://../source", {"SOURCE_API_ADDRESS": other})
        assert f"export SOURCE_API_ADDRESS=file://{outside}" in (refused.value.hint or "")


@pytest.mark.parametrize(
    "code", ["file://../secrets", "file://{top}/../secrets", "file://link", "file://.git", "file://x/../../secrets"]
)
def test_no_code_outside_of_the_checkout_is_read(tmp_path: Path, code: str) -> None:
    """Also code that the plan does not list, and that is only in the text of its workflow."""
    top = tmp_path / "checkout"
    for folder in (tmp_path / "secrets", top / ".git"):
        put(folder / "src/One.py", b"x = 1")
    (top / "link").symlink_to(tmp_path / "secrets")
    code = code.format(top=top)
    inputs = saved_in(top, codes=(LocalCode("One", code, None, ()),))
    with pytest.raises(Stale, match=r"only files of the checkout are read"):
        inputs.require_local_files("", {})
    spec = AlgorithmSpec("One", "python3", code=code)
    unlisted = Sources((spec,), top, "jane", SourceStore(None, "", Retry()), within=inputs.boundary)
    with pytest.raises(SourceError, match=r"is outside of|belongs to the files of git"):
        unlisted.tree(spec)


def test_code_beside_a_folder_of_workflows_is_of_the_checkout(tmp_path: Path) -> None:
    (tmp_path / "algorithms/One").mkdir(parents=True)
    (tmp_path / "workflows").mkdir()
    inputs = saved_in(tmp_path / "workflows", codes=(LocalCode("One", "file://../algorithms/One", None, ()),))
    inputs.require_local_files("", {})


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (LocalCode("One", "file:///etc", None, ()), "the code of One is another one than that of its workflow"),
        (LocalCode("Two", None, None, ()), "the code of Two is another one"),
        (LocalCode("One", None, (CodeFile("a", "0", executable=False),), ()), "a file of One is missing: a"),
        (replace(LARGE, uri="data://../a/w.bin"), "'..' is not the name of a file"),
        (replace(LARGE, uri="/etc/passwd"), "it does not begin with data://"),
    ],
)
def test_a_plan_names_only_files_that_its_workflow_may_name(named: LocalCode | LocalFile, message: str) -> None:
    workflow = Workflow("w", "/", (AlgorithmSpec("One", "python3"),))
    inputs = saved_in(Path(), codes=(named,)) if isinstance(named, LocalCode) else saved_in(Path(), files=(named,))
    with pytest.raises(Corrupt, match=f"the saved plan is damaged: .*{re.escape(message)}"):
        require_permitted(inputs.file, workflow)


def test_a_file_of_code_has_a_path_inside_of_the_code() -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    codes = (LocalCode("One", None, (CodeFile("../x", digest, executable=False),), ()),)
    file = replace(FILE, inputs=replace(FILE.inputs, codes=codes), contents={digest: b"x"})
    with pytest.raises(SourceError, match="points outside the source"):
        require_permitted(file, Workflow("w", "/", (AlgorithmSpec("One", "python3"),)))


def test_a_bundle_takes_what_fits_and_holds_no_secret() -> None:
    bundle = Bundle(Conceal(lambda text: text, lambda value: "secret" in str(value)), limit=10)
    assert bundle.add([b"12345", b"12345"])
    assert bundle.add([b"12345"])
    assert not bundle.add([b"123456"])
    assert not bundle.add([b"a secret"])
    assert (bundle.limit, list(bundle.contents.values())) == (5, [b"12345"])


def test_a_bundle_finds_a_secret_in_a_compressed_content() -> None:
    bundle = Bundle(Conceal(lambda text: text, lambda value: "secret" in str(value)))
    taken = [gzip.compress(b"code"), gzip.compress(b"code") + gzip.compress(b"more")]
    refused = [gzip.compress(b"a secret"), gzip.compress(b"code") + gzip.compress(b"a secret"), gzip.compress(b"a secret")[:-9]]
    assert [bundle.add([data]) for data in (*taken, *refused)] == [True, True, False, False, False]
    assert list(bundle.contents.values()) == taken


class ClaimedState:
    """A state in a folder, and the saved plan of a workflow file that was made from it."""

    def __init__(self, folder: Path, *, of: str | None, recorded: bool = True) -> None:
        """`of`: the workflow file that the state belongs to. `recorded`: something was applied before the plan."""
        self.folder = folder
        with self.session() as session:
            if recorded:
                session.commit(RECORD)
            if of is not None:
                session.file = of
        with self.session(exclusive=False) as session:
            self.binding = replace(BINDING, lineage=session.lineage, state_file=session.file)

    def session(self, *, exclusive: bool = True) -> Session:
        return open_session(str(self.folder / "state"), "w@local~me.json", exclusive=exclusive)

    def claim(self) -> None:
        """As an apply of the plan, which then records something: a state that never had a record is not saved."""
        file = replace(FILE, saved=replace(SAVED, binding=self.binding))
        with self.session() as session:
            SavedInputs(file, self.folder).claim(session)
            session.commit(RECORD)

    def give_to(self, file: str) -> None:
        with self.session() as session:
            session.file = file

    @property
    def file(self) -> str | None:
        with self.session(exclusive=False) as session:
            return session.file


def test_a_saved_plan_makes_the_first_state_that_of_its_workflow_file(tmp_path: Path) -> None:
    state = ClaimedState(tmp_path, of=None, recorded=False)
    assert state.binding.lineage is None
    state.claim()
    assert state.file == "w.yaml"


@pytest.mark.parametrize("spelled", ["w.yaml", "W.YAML"])
def test_a_saved_plan_of_the_file_of_the_state_changes_nothing(tmp_path: Path, spelled: str) -> None:
    state = ClaimedState(tmp_path, of=spelled)
    state.claim()
    assert state.file == spelled


def test_a_saved_plan_takes_the_state_from_the_file_that_had_it_when_it_was_made(tmp_path: Path) -> None:
    """The workflow file was renamed before the plan was made."""
    state = ClaimedState(tmp_path, of="former.yaml")
    state.claim()
    assert state.file == "w.yaml"


@pytest.mark.parametrize("before", [None, "former.yaml", "w.yaml"])
def test_a_state_that_another_workflow_file_took_since_is_not_that_of_the_plan(tmp_path: Path, before: str | None) -> None:
    state = ClaimedState(tmp_path, of=before)
    state.give_to("other.yaml")
    with pytest.raises(Stale, match=r"the workflow file of the state: w\.yaml -> other\.yaml"):
        state.claim()
    assert state.file == "other.yaml"


def test_a_state_that_is_not_there_is_named(tmp_path: Path) -> None:
    state = ClaimedState(tmp_path, of="w.yaml")
    shutil.rmtree(tmp_path / "state")
    with pytest.raises(Stale, match=r"there is no state at .*/state/w@local~me\.json") as refused:
        state.claim()
    assert refused.value.hint == "--state names the place of the state from which the plan was made"
    assert state.file is None
