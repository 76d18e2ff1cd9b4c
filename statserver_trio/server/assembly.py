"""Assembly: from a configuration to the parts of one server, wired up and not yet running."""

from __future__ import annotations

from itertools import chain
from math import inf
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
from .backup.owners import Alone, Owner
from .backup.task import Backup
from .client_task import ClientOptions, ClientServer
from .clock import Clock
from .extensions.host import Host
from .feed_task import FeedOptions, FeedTask, Sink
from .ha.options import client_url, is_pair, management_url
from .ha.pair import Pair
from .hub import Hub
from .management import Management
from .metrics.page import MetricsPage
from .network import Listener, Listeners, Network
from .recorder import Recorder
from .reload import Reloader
from .tap import Tap
from .wallboard import Wallboard, friends_of

PORTS = ("default", "management", "ha")


@frozen
class Parts:
    """Everything one server consists of.

    Attributes:
        feeds, recorders: By source.
        extensions: All of them, loaded or not.
        pair: Our half of the pair; None for a server that stands alone.
        addresses: Where clients can connect, as host and port.
        operators: Listeners for them; where they are, in ``operator_addresses``.
        peer_addresses: Where the other member of the pair connects.
    """

    hub: Hub
    feeds: dict[str, FeedTask]
    recorders: dict[str, Recorder]
    listeners: Listeners
    clients: ClientServer
    reloader: Reloader
    management: Management
    backup: Backup
    extensions: Host
    metrics: MetricsPage
    pair: Pair | None = None
    operators: Listeners = ()
    addresses: list[tuple[str, int]] = field(factory=list)
    operator_addresses: list[tuple[str, int]] = field(factory=list)
    peer_addresses: list[tuple[str, int]] = field(factory=list)


async def assemble(
    config: Config, clock: Clock, network: Network, path: Path | None = None
) -> Parts:
    """Make the parts and open the ports; nothing runs yet.

    Args:
        path: Where the configuration is from, and is read again on a reload.

    Raises:
        OSError: A port is in use, or a certificate cannot be read.
    """
    opened = await _open_ports(config, network)
    try:
        return _wire_up(config, clock, network, path, opened)
    except BaseException:
        await _close(opened)
        raise


def _wire_up(
    config: Config,
    clock: Clock,
    network: Network,
    path: Path | None,
    opened: dict[str, list[Listener]],
) -> Parts:
    """All parts, with the ports that are open."""
    hub = _hub(config, clock)
    recorders = _recorders(config)
    tap = Tap(hub, recorders)
    addresses = {id: [network.address(each) for each in opened[id]] for id in PORTS}
    pair = None
    if is_pair(config):
        opener = network.peer(config) if config.server.role == "backup" else None
        pair = Pair(config, hub, tap, clock, opener, opened["ha"])
        session = pair.member.peer.session
        session.clients = client_url(config, addresses["default"])
        session.management = management_url(config, addresses["management"])
    sink: Sink = tap if pair is None else pair.feeds
    feeds = {each.name: _feed(config, each, sink, clock, network) for each in config.tserver}
    extensions = Host(hub, config)
    if pair is not None:
        extensions.changed = pair.extensions_changed
    reloader = Reloader(path, config, hub, pair)
    reloader.extensions = extensions
    owner: Owner = Alone(hub, feeds) if pair is None else pair.backup_owner(feeds)
    backup = reloader.backup = Backup(lambda: reloader.config, hub, tap, owner)
    management = Management(
        hub, feeds, recorders, lambda: reloader.config, reloader.reload, path, pair, backup
    )
    management.extensions = extensions
    options = _client_options(config)
    clients = ClientServer(hub, options, lambda: friends_of(reloader.config, pair))
    metrics = management.metrics = MetricsPage(management.status, hub, clients, reloader)
    reloader.after = metrics.exported.look_again
    if config.wallboard.enabled:
        own = management_url(config, addresses["management"])
        management.wallboard = Wallboard(lambda: reloader.config, clients, own, pair)
    return Parts(
        hub,
        feeds,
        recorders,
        opened["default"],
        clients,
        reloader,
        management,
        backup,
        extensions,
        metrics,
        pair,
        opened["management"],
        addresses["default"],
        addresses["management"],
        addresses["ha"],
    )


def _hub(config: Config, clock: Clock) -> Hub:
    site = make_site(config)
    engine = Engine(site.definitions, site.directory, site.world_options, site.resolution)
    engine.tells_validity = config.server.generate_stat_validity_events
    for tserver in config.tserver:
        engine.add_source(tserver.name, tserver.switch)
        engine.set_connected(tserver.name, False)
    mode = "backup" if config.server.role == "backup" else "primary"
    limits = Limits(statistics=config.limits.statistics_per_client)
    return Hub(engine, clock, limits, ServerModeInfo(role=mode))


def _client_options(config: Config) -> ClientOptions:
    limits = config.limits
    return ClientOptions(clients_max=limits.clients, message_bytes_max=limits.message_bytes)


def _feed(config: Config, tserver: TServer, sink: Sink, clock: Clock, network: Network) -> FeedTask:
    options = feed_options(config, tserver)
    return FeedTask(options, sink, clock, network.tserver(tserver, options))


def feed_options(config: Config, tserver: TServer) -> FeedOptions:
    """How a T-Server is to be treated."""
    return FeedOptions(
        name=tserver.name,
        host=tserver.host,
        port=tserver.port,
        application=config.server.name,
        switch=tserver.switch,
        dns=tserver.dns or None,
        marks=is_pair(config),
        keepalive=tserver.addp_timeout,
        connect_timeout=tserver.connect_timeout,
        # The other member of a pair may fill the hole, so nothing is given up by the clock.
        loss_timeout=inf if is_pair(config) else tserver.loss_timeout,
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


async def _open_ports(config: Config, network: Network) -> dict[str, list[Listener]]:
    """All ports of the configuration, or none."""
    opened: dict[str, list[Listener]] = {id: [] for id in PORTS}
    for listen in config.listen:
        if listen.id == "ha" and config.server.role != "primary":
            continue  # only the primary listens
        try:
            opened[listen.id] += await network.listen(listen)
        except OSError:
            await _close(opened)
            raise
    return opened


async def _close(opened: dict[str, list[Listener]]) -> None:
    for listener in chain.from_iterable(opened.values()):
        await trio.aclose_forcefully(listener)
