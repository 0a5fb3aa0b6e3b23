"""Saved inputs: which addresses keys may be sent to, and local files that are not in the plan."""

from __future__ import annotations

import gzip
import hashlib
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
from algosync.core.error import Stale, UsageError
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.plan_inputs import LocalCode, LocalFile, PlanFile, PlanInputs, WorkflowText
from algosync.core.planning.saved_plan import Binding, Conceal, SavedPlan
from algosync.core.planning.target import Selection
from algosync.net import Net

TEXT = "algorithms: [{name: One, language: python3}]\n"
BINDING = Binding(None, None, "https://api.b.com", None, "jane", "https://api.a.com", "0" * 64, {})
SAVED = SavedPlan(Plan(PlanHeader("w", None, "https://api.b.com", "jane"), (), ()), Selection(), BINDING)
FILE = PlanFile(SAVED, PlanInputs(WorkflowText("w.yaml", TEXT, {}, (), "w.yaml", "")))
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
