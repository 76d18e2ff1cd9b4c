"""``statserver demo``: everything at once, to look at.

A simulated contact centre as a T-Server on a loopback port; a primary and a backup, two
processes that both listen to it; and a client of each that shows what it is told, side by
side. Kill one with a key, or let ``--chaos`` do it: it comes back with its full values.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator
from math import inf
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click
import trio
from rich.console import Console
from rich.live import Live

from ..api.messages import Info
from ..client import ConnectionLost, StatServer, open_statserver
from ..config.schema import Config
from ..server.logs import set_up
from ..server.tserver import serve_tserver
from ..simulator.contact_centre import ContactCentre
from .demo_board import Board, Cell, Side
from .demo_members import LOOPBACK, Member, make_pair
from .keys import one_key_at_a_time, pressed_keys
from .output import EX_RUNTIME, json_option, written
from .sites import conf_file, load_or_exit

REFRESH_SECONDS = 0.25
STATUS_SECONDS = 1.0  # between two looks at the members' status
RESTART_SECONDS = 2.0  # that a killed member stays away
REDIAL_SECONDS = 0.2
SETTLE_SECONDS = 15.0  # at the end, for the pair to be in step
CHAOS_SECONDS = (6.0, 12.0)  # between two kills, once the pair is in step
KEYS = "p, b: kill the primary, the backup   q: end"


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
    type=click.IntRange(0, 65000),
    help="Where other clients can connect; other ports are taken where these are in use.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    help="End by itself after so long. [default: when you press q or Ctrl-C]",
)
@click.option("--chaos", is_flag=True, help="Kill one member or the other every few seconds.")
@json_option("Nothing while it runs, and at the end one object: both members' values compared")
def command(
    seed: int, speed: float, port: int, seconds: float | None, chaos: bool, as_json: bool
) -> None:
    """Show a simulated contact centre on a hot-standby pair, and kill its members.

    20 agents, 3 queues, 2 groups; calls are queued, answered, held, transferred,
    abandoned. The first line says where a browser finds the wallboard. On a terminal the
    values of both members are shown as they change; elsewhere they are printed once, at
    the end. Exits with 1 if they ever drifted apart.

    \b
    Example:
      statserver demo
      statserver demo --chaos --seconds 60 --json | jq .drifted
    """
    set_up("", "demo")
    console = Console(quiet=as_json)
    primary, backup = (load_or_exit(conf_file(f"{name}.toml")) for name in ("primary", "backup"))
    with TemporaryDirectory(prefix="statserver-demo-") as folder:
        demo = _Demo(seed, speed, chaos, console, Path(folder))
        trio.run(demo.run, primary, backup, port, seconds or inf)
    if as_json:
        click.echo(written({"seed": seed, **demo.board.result()}))
    elif not console.is_terminal:
        console.print(demo.board.table())
    raise SystemExit(EX_RUNTIME if demo.board.drifted else 0)


class _Demo:
    """The demo; one task for each thing that goes on."""

    def __init__(
        self, seed: int, speed: float, chaos: bool, console: Console, folder: Path
    ) -> None:
        self.board = Board((), speed)
        self._seed, self._speed, self._chaos = seed, speed, chaos
        self._console, self._folder = console, folder
        self._is_shown = console.is_terminal and not console.quiet
        self._rng = Random(seed)
        self._members: tuple[Member, ...] = ()
        self._stop = trio.Event()
        self._looked = trio.Event()  # set, and replaced, after each look at a status

    async def run(self, primary: Config, backup: Config, port: int, seconds: float) -> None:
        """Run everything until told to stop, and stop it in order."""
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async with trio.open_nursery() as world:
                world.start_soon(self._stop_on_signal, signals)
                tserver_port: int = await world.start(self._serve_tserver)
                self._members = make_pair(primary, backup, self._folder, tserver_port, port)
                self.board.sides = [
                    Side(each.name, each.url, each.board_url) for each in self._members
                ]
                try:
                    await self._play(seconds)
                finally:
                    await self._stop_members()
                world.cancel_scope.cancel()

    async def _play(self, seconds: float) -> None:
        async with trio.open_nursery() as nursery:
            for member, side in zip(self._members, self.board.sides, strict=True):
                nursery.start_soon(self._keep_alive, member, side)
                nursery.start_soon(self._follow, member, side)
                nursery.start_soon(self._look_at, member, side)
            if self._chaos:
                nursery.start_soon(self._kill_at_random, trio.current_time() + seconds)
            if self._is_shown and sys.stdin.isatty():
                self.board.keys = KEYS
                nursery.start_soon(self._listen_to_keys)
            with trio.move_on_after(seconds):
                await self._show()
            if not self._stop.is_set():  # the end is shown with both in step
                with trio.move_on_after(SETTLE_SECONDS):
                    await self._in_step()
            nursery.cancel_scope.cancel()

    async def _in_step(self) -> None:
        while not all(side.is_synchronised for side in self.board.sides):
            await self._looked.wait()

    async def _stop_members(self) -> None:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                for member in self._members:
                    nursery.start_soon(member.stop)

    async def _stop_on_signal(self, signals: AsyncIterator[int]) -> None:
        async for _ in signals:
            self._stop.set()

    async def _serve_tserver(
        self, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve the simulated centre on any free port, and tell which."""
        listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
        task_status.started(listeners[0].socket.getsockname()[1])

        def make_centre(start: float) -> ContactCentre:
            return ContactCentre(Random(self._seed), start, speed=self._speed)

        await serve_tserver(make_centre, listeners)

    # -- the members -------------------------------------------------------------------------

    async def _keep_alive(self, member: Member, side: Side) -> None:
        """Start a member, and again whenever it has ended."""
        while True:
            side.state = "starting"
            await member.start()
            assert member.process is not None
            code = await member.process.wait()
            side.state = "killed" if code == -signal.SIGKILL else f"ended with {code}: {member.log}"
            await trio.sleep(RESTART_SECONDS)

    def _kill(self, member: Member) -> None:
        if member.runs:
            self.board.kills += 1
            member.kill()

    async def _kill_at_random(self, until: float) -> None:
        """Never both at once: what nobody has seen nobody can restore."""
        while trio.current_time() < until:
            await trio.sleep(self._rng.uniform(*CHAOS_SECONDS))
            await self._in_step()
            if trio.current_time() < until:
                self._kill(self._rng.choice(self._members))

    async def _listen_to_keys(self) -> None:
        keys = {"p": self._members[0], "b": self._members[1]}
        with one_key_at_a_time(sys.stdin.fileno()):
            async for key in pressed_keys():
                if key.lower() in keys:
                    self._kill(keys[key.lower()])
                elif key.lower() == "q":
                    break
        self._stop.set()

    # -- what is shown -----------------------------------------------------------------------

    async def _follow(self, member: Member, side: Side) -> None:
        """Stay connected with a member, and take what it says."""
        while True:
            try:
                await self._listen_to(member, side)
            except* ConnectionLost:
                pass  # tried again, for as long as the demo lasts
            side.values = {}
            await trio.sleep(REDIAL_SECONDS)

    async def _listen_to(self, member: Member, side: Side) -> None:
        async with open_statserver(member.url) as stats:
            side.state = "running"
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._open_all, stats)
                async for update in stats:
                    if isinstance(update.event, Info) and update.statistic is not None:
                        request = update.statistic.request
                        cell = Cell(request.object_type, request.object_id, str(request.stat_type))
                        self.board.take(side, cell, update.value)

    async def _open_all(self, stats: StatServer) -> None:
        for cell in self.board.cells():
            await stats.open(":".join(cell))

    async def _look_at(self, member: Member, side: Side) -> None:
        while True:
            side.status = await member.status()
            self.board.compare(trio.current_time())
            self._looked.set()
            self._looked = trio.Event()
            await trio.sleep(STATUS_SECONDS)

    async def _show(self) -> None:
        """Keep the board up to date until told to stop."""
        console = self._console
        console.print(self.board.wallboards(), soft_wrap=True)
        with Live(console=console, auto_refresh=False, transient=not self._is_shown) as live:
            while not self._stop.is_set():
                if self._is_shown:
                    live.update(self.board.table(), refresh=True)
                with trio.move_on_after(REFRESH_SECONDS):
                    await self._stop.wait()
