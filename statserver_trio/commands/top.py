"""``statserver top``: queues, agents and the pair, full screen."""

from __future__ import annotations

import ssl
import sys
import time
from collections import Counter
from contextlib import ExitStack, nullcontext
from typing import Any

import click
import trio
from attrs import frozen
from rich.console import Console
from rich.live import Live

from ..client import ConnectionLost, Refused, StatServerPair, stay_connected
from .keys import one_key_at_a_time, pressed_keys
from .output import failure_of, json_option, written
from .parameters import ManagementType, UrlType, ca_option
from .signals import end_on_signal
from .status import ask_status, parse_management
from .top_board import Board, Wish, members_shown
from .top_screen import KEYS, View, screen

OBJECTS_SECONDS = 10.0  # between two looks at who else is there
FACTS_SECONDS = 1.0  # between two looks at positions, and at what operators are told
FILL_SECONDS = 10.0  # at most, for everything to have a value with --once


@frozen
class Look:
    """How it is to be shown."""

    as_json: bool
    once: bool
    interval: float
    management: tuple[str, ...]


@click.command("top")
@click.argument("urls", metavar="URL...", nargs=-1, required=True, type=UrlType())
@click.option(
    "--interval",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    help="Seconds between two looks.",
)
@click.option(
    "--management",
    "management",
    metavar="URL",
    multiple=True,
    type=ManagementType(),
    help="A member's management listener, http://host:port/, for the state of its T-Servers. "
    "May be given several times.",
)
@click.option("--once", is_flag=True, help="Show it once, when every value is there, and end.")
@ca_option
@json_option("One object for each look, a line each, also where nobody looks at a terminal")
def command(
    urls: tuple[str, ...],
    interval: float,
    management: tuple[str, ...],
    once: bool,
    authorities: ssl.SSLContext | None,
    as_json: bool,
) -> None:
    """Show queues, agents and the pair of the server at URL, or of both members of a pair.

    Queues: how many wait, the longest wait, how many were answered in 20
    seconds, answered and given up. Agents: state, reason, how long, calls.
    Totals are since midnight, or since somebody first asked for them; a ? says
    that something was missed. Values that nobody can vouch for are red, and
    say how old they are. The pair: role, whether it is synchronised, and whose
    word is delivered; events a second are those of the T-Servers, values a
    second those that came here.

    Keys: q ends; n w l v b sort queues by name, waiting, longest wait, service
    level, abandoned; n t s c sort agents by name, time in state, state, calls;
    / filters, Esc shows all again; j and k turn the pages.

    \b
    Example:
      statserver top ws://127.0.0.1:7100/ ws://127.0.0.1:7110/
      statserver top ws://127.0.0.1:7100/ --once --json | jq '.queues[].waiting'
    """
    console = Console()
    look = Look(as_json or not (console.is_terminal or once), once, interval, management)
    try:
        trio.run(_run, urls, look, console, authorities)
    except* (ConnectionLost, Refused) as group:
        raise failure_of(group) from None


async def _run(
    urls: tuple[str, ...], look: Look, console: Console, authorities: ssl.SSLContext | None = None
) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(end_on_signal, nursery.cancel_scope)
        async with stay_connected(*urls, ssl_context=authorities) as stats:
            await _Top(stats, look, console).run()
        nursery.cancel_scope.cancel()


class _Top:
    """One run; a task for each thing that goes on."""

    def __init__(self, stats: StatServerPair, look: Look, console: Console) -> None:
        self._stats, self._look, self._console = stats, look, console
        self._board, self._view = Board(), View()
        self._news = trio.Event()  # a key was pressed, or the last value is there
        self._is_over = False

    async def run(self) -> None:
        """Until somebody ends it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow)
            nursery.start_soon(self._open_objects)
            nursery.start_soon(self._look_at_positions)
            for url in self._look.management:
                nursery.start_soon(self._look_at_status, url)
            if self._look.once:
                await self._once()
            else:
                await self._live(nursery)
            nursery.cancel_scope.cancel()

    # -- what comes in -----------------------------------------------------------------------

    async def _follow(self) -> None:
        async for update in self._stats:
            self._board.take(update, time.time())
            if self._look.once and self._board.is_filled:
                self._wake()

    async def _open_objects(self) -> None:
        """Open everything there is, and look now and then for what there is besides."""
        while True:
            try:
                wishes = self._board.objects(await self._stats.profile("Objects"))
            except ConnectionLost:
                wishes = []  # nobody is there; asked again
            async with trio.open_nursery() as nursery:
                for wish in wishes:
                    nursery.start_soon(self._open, wish)
            if not wishes:
                self._wake()  # there may be nothing to wait for
            await trio.sleep(OBJECTS_SECONDS)

    async def _open(self, wish: Wish) -> None:
        try:
            await self._stats.open_ex(wish.whose, wish.metric, frequency=1)
        except Refused:
            self._board.refused(wish)

    async def _look_at_positions(self) -> None:
        """How far the T-Servers have been heard: any statistic's explanation says so."""
        while True:
            for statistic in self._stats.statistics[:1]:
                try:
                    explained = await self._stats.explain(statistic)
                except (ConnectionLost, Refused):
                    break  # nobody is there, or it was closed meanwhile
                self._board.positions(explained.positions, time.time())
            await trio.sleep(FACTS_SECONDS)

    async def _look_at_status(self, url: str) -> None:
        while True:
            self._board.statuses[url] = await ask_status(*parse_management(url))
            await trio.sleep(FACTS_SECONDS)

    async def _listen_to_keys(self) -> None:
        async for key in pressed_keys():
            if not self._view.press(key):
                break
            self._wake()
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()

    # -- what is shown -----------------------------------------------------------------------

    def _snapshot(self) -> dict[str, Any]:
        stats, now = self._stats, time.time()
        self._board.reached(stats.members, now)
        leads = Counter(filter(None, map(stats.leader_of, stats.statistics)))
        return self._board.snapshot(members_shown(stats.members, stats.modes, leads), now)

    async def _once(self) -> None:
        with trio.move_on_after(FILL_SECONDS):
            while not self._board.is_filled:
                await self._news.wait()
                self._news = trio.Event()
        if self._look.as_json:
            click.echo(written(self._snapshot()))
        else:
            shown = self._snapshot()
            everything = 20 + len(shown["queues"]) + len(shown["agents"])
            self._console.print(screen(shown, self._view, 2 * everything))

    async def _live(self, nursery: trio.Nursery) -> None:
        """Show it again and again."""
        console, as_json = self._console, self._look.as_json
        with_keys = not as_json and sys.stdin.isatty()
        with ExitStack() as stack:
            if with_keys:
                stack.enter_context(one_key_at_a_time(sys.stdin.fileno()))
                nursery.start_soon(self._listen_to_keys)
            live = stack.enter_context(
                nullcontext() if as_json else Live(console=console, auto_refresh=False, screen=True)
            )
            while not self._is_over:
                if live is None:
                    try:
                        print(written(self._snapshot()), flush=True)
                    except BrokenPipeError:
                        return
                else:
                    notes = KEYS if with_keys else ""
                    shown = screen(self._snapshot(), self._view, console.height, notes)
                    live.update(shown, refresh=True)
                self._news = trio.Event()
                with trio.move_on_after(self._look.interval):
                    await self._news.wait()
