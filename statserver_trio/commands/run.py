"""``statserver run``: one Stat Server, until it is told to stop."""

from __future__ import annotations

import errno
import logging
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import click
import trio

from ..config.schema import Config
from ..server.logs import set_up
from ..server.serve import serve
from .sites import EX_PORT_BUSY, EX_RUNTIME, load_or_exit

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command("run")
@click.argument("conf", type=click.Path(path_type=Path))
def command(conf: Path) -> None:
    """Run one Stat Server with the configuration CONF.

    SIGTERM or Ctrl-C drains it: feeds are closed, clients are told, recordings
    are flushed. A second one stops it at once.
    """
    config = load_or_exit(conf)
    set_up(config.server.debug_level, config.server.name)
    try:
        trio.run(_run, config)
    except* OSError as group:
        code = explain(group)
    else:
        code = 0
    raise SystemExit(code)


def explain(group: BaseExceptionGroup[OSError]) -> int:
    """Say in a sentence why the server could not start; what to exit with."""
    errors = group.exceptions
    error = errors[0]
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    busy = error.errno == errno.EADDRINUSE
    where = f"{error.filename} " if error.filename else ""
    what = "is in use by another program." if busy else f"cannot be used: {error.strerror or error}"
    click.echo(f"Port {where}{what}" if busy else f"{where}{what}", err=True)
    return EX_PORT_BUSY if busy else EX_RUNTIME


async def _run(config: Config) -> None:
    stop = trio.Event()
    with trio.open_signal_receiver(*SIGNALS) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_obey, signals, stop, nursery.cancel_scope)
            await serve(config, stop)
            nursery.cancel_scope.cancel()


async def _obey(
    signals: AsyncIterator[int], stop: trio.Event, everything: trio.CancelScope
) -> None:
    async for signum in signals:
        if signum == signal.SIGHUP:
            log.warning("SIGHUP: a changed configuration takes effect after a restart")
        elif stop.is_set():
            log.warning("stopping at once")
            everything.cancel()
        else:
            stop.set()
