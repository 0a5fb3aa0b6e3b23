"""The cluster under test, and helpers that prepare things there. On a blank server they prepare nothing and return placeholders."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypedDict

from clients import Curl
from harness import Cluster
from replies import Answer

from algosync.core.tree import Blob

__all__ = ["NOWHERE", "SETTINGS", "Algorithm", "Site"]

DEADLINE = 300
NOWHERE = "00000000-0000-0000-0000-000000000000"
SETTINGS = {"source_visibility": "closed", "license": "apl", "network_access": "full", "pipeline_enabled": True}


class Creation(TypedDict):
    """The body of a request that creates an algorithm."""

    name: str
    details: dict[str, object]
    settings: dict[str, object]


@dataclass(frozen=True)
class Algorithm:
    """An algorithm, and its last built commit."""

    owner: str
    name: str
    id: str = NOWHERE
    commit: str = "0" * 40

    @property
    def path(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def url(self) -> str:
        """The path for management."""
        return f"/v1/algorithms/{self.path}"

    @property
    def call(self) -> str:
        """The path that calls its commit."""
        return f"/v1/algo/{self.path}/{self.commit}"


@dataclass(frozen=True)
class Site:
    """The address of the cluster, and the keys of `user`, of the other user `stranger`, and of an administrator."""

    curl: Curl
    user: str
    other: str
    admin: str
    cluster: Cluster | None = None
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def organization(self) -> str:
        """An organization with the member `user`, of which `stranger` is no member."""
        return "acme"

    def name(self, prefix: str) -> str:
        """A new name that begins with `prefix`."""
        return f"{prefix}{next(self._numbers)}"

    def collection(self, files: Mapping[str, str | bytes] | None = None, acl: list[str] | None = None) -> str:
        """A new collection with these files, as `OWNER/NAME`."""
        name = self.name("things")
        body: dict[str, object] = {"name": name} if acl is None else {"name": name, "acl": {"read": acl}}
        self._arranged("POST", f"/v1/data/{self.user}", body)
        for file, content in (files or {}).items():
            self._arranged("PUT", f"/v1/data/{self.user}/{name}/{file}", content)
        return f"{self.user}/{name}"

    def fill(self, collection: str, count: int) -> None:
        """Write `count` small files over one connection."""
        if self.cluster is None:
            return
        with contextlib.closing(http.client.HTTPConnection(self.curl.address.partition("://")[2], timeout=DEADLINE)) as connection:
            for number in range(count):
                connection.request("PUT", f"/v1/data/{collection}/f{number:04}", b"x", {"Authorization": self.curl.key})
                assert connection.getresponse().read() != b""

    def environment(self, name: str = "Python 3.7", field_name: str = "id") -> str:
        language = "python2" if name == "Python 2.7" else "python3"
        answer = self._arranged("GET", f"/v1/algorithm-environments/edge/languages/{language}/environments")
        return next((each[field_name] for each in answer.each("environments") if each["display_name"] == name), NOWHERE)

    def creation(self, name: str, environment: str = "Python 3.7", **settings: object) -> Creation:
        """The body of a request that creates an algorithm."""
        chosen = {**SETTINGS, "algorithm_environment": self.environment(environment), **settings}
        return {"name": name, "details": {"label": name}, "settings": chosen}

    def created(self, environment: str = "Python 3.7", **settings: object) -> Algorithm:
        """A new algorithm without builds."""
        name = self.name("Algo")
        answer = self._arranged("POST", f"/v1/algorithms/{self.user}", self.creation(name, environment, **settings))
        return Algorithm(self.user, name, answer.at("id") or NOWHERE)

    def built(
        self, source: str, files: Mapping[str, str] | None = None, environment: str = "Python 3.7", **settings: object
    ) -> Algorithm:
        """A new algorithm in the plain layout, without requirements, with a finished build."""
        made = self.created(environment, **settings)
        return self.pushed(made, {f"src/{made.name}.py": source, "requirements.txt": "", ".adk": None, **(files or {})})

    def pushed(self, algorithm: Algorithm, files: Mapping[str, str | None]) -> Algorithm:
        """Push one more commit and wait for its build. None removes a file."""
        if self.cluster is None:
            return algorithm
        repository = self.cluster.repository(algorithm.name)
        head = repository.head()
        assert head is not None
        tree = {path: blob for path, blob in repository.tree(head).items() if files.get(path, "") is not None}
        tree |= {path: Blob(text.encode()) for path, text in files.items() if text is not None}
        commit = repository.push(head, tree, author="Tester <tester@localhost>", message="change")
        self.finished(algorithm, commit)
        return Algorithm(algorithm.owner, algorithm.name, algorithm.id, commit)

    def compiled(self, algorithm: Algorithm) -> Algorithm:
        """The algorithm after its head was compiled."""
        answer = self._arranged("POST", f"{algorithm.url}/compile", {})
        return Algorithm(algorithm.owner, algorithm.name, algorithm.id, answer.at("version_info", "git_hash") or algorithm.commit)

    def published(self, algorithm: Algorithm, callability: str = "private", kind: str = "minor") -> Algorithm:
        body = {"settings": {"algorithm_callability": callability}, "version_info": {"version_type": kind}}
        self._arranged("POST", f"{algorithm.url}/versions", body)
        return algorithm

    def finished(self, algorithm: Algorithm, commit: str) -> Answer:
        """The list of builds, as soon as the commit's build has ended."""

        def ended(answer: Answer) -> bool:
            statuses = [each["status"] for each in answer.each("results") if each["commit_sha"] == commit]
            return statuses != [] and statuses[0] != "in-progress"

        return self.until(lambda: self.curl("GET", f"{algorithm.url}/builds"), ended)

    def until(self, ask: Callable[[], Answer], told: Callable[[Answer], bool]) -> Answer:
        """Repeat until the answer is accepted, or a deadline. On a blank server, return the first answer."""
        deadline = time.monotonic() + DEADLINE
        while True:
            answer = ask()
            if self.cluster is None or told(answer) or time.monotonic() > deadline:
                return answer
            time.sleep(0.05)  # the platform has no other way to tell that a build has ended

    def during_build(self, algorithm: Algorithm, act: Callable[[str], list[Answer]]) -> list[Answer]:
        """Run `act` with the id of a running build, which waits for a package from this test. Returns its result."""
        if self.cluster is None:
            return act(NOWHERE)
        with socket.create_server(("127.0.0.1", 0)) as shop, ThreadPoolExecutor(1) as pool:
            shop.settimeout(DEADLINE)
            package = f"held @ http://127.0.0.1:{shop.getsockname()[1]}/held-1.0.tar.gz\n"
            push = pool.submit(self.pushed, algorithm, {"requirements.txt": package})
            with shop.accept()[0] as asked:
                builds = self.curl("GET", f"{algorithm.url}/builds")
                replies = act(builds.at("results", 0, "build_id"))
                asked.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            shop.close()
            push.result(DEADLINE)
        return replies

    def run(self, algorithm: Algorithm, value: object, query: str = "", key: str | None = None) -> Answer:
        """A call with a JSON value."""
        return self.curl("POST", algorithm.call + query, json.dumps(value), {"Content-Type": "application/json"}, key)

    def _arranged(self, method: str, path: str, body: object = None) -> Answer:
        if self.cluster is None:
            return Answer()
        answer = self.curl(method, path, body)
        assert answer.status == 200, (method, path, answer)
        return answer
