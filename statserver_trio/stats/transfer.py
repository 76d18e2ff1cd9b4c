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
from collections.abc import Iterable, Sequence
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from msgspec import structs

from .books.book import Page
from .carried import FormerData, StatisticData, SumsData, checked
from .counting.counters import DURATIONS, Counter, identity
from .counting.ledger import Sums
from .counting.parts import NOTHING, FormerPart, Mark, Part, PartOfSession, Span, marks_of, restart
from .counting.peaks import DurationPeaks
from .definitions.stat_types import counted_text
from .plain import back_from, joined, plain_pairs, take_plain
from .requests import StatisticRequest
from .statistic import Statistic

if TYPE_CHECKING:
    from .engine import Engine

Data = dict[str, Any]


# -- definitions --------------------------------------------------------------------------


def request_of(statistic: Statistic) -> StatisticRequest:
    """The request that opens the same statistic anywhere, by names where there are any."""
    key, profile = statistic.key, statistic.profile
    first, second = statistic.time_range, statistic.time_range2
    return StatisticRequest(
        key.object_type,
        key.object_id,
        statistic.stat_type if not statistic.stat_type.name else statistic.stat_type.name,
        profile if profile is None or not profile.name else profile.name,
        None if first is None else first.name,
        None if second is None else second.name,
        key.filter or None,
        key.tenant,
        statistic.stat_type.extension,
    )


def definition_hash(statistic: Statistic) -> str:
    """Says whether two members mean the same by the same names.

    Two statistics of equal hash count the same; of a changed profile, range,
    filter or stat type the hash changes, though its name does not.
    """
    profile, chosen = statistic.profile, statistic.filter
    first, second = statistic.time_range, statistic.time_range2
    content: list[Any] = [
        sorted(counted_text(statistic.stat_type).items()),
        profile and [profile.kind, profile.text, str(profile.zone)],
        first and first.text,
        second and second.text,
        chosen and chosen.text,
    ]
    if statistic.book is not None and statistic.book.rules.key is not None:
        content.append(statistic.book.rules.children_max)
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


# -- writing ------------------------------------------------------------------------------


def export_statistic(statistic: Statistic) -> Data:
    """What a statistic has counted, as of now; by role, those who left the group included."""
    main = statistic.all_parts("main")
    tally = main[0].tally if main else None
    return {
        "opened_at": statistic.opened_at,
        "parts": {role: [_part(part) for part in found] for role, found in statistic.parts.items()},
        "former": {
            role: [_former(part) for part in found] for role, found in statistic.former.items()
        },
        "tally": tally and tally.peaks.export(),
        "book": statistic.book and statistic.book.export(),
    }


def opened(statistic: Statistic) -> tuple[int, list[tuple[str, int]]]:
    """When a statistic began to count: as a whole, and what of it is from each source.

    The less of two that contain the same events has counted for longer. The second
    decides where the first is equal: between its events a source's clock is only estimated.
    """
    parts = (part for role in statistic.parts for part in statistic.all_parts(role))
    return statistic.opened_at, _first((part.ledger.source, part.opened_at) for part in parts)


def opened_there(data: StatisticData) -> tuple[int, list[tuple[str, int]]]:
    """The same, of one that was exported."""
    roles: list[Sequence[FormerData]] = [*data["parts"].values(), *data["former"].values()]
    told = ((part["source"], part["opened_at"]) for parts in roles for part in parts)
    return data["opened_at"], _first(told)


def _first(times: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for source, t in times:
        found[source] = min(t, found.get(source, t))
    return sorted(found.items())


def _part(part: Part) -> Data:
    now, counter = part.row.sums, part.row.counter
    data = _beginnings(part, now, marks_of(part))
    data["node"] = list(part.row.node.address)
    data["starts"] = list(Span(part, 0, 0, now, now).live()) if now.live else []
    data["frozen"] = None if part.frozen is None else _former(part.frozen)
    if counter is not None:
        data["counter"] = counter.export(part)
        data["durations"] = counter.durations and counter.durations.export()
    return data


def _former(part: FormerPart) -> Data:
    data = _beginnings(part, part.sums, part.marks)
    data["node"], data["at"], data["starts"] = list(part.address), part.at, list(part.starts)
    data["durations"] = part.durations and part.durations.export()
    return data


def _beginnings(part: Part | FormerPart, last: Sums, marks: list[Mark]) -> Data:
    """Where its intervals began, as seen from the last sums it has."""
    return {
        "source": part.ledger.source,
        "opened_at": part.opened_at,
        "base": _up_to(last, part.base),
        "last": _up_to(last, last),
        "marks": [[mark.edge, _up_to(last, mark.sums)] for mark in _different(marks)],
        "epoch": part.epoch,
    }


def _different(marks: list[Mark]) -> list[Mark]:
    """The same without those between which and the next one nothing happened.

    Each holds for the beginnings up to its edge, so the next one says the same of them. Of a
    sliding profile those are most: a row has a mark for each of its steps.
    """
    if len(marks) < 2:
        return marks
    following = marks[1:]
    kept = [mark for mark, after in zip(marks, following, strict=False) if mark[1] != after[1]]
    return [*kept, marks[-1]]


def _up_to(now: Sums, then: Sums) -> list[Any]:
    """From some moment up to now: differences of what is over, and what went on then.

    Squares follow where there are any, as text: they outgrow the integers of most codecs.
    """
    ended, elapsed, live, since, squares, since_squares = then
    told: list[Any] = [now[0] - ended, now[1] - elapsed, live, since]
    squares = now[4] - squares
    return [*told, str(squares), str(since_squares)] if squares or since_squares else told


# -- reading ------------------------------------------------------------------------------


def adopt_statistic(engine: Engine, statistic: Statistic, data: Data, now: int) -> None:
    """Let a statistic that is open here have counted what ``data`` says.

    Which of two copies is the better one is decided by their coverage, and not here.

    Raises:
        KeyError, ValueError, TypeError: The data does not fit; nothing was changed.
    """
    adopt_told(engine, statistic, checked(data), now)


def adopt_told(engine: Engine, statistic: Statistic, told: StatisticData, now: int) -> None:
    """The same, of what has the right shape.

    Raises:
        KeyError, ValueError, TypeError: The data does not fit; nothing was changed.
    """
    pairs = plain_pairs(statistic, told)
    if pairs is None:
        _adopt_whole(engine, statistic, told, now)
    else:
        take_plain(statistic, told, pairs, now)
    engine.replaced(statistic)


def _adopt_whole(engine: Engine, statistic: Statistic, told: Any, now: int) -> None:
    reader = _Reader(engine, statistic, told, now)
    taken = [each for role in statistic.parts for each in reader.taken(role)]
    restarted = [part for role in statistic.parts for part in reader.restarted(role)]
    former = {role: reader.former(role) for role in statistic.parts}
    pages = reader.pages()
    frozen = {id(part): reader.frozen(part, each) for part, each in taken}
    for part, each in taken:
        _take(part, each, engine.as_of(part.ledger, now))
        if isinstance(part, PartOfSession):
            part.frozen = frozen[id(part)]
        part.ledger.touch(part.row.index)  # clients are told what it is worth now
    for part in restarted:
        restart(part, engine.as_of(part.ledger, now))
        part.ledger.touch(part.row.index)
    statistic.former = {role: parts for role, parts in former.items() if parts}
    statistic.opened_at = engine.attachments.same_time(reader.opened_at)
    if statistic.book is not None:
        statistic.book.replace(pages)
    tally = next((part.tally for part in statistic.all_parts("main")), None)
    if tally is not None and reader.tally is not None:  # else there was nobody there
        shared = any(part.row.users > 1 for part in statistic.parts["main"])
        tally.peaks.adopt(reader.tally, shared)


class _Reader:
    """Finds out, by role, what becomes of the parts here and of those that were told.

    Groups need not have the same members on both sides: one may have reloaded earlier.
    A member counts once (our decision): who left the group there and not here begins
    anew, and who left it here and not there has left it as of now.
    """

    def __init__(self, engine: Engine, statistic: Statistic, data: Data, now: int) -> None:
        self._engine, self._statistic, self._data, self._now = engine, statistic, data, now
        self._kinds = statistic.row_kinds()

    @property
    def opened_at(self) -> int:
        """When it was opened there, ms."""
        return int(self._data["opened_at"])

    @property
    def tally(self) -> Any:
        """What was told of how many go on at once."""
        return self._data["tally"]

    def _told(self, role: str) -> dict[tuple[str, ...], Data]:
        return {_name(each): each for each in self._data["parts"][role]}

    def _here(self, role: str) -> dict[tuple[str, ...], Part]:
        parts = self._statistic.parts[role]
        return {(part.ledger.source, *part.row.node.address): part for part in parts}

    def taken(self, role: str) -> list[tuple[Part, Data]]:
        """Parts here, and what was told of them."""
        told = self._told(role)
        return [(part, told[name]) for name, part in self._here(role).items() if name in told]

    def restarted(self, role: str) -> list[Part]:
        """Parts here of nodes that are former members there."""
        told, former = self._told(role), self._data["former"].get(role, [])
        left = {_name(each) for each in former} - told.keys()
        return [part for name, part in self._here(role).items() if name in left]

    def former(self, role: str) -> list[FormerPart]:
        """The parts of former members: those told as such, and those of nobody here."""
        here = self._here(role)
        found = [self._former(role, each) for each in self._data["former"].get(role, [])]
        found += [
            self._left(role, each) for name, each in self._told(role).items() if name not in here
        ]
        return found

    def pages(self) -> dict[str, Page]:
        """What was told of the book, if it has one."""
        book = self._statistic.book
        if book is None:
            return {}
        ledgers = {name: source.ledger for name, source in self._engine.sources.items()}
        return book.read(self._data["book"], ledgers)

    def frozen(self, part: Part, data: Data) -> FormerPart | None:
        """What stays of the last session, where none goes on."""
        told = data["frozen"]
        role = next(r for r, found in self._statistic.parts.items() if part in found)
        return None if told is None else self._former(role, told)

    def _former(self, role: str, data: Data) -> FormerPart:
        return self._read(role, data, data["at"], data["marks"])

    def _left(self, role: str, data: Data) -> FormerPart:
        t = self._engine.sources[data["source"]].clock(self._now)
        return self._read(role, data, t, [*data["marks"], [t, data["last"]]])

    def _read(self, role: str, data: Data, at: int, marks: list[list[Any]]) -> FormerPart:
        sums = back_from(NOTHING, data["last"])
        ledger = self._engine.sources[data["source"]].ledger
        profile, kind = self._statistic.profile, self._kinds[role]
        durations = None
        if kind.feature == DURATIONS:
            durations = DurationPeaks()
            durations.adopt(data["durations"])
        return FormerPart(
            ledger,
            tuple(data["node"]),
            kind,
            data["opened_at"],
            back_from(sums, data["base"]),
            None if profile is None else ledger.boundary(profile, at),
            data["epoch"],
            [Mark(edge, back_from(sums, then)) for edge, then in marks],
            at,
            sums,
            tuple(data["starts"]),
            durations,
            self._engine.attachments.tally(kind, at),
        )


def _name(data: Data) -> tuple[str, ...]:
    """Of what node a part was told, on any server."""
    return (data["source"], *data["node"])


def _take(part: Part, data: Data, t: int) -> None:
    row = part.row
    if row.counter is not None:
        if row.knows_starts:
            data = _in_our_terms(row.counter, data)
        _take_counter(row.counter, part, data)
    now = row.base()
    part.begin(data["opened_at"], part.epoch)  # there may be no event yet that came after
    part.base = row.share(back_from(now, data["base"]))
    # From the last mark up to now nothing began anew, so an interval that begins in between
    # begins as things stand now.
    told = [Mark(edge, row.share(back_from(now, sums))) for edge, sums in data["marks"]]
    part.marks = joined(told, row.as_of(t))


def _in_our_terms(counter: Counter, data: Data) -> Data:
    """The same, where what went on began when we say it did: we have missed nothing of it.

    Whoever has may have seen it begin later, and others read the row as well.
    """
    ours = {identity(each): (each.start, start) for each, start in counter.stretches.items()}
    changes: list[tuple[int, int]] = []  # when it is told to have begun, and how much later it did
    for each, told in data["counter"]["stretches"]:
        began, start = ours.get(tuple(each), (told, told))
        if began <= told != start:  # else it is of an earlier one that was alike
            changes.append((told, start - told))

    def moved(t: int, sums: SumsData) -> SumsData:
        change = sum(change for told, change in changes if told <= t)
        return structs.replace(sums, since=sums.since + change) if change else sums

    return {
        **data,
        "counter": {"stretches": []},
        "base": moved(data["opened_at"], data["base"]),
        "marks": [(edge, moved(edge, sums)) for edge, sums in data["marks"]],
    }


def _take_counter(counter: Counter, part: Part, data: Data) -> None:
    ledger = part.ledger
    counter.adopt(data["counter"], part)
    part.begin(part.opened_at, ledger.epoch)
    # What others count may have begun earlier. Of what the row has counted itself without
    # missing anything nobody knows more, and who has missed something may say what never was.
    shared = part.row.users > 1 and not counter.is_doubtful
    counter.is_doubtful = False
    if counter.durations is not None:
        # All that an epoch says is what at the moment of an opening comes after it: to be told
        # ours and the one before is enough. To shift all of them would let them grow for ever.
        begun, ours = data["epoch"], ledger.epoch
        renumbered = partial(_renumbered, begun, ours)
        until = part.row.whole_since if shared else inf
        counter.durations.adopt(data["durations"], renumbered, shared, until)


def _renumbered(begun: int, ours: int, epoch: int) -> int:
    return ours if epoch >= begun else ours - 1
