"""Calls of algorithms: `POST /v1/algo/OWNER/NAME[/REFERENCE]`, or with an id (facts: `PLATFORM.md` 3.7, 6, 7)."""

import asyncio
import base64
import json
import re
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from algosync.emulator.clock import now_text
from algosync.emulator.errors import ApiError, no_room, not_permitted
from algosync.emulator.http.replies import caller_of, json_reply, loaded, read_body
from algosync.emulator.records.accounts import Caller
from algosync.emulator.records.algorithms import Algorithm
from algosync.emulator.records.builds import SUCCEEDED
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.files import Files
from algosync.emulator.running.calls import Call, CallResult, Document, Target, failed
from algosync.emulator.running.pool import Pool
from algosync.emulator.variants import Variants

MAX_INPUT = 10 * 1024 * 1024
DEFAULT_TIMEOUT = 300
MAX_TIMEOUT = 3000
MAX_DEPTH = 24
MAX_TRACE = 8000
"""Characters of a stack trace that are kept with a failed call: its end says where."""

MAX_PRINTED = 4096
"""Characters of what an algorithm printed that are kept with its failed call: the last ones before it failed."""

RECENT = 50
"""Successful calls that the pages show. They are kept in memory only."""

MAX_SHOWN = 4096
"""Characters of a call's answer that are kept for the pages."""

HASH = re.compile(r"[0-9a-f]{40}")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class CallsApi:
    """Resolves references and runs calls."""

    def __init__(self, records: Catalog, pool: Pool, files: Files, variants: Variants) -> None:
        self._variants = variants
        self._records = records
        self._pool = pool
        self._files = files
        self.answered: deque[dict[str, object]] = deque(maxlen=RECENT)
        """The last successful calls, newest first."""
        self._detached: set[asyncio.Task[CallResult]] = set()

    def routes(self) -> list[Route]:
        """Calls, whose reference is part of the path, and what algorithms report of themselves."""
        return [Route("/v1/algo/{path:path}", self._call, methods=["POST"]), Route("/v1/insights", self._drop, methods=["POST"])]

    async def close(self) -> None:
        """Give up the calls that nobody waits for."""
        for task in self._detached:
            task.cancel()
        await asyncio.gather(*self._detached, return_exceptions=True)

    async def _drop(self, request: Request) -> Response:
        """Insights go nowhere. The official client sends them without a key, so the gate asks for none: nothing of them is held."""
        async for _ in request.stream():
            pass
        return json_reply({})

    async def _call(self, request: Request) -> Response:
        arrived = time.monotonic()
        caller = caller_of(request)
        timeout = _timeout(request.query_params.get("timeout"))
        payload = _payload(request.headers.get("content-type", ""), await read_body(request, MAX_INPUT))
        target = self._target(caller, request.path_params["path"])
        call = _call_of(caller)
        request.scope["call"] = call.id
        run = self._run(target, call, payload, timeout)
        output = request.query_params.get("output")
        if output == "void":
            task = asyncio.create_task(run)
            self._detached.add(task)
            task.add_done_callback(self._detached.discard)
            return json_reply({"async": "void", "async_protocol": "void", "request_id": call.id})
        outcome = await run
        if outcome.error:
            request.scope["failed"] = str(outcome.error.get("error_type") or "error")
        if output == "raw":
            return _written(_raw, outcome)
        own = caller.owns(target.algorithm.owner)
        extras: Document = {"request_id": call.id}
        if own and request.query_params.get("stdout", "").lower() == "true":
            extras["stdout"] = outcome.stdout
        if request.query_params.get("timing") == "1":
            extras["timing"] = {"running": outcome.duration, "total": time.monotonic() - arrived}
        trace = own or target.algorithm.settings["source_visibility"] == "open"
        return _written(lambda outcome: json_reply(_reply(outcome, extras, trace=trace)), outcome)

    async def _run(self, target: Target, call: Call, payload: Document, timeout: float) -> CallResult:
        try:
            outcome = await self._pool.call(target, call, payload, timeout)
        finally:
            if call.depth == 0:
                await asyncio.to_thread(self._files.end_tree, call.user, call.tree)
        if outcome.error:
            if self._pool.lacks_room(outcome.error):
                raise no_room()
            record = _failure(target, call, payload, outcome)
            await asyncio.to_thread(self._records.algorithms.add_failure, target.algorithm.id, record)
        else:
            self.answered.appendleft(_success(target, call, payload, outcome))
        return outcome

    def _target(self, caller: Caller, path: str) -> Target:
        """The build that a path means. Raises `ApiError` 404 where there is none, 403 where it is another's."""
        segments = _segments(path)
        missing = ApiError(404, f"algorithm algo://{'/'.join(segments)} not found")
        algorithm, reference = self._addressed(caller, segments)
        if algorithm is None:
            raise missing
        own = caller.owns(algorithm.owner)
        version = None
        if HASH.fullmatch(reference):
            build = self._records.builds.of_commit(algorithm.id, reference)
            if own and (build is None or build.status != SUCCEEDED):
                message = f"{missing.message}: there is no successful build of this version hash"
                raise ApiError(self._variants.unbuilt_status, message)
        else:
            version = self._records.versions.resolve(algorithm.id, reference)
            if version is None and (own or self._told(algorithm, reference)):
                raise self._private(algorithm, missing) if own and reference in ("", "latest") else missing
            build = self._records.builds.of_commit(algorithm.id, version.commit) if version else None
        if build is None or not (own or (version and version.public)):
            raise not_permitted()
        settings = version.settings if version else algorithm.settings
        _check_nesting(caller)
        secrets = self._records.secrets.variables(algorithm.id)
        return Target(algorithm, build, settings.get("pipeline_enabled") is True, secrets)

    def _told(self, algorithm: Algorithm, reference: str) -> bool:
        """Whether strangers hear that there is no such version: where nothing private is meant, or the algorithm is public."""
        if reference in ("", "latest"):
            return True
        return reference != "latestPrivate" and self._records.versions.resolve(algorithm.id, "latest") is not None

    def _private(self, algorithm: Algorithm, missing: ApiError) -> ApiError:
        """What an owner hears who calls without a reference what has no public version."""
        if not self._records.versions.of(algorithm.id):
            return missing
        hint = "it has no public version; private ones are called by /latestPrivate or their number"
        return ApiError(404, f"{missing.message}: {hint}")

    def _addressed(self, caller: Caller, segments: list[str]) -> tuple[Algorithm | None, str]:
        """The algorithm with this id or this owner and name, and the reference behind it."""
        if self._variants.my_algorithms and segments[0] == ".my":
            segments = [caller.user, *segments[1:]]
        if ID.fullmatch(segments[0]) and len(segments) <= 2:
            return self._records.algorithms.get(segments[0].lower()), "".join(segments[1:])
        if len(segments) in (2, 3):
            algorithms, names = self._records.algorithms, segments[:2]
            found = algorithms.find(*names) or (algorithms.find_in_any_case(*names) if self._variants.any_case else None)
            return found, "".join(segments[2:])
        return None, ""


def _check_nesting(caller: Caller) -> None:
    """Raises `ApiError` 403 where an algorithm may not call others, or no deeper."""
    if caller.inside and not caller.inside.may_call:
        raise not_permitted("pipeline_enabled is off: this algorithm may not call others")
    if caller.inside and caller.inside.depth >= MAX_DEPTH:
        raise not_permitted(f"Algorithms are nested deeper than {MAX_DEPTH} calls")


def _call_of(caller: Caller) -> Call:
    """A call from outside is the root of a new tree; one from inside an algorithm belongs to its tree."""
    if caller.inside is None:
        return Call(caller.user, uuid.uuid4().hex, 0, rights=caller.rights)
    return Call(caller.user, caller.inside.tree, caller.inside.depth + 1, caller.inside.call, caller.rights)


def _segments(path: str) -> list[str]:
    """The parts of a reference; some clients send the whole `algo://` URI, or a slash at the end."""
    return path.strip("/").removeprefix("algo:").strip("/").split("/")


def _payload(content_type: str, body: bytes) -> Document:
    """The input as the runner takes it."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("text/plain", "application/text"):
        return {"content_type": "text", "data": body.decode("utf-8", "replace")}
    if kind == "application/octet-stream":
        return {"content_type": "binary", "data": base64.b64encode(body).decode()}
    if kind != "application/json":
        raise ApiError(415, f"The content type {kind or '(none)'} is none that algorithms take")
    try:
        return {"content_type": "json", "data": loaded(body)}
    except (ValueError, RecursionError):
        raise ApiError(400, "The input is not JSON", error_type="ParsingError") from None


def _timeout(text: str | None) -> float:
    try:
        seconds = float(text) if text else DEFAULT_TIMEOUT
    except ValueError:
        raise ApiError(400, "timeout is not a number of seconds") from None
    if not seconds > 0:
        raise ApiError(400, "timeout is not a number of seconds")
    return min(seconds, MAX_TIMEOUT)


def _written(write: Callable[[CallResult], Response], outcome: CallResult) -> Response:
    """An outcome as a reply; an error where its result is none that can be written: nested too deep, or no base64."""
    try:
        return write(outcome)
    except (RecursionError, ValueError):
        message = "The algorithm's result is nested too deep, or not what its content type says"
        return write(replace(failed(message, "AlgorithmError"), stdout=outcome.stdout, duration=outcome.duration))


def _reply(outcome: CallResult, extras: Document, *, trace: bool) -> dict[str, object]:
    """The documented reply with `extras` in its metadata.

    The stack trace is for those who may see the source, and under both of the names that are in use.
    """
    if outcome.error:
        error = {name: value for name, value in outcome.error.items() if name != "stacktrace"}
        if trace:
            error["stacktrace"] = error["stack_trace"] = outcome.error.get("stacktrace", "")
        return {"error": error, "metadata": {"duration": outcome.duration, **extras}}
    return {**outcome.document, "metadata": {**_metadata(outcome), "duration": outcome.duration, **extras}}


def _metadata(outcome: CallResult) -> Document:
    found = outcome.document.get("metadata")
    return found if isinstance(found, dict) else {}


def _raw(outcome: CallResult) -> Response:
    """The bare result."""
    if outcome.error:
        return Response(str(outcome.error.get("message")).encode("utf-8", "replace"), 400, media_type="text/plain")
    result = outcome.document.get("result")
    content_type = _metadata(outcome).get("content_type")
    if content_type == "binary":
        return Response(base64.b64decode(str(result)), media_type="application/octet-stream")
    if content_type == "text":
        return Response(str(result).encode("utf-8", "replace"), media_type="text/plain")
    return json_reply(result)


def _beginning(data: object, most: int = 128) -> str:
    """Of text as it is, of anything else as JSON."""
    try:
        return (data if isinstance(data, str) else json.dumps(data, ensure_ascii=False))[:most]
    except RecursionError:
        return "(nested too deep to be shown)"


def _success(target: Target, call: Call, payload: Document, outcome: CallResult) -> dict[str, object]:
    """What the pages show of a successful call."""
    return {
        "id": call.id,
        "at": now_text(),
        "user": call.user,
        "owner": target.algorithm.owner,
        "name": target.algorithm.name,
        "commit": target.build.commit,
        "input": _beginning(payload["data"]),
        "answer": _beginning(outcome.document.get("result"), MAX_SHOWN),
        "printed": outcome.stdout[-MAX_PRINTED:],
        "seconds": outcome.duration,
    }


def _failure(target: Target, call: Call, payload: Document, outcome: CallResult) -> dict[str, object]:
    """What the list of errors keeps of a failed call, and the pages."""
    error = outcome.error or {}
    return {
        "request_id": call.id,
        "username": call.user,
        "algoname": target.algorithm.name,
        "algoversion": target.build.commit,
        "input": _beginning(payload["data"]),
        "error": error.get("message"),
        "error_type": error.get("error_type"),
        "stacktrace": str(error.get("stacktrace") or "")[-MAX_TRACE:],
        "stdout": outcome.stdout[-MAX_PRINTED:],
        "duration": outcome.duration,
        "billable_to": call.user,
        "worker": "local",
    }
