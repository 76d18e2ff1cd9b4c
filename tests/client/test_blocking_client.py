"""The client for programs without Trio, in a thread, over loopback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
from test_statserver_client import WAITING, new_hub, queue_up

from statserver_trio.api import messages as m
from statserver_trio.client import ConnectionLost, Refused
from statserver_trio.client.blocking import open_statserver
from statserver_trio.server.client_task import ClientServer

LOOPBACK = "127.0.0.1"


async def beside_servers(count: int, story: Callable[..., None]) -> None:
    """Run a story in a thread, with the URLs of servers and a way to make calls come."""
    hubs = [new_hub() for _ in range(count)]
    urls = []
    async with trio.open_nursery() as nursery:
        for hub in hubs:
            listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
            await nursery.start(ClientServer(hub).run, listeners)
            urls.append(f"ws://{LOOPBACK}:{listeners[0].socket.getsockname()[1]}/")

        def comes(name: str) -> None:
            def happen() -> None:
                for hub in hubs:
                    queue_up(hub, name)

            trio.from_thread.run_sync(happen)

        await trio.to_thread.run_sync(story, urls, comes)
        nursery.cancel_scope.cancel()


def value_after(stats: Any) -> Any:
    """The next value."""
    while True:
        update = stats.next(timeout=5)
        assert update is not None, "nothing came"
        if update.value is not None:
            return update.value


async def test_it_is_the_same_client() -> None:
    def story(urls: list[str], comes: Callable[[str], None]) -> None:
        with open_statserver(*urls) as stats:
            waiting = stats.open(WAITING)
            assert value_after(stats) == 0
            comes("c1")
            assert value_after(stats) == 1
            assert stats.next(timeout=0.01) is None
            assert stats.peek(waiting).value == 1
            assert stats.explain(waiting).definition["statisticType"] == "Waiting"
            assert len(stats.profile("StatTypes")) == 2
            with pytest.raises(Refused, match="not configured"):
                stats.open("Queue:8001@sw1:Nothing")
            comes("c2")
            assert next(u.value for u in stats if u.value is not None) == 2
            whose = m.ObjectRef(object_id="8001@sw1", object_type="Queue")
            metric = m.MetricEx(category="CurrentNumber", subject="DNAction", main_mask="CallWait")
            assert stats.peek(stats.open_ex(whose, metric)).value == 2
            stats.close(waiting)
        with pytest.raises(ConnectionLost, match="closed"):
            stats.peek(waiting)

    await beside_servers(1, story)


async def test_of_a_pair_as_well() -> None:
    def story(urls: list[str], comes: Callable[[str], None]) -> None:
        with open_statserver(*urls) as stats:
            stats.open(WAITING)
            comes("c1")
            while value_after(stats) != 1:
                pass

    await beside_servers(2, story)


async def test_nobody_is_there() -> None:
    def story() -> None:
        with pytest.raises(ConnectionLost), open_statserver(f"ws://{LOOPBACK}:1/"):
            raise AssertionError("never reached")
        with pytest.raises(ValueError, match="no address"), open_statserver("http://x/"):
            raise AssertionError("never reached")

    await trio.to_thread.run_sync(story)
