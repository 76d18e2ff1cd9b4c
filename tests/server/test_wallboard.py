"""The wallboard's side of the management listener: files, data, and a WebSocket for browsers."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio.testing
import trustme
from trio.testing import memory_stream_pair, wait_all_tasks_blocked
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    WebSocketConnection,
    wrap_client_stream,
)

from statserver_trio.client import open_statserver
from statserver_trio.config.schema import Config, Listen, Server, TServer
from statserver_trio.config.schema import Wallboard as Options
from statserver_trio.model.directory import Directory
from statserver_trio.server.client_task import GOING_AWAY, ClientOptions, ClientServer
from statserver_trio.server.clock import Clock
from statserver_trio.server.http import HttpServer, Routes
from statserver_trio.server.hub import Hub
from statserver_trio.server.serve import serve
from statserver_trio.server.wallboard import Wallboard
from statserver_trio.stats.definitions import Definitions
from statserver_trio.stats.engine import Engine

PEER = "http://stat-b:7112"
FILES = {
    "index.html": "<!doctype html>",
    "board.js": "export const x = 1;",
    "vendor/plot.css": "a{}",
    "vendor/plot.exe": "MZ",
}


@attrs.define
class OurHalf:
    """Of a pair, what the wallboard asks it for."""

    peer_management: str = ""


class Site:
    """A management listener without a port, in front of a hub without sources."""

    def __init__(self, nursery: trio.Nursery, folder: Path, pair: OurHalf | None = None) -> None:
        for name, text in FILES.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        self.config = Config(
            server=Server(name="stat-a", peer="stat-b"),
            wallboard=Options(origins=("https://desk.example.com",)),
            agent_groups={"Sales": ("a1", "a2")},
            virtual_agent_groups={"Help": 'Skill("x") > 1'},
        )
        hub = Hub(Engine(Definitions(), Directory()), Clock(1_700_000_000))
        self.clients = ClientServer(hub, ClientOptions(clients_max=2))
        board = Wallboard(
            lambda: self.config,
            self.clients,
            "http://stat-a:7102",
            pair,
            folder,  # type: ignore[arg-type]
        )
        self.server = HttpServer(Routes(board.routes(), board.takeovers()))
        self.nursery = nursery

    def connect(self) -> trio.abc.Stream:
        ours, theirs = memory_stream_pair()
        self.nursery.start_soon(self.server.handle, theirs)
        return ours

    async def asks(self, line: str, *headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and body."""
        stream = self.connect()
        lines = f"{line} HTTP/1.1", "Host: stat-a:7102", *headers, "Connection: close", "", ""
        await stream.send_all("\r\n".join(lines).encode())
        await wait_all_tasks_blocked()
        head, _, body = bytes(await stream.receive_some()).decode().partition("\r\n\r\n")
        status, *lines = head.split("\r\n")
        found = [each.partition(": ")[::2] for each in lines]
        assert len({name for name, _ in found}) == len(found), "a header was sent twice"
        return int(status.split()[1]), dict(found), body

    @asynccontextmanager
    async def client(self, path: str = "/", *headers: str) -> AsyncIterator[WebSocketConnection]:
        extra = [(b"Origin", each.encode()) for each in headers]
        async with trio.open_nursery() as inner:
            ws = await wrap_client_stream(
                inner, self.connect(), "stat-a:7102", path, extra_headers=extra
            )
            yield ws
            await ws.aclose()

    async def refused(self, *headers: str) -> tuple[int, bytes] | None:
        """With what a client is turned away; None if it is not."""
        refusals: list[tuple[int, bytes]] = []
        try:
            async with self.client("/", *headers):
                pass
        except* ConnectionRejected as group:
            [error] = group.exceptions
            assert isinstance(error, ConnectionRejected)
            refusals.append((error.status_code, error.body or b""))
        return refusals[0] if refusals else None


@pytest.fixture
async def site(nursery: trio.Nursery, tmp_path: Path) -> Site:
    site = Site(nursery, tmp_path, OurHalf(PEER))
    await nursery.start(site.clients.run, [])
    return site


# -- files ----------------------------------------------------------------------------------------


async def test_the_page_and_its_files_are_served(site: Site) -> None:
    status, headers, body = await site.asks("GET /")
    assert (status, body) == (200, FILES["index.html"])
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["X-Content-Type-Options"] == "nosniff"
    status, headers, body = await site.asks("GET /wallboard/board.js")
    assert (status, body) == (200, FILES["board.js"])
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    status, headers, body = await site.asks("HEAD /wallboard/vendor/plot.css")
    assert (status, headers["Content-Length"], body) == (200, "3", "")


@pytest.mark.parametrize(
    "path",
    ["../wallboard/board.js", "%2e%2e/x", "/etc/passwd", "vendor", "vendor/plot.exe", "",
     "vendor/../board.js", "board.js/", "board.js%00"],
)  # fmt: skip
async def test_nothing_else_is(site: Site, path: str) -> None:
    assert (await site.asks(f"GET /wallboard/{path}"))[0] == 404


async def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    _, headers, _ = await site.asks("GET /wallboard/board.js")
    etag = headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        status, headers, body = await site.asks(
            "GET /wallboard/board.js", f"If-None-Match: {known}"
        )
        assert (status, body, headers["ETag"]) == (304, "", etag)
        assert "Content-Length" not in headers
    _, headers, _ = await site.asks("GET /", f"If-None-Match: {etag}")
    assert headers["ETag"] != etag


async def test_the_page_may_load_from_us_and_talk_with_both_members(
    site: Site, nursery: trio.Nursery, tmp_path: Path
) -> None:
    def rules(headers: dict[str, str]) -> dict[str, str]:
        each = [rule.partition(" ") for rule in headers["Content-Security-Policy"].split("; ")]
        return {name: value for name, _, value in each}

    found = rules((await site.asks("GET /"))[1])
    assert found["default-src"] == "'none'"
    assert found["script-src"] == found["style-src"] == "'self'"
    own, peer = "'self' ws://stat-a:7102", "http://stat-b:7112 ws://stat-b:7112"
    assert found["connect-src"] == f"{own} {peer}"
    early = Site(nursery, tmp_path, OurHalf())
    assert rules((await early.asks("GET /"))[1])["connect-src"] == f"{own} http: https: ws: wss:"
    alone = Site(nursery, tmp_path)
    assert rules((await alone.asks("GET /"))[1])["connect-src"] == own


# -- data -----------------------------------------------------------------------------------------


async def test_the_board_is_told_who_the_members_are(site: Site) -> None:
    status, _, body = await site.asks("GET /api/board")
    found = json.loads(body)
    assert status == 200
    assert (found["name"], found["tenant"]) == ("stat-a", "Environment")
    assert found["members"] == [
        {"name": "stat-a", "url": "http://stat-a:7102", "self": True},
        {"name": "stat-b", "url": PEER, "self": False},
    ]
    assert found["thresholds"]["waiting-warn"] == 5
    assert found["groups"]["GroupAgents"] == {"Sales": ["a1", "a2"], "Help": None}


async def test_a_reload_changes_what_the_board_is_told(site: Site) -> None:
    options = attrs.evolve(site.config.wallboard, thresholds={"waiting-warn": 7.0})
    site.config = attrs.evolve(site.config, wallboard=options)
    assert json.loads((await site.asks("GET /api/board"))[2])["thresholds"] == {"waiting-warn": 7}


@pytest.mark.parametrize(
    ("origin", "may_read"),
    [(PEER, True), ("https://desk.example.com", True), ("http://evil.example", False)],
)
async def test_only_pages_of_our_friends_may_read_it(
    site: Site, origin: str, may_read: bool
) -> None:
    _, headers, _ = await site.asks("GET /api/board", f"Origin: {origin}")
    assert headers.get("Access-Control-Allow-Origin") == (origin if may_read else None)
    assert headers["Vary"] == "Origin"


# -- the WebSocket --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/ws"])
async def test_a_client_can_come_here_too(site: Site, path: str) -> None:
    async with site.client(path) as ws:
        assert json.loads(await ws.get_message())["event"] == "ServerMode"
        assert len(site.clients.clients) == site.clients.connections == 1
        assert site.server.connections == 0  # it takes no place of an operator's
    await wait_all_tasks_blocked()
    assert (site.clients.connections, site.clients.served, site.server.connections) == (0, 1, 0)


async def test_a_browser_is_let_in_from_our_pages_only(site: Site) -> None:
    for origin in ("http://stat-a:7102", PEER, "https://desk.example.com"):
        assert await site.refused(origin) is None
    status, why = await site.refused("http://evil.example") or (0, b"")
    assert status == 403
    assert why == (
        b"a page from http://evil.example may not open a WebSocket here; [wallboard] origins "
        b"lists pages that may\n"
    )
    assert (await site.refused("null") or (0, b""))[0] == 403
    assert site.clients.served == 3


async def test_it_is_counted_in_the_same_limit(site: Site) -> None:
    async with site.client(), site.client("/ws"):
        assert (await site.refused() or (0, b""))[0] == 503
    assert site.clients.turned_away == 1


async def test_whoever_is_early_waits_until_clients_are_served(
    nursery: trio.Nursery, tmp_path: Path, autojump_clock: Any
) -> None:
    """As in the backlog of the clients' port; a page that is refused complains on its console."""
    early = Site(nursery, tmp_path)

    async def begin_late() -> None:
        await trio.sleep(3)
        await nursery.start(early.clients.run, [])

    nursery.start_soon(begin_late)
    assert await early.refused() is None
    assert trio.current_time() == pytest.approx(3)


async def test_as_long_as_for_a_handshake_and_then_it_is_told_so(
    nursery: trio.Nursery, tmp_path: Path, autojump_clock: Any
) -> None:
    early = Site(nursery, tmp_path)
    status, why = await early.refused() or (0, b"")
    assert (status, why[:22]) == (503, b"clients are not served")
    assert trio.current_time() == pytest.approx(early.clients.options.handshake_timeout)


async def test_whoever_is_late_is_told_at_once(
    nursery: trio.Nursery, tmp_path: Path, autojump_clock: Any
) -> None:
    late = Site(nursery, tmp_path)
    async with trio.open_nursery() as stopped:
        await stopped.start(late.clients.run, [])
        stopped.cancel_scope.cancel()
    assert (await late.refused() or (0, b""))[0] == 503
    assert trio.current_time() == 0


async def test_it_is_sent_away_like_the_others(site: Site) -> None:
    async with site.client() as ws:
        await ws.get_message()
        await site.clients.drain()
        with pytest.raises(ConnectionClosed):
            await ws.get_message()
        assert ws.closed is not None
        assert ws.closed.code == GOING_AWAY
    assert (await site.refused() or (0, b""))[0] == 503


async def test_over_real_sockets(nursery: trio.Nursery) -> None:
    """A whole server: a client and a page's script at the port of the operators."""
    config = Config(
        server=Server(auto_backup_interval=0.0),
        listen=(Listen(port=0), Listen(id="management", port=0)),
        tserver=(TServer(name="ts1", switch="sw1", port=9),),
    )
    stop = trio.Event()
    with trio.fail_after(60):
        parts = await nursery.start(serve, config, stop)
        host, port = parts.operator_addresses[0]
        url = f"ws://{host}:{port}/"
        origin = [(b"Origin", f"http://{host}:{port}".encode())]
        async with (
            open_statserver(url) as stats,
            await trio.open_tcp_stream(host, port) as stream,
            trio.open_nursery() as inner,
        ):
            ws = await wrap_client_stream(
                inner, stream, f"{host}:{port}", "/ws", extra_headers=origin
            )
            assert stats.mode.role == "primary"
            assert json.loads(await ws.get_message())["event"] == "ServerMode"
            assert all("127.0.0.1" in client.name for client in parts.clients.clients)
            assert all(client._direct.has_socket for client in parts.clients.clients)
            stop.set()
            assert json.loads(await ws.get_message())["leaving"] is True
            with pytest.raises(ConnectionClosed):
                await ws.get_message()
            assert ws.closed is not None
            assert ws.closed.code == GOING_AWAY


async def test_over_tls(nursery: trio.Nursery, tmp_path: Path) -> None:
    """The same with a certificate: what was read is put back in front of the TLS stream."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    management = Listen(
        id="management",
        port=0,
        secured=True,
        certificate=str(tmp_path / "cert.pem"),
        certificate_key=str(tmp_path / "key.pem"),
    )
    config = Config(server=Server(auto_backup_interval=0.0), listen=(Listen(port=0), management))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    stop = trio.Event()
    with trio.fail_after(60):
        parts = await nursery.start(serve, config, stop)
        host, port = parts.operator_addresses[0]
        async with (
            await trio.open_ssl_over_tcp_stream(host, port, ssl_context=context) as stream,
            trio.open_nursery() as inner,
        ):
            origin = [(b"Origin", f"https://{host}:{port}".encode())]
            ws = await wrap_client_stream(
                inner, stream, f"{host}:{port}", "/", extra_headers=origin
            )
            assert json.loads(await ws.get_message())["event"] == "ServerMode"
            [client] = parts.clients.clients
            assert not client._direct.has_socket  # nothing may get past the encryption
            assert "127.0.0.1" in client.name
            await ws.aclose()
        stop.set()
