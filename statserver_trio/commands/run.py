"""``statserver run``: one Stat Server, until it is told to stop."""

from __future__ import annotations

import errno
import logging
import signal
from contextlib import suppress
from pathlib import Path

import click
import trio

from ..config.mistakes import ConfigError
from ..config.schema import Config
from ..server.assembly import Parts
from ..server.garbage import keep_short
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
    are flushed. A second one stops it at once. SIGHUP reads CONF again.
    """
    config = load_or_exit(conf)
    set_up(config.server.debug_level, config.server.name)
    try:
        trio.run(_run, config, conf)
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


async def _run(config: Config, conf: Path) -> None:
    stop = trio.Event()
    with trio.open_signal_receiver(*SIGNALS) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_short)
            parts = await nursery.start(_serve, config, stop, conf, nursery.cancel_scope)
            async for signum in signals:
                if signum == signal.SIGHUP:
                    nursery.start_soon(_reload, parts)
                elif stop.is_set():
                    log.warning("stopping at once")
                    nursery.cancel_scope.cancel()
                else:
                    stop.set()


async def _serve(
    config: Config,
    stop: trio.Event,
    conf: Path,
    everything: trio.CancelScope,
    *,
    task_status: trio.TaskStatus[Parts],
) -> None:
    await serve(config, stop, conf, task_status=task_status)
    everything.cancel()


async def _reload(parts: Parts) -> None:
    with suppress(ConfigError):  # the log has every mistake already
        await parts.reloader.reload()
