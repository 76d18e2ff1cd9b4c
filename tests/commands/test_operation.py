"""``statserver run`` under a service manager: a real process, a real socket, real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from test_run import CONF, PATIENCE, PROGRAM, free_port

from statserver_trio.api.messages import ServerMode
from statserver_trio.client import ConnectionLost
from statserver_trio.client.blocking import open_statserver

ROOT = Path(__file__).parents[2]


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


class Life:
    """A server under a manager; its port is open when there is one."""

    def __init__(self, folder: Path, manager: Manager, *options: str, stderr: int) -> None:
        self.port, self.management = free_port(), free_port()
        conf = folder / "server.toml"
        listen = f'[[listen]]\nid = "management"\nport = {self.management}\n'
        conf.write_text(CONF.format(port=self.port, feed=free_port(), data=folder) + listen)
        told = {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "200000"}
        self.process = subprocess.Popen(
            [*PROGRAM, str(conf), *options],
            stderr=stderr,
            text=True,
            env={**os.environ, **told},
        )

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> str:
        """Wait for it; what it has said."""
        _, said = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, said
        return said or ""

    def __enter__(self) -> Life:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.communicate()


def test_a_life_under_a_service_manager(tmp_path: Path, manager: Manager) -> None:
    told: list[Any] = []
    options = ("--log-format", "json")
    with Life(tmp_path, manager, *options, stderr=subprocess.PIPE) as server:
        manager.wait_for("READY")
        with open_statserver(f"ws://127.0.0.1:{server.port}/") as stats:  # ready is ready
            status = manager.wait_for("STATUS")["STATUS"]
            manager.wait_for("WATCHDOG")
            manager.wait_for("WATCHDOG")
            server.signal(signal.SIGUSR1)
            server.signal(signal.SIGHUP)
            assert int(manager.wait_for("RELOADING")["MONOTONIC_USEC"]) > 0
            manager.wait_for("READY")
            server.signal(signal.SIGTERM)
            with pytest.raises(ConnectionLost, match="the server is shutting down"):
                told.extend(update.event for update in stats)
        manager.wait_for("STOPPING")
        said = server.end()
    assert status.startswith("standalone, 0 of 1 feeds, ")
    assert [each.leaving for each in told if isinstance(each, ServerMode)] == [False, True]
    log: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]
    assert {each["application"] for each in log} == {"test"}
    assert "SST-2101" in {each["id"] for each in log}  # the feed is not there
    [tree] = [each["message"] for each in log if each["message"].startswith("tasks (")]
    assert "FeedTask.run" in tree
    [state] = [each["message"] for each in log if each["message"].startswith("status: ")]
    assert json.loads(state.removeprefix("status: "))["name"] == "test"


def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path, manager: Manager) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:  # fill it
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    with Life(tmp_path, manager, stderr=writer) as server:
        manager.wait_for("READY")
        for _ in range(3):
            server.signal(signal.SIGUSR1)
            manager.wait_for("WATCHDOG")
        server.signal(signal.SIGTERM)
        server.end()
    os.close(reader)
    os.close(writer)


def writer_to(fifo: Path) -> int:
    """Open it, as soon as somebody reads it."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(OSError):  # nobody does yet
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.02)
    raise TimeoutError(f"nobody reads {fifo}")


def test_signals_count_while_it_starts(tmp_path: Path, manager: Manager) -> None:
    file, log = tmp_path / "test.stat.bak", tmp_path / "log"
    os.mkfifo(file)  # a backup file that cannot even be opened, as long as nobody writes it
    with log.open("wb") as out, Life(tmp_path, manager, stderr=out.fileno()) as server:
        until(lambda: catches(server.process.pid, signal.SIGUSR1))

        def is_restoring() -> bool:
            server.signal(signal.SIGUSR1)
            return "server/backup/task.py:" in log.read_text()

        until(is_restoring)
        server.signal(signal.SIGTERM)
        manager.wait_for("STOPPING")
        server.signal(signal.SIGTERM)
        os.close(writer_to(file))
        server.end()
    said = log.read_text()
    assert "status: starting" in said
    assert "SST-1101" in said
    assert not any("READY" in each for each in manager.heard)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it is never so"
        time.sleep(0.05)


def catches(pid: int, number: int) -> bool:
    """Whether a process does something of its own at a signal; else that would be its end."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


def test_a_bug_is_in_the_log_and_the_exit_code() -> None:
    program = """
import sys
import time
from statserver_trio.commands import run

async def serve(*args, **kwargs):
    raise ZeroDivisionError("deep inside")

run.serve = serve
run.command(["conf/standalone.toml", "--log-format", "json"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 1
    [record] = map(json.loads, done.stderr.splitlines())
    assert record["id"] == "SST-1104"
    assert "deep inside" in record["traceback"]
