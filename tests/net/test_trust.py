"""Certificates: the public authorities and the given ones are trusted; the machine's environment has no effect."""

import os
import socket
import ssl
from pathlib import Path

import pytest
from harness import certificate
from rawserver import OK, answers, host, listening

from algosync.core.error import Untrusted, UsageError
from algosync.net.trust import tls_context


@pytest.fixture
def served(tmp_path: Path) -> Path:
    return certificate(tmp_path / "server.pem", tmp_path / "cluster")


def test_only_the_given_authority_is_trusted(tmp_path: Path, served: Path) -> None:
    certificate(tmp_path / "unused.pem", tmp_path / "other")
    with listening(answers(OK), served) as raw:
        assert host(raw.secure, ca=tmp_path / "cluster/tls/ca.pem").answer("GET", "/", {}).body == b"{}"
        with pytest.raises(Untrusted):
            host(raw.secure, ca=tmp_path / "other/tls/ca.pem").answer("GET", "/", {})


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_machines_variables_add_no_authority(
    variable: str, tmp_path: Path, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "cluster/tls/ca.pem"))
    with listening(answers(OK), served) as raw, pytest.raises(Untrusted):
        host(raw.secure).answer("GET", "/", {})


def test_the_machines_variables_remove_no_authority(tmp_path: Path, served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(variable, os.devnull)
    with listening(answers(OK), served) as raw:
        assert host(raw.secure, ca=tmp_path / "cluster/tls/ca.pem").answer("GET", "/", {}).status == 200


def test_session_keys_are_never_written_to_a_file(tmp_path: Path, served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    with listening(answers(OK), served) as raw:
        host(raw.secure, ca=tmp_path / "cluster/tls/ca.pem").answer("GET", "/", {})
        assert not log.exists()
        # Proves that other programs would write the keys.
        context = ssl.create_default_context(cafile=str(tmp_path / "cluster/tls/ca.pem"))
        with socket.create_connection(("127.0.0.1", raw.port)) as sock:
            context.wrap_socket(sock, server_hostname="localhost").close()
    assert log.stat().st_size > 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "DESTINATION_CA_CERT names a certificate file that cannot be read: PATH: No such file or directory"),
        ("folder", "DESTINATION_CA_CERT names a certificate file that cannot be read: PATH: Is a directory"),
        (b"", "DESTINATION_CA_CERT names a file without certificates in PEM form: PATH"),
        (b"\x30\x82\x01\x0a", "DESTINATION_CA_CERT names a file without certificates in PEM form: PATH"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n", "DESTINATION_CA_CERT names a file without certificates in PEM form: PATH"),
    ],
)
def test_an_unusable_ca_file_is_named_by_its_variable(content: bytes | str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    with pytest.raises(UsageError) as caught:
        tls_context(str(path), "DESTINATION_CA_CERT")
    assert caught.value.message == message.replace("PATH", str(path))


def test_old_versions_of_tls_are_refused() -> None:
    assert tls_context(None, "").minimum_version == ssl.TLSVersion.TLSv1_2
