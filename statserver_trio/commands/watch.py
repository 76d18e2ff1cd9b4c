"""``statserver watch``: live values of a running server, or of whichever of a pair answers."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Sequence
from itertools import cycle

import click
import trio
from attrs import define, field, frozen
from rich.console import Console

from ..api import messages as m
from ..api.open_spec import SYNTAX, format_open, parse_open
from ..client import ConnectionLost, Refused, StatServer, Update, open_statserver, parse_url
from ..stats.requests import StatisticRequest
from .watch_screens import Board, Lines, Screen

MODES = ("ChangesBased", "TimeBased")
RETRY_FIRST_SECONDS, RETRY_LIMIT_SECONDS = 0.5, 10.0  # between two rounds of all URLs


def _read_opens(
    context: click.Context, param: click.Parameter, texts: tuple[str, ...]
) -> tuple[StatisticRequest, ...]:
    """The statistics that ``--open`` names; a usage error where one is wrong."""
    try:
        return tuple(parse_open(text) for text in texts)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from None


def _check_urls(
    context: click.Context, param: click.Parameter, urls: tuple[str, ...]
) -> tuple[str, ...]:
    """The addresses as they are; a usage error where one is none."""
    try:
        for url in urls:
            parse_url(url)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from None
    return urls


@frozen
class Wanted:
    """What is to be watched, and how."""

    requests: tuple[StatisticRequest, ...]
    mode: str
    frequency: int
    insensitivity: float
    count: int | None


@click.command("watch")
@click.argument("urls", metavar="URL...", nargs=-1, required=True, callback=_check_urls)
@click.option(
    "--open",
    "opens",
    metavar="OPEN",
    multiple=True,
    required=True,
    callback=_read_opens,
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
@click.option("--json", "as_json", is_flag=True, help="JSON lines, on a terminal, too.")
@click.option("--count", type=click.IntRange(1), help="End after so many values.")
def command(
    urls: tuple[str, ...],
    opens: tuple[StatisticRequest, ...],
    mode: str,
    frequency: int | None,
    insensitivity: float,
    as_json: bool,
    count: int | None,
) -> None:
    """Show live values from the server at URL, for example ws://127.0.0.1:7100/.

    Of several URLs the first that answers is used, and the next one when the
    connection is lost. On a terminal the values are a table that changes in
    place, elsewhere one JSON object a line. Ctrl-C ends it.
    """
    wanted = Wanted(opens, mode, 1 if frequency is None else frequency, insensitivity, count)
    if mode == "TimeBased" and wanted.frequency < 1:
        raise click.BadParameter("TimeBased needs 1 or more", param_hint="'--frequency'")
    console = Console()
    screen: Screen
    screen = Lines() if as_json or not console.is_terminal else Board(wanted.requests, console)
    try:
        trio.run(_watch, urls, wanted, screen)
    except* Refused as group:
        raise click.ClickException(_sentence(group)) from None
    except* ConnectionLost as group:
        raise click.ClickException(_sentence(group)) from None


def _sentence(group: BaseExceptionGroup[Exception]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)


# -- staying connected -------------------------------------------------------------------------


@define
class _Round:
    """Where we are in trying one URL after the other."""

    urls: Sequence[str]
    failures: list[str] = field(factory=list)  # since somebody answered
    has_worked: bool = False

    def failed(self, url: str, why: str) -> None:
        """Note a failure; the last one of a first round ends it all."""
        self.failures.append(f"{url}: {why}")
        if not self.has_worked and len(self.failures) >= len(self.urls):
            said = "; ".join(self.failures)
            raise ConnectionLost(f"No server can be reached ({said}).")

    def patience(self) -> float:
        """Seconds to wait before the next attempt: none within a round."""
        rounds, inside = divmod(len(self.failures), len(self.urls))
        if inside or not rounds:
            return 0.0
        return float(min(RETRY_FIRST_SECONDS * 2 ** min(rounds - 1, 20), RETRY_LIMIT_SECONDS))


async def _watch(urls: Sequence[str], wanted: Wanted, screen: Screen) -> None:
    """Follow whichever server answers, until the count is reached or a signal comes."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_on_signal, signals, nursery.cancel_scope)
            with screen:
                nursery.start_soon(screen.run)
                await _follow_any(urls, wanted, screen)
                nursery.cancel_scope.cancel()


async def _stop_on_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()


async def _follow_any(urls: Sequence[str], wanted: Wanted, screen: Screen) -> None:
    attempts = _Round(urls)
    left = wanted.count
    for url in cycle(urls):
        await trio.sleep(attempts.patience())
        try:
            async with open_statserver(url) as server:
                await _open_all(server, wanted)
                async for update in server:
                    if attempts.failures or not attempts.has_worked:
                        attempts.failures, attempts.has_worked = [], True
                        screen.connected(url)
                    shown = screen.show(update)
                    if shown and screen.wants_reset(update):
                        screen.resets_at(update, await _next_reset(server, update))
                    left = left - 1 if shown and left is not None else left
                    if left == 0 or screen.is_closed:
                        return
        except ConnectionLost as exc:
            if attempts.has_worked and not attempts.failures:  # once per outage
                screen.lost(url, str(exc))
            attempts.failed(url, str(exc))


async def _open_all(server: StatServer, wanted: Wanted) -> None:
    for request in wanted.requests:
        try:
            await server.open(
                request,
                mode=wanted.mode,
                frequency=wanted.frequency,
                insensitivity=wanted.insensitivity,
            )
        except Refused as exc:
            raise Refused(exc.code, f"{format_open(request)}: {exc}") from None


async def _next_reset(server: StatServer, update: Update) -> float | None:
    """When the statistic starts again from nothing; None where it never does."""
    assert update.statistic is not None
    try:
        explained = await server.explain(update.statistic)
    except Refused:  # it was closed meanwhile
        return None
    following: float | None = explained.reset["next"]
    return following
