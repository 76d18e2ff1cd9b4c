"""``statserver run`` stopped and started again: real processes, real sockets, a real disk.

The T-Server is one of ours, in this process, and says only what the test wants it to.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
from test_run import free_port

from statserver_trio.client import ConnectionLost, StatServer, open_statserver
from statserver_trio.server.clock import Clock
from statserver_trio.server.tserver import TServer
from statserver_trio.simulator.contact_centre import ContactCentre
from statserver_trio.simulator.feed_server import Published
from statserver_trio.tlib.events import EventQueued, TEvent

PATIENCE = 30  # seconds for anything, on a busy machine
ENTERED = "Queue:8001@sw1:Entered"
WAITING = "Queue:8001@sw1:Waiting"
CONF = """
[server]
name = "stat-one"
data-dir = "{folder}/var"
[[listen]]
port = {port}
[[tserver]]
name = "ts1"
switch = "sw1"
port = {feed}
[[dns]]
number = "8001"
switch = "sw1"
type = "Queue"
[stat-types.Entered]
Objects = "Queue"
Category = "TotalNumber"
MainMask = "CallEntered"
Subject = "DNAction"
[stat-types.Waiting]
Objects = "Queue"
Category = "CurrentNumber"
MainMask = "CallWait"
Subject = "DNAction"
"""


class Switch:
    """The T-Server; a centre in which nothing happens by itself."""

    def __init__(self) -> None:
        self.clock = Clock.system()
        centre = ContactCentre(Random(1), self.clock.now(), agents=1, queues=1)
        self.server = TServer(centre, self.clock)

    async def run(self, port: int, task_status: trio.TaskStatus[None]) -> None:
        listeners = await trio.open_tcp_listeners(port, host="127.0.0.1")
        task_status.started()
        await trio.serve_listeners(self.server.handle, listeners)

    def say(self, *events: TEvent) -> None:
        for event in events:
            event.position = self.server.feed.position + 1
            event.time = self.clock.now()
            self.server.feed.publish([event])
        for client in list(self.server._clients):
            client.tell(Published())


def enters(call: str) -> TEvent:
    return EventQueued(this_dn="8001", this_queue="8001", conn_id=call, call_type="Inbound")


@asynccontextmanager
async def a_process(conf: Path) -> AsyncIterator[trio.Process]:
    command = [sys.executable, "-m", "statserver_trio", "run", str(conf)]
    with conf.with_suffix(".log").open("ab") as log:
        async with trio.open_nursery() as nursery:
            run = partial(trio.run_process, command, stderr=log, check=False)
            process: trio.Process = await nursery.start(run)
            yield process
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def a_client(port: int) -> AsyncIterator[StatServer]:
    """A client, as soon as the process serves them; the process may leave it."""
    for _ in range(PATIENCE * 10):
        if await listens(port):
            break
        await trio.sleep(0.1)
    with suppress(ConnectionLost):
        async with open_statserver(f"ws://127.0.0.1:{port}/") as stats:
            yield stats


async def listens(port: int) -> bool:
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True


async def hears(stats: StatServer, name: str, value: int) -> None:
    """A client opens this, and is told that value sooner or later."""
    statistic = await stats.open(name)
    with trio.fail_after(PATIENCE):
        async for update in stats:
            if update.statistic is statistic and update.value == value:
                return


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
async def test_values_go_on_where_they_were(tmp_path: Path, nursery: Any, signum: int) -> None:
    switch, port, feed = Switch(), free_port(), free_port()
    conf = tmp_path / "one.toml"
    text = CONF.format(folder=tmp_path, port=port, feed=feed)
    if signum == signal.SIGKILL:  # nothing is written at the end, so it has to be before
        text = text.replace("[[listen]]", "auto-backup-interval = 0.02\n[[listen]]", 1)
    conf.write_text(text)
    await nursery.start(switch.run, feed)

    async with a_process(conf) as process, a_client(port) as stats:
        await hears(stats, WAITING, 0)
        await hears(stats, ENTERED, 0)
        switch.say(enters("c1"), enters("c2"))
        await hears(stats, ENTERED, 2)
        if signum == signal.SIGKILL:
            await trio.sleep(2.5)  # until it has written a file
        process.send_signal(signum)
        with trio.fail_after(PATIENCE):
            await process.wait()
    assert process.returncode == (0 if signum == signal.SIGTERM else -signal.SIGKILL)
    assert (tmp_path / "var" / "stat-one.stat.bak").exists()

    switch.say(enters("c3"))  # while nobody is there to hear it
    async with a_process(conf), a_client(port) as stats:
        await hears(stats, ENTERED, 3)
        switch.say(enters("c4"))
        await hears(stats, ENTERED, 4)
        await hears(stats, WAITING, 4)
    assert "2 statistics, as of" in conf.with_suffix(".log").read_text()
