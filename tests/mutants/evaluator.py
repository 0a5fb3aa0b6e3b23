"""Runs sources of algorithms as a worker of the local cluster does, one source after the other in one process.

It is executed by path with the Python of an environment. Its argument is the path of the program inside a worker. Requests are
lines on stdin, each answered by a line on stdout:

    {"load": {NAME: FOLDER}, "files": {FILE: PATH}}    algorithms, and the data files that they can read
    {"call": NAME, "payload": ...}                     {"reply": as of the platform, "seconds": how long the call took}

Sleeping takes no time, but counts in `seconds`.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

runner: Any = None
slept: list[float] = []


class DataFile:
    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def getBytes(self) -> bytes:  # noqa: N802  # the client defines the names
        return self._path.read_bytes()

    def getJson(self) -> Any:  # noqa: N802
        return json.loads(self._path.read_text(encoding="utf-8"))

    def getFile(self) -> Any:  # noqa: N802
        return self._path.open("rb")


class Client:
    """The part of the official client that the examples use."""

    def __init__(self, files: dict[str, str], algorithms: dict[str, Any]) -> None:
        self._files, self._algorithms = files, algorithms

    def file(self, uri: str) -> DataFile:
        return DataFile(self._files[uri.rpartition("/")[2]])

    def algo(self, reference: str) -> Any:
        return Child(self._algorithms[reference.split("/")[1]])


class Child:
    """Another algorithm. `result` is set by the call."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.result: Any = None

    def set_options(self, **options: Any) -> Child:
        return self

    def pipe(self, payload: Any) -> Child:
        reply = json.loads(replied(self._answer, json.loads(json.dumps(payload))))
        if "error" in reply:
            raise importlib.import_module("Algorithmia.errors").AlgorithmException(reply["error"]["message"])
        self.result = reply["result"]
        return self


def load(folders: dict[str, str], files: dict[str, str]) -> dict[str, Any]:
    """The function that answers requests, by the name of the algorithm. A source that cannot be imported answers with its error."""
    answers: dict[str, Any] = {}
    client = Client(files, answers)
    vars(importlib.import_module("Algorithmia"))["client"] = lambda *arguments, **options: client
    path = list(sys.path)
    for name, folder in folders.items():
        for module in [module for module in sys.modules if module.partition(".")[0] == "src"]:
            del sys.modules[module]
        importlib.invalidate_caches()
        runner.captured.clear()
        try:
            answers[name] = runner.load(folder)
        except Exception as error:  # noqa: BLE001  # any failed import is an answer
            answers[name] = partial(told, runner.failure(error, "InitializationError"))
        sys.path[:] = path
    return answers


def told(text: str, request: object) -> str:
    return text


def replied(answer: Any, payload: Any) -> str:
    try:
        return str(answer({"content_type": "json", "data": payload}))
    except Exception as error:  # noqa: BLE001  # any failed call is an answer
        return str(runner.failure(error, "AlgorithmError"))


def called(answer: Any, payload: Any) -> dict[str, Any]:
    slept.clear()
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        text = replied(answer, payload)
    reply = json.loads(text)
    reply.setdefault("metadata", {})["stdout"] = printed.getvalue()
    return {"reply": json.dumps(reply), "seconds": time.perf_counter() - started + sum(slept)}


def main() -> None:
    global runner  # noqa: PLW0603  # its path is an argument
    specification = importlib.util.spec_from_file_location("runner", sys.argv[1])
    assert specification is not None
    assert specification.loader is not None
    runner = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(runner)
    runner.repair_removed_functions()
    sys.dont_write_bytecode = True
    time.sleep = lambda seconds: slept.append(float(seconds))
    answers: dict[str, Any] = {}
    out = sys.stdout
    for line in sys.stdin:
        request = json.loads(line)
        if "load" in request:
            with contextlib.redirect_stdout(io.StringIO()):
                answers = load(request["load"], request["files"])
            outcome: dict[str, Any] = {}
        else:
            outcome = called(answers[request["call"]], request["payload"])
        print(json.dumps(outcome), file=out, flush=True)


if __name__ == "__main__":
    main()
