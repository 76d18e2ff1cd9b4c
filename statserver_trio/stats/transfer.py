"""Carrying statistics to the other member of a pair, and taking them in there.

A statistic travels as its definition by name and as what it has counted so far.
Columns of two members never agree (each began its rows at another time), so
numbers travel as *differences up to now*: what has been counted since the
statistic was opened, and since every later beginning of an interval that can
still be asked for. The receiver, whose world stands at exactly the same
position, subtracts them from its own columns and so finds where its columns
would have stood. Nothing is ever added to something that may contain it already.

Both ends have to be as of the same position of every source; who brings that
about is the business of the pair's session, not of this module.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from ..model.nodes import AgentNode, DNNode, Node, PlaceNode
from .ledger import Sums
from .measures import Mark, Part, marks_of
from .requests import StatisticRequest
from .rows import Row, identity
from .source import Source
from .statistic import Statistic

if TYPE_CHECKING:
    from .engine import Engine

Data = dict[str, Any]


# -- definitions --------------------------------------------------------------------------


def request_of(statistic: Statistic) -> StatisticRequest:
    """The request that opens the same statistic anywhere, by names where there are any."""
    key, profile = statistic.key, statistic.profile
    time_range = statistic.time_range
    return StatisticRequest(
        key.object_type,
        key.object_id,
        statistic.stat_type if not statistic.stat_type.name else statistic.stat_type.name,
        None if profile is None else profile.name,
        None if time_range is None else time_range.name,
        None,
        key.filter or None,
        key.tenant,
    )


def definition_hash(statistic: Statistic) -> str:
    """Says whether two members mean the same by the same names.

    Two statistics of equal hash count the same; of a changed profile, range,
    filter or stat type the hash changes, though its name does not.
    """
    profile, time_range, chosen = statistic.profile, statistic.time_range, statistic.filter
    content = [
        sorted(statistic.stat_type.text.items()),
        profile and [profile.kind, profile.text, str(profile.zone)],
        time_range and time_range.text,
        chosen and chosen.text,
    ]
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


# -- names of nodes -----------------------------------------------------------------------


def _name(node: Node) -> list[str]:
    if isinstance(node, DNNode):
        return ["dn", node.key.number]
    if isinstance(node, AgentNode):
        return ["agent", node.id]
    assert isinstance(node, PlaceNode)
    return ["place", node.name]


# -- writing ------------------------------------------------------------------------------


def export_statistic(statistic: Statistic) -> Data:
    """What a statistic has counted, as of now."""
    return {
        "opened_at": statistic.opened_at,
        "parts": {
            role: [
                _part(source, part) for source, part in zip(statistic.sources, parts, strict=True)
            ]
            for role, parts in statistic.parts.items()
        },
    }


def _part(source: Source, part: Part) -> Data:
    row = part.row
    now = row.sums
    data: Data = {
        "source": source.name,
        "node": _name(row.node),
        "opened_at": part.opened_at,
        "base": _up_to(now, part.base),
        "marks": [[mark.edge, _up_to(now, mark.sums)] for mark in marks_of(part)],
    }
    if row.counter is not None:
        counter = row.counter
        data["stretches"] = [
            [list(identity(each)), start] for each, start in counter.stretches.items()
        ]
        data["inside_since"], data["left_at"] = counter.inside_since, counter.left_at
        data["epoch"] = part.epoch
        data["durations"] = counter.durations and counter.durations.export()
        data["tally"] = counter.tally and counter.tally.peaks.export()
    return data


def _up_to(now: Sums, then: Sums) -> list[int]:
    """From some moment up to now: differences of what is over, and what went on then."""
    return [now.ended - then.ended, now.elapsed - then.elapsed, then.live, then.since]


def _back_from(now: Sums, data: list[int]) -> Sums:
    ended, elapsed, live, since = data
    return Sums(now.ended - ended, now.elapsed - elapsed, live, since)


# -- reading ------------------------------------------------------------------------------


def adopt_statistic(
    engine: Engine, statistic: Statistic, data: Data, now: int, by_force: bool = False
) -> bool:
    """Let a statistic that is open here have counted what ``data`` says.

    Of two that were opened at different times the earlier one counts: it covers
    more. Returns whether anything was taken over.

    Args:
        by_force: The caller has decided already that theirs is the better one.

    Raises:
        KeyError, ValueError, TypeError: The data does not fit; nothing was changed.
    """
    if statistic.opened_at <= data["opened_at"] and not by_force:
        return False
    taken: list[tuple[Part, Data]] = []
    for role, parts in statistic.parts.items():
        told = {(each["source"], *each["node"]): each for each in data["parts"][role]}
        for source, part in zip(statistic.sources, parts, strict=True):
            name = (source.name, *_name(part.row.node))
            if name in told:
                taken.append((part, told[name]))
    for part, each in taken:
        ledger = part.row.ledger
        _take(part, each, engine.as_of(ledger, now))
        ledger.touch(part.row.index)  # clients are told what it is worth now
    statistic.opened_at = data["opened_at"]
    return True


def _take(part: Part, data: Data, t: int) -> None:
    row = part.row
    if row.counter is not None:
        _take_counter(row, part, data)
    now = row.sums
    part.opened_at = data["opened_at"]
    part.base = _back_from(now, data["base"])
    # From the last mark up to now nothing began anew, so an interval that begins in between
    # begins as things stand now.
    part.marks = [
        *(Mark(edge, _back_from(now, sums)) for edge, sums in data["marks"]),
        Mark(t, now),
    ]


def _take_counter(row: Row, part: Part, data: Data) -> None:
    counter, ledger = row.counter, row.ledger
    assert counter is not None
    if row.kind.filter is not None:  # else what goes on began when the world says
        counter.restart({tuple(each): start for each, start in data["stretches"]})
    counter.inside_since, counter.left_at = data["inside_since"], data["left_at"]
    part.epoch = ledger.epoch
    if counter.durations is not None:
        last = counter.durations.adopt(data["durations"], ledger.epoch - data["epoch"])
        ledger.epoch = max(ledger.epoch, last)
    if counter.tally is not None:
        counter.tally.peaks.adopt(data["tally"])


# -- a world that is replaced -------------------------------------------------------------


def replace_world(engine: Engine, source_name: str, data: Data, now: int) -> list[Statistic]:
    """Let a source go on from another server's action table, whatever it was before.

    What was counted of the old picture still counts: the statistics concerned, which
    are returned, go on from there with what goes on in the new one.
    """
    source = engine.sources[source_name]
    concerned = [s for s in engine.statistics.values() if source in s.sources]
    counted = [export_statistic(statistic) for statistic in concerned]
    for statistic in concerned:
        for index in reversed(range(len(statistic.sources))):
            if statistic.sources[index] is source:
                del statistic.sources[index], statistic.nodes[index]
                for parts in statistic.parts.values():
                    parts.pop(index).row.release(statistic)
    source.adopt(data, now)
    engine.find_newcomers(now)
    for statistic, data_before in zip(concerned, counted, strict=True):
        engine.regroup(statistic, now)
        adopt_statistic(engine, statistic, data_before, now, by_force=True)
    return concerned
