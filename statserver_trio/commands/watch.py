"""``statserver watch``: live values of a running server, or of whichever of a pair answers."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from itertools import cycle
from typing import Any

import click
import trio
from attrs import define, field, frozen
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..api import messages as m
from ..api.open_spec import OPTIONS, SYNTAX, format_open, parse_open
from ..client import ConnectionLost, Refused, StatServer, Update, open_statserver, parse_url
from ..client.targets import TARGET_EVENTS
from ..stats.requests import StatisticRequest

MODES = ("ChangesBased", "TimeBased")
RETRY_FIRST_SECONDS, RETRY_LIMIT_SECONDS = 0.5, 10.0  # between two rounds of all URLs
VALUES = (m.Info, *TARGET_EVENTS)  # events that bring one
REFRESH_SECONDS = 0.2  # of the table; values in between are not shown one by one


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


# -- showing values ------------------------------------------------------------------------------


class Screen:
    """Where values are shown; a context manager around all of it."""

    is_closed = False  # nobody looks any more

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    async def run(self) -> None:
        """Keep what is shown up to date, until cancelled."""

    def connected(self, url: str) -> None:
        """A server answers."""

    def lost(self, url: str, why: str) -> None:
        """It answers no more; another one is tried."""
        click.echo(f"{url}: {why}; trying the next", err=True)

    def show(self, update: Update) -> bool:
        """Show what the server said; whether it was a value."""
        raise NotImplementedError  # pragma: no cover - both kinds say it


def _identity(request: StatisticRequest) -> dict[str, Any]:
    return {
        "objectType": request.object_type,
        "objectId": request.object_id,
        "statisticType": request.stat_type,
        "timeProfile": request.time_profile,
        "timeRange": request.time_range,
        "timeRange2": request.time_range2,
        "filter": request.filter,
    }


class Lines(Screen):
    """JSON lines on standard output: values, and what else is said about a statistic."""

    def show(self, update: Update) -> bool:
        """One line, flushed."""
        event, statistic = update.event, update.statistic
        if statistic is None:
            return False
        line = _identity(statistic.request)
        if isinstance(event, m.Info):
            line |= {
                "value": event.value,
                "time": event.time,
                "interval": event.interval,
                "complete": event.complete,
            }
        elif isinstance(event, TARGET_EVENTS):
            line |= {"event": type(event).__name__, "value": update.value, "time": event.time}
        else:
            line |= {"event": type(event).__name__, "reason": getattr(event, "reason", "")}
        try:
            print(json.dumps(line, ensure_ascii=False), flush=True)
        except BrokenPipeError:
            self.is_closed = True
        return isinstance(event, VALUES)


class Board(Screen):
    """A table on the terminal that changes in place."""

    def __init__(self, requests: Sequence[StatisticRequest], console: Console) -> None:
        self._rows: dict[str, Update | None] = {format_open(r): None for r in requests}
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._heading = "connecting"
        self._is_old = True

    def __enter__(self) -> Screen:
        self._live.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._refresh()
        self._live.__exit__(None, None, None)

    async def run(self) -> None:
        """Draw what has changed, a few times a second."""
        while True:
            self._refresh()
            await trio.sleep(REFRESH_SECONDS)

    def connected(self, url: str) -> None:
        """Say so above the table."""
        self._heading, self._is_old = url, True

    def lost(self, url: str, why: str) -> None:
        """Say so above the table."""
        self._heading, self._is_old = f"{url}: {why}; trying the next", True

    def show(self, update: Update) -> bool:
        """Remember the value for the next look."""
        if update.statistic is None:
            return False
        is_value = isinstance(update.event, VALUES)
        if is_value:
            self._rows[str(update.statistic)] = update
        self._is_old = True
        return is_value

    def _refresh(self) -> None:
        if self._is_old:
            self._is_old = False
            self._live.update(self.table(), refresh=True)

    def table(self) -> Table:
        """What is shown at the moment."""
        table = Table(title=self._heading, title_justify="left", box=None, header_style="bold")
        for heading in ("object", "statistic", "value", "at"):
            table.add_column(heading, justify="right" if heading == "value" else "left")
        for cells in self._cells():
            table.add_row(*cells)
        return table

    def _cells(self) -> Iterator[tuple[str, str, Text, str]]:
        for name, update in self._rows.items():
            request = parse_open(name)
            who = f"{request.object_type} {request.object_id}"
            options = (getattr(request, attribute) for attribute in OPTIONS.values())
            what = " ".join(str(part) for part in (request.stat_type, *options) if part)
            if update is None:
                yield who, what, Text("-", "dim"), ""
                continue
            event, statistic = update.event, update.statistic
            assert isinstance(event, VALUES)
            assert statistic is not None
            style = "" if statistic.is_valid else "dim strike"
            at = datetime.fromtimestamp(event.time).strftime("%H:%M:%S")
            yield who, what, Text(written(update.value), style), at


def written(value: Any) -> str:
    """A value for people: a state by its status, a ratio with two digits at most."""
    match value:
        case {"status": str() as status}:
            return status
        case {"targets": [*targets]}:
            states: dict[str, int] = {}
            for target in targets:
                state = target["media"][0]["state"]
                states[state] = states.get(state, 0) + 1
            return ", ".join(f"{number} {state}" for state, number in states.items()) or "-"
        case {"members": [*members]}:
            statuses: dict[str, int] = {}
            for member in members:
                status = str(member.get("status", "?"))
                statuses[status] = statuses.get(status, 0) + 1
            return ", ".join(f"{number} {status}" for status, number in statuses.items()) or "-"
        case float():
            return f"{value:.2f}".rstrip("0").rstrip(".")
        case str() | int():
            return str(value)
        case dict() if all(isinstance(each, int | float | str) for each in value.values()):
            return ", ".join(f"{key or '-'}: {written(each)}" for key, each in value.items()) or "-"
    return json.dumps(value, ensure_ascii=False)
