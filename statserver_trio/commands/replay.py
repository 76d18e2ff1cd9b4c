"""``statserver replay``: recorded events through the engine, values as JSON lines."""

from __future__ import annotations

import contextlib
import gc
import io
import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

import click
from attrs import define, field
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ..api.open_spec import SYNTAX
from ..asterisk.replay import ami_events, queue_log_events
from ..config.site import Site, make_site
from ..stats.engine import Engine
from ..stats.requests import StatisticError, StatisticRequest
from ..stats.statistic import Statistic
from ..tlib.codec import BadLine, Decoder, Message
from ..tlib.events import TEvent
from .output import Failure, json_option, say
from .parameters import OpenType
from .replay_objects import SOURCE, find_objects, requests_for_all
from .sites import load_or_exit

PIECE_BYTES = 128 * 1024  # what is decoded at a time is applied before it leaves the cache
LINES_AT_A_TIME = 1000  # of values, written in one call
# Young objects in larger steps than usual, all of them once in so many millions of new ones:
# looking through a large population of statistics takes long and finds nothing.
THRESHOLDS = (5_000, 5, 200)

Batches = Iterable[list[Message]]


# -- formats ------------------------------------------------------------------------------


def tlib_json(pieces: Iterable[bytes], switch: str) -> Batches:
    """The project's own recordings, decoded a piece at a time."""
    decoder = Decoder()
    for piece in pieces:
        yield decoder.feed(piece)
    yield decoder.end()


def asterisk_ami(pieces: Iterable[bytes], switch: str) -> Batches:
    """A captured AMI stream."""
    replayed = ami_events(pieces, switch)
    yield [*replayed.events, *_as_bad_lines(replayed.bad)]


def asterisk_queue_log(pieces: Iterable[bytes], switch: str) -> Batches:
    """A queue_log."""
    text = b"".join(pieces).decode("utf-8", "replace")
    replayed = queue_log_events(text.splitlines(), switch)
    yield [*replayed.events, *_as_bad_lines(replayed.bad)]


def _as_bad_lines(bad: Counter[str]) -> list[BadLine]:
    return [BadLine(kind, "") for kind, count in bad.items() for _ in range(count)]


FORMATS: dict[str, Callable[[Iterable[bytes], str], Batches]] = {
    "tlib-json": tlib_json,
    "asterisk-ami": asterisk_ami,
    "asterisk-queue-log": asterisk_queue_log,
}


# -- the replay ---------------------------------------------------------------------------


@define
class Replay:
    """One run: statistics are opened at the first event's time, before it is applied.

    Attributes:
        until: Stop before the first event later than this, ms.
        bad: Lines that were skipped, by kind.
    """

    engine: Engine
    requests: list[StatisticRequest]
    until: int | None = None
    statistics: list[tuple[StatisticRequest, Statistic]] = field(factory=list)
    bad: Counter[str] = field(factory=Counter)
    now: int | None = None
    events: int = 0

    def run(self, batches: Batches) -> None:
        """Apply everything, up to ``until``."""
        for batch in batches:
            events = [message for message in batch if isinstance(message, TEvent)]
            if len(events) < len(batch):
                self.bad.update(m.kind for m in batch if isinstance(m, BadLine))
            if not events:
                continue
            if self.now is None:
                self._open(events)
            late = self._cut(events)
            assert self.now is not None
            self.now = max(self.now, _latest(events))
            self.events += len(events)
            self.engine.apply(SOURCE, events, self.now)
            raised = self.engine.sources[SOURCE].passed_over.take_news()
            self.bad.update(f"a bug, {error!r}" for _, error in raised)
            if late:
                break

    def _open(self, events: list[TEvent]) -> None:
        first = next((event for event in events if event.time is not None), None)
        self.now = 0 if first is None else _ms(first)
        for request in self.requests:
            self.statistics.append((request, self.engine.open(request, self.now)))

    def _cut(self, events: list[TEvent]) -> bool:
        """Drop what is later than ``until``; whether anything was."""
        if self.until is None or _latest(events) <= self.until:
            return False
        for position, event in enumerate(events):
            if event.time is not None and _ms(event) > self.until:
                del events[position:]
                return True
        return False

    def values(self) -> Iterator[dict[str, object]]:
        """One object per statistic, as of ``until`` or the last event."""
        if self.now is None:
            return
        at = self.now if self.until is None else max(self.until, self.now)
        for request, statistic in self.statistics:
            value = self.engine.value(statistic, at)
            key = statistic.key
            profile = statistic.profile
            first, second = statistic.time_range, statistic.time_range2
            yield {
                "objectType": key.object_type,
                "objectId": key.object_id,
                "statisticType": statistic.stat_type.name,
                "timeProfile": None if profile is None else profile.name,
                "timeRange": None if first is None else first.name,
                "timeRange2": None if second is None else second.name,
                "filter": request.filter,
                "value": value.value,
                "time": value.time,
                "interval": value.interval,
            }


def _ms(event: TEvent) -> int:
    assert event.time is not None
    return int(event.time * 1000 + 0.5)


_time = attrgetter("time")


def _latest(events: list[TEvent]) -> int:
    """The latest time of any of them, ms; 0 where none has one."""
    try:  # one call for all of them, which nearly always have one
        latest = max(map(_time, events), default=None)
    except TypeError:
        latest = max((event.time for event in events if event.time is not None), default=None)
    return int((latest or 0.0) * 1000 + 0.5)


# -- the command --------------------------------------------------------------------------


def parse_time(text: str) -> int:
    """Unix seconds, or a date and time with its zone, in ms.

    Raises:
        ValueError: Neither.
    """
    try:
        return int(float(text) * 1000 + 0.5)
    except ValueError:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a date and time needs its zone, such as 2026-01-01T09:00:00+00:00")
    return int(moment.timestamp() * 1000)


class _Time(click.ParamType[int]):
    name = "TIME"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        try:
            return parse_time(str(value))
        except ValueError as exc:
            self.fail(f"{value!r} is no time: Unix seconds or ISO 8601 with zone ({exc})")


def _size(file: BinaryIO) -> int | None:
    """In bytes; None for standard input."""
    if isinstance(file, io.BytesIO):
        return file.getbuffer().nbytes
    name = getattr(file, "name", None)
    return Path(name).stat().st_size if isinstance(name, str) and Path(name).is_file() else None


@contextlib.contextmanager
def _pieces(file: BinaryIO, what: str) -> Iterator[Iterator[bytes]]:
    """The file in pieces, with a progress bar where somebody looks."""

    def read() -> Iterator[bytes]:
        while piece := file.read(PIECE_BYTES):
            yield piece

    if not sys.stderr.isatty():
        yield read()
        return
    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=_size(file))

        def read_and_tell() -> Iterator[bytes]:
            for piece in read():
                yield piece
                progress.advance(task, len(piece))

        yield read_and_tell()


@contextlib.contextmanager
def _collecting_little() -> Iterator[None]:
    """Look for garbage as rarely as becomes a program that fills its memory once."""
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _repeatable(file: BinaryIO) -> BinaryIO:
    """The same, where it can be read twice; else what is in it."""
    return file if file.seekable() else io.BytesIO(file.read())


def _all_of(
    file: BinaryIO, site: Site, switch: str, read: Callable[[Iterable[bytes], str], Batches]
) -> list[StatisticRequest]:
    """Every stat type on every object of the file, which is left where it was."""
    start = file.tell()
    with _pieces(file, "looking for objects") as pieces, _collecting_little():
        objects = find_objects(site, switch, read(pieces, switch))
    file.seek(start)
    return requests_for_all(site, objects)


@click.command("replay")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--config",
    "config_path",
    required=True,
    type=click.Path(path_type=Path),
    help="What is counted: the file with stat types and objects.",
)
@click.option(
    "--open",
    "opens",
    multiple=True,
    type=OpenType(),
    help=f"{SYNTAX}; may be repeated.",
)
@click.option("--open-all", is_flag=True, help="Every stat type on every object it fits.")
@click.option("--at", type=_Time(), help="As of this time. [default: the last event's]")
@click.option(
    "--format",
    "file_format",
    default="tlib-json",
    show_default=True,
    type=click.Choice(list(FORMATS)),
    help="What FILE holds.",
)
@click.option("--switch", help="The switch the events come from. [default: the first tserver's]")
@json_option("JSON lines, as always")
def command(
    file: BinaryIO,
    config_path: Path,
    opens: tuple[StatisticRequest, ...],
    open_all: bool,
    at: int | None,
    file_format: str,
    switch: str | None,
    as_json: bool,
) -> None:
    """Run the events of FILE through the engine and print values as JSON lines.

    Statistics are opened at the time of the first event, before it is applied;
    resets happen by event time. FILE may be - for standard input.

    \b
    Example:
      statserver tserver --out day.jsonl
      statserver replay day.jsonl --config conf/standalone.toml \\
          --open Queue:8001@sw1:Total_Calls_Entered,profile=QuarterHour
    """
    if not opens and not open_all:
        raise click.UsageError("nothing to compute: give --open or --open-all")
    config = load_or_exit(config_path)
    site = make_site(config)
    switch = switch or (config.tserver[0].switch if config.tserver else "sw1")
    read = FORMATS[file_format]
    requests = list(opens)
    if open_all:
        requests += _all_of(file := _repeatable(file), site, switch, read)
    engine = Engine(site.definitions, site.directory, site.world_options, site.resolution)
    engine.add_source(SOURCE, switch)
    replay = Replay(engine, requests, at)
    try:
        with _pieces(file, "replay") as pieces, _collecting_little():
            replay.run(read(pieces, switch))
    except StatisticError as exc:
        raise Failure(f"{exc.message} ({exc.code})", exc.code) from None
    lines = map(json.dumps, replay.values())
    while block := list(itertools.islice(lines, LINES_AT_A_TIME)):
        click.echo("\n".join(block))  # each echo is a write, and as slow as reading ten values
    for kind, count in replay.bad.items():
        say(f"skipped {count} lines: {kind}", skipped=count, kind=kind)
    if not replay.events:
        raise Failure("no events: is the format right?")
