"""The kind `source` on a repository in memory."""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from fakes.releases import CODE, Release
from fakes.repositories import FIRST_DATE
from fakes.stores import FakeStore

from algosync.core.address import Address
from algosync.core.error import Conflict, Denied, SourceError, Unexpected
from algosync.core.planning.change import Action, Change
from algosync.core.planning.diff import assume_observed, diff, record_of, undecided
from algosync.core.planning.origin import Origin, time_of
from algosync.core.planning.plan import Plan, PlanHeader
from algosync.core.planning.schedule import Verb
from algosync.core.ports import Side
from algosync.core.tree import Blob, blob_id, tree_id
from algosync.core.workflow import AlgorithmSpec, DataFile, Workflow
from algosync.kinds import data, source
from algosync.sources.manifest import FREEZE, lock_checksum

ADDRESS = Address("source", "One")
ARCHIVE = "data://.my/code/One.tar.gz"
MODEL = "data://.my/models/iris.bin"


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path).created()


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(out.getvalue())


def frozen(content: bytes, **more: object) -> bytes:
    entry = {"name": "iris", "source_uri": MODEL, "md5_checksum": hashlib.md5(content).hexdigest(), **more}
    document = {"required_files": [entry]}
    return json.dumps({**document, "lock_checksum": lock_checksum(document)}).encode()


def from_archive(release: Release, files: dict[str, bytes], *data_files: DataFile) -> Release:
    """The release with its code in an archive on the source cluster."""
    release.spec = AlgorithmSpec("One", "python3", ARCHIVE, data_files)
    release.store.write("quality", "code", "One.tar.gz", packed(files))
    release.again()
    return release


def test_a_push_keeps_the_files_that_are_not_managed(release: Release) -> None:
    outcome = release.perform(Verb.PUSH, release.change("source"))
    tree = release.there.repository.tree(release.head)
    assert tree == {"algorithmia.conf": Blob(b"{}"), "README.md": Blob(b"#"), "src/One.py": Blob(CODE)}
    (record,) = outcome.records
    assert record.digest == tree_id({"src/One.py": Blob(CODE)})
    assert record.destination_stamp == record.attributes["commit"] == release.head
    assert release.head in release.context.pushed


def test_what_was_pushed_is_observed_and_read_as_desired(release: Release) -> None:
    release.pushed().again()
    change = release.change("source")
    assert change.before is not None
    assert change.after is not None
    read = source.read(change.before, Side.DESTINATION, release.spec, release.context)
    assert read.digest == change.after.digest
    assert source.read(change.after, Side.SOURCE, release.spec, release.context) is change.after


def test_of_an_algorithm_that_is_not_there_nothing_is_observed(tmp_path: Path) -> None:
    release = Release(tmp_path)
    assert list(source.observed(release.spec, release.context)) == []


def test_an_empty_repository_has_no_source_and_takes_one(release: Release) -> None:
    release.there.repository.rewrite()
    assert list(source.observed(release.spec, release.context)) == []
    release.pushed()
    assert release.there.repository.tree(release.head) == {"src/One.py": Blob(CODE)}


def test_a_push_since_the_plan_is_not_overwritten(release: Release) -> None:
    change = release.change("source")
    theirs = release.there.repository.push_behind("src/One.py", b"theirs")
    with pytest.raises(Conflict, match="somebody pushed since the plan was made"):
        release.perform(Verb.PUSH, change)
    assert release.head == theirs


def test_each_changed_file_is_named(release: Release) -> None:
    release.write("src/new.py", b"1\n2\n")
    change = source.explain(release.change("source"), release.spec, release.context)
    assert change.details["files"] == [
        {"path": "src/One.py", "action": "update", "added": 2, "removed": 1},
        {"path": "src/new.py", "action": "create", "added": 2, "removed": 0},
    ]
    created = replace(change, before=None)
    files = source.explain(created, release.spec, release.context).details["files"]
    assert isinstance(files, list)
    assert [file["action"] for file in files if isinstance(file, dict)] == ["create", "create"]
    adopted = replace(change, action=Action.ADOPT)
    assert source.explain(adopted, release.spec, release.context) is adopted
    assert source.verbs(change) == (Verb.PUSH,)


def test_an_archive_is_not_read_while_its_stamp_is_as_recorded(release: Release) -> None:
    from_archive(release, {"src/One.py": CODE}).pushed()
    release.again()
    release.store.opened.clear()
    change = release.change("source")
    assert release.store.opened == []
    assert change.after is not None
    assert change.after.digest == release.ledger.records[ADDRESS].digest
    assert change.after.attributes == {"paths": ["src/One.py"]}
    release.store.write("quality", "code", "One.tar.gz", packed({"src/One.py": b"new"}))
    release.again()
    release.change("source")
    assert release.store.opened == ["One.tar.gz"]


@pytest.mark.parametrize("paths", [None, "(sensitive)"])
def test_an_archive_is_read_if_the_record_lost_its_paths(release: Release, paths: str | None) -> None:
    from_archive(release, {"src/One.py": CODE}).pushed()
    record = release.ledger.records[ADDRESS]
    release.ledger.commit(replace(record, attributes={"paths": paths}))
    release.again()
    release.store.opened.clear()
    change = release.change("source")
    assert release.store.opened == ["One.tar.gz"]
    assert change.after is not None
    assert change.after.digest == record.digest


def test_a_missing_archive_is_an_error_of_the_source(release: Release) -> None:
    release.spec = AlgorithmSpec("One", "python3", ARCHIVE)
    release.again()
    with pytest.raises(SourceError, match=f"the source has no {ARCHIVE}") as caught:
        release.change("source")
    assert "where `.my` is " in str(caught.value.hint)


def test_a_drift_report_uses_the_recorded_paths(release: Release) -> None:
    release.pushed()
    release.there.repository.push_behind("notes.txt", b"not managed")
    (release.folder / "algorithms" / "One" / "src" / "One.py").unlink()
    context = release.again(recorded_only=True)
    (have,) = source.observed(release.spec, context)
    assert source.read(have, Side.DESTINATION, release.spec, context).digest == release.ledger.records[ADDRESS].digest


def test_an_empty_commit_makes_a_published_commit_publishable_again(release: Release) -> None:
    release.pushed()
    before = release.head
    record = source.push_again(release.spec, release.context, before)
    assert release.head == record.destination_stamp == record.attributes["commit"] != before
    assert release.there.repository.tree(release.head) == release.there.repository.tree(before)
    assert release.ledger.log[-1] == "push source.One"


def test_the_commit_of_a_source_that_was_never_pushed_is_not_known(release: Release) -> None:
    with pytest.raises(Unexpected, match="it is not known which commit holds it"):
        source.commit_of(release.spec, release.context)
    release.pushed()
    assert source.commit_of(release.spec, release.context) == release.head
    release.ledger.commit(replace(release.ledger.records[ADDRESS], destination_stamp=None))
    with pytest.raises(Unexpected):
        source.commit_of(release.spec, release.context)


# --- files that leave ---

THEIRS = Blob(b"theirs")
REQUIREMENTS = Blob(b"algorithmia>=1.0.0\n")


def planned(release: Release) -> Change:
    """The change that the next command plans."""
    context = release.again()
    recorded = dict(context.ledger.records)
    ours = {a: r for a, r in recorded.items() if a == ADDRESS}
    wanted = {r.address: r for r in source.desired(release.spec, context)}
    seen = assume_observed({r.address: r for r in source.observed(release.spec, context)}, ours)
    _, to_read = undecided(wanted, seen)
    seen |= {a: source.read(seen[a], Side.DESTINATION, release.spec, context) for a in to_read}
    (change,) = diff(wanted, seen, ours)
    return source.explain(change, release.spec, context)


def removed(release: Release, *paths: str) -> None:
    for path in paths:
        (release.folder / "algorithms" / "One" / path).unlink()


def applied(release: Release) -> dict[str, Blob]:
    """Carries out the next plan, and returns the repository's tree. The plan after it is empty."""
    change = planned(release)
    assert change.action in (Action.UPDATE, Action.REFRESH)
    if change.action is Action.UPDATE:
        release.perform(Verb.PUSH, change)
    else:
        assert change.before is not None
        assert change.after is not None
        release.ledger.commit(record_of(change.after, change.before, release.ledger.records.get(change.address)))
    assert planned(release).action is Action.NONE
    return dict(release.there.repository.tree(release.head))


@pytest.fixture
def with_config(release: Release) -> Release:
    """A release that pushed two files outside `src/`. The template had one of them."""
    release.there.repository.push_behind("requirements.txt", REQUIREMENTS.data)
    release.write("config.json", b"{}")
    release.write("requirements.txt", b"numpy\n")
    release.again()
    return release.pushed()


def test_a_record_keeps_the_blob_ids_outside_src(with_config: Release) -> None:
    expected = {"config.json": blob_id(Blob(b"{}")), "requirements.txt": blob_id(Blob(b"numpy\n"))}
    assert with_config.ledger.records[ADDRESS].attributes["blobs"] == expected


def test_a_file_that_the_source_no_longer_has_leaves(with_config: Release) -> None:
    removed(with_config, "config.json")
    change = planned(with_config)
    assert change.details["files"] == [{"path": "config.json", "action": "delete", "added": 0, "removed": 1}]
    assert "config.json" not in applied(with_config)


def test_a_file_of_the_template_is_put_back(with_config: Release) -> None:
    with_config.write("src/One.py", b"def apply(input):\n    return 2\n")
    with_config.again()
    with_config.pushed()
    removed(with_config, "requirements.txt")
    change = planned(with_config)
    assert change.details["files"] == [{"path": "requirements.txt", "action": "update", "added": 1, "removed": 1}]
    assert applied(with_config)["requirements.txt"] == REQUIREMENTS


def test_requirements_are_never_absent(release: Release) -> None:
    release.write("requirements.txt", b"numpy\n")
    release.again()
    release.pushed()
    removed(release, "requirements.txt")
    assert applied(release)["requirements.txt"] == Blob(b"")


@pytest.mark.parametrize("code", [CODE, b"def apply(input):\n    return 2\n"], ids=["alone", "with-other-changes"])
def test_a_leaving_file_that_somebody_edited_stays_and_is_named_once(with_config: Release, code: bytes) -> None:
    with_config.there.repository.push_behind("config.json", THEIRS.data)
    with_config.write("src/One.py", code)
    removed(with_config, "config.json")
    change = planned(with_config)
    assert change.before is not None
    note = "config.json is no longer in the source, but somebody edited it at the destination, so it stays"
    assert change.before.notes == (note,)
    assert applied(with_config)["config.json"] == THEIRS
    again = planned(with_config)
    assert again.before is not None
    assert again.before.notes == ()


def test_a_leaving_file_leaves_after_somebody_else_s_push_too(with_config: Release) -> None:
    with_config.there.repository.push_behind("notes.txt", b"x")
    removed(with_config, "config.json")
    tree = applied(with_config)
    assert "config.json" not in tree
    assert tree["notes.txt"] == Blob(b"x")


def test_a_leaving_file_that_somebody_removed_is_forgotten_in_silence(with_config: Release) -> None:
    tree = with_config.there.repository.tree(with_config.head)
    del tree["config.json"]
    with_config.there.repository.push(with_config.head, tree, author="Somebody <else@localhost>", message="away")
    removed(with_config, "config.json")
    change = planned(with_config)
    assert change.action is Action.REFRESH
    assert change.before is not None
    assert change.before.notes == ()
    applied(with_config)


def test_a_push_that_was_not_recorded_is_not_taken_for_an_edit(with_config: Release) -> None:
    """A killed run: the commit is there, and the record is the one before."""
    record = with_config.ledger.records[ADDRESS]
    removed(with_config, "requirements.txt", "config.json")
    with_config.perform(Verb.PUSH, planned(with_config))
    with_config.ledger.commit(record)
    change = planned(with_config)
    assert change.action is Action.REFRESH
    assert change.before is not None
    assert change.before.notes == ()


def test_a_file_that_blocks_a_new_folder_is_not_put_back(release: Release) -> None:
    release.there.repository.push_behind("data", THEIRS.data)
    release.write("data", b"ours")
    release.again()
    release.pushed()
    removed(release, "data")
    release.write("data/x", b"x")
    tree = applied(release)
    assert tree["data/x"] == Blob(b"x")
    assert "data" not in tree


def of_an_older_version(release: Release) -> None:
    record = release.ledger.records[ADDRESS]
    kept = {name: value for name, value in record.attributes.items() if name != "blobs"}
    release.ledger.commit(replace(record, attributes=kept))


def test_the_first_plan_with_a_record_of_an_older_version_is_empty(with_config: Release) -> None:
    of_an_older_version(with_config)
    assert planned(with_config).action is Action.REFRESH
    applied(with_config)


def test_files_leave_with_a_record_of_an_older_version_too(with_config: Release) -> None:
    of_an_older_version(with_config)
    removed(with_config, "config.json", "requirements.txt")
    tree = applied(with_config)
    assert tree["requirements.txt"] == REQUIREMENTS
    assert "config.json" not in tree


def test_a_file_that_an_older_version_left_leaves_after_it_was_put_back_once(with_config: Release) -> None:
    """The record does not tell that algosync pushed it, so nothing is removed before it is part of the source again."""
    record = with_config.ledger.records[ADDRESS]
    with_config.ledger.commit(replace(record, attributes={"paths": ["requirements.txt", "src/One.py"], "commit": with_config.head}))
    removed(with_config, "config.json")
    assert "config.json" in applied(with_config)
    with_config.write("config.json", b"{}")
    applied(with_config)
    removed(with_config, "config.json")
    assert "config.json" not in applied(with_config)


def test_the_plan_after_an_upgrade_says_what_is_no_longer_part_of_the_source(release: Release) -> None:
    """An older version pushed what macOS had left in the folder."""
    release.pushed()
    record = release.ledger.records[ADDRESS]
    left = {"src/._One.py": Blob(b"1"), ".DS_Store": Blob(b"2")}
    tree = {**release.there.repository.tree(release.head), **left}
    commit = release.there.repository.push(release.head, tree, author="algosync <algosync@localhost>", message="older")
    attributes = {"paths": [".DS_Store", "src/._One.py", "src/One.py"], "commit": commit}
    digest = tree_id({"src/One.py": Blob(CODE), **left})
    release.ledger.commit(replace(record, digest=digest, destination_stamp=commit, attributes=attributes))
    for path, blob in left.items():
        release.write(path, blob.data)
    change = planned(release)
    assert change.details["left_out"] == [".DS_Store", "src/._One.py"]
    rows = [(row["path"], row["action"]) for row in cast("list[dict[str, object]]", change.details["files"])]
    assert rows == [(".DS_Store", "delete"), ("src/._One.py", "delete")]
    assert applied(release).keys().isdisjoint(left)


def test_a_file_whose_recorded_commit_is_gone_stays(with_config: Release) -> None:
    of_an_older_version(with_config)
    with_config.there.repository.rewrite()
    with_config.there.repository.push_behind("config.json", b"{}")
    removed(with_config, "config.json", "requirements.txt")
    assert applied(with_config)["config.json"] == Blob(b"{}")


def test_what_is_left_out_is_told_with_the_change(release: Release) -> None:
    release.write("src/._One.py", b"")
    release.write(".git/HEAD", b"")
    release.write("src/One.py", b"1")
    assert planned(release).details["left_out"] == [".git/", "src/._One.py"]


def test_a_change_of_the_mode_alone_is_shown(release: Release) -> None:
    release.pushed()
    (release.folder / "algorithms/One/src/One.py").chmod(0o755)
    row = {"path": "src/One.py", "action": "update", "added": 0, "removed": 0, "mode": ["100644", "100755"]}
    assert planned(release).details["files"] == [row]


# --- data files that a manifest pins ---


@pytest.fixture
def pinned(release: Release) -> Release:
    release.store.write("quality", "models", "iris.bin", b"iris")
    return from_archive(release, {"src/One.py": CODE, FREEZE: frozen(b"iris")}, DataFile(MODEL, "iris.bin"))


def test_a_pinned_file_is_read_for_its_checksums(pinned: Release) -> None:
    (found,) = data.desired(pinned.spec, pinned.context)
    assert found.digest == hashlib.sha256(b"iris").hexdigest()
    assert found.attributes == {"md5": hashlib.md5(b"iris").hexdigest()}
    pinned.change("source")
    assert pinned.store.opened == ["One.tar.gz", "iris.bin"]


def record_all(release: Release) -> None:
    (resource,) = data.desired(release.spec, release.context)
    release.pushed()
    context = release.again()
    change = Change(resource.address, Action.CREATE, None, resource)
    for verb in data.verbs(change):
        release.perform(verb, change)
    assert context.ledger.records.keys() >= {resource.address, ADDRESS}
    release.again()
    release.store.opened.clear()


def test_nothing_is_read_while_archive_and_file_are_as_recorded(pinned: Release) -> None:
    record_all(pinned)
    (found,) = data.desired(pinned.spec, pinned.context)
    pinned.change("source")
    assert found.digest == hashlib.sha256(b"iris").hexdigest()
    assert pinned.store.opened == []


def test_a_record_without_a_usable_md5_is_read_again(pinned: Release) -> None:
    record_all(pinned)
    address = Address("data", "One", "iris.bin")
    pinned.ledger.commit(replace(pinned.ledger.records[address], attributes={"md5": "(sensitive)"}))
    (found,) = data.desired(pinned.spec, pinned.again())
    assert found.attributes == {"md5": hashlib.md5(b"iris").hexdigest()}
    assert pinned.store.opened == ["iris.bin"]


def test_a_record_without_its_pins_makes_the_archive_be_read_again(pinned: Release) -> None:
    record_all(pinned)
    record = pinned.ledger.records[ADDRESS]
    kept = {name: value for name, value in record.attributes.items() if name != "manifest"}
    pinned.ledger.commit(replace(record, attributes=kept))
    pinned.again()
    pinned.change("source")
    assert pinned.store.opened == ["One.tar.gz"]


def test_a_model_that_is_not_the_frozen_one_is_refused(pinned: Release) -> None:
    pinned.store.write("quality", "models", "iris.bin", b"another")
    with pytest.raises(SourceError) as caught:
        pinned.change("source")
    old, new = (hashlib.md5(content).hexdigest() for content in (b"iris", b"another"))
    becomes = 'data.One["iris.bin"]'
    assert caught.value.message == f"{FREEZE} expects MD5 {old} of 'iris', but {MODEL}, which becomes {becomes}, has {new}"


def test_another_model_is_a_note_if_the_freeze_accepts_it(release: Release) -> None:
    release.store.write("quality", "models", "iris.bin", b"another")
    files = {"src/One.py": CODE, FREEZE: frozen(b"iris", fail_on_tamper=False)}
    from_archive(release, files, DataFile(MODEL, "iris.bin"))
    for _ in range(2):  # read from the archive, then from the record
        after = release.change("source").after
        assert after is not None
        (note,) = after.notes
        assert note.startswith(f"{FREEZE} expects MD5 ")
        if ADDRESS not in release.ledger.records:
            record_all(release)
    assert release.store.opened == []


def test_the_model_of_the_deployment_action_is_checked(release: Release) -> None:
    release.store.write("quality", "models", "iris.bin", b"another")
    document = {"model_filepath": "quality/models/iris.bin", "model_md5_hash": hashlib.md5(b"iris").hexdigest()}
    from_archive(release, {"src/One.py": CODE, "model_manifest.json": json.dumps(document).encode()}, DataFile(MODEL, "iris.bin"))
    with pytest.raises(SourceError, match="expects MD5"):
        release.change("source")


def test_a_missing_model_is_reported_where_it_is_listed(pinned: Release) -> None:
    pinned.store = FakeStore()
    pinned.store.write("quality", "code", "One.tar.gz", packed({"src/One.py": CODE, FREEZE: frozen(b"iris")}))
    pinned.again()
    pinned.change("source")
    with pytest.raises(SourceError, match="the source has no data://"):
        list(data.desired(pinned.spec, pinned.context))


def test_an_unreadable_source_of_another_algorithm_does_not_hide_the_data_files(pinned: Release) -> None:
    pinned.store.failures["files code"] = Denied("no")
    (found,) = data.desired(pinned.spec, pinned.context)
    assert found.digest is None
    with pytest.raises(Denied):
        pinned.change("source")


def test_a_pin_of_a_file_that_left_the_workflow_is_an_error_of_the_caller(pinned: Release) -> None:
    from algosync.kinds.pinned_files import require_match

    pins = pinned.context.desired_sources.of(pinned.spec).pins
    pinned.spec = AlgorithmSpec("One", "python3", ARCHIVE)
    with pytest.raises(ValueError, match="is not in the workflow"):
        require_match(pins, pinned.again())


def test_a_source_that_has_drifted_tells_who_pushed_it_and_when(release: Release) -> None:
    release.pushed()
    release.there.repository.push_behind("src/more.py", b"")
    release.again()
    change = replace(release.change("source"), drifted=True)
    origin = Origin.of(source.explain(change, release.spec, release.context))
    assert origin == Origin("Somebody <else@localhost>", time_of(FIRST_DATE + 2))
    assert Origin.of(source.explain(replace(change, drifted=False), release.spec, release.context)) == Origin()


def test_the_trees_before_and_after_a_push_are_its_diff(release: Release) -> None:
    change = release.change("source")
    assert source.changed_trees(replace(change, before=None), release.spec, release.context)[0] == {}
    before, after = source.changed_trees(change, release.spec, release.context)
    assert set(before) == {"src/One.py"}
    assert after["src/One.py"] == Blob(CODE)
    assert {**before} != {**after}


def test_the_diffs_of_a_plan_hide_secrets(release: Release) -> None:
    release.context = replace(release.context, redacted=lambda value: str(value).replace("apply", "***"))
    change = release.change("source")
    plan = Plan(PlanHeader("w", None, "local", "jane"), (change, Change(ADDRESS, Action.FORGET, None, None)), ())
    (diff,) = source.source_diffs(plan, Workflow("w", "/", (release.spec,)), release.context)
    assert (diff.address, diff.path, diff.action) == (ADDRESS, "src/One.py", "update")
    assert any("***" in line for line in diff.lines)
    assert not any("apply" in line for line in diff.lines)
