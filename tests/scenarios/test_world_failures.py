"""Everything that can be wrong about a cluster, a key or a network gives one error, which says where to look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import Cluster, Workspace, certificate, cluster_process, lasting_port
from world import answering, put, two_algorithms

# The places of the addresses.
GIVEN = {"SOURCE": "source_info.cluster_address", "DESTINATION": "DESTINATION_API_ADDRESS"}
SIDES = ["SOURCE", "DESTINATION"]


@dataclass(frozen=True)
class World:
    """Two clusters with private authorities for all tests of this module."""

    root: Path
    source: Cluster
    destination: Cluster
    faults: Path

    def cluster(self, side: str) -> Cluster:
        return self.source if side == "SOURCE" else self.destination


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("world")
    (root / "faults.json").write_text("[]")
    with (
        cluster_process(root / "source", "quality", tls=True) as source,
        cluster_process(root / "destination", tls=True, faults=root / "faults.json") as destination,
    ):
        put(source, "models", "words.txt", b"hello goodbye")
        yield World(root, source, destination, root / "faults.json")


@pytest.fixture
def here(world: World, tmp_path: Path) -> Workspace:
    """A workspace with planned changes, which succeed unless a test prevents it."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    workspace = Workspace(folder, {**world.source.environ("SOURCE"), **world.destination.environ(), "NO_PROXY": ""})
    two_algorithms(workspace, world.source.url)
    return workspace


def fails(here: Workspace, world: World, code: int, *arguments: str, environ: dict[str, str]) -> str:
    """The only error of an apply that changed nothing, with its hint."""
    with world.destination.writes() as writes:
        done = here.run("apply", "--auto-approve", *arguments, environ=environ)
    assert done.returncode == code, done.stdout + done.stderr
    assert writes.lines == ()
    return the_error(done.stdout + done.stderr)


def the_error(output: str) -> str:
    lines = output.splitlines()
    places = [number for number, line in enumerate(lines) if line.startswith("Error:")]
    assert len(places) == 1, output
    assert "Traceback" not in output
    message, *more = lines[places[0] :]
    return "\n".join([message, *(line.strip() for line in more if line.startswith("  "))])


@pytest.mark.parametrize(("side", "given"), [("SOURCE", "another"), ("DESTINATION", "another"), ("DESTINATION", "none")])
def test_an_authority_that_did_not_sign(side: str, given: str, world: World, here: Workspace) -> None:
    other = world.cluster("DESTINATION" if side == "SOURCE" else "SOURCE").ca_cert
    error = fails(here, world, 1, environ={f"{side}_CA_CERT": str(other) if given == "another" else ""})
    assert "is refused: " in error
    assert error.endswith(f"look at {side}_CA_CERT: the PEM file of the authority that signed that certificate")


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("names", "days", "said", "hint"),
    [
        (("localhost", "127.0.0.1"), -1, "certificate has expired", "it has to be renewed on the server, or this machine's clock"),
        (("elsewhere.example",), 1, "mismatch", "look at {}: it has to be the name that the certificate was made for"),
    ],
)
def test_a_certificate_of_another_time_or_host(
    side: str, names: tuple[str, ...], days: float, said: str, hint: str, world: World, here: Workspace, tmp_path: Path
) -> None:
    given = certificate(tmp_path / "given.pem", tmp_path / "cluster", names, days)
    with cluster_process(tmp_path / "cluster", certificate=given) as cluster:
        environ = cluster.environ(side)
        if side == "SOURCE":
            two_algorithms(here, cluster.url)
        error = fails(here, world, 1, environ=environ)
    assert said in error
    assert hint.format(GIVEN[side]) in error


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("key", ["wrong", "expired"])
def test_an_unknown_key(side: str, key: str, world: World, here: Workspace) -> None:
    given = "simWRONG/+WRONG=WRONG/WRONG+" if key == "wrong" else world.cluster(side).add_key(expires_in=-1)
    error = fails(here, world, 1, environ={f"{side}_API_KEY": given})
    assert ": 401 " in error
    assert error.endswith(f"look at {side}_API_KEY: it is wrong, or has expired")
    assert given not in error


def test_a_key_that_may_only_read(world: World, here: Workspace) -> None:
    """A plan succeeds. The first write is refused, and nothing has changed. For the source such a key is enough."""
    key = world.destination.add_key(read_only=True)
    with world.destination.writes() as writes:
        done = here.run("apply", "--auto-approve", environ={"DESTINATION_API_KEY": key})
    assert done.returncode == 1, done.stdout + done.stderr
    assert all(int(str(r["status"])) == 403 for r in world.destination.requests() if f"{r['method']} {r['path']}" in writes.lines)
    assert "look at DESTINATION_API_KEY: it may not do this" in done.stdout + done.stderr
    assert here.run("plan", environ={"SOURCE_API_KEY": world.source.add_key(read_only=True)}).returncode == 0


@pytest.mark.parametrize(
    ("side", "address", "said"),
    [
        ("SOURCE", "localhost:{}", "localhost:{} cannot be reached: Connection refused"),
        ("DESTINATION", "localhost:{}", "localhost:{} cannot be reached: Connection refused"),
        ("DESTINATION", "nobody.invalid:{}", "the name of nobody.invalid:{} cannot be resolved"),
    ],
)
def test_nobody_listens(side: str, address: str, said: str, world: World, here: Workspace) -> None:
    port = lasting_port()
    url = f"https://{address.format(port)}"
    if side == "SOURCE":
        two_algorithms(here, url)
    error = fails(here, world, 1, environ={f"{side}_API_ADDRESS": url})
    assert said.format(port) in error
    assert error.endswith(f"look at {GIVEN[side]}")


@pytest.mark.parametrize("side", SIDES)
def test_a_host_that_never_answers(side: str, world: World, here: Workspace) -> None:
    with answering(None) as place:
        url = f"https://{place}"
        if side == "SOURCE":
            two_algorithms(here, url)
        error = fails(here, world, 1, "--request-timeout", "2", environ={f"{side}_API_ADDRESS": url})
    assert f"{place} sent no complete reply within 2 s" in error
    assert error.endswith(f"look at {GIVEN[side]}; --request-timeout gives it more time")


@pytest.mark.parametrize("side", SIDES)
def test_a_redirect_to_another_host(side: str, world: World, here: Workspace) -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: https://evil.example/v1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(moved) as place:
        url = f"http://{place}"
        if side == "SOURCE":
            two_algorithms(here, url)
        error = fails(here, world, 1, environ={f"{side}_API_ADDRESS": url})
    assert "307, a redirect to evil.example; redirects are never followed" in error
    assert error.endswith(f"look at {GIVEN[side]}")


def test_a_proxy_that_does_not_run(world: World, here: Workspace) -> None:
    error = fails(here, world, 1, environ={"HTTPS_PROXY": f"http://me:hunter2@127.0.0.1:{lasting_port()}"})
    assert "the proxy cannot be reached: Connection refused" in error
    assert error.endswith("look at HTTPS_PROXY; NO_PROXY names hosts that need no proxy")


@pytest.mark.parametrize(
    ("variable", "status", "said", "hint"),
    [
        (
            "HTTPS_PROXY",
            "407 Authenticate",
            "the proxy asks for a user name",
            "look at HTTPS_PROXY: http://USER:PASSWORD@PROXY:PORT",
        ),
        ("ALL_PROXY", "403 Filtered", "the proxy refuses to connect to 127.0.0.1:", "look at ALL_PROXY; NO_PROXY names hosts"),
        ("HTTPS_PROXY", "503 No", "the proxy cannot connect to 127.0.0.1:", "DESTINATION_API_ADDRESS, HTTPS_PROXY and NO_PROXY"),
    ],
)
def test_a_proxy_that_refuses_tunnels(variable: str, status: str, said: str, hint: str, world: World, here: Workspace) -> None:
    with answering(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as place:
        error = fails(here, world, 1, environ={variable: f"http://me:hunter2@{place}"})
    assert said in error
    assert hint in error
    assert "hunter2" not in error


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SOURCE_CA_CERT", "/nowhere/ca.pem"),
        ("DESTINATION_CA_CERT", "/nowhere/ca.pem"),
        ("SOURCE_API_KEY", ""),
        ("DESTINATION_API_KEY", "simSESAME 567"),
        ("DESTINATION_API_ADDRESS", "http://api.example.com"),
        ("HTTPS_PROXY", "socks5://127.0.0.1:1080"),
        ("HTTPS_PROXY", "http://me:sec/ret@proxy.example.com:3128"),
    ],
)
def test_an_environment_that_cannot_be_used(variable: str, value: str, world: World, here: Workspace) -> None:
    error = fails(here, world, 64, environ={variable: value})
    assert error.startswith(f"Error: {variable} ")
    assert "sec/ret" not in error
    assert "SESAME" not in error


def converges(here: Workspace) -> None:
    """The same command continues once the cause is removed, and then there are no changes left."""
    here.apply()
    assert "No changes. Your destination matches the workflow." in here.apply()


@pytest.fixture
def other(world: World, tmp_path: Path) -> Iterator[tuple[Cluster, Workspace]]:
    """A destination for one test, which changes it."""
    faults = tmp_path / "faults.json"
    faults.write_text("[]")
    folder = tmp_path / "workspace"
    folder.mkdir()
    with cluster_process(tmp_path / "own", tls=True, faults=faults) as own:
        here = Workspace(folder, {**world.source.environ("SOURCE"), **own.environ(), "NO_PROXY": ""})
        two_algorithms(here, world.source.url)
        yield own, here


@pytest.mark.parametrize("match", ["POST /git/*", "POST /v1/algorithms/*/versions"])
def test_a_key_that_expires_during_an_apply(match: str, other: tuple[Cluster, Workspace], tmp_path: Path) -> None:
    own, here = other
    (tmp_path / "faults.json").write_text(json.dumps([{"match": match, "then": {"expire_key": True}}]))
    output = here.apply(code=4)
    assert "look at DESTINATION_API_KEY: it is wrong, or has expired" in output
    assert "Traceback" not in output
    here.environ["DESTINATION_API_KEY"] = own.add_key()
    converges(here)
    assert created(own) == 2


def test_a_wrong_git_address(other: tuple[Cluster, Workspace]) -> None:
    """The address is needed for a push. Everything that was done before is recorded."""
    own, here = other
    port = lasting_port()
    output = here.apply(code=4, environ={"DESTINATION_GIT_ADDRESS": f"https://localhost:{port}"})
    assert f"localhost:{port} cannot be reached: Connection refused" in output
    assert "look at DESTINATION_GIT_ADDRESS" in output
    converges(here)
    assert created(own) == 2


def test_a_key_that_may_not_manage(other: tuple[Cluster, Workspace]) -> None:
    """The key may write data, but nothing is uploaded before it is settled who can read the collection."""
    own, here = other
    with own.writes() as writes:
        output = here.apply(code=1, environ={"DESTINATION_API_KEY": own.add_key(management=False)})
    assert output.count("look at DESTINATION_API_KEY: it may not do this") == output.count("\nError: ") == 1
    assert output.count("  the same for: algorithm.") == 1
    assert writes.count("PUT /v1/data/local/") == 0
    with own.writes() as writes:
        converges(here)
    assert writes.count("PUT /v1/data/local/") == 2


def created(cluster: Cluster) -> int:
    """How many algorithms were created. None was created twice."""
    posts = (r for r in cluster.requests() if (r["method"], r["path"]) == ("POST", f"/v1/algorithms/{cluster.user}"))
    return sum(1 for r in posts if r["status"] == 200)
