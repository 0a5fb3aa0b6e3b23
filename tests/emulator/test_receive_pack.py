"""Pushes of many refs, of refs with long or deep names, and of shared objects."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tag, Tree
from dulwich.pack import write_pack_objects
from dulwich.protocol import Protocol, pkt_line
from dulwich.repo import MemoryRepo, Repo
from emulated import MASTER, add_commit, store

from algosync.emulator.git import receive_pack
from algosync.emulator.git.connectivity import Connectivity
from algosync.emulator.git.receive_pack import receive
from algosync.emulator.git.repositories import Repositories

ZERO = b"0" * 40
OK = b"unpack ok\n"


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repo]:
    repositories = Repositories(tmp_path / "git")
    repositories.create("any", "local", {"README.md": b"text"})
    with repositories.changing("any") as opened:
        yield opened


def push(
    repository: Repo, refs: Sequence[tuple[bytes, bytes]], objects: MemoryRepo | None = None, old: Sequence[bytes] = ()
) -> list[bytes]:
    """Create refs, or update them from their `old` values. Returns the lines of the report."""
    lines = [before + b" " + new + b" " + ref for (ref, new), before in zip(refs, old or [ZERO] * len(refs), strict=True)]
    body = io.BytesIO()
    for line in [lines[0] + b"\0report-status", *lines[1:]]:
        body.write(pkt_line(line))
    body.write(pkt_line(None))
    packed = [(objects.object_store[sha], None) for sha in objects.object_store] if objects else []
    write_pack_objects(body, packed, object_format=repository.object_format)
    body.seek(0)
    return list(Protocol(io.BytesIO(receive(repository, body).report).read, lambda _: None).read_pkt_seq())


def recorded(monkeypatch: pytest.MonkeyPatch, target: object, name: str) -> list[tuple[object, ...]]:
    """Record the arguments of each call of a method from now on."""
    calls: list[tuple[object, ...]] = []
    method = getattr(target, name)

    def record(*arguments: object) -> object:
        calls.append(arguments)
        return method(*arguments)

    monkeypatch.setattr(target, name, record)
    return calls


def test_creating_many_refs_reads_each_object_a_few_times(repository: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refs are read once, regardless of their number."""
    objects, refs = MemoryRepo(), []
    parents: list[ObjectID] = []
    for number in range(100):
        parents = [add_commit(objects, store(objects, {"file": b"%d" % number}), parents)]
        refs.append((b"refs/heads/%d" % number, parents[0]))
    listings = recorded(monkeypatch, repository, "get_refs")
    loaded = recorded(monkeypatch, repository.object_store, "get_raw")
    assert push(repository, refs, objects) == [OK, *(b"ok " + ref + b"\n" for ref, _ in refs)]
    assert len(listings) == 1
    assert len(loaded) < 10 * len(refs)


def test_moving_many_refs_reads_each_object_a_few_times(repository: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """All refs move along one history, which is not walked for each of them."""
    objects, commits = MemoryRepo(), list[ObjectID]()
    tree = store(objects, {"file": b"text"})
    for number in range(101):
        commits.append(add_commit(objects, tree, commits[-1:], str(number)))
    refs = [b"refs/heads/%d" % number for number in range(100)]
    olds = [*commits[:1] * 50, *commits[:50]]
    assert push(repository, list(zip(refs, olds, strict=True)), objects)[0] == OK
    loaded = recorded(monkeypatch, repository.object_store, "get_raw")
    moved = [(ref, commits[number + 1]) for number, ref in enumerate(refs)]
    assert push(repository, moved, old=olds) == [OK, *(b"ok " + ref + b"\n" for ref in refs)]
    assert len(loaded) < 10 * len(refs)


def test_ancestry(repository: Repo) -> None:
    """A history with a merge, and an unmerged branch."""
    a, b, c, d, e, f, d2, z = map(ObjectID, (b"a", b"b", b"c", b"d", b"e", b"f", b"d2", b"z"))
    known = Connectivity(repository.object_store, [])
    known.parents = {b: [a], c: [a], d: [c, b], e: [d], f: [b], d2: [d, d, z]}
    commits = sorted({*known.parents, a, z})
    ancestors = {commit: b"".join(each for each in commits if known.descends(commit, each)) for commit in commits}
    assert ancestors == {
        b"a": b"a", b"b": b"ab", b"c": b"ac", b"d": b"abcd", b"e": b"abcde", b"f": b"abf", b"d2": b"abcdd2z", b"z": b"z",
    }  # fmt: skip


def test_ancestry_does_not_depend_on_dates_of_commits(repository: Repo) -> None:
    """A wrong clock can make a commit older than its parent. Other histories are still refused."""
    objects, ref = MemoryRepo(), b"refs/heads/any"
    tree = store(objects, {"file": b"text"})
    first = add_commit(objects, tree, [])
    raw = objects[first].as_raw_string()
    early = Commit.from_string(raw)
    early.parents, early.commit_time, early.message = [first], 1, b"early"
    late = Commit.from_string(raw)
    late.parents, late.message = [early.id], b"late"
    for each in (early, late):
        objects.object_store.add_object(each)
    assert push(repository, [(ref, first)], objects) == [OK, b"ok " + ref + b"\n"]
    assert push(repository, [(ref, late.id)], old=[first]) == [OK, b"ok " + ref + b"\n"]
    assert push(repository, [(ref, early.id)], old=[late.id]) == [OK, b"ng " + ref + b" non-fast-forward\n"]


def test_too_many_refs_in_a_push(repository: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive_pack, "MAX_REFS", 3)
    head = repository.refs[MASTER]
    refs = [(b"refs/heads/%d" % number, head) for number in range(5)]
    refused = [b"ng " + ref + b" unpacker error\n" for ref, _ in refs[:4]]
    assert push(repository, refs) == [b"unpack more than 3 refs in a push\n", *refused]
    assert push(repository, refs[:3]) == [OK, *(b"ok " + ref + b"\n" for ref, _ in refs[:3])]


@pytest.mark.parametrize(("name", "fine"), [("a/" * 14 + "b", True), ("a/" * 15 + "b", False), ("/".join(["a" * 200] * 6), False)])
def test_names_of_refs(repository: Repo, name: str, fine: bool) -> None:
    """A ref is a file in folders. Unlimited depth once prevented a cluster from starting."""
    ref = f"refs/heads/{name}".encode()
    answer = b"ok " + ref if fine else b"ng " + ref + b" funny refname"
    assert push(repository, [(ref, repository.refs[MASTER])]) == [OK, answer + b"\n"]


def test_refs_of_a_push_are_updated_in_order(repository: Repo) -> None:
    """An update sees the result of the one before it."""
    head = repository.refs[MASTER]
    ref = b"refs/heads/twice"
    assert push(repository, [(ref, head), (ref, head)]) == [OK, b"ok " + ref + b"\n", b"ng " + ref + b" fetch first\n"]


def tagged(objects: MemoryRepo, kind: type[ShaFile], named: ObjectID) -> ObjectID:
    tag = Tag()
    tag.name, tag.tagger, tag.message = b"t", b"Test <t@localhost>", b"t"
    tag.tag_time = tag.tag_timezone = 0
    tag.object = (kind, named)
    objects.object_store.add_object(tag)
    return tag.id


def test_completeness_of_objects(repository: Repo) -> None:
    """References must exist, and those to anything but files must have the right type. A broken object does not affect others."""
    objects = MemoryRepo()
    blob, gone = Blob.from_string(b"x"), ObjectID(b"1" * 40)
    objects.object_store.add_object(blob)
    shared = store(objects, {"file": b"shared"})
    trees = {}
    for name, mode, named in (
        ("link", 0o160000, gone),
        ("as file", 0o100644, shared),
        ("as folder", 0o040000, shared),
        ("file as folder", 0o040000, blob.id),
        ("lost", 0o100644, gone),
    ):
        tree = Tree()
        tree.add(b"entry", mode, named)
        objects.object_store.add_object(tree)
        trees[name] = tree.id
    head = repository.refs[MASTER]
    wanted = {
        **trees,
        "commit of both": add_commit(objects, shared, [head]),
        "commit of the lost": add_commit(objects, trees["lost"], [head]),
        "commit of a file": add_commit(objects, blob.id, [head]),
        "commit on a tree": add_commit(objects, shared, [shared]),
        "tag": tagged(objects, Tree, shared),
        "tag of a file": tagged(objects, Blob, blob.id),
        "tag of another kind": tagged(objects, Blob, shared),
        "nothing": gone,
        "head": head,
    }
    for sha in objects.object_store:
        repository.object_store.add_object(objects.object_store[sha])
    known = Connectivity(repository.object_store, [head])
    # Where a file is required, any object is enough.
    present = {"as file", "tag of another kind"}
    complete = {name for name, sha in wanted.items() if known.complete(sha)}
    assert complete == {"link", "as folder", "commit of both", "tag", "tag of a file", "head", *present}


def test_long_histories_and_deep_folders(repository: Repo) -> None:
    """They are walked without recursion."""
    objects, parents = MemoryRepo(), list[ObjectID]()
    tree = store(objects, {})
    for _ in range(1500):
        outer = Tree()
        outer.add(b"folder", 0o040000, tree)
        objects.object_store.add_object(outer)
        tree = outer.id
        parents = [add_commit(objects, tree, parents)]
    ref = b"refs/heads/deep"
    assert push(repository, [(ref, parents[0])], objects) == [OK, b"ok " + ref + b"\n"]
    assert push(repository, [(b"refs/heads/again", parents[0])]) == [OK, b"ok refs/heads/again\n"]
