"""Where ``statserver watch`` shows values: as JSON lines, or in a table that changes in place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import trio
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..api import messages as m
from ..api.open_spec import OPTIONS, format_open, parse_open
from ..client import Reach, Update
from ..client.targets import TARGET_EVENTS
from ..stats.requests import StatisticRequest
from .output import say

VALUES = (m.Info, *TARGET_EVENTS)  # events that bring one
REFRESH_SECONDS = 0.2  # of the table; values in between are not shown one by one


class Screen:
    """Where values are shown; a context manager around all of it."""

    is_closed = False  # nobody looks any more

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    async def run(self) -> None:
        """Keep what is shown up to date, until cancelled."""

    def reached(self, member: Reach, reachable: Sequence[str]) -> None:
        """A server answers, or answers no more; told once each time, with those that do now."""

    def show(self, update: Update) -> bool:
        """Show what the server said; whether it was a value."""
        raise NotImplementedError  # pragma: no cover - both kinds say it

    def wants_reset(self, update: Update) -> bool:
        """Whether the next reset of the value's statistic is to be shown and not known."""
        return False

    def resets_at(self, update: Update, at: float | None) -> None:
        """The value's statistic starts again then; None where it never does."""


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

    def __init__(self) -> None:
        self._lost: set[str] = set()

    def reached(self, member: Reach, reachable: Sequence[str]) -> None:
        """One line on standard error for who is lost, and for who is back."""
        fields = {"url": member.url, "reachable": list(reachable)}
        if not member.is_there:
            self._lost.add(member.url)
            sentence = f"{member.url}: {member.why}; {_going_on(reachable)}"
            say(sentence, event="MemberLost", reason=member.why, **fields)
        elif member.url in self._lost:
            self._lost.discard(member.url)
            say(f"{member.url}: connected again", event="MemberBack", **fields)

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
        self._resets: dict[str, float | None] = {}
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._heading = "connecting"
        self._lost: dict[str, str] = {}  # by URL, what is to be said of it
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

    def reached(self, member: Reach, reachable: Sequence[str]) -> None:
        """Say above the table who is connected, and why another one is not."""
        self._heading = " and ".join(reachable)
        if not member.is_there:
            self._lost[member.url] = f"{member.url}: {member.why}; {_going_on(reachable)}"
        else:
            self._lost.pop(member.url, None)
        self._is_old = True

    def show(self, update: Update) -> bool:
        """Remember the value for the next look."""
        if update.statistic is None:
            return False
        is_value = isinstance(update.event, VALUES)
        if is_value:
            self._rows[str(update.statistic)] = update
        self._is_old = True
        return is_value

    def wants_reset(self, update: Update) -> bool:
        """Before the first value, and after each reset."""
        name = str(update.statistic)
        at = self._resets.get(name)
        assert isinstance(update.event, VALUES)
        return name not in self._resets or (at is not None and update.event.time >= at)

    def resets_at(self, update: Update, at: float | None) -> None:
        """Show it in the last column."""
        self._resets[str(update.statistic)] = at
        self._is_old = True

    def _refresh(self) -> None:
        if self._is_old:
            self._is_old = False
            self._live.update(self.table(), refresh=True)

    def table(self) -> Table:
        """What is shown at the moment."""
        title = "\n".join(self._lost.values()) or self._heading
        table = Table(title=title, title_justify="left", box=None, header_style="bold")
        for heading in ("object", "statistic", "value", "at", "next reset at"):
            table.add_column(heading, justify="right" if heading == "value" else "left")
        for cells in self._cells():
            table.add_row(*cells)
        return table

    def _cells(self) -> Iterator[tuple[str, str, Text, str, str]]:
        for name, update in self._rows.items():
            request = parse_open(name)
            who = f"{request.object_type} {request.object_id}"
            options = (getattr(request, attribute) for attribute in OPTIONS.values())
            what = " ".join(str(part) for part in (request.stat_type, *options) if part)
            if update is None:
                yield who, what, Text("-", "dim"), "", ""
                continue
            event, statistic = update.event, update.statistic
            assert isinstance(event, VALUES)
            assert statistic is not None
            style = "" if statistic.is_valid else "dim strike"
            at = f"{datetime.fromtimestamp(event.time):%H:%M:%S}"
            reset = self._resets.get(name)
            next_reset = "" if reset is None else f"{datetime.fromtimestamp(reset):%d %b %H:%M}"
            yield who, what, Text(written(update.value), style), at, next_reset


def _going_on(reachable: Sequence[str]) -> str:
    return f"{' and '.join(reachable)} goes on" if reachable else "trying again"


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
