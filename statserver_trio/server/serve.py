"""One Stat Server: its parts, and the tree of tasks that drives them.

Read the tree from the top: what is started first is stopped last. ::

    serve
    |- recorders   write what was applied; flushed at the very end
    |- management  answers operators and probes, also while the rest is stopped
    |- hub         wakes the engine at its deadlines
    |- clients     one task per client, sent away politely      stopped third
    `- sources     one task per T-Server                        stopped first

Nothing is decided here; the configuration says which parts there are.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from itertools import chain
from pathlib import Path

import trio
from attrs import field, frozen

from ..api.messages import ServerModeInfo
from ..api.session import Limits
from ..config.schema import Config, TServer
from ..config.site import make_site
from ..stats.engine import Engine
from ..tlib.recording import Rotation
from . import tls
from .client_task import ClientOptions, ClientServer, serve_clients
from .clock import Clock
from .feed_task import FeedOptions, FeedTask
from .http import serve_http
from .hub import Hub
from .management import Management
from .recorder import Recorder
from .reload import Reloader
from .tap import Tap

log = logging.getLogger(__name__)

Listeners = Sequence[trio.abc.Listener[trio.abc.Stream]]


@frozen
class Parts:
    """Everything one server consists of.

    Attributes:
        feeds, recorders: By source.
        addresses: Where clients can connect, as host and port.
        operators: Listeners for them; where they are, in ``operator_addresses``.
    """

    hub: Hub
    feeds: dict[str, FeedTask]
    recorders: dict[str, Recorder]
    listeners: Listeners
    client_options: ClientOptions
    reloader: Reloader
    management: Management
    operators: Listeners = ()
    addresses: list[tuple[str, int]] = field(factory=list)
    operator_addresses: list[tuple[str, int]] = field(factory=list)


async def assemble(config: Config, clock: Clock, path: Path | None = None) -> Parts:
    """Make the parts and open the ports; nothing runs yet.

    Args:
        path: Where the configuration is from, and is read again on a reload.

    Raises:
        OSError: A port is in use, or a certificate cannot be read.
    """
    site = make_site(config)
    engine = Engine(site.definitions, site.directory, site.world_options, site.resolution)
    for tserver in config.tserver:
        engine.add_source(tserver.name, tserver.switch)
        engine.set_connected(tserver.name, False)
    limits = Limits(statistics=config.limits.statistics_per_client)
    hub = Hub(engine, clock, limits, ServerModeInfo(role=_mode(config)))
    recorders = _recorders(config)
    tap = Tap(hub, recorders)
    feeds = {
        tserver.name: FeedTask(_feed_options(config, tserver), tap, clock)
        for tserver in config.tserver
    }
    opened = await _open_listeners(config, {"default", "management"})
    listeners, operators = opened["default"], opened["management"]
    reloader = Reloader(path, config, hub)
    management = Management(hub, feeds, recorders, lambda: reloader.config, reloader.reload, path)
    return Parts(
        hub,
        feeds,
        recorders,
        listeners,
        ClientOptions(
            clients_max=config.limits.clients, message_bytes_max=config.limits.message_bytes
        ),
        reloader,
        management,
        operators,
        [_address(listener) for listener in listeners],
        [_address(listener) for listener in operators],
    )


def _mode(config: Config) -> str:
    return "backup" if config.server.role == "backup" else "primary"


def _feed_options(config: Config, tserver: TServer) -> FeedOptions:
    return FeedOptions(
        name=tserver.name,
        host=tserver.host,
        port=tserver.port,
        application=config.server.name,
        switch=tserver.switch,
        dns=tserver.dns or None,
        keepalive=tserver.addp_timeout,
        connect_timeout=tserver.connect_timeout,
        loss_timeout=tserver.loss_timeout,
        ssl_context=tls.for_tserver(tserver),
    )


def _recorders(config: Config) -> dict[str, Recorder]:
    """One file per source; with several, their names are put before the suffix."""
    if config.record.path is None:
        return {}
    path = Path(config.record.path)
    rotation = Rotation(bytes_max=config.record.max_bytes, files_max=config.record.max_files)
    if len(config.tserver) == 1:
        return {config.tserver[0].name: Recorder(path, rotation)}
    return {
        tserver.name: Recorder(path.with_suffix(f".{tserver.name}{path.suffix}"), rotation)
        for tserver in config.tserver
    }


async def _open_listeners(
    config: Config, ids: Collection[str]
) -> dict[str, list[trio.abc.Listener[trio.abc.Stream]]]:
    """The ports of these ids, all of them or none."""
    opened: dict[str, list[trio.abc.Listener[trio.abc.Stream]]] = {each: [] for each in ids}
    for listen in config.listen:
        if listen.id not in ids:
            continue
        context = tls.for_port(listen)
        try:
            listeners = await trio.open_tcp_listeners(listen.port, host=listen.host)
        except OSError as error:
            for other in chain.from_iterable(opened.values()):
                await other.aclose()
            error.filename = f"{listen.host}:{listen.port}"
            raise
        for listener in listeners:
            secured = context and trio.SSLListener(listener, context, https_compatible=True)
            opened[listen.id].append(secured or listener)
    return opened


def _address(listener: trio.abc.Listener[trio.abc.Stream]) -> tuple[str, int]:
    if isinstance(listener, trio.SSLListener):
        return _address(listener.transport_listener)
    assert isinstance(listener, trio.SocketListener)
    host, port = listener.socket.getsockname()[:2]
    return host, port


async def serve(
    config: Config,
    stop: trio.Event,
    path: Path | None = None,
    *,
    task_status: trio.TaskStatus[Parts] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a server until ``stop`` is set; ``path`` is where the configuration is from.

    With ``await nursery.start(serve, ...)`` control comes back, with the parts,
    when clients can connect; an exception comes out instead if they never will.
    """
    parts = await assemble(config, Clock.system(), path)
    async with trio.open_nursery() as recorders, trio.open_nursery() as operators:
        for recorder in parts.recorders.values():
            recorders.start_soon(recorder.run)
        if parts.operators:
            await operators.start(serve_http, parts.management.routes(), parts.operators)
        async with trio.open_nursery() as clients:
            clients.start_soon(parts.hub.run)
            server: ClientServer = await clients.start(
                serve_clients, parts.hub, parts.listeners, parts.client_options
            )
            async with trio.open_nursery() as sources:
                for feed in parts.feeds.values():
                    sources.start_soon(feed.run)
                for host, port in parts.addresses:
                    log.info("clients connect to ws://%s:%d/", host, port)
                for host, port in parts.operator_addresses:
                    log.info("operators look at http://%s:%d/api/status", host, port)
                task_status.started(parts)
                await stop.wait()
                log.info("stopping")
                parts.hub.set_ready("the server is stopping")
                sources.cancel_scope.cancel()
            await server.drain()
            clients.cancel_scope.cancel()
        operators.cancel_scope.cancel()
        recorders.cancel_scope.cancel()
