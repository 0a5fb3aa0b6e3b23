"""The program inside a worker: imports one algorithm and answers its calls.

It is executed by path with an environment's interpreter and uses only the standard library. Requests are lines on stdin, answers
are lines on stdout: a number, a space, JSON. An answer has the number of its request. What the algorithm prints goes to stderr, a
file. Request 0 names two folders: one with the source, and an empty one for a copy, from which the algorithm is imported. Its
answer is `{"ready": true}` or the error of the import. With the argument `ahead`, the packages that most algorithms import are
imported first.

Must run on Python 3.7.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import importlib.util
import inspect
import json
import os
import pkgutil
import queue
import shutil
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Request = dict[str, Any]
    Answer = Callable[[Request], str]

MAX_ANSWER = 15 * 1024 * 1024

captured: list[Any] = []
"""The ADK or Handler that the algorithm has created to serve its calls. Its own loop is not started."""


class LoadError(Exception):
    """The source is not a valid algorithm of its kind."""


def main() -> None:
    """Load the algorithm, then answer requests until stdin ends."""
    requests, answers = take_channels()
    repair_removed_functions()
    try:
        if sys.argv[1:] == ["ahead"]:
            import_servers()
        source, folder = json.loads(requests.get().partition(b" ")[2])
        copy(source, folder)
        answer = load(folder)
    except BaseException as error:  # noqa: BLE001 - any failed import is reported to the caller
        answers.write(b"0", failure(error, "InitializationError"))
        return
    answers.write(b"0", '{"ready": true}')
    while True:
        number, _, line = requests.get().partition(b" ")
        try:
            text = answer(json.loads(line))
        except BaseException as error:  # noqa: BLE001 - any failed call is, SystemExit included
            text = failure(error, "AlgorithmError")
        if len(text) > MAX_ANSWER:
            text = error_text(f"The answer is larger than {MAX_ANSWER} bytes", "TooLargeError")
        flush_output()
        answers.write(number, text)


def flush_output() -> None:
    """Flush the algorithm's output. Ignores errors: the algorithm may have closed its streams, and the disk may be full."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


class Answers:
    """Writes answers to the original stdout, which the algorithm cannot print to."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb")
        self._process = os.getpid()

    def write(self, number: bytes, text: str) -> None:
        """Write one line. A process that the algorithm has forked ends here: only the worker itself answers."""
        if os.getpid() != self._process:
            os._exit(0)
        self._file.write(number + b" " + text.encode() + b"\n")
        self._file.flush()


def take_channels() -> tuple[queue.Queue[bytes], Answers]:
    """Keep stdin and stdout for requests and answers, hidden from the algorithm. The process ends when stdin does."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    requests: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        with os.fdopen(source, "rb") as lines:
            for line in lines:
                requests.put(line)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=read, daemon=True).start()
    return requests, Answers(sink)


def repair_removed_functions() -> None:
    """Restore functions that the official client and the ADK use but newer Pythons have removed or renamed."""
    if not hasattr(inspect, "getargspec"):
        vars(inspect)["getargspec"] = lambda function: inspect.getfullargspec(function)[:4]
    if not hasattr(pkgutil, "find_loader"):
        vars(pkgutil)["find_loader"] = lambda name: getattr(importlib.util.find_spec(name), "loader", None)
    original = traceback.format_exception

    def format_exception(*arguments: Any, **options: Any) -> list[str]:
        if "etype" in options:
            arguments = (options.pop("etype"), options.pop("value"), options.pop("tb"))
        return original(*arguments, **options)

    traceback.format_exception = format_exception


def copy(source: str, folder: str) -> None:
    """Copy a folder into an empty one. Links stay links."""
    for name in os.listdir(source):
        path, target = os.path.join(source, name), os.path.join(folder, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.copytree(path, target, symlinks=True)
        else:
            shutil.copy2(path, target, follow_symlinks=False)


def load(folder: str) -> Answer:
    """Import the algorithm and return the function that answers a request with a line."""
    os.chdir(folder)
    sys.path.insert(0, folder)
    capture_servers()
    with open("algorithmia.conf", encoding="utf-8") as file:
        name = json.load(file)["algoname"]
    module = importlib.import_module("src." + name)
    if captured:
        server = captured[-1]
        return serve_adk(server) if hasattr(server, "loading_exception") else serve_handler(server)
    if os.path.exists(".adk"):
        message = f".adk says that the source uses the ADK, but src/{name}.py did not start it"
        raise LoadError(f"{message}: end it with ADK(apply).init(...), or delete .adk")
    if not hasattr(module, "apply"):
        raise LoadError(f"src/{name}.py has no function apply")
    return lambda request: respond(module.apply, request)


def import_servers() -> tuple[Any, Any]:
    """The modules of Handler and ADK, or None for those not installed."""
    # Import the client before the ADK, as algorithms do: their circular import fails in the other order.
    handler = importlib.import_module("Algorithmia.handler") if importlib.util.find_spec("Algorithmia") else None
    return handler, importlib.import_module("adk") if importlib.util.find_spec("adk") else None


def capture_servers() -> None:
    """Keep ADK and Handler from starting their loops, and the ADK from assuming a local run."""
    handler_module, adk_module = import_servers()
    if handler_module:
        handler_module.Handler.serve = lambda self: captured.append(self)  # noqa: PLW0108 - a builtin would not be bound as a method
    if adk_module:
        adk = adk_module.ADK
        adk.init = lambda self, *_arguments, **_options: captured.append(self)
        # The ADK assumes that it is deployed if this path exists. A property, as it would overwrite a plain attribute.
        adk.FIFO_PATH = property(lambda _self: os.devnull, lambda _self, _value: None)


def serve_adk(adk: Any) -> Answer:
    """Answer requests with the code of the ADK. After a failed load, every call reports its error."""
    io = importlib.import_module("adk.io")
    adk.load()

    def answer(request: Request) -> str:
        if adk.loading_exception:
            return str(io.create_exception(adk.loading_exception, loading_exception=True))
        return str(adk.apply(io.format_data(request)))

    return answer


def serve_handler(handler: Any) -> Answer:
    """Answer requests with the older Handler. As on the platform, it does not decode binary input."""
    handler.load()

    def answer(request: Request) -> str:
        data = handler.format_data(request)
        if handler.load_result:
            return str(handler.format_response(handler.apply_func(data, handler.load_result)))
        return str(handler.format_response(handler.apply_func(data)))

    return answer


def respond(apply: Callable[[Any], Any], request: Request) -> str:
    """Answer a request with a plain `apply` function."""
    data = request["data"]
    result = apply(base64.b64decode(data) if request["content_type"] == "binary" else data)
    content_type = "json"
    if isinstance(result, (bytes, bytearray)):
        content_type, result = "binary", base64.b64encode(result).decode()
    elif isinstance(result, str):
        content_type = "text"
    return json.dumps({"result": result, "metadata": {"content_type": content_type}})


def failure(error: BaseException, error_type: str) -> str:
    """The answer for an exception. An exception may have its own `error_type`."""
    if isinstance(error, SystemExit):
        return error_text(f"The algorithm exited with code {error.code!r}", "SystemExit", trace(error))
    return error_text(str(error), str(getattr(error, "error_type", error_type)), trace(error))


def trace(error: BaseException) -> str:
    """The stack trace without the frames of this file and of the import machinery at its start."""
    frames = error.__traceback__
    while frames is not None and _own(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def _own(file: str) -> bool:
    return file in (__file__, importlib.__file__) or file.startswith("<frozen importlib")


def error_text(message: str, error_type: str, stacktrace: str = "") -> str:
    """The answer for an error."""
    return json.dumps({"error": {"message": message, "error_type": error_type, "stacktrace": stacktrace}})


if __name__ == "__main__":
    main()
