"""The Data API: listings, files, collections, ACLs (facts: `PLATFORM.md` 2)."""

import asyncio
import base64
import contextlib
import re

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Scope

from algosync.emulator.api.data_blocks import blocks, content_type, md5, receive
from algosync.emulator.api.data_requests import PREFIXES, creation, marker_name, place_of, read_acl
from algosync.emulator.clock import seconds_text
from algosync.emulator.errors import ApiError, invalid, not_permitted
from algosync.emulator.http.replies import error_reply, json_reply, read_object
from algosync.emulator.records.accounts import Accounts, Caller
from algosync.emulator.records.blobs import BLOCK, Blobs
from algosync.emulator.records.data_uris import Place, check_readable, check_writable, missing
from algosync.emulator.records.files import Collection, File, Files, Put
from algosync.emulator.variants import Stances

PAGE = 1000

STRICT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}")


class DataApi:
    """`/v1/data/…` and its twin `/v1/connector/data/…`."""

    def __init__(self, files: Files, blobs: Blobs, accounts: Accounts, stances: Stances) -> None:
        self._stances = stances
        self._accounts = accounts
        self._files = files
        self._blobs = blobs

    def routes(self) -> list[Route]:
        """Every verb, on every path below both prefixes."""
        verbs = {
            # Before GET, whose routes in Starlette would answer HEAD as well.
            "HEAD": self._probe,
            "GET": self._read,
            "PUT": self._write,
            "POST": self._create,
            "PATCH": self._change_acl,
            "DELETE": self._delete,
        }
        paths = [path for prefix in PREFIXES for path in (prefix, prefix + "/{path:path}")]
        routes = [Route(path, endpoint, methods=[verb]) for path in paths for verb, endpoint in verbs.items()]
        others = ("/v1/connector/{connector}", "/v1/connector/{connector}/{path:path}")
        return [*routes, *[Route(path, _unsupported, methods=list(verbs)) for path in others]]

    async def _read(self, request: Request) -> Response:
        caller, _, place = place_of(request)
        if not place.file:
            return json_reply(self._listing(request, caller, place), headers={"X-Data-Type": "directory"})
        collection = self._readable(caller, place)
        found = await asyncio.to_thread(self._files.open, collection, place.file) if collection else None
        if found is None:
            raise missing()
        file, content = found
        if file.size <= BLOCK:
            with content:
                return _whole(request, await asyncio.to_thread(content.read))
        headers = {"X-Data-Type": "file", "Content-Length": str(file.size)}
        return StreamingResponse(blocks(content), 200, headers, media_type=_media_type(request, None))

    def readable(self, scope: Scope) -> Collection | None:
        """The collection of the file that a GET asks for. Raises `ApiError` for one that is not for the caller."""
        caller, _, place = place_of(Request(scope))
        return self._readable(caller, place) if place.file else None

    def writable(self, scope: Scope) -> Collection | None:
        """The collection of the file that a PUT is about. Raises `ApiError` for one that is not for the caller."""
        caller, _, place = place_of(Request(scope))
        return self._target(caller, place)

    def takes(self, size: int) -> bool:
        """Whether a file may have so many bytes."""
        return self._stances.largest_file is None or size <= self._stances.largest_file

    def store(self, puts: list[Put]) -> list[Response]:
        """Store small contents where `writable` permits it, all at once; the answers to the PUTs."""
        stored = self._files.put_all(puts)
        return [_stored(put.path) if alive else error_reply(missing()) for put, alive in zip(puts, stored, strict=True)]

    async def _probe(self, request: Request) -> Response:
        caller, _, place = place_of(request)
        if place.file:
            collection = self._readable(caller, place)
            file = self._files.file(collection, place.file) if collection else None
            if collection is None or file is None:
                raise missing()
            headers = {"X-Data-Type": "file", "Content-Length": str(file.size)}
            # Of a record of the past there may be no bytes any more: then it has no tag, and the type of what is too large.
            with contextlib.suppress(FileNotFoundError):
                if self._stances.etag and (found := await asyncio.to_thread(self._files.open, collection, file.name)):
                    headers["ETag"] = await asyncio.to_thread(md5, found[1])
            small = await asyncio.to_thread(self._files.read, collection, file.name, BLOCK)
            return Response(None, 200, headers, media_type=_media_type(request, small))
        if place.collection:
            self._readable(caller, place)
        elif place.account:
            self._check_account(place, caller)
        return Response(None, 200, {"X-Data-Type": "directory"}, media_type="application/json")

    def _listing(self, request: Request, caller: Caller, place: Place) -> dict[str, object]:
        if not place.account:
            return {"folders": [{"name": name} for name in (caller.user, *caller.organizations)]}
        after = marker_name(request.query_params.get("marker", ""))
        if not place.collection:
            self._check_account(place, caller)
            names = self._files.collections(place.account, after, PAGE + 1)
            listing: dict[str, object] = {"folders": [{"name": name} for name in names[:PAGE]]} if names else {}
        else:
            collection = self._readable(caller, place)
            files = self._files.page(collection, after, PAGE + 1) if collection else []
            names = [file.name for file in files]
            listing = {"files": [_entry(file) for file in files[:PAGE]]} if files else {}
            if request.query_params.get("acl") == "true" and collection and _has_acl(place, caller):
                listing["acl"] = {"read": collection.acl}
        if len(names) > PAGE:
            listing["marker"] = base64.urlsafe_b64encode(names[PAGE - 1].encode()).decode()
        return listing

    async def _write(self, request: Request) -> Response:
        caller, path, place = place_of(request)
        collection = self._target(caller, place)
        content = self._blobs.new()
        try:
            await receive(request, content, self._stances.largest_file)
            stored = await asyncio.to_thread(self._files.put, collection, place.file, content)
        except BaseException:
            content.discard()
            raise
        if not stored:
            raise missing()
        return _stored(path)

    def _target(self, caller: Caller, place: Place) -> Collection:
        if not place.file:
            raise invalid("A file needs a collection and a name")
        check_writable(place, caller)
        collection = self._files.collection(place)
        if collection is None and place.special:
            collection = self._files.create(place, []) or self._files.collection(place)
        if collection is None:
            raise ApiError(404, "The collection of this file does not exist")
        return collection

    async def _create(self, request: Request) -> Response:
        caller, path, parent = place_of(request)
        body = await creation(request)
        name = body.get("name")
        if parent.collection or not parent.account:
            raise invalid("Collections are made directly below an account")
        if not isinstance(name, str) or not name or "/" in name or name.startswith("."):
            raise invalid("A collection needs a name without slashes that does not begin with a dot")
        if self._stances.strict_names and not STRICT_NAME.fullmatch(name):
            raise invalid("A collection's name begins with a letter; letters, digits and underscores follow, 30 at most")
        check_writable(parent, caller)
        acl = read_acl(body) if body.get("acl") is not None else None
        if self._files.create(Place(parent.account, name), acl) is None:
            raise ApiError(self._stances.duplicate_status, f"The collection {name} exists already")
        return json_reply({"result": f"data://{path}/{name}"})

    async def _change_acl(self, request: Request) -> Response:
        caller, _, place = place_of(request)
        acl = read_acl(await read_object(request))
        if not place.collection or place.file or place.special:
            raise invalid("Only collections have an ACL")
        check_writable(place, caller)
        collection = self._files.collection(place)
        if collection is None:
            raise missing()
        self._files.set_acl(collection, acl)
        return Response(None, 200)

    async def _delete(self, request: Request) -> Response:
        caller, _, place = place_of(request)
        if place.account:
            self._check_account(place, caller)
        if not place.collection:
            raise invalid("An account cannot be deleted here")
        collection = self._files.collection(place)
        if collection is None:
            raise missing()
        if place.file:
            if not self._files.delete(collection, place.file):
                raise missing()
            return json_reply({"result": {"deleted": 1}})
        force = request.query_params.get("force") == "true"
        deleted = self._files.delete_collection(collection, force=force)
        if deleted is None:
            raise ApiError(400, "The collection is not empty", deleted=0)
        return json_reply({"result": {"deleted": deleted + 1}})

    def _check_account(self, place: Place, caller: Caller) -> None:
        """Raises `ApiError` 404 for an account that there is not, 403 for another's."""
        if caller.owns(place.account):
            return
        there = self._accounts.has_user(place.account) or self._accounts.profile_of_organization(place.account) is not None
        raise not_permitted() if there else missing()

    def _readable(self, caller: Caller, place: Place) -> Collection | None:
        """The collection; None for a special one that nobody has written to yet."""
        collection = self._files.collection(place)
        if collection is None:
            if place.special:
                return None
            raise missing()
        check_readable(place, collection.acl, caller)
        return collection


async def _unsupported(request: Request) -> Response:
    """S3, Dropbox and their like, of which this cluster has none."""
    raise invalid(f"unsupported connector {request.path_params['connector']}: this cluster has hosted data only")


def _whole(request: Request, body: bytes) -> Response:
    return Response(body, 200, {"X-Data-Type": "file"}, media_type=_media_type(request, body))


def _media_type(request: Request, body: bytes | None) -> str:
    """Of a file's content; None stands for one that is too large to be looked into."""
    return content_type(request.headers.get("accept", "*/*"), body)


def _stored(path: str) -> Response:
    return json_reply({"result": f"data://{path}"})


def _has_acl(place: Place, caller: Caller) -> bool:
    return caller.owns(place.account) and not place.special


def _entry(file: File) -> dict[str, object]:
    return {"filename": file.name, "size": file.size, "last_modified": seconds_text(file.modified)}
