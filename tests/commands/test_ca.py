"""``--ca``: watch, top and explain over TLS, with an authority that only we know."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trio
import trustme
from test_watch import WAITING, _serve, new_hub

COMMAND = [sys.executable, "-m", "statserver_trio"]
ARGUMENTS = {
    "watch": ("--open", WAITING, "--count", "1", "--json"),
    "explain": (WAITING, "--json"),
    "top": ("--once", "--json"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``ca.pem``, and what a server needs, signed by it."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        folder / "server.pem"
    )
    trustme.CA().cert_pem.write_to_path(folder / "other.pem")
    (folder / "none.pem").write_text("nothing of that kind\n")
    return folder


async def serve_securely(nursery: trio.Nursery, folder: Path) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    listeners = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1")
    await nursery.start(_serve, new_hub(), listeners)
    return f"wss://127.0.0.1:{listeners[0].transport_listener.socket.getsockname()[1]}/"


async def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    with trio.fail_after(60):
        return await trio.run_process(
            [*COMMAND, *arguments],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            env={**os.environ, **environment},
        )


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_who_is_named_is_trusted(nursery: trio.Nursery, folder: Path, name: str) -> None:
    url = await serve_securely(nursery, folder)
    ca = str(folder / "ca.pem")
    done = await run(name, url, *ARGUMENTS[name], "--ca", ca)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)
    if name == "explain":
        assert (await run(name, url, *ARGUMENTS[name], STATSERVER_CA=ca)).returncode == 0


async def test_nobody_else_is(nursery: trio.Nursery, folder: Path) -> None:
    url = await serve_securely(nursery, folder)
    for more in ((), ("--ca", str(folder / "other.pem"))):
        done = await run("explain", url, *ARGUMENTS["explain"], *more)
        assert done.returncode == 1
        said = json.loads(done.stderr)["error"]["message"]
        assert "its certificate is not trusted: " in said


@pytest.mark.parametrize(
    ("file", "why"), [("none.pem", "holds no certificates"), ("nowhere.pem", "No such file")]
)
async def test_a_file_that_is_none(folder: Path, file: str, why: str) -> None:
    done = await run("top", "wss://127.0.0.1:1/", "--ca", str(folder / file))
    assert done.returncode == 2
    assert why in done.stderr.decode()
