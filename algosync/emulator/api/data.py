"""The Data API: listings, files, collections, ACLs (facts: `PLATFORM.md` §2)."""

import asyncio
import base64
import contextlib
import re

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from algosync.emulator.api.data_blocks import SMALL, blocks, content_type, md5, receive
from algosync.emulator.api.data_requests import PREFIXES, creation, marker_name, read_acl, resolve
from algosync.emulator.clock import seconds_text
from algosync.emulator.errors import ApiError, invalid, not_permitted
from algosync.emulator.http.replies import json_reply, read_object
from algosync.emulator.records.accounts import Accounts, Caller
from algosync.emulator.records.blobs import BLOCK, Blobs
from algosync.emulator.records.data_uris import DataPath, check_readable, check_writable, missing
from algosync.emulator.records.files import Collection, Files, StoredFile
from algosync.emulator.variants import Variants

PAGE = 1000
"""Most entries of a listing."""


STRICT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}")


class FilesApi:
    """The routes `/v1/data/…` and `/v1/connector/data/…`, which do the same."""

    def __init__(self, files: Files, blobs: Blobs, accounts: Accounts, variants: Variants) -> None:
        self._variants = variants
        self._accounts = accounts
        self._files = files
        self._blobs = blobs

    def routes(self) -> list[Route]:
        """Routes for every method, on every path below both prefixes."""
        verbs = {
            # Before GET, because Starlette's routes for GET answer HEAD as well.
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
        caller, _, path = resolve(request)
        if not path.file:
            return json_reply(self._listing(request, caller, path), headers={"X-Data-Type": "directory"})
        collection = self._readable(caller, path)
        found = self._files.open(collection, path.file) if collection else None
        if found is None:
            raise missing()
        file, content = found
        if file.size > BLOCK:
            headers = {"X-Data-Type": "file", "Content-Length": str(file.size)}
            return StreamingResponse(blocks(content), 200, headers, media_type=_media_type(request, None))
        with content:
            # A thread would take longer to start than a small file takes to read.
            body = content.read() if file.size <= SMALL else await asyncio.to_thread(content.read)
        return Response(body, 200, {"X-Data-Type": "file"}, media_type=_media_type(request, body))

    async def _probe(self, request: Request) -> Response:
        caller, _, path = resolve(request)
        if path.file:
            return await asyncio.to_thread(self._probe_file, request, caller, path)
        if path.collection:
            self._readable(caller, path)
        elif path.account:
            self._check_account(path, caller)
        return Response(None, 200, {"X-Data-Type": "directory"}, media_type="application/json")

    def _probe_file(self, request: Request, caller: Caller, path: DataPath) -> Response:
        collection = self._readable(caller, path)
        file = self._files.file(collection, path.file) if collection else None
        if collection is None or file is None:
            raise missing()
        headers = {"X-Data-Type": "file", "Content-Length": str(file.size)}
        small = None
        # The record may be a past one whose content is gone. It is answered without a tag, and with the type of a large file.
        with contextlib.suppress(FileNotFoundError):
            if self._variants.etag and (found := self._files.open(collection, file.name)):
                headers["ETag"] = md5(found[1])
            small = self._files.read(collection, file.name, BLOCK)
        return Response(None, 200, headers, media_type=_media_type(request, small))

    def _listing(self, request: Request, caller: Caller, path: DataPath) -> dict[str, object]:
        if not path.account:
            return {"folders": [{"name": name} for name in (caller.user, *caller.organizations)]}
        after = marker_name(request.query_params.get("marker", ""))
        if not path.collection:
            self._check_account(path, caller)
            names = self._files.collections(path.account, after, PAGE + 1)
            listing: dict[str, object] = {"folders": [{"name": name} for name in names[:PAGE]]} if names else {}
        else:
            collection = self._readable(caller, path)
            files = self._files.page(collection, after, PAGE + 1) if collection else []
            names = [file.name for file in files]
            listing = {"files": [_entry(file) for file in files[:PAGE]]} if files else {}
            if request.query_params.get("acl") == "true" and collection and caller.owns(path.account) and not path.special:
                listing["acl"] = {"read": collection.acl}
        if len(names) > PAGE:
            listing["marker"] = base64.urlsafe_b64encode(names[PAGE - 1].encode()).decode()
        return listing

    async def _write(self, request: Request) -> Response:
        caller, written, path = resolve(request)
        collection = self._target(caller, path)
        content = self._blobs.new()
        try:
            await receive(request, content, self._variants.largest_file)
            stored = await asyncio.to_thread(self._files.put, collection, path.file, content)
        except BaseException:
            content.discard()
            raise
        if not stored:
            raise missing()
        return json_reply({"result": f"data://{written}"})

    def _target(self, caller: Caller, path: DataPath) -> Collection:
        """The collection of a file to be written. Special collections are created."""
        if not path.file:
            raise invalid("A file needs a collection and a name")
        check_writable(path, caller)
        collection = self._files.collection(path)
        if collection is None and path.special:
            collection = self._files.create(path, []) or self._files.collection(path)
        if collection is None:
            raise ApiError(404, "The collection of this file does not exist")
        return collection

    async def _create(self, request: Request) -> Response:
        caller, written, parent = resolve(request)
        body = await creation(request)
        name = body.get("name")
        if parent.collection or not parent.account:
            raise invalid("Collections are made directly below an account")
        if not isinstance(name, str) or not name or "/" in name or name.startswith("."):
            raise invalid("A collection needs a name without slashes that does not begin with a dot")
        if self._variants.strict_names and not STRICT_NAME.fullmatch(name):
            raise invalid("A collection's name begins with a letter; letters, digits and underscores follow, 30 at most")
        check_writable(parent, caller)
        acl = read_acl(body) if body.get("acl") is not None else None
        if self._files.create(DataPath(parent.account, name), acl) is None:
            raise ApiError(self._variants.duplicate_status, f"The collection {name} exists already")
        return json_reply({"result": f"data://{written}/{name}"})

    async def _change_acl(self, request: Request) -> Response:
        caller, _, path = resolve(request)
        acl = read_acl(await read_object(request))
        if not path.collection or path.file or path.special:
            raise invalid("Only collections have an ACL")
        check_writable(path, caller)
        collection = self._files.collection(path)
        if collection is None:
            raise missing()
        self._files.set_acl(collection, acl)
        return Response(None, 200)

    async def _delete(self, request: Request) -> Response:
        caller, _, path = resolve(request)
        if path.account:
            self._check_account(path, caller)
        if not path.collection:
            raise invalid("An account cannot be deleted here")
        collection = self._files.collection(path)
        if collection is None:
            raise missing()
        if path.file:
            if not self._files.delete(collection, path.file):
                raise missing()
            return json_reply({"result": {"deleted": 1}})
        force = request.query_params.get("force") == "true"
        deleted = self._files.delete_collection(collection, force=force)
        if deleted is None:
            raise ApiError(400, "The collection is not empty", deleted=0)
        return json_reply({"result": {"deleted": deleted + 1}})

    def _check_account(self, path: DataPath, caller: Caller) -> None:
        """Raises `ApiError` 404 for an unknown account, 403 for somebody else's."""
        if caller.owns(path.account):
            return
        there = self._accounts.has_user(path.account) or self._accounts.profile_of_organization(path.account) is not None
        raise not_permitted() if there else missing()

    def _readable(self, caller: Caller, path: DataPath) -> Collection | None:
        """The collection, if the caller may read it. None for a special collection without any data yet."""
        collection = self._files.collection(path)
        if collection is None:
            if path.special:
                return None
            raise missing()
        check_readable(path, collection.acl, caller)
        return collection


async def _unsupported(request: Request) -> Response:
    """Connectors to S3, Dropbox and the like do not exist here."""
    raise invalid(f"unsupported connector {request.path_params['connector']}: this cluster has hosted data only")


def _media_type(request: Request, body: bytes | None) -> str:
    """The media type for a file. `body` is None for a file that is too large to look at."""
    return content_type(request.headers.get("accept", "*/*"), body)


def _entry(file: StoredFile) -> dict[str, object]:
    return {"filename": file.name, "size": file.size, "last_modified": seconds_text(file.modified)}
