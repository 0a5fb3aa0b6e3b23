"""The variables of `emulator env` in a shell that already has those of another cluster, or the user's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from algosync.cli.local.running import LocalCluster
from algosync.cli.local.shell_variables import as_destination, as_source, outdated
from algosync.core.secret import Secret

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GIT_SSL_CAINFO")


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    """The folder with a cluster's certificate authority."""
    folder = tmp_path / "state" / "local" / "default" / "tls"
    folder.mkdir(parents=True)
    (folder / "ca.pem").write_text("OURS\n")
    return folder


def cluster(tls: Path | None) -> LocalCluster:
    authority, bundle = (str(tls / "ca.pem"), str(tls / "bundle.pem")) if tls else (None, None)
    return LocalCluster("http://localhost:1", Secret("simKey"), Secret("simAdmin"), "local", 1, "", authority, bundle, None, {}, "")


def test_a_cluster_without_tls_unsets_authorities_of_another_cluster(monkeypatch: pytest.MonkeyPatch, tls: Path) -> None:
    """Also if that cluster was reset: no HTTPS server can be reached with a bundle that does not exist."""
    for name in BUNDLES:
        monkeypatch.setenv(name, str(tls / "bundle.pem"))
    for name in ("DESTINATION_CA_CERT", "NODE_EXTRA_CA_CERTS", "SOURCE_CA_CERT"):
        monkeypatch.setenv(name, str(tls / "ca.pem"))
    monkeypatch.setenv("CURL_CA_BUNDLE", "/etc/corporate/bundle.pem")
    ours = ["DESTINATION_CA_CERT", "NODE_EXTRA_CA_CERTS", *(name for name in BUNDLES if name != "CURL_CA_BUNDLE")]
    assert outdated(as_destination(cluster(None)), source=False) == ours
    assert outdated(as_destination(cluster(tls)), source=False) == []
    assert outdated(as_source(cluster(None)), source=True) == ["SOURCE_CA_CERT"]


def test_node_keeps_its_trusted_authorities(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tls: Path) -> None:
    """Its variable names a single file, which stays valid when another cluster serves no TLS."""
    corporate = tmp_path / "corporate.pem"
    corporate.write_text("THEIRS")
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(corporate))
    for _ in range(2):
        extra = as_destination(cluster(tls))["NODE_EXTRA_CA_CERTS"]
        assert (extra, Path(extra).read_text()) == (str(tls / "extra.pem"), "THEIRS\nOURS\n")
        monkeypatch.setenv("NODE_EXTRA_CA_CERTS", extra)
    assert outdated(as_destination(cluster(None)), source=False) == []
    Path(extra).unlink()
    assert outdated(as_destination(cluster(None)), source=False) == ["NODE_EXTRA_CA_CERTS"]


@pytest.mark.parametrize("source_last", [False, True])
def test_one_process_trusts_two_clusters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tls: Path, source_last: bool) -> None:
    """In both orders of destination and source, each set twice."""
    other = tmp_path / "state" / "local" / "other" / "tls"
    other.mkdir(parents=True)
    (other / "ca.pem").write_text("THEIRS\n")
    (tls / "bundle.pem").write_text("MACHINE\nOURS\n")
    (other / "bundle.pem").write_text("MACHINE\nTHEIRS\n")
    steps = [(as_destination, tls), (as_source, other)]
    for variables, folder in (steps if source_last else steps[::-1]) * 2:
        for name, value in variables(cluster(folder)).items():
            monkeypatch.setenv(name, value)
    assert Path(os.environ["DESTINATION_CA_CERT"]) == tls / "ca.pem"
    assert Path(os.environ["SOURCE_CA_CERT"]) == other / "ca.pem"
    for name in (*BUNDLES, "NODE_EXTRA_CA_CERTS"):
        assert {"OURS", "THEIRS"} <= set(Path(os.environ[name]).read_text().splitlines())
    for name in BUNDLES:
        assert "MACHINE" in Path(os.environ[name]).read_text()
