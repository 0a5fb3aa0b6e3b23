"""Clusters with content for their pages, and helpers to read the pages."""

from __future__ import annotations

import base64
import json
from collections import deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from emulated import Emulator, Reply
from starlette.requests import Request
from starlette.routing import Match

from algosync.emulator.git.repositories import Repositories
from algosync.emulator.pages.routes import ClusterDescription, PageApi, PageContents
from algosync.emulator.python.venvs import Venvs
from algosync.emulator.records.accounts import Accounts, Caller
from algosync.emulator.records.blobs import Blobs
from algosync.emulator.records.catalog import Catalog
from algosync.emulator.records.database import Database
from algosync.emulator.records.files import Files
from algosync.emulator.running.builder import Builder
from algosync.emulator.running.spares import Spares
from algosync.emulator.running.worker import WorkerContext

HOSTILE = "</pre></li></title></style><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7 * 7 }}\"' onload=alert(3) x='"
SPOOF = "\x1b[31mred\u202egnp.exe\r\x07"
SPOOF_SHOWN = "\\x1b[31mred\\u202egnp.exe\\r\\x07"
TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "nav",
    "a",
    "main",
    "h1",
    "h2",
    "p",
    "ul",
    "li",
    "b",
    "small",
    "code",
    "pre",
}
TAGS |= {"header", "dl", "dt", "dd", "details", "summary"}
ATTRIBUTES = {"lang", "charset", "name", "content", "href", "aria-current", "class", "id"}
BROKEN = f"def apply(input):\n    raise ValueError({HOSTILE + SPOOF!r})\n"


@dataclass
class Page(HTMLParser):
    """A page, parsed like a browser does."""

    html: str
    tags: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_data(self, data: str) -> None:
        self.text += data


def basic(key: str, user: str = "whoever") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()}


def fetched(site: Emulator, path: str, key: str | None = None) -> Reply:
    return site.request("GET", path, headers=basic(site.key if key is None else key))


def page(site: Emulator, path: str, key: str | None = None) -> Page:
    """A page with status 200 that has no elements other than those of the templates."""
    reply = fetched(site, path, key)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8"), reply
    parsed = Page(reply.body.decode())
    assert (parsed.tags - TAGS, parsed.attributes - ATTRIBUTES) == (set(), set())
    assert [link for link in parsed.links if not link.startswith("/page/")] == []
    return parsed


def rehearse(site: Emulator) -> None:
    """A rehearsal that fails in every way, with hostile values."""
    reference = site.deploy("Broken", BROKEN)
    assert site.call(reference, HOSTILE)["error"]["message"] == HOSTILE + SPOOF
    commit = site.push("Broken", {"requirements.txt": f"no-such-package=={HOSTILE}\n"})
    assert site.build_of("Broken", commit)["status"] == "failed"
    site.request("POST", "/v1/data/.my", {"name": "models"})
    for name in ("weights.pb", "<img%20src=x%20onerror=alert(4)>", "n" * 200):
        assert site.request("PUT", f"/v1/data/.my/models/{name}", b"1234567").status == 200
    assert site.request("GET", "/v1/data/.my/models/none?<script>alert(5)").status == 404


def rendered_page(pages: PageApi, path: str) -> Page:
    """A page, rendered without a server."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [],
        "caller": Caller("local"),
    }
    route, found = next(
        (route, child) for route in pages.routes() for match, child in [route.matches(scope)] if match is Match.FULL
    )
    reply = route.endpoint(Request({**scope, **found}))
    assert reply.status_code == 200
    return Page(bytes(reply.body).decode())


def page_api(database: Database, count: int, folder: Path) -> PageApi:
    """The pages of this number of algorithms, with builds, a version and a failure each, and of as many collections.

    The first collection has this number of additional files. The request log is empty.
    """
    Accounts(database).add_user("local")
    records = Catalog.of(database)
    settings = json.dumps({"algorithm_environment": records.environments.all[0].id, "algorithm_callability": "private"})
    numbers = range(count)
    with database.write() as connection:
        connection.executemany(
            "INSERT INTO algorithms VALUES (?, 'local', ?, '{}', ?, 'c', NULL)", [(str(n), f"A{n:04}", settings) for n in numbers]
        )
        connection.executemany(
            "INSERT INTO builds (id, algorithm_id, commit_sha, version_uuid, status, started_at) VALUES (?, ?, ?, 'v', ?, 't')",
            [(f"{n}-{k}", str(n), f"{k}" * 40, "failed" if k == 2 else "succeeded") for n in numbers for k in range(3)],
        )
        connection.executemany(
            "INSERT INTO versions (algorithm_id, commit_sha, major, minor, revision, details, settings, info)"
            " VALUES (?, '1', 0, 1, 0, '{}', ?, '{}')",
            [(str(n), settings) for n in numbers],
        )
        connection.executemany(
            "INSERT INTO failures (algorithm_id, created_ms, record) VALUES (?, ?, ?)",
            [(str(n), n, json.dumps({"error": f"broke {n}"})) for n in numbers],
        )
        connection.executemany("INSERT INTO collections VALUES (?, 'local', ?, '[]')", [(str(n), f"c{n:04}") for n in numbers])
        connection.executemany("INSERT INTO files VALUES (?, 'f', 10, 0, ?)", [(str(n), str(n)) for n in numbers])
        connection.executemany("INSERT INTO files VALUES ('0', ?, 10, 0, ?)", [(f"g{n:04}", f"g{n}") for n in numbers])
    (folder / "requests.jsonl").touch()
    repositories = Repositories(folder / "git")
    spares = Spares(WorkerContext(folder / "run", "", Accounts(database)))
    builder = Builder(folder / "builds", records, repositories, Venvs(folder / "environments"), spares)
    site = ClusterDescription("local", "http://127.0.0.1:1", folder / "requests.jsonl")
    contents = PageContents(repositories, Files(database, Blobs(folder / "blobs")), deque())
    return PageApi(database, records, builder, site, contents)
