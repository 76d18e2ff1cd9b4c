"""``statserver watch``: live values of a running server, or of a pair as if it were one."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

import click
import trio
from attrs import frozen
from rich.console import Console

from ..api import messages as m
from ..api.open_spec import SYNTAX, format_open
from ..client import ConnectionLost, Refused, StatServerPair, Update, stay_connected
from ..stats.requests import StatisticRequest
from .output import failure_of, json_option
from .parameters import OpenType, UrlType, ca_option
from .signals import end_on_signal
from .watch_screens import Board, Lines, Screen

MODES = ("ChangesBased", "TimeBased")


@frozen
class Wanted:
    """What is to be watched, and how."""

    requests: tuple[StatisticRequest, ...]
    mode: str
    frequency: int
    insensitivity: float
    count: int | None


@click.command("watch")
@click.argument("urls", metavar="URL...", nargs=-1, required=True, type=UrlType())
@click.option(
    "--open",
    "opens",
    metavar="OPEN",
    multiple=True,
    required=True,
    type=OpenType(),
    help=f"A statistic to watch, as {SYNTAX}. May be given several times.",
)
@click.option(
    "--mode",
    default=MODES[0],
    show_default=True,
    type=click.Choice(MODES, case_sensitive=False),
    help="When to be told: at every change, or regularly.",
)
@click.option(
    "--frequency",
    type=click.IntRange(0, m.FREQUENCY_MAX),
    help="Seconds between two values with TimeBased, and between two looks at a value "
    "that grows by itself.  [default: 1]",
)
@click.option(
    "--insensitivity",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Only tell changes of at least this much (integers) or this many percent.",
)
@ca_option
@json_option("JSON lines, on a terminal, too")
@click.option("--count", type=click.IntRange(1), help="End after so many values.")
def command(
    urls: tuple[str, ...],
    opens: tuple[StatisticRequest, ...],
    mode: str,
    frequency: int | None,
    insensitivity: float,
    authorities: ssl.SSLContext | None,
    as_json: bool,
    count: int | None,
) -> None:
    """Show live values from the server at URL, or from both members of a pair.

    With several URLs every statistic is open with each of them, and what they
    say comes once, as from one server: when a member dies the other one's next
    word is shown, and one line on standard error says who is gone. Servers
    that do not count the same do not belong together here. Who is lost is
    dialled again until Ctrl-C; nobody there at the beginning ends it with 1.

    On a terminal the values are a table that changes in place, elsewhere one
    JSON object a line.

    \b
    Example:
      statserver watch ws://127.0.0.1:7100/ ws://127.0.0.1:7110/ \\
          --open Queue:8001@sw1:CurrNumberWaitingCalls --open Agent:a1:CurrentAgentState
    """
    wanted = Wanted(opens, mode, 1 if frequency is None else frequency, insensitivity, count)
    if mode == "TimeBased" and wanted.frequency < 1:
        raise click.BadParameter("TimeBased needs 1 or more", param_hint="'--frequency'")
    console = Console()
    screen: Screen
    screen = Lines() if as_json or not console.is_terminal else Board(wanted.requests, console)
    try:
        trio.run(_watch, urls, wanted, screen, authorities)
    except* (Refused, ConnectionLost) as group:
        raise failure_of(group) from None


# -- what goes on ------------------------------------------------------------------------------


async def _watch(
    urls: Sequence[str], wanted: Wanted, screen: Screen, authorities: ssl.SSLContext | None = None
) -> None:
    """Follow the servers until the count is reached or a signal comes."""
    async with trio.open_nursery() as nursery:
        await nursery.start(end_on_signal, nursery.cancel_scope)
        with screen:
            nursery.start_soon(screen.run)
            async with stay_connected(*urls, ssl_context=authorities) as stats:
                await _follow(stats, wanted, screen)
            nursery.cancel_scope.cancel()


async def _follow(stats: StatServerPair, wanted: Wanted, screen: Screen) -> None:
    left = wanted.count
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_look_at_members, stats, screen)
        nursery.start_soon(_open_all, stats, wanted)
        async for update in stats:
            shown = screen.show(update)
            if shown and screen.wants_reset(update):
                screen.resets_at(update, await _next_reset(stats, update))
            left = left - 1 if shown and left is not None else left
            if left == 0 or screen.is_closed:
                break
        nursery.cancel_scope.cancel()


async def _look_at_members(stats: StatServerPair, screen: Screen) -> None:
    """Tell the screen once who is lost, and once who is back."""
    known: dict[str, bool] = {}
    while True:
        for reach in stats.members:
            is_known_yet = reach.is_there or reach.why
            if is_known_yet and known.get(reach.url) is not reach.is_there:
                known[reach.url] = reach.is_there
                screen.reached(reach, stats.reachable)
        await stats.members_changed()


async def _open_all(stats: StatServerPair, wanted: Wanted) -> None:
    for request in wanted.requests:
        try:
            await stats.open(
                request,
                mode=wanted.mode,
                frequency=wanted.frequency,
                insensitivity=wanted.insensitivity,
            )
        except Refused as exc:
            raise Refused(exc.code, f"{format_open(request)}: {exc}") from None


async def _next_reset(stats: StatServerPair, update: Update) -> float | None:
    """When the statistic starts again from nothing; None where it never does."""
    assert update.statistic is not None
    try:
        explained = await stats.explain(update.statistic)
    except (Refused, ConnectionLost):  # it was closed meanwhile, or nobody is there
        return None
    following: float | None = explained.reset["next"]
    return following
