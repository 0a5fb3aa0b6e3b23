"""The kind `source` on a repository in memory."""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.releases import CODE, Release
from fakes.stores import FakeStore

from algosync.core.address import Address
from algosync.core.change import Action, Change
from algosync.core.error import Conflict, Denied, SourceError, Unexpected
from algosync.core.ports import Side
from algosync.core.schedule import Verb
from algosync.core.tree import Blob, tree_id
from algosync.core.workflow import AlgorithmSpec, DataFile
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


def frozen(content: bytes) -> bytes:
    entry = {"name": "iris", "source_uri": MODEL, "md5_checksum": hashlib.md5(content).hexdigest()}
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
    with pytest.raises(SourceError, match=f"the source has no {ARCHIVE}"):
        release.change("source")


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
