"""What the service manager is told, over a real socket."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from math import inf
from pathlib import Path

import pytest
import trio

from statserver_trio.server.systemd import Notifier, notifier_from


@pytest.fixture(params=["file", "abstract"])
async def manager(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[str, trio.socket.SocketType]]:
    is_file = request.param == "file"
    address = str(tmp_path / "notify") if is_file else f"@statserver-test-{tmp_path}"
    with trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        await sock.bind(address if is_file else f"\0{address[1:]}")
        yield address, sock


async def test_a_datagram(manager: tuple[str, trio.socket.SocketType]) -> None:
    address, sock = manager
    await Notifier(address).tell(READY=1, STATUS="primary;\n2 feeds")
    assert await sock.recv(1000) == b"READY=1\nSTATUS=primary; 2 feeds"


async def test_the_watchdog_hears_that_the_loop_turns_and_the_status_once(
    manager: tuple[str, trio.socket.SocketType], autojump_clock: trio.testing.MockClock
) -> None:
    address, sock = manager
    said = ["one", "one", "one", "two"]
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Notifier(address, watchdog=4).run, lambda: said.pop(0))
        heard = [await sock.recv(1000) for _ in range(4)]
        nursery.cancel_scope.cancel()
    assert heard == [
        b"WATCHDOG=1\nSTATUS=one",
        b"WATCHDOG=1",
        b"WATCHDOG=1",
        b"WATCHDOG=1\nSTATUS=two",
    ]
    assert trio.current_time() - began == 6  # every two of four seconds


async def test_without_a_watchdog_there_is_only_news(
    manager: tuple[str, trio.socket.SocketType], autojump_clock: trio.testing.MockClock
) -> None:
    address, sock = manager
    said = ["one", "one", "two"]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Notifier(address).run, lambda: said.pop(0))
        heard = [await sock.recv(1000) for _ in range(2)]
        nursery.cancel_scope.cancel()
    assert heard == [b"STATUS=one", b"STATUS=two"]


async def test_a_manager_that_is_not_there_is_complained_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier(str(tmp_path / "nobody"))
    await notifier.tell(READY=1)
    await notifier.tell(WATCHDOG=1)
    assert [r.getMessage().partition(": ")[0] for r in caplog.records] == [
        "the service manager cannot be told"
    ]


async def test_a_manager_that_does_not_read_holds_up_nobody(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    address = str(tmp_path / "notify")
    with trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        await sock.bind(address)
        notifier = Notifier(address)
        with trio.fail_after(10_000):
            for number in range(2000):  # the kernel keeps a few hundred
                await notifier.tell(WATCHDOG=number)


async def test_nobody_to_tell() -> None:
    await Notifier().tell(READY=1)
    await Notifier().run(lambda: "")


@pytest.mark.parametrize(
    ("environment", "address", "watchdog"),
    [
        ({}, "", inf),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000"}, "/run/x", 30),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "42"}, "@x", 5),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "43"}, "@x", inf),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "soon"}, "@x", inf),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "0"}, "@x", inf),
    ],
)
def test_what_the_manager_leaves_in_the_environment(
    environment: dict[str, str], address: str, watchdog: float
) -> None:
    notifier = notifier_from(environment, 42)
    assert (notifier.address, notifier.watchdog) == (address, watchdog)
