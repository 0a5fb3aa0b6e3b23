"""`drift` of several workflows, on a cluster in memory: what is asked for once, what an error hides, and what is remembered."""

from __future__ import annotations

import io
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from documents import check_document
from fakes.clusters import OWNER
from planted import World, world_of

from algosync import kinds
from algosync.cli.drifting import several
from algosync.cli.drifting.examining import Look
from algosync.cli.interrupt import Signalled
from algosync.cli.main import app
from algosync.cli.notify.news import News
from algosync.cli.reporting.github import GitHub
from algosync.cli.session import CommandSession
from algosync.cli.terminal import Terminal
from algosync.cluster.data import DataClient
from algosync.core.address import Address
from algosync.core.codec import encode_state
from algosync.core.error import Denied, Unreachable, UsageError, WorkflowError
from algosync.core.resource import Json
from algosync.core.state import State
from algosync.core.workflow import Workflow
from algosync.engine import drift as engine_drift
from algosync.state import ResultsDocument, parse_address, state_name
from algosync.state.history import History
from algosync.state.results_document import Change
from algosync.views import FORMATS
from algosync.views.subject import Drifted, DriftedAll

ADDRESS = "https://api.example.com"


@dataclass
class Folder:
    """A folder of workflows that were applied to one cluster in memory.

    `owners`: an entry each time that the accounts were asked for. `told` and `news`: what the last command wrote to stderr, and had
    for a message.
    """

    folder: Path
    world: World
    owners: list[str] = field(default_factory=list)
    reachable: bool = True
    told: str = ""
    news: list[News] = field(default_factory=list)

    def workflow(self, name: str, *algorithms: str, **more: Json) -> None:
        """Write a workflow, and its state."""
        files: Json = ["data://.my/models/w.bin"]
        listed: list[Json] = [{"name": a, "language": "python3", "code": f"file://{a}", "data_files": files} for a in algorithms]
        document: Json = {**more, "source_info": {"cluster_address": "file://source"}, "algorithms": listed}
        self.write(f"{name}.json", json.dumps(document))
        records = {a: r for a, r in self.world.ledger.records.items() if a.algorithm in algorithms}
        self.state(name).write_bytes(encode_state(State(f"lineage-{name}", 1, records, f"workflows/{name}.json")))

    def write(self, file: str, text: str) -> None:
        (self.folder / "workflows" / file).write_text(text)

    def state(self, name: str) -> Path:
        return self.folder / "state" / state_name(name, ADDRESS, OWNER)

    def run(self, *arguments: str) -> tuple[int, str]:
        """The exit code of `algosync drift`, and its result."""
        out, err = io.StringIO(), io.StringIO()
        terminal = Terminal(out, err, (False, False), live=False)
        code = app(["drift", *arguments], standalone_mode=False, obj=terminal)
        for write in terminal.endings:
            write(code)
        self.told, self.news = err.getvalue(), terminal.news
        return code, out.getvalue()

    def document(self, *arguments: str) -> tuple[int, Mapping[str, Mapping[str, Json]]]:
        """The exit code, and the rows of the JSON document by the names of their workflows."""
        code, out = self.run(*arguments, "--json")
        found = json.loads(out)
        check_document("drift_all", found)
        check_document("report", found)
        for row in found["workflows"]:
            if row["drift"] is not None:
                check_document("drift", row["drift"])
        assert found["meta"]["exit_code"] == code
        return code, {row["workflow"].split(" ")[0]: row for row in found["workflows"]}

    def history(self, name: str) -> list[tuple[str, int]]:
        document = ResultsDocument(lambda n: parse_address(str(self.folder / "state"))(n, "test"), self.state(name).name)
        return [(run.command, run.exit_code) for run in History(document).read()[0]]

    def forget_requests(self) -> None:
        self.world.cluster.algorithms.requests.clear()
        self.world.cluster.data.listed.clear()
        self.owners.clear()


def folder_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *algorithms: str) -> Folder:
    """The algorithms, applied. The cluster's owner is asked for over the wire, and everything else of the fake."""
    world = world_of(tmp_path, *algorithms)
    made = Folder(tmp_path, world)

    def owners(_: DataClient) -> tuple[str, ...]:
        made.owners.append(OWNER)
        if not made.reachable:
            raise Unreachable("the destination does not answer")
        return (OWNER,)

    monkeypatch.setattr(os, "fsync", lambda _: None)  # nothing here outlives the process
    monkeypatch.setattr(DataClient, "owners", owners)
    monkeypatch.setattr(kinds, "destination_of", lambda *_, **__: world.cluster.destination())
    monkeypatch.chdir(tmp_path)
    for name in ("WORKFLOW_NAME", "GITHUB_STEP_SUMMARY", "ALGOSYNC_NOTIFY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DESTINATION_API_ADDRESS", ADDRESS)
    monkeypatch.setenv("DESTINATION_API_KEY", "simKEYKEYKEYKEY")
    for name in ("workflows", "state"):
        (tmp_path / name).mkdir()
    return made


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A workflow with drift, one without, and one that has the algorithms of both."""
    made = folder_of(tmp_path, monkeypatch, "A", "B")
    made.workflow("changed", "A")
    made.workflow("clean", "B")
    made.workflow("shared", "A", "B")
    made.world.there("A").settings["network_access"] = "isolated"
    return made


def test_300_workflows_ask_for_everything_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"A{number:03}" for number in range(100)]
    folder = folder_of(tmp_path, monkeypatch, *names)
    used = {f"w{number:03}": (names[number % 100], names[(number * 7 + 1) % 100]) for number in range(300)}
    for name, algorithms in used.items():
        folder.workflow(name, *algorithms)
    folder.write("w150x.yaml", "algorithms: [{nam: x}]\n")
    folder.world.there("A042").settings["network_access"] = "isolated"
    folder.forget_requests()
    code, rows = folder.document("--all")
    assert code == 1, "the broken file is worse than drift"
    assert len(rows) == 301
    assert {name for name, row in rows.items() if row["exit_code"] == 2} == {name for name in used if "A042" in used[name]}
    listed = Counter(folder.world.cluster.data.listed)
    assert listed == Counter({f"{OWNER}/{name}": 1 for name in names})
    assert max(Counter(folder.world.cluster.algorithms.requests).values()) == 1
    assert {f"read {name}" for name in names} <= set(folder.world.cluster.algorithms.requests)
    assert folder.owners == [OWNER]


def test_the_work_grows_with_the_number_of_workflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path, monkeypatch, "A", "B")
    names = [f"w{number:03}" for number in range(80)]
    for name in names:
        folder.workflow(name, "A", "B")
    folder.run("w000", "w001")  # imports modules
    few, many = (work(partial(folder.run, *chosen, "--report", "html:site/")) for chosen in (names[:20], names))
    assert many < 5 * few, "four times as many"


def work(call: Callable[[], object]) -> int:
    """The number of functions that are called in this thread."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(None)
    return calls


def test_an_error_hides_no_findings_of_others(three: Folder) -> None:
    three.write("broken.yaml", "algorithms: [{nam: x}]\n")
    three.write("never.json", (three.folder / "workflows" / "clean.json").read_text())
    three.workflow("damaged", "B")
    three.state("damaged").write_bytes(b"{")
    three.write("template.yaml.j2", "{{ undefined_name }}")
    code, rows = three.document("--all")
    assert (code, {name: row["exit_code"] for name, row in rows.items()}) == (
        1,
        {"broken": 1, "changed": 2, "clean": 0, "damaged": 1, "never": 1, "shared": 2, "template": 1},
    )
    assert [name for name, row in rows.items() if row["drift"] is None] == ["broken", "damaged", "never", "template"]
    _, text = three.run("--all")
    for told in (
        "network_access",
        "never applied",
        "'nam' is not known",
        "7 workflows: 2 with drift, 1 without drift, 4 with errors.",
    ):
        assert told in text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("name: release\nalgorithms: [{nam: x}]\n", "release (workflows/file.yaml)"),
        ("name: rel ease\nalgorithms: []\n", "file (workflows/file.yaml)"),
        ("name: release\nalgorithms: [\n", "file (workflows/file.yaml)"),
    ],
)
def test_a_broken_file_keeps_its_title_as_long_as_its_name_can_be_read(three: Folder, text: str, title: str) -> None:
    """Labels of metrics, and names of pages, are made from the title."""
    three.write("file.yaml", text)
    _, out = three.run("clean", "file", "--json")
    assert [row["workflow"] for row in json.loads(out)["workflows"]] == ["clean (workflows/clean.json)", title]
    with pytest.raises(WorkflowError):
        three.run("file", "--report", "json:one.json")
    assert json.loads((three.folder / "one.json").read_text())["meta"]["workflow"] == title


def test_a_fault_of_algosync_hides_none_either(three: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    managed_by = engine_drift.managed_by

    def faulty(workflow: Workflow, recorded: Iterable[Address]) -> tuple[Address, ...]:
        if workflow.name == "clean":
            raise ValueError("oops")
        return managed_by(workflow, recorded)

    monkeypatch.setattr(engine_drift, "managed_by", faulty)
    code, rows = three.document("--all")
    assert (code, [row["exit_code"] for row in rows.values()]) == (1, [2, 1, 2])
    assert "a fault in algosync itself: ValueError: oops" in json.dumps(rows["clean"])


def test_a_destination_that_does_not_answer_is_asked_once(three: Folder) -> None:
    three.write("broken.yaml", "algorithms: [{nam: x}]\n")
    three.reachable = False
    code, rows = three.document("--all")
    assert (code, three.owners) == (1, [OWNER])
    assert ["does not answer" in json.dumps(row["diagnostics"]) for row in rows.values()] == [False, True, True, True]


def test_a_destination_that_goes_away_is_asked_once_more(three: Folder) -> None:
    three.world.cluster.data.failures["files A"] = Unreachable("timed out")
    code, rows = three.document("--all")
    assert (code, [row["exit_code"] for row in rows.values()]) == (1, [1, 0, 1]), "the second has another collection"
    assert three.owners == [OWNER, OWNER]


def test_what_the_destination_refuses_is_unknown(three: Folder) -> None:
    three.world.cluster.data.failures["files B"] = Denied("403")
    assert [row["exit_code"] for row in three.document("--all")[1].values()] == [2, 1, 1]


def test_names_are_paths_or_names_and_each_file_is_examined_once(three: Folder) -> None:
    code, rows = three.document("clean", "workflows/clean.json", "changed", "clean")
    assert (code, [*rows]) == (2, ["clean", "changed"])
    code, rows = three.document("clean", "nosuch")
    assert (code, [row["exit_code"] for row in rows.values()]) == (64, [0, 64])


def test_one_workflow_has_the_report_of_one(three: Folder) -> None:
    for names in (("clean",), ("clean", "workflows/clean.json")):
        code, out = three.run(*names, "--json")
        check_document("drift", json.loads(out))
        assert code == 0
    for name in ("changed", "shared"):
        (three.folder / "workflows" / f"{name}.json").unlink()
    code, rows = three.document("--all")
    assert (code, [*rows]) == (0, ["clean"]), "--all has the form of several"


def test_all_needs_workflows_and_takes_no_names(three: Folder) -> None:
    with pytest.raises(UsageError, match="--all takes every workflow"):
        three.run("--all", "clean")
    for file in (three.folder / "workflows").iterdir():
        file.unlink()
    with pytest.raises(UsageError, match="no workflow in workflows/"):
        three.run("--all")


def test_what_all_need_is_told_once(three: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESTINATION_API_KEY")
    with pytest.raises(UsageError, match="DESTINATION_API_KEY is not set"):
        three.run("--all")


def test_each_workflow_remembers_its_own_run_in_one_write(three: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    write = ResultsDocument._write

    def noted(self: ResultsDocument, changes: Mapping[str, Change]) -> str:
        written.append(Path(self.where).name)
        return write(self, changes)

    monkeypatch.setattr(ResultsDocument, "_write", noted)
    three.run("--all")
    assert len(written) == len(set(written)) == 3
    assert [three.history(name) for name in ("changed", "clean", "shared")] == [[("drift", 2)], [("drift", 0)], [("drift", 2)]]
    three.run("clean")
    assert (len(written), three.history("clean")) == (4, [("drift", 0), ("drift", 0)])


def test_the_budget_is_for_the_run_and_the_longest_unread_comes_first(three: Folder) -> None:
    read = []
    for _ in range(4):
        three.world.cluster.data.opened.clear()
        _, rows = three.document("--all", "--checksum", "always", "--read-budget", "7B")
        assert three.world.cluster.data.opened == ["w.bin"]
        read.append([name for name, row in rows.items() if row["drift"]["coverage"]["files_read"]])  # type: ignore[index, call-overload]  # by the schema
    assert read == [["changed"], ["clean"], ["shared"], ["shared"]]


def test_tests_and_ignored_differences(three: Folder) -> None:
    document = json.loads((three.folder / "workflows" / "changed.json").read_text())
    document["algorithms"][0]["ignore"] = [{"attribute": "settings.network_access", "reason": "ours"}]
    three.write("changed.json", json.dumps(document))
    three.workflow("tested", "B", test_info={"entrypoint": "B", "tests": [{"name": "t", "payload": 1}]})
    three.world.cluster.algorithms.calls.clear()
    code, rows = three.document("changed", "tested", "--with-tests")
    assert (code, [row["exit_code"] for row in rows.values()]) == (0, [0, 0])
    assert [name for name, _, _ in three.world.cluster.algorithms.calls] == [f"{OWNER}/B"]
    assert "network_access" in json.dumps(rows["changed"]["drift"])


def test_there_is_one_message_for_the_run(three: Folder) -> None:
    three.run("--all")
    (news,) = three.news
    subject = news.subject()
    assert isinstance(subject, DriftedAll)
    assert (news.changed, len(subject.parts)) == (True, 3)
    three.run("clean", "nosuch")
    assert [each.changed for each in three.news] == [False]


def test_notes_name_their_workflow(three: Folder) -> None:
    three.workflow("secret", "B", variables={"pin": {"sensitive": True}})
    three.write("secret.json.j2", (three.folder / "workflows" / "secret.json").read_text().replace('"A"', '"{{ pin }}"'))
    (three.folder / "workflows" / "secret.json").unlink()
    three.run("--all")
    assert "workflows/secret.json.j2:\nNote: Not given" in three.told
    assert "clean" not in three.told


def test_a_signal_shows_what_was_examined(three: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    look = Look.at
    out = io.StringIO()

    def at(self: Look, session: CommandSession, terminal: Terminal) -> Drifted:
        if session.workflow.name == "clean":
            monkeypatch.setattr(several, "exit_code", lambda: 130)
            raise Signalled(2)
        return look(self, session, terminal)

    monkeypatch.setattr(Look, "at", at)
    terminal = Terminal(out, io.StringIO(), (False, False), live=False)
    with pytest.raises(Signalled):
        app(["drift", "--all", "--json", "--report", "markdown:x.out"], standalone_mode=False, obj=terminal)
    document = json.loads(out.getvalue())
    check_document("drift_all", document)
    assert (document["meta"]["exit_code"], document["notes"]) == (130, ["interrupted: 2 workflows not examined"])
    assert [row["workflow"].split()[0] for row in document["workflows"]] == ["changed"]
    assert not (three.folder / "x.out").exists()
    assert three.history("changed") == [("drift", 2)]


def test_every_format_is_one_document(three: Folder) -> None:
    three.write("broken.yaml", "algorithms: [{nam: x}]\n")
    reports = [word for name in FORMATS for word in ("--report", f"{name}:out.{name}")]
    assert three.run("--all", *reports)[0] == 1
    for name in FORMATS.keys() - {"gitlab"}:
        text = (three.folder / f"out.{name}").read_text()
        assert all(word in text for word in ("broken", "changed", "clean", "shared")), name


def test_a_site_is_replaced_and_keeps_files_of_others(three: Folder) -> None:
    site = three.folder / "out" / "site"
    assert three.run("--all", "--report", "html:out/site/")[0] == 2
    (site / "theirs.html").write_text("theirs")
    before = {file.name: file.read_text() for file in site.iterdir()}
    assert len(before) == 5
    (three.folder / "workflows" / "clean.json").unlink()
    assert three.run("--all", "--report", "html:out/site")[0] == 2, "it is a folder, so it needs no slash"
    assert {file.name for file in site.iterdir()} == before.keys()
    assert (site / "theirs.html").read_text() == "theirs"
    index = (site / "index.html").read_text()
    assert "clean" in before["index.html"]
    assert "clean" not in index
    assert index.count("<tr>") == 3
    three.run("changed", "--report", "html:one/")
    assert len(list((three.folder / "one").iterdir())) == 2


def test_the_index_of_a_command_that_failed_lists_no_workflow(three: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESTINATION_API_KEY")
    with pytest.raises(UsageError):
        three.run("--all", "--report", "html:site/")
    (file,) = (three.folder / "site").iterdir()
    index = file.read_text()
    assert (file.name, "<table>" in index, "✓" in index) == ("index.html", False, False)
    assert "0 workflows: none examined." in index
    assert "DESTINATION_API_KEY" in index


def test_github_gets_one_summary_and_an_annotation_for_each_workflow(three: Folder) -> None:
    three.write("broken.yaml", "algorithms: [{nam: x}]\n")
    err, summary = io.StringIO(), three.folder / "summary"
    app(["drift", "--all"], standalone_mode=False, obj=Terminal(io.StringIO(), err, (False, False), False, github=GitHub(summary)))
    assert summary.read_text().count("### ") == 1
    told = [line for line in err.getvalue().splitlines() if line.startswith("::error")]
    assert [sum(f"title=algosync%3A {name} (" in line for line in told) for name in ("changed", "shared", "clean")] == [1, 1, 0]
    assert any("broken" in line for line in told)
