"""Valid requests of each family of routes, and the objects that they need."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.objects import ZERO_SHA
from dulwich.pack import write_pack_data
from dulwich.protocol import pkt_line
from emulated import Emulator, add_commit, store
from mutated import Seed, basic

JSON = (b"Content-Type", b"application/json")
FAMILIES = [
    "data",
    "connectors",
    "algorithms",
    "releases",
    "secrets",
    "accounts",
    "environments",
    "webapi",
    "calls",
    "git",
    "pages",
    "open",
]
ECHO = "def apply(input):\n    return input\n"


@dataclass(frozen=True)
class Seeded:
    """A cluster with a collection, a secret, and an algorithm that its owner cannot delete because it is public."""

    site: Emulator
    algorithm: Any
    build: str
    commit: str
    secret: str
    push: bytes

    def authorization(self, family: str) -> bytes:
        if family in ("git", "pages"):
            return basic(self.site.user, self.site.key)
        administering = family in ("webapi", "accounts", "environments")
        return f"Simple {self.site.admin_key if administering else self.site.key}".encode()

    def seeds(self, family: str) -> list[Seed]:
        made: list[Seed] = getattr(self, f"_{family}")()
        return made

    def _data(self, prefix: str = "/v1/data") -> list[Seed]:
        box = {"name": "box", "acl": {"read": ["algo://.my/*"]}}
        return [
            Seed("POST", f"{prefix}/.my", box, headers=(JSON,)),
            Seed("POST", f"{prefix}/local", b"box", headers=((b"Content-Type", b"text/plain"),), status=400),
            Seed("PUT", f"{prefix}/.my/box/file", b"content" * 10, weight=0.3),
            Seed("GET", f"{prefix}/.my/box/file"),
            Seed("HEAD", f"{prefix}/local/box/file"),
            Seed("GET", f"{prefix}/.my/box", query="acl=true&marker=YQ=="),
            Seed("GET", f"{prefix}/local"),
            Seed("GET", prefix),
            Seed("PATCH", f"{prefix}/.my/box", {"acl": {"read": ["user://*"]}}, headers=(JSON,)),
            Seed("PUT", f"{prefix}/.session/file", b"1", status=404, weight=0.1),
            Seed("GET", f"{prefix}/.algo/local/Seed/perm", status=200, weight=0.3),
            Seed("DELETE", f"{prefix}/.my/box/file", weight=0.3),
            Seed("DELETE", f"{prefix}/.my/box", query="force=true", weight=0.1),
        ]

    def _connectors(self) -> list[Seed]:
        others = [
            Seed("GET", "/v1/connector/s3/bucket/file", status=400),
            Seed("PUT", "/v1/connector/dropbox/file", b"1", status=400),
            Seed("GET", "/v1/hostedData"),
            Seed("POST", f"/v1/algorithms/{self.algorithm['id']}/collections/{'0' * 8}-0000-0000-0000-{'0' * 12}", status=404),
        ]
        return [*self._data("/v1/connector/data"), *others]

    def _algorithms(self) -> list[Seed]:
        settings = {name: value for name, value in self.algorithm["settings"].items() if name != "algorithm_callability"}
        details = {"label": "Made", "summary": "s", "tagline": "t"}
        made = {"name": "Made", "details": details, "settings": settings}
        return [
            Seed("POST", "/v1/algorithms/local", made, headers=(JSON,), weight=0.3),
            *self._both("GET", ""),
            *self._both("PUT", "", {"details": details, "settings": settings, "version_info": {"sample_input": "1"}}),
            *self._both("GET", "/errors"),
            *self._both("GET", "/log", query=f"until={self.commit}", weight=0.2),
            *self._both("GET", "/scm/status"),
            *self._both("POST", "/scm/webhook", {"ref": "refs/heads/master"}, status=204),
            Seed("GET", "/v1/users/local/algorithms", weight=0.3),
            Seed("GET", "/v1/scms"),
            Seed("GET", "/v1/scms/internal"),
            Seed("DELETE", "/v1/algorithms/local/Made", status=204, weight=0.2),
        ]

    def _releases(self) -> list[Seed]:
        info = {"version_type": "minor", "release_notes": "n", "sample_input": "1", "sample_output": "1"}
        release = {"version_info": info, "settings": {"algorithm_callability": "public"}, "details": {"label": "Seed"}}
        return [
            *self._both("POST", "/compile", {"commitSha": self.commit}, weight=0.003),
            *self._both("GET", "/builds", query="limit=2&marker=99"),
            *self._both("GET", f"/builds/{self.build}"),
            *self._both("GET", f"/builds/{self.build}/logs"),
            *self._both("POST", "/versions", release, status=400),
            *self._both("GET", "/versions", query="published=true&callable=true&limit=5"),
            *self._both("GET", f"/versions/{self.commit}"),
            *self._both("GET", f"/versions/{self.commit}/registry"),
            *self._both("POST", f"/versions/{self.commit}/registry", {"status": "x"}, status=204),
        ]

    def _secrets(self) -> list[Seed]:
        entry = {
            "owner_type": "algorithm",
            "owner_id": self.algorithm["id"],
            "short_name": "t",
            "secret_value": "v",
            "description": "",
        }
        return [
            Seed("GET", "/v1/secret-provider"),
            *self._both("GET", "/secrets"),
            *self._both("POST", "/secrets", {**entry, "secret_key": "TOKEN"}, status=400),
            *self._both("PUT", f"/secrets/{self.secret}", entry, status=None),
            *self._both("DELETE", "/secrets/" + "0" * 36, status=404),
        ]

    def _accounts(self) -> list[Seed]:
        user = {"username": "seeded", "email": "a@b.c", "fullname": "S", "passwordHash": "", "shouldCreateHello": False}
        organization = {"org_name": "acme", "org_label": "A", "org_contact_name": "C", "org_email": "a@b.c", "type_id": "basic"}
        return [
            Seed("POST", "/v1/users", user, headers=(JSON,), status=409),
            Seed("GET", "/v1/users/local"),
            Seed("GET", "/v1/users/local/errors"),
            Seed("GET", "/v1/organization/types"),
            Seed("POST", "/v1/organizations", organization, headers=(JSON,), status=409),
            Seed("GET", "/v1/organizations/acme"),
            Seed("PUT", "/v1/organizations/acme", organization, headers=(JSON,), status=204),
            Seed("GET", "/v1/organizations/acme/errors"),
            Seed("PUT", "/v1/organizations/acme/members/seeded", headers=(JSON,), status=201),
            Seed("DELETE", "/v1/organizations/acme/members/seeded", status=204),
        ]

    def _environments(self) -> list[Seed]:
        edge = "/v1/algorithm-environments/edge"
        return [
            Seed("GET", f"{edge}/languages"),
            Seed("GET", f"{edge}/languages/python3/environments"),
            Seed("GET", f"{edge}/environment-specifications/{self._specification()}/template", weight=0.3),
            Seed("GET", f"{edge}/environments/available"),
            Seed("POST", f"{edge}/environment-specifications/{self._specification()}/syncs", status=202),
            Seed("DELETE", f"{edge}/environment-specifications/{self._specification()}", status=400),
        ]

    def _webapi(self) -> list[Seed]:
        base = "/webapi/v1/algorithm-environments"
        environment = self.algorithm["settings"]["algorithm_environment"]
        return [
            Seed("GET", f"{base}/environments/current"),
            Seed("GET", f"{base}/environments/available"),
            Seed("POST", f"{base}/environment-specifications/{self._specification()}/syncs", status=202),
            Seed("GET", f"{base}/environment-specifications/{self._specification()}/syncs/{environment}"),
        ]

    def _calls(self) -> list[Seed]:
        text = ((b"Content-Type", b"text/plain"),)
        raw = ((b"Content-Type", b"application/octet-stream"),)
        return [
            Seed("POST", "/v1/algo/local/Seed", {"a": [1, "x", None]}, headers=(JSON,), query="timeout=30&stdout=true"),
            Seed("POST", f"/v1/algo/local/Seed/{self.commit}", b"text", headers=text, query="output=raw"),
            Seed("POST", "/v1/algo/local/Seed/0.1.0", b"\x00\x01", headers=raw, query="timing=1"),
            Seed("POST", f"/v1/algo/{self.algorithm['id']}/latest", [1], headers=(JSON,), query="output=void", weight=0.5),
            Seed("POST", "/v1/algo/local/None/1.0", 1, headers=(JSON,), status=404, weight=3),
        ]

    def _git(self) -> list[Seed]:
        base = "/git/local/Seed.git"
        want = pkt_line(f"want {self.commit} multi_ack_detailed side-band-64k thin-pack ofs-delta\n".encode())
        version = f"/git/local/Seed/{self.commit}.git"
        upload, receive = (
            ((b"Content-Type", f"application/x-git-{name}-pack-request".encode()),) for name in ("upload", "receive")
        )
        return [
            Seed("GET", f"{base}/info/refs", query="service=git-upload-pack"),
            Seed("GET", f"{base}/info/refs", query="service=git-receive-pack"),
            Seed("GET", f"{version}/info/refs", query="service=git-upload-pack", weight=0.3),
            Seed("POST", f"{base}/git-upload-pack", want + b"0000" + pkt_line(b"done\n"), headers=upload),
            Seed("POST", f"{base}/git-receive-pack", self.push, headers=receive, weight=2),
        ]

    def _pages(self) -> list[Seed]:
        paths = ["", "algorithms/local/Seed", f"algorithms/local/Seed/builds/{self.build}", "data", "accounts"]
        calls = Seed("GET", "/page/calls", weight=0.1)
        return [
            *(Seed("GET", f"/page/{path}") for path in paths),
            calls,
            Seed("GET", "/page/data/none", query="after=x", status=404),
        ]

    def _open(self) -> list[Seed]:
        insight = [{"insight_key": "k", "insight_value": "v"}]
        return [
            Seed("GET", "/health", query="nonce=1"),
            Seed("POST", "/v1/insights", insight, headers=(JSON,)),
            Seed("GET", "/v1/openapispec", weight=0.1),
            Seed("GET", "/nothing/at/all", status=404),
            Seed("GET", "/", status=404),
        ]

    def _both(
        self, method: str, path: str, body: Any = b"", *, query: str = "", status: int | None = 200, weight: float = 1.0
    ) -> list[Seed]:
        """The paths of an algorithm, by name and by id."""
        headers = (JSON,) if body else ()
        bases = ("/v1/algorithms/local/Seed", f"/v1/algorithms/{self.algorithm['id']}")
        return [Seed(method, base + path, body, query, headers, status, weight) for base in bases]

    def _specification(self) -> str:
        environment = self.algorithm["settings"]["algorithm_environment"]
        installed = self.site.get("/v1/algorithm-environments/edge/languages/python3/environments")["environments"]
        return str(next(each["environment_specification_id"] for each in installed if each["id"] == environment))


def seeded(site: Emulator) -> Seeded:
    """Create the objects of the requests."""
    commit = site.deploy("Seed", ECHO).rpartition("/")[2]
    assert site.publish("Seed", settings={"algorithm_callability": "public"}).status == 200
    algorithm = site.get("/v1/algorithms/local/Seed")
    assert site.request("POST", "/v1/data/.my", {"name": "box"}).status == 200
    assert site.request("PUT", "/v1/data/.my/box/file", b"content").status == 200
    entry = {"owner_type": "algorithm", "owner_id": algorithm["id"], "short_name": "t", "secret_key": "TOKEN", "secret_value": "v"}
    secret = site.request("POST", f"/v1/algorithms/{algorithm['id']}/secrets", {**entry, "description": ""})
    admin = site.admin_key
    assert site.request("POST", "/v1/users", {"username": "seeded", "email": "a@b.c"}, key=admin).status == 200
    assert site.request("POST", "/v1/organizations", {"org_name": "acme"}, key=admin).status == 200
    return Seeded(site, algorithm, algorithm["build"]["build_id"], commit, secret.json["id"], _push(site))


def _push(site: Emulator) -> bytes:
    """A push of a new branch, which starts no build. A repetition is refused by git's own report."""
    repository, head = site.fetch("Seed")
    new = add_commit(repository, store(repository, {"file": b"new"}), [head])
    count, objects = repository.generate_pack_data({head}, {new})
    pack = io.BytesIO()
    write_pack_data(pack.write, objects, DEFAULT_OBJECT_FORMAT, num_records=count)
    command = ZERO_SHA + b" " + new + b" refs/heads/fuzzed\0report-status side-band-64k"
    return pkt_line(command) + b"0000" + pack.getvalue()
