"""Replacing: a source goes on from the picture of another server, whatever it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .transfer import adopt_statistic, export_statistic

if TYPE_CHECKING:
    from .engine import Engine
    from .statistic import Statistic


def replace_world(
    engine: Engine, source_name: str, data: dict[str, Any], now: int, heard_at: int
) -> list[Statistic]:
    """Let a source go on from another server's action table, whatever it was before.

    What was counted of the old picture still counts: the statistics concerned, which
    are returned, go on from there with what goes on in the new one.

    Args:
        heard_at: When the last event of that table arrived, by our clock.
    """
    source = engine.sources[source_name]
    concerned = [s for s in engine.statistics.values() if source in s.sources]
    if data["world"] is not None:
        _end_of_picture(concerned, int(data["world"]["now"]))
    counted = [export_statistic(statistic) for statistic in concerned]
    for statistic in concerned:
        for index in reversed(range(len(statistic.sources))):
            if statistic.sources[index] is source:
                for part in statistic.drop(index):
                    part.row.release(statistic)
    source.adopt(data, heard_at)
    engine.find_newcomers(now)
    for statistic, data_before in zip(concerned, counted, strict=True):
        engine.regroup(statistic, now, by_events=True)
        adopt_statistic(engine, statistic, data_before, now)
    for statistic in concerned:
        for part in (each for parts in statistic.parts.values() for each in parts):
            if part.ledger is source.ledger and part.row.counter is not None:
                part.row.counter.is_doubtful = True
    return concerned


def _end_of_picture(statistics: list[Statistic], t: int) -> None:
    """What a picture says goes on at once was the most, or the least, up to the next picture."""
    for statistic in statistics:
        for part in statistic.all_parts("main"):
            if part.tally is not None:
                part.tally.peaks.changing(part.tally.number, t)
