"""Client for algorithm management and calls on one cluster, in the platform's terms (PLATFORM.md §3, §4, §6).

Reads, updates and publishing send their own requests: the official client loses error messages, form-encodes updates, and publishes
twice after an error (PLATFORM.md §3.9). Creating uses the official client. A run that creates nothing does not import it, because
that takes as long as all the rest of a small plan.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from algosync.cluster.answer import answer_of
from algosync.cluster.wire import Wire, idempotent, path_of
from algosync.core.environment import Environment
from algosync.core.error import AlgosyncError, ClusterError, Conflict, NotFound, Throttled, Unexpected, Unreachable
from algosync.core.lean import dataclass
from algosync.core.testing.answer import Answer
from algosync.core.text import printable
from algosync.net.failure import reply_error
from algosync.net.retry import is_transient

if TYPE_CHECKING:
    from algosync.cluster.official import OfficialClient

__all__ = ["AlgorithmInfo", "AlgorithmsClient", "Build", "Version"]

_LANGUAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")  # becomes part of a path
_LANGUAGES = path_of("v1", "algorithm-environments", "edge", "languages")
_MAX_LANGUAGES = 200  # each takes a request
_NUMBER = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_BUILD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
_MAX_PAGES = 200  # of versions
_MARKER_LIMIT = 4096  # characters: it becomes part of a URL
_TIME_LIMIT = 64  # characters of a time
_NO_CONTENT = 204
_GRACE = 30.0  # seconds that a reply may take beyond the algorithm's own timeout


@dataclass(frozen=True, slots=True)
class AlgorithmInfo:
    """The record of an algorithm: `details` and `settings` as the cluster returns them."""

    details: Mapping[str, object]
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Build:
    """A build. `status` is in-progress, succeeded or failed."""

    id: str
    commit: str
    status: str


@dataclass(frozen=True, slots=True)
class Version:
    """A published version. `number` is its semantic version; `settings` are the ones the cluster reports for it.

    `built_at`: when its build ended, as the cluster writes times, or empty. The platform does not tell when it was published.
    """

    number: str
    commit: str
    settings: Mapping[str, object]
    built_at: str = field(default="", compare=False)


class AlgorithmsClient:
    """The management API over one wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    @cached_property
    def _client(self) -> OfficialClient:
        from algosync.cluster.official import OfficialClient

        return OfficialClient(self.wire)

    @idempotent
    def read(self, owner: str, name: str) -> AlgorithmInfo:
        """Return the record of an algorithm. Raises NotFound if it does not exist."""
        body = self._object("GET", _path(owner, name))
        return AlgorithmInfo(_mapping(body, "details"), _mapping(body, "settings"))

    def create(self, owner: str, name: str, details: Mapping[str, object], settings: Mapping[str, object]) -> None:
        """Create an algorithm. Raises Conflict if the name is taken."""

        def post() -> bool:
            with _translated(f"POST {path_of('v1', 'algorithms', owner)}"):
                made = self._client.algo(f"{owner}/{name}").create(dict(details), dict(settings), {}, {}, {})
                if not isinstance(made, dict):
                    raise TypeError
            return True

        def look() -> bool | None:
            """It may have existed before. The update gives it the wanted details and settings in any case."""
            try:
                self.read(owner, name)
            except NotFound:
                return None
            self.update(owner, name, details, settings)
            return True

        self.wire.retry.run_once(post, look)

    @idempotent
    def update(self, owner: str, name: str, details: Mapping[str, object], settings: Mapping[str, object]) -> None:
        """Replace details and settings. Visibility and license apply at once, other settings from the next published version
        (PLATFORM.md §3.4).
        """
        self._object("PUT", _path(owner, name), body={"details": dict(details), "settings": dict(settings)})

    @idempotent
    def delete(self, owner: str, name: str) -> None:
        """Delete an algorithm with its repository and versions, for good. After a lost reply the repeated request raises NotFound.

        The owner may not delete an algorithm with a public version (PLATFORM.md §3.8). Raises Unexpected if the reply is not 204:
        then perhaps nothing was deleted.
        """
        path = _path(owner, name)
        reply = self.wire.json("DELETE", path)
        if reply.status != _NO_CONTENT:
            raise Unexpected(f"DELETE {path}: {reply.status}, not {_NO_CONTENT}", status=reply.status)

    @idempotent
    def build_of(self, owner: str, name: str, commit: str) -> Build | None:
        """Return the newest build of a commit, or None. A new build is not listed immediately (PLATFORM.md §3.10)."""
        body = self._object("GET", _path(owner, name, "builds"), {"limit": "50"})
        builds = (_build(entry) for entry in _results(body))
        return next((build for build in builds if build.commit == commit), None)

    @idempotent
    def build_log(self, owner: str, name: str, build_id: str) -> str:
        """Return the build's log; empty if there is none yet."""
        try:
            body = self._object("GET", _path(owner, name, "builds", build_id, "logs"))
        except NotFound:
            return ""
        return str(body.get("logs", ""))

    def compile(self, owner: str, name: str) -> None:
        """Build the head of the default branch. The result appears in the list of builds.

        Repeats the request only if the cluster has not received it. The list of builds cannot tell, because a new build is not
        listed immediately. A gateway timeout and an unreadable success both count as received.
        """
        try:
            self.wire.retry.run(lambda: self.wire.json("POST", _path(owner, name, "compile"), body={}), _may_compile_again)
        except Unexpected as error:
            if error.status not in (200, 504):
                raise

    @idempotent
    def published(self, owner: str, name: str) -> Version | None:
        """Return the newest published version, or None."""
        body = self._object("GET", _path(owner, name, "versions"), {"published": "true", "limit": "1"})
        return next((version for version in map(_version, _results(body)) if version is not None), None)

    def versions(self, owner: str, name: str) -> Sequence[Version]:
        """Return every published version, the newest first. Raises NotFound if the algorithm does not exist."""
        found: list[Version] = []
        marker = ""
        for _ in range(_MAX_PAGES):
            page, marker = self._page_of_versions(owner, name, marker)
            found += page
            if not marker:
                return found
        raise Unexpected(f"{owner}/{name} has too many versions")

    @idempotent
    def _page_of_versions(self, owner: str, name: str, marker: str) -> tuple[list[Version], str]:
        """Return one page and the marker of the next one; empty if this is the last."""
        query = {"published": "true", "limit": "50", **({"marker": marker} if marker else {})}
        body = self._object("GET", _path(owner, name, "versions"), query)
        following = body.get("marker") or ""
        if not isinstance(following, str) or len(following) > _MARKER_LIMIT:
            raise Unexpected("a list of versions has an invalid marker")
        return [version for version in map(_version, _results(body)) if version is not None], following

    def publish(self, owner: str, name: str, commit: str, body: Mapping[str, object]) -> Version:
        """Publish the newest successful build, which is the one of `commit`. The cluster chooses the version number.

        A commit can be published only once, so a repeated request does no harm. Raises Conflict if another commit was published.
        """

        def post() -> Version:
            path = _path(owner, name, "versions")
            version = _version(self._object("POST", path, body={**body, "source": {}, "scmsCredentials": {}}))
            if version is None:
                raise Unexpected(f"POST {path}: the reply contains no version")
            return version

        def look() -> Version | None:
            version = self.published(owner, name)
            return version if version is not None and version.commit == commit else None

        try:
            return self.wire.retry.run_once(post, look, _may_publish_again)
        except Conflict:
            version = look()
            if version is None:
                raise
            return version

    def environments(self) -> Sequence[Environment]:
        """Return all environments of all languages that the cluster offers. Each request is retried on its own."""
        found = (environment for language in self._languages() for environment in self._environments_of(language))
        return tuple({environment.id: environment for environment in found}.values())

    @idempotent
    def _languages(self) -> Sequence[str]:
        with _documented("the list of environments"):
            languages: Any = self.wire.json("GET", _LANGUAGES).body
            if len(languages) > _MAX_LANGUAGES:
                raise ValueError
            return [_matched(_LANGUAGE, language["name"]) for language in languages]

    @idempotent
    def _environments_of(self, language: str) -> Sequence[Environment]:
        with _documented("the list of environments"):
            answer: Any = self.wire.json("GET", f"{_LANGUAGES}/{language}/environments").body
            # One page of the platform's documentation shows the list without the enclosing object (PLATFORM.md §4.1).
            return [_environment(entry) for entry in (answer["environments"] if isinstance(answer, dict) else answer)]

    def call(self, owner: str, name: str, reference: str, payload: str, timeout: int) -> Answer:
        """Call one version with JSON text, and return its answer. Numbers are sent and returned as written. `timeout` in seconds.

        Raises TestFailed if the algorithm raised, timed out or died; NotFound if the version does not exist (yet). Retries only if
        there was no reply, or if the cluster was busy: any other server error may be caused by the algorithm.
        """
        return self.wire.retry.run(lambda: self._call(f"{owner}/{name}/{reference}", payload, timeout), _may_call_again)

    def _call(self, reference: str, payload: str, timeout: int) -> Answer:
        """The request is the one of the official client. Its session takes a quarter of the time of a short call."""
        path = path_of("v1", "algo", *reference.split("/"))
        with _documented(f"POST {path}"):
            started = time.monotonic()
            headers = {"Content-Type": "application/json"}
            reply = self.wire.answer("POST", f"{path}?timeout={timeout}&stdout=True", headers, payload.encode(), timeout + _GRACE)
            return answer_of(reply.body.decode(), time.monotonic() - started)

    def _object(self, method: str, path: str, query: Mapping[str, str] | None = None, body: object = None) -> Mapping[str, object]:
        """Send a request and return the JSON object in the reply. A 2xx reply with an `error` member is a failure, too (PLATFORM.md
        §10.1).
        """
        reply = self.wire.json(method, path, query=query, body=body)
        if not isinstance(reply.body, dict):
            raise Unexpected(f"{method} {path}: the reply is not an object")
        if error := reply_error(reply.body):
            raise ClusterError(f"{method} {path}: {printable(str(error.get('message', '')), 500)}", status=reply.status)
        return reply.body


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Translate the official client's exceptions: it reports a failure inside a 2xx reply, and fails on a reply of unexpected
    shape.
    """
    from Algorithmia.errors import ApiError

    try:
        with _documented(what):
            yield
    except ApiError as error:
        raise ClusterError(f"{what}: {printable(str(getattr(error, 'message', '')), 500)}") from None


@contextmanager
def _documented(what: str) -> Iterator[None]:
    """Translate the exceptions of reading a reply of unexpected shape."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise Unexpected(f"{what}: the reply does not match the platform's documentation") from None


def _may_call_again(error: AlgosyncError) -> bool:
    return isinstance(error, (Throttled, Unreachable)) and is_transient(error)


def _may_publish_again(error: ClusterError) -> bool:
    """A cluster can answer 400 although the build is there, for a moment. Nothing is published then."""
    return is_transient(error) or (isinstance(error, Unexpected) and error.status == 400)


def _may_compile_again(error: AlgosyncError) -> bool:
    return is_transient(error) and (not error.sent or (isinstance(error, Throttled) and error.status == 429))


def _path(owner: str, name: str, *rest: str) -> str:
    return path_of("v1", "algorithms", owner, name, *rest)


def _mapping(body: Mapping[str, object], member: str) -> Mapping[str, object]:
    value = body.get(member) or {}
    if not isinstance(value, dict):
        raise Unexpected(f"an algorithm's {member} are not an object")
    return value


def _results(body: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    results = body.get("results")
    if not isinstance(results, list) or not all(isinstance(entry, dict) for entry in results):
        raise Unexpected("a list of builds or versions has no results")
    return results


def _build(entry: Mapping[str, object]) -> Build:
    """Convert an entry of the builds list. A build that has not started has no commit yet, and possibly no id."""
    number, commit, status = (entry.get(member) or "" for member in ("build_id", "commit_sha", "status"))
    if not _fits(_BUILD, number) or not _fits(_COMMIT, commit) or not isinstance(status, str):
        raise Unexpected("a list of builds has an invalid id, commit or status")
    return Build(str(number), str(commit), status)


def _version(entry: Mapping[str, object]) -> Version | None:
    """Convert an entry of the versions list; None if it is not published. Number and commit become parts of the paths that tests
    call.
    """
    info = _mapping(entry, "version_info")
    number, commit = info.get("semantic_version") or "", info.get("git_hash") or ""
    if not _fits(_NUMBER, number) or not _fits(_COMMIT, commit):
        raise Unexpected("a version has an invalid number or commit")
    if not number or not commit:
        return None
    return Version(str(number), str(commit), _mapping(entry, "settings"), _built_at(entry))


def _built_at(entry: Mapping[str, object]) -> str:
    ended = _mapping(entry, "build").get("finished_at")
    return printable(ended, _TIME_LIMIT) if isinstance(ended, str) else ""


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    """Whether the value is empty or matches."""
    return isinstance(value, str) and (not value or pattern.fullmatch(value) is not None)


def _matched(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.fullmatch(value):
        raise ValueError
    return value


def _environment(entry: Mapping[str, object]) -> Environment:
    number, name, created = entry["id"], entry["display_name"], entry.get("created_at")
    if not isinstance(number, str) or not isinstance(name, str) or not isinstance(created, str | None):
        raise TypeError
    return Environment(number, name, created or "")
