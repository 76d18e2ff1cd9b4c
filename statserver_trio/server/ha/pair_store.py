"""The real engine as the pair's machines want it: a store in the sense of ``ha.store``.

A statistic's key on the link is the canonical JSON of its identity, its definition
the request that opens it, its payload what it has counted. Items are cut and
installed between two events. How what the peer pushes is installed is told in
:mod:`.chunk_work`; here is kept what each statistic contains, and what is done to worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from ...ha.coverage import Coverage, lacks_else, merged, missing
from ...ha.messages import Event, Item, Kind, Positions, Ranges
from ...ha.store import Installed, InstallItems
from ...stats.carried import StatisticData
from ...stats.engine import Engine
from ...stats.plain import Earlier, take_plain
from ...stats.replacing import doubt_durations, replace_world
from ...stats.requests import StatisticError, StatisticRequest
from ...stats.statistic import Statistic
from ...stats.telling.notifications import Notice
from ...stats.transfer import adopt_told, export_statistic
from ...tlib.codec import decode_line
from ...tlib.events import EventServerDisconnected, TEvent, Unhandled
from ..link_definitions import Hashes, definition_of, key_text
from .chunk_work import ChunkWork, is_behind
from .entry import Entries, Entry
from .pictures import Pictures
from .shadow import Shadow, Steps

_encode = msgspec.msgpack.encode

StreamEvent = TEvent | Unhandled


class PairStore:
    """The store.

    Args:
        make_engine: An engine like ours with the same sources, and nothing in it.
        now_ms: The server's clock.
        apply: Lets events of a source happen in our engine.

    Attributes:
        pictures: Of the peer, as they come.
        peer: The other member's name, for whoever asks where a value comes from.
        shadow: Our worlds a few events ago; while it is needed.
    """

    def __init__(
        self,
        engine: Engine,
        make_engine: Callable[[], Engine],
        now_ms: Callable[[], int],
        apply: Callable[[str, list[StreamEvent], int], None],
    ) -> None:
        self.engine = engine
        self.peer = ""
        self.shadow: Shadow | None = None
        self.pictures = Pictures(engine)
        self._make_engine = make_engine
        self.now_ms = now_ms
        self._apply_events = apply
        self._entries = Entries()
        self._holes: dict[str, Ranges] = {}
        self._hashes = Hashes()
        self._work = ChunkWork(self)
        self._doubtful: list[str] = []
        self._taken_away: list[tuple[str, list[Notice]]] = []

    # -- what is open ----------------------------------------------------------------

    def opened(self, statistic: Statistic) -> str:
        """A statistic was opened here: what it contains begins now; its key."""
        text = key_text(statistic.key)
        entry = self._entries.get(text)
        if entry is None or entry.statistic is not statistic:
            self._entries[text] = Entry(statistic, self.positions())
        return text

    def restored(self, statistic: Statistic, coverage: Coverage) -> None:
        """A statistic was opened, and has in it what was counted before a restart of ours."""
        self._contains(self._entries[self.opened(statistic)], coverage, self.positions())

    def _contains(self, entry: Entry, coverage: Coverage, as_of: Positions) -> None:
        """From there on, what it has is our own; before, it may lack even the last events."""
        entry.adopted, entry.is_unsure, entry.follows = coverage, False, False
        here = self.positions()
        entry.began = here | {source: as_of[source] for source in coverage if source in as_of}
        is_whole = not missing(entry.coverage(here, self._holes), here)
        entry.statistic.gap_at = None if is_whole else self._time_of(entry.statistic)

    def closed(self, text: str) -> None:
        """A statistic is not open any more."""
        self._entries.pop(text, None)

    def forget_closed(self) -> list[str]:
        """The keys of statistics that the engine does not have any more; they are forgotten.

        Call it when the engine has got another configuration.
        """
        self.shadow = None  # it has the old one
        here = self.engine.statistics
        entries = self._entries.items()
        gone = [text for text, e in entries if here.get(e.statistic.key) is not e.statistic]
        for text in gone:
            self.closed(text)
        return gone

    def close_unwanted(self, keys: Sequence[str]) -> list[str]:
        """Close those of them that no client of ours wants; their keys."""
        found = ((text, self.statistic(text)) for text in keys)
        closed = {text: s for text, s in found if s is not None and not s.subscriptions}
        self.engine.close_all(closed.values(), "")
        for text in closed:
            self.closed(text)
        return list(closed)

    def statistic(self, key: str) -> Statistic | None:
        """The open statistic of that key."""
        entry = self._entries.get(key)
        return None if entry is None else entry.statistic

    def hash_of(self, key: str) -> str:
        """Of the definition of a statistic that is open."""
        return self._hashes.of(self._entries[key].statistic)

    def positions(self) -> Positions:
        """The last event applied, by source."""
        found = ((name, source.position) for name, source in self.engine.sources.items())
        return {name: position for name, position in found if position is not None}

    def is_at(self, positions: Positions) -> bool:
        """Whether we stand exactly there."""
        here = self.positions()
        return all(here.get(name) == position for name, position in positions.items())

    def is_behind(self, positions: Positions) -> bool:
        """Whether some source has not yet come there."""
        return is_behind(self.positions(), positions)

    def open_keys(self) -> list[str]:
        """The keys of all statistics."""
        return list(self._entries)

    def list_open(self, first: int) -> tuple[list[str], int | None]:
        """Some of them, from that one on, and which one is the next."""
        return self._entries.listed(first)

    def lacking(self, keys: Iterable[str] | None = None) -> list[str]:
        """The keys, of these or of all, of statistics of which the peer may have more."""
        here = self.positions()
        chosen = list(self._entries) if keys is None else [k for k in keys if k in self._entries]
        return [text for text in chosen if self._lacks(self._entries[text], here)]

    def _lacks(self, entry: Entry, here: Positions) -> bool:
        return entry.counts and (entry.is_unsure or missing(self._coverage(entry, here), here))

    def take_doubtful(self) -> list[str]:
        """The keys of what was installed lately and lacks more than the peer's did."""
        doubtful, self._doubtful = self._doubtful, []
        return doubtful

    def compared(self, key: str) -> None:
        """What a statistic contains was compared with the peer's, and is not less."""
        self._entries[key].is_unsure = self._entries[key].follows = False

    def follows(self, key: str) -> bool:
        """Whether of two that contain the same the peer's is the one to have.

        What went on when a source began to count anew, or at a hole that both have, ended
        then, by the clock of each member: so it did for whose picture it is (our decision).
        """
        return self._entries[key].follows

    def coverage(self, key: str) -> dict[str, Ranges]:
        """The positions that a statistic that is open contains, by source."""
        return self._coverage(self._entries[key], self.positions())

    def _coverage(self, entry: Entry, positions: Positions) -> dict[str, Ranges]:
        return entry.coverage(positions, self._holes)

    def cut(self, key: str) -> Item | None:
        """A statistic as it is now; None if it is not open."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        entry.definition = entry.definition or definition_of(entry.statistic)
        here = self.positions()
        entry.told(here)
        return Item(
            key,
            entry.definition,
            self._hashes.of(entry.statistic),
            Kind.OPEN if entry.counts else Kind.DEF_ONLY,
            _encode(export_statistic(entry.statistic)) if entry.counts else b"",
            self._coverage(entry, here),
        )

    # -- what the peer pushes --------------------------------------------------------

    @property
    def inexact(self) -> int:
        """How often neither our aggregate nor the peer's contained the other."""
        return self._work.inexact

    def begin_install(self, action: InstallItems) -> None:
        """Install what the peer pushed, with :meth:`go_on`, when we are not behind any more."""
        self._work.begin(action)

    @property
    def can_go_on(self) -> bool:
        """Whether :meth:`go_on` has something to do; ask after events as well."""
        return self._work.can_go_on or (self.shadow is not None and self.shadow.is_behind)

    def go_on(
        self, items_max: float, is_over: Callable[[], bool] = lambda: False
    ) -> list[Installed]:
        """Do a slice of the work that waits: the answers to chunks that are installed by now.

        Args:
            items_max: What the slice may cost; a look at a statistic that need not be taken
                over is half an item, to take one over six. One step is always done.
            is_over: Whether the slice has taken long enough; asked after each step.
        """
        done: list[Installed] = []
        room = float(items_max)
        while room > 0:
            if self._work.can_go_on:
                cost, answer = self._work.step()
                room -= cost
                if answer is not None:
                    done.append(answer)
            elif self.shadow is not None and self.shadow.is_behind:
                room -= self.shadow.follow()
            else:
                break
            if is_over():
                break
        return done

    def forget_waiting(self) -> list[str]:
        """The link is gone: nobody waits for the answers; what was closed because of that."""
        return self.close_unwanted(self._work.forget())

    def open(self, key: str, request: StatisticRequest) -> None:
        """Open what the peer pushed under that key.

        Raises:
            StatisticError: It cannot be, or it is something else here: a profile or a range
                of that name, for instance, with other contents.
        """
        statistic = self.engine.open(request, self.now_ms())
        text = key_text(statistic.key)
        if text != key:
            if text not in self._entries:  # opened for nothing
                self.engine.close_all([statistic], "")
            raise StatisticError("incompatible", f"our configuration has {text} in its place")
        self.opened(statistic)

    def close(self, key: str, reason: str) -> None:
        """Close a statistic for a reason that is not ours; clients are to be told."""
        statistic = self.statistic(key)
        assert statistic is not None
        notices = self.engine.close_all([statistic], reason)
        if notices:
            self._taken_away.append((key, notices))
        self.closed(key)

    def take_taken_away(self) -> list[tuple[str, list[Notice]]]:
        """What was closed lately although clients of ours want it; and what to tell them."""
        taken_away, self._taken_away = self._taken_away, []
        return taken_away

    def adopt(
        self, item: Item, told: StatisticData, as_of: Positions, then: Earlier | None = None
    ) -> None:
        """Let a statistic have counted what the peer's has.

        Args:
            as_of: Where the peer stood; up to there it is the peer's.
            then: Our rows then; by default what is told was brought up to where we stand.

        Raises:
            KeyError, ValueError, TypeError: It does not fit; nothing was changed.
        """
        entry = self._entries[item.key]
        if then is None:
            adopt_told(self.engine, entry.statistic, told, self.now_ms())
        else:
            take_plain(entry.statistic, told, then.pairs, self.now_ms(), then.rows)
            self.engine.replaced(entry.statistic)
        self._contains(entry, item.coverage, as_of)
        entry.statistic.replicated_from = self.peer
        if lacks_else(self.coverage(item.key), item.coverage, self.positions(), as_of):
            self._doubtful.append(item.key)  # of the rest the peer has nothing more

    def make_shadow(self) -> Steps:
        """Have a shadow from now on."""
        shadow = self.shadow = Shadow(self.engine, self._make_engine(), self.now_ms)
        try:
            yield from shadow.copy()
        finally:
            if not shadow.is_ready and self.shadow is shadow:  # nobody waits for it any more
                self.shadow = None

    # -- worlds and events -----------------------------------------------------------

    def world(self, sources: Sequence[str]) -> bytes:
        """The action tables of these sources, and for how long each has said nothing, ms."""
        now, chosen = self.now_ms(), ((name, self.engine.sources[name]) for name in sources)
        return _encode(
            {name: source.export() | {"silent": now - source.heard_at} for name, source in chosen}
        )

    def adopt_world(self, as_of: Positions, blob: bytes, since: Positions) -> None:
        """Go on from the peer's action tables."""
        pictures = self.pictures.take(as_of, blob)
        for name in as_of:
            now, (picture, silent) = self.now_ms(), pictures[name]
            replace_world(self.engine, name, picture, now, now - silent)
            for entry in self._entries.values():
                entry.picture_replaced(name, since.get(name))
            self._begin(name, as_of[name])
            if name in since:  # counted on another picture, or never
                self._contains_until(name, ours := min(since[name], as_of[name] - 1))
                lost = (ours + 1, as_of[name])
                self._holes[name] = merged([*self._holes.get(name, []), lost])
                self._doubt(name)
        self.shadow = None

    def begin_at(self, source: str, position: int) -> None:
        """Our picture of a source begins, from its own snapshots, after that position."""
        ours = self.engine.sources[source]
        was_away = ours.lost_at is not None  # it was started anew while we were
        if ours.position is not None:
            self._end(source)
        ours.position = position
        self._begin(source, position)
        if was_away and position:  # what is open lacks something of before, which the peer has
            self._holes[source] = [(position, position)]
            for entry in self._entries.values():
                entry.began[source] = position - 1
        self.shadow = None

    def _contains_until(self, name: str, position: int) -> None:
        """What was got from the peer for a picture that is replaced has gone on with that."""
        for entry in self._entries.values():
            entry.contains_until(name, position)

    def _doubt(self, name: str) -> None:
        """What is open contains a hole now, although the source itself has missed nothing."""
        source = self.engine.sources[name]
        for entry in self._entries.values():
            if source in entry.statistic.sources:
                entry.statistic.gap_at = self._time_of(entry.statistic)

    def _time_of(self, statistic: Statistic) -> int:
        """The time that it shows now: of its sources, whose clocks may be far from ours."""
        now = self.now_ms()
        return max((source.clock(now) for source in statistic.sources), default=now)

    def _end(self, source: str) -> None:
        """The source was started anew: what went on is over, and old numbers are old."""
        here = self.positions()
        covered = {text: self._coverage(e, here) for text, e in self._entries.items()}
        self._disconnect(source)
        self._holes.pop(source, None)
        for text, entry in self._entries.items():
            entry.counts_anew(source, covered[text].get(source, []))

    def _disconnect(self, name: str, waited: float = 0.0) -> None:
        """What goes on there is not known: since now or, after a restart, since we left."""
        source = self.engine.sources[name]
        lost = source.known_until(self.now_ms() - round(1000 * waited))
        self._apply_events(name, [EventServerDisconnected(time=source.clock(lost) / 1000)], lost)
        doubt_durations(self.engine, name)

    def _begin(self, source: str, position: int) -> None:
        """What was opened before there was any picture contains something from now on."""
        for entry in self._entries.values():
            entry.began.setdefault(source, position)

    def leave_hole(self, source: str, first: int, last: int, waited: float = 0.0) -> None:
        """Events are lost: all that goes on is in doubt until the snapshots say."""
        self._holes[source] = merged([*self._holes.get(source, []), (first, last)])
        self._disconnect(source, waited)
        self.engine.sources[source].position = last
        self.shadow = None

    def apply(self, source: str, events: Sequence[Event]) -> None:
        """Let events happen, in this order."""
        now = self.now_ms()
        happening = [e for _, line in events if isinstance(e := decode_line(line), StreamEvent)]
        self._apply_events(source, happening, now)
        if self.shadow is not None and not self.shadow.note(source, happening, now):
            self.shadow = None
