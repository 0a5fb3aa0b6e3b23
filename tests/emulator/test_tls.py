"""TLS: the trust of clients, and the certificates that are served."""

import http.client
import json
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from emulated import ADK, DEADLINE, emulator
from harness import Cluster, certificate, cluster_process

from algosync.emulator.server import tls
from algosync.emulator.server.tls import Authority, authority

NAMES = ["localhost", "127.0.0.1", "api.localhost", "git.localhost"]
CALLS_BACK = """
import Algorithmia
client = Algorithmia.client()
def apply(input):
    client.dir("data://.my/seen").create()
    return client.username()
"""


def health(cluster: Cluster, name: str, context: ssl.SSLContext) -> int:
    """The status of one request to the cluster under this name, independent of the machine's resolver."""
    port = int(cluster.url.rpartition(":")[2])
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=DEADLINE, context=context)
    try:
        sock = socket.create_connection(("127.0.0.1", port), DEADLINE)
        connection.sock = context.wrap_socket(sock, server_hostname=name)
        connection.request("GET", "/health", headers={"Host": f"{name}:{port}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_each_start_has_a_new_certificate_of_the_same_authority(tmp_path: Path) -> None:
    served, trusted = set(), set()
    for _ in range(2):
        with cluster_process(tmp_path / "root", tls=True) as cluster:
            assert cluster.ca_cert == tmp_path / "root" / "tls" / "ca.pem"
            context = ssl.create_default_context(cafile=str(cluster.ca_cert))
            assert [health(cluster, name, context) for name in NAMES] == [200] * len(NAMES)
            trusted.add(cluster.ca_cert.read_bytes())
            served.add((cluster.root / "tls" / "server.pem").read_bytes())
    assert (len(trusted), len(served)) == (1, 2)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "root" / "tls").iterdir()}
    assert modes == dict.fromkeys(("ca.pem", "ca.key", "server.pem", "bundle.pem"), 0o600)


def test_the_authority_certifies_loopback_alone(tmp_path: Path) -> None:
    """Trusting the cluster's authority does not mean trusting it for other hosts, such as a bank's."""
    folder = tmp_path / "root" / "tls"
    with cluster_process(tmp_path / "root", tls=True):
        found = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        served = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
    constraints = found.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert {str(each.value) for each in constraints.value.permitted_subtrees or ()} == {
        *("localhost", "127.0.0.1/32", "::1/128", "api.localhost", "git.localhost")
    }
    assert (served.not_valid_after_utc - served.not_valid_before_utc).days == 825
    given = Authority(folder).issue(tmp_path / "given.pem", ("bank.example",))
    with cluster_process(tmp_path / "root", certificate=given) as cluster:
        assert json.loads((cluster.root / "cluster.json").read_text())["ca_cert"] is None
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
            health(cluster, "bank.example", context)


def test_an_authority_near_its_end_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tls").mkdir()
    monkeypatch.setattr(tls, "AUTHORITY_DAYS", tls.SERVER_DAYS)
    ending = authority(tmp_path / "tls").certificate.read_bytes()
    monkeypatch.setattr(tls, "AUTHORITY_DAYS", tls.SERVER_DAYS + 1)
    renewed = authority(tmp_path / "tls").certificate.read_bytes()
    assert renewed != ending
    assert authority(tmp_path / "tls").certificate.read_bytes() == renewed


def test_a_server_of_another_authority_is_not_trusted(tmp_path: Path) -> None:
    certificate(tmp_path / "unused.pem", tmp_path / "other")
    with cluster_process(tmp_path / "root", tls=True) as cluster:
        other = ssl.create_default_context(cafile=str(tmp_path / "other" / "tls" / "ca.pem"))
        with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get local issuer|self-signed|signature"):
            health(cluster, "localhost", other)


@pytest.mark.parametrize(
    ("names", "days", "reason"),
    [(("localhost",), -1, "certificate has expired"), (("elsewhere.example",), 1, "Hostname mismatch")],
)
def test_a_given_certificate_is_served_as_it_is(tmp_path: Path, names: tuple[str, ...], days: int, reason: str) -> None:
    given = certificate(tmp_path / "given.pem", tmp_path / "root", names, days)
    with cluster_process(tmp_path / "root", certificate=given) as cluster:
        context = ssl.create_default_context(cafile=str(cluster.ca_cert))
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            health(cluster, "localhost", context)


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    certificate(tmp_path / "given.pem", tmp_path / "root")
    given = tmp_path / "root" / "tls" / "ca.pem"
    command = [sys.executable, "-m", "algosync.emulator", str(tmp_path / "root"), "--certificate", str(given)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: Cannot serve TLS: ")


def test_origins_need_the_scheme_of_the_server(tmp_path: Path) -> None:
    with cluster_process(tmp_path / "root", tls=True) as cluster:
        context = ssl.create_default_context(cafile=str(cluster.ca_cert))
        host = cluster.url.removeprefix("https://")
        statuses = []
        for origin in (cluster.url, f"http://{host}"):
            connection = http.client.HTTPSConnection(host, timeout=DEADLINE, context=context)
            connection.request("GET", "/health", headers={"Origin": origin})
            statuses.append(connection.getresponse().status)
            connection.close()
        assert statuses == [200, 403]


def test_everything_works_over_tls(tmp_path: Path, environments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create, push, build, call. The algorithm itself uses the official client."""
    with emulator(tmp_path / "root", environments, "--tls") as site:
        reference = site.deploy("Caller", CALLS_BACK, ADK)
        # The official client prefers the variable to its arguments.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(site.root / "tls" / "bundle.pem"))
        assert site.client().algo(reference).pipe(None).result == "local"
        assert site.get("/v1/data/.my/seen") == {}
