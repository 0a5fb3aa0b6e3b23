"""Bundle: the workflow and the local sources that a saved plan holds."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from algosync.cli.saved.plan_file import sha256_of
from algosync.core.error import AlgosyncError, SourceError
from algosync.core.lean import dataclass
from algosync.core.planning.change import Action
from algosync.core.planning.plan_inputs import CodeFile, LocalCode, LocalFile, NamedFile, PlanInputs, WorkflowText
from algosync.core.text import printable

if TYPE_CHECKING:
    from algosync.cli.session import CommandSession
    from algosync.core.planning.plan import Plan
    from algosync.core.planning.saved_plan import Conceal
    from algosync.core.workflow import AlgorithmSpec
    from algosync.sources.archive import SourceFiles
    from algosync.workflow import FileIdentity, NamedFiles

__all__ = ["LIMIT", "Bundle", "bundle", "named_files"]

LIMIT = 64 << 20  # bytes of local files in one saved plan


@dataclass(slots=True)
class Bundle:
    """The contents of files by SHA-256, at most `limit` bytes. A content that holds a secret is not taken."""

    conceal: Conceal
    limit: int = LIMIT
    contents: dict[str, bytes] = field(default_factory=dict)

    def add(self, contents: Iterable[bytes]) -> bool:
        """Takes all of these contents, or none. Returns whether it took them."""
        new = {hashlib.sha256(data).hexdigest(): data for data in contents}
        size = sum(len(data) for name, data in new.items() if name not in self.contents)
        if size > self.limit or not all(map(self._is_safe, new.values())):
            return False
        self.limit -= size
        self.contents.update(new)
        return True

    def _is_safe(self, data: bytes) -> bool:
        """Whether no secret is in a content, nor in what it unpacks to, as for a source archive. False also if that is damaged."""
        return not any(part is None or self.conceal.holds(part.decode("utf-8", "replace")) for part in (data, _unpacked(data)))


def _unpacked(data: bytes) -> bytes | None:
    """The content of gzip data; empty for other data. None: it is damaged, or too large to be searched."""
    from algosync.sources.archive.entries import DEFAULT
    from algosync.sources.archive.gunzip import Gunzip

    if not data.startswith(b"\x1f\x8b"):
        return b""
    try:
        unpacked = Gunzip(data, io.BytesIO(), DEFAULT).read(LIMIT + 1)
    except SourceError:
        return None
    return unpacked if len(unpacked) <= LIMIT else None


def bundle(session: CommandSession, plan: Plan, into: Bundle) -> PlanInputs:
    """What the plan needs to be applied elsewhere; contents go `into` a bundle, first those that are written.

    SourceError: a local file changed since the plan was made. AlgosyncError: a secret is in the workflow's text, so it cannot be
    saved.
    """
    from algosync.workflow import file_identity

    identity = file_identity(session.loaded.path, Path.cwd())
    reached = session.looked_at(plan)
    algorithms = [spec for spec in session.workflow.algorithms if spec.name in reached]
    return PlanInputs(
        _workflow_text(session, identity, into.conceal),
        tuple(_codes(algorithms, session.scene.site.sources.codes, into)),
        tuple(_files(session, algorithms, plan, into)),
        session.scene.site.store.key_owner() if _is_local(session) else None,
        tuple(named_files(session.loaded.files, into)),
    )


def _workflow_text(session: CommandSession, identity: FileIdentity, conceal: Conceal) -> WorkflowText:
    from algosync.workflow.value import encoded

    loaded = session.loaded
    text = loaded.path.read_text(encoding="utf-8-sig", errors="strict")
    # A variable of the environment may belong to another workflow.
    used = {n: v for n, v in loaded.values.items() if n not in loaded.sensitive and re.search(rf"\b{re.escape(n)}\b", text)}
    saved = WorkflowText(
        loaded.path.name,
        text,
        {n: encoded(v) for n, v in sorted(used.items())},
        loaded.sensitive,
        identity.path,
        os.path.relpath(os.path.realpath(session.workflow.folder), identity.top),
    )
    places = {"the text of the workflow": text, **{f"the variable {name}": value for name, value in saved.variables.items()}}
    for place, value in places.items():
        if conceal.holds(value):
            hint = "use a sensitive variable in its place, or another value"
            raise AlgosyncError(f"the plan cannot be saved: {place} holds a key or the value of a sensitive variable", hint=hint)
    return saved


def _codes(algorithms: Sequence[AlgorithmSpec], codes: Mapping[str, SourceFiles], into: Bundle) -> Iterator[LocalCode]:
    """The local code, the smallest first, so that as much of it as possible is in the plan."""
    from algosync.sources.code import archive_uri

    local = [(spec, codes[spec.name]) for spec in algorithms if archive_uri(spec) is None and spec.name in codes]
    for spec, code in sorted(local, key=lambda each: sum(len(blob.data) for blob in each[1].files.values())):
        files = None
        if into.add(blob.data for blob in code.files.values()):
            files = tuple(
                CodeFile(path, hashlib.sha256(blob.data).hexdigest(), blob.executable) for path, blob in sorted(code.files.items())
            )
        yield LocalCode(spec.name, spec.code, files, code.left_out)


def named_files(files: NamedFiles, into: Bundle) -> Iterator[NamedFile]:
    """The files that tests name, the smallest first. SourceError: one changed since the workflow was loaded."""
    from algosync.workflow.testing.named_files import sha256_of

    for path, known in sorted(files.digests.items(), key=lambda each: (files.size(each[0]), each[0])):
        data = b""
        try:
            with files.open(path) as file:
                small = files.size(path) <= into.limit
                data = file.read() if small else b""
                found = hashlib.sha256(data).hexdigest() if small else sha256_of(file)
        except OSError:
            found = None
        if found != known:
            raise SourceError(f"{printable(path)} changed while the plan was made", hint="run the same command again")
        if found is not None and small:
            into.add([data])
        yield NamedFile(path, known)


def _is_local(session: CommandSession) -> bool:
    """Whether the plan was made from a `file://` source. A plan that only deletes or only tests reads none."""
    return session.scene.site.store.is_read and (session.header.source or "").startswith("file://")


def _files(session: CommandSession, algorithms: Sequence[AlgorithmSpec], plan: Plan, into: Bundle) -> Iterator[LocalFile]:
    """The files of a `file://` source. Those of resources that do not change are only listed."""
    from algosync.sources.code import source_uris

    if not _is_local(session):
        return
    store = session.scene.site.store
    digests = dict(_needed(algorithms, plan))
    uris = dict.fromkeys(uri for spec in algorithms for uri in source_uris(spec))
    for uri in sorted(uris, key=lambda uri: (uri not in digests, store.listed(uri).size, uri)):
        stat = store.listed(uri)
        sha256 = _content(_path_of(uri, session), uri, digests[uri], into) if uri in digests else None
        yield LocalFile(uri, stat.size, stat.stamp, sha256)


def _needed(algorithms: Sequence[AlgorithmSpec], plan: Plan) -> Iterator[tuple[str, str | None]]:
    """The URIs of the files that are read when the plan is applied, with their digests as far as they are known."""
    from algosync.sources.code import archive_uri

    changes = {change.address: change for change in plan.changes if change.action is not Action.NONE}
    specs = {spec.name: spec for spec in algorithms}
    for name in dict.fromkeys(address.algorithm for address in changes):
        if name in specs and (uri := archive_uri(specs[name])):
            yield uri, None
    for address, change in changes.items():
        uri = specs[address.algorithm].source_of(address.name) if address.name and address.algorithm in specs else None
        if uri is not None and change.after is not None:
            yield uri, change.after.digest


def _path_of(uri: str, session: CommandSession) -> Path:
    """The path of a file of a `file://` source."""
    from algosync.cluster.data import split

    owner, collection, name = split(uri)
    folder = Path(session.workflow.folder, (session.header.source or "").removeprefix("file://"))
    named = session.scene.site.store.key_owner() if owner == ".my" else owner
    return folder / (named or owner) / collection / name


def _content(path: Path, uri: str, known: str | None, into: Bundle) -> str:
    """The SHA-256 of a file. Its content is taken if there is room. SourceError: it changed since the plan was made."""
    try:
        with path.open("rb") as file:
            small = os.fstat(file.fileno()).st_size <= into.limit
            data = file.read() if small else b""
            sha256 = hashlib.sha256(data).hexdigest() if small else sha256_of(iter(lambda: file.read(1 << 20), b""))
    except OSError as error:
        raise SourceError(f"{printable(uri)} cannot be read: {error.strerror}") from None
    if known not in (None, sha256):
        raise SourceError(f"{printable(uri)} changed while the plan was made", hint="run the same command again")
    if small:
        into.add([data])
    return sha256
