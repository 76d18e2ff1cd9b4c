"""``statserver run`` under a service manager: a real process, a real socket, real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_run import CONF, PATIENCE, PROGRAM, free_port


class Manager:
    """A service manager's socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(PATIENCE)
        self.heard: list[dict[str, str]] = []

    def wait_for(self, name: str) -> dict[str, str]:
        """Read until there is a datagram with that in it."""
        while True:
            lines = self._socket.recv(65536).decode().splitlines()
            self.heard.append(dict(line.split("=", 1) for line in lines))
            if name in self.heard[-1]:
                return self.heard[-1]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


def records(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines()]


def test_a_life_under_a_service_manager(tmp_path: Path, manager: Manager) -> None:
    port = free_port()
    conf = tmp_path / "server.toml"
    conf.write_text(CONF.format(port=port, feed=free_port(), data=tmp_path))
    environment = {**os.environ, "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "400000"}
    with subprocess.Popen(
        [*PROGRAM, str(conf), "--log-format", "json"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as server:
        manager.wait_for("READY")
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) == 0  # ready is ready
        status = manager.wait_for("STATUS")["STATUS"]
        manager.wait_for("WATCHDOG")
        manager.wait_for("WATCHDOG")
        server.send_signal(signal.SIGUSR1)
        server.send_signal(signal.SIGHUP)
        assert int(manager.wait_for("RELOADING")["MONOTONIC_USEC"]) > 0
        manager.wait_for("READY")
        server.send_signal(signal.SIGTERM)
        manager.wait_for("STOPPING")
        _, said = server.communicate(timeout=PATIENCE)
    assert server.returncode == 0, said
    assert status.startswith("standalone, 0 of 1 feeds, 0 clients, 0 statistics")
    log = records(said)
    assert {each["application"] for each in log} == {"test"}
    assert "SST-2101" in {each["id"] for each in log}  # the feed is not there
    [tree] = [each["message"] for each in log if each["message"].startswith("tasks (")]
    assert "FeedTask.run" in tree
    [state] = [each["message"] for each in log if each["message"].startswith("status: ")]
    assert json.loads(state.removeprefix("status: "))["name"] == "test"


def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path, manager: Manager) -> None:
    conf = tmp_path / "server.toml"
    conf.write_text(CONF.format(port=free_port(), feed=free_port(), data=tmp_path))
    environment = {**os.environ, "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "400000"}
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    while True:  # fill it
        try:
            os.write(writer, b"x" * 4096)
        except BlockingIOError:
            break
    os.set_blocking(writer, True)
    with subprocess.Popen([*PROGRAM, str(conf)], stderr=writer, env=environment) as server:
        manager.wait_for("READY")
        for _ in range(3):
            server.send_signal(signal.SIGUSR1)
            manager.wait_for("WATCHDOG")
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0
    os.close(reader)
    os.close(writer)
