"""``statserver demo``: everything at once, to look at.

One program runs a simulated contact centre as a T-Server on a loopback port, a
Stat Server that is fed by it over that socket, and a client of the Stat Server
that shows what it is told in the terminal.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import AsyncIterator
from math import inf
from pathlib import Path
from random import Random

import click
import trio
from attrs import evolve
from rich.console import Console
from rich.live import Live

from ..api.messages import Info
from ..client import OpenStatistic, open_statserver
from ..config.schema import Config
from ..server.assembly import Parts
from ..server.logs import set_up
from ..server.serve import serve
from ..server.tserver import serve_tserver
from ..simulator.contact_centre import ContactCentre
from .demo_board import Board, Cell
from .sites import conf_file, load_or_exit

LOOPBACK = "127.0.0.1"
REFRESH_SECONDS = 0.25


@click.command("demo")
@click.option("--seed", default=1, show_default=True, help="Where chance begins.")
@click.option(
    "--speed",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="How many times faster than life everything happens.",
)
@click.option(
    "--port",
    default=7100,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Where other clients can connect; another one is taken if it is in use.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    help="End by itself after so long. [default: when you press Ctrl-C]",
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="What is counted. [default: the standalone.toml that comes with the program]",
)
def command(
    seed: int, speed: float, port: int, seconds: float | None, config_path: Path | None
) -> None:
    """Show a simulated contact centre with live statistics.

    20 agents, 3 queues, 2 groups; calls are queued, answered, held, transferred,
    abandoned. On a terminal the values are shown as they change; elsewhere they
    are printed once, at the end.
    """
    config = load_or_exit(config_path or conf_file("standalone.toml"))
    set_up("", "demo")
    console = Console()
    board = trio.run(_demo, config, seed, speed, port, seconds or inf, console)
    if not console.is_terminal:
        console.print(board.table())


async def _demo(
    config: Config, seed: int, speed: float, port: int, seconds: float, console: Console
) -> Board:
    stop = trio.Event()
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as world:
            world.start_soon(_stop_on_signal, signals, stop)
            tserver_port: int = await world.start(_start_tserver, seed, speed)
            async with trio.open_nursery() as server:
                parts: Parts = await server.start(_start_server, config, tserver_port, port, stop)
                board = Board(parts.addresses[0], speed)
                with trio.move_on_after(seconds):
                    await _show(board, stop, console)
                stop.set()
            world.cancel_scope.cancel()
    return board


async def _stop_on_signal(signals: AsyncIterator[int], stop: trio.Event) -> None:
    async for _ in signals:
        stop.set()


async def _start_tserver(
    seed: int, speed: float, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve the simulated centre on any free port, and tell which."""
    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
    task_status.started(listeners[0].socket.getsockname()[1])

    def make_centre(start: float) -> ContactCentre:
        return ContactCentre(Random(seed), start, speed=speed)

    await serve_tserver(make_centre, listeners)


async def _start_server(
    config: Config,
    tserver_port: int,
    port: int,
    stop: trio.Event,
    *,
    task_status: trio.TaskStatus[Parts] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the Stat Server on the wanted port, or on any free one if that is taken."""
    (tserver, *_), (listen, *_) = config.tserver, config.listen
    fed = evolve(
        config,
        tserver=(evolve(tserver, host=LOOPBACK, port=tserver_port),),
        listen=(evolve(listen, id="default", host=LOOPBACK, port=port),),
    )
    try:
        await serve(fed, stop, task_status=task_status)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not port:
            raise
        await _start_server(config, tserver_port, 0, stop, task_status=task_status)


async def _show(board: Board, stop: trio.Event, console: Console) -> None:
    """Open what is on the board, and keep it up to date until told to stop."""
    host, port = board.address
    async with open_statserver(f"ws://{host}:{port}/") as stats, trio.open_nursery() as nursery:
        cells: dict[OpenStatistic, Cell] = {}
        for cell in board.cells():
            statistic = await stats.open(f"{cell.object_type}:{cell.object_id}:{cell.stat_type}")
            cells[statistic] = cell

        async def listen() -> None:
            async for update in stats:
                if isinstance(update.event, Info) and update.statistic in cells:
                    board.take(cells[update.statistic], update.value)

        nursery.start_soon(listen)
        with Live(console=console, auto_refresh=False, transient=not console.is_terminal) as live:
            while not stop.is_set():
                if console.is_terminal:
                    live.update(board.table(), refresh=True)
                with trio.move_on_after(REFRESH_SECONDS):
                    await stop.wait()
        nursery.cancel_scope.cancel()
