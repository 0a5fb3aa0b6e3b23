"""Calls of algorithms: `POST /v1/algo/OWNER/NAME[/REFERENCE]`, or with an id (`PLATFORM.md` §3.7, §6, §7)."""

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
"""Characters of a stack trace to record for a failed call. The end is kept, because it names the place of the error."""

MAX_PRINTED = 4096
"""Characters of an algorithm's output to record for a failed call. The end is kept."""

MAX_RESULT = 4096
"""Characters of a successful call's result to record for the pages."""

RECENT = 50
"""Successful calls to record, in memory only."""

HASH = re.compile(r"[0-9a-f]{40}")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class CallsApi:
    """Resolves references and runs calls."""

    def __init__(self, catalog: Catalog, pool: Pool, files: Files, variants: Variants) -> None:
        self._variants = variants
        self._catalog = catalog
        self._pool = pool
        self._files = files
        self.successes: deque[dict[str, object]] = deque(maxlen=RECENT)
        """The last successful calls, newest first. The keys are the fields of the pages' `FailureLine`."""
        self._detached: set[asyncio.Task[CallResult]] = set()

    def routes(self) -> list[Route]:
        """Calls of algorithms, and insights that algorithms post."""
        return [Route("/v1/algo/{path:path}", self._call, methods=["POST"]), Route("/v1/insights", self._drop, methods=["POST"])]

    async def close(self) -> None:
        """Cancel the calls whose reply was sent before their end (`output=void`)."""
        for task in self._detached:
            task.cancel()
        await asyncio.gather(*self._detached, return_exceptions=True)

    async def _drop(self, request: Request) -> Response:
        """Discard insights. The official client posts them without a key, so this route must not store or buffer anything."""
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
        result = await run
        if result.error:
            request.scope["failed"] = str(result.error.get("error_type") or "error")
        if output == "raw":
            return _written(_raw, result)
        own = caller.owns(target.algorithm.owner)
        extras: Document = {"request_id": call.id}
        if own and request.query_params.get("stdout", "").lower() == "true":
            extras["stdout"] = result.stdout
        if request.query_params.get("timing") == "1":
            extras["timing"] = {"running": result.duration, "total": time.monotonic() - arrived}
        trace = own or target.algorithm.settings["source_visibility"] == "open"
        return _written(lambda result: json_reply(_reply(result, extras, trace=trace)), result)

    async def _run(self, target: Target, call: Call, payload: Document, timeout: float) -> CallResult:
        try:
            result = await self._pool.call(target, call, payload, timeout)
        finally:
            if call.depth == 0:
                await asyncio.to_thread(self._files.end_tree, call.user, call.tree)
        if result.error:
            if self._pool.lacks_room(result.error):
                raise no_room()
            record = _failure(target, call, payload, result)
            await asyncio.to_thread(self._catalog.algorithms.add_failure, target.algorithm.id, record)
        else:
            self.successes.appendleft(_success(target, call, payload, result))
        return result

    def _target(self, caller: Caller, path: str) -> Target:
        """The build that a path selects. Raises `ApiError` 404 if there is none, and 403 if the caller may not call it."""
        segments = _segments(path)
        missing = ApiError(404, f"algorithm algo://{'/'.join(segments)} not found")
        algorithm, reference = self._addressed(caller, segments)
        if algorithm is None:
            raise missing
        own = caller.owns(algorithm.owner)
        version = None
        if HASH.fullmatch(reference):
            build = self._catalog.builds.of_commit(algorithm.id, reference)
            if own and (build is None or build.status != SUCCEEDED):
                message = f"{missing.message}: there is no successful build of this version hash"
                raise ApiError(self._variants.unbuilt_status, message)
        else:
            version = self._catalog.versions.resolve(algorithm.id, reference)
            if version is None and (own or self._may_learn_absence(algorithm, reference)):
                raise self._no_public_version(algorithm, missing) if own and reference in ("", "latest") else missing
            build = self._catalog.builds.of_commit(algorithm.id, version.commit) if version else None
        if build is None or not (own or (version and version.public)):
            raise not_permitted()
        settings = version.settings if version else algorithm.settings
        _check_nesting(caller)
        secrets = self._catalog.secrets.variables(algorithm.id)
        return Target(algorithm, build, settings.get("pipeline_enabled") is True, secrets)

    def _may_learn_absence(self, algorithm: Algorithm, reference: str) -> bool:
        """Whether other users get 404, not 403: the reference selects public versions only, or the algorithm has some."""
        if reference in ("", "latest"):
            return True
        return reference != "latestPrivate" and self._catalog.versions.resolve(algorithm.id, "latest") is not None

    def _no_public_version(self, algorithm: Algorithm, missing: ApiError) -> ApiError:
        """The error for an owner who calls an algorithm without a reference. It explains private versions, if there are any."""
        if not self._catalog.versions.of(algorithm.id):
            return missing
        hint = "it has no public version; call private ones by /latestPrivate or by their number"
        return ApiError(404, f"{missing.message}: {hint}")

    def _addressed(self, caller: Caller, segments: list[str]) -> tuple[Algorithm | None, str]:
        """The algorithm that a path names by its id, or by owner and name, and the rest of the path as a reference."""
        if self._variants.my_algorithms and segments[0] == ".my":
            segments = [caller.user, *segments[1:]]
        if ID.fullmatch(segments[0]) and len(segments) <= 2:
            return self._catalog.algorithms.get(segments[0].lower()), "".join(segments[1:])
        if len(segments) in (2, 3):
            algorithms, names = self._catalog.algorithms, segments[:2]
            found = algorithms.find(*names) or (algorithms.find_in_any_case(*names) if self._variants.any_case else None)
            return found, "".join(segments[2:])
        return None, ""


def _check_nesting(caller: Caller) -> None:
    """Raises `ApiError` 403 if the calling algorithm may not call others, or is nested too deep."""
    if caller.inside and not caller.inside.may_call:
        raise not_permitted("pipeline_enabled is off: this algorithm may not call others")
    if caller.inside and caller.inside.depth >= MAX_DEPTH:
        raise not_permitted(f"Algorithms are nested deeper than {MAX_DEPTH} calls")


def _call_of(caller: Caller) -> Call:
    """The call of a request. A call from inside an algorithm joins its tree, any other starts a new tree."""
    if caller.inside is None:
        return Call(caller.user, uuid.uuid4().hex, 0, rights=caller.rights)
    return Call(caller.user, caller.inside.tree, caller.inside.depth + 1, caller.inside.call, caller.rights)


def _segments(path: str) -> list[str]:
    """The segments of a path. Some clients send a whole `algo://` URI, or a trailing slash."""
    return path.strip("/").removeprefix("algo:").strip("/").split("/")


def _payload(content_type: str, body: bytes) -> Document:
    """The input in the format of the runner. Raises `ApiError` 415 for other content types, and 400 for invalid JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("text/plain", "application/text"):
        return {"content_type": "text", "data": body.decode("utf-8", "replace")}
    if kind == "application/octet-stream":
        return {"content_type": "binary", "data": base64.b64encode(body).decode()}
    if kind != "application/json":
        raise ApiError(415, f"Algorithms do not accept the content type {kind or '(none)'}")
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


def _written(write: Callable[[CallResult], Response], result: CallResult) -> Response:
    """A result as a reply. The reply is an error if the result cannot be encoded: it is nested too deep, or not base64."""
    try:
        return write(result)
    except (RecursionError, ValueError):
        message = "The algorithm's result is nested too deep, or does not match its content type"
        return write(replace(failed(message, "AlgorithmError"), stdout=result.stdout, duration=result.duration))


def _reply(result: CallResult, extras: Document, *, trace: bool) -> dict[str, object]:
    """The documented reply with `extras` in its metadata.

    `trace` adds the stack trace, for callers who may see the source. It has two names, because clients use both.
    """
    if result.error:
        error = {name: value for name, value in result.error.items() if name != "stacktrace"}
        if trace:
            error["stacktrace"] = error["stack_trace"] = result.error.get("stacktrace", "")
        return {"error": error, "metadata": {"duration": result.duration, **extras}}
    return {**result.document, "metadata": {**_metadata(result), "duration": result.duration, **extras}}


def _metadata(result: CallResult) -> Document:
    found = result.document.get("metadata")
    return found if isinstance(found, dict) else {}


def _raw(result: CallResult) -> Response:
    """The reply for `output=raw`: the bare result."""
    if result.error:
        return Response(str(result.error.get("message")).encode("utf-8", "replace"), 400, media_type="text/plain")
    value = result.document.get("result")
    content_type = _metadata(result).get("content_type")
    if content_type == "binary":
        return Response(base64.b64decode(str(value)), media_type="application/octet-stream")
    if content_type == "text":
        return Response(str(value).encode("utf-8", "replace"), media_type="text/plain")
    return json_reply(value)


def _beginning(data: object, most: int = 128) -> str:
    """The first `most` characters of an input or a result: of a text itself, of other values as JSON."""
    try:
        return (data if isinstance(data, str) else json.dumps(data, ensure_ascii=False))[:most]
    except RecursionError:
        return "(nested too deep to be shown)"


def _success(target: Target, call: Call, payload: Document, result: CallResult) -> dict[str, object]:
    """The record of a successful call, for the pages. Its message is the beginning of the result."""
    algorithm = {"owner": target.algorithm.owner, "name": target.algorithm.name, "commit": target.build.commit}
    origin = {"id": call.id, "at": now_text(), "user": call.user, "input": _beginning(payload["data"])}
    message = _beginning(result.document.get("result"), MAX_RESULT)
    printed = result.stdout[-MAX_PRINTED:]
    return {**algorithm, **origin, "message": message, "trace": "", "printed": printed, "seconds": result.duration}


def _failure(target: Target, call: Call, payload: Document, result: CallResult) -> dict[str, object]:
    """The record of a failed call, for the list of errors and the pages."""
    error = result.error or {}
    return {
        "request_id": call.id,
        "username": call.user,
        "algoname": target.algorithm.name,
        "algoversion": target.build.commit,
        "input": _beginning(payload["data"]),
        "error": error.get("message"),
        "error_type": error.get("error_type"),
        "stacktrace": str(error.get("stacktrace") or "")[-MAX_TRACE:],
        "stdout": result.stdout[-MAX_PRINTED:],
        "duration": result.duration,
        "billable_to": call.user,
        "worker": "local",
    }
