"""The data files of the stub, by the Data API and by WebDAV. Small ones are in memory, large ones in a folder."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from benchmark.stub.http import FileReply, Reply, Request, json_reply, reply

__all__ = ["Collection", "Files"]

PAGE = 1000  # entries of a listing (PLATFORM.md §2.3)
_FILE = b"X-Data-Type: file\r\nContent-Type: application/octet-stream\r\n"
_FOLDER = b"X-Data-Type: directory\r\n"
_NO_PATH = json_reply({"error": {"message": "path not found"}}, 404)
_START = b"HTTP/1.1 200 OK\r\n"
_DAV_FOLDER = (
    "<D:response><D:href>{}</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop>"
    "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
)
_DAV_FILE = (
    "<D:response><D:href>{}</D:href><D:propstat><D:prop><D:resourcetype/><D:getcontentlength>{}</D:getcontentlength>"
    "<D:getlastmodified>{}</D:getlastmodified></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
)


@dataclass(slots=True)
class StoredFile:
    """A file. `content` is its bytes, or the file that has them. `written` is in seconds since 1970."""

    content: bytes | Path
    size: int
    written: int


@dataclass(slots=True)
class Collection:
    """The files of a collection by name, and the replies that list them, by their query."""

    readers: list[str]
    files: dict[str, StoredFile] = field(default_factory=dict)
    listings: dict[bytes, Reply] = field(default_factory=dict)

    def listing(self, query: bytes) -> Reply:
        """One page. The marker of the next page is the place of its first entry."""
        found = self.listings.get(query)
        if found is None:
            options = dict(part.split(b"=", 1) for part in query.split(b"&") if part)
            first = int(options.get(b"marker", 0))
            names = sorted(self.files)[first : first + PAGE]
            page: dict[str, object] = {"files": [self._entry(name) for name in names]} if names else {}
            if first + PAGE < len(self.files):
                page["marker"] = str(first + PAGE)
            if b"acl" in options:
                page["acl"] = {"read": self.readers}
            found = self.listings[query] = json_reply(page, headers=_FOLDER)
        return found

    def _entry(self, name: str) -> dict[str, object]:
        file = self.files[name]
        modified = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(file.written))
        return {"filename": name, "size": file.size, "last_modified": modified}


class Files:
    """All collections of the one owner. `folder`: has a folder of files for each of them, if another server writes them."""

    def __init__(self, folder: Path | None = None) -> None:
        self.collections: dict[str, Collection] = {}
        self._folder = folder

    def empty(self) -> None:
        """Delete everything."""
        for name, collection in self.collections.items():
            self._look(name)
            for file in collection.files.values():
                if isinstance(file.content, Path):
                    file.content.unlink()
        self.collections.clear()

    def answer(self, request: Request, path: list[str], query: bytes) -> Reply | FileReply:
        """A request of the Data API. `path` is what follows the owner: a collection, or a collection and a file."""
        if not path:
            return self._create(json.loads(request.body)) if request.method == b"POST" else self._names()
        self._look(path[0])
        found = self.collections.get(path[0])
        if found is None:
            return _NO_PATH
        if len(path) == 2:
            return self._file(request, found, path[1])
        if request.method == b"PATCH":
            found.readers = json.loads(request.body)["acl"]["read"]
            found.listings.clear()
            return reply(200)
        if request.method == b"DELETE":
            del self.collections[path[0]]
            return json_reply({"result": {"deleted": 1}})
        return found.listing(query)

    def _names(self) -> Reply:
        return json_reply({"folders": [{"name": name} for name in self.collections]}, headers=_FOLDER)

    def _create(self, body: dict[str, dict[str, list[str]]]) -> Reply:
        self._add(str(body["name"]), body.get("acl", {}).get("read", ["algo://.my/*"]))
        return json_reply({"result": f"data://local/{body['name']}"})

    def _file(self, request: Request, collection: Collection, name: str) -> Reply | FileReply:
        if request.method == b"PUT":
            store(collection, name, request)
            return json_reply({"result": f"data://local/{name}"})
        if name not in collection.files:
            return _NO_PATH
        if request.method == b"DELETE":
            del collection.files[name]
            collection.listings.clear()
            return json_reply({"result": {"deleted": 1}})
        return read(collection.files[name], request.method)

    def webdav(self, request: Request, path: list[str]) -> Reply | FileReply:
        """A request of WebDAV for the same files."""
        if request.method == b"PROPFIND":
            return self._found(path, deep=b"\ndepth: 1" in request.head.lower())
        if request.method == b"MKCOL":
            self._add(path[0], ["algo://.my/*"])
            return reply(201)
        if len(path) != 2 or (request.method != b"PUT" and path[1] not in self.collections[path[0]].files):
            return reply(404)
        if request.method == b"PUT":
            store(self.collections[path[0]], path[1], request)
            return reply(201)
        return read(self.collections[path[0]].files[path[1]], request.method)

    def _add(self, name: str, readers: list[str]) -> None:
        self.collections.setdefault(name, Collection(readers))
        if self._folder is not None:
            (self._folder / name).mkdir(parents=True, exist_ok=True)

    def _look(self, name: str, file: str = "") -> None:
        """Find the files that the other server has written into a collection, or only this one."""
        found = self.collections.get(name)
        if self._folder is None or found is None:
            return
        folder = self._folder / name
        if not file:
            found.files, found.listings = {}, {}
        names = os.listdir(folder) if not file else [file] if (folder / file).exists() else []
        for each in names:
            about = os.stat(folder / each)
            found.files[each] = StoredFile(folder / each, about.st_size, int(about.st_mtime))

    def _found(self, path: list[str], *, deep: bool) -> Reply:
        if path:
            self._look(*path)
        if path and (path[0] not in self.collections or (path[1:] and path[1] not in self.collections[path[0]].files)):
            return reply(404)
        here = "/".join(["/dav", *map(quote, path)])
        if len(path) == 2:
            parts = [_dav_file(here, self.collections[path[0]].files[path[1]])]
        else:
            parts = [_DAV_FOLDER.format(f"{here}/")]
            if deep and path:
                parts += [_dav_file(f"{here}/{quote(name)}", file) for name, file in self.collections[path[0]].files.items()]
            elif deep:
                parts += [_DAV_FOLDER.format(f"{here}/{quote(name)}/") for name in self.collections]
        body = f'<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">{"".join(parts)}</D:multistatus>'
        return reply(207, body.encode(), b"Content-Type: text/xml\r\n")


def segments(path: bytes) -> list[str]:
    """The decoded names in a path."""
    return [unquote_to_bytes(part).decode() for part in path.split(b"/") if part]


def store(collection: Collection, name: str, request: Request) -> None:
    """Create or overwrite a file."""
    content = request.body if request.file is None else request.file
    old = collection.files.get(name)
    if old is not None and isinstance(old.content, Path):
        old.content.unlink()
    collection.files[name] = StoredFile(content, request.size, int(time.time()))
    collection.listings.clear()


def read(file: StoredFile, method: bytes) -> Reply | FileReply:
    """The bytes of a file; only their number at HEAD."""
    start = b"%sContent-Length: %d\r\nLast-Modified: %s\r\n\r\n" % (
        _FILE,
        file.size,
        formatdate(file.written, usegmt=True).encode(),
    )
    if method == b"HEAD":
        return Reply(_START, start)
    if isinstance(file.content, Path):
        return FileReply(_START, start, file.content, file.size)
    return Reply(_START, start + file.content)


def _dav_file(href: str, file: StoredFile) -> str:
    return _DAV_FILE.format(href, file.size, formatdate(file.written, usegmt=True))
