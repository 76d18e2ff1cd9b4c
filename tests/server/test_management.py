"""What operators and probes see, and what they may order."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from statserver_trio.config.load import load
from statserver_trio.config.mistakes import ConfigError, Mistake
from statserver_trio.config.schema import Config, Listen, Server, TServer
from statserver_trio.model.directory import Directory
from statserver_trio.server.assembly import Parts
from statserver_trio.server.backup.owners import Alone
from statserver_trio.server.backup.task import Backup
from statserver_trio.server.clock import Clock
from statserver_trio.server.feed_task import FeedOptions, FeedTask
from statserver_trio.server.http import HttpServer
from statserver_trio.server.hub import Hub
from statserver_trio.server.management import Management
from statserver_trio.server.recorder import Recorder
from statserver_trio.server.serve import serve
from statserver_trio.server.tap import Tap
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.engine import Engine
from statserver_trio.stats.reconfigure import Changes, Difference
from statserver_trio.tlib.events import EventQueued, Unhandled

T0 = 1_700_000_000
LISTED_IN_PROTOCOLS = {
    "": "name role mode uptime clients statistics peer session replication addp sources",
    "replication": "pending inFlight acknowledged parked tombstones chunksSent chunksReceived "
    "statisticsSent statisticsReceived inexact",
    "addp": "pollsSent pollsReceived lost roundTrip",
    "source": "name connected position clockOffset gaps",
}


class Site:
    """A server without ports, and its management."""

    def __init__(self, nursery: trio.Nursery, tmp_path: Path, **more: Any) -> None:
        engine = Engine(Definitions(), Directory())
        engine.add_source("ts1", "sw1")
        self.hub = Hub(engine, Clock(T0))
        self.feed = FeedTask(FeedOptions(name="ts1"), self.hub, self.hub.clock)
        self.recorder = Recorder(tmp_path / "r.jsonl")
        self.outcome: Changes | ConfigError = Changes()
        config = Config(server=Server(name="here"))
        self.management = Management(
            self.hub,
            {"ts1": self.feed},
            {"ts1": self.recorder},
            lambda: config,
            self._reload,
            Path("conf/here.toml"),
            **more,
        )
        self._server = HttpServer(self.management.routes())
        self._nursery = nursery

    async def _reload(self) -> Changes:
        if isinstance(self.outcome, ConfigError):
            raise self.outcome
        return self.outcome

    async def asks(self, line: str, *headers: str) -> tuple[int, Any]:
        """Status and body, decoded if it is JSON."""
        head = "\r\n".join((f"{line} HTTP/1.1", "Host: here", *headers, "", ""))
        stream, theirs = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self._server.handle, theirs)
        await stream.send_all(head.encode())
        await trio.testing.wait_all_tasks_blocked()
        head, _, body = bytes(await stream.receive_some()).decode().partition("\r\n\r\n")
        return int(head.split()[1]), json.loads(body) if "/json" in head else body

    async def orders(self, path: str) -> tuple[int, Any]:
        return await self.asks(f"POST {path}", "X-Requested-With: curl")


@pytest.fixture
async def site(nursery: trio.Nursery, tmp_path: Path) -> Site:
    return Site(nursery, tmp_path)


async def test_it_is_healthy(site: Site) -> None:
    assert await site.asks("GET /healthz") == (200, "ok\n")


async def test_it_is_ready_when_nothing_is_missing(site: Site) -> None:
    site.hub.set_ready("it is joining its peer")
    missing = ["T-Server ts1 is not connected", "it is joining its peer"]
    assert await site.asks("GET /readyz") == (
        503, {"ready": False, "reasons": missing, "degraded": []}
    )  # fmt: skip
    site.feed.connected = True
    assert (await site.asks("GET /readyz"))[1]["reasons"] == missing[1:]
    site.hub.set_ready()
    assert await site.asks("GET /readyz") == (
        200, {"ready": True, "reasons": [], "degraded": []}
    )  # fmt: skip


async def test_a_disk_that_takes_no_backup_file_does_not_make_it_less_ready(
    nursery: trio.Nursery, tmp_path: Path
) -> None:
    config = Config(server=Server(name="here", data_dir=str(tmp_path)))
    hub = Hub(Engine(Definitions(), Directory()), Clock(T0))
    backup = Backup(lambda: config, hub, Tap(hub, {}), Alone(hub, {}))
    site = Site(nursery, tmp_path, backup=backup)
    site.feed.connected = True
    backup.error = "No space left on device"
    said = ["the backup file is not written: No space left on device"]
    ready = {"ready": True, "reasons": [], "degraded": said}
    assert await site.asks("GET /readyz") == (200, ready)
    assert (await site.asks("GET /api/status"))[1]["degraded"] == said


@pytest.mark.usefixtures("lenient")
async def test_a_statistic_that_cannot_be_computed_does_not_either(site: Site) -> None:
    site.feed.connected = True
    site.hub.engine.failing.failed(object(), ValueError("x"))  # type: ignore[arg-type]
    said = ["statistics that cannot be computed: 1; see the log"]
    assert (await site.asks("GET /readyz"))[1] == {
        "ready": True, "reasons": [], "degraded": said,
    }  # fmt: skip
    assert (await site.asks("GET /api/status"))[1]["failing"] == 1


@pytest.mark.usefixtures("lenient")
async def test_nor_does_an_event_that_cannot_be_applied(site: Site) -> None:
    site.feed.connected = True
    site.hub.engine.sources["ts1"].passed_over.failed(object(), ValueError("x"), 1)
    said = ["events that could not be applied: 1; see the log"]
    assert (await site.asks("GET /readyz"))[1]["degraded"] == said
    assert (await site.asks("GET /api/status"))[1]["sources"][0]["passedOver"] == 1


async def test_the_status_is_what_the_protocol_lists(site: Site, autojump_clock: Any) -> None:
    now = site.hub.clock.now_ms()
    queued = EventQueued(time=T0 + 2, this_dn="8001", conn_id="c1", position=7)
    site.hub.apply("ts1", [queued, queued, Unhandled(position=8)], now)
    site.hub.join(lambda: None, lambda reason: None)
    site.feed.session.gaps = 3
    site.recorder.written = 9
    await trio.sleep(12.5)
    status, found = await site.asks("GET /api/status")
    assert status == 200
    parts = {"": found, "source": found["sources"][0], **found}
    for name, listed in LISTED_IN_PROTOCOLS.items():
        assert set(listed.split()) <= set(parts[name]), name
    assert found["uptime"] == pytest.approx(12.5, abs=0.1)
    expected = {
        "name": "here", "role": "standalone", "mode": "primary", "clients": 1, "statistics": 0,
        "peer": None, "session": None, "configuration": "conf/here.toml",
        "recorders": {"ts1": {"written": 9, "dropped": 0}},
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    source = {
        "name": "ts1", "connected": False, "lastConnected": None, "position": 8, "clockOffset": 2.0,
        "gaps": {"repaired": 0, "open": 3}, "duplicates": 1, "events": 3,
    }  # fmt: skip
    assert {key: parts["source"][key] for key in source} == source


async def test_the_pair_tells_its_part_itself(nursery: trio.Nursery, tmp_path: Path) -> None:
    class OurHalf:
        mode = "primary"

        def status(self) -> dict[str, Any]:
            gaps = {"repaired": 1, "left": 0, "open": 0}
            intake = {"name": "ts1", "state": "joining", "duplicates": 2, "gaps": gaps}
            return {"peer": {"name": "other", "connected": True}, "sources": [intake]}

        def not_ready(self) -> list[str]:
            return ["joining"]

        def degraded(self) -> list[str]:
            return ["alone"]

        def set_mode(self, mode: str) -> None:
            self.mode = mode

    ours = OurHalf()
    site = Site(nursery, tmp_path, pair=ours)
    said = (await site.asks("GET /api/status"))[1]
    assert said["peer"]["name"] == "other"
    assert said["sources"][0]["gaps"]["repaired"] == 1
    assert said["sources"][0]["state"] == "joining"
    assert "joining" in said["notReady"]
    assert await site.orders("/api/role/backup") == (200, {"mode": "backup"})
    assert ours.mode == "backup"


async def test_a_role_is_ordered_and_clients_are_told(site: Site) -> None:
    client = site.hub.join(lambda: None, lambda reason: None)
    client.outbox.take()
    assert await site.orders("/api/role/backup") == (200, {"mode": "backup"})
    assert b'"backup"' in (client.outbox.take() or b"")
    assert (await site.asks("GET /api/status"))[1]["mode"] == "backup"
    assert await site.orders("/api/role/backup") == (200, {"mode": "backup"})
    assert not client.outbox.take()
    assert (await site.orders("/api/role/boss"))[0] == 404


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), 403),
        (("Content-Type: text/plain",), 403),
        (("Content-Type: application/x-www-form-urlencoded",), 403),
        (("Content-Type: application/json; charset=utf-8",), 200),
        (("X-Requested-With: curl",), 200),
    ],
)
async def test_a_page_of_somebody_elses_cannot_order_anything(
    site: Site, headers: tuple[str, ...], expected: int
) -> None:
    for path in ("/api/reload", "/api/role/backup"):
        assert (await site.asks(f"POST {path}", *headers))[0] == expected
        assert (await site.asks(f"GET {path}", *headers))[0] == 405
        assert (await site.asks(f"OPTIONS {path}", *headers))[0] == 405
    assert site.hub.mode.role == ("backup" if expected == 200 else "primary")


async def test_a_reload_says_what_it_did(site: Site) -> None:
    site.outcome = Changes(
        {"filters": Difference(deleted=["Vip"])}, {"filter 'Vip' was deleted": 2}, 1, 0, ["later"]
    )
    assert await site.orders("/api/reload") == (
        200,
        {
            "changed": {"filters": {"added": [], "changed": [], "deleted": ["Vip"]}},
            "closed": {"filter 'Vip' was deleted": 2},
            "joined": 1,
            "left": 0,
            "afterRestart": ["later"],
        },
    )
    site.outcome = ConfigError([Mistake("a.toml", "server", "role", "is wrong")])
    expected = {"mistakes": ["a.toml: [server] role: is wrong"], "warnings": []}
    assert await site.orders("/api/reload") == (409, expected)


async def over_the_network(parts: Parts, request: str) -> str:
    async with await trio.open_tcp_stream(*parts.operator_addresses[0]) as stream:
        await stream.send_all(
            f"{request} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode()
        )
        data = b""
        async for piece in stream:
            data += bytes(piece)
    return data.decode()


async def test_a_real_server_has_it(nursery: trio.Nursery, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    config = Config(
        server=Server(auto_backup_interval=0.0),
        listen=(Listen(port=0), Listen(id="management", port=0)),
        tserver=(TServer(name="ts1", switch="sw1", port=9),),
    )
    stop = trio.Event()
    with trio.fail_after(10):
        parts = await nursery.start(serve, config, stop)
        assert (await over_the_network(parts, "GET /healthz")).endswith("\r\n\r\nok\n")
        assert (await over_the_network(parts, "GET /readyz")).startswith("HTTP/1.1 503")
        metrics = await over_the_network(parts, "GET /metrics")
        assert "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n" in metrics
        assert '\nstatserver_feed_connected{source="ts1"} 0.0\n' in metrics
        assert "\nstatserver_http_connections 1.0\n" in metrics
        with pytest.raises(ConfigError, match="without a configuration file"):
            await parts.reloader.reload()
        stop.set()
        await trio.testing.wait_all_tasks_blocked()
    assert f"http://127.0.0.1:{parts.operator_addresses[0][1]}/api/status" in caplog.text


async def test_the_files_that_come_along_have_it() -> None:
    config = load(Path(__file__).parent.parent.parent / "conf" / "standalone.toml")
    assert "management" in [listen.id for listen in config.listen]
