"""Keys that are encrypted: their password opens them, and nobody is asked at a terminal."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization as s

from statserver_trio.config.schema import Ha, Listen
from statserver_trio.config.secret import Secret
from statserver_trio.server.tls import for_peer, for_port


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    made.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    key = s.load_pem_private_key(made.private_key_pem.bytes(), None)
    encrypted = key.private_bytes(
        s.Encoding.PEM, s.PrivateFormat.PKCS8, s.BestAvailableEncryption(b"correct horse")
    )
    (folder / "key.pem").write_bytes(encrypted)
    return folder


def options(files: Path, password: Secret | None) -> dict[str, object]:
    return {
        "secured": True,
        "certificate": str(files / "cert.pem"),
        "certificate_key": str(files / "key.pem"),
        "trusted_ca": str(files / "ca.pem"),
        "certificate_key_password": password,
    }


def test_the_password_opens_it(files: Path) -> None:
    right = options(files, Secret("correct horse"))
    assert for_port(Listen(port=0, **right)) is not None
    assert for_peer(Ha(**right)) is not None


@pytest.mark.parametrize("password", [None, Secret("wrong")])
def test_without_it_the_server_says_so_at_once(files: Path, password: Secret | None) -> None:
    with pytest.raises(ssl.SSLError):
        for_port(Listen(port=0, **options(files, password)))
    with pytest.raises(ssl.SSLError):
        for_peer(Ha(**options(files, password)))
