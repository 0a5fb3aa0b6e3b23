"""Saved inputs: which addresses keys may be sent to, whose state it is, and local files that are not in the plan."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from algosync.cli.clusters import Clusters
from algosync.cli.options import ClusterOptions
from algosync.cli.saved.bundle import Bundle
from algosync.cli.saved.inputs import SavedInputs
from algosync.cli.terminal import Terminal
from algosync.core.address import Address
from algosync.core.error import Stale, UsageError
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.plan_inputs import LocalCode, LocalFile, PlanFile, PlanInputs, WorkflowText
from algosync.core.planning.saved_plan import Binding, Conceal, SavedPlan
from algosync.core.planning.target import Selection
from algosync.core.resource import Record
from algosync.net import Net
from algosync.state import Session, open_session

TEXT = "algorithms: [{name: One, language: python3}]\n"
BINDING = Binding(None, None, "https://api.b.com", None, "jane", "https://api.a.com", "0" * 64, {})
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


def test_a_local_cluster_may_have_another_address_on_this_machine() -> None:
    local = replace(BINDING, identity="default-1", source=None)
    check({"DESTINATION_API_ADDRESS": "http://127.0.0.1:81"}, local)
    check({"DESTINATION_API_ADDRESS": "local"}, local)
    with pytest.raises(Stale):
        check({"DESTINATION_API_ADDRESS": "https://api.c.com"}, local)


@pytest.mark.parametrize("content", [None, b"another", b"large"])
def test_a_local_file_that_is_not_in_the_plan_has_to_be_here(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "w.bin").write_bytes(content)
    file = LocalFile("data://.my/a/w.bin", 5, None, "w.bin", hashlib.sha256(b"large").hexdigest())
    inputs = SavedInputs(replace(FILE, inputs=replace(FILE.inputs, files=(file,))), tmp_path)
    store = inputs.store("file://source")
    assert store is not None
    if content == b"large":
        inputs.require_local_files()
        with store.open(".my", "a", "w.bin") as download:
            assert b"".join(download.blocks) == b"large"
    else:
        with pytest.raises(Stale, match=r"w\.bin is not in the plan, and has to be here: sha256"):
            inputs.require_local_files()


def test_code_that_is_not_in_the_plan_has_to_be_here(tmp_path: Path) -> None:
    code = LocalCode("One", "file://one", None, ())
    inputs = SavedInputs(replace(FILE, inputs=replace(FILE.inputs, codes=(code,))), tmp_path)
    with pytest.raises(Stale, match="the code of One, one, is not in the plan, and not here"):
        inputs.require_local_files()
    (tmp_path / "one").mkdir()
    inputs.require_local_files()


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
