"""One Stat Server: the tree of tasks that drives its parts.

Read the tree from the top: what is started first is stopped last. ::

    serve
    |- recorders   write what was applied; flushed at the very end
    |- management  answers operators and probes, also while the rest is stopped
    |- extensions  all of them, each supervised                 stopped fourth
    |- hub         wakes the engine at its deadlines
    |- clients     one task per client, sent away politely;     stopped third
    |              also those who came to the management
    |- pair        our half of the pair, where there is one     stopped second
    |- backup      a file now and then                          stopped first
    `- sources     one task per T-Server                        stopped first

The backup file is read before clients, pair and sources begin; the last one is written
when pair and sources have ended and the clients, with their statistics, are still there.

Nothing is decided here; the configuration says which parts there are (assembly.py).
"""

from __future__ import annotations

import logging
from pathlib import Path

import trio

from ..config.schema import Config
from .assembly import Parts, assemble
from .clock import Clock
from .http import serve_http
from .network import Network, Sockets

log = logging.getLogger(__name__)


async def serve(
    config: Config,
    stop: trio.Event,
    path: Path | None = None,
    network: Network | None = None,
    clock: Clock | None = None,
    *,
    task_status: trio.TaskStatus[Parts] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a server until ``stop`` is set; ``path`` is where the configuration is from.

    With ``await nursery.start(serve, ...)`` control comes back, with the parts,
    when clients can connect; an exception comes out instead if they never will.
    """
    parts = await assemble(config, clock or Clock.system(), network or Sockets(), path)
    async with trio.open_nursery() as recorders, trio.open_nursery() as operators:
        for recorder in parts.recorders.values():
            recorders.start_soon(recorder.run)
        operators.start_soon(parts.reloader.run)
        if parts.operators:
            parts.metrics.http = await operators.start(
                serve_http, parts.management.routes(), parts.operators
            )
            operators.start_soon(parts.metrics.lag.run)
        await operators.start(parts.extensions.run)  # what they offer may be in the file
        await parts.backup.restore()
        parts.hub.deliver([])  # extensions open what was restored
        async with trio.open_nursery() as clients:
            clients.start_soon(parts.hub.run)
            await clients.start(parts.clients.run, parts.listeners)
            if parts.operators:
                clients.start_soon(parts.metrics.exported.run)
            async with trio.open_nursery() as pair:
                if parts.pair is not None:
                    await pair.start(parts.pair.run)
                await _serve_sources(parts, stop, task_status)
                peer = parts.hub.mode.peer  # None if it has never been there
                if parts.pair is not None:
                    await parts.pair.stop(config.server.drain_timeout)
                pair.cancel_scope.cancel()
            await parts.backup.write_last()
            await parts.clients.drain(peer)
            clients.cancel_scope.cancel()
        await parts.extensions.stop()
        operators.cancel_scope.cancel()
        recorders.cancel_scope.cancel()


async def _serve_sources(parts: Parts, stop: trio.Event, status: trio.TaskStatus[Parts]) -> None:
    """Hear the feeds until told to stop."""
    async with trio.open_nursery() as sources:
        for feed in parts.feeds.values():
            sources.start_soon(feed.run)
        sources.start_soon(parts.backup.run)
        _say_where(parts)
        status.started(parts)
        await stop.wait()
        log.info("stopping")
        parts.hub.leave_soon("the server is stopping")
        sources.cancel_scope.cancel()


def _say_where(parts: Parts) -> None:
    for host, port in parts.addresses:
        log.info("clients connect to ws://%s:%d/", host, port)
    for host, port in parts.operator_addresses:
        log.info("operators look at http://%s:%d/api/status", host, port)
    for host, port in parts.peer_addresses:
        log.info("the other member connects to %s:%d", host, port)
