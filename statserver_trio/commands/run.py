"""``statserver run``: one Stat Server, until it is told to stop."""

from __future__ import annotations

import errno
import logging
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
import trio

from ..config.mistakes import ConfigError
from ..config.schema import Config
from ..server.assembly import Parts
from ..server.dump import dump, status_line
from ..server.garbage import keep_short
from ..server.log_forms import FORMS
from ..server.log_queue import LogQueue, descriptor
from ..server.logs import set_up
from ..server.serve import serve
from ..server.systemd import Notifier, notifier_from
from .output import EX_RUNTIME, Failure, PortBusy, json_option, wants_json, written
from .sites import load_or_exit, show_config

log = logging.getLogger(__name__)

STANDARD_ERROR = 2
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


@click.command("run")
@click.argument("conf", type=click.Path(path_type=Path))
@click.option("--check-config", is_flag=True, help="Say whether CONF can be used, and end.")
@click.option("--print-config", is_flag=True, help="Print what CONF comes to, and end.")
@click.option(
    "--log-format",
    type=click.Choice(list(FORMS)),
    help="Of the log on standard error; unless given json with --json, else [server] log-format.",
)
@json_option("Where it listens, as one object, or the configuration that is asked for")
def command(
    conf: Path, check_config: bool, print_config: bool, log_format: str | None, as_json: bool
) -> None:
    """Run one Stat Server with the configuration CONF.

    SIGTERM or Ctrl-C drains it: feeds are closed, clients are told, recordings
    are flushed. A second one stops it at once. SIGHUP reads CONF again, SIGUSR1
    writes what all tasks wait for, and the status, to the log.

    \b
    Example:
      statserver run conf/standalone.toml
      statserver run --check-config conf/standalone.toml
    """
    config = load_or_exit(conf)
    if check_config or print_config:
        show_config(conf, config, print_config)
        return
    queue = LogQueue(descriptor(STANDARD_ERROR))
    form = log_format or ("json" if as_json else config.server.log_format)
    set_up(config.server.debug_level, config.server.name, form, queue)
    failure: Failure | None = None
    code = 0
    try:
        trio.run(_run, config, conf, notifier_from(os.environ, os.getpid()))
    except* OSError as group:
        failure = explain(group)
    except* Exception:
        log.exception("the server has failed")
        code = EX_RUNTIME
    finally:
        queue.flush_and_close()
    if failure is not None:
        raise failure
    raise SystemExit(code)


def explain(group: BaseExceptionGroup[OSError]) -> Failure:
    """Say in a sentence why the server could not start."""
    errors = group.exceptions
    error = errors[0]
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    where = f"{error.filename} " if error.filename else ""
    if error.errno == errno.EADDRINUSE:
        return PortBusy(f"Port {where}is in use by another program.")
    return Failure(f"{where}cannot be used: {error.strerror or error}")


def addresses_of(config: Config, parts: Parts) -> dict[str, Any]:
    """Who it is, and where it listens, for a program."""
    return {
        "name": config.server.name,
        "clients": [f"ws://{host}:{port}/" for host, port in parts.addresses],
        "management": [f"http://{host}:{port}/" for host, port in parts.operator_addresses],
        "peer": [f"{host}:{port}" for host, port in parts.peer_addresses],
    }


async def _run(config: Config, conf: Path, notifier: Notifier) -> None:
    for variable, place in config.overrides.items():
        log.info("%s of the environment gives %s", variable, place)
    stop = trio.Event()
    with trio.open_signal_receiver(*SIGNALS) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_short)
            orders = _Orders(stop, nursery, notifier)
            nursery.start_soon(orders.obey, signals)  # a large backup file takes a while to read
            parts = await nursery.start(_serve, config, stop, conf, nursery.cancel_scope)
            orders.parts = parts
            if wants_json():
                click.echo(written({"event": "Listening", **addresses_of(config, parts)}))
            await notifier.tell(READY=1)
            await notifier.run(partial(status_line, parts))


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


class _Orders:
    """What signals mean.

    Attributes:
        parts: Of the server, once clients can connect.
    """

    def __init__(self, stop: trio.Event, nursery: trio.Nursery, notifier: Notifier) -> None:
        self.parts: Parts | None = None
        self._stop = stop
        self._nursery = nursery
        self._notifier = notifier

    async def obey(self, signals: AsyncIterator[int]) -> None:
        """Do what they want, until cancelled."""
        async for signum in signals:
            if signum == signal.SIGUSR1:
                dump(self.parts)
            elif signum == signal.SIGHUP:
                self._nursery.start_soon(self._reload)
            elif self._stop.is_set():
                log.warning("stopping at once")
                self._nursery.cancel_scope.cancel()
            else:
                self._stop.set()
                self._nursery.start_soon(partial(self._notifier.tell, STOPPING=1))

    async def _reload(self) -> None:
        if self.parts is None:  # the file has just been read
            return
        await self._notifier.tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)
        with suppress(ConfigError):  # the log has every mistake already
            await self.parts.reloader.reload()
        await self._notifier.tell(READY=1)
