"""The child process of a `Judge`: one JSON request a line on stdin; on stdout each expectation that begins, then the verdict.

The kernel ends it when a verdict takes too long, also inside a regular expression, which no exception reaches. The limits are set
here again and not shared with the renderer of templates: that one imports nothing of algosync.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from base64 import b64decode
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from algosync.answers.verdict import Begun, compared, verdict
from algosync.core.testing.answer import Answer, CallFailure, Mismatch
from algosync.core.testing.case import Expectation
from algosync.core.typed_json import from_json

__all__ = ["main"]

_STACK = 256 * 1024**2
_DEEPEST_CALL = 50_000
_LARGE = 1024**2  # bytes of a request, which takes several times as much memory once it is read


def main() -> None:
    """Judge until the input ends. The first line has the limits."""
    limits = json.loads(sys.stdin.buffer.readline())
    # deepdiff imports numpy if it is there, whose OpenBLAS would reserve memory for each core of the machine.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    _limit_memory(limits["memory"])
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM, signal.SIGPROF})
    # deepdiff calls itself several times for each level of an answer. Only a thread can be given a larger stack.
    threading.stack_size(_STACK)
    sys.setrecursionlimit(_DEEPEST_CALL)
    work = threading.Thread(target=_serve, args=(limits["seconds"], limits["clock"]))
    work.start()
    work.join()


def _serve(seconds: float, clock: float) -> None:
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, clock)
        found, exhausted = _judged(line)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _tell([asdict(each) for each in found])
        if exhausted:
            return


def _tell(part: object) -> None:
    sys.stdout.buffer.write(json.dumps(part).encode() + b"\n")
    sys.stdout.buffer.flush()


def _tell_begun(begun: Begun) -> None:
    _tell({"begun": begun})


def _judged(line: bytes) -> tuple[tuple[Mismatch, ...], bool]:
    """The verdict, and whether the memory did not suffice: after that the process had better end."""
    try:
        if len(line) > _LARGE:
            import deepdiff  # noqa: F401  # while there is memory: OpenBLAS ends the process if it gets none
        request = json.loads(line)
        expect, answer = _expectation(request["expect"]), _answer(request["answer"])
        sources = [_answer(sent) for sent in request["sources"]]
        return (compared(expect, sources, answer) if sources else verdict(expect, answer, _tell_begun)), False
    except MemoryError:
        return (Mismatch("expect", note="too costly: judging takes too much memory"),), True


@lru_cache(maxsize=16)
def _expectation(text: str) -> Expectation:
    return from_json(Expectation, json.loads(text), "expect")


def _answer(sent: dict[str, Any]) -> Answer:
    failure = None if sent["failure"] is None else CallFailure(**sent["failure"])
    return Answer(**{**sent, "body": b64decode(sent["body"]), "failure": failure})


def _limit_memory(most: int) -> None:
    """Where the system has such limits. No core file, and no bytes into files."""
    try:
        import resource
    except ImportError:
        return
    for kind, wanted in {resource.RLIMIT_AS: most, resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0}.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
