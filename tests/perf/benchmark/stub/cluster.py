"""The answers of the stub: accounts, environments, algorithms, repositories, data."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.stub.files import Files, segments
from benchmark.stub.http import FileReply, Reply, Request, json_reply, reply
from benchmark.stub.repository import Repository, template

__all__ = ["Cluster"]

OWNER = "local"
_MOMENT = "2026-01-01T00:00:00.000Z"
_PYTHON = {"name": "python3", "display_name": "Python 3.x (Environments)", "configuration": "{}"}
_ENVIRONMENT = {
    "id": "cd42a80b-1f8d-4cd1-aeba-cb55e393d48b",
    "environment_specification_id": "2385cdcc-5f0e-585a-ae06-a239d46580df",
    "display_name": "Python 3.9",
    "description": "Python 3.9",
    "language": _PYTHON,
    "machine_type": "CPU",
    "created_at": "2026-01-01T00:00:00.000",
}
_FIXED = {
    b"/v1/data": json_reply({"folders": [{"name": OWNER}]}, headers=b"X-Data-Type: directory\r\n"),
    b"/v1/algorithm-environments/edge/languages": json_reply([_PYTHON]),
    b"/v1/algorithm-environments/edge/languages/python3/environments": json_reply({"environments": [_ENVIRONMENT]}),
}
_NO_ALGORITHM = json_reply({"error": "No such algorithm"}, 404)


@dataclass(slots=True)
class Algorithm:
    """An algorithm, its repository, and the replies that were prepared since its last change, by their target."""

    record: dict[str, object]
    repository: Repository = field(default_factory=template)
    published: list[dict[str, object]] = field(default_factory=list)
    pushes: int = 0
    prepared: dict[bytes, Reply] = field(default_factory=dict)


class Cluster:
    """Everything that the cluster has. A build has succeeded as soon as its push is answered.

    `folder`: of its data files, if another server writes them.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.files = Files(folder)
        self.algorithms: dict[str, Algorithm] = {}

    def empty(self) -> None:
        """Forget everything."""
        self.files.empty()
        self.algorithms.clear()

    def answer(self, request: Request) -> Reply | FileReply:
        """Answer one request."""
        path, _, query = request.target.partition(b"?")
        if request.method == b"GET" and (fixed := _FIXED.get(path.rstrip(b"/"))) is not None:
            return fixed
        names = segments(path)
        match names:
            case ["v1", "data", _, *rest] | ["v1", "connector", "data", _, *rest]:
                return self.files.answer(request, rest, query)
            case ["v1", "algorithms", _, *rest]:
                return self._algorithms(request, rest)
            case ["git", _, name, *rest]:
                return self._git(request, name.removesuffix(".git"), rest[-1], query)
            case ["dav", *rest]:
                return self.files.webdav(request, rest)
            case ["v1", "algo", *_]:
                return json_reply({"result": 1, "metadata": {"content_type": "json", "duration": 0.001}})
            case _:
                return reply(404)

    def _algorithms(self, request: Request, names: list[str]) -> Reply:
        if not names:
            return self._create(json.loads(request.body))
        found = self.algorithms.get(names[0])
        if found is None:
            return _NO_ALGORITHM
        if request.method == b"GET":
            if request.target not in found.prepared:
                found.prepared[request.target] = json_reply(self._shown(found, names[1:]))
            return found.prepared[request.target]
        if request.method == b"DELETE":
            del self.algorithms[names[0]]
            return reply(204)
        found.prepared.clear()
        if names[1:] == ["versions"]:
            return self._publish(found)
        if request.method == b"PUT":
            found.record |= {key: value for key, value in json.loads(request.body).items() if key in ("details", "settings")}
        return json_reply(self._shown(found, []))

    def _create(self, body: dict[str, object]) -> Reply:
        name = str(body["name"])
        source = {"scm": {"id": "internal", "provider": "internal", "default": True, "enabled": True}}
        settings = {"algorithm_callability": "private", **dict(body["settings"])}  # type: ignore[call-overload]  # it is an object
        record = {"id": f"id-{name}", "name": name, "details": body["details"], "settings": settings, "source": source}
        made = self.algorithms[name] = Algorithm({**record, "resource_type": "algorithm"})
        return json_reply(made.record)

    def _shown(self, algorithm: Algorithm, names: list[str]) -> object:
        """The object of the platform's management API that those names stand for."""
        if names[:1] == ["versions"]:
            return {"marker": None, "next_link": None, "results": algorithm.published[::-1]}
        build = self._build(algorithm)
        if names[:1] == ["builds"]:
            return {"logs": ""} if names[-1] == "logs" else {"marker": None, "next_link": None, "results": build}
        if algorithm.published:
            return algorithm.published[-1]
        return {**algorithm.record, "build": build[0]} if build else algorithm.record

    def _build(self, algorithm: Algorithm) -> list[dict[str, object]]:
        commit = algorithm.repository.head.decode()
        times = {"started_at": _MOMENT, "finished_at": _MOMENT, "resource_type": "algorithm_build"}
        return [{"build_id": f"build-{commit}", "status": "succeeded", "commit_sha": commit, **times}] if algorithm.pushes else []

    def _publish(self, algorithm: Algorithm) -> Reply:
        commit = algorithm.repository.head.decode()
        number = f"0.{len(algorithm.published) + 1}.0"
        version = {"git_hash": commit, "version_uuid": f"version-{commit}", "semantic_version": number}
        build = {**self._build(algorithm)[0], "version_info": {"semantic_version": number}}
        algorithm.published.append({**algorithm.record, "version_info": version, "build": build})
        return json_reply(algorithm.published[-1])

    def _git(self, request: Request, name: str, service: str, query: bytes) -> Reply:
        found = self.algorithms.get(name)
        if found is None:
            return reply(404)
        if service == "git-upload-pack":
            return found.repository.fetch(request.body)
        if service == "git-receive-pack":
            found.prepared.clear()
            found.pushes += 1
            return found.repository.push(request.body)
        if request.target not in found.prepared:
            found.prepared[request.target] = found.repository.refs(query.removeprefix(b"service="))
        return found.prepared[request.target]
