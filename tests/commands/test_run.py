"""``statserver run`` as a process: it starts, says why it cannot, and stops when told to."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from statserver_trio.commands.main import main

CONF = """
[server]
name = "test"
data-dir = "{data}"

[[listen]]
port = {port}

[[tserver]]
name = "ts1"
switch = "sw1"
port = {feed}
"""
PROGRAM = [sys.executable, "-m", "statserver_trio", "run"]
PATIENCE = 20  # seconds for a process to start or stop, on a busy machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def conf(tmp_path: Path) -> tuple[Path, int]:
    port = free_port()
    path = tmp_path / "server.toml"
    path.write_text(CONF.format(port=port, feed=free_port(), data=tmp_path))
    return path, port


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_it_is_told_to(conf: tuple[Path, int], signum: int) -> None:
    path, port = conf
    with subprocess.Popen([*PROGRAM, str(path)], stderr=subprocess.PIPE, text=True) as server:
        wait_for_port(port)
        server.send_signal(signum)
        _, said = server.communicate(timeout=PATIENCE)
    assert server.returncode == 0, said
    assert f"ws://127.0.0.1:{port}/" in said


def test_a_port_in_use(conf: tuple[Path, int]) -> None:
    path, port = conf
    with socket.create_server(("127.0.0.1", port)):
        done = subprocess.run(
            [*PROGRAM, str(path)], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    assert done.returncode == 75
    assert done.stderr == f"Error: Port 127.0.0.1:{port} is in use by another program.\n"


def test_a_bad_configuration(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('[server]\nrole = "boss"\n[[listen]]\nport = 70000\n')
    done = subprocess.run(
        [*PROGRAM, str(path)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 78
    lines = done.stderr.splitlines()
    assert any("[server] role" in line and "standalone" in line for line in lines)
    assert any("[listen #1] port" in line and "65535" in line for line in lines)


def test_json(conf: tuple[Path, int]) -> None:
    path, port = conf
    command = [*PROGRAM, "--json", str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as server:
        assert server.stdout is not None
        said = json.loads(server.stdout.readline())
        busy = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        server.terminate()
        rest, _ = server.communicate(timeout=PATIENCE)
    assert (server.returncode, rest) == (0, "")
    assert said == {
        "event": "Listening",
        "name": "test",
        "clients": [f"ws://127.0.0.1:{port}/"],
        "management": [],
        "peer": [],
    }
    assert (busy.returncode, busy.stdout) == (75, "")
    error = json.loads(busy.stderr.splitlines()[-1])["error"]
    assert (error["code"], error["exitCode"]) == ("port-busy", 75)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["run", *arguments])


def test_a_configuration_is_checked_and_shown(conf: tuple[Path, int], tmp_path: Path) -> None:
    path, port = conf
    assert invoke("--check-config", str(path)).stdout == f"{path}: no mistakes\n"
    usable = invoke("--check-config", str(path), "--json")
    assert json.loads(usable.stdout) == {"file": str(path), "usable": True}
    printed = tomllib.loads(invoke("--print-config", str(path)).stdout)
    assert printed["listen"][0]["port"] == port
    assert json.loads(invoke("--print-config", "--json", str(path)).stdout) == printed
    bad = tmp_path / "bad.toml"
    bad.write_text('[server]\nrole = "boss"\n')
    result = invoke("--check-config", str(bad), "--json")
    assert (result.exit_code, result.stdout) == (78, "")
    error = json.loads(result.stderr)["error"]
    assert (error["code"], error["mistakes"][0]["key"]) == ("configuration", "role")
