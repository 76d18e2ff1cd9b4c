"""Replacing: a source goes on from the picture of another server, whatever it was before.

What was counted of the old picture still counts, and what goes on counts from the opening on,
as before. But when that began the two pictures need not agree: who began from snapshots has
seen it begin when he came. So what a statistic began with is told anew, in the terms of the
new picture. And who has heard no event yet knew the time of his own machine only, which may
be anything: his beginnings are moved to the clock of the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .counting.counters import DURATIONS, Counter
from .counting.rows import Row
from .transfer import adopt_statistic, export_statistic

if TYPE_CHECKING:
    from .engine import Engine
    from .source import Picture, Source
    from .statistic import Statistic

Told = dict[str, Any]  # of a statistic, or of a part of it; see transfer.py
PAGE_MOMENTS = ("opened_at", "start", "since", "left_at", "paused_at")  # of a book


def replace_world(
    engine: Engine, source_name: str, picture: Picture, now: int, heard_at: int
) -> list[Statistic]:
    """Let a source go on from another server's picture, whatever it was before.

    What was counted of the old picture still counts: the statistics concerned, which
    are returned, go on from there with what goes on in the new one.

    Args:
        heard_at: When the last event of that picture arrived, by our clock.
    """
    source = engine.sources[source_name]
    concerned = [s for s in engine.statistics.values() if source in s.sources]
    if picture.world is not None:
        _end_of_picture(concerned, picture.world.now)
    # What is told anew below is what we had ourselves: what was doubtful before still is.
    doubtful = [counter for counter in _counters(concerned) if counter.is_doubtful]
    counted = [export_statistic(statistic) for statistic in concerned]
    for statistic, told in zip(concerned, counted, strict=True):
        _recount_beginnings(statistic, told, source, -1)
    guessed = None if source.has_told_time else source.clock(now)
    lonely = [] if guessed is None else [s for s in engine.statistics.values() if not s.sources]
    latest = engine.attachments.latest(now)
    for statistic in concerned:
        for index in reversed(range(len(statistic.sources))):
            if statistic.sources[index] is source:
                for part in statistic.drop(index):
                    part.row.release(statistic)
    source.take(picture, heard_at)
    for statistic in lonely:  # nothing at all has been told of it: it began as long ago as before
        statistic.opened_at += engine.attachments.latest(now) - latest
    engine.find_newcomers(now)
    shift = 0 if guessed is None else source.clock(now) - guessed
    for statistic, told in zip(concerned, counted, strict=True):
        engine.regroup(statistic, now, by_events=True)
        if shift:
            _move(told, source, shift)
        _recount_beginnings(statistic, told, source, 1)
        adopt_statistic(engine, statistic, told, now)
    for counter in (*doubtful, *_counters(concerned, source)):
        counter.is_doubtful = True
    return concerned


def doubt_durations(engine: Engine, source_name: str) -> None:
    """What went on at a source has ended only because we missed what became of it.

    How long it lasted is a guess: who knows better replaces it, see :attr:`Counter.is_doubtful`.
    """
    source = engine.sources[source_name]
    concerned = [s for s in engine.statistics.values() if source in s.sources]
    for counter in _counters(concerned, source):
        counter.is_doubtful = True


def _counters(statistics: list[Statistic], source: Source | None = None) -> Iterator[Counter]:
    """Those of the rows that they read, of one source or of all."""
    for statistic in statistics:
        for part in (each for parts in statistic.parts.values() for each in parts):
            counter = part.row.counter
            if counter is not None and (source is None or part.row.source is source):
                yield counter


def _end_of_picture(statistics: list[Statistic], t: int) -> None:
    """What a picture says goes on at once was the most, or the least, up to the next picture."""
    for statistic in statistics:
        for part in statistic.all_parts("main"):
            if part.tally is not None:
                part.tally.peaks.changing(part.tally.number, t)


def _of_source(told: Told, source: Source) -> Iterator[tuple[str, Told]]:
    for role, parts in told["parts"].items():
        for part in parts:
            if part["source"] == source.name:
                yield role, part


def _beginnings(part: Told) -> Iterable[tuple[int, list[Any]]]:
    """When the intervals of a part begin that can be asked for, and with what."""
    yield part["opened_at"], part["base"]
    yield from part["marks"]


def _recount_beginnings(statistic: Statistic, told: Told, source: Source, sign: int) -> None:
    """Take what goes on out of what intervals began with, or put it in as it is known now."""
    rows = {
        (role, *part.row.node.address): part.row
        for role, parts in statistic.parts.items()
        for part in parts
        if part.row.source is source
    }
    for role, part in _of_source(told, source):
        row = rows.get((role, *part["node"]))
        if row is None or not _goes_by_starts(row):
            continue
        if part.get("counter"):
            part["counter"]["stretches"] = []  # the new picture knows them
        starts = _starts(row)
        for t, sums in _beginnings(part):
            known = [start for start in starts if start <= t]
            sums[2] += sign * len(known)
            sums[3] += sign * sum(known)


def _goes_by_starts(row: Row) -> bool:
    """Whether each of what goes on counts there from its start on."""
    return row.kind.feature in ("", DURATIONS)


def _starts(row: Row) -> Sequence[int]:
    """When what goes on there began to count."""
    if row.counter is None:
        return [start for _, start in row.going_on()]
    return list(row.counter.stretches.values())


def _move(told: Told, source: Source, shift: int) -> None:
    """Let everything that was told of a source by a clock that was guessed be of its own."""
    for _, part in _of_source(told, source):
        if part["opened_at"] == told["opened_at"]:
            told["opened_at"] += shift
        for _, sums in _beginnings(part):
            sums[3] += shift * sums[2]
        part["opened_at"] += shift
        part["marks"] = [[edge + shift, sums] for edge, sums in part["marks"]]
    page: Told = (told["book"] or {}).get(source.name) or {}
    for moment in PAGE_MOMENTS:
        if page.get(moment) is not None:
            page[moment] += shift
