"""CA files for algorithms and installers: they exist even after the cluster they came from was reset."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from emulated import emulator

from algosync.emulator.processes import ca_files, children

TRUSTING = """
import os

def apply(names):
    return {name: open(os.environ[name]).read() if name in os.environ else None for name in names}
"""


def test_a_cluster_does_not_need_ca_files_of_another_one(tmp_path: Path, environments: Path) -> None:
    """A shell may have the variables of a cluster with TLS that is reset before or after the next one starts."""
    gone, other = (tmp_path / "local" / name / "tls" / "bundle.pem" for name in ("gone", "other"))
    other.parent.mkdir(parents=True)
    other.write_text("of the other")
    own = tmp_path / "own.pem"
    own.write_text("of the user")
    named = {"REQUESTS_CA_BUNDLE": str(gone), "SSL_CERT_FILE": str(other), "CURL_CA_BUNDLE": str(own)}
    with emulator(tmp_path / "local" / "plain", environments, environ=named) as site:
        other.unlink()
        told = site.call(site.deploy("Trusting", TRUSTING), list(named))["result"]
    assert told == {"REQUESTS_CA_BUNDLE": None, "SSL_CERT_FILE": "of the other", "CURL_CA_BUNDLE": "of the user"}


def test_unreadable_ca_files_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that disappears during the reset of its cluster does not prevent another cluster from starting."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / ("x" * 300)))
    folder = tmp_path / "local" / "other" / "tls" / "ca.pem"
    folder.mkdir(parents=True)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(folder))
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    assert ca_files.named() == {"CURL_CA_BUNDLE": str(folder)}
    ca_files.keep(tmp_path / "local" / "mine")
    assert os.environ["CURL_CA_BUNDLE"] == str(folder)


def test_the_clusters_own_ca_file_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "local" / "mine" / "tls" / "bundle.pem"
    bundle.parent.mkdir(parents=True)
    bundle.touch()
    for name in ca_files.BUNDLES:
        monkeypatch.setenv(name, str(bundle))
    ca_files.keep(bundle.parent.parent)
    assert {name: os.environ[name] for name in ca_files.BUNDLES} == dict.fromkeys(ca_files.BUNDLES, str(bundle))
    monkeypatch.setenv("CURL_CA_BUNDLE", "")
    assert [name for name in children.inherited() if name in ca_files.BUNDLES] == ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"]
